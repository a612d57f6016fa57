"""Finds a file of evidence by the digest that a record names."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govcloud.errors import IntegrityError, UsageError
from govcloud.model.text import Text
from govcloud.store import ledger as ledger_store
from govcloud.workflow.session import Session

_SHORTEST = 8
_LISTED = 50
_ATTEMPT = "evidence.json"
"""List of an attempt's files with their digests; its own digest stands in the record (execution.files.seal)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEvidence:
    sha256: str
    path: Path | None
    """None: no such file in this workspace; an imported workbook stays where it was, an attempt's files with its worker."""
    size_bytes: int | None
    records: tuple[Mapping[str, Any], ...]
    """That name it, oldest first; at most fifty."""


def find_evidence(session: Session, sha256: str) -> FoundEvidence:
    """`sha256`: hex, or its first characters (8 at least).

    Raises UsageError for what is no digest or fits several, and for one that neither a record nor a file has; IntegrityError
    when the file is not any more what it was.
    """
    wanted = sha256.strip().lower()
    if not re.fullmatch(rf"[0-9a-f]{{{_SHORTEST},64}}", wanted):
        raise UsageError(
            Text("不是 SHA-256（至少前 {n} 位十六进制）", "Not a SHA-256 (its first {n} hexadecimal digits at least)").format(n=_SHORTEST),
            where=sha256,
        )  # fmt: skip
    pattern = re.compile(rf'"({wanted}[0-9a-f]{{{64 - len(wanted)}}})"')
    full: set[str] = {wanted} if len(wanted) == 64 else set()
    records: list[Mapping[str, Any]] = []
    with session.store.read() as tx:
        for record in ledger_store.iterate(tx):
            if named := pattern.findall(record.canonical):
                full |= set(named)
                if len(records) < _LISTED:
                    records.append({**json.loads(record.canonical), "leaf_hash": record.leaf_hash})
    if len(full) != 1:
        raise UsageError(
            Text("没有以此开头的摘要", "No digest begins like this") if not full
            else Text("有几个摘要以此开头，请写全", "Several digests begin like this; write it in full"),
            where=sha256,
        )  # fmt: skip
    (digest,) = full
    path = _look(session.workspace.folder("evidence"), digest)
    if path is None and not records:
        raise UsageError(Text("没有记录或文件是这个摘要", "Neither a record nor a file has this digest"), where=sha256)
    size = _checked_size(path, digest) if path else None
    return FoundEvidence(sha256=digest, path=path, size_bytes=size, records=tuple(records))


def _look(folder: Path, digest: str) -> Path | None:
    """Takeovers keep files by digest; an attempt keeps them by name, with a list of the digests."""
    return next((p for p in _candidates(folder, digest) if p.is_file() and not p.is_symlink()), None)


def _candidates(folder: Path, digest: str) -> Iterator[Path]:
    yield from sorted(folder.glob(f"*/{digest}"))
    for listed in sorted(folder.rglob(_ATTEMPT)):
        data = listed.read_bytes()
        if hashlib.sha256(data).hexdigest() == digest:
            yield listed
        if digest.encode() in data:
            yield from (listed.parent / name for name, known in json.loads(data).items() if known == digest)


def _checked_size(path: Path, digest: str) -> int:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != digest:
        raise IntegrityError(
            Text("证据文件与记录不符：现为 {d}", "The evidence file is not what was recorded: it is {d} now").format(d=found),
            where=str(path),
            next_step=Text("从备份恢复该文件，并查明谁改动了它", "Restore it from a backup, and find out who changed it"),
        )  # fmt: skip
    return path.stat().st_size
