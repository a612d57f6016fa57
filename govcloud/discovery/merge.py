"""Observations to inventory: who is right where witnesses disagree, and what is shown as a conflict. Pure.

The result does not depend on the order of the observations, and merging twice changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from govcloud.discovery import facts, links
from govcloud.discovery.compare import NEVER_IN_CONFLICT, agree, os_family
from govcloud.discovery.identity import bridge_addresses, identifies, server_ids, system_ids
from govcloud.discovery.references import Names
from govcloud.model.ids import build_id
from govcloud.model.inventory import (
    Conflict,
    Department,
    Dependency,
    Inventory,
    Network,
    Observation,
    Project,
    Server,
    SubjectKind,
    System,
    Value,
)

T = TypeVar("T")
Facts = Mapping[str, Sequence[Observation]]

DECLARED_FIRST = ("person", "run", "workbook", "ssh")
MEASURED_FIRST = ("person", "run", "ssh", "workbook")
_SETTLED = frozenset({"person", "run"})
"""Witnesses that settle a question: a person who confirmed, a migration that was carried out and verified."""
MEASURED_FIELDS = frozenset({
    "name", "addresses", "os_name", "os_version", "kernel", "arch", "cpu_count", "memory_gib", "disk_gib", "virtual",
    "process_count", "services", "sockets", "connections", "routes",
})  # fmt: skip
"""Of servers: what a host knows better than its paperwork."""
_SETS = frozenset({"addresses", "servers", "networks", "systems", "prefixes", "contract_filed_with"})
"""Fields that grow with every witness instead of choosing between them."""
_DECODERS: Mapping[str, Callable[[str], object]] = {
    "sockets": facts.parse_socket, "connections": facts.parse_connection, "routes": facts.parse_route,
}  # fmt: skip
_TYPES: Mapping[SubjectKind, type[Any]] = {
    "department": Department, "system": System, "server": Server, "network": Network,
    "dependency": Dependency, "project": Project,
}  # fmt: skip


def build_inventory(
    observations: Iterable[Observation], precedence: Mapping[str, Sequence[str]] | None = None
) -> Inventory:
    """The merged picture. `precedence`: field (or `default`) -> kinds of witness, the most trusted first."""
    merge = _Merge(_latest(observations), precedence or {})
    return merge.build()


def _latest(observations: Iterable[Observation]) -> list[Observation]:
    """What each witness said last, place by place, in an order that is always the same."""
    newest: dict[tuple[str, ...], list[Observation]] = {}
    for o in observations:
        key = (o.subject_kind, o.subject_id, o.field, o.source, o.locator)
        kept = newest.get(key, [])
        if not kept or o.observed_at > kept[0].observed_at:
            newest[key] = [o]
        elif o.observed_at == kept[0].observed_at and o not in kept:
            kept.append(o)
    flat = (o for kept in newest.values() for o in kept)
    return sorted(flat, key=lambda o: (o.subject_kind, o.subject_id, o.field, *_order(o)))


def _order(o: Observation) -> tuple[float, str, str]:
    return (-o.observed_at.timestamp(), o.locator, repr(o.value))


class _Merge:
    def __init__(self, observations: Sequence[Observation], precedence: Mapping[str, Sequence[str]]) -> None:
        self.observations, self.precedence = observations, precedence
        self.bridges = bridge_addresses(observations)
        self.alias: dict[str, dict[str, str]] = {"server": server_ids(observations), "system": system_ids(observations)}
        self.evidence: dict[str, dict[str, Observation]] = {}
        self.conflicts: list[Conflict] = []

    def build(self) -> Inventory:
        grouped: dict[str, dict[str, dict[str, list[Observation]]]] = {kind: {} for kind in _TYPES}
        for o in self.observations:
            subject_id = self.alias.get(o.subject_kind, {}).get(o.subject_id, o.subject_id)
            grouped[o.subject_kind].setdefault(subject_id, {}).setdefault(o.field, []).append(o)
        found: dict[str, list[Any]] = {
            kind: [self._entity(kind, subject_id, grouped[kind][subject_id]) for subject_id in sorted(grouped[kind])]
            for kind in _TYPES
        }
        return self._linked(found)

    def _entity(self, kind: SubjectKind, subject_id: str, said: Facts) -> object:
        entity = _TYPES[kind]
        values: dict[str, object] = {f"{kind}_id": subject_id}
        chosen_os: str | None = None
        for field in dataclasses.fields(entity):
            heard = list(said.get(field.name, ()))
            if field.name == "os_version" and chosen_os is not None:
                heard = _about_os(heard, said.get("os_name", ()), chosen_os)
            if not heard or field.name == f"{kind}_id":
                continue
            value = self._choose(kind, subject_id, field.name, heard)
            if field.name == "os_name":
                chosen_os = os_family(value)
            values[field.name] = _typed(field.name, str(field.type), value)
        if kind in ("system", "server", "network", "project", "department"):
            values.setdefault("name", subject_id)
        if kind == "server":
            sources = {o.source for heard in said.values() for o in heard}
            values |= {"declared": bool(sources - {"ssh"}), "seen": "ssh" in sources}
        if kind == "dependency":
            values.setdefault("source_id", "")
            values.setdefault("target_id", "")
        return entity(**values)

    def _choose(self, kind: SubjectKind, subject_id: str, field: str, heard: list[Observation]) -> Value:
        ranks = self._ranks(kind, field)
        heard.sort(key=lambda o: (ranks.get(o.source, len(ranks)), o.source, *_order(o)))
        best = heard[0]
        self.evidence.setdefault(subject_id, {})[field] = best
        if field in _SETS:
            return self._union([o for o in heard if best.source not in _SETTLED or o.source in _SETTLED], field)
        against = [o for o in heard if not agree(field, best.value, o.value)]
        if against and best.source not in _SETTLED and field not in NEVER_IN_CONFLICT:
            distinct = {(o.source, o.locator, repr(o.value)): o for o in (best, *against)}
            self.conflicts.append(
                Conflict(
                    subject_kind=kind,
                    subject_id=subject_id,
                    field=field,
                    chosen=best.value,
                    observations=tuple(distinct.values()),
                )
            )
        return best.value

    def _ranks(self, kind: SubjectKind, field: str) -> dict[str, int]:
        own = MEASURED_FIRST if kind == "server" and field in MEASURED_FIELDS else DECLARED_FIRST
        order = self.precedence.get(field) or self.precedence.get("default") or own
        return {source: rank for rank, source in enumerate(order)}

    def _union(self, heard: Sequence[Observation], field: str) -> Value:
        items = {str(item) for o in heard for item in (o.value if isinstance(o.value, tuple) else (o.value,)) if item}
        if field == "addresses":
            items = {a for a in items if identifies(a) and a not in self.bridges}
        if field == "servers":
            items = {self.alias["server"].get(item, item) for item in items}
        return tuple(sorted(items))

    def _linked(self, found: Mapping[str, list[Any]]) -> Inventory:
        """Names become ids, measured connections become dependencies, addresses become membership of networks."""
        names = Names(systems=found["system"], servers=found["server"], networks=found["network"])
        systems = [
            dataclasses.replace(s, networks=tuple(sorted({names.network(n, s.department) for n in s.networks})))
            for s in found["system"]
        ]
        projects = tuple(
            dataclasses.replace(p, systems=tuple(sorted({names.system(n, p.department) for n in p.systems})))
            for p in found["project"]
        )
        peers = links.build_peer_servers(found["server"])
        for peer, witness in peers:
            self.evidence[peer.server_id] = {"addresses": self._connections_of(witness)}
        servers = sorted([*found["server"], *(peer for peer, _ in peers)], key=lambda s: s.server_id)
        networks = links.build_membership(found["network"], servers)
        systems = links.build_reach(systems, networks)
        declared = [self._named_ends(d, names) for d in found["dependency"]]
        measured = links.build_measured(servers, systems)
        dependencies = links.build_dependencies(declared, [d for d, _ in measured])
        for dependency, witness in measured:
            self.evidence.setdefault(dependency.dependency_id, {})["measured"] = self._connections_of(witness)
        kept = {d.dependency_id for d in dependencies}
        return Inventory(
            departments=_departments(found["department"], [*systems, *servers, *networks, *projects]),
            systems=tuple(systems), servers=tuple(servers), networks=tuple(networks),
            dependencies=dependencies, projects=projects,
            conflicts=tuple(sorted(self.conflicts, key=lambda c: (c.subject_kind, c.subject_id, c.field))),
            evidence={
                key: dict(sorted(self.evidence[key].items()))
                for key in sorted(self.evidence) if not key.startswith("L-") or key in kept
            },
        )  # fmt: skip

    def _named_ends(self, dependency: Dependency, names: Names) -> Dependency:
        source, target = names.end(dependency.source_id), names.end(dependency.target_id)
        dependency_id = build_id("L", source, target)
        if dependency_id != dependency.dependency_id:
            said = self.evidence.pop(dependency.dependency_id, {})
            self.evidence[dependency_id] = {**said, **self.evidence.get(dependency_id, {})}
        return dataclasses.replace(dependency, dependency_id=dependency_id, source_id=source, target_id=target)

    def _connections_of(self, server_id: str) -> Observation:
        return self.evidence[server_id]["connections"]


def _about_os(heard: list[Observation], names: Sequence[Observation], family: str) -> list[Observation]:
    """Versions of the chosen product only: `7.6` of another product says nothing about this one."""
    other = {(o.source, o.locator) for o in names if os_family(o.value) != family}
    return [o for o in heard if (o.source, o.locator) not in other]


def _typed(field: str, annotation: str, value: Value) -> object:
    if field in _DECODERS:
        return tuple(_DECODERS[field](str(line)) for line in value) if isinstance(value, tuple) else ()
    if annotation.startswith("date") and isinstance(value, str):
        return date.fromisoformat(value)
    if annotation.startswith("float") and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if annotation.startswith("tuple") and not isinstance(value, tuple):
        return (str(value),) if value else ()
    return value


def _departments(known: Sequence[Department], entities: Sequence[Any]) -> tuple[Department, ...]:
    found = {d.department_id: d for d in known}
    for name in sorted({e.department for e in entities if e.department}):
        found.setdefault(build_id("D", name), Department(department_id=build_id("D", name), name=name))
    return tuple(found[key] for key in sorted(found))
