"""Which observations speak of the same thing. Pure and explainable: four rules, no weights.

Servers are the same when
1. they have an address in common, and no two departments claim it under different names (departments reuse the same
   private addresses); loopback and link-local addresses, and addresses that several reached hosts report but nobody
   gave us (container bridges, floating addresses), identify nobody;
2. one of them has no address that identifies it, and exactly one other has its name.

Systems without a code are the one with a code that has their name and department.
The id is the one that was seen first, so that later witnesses never rename anything.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from govcloud.discovery.cells import fold
from govcloud.model.inventory import Observation

PROBED = "/probe/"
"""In the locator of what a host says of itself, as against the address by which we reached it."""


@dataclass
class _Raw:
    """What is known about one subject id before anything is merged."""

    names: set[str] = field(default_factory=set)
    departments: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    """Addresses from workbooks and from hosts.yaml."""
    probed: set[str] = field(default_factory=set)
    first: tuple[str, str] = ("", "")
    """Time of the first observation, and the id: the order in which ids are preferred."""


class Groups:
    """Union-find whose representative is the member that was seen first."""

    def __init__(self, order: Mapping[str, tuple[str, str]]) -> None:
        self._order = order
        self._parent = {name: name for name in order}

    def find(self, name: str) -> str:
        while self._parent[name] != name:
            self._parent[name] = self._parent[self._parent[name]]
            name = self._parent[name]
        return name

    def join(self, names: Iterable[str]) -> None:
        roots = sorted({self.find(n) for n in names}, key=self._order.__getitem__)
        for other in roots[1:]:
            self._parent[other] = roots[0]


def identifies(address: str) -> bool:
    """Whether an address can belong to one machine only."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified)


def server_ids(observations: Sequence[Observation]) -> dict[str, str]:
    """Subject id of every server observation -> id of the server."""
    raws = _raws(observations, "server")
    usable = _identifying(raws)
    groups = Groups({raw_id: raw.first for raw_id, raw in raws.items()})
    by_address: dict[str, list[str]] = {}
    for raw_id, addresses in usable.items():
        for address in addresses:
            by_address.setdefault(address, []).append(raw_id)
    for address in sorted(by_address):
        for same in _same_by_address(by_address[address], raws):
            groups.join(same)
    _join_by_name(raws, usable, groups)
    return {raw_id: groups.find(raw_id) for raw_id in raws}


def bridge_addresses(observations: Sequence[Observation]) -> frozenset[str]:
    """Addresses that several hosts report and that identify none of them."""
    raws = _raws(observations, "server")
    every = {a for raw in raws.values() for a in raw.probed | raw.given}
    return frozenset(every - set().union(*_identifying(raws).values()))


def system_ids(observations: Sequence[Observation]) -> dict[str, str]:
    """Subject id of every system observation -> id of the system."""
    raws = _raws(observations, "system")
    coded: dict[tuple[str, str], set[str]] = {}
    for raw_id, raw in raws.items():
        if not raw_id.startswith("S-"):
            for name in raw.names:
                for department in raw.departments or {""}:
                    coded.setdefault((department, name), set()).add(raw_id)
    found = {}
    for raw_id, raw in raws.items():
        keys = {(d, n) for d in raw.departments or {""} for n in raw.names}
        fitting = set().union(*(coded.get(key, set()) for key in keys)) if raw_id.startswith("S-") else set()
        found[raw_id] = fitting.pop() if len(fitting) == 1 else raw_id
    return found


def _raws(observations: Sequence[Observation], kind: str) -> dict[str, _Raw]:
    raws: dict[str, _Raw] = {}
    for o in observations:
        if o.subject_kind != kind:
            continue
        raw = raws.setdefault(o.subject_id, _Raw(first=(o.observed_at.isoformat(), o.subject_id)))
        raw.first = min(raw.first, (o.observed_at.isoformat(), o.subject_id))
        if o.field == "name":
            raw.names.add(fold(str(o.value)))
        elif o.field == "department":
            raw.departments.add(fold(str(o.value)))
        elif o.field == "addresses" and isinstance(o.value, (tuple, list)):
            (raw.probed if PROBED in o.locator else raw.given).update(str(a) for a in o.value)
    return raws


def _identifying(raws: Mapping[str, _Raw]) -> dict[str, set[str]]:
    given = set().union(*(raw.given for raw in raws.values()))
    reports: dict[str, int] = {}
    for raw in raws.values():
        for address in raw.probed:
            reports[address] = reports.get(address, 0) + 1
    return {
        raw_id: {a for a in raw.given | raw.probed if identifies(a) and (a in given or reports.get(a, 0) < 2)}
        for raw_id, raw in raws.items()
    }


def _same_by_address(members: Sequence[str], raws: Mapping[str, _Raw]) -> list[list[str]]:
    """Rule 1 for one address: groups of its claimants that are one machine."""
    claims: list[tuple[set[str], set[str], list[str]]] = []
    free = [m for m in members if not raws[m].departments]
    for member in sorted(m for m in members if raws[m].departments):
        departments, names, same = set(raws[member].departments), set(raws[member].names), [member]
        apart = []
        for claim in claims:
            if claim[0] & departments or claim[1] & names:
                departments, names, same = departments | claim[0], names | claim[1], same + claim[2]
            else:
                apart.append(claim)
        claims = [*apart, (departments, names, same)]
    if len(claims) <= 1:
        return [list(members)]
    for member in sorted(free):
        fitting = [claim for claim in claims if claim[1] & raws[member].names]
        if len(fitting) == 1:
            fitting[0][2].append(member)
    return [claim[2] for claim in claims]


def _join_by_name(raws: Mapping[str, _Raw], usable: Mapping[str, set[str]], groups: Groups) -> None:
    """Rule 2. Only a name that one other server has says who it is."""
    by_name: dict[str, list[str]] = {}
    for raw_id, raw in raws.items():
        for name in raw.names:
            by_name.setdefault(name, []).append(raw_id)
    for name in sorted(by_name):
        members = by_name[name]
        roots = {groups.find(m) for m in members}
        nameless = [m for m in members if not usable[m]]
        departments = set().union(*(raws[m].departments for m in members))
        if nameless and len(roots) == 2 and len(departments) <= 1:
            groups.join(members)
