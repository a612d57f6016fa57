"""Crews and limits of a plan as resources of a schedule problem."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence, Set
from datetime import date, timedelta

from govcloud.model.plan_problem import PlanProblem, PlanResource
from govcloud.model.schedule import Resource
from govcloud.planning.axis import Axis
from govcloud.planning.crews import Pool

ALL_CREWS = "crew:all"
"""Whoever has a crew of a pool has one of all. Only where there are several pools."""
NO_CREW = "crew:none"
"""For jobs with skills that no crew has: there is none of it."""

_DAY = timedelta(days=1)


def build_resources(
    problem: PlanProblem, axis: Axis, pools: Sequence[Pool], over: Set[str], pairs: Sequence[tuple[str, str]]
) -> tuple[tuple[Resource, ...], Mapping[str, int]]:
    """The resources, and the index of each by id. `over`: jobs that are not planned any more, but have taken their part of
    what is taken once. `pairs`: groups that must not share a window."""
    in_window = {r for j in problem.jobs if j.calendar == "window" for r, _ in j.demands}
    taken: dict[str, int] = {}
    for job in problem.jobs:
        if job.job_id in over:
            for resource_id, amount in job.demands:
                taken[resource_id] = taken.get(resource_id, 0) + amount
    found = []
    for resource in problem.resources:
        rid, days_only = resource.resource_id, resource.resource_id not in in_window
        if resource.scope == "at_once":
            found.append(Resource(resource_id=rid, levels=_daily(resource, axis, False)))
        elif resource.scope == "per_window":
            found.append(Resource(resource_id=rid, kind="periodic", levels=_windows(resource, axis)))
        elif resource.scope == "per_month":
            found.append(Resource(resource_id=rid, kind="periodic", levels=_months(resource, axis, days_only)))
        else:
            levels = _stock(_daily(resource, axis, days_only), taken.get(rid, 0))
            found.append(Resource(resource_id=rid, kind="cumulative", levels=levels))
    found += [Resource(resource_id=f"crew:{i}", levels=((0, len(pool)),)) for i, pool in enumerate(pools)]
    if len(pools) > 1:
        found.append(Resource(resource_id=ALL_CREWS, levels=((0, len(problem.crews)),)))
    found.append(Resource(resource_id=NO_CREW, levels=((0, 0),)))
    single = tuple((at, 1) for at in (0, *(first for first, _ in axis.spans)))
    found += [Resource(resource_id=f"apart:{a}|{b}", kind="periodic", levels=single) for a, b in pairs]
    return tuple(found), {r.resource_id: i for i, r in enumerate(found)}


def limit_on(resource: PlanResource, day: date) -> int:
    at = bisect_right(resource.changes, day, key=lambda change: change[0])
    return max(0, resource.changes[at - 1][1] if at else resource.amount)


def _begin(axis: Axis, day: date, days_only: bool) -> int:
    """Where a day begins. For a limit that no cutover meets: right after the work of the day before, so that work of no
    length between two days counts for the day on which it is said to start."""
    return axis.day_tick(day - _DAY) + 1 if days_only and day > axis.starts_on else axis.day_tick(day)


def _daily(resource: PlanResource, axis: Axis, days_only: bool) -> tuple[tuple[int, int], ...]:
    levels = {0: limit_on(resource, axis.starts_on)}
    for day, _ in resource.changes:
        if day > axis.starts_on and (at := _begin(axis, day, days_only)) < axis.horizon:
            levels[at] = limit_on(resource, day)
    return tuple(levels.items())


def _windows(resource: PlanResource, axis: Axis) -> tuple[tuple[int, int], ...]:
    starts = [(first, limit_on(resource, w.opens_on)) for w, (first, _) in zip(axis.windows, axis.spans, strict=True)]
    return ((0, limit_on(resource, axis.starts_on)), *starts)


def _months(resource: PlanResource, axis: Axis, days_only: bool) -> tuple[tuple[int, int], ...]:
    """A limit that changes in the middle of a month: the smallest one holds for all of it."""
    levels: dict[int, int] = {}
    first, last = axis.starts_on.replace(day=1), axis.date_at(axis.horizon)
    while first <= last:
        following = (first + 31 * _DAY).replace(day=1)
        within = [limit_on(resource, day) for day, _ in resource.changes if first < day < following]
        at = _begin(axis, first, days_only) if first > axis.starts_on else 0
        if at < axis.horizon:
            levels[at] = min([limit_on(resource, first), *within])
        first = following
    return tuple(levels.items())


def _stock(levels: Sequence[tuple[int, int]], taken: int) -> tuple[tuple[int, int], ...]:
    """What can still be taken: a limit that falls later on binds from the beginning, as nothing is given back."""
    found: list[tuple[int, int]] = []
    least: int | None = None
    for at, amount in reversed(levels):
        least = amount if least is None else min(least, amount)
        found.append((at, max(0, least - taken)))
    return tuple(reversed(found))
