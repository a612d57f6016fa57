"""A schedule problem as flat numpy arrays, so that the kernels of sgs.py find the start, the end and the next possible
start of an activity by looking them up.

Every table that is indexed by a tick has an entry for each tick up to and including the horizon.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govcloud.model.schedule import Calendar, Mode, Resource, ScheduleProblem

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

GATES = {"end": 0, "window": 1, "next_window": 2}
GOALS = ("deadlines", "networks", "risk", "makespan", "bridges", "peak", "changes", "waiting")
SOFT, RISK, HINT = 1, 2, 4
"""Wishes that a list of activities may be told to heed while it is placed."""

# Columns of act.
MODE_FROM, MODE_TO, RELEASE, DEADLINE, PRE_FROM, PRE_TO, SUC_FROM, SUC_TO, NOT_RISKY, END_LIMIT, CIRCLE = range(11)
# Columns of mode. DEM_* bound the renewable, periodic and cumulative demands, in this order.
DURATION, SORT, NEXT, PREV, RUN, BACK, COUNT, NTH, WORKED, DEM, DEM_TICK, DEM_PERIOD, DEM_END, MEMO, ORIGINAL = range(
    15
)
PLAIN, WHOLE, SPLIT = 0, 1, 2
"""Sorts of modes: every tick is a working one; all of the work between two breaks; work goes on after a break."""
# Columns of dem.
OFFSET, AMOUNT, PERIOD_OF, FIRST_OF, PERIODS = range(5)


class Tables(NamedTuple):
    """What never changes during a search."""

    act: I32
    mode: I32
    dem: I64
    pre: I32
    """before, gate, soft: what the activity waits for (act[PRE_FROM:PRE_TO])."""
    suc: I32
    """after, gate, soft."""
    cal: I32
    """Tables of the calendars: next working tick, previous one, ticks to the end of the run, from its beginning, working
    ticks before, tick of the n-th working one. horizon + 1 stands for none, -1 for none before."""
    per: I32
    """Period of a tick; a table for each division into periods."""
    first: I32
    """First tick of each period, and horizon + 1."""
    base: I64
    """Capacity: of renewable resources for each tick, of others for each period."""
    win: I32
    """For each tick: opening and end of its window (outside of all: the tick and the one after)."""
    goal: I64
    """kind, first and last + 1 entry."""
    entry: I64
    """activity, weight, tick; of a peak: offset in base, entries, 0."""
    soft: I32
    """before, after, gate, weight of soft relations."""
    circle: I32
    """Activities on circles of hard relations, circle by circle, and -1 after each circle: they are placed together."""
    scale: I64
    size: I64
    """horizon, memos, whether a hard relation has another gate than `end`."""


class Compiled(NamedTuple):
    tables: Tables
    rank: I32
    """The activities so that what others wait for comes first."""
    heeds: int
    """Wishes that exist in this problem, of SOFT and RISK."""


def compile_problem(problem: ScheduleProblem) -> Compiled:
    """Near-linear in activities, relations and horizon × (calendars + resources)."""
    horizon, count = problem.horizon, len(problem.activities)
    cal = _Calendars(problem.calendars, horizon)
    res = _Resources(problem.resources, horizon)
    act = np.zeros((count, 11), np.int32)
    act[:, RELEASE] = [min(max(a.release, 0), horizon + 1) for a in problem.activities]
    act[:, DEADLINE] = [
        horizon if a.deadline is None else max(min(a.deadline, horizon), -1) for a in problem.activities
    ]
    mode, dem, memos = _modes(problem, cal, res, act)
    pre, suc, rank, circle = _relations(problem, act)
    goal, entry = _goals(problem, res)
    _limits(problem, act)
    soft = [(r.before, r.after, GATES[r.gate], r.weight) for r in problem.relations if r.soft]
    size = (horizon, memos, any(r.gate != "end" and not r.soft for r in problem.relations))
    tables = Tables(
        act=act, mode=mode, dem=dem, pre=pre, suc=suc, cal=cal.table(), per=res.periods(), first=res.firsts(),
        base=res.base(), win=_windows(problem), goal=goal, entry=entry, soft=_rows(soft, 4).astype(np.int32), circle=circle,
        scale=np.array(problem.scale or range(horizon + 1), np.int64), size=np.array(size, np.int64),
    )  # fmt: skip
    risky = any(g.kind == "risk" and g.activities for g in problem.goals)
    return Compiled(tables, rank, (SOFT if soft else 0) | (RISK if risky else 0))


def _rows(rows: Sequence[Sequence[int]], width: int) -> I64:
    return np.array(rows, np.int64).reshape(-1, width)


class _Calendars:
    """The tables of a calendar are made when a mode first uses it."""

    def __init__(self, calendars: Sequence[Calendar], horizon: int) -> None:
        self._calendars = calendars
        self._horizon = horizon
        self._known: dict[int, tuple[int, ...] | None] = {}
        self._parts: list[I32] = []
        self._size = 0

    def columns(self, number: int) -> tuple[int, ...] | None:
        """The columns NEXT to WORKED; None when every tick is a working one."""
        if number not in self._known:
            self._known[number] = self._make(self._calendars[number])
        return self._known[number]

    def table(self) -> I32:
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.int32)

    def _make(self, calendar: Calendar) -> tuple[int, ...] | None:
        none = self._horizon + 1
        works = np.zeros(none + 1, np.bool_)
        run, back = np.full(none + 1, none, np.int32), np.full(none + 1, none, np.int32)
        for first, last in calendar.spans:
            begin, end = max(first, 0), min(last, self._horizon)
            if begin < end:
                works[begin:end] = True
                run[begin:end] = np.arange(end - begin, 0, -1)
                back[begin:end] = np.arange(1, end - begin + 1)
        ticks = np.flatnonzero(works).astype(np.int32)
        if len(ticks) == self._horizon:
            return None
        count = np.zeros(none + 1, np.int32)
        np.cumsum(works[:-1], out=count[1:])
        following = np.append(ticks, none).astype(np.int32)[count]
        previous = np.append(ticks, -1).astype(np.int32)[count + works - 1]
        columns = [self._add(t) for t in (following, previous, run, back, count, ticks)]
        return (*columns, len(ticks))

    def _add(self, table: I32) -> int:
        self._parts.append(table)
        self._size += len(table)
        return self._size - len(table)


class _Resources:
    """Where the free amounts of each resource lie, and which periods its ticks belong to."""

    def __init__(self, resources: Sequence[Resource], horizon: int) -> None:
        self._horizon = horizon
        self._parts: list[I64] = []
        self._periods: list[I32] = []
        self._firsts: list[I32] = []
        self._divisions: dict[tuple[int, ...], tuple[int, int]] = {}
        self.columns: list[tuple[int, int, int, int]] = []
        """OFFSET, PERIOD_OF, FIRST_OF and PERIODS of each resource."""
        self.most = [max((amount for _, amount in r.levels), default=0) for r in resources]
        offset = 0
        for resource in resources:
            amounts = np.array([amount for _, amount in resource.levels], np.int64)
            ticks = tuple(tick for tick, _ in resource.levels)
            period, first = self._division(ticks)
            if resource.kind == "renewable":
                amounts = amounts[self._periods[period // (horizon + 1)]]
            self._parts.append(amounts)
            self.columns.append((offset, period, first, len(ticks)))
            offset += len(amounts)

    def _division(self, ticks: tuple[int, ...]) -> tuple[int, int]:
        if ticks not in self._divisions:
            period = np.searchsorted(np.array(ticks), np.arange(self._horizon + 1), side="right") - 1
            self._divisions[ticks] = (len(self._periods) * (self._horizon + 1), sum(len(f) for f in self._firsts))
            self._periods.append(np.maximum(period, 0).astype(np.int32))
            self._firsts.append(np.minimum([*ticks, self._horizon + 1], self._horizon + 1).astype(np.int32))
        return self._divisions[ticks]

    def periods(self) -> I32:
        return np.concatenate(self._periods) if self._periods else np.zeros(0, np.int32)

    def firsts(self) -> I32:
        return np.concatenate(self._firsts) if self._firsts else np.zeros(0, np.int32)

    def base(self) -> I64:
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.int64)


def _modes(problem: ScheduleProblem, cal: _Calendars, res: _Resources, act: I32) -> tuple[I32, I64, int]:
    """Of each activity the modes that can be at all, the ones that take the least wanted resources first: a crew with rare
    skills is kept for the work that needs them. Modes that are the same share their demands, those that differ in stocks
    only share a memo."""
    wanted = _pressure(problem)
    shapes = _Shapes(problem, cal, res)
    rows: list[tuple[int, int]] = []
    begins = [0]
    for activity in problem.activities:
        order: Iterable[tuple[int, Mode]] = enumerate(activity.modes)
        if len(activity.modes) > 1:
            order = sorted(order, key=lambda m: max((wanted[r] for r, _ in m[1].demands), default=0.0))
        for number, mode in order:
            shape = shapes.of(mode)
            if shape >= 0:
                rows.append((shape, number))
        begins.append(len(rows))
    act[:, MODE_FROM], act[:, MODE_TO] = begins[:-1], begins[1:]
    chosen = _rows(rows, 2)
    table, memos = shapes.table(np.bincount(chosen[:, 0], minlength=len(shapes.rows)))
    mode_rows = table[chosen[:, 0]]
    mode_rows[:, ORIGINAL] = chosen[:, 1]
    return mode_rows, _rows(shapes.demands, 5), memos


class _Shapes:
    """Rows of modes, each sort of them once."""

    def __init__(self, problem: ScheduleProblem, cal: _Calendars, res: _Resources) -> None:
        self._cal, self._res = cal, res
        self._kinds = [("renewable", "periodic", "cumulative").index(r.kind) for r in problem.resources]
        self._known: dict[tuple[object, ...], int] = {}
        self._signs: list[tuple[object, ...]] = []
        self.rows: list[tuple[int, ...]] = []
        self.demands: list[tuple[int, ...]] = []

    def of(self, mode: Mode) -> int:
        """Its number; -1 when it asks for more than there ever is."""
        key = (mode.duration, mode.calendar, mode.split, mode.demands)
        if key not in self._known:
            self._known[key] = self._add(mode)
        return self._known[key]

    def table(self, times: NDArray[np.intp]) -> tuple[I32, int]:
        """The rows, and how many memos they need; `times` says how often each is used."""
        alike: Counter[tuple[object, ...]] = Counter()
        for sign, often in zip(self._signs, times.tolist(), strict=True):
            alike[sign] += often
        shared = {sign: n for n, sign in enumerate(s for s, often in alike.items() if often > 1)}
        table = _rows(self.rows, 15).astype(np.int32)
        table[:, MEMO] = [shared.get(sign, -1) for sign in self._signs]
        return table, len(shared)

    def _add(self, mode: Mode) -> int:
        total: Counter[int] = Counter()
        for r, amount in mode.demands:
            # A milestone holds nothing at any time.
            if mode.duration or self._kinds[r]:
                total[r] += amount
        if any(amount > self._res.most[r] for r, amount in total.items()):
            return -1
        mine = sorted(total.items(), key=lambda d: self._kinds[d[0]])
        columns = self._cal.columns(mode.calendar) if mode.duration else None
        sort = PLAIN if columns is None else SPLIT if mode.split else WHOLE
        start = len(self.demands)
        for r, amount in mine:
            offset, *periods = self._res.columns[r]
            self.demands.append((offset, amount, *periods))
        ends = (start + sum(self._kinds[r] <= kind for r, _ in mine) for kind in range(3))
        self.rows.append((mode.duration, sort, *(columns or (0,) * 7), start, *ends, -1, 0))
        self._signs.append((columns, sort, mode.duration, *(d for d in mine if self._kinds[d[0]] < 2)))
        return len(self.rows) - 1


def _pressure(problem: ScheduleProblem) -> list[float]:
    """For each resource the work that may fall to it, over its capacity."""
    work = [0.0] * len(problem.resources)
    for activity in problem.activities:
        for mode in activity.modes:
            for r, amount in mode.demands:
                work[r] += amount * mode.duration / len(activity.modes)
    return [w / max(1, max((c for _, c in r.levels), default=1)) for w, r in zip(work, problem.resources, strict=True)]


def _relations(problem: ScheduleProblem, act: I32) -> tuple[I32, I32, I32, I32]:
    count = len(problem.activities)
    rows = _rows([(r.before, r.after, GATES[r.gate], r.soft) for r in problem.relations], 4)
    pre = _sorted_by(rows, 1, count, act[:, PRE_FROM : PRE_TO + 1])
    suc = _sorted_by(rows, 0, count, act[:, SUC_FROM : SUC_TO + 1])
    rank, circles = _ranked(count, rows[rows[:, 3] == 0])
    act[:, CIRCLE] = -1
    members: list[int] = []
    for circle in circles:
        act[circle, CIRCLE] = len(members)
        members += [*circle, -1]
    return pre, suc, rank, np.array(members, np.int32)


def _sorted_by(rows: NDArray[np.generic], column: int, count: int, bounds: I32) -> I32:
    order = np.argsort(rows[:, column], kind="stable")
    ends = np.cumsum(np.bincount(rows[:, column].astype(np.int64), minlength=count))
    bounds[:, 1] = ends[:count]
    bounds[1:, 0] = ends[: count - 1] if count else ends[:0]
    keep = [c for c in range(4) if c != column]
    return np.ascontiguousarray(rows[order][:, keep], np.int32)


def _ranked(count: int, hard: NDArray[np.generic]) -> tuple[I32, list[list[int]]]:
    """Kahn's order by layers. What is left lies on circles of hard relations or behind one: it is ordered by the
    condensation. The circles come back, too."""
    if not len(hard):
        return np.arange(count, dtype=np.int32), []
    before, after = hard[:, 0].astype(np.int64), hard[:, 1].astype(np.int64)
    targets = after[np.argsort(before, kind="stable")].tolist()
    ends = np.cumsum(np.bincount(before, minlength=count)).tolist()
    waits = np.bincount(after, minlength=count).tolist()
    rank = [n for n in range(count) if not waits[n]]
    for n in rank:
        for target in targets[ends[n - 1] if n else 0 : ends[n]]:
            waits[target] -= 1
            if not waits[target]:
                rank.append(target)
    circles: list[list[int]] = []
    if len(rank) < count:
        left = {n for n in range(count) if waits[n]}
        for part in _parts(left, zip(before.tolist(), after.tolist(), strict=True)):
            rank += part
            if len(part) > 1:
                circles.append(part)
    return np.array(rank, np.int32), circles


def _parts(left: set[int], edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Strongly connected parts in an order in which what others wait for comes first."""
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(sorted(left))
    graph.add_edges_from((b, a) for b, a in edges if b in left and a in left)
    condensed = nx.condensation(graph)
    members = {part: sorted(condensed.nodes[part]["members"]) for part in condensed}
    return [members[part] for part in nx.lexicographical_topological_sort(condensed, key=lambda p: members[p][0])]


def _windows(problem: ScheduleProblem) -> I32:
    ticks = np.arange(problem.horizon + 2, dtype=np.int32)
    win = np.stack([ticks, ticks + 1], axis=1)
    for opens, closes in problem.windows:
        first, last = max(opens, 0), min(closes, problem.horizon + 2)
        if first < last:
            win[first:last] = opens, closes
    return win


def _goals(problem: ScheduleProblem, res: _Resources) -> tuple[I64, I64]:
    rows: list[tuple[int, int, int]] = []
    entries: list[tuple[int, int, int]] = []
    for goal in problem.goals:
        start = len(entries)
        if goal.kind == "peak":
            for r in goal.resources:
                length = problem.horizon + 1 if problem.resources[r].kind == "renewable" else res.columns[r][3]
                entries.append((res.columns[r][0], length, 0))
        elif goal.kind != "bridges":
            chosen = goal.activities
            if goal.kind == "makespan" and not chosen:
                chosen = tuple(range(len(problem.activities)))
            for n, activity in enumerate(chosen):
                weight = goal.weights[n] if goal.weights else 1
                tick = goal.ticks[n] if goal.ticks else 0
                entries.append(
                    (activity, weight, min(max(tick, 0), problem.horizon) if goal.kind == "deadlines" else tick)
                )
        rows.append((GOALS.index(goal.kind), start, len(entries)))
    return _rows(rows, 3), _rows(entries, 3)


def _limits(problem: ScheduleProblem, act: I32) -> None:
    """NOT_RISKY: the tick from which on the goal `risk` is content. END_LIMIT: how late an activity may be put when there is
    room to the right: horizon + 1: as late as one likes; horizon: up to the end of what the makespan counts; less, because
    a goal above the makespan counts it: up to this tick or the end it has."""
    horizon = problem.horizon
    act[:, END_LIMIT] = horizon + 1
    kinds = [g.kind for g in problem.goals]
    makespan = kinds.index("makespan") if "makespan" in kinds else len(kinds)
    for place, goal in enumerate(problem.goals):
        which = list(goal.activities)
        if goal.kind == "risk":
            for n, tick in zip(which, goal.ticks, strict=True):
                act[n, NOT_RISKY] = max(act[n, NOT_RISKY], min(tick, horizon + 1))
        elif goal.kind == "makespan":
            at = which or slice(None)
            act[at, END_LIMIT] = np.minimum(act[at, END_LIMIT], horizon)
        elif place < makespan and goal.kind in ("networks", "waiting"):
            act[which, END_LIMIT] = -1
        elif place < makespan and goal.kind == "deadlines":
            for n, tick in zip(which, goal.ticks, strict=True):
                act[n, END_LIMIT] = min(act[n, END_LIMIT], max(min(tick, horizon - 1), -1))
