"""Appends to the ledger inside the caller's transaction. The tables refuse UPDATE and DELETE by trigger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import rfc8785
from sqlalchemy import Connection, func, insert, select, text

from govcloud import __version__
from govcloud.model.account import Acting
from govcloud.model.ledger import Checkpoint, LedgerEntry, LedgerRecord
from govcloud.store import schema
from govcloud.store.codec import instant
from govcloud.store.engine import ACTING

_BATCH = 1000


def append(tx: Connection, entry: LedgerEntry) -> LedgerRecord:
    """Give the entry the next number, freeze it as canonical JSON (RFC 8785) and store it with its leaf hash.

    Raises ValueError for a body with floats (they are written differently by different languages), with integers
    beyond 2^53-1 or with values that are no JSON: a defect of the caller.
    """
    return append_all(tx, [entry])[0]


def append_all(tx: Connection, entries: Sequence[LedgerEntry]) -> list[LedgerRecord]:
    """The same for many entries, in their order."""
    if tx.dialect.name == "postgresql":
        # Numbers have no gaps: writers queue here instead of failing on the primary key.
        tx.execute(text("LOCK TABLE ledger IN EXCLUSIVE MODE"))
    acting: Acting | None = tx.info.get(ACTING)
    made = [_record(seq, _by(entry, acting)) for seq, entry in enumerate(entries, start=size(tx))]
    if made:
        rows = [{"seq": r.seq, "canonical": r.canonical, "leaf_hash": r.leaf_hash} for r in made]
        tx.execute(insert(schema.ledger), rows)
    return made


def _by(entry: LedgerEntry, acting: Acting | None) -> LedgerEntry:
    """With what the session knows of the actor. Another name than the session's is somebody that only the caller knows."""
    if acting is None or entry.actor != acting.name or entry.identity is not None:
        return entry
    return replace(entry, unit=entry.unit or acting.unit, role=entry.role or acting.role, identity=acting.identity)


def _record(seq: int, entry: LedgerEntry) -> LedgerRecord:
    document = {
        "seq": seq, "at": instant(entry.at), "kind": entry.kind, "phase": entry.phase, "actor": entry.actor,
        "subject_id": entry.subject_id, "project_id": entry.project_id, "plan_hash": entry.plan_hash,
        "run_id": entry.run_id, "step": entry.step, "attempt": entry.attempt,
        "unit": entry.unit or "", "role": entry.role or "", "identity": entry.identity or "",
        "concerns": list(entry.concerns), "evidence": list(entry.evidence), "tool_version": __version__, "body": dict(entry.body),
    }  # fmt: skip
    _refuse_floats(document)
    canonical = rfc8785.dumps(document)  # type: ignore[arg-type]
    leaf_hash = hashlib.sha256(b"\x00" + canonical).hexdigest()
    return LedgerRecord(seq=seq, canonical=canonical.decode(), leaf_hash=leaf_hash)


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise ValueError(f"a ledger body may not hold the float {value}: write it as a string")
    if isinstance(value, dict):
        for part in value.values():
            _refuse_floats(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _refuse_floats(part)


def size(tx: Connection) -> int:
    """How many records there are: the next number (from the primary key's end, not by counting)."""
    last = tx.execute(select(func.max(schema.ledger.c.seq))).scalar()
    return 0 if last is None else int(last) + 1


def records(tx: Connection, start: int = 0) -> list[LedgerRecord]:
    """Records from `start` on, in order."""
    return list(iterate(tx, start))


def iterate(tx: Connection, start: int | None = None, *, newest_first: bool = False) -> Iterator[LedgerRecord]:
    """Records from `start` on, read in batches: a long ledger does not fill the memory.

    Without `start` really all of them, also one with an impossible number that somebody forged.
    """
    table = schema.ledger
    order = table.c.seq.desc() if newest_first else table.c.seq
    query = select(table).order_by(order)
    if start is not None:
        query = query.where(table.c.seq >= start)
    for row in tx.execute(query, execution_options={"yield_per": _BATCH}):
        yield LedgerRecord(seq=row.seq, canonical=row.canonical, leaf_hash=row.leaf_hash)


def leaf_hashes(tx: Connection) -> list[bytes]:
    """All leaf hashes in order, 32 bytes each."""
    table = schema.ledger
    return [bytes.fromhex(value) for value in tx.execute(select(table.c.leaf_hash).order_by(table.c.seq)).scalars()]


def add_checkpoint(tx: Connection, checkpoint: Checkpoint) -> None:
    known = tx.execute(select(schema.checkpoint.c.size).where(schema.checkpoint.c.size == checkpoint.size)).scalar()
    if known is None:
        tx.execute(
            insert(schema.checkpoint).values(size=checkpoint.size, root_hash=checkpoint.root_hash, note=checkpoint.note)
        )


def checkpoints(tx: Connection) -> list[Checkpoint]:
    rows = tx.execute(select(schema.checkpoint).order_by(schema.checkpoint.c.size))
    return [Checkpoint(size=r.size, root_hash=r.root_hash, note=r.note) for r in rows]
