"""Small files that must survive a crash: written beside, flushed to disk, renamed; and the list of an attempt's evidence."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from govcloud.errors import OutsideError
from govcloud.execution.masks import mask
from govcloud.model.text import Text

_WORKING = ("env", "home", "scratch")
_NOT_EVIDENCE = {"lock", "result.json", "evidence.json", "cancel", "reserve"}
_RESERVE_BYTES = 256 * 1024
_LOG_BYTES = 1 << 20
_MASKED_BYTES = 16 << 20


def write_json(path: Path, value: Any) -> None:
    """Atomic and durable. Raises OutsideError (full disk, permissions)."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True))


def write_text(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".new")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise OutsideError(
            Text("无法写入：{why}", "Can't be written: {why}").format(why=error.strerror or error),
            where=str(path),
            next_step=Text("检查磁盘空间和权限，然后继续执行", "Check disk space and permissions, then resume the run"),
        ) from error


def make_folder(path: Path) -> None:
    """With its parents, for nobody else. Raises OutsideError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutsideError(
            Text("无法建立目录：{why}", "The folder can't be made: {why}").format(why=error.strerror or error),
            where=str(path),
            next_step=Text("检查磁盘空间和权限，然后继续执行", "Check disk space and permissions, then resume the run"),
        ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> Any | None:
    """None where the file isn't there (yet)."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None


def reserve(folder: Path) -> None:
    """Keep room on the disk, so that the truth can still be written down when everything else has filled it."""
    descriptor = os.open(folder / "reserve", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, _RESERVE_BYTES)
    finally:
        os.close(descriptor)


def release(folder: Path) -> None:
    (folder / "reserve").unlink(missing_ok=True)


def has_room(folder: Path) -> bool:
    """Whether a little can be written there. Tried, not asked: quotas and limits count as well as free blocks."""
    probe = folder / "room"
    try:
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
        return False
    return True


def signs_of_life(folder: Path) -> tuple[int, int]:
    """Grows as long as somebody writes to a file of the folder: bytes in all, and the newest change in nanoseconds."""
    found = [entry.stat() for entry in os.scandir(folder) if entry.is_file()] if folder.is_dir() else []
    return sum(f.st_size for f in found), max((f.st_mtime_ns for f in found), default=0)


def seal(folder: Path) -> str:
    """List every evidence file with its SHA-256 in evidence.json, make them read-only; SHA-256 of that list.

    Working files go first: copies of the variables and caches have no business among the evidence. What Ansible recorded
    is masked before it is hashed.
    """
    for name in _WORKING:
        shutil.rmtree(folder / "private" / name, ignore_errors=True)
    listed = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and name not in _NOT_EVIDENCE:
            if name.startswith("artifacts/") or name == "supervisor.log":
                _mask_file(path)
            with path.open("rb") as stream:
                listed[name] = hashlib.file_digest(stream, "sha256").hexdigest()
            path.chmod(0o400)
    write_json(folder / "evidence.json", listed)
    return hashlib.sha256((folder / "evidence.json").read_bytes()).hexdigest()


def pack_log(text: str) -> bytes:
    """gzip of the masked log; of one that is too long the beginning and the end."""
    masked = mask(text)
    while len(packed := gzip.compress(masked.encode("utf-8", "replace"), mtime=0)) > _LOG_BYTES:
        third = len(masked) // 3
        masked = f"{masked[:third]}\n…\n{masked[-third:]}"
    return packed


def _mask_file(path: Path) -> None:
    # An attempt that was sealed already has read-only files.
    if not path.stat().st_mode & 0o200:
        return
    if path.stat().st_size > _MASKED_BYTES:
        _mask_lines(path)
        return
    text = path.read_text("utf-8", errors="surrogateescape")
    if (masked := mask(text)) != text:
        path.write_text(masked, "utf-8", errors="surrogateescape")


def _mask_lines(path: Path) -> None:
    """Of a file that is too large to be held at once."""
    masked = path.with_name(path.name + ".masked")
    with (
        path.open(encoding="utf-8", errors="surrogateescape") as lines,
        masked.open("w", encoding="utf-8", errors="surrogateescape") as kept,
    ):
        kept.writelines(mask(line) for line in lines)
    masked.replace(path)
