"""Which groups to leave out where not all can be placed: as little priority as possible, itself a schedule problem.

After the horizon comes a time in which there is enough of everything. A group that is not done by the horizon is left out;
the goal is the priority of what is left out. That problem has a schedule where the plan has none, its value is a choice of
groups, and a bound above 0 proves that not everything can be placed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from graphlib import TopologicalSorter

from govcloud.model.plan_problem import PlanProblem
from govcloud.model.schedule import Activity, Calendar, Goal, Mode, Relation, Resource, Schedule, ScheduleProblem
from govcloud.planning.translate import Translation


def build_choice(problem: PlanProblem, translation: Translation) -> tuple[ScheduleProblem, Mapping[str, int]]:
    """The problem of choice, and for each group that can be left out the activity with which it is done: those that end
    after the translation's horizon are to be left out. Its first activities are those of the translation."""
    whole = translation.schedule
    length = _longest_chain(whole) + 1
    beyond, horizon = whole.horizon, whole.horizon + 2 * length
    calendars = [replace(c, spans=_with_beyond(c.spans, beyond, horizon)) for c in whole.calendars]
    index: dict[tuple[int, int], int] = {}
    activities = []
    for activity in whole.activities:
        if activity.deadline is None:
            activities.append(activity)
            continue
        modes = []
        for mode in activity.modes:
            key = (mode.calendar, activity.deadline)
            if key not in index:
                index[key] = len(calendars)
                spans = _until(whole.calendars[mode.calendar].spans, activity.deadline)
                calendars.append(Calendar(name=f"until{len(index)}", spans=_with_beyond(spans, beyond, horizon)))
            modes.append(replace(mode, calendar=index[key]))
        activities.append(replace(activity, modes=tuple(modes), deadline=None))
    relations = [r for r in whole.relations if not r.soft]
    done = _done(translation, activities, relations)
    weight = {g.group_id: 0 for g in problem.groups}
    group_of = {s: g.group_id for g in problem.groups for s in g.system_ids}
    for task in problem.tasks:
        weight[group_of[task.system_id]] += task.priority
    goal = Goal(
        kind="deadlines", activities=tuple(done.values()), weights=tuple(weight[g] for g in done),
        ticks=(beyond,) * len(done),
    )  # fmt: skip
    choice = ScheduleProblem(
        horizon=horizon, calendars=tuple(calendars), activities=tuple(activities), relations=tuple(relations),
        resources=_plenty(whole, beyond),
        # Two windows, so that others can follow pilots that are left out.
        windows=(*whole.windows, (beyond, beyond + length), (beyond + length, horizon)),
        goals=(goal,), scale=(0,) * (beyond + 1) + (1,) * (horizon - beyond),
    )  # fmt: skip
    return choice, done


def left_out(schedule: Schedule, done: Mapping[str, int], horizon: int) -> list[str]:
    """Groups that are not done by the horizon."""
    return [group_id for group_id, i in done.items() if schedule.ends[i] > horizon]


def _longest_chain(whole: ScheduleProblem) -> int:
    """Ticks of the longest chain of activities, at their longest."""
    before: dict[int, list[int]] = {i: [] for i in range(len(whole.activities))}
    for relation in whole.relations:
        if relation.gate == "end":
            before[relation.after].append(relation.before)
    ends: dict[int, int] = {}
    for i in TopologicalSorter(before).static_order():
        longest = max((m.duration for m in whole.activities[i].modes), default=0)
        ends[i] = longest + max((ends[b] for b in before[i]), default=0)
    return max(ends.values(), default=0)


def _with_beyond(spans: tuple[tuple[int, int], ...], beyond: int, horizon: int) -> tuple[tuple[int, int], ...]:
    if spans and spans[-1][1] == beyond:
        return (*spans[:-1], (spans[-1][0], horizon))
    return (*spans, (beyond, horizon))


def _until(spans: tuple[tuple[int, int], ...], deadline: int) -> tuple[tuple[int, int], ...]:
    return tuple((first, min(last, deadline)) for first, last in spans if first < deadline)


def _done(translation: Translation, activities: list[Activity], relations: list[Relation]) -> dict[str, int]:
    """Adds a milestone for each group with several last jobs."""
    jobs = translation.jobs
    waited_for = {(a, j.subject_id) for j in jobs for a in j.after}
    last: dict[str, list[int]] = {}
    for i, job in enumerate(jobs):
        if job.kind != "close" and (job.job_id, job.subject_id) not in waited_for:
            last.setdefault(job.subject_id, []).append(i)
    found = {}
    for group_id, ends in last.items():
        found[group_id] = ends[0]
        if len(ends) > 1:
            found[group_id] = len(activities)
            relations += [Relation(before=i, after=len(activities)) for i in ends]
            activities.append(Activity(activity_id=f"{group_id}/done", modes=(Mode(duration=0),)))
    return found


def _plenty(whole: ScheduleProblem, beyond: int) -> tuple[Resource, ...]:
    asked = [0] * len(whole.resources)
    for activity in whole.activities:
        most: dict[int, int] = {}
        for mode in activity.modes:
            for resource, amount in mode.demands:
                most[resource] = max(most.get(resource, 0), amount)
        for resource, amount in most.items():
            asked[resource] += amount
    return tuple(
        replace(r, levels=(*r.levels, (beyond, asked[i] + r.levels[-1][1]))) for i, r in enumerate(whole.resources)
    )
