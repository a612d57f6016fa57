"""The greedy plan: a baseline to compare with, a first answer for the solver, and the plan when the solver has no time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from govcloud.model.plan import MoveGroup, Placement, PlanProblem
from govcloud.planning.groups import needed_first
from govcloud.planning.limits import QUOTAS, Limits


@dataclass
class _State:
    """What is used up so far."""

    minutes: Counter[tuple[int, str]] = field(default_factory=Counter)
    systems: Counter[int] = field(default_factory=Counter)
    mib: Counter[int] = field(default_factory=Counter)
    quota: Counter[str] = field(default_factory=Counter)
    at: dict[str, int] = field(default_factory=dict)
    last_pilot: int = -1


def solve_greedy(problem: PlanProblem) -> tuple[Placement, ...]:
    """Groups one by one (pilots, then the urgent, what others need before them) into the first window and crew that take them.

    Deterministic. A group that fits nowhere is left out.
    """
    limits = Limits(problem)
    state = _State()
    rank = {g: i for i, g in enumerate(needed_first(problem))}
    order = sorted(
        problem.groups, key=lambda g: (not limits.is_pilot(g), -limits.weight(g) // len(g.system_ids), rank[g.group_id])
    )
    if problem.weak_mode == "require":
        order = sorted(problem.groups, key=lambda g: (not limits.is_pilot(g), rank[g.group_id]))
    needs = _needs(limits)
    placements = []
    for group in order:
        found = _first_fit(limits, state, group, needs)
        if found is not None:
            index, crew = found
            _take(limits, state, group, index, crew)
            placements.append(Placement(group_id=group.group_id, window_id=problem.windows[index].window_id, crew=crew))
    return tuple(sorted(placements, key=lambda p: p.group_id))


def _needs(limits: Limits) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {g.group_id: set() for g in limits.problem.groups}
    for link in limits.problem.weak_links:
        source, target = limits.group_of[link.source_id], limits.group_of[link.target_id]
        if source != target:
            found[source].add(target)
    return found


def _first_fit(
    limits: Limits, state: _State, group: MoveGroup, needs: Mapping[str, set[str]]
) -> tuple[int, str] | None:
    problem = limits.problem
    earliest = 0 if limits.is_pilot(group) else state.last_pilot + 1
    targets = needs[group.group_id]
    if problem.weak_mode == "require":
        if not targets <= set(state.at):
            return None
        earliest = max([earliest, *(state.at[t] for t in targets)])
    if not _fits_quota(limits, state, group):
        return None
    for index in range(earliest, len(problem.windows)):
        if not _fits_window(limits, state, group, index):
            continue
        free = [
            (state.minutes[index, c.name] + limits.minutes(group), len(c.skills), c.name)
            for c in problem.crews
            if limits.can(c, group)
            and state.minutes[index, c.name] + limits.minutes(group) <= limits.lengths_min[index]
        ]
        if free:
            # The fullest crew that still has room, and no rare skills where they are not needed.
            return index, max(free, key=lambda f: (f[0], -f[1], f[2]))[2]
    return None


def _fits_quota(limits: Limits, state: _State, group: MoveGroup) -> bool:
    capacity = limits.problem.capacity
    return all(
        (quota := getattr(capacity, name)) is None
        or state.quota[name] + sum(getattr(t, name) for t in limits.members(group)) <= quota
        for name in QUOTAS
    )


def _fits_window(limits: Limits, state: _State, group: MoveGroup, index: int) -> bool:
    capacity = limits.problem.capacity
    members = limits.members(group)
    return (
        not limits.bars(group, index)
        and (capacity.systems_per_window is None or state.systems[index] + len(members) <= capacity.systems_per_window)
        and (
            capacity.mib_per_window is None
            or state.mib[index] + sum(t.data_mib for t in members) <= capacity.mib_per_window
        )
    )


def _take(limits: Limits, state: _State, group: MoveGroup, index: int, crew: str) -> None:
    members = limits.members(group)
    state.minutes[index, crew] += limits.minutes(group)
    state.systems[index] += len(members)
    state.mib[index] += sum(t.data_mib for t in members)
    for name in QUOTAS:
        state.quota[name] += sum(getattr(t, name) for t in members)
    state.at[group.group_id] = index
    if limits.is_pilot(group):
        state.last_pilot = max(state.last_pilot, index)
