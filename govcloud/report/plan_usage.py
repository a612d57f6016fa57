"""What a plan takes over time: crews in each window, links from day to day, quotas as they fill up. Only counted here;
tables and curves show it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from govcloud.model.plan import MigrationPlan, Wave
from govcloud.model.plan_problem import Job, PlanResource
from govcloud.report.plan_index import minutes

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Point:
    on: date
    used: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The use of one resource. at_once and total: it holds from the point's day until the next point. per_window and
    per_month: a point for each window (its opening day) or month (its first day) in which something is used."""

    resource: PlanResource
    points: tuple[Point, ...]

    @property
    def peak(self) -> Point:
        """Where it comes nearest to its limit."""
        return max(self.points, key=lambda p: (share_pct(p.used, p.limit), p.used))


def share_pct(used: int, limit: int) -> float:
    """Above 100 where more is used than there is; an unused resource without a limit takes 0."""
    return 100 * used / limit if limit else (100.0 if used else 0.0)


def build_crew_minutes(plan: MigrationPlan) -> Mapping[str, Mapping[str, int]]:
    """Window id -> crew -> minutes from the first cutover of each group to the end of its reserve."""
    return {
        w.window.window_id: Counter(_spent(w)) for w in plan.waves
    }  # fmt: skip


def _spent(wave: Wave) -> dict[str, int]:
    spent: Counter[str] = Counter()
    for crew, start, end in _intervals(wave).values():
        spent[crew] += minutes(start, end)
    return dict(spent)


def _intervals(wave: Wave) -> dict[str, tuple[str, datetime, datetime]]:
    """Group id -> (crew, start, end) of what it holds of the window."""
    found: dict[str, tuple[str, datetime, datetime]] = {}
    for move in wave.moves:
        crew, start, end = found.get(move.group_id, (move.crew, move.starts_at, move.ends_at))
        found[move.group_id] = (crew, min(start, move.starts_at), max(end, move.ends_at))
    return found


def build_curves(plan: MigrationPlan) -> tuple[Curve, ...]:
    """Of every resource that is used at all, in the order of the problem; pairs that must stay apart are no resource."""
    jobs = {j.job_id: j for j in plan.problem.jobs}
    taken: dict[str, list[tuple[date, date, int]]] = defaultdict(list)
    nights: dict[str, list[tuple[Wave, str, int]]] = defaultdict(list)
    for activity in plan.activities:
        job = jobs.get(activity.job_id)
        for resource_id, amount in job.demands if job else ():
            taken[resource_id].append((activity.starts_on, activity.ends_on, amount))
    cutovers = {j.subject_id: j for j in plan.problem.jobs if j.kind == "cutover"}
    for wave in plan.waves:
        for group_id in dict.fromkeys(m.group_id for m in wave.moves):
            for resource_id, amount in _demands(cutovers.get(group_id)):
                nights[resource_id].append((wave, group_id, amount))
    return tuple(
        Curve(resource=r, points=_points(plan, r, taken[r.resource_id], nights[r.resource_id]))
        for r in plan.problem.resources
        if not r.resource_id.startswith("apart:") and (r.resource_id in taken or r.resource_id in nights)
    )


def _demands(job: Job | None) -> Sequence[tuple[str, int]]:
    return job.demands if job else ()


def _points(
    plan: MigrationPlan, resource: PlanResource, taken: Sequence[tuple[date, date, int]],
    nights: Sequence[tuple[Wave, str, int]],
) -> tuple[Point, ...]:  # fmt: skip
    if resource.scope == "at_once":
        return _levels(plan, resource, taken, nights)
    starts = [(start, amount) for start, _, amount in taken] + [(w.window.opens_on, amount) for w, _, amount in nights]
    counts: Counter[date] = Counter()
    for start, amount in starts:
        counts[start.replace(day=1) if resource.scope == "per_month" else start] += amount
    if resource.scope != "total":
        return tuple(Point(on, used, limit_on(resource, on)) for on, used in sorted(counts.items()))
    days = sorted({*counts, *_limit_days(plan, resource)})
    filled, points = 0, []
    for on in days:
        filled += counts[on]
        points.append(Point(on, filled, limit_on(resource, on)))
    return tuple(points)


def limit_on(resource: PlanResource, on: date) -> int:
    return next((amount for since, amount in reversed(resource.changes) if since <= on), resource.amount)


def _limit_days(plan: MigrationPlan, resource: PlanResource) -> Iterable[date]:
    return (plan.problem.starts_on, *(since for since, _ in resource.changes))


def _levels(
    plan: MigrationPlan, resource: PlanResource, taken: Sequence[tuple[date, date, int]],
    nights: Sequence[tuple[Wave, str, int]],
) -> tuple[Point, ...]:  # fmt: skip
    """By day: what is held during it, or in the night of its window if that is more."""
    by_day, over_night = _sums(taken, last=0), _sums(taken, last=1)
    busy: dict[date, int] = {}
    for wave, together in _by_wave(nights):
        busy[wave.window.opens_on] = max(busy.get(wave.window.opens_on, 0), together)
    days = sorted({*by_day, *_limit_days(plan, resource), *busy, *(on + _DAY for on in busy)})
    held, evening, points = 0, 0, []
    drops = sorted(over_night.items())
    at = 0
    for on in days:
        held += by_day[on]
        while at < len(drops) and drops[at][0] <= on:
            evening += drops[at][1]
            at += 1
        used = max(held, evening + busy[on]) if on in busy else held
        points.append(Point(on, used, limit_on(resource, on)))
    return tuple(points)


def _sums(taken: Sequence[tuple[date, date, int]], last: int) -> Counter[date]:
    """Changes of the amount in use by day. `last` 1: as of the evening, when what ends on that day is over."""
    changes: Counter[date] = Counter()
    for start, end, amount in taken:
        stop = end + _DAY - timedelta(days=last)
        if stop > start:
            changes[start] += amount
            changes[stop] -= amount
    return changes


def _by_wave(nights: Sequence[tuple[Wave, str, int]]) -> Iterable[tuple[Wave, int]]:
    """The most that the cutovers of a wave hold at the same minute."""
    grouped: dict[int, list[tuple[Wave, str, int]]] = defaultdict(list)
    for wave, group_id, amount in nights:
        grouped[wave.number].append((wave, group_id, amount))
    for entries in grouped.values():
        wave = entries[0][0]
        spans = _intervals(wave)
        changes: Counter[datetime] = Counter()
        for _, group_id, amount in entries:
            _, start, end = spans[group_id]
            changes[start] += amount
            changes[end] -= amount
        level = most = 0
        for _, change in sorted(changes.items()):
            level += change
            most = max(most, level)
        yield wave, most
