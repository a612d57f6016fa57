"""Observations (kept for ever) and the inventory merged from them (replaced as a whole)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from govcloud.model.inventory import (
    Conflict,
    Department,
    Dependency,
    Inventory,
    Network,
    Observation,
    Project,
    Server,
    System,
    Value,
)
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant

IMPORT = "import"
RUN = "run"
_REPLACED = (IMPORT, RUN)
"""Kinds of batch of which the newest of a source counts: what a file, or a migration, says now."""
"""Kind of the batches whose newest version replaces the earlier ones of the same source."""

_KINDS: dict[str, tuple[str, str, type[Any]]] = {
    "department": ("departments", "department_id", Department),
    "system": ("systems", "system_id", System),
    "server": ("servers", "server_id", Server),
    "network": ("networks", "network_id", Network),
    "dependency": ("dependencies", "dependency_id", Dependency),
    "project": ("projects", "project_id", Project),
}


def add_batch(
    tx: Connection, *, batch_id: str, kind: str, source: str, sha256: str, at: datetime, actor: str, body: object
) -> None:
    """One import or discovery: what was read, by whom, when, and its row errors (`body`)."""
    tx.execute(
        insert(schema.import_batch).values(
            batch_id=batch_id, kind=kind, source=source, sha256=sha256, at=instant(at), actor=actor, body=encode(body)
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    batch_id: str
    kind: str
    source: str
    sha256: str
    at: datetime
    actor: str
    body: Any


def current_batches(tx: Connection, kind: str) -> list[Batch]:
    """The newest batch of each source, oldest first: what a file says now, not what its earlier versions said."""
    newest: dict[str, Batch] = {}
    for row in tx.execute(
        select(schema.import_batch).where(schema.import_batch.c.kind == kind).order_by("at", "batch_id")
    ):
        newest[row.source] = Batch(
            batch_id=row.batch_id, kind=row.kind, source=row.source, sha256=row.sha256,
            at=datetime.fromisoformat(row.at), actor=row.actor, body=decode(row.body, object),
        )  # fmt: skip
    return list(newest.values())


def add_observations(tx: Connection, batch_id: str, observations: Iterable[Observation]) -> int:
    """Store them, each once a batch. Returns how many were new."""
    table = schema.observation
    rows = [
        {
            "batch_id": batch_id, "subject_kind": o.subject_kind, "subject_id": o.subject_id, "field": o.field,
            "value": encode(o.value), "source": o.source, "locator": o.locator, "observed_at": instant(o.observed_at),
        }
        for o in observations
    ]  # fmt: skip
    if not rows:
        return 0
    before = tx.exec_driver_sql("SELECT count(*) FROM observation").scalar() or 0
    if tx.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        tx.execute(pg_insert(table).on_conflict_do_nothing(), rows)
    else:
        tx.execute(insert(table).prefix_with("OR IGNORE"), rows)
    return int((tx.exec_driver_sql("SELECT count(*) FROM observation").scalar() or 0) - before)


def has_batch(tx: Connection, batch_id: str) -> bool:
    table = schema.import_batch
    return tx.execute(select(table.c.batch_id).where(table.c.batch_id == batch_id)).scalar() is not None


def count_batches(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(schema.import_batch)).scalar() or 0


def observations(tx: Connection, *, without: Collection[str] = ()) -> list[Observation]:
    """What all witnesses say now, oldest first: without what a later version of the same file, or a way back, took back.

    `without`: sources of imports to leave out, too.
    """
    table, batch = schema.observation, schema.import_batch
    current = {b.batch_id for kind in _REPLACED for b in current_batches(tx, kind) if b.source not in without}
    replaced = tx.execute(select(batch.c.batch_id).where(batch.c.kind.in_(_REPLACED))).scalars()
    withdrawn = {batch_id for batch_id in replaced if batch_id not in current}
    rows = (r for r in tx.execute(select(table).order_by(table.c.observation_id)) if r.batch_id not in withdrawn)
    return [
        Observation(
            subject_kind=r.subject_kind, subject_id=r.subject_id, field=r.field,
            value=decode(r.value, Value),  # type: ignore[arg-type]
            source=r.source, locator=r.locator, observed_at=datetime.fromisoformat(r.observed_at),
        )
        for r in rows
    ]  # fmt: skip


def replace_inventory(tx: Connection, inventory: Inventory) -> None:
    table = schema.entity
    tx.execute(delete(table))
    rows: list[dict[str, Any]] = []
    for kind, (attribute, id_field, _) in _KINDS.items():
        entities: Sequence[Any] = getattr(inventory, attribute)
        rows += [
            {
                "kind": kind, "entity_id": getattr(e, id_field), "department": getattr(e, "department", None),
                "name": getattr(e, "name", None), "body": encode(e),
            }
            for e in entities
        ]  # fmt: skip
    rows += [
        {
            "kind": "conflict",
            "entity_id": f"{c.subject_id}/{c.field}",
            "department": None,
            "name": c.field,
            "body": encode(c),
        }
        for c in inventory.conflicts
    ]
    rows += [
        {"kind": "evidence", "entity_id": subject_id, "department": None, "name": None, "body": encode(fields)}
        for subject_id, fields in inventory.evidence.items()
    ]
    if rows:
        tx.execute(insert(table), rows)


def load_inventory(tx: Connection) -> Inventory:
    """The inventory as last merged; empty before the first import."""
    table = schema.entity
    found: dict[str, list[Any]] = {kind: [] for kind in (*_KINDS, "conflict")}
    evidence: dict[str, dict[str, Observation]] = {}
    for row in tx.execute(select(table).order_by(table.c.kind, table.c.entity_id)):
        if row.kind == "evidence":
            evidence[row.entity_id] = decode(row.body, dict[str, Observation])
        else:
            found[row.kind].append(decode(row.body, Conflict if row.kind == "conflict" else _KINDS[row.kind][2]))
    return Inventory(
        **{attribute: tuple(found[kind]) for kind, (attribute, _, _) in _KINDS.items()},
        conflicts=tuple(found["conflict"]),
        evidence=evidence,
    )
