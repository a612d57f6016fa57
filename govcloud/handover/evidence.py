"""Keeps what was handed over: files by content in the workspace's evidence folder. Refuses secrets."""

from __future__ import annotations

import hashlib
import io
import os
import re
from pathlib import Path
from typing import BinaryIO

from govcloud.errors import InputError, OutsideError
from govcloud.model.text import Text

MAX_BYTES = 2**30
_BLOCK = 2**20
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----|PuTTY-User-Key-File-")
# A value after the word, not the word alone: a manual may say where the passwords are kept.
_PASSWORD = re.compile(r"(?i)(password|passwd|pwd|口令|密码)[\"']?\s*[:=：＝]\s*[\"']?[!-~]{4,}")


def keep_file(folder: Path, source: Path, *, accounts_only: bool = False) -> tuple[str, int]:
    """Copy the file to `folder`/<sha256> (read-only, whole or not at all). Returns digest and bytes.

    Raises InputError for a file that can't be read, is too large or holds a private key (with `accounts_only` also
    passwords in plain text), OutsideError when the copy can't be written.
    """
    try:
        with source.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > MAX_BYTES:
                raise InputError(Text("文件超过 1 GiB", "The file is larger than 1 GiB"), where=str(source))
            refuse_secrets(stream.read(_BLOCK), str(source), passwords=accounts_only)
            stream.seek(0)
            return _store(folder, stream)
    except OSError as error:
        raise InputError(
            Text("文件读不了：{why}", "The file can't be read: {why}").format(why=error.strerror or error),
            where=str(source),
            next_step=Text("检查路径和权限", "Check path and permissions"),
        ) from None


def keep_bytes(folder: Path, data: bytes) -> str:
    """Store what was read from a host. Returns its digest."""
    return _store(folder, io.BytesIO(data))[0]


def refuse_secrets(data: bytes, where: str, *, passwords: bool = False) -> None:
    """Raises InputError for private keys, and for passwords in plain text where asked to look for them."""
    key = _PRIVATE_KEY.search(data)
    password = passwords and _PASSWORD.search(data.decode("utf-8", "ignore"))
    if key or password:
        raise InputError(
            Text("含私钥，拒绝保存", "Refused: it holds a private key")
            if key
            else Text("账号清单里有口令，拒绝保存", "Refused: the list of accounts holds passwords"),
            where=where,
            next_step=Text(
                "去掉密钥和口令后重新提交；接管记录只列账号",
                "Take keys and passwords out; the record lists accounts only",
            ),
        )


def _store(folder: Path, stream: BinaryIO) -> tuple[str, int]:
    temporary = folder / f".{os.getpid()}.part"
    digest, size = hashlib.sha256(), 0
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with temporary.open("wb") as copy:
            while block := stream.read(_BLOCK):
                digest.update(block)
                size += copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        temporary.chmod(0o400)
        os.replace(temporary, folder / digest.hexdigest())  # noqa: PTH105
    except OSError as error:
        raise OutsideError(
            Text("证据存不进工作区：{why}", "The evidence can't be stored: {why}").format(why=error.strerror or error),
            where=str(folder),
            next_step=Text("检查权限和磁盘空间", "Check permissions and disk space"),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest(), size
