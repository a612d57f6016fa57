"""The image route: the disk of a machine that can't be re-installed becomes an image of the cloud.

Read (never written) on the source through SSH, converted and compared here, uploaded, and booted by gov_cloud. Each stage
is kept under its digest, so that an interrupted one goes on where it was. A disk that changes while it is read would give an
image of no moment at all: the source is hashed a second time afterwards, and what differs is refused. So the disk must be at
rest: a machine that is switched off or booted from something else, a snapshot, or an exported image file.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import selectors
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import msgspec

from govcloud import resources
from govcloud.errors import OutsideError
from govcloud.execution.stream import Remote
from govcloud.model.migration import ImageSpec
from govcloud.model.text import Text

_BLOCK = 1 << 20
_STALL_S = 120
_TRIES = 5
_MEMORY_BYTES = 2 << 30
"""For programs that read what others wrote: a crafted image can make qemu-img ask for any amount."""
_PLAIN_VMDK = ("monolithicSparse", "streamOptimized")
"""Kinds of VMDK that don't point to other files, which could be any of this machine's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The disk as its own host sees it."""

    path: str
    kind: str
    bytes: int
    mounted: tuple[str, ...]
    """Where it is mounted for writing."""
    snapshot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskImage:
    """What is known so far; None: that stage is not done."""

    host: str
    disk: str
    format: str
    bytes: int
    state: str
    """snapshot: of one moment, as after a power cut; at_rest: nobody wrote from the first to the last byte."""
    sha256: str | None = None
    """Of the disk as read, equal to the source's own digest afterwards."""
    qcow2_sha512: str | None = None
    qcow2_bytes: int = 0
    virtual_bytes: int = 0
    """As a machine that boots from it sees it."""


class DiskReader:
    """One machine's disk. `work` outlives attempts; `beat` is called while something moves."""

    def __init__(
        self, remote: Remote, host: str, image: ImageSpec, work: Path, name: str, *, beat: Callable[[], None],
        bandwidth_mbps: int | None = None, stall_s: float = _STALL_S, tries: int = _TRIES,
    ) -> None:  # fmt: skip
        self._remote, self._host, self._image, self._beat = remote, host, image, beat
        self._rate = bandwidth_mbps * 1_000_000 / 8 if bandwidth_mbps else None
        self._stall_s, self._tries = stall_s, tries
        self._note = work / f"{name}.image.json"
        self._raw, self._part = work / f"{name}.disk", work / f"{name}.disk.part"
        self.qcow2 = work / f"{name}.qcow2"
        self.read_bytes = 0
        """By this object: a resumed reading has less than the disk's size."""

    def make(self) -> DiskImage:
        """All stages that are not done yet. Raises OutsideError; what was done by then is kept."""
        known = self._known()
        if known is None or known.qcow2_sha512 is None or not self.qcow2.is_file():
            known = self._read()
            known = self._convert(known)
        elif _digest(self.qcow2, "sha512", self._beat) != known.qcow2_sha512:
            self._forget()
            return self.make()
        return known

    def survey(self) -> Survey:
        """Raises OutsideError where the disk can't be read or somebody writes to it."""
        told = self._capture(self._agent("survey", self._image.disk))
        try:
            found = msgspec.json.decode(told, type=Survey)
        except msgspec.DecodeError:
            raise self._error(
                Text("源机器对磁盘的回答看不懂", "The source's answer about its disk makes no sense")
            ) from None
        if found.mounted:
            raise self._error(
                Text("磁盘正挂载着写入：{m}", "The disk is mounted for writing: {m}").format(m=", ".join(found.mounted[:5])),
                Text("关机后从别的系统读，或做快照（如 lvcreate -s）并在迁移文件里写快照的设备名",
                     "Switch the machine off and read from another system, or take a snapshot (lvcreate -s) and name its device in the migration file"),
            )  # fmt: skip
        return found

    def _known(self) -> DiskImage | None:
        try:
            found = msgspec.json.decode(self._note.read_bytes(), type=DiskImage)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        same = (found.host, found.disk, found.format) == (self._host, self._image.disk, self._image.format)
        return found if same else None

    def _keep(self, known: DiskImage) -> DiskImage:
        new = self._note.with_suffix(".new")
        with new.open("w", encoding="utf-8") as stream:
            json.dump(asdict(known), stream)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(self._note)
        return known

    def _forget(self) -> None:
        for path in (self._note, self._raw, self._part, self.qcow2):
            path.unlink(missing_ok=True)

    def _read(self) -> DiskImage:
        known, survey = self._known(), self.survey()
        if known is not None and known.sha256 is not None and self._raw.is_file():
            return known
        if known is None or known.bytes != survey.bytes:
            self._forget()
            state = "snapshot" if survey.snapshot else "at_rest"
            known = self._keep(DiskImage(
                host=self._host, disk=self._image.disk, format=self._image.format, bytes=survey.bytes, state=state,
            ))  # fmt: skip
        self._demand_room(survey.bytes)
        self._fetch_all(survey)
        here = _digest(self._part, "sha256", self._beat)
        there = self._digest_there(survey)
        if here != there:
            self._forget()
            raise self._error(
                Text("读取期间磁盘有写入，读到的内容不属于任何一个时刻，已作废", "The disk was written to while it was read: what was read is of no single moment and was thrown away"),
                Text("关机或做快照后再执行", "Switch the machine off or take a snapshot, then run it again"),
            )  # fmt: skip
        self._part.replace(self._raw)
        return self._keep(replace(known, sha256=here))

    def _fetch_all(self, survey: Survey) -> None:
        """A line that breaks is no reason to give up as long as something came."""
        failed = 0
        while True:
            before = self._held()
            try:
                return self._fetch(survey)
            except OSError as error:
                raise OutsideError(
                    Text("写不下：{w}", "It can't be written: {w}").format(w=error.strerror), where=str(self._part)
                ) from None
            except OutsideError:
                failed = 1 if self._held() > before else failed + 1
                if failed >= self._tries:
                    raise
                time.sleep(2 ** (failed - 1))

    def _held(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _demand_room(self, size: int) -> None:
        """The disk and its converted form, less what is here already."""
        free, needed = shutil.disk_usage(self._note.parent).free, 2 * size - self._held()
        if free < needed:
            raise OutsideError(
                Text(
                    "本机磁盘空间不足：需要 {n} GiB，剩 {f} GiB", "Not enough room here: {n} GiB needed, {f} GiB left"
                ).format(n=-(-needed >> 30), f=free >> 30),
                where=str(self._note.parent),
            )

    def _fetch(self, survey: Survey) -> None:
        """From where the part that is here ends. Zeros become holes."""
        begin = min(self._held(), survey.bytes) // _BLOCK * _BLOCK
        with self._part.open("r+b" if self._part.exists() else "w+b") as sink:
            sink.truncate(begin)
            offset = sink.seek(begin)
            begun, source = time.monotonic(), self._start(self._agent("read", survey.path, str(begin)))
            with source:
                for block in _blocks(source, self._stall_s):
                    if block.strip(b"\0"):
                        sink.seek(offset)
                        sink.write(block)
                    offset += len(block)
                    self.read_bytes += len(block)
                    self._beat()
                    if (
                        self._rate is not None
                        and (ahead := (offset - begin) / self._rate - (time.monotonic() - begun)) > 0
                    ):
                        time.sleep(min(ahead, 5))
                code = source.wait(60)
            if code or offset != survey.bytes:
                raise self._error(
                    Text("读取中断：{o}/{b} 字节", "The reading broke off: {o} of {b} bytes").format(
                        o=offset, b=survey.bytes
                    )
                )
            sink.truncate(survey.bytes)
            sink.flush()
            os.fsync(sink.fileno())

    def _digest_there(self, survey: Survey) -> str:
        with self._start(self._agent("digest", survey.path)) as source:
            told = b""
            for block in _blocks(source, self._stall_s * 5):
                told += block
                self._beat()
            if source.wait(60):
                raise self._error(Text("源机器算不出磁盘的校验值", "The source could not hash its disk"))
        return told.split()[-1].decode("ascii", "replace") if told.split() else ""

    def _convert(self, known: DiskImage) -> DiskImage:
        virtual_bytes = self._measure()
        part = self.qcow2.with_suffix(".qcow2.part")
        part.unlink(missing_ok=True)
        self._qemu("convert", "-f", self._image.format, "-O", "qcow2", str(self._raw), str(part))
        self._qemu("compare", "-f", self._image.format, "-F", "qcow2", str(self._raw), str(part))
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(self.qcow2)
        digest = _digest(self.qcow2, "sha512", self._beat)
        size = self.qcow2.stat().st_size
        known = self._keep(replace(known, qcow2_sha512=digest, qcow2_bytes=size, virtual_bytes=virtual_bytes))
        self._raw.unlink()
        return known

    def _measure(self) -> int:
        """The virtual size. An image may name other files as part of it, and these would be this machine's: refused."""
        info = json.loads(self._qemu("info", "--output=json", "-f", self._image.format, str(self._raw)))
        data = (info.get("format-specific") or {}).get("data") or {}
        plain = self._image.format != "vmdk" or data.get("create-type") in _PLAIN_VMDK
        if info.get("backing-filename") or data.get("data-file") or not plain or info.get("encrypted"):
            raise self._error(
                Text("镜像文件引用了别的文件或已加密，不能转换", "The image file refers to other files or is encrypted: it can't be converted"),
                Text("先导出成单个完整的文件", "Export it as one whole file first"),
            )  # fmt: skip
        return int(info["virtual-size"])

    def _qemu(self, *arguments: str) -> str:
        program = ["prlimit", f"--as={_MEMORY_BYTES}", "--", "qemu-img", *arguments]
        try:
            with subprocess.Popen(
                program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as running:
                while True:
                    try:
                        out, said = running.communicate(timeout=5)
                        break
                    except subprocess.TimeoutExpired:
                        self._beat()
        except FileNotFoundError:
            raise OutsideError(
                Text("本机没有 qemu-img", "This machine has no qemu-img"), where=arguments[0],
                next_step=Text("安装 qemu-utils", "Install qemu-utils"),
            ) from None  # fmt: skip
        if running.returncode:
            told = said.decode("utf-8", "replace").strip() or out.decode("utf-8", "replace").strip()
            raise self._error(
                Text("qemu-img {a} 失败：{s}", "qemu-img {a} failed: {s}").format(a=arguments[0], s=told[-300:])
            )
        return out.decode("utf-8", "replace")

    def _agent(self, *arguments: str) -> list[str]:
        text = (resources.folder("playbooks") / "library/module_utils/gov_disk.py").read_text("utf-8")
        return self._remote.argv(self._host, ["python3", "-c", text, *arguments])

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def _capture(self, command: Sequence[str]) -> bytes:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=self._stall_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise self._error(Text("源机器没有应答", "The source does not answer")) from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise self._error(
                Text("磁盘读不了：{s}", "The disk can't be read: {s}").format(s=(said or ["?"])[-1][:300])
            )
        return done.stdout

    def _error(self, what: Text, next_step: Text | None = None) -> OutsideError:
        return OutsideError(what, where=f"{self._host}:{posixpath.normpath(self._image.disk)}", next_step=next_step)


def _blocks(source: subprocess.Popen[bytes], stall_s: float) -> Iterator[bytes]:
    """Whole blocks as far as they come; a source from which nothing comes for too long is ended."""
    assert source.stdout is not None  # noqa: S101 - asked for
    held = bytearray()
    with selectors.DefaultSelector() as waiting:
        waiting.register(source.stdout, selectors.EVENT_READ)
        while True:
            if not waiting.select(stall_s):
                source.kill()
                break
            came = os.read(source.stdout.fileno(), _BLOCK)
            if not came:
                break
            held += came
            while len(held) >= _BLOCK:
                yield bytes(held[:_BLOCK])
                del held[:_BLOCK]
    if held:
        yield bytes(held)


def _digest(path: Path, kind: str, beat: Callable[[], None]) -> str:
    digest = hashlib.new(kind)
    with path.open("rb") as stream:
        while block := stream.read(8 * _BLOCK):
            digest.update(block)
            beat()
    return digest.hexdigest()
