"""Parts of the stored inventory, looked up where they lie: an answer must not wait for 100,000 servers to be read."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, true

from govcloud.model.answers import Query, Said, Witness
from govcloud.model.ids import normalize
from govcloud.model.inventory import Conflict, Dependency, Flow, Joined, Network
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.server import Server
from govcloud.store import schema
from govcloud.store.codec import decode
from govcloud.store.inventory import (
    KINDS,
    chunks,
    read_statement,
    replaced_batches,
    statements_numbered,
)

_entity = schema.entity.c
_Name = tuple[SubjectKind, str]


class _Systems(msgspec.Struct):
    """The part of a system's body that names what it is on."""

    servers: list[str] = []
    networks: list[str] = []


_systems = msgspec.json.Decoder(_Systems)
_numbers = msgspec.json.Decoder(dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntity:
    kind: SubjectKind
    entity_id: str
    entity: Any
    evidence: Mapping[str, int]
    """Field -> number of the statement that its value was taken from."""
    members: tuple[Joined, ...]


def list_entities(tx: Connection, kind: SubjectKind, query: Query) -> tuple[list[Any], int]:
    """The entities that fit, by id, from `query.offset` on, and how many fit at all."""
    table = schema.entity
    where = and_(_entity.kind == kind, *_conditions(query))
    decoder = msgspec.json.Decoder(KINDS[kind][2])
    rows = select(_entity.body).where(where).order_by(_entity.entity_id)
    if not query.find:
        total = tx.execute(select(func.count()).select_from(table).where(where)).scalar() or 0
        wanted = rows if query.limit is None else rows.limit(query.limit).offset(query.offset)
        return [decoder.decode(body) for body in tx.execute(wanted).scalars()], total
    found: list[Any] = []
    total = 0
    wanted_text = _as_written(query.find)
    for body in tx.execute(rows).scalars():
        if _in_a_value(body, wanted_text):
            total += 1
            if query.limit is None or (total > query.offset and len(found) < query.limit):
                found.append(decoder.decode(body))
    return found, total


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.department:
        found.append(_contains(_entity.department, query.department))
    if query.find:
        # Names of fields are text of the body, too: _in_a_value looks closer.
        found.append(_contains(_entity.body, _as_written(query.find)))
    return found


def _as_written(text: str) -> str:
    return json.dumps(text.strip(), ensure_ascii=False)[1:-1].lower()


def _contains(column: Any, text: str) -> ColumnElement[bool]:
    return func.lower(column).contains(text.strip().lower(), autoescape=True)


def _in_a_value(body: str, wanted: str) -> bool:
    """Whether a JSON body holds the text, as JSON writes it and in lower case, in a value: not in a name of a field."""
    folded = body.lower()
    at = folded.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if folded[at - 1] in ":[," and (folded[end] in ",]}" or folded.startswith((".0,", ".0]", ".0}"), end)):
            return wanted not in ("null", "true", "false")
        quote = folded.find('"', end)
        while quote > 0 and folded[quote - 1] == "\\":
            quote = folded.find('"', quote + 1)
        # The quote that ends a name is followed by a colon, one that begins a string by its first letter.
        if quote >= 0 and folded[quote + 1] in ",]}":
            return True
        at = folded.find(wanted, end)
    return False


def count_servers(tx: Connection, query: Query) -> dict[str, int]:
    """How many of the servers that fit were seen, and how many nobody declared."""
    said = {"seen": '"seen":true', "undeclared": '"declared":false'}
    sums = [func.sum(case((_entity.body.contains(text), 1), else_=0)).label(name) for name, text in said.items()]
    row = tx.execute(select(*sums).where(_entity.kind == "server", *_conditions(query))).mappings().one()
    return {name: int(row[name] or 0) for name in said}


def count_departments(tx: Connection, kind: SubjectKind, query: Query) -> int:
    conditions = (_entity.kind == kind, _entity.department.is_not(None), *_conditions(query))
    return tx.execute(select(func.count(func.distinct(_entity.department))).where(*conditions)).scalar() or 0


def find_entities(tx: Connection, text: str) -> list[_Name]:
    """(kind, id) of everything whose id, name, number or address is the text, or that another id stands for."""
    wanted = normalize(text)
    found: list[_Name] = []
    rows = select(_entity.kind, _entity.entity_id, _entity.name)
    for kind, entity_id, name in tx.execute(rows):
        if _is(entity_id, wanted) or (name is not None and _is(name, wanted)):
            found.append((cast(SubjectKind, kind), entity_id))
    quoted = json.dumps(text.strip(), ensure_ascii=False)
    if _is_address(wanted):
        found += _where(tx, _entity.kind == "server", _entity.body.contains(quoted, autoescape=True), holds=wanted)
    elif not found:
        number = f'"number":{quoted}'
        found += _where(tx, _entity.kind == "project", _entity.body.contains(number, autoescape=True))
        found += _where(tx, _entity.members.contains(f'"subject_id":{quoted}', autoescape=True))
    return sorted(dict.fromkeys(found), key=lambda f: (list(KINDS).index(f[0]), f[1]))


def _is(text: str, wanted: str) -> bool:
    return (text.lower() if text.isascii() else normalize(text)) == wanted


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _where(tx: Connection, *conditions: ColumnElement[bool], holds: str | None = None) -> list[_Name]:
    rows = tx.execute(select(_entity.kind, _entity.entity_id, _entity.body).where(*conditions))
    return [
        (cast(SubjectKind, kind), entity_id)
        for kind, entity_id, body in rows
        if holds is None or holds in decode(body, Server).addresses
    ]


def load_entities(tx: Connection, kind: SubjectKind, ids: Collection[str]) -> list[StoredEntity]:
    """Sorted by id; ids that are not there are left out."""
    decoder = msgspec.json.Decoder(KINDS[kind][2])
    found = []
    for some in chunks(sorted(set(ids))):
        rows = select(schema.entity).where(_entity.kind == kind, _entity.entity_id.in_(some))
        found += [
            StoredEntity(
                kind=kind, entity_id=row.entity_id, entity=decoder.decode(row.body),
                evidence=_numbers.decode(row.evidence), members=decode(row.members, tuple[Joined, ...]),
            )
            for row in tx.execute(rows.order_by(_entity.entity_id))
        ]  # fmt: skip
    return found


def load_labels(tx: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Id -> as a person knows it: systems by id and name, the rest by name. Unknown ids are left out."""
    found = {}
    for some in chunks(sorted({i for i in ids if i})):
        rows = select(_entity.kind, _entity.entity_id, _entity.name).where(
            _entity.kind.in_([k for k in KINDS if k != "dependency"]), _entity.entity_id.in_(some)
        )
        for kind, entity_id, name in tx.execute(rows):
            if name:
                found[entity_id] = f"{entity_id} {name}" if kind == "system" else name
    return found


def systems_on(tx: Connection, part: str) -> dict[str, list[str]]:
    """Id of each server or network (`part`: servers, networks) -> the systems on it."""
    found: dict[str, list[str]] = {}
    rows = select(_entity.entity_id, _entity.body).where(_entity.kind == "system").order_by(_entity.entity_id)
    for system_id, body in tx.execute(rows):
        for other in getattr(_systems.decode(body), part):
            found.setdefault(other, []).append(system_id)
    return found


def ids_of_department(tx: Connection, department: str) -> set[str]:
    """Ids of everything whose department has the text in its name."""
    return set(tx.execute(select(_entity.entity_id).where(_contains(_entity.department, department))).scalars())


def dependencies_of(tx: Connection, system_id: str) -> list[Dependency]:
    """Those that the system needs, and those that need it."""
    ends = (f'"{end}":{json.dumps(system_id, ensure_ascii=False)}' for end in ("source_id", "target_id"))
    at_an_end = or_(*(_entity.body.contains(end, autoescape=True) for end in ends))
    rows = select(_entity.body).where(_entity.kind == "dependency", at_an_end).order_by(_entity.entity_id)
    found = (decode(body, Dependency) for body in tx.execute(rows).scalars())
    return [d for d in found if system_id in (d.source_id, d.target_id)]


def undeclared_servers(tx: Connection, query: Query) -> list[StoredEntity]:
    """Servers that no workbook mentions."""
    conditions = (_entity.kind == "server", _entity.body.contains('"declared":false'), *_conditions(query))
    return load_entities(tx, "server", list(tx.execute(select(_entity.entity_id).where(*conditions)).scalars()))


def servers_with_routes(tx: Connection) -> list[Server]:
    """Servers that told their routes or interfaces."""
    silent = and_(_entity.body.contains('"routes":[]'), _entity.body.contains('"interfaces":[]'))
    rows = select(_entity.body).where(_entity.kind == "server", ~silent).order_by(_entity.entity_id)
    return [decode(body, Server) for body in tx.execute(rows).scalars()]


def all_networks(tx: Connection) -> list[Network]:
    rows = select(_entity.body).where(_entity.kind == "network").order_by(_entity.entity_id)
    return [decode(body, Network) for body in tx.execute(rows).scalars()]


def list_conflicts(tx: Connection, query: Query) -> tuple[list[Conflict], int]:
    """The first conflicts by kind, id and field, and how many there are."""
    table = schema.conflict
    joined = table.join(
        schema.entity, (table.c.subject_kind == _entity.kind) & (table.c.subject_id == _entity.entity_id)
    )
    conditions = [true(), *_conditions(query)]
    total = tx.execute(select(func.count()).select_from(joined).where(*conditions)).scalar() or 0
    rows = select(table).select_from(joined).where(*conditions)
    rows = rows.order_by(table.c.subject_kind, table.c.subject_id, table.c.field)
    chosen = tx.execute(rows if query.limit is None else rows.limit(query.limit).offset(query.offset)).all()
    lists = [decode(row.statements, list[int]) for row in chosen]
    found = statements_numbered(tx, {number for numbers in lists for number in numbers})
    return [
        Conflict(
            subject_kind=row.subject_kind, subject_id=row.subject_id, field=row.field,
            chosen=decode(row.chosen, Value),  # type: ignore[arg-type]
            observations=tuple(found[number].observation(row.field) for number in numbers),
        )
        for row, numbers in zip(chosen, lists, strict=True)
    ], total  # fmt: skip


def list_flows(
    tx: Connection, *, server_ids: Collection[str] | None, traffic: str | None, limit: int | None
) -> tuple[list[Flow], dict[str, int]]:
    """The first flows by client, server and port, and how many there are of each traffic class."""
    table = schema.flow
    conditions: list[ColumnElement[bool]] = [true()]
    if server_ids is not None:
        ids = sorted(server_ids)[:30_000]
        conditions.append(or_(table.c.client_id.in_(ids), table.c.server_id.in_(ids)))
    if traffic is not None:
        conditions.append(table.c.traffic == traffic)
    counted = select(table.c.traffic, func.count()).where(*conditions).group_by(table.c.traffic)
    classes = {row[0]: row[1] for row in tx.execute(counted)}
    rows = select(table).where(*conditions).order_by(table.c.client_id, table.c.server_id, table.c.port)
    return [
        Flow(
            client_id=r.client_id, server_id=r.server_id, port=r.port, client_process=r.client_process,
            server_process=r.server_process, traffic=r.traffic, samples=r.samples, statement=r.statement_id,
            first_seen_at=datetime.fromisoformat(r.first_seen_at), last_seen_at=datetime.fromisoformat(r.last_seen_at),
        )
        for r in tx.execute(rows if limit is None else rows.limit(limit))
    ], classes  # fmt: skip


def load_said(tx: Connection, kind: SubjectKind, subject_ids: Collection[str]) -> list[Said]:
    """Everything that was ever said of these ids, oldest first."""
    table, batch = schema.statement, schema.import_batch
    taken_back = replaced_batches(tx)
    actors = dict(tx.execute(select(batch.c.batch_no, batch.c.actor)).all())
    found = []
    for some in chunks(sorted(set(subject_ids))):
        rows = select(table).where(table.c.subject_id.in_(some), table.c.subject_kind == kind)
        found += [
            Said(
                number=row.statement_id, batch_no=row.batch_no, actor=actors.get(row.batch_no, ""),
                statement=read_statement(tuple(row)), withdrawn=row.batch_no in taken_back,
            )
            for row in tx.execute(rows.order_by(table.c.statement_id))
        ]  # fmt: skip
    return sorted(found, key=lambda s: s.number)


def load_statements_numbered(tx: Connection, numbers: Collection[int]) -> dict[int, Statement]:
    return statements_numbered(tx, numbers)


def load_witnesses(tx: Connection, ids: Collection[str] | None = None) -> dict[str, dict[str, Witness]]:
    """Entity id -> field -> who its value was taken from, and when; of all entities, or of some."""
    told: list[tuple[str, dict[str, int]]] = []
    rows = select(_entity.entity_id, _entity.evidence).where(_entity.evidence != "{}")
    for some in [None] if ids is None else chunks(sorted(set(ids))):
        part = rows if some is None else rows.where(_entity.kind.in_(list(KINDS)), _entity.entity_id.in_(some))
        told += [(entity_id, _numbers.decode(text)) for entity_id, text in tx.execute(part)]
    table = schema.statement.c
    heads = select(table.statement_id, table.source, table.observed_at)
    needed = None if ids is None else sorted({n for _, fields in told for n in fields.values()})
    by_number: dict[int, Witness] = {}
    times: dict[str, datetime] = {}
    for numbers in [None] if needed is None else chunks(needed):
        part = heads if numbers is None else heads.where(table.statement_id.in_(numbers))
        for row in tx.execute(part):
            number, source, text = row.statement_id, row.source, row.observed_at
            at = times.get(text)
            if at is None:
                at = times[text] = datetime.fromisoformat(text)
            by_number[number] = Witness(source, at)
    return {entity_id: {f: by_number[n] for f, n in fields.items()} for entity_id, fields in told}


def entities_with_id(tx: Connection, entity_id: str) -> list[_Name]:
    rows = select(_entity.kind, _entity.entity_id).where(_entity.kind.in_(list(KINDS)), _entity.entity_id == entity_id)
    return [(cast(SubjectKind, kind), found) for kind, found in tx.execute(rows)]


def kind_of_raw_id(tx: Connection, subject_id: str) -> SubjectKind | None:
    """Of an id that some witness used for a server or a system."""
    table = schema.statement.c
    rows = select(table.subject_kind).where(
        table.subject_id == subject_id, table.subject_kind.in_(("server", "system"))
    )
    return cast("SubjectKind | None", tx.execute(rows.limit(1)).scalar())


def standing_for(tx: Connection, kind: SubjectKind, raw_id: str) -> str | None:
    """The id of the entity that a witness's id is part of."""
    rows = select(_entity.entity_id).where(_entity.kind == kind)
    direct = tx.execute(rows.where(_entity.entity_id == raw_id)).scalar()
    quoted = f'"subject_id":{json.dumps(raw_id, ensure_ascii=False)}'
    return direct or tx.execute(rows.where(_entity.members.contains(quoted, autoescape=True))).scalar()
