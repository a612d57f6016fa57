"""The archive of a takeover: written with one form for one content, checked without being unpacked.

A tar file or a folder with the same files. `SHA256SUMS` names every other file and can be checked with sha256sum.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from govcloud.errors import InputError, IntegrityError, OutsideError
from govcloud.ledger.export import check_target
from govcloud.model.text import Text

SUMS = "SHA256SUMS"
_MAX_FILES, _MAX_NAME, _MAX_SUMS = 20_000, 100, 8 * 2**20
"""A longer name would need a second form of header."""
_BLOCK = 2**20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_LINE = re.compile(rf"([0-9a-f]{{64}})  ({_NAME.pattern})")
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)

Content = bytes | Path
"""A file of the archive: its bytes, or the file that they are copied from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    sums_sha256: str | None
    """Digest of SHA256SUMS: what the ledger's record of the package names. None: there is none."""
    files: int
    problems: tuple[Text, ...]


def write_archive(target: Path, files: Mapping[str, Content], sums: bytes, at: datetime) -> None:
    """`target`: a .tar file, or a folder that does not exist yet; only its owner may read it. Whole or not at all; the same files and `at` (the time of all
    files in it) give the same bytes. Raises UsageError for a target that is there, OutsideError when it can't be written."""
    check_target(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    whole = dict(sorted({**files, SUMS: sums}.items()))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".tar":
            temporary.touch(mode=0o600)
            with temporary.open("wb") as stream:
                _write_tar(stream, whole, int(at.timestamp()))
                stream.flush()
                os.fsync(stream.fileno())
        else:
            temporary.mkdir(mode=0o700)
            for name, content in whole.items():
                (temporary / name).parent.mkdir(exist_ok=True)
                with (temporary / name).open("wb") as copy, _open(content) as source:
                    shutil.copyfileobj(source, copy, _BLOCK)
                    copy.flush()
                    os.fsync(copy.fileno())
        os.rename(temporary, target)  # noqa: PTH104
    except OSError as error:
        raise OutsideError(
            Text("归档包写不成：{why}", "The package can't be written: {why}").format(why=error.strerror or error),
            where=str(target),
            next_step=Text("检查路径、权限和磁盘空间", "Check path, permissions and disk space"),
        ) from error
    finally:
        temporary.unlink() if temporary.is_file() else shutil.rmtree(temporary, ignore_errors=True)


def build_sums(files: Mapping[str, Content]) -> bytes:
    """As sha256sum writes and checks it. Raises IntegrityError for a file of evidence that is missing or not what its name says."""
    lines = []
    for name, content in sorted(files.items()):
        digest = _digest(content)
        if isinstance(content, Path) and digest != content.name:
            raise IntegrityError(
                Text("证据文件缺失", "An evidence file is missing") if digest is None
                else Text("证据文件与提交时不符", "An evidence file is not what was handed over"),
                where=str(content),
                next_step=Text("从备份恢复该文件后重试", "Restore the file from a backup, then try again"),
            )  # fmt: skip
        lines.append(f"{digest}  {name}\n")
    return "".join(lines).encode()


def _digest(content: Content) -> str | None:
    try:
        with _open(content) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _open(content: Content) -> BufferedReader | BytesIO:
    return content.open("rb") if isinstance(content, Path) else BytesIO(content)


def _write_tar(stream: IO[bytes], files: Mapping[str, Content], at: int) -> None:
    """The one form: files only, in the order of their names, nobody's, all of one time."""
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            size = content.stat().st_size if isinstance(content, Path) else len(content)
            with _open(content) as source:
                tar.addfile(_header(name, size, at), source)


def _header(name: str, size: int, at: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, at, 0o644
    return info


def verify_archive(path: Path) -> Checked:
    """Reads only; nothing is unpacked, links are not followed. Raises InputError where there is nothing to read."""
    try:
        if path.is_dir():
            return _check(_of_folder(path))
        with path.open("rb") as stream:
            return _check(_of_tar(stream))
    except OSError as error:
        raise InputError(
            Text("归档包读不了：{why}", "The package can't be read: {why}").format(why=error.strerror or error),
            where=str(path),
        ) from None


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Refused(Exception):
    """Something that no archive of ours holds."""

    def __init__(self, problem: Text) -> None:
        super().__init__(problem.en)
        self.problem = problem


def _check(found: Iterator[tuple[str, int, _Readable]]) -> Checked:
    """Each file against SHA256SUMS, whatever order they come in."""
    digests: dict[str, str] = {}
    sums = b""
    try:
        for name, size, stream in found:
            if name == SUMS:
                if size > _MAX_SUMS:
                    raise _Refused(Text("{n} 过大", "{n} is too large").format(n=SUMS))
                sums = stream.read(_MAX_SUMS)
                continue
            digest = hashlib.sha256()
            while block := stream.read(_BLOCK):
                digest.update(block)
            digests[name] = digest.hexdigest()
    except _Refused as refused:
        return Checked(sums_sha256=None, files=len(digests), problems=(refused.problem,))
    except tarfile.TarError as error:
        damaged = Text("不是完整的归档包：{why}", "Not a whole package: {why}").format(why=error)
        return Checked(sums_sha256=None, files=len(digests), problems=(damaged,))
    listed, problems = _parse_sums(sums)
    for name in sorted({*listed, *digests}):
        if name not in digests:
            problems.append(Text("缺少文件：{n}", "Missing: {n}").format(n=_shown(name)))
        elif name not in listed:
            problems.append(Text("多出文件：{n}", "Not in the list: {n}").format(n=_shown(name)))
        elif listed[name] != digests[name]:
            problems.append(Text("内容被改动：{n}", "Changed: {n}").format(n=_shown(name)))
    digest_of = hashlib.sha256(sums).hexdigest() if sums else None
    return Checked(sums_sha256=digest_of, files=len(digests), problems=tuple(problems))


def _parse_sums(sums: bytes) -> tuple[dict[str, str], list[Text]]:
    if not sums:
        return {}, [Text("没有 {n}，无从核对", "There is no {n} to check with").format(n=SUMS)]
    listed: dict[str, str] = {}
    for number, line in enumerate(sums.decode("utf-8", "replace").removesuffix("\n").split("\n"), start=1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in listed or not sums.endswith(b"\n"):
            return listed, [Text("{f} 第 {n} 行不对", "Line {n} of {f} is wrong").format(f=SUMS, n=number)]
        listed[match[2]] = match[1]
    return listed, []


def _of_folder(folder: Path) -> Iterator[tuple[str, int, _Readable]]:
    names = _Names()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise _Refused(Text("不是普通文件：{n}", "Not a plain file: {n}").format(n=_shown(path.name)))
        if path.is_file():
            name = names.take(path.relative_to(folder).as_posix())
            with path.open("rb") as stream:
                yield name, path.stat().st_size, stream


def _of_tar(stream: BinaryIO) -> Iterator[tuple[str, int, _Readable]]:
    """Strict: every byte has to be what our own writer would have written, so nothing can hide between or after the files."""
    names = _Names()
    while (header := stream.read(tarfile.BLOCKSIZE)) != bytes(tarfile.BLOCKSIZE):
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        if info.type not in _PLAIN:
            raise _Refused(Text("不是普通文件：{n}", "Not a plain file: {n}").format(n=_shown(info.name)))
        name = names.take(info.name)
        if not _is_ours(header, name, info.size, info.mtime):
            raise _Refused(Text("文件头被改动：{n}", "The header was changed: {n}").format(n=_shown(name)))
        content = _Content(stream, info.size)
        yield name, info.size, content
        if content.left or any(stream.read(-info.size % tarfile.BLOCKSIZE)):
            raise _Refused(_HIDDEN)
    end = -(-(stream.tell() + tarfile.BLOCKSIZE) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE - stream.tell()
    if stream.read(end) != bytes(end) or stream.read(1):
        raise _Refused(_HIDDEN)


_HIDDEN = Text(
    "归档包不完整，或夹带了清单以外的内容", "The package is not whole, or carries something besides its files"
)


def _is_ours(header: bytes, name: str, size: int, at: float) -> bool:
    try:
        return header == _header(name, size, int(at)).tobuf(tarfile.USTAR_FORMAT)
    except (ValueError, OverflowError):
        return False


class _Content:
    """The next bytes of a stream, and no more."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self.left = stream, size

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(min(size, self.left))
        self.left -= len(data)
        return data


class _Names:
    """Refuses names that could lead somewhere else or stand for two files."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def take(self, name: str) -> str:
        folded = unicodedata.normalize("NFKC", name).casefold()
        if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
            raise _Refused(Text("文件名不允许：{n}", "No name for a file: {n}").format(n=_shown(name)))
        if folded in self._seen:
            raise _Refused(Text("同名文件：{n}", "Two files of one name: {n}").format(n=_shown(name)))
        if len(self._seen) >= _MAX_FILES:
            raise _Refused(Text("文件多于 {n} 个", "More than {n} files").format(n=_MAX_FILES))
        self._seen.add(folded)
        return name


def _shown(name: str) -> str:
    return ascii(name)[1:-1][:80]
