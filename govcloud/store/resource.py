"""What was made in clouds, recorded before it was asked for; rows are never removed."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from govcloud.model.resource import Resource
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant


def keep_resource(tx: Connection, resource: Resource) -> None:
    """Add it or store what became known of it."""
    table = schema.resource
    values = {
        "run_id": resource.run_id, "system_id": resource.system_id, "body": encode(resource),
        "deleted_at": instant(resource.deleted_at) if resource.deleted_at else None,
    }  # fmt: skip
    done = tx.execute(update(table).where(table.c.resource_id == resource.resource_id).values(**values))
    if done.rowcount == 0:
        tx.execute(insert(table).values(resource_id=resource.resource_id, **values))


def resources(tx: Connection, run_id: str | None = None, system_id: str | None = None) -> list[Resource]:
    """By id, deleted ones included."""
    table = schema.resource
    query = select(table.c.body).order_by(table.c.resource_id)
    if run_id is not None:
        query = query.where(table.c.run_id == run_id)
    if system_id is not None:
        query = query.where(table.c.system_id == system_id)
    return [decode(body, Resource) for body in tx.execute(query).scalars()]
