"""What every department and every office (处室) in it has, counted. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from govcloud.model.inventory import Inventory, System
from govcloud.model.overlap import DepartmentRow
from govcloud.model.zombie import ZombieState

UNKNOWN = "unknown"


def build_departments(
    inventory: Inventory, zombies: Mapping[str, ZombieState], confidence_pct: Mapping[str, float] | None = None
) -> tuple[DepartmentRow, ...]:
    """A row a department, then one for each of its offices; what names no department comes last.

    `zombies`: system id -> verdict. `confidence_pct`: system id -> score, where it is known.
    """
    names: set[str | None] = {d.name for d in inventory.departments}
    for subjects in (inventory.systems, inventory.servers, inventory.networks):
        names |= {s.department for s in subjects}
    counter = _Counter(inventory, zombies, confidence_pct or {})
    rows: list[DepartmentRow] = []
    for name in sorted(names, key=lambda n: (n is None, n or "")):
        systems = counter.systems.get(name, [])
        rows.append(counter.row(name, None, systems))
        offices = {s.office or "" for s in systems}
        if offices - {""}:
            rows += [counter.row(name, office, [s for s in systems if (s.office or "") == office])
                     for office in sorted(offices, key=lambda o: (not o, o))]  # fmt: skip
    return tuple(rows)


class _Counter:
    def __init__(
        self, inventory: Inventory, zombies: Mapping[str, ZombieState], confidence_pct: Mapping[str, float]
    ) -> None:
        self.zombies, self.confidence_pct = zombies, confidence_pct
        self.systems: dict[str | None, list[System]] = {}
        for system in inventory.systems:
            self.systems.setdefault(system.department, []).append(system)
        self.servers: dict[str | None, set[str]] = {}
        for server in inventory.servers:
            self.servers.setdefault(server.department, set()).add(server.server_id)
        self.undeclared = {s.server_id for s in inventory.servers if s.declared is False}
        self.known = {s.server_id for s in inventory.servers}
        self.networks: dict[str | None, set[str]] = {}
        for network in inventory.networks:
            self.networks.setdefault(network.department, set()).add(network.network_id)
        self.dedicated = {n.network_id for n in inventory.networks if n.kind == "dedicated" and n.closed_on is None}
        self.conflicts = Counter(c.subject_id for c in inventory.conflicts)

    def row(self, department: str | None, office: str | None, systems: Sequence[System]) -> DepartmentRow:
        """`office` None: the whole department, with servers and networks that no system of it names."""
        servers = {server_id for s in systems for server_id in s.servers} & self.known
        networks = {n for s in systems for n in s.networks}
        if office is None:
            servers |= self.servers.get(department, set())
            networks |= self.networks.get(department, set())
        owned = self.networks.get(department, set()) if office is None else set()
        states = Counter(self.zombies.get(s.system_id) for s in systems)
        scores = [self.confidence_pct[s.system_id] for s in systems if s.system_id in self.confidence_pct]
        subjects = {s.system_id for s in systems} | servers | owned
        return DepartmentRow(
            department=department, office=office, systems=len(systems),
            states=_count(s.lifecycle for s in systems), hosting=_count(s.hosting for s in systems),
            mlps=_count(str(s.mlps_level) if s.mlps_level is not None else None for s in systems),
            servers=len(servers), networks=len(networks), dedicated_networks=len(networks & self.dedicated),
            zombies=states["zombie"], zombies_open=states["undetermined"], undeclared=len(servers & self.undeclared),
            conflicts=sum(self.conflicts[s] for s in subjects),
            confidence_pct=round(sum(scores) / len(scores), 1) if scores else None,
        )  # fmt: skip


def _count(values: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(v or UNKNOWN for v in values).items()))
