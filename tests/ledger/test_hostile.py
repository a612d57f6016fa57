"""Bundles made to harm the verifier: it ends soon, in bounded memory, never with a traceback and never with "verified"."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_bundle import Exported, append

from govcloud.ledger import verify
from govcloud.workflow import audit
from govcloud.workflow.session import Session

MIB = 2**20
ROTATION_TEXT = f"{verify.ROTATION_HEADER}\no\n1\na\nb\n\n— o AAAA\n".encode()


def limited(exported: Exported, mib: int) -> subprocess.CompletedProcess[str]:
    child = (
        "import resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({mib * MIB}, {mib * MIB}))\n"
        f"sys.path.insert(0, {str(Path(verify.__file__).parent)!r})\n"
        "import verify\n"
        f"sys.exit(verify.main([{str(exported.bundle)!r}, '--key', {exported.vkey!r}]))\n"
    )
    argv = [sys.executable, "-I", "-S", "-c", child]
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, env={**os.environ, "LC_ALL": "C.UTF-8"})


@pytest.mark.parametrize(
    "name", ["records.jsonl", "leaves.txt", "consistency.txt", "checkpoints/5.note", "MANIFEST.note"]
)
def test_a_line_of_two_gigabytes_is_not_read_into_memory(exported: Exported, name: str) -> None:
    """A sparse file: two gigabytes of zeros without a newline."""
    with (exported.bundle / name).open("ab") as stream:
        stream.truncate(2**31)
    # Digests of what the manifest lists are computed of all bytes; here the manifest is not the point.
    if name != verify.MANIFEST:
        signer = exported.signer()
        text = f"{verify.MANIFEST_HEADER}\n{signer.name}\n"
        (exported.bundle / verify.MANIFEST).write_text(signer.sign(text), "utf-8")
    done = limited(exported, 200)
    assert (done.returncode, done.stderr) == (verify.BROKEN, "")
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b"1" * 1_000_000,
        b'"' + b"\\u0000" * 100_000,
        b"\xff" * 1000,
        b"-" * 9,
        b'{"seq":0}',
    ],
    ids=["lists", "objects", "digits", "escapes", "no text", "signs", "fields"],
)
def test_a_poisoned_record_is_a_finding(exported: Exported, line: bytes) -> None:
    lines = (exported.bundle / "records.jsonl").read_bytes().splitlines(keepends=True)
    (exported.bundle / "records.jsonl").write_bytes(b"".join([lines[0], line + b"\n", *lines[2:]]))
    assert exported.check().first_bad_seq == 1


def test_links_folders_pipes_and_crowds_are_told_not_followed(exported: Exported, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "1.note").write_text("inside")
    bundle = exported.bundle
    shutil.move(bundle / "checkpoints", tmp_path / "moved")
    (bundle / "checkpoints").symlink_to(tmp_path / "moved")
    (bundle / "rotations").symlink_to(secret)
    (bundle / "start.txt").symlink_to("/etc/passwd")
    os.mkfifo(bundle / "consistency2.txt")
    (bundle / "sub").mkdir()
    (bundle / "\udcff\x1b[31m").write_text("x")
    for number in range(100):
        (bundle / f"extra{number}").touch()
    report = exported.check()
    assert report.problems
    assert len(report.problems) <= 2 * 20
    shown = verify.render_report(report, "en")
    assert "\x1b" not in shown and "inside" not in shown


def test_a_pipe_in_the_place_of_the_records_does_not_block(exported: Exported) -> None:
    (exported.bundle / "records.jsonl").unlink()
    os.mkfifo(exported.bundle / "records.jsonl")
    assert exported.check().problems


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    from ledger_bundle import AT

    from govcloud.settings import open_workspace
    from govcloud.workflow.init import init_workspace
    from govcloud.workflow.session import open_session

    folder = tmp_path_factory.mktemp("small")
    init_workspace(folder / "w", "shanxi", actor="张示例")
    with open_session(open_workspace(folder / "w"), actor="张示例", now=lambda: AT) as session:
        append(session, 3)
        audit.rotate_key(session)
        made = audit.export_bundle(session, folder / "bundle", since="4")
    return made.folder, made.vkey


NAMES = [
    "MANIFEST.note",
    "records.jsonl",
    "leaves.txt",
    "start.txt",
    "consistency.txt",
    "checkpoints/5.note",
    "rotations/4.note",
]
NAMES += ["checkpoints/7.note", "rotations/9.note"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=60) | st.just(ROTATION_TEXT), min_size=1),
    st.booleans(),
    st.integers(0, 300),
)
def test_no_bytes_in_any_file_pass_or_crash(
    small: tuple[Path, str], files: dict[str, bytes], insert: bool, place: int
) -> None:
    """Whole files of anything, and anything in the middle of good ones."""
    bundle, vkey = small
    original = {name: (bundle / name).read_bytes() if (bundle / name).exists() else None for name in files}
    try:
        for name, data in files.items():
            old = original[name] or b""
            (bundle / name).write_bytes(old[:place] + data + old[place:] if insert else data)
        changed = any((bundle / name).read_bytes() != old for name, old in original.items())
        assert bool(verify.verify_bundle(bundle, [verify.parse_vkey(vkey)]).problems) is changed
    finally:
        for name, before in original.items():
            (bundle / name).unlink()
            if before is not None:
                (bundle / name).write_bytes(before)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_are_a_proof_a_key_or_a_statement(data: bytes) -> None:
    key = verify.parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert verify.verify_proof(data, [key]).problems
    with pytest.raises(verify.Broken):
        verify.parse_rotation(data)
    with pytest.raises(ValueError):
        verify.parse_vkey(data.decode("latin-1"))


json_shapes = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries(dict.fromkeys(("checkpoint", "format", "path", "record", "rotations"), json_shapes)))
def test_a_proof_of_other_shapes_is_told_not_a_crash(document: dict[str, object]) -> None:
    import rfc8785

    key = verify.parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    for right in (
        {},
        {"format": verify.PROOF_FORMAT},
        {"format": verify.PROOF_FORMAT, "record": '{"seq":0}', "path": []},
    ):
        data = rfc8785.dumps({**document, **right}) + b"\n"  # type: ignore[dict-item]
        assert verify.verify_proof(data, [key]).problems


def test_an_empty_session_is_never_verified(session: Session, tmp_path: Path) -> None:
    """A bundle with a checkpoint of no record: nothing to check is an error."""
    made = audit.export_bundle(session, tmp_path / "bundle")
    for name in ("records.jsonl", "leaves.txt", "consistency.txt"):
        (made.folder / name).write_bytes(b"")
    shutil.rmtree(made.folder / "checkpoints")
    assert verify.main([str(made.folder), "--key", made.vkey]) == verify.BROKEN
