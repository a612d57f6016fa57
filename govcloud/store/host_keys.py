"""Host keys that a person approved. A store of our own: large known_hosts files are slow in every SSH library."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from govcloud.model.access import HostKey
from govcloud.store import schema
from govcloud.store.codec import instant


def approved_keys(tx: Connection) -> dict[tuple[str, int], tuple[HostKey, ...]]:
    """(address, port) -> approved keys."""
    found: dict[tuple[str, int], tuple[HostKey, ...]] = {}
    for row in tx.execute(select(schema.host_key)):
        key = HostKey(
            host=row.host, port=row.port, key_type=row.key_type, key_base64=row.key_base64, approved_by=row.approved_by
        )
        found[(row.host, row.port)] = (*found.get((row.host, row.port), ()), key)
    return found


def approve(tx: Connection, key: HostKey, at: datetime) -> None:
    """Record the key in place of an earlier one of the same type. The caller writes the ledger record."""
    table = schema.host_key
    tx.execute(
        delete(table).where(table.c.host == key.host, table.c.port == key.port, table.c.key_type == key.key_type)
    )
    tx.execute(
        insert(table).values(
            host=key.host, port=key.port, key_type=key.key_type, key_base64=key.key_base64,
            approved_by=key.approved_by, approved_at=instant(at),
        )
    )  # fmt: skip


def revoke(tx: Connection, host: str, port: int) -> None:
    """Forget every key of the address. The caller writes the ledger record."""
    table = schema.host_key
    tx.execute(delete(table).where(table.c.host == host, table.c.port == port))
