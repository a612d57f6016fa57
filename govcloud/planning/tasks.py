"""What is known of each system that is planned: size, minutes, data, place; and what had to be assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from govcloud.model.ids import normalize
from govcloud.model.inventory import Dependency, Inventory, System
from govcloud.model.plan_problem import CutoverSum, MoveTask, Path
from govcloud.model.server import Server, is_domestic
from govcloud.model.step import WindowNeed
from govcloud.model.text import Text, same
from govcloud.planning.minutes import cutover_sum, rehearsed_sum, total_minutes
from govcloud.planning.rules import PlanningRules, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """The inventory, looked up by id: made once, so that fifty thousand systems don't search it fifty thousand times."""

    servers: Mapping[str, Server]
    users: Mapping[str, int]
    """Server id -> systems on it."""
    networks: Mapping[str, tuple[str, ...]]
    """System id -> ids of the dedicated networks in use that it runs on, sorted."""
    dependencies: Mapping[str, int]
    """System id -> connections to and from other systems."""
    confidence: Mapping[str, int] = field(default_factory=dict)
    adapts: Mapping[str, Sequence[Text]] = field(default_factory=dict)
    """System id -> what findings say must be adapted."""


def build_estate(
    inventory: Inventory,
    links: Iterable[Dependency],
    confidence: Mapping[str, int],
    adapts: Mapping[str, Sequence[Text]],
) -> Estate:
    count: Counter[str] = Counter()
    for link in links:
        count[link.source_id] += 1
        count[link.target_id] += 1
    return Estate(
        servers={s.server_id: s for s in inventory.servers},
        users=Counter(server_id for s in inventory.systems for server_id in set(s.servers)),
        networks=_networks(inventory), dependencies=count, confidence=confidence, adapts=adapts,
    )  # fmt: skip


def _networks(inventory: Inventory) -> Mapping[str, tuple[str, ...]]:
    """As declared by the system, by the network, and by where its servers sit."""
    dedicated = [n for n in inventory.networks if n.kind == "dedicated" and n.closed_on is None]
    named: dict[str, list[str]] = {}
    on: dict[str, list[str]] = {}
    found: dict[str, set[str]] = {}
    for network in dedicated:
        for key in {network.network_id, normalize(network.name)}:
            named.setdefault(key, []).append(network.network_id)
        for server_id in network.servers:
            on.setdefault(server_id, []).append(network.network_id)
        for system_id in network.systems:
            found.setdefault(system_id, set()).add(network.network_id)
    for system in inventory.systems:
        for key in system.networks:
            here = named.get(key) or named.get(normalize(key)) or []
            # A name that two networks share says nothing.
            if len(here) == 1:
                found.setdefault(system.system_id, set()).add(here[0])
        for server_id in system.servers:
            if server_id in on:
                found.setdefault(system.system_id, set()).update(on[server_id])
    return {system_id: tuple(sorted(ids)) for system_id, ids in found.items()}


def build_task(system: System, path: Path, estate: Estate, rules: PlanningRules, need: WindowNeed) -> MoveTask:
    """`need`: what a run needs of a change window."""
    assumed: list[str] = []
    servers = [estate.servers[s] for s in system.servers if s in estate.servers]
    data_gib = system.data_gib
    if data_gib is None:
        data_gib = rules.defaults.data_gib
        assumed.append("data_gib")
    assumed += [name for name in ("criticality", "mlps_level", "hosting") if getattr(system, name) is None]
    vcpus, memory_gib, disk_gib = _size(servers, estate.users, rules, assumed)
    pool = _pool(system, servers, rules)
    target = rules.targets.get(system.system_id, Target())
    minutes = _minutes(system, path, _mib(data_gib), estate, rules, need)
    cutover_min, reserve_min = total_minutes(minutes, rules.duration) if minutes else (0, 0)
    return MoveTask(
        system_id=system.system_id, name=system.name, department=system.department, path=path,
        cutover_min=cutover_min, reserve_min=reserve_min, minutes=minutes,
        data_mib=_mib(data_gib), vcpus=vcpus, memory_mib=_mib(memory_gib), disk_mib=_mib(max(disk_gib, data_gib)),
        mlps_level=system.mlps_level, core=system.criticality == "core", pilot=system.system_id in rules.pilots,
        priority=rules.priorities.get(system.system_id, 1),
        skills=tuple(sorted(rules.skills.get(system.system_id, ()))),
        zone=_zone(servers, rules, assumed), pool=pool, networks=estate.networks.get(system.system_id, ()),
        adapts=_adapts(system, path, servers, pool, estate, rules, assumed),
        dependencies=estate.dependencies.get(system.system_id, 0),
        confidence=estate.confidence.get(system.system_id),
        not_before_on=target.not_before_on, not_after_on=target.not_after_on, due_on=target.due_on,
        assumed=tuple(assumed),
    )  # fmt: skip


def _size(
    servers: Sequence[Server], users: Mapping[str, int], rules: PlanningRules, assumed: list[str]
) -> tuple[int, float, float]:
    """vCPUs, memory and disks (GiB) of all servers, as large as they are today; of a shared server each system its part."""
    cpus, memory, disk = 0.0, 0.0, 0.0
    for server in servers:
        share = 1 / max(1, users.get(server.server_id, 1))
        cpus += share * (rules.defaults.vcpus if server.cpu_count is None else server.cpu_count)
        memory += share * (rules.defaults.memory_gib if server.memory_gib is None else server.memory_gib)
        disk += share * (server.disk_gib or 0)
    if not servers:
        cpus, memory = rules.defaults.vcpus, rules.defaults.memory_gib
    if not servers or any(s.cpu_count is None for s in servers):
        assumed.append("cpu_count")
    if not servers or any(s.memory_gib is None for s in servers):
        assumed.append("memory_gib")
    # 1e-9: three thirds of a processor are one.
    return int(-(-(cpus - 1e-9) // 1)), memory, disk


def _minutes(
    system: System, path: Path, data_mib: int, estate: Estate, rules: PlanningRules, need: WindowNeed
) -> CutoverSum | None:
    """None: no window. With a bought service there is no last copy: its data has been handed over, the users switch."""
    if path == "retire":
        return None
    if path == "replace":
        data_mib, dependencies = 0, 0
    else:
        dependencies = estate.dependencies.get(system.system_id, 0)
    if (measured := rules.durations.get(system.system_id)) is not None:
        return rehearsed_sum(data_mib, measured, need)
    return cutover_sum(data_mib, dependencies, system.criticality, rules.duration, need)


def _mib(gib: float) -> int:
    return round(gib * 1024)


def _zone(servers: Sequence[Server], rules: PlanningRules, assumed: list[str]) -> str | None:
    """Where most of its servers are."""
    zones = Counter(s.zone for s in servers if s.zone)
    if zones:
        return min(zones, key=lambda z: (-zones[z], z))
    if rules.capacity.links:
        assumed.append("zone")
    return None


def _pool(system: System, servers: Sequence[Server], rules: PlanningRules) -> str | None:
    """The pool that people named, else the first of its kind, else the first."""
    pools = rules.pools()
    if not pools:
        return None
    if (named := rules.system_pools.get(system.system_id)) is not None:
        return named
    domestic = bool(servers) and all(is_domestic(s) for s in servers)
    return next((name for name, pool in pools.items() if pool.domestic == domestic), next(iter(pools)))


def _adapts(
    system: System,
    path: Path,
    servers: Sequence[Server],
    pool: str | None,
    estate: Estate,
    rules: PlanningRules,
    assumed: list[str],
) -> tuple[Text, ...]:
    if path not in ("move", "consolidate"):
        return ()
    found = [*estate.adapts.get(system.system_id, ())]
    if (named := rules.adapt.get(system.system_id)) is not None:
        found.append(same(named))
    if system.disposition in ("replatform", "refactor"):
        found.append(Text("已定为改造后迁移", "It is to be rebuilt for the move"))
    if path == "move" and pool is not None and rules.pools()[pool].domestic:
        unknown = not servers or any(not (s.arch or s.os_name or s.cpu_model) for s in servers)
        if unknown:
            assumed.append("arch")
        if unknown or not all(is_domestic(s) for s in servers):
            words = _UNKNOWN_PLATFORM if unknown else _OTHER_PLATFORM
            found.append(words.format(p=pool))
    return tuple(found)


_OTHER_PLATFORM = Text(
    "目标资源池 {p} 为信创环境，现环境不是，须先适配",
    "The target pool {p} is a domestic platform, today's is not: adapt it first",
)
_UNKNOWN_PLATFORM = Text(
    "目标资源池 {p} 为信创环境，现环境不明，按须适配计",
    "The target pool {p} is a domestic platform, today's is unknown: taken to need adaptation",
)
