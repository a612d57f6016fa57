"""Statements (kept for ever) and the inventory merged from them (made again, only what changed is written)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Table, func, insert, select

from govcloud.model.inventory import (
    Conflict,
    Department,
    Dependency,
    Inventory,
    Joined,
    Network,
    Project,
    System,
    Tenant,
)
from govcloud.model.observation import Observation, Statement, SubjectKind, Value
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant

IMPORT = "import"
RUN = "run"
CONFIRM = "confirm"
_REPLACED = (IMPORT, RUN, CONFIRM)
"""Kinds of batch of which the newest of a source counts: what a file, a migration, or a person on one question says now."""
_CHUNK = 500
"""Values of one `IN (…)`: every database takes that many."""

KINDS: dict[str, tuple[str, str, type[Any]]] = {
    "department": ("departments", "department_id", Department),
    "system": ("systems", "system_id", System),
    "server": ("servers", "server_id", Server),
    "network": ("networks", "network_id", Network),
    "dependency": ("dependencies", "dependency_id", Dependency),
    "project": ("projects", "project_id", Project),
    "tenant": ("tenants", "tenant_id", Tenant),
}


class _Body(msgspec.Struct, omit_defaults=True):
    values: dict[str, Value]
    cells: dict[str, str] = {}
    unknown: dict[str, Text] = {}


_body = msgspec.json.Decoder(_Body)
_numbers = msgspec.json.Decoder(dict[str, int])
_instant = lru_cache(maxsize=1024)(datetime.fromisoformat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    batch_no: int
    batch_id: str
    kind: str
    source: str
    sha256: str
    at: datetime
    actor: str
    body: Any


def queue_writers(tx: Connection) -> None:
    """Wait until no other transaction adds to the inventory: who merges must have read what the others said.

    SQLite has one writer anyway. The lock is the ledger's, which every one of them takes in the end: no two orders, no deadlock.
    """
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("LOCK TABLE ledger IN EXCLUSIVE MODE")


def add_batch(
    tx: Connection, *, batch_id: str, kind: str, source: str, sha256: str, at: datetime, actor: str, body: object
) -> int:
    """One import or discovery: what was read, by whom, when, and its row errors (`body`). Returns its number."""
    queue_writers(tx)
    number = last_batch(tx) + 1
    tx.execute(
        insert(schema.import_batch).values(
            batch_no=number, batch_id=batch_id, kind=kind, source=source, sha256=sha256, at=instant(at), actor=actor,
            body=encode(body),
        )
    )  # fmt: skip
    return number


def last_batch(tx: Connection) -> int:
    """Number of the newest batch; 0 before the first. Numbers have no gaps."""
    return tx.execute(select(func.max(schema.import_batch.c.batch_no))).scalar() or 0


def current_batches(tx: Connection, kind: str) -> list[Batch]:
    """The newest batch of each source: what a file says now, not what its earlier versions said."""
    return list({batch.source: batch for batch in batches(tx, kind)}.values())


def batches(tx: Connection, kind: str) -> list[Batch]:
    """Every batch of a kind, oldest first."""
    table = schema.import_batch
    return [_batch(r) for r in tx.execute(select(table).where(table.c.kind == kind).order_by(table.c.batch_no))]


def _batch(row: Any) -> Batch:
    return Batch(
        batch_no=row.batch_no, batch_id=row.batch_id, kind=row.kind, source=row.source, sha256=row.sha256,
        at=datetime.fromisoformat(row.at), actor=row.actor, body=decode(row.body, object),
    )  # fmt: skip


def insert_rows(tx: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Rows as tuples in the order of the table's columns: four times faster than dictionaries."""
    if rows:
        mark = "?" if tx.dialect.paramstyle == "qmark" else "%s"
        marks = ", ".join([mark] * len(table.columns))
        names = ", ".join(f'"{c.name}"' for c in table.columns)
        tx.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))  # noqa: S608


def add_statements(tx: Connection, batch_no: int, statements: Sequence[Statement]) -> int:
    """Store them under the next numbers, in their order. Returns the first number."""
    first = (tx.execute(select(func.max(schema.statement.c.statement_id))).scalar() or 0) + 1
    encoder = msgspec.json.Encoder()
    rows = []
    for number, s in enumerate(statements, start=first):
        body: dict[str, object] = {"values": s.values, "cells": s.cells}
        if s.unknown:
            body["unknown"] = s.unknown
        rows.append((
            number, batch_no, s.subject_kind, s.subject_id, s.source, s.place, instant(s.observed_at),
            encoder.encode(body).decode(),
        ))  # fmt: skip
    insert_rows(tx, schema.statement, rows)
    return first


def load_statements(
    tx: Connection, *, without: Collection[str] = (), up_to: int | None = None, kind: SubjectKind | None = None
) -> tuple[list[int], list[Statement]]:
    """What all witnesses say now, oldest first, with the numbers: without what a later version of the same file, or a
    way back, took back.

    `without`: sources of imports to leave out, too. `up_to`: as it was after the batch of this number. `kind`: of these
    subjects only.
    """
    table = schema.statement
    withdrawn = replaced_batches(tx, without=without, up_to=up_to)
    numbers: list[int] = []
    found: list[Statement] = []
    of_kind = f" WHERE subject_kind = '{kind}'" if kind else ""
    query = f"SELECT {_columns(table)} FROM statement{of_kind} ORDER BY statement_id"  # noqa: S608
    for row in tx.exec_driver_sql(query):
        if row[1] not in withdrawn and (up_to is None or row[1] <= up_to):
            numbers.append(row[0])
            found.append(read_statement(row))
    return numbers, found


def replaced_batches(tx: Connection, *, without: Collection[str] = (), up_to: int | None = None) -> set[int]:
    """Numbers of batches that do not count (any more): see load_statements."""
    batch = schema.import_batch
    newest: dict[tuple[str, str], int] = {}
    every = []
    rows = select(batch.c.batch_no, batch.c.kind, batch.c.source).where(batch.c.kind.in_(_REPLACED))
    for number, kind, source in tx.execute(rows.order_by(batch.c.batch_no)):
        every.append(number)
        if source not in without and (up_to is None or number <= up_to):
            newest[(kind, source)] = number
    return set(every) - set(newest.values())


def statements_of(tx: Connection, subject_ids: Collection[str]) -> list[Statement]:
    """Everything that was ever said of these ids, oldest first."""
    table = schema.statement
    found = []
    for some in chunks(sorted(subject_ids)):
        query = select(table).where(table.c.subject_id.in_(some)).order_by(table.c.statement_id)
        found += [read_statement(tuple(row)) for row in tx.execute(query)]
    return found


def digests_naming(tx: Connection, subject_ids: Collection[str]) -> set[str]:
    """SHA-256 of the files and readings that ever said something of these ids."""
    table, batch = schema.statement, schema.import_batch
    found: set[str] = set()
    for some in chunks(sorted(subject_ids)):
        numbers = select(table.c.batch_no).where(table.c.subject_id.in_(some))
        found |= set(tx.execute(select(batch.c.sha256).where(batch.c.batch_no.in_(numbers))).scalars())
    return found


def statements_numbered(tx: Connection, numbers: Collection[int]) -> dict[int, Statement]:
    table = schema.statement
    found = {}
    for some in chunks(sorted(numbers)):
        for row in tx.execute(select(table).where(table.c.statement_id.in_(some))):
            found[row.statement_id] = read_statement(tuple(row))
    return found


def read_statement(row: Sequence[Any]) -> Statement:
    _, _, kind, subject_id, source, place, observed_at, text = row
    body = _body.decode(text)
    return Statement(
        subject_kind=kind, subject_id=subject_id, source=source, place=place, observed_at=_instant(observed_at),
        values=body.values, cells=body.cells, unknown=body.unknown,
    )  # fmt: skip


def _columns(table: Table) -> str:
    return ", ".join(c.name for c in table.columns)


def chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


class StoredEvidence(Mapping[str, Mapping[str, Observation]]):
    """Subject id -> field -> observation, read from the database when somebody asks: statements never change."""

    def __init__(self, engine: Engine, numbers: Mapping[str, str]) -> None:
        self._engine, self._numbers = engine, numbers

    def __getitem__(self, subject_id: str) -> Mapping[str, Observation]:
        fields = decode(self._numbers[subject_id], dict[str, int])
        with self._engine.connect() as connection:
            found = statements_numbered(connection, set(fields.values()))
        return {field: found[number].witness_of(field) for field, number in fields.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def load_inventory(tx: Connection) -> Inventory:
    """The inventory as last merged; empty before the first import."""
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    decoders: dict[str, Callable[[str], Any]] = {k: msgspec.json.Decoder(e).decode for k, (_, _, e) in KINDS.items()}
    evidence: dict[str, str] = {}
    query = "SELECT kind, entity_id, body, evidence FROM entity ORDER BY kind, entity_id"
    for kind, entity_id, body, fields in tx.exec_driver_sql(query):
        found[kind].append(decoders[kind](body))
        if fields != "{}":
            evidence[entity_id] = fields
    return Inventory(
        **{attribute: tuple(found[kind]) for kind, (attribute, _, _) in KINDS.items()},
        conflicts=load_conflicts(tx),
        evidence=StoredEvidence(tx.engine, evidence),
    )


def load_part(tx: Connection, kinds: Collection[SubjectKind]) -> Inventory:
    """Entities of some kinds as last merged, without conflicts and evidence: 100,000 servers take a second nobody may need."""
    found: dict[str, Any] = {}
    for kind in kinds:
        attribute, _, entity = KINDS[kind]
        decoder = msgspec.json.Decoder(entity)
        table = schema.entity.c
        rows = tx.execute(select(table.body).where(table.kind == kind).order_by(table.entity_id))
        found[attribute] = tuple(map(decoder.decode, rows.scalars()))
    return Inventory(**found)


def load_observations(
    tx: Connection, kind: SubjectKind, wanted: Mapping[str, Collection[str]]
) -> dict[str, dict[str, Observation]]:
    """Entity id -> field -> what its shown value was taken from. `wanted`: id -> fields; what nobody said is left out."""
    table = schema.entity.c
    found: dict[str, dict[str, Observation]] = {}
    for ids in chunks(sorted(wanted)):
        rows = tx.execute(select(table.entity_id, table.evidence).where(table.kind == kind, table.entity_id.in_(ids)))
        numbers = {
            entity_id: {f: n for f, n in _numbers.decode(text).items() if f in wanted[entity_id]}
            for entity_id, text in rows
        }
        statements = statements_numbered(tx, {n for fields in numbers.values() for n in fields.values()})
        for entity_id, fields in numbers.items():
            found[entity_id] = {f: statements[n].witness_of(f) for f, n in fields.items()}
    return found


def load_conflicts(tx: Connection) -> tuple[Conflict, ...]:
    table = schema.conflict
    rows = tx.execute(select(table).order_by(table.c.subject_kind, table.c.subject_id, table.c.field)).all()
    lists = [decode(row.statements, list[int]) for row in rows]
    found = statements_numbered(tx, {number for numbers in lists for number in numbers})
    return tuple(
        Conflict(
            subject_kind=row.subject_kind, subject_id=row.subject_id, field=row.field,
            chosen=decode(row.chosen, Value),  # type: ignore[arg-type]
            observations=tuple(found[number].observation(row.field) for number in numbers),
        )
        for row, numbers in zip(rows, lists, strict=True)
    )  # fmt: skip


def members_of(tx: Connection, kind: str, entity_id: str) -> tuple[Joined, ...]:
    """The other ids that mean the same thing, each with the rule that joined it."""
    table = schema.entity
    text = tx.execute(select(table.c.members).where(table.c.kind == kind, table.c.entity_id == entity_id)).scalar()
    return decode(text, tuple[Joined, ...]) if text else ()


def members_by_id(tx: Connection, kind: str) -> dict[str, tuple[Joined, ...]]:
    """The same for every subject of a kind that has any."""
    t = schema.entity.c
    rows = tx.execute(select(t.entity_id, t.members).where(t.kind == kind, t.members != "[]"))
    return {entity_id: decode(text, tuple[Joined, ...]) for entity_id, text in rows}


def count_entities(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(schema.entity)).scalar() or 0


def known_ids(tx: Connection) -> frozenset[str]:
    """Ids of the servers and systems that the inventory shows."""
    query = select(schema.entity.c.entity_id).where(schema.entity.c.kind.in_(("server", "system")))
    return frozenset(tx.execute(query).scalars())


def is_merged(tx: Connection) -> bool:
    """Whether there is a merged inventory, or nothing to merge."""
    if tx.execute(select(schema.entity.c.entity_id).limit(1)).first() is not None:
        return True
    return tx.execute(select(schema.statement.c.statement_id).limit(1)).first() is None
