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
from collections.abc import Mapping, Sequence
from datetime import datetime

from govcloud.discovery.stale import is_stale, source_kind
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

Witnesses = Mapping[str, Mapping[str, Witness]]
_Graded = tuple[FactState, float]


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
        self.disputed = {(c.subject_kind, c.subject_id, c.field) for c in inventory.conflicts}

    def confidence(self, system: System) -> Confidence:
        servers = [self.servers[i] for i in system.servers if i in self.servers]
        parts = [self._score(fact, kind, field, system, servers) for fact, kind, field in _FACTS]
        parts.sort(key=lambda p: (-p.lost, -p.weight, p.fact))
        score = round(100 * sum(p.points for p in parts) / _TOTAL)
        return Confidence(system_id=system.system_id, score=score, parts=tuple(parts))

    def _score(self, fact: str, kind: str, field: str, system: System, servers: Sequence[Server]) -> FactScore:
        subjects: Sequence[System | Server] = (system,) if kind == "system" else servers
        grades = [self._grade(kind, field, subject) for subject in subjects] or [("missing", 0.0)]
        worth = sum(value for _, value in grades) / len(grades)
        states = Counter(state for state, _ in grades)
        return FactScore(fact=fact, weight=WEIGHTS[fact], points=round(WEIGHTS[fact] * worth, 3), states=dict(states))

    def _grade(self, kind: str, field: str, subject: System | Server) -> _Graded:
        subject_id = subject.system_id if isinstance(subject, System) else subject.server_id
        witness = self.witnesses.get(subject_id, {}).get(field)
        if getattr(subject, field) in (None, "", ()) and witness is None:
            return "missing", 0.0
        if witness is None:
            # Networks that the system's own servers sit on: derived from what was measured or declared of them.
            return "declared", 1.0
        state: FactState
        state, worth = source_kind(witness.source), 1.0
        if state == "declared" and kind == "server":
            worth = DECLARED_WORTH
        if (kind, subject_id, field) in self.disputed:
            state, worth = "conflicting", worth * DOUBTED
        if is_stale(field, witness, self.now, self.stale_days):
            state, worth = "stale", worth * AGED
        return state, worth
