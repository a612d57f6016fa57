"""Waivers: kept for ever, changed once at most, when one is withdrawn. The caller writes the ledger record."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, insert, select, update

from govcloud.model.waiver import Waiver
from govcloud.store import schema
from govcloud.store.codec import decode, encode
from govcloud.store.inventory import chunks


def add_waiver(tx: Connection, waiver: Waiver) -> None:
    tx.execute(insert(schema.waiver).values(
        waiver_id=waiver.waiver_id, finding_id=waiver.finding_id, valid_until=waiver.valid_until.isoformat(),
        body=encode(waiver),
    ))  # fmt: skip


def replace_waiver(tx: Connection, waiver: Waiver) -> None:
    table = schema.waiver
    tx.execute(update(table).where(table.c.waiver_id == waiver.waiver_id).values(body=encode(waiver)))


def load_waiver(tx: Connection, waiver_id: str) -> Waiver | None:
    table = schema.waiver
    body = tx.execute(select(table.c.body).where(table.c.waiver_id == waiver_id)).scalar()
    return decode(body, Waiver) if body is not None else None


def list_waivers(tx: Connection, finding_ids: Collection[str] | None = None) -> list[Waiver]:
    """All of them, or those of some findings; the one that ends first comes first."""
    table = schema.waiver
    rows = select(table.c.body)
    parts = [rows] if finding_ids is None else [
        rows.where(table.c.finding_id.in_(some)) for some in chunks(sorted(finding_ids))
    ]  # fmt: skip
    found = [decode(body, Waiver) for part in parts for body in tx.execute(part).scalars()]
    return sorted(found, key=lambda w: (w.valid_until, w.waiver_id))
