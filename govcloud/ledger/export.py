"""Writes the bundle that an auditor checks with the standalone script. Layout: docs/design.md §Ledger."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from govcloud.errors import OutsideError, UsageError
from govcloud.ledger import verify
from govcloud.ledger.checkpoint import Signer
from govcloud.model.ledger import Checkpoint, LedgerRecord
from govcloud.model.text import Text


def write_bundle(
    target: Path, *, records: Iterable[LedgerRecord], checkpoints: Sequence[Checkpoint], signer: Signer
) -> None:
    """Make the folder `target` with records, leaf hashes, checkpoints, verifier, public key and signed manifest.

    The folder appears whole or not at all. Raises UsageError when it exists and is not empty, OutsideError when it
    can't be written.
    """
    check_target(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        temporary.mkdir(parents=True)
        manifest = {name: _write(temporary / name, blocks) for name, blocks in _small(checkpoints, signer)}
        with (temporary / "records.jsonl").open("wb") as lines, (temporary / "leaves.txt").open("wb") as leaves:
            for record in records:
                lines.write(record.canonical.encode() + b"\n")
                leaves.write(record.leaf_hash.encode() + b"\n")
            _sync(lines)
            _sync(leaves)
        for name in ("records.jsonl", "leaves.txt"):
            manifest[name] = _digest(temporary / name)
        listed = "".join(f"{digest} {size} {name}\n" for name, (digest, size) in sorted(manifest.items()))
        _write(temporary / verify.MANIFEST, signer.sign(f"{verify.MANIFEST_HEADER}\n{signer.name}\n{listed}").encode())
        # rename() replaces an empty folder, too, and fails if somebody filled it in the meantime.
        os.rename(temporary, target)  # noqa: PTH104
    except OSError as error:
        raise OutsideError(
            Text("导出包写不成：{why}", "The bundle can't be written: {why}").format(why=error.strerror or error),
            where=str(target),
            next_step=Text("检查路径、权限和磁盘空间后重试", "Check path, permissions and disk space, then try again"),
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_target(target: Path) -> None:
    """Raises UsageError unless the folder is missing or empty."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            Text("目标已存在且不是空目录", "The target exists and is not an empty folder"),
            where=str(target),
            next_step=Text("换一个目录", "Choose another folder"),
        )


def _small(checkpoints: Sequence[Checkpoint], signer: Signer) -> list[tuple[str, bytes]]:
    return [
        ("verify.py", Path(verify.__file__).read_bytes()),
        ("ledger.vkey", (signer.vkey + "\n").encode()),
        *((f"checkpoints/{c.size}.note", c.note.encode()) for c in checkpoints),
    ]


def _write(path: Path, data: bytes) -> tuple[str, int]:
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as stream:
        stream.write(data)
        _sync(stream)
    return hashlib.sha256(data).hexdigest(), len(data)


def _sync(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size
