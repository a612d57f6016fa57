"""Snapshots: a name for what all witnesses had said up to a batch, with the digest of the inventory of that day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, insert, select

from govcloud.model.answers import Snapshot
from govcloud.model.inventory import Inventory
from govcloud.store import schema
from govcloud.store.codec import instant
from govcloud.store.inventory import KINDS


def add_snapshot(tx: Connection, snapshot: Snapshot) -> None:
    """The caller writes the ledger record."""
    tx.execute(
        insert(schema.snapshot).values(
            label=snapshot.label, batch_no=snapshot.batch_no, at=instant(snapshot.at), actor=snapshot.actor,
            sha256=snapshot.sha256,
        )
    )  # fmt: skip


def list_snapshots(tx: Connection) -> list[Snapshot]:
    """Oldest first."""
    table = schema.snapshot
    return [
        Snapshot(label=r.label, batch_no=r.batch_no, at=datetime.fromisoformat(r.at), actor=r.actor, sha256=r.sha256)
        for r in tx.execute(select(table).order_by(table.c.at, table.c.label))
    ]


def last_batch_before(tx: Connection, at: datetime) -> int:
    """Number of the last batch before the instant; 0 where there was none."""
    table = schema.import_batch
    return tx.execute(select(func.max(table.c.batch_no)).where(table.c.at < instant(at))).scalar() or 0


def batch_time(tx: Connection, batch_no: int) -> datetime | None:
    table = schema.import_batch
    text = tx.execute(select(table.c.at).where(table.c.batch_no == batch_no)).scalar()
    return datetime.fromisoformat(text) if text else None


def stored_digest(tx: Connection) -> str:
    """SHA-256 over the entities as they are stored: kind, id and body of each, in the order of kinds and ids."""
    query = "SELECT kind, entity_id, body FROM entity"
    return _digest(sorted(tx.exec_driver_sql(query)))


def inventory_digest(inventory: Inventory) -> str:
    """The same digest of an inventory that was merged again."""
    encode = msgspec.json.Encoder().encode
    return _digest(
        sorted(
            (kind, getattr(entity, id_field), encode(entity).decode())
            for kind, (attribute, id_field, _) in KINDS.items()
            for entity in getattr(inventory, attribute)
        )
    )


def _digest(rows: Iterable[tuple[str, str, str]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update("\x1f".join(row).encode() + b"\n")
    return digest.hexdigest()
