"""The merged inventory as rows: written anew where it differs from what is stored, and the difference told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from govcloud.model.inventory import Conflict, Merged
from govcloud.model.observation import SubjectKind
from govcloud.store import schema
from govcloud.store.codec import encode, instant
from govcloud.store.inventory import KINDS, chunks, insert_rows

_PORTION = 5_000
"""Rows that are held at once: of 100,000 servers all of them would be 200 MiB."""

_Key = tuple[str, str]
_Row = tuple[str, str, str | None, str | None, str, str, str]
"""A row of the table `entity`."""


@dataclass(frozen=True, slots=True)
class EntityChange:
    kind: SubjectKind
    entity_id: str
    was: Any
    """None: added."""
    now: Any
    """None: removed."""


@dataclass(frozen=True, slots=True)
class InventoryChange:
    entities: tuple[EntityChange, ...]
    unchanged: int
    conflicts: tuple[Conflict, ...]
    """That were not there before."""


def replace_inventory(tx: Connection, merged: Merged, numbers: Sequence[int], *, write: bool = True) -> InventoryChange:
    """Write what differs from the stored inventory, and say what that was. `numbers`: of the merged statements.

    With `write` off nothing is written: a preview.
    """
    query = "SELECT kind, entity_id, body, evidence, members FROM entity"
    stored = {(kind, entity_id): hash(tuple(texts)) for kind, entity_id, *texts in tx.exec_driver_sql(query)}
    known = {tuple(row) for row in tx.execute(select(schema.conflict.c.subject_id, schema.conflict.c.field))}
    changes: list[EntityChange] = []
    total = 0
    rows = _entity_rows(merged, numbers)
    while portion := list(islice(rows, _PORTION)):
        total += len(portion)
        found = [stored.pop(row[:2], None) for row, _ in portion]
        fresh = [pair for pair, before in zip(portion, found, strict=True) if before != hash(pair[0][4:])]
        outdated = {row[:2] for (row, _), before in zip(portion, found, strict=True) if before is not None}
        changes += _exchange(tx, fresh, outdated, write)
    total += len(stored)
    changes += _remove(tx, list(stored), write)
    if write:
        _replace_conflicts(tx, merged, numbers)
        _replace_flows(tx, merged, numbers)
    return InventoryChange(
        entities=tuple(changes), unchanged=total - len(changes),
        conflicts=tuple(c for c in merged.inventory.conflicts if (c.subject_id, c.field) not in known),
    )  # fmt: skip


def _exchange(
    tx: Connection, fresh: Sequence[tuple[_Row, Any]], stored: set[_Key], write: bool
) -> Iterator[EntityChange]:
    """New rows, and rows that take the place of others; those that differ in their body are changes."""
    before = _bodies(tx, [row[:2] for row, _ in fresh if row[:2] in stored])
    if write:
        _delete(tx, list(before))
        insert_rows(tx, schema.entity, [row for row, _ in fresh])
    for row, now in fresh:
        was = before.get(row[:2])
        if was != row[4]:
            yield EntityChange(row[0], row[1], _decode(row[0], was), now)  # type: ignore[arg-type]


def _remove(tx: Connection, keys: Sequence[_Key], write: bool) -> Iterator[EntityChange]:
    before = _bodies(tx, keys)
    if write:
        _delete(tx, keys)
    for (kind, entity_id), was in before.items():
        yield EntityChange(kind, entity_id, _decode(kind, was), None)  # type: ignore[arg-type]


def _decode(kind: str, body: str | None) -> Any:
    return None if body is None else msgspec.json.decode(body, type=KINDS[kind][2])


def _bodies(tx: Connection, keys: Sequence[_Key]) -> dict[_Key, str]:
    table = schema.entity
    found = {}
    for kind, ids in _by_kind(keys):
        query = select(table.c.entity_id, table.c.body).where(table.c.kind == kind, table.c.entity_id.in_(ids))
        found.update({(kind, entity_id): body for entity_id, body in tx.execute(query)})
    return found


def _delete(tx: Connection, keys: Sequence[_Key]) -> None:
    table = schema.entity
    for kind, ids in _by_kind(keys):
        tx.execute(delete(table).where(table.c.kind == kind, table.c.entity_id.in_(ids)))


def _by_kind(keys: Sequence[_Key]) -> Iterator[tuple[str, Sequence[str]]]:
    for kind in KINDS if keys else ():
        for ids in chunks([entity_id for k, entity_id in keys if k == kind]):
            yield kind, ids


def _entity_rows(merged: Merged, numbers: Sequence[int]) -> Iterator[tuple[_Row, Any]]:
    encode_json = msgspec.json.Encoder().encode
    for kind, (attribute, id_field, _) in KINDS.items():
        for e in getattr(merged.inventory, attribute):
            entity_id = getattr(e, id_field)
            evidence = {f: numbers[index] for f, index in merged.evidence.get(entity_id, {}).items()}
            members = merged.members.get(entity_id)
            yield (
                kind, entity_id, getattr(e, "department", None), getattr(e, "name", None), encode_json(e).decode(),
                encode_json(evidence).decode(), encode_json(members).decode() if members else "[]",
            ), e  # fmt: skip


def _replace_conflicts(tx: Connection, merged: Merged, numbers: Sequence[int]) -> None:
    tx.execute(delete(schema.conflict))
    rows = []
    for c in merged.inventory.conflicts:
        indexes = merged.witnesses[(c.subject_kind, c.subject_id, c.field)]
        rows.append((
            c.subject_kind, c.subject_id, c.field, encode(c.chosen), encode([numbers[i] for i in indexes]),
        ))  # fmt: skip
    insert_rows(tx, schema.conflict, rows)


def _replace_flows(tx: Connection, merged: Merged, numbers: Sequence[int]) -> None:
    rows = sorted(
        (
            f.client_id, f.server_id, f.port, f.client_process, f.server_process, f.traffic,
            instant(f.first_seen_at), instant(f.last_seen_at), f.samples, numbers[f.statement],
        )
        for f in merged.flows
    )  # fmt: skip
    query = f"SELECT {', '.join(c.name for c in schema.flow.columns)} FROM flow ORDER BY client_id, server_id, port"  # noqa: S608
    stored = tx.exec_driver_sql(query)
    if [tuple(row) for row in stored] != rows:
        tx.execute(delete(schema.flow))
        insert_rows(tx, schema.flow, rows)
