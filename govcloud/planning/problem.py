"""Inventory + rules → PlanProblem: what is to move, with what effort, when it may, and with whom."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from govcloud.model.inventory import Dependency, Inventory, System
from govcloud.model.plan import Capacity, Exclusion, MoveTask, PlanProblem, WeakLink
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.planning.calendar import build_freezes, build_windows, holiday_freezes
from govcloud.planning.candidates import build_exclusions
from govcloud.planning.groups import build_groups
from govcloud.planning.rules import CapacityRule, DurationRule, PlanningRules, Target

ROUND_MIN = 5


def build_problem(
    inventory: Inventory,
    rules: PlanningRules,
    *,
    starts_on: date,
    weeks: int | None = None,
    timezone: str = "Asia/Shanghai",
    holidays: Iterable[date] = (),
    published_years: Set[int] = frozenset(),
) -> PlanProblem:
    """`holidays`: statutory days off of the `published_years`; windows of other years are marked provisional."""
    zone = ZoneInfo(timezone)
    horizon = weeks or rules.weeks
    links = system_links(inventory)
    excluded = build_exclusions(inventory, links, starts_on)
    out = {e.system_id for e in excluded}
    systems = [s for s in inventory.systems if s.system_id not in out]
    ids = {s.system_id for s in systems}
    inside = [d for d in links if d.source_id in ids and d.target_id in ids]
    frozen = (
        *rules.freezes,
        *(holiday_freezes(holidays, rules.holiday_margin_days) if rules.freeze_holidays else ()),
    )
    return PlanProblem(
        starts_on=starts_on,
        weeks=horizon,
        timezone=timezone,
        tasks=tuple(_task(s, inventory, rules, links) for s in sorted(systems, key=lambda s: s.system_id)),
        groups=build_groups(ids, ((d.source_id, d.target_id) for d in inside if d.strength == "strong")),
        weak_links=_weak_links(inside),
        weak_mode=rules.weak_dependencies,
        windows=build_windows(rules.windows, starts_on, horizon, zone, published_years),
        freezes=build_freezes(frozen, starts_on, horizon, zone),
        crews=tuple(replace(c, skills=tuple(sorted(c.skills))) for c in rules.crews),
        capacity=_capacity(rules.capacity),
        costs=rules.costs,
        core_from_window=max(1, rules.core_from_window),
        excluded=excluded,
        notes=tuple(_notes(rules, inventory, excluded, links)),
    )


def system_links(inventory: Inventory) -> tuple[Dependency, ...]:
    """Dependencies with servers replaced by the systems on them, sorted; a server without a system leads nowhere."""
    on: dict[str, list[str]] = {}
    for system in inventory.systems:
        on.setdefault(system.system_id, []).append(system.system_id)
        for server_id in system.servers:
            on.setdefault(server_id, []).append(system.system_id)
    found = {
        (d.dependency_id, source, target): replace(d, source_id=source, target_id=target)
        for d in inventory.dependencies
        for source in on.get(d.source_id, ())
        for target in on.get(d.target_id, ())
        if source != target and d.binds
    }
    return tuple(found[key] for key in sorted(found))


def _weak_links(inside: Iterable[Dependency]) -> tuple[WeakLink, ...]:
    """One link for a pair of systems; a pair that is also strongly bound is not weak."""
    inside = list(inside)
    strong = {(d.source_id, d.target_id) for d in inside if d.strength == "strong"}
    found: dict[tuple[str, str], WeakLink] = {}
    for d in inside:
        pair = (d.source_id, d.target_id)
        if pair in strong or pair[::-1] in strong:
            continue
        known = d.strength is not None
        if pair not in found or (known and not found[pair].strength_known):
            found[pair] = WeakLink(
                dependency_id=d.dependency_id, source_id=d.source_id, target_id=d.target_id, strength_known=known
            )
    return tuple(found[pair] for pair in sorted(found))


def _task(system: System, inventory: Inventory, rules: PlanningRules, links: Iterable[Dependency]) -> MoveTask:
    assumed: list[str] = []
    servers = [s for s in inventory.servers if s.server_id in system.servers]
    data_gib = system.data_gib
    if data_gib is None:
        data_gib = rules.defaults.data_gib
        assumed.append("data_gib")
    assumed += [name for name in ("criticality", "mlps_level", "hosting") if getattr(system, name) is None]
    vcpus, memory_gib = _size(servers, rules, assumed)
    dependencies = sum(1 for d in links if system.system_id in (d.source_id, d.target_id))
    minutes = cutover_minutes(data_gib, dependencies, system.criticality, rules.duration)
    if (measured := rules.durations.get(system.system_id)) is not None:
        minutes = (measured.cutover_min, measured.reserve_min)
    target = rules.targets.get(system.system_id, Target())
    data_mib = _mib(data_gib)
    return MoveTask(
        system_id=system.system_id, name=system.name, department=system.department,
        cutover_min=minutes[0], reserve_min=minutes[1],
        data_mib=data_mib, vcpus=vcpus, memory_mib=_mib(memory_gib), disk_mib=data_mib,
        mlps_level=system.mlps_level, core=system.criticality == "core", pilot=system.system_id in rules.pilots,
        priority=rules.priorities.get(system.system_id, 1),
        skills=tuple(sorted(rules.skills.get(system.system_id, ()))),
        not_before_on=target.not_before_on, not_after_on=target.not_after_on, assumed=tuple(assumed),
    )  # fmt: skip


def _size(servers: list[Server], rules: PlanningRules, assumed: list[str]) -> tuple[int, float]:
    """vCPUs and memory of all servers of a system, as large as they are today."""
    cpus = [s.cpu_count for s in servers if s.cpu_count is not None]
    memory = [s.memory_gib for s in servers if s.memory_gib is not None]
    missing = max(1, len(servers)) - len(cpus)
    if missing:
        assumed.append("cpu_count")
    lacking = max(1, len(servers)) - len(memory)
    if lacking:
        assumed.append("memory_gib")
    return sum(cpus) + missing * rules.defaults.vcpus, sum(memory) + lacking * rules.defaults.memory_gib


def cutover_minutes(data_gib: float, dependencies: int, criticality: str | None, rule: DurationRule) -> tuple[int, int]:
    """(cutover, reserve) in minutes, rounded up to five. Criticality unknown counts as important."""
    final_sync = data_gib * rule.changed_pct / 100 * 2**30 * 8 / (rule.final_sync_mbps * 10**6) / 60
    extra = {"core": rule.core_extra_min, "general": 0}.get(criticality or "important", rule.important_extra_min)
    tests = min(dependencies * rule.per_dependency_min, rule.dependencies_max_min)
    cutover = _round_up(rule.cutover_base_min + final_sync + tests + extra)
    return cutover, _round_up(max(rule.reserve_base_min, cutover * rule.reserve_share_pct / 100))


def _round_up(minutes: float) -> int:
    # 1e-9: 45.000000001 that comes from the division is 45.
    return int(-(-(minutes - 1e-9) // ROUND_MIN)) * ROUND_MIN


def _mib(gib: float) -> int:
    return round(gib * 1024)


def _capacity(rule: CapacityRule) -> Capacity:
    mib = None
    if rule.link_mbps is not None:
        mib = rule.link_mbps * 10**6 // 8 * rule.replication_hours * 3600 * rule.link_use_pct // 100 // 2**20
    return Capacity(
        systems_per_window=rule.systems_per_window,
        mib_per_window=mib,
        vcpus=rule.vcpus,
        memory_mib=None if rule.memory_gib is None else rule.memory_gib * 1024,
        disk_mib=None if rule.disk_gib is None else rule.disk_gib * 1024,
    )


def _notes(
    rules: PlanningRules, inventory: Inventory, excluded: Iterable[Exclusion], links: Iterable[Dependency]
) -> Iterable[Text]:
    known = {s.system_id for s in inventory.systems}
    for name, ids in (
        ("durations", rules.durations), ("targets", rules.targets), ("priorities", rules.priorities),
        ("skills", rules.skills), ("pilots", rules.pilots),
    ):  # fmt: skip
        for system_id in sorted(set(ids) - known):
            yield Text(
                "配置 planning.{name} 提到的 {id} 不在清单中",
                "planning.{name} names {id}, which is not in the inventory",
            ).format(name=name, id=system_id)
    staying = {e.system_id: e for e in excluded if e.code != "on_gov_cloud"}
    for link in links:
        if link.target_id in staying and link.source_id not in staying and link.strength != "strong":
            yield Text(
                "{a} 依赖的 {b} 不迁移（{why}），迁移后须打通网络",
                "{a} needs {b}, which does not move ({why}): the connection must work after the move",
            ).format(a=link.source_id, b=link.target_id, why=staying[link.target_id].reason)
    away = {e.system_id for e in excluded}
    unseen = [
        f"{server.name} ({system.system_id})"
        for system in inventory.systems
        for server in inventory.servers
        if server.server_id in system.servers and not server.seen and system.system_id not in away
    ]
    if unseen:
        yield Text(
            "以下 {n} 台服务器只有填报，没有登录核实，迁移前须核实：{s}",
            "{n} servers are declared only; nobody has logged in to them. Do that before the move: {s}",
        ).format(n=len(unseen), s=", ".join(unseen))
