"""Small files that must survive a crash: written beside, flushed to disk, renamed; and the list of an attempt's evidence."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from govcloud.errors import OutsideError
from govcloud.model.text import Text

_WORKING = ("env", "home", "scratch")
_NOT_EVIDENCE = {"lock", "result.json", "evidence.json"}


def write_json(path: Path, value: Any) -> None:
    """Atomic and durable. Raises OutsideError (full disk, permissions)."""
    temporary = path.with_name(path.name + ".new")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            json.dump(value, stream, ensure_ascii=False, indent=1, sort_keys=True)
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


def seal(folder: Path) -> str:
    """List every evidence file with its SHA-256 in evidence.json, make them read-only; SHA-256 of that list.

    Working files go first: copies of the variables and caches have no business among the evidence.
    """
    for name in _WORKING:
        shutil.rmtree(folder / "private" / name, ignore_errors=True)
    listed = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and name not in _NOT_EVIDENCE:
            with path.open("rb") as stream:
                listed[name] = hashlib.file_digest(stream, "sha256").hexdigest()
            path.chmod(0o400)
    write_json(folder / "evidence.json", listed)
    return hashlib.sha256((folder / "evidence.json").read_bytes()).hexdigest()
