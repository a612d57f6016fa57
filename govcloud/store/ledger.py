"""Appends to the ledger inside the caller's transaction. The tables refuse UPDATE and DELETE by trigger."""

from __future__ import annotations

import hashlib

import rfc8785
from sqlalchemy import Connection, func, insert, select, text

from govcloud import __version__
from govcloud.model.ledger import Checkpoint, LedgerEntry, LedgerRecord
from govcloud.store import schema
from govcloud.store.codec import instant


def append(tx: Connection, entry: LedgerEntry) -> LedgerRecord:
    """Give the entry the next number, freeze it as canonical JSON (RFC 8785) and store it with its leaf hash."""
    if tx.dialect.name == "postgresql":
        # Numbers have no gaps: writers queue here instead of failing on the primary key.
        tx.execute(text("LOCK TABLE ledger IN EXCLUSIVE MODE"))
    seq = (tx.execute(select(func.max(schema.ledger.c.seq))).scalar() or 0) + 1 if size(tx) else 0
    document = {
        "seq": seq, "at": instant(entry.at), "kind": entry.kind, "phase": entry.phase, "actor": entry.actor,
        "subject_id": entry.subject_id, "project_id": entry.project_id, "plan_hash": entry.plan_hash,
        "run_id": entry.run_id, "step": entry.step, "attempt": entry.attempt,
        "tool_version": __version__, "body": dict(entry.body),
    }  # fmt: skip
    canonical = rfc8785.dumps(document)  # type: ignore[arg-type]
    record = LedgerRecord(
        seq=seq, canonical=canonical.decode(), leaf_hash=hashlib.sha256(b"\x00" + canonical).hexdigest()
    )
    tx.execute(insert(schema.ledger).values(seq=seq, canonical=record.canonical, leaf_hash=record.leaf_hash))
    return record


def size(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(schema.ledger)).scalar() or 0


def records(tx: Connection, start: int = 0) -> list[LedgerRecord]:
    """Records from `start` on, in order."""
    table = schema.ledger
    rows = tx.execute(select(table).where(table.c.seq >= start).order_by(table.c.seq))
    return [LedgerRecord(seq=r.seq, canonical=r.canonical, leaf_hash=r.leaf_hash) for r in rows]


def add_checkpoint(tx: Connection, checkpoint: Checkpoint) -> None:
    known = tx.execute(select(schema.checkpoint.c.size).where(schema.checkpoint.c.size == checkpoint.size)).scalar()
    if known is None:
        tx.execute(
            insert(schema.checkpoint).values(size=checkpoint.size, root_hash=checkpoint.root_hash, note=checkpoint.note)
        )


def checkpoints(tx: Connection) -> list[Checkpoint]:
    rows = tx.execute(select(schema.checkpoint).order_by(schema.checkpoint.c.size))
    return [Checkpoint(size=r.size, root_hash=r.root_hash, note=r.note) for r in rows]
