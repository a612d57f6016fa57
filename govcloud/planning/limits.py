"""What the two searches share: sizes of groups, and which windows are barred for a group. The verifier does not use it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from govcloud.model.plan import ChangeWindow, Crew, Freeze, MoveGroup, MoveTask, Placement, PlanProblem
from govcloud.planning.calendar import freezes_for

QUOTAS = ("vcpus", "memory_mib", "disk_mib")
Bar = tuple[str, str]
"""(kind, subject) of a demand, as in Culprit."""


@dataclass(frozen=True)
class Limits:
    """Tables over a problem, made once per search. Windows are counted by their index."""

    problem: PlanProblem

    @cached_property
    def task(self) -> Mapping[str, MoveTask]:
        return {t.system_id: t for t in self.problem.tasks}

    @cached_property
    def group_of(self) -> Mapping[str, str]:
        return {s: g.group_id for g in self.problem.groups for s in g.system_ids}

    @cached_property
    def lengths_min(self) -> Sequence[int]:
        return [int((w.ends_at - w.starts_at).total_seconds()) // 60 for w in self.problem.windows]

    @cached_property
    def days(self) -> Sequence[int]:
        return [(w.opens_on - self.problem.starts_on).days for w in self.problem.windows]

    def members(self, group: MoveGroup) -> list[MoveTask]:
        return [self.task[s] for s in group.system_ids]

    def minutes(self, group: MoveGroup) -> int:
        """Cutovers one after another, then the way back for all of them."""
        return sum(t.cutover_min + t.reserve_min for t in self.members(group))

    def weight(self, group: MoveGroup) -> int:
        return sum(t.priority for t in self.members(group))

    def is_pilot(self, group: MoveGroup) -> bool:
        return any(t.pilot for t in self.members(group))

    def can(self, crew: Crew, group: MoveGroup) -> bool:
        return all(set(t.skills) <= set(crew.skills) for t in self.members(group))

    @cached_property
    def open_number(self) -> Sequence[int]:
        """Number of each window, from 1, not counting those that a freeze closes for everybody."""
        numbers, number = [], 1
        for window in self.problem.windows:
            numbers.append(number)
            general = [f for f in self.problem.freezes if f.min_mlps is None and not f.system_ids]
            number += not any(_meets(window, f) for f in general)
        return numbers

    def bars(self, group: MoveGroup, index: int) -> list[Bar]:
        """Why this group may not move in this window whatever the others do; empty when it may."""
        window = self.problem.windows[index]
        found: list[Bar] = []
        for task in self.members(group):
            found += [("freeze", f.name) for f in freezes_for(task, self.problem.freezes) if _meets(window, f)]
            if task.not_before_on is not None and window.opens_on < task.not_before_on:
                found.append(("not_before", task.system_id))
            if task.not_after_on is not None and window.opens_on > task.not_after_on:
                found.append(("not_after", task.system_id))
            if task.core and not self.is_pilot(group) and self.open_number[index] < self.problem.core_from_window:
                found.append(("core", task.system_id))
        return sorted(set(found))

    def alone_possible(self, group: MoveGroup) -> bool:
        """Whether some window and crew would take this group if nothing else had to move."""
        members, limit = self.members(group), self.problem.capacity
        fits = (
            (limit.systems_per_window is None or len(members) <= limit.systems_per_window)
            and (limit.mib_per_window is None or sum(t.data_mib for t in members) <= limit.mib_per_window)
            and all(
                (quota := getattr(limit, name)) is None or sum(getattr(t, name) for t in members) <= quota
                for name in QUOTAS
            )
        )
        return (
            fits
            and any(self.can(crew, group) for crew in self.problem.crews)
            and any(
                self.minutes(group) <= length and not self.bars(group, w) for w, length in enumerate(self.lengths_min)
            )
        )


def restrict(problem: PlanProblem, group_ids: Collection[str]) -> PlanProblem:
    """The same problem with these groups only."""
    groups = tuple(g for g in problem.groups if g.group_id in group_ids)
    ids = {s for g in groups for s in g.system_ids}
    return replace(
        problem,
        groups=groups,
        tasks=tuple(t for t in problem.tasks if t.system_id in ids),
        weak_links=tuple(k for k in problem.weak_links if k.source_id in ids and k.target_id in ids),
    )


def _meets(window: ChangeWindow, freeze: Freeze) -> bool:
    return window.starts_at < freeze.ends_at and freeze.starts_at < window.ends_at


def cost(problem: PlanProblem, placements: Sequence[Placement]) -> int:
    """The objective in system-days: waiting, waves and broken weak links of the groups that are placed."""
    days = {w.window_id: (w.opens_on - problem.starts_on).days for w in problem.windows}
    order = {w.window_id: i for i, w in enumerate(problem.windows)}
    group = {g.group_id: g for g in problem.groups}
    priority = {t.system_id: t.priority for t in problem.tasks}
    at = {s: order[p.window_id] for p in placements for s in group[p.group_id].system_ids}
    waiting = sum(priority[s] * days[p.window_id] for p in placements for s in group[p.group_id].system_ids)
    waves = len({p.window_id for p in placements})
    broken = 0
    if problem.weak_mode == "prefer":
        last = len(order)
        broken = sum(
            1 for link in problem.weak_links
            if link.source_id in at and at.get(link.target_id, last) > at[link.source_id]
        )  # fmt: skip
    return waiting + waves * problem.costs.per_wave_days + broken * problem.costs.per_broken_weak_days
