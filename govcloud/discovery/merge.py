"""Statements to inventory: who is right where witnesses disagree, and what is shown as a conflict. Pure.

The result does not depend on the order of the statements, and merging twice changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from govcloud.discovery import flows, links
from govcloud.discovery.choose import (
    DECLARE,
    READ_AS_IS,
    SETS,
    SETTLED,
    TYPERS,
    TYPES,
    Precedence,
    build_entity,
    order_of,
    ranks,
)
from govcloud.discovery.compare import NEVER_IN_CONFLICT, agree, os_family
from govcloud.discovery.confirmed import SOURCE as PERSON
from govcloud.discovery.confirmed import build_claimed, only_persons
from govcloud.discovery.identity import Identity, server_identity, system_identity
from govcloud.discovery.references import Names
from govcloud.model.ids import build_id
from govcloud.model.inventory import Conflict, Department, Dependency, Flow, Inventory, Merged, Network
from govcloud.model.observation import Observation, Statement, SubjectKind, Value
from govcloud.model.server import Server


def build_inventory(
    statements: Sequence[Statement], precedence: Precedence | None = None, known: Collection[str] = ()
) -> Inventory:
    """The merged picture with its evidence."""
    merged = build_merged(statements, precedence, known)
    return dataclasses.replace(merged.inventory, evidence=Evidence(statements, merged.evidence))


def build_merged(
    statements: Sequence[Statement], precedence: Precedence | None = None, known: Collection[str] = ()
) -> Merged:
    """The merged picture, and which of the statements each part of it was taken from.

    `precedence`: field (or `default`) -> sources, the most trusted first. `known`: ids of servers and systems that the
    inventory shows already; they stay, whichever of a machine's ids a newer witness uses.
    """
    return _Merge(statements, precedence or {}, known).build()


class Evidence(Mapping[str, Mapping[str, Observation]]):
    """Subject id -> field -> observation, made when somebody asks."""

    def __init__(self, statements: Sequence[Statement], indexes: Mapping[str, Mapping[str, int]]) -> None:
        self._statements, self._indexes = statements, indexes

    def __getitem__(self, subject_id: str) -> Mapping[str, Observation]:
        return {field: self._statements[i].witness_of(field) for field, i in self._indexes[subject_id].items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._indexes)

    def __len__(self) -> int:
        return len(self._indexes)


class _Merge:
    def __init__(self, statements: Sequence[Statement], precedence: Precedence, known: Collection[str]) -> None:
        self.statements, self.precedence = statements, precedence
        self.evidence: dict[str, dict[str, int]] = {}
        self.conflicts: list[Conflict] = []
        self.witnesses: dict[tuple[SubjectKind, str, str], tuple[int, ...]] = {}
        self.samples: dict[str, list[int]] = {}
        """Server id -> its statements with connections."""
        self.settled: dict[str, list[int]] = {}
        """Dependency id -> what persons confirmed of it, the newest last."""
        self._ranks: dict[tuple[str, str], Mapping[str, int]] = {}
        grouped: dict[SubjectKind, dict[str, list[int]]] = {kind: {} for kind in TYPES}
        for index, statement in enumerate(statements):
            grouped[statement.subject_kind].setdefault(statement.subject_id, []).append(index)
        self.grouped = grouped
        self.identity: dict[str, Identity] = {
            "server": server_identity(self._said("server"), known), "system": system_identity(self._said("system"), known),
        }  # fmt: skip

    def _said(self, kind: SubjectKind) -> dict[str, list[Statement]]:
        return {subject: [self.statements[i] for i in indexes] for subject, indexes in self.grouped[kind].items()}

    def build(self) -> Merged:
        found: dict[str, list[Any]] = {}
        for kind in TYPES:
            alias = self.identity[kind].alias if kind in self.identity else {}
            same: dict[str, list[int]] = {}
            for subject_id, indexes in self.grouped[kind].items():
                same.setdefault(alias.get(subject_id, subject_id), []).extend(indexes)
            made = (self._entity(kind, subject_id, same[subject_id]) for subject_id in sorted(same))
            found[kind] = [entity for entity in made if entity is not None]
        return self._linked(found)

    def _entity(self, kind: SubjectKind, subject_id: str, indexes: list[int]) -> Any:
        if len(indexes) == 1 and self.statements[indexes[0]].source != PERSON:
            return self._only(kind, subject_id, indexes[0])
        values = _unnamed(kind, subject_id)
        told = [self.statements[i] for i in indexes]
        if told[0].source == PERSON and only_persons(told):
            if kind == "dependency":
                self.settled[subject_id] = sorted(indexes, key=lambda i: self.statements[i].observed_at)
            claimed = build_claimed(kind, told)
            if claimed is None:
                return None
            values |= claimed
        self.evidence[subject_id] = self._values(kind, subject_id, indexes, values)
        if kind == "server":
            # Who confirms a field does not thereby say whose the server is.
            sources = {s.source for s in told if s.source != PERSON or "department" in s.values}
            values["declared"], values["seen"] = not DECLARE.isdisjoint(sources), "ssh" in sources
        return build_entity(kind, values)

    def _only(self, kind: SubjectKind, subject_id: str, index: int) -> Any:
        """One statement is all that is known: nothing to choose. Most subjects of a large estate are like that."""
        statement = self.statements[index]
        names, treated = _treatment(kind, tuple(statement.values))
        values = {**_unnamed(kind, subject_id), **statement.values}
        for name in treated:
            values[name] = self._union([values[name]], name) if name in SETS else values[name]
            typer = TYPERS[kind][name]
            values[name] = values[name] if typer is None else typer(values[name])
        self.evidence[subject_id] = dict.fromkeys(names, index)
        if "connections" in values:
            self.samples.setdefault(subject_id, []).append(index)
        if kind == "server":
            values["declared"], values["seen"] = statement.source in DECLARE, statement.source == "ssh"
        return build_entity(kind, values)

    def _values(self, kind: SubjectKind, subject_id: str, indexes: list[int], values: dict[str, Any]) -> dict[str, int]:
        """Fill in the values of all fields; field -> the statement that each was taken from."""
        typers, statements = TYPERS[kind], self.statements
        said: dict[str, list[int]] = {}
        for index in indexes:
            for name in statements[index].values:
                if name in typers:
                    said.setdefault(name, []).append(index)
                elif name == "connections":
                    self.samples.setdefault(subject_id, []).append(index)
        chosen: dict[str, int] = {}
        for name in sorted(said):
            heard = said[name]
            if len(heard) > 1:
                heard = self._latest(name, heard)
            if name == "os_version" and "os_name" in chosen:
                heard = self._about_os(heard, said["os_name"], chosen["os_name"])
            if heard:
                value = self._choose(kind, subject_id, name, heard, chosen)
                typer = typers[name]
                values[name] = value if typer is None else typer(value)
        return chosen

    def _latest(self, name: str, indexes: Sequence[int]) -> list[int]:
        """What each witness said last, place by place."""
        newest: dict[tuple[str, str, str], list[int]] = {}
        for index in indexes:
            s = self.statements[index]
            key = (s.subject_id, s.source, s.locator(name))
            kept = newest.get(key)
            if kept is None or s.observed_at > self.statements[kept[0]].observed_at:
                newest[key] = [index]
            elif s.observed_at == self.statements[kept[0]].observed_at:
                kept.append(index)
        return [index for kept in newest.values() for index in kept]

    def _about_os(self, heard: list[int], names: Sequence[int], chosen: int) -> list[int]:
        """Versions of the chosen product only: `7.6` of another product says nothing about this one."""
        family = os_family(self.statements[chosen].values["os_name"])
        other = set()
        for index in names:
            s = self.statements[index]
            if os_family(s.values["os_name"]) != family:
                other.add((s.source, s.locator("os_name")))
        return [
            i for i in heard
            if (s := self.statements[i]).values.get("os_name") is None or os_family(s.values["os_name"]) == family
            if (s.source, s.locator("os_version")) not in other
        ]  # fmt: skip

    def _choose(
        self, kind: SubjectKind, subject_id: str, field: str, heard: list[int], chosen: dict[str, int]
    ) -> Value:
        statements = self.statements
        if len(heard) > 1:
            rank = self._rank(kind, field)
            heard = sorted(
                heard,
                key=lambda i: (
                    rank.get(statements[i].source, len(rank)), statements[i].source, order_of(statements[i], field)
                ),
            )  # fmt: skip
        best = heard[0]
        chosen[field] = best
        value = statements[best].values[field]
        settled = statements[best].source in SETTLED
        if field in SETS:
            trusted = [i for i in heard if not settled or statements[i].source in SETTLED]
            return self._union([statements[i].values[field] for i in trusted], field)
        if settled or field in NEVER_IN_CONFLICT:
            return value
        against = [i for i in heard if not agree(field, value, statements[i].values[field])]
        if against:
            told = {
                (s.source, s.locator(field), repr(s.values[field])): i for i in (best, *against) if (s := statements[i])
            }
            indexes = tuple(told.values())
            self.witnesses[(kind, subject_id, field)] = indexes
            self.conflicts.append(
                Conflict(
                    subject_kind=kind, subject_id=subject_id, field=field, chosen=value,
                    observations=tuple(statements[i].observation(field) for i in indexes),
                )
            )  # fmt: skip
        return value

    def _rank(self, kind: SubjectKind, field: str) -> Mapping[str, int]:
        known = self._ranks.get((kind, field))
        if known is None:
            known = self._ranks[(kind, field)] = ranks(self.precedence, kind, field)
        return known

    def _union(self, values: Sequence[Value], field: str) -> Value:
        items = set[str]()
        for value in values:
            items.update(map(str, filter(None, value if isinstance(value, (tuple, list)) else (value,))))
        if field == "addresses":
            items -= self.identity["server"].bridges
        if field == "servers":
            alias = self.identity["server"].alias
            items = {alias.get(item, item) for item in items}
        return tuple(sorted(items))

    def _linked(self, found: dict[str, list[Any]]) -> Merged:
        """Names become ids, measured connections become dependencies, addresses become membership of networks."""
        names = Names(systems=found["system"], servers=found["server"], networks=found["network"])
        for kind in ("server", "network"):
            found[kind] = [_with_systems(e, names) if e.systems else e for e in found[kind]]
        carried = _carried(found["server"], found["network"])
        systems = [
            dataclasses.replace(
                s, servers=tuple(sorted({*s.servers, *on})),
                networks=tuple(sorted({*over, *(names.network(n, s.department) for n in s.networks)})),
            )
            if s.networks or on or over else s
            for s in found["system"] for on, over in (carried.get(s.system_id, ((), ())),)
        ]  # fmt: skip
        projects = tuple(
            dataclasses.replace(
                p,
                systems=tuple(
                    sorted({names.system(self.identity["system"].alias.get(n, n), p.department) for n in p.systems})
                ),
                networks=tuple(sorted({names.network(n, p.department) for n in p.networks})),
            )
            for p in found["project"]
        )
        servers, traffic = self._talking(found["server"])
        networks = links.build_membership(found["network"], servers)
        systems = links.build_reach(systems, networks)
        declared = [self._named_ends(d, names) for d in found["dependency"]]
        measured = flows.build_measured(traffic, systems)
        dependencies = tuple(self._settled(d) for d in flows.build_dependencies(declared, [d for d, _ in measured]))
        for dependency, statement in measured:
            self.evidence.setdefault(dependency.dependency_id, {})["measured"] = statement
        inventory = Inventory(
            departments=_departments(found["department"], [*systems, *servers, *networks, *projects]),
            systems=tuple(systems), servers=tuple(servers), networks=tuple(networks),
            dependencies=dependencies, projects=projects, tenants=tuple(found["tenant"]),
            conflicts=tuple(sorted(self.conflicts, key=lambda c: (c.subject_kind, c.subject_id, c.field))),
        )  # fmt: skip
        return Merged(
            inventory=inventory, evidence=self.evidence, witnesses=self.witnesses, flows=traffic,
            members={**self.identity["server"].joined, **self.identity["system"].joined},
        )  # fmt: skip

    def _settled(self, dependency: Dependency) -> Dependency:
        """A dependency is put together of several rows and connections: what a person confirmed is laid over it."""
        fields = TYPERS["dependency"]
        values: dict[str, Any] = {}
        for index in self.settled.get(dependency.dependency_id, ()):
            for name in self.statements[index].values.keys() & fields.keys():
                values[name] = self.statements[index].values[name]
                self.evidence.setdefault(dependency.dependency_id, {})[name] = index
        return dataclasses.replace(dependency, **values) if values else dependency

    def _talking(self, found: Sequence[Server]) -> tuple[list[Server], tuple[Flow, ...]]:
        """All servers, with those that only show as the other end of a connection, and who talks to whom."""
        talks = [
            flows.Talk(s, [(i, self.statements[i]) for i in self.samples[s.server_id]])
            for s in found if s.server_id in self.samples
        ]  # fmt: skip
        if not talks:
            return list(found), ()
        peers = flows.build_peer_servers(talks, flows.Addresses(found))
        for peer, statement in peers:
            self.evidence[peer.server_id] = {"addresses": statement}
        servers = sorted([*found, *(peer for peer, _ in peers)], key=lambda s: s.server_id)
        return servers, flows.build_flows(talks, flows.Addresses(servers))

    def _named_ends(self, dependency: Dependency, names: Names) -> Dependency:
        alias = self.identity["system"].alias
        source, target = (names.end(alias.get(end, end)) for end in (dependency.source_id, dependency.target_id))
        dependency_id = build_id("L", source, target)
        if dependency_id != dependency.dependency_id:
            said = self.evidence.pop(dependency.dependency_id, {})
            self.evidence[dependency_id] = {**said, **self.evidence.get(dependency_id, {})}
        return dataclasses.replace(dependency, dependency_id=dependency_id, source_id=source, target_id=target)


def _unnamed(kind: SubjectKind, subject_id: str) -> dict[str, Any]:
    """What a subject has before anybody says anything of it."""
    values: dict[str, Any] = {f"{kind}_id": subject_id}
    return values | ({"source_id": "", "target_id": ""} if kind == "dependency" else {"name": subject_id})


@lru_cache(maxsize=1024)
def _treatment(kind: SubjectKind, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of a statement with these fields: those of the model, and of them those that msgspec can't read by itself."""
    known = tuple(name for name in names if name in TYPERS[kind])
    return known, tuple(
        name for name in known if name in SETS or (TYPERS[kind][name] is not None and name not in READ_AS_IS[kind])
    )


def _with_systems(entity: Any, names: Names) -> Any:
    """A server or network whose form names the systems on it: their ids."""
    return dataclasses.replace(
        entity, systems=tuple(sorted({names.system(name, entity.department) for name in entity.systems}))
    )


def _carried(servers: Sequence[Server], networks: Sequence[Network]) -> dict[str, tuple[list[str], list[str]]]:
    """System id -> the servers and the networks whose own forms name it."""
    carried: dict[str, tuple[list[str], list[str]]] = {}
    for server in servers:
        for system_id in server.systems:
            carried.setdefault(system_id, ([], []))[0].append(server.server_id)
    for network in networks:
        for system_id in network.systems:
            carried.setdefault(system_id, ([], []))[1].append(network.network_id)
    return carried


def _departments(known: Sequence[Department], entities: Sequence[Any]) -> tuple[Department, ...]:
    found = {d.department_id: d for d in known}
    for name in sorted({e.department for e in entities if e.department}):
        department_id = build_id("D", name)
        if department_id not in found:
            found[department_id] = Department(department_id=department_id, name=name)
    return tuple(found[key] for key in sorted(found))
