"""A part of a scheduling problem as a problem of its own, with everything else kept as a given schedule has it.

Two ways to keep it. Order: an activity that is not freed may move in time, but on every renewable resource it stays behind
those whose units it takes over (partial order schedule; Godard, Laborie, Nuijten, ICAPS 2005). Place: it stays where it is
and becomes load on the resources; only the freed ones are left, so that a part of a huge problem is as small as any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from govcloud.model.schedule import Activity, Calendar, Goal, Mode, Relation, Schedule, ScheduleProblem

Ints = NDArray[np.int64]
Milestone = Callable[[int], int]
"""The activity of the part that lies at this tick and takes no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`members[n]` is the activity of the whole that activity n of the part stands for; more activities may follow."""

    problem: ScheduleProblem
    hint: Schedule
    """The whole's schedule; it holds in the part."""
    members: tuple[int, ...]
    modes: dict[int, int]
    """Of activities (of the whole) of which the part has one mode only: which one that is."""

    def put_into(self, whole: Schedule, found: Schedule) -> Schedule:
        starts, ends, modes = list(whole.starts), list(whole.ends), list(whole.modes)
        for n, member in enumerate(self.members):
            starts[member], ends[member] = found.starts[n], found.ends[n]
            modes[member] = self.modes.get(member, found.modes[n])
        return Schedule(starts=tuple(starts), ends=tuple(ends), modes=tuple(modes))


def keep_order(problem: ScheduleProblem, schedule: Schedule, freed: Collection[int]) -> Part:
    kept = {n: schedule.modes[n] for n in range(len(problem.activities)) if n not in freed}
    activities = tuple(
        replace(a, modes=(a.modes[kept[n]],)) if n in kept else a for n, a in enumerate(problem.activities)
    )
    known = {(r.before, r.after) for r in problem.relations if r.gate == "end" and not r.soft}
    chains = sorted(_chains(problem, schedule, freed, known) - known)
    return Part(
        problem=replace(
            problem, activities=activities,
            relations=(*problem.relations, *(Relation(before=a, after=b) for a, b in chains)),
        ),
        hint=replace(schedule, modes=tuple(0 if n in kept else m for n, m in enumerate(schedule.modes))),
        members=tuple(range(len(activities))),
        modes=kept,
    )  # fmt: skip


def _chains(
    problem: ScheduleProblem, schedule: Schedule, freed: Collection[int], known: Collection[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Who takes over units from whom, on all renewable resources; over a freed one from the one before it."""
    users: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
    for n, activity in enumerate(problem.activities):
        for number, amount in activity.modes[schedule.modes[n]].demands:
            if problem.resources[number].kind == "renewable" and schedule.ends[n] > schedule.starts[n]:
                users[number].append((schedule.starts[n], schedule.ends[n], n, amount))
    found: set[tuple[int, int]] = set()
    for number, mine in sorted(users.items()):
        top = max(c for _, c in problem.resources[number].levels)
        # Units by who had them last and since when they are free; freed ones pass theirs on under the name before them.
        free: list[tuple[int, int, int]] = [(0, -1, top)]
        for start, end, n, amount in sorted(mine):
            ready = sorted(
                (f for f in free if f[0] <= start),
                key=lambda f: (f[1] < 0 or ((f[1], n) not in known and (f[1], n) not in found), -f[0], f[1]),
            )
            for unit in ready:
                if not amount:
                    break
                taken = min(amount, unit[2])
                amount -= taken
                free.remove(unit)
                if taken < unit[2]:
                    free.append((unit[0], unit[1], unit[2] - taken))
                if n in freed:
                    free.append((end, unit[1], taken))
                else:
                    free.append((end, n, taken))
                    if unit[1] >= 0:
                        found.add((unit[1], n))
    return found


class Places:
    """Cuts parts out of one problem around its current schedule."""

    def __init__(self, problem: ScheduleProblem, schedule: Schedule) -> None:
        always = Calendar(name="always", spans=((0, problem.horizon),))
        self.problem = replace(problem, calendars=(*problem.calendars, always))
        self.relations: list[list[Relation]] = [[] for _ in problem.activities]
        for relation in problem.relations:
            for n in {relation.before, relation.after}:
                self.relations[n].append(relation)
        rows: list[list[tuple[int, int, int]]] = [[] for _ in problem.resources]
        for n, activity in enumerate(problem.activities):
            for m, mode in enumerate(activity.modes):
                for number, amount in mode.demands:
                    rows[number].append((n, m, amount))
        self._users: list[tuple[Ints, Ints, Ints]] = []
        for each in rows:
            table = np.array(each, dtype=np.int64).reshape(-1, 3)
            self._users.append((table[:, 0], table[:, 1], table[:, 2]))
        self._distinct = [np.unique(activities) for activities, _, _ in self._users]
        self.move(schedule)

    def move(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.starts = np.array(schedule.starts, dtype=np.int64)
        self.ends = np.array(schedule.ends, dtype=np.int64)
        self._modes = np.array(schedule.modes, dtype=np.int64)

    def users(self, number: int) -> Ints:
        """The activities that have a demand on this resource in one of their modes."""
        return self._distinct[number]

    def cut(self, freed: Collection[int], reach: int) -> Part:
        """`reach`: how many ticks a freed activity may move either way."""
        problem, schedule = self.problem, self.schedule
        members = sorted(freed)
        index = {n: k for k, n in enumerate(members)}
        activities = [self._within(n, reach) for n in members]
        fixed: dict[int, int] = {}
        loads: list[tuple[int, int, Mode]] = []

        def milestone(tick: int) -> int:
            if tick not in fixed:
                fixed[tick] = len(activities)
                activities.append(_fixed(tick, tick, Mode(duration=0)))
                loads.append((tick, tick, activities[-1].modes[0]))
            return fixed[tick]

        relations = []
        for relation in {id(r): r for n in members for r in self.relations[n]}.values():
            before, after = index.get(relation.before), index.get(relation.after)
            if before is None:
                ended = relation.gate == "end"
                before = milestone((schedule.ends if ended else schedule.starts)[relation.before])
            if after is None:
                after = milestone(schedule.starts[relation.after])
            relations.append(replace(relation, before=before, after=after))
        goals = tuple(self._goal(goal, index, milestone) for goal in problem.goals)
        for first, to, mode in self._loads(members):
            activities.append(_fixed(first, to, mode))
            loads.append((first, to, mode))
        hint = Schedule(
            starts=(*(schedule.starts[n] for n in members), *(a for a, _, _ in loads)),
            ends=(*(schedule.ends[n] for n in members), *(b for _, b, _ in loads)),
            modes=(*(schedule.modes[n] for n in members), *(0 for _ in loads)),
        )
        part = replace(problem, activities=tuple(activities), relations=tuple(relations), goals=goals)
        return Part(problem=part, hint=hint, members=tuple(members), modes={})

    def _within(self, n: int, reach: int) -> Activity:
        activity, last = self.problem.activities[n], self.schedule.ends[n] + reach
        deadline = last if activity.deadline is None else min(activity.deadline, last)
        return replace(
            activity,
            release=max(activity.release, self.schedule.starts[n] - reach),
            deadline=min(deadline, self.problem.horizon),
        )

    def _goal(self, goal: Goal, index: dict[int, int], milestone: Milestone) -> Goal:
        """What the freed ones add to it; of a makespan the last of the others stands beside them."""
        if goal.kind in ("bridges", "peak"):
            return goal
        if goal.kind == "makespan":
            counted = np.array(goal.activities or range(len(self.ends)), dtype=np.int64)
            inside = [index[n] for n in counted.tolist() if n in index]
            others = np.delete(self.ends[counted], [k for k, n in enumerate(counted.tolist()) if n in index])
            return replace(goal, activities=(*inside, milestone(int(others.max(initial=0)))))
        rows = [k for k, n in enumerate(goal.activities) if n in index]
        return replace(
            goal,
            activities=tuple(index[goal.activities[k]] for k in rows),
            weights=tuple(goal.weights[k] for k in rows),
            ticks=tuple(goal.ticks[k] for k in rows) if goal.ticks else (),
        )

    def _loads(self, members: Sequence[int]) -> Iterator[tuple[int, int, Mode]]:
        """What the others hold, where it can matter to the freed ones."""
        most: dict[int, int] = defaultdict(int)
        for n in members:
            own: dict[int, int] = {}
            for mode in self.problem.activities[n].modes:
                for number, amount in mode.demands:
                    own[number] = max(own.get(number, 0), amount)
            for number, amount in own.items():
                most[number] += amount
        freed = np.zeros(len(self.starts), dtype=bool)
        freed[list(members)] = True
        measured = {number for goal in self.problem.goals for number in goal.resources}
        for number, more in sorted(most.items()):
            activities, modes, amounts = self._users[number]
            here = (self._modes[activities] == modes) & ~freed[activities]
            if here.any():
                mine = activities[here]
                yield from self._load(number, mine, amounts[here], None if number in measured else more)

    def _load(self, number: int, mine: Ints, amounts: Ints, more: int | None) -> Iterator[tuple[int, int, Mode]]:
        resource, horizon = self.problem.resources[number], self.problem.horizon
        ticks = np.array([t for t, _ in resource.levels], dtype=np.int64)
        capacity = np.array([c for _, c in resource.levels], dtype=np.int64)
        always = len(self.problem.calendars) - 1
        if resource.kind != "renewable":
            counted = np.zeros(len(ticks), dtype=np.int64)
            np.add.at(counted, np.searchsorted(ticks, self.starts[mine], side="right") - 1, amounts)
            taken = counted if resource.kind == "periodic" else np.cumsum(counted)
            tight = np.ones(len(ticks), dtype=bool) if more is None else taken + more > capacity
            if resource.kind == "cumulative" and tight.any():
                tight[:] = True
            for period in np.flatnonzero(tight & (counted > 0)).tolist():
                tick = int(ticks[period])
                yield tick, tick, Mode(duration=0, demands=((number, int(counted[period])),))
            return
        change = np.zeros(horizon + 1, dtype=np.int64)
        np.add.at(change, self.starts[mine], amounts)
        np.add.at(change, self.ends[mine], -amounts)
        used = np.cumsum(change)[:horizon]
        if more is not None:
            levels = capacity[np.searchsorted(ticks, np.arange(horizon), side="right") - 1]
            used = np.where(used + more > levels, used, 0)
        edges = [0, *(np.flatnonzero(np.diff(used)) + 1).tolist(), horizon]
        for first, to in pairwise(edges):
            if amount := int(used[first]):
                yield first, to, Mode(duration=to - first, calendar=always, demands=((number, amount),))


def _fixed(first: int, to: int, mode: Mode) -> Activity:
    return Activity(activity_id=f"fixed {first}", modes=(mode,), release=first, deadline=to)
