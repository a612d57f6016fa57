"""What no schedule can do better than: a lower bound for each goal, or the proof that there is no schedule.

Times come from earliest starts and latest ends with calendars and gates (time_frame.py), the use of resources from tests
that show an overload (overload.py). The makespan is bounded destructively: the smallest value for which no contradiction is
found is looked for by halving.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govcloud.model.schedule import Goal, Relation, ScheduleProblem
from govcloud.planning.scheduling.overload import (
    OverloadTest,
    Times,
    build_demands,
    build_tests,
    least_peak,
    overloaded,
)
from govcloud.planning.scheduling.sum_bounds import MANY, order_bound, sum_bound
from govcloud.planning.scheduling.time_frame import Ints, build_time_frame, earliest, latest, usable_modes

SUM_TESTS = 3
MOST_ORDERS = 300
FEWEST_OF_A_SUM = 2
"""Activities from which on they can be in each other's way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    values: tuple[int, ...]
    """For each goal, in order, a value that no schedule gets below; each by itself, whatever the other goals are."""
    infeasible: str | None = None
    """Why there is no schedule at all, in English and in the terms of the problem; None when that was not shown. The
    values say nothing then."""


def earliest_starts(problem: ScheduleProblem) -> tuple[int | None, ...]:
    """For each activity the first tick at which it can start by calendars, gates, releases and deadlines, without looking
    at resources (but for a mode that asks for more than there ever is); None where it can't be placed at all: then the
    problem has no schedule."""
    starts, _ = earliest(build_time_frame(problem))
    return tuple(None if s > problem.horizon else s for s in starts.tolist())


def latest_starts(problem: ScheduleProblem) -> tuple[int | None, ...]:
    """The same for the last tick."""
    frame = build_time_frame(problem)
    starts, _ = latest(frame, frame.deadline)
    return tuple(None if s < 0 else s for s in starts.tolist())


def lower_bounds(problem: ScheduleProblem) -> Bounds:
    """Some seconds for 350,000 activities. Not the best bounds there are: valid ones that are cheap."""
    known = _Known(problem)
    if known.infeasible:
        return Bounds(values=tuple(0 for _ in problem.goals), infeasible=known.infeasible)
    return Bounds(values=tuple(known.bound(goal) for goal in problem.goals))


class _Known:
    """What is known of a problem before it is solved."""

    def __init__(self, problem: ScheduleProblem) -> None:
        self.problem = problem
        kept = usable_modes(problem)
        self.frame = build_time_frame(problem, kept)
        self.demands = build_demands(problem, self.frame, kept)
        self.scale = np.array(problem.scale or range(problem.horizon + 1), dtype=np.int64)
        self.times = Times(*earliest(self.frame), *latest(self.frame, self.frame.deadline))
        self.tests: list[OverloadTest] = []
        self.infeasible = self._impossible()
        if not self.infeasible:
            self.tests = build_tests(problem, self.frame, self.demands, self.times.starts)
            self.infeasible = self._overload(self.times)

    def _impossible(self) -> str | None:
        never = np.flatnonzero(self.times.starts > self.problem.horizon)
        if len(never):
            first = never[np.argmin(self.times.starts[never])]
            return f"{self.problem.activities[first].activity_id} can't be placed by its calendar, what it waits for and its deadline."
        late = np.flatnonzero(~_in_time(self.times))
        if len(late):
            n = int(late[0])
            return f"{self.problem.activities[n].activity_id} can't start before {self.times.starts[n]} and must start by {self.times.latest_starts[n]}."
        return None

    def _overload(self, times: Times) -> str | None:
        for test in self.tests:
            found = overloaded(test, times)
            if found:
                return f"{test.name}: what must be done in [{found[0]}, {found[1]}) is more than there is room for."
        return None

    def bound(self, goal: Goal) -> int:
        at, weights = np.array(goal.activities, dtype=np.int64), np.array(goal.weights, dtype=np.int64)
        ticks = np.array(goal.ticks, dtype=np.int64)
        match goal.kind:
            case "deadlines":
                return self._sum(at, lambda ends: weights * np.maximum(0, self.scale[ends] - self.scale[ticks]))
            case "networks" | "waiting":
                return self._sum(at, lambda ends: weights * self.scale[ends])
            case "makespan":
                return self._makespan(at if len(at) else np.arange(len(self.problem.activities)))
            case "risk":
                return int(weights[self.times.latest_starts[at] < ticks].sum())
            case "changes":
                return int(weights[self._must_move(at, ticks)].sum())
            case "bridges":
                return sum(r.weight for r in self.problem.relations if r.soft and self._breaks(r))
            case "peak":
                return least_peak(self.problem, self.frame, self.demands, goal.resources, self.times)

    def _sum(self, at: Ints, cost: Callable[[Ints], Ints]) -> int:
        """Each at its earliest, or as many at a time as the scarcest resources let through."""
        least = int(cost(self.times.ends[at]).sum())
        if len(at) < FEWEST_OF_A_SUM:
            return least
        by_name = {t.name: t for t in reversed(self.tests) if t.whole}
        names = list(dict.fromkeys(t.name for t in self.tests if t.whole))
        for test in [by_name[n] for n in names[: SUM_TESTS if len(self.frame.order) < MANY else 1]]:
            if len(at) >= len(test.users) // 4:
                least = max(least, sum_bound(self.frame, test, self.times.starts, at, cost))
            if len(at) <= MOST_ORDERS:
                least = max(least, order_bound(self.frame, test, self.times.starts, at, cost))
        return least

    def _makespan(self, counted: Ints) -> int:
        """The least value of which it can't be shown that it is too small."""
        if not len(counted):
            return 0
        low = int(self.scale[self.times.ends[counted]].max())
        high = int(self.scale[-1])
        while low < high:
            middle = (low + high) // 2
            if self._reachable(counted, middle):
                high = middle
            else:
                low = middle + 1
        return low

    def _reachable(self, counted: Ints, value: int) -> bool:
        deadline = self.frame.deadline.copy()
        deadline[counted] = np.minimum(deadline[counted], np.searchsorted(self.scale, value, side="right") - 1)
        times = Times(self.times.starts, self.times.ends, *latest(self.frame, deadline))
        return bool(_in_time(times).all()) and not self._overload(times)

    def _must_move(self, at: Ints, ticks: Ints) -> Ints:
        """Of `changes`: which activities can't start in the window of their tick."""
        first, last = ticks.copy(), ticks.copy()
        frame = self.frame
        if len(frame.opens):
            window = np.searchsorted(frame.opens, ticks, side="right") - 1
            inside = (window >= 0) & (ticks < frame.closes[window])
            first[inside], last[inside] = frame.opens[window[inside]], frame.closes[window[inside]] - 1
        return np.flatnonzero((self.times.starts[at] > last) | (self.times.latest_starts[at] < first))

    def _breaks(self, relation: Relation) -> bool:
        """Whether a relation can't hold for any start that is possible."""
        start, by = int(self.times.starts[relation.before]), int(self.times.latest_starts[relation.after])
        if relation.gate == "end":
            return int(self.times.ends[relation.before]) > by
        window = next(((a, b) for a, b in self.problem.windows if a <= start < b), (start, start + 1))
        return (window[0] if relation.gate == "window" else window[1]) > by


def _in_time(times: Times) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (times.starts <= times.latest_starts) & (times.ends <= times.latest_ends)
    return found
