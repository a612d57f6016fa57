"""Writes report files whole or not at all: a reader never meets half a report, a full disk never costs the old one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from govcloud.errors import OutsideError
from govcloud.model.text import Text


def save(path: Path, data: bytes) -> Path:
    """Temporary file in the same folder, fsync, rename, fsync of the folder. Raises OutsideError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)
    except OSError as error:
        raise OutsideError(
            Text("文件写不进去：{why}", "The file can't be written: {why}").format(why=error.strerror or error),
            where=str(path),
            next_step=Text(
                "检查目录权限和磁盘空间，或用 -o 换一个目录；原有文件没有改动",
                "Check the folder's permissions and the disk space, or choose another with -o; what was there is unchanged",
            ),
        ) from error
    return path


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
