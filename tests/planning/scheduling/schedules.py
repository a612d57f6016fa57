"""Scheduling problems for tests: strategies with every feature of model/schedule.py, problems with a planted schedule or a
planted conflict, small ones made by hand, one that looks like an office (office_schedules.py), and the true optimum of tiny ones by trying all.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st
from office_schedules import office as office
from office_schedules import week_windows as week_windows

from govcloud.model.schedule import (
    Activity,
    Calendar,
    Goal,
    Mode,
    Relation,
    Resource,
    Schedule,
    ScheduleProblem,
)
from govcloud.planning.scheduling.schedule_check import measure

Choice = tuple[int, int, int]
"""mode, start, end"""


# -- strategies --------------------------------------------------------------------------------------------------------


@st.composite
def spans(draw: st.DrawFn, horizon: int) -> tuple[tuple[int, int], ...]:
    """Ascending spans in [0, horizon) that do not touch."""
    cuts = draw(st.lists(st.integers(0, horizon), max_size=6, unique=True).map(sorted))
    return tuple((cuts[n], cuts[n + 1]) for n in range(0, len(cuts) - 1, 2)) or ((0, horizon),)


@st.composite
def resources(draw: st.DrawFn, horizon: int, most: int) -> Resource:
    kind = draw(st.sampled_from(["renewable", "periodic", "cumulative"]))
    ticks = draw(st.lists(st.integers(1, max(1, horizon - 1)), max_size=3, unique=True).map(sorted))
    return Resource(
        resource_id=f"{kind}-{draw(st.integers(0, 99))}",
        kind=kind,  # type: ignore[arg-type]
        levels=tuple((tick, draw(st.integers(0, most))) for tick in [0, *ticks]),
    )


@st.composite
def modes(draw: st.DrawFn, calendars: int, kept: int, longest: int) -> Mode:
    using = draw(st.lists(st.integers(0, kept - 1), max_size=2, unique=True)) if kept else []
    return Mode(
        duration=draw(st.integers(0, longest)),
        calendar=draw(st.integers(0, calendars - 1)),
        split=draw(st.booleans()),
        demands=tuple((r, draw(st.integers(1, 2))) for r in sorted(using)),
    )


@st.composite
def goals(draw: st.DrawFn, activities: int, kept: tuple[Resource, ...], horizon: int) -> tuple[Goal, ...]:
    """One to three goals of different kinds."""
    kinds = ["deadlines", "networks", "risk", "makespan", "bridges", "peak", "changes", "waiting"]
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3, unique=True))
    return tuple(draw(_goal(kind, activities, kept, horizon)) for kind in chosen)


@st.composite
def _goal(draw: st.DrawFn, kind: str, activities: int, kept: tuple[Resource, ...], horizon: int) -> Goal:
    if kind == "bridges":
        return Goal(kind="bridges")
    if kind == "peak":
        counted = [n for n, r in enumerate(kept) if r.kind != "cumulative"]
        return Goal(kind="peak", resources=tuple(counted))
    some = tuple(draw(st.lists(st.integers(0, activities - 1), min_size=1, unique=True).map(sorted)))
    if kind == "makespan":
        return Goal(kind="makespan", activities=draw(st.sampled_from([(), some])))
    return Goal(
        kind=kind,  # type: ignore[arg-type]
        activities=some,
        weights=tuple(draw(st.integers(1, 5)) for _ in some),
        ticks=tuple(draw(st.integers(0, horizon)) for _ in some) if kind in ("deadlines", "risk", "changes") else (),
    )


@st.composite
def problems(draw: st.DrawFn, most_activities: int = 4, horizon: int = 10, longest: int = 4) -> ScheduleProblem:
    """Everything at once; about a third of them have no schedule at all. The default size suits `optimum`."""
    horizon = draw(st.integers(max(2, horizon // 2), horizon))
    more = [Calendar(name=f"calendar-{n}", spans=draw(spans(horizon))) for n in range(draw(st.integers(0, 2)))]
    calendars = (always(horizon), *more)
    kept = tuple(
        replace(draw(resources(horizon, 4)), resource_id=f"resource-{n}") for n in range(draw(st.integers(0, 3)))
    )
    count = draw(st.integers(1, most_activities))
    activities = tuple(
        Activity(
            activity_id=f"activity-{n}",
            modes=tuple(draw(modes(len(calendars), len(kept), longest)) for _ in range(draw(st.integers(1, 2)))),
            release=draw(st.integers(0, 3)),
            deadline=draw(st.none() | st.integers(horizon // 2, horizon)),
        )
        for n in range(count)
    )
    pairs = [(a, b) for a in range(count) for b in range(count) if a < b]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=count, unique=True)) if pairs else []
    relations = tuple(
        # A few soft ones point back: a cycle of wishes.
        Relation(before=b if soft and back else a, after=a if soft and back else b, gate=gate, soft=soft, weight=weight)  # type: ignore[arg-type]
        for a, b in chosen
        for gate, soft, back, weight in [draw(st.tuples(st.sampled_from(["end", "window", "next_window"]), st.booleans(), st.booleans(), st.integers(1, 3)))]
    )  # fmt: skip
    return ScheduleProblem(
        horizon=horizon,
        calendars=calendars,
        resources=kept,
        activities=activities,
        relations=relations,
        windows=draw(st.just(()) | spans(horizon)),
        goals=draw(goals(count, kept, horizon)),
        scale=draw(st.just(()) | st.just(tuple(t // 3 for t in range(horizon + 1)))),
    )


@st.composite
def planted(draw: st.DrawFn, most_activities: int = 12, horizon: int = 40) -> tuple[ScheduleProblem, Schedule]:
    """A problem and a schedule that holds in it: relations, deadlines and capacities are derived from the schedule."""
    loose = draw(problems(most_activities=most_activities, horizon=horizon))
    seed = draw(st.integers(0, 2**32 - 1))
    return plant(loose, random.Random(seed))  # noqa: S311


def plant(loose: ScheduleProblem, dice: random.Random) -> tuple[ScheduleProblem, Schedule]:
    """`loose` with what it asks for bent round a random placing; an activity that fits nowhere becomes a milestone."""
    activities, chosen = [], []
    for activity in loose.activities:
        free = replace(activity, deadline=None)
        found = choices(loose, free)
        if not found:
            free = replace(free, release=0, modes=(Mode(duration=0),))
            found = choices(loose, free)
        mode, start, end = dice.choice(found)
        activities.append(
            replace(free, deadline=min(loose.horizon, end + dice.randrange(6)) if dice.random() < 0.5 else None)
        )
        chosen.append((mode, start, end))
    schedule = Schedule(
        starts=tuple(s for _, s, _ in chosen), ends=tuple(e for _, _, e in chosen), modes=tuple(m for m, _, _ in chosen)
    )
    problem = replace(loose, activities=tuple(activities))
    relations = tuple(
        r if r.soft or schedule.starts[r.after] >= gate(problem, r, (chosen[r.before])) else replace(r, soft=True)
        for r in loose.relations
    )
    return replace(problem, relations=relations, resources=_wide(problem, schedule)), schedule


def _wide(problem: ScheduleProblem, schedule: Schedule) -> tuple[Resource, ...]:
    """The resources with levels raised just as far as the schedule needs."""
    made = []
    for number, resource in enumerate(problem.resources):
        ticks = [t for t, _ in resource.levels]
        need = [0] * len(ticks)
        use = _use(problem, schedule, number)
        for tick, amount in use.items():
            period = bisect_right(ticks, tick) - 1
            need[period] = max(need[period], amount)
        if resource.kind == "cumulative":
            for n in range(1, len(need)):
                need[n] = max(need[n], need[n - 1])
        levels = tuple((t, max(c, n)) for (t, c), n in zip(resource.levels, need, strict=True))
        made.append(replace(resource, levels=levels))
    return tuple(made)


def _use(problem: ScheduleProblem, schedule: Schedule, number: int) -> dict[int, int]:
    """tick → amount; of a periodic or cumulative resource at the first tick of each period."""
    resource = problem.resources[number]
    ticks = [t for t, _ in resource.levels]
    use: dict[int, int] = {}
    for n, activity in enumerate(problem.activities):
        for asked, amount in activity.modes[schedule.modes[n]].demands:
            if asked != number:
                continue
            if resource.kind == "renewable":
                held = list(range(schedule.starts[n], schedule.ends[n]))
            else:
                first = bisect_right(ticks, schedule.starts[n]) - 1
                held = ticks[first:] if resource.kind == "cumulative" else ticks[first : first + 1]
            for tick in held:
                use[tick] = use.get(tick, 0) + amount
    return use


@st.composite
def conflicting(draw: st.DrawFn) -> tuple[ScheduleProblem, tuple[int, ...], int]:
    """A problem without a schedule, the activities that can't all be done and the one resource on which they clash; without
    any one of them, or with one unit more of the resource, all the rest fits."""
    clashing = draw(st.integers(2, 4))
    others = draw(st.integers(0, 4))
    length = draw(st.integers(1, 3))
    horizon = 4 * length * (clashing + others)
    capacity = clashing - 1
    culprits = [
        Activity(
            activity_id=f"culprit-{n}",
            modes=(Mode(duration=length, demands=((0, 1),)),),
            # Any two intervals of this length in less than twice the length overlap.
            deadline=2 * length - 1,
        )
        for n in range(clashing)
    ]
    innocents = [
        Activity(
            activity_id=f"innocent-{n}",
            modes=(Mode(duration=draw(st.integers(1, 3)), demands=((1, 1),)),),
            deadline=draw(st.none() | st.just(horizon)),
        )
        for n in range(others)
    ]
    mixed = draw(st.permutations([*culprits, *innocents]))
    problem = ScheduleProblem(
        horizon=horizon,
        calendars=(always(horizon),),
        resources=(
            Resource(resource_id="scarce", levels=((0, capacity),)),
            Resource(resource_id="plenty", levels=((0, max(1, others)),)),
        ),
        activities=tuple(mixed),
    )
    return problem, tuple(n for n, a in enumerate(mixed) if a.activity_id.startswith("culprit")), 0


# -- the truth about tiny ones -----------------------------------------------------------------------------------------


def choices(problem: ScheduleProblem, activity: Activity) -> list[Choice]:
    """Every way to place one activity by itself, tick by tick."""
    latest = problem.horizon if activity.deadline is None else min(activity.deadline, problem.horizon)
    found = []
    for number, mode in enumerate(activity.modes):
        working = {t for a, b in problem.calendars[mode.calendar].spans for t in range(a, b)}
        for start in range(max(0, activity.release), latest + 1):
            if mode.duration == 0:
                found.append((number, start, start))
                continue
            left, tick = mode.duration, start
            if start not in working:
                continue
            while left and tick < latest:
                if tick in working:
                    left -= 1
                elif not mode.split:
                    break
                tick += 1
            if not left:
                found.append((number, start, tick))
    return found


def gate(problem: ScheduleProblem, relation: Relation, before: Choice) -> int:
    """The first tick at which `after` may start."""
    _, start, end = before
    if relation.gate == "end":
        return end
    opens, closes = next(((a, b) for a, b in problem.windows if a <= start < b), (start, start + 1))
    return opens if relation.gate == "window" else closes


def every_schedule(problem: ScheduleProblem) -> Iterator[Schedule]:
    """All schedules that hold. Exponential: for tiny problems only."""
    options = [choices(problem, a) for a in problem.activities]
    hard = [r for r in problem.relations if not r.soft]
    chosen: list[Choice] = []

    def place() -> Iterator[Schedule]:
        n = len(chosen)
        if n == len(options):
            yield Schedule(
                starts=tuple(s for _, s, _ in chosen),
                ends=tuple(e for _, _, e in chosen),
                modes=tuple(m for m, _, _ in chosen),
            )
            return
        for option in options[n]:
            chosen.append(option)
            if _fits(problem, chosen, hard):
                yield from place()
            chosen.pop()

    yield from place()


def _fits(problem: ScheduleProblem, chosen: list[Choice], hard: list[Relation]) -> bool:
    last = len(chosen) - 1
    for r in hard:
        if max(r.before, r.after) == last and chosen[r.after][1] < gate(problem, r, chosen[r.before]):
            return False
    part = replace(problem, activities=problem.activities[: last + 1])
    schedule = Schedule(
        starts=tuple(s for _, s, _ in chosen), ends=tuple(e for _, _, e in chosen), modes=tuple(m for m, _, _ in chosen)
    )
    for number in {r for r, _ in problem.activities[last].modes[chosen[last][0]].demands}:
        levels = problem.resources[number].levels
        for tick, amount in _use(part, schedule, number).items():
            if amount > levels[bisect_right([t for t, _ in levels], tick) - 1][1]:
                return False
    return True


def every_value(problem: ScheduleProblem) -> set[tuple[int, ...]]:
    """The goal values of all schedules; empty when there is none."""
    return {measure(problem, s) for s in every_schedule(problem)}


def optimum(problem: ScheduleProblem) -> tuple[int, ...] | None:
    """Goal by goal in their order; None when there is no schedule."""
    return min(every_value(problem), default=None)


# -- by hand -----------------------------------------------------------------------------------------------------------


def always(horizon: int) -> Calendar:
    return Calendar(name="always", spans=((0, horizon),))


def textbook() -> tuple[ScheduleProblem, int]:
    """Six activities, one renewable resource of 4; the least makespan is 10: no two of the first, second, third and fifth
    fit side by side, though the energy of 31 would fit in 8 ticks."""
    lengths, amounts = (3, 4, 2, 2, 1, 4), (2, 3, 4, 1, 3, 0)
    activities = tuple(
        Activity(
            activity_id=f"activity-{n}",
            modes=(Mode(duration=d, demands=((0, a),) if a else ()),),
        )
        for n, (d, a) in enumerate(zip(lengths, amounts, strict=True))
    )
    relations = (Relation(before=0, after=3), Relation(before=4, after=1), Relation(before=0, after=5))
    return ScheduleProblem(
        horizon=30, calendars=(always(30),), resources=(Resource(resource_id="people", levels=((0, 4),)),),
        activities=activities, relations=relations,
    ), 10  # fmt: skip
