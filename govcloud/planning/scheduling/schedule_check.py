"""The judge of schedules: every rule of model/schedule.py derived again from the problem, and the value of every goal.

It shares no code with a solver and imports none, nor numpy or numba: what a search believes about calendars, gates or
resources is not believed here. Work is near-linear: a resource is swept over the starts and ends of its users, never tick
by tick.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby

from govcloud.model.schedule import Calendar, Goal, Mode, Relation, Resource, Schedule, ScheduleProblem


def verify_schedule(problem: ScheduleProblem, schedule: Schedule) -> list[str]:
    """What the schedule breaks, in English and in the terms of model/schedule.py; empty when it holds.

    Overloads are told once for each resource (the first tick or period), everything else each time. Soft relations are
    never a fault. A schedule whose columns have the wrong length or whose modes don't exist is not looked at further.
    """
    count = len(problem.activities)
    if {len(schedule.starts), len(schedule.ends), len(schedule.modes)} != {count}:
        return [f"The problem has {count} activities; starts, ends and modes must be as many."]
    faults = [
        f"{activity.activity_id}: there is no mode {mode}."
        for activity, mode in zip(problem.activities, schedule.modes, strict=True)
        if not 0 <= mode < len(activity.modes)
    ]
    if faults:
        return faults
    faults.extend(_time_faults(problem, schedule))
    faults.extend(_relation_faults(problem, schedule))
    faults.extend(_resource_faults(problem, schedule))
    return faults


def measure(problem: ScheduleProblem, schedule: Schedule) -> tuple[int, ...]:
    """The value of each goal of the problem, in order. The schedule must have a start, an end within the horizon and a
    mode that exists for each activity; it need not hold."""
    return tuple(_value(problem, schedule, goal) for goal in problem.goals)


def _time_faults(problem: ScheduleProblem, schedule: Schedule) -> Iterator[str]:
    calendars = [_Worked(c) for c in problem.calendars]
    for n, activity in enumerate(problem.activities):
        start, end = schedule.starts[n], schedule.ends[n]
        mode = activity.modes[schedule.modes[n]]
        name = activity.activity_id
        if start < max(0, activity.release):
            yield f"{name}: starts at {start}, before its release {activity.release}."
        if end > problem.horizon:
            yield f"{name}: ends at {end}, after the horizon {problem.horizon}."
        if activity.deadline is not None and end > activity.deadline:
            yield f"{name}: ends at {end}, after its deadline {activity.deadline}."
        due = start if mode.duration == 0 else calendars[mode.calendar].end(start, mode)
        if due is None:
            yield f"{name}: {mode.duration} ticks from {start} do not fit the calendar {problem.calendars[mode.calendar].name}."
        elif due != end:
            yield f"{name}: from {start} it ends at {due}, not at {end}."


class _Worked:
    """Working ticks of a calendar, counted up to the beginning of each span."""

    def __init__(self, calendar: Calendar) -> None:
        self.begins = [first for first, _ in calendar.spans]
        self.ends = [last for _, last in calendar.spans]
        self.before = list(accumulate((last - first for first, last in calendar.spans), initial=0))

    def end(self, start: int, mode: Mode) -> int | None:
        """The exclusive end of a mode of some duration; None when `start` is no working tick or the calendar breaks in on
        it or ends too soon."""
        span = bisect_right(self.begins, start) - 1
        if span < 0 or start >= self.ends[span]:
            return None
        if not mode.split:
            return start + mode.duration if start + mode.duration <= self.ends[span] else None
        # The last working tick is the one before which this many have been worked since the calendar's first.
        last = self.before[span] + start - self.begins[span] + mode.duration - 1
        if last >= self.before[-1]:
            return None
        at = bisect_right(self.before, last) - 1
        return self.begins[at] + last - self.before[at] + 1


def _relation_faults(problem: ScheduleProblem, schedule: Schedule) -> Iterator[str]:
    openings = [first for first, _ in problem.windows]
    for relation in problem.relations:
        if relation.soft:
            continue
        earliest = _gate(problem, openings, schedule, relation)
        if schedule.starts[relation.after] < earliest:
            before, after = (problem.activities[n].activity_id for n in (relation.before, relation.after))
            yield f"{after}: starts at {schedule.starts[relation.after]}, {before} ({relation.gate}) lets it start at {earliest}."


def _gate(problem: ScheduleProblem, openings: Sequence[int], schedule: Schedule, relation: Relation) -> int:
    """The first tick at which `after` may start."""
    if relation.gate == "end":
        return schedule.ends[relation.before]
    start = schedule.starts[relation.before]
    window = _window(problem, openings, start)
    opens, closes = problem.windows[window] if window is not None else (start, start + 1)
    return opens if relation.gate == "window" else closes


def _window(problem: ScheduleProblem, openings: Sequence[int], tick: int) -> int | None:
    at = bisect_right(openings, tick) - 1
    return at if at >= 0 and tick < problem.windows[at][1] else None


def _demands(problem: ScheduleProblem, schedule: Schedule) -> dict[int, list[tuple[int, int, int]]]:
    """resource → (start, end, amount) of each of its users."""
    found: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for n, activity in enumerate(problem.activities):
        for resource, amount in activity.modes[schedule.modes[n]].demands:
            found[resource].append((schedule.starts[n], schedule.ends[n], amount))
    return found


def _resource_faults(problem: ScheduleProblem, schedule: Schedule) -> Iterator[str]:
    for number, users in sorted(_demands(problem, schedule).items()):
        resource = problem.resources[number]
        ticks = [tick for tick, _ in resource.levels]
        use = _in_use(users) if resource.kind == "renewable" else _taken(resource, ticks, users)
        if resource.kind != "periodic":
            # The capacity may fall while nothing starts or ends.
            use = _at_levels(use, ticks)
        for tick, amount in use:
            capacity = resource.levels[max(bisect_right(ticks, tick) - 1, 0)][1]
            if amount > capacity:
                yield f"{resource.resource_id} ({resource.kind}): {amount} at {tick}, {capacity} are there."
                break


def _in_use(users: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """(tick, amount in use from there to the next entry) of a renewable resource."""
    steps = [(start, amount) for start, end, amount in users if end > start]
    steps += [(end, -amount) for start, end, amount in users if end > start]
    changes = [(tick, sum(a for _, a in each)) for tick, each in groupby(sorted(steps), key=lambda s: s[0])]
    return list(zip([t for t, _ in changes], accumulate(a for _, a in changes), strict=True))


def _taken(resource: Resource, ticks: Sequence[int], users: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """(first tick of a period, amount counted in it) of a periodic, (…, amount taken so far) of a cumulative resource."""
    counted: dict[int, int] = defaultdict(int)
    for start, _, amount in users:
        counted[max(bisect_right(ticks, start) - 1, 0)] += amount
    periods = sorted(counted)
    amounts = [counted[p] for p in periods]
    return list(
        zip([ticks[p] for p in periods], amounts if resource.kind == "periodic" else accumulate(amounts), strict=True)
    )


def _at_levels(use: Sequence[tuple[int, int]], ticks: Sequence[int]) -> list[tuple[int, int]]:
    """`use` with an entry for each of `ticks` on top."""
    at = [tick for tick, _ in use]
    more = [(tick, use[n - 1][1]) for tick in ticks if (n := bisect_right(at, tick)) and at[n - 1] != tick]
    return sorted([*use, *more])


def _value(problem: ScheduleProblem, schedule: Schedule, goal: Goal) -> int:
    ends = [problem.time(schedule.ends[n]) for n in goal.activities]
    match goal.kind:
        case "deadlines":
            due = [problem.time(tick) for tick in goal.ticks]
            return sum(w * max(0, e - d) for w, e, d in zip(goal.weights, ends, due, strict=True))
        case "networks" | "waiting":
            return sum(w * e for w, e in zip(goal.weights, ends, strict=True))
        case "makespan":
            return max(ends if goal.activities else map(problem.time, schedule.ends), default=0)
        case "risk":
            early = (schedule.starts[n] < tick for n, tick in zip(goal.activities, goal.ticks, strict=True))
            return sum(w for w, is_early in zip(goal.weights, early, strict=True) if is_early)
        case "changes":
            return sum(w for w, moved in zip(goal.weights, _moved(problem, schedule, goal), strict=True) if moved)
        case "bridges":
            return _broken(problem, schedule)
        case "peak":
            return _peaks(problem, schedule, goal)


def _moved(problem: ScheduleProblem, schedule: Schedule, goal: Goal) -> Iterator[bool]:
    openings = [first for first, _ in problem.windows]
    for n, tick in zip(goal.activities, goal.ticks, strict=True):
        start = schedule.starts[n]
        window = _window(problem, openings, start)
        yield start != tick and (window is None or window != _window(problem, openings, tick))


def _broken(problem: ScheduleProblem, schedule: Schedule) -> int:
    openings = [first for first, _ in problem.windows]
    return sum(
        r.weight
        for r in problem.relations
        if r.soft and schedule.starts[r.after] < _gate(problem, openings, schedule, r)
    )


def _peaks(problem: ScheduleProblem, schedule: Schedule, goal: Goal) -> int:
    users = _demands(problem, schedule)
    total = 0
    for number in goal.resources:
        resource = problem.resources[number]
        mine = users.get(number, [])
        use = _in_use(mine) if resource.kind == "renewable" else _taken(resource, [t for t, _ in resource.levels], mine)
        total += max((amount for _, amount in use), default=0)
    return total
