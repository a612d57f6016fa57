"""A disk is read once, whole, of one moment, and nothing else of any machine gets into the image.

A real SSH server with a line that can be cut, real qemu-img. What a user would miss: an image that does not boot because it
was read from a running system, a terabyte read again after the line broke, a file of our own machine inside an image.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "discovery"))
sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))
from fault_proxy import FaultProxy, wait_for
from ssh_hosts import running

from govcloud.errors import OutsideError
from govcloud.execution.images import DiskReader
from govcloud.execution.stream import Remote
from govcloud.model.migration import ImageSpec

pytestmark = pytest.mark.servers
MIB = 1 << 20
Format = Literal["raw", "qcow2", "vmdk", "vdi", "vpc"]


@dataclass
class Source:
    """The old machine, and the line to it."""

    folder: Path
    ssh_config: Path
    line: FaultProxy
    beats: list[float] = field(default_factory=list)

    def disk(self, mib: int = 24) -> Path:
        """Data, a long hole, data at the very end."""
        path = self.folder / "old.disk"
        with path.open("wb") as stream:
            for start in range(0, mib * MIB - 512, 3 * MIB):
                stream.seek(start)
                stream.write(os.urandom(MIB))
            stream.seek(mib * MIB - 512)
            stream.write(os.urandom(512))
        return path

    def reader(self, disk: Path | str, kind: Format = "raw", **more: int) -> DiskReader:
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        image = ImageSpec(disk=str(disk), format=kind)
        return DiskReader(
            Remote(self.ssh_config), "old-oa", image, work, "main", beat=lambda: self.beats.append(time.monotonic()),
            stall_s=20, bandwidth_mbps=more.get("mbps"), tries=more.get("tries", 5),
        )  # fmt: skip

    def left(self) -> set[str]:
        return {p.name for p in (self.folder / "work").iterdir()}


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    with running(tmp_path) as servers:
        server = servers.start("old-oa")
        line = FaultProxy(("127.0.0.1", server.host.port))
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{line.port} {server.key[0]} {server.key[1]}\n")
        config = tmp_path / "ssh_config"
        config.write_text(
            f"Host old-oa\n HostName 127.0.0.1\n Port {line.port}\n User root\n IdentityFile {servers.key_file}\n"
            f" UserKnownHostsFile {tmp_path}/known_hosts\n BatchMode yes\n LogLevel ERROR\n"
        )
        yield Source(tmp_path, config, line)
        line.close()


def qemu(*arguments: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def content(qcow2: Path) -> bytes:
    """What a machine that boots from it would read."""
    raw = qcow2.with_suffix(".back")
    qemu("convert", "-f", "qcow2", "-O", "raw", qcow2, raw)
    return raw.read_bytes()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_image_is_the_disk_bit_for_bit_and_nothing_is_read_twice(source: Source) -> None:
    disk = source.disk()
    before = sha256(disk), disk.stat().st_mtime_ns
    reader = source.reader(disk)
    made = reader.make()
    assert content(reader.qcow2) == disk.read_bytes()
    assert made.sha256 == before[0] == sha256(disk) and disk.stat().st_mtime_ns == before[1], "the source is only read"
    assert made.qcow2_sha512 == hashlib.sha512(reader.qcow2.read_bytes()).hexdigest()
    assert (made.state, made.bytes, made.virtual_bytes) == ("at_rest", 24 * MIB, 24 * MIB)
    assert reader.qcow2.stat().st_size < 14 * MIB, "holes stay holes"
    assert source.left() == {"main.image.json", "main.qcow2", "main.back"}, (
        "the copy that is not needed any more is gone"
    )
    assert len(source.beats) > 24, "the watchdog sees that it lives"
    again = source.reader(disk)
    assert again.make() == made and again.read_bytes == 0


@pytest.mark.parametrize("kind", ["qcow2", "vmdk", "vdi", "vpc"])
def test_exports_of_other_hypervisors_become_the_same_disk(source: Source, kind: Format) -> None:
    disk = source.disk(8)
    export = source.folder / f"old.{kind}"
    qemu("convert", "-f", "raw", "-O", kind, disk, export)
    reader = source.reader(export, kind)
    made = reader.make()
    data = content(reader.qcow2)
    assert data[: 8 * MIB] == disk.read_bytes() and not data[8 * MIB :].strip(b"\0")
    assert made.virtual_bytes == len(data)


@pytest.mark.parametrize("passed", [20_000, 3 * MIB, 9 * MIB])
def test_a_line_that_breaks_costs_only_what_was_under_way(source: Source, passed: int) -> None:
    disk = source.disk()
    reader = source.reader(disk)
    reader.survey()
    source.line.cut_after(passed)

    def heal() -> None:
        wait_for(lambda: source.line.cuts > 0)
        time.sleep(0.3)
        source.line.heal()

    healer = threading.Thread(target=heal)
    healer.start()
    made = reader.make()
    healer.join()
    assert content(reader.qcow2) == disk.read_bytes() and made.sha256 == sha256(disk)
    assert reader.read_bytes <= 24 * MIB + 2 * MIB


def test_a_reading_that_was_given_up_goes_on_in_the_next_attempt(source: Source) -> None:
    disk = source.disk()
    first = source.reader(disk, tries=1)
    first.survey()
    source.line.cut_after(9 * MIB)
    with pytest.raises(OutsideError) as error:
        first.make()
    assert "old-oa" in error.value.message("zh")
    source.line.heal()
    second = source.reader(disk)
    second.make()
    assert first.read_bytes >= 4 * MIB and content(second.qcow2) == disk.read_bytes()
    assert first.read_bytes + second.read_bytes <= 24 * MIB + 2 * MIB


def test_a_disk_that_is_written_to_while_it_is_read_gives_no_image(source: Source) -> None:
    disk = source.disk()
    reader = source.reader(disk, mbps=100)

    def write() -> None:
        while not reader.read_bytes:
            time.sleep(0.01)
        with disk.open("r+b") as stream:
            stream.write(b"written while it was read")

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(OutsideError) as error:
        reader.make()
    writer.join()
    assert "读取期间磁盘有写入" in error.value.message("zh") and "snapshot" in error.value.message("en")
    assert source.left() == set()
    at_rest = source.reader(disk)
    at_rest.make()
    assert content(at_rest.qcow2) == disk.read_bytes()


def test_the_line_is_not_filled_beyond_its_share(source: Source) -> None:
    disk = source.disk(8)
    begun = time.monotonic()
    source.reader(disk, mbps=40).make()
    assert time.monotonic() - begun > 8 * MIB * 8 / 40e6 * 0.9


def crafted(folder: Path, kind: str) -> tuple[Path, Format]:
    """Images that name a file of the machine on which they are converted."""
    secret = folder / "controller-secret"
    secret.write_bytes(b"SECRET" * 1000 + b"\0" * (MIB - 6000))
    path = folder / f"crafted-{kind}"
    if kind == "backing":
        qemu("create", "-f", "qcow2", "-b", secret, "-F", "raw", path)
        return path, "qcow2"
    if kind == "data-file":
        qemu("create", "-f", "qcow2", "-o", f"data_file={secret},data_file_raw=on", path, "1M")
        secret.write_bytes(b"SECRET" * 1000 + b"\0" * (MIB - 6000))
        return path, "qcow2"
    path.write_text(
        "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
        f'createType="monolithicFlat"\nRW 2048 FLAT "{secret}" 0\nddb.adapterType = "ide"\n'
    )
    return path, "vmdk"


@pytest.mark.parametrize("kind", ["backing", "data-file", "flat"])
def test_a_crafted_image_does_not_carry_our_files_into_the_cloud(source: Source, kind: str) -> None:
    path, image_format = crafted(source.folder, kind)
    with pytest.raises(OutsideError) as error:
        source.reader(path, image_format).make()
    assert "引用了别的文件" in error.value.message("zh") or "qemu-img info" in error.value.message("en")
    assert not (source.folder / "work" / "main.qcow2").exists()


def test_what_can_not_be_read_is_said_of_its_host(source: Source) -> None:
    for disk in ("/没有/这个盘", "/proc", "-c"):
        with pytest.raises(OutsideError) as error:
            source.reader(disk).make()
        assert "old-oa:" in error.value.message("zh") and "Traceback" not in error.value.message("en")


def test_a_disk_for_which_there_is_no_room_here_is_refused_before_it_is_read(source: Source) -> None:
    huge = source.folder / "huge.disk"
    with huge.open("wb") as stream:
        stream.truncate(1 << 43)
    reader = source.reader(huge)
    with pytest.raises(OutsideError) as error:
        reader.make()
    assert "GiB" in error.value.message("zh") and reader.read_bytes == 0


def test_a_stage_that_is_done_is_not_done_again(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = source.disk(8)
    first = source.reader(disk)
    with monkeypatch.context() as bare:
        here = source.folder / "bin"
        here.mkdir()
        for name in ("ssh", "prlimit"):
            (here / name).symlink_to(f"/usr/bin/{name}")
        bare.setenv("PATH", str(here))
        with pytest.raises(OutsideError) as error:
            first.make()
    assert "qemu-img" in error.value.message("zh") and first.read_bytes == 8 * MIB
    (source.folder / "work" / "main.qcow2.part").write_bytes(b"what a killed conversion left")
    second = source.reader(disk)
    second.make()
    assert second.read_bytes == 0 and content(second.qcow2) == disk.read_bytes()
    second.qcow2.write_bytes(b"damaged")
    third = source.reader(disk)
    third.make()
    assert third.read_bytes == 8 * MIB and content(third.qcow2) == disk.read_bytes()


@pytest.mark.root
def test_a_disk_that_somebody_has_mounted_is_refused_before_it_is_read(source: Source) -> None:
    """Partition and file system of a running machine: hours of reading would give an image that does not boot."""
    disk, free, place = source.folder / "fs.disk", source.folder / "free.disk", source.folder / "mounted"
    place.mkdir()
    with disk.open("wb") as stream:
        stream.truncate(8 * MIB)
    subprocess.run(["mke2fs", "-q", str(disk)], check=True, capture_output=True)
    # What is mounted can't be had again as a disk at rest: a mount name space that begins meanwhile keeps a mount of its own.
    free.write_bytes(disk.read_bytes())
    with loop_device(disk) as device:
        subprocess.run(["mount", device, str(place)], check=True)
        try:
            with pytest.raises(OutsideError) as error:
                source.reader(device).make()
            assert str(place) in error.value.message("zh") and "lvcreate" in error.value.message("en")
        finally:
            subprocess.run(["umount", str(place)], check=True)
    with loop_device(free) as device:
        reader = source.reader(device)
        assert reader.make().sha256 == sha256(free) and content(reader.qcow2) == free.read_bytes()


@contextmanager
def loop_device(file: Path) -> Iterator[str]:
    made = subprocess.run(["losetup", "-f", "--show", str(file)], check=True, capture_output=True, text=True)
    device = made.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "-d", device], check=True)
