"""Takeovers, each as one body. The caller writes the ledger record in the same transaction."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from govcloud.model.handover import Handover
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant


def save_handover(tx: Connection, handover: Handover) -> None:
    """Store a new takeover, or the new state of a known one."""
    table = schema.handover
    changed = tx.execute(
        update(table).where(table.c.handover_id == handover.handover_id).values(body=encode(handover))
    ).rowcount
    if not changed:
        tx.execute(
            insert(table).values(
                handover_id=handover.handover_id, system_id=handover.system_id,
                created_at=instant(handover.started_at), body=encode(handover),
            )
        )  # fmt: skip


def load_handover(tx: Connection, handover_id: str) -> Handover | None:
    table = schema.handover
    body = tx.execute(select(table.c.body).where(table.c.handover_id == handover_id)).scalar()
    return None if body is None else decode(body, Handover)


def list_handovers(tx: Connection) -> list[Handover]:
    """All takeovers, oldest first."""
    table = schema.handover
    rows = tx.execute(select(table.c.body).order_by(table.c.created_at, table.c.handover_id)).scalars()
    return [decode(body, Handover) for body in rows]
