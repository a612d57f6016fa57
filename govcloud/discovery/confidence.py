"""How far the facts that a migration needs can be relied on: 0 to 100 a system. Pure.

Each fact of the table below has a weight; together they make 100. A fact earns its weight times how well it is known:

    1.0   a person confirmed it, a machine measured it, or a workbook declared what only people can know
    0.6   a workbook declared what a machine could tell (memory, operating system, …)
    x 0.5 witnesses disagree about it
    x 0.5 it is older than the site's limit (see stale.py)
    0     nobody says

A fact of servers earns the mean over all servers of the system: a system whose servers nobody knows gets nothing for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from math import fsum

from govcloud.discovery.stale import source_kind, stale_after
from govcloud.model.answers import Confidence, FactScore, FactState, Witness
from govcloud.model.inventory import Inventory, System
from govcloud.model.server import Server

WEIGHTS: Mapping[str, int] = {
    "system.department": 3, "system.contact": 4, "system.classified": 4, "system.mlps_level": 6,
    "system.criticality": 5, "system.hosting": 5, "system.lifecycle": 3, "system.data_gib": 6,
    "system.networks": 5, "system.servers": 15,
    "server.addresses": 5, "server.os_name": 5, "server.os_version": 3, "server.arch": 3,
    "server.cpu_count": 5, "server.memory_gib": 5, "server.disk_gib": 6, "server.services": 4, "server.sockets": 8,
}  # fmt: skip
"""Fact -> weight. `server.sockets` stands for the look at connections, which comes with it: without one nobody knows what
the system talks to."""
DECLARED_WORTH, DOUBTED, AGED = 0.6, 0.5, 0.5
_TOTAL = sum(WEIGHTS.values())
_FACTS = tuple((fact, *fact.split(".")) for fact in WEIGHTS)
_FIELDS = {kind: tuple(field for _, of, field in _FACTS if of == kind) for kind in ("system", "server")}

Witnesses = Mapping[str, Mapping[str, Witness]]
_Graded = tuple[FactState, float]
_MISSING: _Graded = ("missing", 0.0)
_DERIVED: _Graded = ("declared", 1.0)


def build_confidence(
    inventory: Inventory, witnesses: Witnesses, *, now: datetime, stale_days: int
) -> Mapping[str, Confidence]:
    """System id -> how well it is known. `witnesses`: subject id -> field -> who the shown value was taken from."""
    graded = _Grades(inventory, witnesses, now, stale_days)
    return {system.system_id: graded.confidence(system) for system in inventory.systems}


def build_scores(inventory: Inventory, witnesses: Witnesses, *, now: datetime, stale_days: int) -> Mapping[str, int]:
    """System id -> its score alone, as of `build_confidence`."""
    graded = _Grades(inventory, witnesses, now, stale_days)
    return {
        system.system_id: _total(_points(fact, grades) for fact, grades in graded.facts(system))
        for system in inventory.systems
    }


class _Grades:
    def __init__(self, inventory: Inventory, witnesses: Witnesses, now: datetime, stale_days: int) -> None:
        self.witnesses, self._words = witnesses, _Words(now, stale_days)
        self.servers = {s.server_id: s for s in inventory.servers}
        self.disputed: dict[tuple[str, str], set[str]] = {}
        for conflict in inventory.conflicts:
            self.disputed.setdefault((conflict.subject_kind, conflict.subject_id), set()).add(conflict.field)

    def confidence(self, system: System) -> Confidence:
        parts = [
            FactScore(
                fact=fact, weight=WEIGHTS[fact], points=_points(fact, grades), states=dict(Counter(state for state, _ in grades))
            )
            for fact, grades in self.facts(system)
        ]  # fmt: skip
        parts.sort(key=lambda p: (-p.lost, -p.weight, p.fact))
        return Confidence(system_id=system.system_id, score=_total(p.points for p in parts), parts=tuple(parts))

    def facts(self, system: System) -> Iterator[tuple[str, Sequence[_Graded]]]:
        """Each fact with the grades of those that it is known of."""
        of_system = self._graded("system", system.system_id, system)
        of_servers = [self._graded("server", i, self.servers[i]) for i in system.servers if i in self.servers]
        for fact, kind, field in _FACTS:
            yield fact, [of_system[field]] if kind == "system" else [g[field] for g in of_servers] or [_MISSING]

    def _graded(self, kind: str, subject_id: str, subject: System | Server) -> dict[str, _Graded]:
        """Field -> its grade, of all facts of the kind at once: there are a million of them in a large estate."""
        witnesses, disputed = self.witnesses.get(subject_id, {}), self.disputed.get((kind, subject_id), ())
        graded: dict[str, _Graded] = {}
        for field in _FIELDS[kind]:
            witness = witnesses.get(field)
            if witness is None:
                # Without a witness: networks that the system's own servers sit on, derived from what was told of them.
                graded[field] = _MISSING if getattr(subject, field) in (None, "", ()) else _DERIVED
                continue
            word, since = self._words[kind, witness.source][field]
            stale = since is not None and witness.at < since
            graded[field] = _lowered(word, disputed=field in disputed, stale=stale) if stale or disputed else word
        return graded


class _Words(dict[tuple[str, str], Mapping[str, tuple[_Graded, datetime | None]]]):
    """(kind, source) -> field -> the grade of an undisputed new word, and the instant before which a word is stale."""

    def __init__(self, now: datetime, stale_days: int) -> None:
        self._now, self._stale_days = now, stale_days

    def __missing__(self, key: tuple[str, str]) -> Mapping[str, tuple[_Graded, datetime | None]]:
        kind, source = key
        state = source_kind(source)
        worth = DECLARED_WORTH if state == "declared" and kind == "server" else 1.0
        limits = {field: stale_after(field, source, self._stale_days) for field in _FIELDS[kind]}
        self[key] = {f: ((state, worth), None if limit is None else self._now - limit) for f, limit in limits.items()}
        return self[key]


def _lowered(grade: _Graded, *, disputed: bool, stale: bool) -> _Graded:
    state, worth = grade
    if disputed:
        state, worth = "conflicting", worth * DOUBTED
    return ("stale", worth * AGED) if stale else (state, worth)


def _points(fact: str, grades: Sequence[_Graded]) -> float:
    return round(WEIGHTS[fact] * (sum(worth for _, worth in grades) / len(grades)), 3)


def _total(points: Iterable[float]) -> int:
    return round(100 * fsum(points) / _TOTAL)
