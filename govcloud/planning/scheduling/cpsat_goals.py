"""Goals as CP-SAT expressions. Each is at least the goal's true value in every solution, and equal to it in a best one."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ortools.sat.python import cp_model

from govcloud.model.schedule import Goal, Schedule, ScheduleProblem
from govcloud.planning.scheduling.cpsat_domains import Span, unite
from govcloud.planning.scheduling.cpsat_model import Expr, Reading, ScheduleModel

Step = tuple[Span, int, int]
"""On the ticks of the span the value is slope × tick + constant."""


def add_goal(made: ScheduleModel, goal: Goal) -> Expr:
    """What is to be made small, with the variables and constraints it needs."""
    match goal.kind:
        case "makespan":
            return _makespan(made, goal)
        case "networks" | "waiting":
            steps = list(_time_steps(made.problem))
            terms = [w * _timed(made, n, steps) for n, w in zip(goal.activities, goal.weights, strict=True)]
            return cp_model.LinearExpr.sum(terms)
        case "deadlines":
            return _lateness(made, goal)
        case "risk":
            early = [made.member(n, [(0, tick)]) for n, tick in zip(goal.activities, goal.ticks, strict=True)]
            return cp_model.LinearExpr.weighted_sum(early, goal.weights)
        case "changes":
            same = []
            for n, tick in zip(goal.activities, goal.ticks, strict=True):
                same.append(made.member(n, [made.windows.of(tick) or (tick, tick + 1)]))
            return cp_model.LinearExpr.weighted_sum([~x for x in same], goal.weights)
        case "bridges":
            return cp_model.LinearExpr.sum([relation.weight * broken for relation, broken in made.broken])
        case "peak":
            return cp_model.LinearExpr.sum([_peak(made, number) for number in goal.resources])


def last_tick(problem: ScheduleProblem, time: int) -> int:
    """The last tick up to the horizon whose time is not later; −1 when there is none."""
    if not problem.scale:
        return min(time, problem.horizon)
    first, to = 0, problem.horizon + 1
    while first < to:
        middle = (first + to) // 2
        if problem.scale[middle] <= time:
            first = middle + 1
        else:
            to = middle
    return first - 1


def _time_steps(problem: ScheduleProblem) -> Iterator[Step]:
    """ScheduleProblem.scale as steps of slope 0 or 1."""
    if not problem.scale:
        yield (0, problem.horizon + 1), 1, 0
        return
    scale, first = problem.scale, 0
    while first <= problem.horizon:
        last, slope = first, 0
        if first < problem.horizon and (slope := scale[first + 1] - scale[first]) in (0, 1):
            while last < problem.horizon and scale[last + 1] - scale[last] == slope:
                last += 1
        else:
            slope = 0
        yield (first, last + 1), slope, scale[first] - slope * first
        first = last + 1


def _timed(made: ScheduleModel, n: int, steps: Sequence[Step]) -> Expr:
    """A function of the end of an activity; steps on which it is the same function share a literal."""
    alike: dict[tuple[int, int], list[Span]] = defaultdict(list)
    possible, values, at = made.end_spans[n], list[Span](), 0
    for (first, to), slope, constant in steps[bisect_right(steps, possible[0][0], key=lambda s: s[0][0]) - 1 :]:
        while at < len(possible) and possible[at][1] <= first:
            at += 1
        if at == len(possible):
            break
        for a, b in possible[at:]:
            if a >= to:
                break
            low, high = max(a, first), min(b, to)
            alike[slope, constant].append((low, high))
            values.append((low + constant, high + constant) if slope else (constant, constant + 1))
    end = made.ends[n]
    if len(alike) == 1:
        slope, constant = next(iter(alike))
        return slope * end + constant

    def reading(schedule: Schedule) -> int:
        tick = schedule.ends[n]
        return next((slope * tick + c for (a, b), slope, c in steps if a <= tick < b), 0)

    value = made.integer(unite(values), f"t{n}", reading)
    for (slope, constant), spans in alike.items():
        here = made.member(n, spans, of_end=True)
        made.model.add(value == slope * end + constant).only_enforce_if(here)
    return value


def _lateness(made: ScheduleModel, goal: Goal) -> Expr:
    problem = made.problem
    steps = list(_time_steps(problem))
    terms: list[Expr] = []
    for n, weight, tick in zip(goal.activities, goal.weights, goal.ticks, strict=True):
        due = problem.time(tick)
        on_time = last_tick(problem, due)
        late: list[Step] = [((0, on_time + 1), 0, 0)]
        for (first, to), slope, constant in steps:
            if to > on_time + 1:
                late.append(((max(first, on_time + 1), to), slope, constant - due))
        terms.append(weight * _timed(made, n, late))
    return cp_model.LinearExpr.sum(terms)


def _makespan(made: ScheduleModel, goal: Goal) -> Expr:
    problem, model = made.problem, made.model
    counted = goal.activities or range(len(problem.activities))
    if not counted:
        return 0
    last = max(made.times.latest_end[n] for n in counted)
    first = max(made.times.earliest_end[n] for n in counted)
    end = made.integer([(first, last + 1)], "end", lambda s: max(s.ends[n] for n in counted))
    for n in counted:
        model.add(made.ends[n] <= end)
    times = sorted({problem.time(t) for t in range(first, last + 1)})
    if times[-1] - times[0] == last - first and len(times) == last - first + 1:
        return end + (times[0] - first)

    def reading(schedule: Schedule) -> int:
        return problem.time(max(schedule.ends[n] for n in counted))

    value = made.integer([(t, t + 1) for t in times], "makespan", reading)
    for time, after in pairwise(times):
        short = made.boolean(f"makespan≤{time}", _at_most(reading, time))
        model.add(end <= last_tick(problem, time)).only_enforce_if(short)
        model.add(value <= time).only_enforce_if(short)
        model.add(value >= after).only_enforce_if(~short)
    return value


def _at_most(reading: Reading, limit: int) -> Reading:
    return lambda schedule: int(reading(schedule) <= limit)


def _peak(made: ScheduleModel, number: int) -> Expr:
    """The level that would be just enough."""
    resource, problem, model = made.problem.resources[number], made.problem, made.model
    if resource.kind == "renewable":
        intervals, amounts = made.use(number)
        level = model.new_int_var(0, sum(amounts), f"peak{number}")
        model.add_cumulative(intervals, amounts, level)
        return level
    edges = [t for t, _ in resource.levels if t <= problem.horizon] + [problem.horizon + 1]
    counts = [made.count(number, (a if resource.kind == "periodic" else 0, b)) for a, b in pairwise(edges)]
    level = model.new_int_var(0, max(possible for _, possible in counts), f"peak{number}")
    for taken, possible in counts:
        if possible:
            model.add(taken <= level)
    return level
