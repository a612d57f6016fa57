"""Nothing is believed that only one end of a pipe says, and nothing waits for ever."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.execution.stream import Remote, StreamError, capture, pipe


def test_what_passed_is_counted_and_hashed(tmp_path: Path) -> None:
    data = b"0123456789" * 200_000
    (tmp_path / "in").write_bytes(data)
    passed = pipe(["cat", str(tmp_path / "in")], ["tee", str(tmp_path / "out")])
    assert (tmp_path / "out").read_bytes() == data
    assert (passed.bytes, passed.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_large_input_and_output_at_the_same_time_do_not_block() -> None:
    data = b"x" * 5_000_000
    out = io.BytesIO()
    assert capture(["cat"], out, give=data).bytes == len(data)
    assert out.getvalue() == data


def test_a_source_that_fails_after_sending_everything_is_a_failure(tmp_path: Path) -> None:
    """pg_dump that dies in the middle looks like a short dump to the receiving end."""
    with pytest.raises(StreamError, match="exit code 3: broken"):
        pipe(["sh", "-c", "echo data; echo broken >&2; exit 3"], ["cat"])


def test_a_target_that_stops_early_is_a_failure_with_its_own_reason() -> None:
    with pytest.raises(StreamError, match="disk full"):
        pipe(["sh", "-c", "yes | head -c 5000000"], ["sh", "-c", "head -c 10; echo disk full >&2; exit 2"])


def test_a_target_that_takes_everything_and_fails_is_a_failure() -> None:
    with pytest.raises(StreamError, match="exit code 7"):
        pipe(["echo", "data"], ["sh", "-c", "cat >/dev/null; exit 7"])


def test_tar_saying_that_a_file_changed_is_allowed_only_where_it_is_expected() -> None:
    changing = ["sh", "-c", "echo data; exit 1"]
    assert pipe(changing, ["cat"], source_codes=frozenset({0, 1})).bytes == 5
    with pytest.raises(StreamError):
        pipe(changing, ["cat"])


@pytest.mark.parametrize(("source", "target"), [(["sleep", "3600"], ["cat"]), (["sh", "-c", "yes"], ["sleep", "3600"])])
def test_a_silent_end_is_given_up(source: list[str], target: list[str]) -> None:
    with pytest.raises(StreamError, match="for 1 s"):
        pipe(source, target, stall_s=0.6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_data_in_a_remote_command_stays_data(words: list[str]) -> None:
    """sshd gives the command to a shell; names such as `$(reboot)` must come out as they went in."""
    argv = Remote(Path("/x/ssh_config")).argv("oa-01", ["printf", r"%s\0", *words])
    assert argv[:3] == ["ssh", "-F", "/x/ssh_config"] and argv[-2] == "oa-01" and argv[-3] == "--"
    out = io.BytesIO()
    capture(["sh", "-c", argv[-1]], out)
    assert out.getvalue().decode() == "".join(w + "\0" for w in words)
