"""PlanProblem → ScheduleProblem: jobs as activities on one axis of time, every rule of the plan as a rule of the schedule.

Linear in jobs, links and windows, and without recursion. What can't be met (a limit of nothing, a pin in the past, a skill
that no crew has) makes a problem without a schedule, never an error; an order of jobs that contradicts itself is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from govcloud.model.plan_problem import Job, MoveTask, Pin, PlanProblem
from govcloud.model.schedule import Activity, Calendar, Mode, Relation, ScheduleProblem
from govcloud.planning.axis import Axis, build_axis, ticks
from govcloud.planning.crews import Pool, build_pools, pools_for
from govcloud.planning.goals import build_goals
from govcloud.planning.job_order import check_order, jobs_over
from govcloud.planning.openings import closed_windows
from govcloud.planning.supply import ALL_CREWS, NO_CREW, build_resources

_DAY = timedelta(days=1)
DAILY, WORKING = 0, 1
"""Indices of the calendars of days; those of the windows follow."""
MILESTONE = "pilots"
"""The activity between the pilots and everybody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    schedule: ScheduleProblem
    axis: Axis
    jobs: tuple[Job, ...]
    """Activity i is jobs[i]: those that are still to be planned, in the order of the problem. A milestone after the last
    pilot follows them where there are pilots and others."""
    activity_of: Mapping[str, int]
    """By job id."""
    cutover_of: Mapping[str, int]
    """By group id: the activity of its cutover, where it is still to come."""
    resource_of: Mapping[str, int]
    """By resource id; apart:A|B, crew:N (pool N), crew:all and crew:none (of which there is none) are among them."""
    pools: tuple[tuple[str, ...], ...]
    """Names of the crews of each pool."""
    mode_pools: tuple[tuple[int, ...], ...]
    """Of each activity: the pool that each of its modes takes a crew of; empty where it needs none or none can do it."""
    weak_relations: tuple[tuple[int, tuple[str, ...]], ...]
    """(index of a relation, the dependencies that it stands for)."""
    pilot_relations: tuple[int, ...]
    closed: Mapping[str, frozenset[int]]
    """By group with a cutover to come: indices of the problem's windows that freezes close for it."""


def build_schedule_problem(problem: PlanProblem, axis: Axis | None = None) -> Translation:
    """Raises InputError where jobs wait for each other in a circle or for a job that does not exist. With `axis`, that of
    another problem of the same days and windows, both schedules can be compared tick by tick."""
    check_order(problem)
    return _Builder(problem, axis or build_axis(problem)).build()


@dataclass(frozen=True)
class _Builder:
    problem: PlanProblem
    axis: Axis

    @cached_property
    def over(self) -> frozenset[str]:
        return jobs_over(self.problem)

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        return tuple(j for j in self.problem.jobs if j.job_id not in self.over)

    @cached_property
    def activity_of(self) -> dict[str, int]:
        return {j.job_id: i for i, j in enumerate(self.jobs)}

    @cached_property
    def cutover_of(self) -> dict[str, int]:
        return {j.subject_id: i for i, j in enumerate(self.jobs) if j.calendar == "window"}

    @cached_property
    def members(self) -> dict[str, list[MoveTask]]:
        task = {t.system_id: t for t in self.problem.tasks}
        return {g.group_id: [task[s] for s in g.system_ids] for g in self.problem.groups}

    @cached_property
    def pins(self) -> dict[str, list[Pin]]:
        found: dict[str, list[Pin]] = {}
        for pin in self.problem.pins:
            found.setdefault(pin.group_id, []).append(pin)
        return found

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        return build_pools(self.problem)

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Groups that must not share a window and both need one; a group that would have to part from itself, too."""
        found = {(min(p.group_ids), max(p.group_ids)) for p in self.problem.apart}
        return sorted(p for p in found if p[0] in self.cutover_of and p[1] in self.cutover_of)

    def build(self) -> Translation:
        axis = self.axis
        closed = closed_windows(self.problem, self.members, self.cutover_of)
        calendars, calendar_of = self._calendars(closed)
        resources, resource_of = build_resources(self.problem, axis, self.pools, self.over, self.pairs)
        activities, mode_pools = self._activities(calendar_of, resource_of)
        relations = [
            Relation(before=self.activity_of[before], after=i)
            for i, job in enumerate(self.jobs)
            for before in job.after
            if before not in self.over
        ]
        weak = self._weak(relations)
        pilots = self._pilots(relations)
        if pilots:
            activities.append(Activity(activity_id=MILESTONE, modes=(Mode(duration=0),)))
            mode_pools.append(())
        goals = build_goals(self.problem, axis, self.jobs, self.members, relations, resource_of)
        schedule = ScheduleProblem(
            horizon=axis.horizon, calendars=tuple(calendars), resources=resources, activities=tuple(activities),
            relations=tuple(relations), windows=axis.spans, goals=goals, scale=axis.scale,
        )  # fmt: skip
        return Translation(
            schedule=schedule, axis=axis, jobs=self.jobs, activity_of=self.activity_of, cutover_of=self.cutover_of,
            resource_of=resource_of, pools=tuple(tuple(c.name for c in pool) for pool in self.pools),
            mode_pools=tuple(mode_pools), weak_relations=weak, pilot_relations=pilots, closed=closed,
        )  # fmt: skip

    def _calendars(self, closed: Mapping[str, frozenset[int]]) -> tuple[list[Calendar], dict[str, int]]:
        """One for each set of windows that are open for somebody, and the index of it for each group."""
        axis = self.axis
        calendars = [Calendar(name="daily", spans=axis.daily), Calendar(name="working", spans=axis.working)]
        index: dict[frozenset[int], int] = {}
        for shut in closed.values():
            if shut not in index:
                index[shut] = len(calendars)
                spans = tuple(s for s, n in zip(axis.spans, axis.numbers, strict=True) if n not in shut)
                calendars.append(Calendar(name=f"windows{len(index)}", spans=spans))
        return calendars, {group_id: index[shut] for group_id, shut in closed.items()}

    def _activities(
        self, calendar_of: Mapping[str, int], resource_of: Mapping[str, int]
    ) -> tuple[list[Activity], list[tuple[int, ...]]]:
        per_window = {r.resource_id for r in self.problem.resources if r.scope == "per_window"}
        apart: dict[str, list[int]] = {}
        for pair in self.pairs:
            for group_id in pair:
                apart.setdefault(group_id, []).append(resource_of["apart:" + "|".join(pair)])
        releases = self._releases()
        able_of: dict[tuple[tuple[str, ...], frozenset[str]], tuple[int, ...]] = {}
        activities, mode_pools = [], []
        for job in self.jobs:
            window = job.calendar == "window"
            amounts: Counter[int] = Counter()
            for resource_id, amount in job.demands:
                # Only what happens in a window can count there; what nobody limits needs no account.
                if amount > 0 and resource_id in resource_of and (window or resource_id not in per_window):
                    amounts[resource_of[resource_id]] += amount
            release, deadline, named = releases.get(job.job_id, 0), None, frozenset[str]()
            if window:
                amounts.update(apart.get(job.subject_id, ()))
                first, deadline, named = self._agreed(job.subject_id)
                release = max(release, first)
            pool_ids: tuple[int, ...] = ()
            if job.crew_skills is not None:
                key = (job.crew_skills, named)
                if key not in able_of:
                    able_of[key] = pools_for(*key, self.pools)
                pool_ids = able_of[key]
            modes = _modes(job, calendar_of, amounts, pool_ids, resource_of)
            activities.append(Activity(activity_id=job.job_id, modes=modes, release=release, deadline=deadline))
            mode_pools.append(pool_ids)
        return activities, mode_pools

    def _agreed(self, group_id: str) -> tuple[int, int | None, frozenset[str]]:
        """Release, deadline and crews by name that people have fixed for a group's cutover."""
        axis, release, deadlines, named = self.axis, 0, [], set()
        for task in self.members[group_id]:
            if task.not_before_on is not None:
                release = max(release, axis.day_tick(task.not_before_on))
            if task.not_after_on is not None:
                deadlines.append(axis.day_tick(task.not_after_on + _DAY))
        for pin in self.pins.get(group_id, ()):
            here = axis.opening_on(pin.opens_on)
            # No window opens on the day: nothing can end by tick 0.
            deadlines.append(axis.spans[here[-1]][1] if here else 0)
            release = max(release, axis.spans[here[0]][0] if here else 0)
            if pin.crew is not None:
                named.add(pin.crew)
        return release, min(deadlines, default=None), frozenset(named)

    def _releases(self) -> dict[str, int]:
        """What is over leaves for others: jobs after it, and whoever waits for an executed pilot."""
        axis, found = self.axis, {}
        executed = {p.group_id: p.opens_on for p in self.problem.pins if p.source == "executed"}
        free = {
            j.job_id: axis.day_tick(executed[j.subject_id] + _DAY)
            for j in self.problem.jobs
            if j.calendar == "window" and j.subject_id in executed
        }
        # A day's work is over before the windows that open on that day.
        begins = self.problem.starts_on
        free |= {d.job_id: axis.day_tick(d.ended_on) + 1 for d in self.problem.done if d.ended_on >= begins}
        for job in self.jobs:
            if ticks := [free[a] for a in job.after if a in free]:
                found[job.job_id] = max(ticks)
        piloted = [executed[g] for g in executed if g in self.members and self._is_pilot(g)]
        if piloted:
            first = axis.day_tick(max(piloted) + _DAY)
            for group_id, i in self.cutover_of.items():
                if not self._is_pilot(group_id):
                    found[self.jobs[i].job_id] = max(first, found.get(self.jobs[i].job_id, 0))
        return found

    def _is_pilot(self, group_id: str) -> bool:
        return any(t.pilot for t in self.members[group_id])

    def _weak(self, relations: list[Relation]) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """Adds one relation for each pair of groups, with as much weight as it has links."""
        group_of = {t.system_id: g for g, tasks in self.members.items() for t in tasks}
        pairs: dict[tuple[int, int], list[str]] = {}
        for link in self.problem.weak_links:
            target, source = (self.cutover_of.get(group_of.get(s, "")) for s in (link.target_id, link.source_id))
            if target is not None and source is not None and target != source:
                pairs.setdefault((target, source), []).append(link.dependency_id)
        soft, first = self.problem.weak_mode == "prefer", len(relations)
        relations += [
            Relation(before=before, after=after, gate="window", soft=soft, weight=len(ids))
            for (before, after), ids in pairs.items()
        ]
        return tuple((first + n, tuple(ids)) for n, ids in enumerate(pairs.values()))

    def _pilots(self, relations: list[Relation]) -> tuple[int, ...]:
        """Adds relations over a milestone (the activity after the last job): as many as there are groups, not pairs."""
        pilots = [i for g, i in self.cutover_of.items() if self._is_pilot(g)]
        others = [i for g, i in self.cutover_of.items() if not self._is_pilot(g)]
        if not pilots or not others:
            return ()
        first, milestone = len(relations), len(self.jobs)
        relations += [Relation(before=i, after=milestone, gate="next_window") for i in pilots]
        relations += [Relation(before=milestone, after=i) for i in others]
        return tuple(range(first, len(relations)))


def _modes(
    job: Job, calendar_of: Mapping[str, int], amounts: Mapping[int, int], pool_ids: tuple[int, ...],
    resource_of: Mapping[str, int],
) -> tuple[Mode, ...]:  # fmt: skip
    """One for each pool that can do it; without any, one that asks for a crew that does not exist."""
    demands = sorted(amounts.items())
    if job.calendar == "window":
        duration, calendar = ticks(job.length), calendar_of[job.subject_id]
    else:
        duration, calendar = max(0, job.length), WORKING if job.calendar == "working" else DAILY
    split = job.calendar != "window" and duration > 0
    if job.crew_skills is None:
        wanted = [demands]
    elif pool_ids:
        more = [(resource_of[ALL_CREWS], 1)] if ALL_CREWS in resource_of else []
        wanted = [[*demands, (resource_of[f"crew:{p}"], 1), *more] for p in pool_ids]
    else:
        wanted = [[*demands, (resource_of[NO_CREW], 1)]]
    return tuple(
        Mode(duration=duration, calendar=calendar if duration else DAILY, split=split, demands=tuple(w)) for w in wanted
    )
