"""Which statements speak of the same thing. Pure and explainable: rules in a fixed order, no weights.

What a person settled comes first: `same-as` joins whatever else is said, `not-same-as` keeps apart whatever else is shared.
Then servers are the same when they have in common
1. their UUID (in either byte order of its first three fields: SMBIOS 2.6 changed it, and hypervisors differ);
2. their serial number;
3. the address of a network card;
4. an IP address in one zone, unless two departments claim it under different names (departments reuse the same private
   addresses); loopback and link-local addresses, and addresses that several reached hosts report but nobody gave us
   (container bridges, floating addresses), identify nobody;
5. their name, where one of them has nothing better and exactly one other has it.
Two that state different UUIDs are never the same, whatever else they share: addresses are used again.

Systems without a code are the one with a code that has their name and department.
The id is the one that the inventory shows already, else the one that was seen first: later witnesses never rename anything.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from govcloud.discovery.cells import fold
from govcloud.discovery.confirmed import Pair, known_as, only_persons, read_corrections
from govcloud.model.inventory import Joined
from govcloud.model.observation import Statement

PROBED = "/probe/"
"""In the locator of what a host says of itself, as against the address by which we reached it."""
_UNSPECIFIC_FIRST = frozenset({"0", "127", "169", *(str(n) for n in range(224, 256))})
_NO_SERIAL = re.compile(
    r"(none|n/?a|null|empty|invalid|unknown|default.*|tobefilled.*|o\.?e\.?m\.?|(system|chassis|board)?serial(number|no\.?)?|"
    r"not(specified|available|applicable|present|provided|set|settable).*|[0.\-x]*|\d{1,3}|0?123456789(0|abcdef)?)"
)
"""What stands for a serial number that nobody set; without white space, as it is compared."""
_NO_UUIDS = frozenset({"03000200-0400-0500-0006-000700080009"})
"""What boards print whose maker did not set one."""
_SHARED_MACS = ("02:42:", "00:00:5e:", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")
"""Container bridges, VRRP, and no address at all."""

Rule = Literal["person", "uuid", "serial", "mac", "address", "name", "code"]


@dataclass(slots=True)
class _Raw:
    """What is known about one subject id before anything is merged."""

    names: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    uuids: frozenset[str] = frozenset()
    serials: frozenset[str] = frozenset()
    macs: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    """Addresses from workbooks and from hosts.yaml."""
    probed: frozenset[str] = frozenset()
    first: tuple[object, ...] = ()
    """The order in which ids are preferred: that the inventory has it already, the time of the first statement, the id."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Ids that differ from the one they stand for, why they do, and addresses that identify nobody."""

    alias: Mapping[str, str] = field(default_factory=dict)
    joined: Mapping[str, tuple[Joined, ...]] = field(default_factory=dict)
    """Id that stands for several -> the others."""
    bridges: frozenset[str] = frozenset()


class Groups:
    """Union-find whose representative is the member that was seen first; keeps why each was joined."""

    def __init__(self, raws: Mapping[str, _Raw], apart: Iterable[Pair] = ()) -> None:
        self._apart: dict[str, set[str]] = {}
        """Representative -> ids that a person keeps out of its group."""
        for one, two in apart:
            self._apart.setdefault(one, set()).add(two)
            self._apart.setdefault(two, set()).add(one)
        self._order = {raw_id: raw.first for raw_id, raw in raws.items()}
        self._parent: dict[str, str] = {}
        self._uuids = {raw_id: set(raw.uuids) for raw_id, raw in raws.items() if raw.uuids}
        self._why: list[Joined] = []

    def find(self, name: str) -> str:
        parent = self._parent
        while name in parent:
            if parent[name] in parent:
                parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    def join(self, names: Iterable[str], rule: Rule, value: str) -> None:
        first, *others = sorted(dict.fromkeys(names), key=self._order.__getitem__)
        for other in others:
            roots = sorted({self.find(first), self.find(other)}, key=self._order.__getitem__)
            if len(roots) == 1:
                continue
            one, two = (self._uuids.get(root, set()) for root in roots)
            if one and two and not one & two and rule != "person":
                continue
            if any(self.find(out) == roots[1] for out in self._apart.get(roots[0], ())):
                continue
            self._parent[roots[1]] = roots[0]
            if two:
                self._uuids[roots[0]] = one | two
            if kept_out := self._apart.get(roots[1]):
                self._apart[roots[0]] = self._apart.get(roots[0], set()) | kept_out
            self._why.append(Joined(subject_id=other, rule=rule, value=value, with_id=first))

    def identity(self, bridges: frozenset[str] = frozenset()) -> Identity:
        alias = {name: self.find(name) for name in self._parent}
        joined: dict[str, list[Joined]] = {}
        for why in self._why:
            joined.setdefault(self.find(why.subject_id), []).append(why)
        return Identity(alias, {root: tuple(reasons) for root, reasons in joined.items()}, bridges)


@lru_cache(maxsize=1 << 16)
def _identifies_slowly(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified)


_PLAIN = re.compile(r"(\d{1,3})\.\d{1,3}\.\d{1,3}\.\d{1,3}")


def identifies(address: str) -> bool:
    """Whether an address can belong to one machine only."""
    found = _PLAIN.fullmatch(address)
    if found is None or found[1] in _UNSPECIFIC_FIRST:
        return _identifies_slowly(address)
    return True


def server_identity(said: Mapping[str, Sequence[Statement]], known: Collection[str] = ()) -> Identity:
    """`said`: subject id of servers -> its statements. `known`: ids that the inventory shows already, which keep."""
    raws = _raws(said, known)
    same, apart = read_corrections(said)
    groups = Groups(raws, apart)
    for pair in same:
        groups.join(pair, "person", " = ".join(pair))
    for rule, keys in (("uuid", _uuid_keys), ("serial", _serial_keys), ("mac", _mac_keys)):
        for value, members in _index(raws, keys).items():
            groups.join(members, rule, value)  # type: ignore[arg-type]
    usable, bridges = _usable_addresses(raws)
    by_address: dict[str, list[str]] = {}
    for raw_id, addresses in usable.items():
        for address in addresses:
            by_address.setdefault(address, []).append(raw_id)
    for address in sorted(a for a, members in by_address.items() if len(members) > 1):
        for alike in _same_by_address(by_address[address], raws):
            groups.join(alike, "address", address)
    _join_by_name(raws, usable, groups)
    _adopt(said, raws, usable, groups)
    return groups.identity(bridges)


def system_identity(said: Mapping[str, Sequence[Statement]], known: Collection[str] = ()) -> Identity:
    """`said`: subject id of systems -> its statements. `known`: ids that the inventory shows already, which keep."""
    raws = _raws(said, known)
    coded: dict[tuple[str, str], set[str]] = {}
    for raw_id, raw in raws.items():
        if not raw_id.startswith("S-"):
            for name in raw.names:
                for department in raw.departments or {""}:
                    coded.setdefault((department, name), set()).add(raw_id)
    same, apart = read_corrections(said)
    # A code that somebody gave stands for the group, whenever it was seen first.
    groups = Groups({i: replace(raw, first=(float(i.startswith("S-")), *raw.first)) for i, raw in raws.items()}, apart)
    for pair in same:
        groups.join(pair, "person", " = ".join(pair))
    for raw_id, raw in sorted(raws.items()):
        if not raw_id.startswith("S-"):
            continue
        keys = sorted((d, n) for d in raw.departments or {""} for n in raw.names)
        fitting = set[str]().union(*(coded.get(key, set()) for key in keys))
        if len(fitting) == 1:
            groups.join((raw_id, fitting.pop()), "code", " ".join(filter(None, keys[0])))
    _adopt_systems(said, raws, groups)
    return groups.identity()


def _adopt_systems(said: Mapping[str, Sequence[Statement]], raws: Mapping[str, _Raw], groups: Groups) -> None:
    """What a person confirmed of a system without a code, whose workbook has given it one since: by name."""
    for raw_id in sorted(i for i, statements in said.items() if only_persons(statements)):
        recalled = known_as(said[raw_id])
        names, departments = {fold(n) for n in recalled["name"]}, {fold(d) for d in recalled["department"]}
        fitting = {
            groups.find(other) for other, raw in raws.items()
            if other != raw_id and raw.names & names and (not departments or raw.departments & departments)
        }  # fmt: skip
        if len(fitting) == 1:
            groups.join((raw_id, fitting.pop()), "name", min(recalled["name"]))


def _raws(said: Mapping[str, Sequence[Statement]], known: Collection[str]) -> dict[str, _Raw]:
    return {raw_id: _raw(raw_id, statements, raw_id in known) for raw_id, statements in said.items()}


def _raw(raw_id: str, statements: Sequence[Statement], known: bool) -> _Raw:
    first = statements[0].observed_at if len(statements) == 1 else min(s.observed_at for s in statements)
    raw = _Raw(first=(not known, first, raw_id))
    for s in statements:
        values = s.values
        if name := values.get("name"):
            raw.names |= {fold(str(name))}
        if department := values.get("department"):
            raw.departments |= _folded_set(str(department))
        if zone := values.get("zone"):
            raw.zones |= _folded_set(str(zone))
        addresses = values.get("addresses")
        if isinstance(addresses, (tuple, list)):
            if PROBED in s.locator("addresses"):
                raw.probed |= frozenset(map(str, addresses))
            else:
                raw.given |= frozenset(map(str, addresses))
        if "uuid" in values and (found_uuid := _uuid_key(values["uuid"])):
            raw.uuids |= {found_uuid}
        if "serial" in values and not _NO_SERIAL.fullmatch(serial := fold(str(values["serial"] or ""))):
            raw.serials |= {serial}
        macs = values.get("macs")
        if isinstance(macs, (tuple, list)):
            raw.macs |= {str(m) for m in macs if not str(m).startswith(_SHARED_MACS)}
    return raw


@lru_cache(maxsize=1 << 12)
def _folded_set(text: str) -> frozenset[str]:
    return frozenset((fold(text),))


def _uuid_key(value: object) -> str | None:
    """One key for both byte orders; None for what is no UUID or nobody's."""
    try:
        parsed = uuid.UUID(str(value)) if value else None
    except ValueError:
        return None
    if parsed is None or str(parsed) in _NO_UUIDS or len(set(parsed.bytes)) == 1:
        return None
    return str(min(parsed, uuid.UUID(bytes=parsed.bytes_le)))


def _uuid_keys(raw: _Raw) -> Iterable[str]:
    return raw.uuids


def _serial_keys(raw: _Raw) -> Iterable[str]:
    return raw.serials


def _mac_keys(raw: _Raw) -> Iterable[str]:
    return raw.macs


def _index(raws: Mapping[str, _Raw], keys: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for raw_id, raw in raws.items():
        for key in keys(raw):  # type: ignore[operator]
            found.setdefault(key, []).append(raw_id)
    return {key: found[key] for key in sorted(k for k, members in found.items() if len(members) > 1)}


def _usable_addresses(raws: Mapping[str, _Raw]) -> tuple[dict[str, set[str]], frozenset[str]]:
    given = set[str]().union(*(raw.given for raw in raws.values()))
    reports: dict[str, int] = {}
    for raw in raws.values():
        for address in raw.probed:
            reports[address] = reports.get(address, 0) + 1
    bridges = {a for a, count in reports.items() if count > 1 and a not in given}
    usable = {
        raw_id: {a for a in raw.given | raw.probed if a not in bridges and identifies(a)}
        for raw_id, raw in raws.items()
    }
    every = given | reports.keys()
    return usable, frozenset(bridges | {a for a in every if not identifies(a)})


def _same_by_address(members: Sequence[str], raws: Mapping[str, _Raw]) -> list[list[str]]:
    """Rule 4 for one address: groups of its claimants that are one machine."""
    zones = {zone for m in members for zone in raws[m].zones}
    if len(zones) > 1:
        # Stated zones are apart; who states none belongs to all of them, which is to none.
        return [
            same for zone in sorted(zones) for same in _one_zone([m for m in members if zone in raws[m].zones], raws)
        ]
    return _one_zone(members, raws)


def _one_zone(members: Sequence[str], raws: Mapping[str, _Raw]) -> list[list[str]]:
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
    """Rule 5. Only a name that one other server has says who it is."""
    by_name: dict[str, list[str]] = {}
    for raw_id, raw in raws.items():
        for name in raw.names:
            by_name.setdefault(name, []).append(raw_id)
    for name in sorted(n for n, members in by_name.items() if len(members) > 1):
        members = by_name[name]
        roots = {groups.find(m) for m in members}
        nameless = [m for m in members if not usable[m] and not raws[m].uuids]
        departments = set[str]().union(*(raws[m].departments for m in members))
        if nameless and len(roots) == 2 and len(departments) <= 1:
            groups.join(members, "name", name)


def _adopt(
    said: Mapping[str, Sequence[Statement]],
    raws: Mapping[str, _Raw],
    usable: Mapping[str, set[str]],
    groups: Groups,
) -> None:
    """What a person confirmed of a server that is called by another id now: by the first rule that names exactly one."""
    lost = sorted(i for i, statements in said.items() if only_persons(statements))
    if not lost:
        return
    keys: dict[tuple[Rule, str], set[str]] = {}
    for raw_id, raw in raws.items():
        for rule, found in (
            ("uuid", raw.uuids), ("serial", raw.serials), ("mac", raw.macs), ("address", usable[raw_id]), ("name", raw.names),
        ):  # fmt: skip
            for value in found:
                keys.setdefault((rule, value), set()).add(raw_id)  # type: ignore[arg-type]
    for raw_id in lost:
        recalled = known_as(said[raw_id])
        departments = {fold(d) for d in recalled["department"]}
        told: tuple[tuple[Rule, Iterable[str]], ...] = (
            ("uuid", filter(None, map(_uuid_key, recalled["uuid"]))), ("serial", map(fold, recalled["serial"])),
            ("mac", recalled["macs"]), ("address", recalled["addresses"]), ("name", map(fold, recalled["name"])),
        )  # fmt: skip
        for rule, values in told:
            fitting = {(groups.find(member), value) for value in values for member in keys.get((rule, value), ())
                       if rule in ("uuid", "serial", "mac") or not departments or not raws[member].departments
                       or raws[member].departments & departments}  # fmt: skip
            if len({root for root, _ in fitting}) == 1:
                root, value = min(fitting)
                groups.join((raw_id, root), rule, value)
                break
