"""Conflicts by counting: what the groups need together is more than the period, or the windows up to a date, have to give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from govcloud.model.plan_problem import ChangeWindow, PlanProblem, PlanResource
from govcloud.planning.conflict_local import TICK_MIN, Clash, Openings, needed_causes
from govcloud.planning.demands import MOST_NAMED, Cause, places
from govcloud.planning.placing import is_general, meets
from govcloud.planning.verify_limits import limit_on

_DAY = timedelta(days=1)


def find_overloads(openings: Openings) -> Iterator[Clash]:
    """Of the quotas that are taken for good, and of the whole period: crews, windows, months, links."""
    problem = openings.problem
    before = _before_cutovers(problem)
    for resource in problem.resources:
        if resource.scope == "total":
            last = max((day for day, _ in resource.changes), default=problem.starts_on)
            needs = _needs(problem, resource, lambda _: True)
            taken = needs.pop("", 0)
            yield from _clash(needs, limit_on(resource, last) - taken, (("resource", resource.resource_id),))
        else:
            yield from _over_period(openings, resource, before)
    yield from _crews(openings)


def _clash(needs: Mapping[str, int], available: int, causes: tuple[Cause, ...]) -> Iterator[Clash]:
    """Of a few groups the greatest needs that exceed what there is: without any one of them the rest is below it. Of many
    groups all: which of them would exceed it first tells nobody anything."""
    if sum(needs.values()) <= available:
        return
    chosen, total = [], 0
    for group_id, need in sorted(needs.items(), key=lambda item: (-item[1], item[0])):
        if total <= available or len(needs) > MOST_NAMED:
            chosen.append(group_id)
            total += need
    yield Clash(causes=(*places(chosen), *causes), group_ids=tuple(sorted(chosen)), counted=True)


def _needs(
    problem: PlanProblem, resource: PlanResource, counts: Callable[[str], bool], days: bool = False
) -> dict[str, int]:
    """What each group takes of a resource with the jobs that count; under "" what has been taken by those that are over."""
    executed = {p.group_id for p in problem.pins if p.source == "executed"}
    found: dict[str, int] = {}
    for job in problem.jobs:
        amount = sum(a for r, a in job.demands if r == resource.resource_id)
        if amount and counts(job.job_id):
            key = "" if job.subject_id in executed else job.subject_id
            found[key] = found.get(key, 0) + (amount * job.length if days else amount)
    return found


def _before_cutovers(problem: PlanProblem) -> frozenset[str]:
    """Days of work that must be over before the last window: what cutovers wait for."""
    executed = {p.group_id for p in problem.pins if p.source == "executed"}
    after = {j.job_id: j.after for j in problem.jobs}
    waiting = [a for j in problem.jobs if j.calendar == "window" and j.subject_id not in executed for a in j.after]
    found: set[str] = set()
    while waiting:
        job_id = waiting.pop()
        if job_id in after and job_id not in found:
            found.add(job_id)
            waiting += after[job_id]
    return frozenset(found)


def _over_period(openings: Openings, resource: PlanResource, before: frozenset[str]) -> Iterator[Clash]:
    problem = openings.problem
    windows = [w for n, w in enumerate(openings.windows) if not openings.beyond >> n & 1]
    if not windows:
        return
    last = windows[-1].opens_on
    causes: tuple[Cause, ...] = (("resource", resource.resource_id), ("weeks", ""))
    if resource.scope == "per_window":
        needs = _needs(problem, resource, _window_jobs(problem).__contains__)
        needs.pop("", None)
        yield from _closing(openings, needs, causes, lambda w: limit_on(resource, w.opens_on))
        return
    needs = _needs(problem, resource, before.__contains__, days=resource.scope == "at_once")
    needs.pop("", None)
    if resource.scope == "per_month":
        available = sum(limit_on(resource, month) for month in _months(problem.starts_on, last))
        available += sum(max(0, amount - resource.amount) for _, amount in resource.changes)
    else:
        days = (last - problem.starts_on).days + 1
        available = sum(limit_on(resource, problem.starts_on + n * _DAY) for n in range(days))
    yield from _clash(needs, available, causes)


def _window_jobs(problem: PlanProblem) -> frozenset[str]:
    return frozenset(j.job_id for j in problem.jobs if j.calendar == "window")


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + 31 * _DAY).replace(day=1)


def _crews(openings: Openings) -> Iterator[Clash]:
    crews = len(openings.problem.crews)
    needs = {g: ticks(j.length) for g, j in openings.cutovers.items() if j.crew_skills is not None}
    yield from _closing(
        openings, needs, (("crews", ""), ("weeks", ""), ("window_length", "")), lambda w: crews * window_ticks(w)
    )


def _closing(
    openings: Openings, needs: Mapping[str, int], causes: tuple[Cause, ...], has: Callable[[ChangeWindow], int]
) -> Iterator[Clash]:
    """With the freezes for everybody among the causes, as far as it would do without them."""
    windows = [w for n, w in enumerate(openings.windows) if not openings.beyond >> n & 1]
    frozen = {f.name for f in openings.problem.freezes if is_general(f) and not f.exceptions}
    total = sum(needs.values())

    def available(names: set[str]) -> int:
        closing = [f for f in openings.problem.freezes if f.name in names]
        return sum(has(w) for w in windows if not any(meets(w, f) for f in closing))

    if total <= available(frozen):
        return
    for name in sorted(frozen):
        if total > available(frozen - {name}):
            frozen.discard(name)
    yield from _clash(needs, available(frozen), (*causes, *(("freeze", name) for name in sorted(frozen))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Groups that can't all have their windows by a date: where a search for the conflict should look first."""

    group_ids: tuple[str, ...]
    last: int
    """Index of the last window that any of them can have."""
    limits: tuple[Cause, ...]
    """What there is too little of."""


def find_throngs(openings: Openings, open_windows: Mapping[str, int]) -> Iterator[Clash]:
    """Crowds of more groups than one would name: spoken of by the date by which all of them have to move."""
    for crowd in find_crowds(openings, open_windows):
        if len(crowd.group_ids) <= MOST_NAMED or openings.beyond >> crowd.last & 1:
            continue
        later = openings.all & ~((2 << crowd.last) - 1)
        found = {c: None for g in crowd.group_ids for c in needed_causes(openings, g, later)}
        if not any(kind in ("not_after", "pin") for kind, _ in found):
            # It is the period that ends: counted as a whole.
            continue
        dates = [d for k, s in found if k == "not_after" and (d := openings.task[s].not_after_on)]
        causes = [c for c in found if c[0] != "not_after"]
        if dates:
            causes.append(("not_after", max(dates).isoformat()))
        yield Clash(causes=(("place", ""), *crowd.limits, *causes), group_ids=crowd.group_ids, counted=True)


def find_crowds(openings: Openings, open_windows: Mapping[str, int]) -> Sequence[Crowd]:
    """For crews and each resource of the windows the earliest date by which more is needed than there is, and of the groups
    that have to move by then the ones that need most."""
    problem = openings.problem
    crews = len(problem.crews)
    jobs = _window_jobs(problem)
    in_crews = {g: ticks(j.length) for g, j in openings.cutovers.items() if j.crew_skills is not None}
    needs: list[tuple[Mapping[str, int], Callable[[ChangeWindow], int], tuple[Cause, ...]]] = [
        (in_crews, lambda w: crews * window_ticks(w), (("crews", ""), ("window_length", ""))),
        *(
            (_needs(problem, r, jobs.__contains__), _limit(r), (("resource", r.resource_id),))
            for r in problem.resources
            if r.scope == "per_window"
        ),
    ]
    found = (_first_crowd(openings, open_windows, *each) for each in needs)
    return [crowd for crowd in found if crowd is not None]


def _limit(resource: PlanResource) -> Callable[[ChangeWindow], int]:
    return lambda w: limit_on(resource, w.opens_on)


def _first_crowd(
    openings: Openings,
    open_windows: Mapping[str, int],
    need: Mapping[str, int],
    has: Callable[[ChangeWindow], int],
    limits: tuple[Cause, ...],
) -> Crowd | None:
    by_last: dict[int, list[str]] = {}
    for group_id, mask in open_windows.items():
        if mask and need.get(group_id):
            by_last.setdefault(mask.bit_length() - 1, []).append(group_id)
    usable, needed = 0, 0
    due: list[str] = []
    for last in sorted(by_last):
        due += by_last[last]
        for group_id in by_last[last]:
            usable |= open_windows[group_id]
            needed += need[group_id]
        there = sum(has(w) for n, w in enumerate(openings.windows) if usable >> n & 1)
        if needed > there:
            chosen, total = [], 0
            for group_id in sorted(due, key=lambda g: (-need[g], g)):
                if total <= there:
                    chosen.append(group_id)
                    total += need[group_id]
            return Crowd(group_ids=tuple(sorted(chosen)), last=last, limits=limits)
    return None


def ticks(minutes: int) -> int:
    return max(1, -(-minutes // TICK_MIN))


def window_ticks(window: ChangeWindow) -> int:
    return int((window.ends_at - window.starts_at).total_seconds()) // 60 // TICK_MIN
