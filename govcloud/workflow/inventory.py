"""The merged inventory, looked up: as a whole for the verbs that judge it, in parts for people who ask."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from govcloud.discovery.explain import build_field_answers, build_history
from govcloud.discovery.links import build_network_evidence
from govcloud.discovery.stale import count_stale
from govcloud.errors import UsageError
from govcloud.model.answers import ConflictPage, FlowPage, Page, Query, Said, SubjectAnswer
from govcloud.model.inventory import Flow, Inventory, Traffic
from govcloud.model.network_evidence import NetworkEvidence
from govcloud.model.observation import Observation, SubjectKind
from govcloud.model.text import Text
from govcloud.store import inventory as inventory_store
from govcloud.store import listing
from govcloud.store.listing import StoredEntity
from govcloud.workflow.confirm import count_contradicted
from govcloud.workflow.session import Session
from govcloud.workflow.statements import merge_inventory, site_precedence

_REFERRING = ("servers", "networks", "systems")
_ENDS = ("source_id", "target_id")


def read_inventory(session: Session) -> Inventory:
    """The inventory as last merged; empty before the first import."""
    _ready(session)
    with session.store.read() as tx:
        return inventory_store.load_inventory(tx)


def _ready(session: Session) -> None:
    """A database that an earlier version wrote has statements but no inventory yet."""
    with session.store.read() as tx:
        if inventory_store.is_merged(tx):
            return
    with session.store.begin() as tx:
        merge_inventory(session, tx)


def list_page(session: Session, kind: SubjectKind, query: Query) -> Page:
    """The first entities of a kind that fit the query, with what their rows name."""
    _ready(session)
    with session.store.read() as tx:
        if kind == "dependency":
            return _dependencies(tx, query)
        entities, total = listing.list_entities(tx, kind, query)
        ids = [getattr(e, f"{kind}_id") for e in entities]
        on = {"server": "servers", "network": "networks"}.get(kind)
        carried = listing.systems_on(tx, on) if on else {}
        counts = {"departments": listing.count_departments(tx, kind, query)}
        if kind == "server":
            counts |= listing.count_servers(tx, query)
        return Page(
            entities=tuple(entities), total=total, labels=listing.load_labels(tx, _referred(entities)),
            beside={i: tuple(carried[i]) for i in ids if i in carried},
            stale=_stale(session, tx, ids if query.limit is not None else None), counts=counts,
        )  # fmt: skip


def page_of(
    session: Session, tx: Connection, kind: SubjectKind, entities: Sequence[Any], total: int,
    beside: Mapping[str, Sequence[str]], counts: Mapping[str, int],
) -> Page:  # fmt: skip
    """Some entities of a kind, with what their rows name. `beside`: id of a server or network -> systems on it."""
    ids = [getattr(e, f"{kind}_id") for e in entities]
    return Page(
        entities=tuple(entities), total=total, labels=listing.load_labels(tx, _referred(entities)),
        beside={i: tuple(on) for i, on in beside.items()}, stale=_stale(session, tx, ids), counts=counts,
    )  # fmt: skip


def _dependencies(tx: Connection, query: Query) -> Page:
    """They belong to the departments of both their ends."""
    wanted = listing.ids_of_department(tx, query.department) if query.department else None
    narrowed = replace(query, department=None, limit=query.limit if wanted is None else None)
    entities, total = listing.list_entities(tx, "dependency", narrowed)
    if wanted is not None:
        entities = [d for d in entities if d.source_id in wanted or d.target_id in wanted]
        total = len(entities)
        entities = entities[: query.limit]
    declared = {e.entity_id for e in listing.load_entities(tx, "dependency", [d.dependency_id for d in entities])
                if "source_id" in e.evidence}  # fmt: skip
    return Page(
        entities=tuple(entities), total=total, labels=listing.load_labels(tx, _referred(entities)),
        beside=dict.fromkeys(declared, ("declared",)),
    )  # fmt: skip


def _referred(entities: Iterable[Any]) -> set[str]:
    """Ids of other things that the entities name."""
    found = set[str]()
    for entity in entities:
        for name in _REFERRING:
            found.update(getattr(entity, name, ()))
        for name in _ENDS:
            if end := getattr(entity, name, None):
                found.add(end)
    return found


def _stale(session: Session, tx: Connection, ids: Collection[str] | None) -> dict[str, int]:
    now, days = session.now(), session.workspace.settings.stale_days
    counted = {i: count_stale(fields, now, days) for i, fields in listing.load_witnesses(tx, ids).items()}
    return {i: n for i, n in counted.items() if n}


def list_conflicts(session: Session, query: Query) -> ConflictPage:
    _ready(session)
    with session.store.read() as tx:
        conflicts, total = listing.list_conflicts(tx, query)
        labels = listing.load_labels(tx, [c.subject_id for c in conflicts])
        ends = listing.load_entities(tx, "dependency", [c.subject_id for c in conflicts if c.subject_id not in labels])
        labels |= _named_ends(tx, ends)
    return ConflictPage(
        conflicts=tuple(conflicts),
        total=total,
        labels=labels,
        contradicted=count_contradicted(session, query.department),
    )


def _named_ends(tx: Connection, dependencies: Collection[StoredEntity]) -> dict[str, str]:
    labels = listing.load_labels(tx, _referred(d.entity for d in dependencies))
    return {
        d.entity_id: " → ".join(labels.get(end, end) for end in (d.entity.source_id, d.entity.target_id))
        for d in dependencies
    }


def list_flows(session: Session, subject: str | None, traffic: Traffic | None, limit: int | None) -> FlowPage:
    """Measured traffic of all servers, of one, or of a system's. Raises UsageError for an unknown subject."""
    _ready(session)
    with session.store.read() as tx:
        wanted = None if subject is None else _servers_of(find_subjects(tx, subject))
        flows, classes = listing.list_flows(tx, server_ids=wanted, traffic=traffic, limit=limit)
        return _flow_page(tx, flows, classes)


def _flow_page(tx: Connection, flows: Collection[Flow], classes: dict[str, int]) -> FlowPage:
    ids = {i for f in flows for i in (f.client_id, f.server_id)}
    carried = listing.systems_on(tx, "servers") if flows else {}
    systems = {i: tuple(carried[i]) for i in ids if i in carried}
    labels = listing.load_labels(tx, {*ids, *(s for on in systems.values() for s in on)})
    return FlowPage(flows=tuple(flows), total=sum(classes.values()), labels=labels, systems=systems, classes=classes)


def _servers_of(subjects: Collection[StoredEntity]) -> set[str]:
    own = {s.entity_id for s in subjects if s.kind == "server"}
    return own.union(*(s.entity.servers for s in subjects if s.kind in ("system", "network")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeclared:
    """What nobody declared: servers, and networks that hosts show."""

    page: Page
    traces: tuple[NetworkEvidence, ...]
    inventory: Inventory
    """All networks, and the servers that told their routes or sit on a dedicated network: what the traces speak of."""


def list_undeclared(session: Session, query: Query) -> Undeclared:
    _ready(session)
    with session.store.read() as tx:
        found = listing.undeclared_servers(tx, query)
        shown = found if query.limit is None else found[: query.limit]
        page = _with_peers(tx, shown, len(found))
        networks = listing.all_networks(tx)
        servers = {s.server_id: s for s in listing.servers_with_routes(tx)}
        dedicated = {i for n in networks if n.kind == "dedicated" for i in n.servers} - servers.keys()
        servers |= {s.entity_id: s.entity for s in listing.load_entities(tx, "server", dedicated)}
        ordered = tuple(servers[i] for i in sorted(servers))
        traces = tuple(e for e in build_network_evidence(networks, ordered) if e.undeclared)
        evidence = _observed(tx, {e.server_id for e in traces}, ("interfaces", "routes", "addresses"))
    inventory = Inventory(servers=ordered, networks=tuple(networks), evidence=evidence)
    return Undeclared(page=page, traces=traces, inventory=inventory)


def _observed(tx: Connection, ids: Collection[str], fields: Collection[str]) -> dict[str, dict[str, Observation]]:
    """Server id -> field -> the observation behind it, of some servers and fields, in few queries."""
    numbers = {s.entity_id: {f: n for f, n in s.evidence.items() if f in fields}
               for s in listing.load_entities(tx, "server", ids)}  # fmt: skip
    statements = listing.load_statements_numbered(tx, {n for own in numbers.values() for n in own.values()})
    return {i: {f: statements[n].witness_of(f) for f, n in own.items()} for i, own in numbers.items()}


def _with_peers(tx: Connection, servers: Collection[StoredEntity], total: int) -> Page:
    """`beside`: server id -> lines `client > server > port`; `labels` also hold the place that each was met in."""
    ids = {s.entity_id for s in servers}
    flows = []
    for some in inventory_store.chunks(sorted(ids)):
        flows += listing.list_flows(tx, server_ids=some, traffic=None, limit=None)[0]
    unique = {(f.client_id, f.server_id, f.port) for f in flows}
    labels = listing.load_labels(tx, {i for client, server, _ in unique for i in (client, server)} | ids)
    talks: dict[str, list[str]] = {}
    for client, server, port in sorted(unique):
        line = f"{labels.get(client, client)} → {labels.get(server, server)}:{port}"
        for end in {client, server} & ids:
            talks.setdefault(end, []).append(line)
    numbers = {s.entity_id: s.evidence.get("addresses") or s.evidence.get("name") for s in servers}
    statements = listing.load_statements_numbered(tx, {n for n in numbers.values() if n})
    places = {f"where:{i}": statements[n].witness_of("addresses").locator if "addresses" in statements[n].values
              else statements[n].place for i, n in numbers.items() if n in statements}  # fmt: skip
    return Page(
        entities=tuple(s.entity for s in servers), total=total, labels={**labels, **places},
        beside={i: tuple(lines) for i, lines in talks.items()},
    )  # fmt: skip


def find_subjects(tx: Connection, text: str) -> list[StoredEntity]:
    """Everything whose id, name, number or address is the text. Raises UsageError for nothing."""
    named = listing.find_entities(tx, text)
    if not named:
        raise UsageError(
            Text("清单里没有这个编号、名称或地址", "The inventory has no such id, name or address"),
            where=text,
            next_step=Text(
                "用 govcloud inventory systems 或 servers 查看", "See govcloud inventory systems, or servers"
            ),
        )
    return [listing.load_entities(tx, kind, [entity_id])[0] for kind, entity_id in named]


def explain_subjects(session: Session, text: str, *, history: bool = False) -> tuple[SubjectAnswer, ...]:
    """Everything that is known of what the text names, with its witnesses. Raises UsageError for nothing."""
    _ready(session)
    with session.store.read() as tx:
        return tuple(_explained(session, tx, found, history) for found in find_subjects(tx, text))


def explain_subject(session: Session, kind: SubjectKind, subject_id: str) -> SubjectAnswer | None:
    """Everything that is known of one, with its history; None where the inventory has no such id."""
    _ready(session)
    with session.store.read() as tx:
        found = listing.load_entities(tx, kind, [subject_id])
        return _explained(session, tx, found[0], True) if found else None


def _explained(session: Session, tx: Connection, found: StoredEntity, history: bool) -> SubjectAnswer:
    said = _said_of(tx, found)
    by_number = listing.load_statements_numbered(tx, set(found.evidence.values()))
    shown = {f: by_number[n].witness_of(f) for f, n in found.evidence.items()}
    settings = session.workspace.settings
    fields = build_field_answers(
        found.kind, found.entity, shown=shown, said=said, precedence=site_precedence(session), now=session.now(),
        stale_days=settings.stale_days,
    )  # fmt: skip
    flows: list[Flow] = []
    if servers := _servers_of([found]) if found.kind in ("server", "system") else set():
        flows, _ = listing.list_flows(tx, server_ids=servers, traffic=None, limit=None)
    labels = listing.load_labels(tx, _referred([found.entity]) | {i for f in flows for i in (f.client_id, f.server_id)})
    return SubjectAnswer(
        kind=found.kind, subject_id=found.entity_id, entity=found.entity, fields=fields, joined=found.members,
        flows=tuple(flows), labels=labels, history=build_history(said) if history else (),
    )  # fmt: skip


def _said_of(tx: Connection, found: StoredEntity) -> list[Said]:
    """Of all ids that the subject has. Rows of dependencies have ids of their own: their evidence tells which."""
    ids = {found.entity_id, *(m.subject_id for m in found.members), *(m.with_id for m in found.members)}
    if found.kind == "dependency":
        numbered = listing.load_statements_numbered(tx, set(found.evidence.values()))
        ids |= {s.subject_id for s in numbered.values() if s.subject_kind == "dependency"}
    return listing.load_said(tx, found.kind, ids)
