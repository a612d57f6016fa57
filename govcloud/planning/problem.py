"""Inventory, findings and rules → PlanProblem: what is to move, merge or go, with what effort, when it may, and with whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from zoneinfo import ZoneInfo

from govcloud.model.inventory import Dependency, Inventory
from govcloud.model.plan_problem import (
    Apart,
    Bridge,
    ChangeWindow,
    Earlier,
    Freeze,
    Hub,
    MoveGroup,
    MoveTask,
    Pin,
    PlanProblem,
    WeakLink,
)
from govcloud.model.step import Step, StepName
from govcloud.model.text import Text, same
from govcloud.planning.bridges import Limits, build_bridges, build_loads, part_group
from govcloud.planning.calendar import build_days_off, build_freezes, build_windows, holiday_freezes
from govcloud.planning.candidates import build_exclusions, build_paths
from govcloud.planning.collection import without_collection
from govcloud.planning.groups import Pair, Tie, build_group, build_hubs, build_ties, components, is_strong, system_links
from govcloud.planning.jobs import Roads, build_jobs
from govcloud.planning.minutes import planned_need
from govcloud.planning.notes import Given, build_notes
from govcloud.planning.openings import longest_min
from govcloud.planning.resources import build_scarce
from govcloud.planning.retirements import build_retirements, merges_into
from govcloud.planning.rules import PlanningRules
from govcloud.planning.tasks import build_estate, build_task


@without_collection()
def build_problem(
    inventory: Inventory,
    rules: PlanningRules,
    *,
    starts_on: date,
    steps: Mapping[StepName, Step],
    weeks: int | None = None,
    timezone: str = "Asia/Shanghai",
    holidays: Iterable[date] = (),
    published_years: Set[int] = frozenset(),
    workdays: Iterable[date] = (),
    confidence: Mapping[str, int] | None = None,
    zombies: Set[str] = frozenset(),
    incompatible: Mapping[str, Text] | None = None,
    adapts: Mapping[str, Sequence[Text]] | None = None,
    pins: Sequence[Pin] = (),
    earlier: Sequence[Earlier] = (),
) -> PlanProblem:
    """Equal arguments in any order give equal problems.

    `steps`: with the figures that runs of this office reckon with.
    `holidays`: statutory days off of the `published_years` (windows of other years are provisional), `workdays`: weekends
    that were made working days. `confidence`: 0–100 a system. `zombies`: confirmed ones; they retire. `incompatible`: why
    a system can't run on the cloud; it is not planned. `adapts`: what must be adapted before it can. `pins` and `earlier`
    name any system of a group; of a group that has been executed there is a pin for each of its systems.
    """
    period, links = weeks or rules.weeks, system_links(inventory)
    hubs = build_hubs(links, len(inventory.systems), rules.hubs)
    begun = {p.group_id for p in pins if p.source == "executed"}
    excluded = build_exclusions(
        inventory, _binding(links, hubs), starts_on, zombies=zombies, incompatible=incompatible,
        platform_level=rules.platform.mlps_level, begun=begun,
    )  # fmt: skip
    out = {e.system_id for e in excluded}
    paths = {s: p for s, p in build_paths(inventory, zombies).items() if s not in out}
    estate = build_estate(inventory, links, confidence or {}, adapts or {})
    systems = sorted((s for s in inventory.systems if s.system_id in paths), key=lambda s: s.system_id)
    need = planned_need(steps)
    tasks = {s.system_id: build_task(s, paths[s.system_id], estate, rules, need) for s in systems}
    dates = _dates(rules, starts_on, period, ZoneInfo(timezone), sorted(set(holidays)), workdays, published_years)
    grouped = _grouped(links, inventory, hubs, begun, tasks, rules, dates.windows)
    of = {s: g.group_id for g in grouped.groups for s in g.system_ids}
    scarce = build_scarce(rules, tasks.values())
    retirements = build_retirements(inventory, estate, of, out)
    merges = merges_into(inventory, tasks, of)
    problem = PlanProblem(
        starts_on=starts_on, weeks=period, timezone=timezone, tasks=tuple(tasks.values()), groups=grouped.groups,
        jobs=build_jobs(grouped.groups, retirements, Roads(rules=rules, tasks=tasks, scarce=scarce), merges),
        resources=tuple(scarce.resources.values()), retirements=retirements, bridges=grouped.bridges,
        hubs=tuple(h for h in hubs if paths.get(h.system_id) == "move"),
        weak_links=_weak_links(links, of, tasks, grouped, rules), weak_mode=rules.weak_dependencies,
        windows=dates.windows, freezes=dates.freezes, days_off=dates.days_off, crews=rules.teams(),
        apart=_apart(rules, of), pins=_moved(pins, of), earlier=_latest(earlier, of),
        core_from_window=max(1, rules.core_from_window), goals=rules.goals, excluded=excluded,
    )  # fmt: skip
    given = Given(
        inventory=inventory, rules=rules, links=links, zombies=zombies, pins=pins, published_years=published_years
    )
    return replace(problem, notes=build_notes(problem, given))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dates:
    windows: tuple[ChangeWindow, ...]
    freezes: tuple[Freeze, ...]
    days_off: tuple[date, ...]


def _dates(
    rules: PlanningRules,
    starts_on: date,
    weeks: int,
    zone: ZoneInfo,
    holidays: Sequence[date],
    workdays: Iterable[date],
    published_years: Set[int],
) -> _Dates:
    frozen = (*rules.freezes, *(holiday_freezes(holidays, rules.holiday_margin_days) if rules.freeze_holidays else ()))
    return _Dates(
        windows=build_windows(rules.windows, starts_on, weeks, zone, published_years),
        freezes=build_freezes(frozen, starts_on, weeks, zone),
        days_off=build_days_off(starts_on, weeks, holidays, workdays),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grouped:
    groups: tuple[MoveGroup, ...]
    bridges: tuple[Bridge, ...]
    cut: Set[Pair]


def _binding(links: Iterable[Dependency], hubs: Iterable[Hub]) -> list[Dependency]:
    free = {h.system_id for h in hubs}
    return [d for d in links if is_strong(d) and d.source_id not in free and d.target_id not in free]


def _grouped(
    links: Sequence[Dependency],
    inventory: Inventory,
    hubs: Iterable[Hub],
    begun: Set[str],
    tasks: Mapping[str, MoveTask],
    rules: PlanningRules,
    windows: Sequence[ChangeWindow],
) -> _Grouped:
    """Groups of systems that are tied together, cut where no window takes them. What has been executed is never cut."""
    many = max(rules.hubs.min_dependents, -(-len(inventory.systems) * rules.hubs.share_pct // 100))
    kinds = {t.system_id: (t.path, t.system_id in begun) for t in tasks.values()}
    ties = build_ties(
        links, inventory, hubs={h.system_id for h in hubs}, together=rules.together, kinds=kinds, many=many
    )  # fmt: skip
    limits = _limits(rules, windows)
    loads = build_loads(tasks.values())
    wholes = components(tasks, ties)
    inside = _inside(ties, wholes)
    parts: list[list[str]] = []
    for members in wholes:
        path, is_begun = kinds[members[0]]
        if len(members) == 1 or path == "retire" or is_begun:
            parts.append(members)
        else:
            parts += part_group(members, inside[members[0]], loads, limits, rules.bridges)
    kept = _inside(ties, parts)
    groups = tuple(build_group(m, tasks[m[0]].path, kept[m[0]]) for m in sorted(parts, key=lambda m: m[0]))
    of = {s: g.group_id for g in groups for s in g.system_ids}
    cut = {pair for pair in ties if of[pair[0]] != of[pair[1]]}
    bridges = build_bridges((ties[pair] for pair in cut), of, rules.bridges, limits)
    return _Grouped(groups=groups, bridges=bridges, cut=cut)


def _inside(ties: Mapping[Pair, Tie], parts: Iterable[Sequence[str]]) -> Mapping[str, list[Tie]]:
    """First member of a part -> the ties inside the part."""
    first = {s: part[0] for part in parts for s in part}
    found: dict[str, list[Tie]] = {key: [] for key in first.values()}
    for (a, b), tie in ties.items():
        if first[a] == first[b]:
            found[first[a]].append(tie)
    return found


def _limits(rules: PlanningRules, windows: Iterable[ChangeWindow]) -> Limits:
    capacity = rules.capacity
    counts = [n for n in (rules.groups.max_systems, capacity.systems_per_window) if n is not None]
    return Limits(
        minutes=longest_min(windows),
        systems=min(counts, default=None),
        of_department=capacity.systems_per_department,
    )


def _weak_links(
    links: Iterable[Dependency],
    of: Mapping[str, str],
    tasks: Mapping[str, MoveTask],
    grouped: _Grouped,
    rules: PlanningRules,
) -> tuple[WeakLink, ...]:
    """One link for a pair of systems in two groups that both move. A strong tie that was cut is a wish, never a demand:
    the bridge carries it, and the parts were cut because they don't go into one window."""
    found: dict[Pair, WeakLink] = {}
    for d in links:
        pair = (d.source_id, d.target_id)
        if of.get(d.source_id) == of.get(d.target_id) or not all(s in tasks and tasks[s].path == "move" for s in pair):
            continue
        if rules.weak_dependencies == "require" and (min(pair), max(pair)) in grouped.cut:
            continue
        known = d.strength is not None
        if pair not in found or (known and not found[pair].strength_known):
            found[pair] = WeakLink(
                dependency_id=d.dependency_id, source_id=d.source_id, target_id=d.target_id, strength_known=known
            )
    return tuple(found[pair] for pair in sorted(found))


def _apart(rules: PlanningRules, of: Mapping[str, str]) -> tuple[Apart, ...]:
    """One for a pair of groups; where both systems are in one group the pair names it twice, and can't be kept."""
    found: dict[Pair, Apart] = {}
    for rule in rules.apart:
        groups = sorted({(of[s], s) for s in rule.systems if s in of})
        for (one, a), (other, b) in combinations(groups, 2):
            reason = (
                same(rule.reason)
                if rule.reason
                else Text("约定 {a} 与 {b} 不同批", "{a} and {b} are agreed to be apart").format(a=a, b=b)
            )
            found.setdefault((one, other), Apart(group_ids=(one, other), reason=reason))
    return tuple(found[pair] for pair in sorted(found))


def _moved(pins: Iterable[Pin], of: Mapping[str, str]) -> tuple[Pin, ...]:
    """Pins of the groups that hold the systems now; equal ones once. Pins that contradict each other are all kept."""
    found = {replace(p, group_id=of[p.group_id]) for p in pins if p.group_id in of}
    strongest: dict[tuple[str, date, str | None], Pin] = {}
    for pin in sorted(found, key=lambda p: (p.group_id, p.opens_on, p.crew or "", _RANK[p.source], p.reason)):
        strongest.setdefault((pin.group_id, pin.opens_on, pin.crew), pin)
    return tuple(strongest.values())


_RANK = {"executed": 0, "approved": 1, "pin": 2}


def _latest(earlier: Iterable[Earlier], of: Mapping[str, str]) -> tuple[Earlier, ...]:
    """Where each group of today was: of several groups that have become one, the one that it has its name from."""
    found: dict[str, Earlier] = {}
    for one in sorted(earlier, key=lambda e: e.group_id):
        if (group_id := of.get(one.group_id)) is not None and (group_id not in found or one.group_id == group_id):
            found[group_id] = replace(one, group_id=group_id)
    return tuple(found[key] for key in sorted(found))
