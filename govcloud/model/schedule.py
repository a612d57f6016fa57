"""A scheduling problem in whole ticks: what a migration plan is to a solver, and what PSPLIB's instances are as they stand.

It is the multi-mode resource-constrained project scheduling problem (Brucker et al., EJOR 112, 1999: MPS|prec|…) with
calendars, resources of three kinds and goals in order of rank. A tick has no fixed length: in a plan a day is one tick
and a change window some dozens (planning/axis.py); in PSPLIB a tick is a period. Tick t is the interval [t, t + 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

ResourceKind = Literal["renewable", "periodic", "cumulative"]
Gate = Literal["end", "window", "next_window"]
GoalKind = Literal["deadlines", "networks", "risk", "makespan", "bridges", "peak", "changes", "waiting"]
SolveStatus = Literal["optimal", "feasible", "infeasible", "unknown"]
"""optimal: proven for every goal in its order; feasible: a schedule, with a bound for every goal; infeasible: proven that
there is none; unknown: the limit was reached before a schedule was found or its absence proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    name: str
    spans: tuple[tuple[int, int], ...]
    """Working ticks as [from, to), ascending, not touching."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    resource_id: str
    kind: ResourceKind = "renewable"
    """renewable: the amounts in use at a tick never exceed the level at that tick; an activity holds its amount in
    [start, end). periodic: each level is a period; an activity counts once, in the period of its start. cumulative: each
    level is a period; what has been taken by activities that started up to and in that period never exceeds its capacity
    (a stock that only grows by its levels; nothing is given back)."""
    levels: tuple[tuple[int, int], ...]
    """(first tick, capacity), ascending, the first at tick 0; each lasts until the next or the horizon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to do an activity."""

    duration: int
    """Working ticks of its calendar; 0 for a milestone, which may lie at any tick up to the horizon."""
    calendar: int = 0
    """Index in ScheduleProblem.calendars."""
    split: bool = False
    """It goes on after a break of its calendar (and holds its resources meanwhile); otherwise all ticks are working ones.
    Either way its first and its last tick are working ticks."""
    demands: tuple[tuple[int, int], ...] = ()
    """(index in ScheduleProblem.resources, amount above 0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    activity_id: str
    modes: tuple[Mode, ...]
    release: int = 0
    """It starts at this tick or later."""
    deadline: int | None = None
    """It ends (exclusive end) at this tick or earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """`after` waits for `before`.

    end: start(after) >= end(before). window: start(after) >= the opening of the window in which `before` starts, so that
    both may share it in any order. next_window: start(after) >= the end of that window. A `before` that starts outside of
    all windows counts for both as a window of its own tick.
    """

    before: int
    after: int
    gate: Gate = "end"
    soft: bool = False
    """It may be broken; the goal `bridges` counts its weight."""
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Something to be made small. `activities`, `weights` and `ticks` run side by side.

    Times are measured on ScheduleProblem.scale (S).
    deadlines: sum of weight × max(0, S[end] − S[tick]).   networks, waiting: sum of weight × S[end].
    risk: sum of weight where start < tick.
    changes: sum of weight where start lies in another window than tick does (outside of windows: at another tick).
    makespan: the greatest S[end]; of all activities when `activities` is empty.
    bridges: sum of the weights of broken soft relations (no activities).
    peak: sum over `resources` of the greatest amount in use at a tick (renewable) or in a period (periodic).
    """

    kind: GoalKind
    activities: tuple[int, ...] = ()
    weights: tuple[int, ...] = ()
    ticks: tuple[int, ...] = ()
    resources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleProblem:
    horizon: int
    """Every activity ends at this tick or earlier."""
    calendars: tuple[Calendar, ...]
    resources: tuple[Resource, ...] = ()
    activities: tuple[Activity, ...] = ()
    relations: tuple[Relation, ...] = ()
    windows: tuple[tuple[int, int], ...] = ()
    """Tick spans of the windows, ascending, not overlapping."""
    goals: tuple[Goal, ...] = (Goal(kind="makespan"),)
    """The first is the most important; a later one never makes an earlier one worse."""
    scale: tuple[int, ...] = ()
    """Time of tick 0 … horizon in the unit of the goals, never falling; empty: the tick itself."""

    def time(self, tick: int) -> int:
        return self.scale[tick] if self.scale else tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One entry for each activity."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    modes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    seconds: float
    phase: str
    """first, search, exact, neighbourhood."""
    values: tuple[int, ...]
    """Of the best schedule so far, a value for each goal; empty while there is none."""
    bounds: tuple[int, ...]
    """Empty while there are none."""
    goals: tuple[GoalKind, ...] = ()
    """What the values and bounds are of; empty where the problem says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How hard to look. The work is counted, so that the same problem, seed and limit give the same answer whatever the
    machine; the clock only ends a search that is much slower than the count allows for."""

    limit_s: float = 10.0
    """Wall seconds; never exceeded by more than a few per cent."""
    repeatable: bool = True
    """Stop at the counted work that a slow machine does within the limit. False: use all of the time."""
    seed: int = 1
    workers: int = 2
    hint: Schedule | None = None
    """A schedule to start from; it need not hold."""
    on_progress: Callable[[Progress], None] | None = None
    stop: Callable[[], bool] | None = None
    """Asked often; True ends the search with the best so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: SolveStatus
    schedule: Schedule | None = None
    values: tuple[int, ...] = ()
    """Of the schedule, for each goal; empty without one."""
    bounds: tuple[int, ...] = ()
    """For each goal a value that no schedule gets below; optimal: equal to the values."""
    solver: str
    seed: int
    seconds: float
    repeatable: bool = True
    """False when the clock or a person ended it: another run may find another schedule."""


Solver = Callable[[ScheduleProblem, Search], Answer]
