"""Directories really copied between two SSH hosts, over lines that break.

Without these an engineer could find half a file under its final name, pay for terabytes twice, overwrite what was not his,
or hear "verified" over a byte that differs.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_place import LIMIT, Copy, FilePlace, tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govcloud.execution.replicate import build_ends, sync_files, verify_files
from govcloud.execution.stream import StreamError

MIB = 1 << 20


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilePlace]:
    found = FilePlace(tmp_path_factory.mktemp("files"))
    yield found
    found.close()


@pytest.fixture
def copy(place: FilePlace, request: pytest.FixtureRequest) -> Iterator[Copy]:
    yield place.copy(request.node.name.partition("[")[0][:60] + str(time.monotonic_ns()))
    for line in place.lines.values():
        line.plan.clear()
        line.silent.clear()


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 - the same at every run


def fill(root: Path) -> None:
    """What old file servers hold."""
    (root / "年度 总结").mkdir()
    (root / "年度 总结" / "公文 1.txt").write_text("内容")
    Path(os.fsdecode(os.fsencode(root) + b"/" + "附件.doc".encode("gbk"))).write_bytes(b"gbk")
    (root / "a%b\nc").write_text("awkward")
    (root / "empty folder").mkdir(mode=0o750)
    (root / "nothing").touch()
    (root / "ctl").write_text("#!/bin/sh\n")
    (root / "ctl").chmod(0o755)
    (root / "read only").write_text("x")
    (root / "read only").chmod(0o400)
    (root / "link").symlink_to("年度 总结/公文 1.txt")
    (root / "dangling").symlink_to("/nowhere/at all")
    (root / "twin a").write_bytes(noise(300_000))
    os.link(root / "twin a", root / "年度 总结" / "twin b")
    (root / "large").write_bytes(noise(3 * MIB + 17))
    with (root / "sparse").open("wb") as stream:
        stream.seek(40 * MIB)
        stream.write(b"far away")
        stream.truncate(64 * MIB)
    os.utime(root / "ctl", ns=(1_500_000_000_123_456_789, 1_400_000_000_987_654_321))
    os.utime(root / "年度 总结", ns=(1_500_000_000_000_000_000, 1_400_000_000_000_000_001))


def test_everything_arrives_as_it_was_and_a_second_pass_sends_nothing(copy: Copy) -> None:
    fill(copy.source)
    before = tree(copy.source)
    read_at = {path: os.lstat(os.fsencode(copy.source) + b"/" + path).st_atime_ns for path in before}
    first = sync_files(copy.ends(), copy.pair, live=True)
    assert tree(copy.target) == before
    assert (copy.target / "sparse").stat().st_blocks * 512 < MIB
    assert (copy.target / "twin a").stat().st_ino == (copy.target / "年度 总结" / "twin b").stat().st_ino
    assert int(first["bytes"]) < 3.6 * MIB, "holes and the second name of a file are not sent"
    assert not list(copy.target.parent.glob("*partial*")) and not (copy.target / ".govcloud-partial").exists()
    again = sync_files(copy.ends(), copy.pair, live=True)
    assert (again["sent"], again["removed"], again["bytes"]) == (0, 0, 0)
    problems, facts = verify_files(copy.ends(), copy.pair)
    assert problems == [] and facts["files"] == len(before) + 1
    assert tree(copy.source) == before
    if os.geteuid() == 0:
        assert read_at == {path: os.lstat(os.fsencode(copy.source) + b"/" + path).st_atime_ns for path in before}
    lines = (copy.evidence / "manifest-0.txt").read_text().splitlines()
    assert "%B8%BD%BC%FE.doc" in {line.split(" ", 5)[5] for line in lines} and "a%25b%0Ac" in {line.split(" ", 5)[5] for line in lines}  # fmt: skip
    assert (copy.evidence / "heartbeat").exists()


def test_a_later_pass_sends_what_changed_and_removes_what_went(copy: Copy) -> None:
    fill(copy.source)
    sync_files(copy.ends(), copy.pair, live=True)
    data = bytearray((copy.source / "large").read_bytes())
    data[MIB + 5] ^= 1
    (copy.source / "large").write_bytes(data + b"appended")
    (copy.source / "nothing").unlink()
    (copy.source / "link").unlink()
    (copy.source / "link").mkdir()
    (copy.source / "link" / "inside").write_text("was a link")
    (copy.source / "empty folder").rmdir()
    (copy.source / "empty folder").write_text("was a folder")
    counts = sync_files(copy.ends(), copy.pair, live=True)
    assert tree(copy.target) == tree(copy.source)
    assert int(counts["bytes"]) < 2.2 * MIB, "of a large file only the pieces that changed are sent"
    assert counts["removed"] == 1


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_flipped_byte_with_the_same_size_and_time_is_found_when_frozen(copy: Copy, side: str) -> None:
    """rsync's default misses this (F23)."""
    fill(copy.source)
    sync_files(copy.ends(), copy.pair, live=True)
    file = getattr(copy, side) / "twin a"
    times, data = file.stat(), bytearray(file.read_bytes())
    data[1000] ^= 1
    with file.open("r+b") as stream:
        stream.write(data)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    problems, _ = verify_files(copy.ends(), copy.pair)
    assert "2 missing or different" in problems[0].en and "twin a" in problems[0].zh
    counts = sync_files(copy.ends(), copy.pair, live=False)
    assert verify_files(copy.ends(), copy.pair)[0] == []
    assert counts["bytes"] != 0 and (copy.target / "twin a").read_bytes() == (copy.source / "twin a").read_bytes()


def test_extra_missing_and_changed_entries_are_named(copy: Copy) -> None:
    fill(copy.source)
    sync_files(copy.ends(), copy.pair, live=False)
    (copy.target / "rehearsed").write_text("x")
    (copy.target / "nothing").unlink()
    (copy.target / "ctl").chmod(0o700)
    (problem,), _ = verify_files(copy.ends(), copy.pair)
    assert "2 missing or different, 1 extra" in problem.en and all(
        n in problem.zh for n in ("rehearsed", "nothing", "ctl")
    )
    assert sync_files(copy.ends(), copy.pair, live=False)["bytes"] < 1000, "a mode is set without sending the content"
    assert verify_files(copy.ends(), copy.pair)[0] == []


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(2_000, 6 * MIB), min_size=1, max_size=2),
    host=st.sampled_from(["old", "new"]),
    seed=st.integers(0, 9),
)
def test_after_cuts_anywhere_the_copy_is_right_and_little_is_sent_twice(
    place: FilePlace, cuts: list[int], host: str, seed: int
) -> None:
    """F6."""
    copy = place.copy(f"cut{time.monotonic_ns()}")
    for number in range(40):
        (copy.source / f"small {number}").write_bytes(noise(5_000 + number, seed))
    (copy.source / "large").write_bytes(noise(5 * MIB, seed))
    place.lines[host].plan[:] = cuts
    counts = sync_files(copy.ends(), copy.pair, live=True)
    place.lines[host].plan.clear()
    assert tree(copy.target) == tree(copy.source)
    assert int(counts["bytes"]) < 5.3 * MIB + int(counts["cuts"]) * 2.5 * MIB


def test_a_cut_leaves_no_final_name_and_the_next_attempt_sends_only_the_rest(place: FilePlace, copy: Copy) -> None:
    (copy.source / "large").write_bytes(noise(12 * MIB))
    (copy.source / "small").write_text("s")
    place.lines["new"].plan[:] = [8 * MIB, 1, 1, 1]
    with pytest.raises(StreamError, match="What arrived stays"):
        sync_files(copy.ends(), copy.pair, live=True)
    assert copy.final_names() == set()
    place.lines["new"].plan.clear()
    counts = sync_files(copy.ends(token=4, attempt=2), copy.pair, live=True)
    assert tree(copy.target) == tree(copy.source)
    assert int(counts["bytes"]) < 7 * MIB


def test_what_came_before_a_cut_counts_only_while_the_source_still_says_so(place: FilePlace, copy: Copy) -> None:
    """Files that the source removed or took back between two attempts must not turn up on the target."""
    for name in ("kept", "removed", "restored", "folder/inside", "became a folder"):
        (copy.source / name).parent.mkdir(exist_ok=True)
        (copy.source / name).write_text("first " + name)
    sync_files(copy.ends(), copy.pair, live=True)
    before = (copy.source / "restored").stat()
    for name in ("kept", "removed too", "restored", "folder/new", "became a folder"):
        (copy.source / name).write_text("second " + name)
    (copy.source / "z").write_bytes(noise(6 * MIB))
    place.lines["new"].plan[:] = [4 * MIB, 1, 1, 1]
    with pytest.raises(StreamError):
        sync_files(copy.ends(), copy.pair, live=True)
    place.lines["new"].plan.clear()
    assert (copy.target / ".govcloud-partial" / "new" / "removed too").exists()
    assert (copy.target / "restored").read_text() == "first restored"
    (copy.source / "removed too").unlink()
    (copy.source / "restored").write_text("first restored")
    os.utime(copy.source / "restored", ns=(before.st_atime_ns, before.st_mtime_ns))
    (copy.source / "folder" / "new").unlink()
    (copy.source / "became a folder").unlink()
    (copy.source / "became a folder" / "deeper").mkdir(parents=True)
    sync_files(copy.ends(token=4), copy.pair, live=False)
    assert tree(copy.target) == tree(copy.source)


def test_a_partial_file_that_was_damaged_meanwhile_is_not_trusted(place: FilePlace, copy: Copy) -> None:
    (copy.source / "large").write_bytes(noise(6 * MIB))
    place.lines["new"].plan[:] = [5 * MIB, 1, 1, 1]
    with pytest.raises(StreamError):
        sync_files(copy.ends(), copy.pair, live=False)
    place.lines["new"].plan.clear()
    (part,) = (copy.target / ".govcloud-partial" / "part").iterdir()
    with part.open("r+b") as stream:
        stream.seek(MIB + 100)
        stream.write(b"damaged")
    sync_files(copy.ends(token=4), copy.pair, live=False)
    assert (copy.target / "large").read_bytes() == noise(6 * MIB)


def test_a_silent_line_ends_with_words_after_the_deadline(place: FilePlace, copy: Copy) -> None:
    """F7: nothing waits for ever."""
    (copy.source / "f").write_bytes(noise(MIB))
    place.lines["old"].silent.set()
    begun = time.monotonic()
    with pytest.raises(StreamError) as caught:
        sync_files(copy.ends(), copy.pair, live=True, stall_s=0.7)
    assert time.monotonic() - begun < 30
    assert "没有任何数据往来" in caught.value.text.zh or "连接中断" in caught.value.text.zh
    place.lines["old"].silent.clear()


def test_a_changed_host_key_is_refused_at_once(place: FilePlace, copy: Copy) -> None:
    (copy.source / "f").write_text("secret")
    config = place.write_config({**place.keys, "new": place.keys["old"]}, f"wrong{time.monotonic_ns()}")
    with pytest.raises(StreamError) as caught:
        sync_files(copy.ends(config=config), copy.pair, live=True)
    assert "主机公钥" in caught.value.text.zh and "host key" in caught.value.text.en
    assert not copy.target.exists()


def test_a_superseded_attempt_and_a_foreign_marker_are_refused(copy: Copy) -> None:
    (copy.source / "f").write_text("x")
    for changed, words in (({"token": 9}, "superseded"), ({"system_id": "SL-HR-02"}, "another system"), ({"run_id": "r2"}, "another run")):  # fmt: skip
        copy.mark(**changed)
        with pytest.raises(StreamError, match=words):
            sync_files(copy.ends(), copy.pair, live=True)
    assert not copy.target.exists()


def test_content_that_no_migration_put_there_is_neither_overwritten_nor_deleted(copy: Copy) -> None:
    """F17."""
    (copy.source / "f").write_text("ours")
    copy.target.mkdir()
    (copy.target / "f").write_text("somebody else's")
    with pytest.raises(StreamError, match="did not put there"):
        sync_files(copy.ends(), copy.pair, live=True)
    assert (copy.target / "f").read_text() == "somebody else's"


def test_attributes_that_stay_behind_are_counted(copy: Copy) -> None:
    """A Samba share lives from its ACLs; nobody should learn from users that they are gone."""
    (copy.source / "plain").write_text("x")
    (copy.source / "marked").write_text("x")
    # Version 2 of the kernel's format: tag, permissions, id; user 1000 may read.
    access = [(1, 6, -1), (2, 4, 1000), (4, 4, -1), (16, 4, -1), (32, 4, -1)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in access)
    os.setxattr(copy.source / "marked", "system.posix_acl_access", acl)
    assert sync_files(copy.ends(), copy.pair, live=True)["attributes_left"] == 1


def test_a_source_that_is_not_mounted_is_no_reason_to_empty_the_target(copy: Copy) -> None:
    fill(copy.source)
    sync_files(copy.ends(), copy.pair, live=True)
    copy.source.rename(copy.source.with_name("elsewhere" + copy.source.name))
    with pytest.raises(StreamError, match="No such directory"):
        sync_files(copy.ends(), copy.pair, live=False)
    assert (copy.target / "large").exists()


def test_a_pipe_is_refused_with_its_name(copy: Copy) -> None:
    os.mkfifo(copy.source / "pipe")
    with pytest.raises(StreamError, match="pipe"):
        sync_files(copy.ends(), copy.pair, live=True)


def test_a_file_that_finds_no_room_fails_clean_and_is_taken_up_later(copy: Copy) -> None:
    """F8: a limit on the size of files stands for the full disk here; the next test has a real one."""
    (copy.source / "large").write_bytes(noise(2 * LIMIT))
    with pytest.raises(StreamError) as caught:
        sync_files(copy.ends(target_host="tight"), copy.pair, live=True)
    assert "磁盘空间不足" in caught.value.text.zh
    assert copy.final_names() == set()
    counts = sync_files(copy.ends(), copy.pair, live=True)
    assert tree(copy.target) == tree(copy.source) and int(counts["bytes"]) < LIMIT + MIB + 1000


@pytest.mark.root
def test_a_full_disk_fails_clean_and_is_taken_up_when_there_is_room(copy: Copy) -> None:
    """F8 with a file system that is really full."""
    libc = ctypes.CDLL(None, use_errno=True)
    copy.target.mkdir()
    assert libc.mount(b"tmpfs", os.fsencode(copy.target), b"tmpfs", 0, b"size=3m") == 0, os.strerror(ctypes.get_errno())
    try:
        (copy.source / "large").write_bytes(noise(5 * MIB))
        with pytest.raises(StreamError) as caught:
            sync_files(copy.ends(), copy.pair, live=True)
        assert "磁盘空间不足" in caught.value.text.zh and "No space left" in caught.value.text.en
        assert copy.final_names() == set()
        assert libc.mount(b"tmpfs", os.fsencode(copy.target), b"tmpfs", 32, b"size=20m") == 0
        counts = sync_files(copy.ends(), copy.pair, live=True)
        assert (copy.target / "large").read_bytes() == noise(5 * MIB)
        assert int(counts["bytes"]) < 4 * MIB
    finally:
        libc.umount2(os.fsencode(copy.target), 2)


def test_a_limit_on_the_bandwidth_holds(copy: Copy) -> None:
    (copy.source / "f").write_bytes(noise(1_500_000))
    begun = time.monotonic()
    sync_files(copy.ends(), copy.pair, live=True, bandwidth_mbps=8)
    assert time.monotonic() - begun > 1.0, "1.5 MB at 8 Mbit/s take 1.5 s, less a burst of a quarter of a second"


def test_files_that_vanish_or_change_while_the_source_serves_are_no_failure(copy: Copy) -> None:
    for number in range(300):
        (copy.source / f"{number}").write_bytes(noise(2_000, number))
    writer = os.fork()
    if writer == 0:
        for number in range(300):
            (copy.source / f"{number}").unlink(missing_ok=True)
            (copy.source / f"new {number}").write_text("n")
            time.sleep(0.002)
        os._exit(0)
    try:
        sync_files(copy.ends(), copy.pair, live=True)
    finally:
        os.waitpid(writer, 0)
    sync_files(copy.ends(), copy.pair, live=False)
    assert tree(copy.target) == tree(copy.source)


def test_ends_come_from_the_migration_file(tmp_path: Path) -> None:
    spec = json.loads(
        '{"system_id": "S-1", "machines": [{"name": "db", "source": "a", "target": "b", "state_dir": "/var/lib/govcloud"}]}'
    )
    ends = build_ends(spec, {"token": 1}, "db", evidence=tmp_path, ssh_config=tmp_path / "c")
    assert (ends.source_host, ends.target_host, ends.marker) == ("a", "b", "/var/lib/govcloud/S-1.json")
