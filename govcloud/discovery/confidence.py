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

from collections.abc import Mapping, Sequence
from datetime import datetime

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


class _Grades:
    def __init__(self, inventory: Inventory, witnesses: Witnesses, now: datetime, stale_days: int) -> None:
        self.witnesses, self.now, self.stale_days = witnesses, now, stale_days
        self.servers = {s.server_id: s for s in inventory.servers}
        self.disputed: dict[tuple[str, str], set[str]] = {}
        for conflict in inventory.conflicts:
            self.disputed.setdefault((conflict.subject_kind, conflict.subject_id), set()).add(conflict.field)
        self._worths: dict[tuple[str, str, str], tuple[FactState, float, datetime | None]] = {}

    def confidence(self, system: System) -> Confidence:
        of_system = self._graded("system", system.system_id, system)
        of_servers = [self._graded("server", i, self.servers[i]) for i in system.servers if i in self.servers]
        parts = [
            _score(fact, [of_system[field]] if kind == "system" else [graded[field] for graded in of_servers])
            for fact, kind, field in _FACTS
        ]
        parts.sort(key=lambda p: (-p.lost, -p.weight, p.fact))
        score = round(100 * sum(p.points for p in parts) / _TOTAL)
        return Confidence(system_id=system.system_id, score=score, parts=tuple(parts))

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
            state, worth, since = self._worth(kind, field, witness.source)
            if field in disputed:
                state, worth = "conflicting", worth * DOUBTED
            if since is not None and witness.at < since:
                state, worth = "stale", worth * AGED
            graded[field] = state, worth
        return graded

    def _worth(self, kind: str, field: str, source: str) -> tuple[FactState, float, datetime | None]:
        """The grade of an undisputed new word, and the instant before which a word is stale."""
        key = kind, field, source
        if key not in self._worths:
            state, limit = source_kind(source), stale_after(field, source, self.stale_days)
            worth = DECLARED_WORTH if state == "declared" and kind == "server" else 1.0
            self._worths[key] = state, worth, None if limit is None else self.now - limit
        return self._worths[key]


def _score(fact: str, grades: Sequence[_Graded]) -> FactScore:
    grades = grades or [_MISSING]
    states: dict[FactState, int] = {}
    for state, _ in grades:
        states[state] = states.get(state, 0) + 1
    worth = sum(value for _, value in grades) / len(grades)
    return FactScore(fact=fact, weight=WEIGHTS[fact], points=round(WEIGHTS[fact] * worth, 3), states=states)
