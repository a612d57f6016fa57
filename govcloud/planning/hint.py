"""Where a new plan begins to look: the dates of the plan before it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

from govcloud.model.plan import MigrationPlan
from govcloud.model.plan_problem import Job, PlanProblem
from govcloud.model.schedule import Schedule
from govcloud.planning.axis import Axis, ticks
from govcloud.planning.translate import Translation


def build_hint(
    problem: PlanProblem, translation: Translation, previous: MigrationPlan | None = None
) -> Schedule | None:
    """A schedule that need not hold: cutovers where the earlier plan had them or a pin puts them; other jobs where
    `previous` had them, else as late as the cutover allows. New groups stand at the horizon, so that they come last and take
    what is left. None where nothing is known of any cutover."""
    axis, jobs, schedule = translation.axis, translation.jobs, translation.schedule
    known = _cutovers(problem, translation)
    if not known:
        return None
    moved = {jobs[i].subject_id for i in known}
    for activity in previous.activities if previous else ():
        i = translation.activity_of.get(activity.job_id)
        same = activity.subject_id in moved or activity.subject_id not in translation.cutover_of
        if i is not None and same and activity.starts_on >= axis.starts_on:
            known[i] = axis.day_tick(activity.starts_on)
    crew = {translation.cutover_of.get(e.group_id): e.crew for e in problem.earlier}
    crew |= {translation.activity_of.get(a.job_id): a.crew or "" for a in (previous.activities if previous else ())}
    days = {"working": _each(axis.working), "daily": _each(axis.daily)}
    starts = _starts(translation, known, days)
    ends, modes = [], []
    for i, start in enumerate(starts):
        name = crew.get(i, "")
        modes.append(next((m for m, p in enumerate(translation.mode_pools[i]) if name in translation.pools[p]), 0))
        ends.append(_end(jobs[i], start, days, axis) if i < len(jobs) else start)
    return Schedule(starts=tuple(starts), ends=tuple(min(e, schedule.horizon) for e in ends), modes=tuple(modes))


def _cutovers(problem: PlanProblem, translation: Translation) -> dict[int, int]:
    """Tick of each cutover of which something is known."""
    axis, found = translation.axis, {}
    for earlier in problem.earlier:
        i, tick = translation.cutover_of.get(earlier.group_id), axis.tick_at(earlier.starts_at)
        if i is not None and tick is not None:
            found[i] = tick
    for pin in problem.pins:
        i, here = translation.cutover_of.get(pin.group_id), axis.opening_on(pin.opens_on)
        if i is not None and here and axis.window_at(found.get(i, 0)) not in here:
            found[i] = axis.spans[here[0]][0]
    return found


def _each(spans: Sequence[tuple[int, int]]) -> list[int]:
    return [tick for first, last in spans for tick in range(first, last)]


def _starts(translation: Translation, known: Mapping[int, int], days: Mapping[str, Sequence[int]]) -> list[int]:
    jobs, horizon = translation.jobs, translation.axis.horizon
    after: dict[int, list[int]] = {i: [] for i in range(len(jobs))}
    for relation in translation.schedule.relations:
        if relation.gate == "end" and relation.before < len(jobs) and relation.after < len(jobs):
            after[relation.before].append(relation.after)
    old = {g for g, i in translation.cutover_of.items() if i in known}
    starts = [horizon] * len(jobs)
    urgent: set[int] = set(known)
    # What others wait for comes last: its followers are settled by then.
    for i in TopologicalSorter(after).static_order():
        followers = [starts[a] for a in after[i] if a in urgent]
        if i in known:
            starts[i] = known[i]
        elif followers:
            starts[i] = _latest(jobs[i], min(followers), days)
            urgent.add(i)
        elif jobs[i].subject_id in old or jobs[i].subject_id not in translation.cutover_of:
            # As early as what it waits for allows.
            starts[i] = 0
    if not translation.pilot_relations:
        return starts
    pilots = [r.before for r in translation.schedule.relations if r.gate == "next_window"]
    windows = [translation.axis.window_at(starts[i]) for i in pilots]
    return [*starts, max((translation.axis.spans[w][1] for w in windows if w is not None), default=0)]


def _latest(job: Job, end: int, days: Mapping[str, Sequence[int]]) -> int:
    if job.calendar == "window":
        return max(0, end - ticks(job.length))
    each = days[job.calendar]
    at = bisect_left(each, end) - job.length
    return end if not job.length else each[at] if at >= 0 else 0


def _end(job: Job, start: int, days: Mapping[str, Sequence[int]], axis: Axis) -> int:
    if job.calendar == "window":
        return start + ticks(job.length)
    each = days[job.calendar]
    last = bisect_left(each, start) + job.length - 1
    return start if not job.length else each[last] + 1 if last < len(each) else axis.horizon
