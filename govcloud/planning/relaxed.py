"""A problem without some of its groups or demands: what conflicts are found and judged with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from govcloud.model.plan_problem import ChangeWindow, Crew, Job, MoveGroup, MoveTask, PlanProblem
from govcloud.planning.demands import Cause, every_cause, is_date, pin_subjects

QUARTER = 13
_WEEK = timedelta(weeks=1)


def restrict(problem: PlanProblem, group_ids: Collection[str]) -> PlanProblem:
    """The same problem with these groups only, and the networks that they empty alone. What has been executed stays: it has
    taken its part of the quotas."""
    kept = {*group_ids, *(p.group_id for p in problem.pins if p.source == "executed")}
    groups = tuple(g for g in problem.groups if g.group_id in kept)
    systems = {s for g in groups for s in g.system_ids}
    networks = tuple(n for n in problem.retirements if kept.issuperset(n.group_ids))
    subjects = {g.group_id for g in groups} | {n.network_id for n in networks}
    jobs = [j for j in problem.jobs if j.subject_id in subjects]
    ids = {j.job_id for j in jobs}
    return replace(
        problem,
        groups=groups, retirements=networks,
        tasks=tuple(t for t in problem.tasks if t.system_id in systems),
        jobs=tuple(j if ids.issuperset(j.after) else replace(j, after=tuple(a for a in j.after if a in ids)) for j in jobs),
        bridges=tuple(b for b in problem.bridges if {b.source_id, b.target_id} <= systems),
        hubs=tuple(h for h in problem.hubs if h.system_id in systems),
        weak_links=tuple(k for k in problem.weak_links if k.source_id in systems and k.target_id in systems),
        apart=tuple(a for a in problem.apart if kept.issuperset(a.group_ids)),
        pins=tuple(p for p in problem.pins if p.group_id in subjects),
        earlier=tuple(e for e in problem.earlier if e.group_id in subjects),
    )  # fmt: skip


def without(problem: PlanProblem, *causes: Cause) -> PlanProblem:
    """As if nobody had made these demands."""
    for kind, subject in causes:
        problem = _WITHOUT[kind](problem, subject)
    return problem


def only(problem: PlanProblem, causes: Collection[Cause]) -> PlanProblem:
    """Only these demands: their groups, or all where they speak of all, and none of the other limits and agreements."""
    named = [subject for kind, subject in causes if kind == "place"]
    kept = problem if "" in named else restrict(problem, named)
    until = max((s for k, s in causes if k == "not_after" and is_date(s)), default="")
    late = {t.system_id for t in kept.tasks if t.not_after_on and t.not_after_on.isoformat() <= until}
    given = {*causes, *(("not_after", s) for s in late)}
    return without(kept, *(c for c in every_cause(kept) if c not in given and (c[0], "") not in given))


def weeks_beyond(problem: PlanProblem) -> int:
    """How long a period is taken to be whose end nobody insists on: twice as long, a quarter longer at least."""
    return problem.weeks + max(problem.weeks, QUARTER)


def longer(problem: PlanProblem, weeks: int) -> PlanProblem:
    """The period of `weeks` weeks with the windows of its last week again in each further one."""
    last_on = problem.starts_on + _WEEK * (problem.weeks - 1)
    pattern = [w for w in problem.windows if w.opens_on >= last_on] or list(problem.windows[-1:])
    zone = ZoneInfo(problem.timezone)
    further = [
        ChangeWindow(
            window_id=f"{w.window_id}+{n}", starts_at=_later(w.starts_at, n, zone), ends_at=_later(w.starts_at, n, zone) + (w.ends_at - w.starts_at),
            opens_on=w.opens_on + _WEEK * n, provisional=True,
        )
        for n in range(1, weeks - problem.weeks + 1) for w in pattern
        if problem.starts_on <= w.opens_on
    ]  # fmt: skip
    return replace(problem, weeks=max(weeks, problem.weeks), windows=(*problem.windows, *further))


def with_windows_of(problem: PlanProblem, minutes: int) -> PlanProblem:
    """Every window at least this long, as far as the next one lets it be."""
    opens = [w.starts_at for w in problem.windows[1:]]
    span = timedelta(minutes=minutes)
    ends = [max(w.ends_at, w.starts_at + span) for w in problem.windows]
    ends = [*(min(e, o) for e, o in zip(ends, opens, strict=False)), *ends[-1:]]
    return replace(problem, windows=tuple(replace(w, ends_at=e) for w, e in zip(problem.windows, ends, strict=True)))


def with_crews(problem: PlanProblem, count: int, skills: Collection[str] | None = None) -> PlanProblem:
    """That many crews; further ones have `skills`, without them those of the last crew, as the setting capacity.crews says."""
    if skills is None:
        skills = problem.crews[-1].skills if problem.crews else needed_skills(problem)
    more = (Crew(name=f"+{n}", skills=tuple(skills)) for n in range(len(problem.crews), count))
    return replace(problem, crews=(*problem.crews[:count], *more))


def needed_skills(problem: PlanProblem) -> tuple[str, ...]:
    """All skills that some crew has and some job needs; what jobs need where there is no crew."""
    needed = {k for j in problem.jobs for k in j.crew_skills or ()}
    return tuple(sorted(needed & {k for c in problem.crews for k in c.skills} if problem.crews else needed))


def with_tasks(problem: PlanProblem, change: Callable[[MoveTask], MoveTask]) -> PlanProblem:
    return replace(problem, tasks=tuple(change(t) for t in problem.tasks))


def later_dates(problem: PlanProblem, until: str, weeks: int | None) -> PlanProblem:
    """All latest dates up to a day that many weeks later; None: without them."""

    def change(task: MoveTask) -> MoveTask:
        if task.not_after_on is None or task.not_after_on.isoformat() > until:
            return task
        return replace(task, not_after_on=None if weeks is None else task.not_after_on + _WEEK * weeks)

    return with_tasks(problem, change)


def excepted(problem: PlanProblem, freeze: str, system_ids: Collection[str]) -> PlanProblem:
    """These systems have an approval to move in the freeze."""
    return replace(
        problem,
        freezes=tuple(
            replace(f, exceptions=tuple(sorted({*f.exceptions, *system_ids}))) if f.name == freeze else f
            for f in problem.freezes
        ),
    )


def split_group(problem: PlanProblem, group_id: str) -> PlanProblem:
    """The members of a group each for themselves, every one with the group's jobs and the minutes of its own cutover."""
    task = {t.system_id: t for t in problem.tasks}
    group = next((g for g in problem.groups if g.group_id == group_id), None)
    if group is None:
        return problem

    def own(job: Job, system_id: str) -> Job:
        def name(job_id: str) -> str:
            return system_id + job_id.removeprefix(group_id) if job_id.startswith(f"{group_id}/") else job_id

        mine = task[system_id]
        window = job.calendar == "window"
        return replace(
            job, job_id=name(job.job_id), subject_id=system_id, after=tuple(name(a) for a in job.after),
            length=mine.cutover_min + mine.reserve_min if window else job.length,
            crew_skills=mine.skills if window and job.crew_skills is not None else job.crew_skills,
            demands=tuple((r, -(-a // len(group.system_ids))) for r, a in job.demands),
        )  # fmt: skip

    members = [MoveGroup(group_id=s, system_ids=(s,), path=group.path) for s in sorted(group.system_ids)]
    parts = {f"{group_id}/": [f"{s}/" for s in group.system_ids]}
    jobs: list[Job] = []
    for job in problem.jobs:
        if job.subject_id == group_id:
            jobs += [own(job, s) for s in group.system_ids]
        else:
            after = tuple(a2 for a in job.after for a2 in _of_parts(a, parts))
            jobs.append(job if after == job.after else replace(job, after=after))
    return replace(
        problem, jobs=tuple(jobs),
        groups=tuple(sorted((*(g for g in problem.groups if g.group_id != group_id), *members), key=lambda g: g.group_id)),
        apart=tuple(a for a in problem.apart if group_id not in a.group_ids),
        retirements=tuple(
            replace(n, group_ids=tuple(dict.fromkeys(m for g in n.group_ids for m in (group.system_ids if g == group_id else (g,)))))
            for n in problem.retirements
        ),
    )  # fmt: skip


def _of_parts(job_id: str, parts: Mapping[str, list[str]]) -> list[str]:
    for whole, names in parts.items():
        if job_id.startswith(whole):
            return [n + job_id.removeprefix(whole) for n in names]
    return [job_id]


def _no_place(problem: PlanProblem, subject: str) -> PlanProblem:
    return restrict(problem, [g.group_id for g in problem.groups if subject and g.group_id != subject])


def _no_crews(problem: PlanProblem, _: str) -> PlanProblem:
    count = len(problem.crews) + sum(j.crew_skills is not None for j in problem.jobs)
    return with_crews(problem, count, needed_skills(problem))


def _no_skills(problem: PlanProblem, subject: str) -> PlanProblem:
    return replace(
        problem,
        jobs=tuple(replace(j, crew_skills=()) if j.subject_id == subject and j.crew_skills else j for j in problem.jobs),
    )  # fmt: skip


def _no_window_length(problem: PlanProblem, _: str) -> PlanProblem:
    return with_windows_of(problem, sum(j.length for j in problem.jobs if j.calendar == "window") + 60)


def _no_resource(problem: PlanProblem, subject: str) -> PlanProblem:
    return replace(
        problem,
        resources=tuple(r for r in problem.resources if r.resource_id != subject),
        jobs=tuple(
            replace(j, demands=tuple(d for d in j.demands if d[0] != subject))
            if any(r == subject for r, _ in j.demands)
            else j
            for j in problem.jobs
        ),
    )


def _no_freeze(problem: PlanProblem, subject: str) -> PlanProblem:
    return replace(problem, freezes=tuple(f for f in problem.freezes if f.name != subject))


def _no_not_before(problem: PlanProblem, subject: str) -> PlanProblem:
    return with_tasks(problem, lambda t: replace(t, not_before_on=None) if t.system_id == subject else t)


def _no_not_after(problem: PlanProblem, subject: str) -> PlanProblem:
    if is_date(subject):
        return later_dates(problem, subject, None)
    return with_tasks(problem, lambda t: replace(t, not_after_on=None) if t.system_id == subject else t)


def _no_pilots(problem: PlanProblem, _: str) -> PlanProblem:
    return with_tasks(problem, lambda t: replace(t, pilot=False) if t.pilot else t)


def _no_weak(problem: PlanProblem, subject: str) -> PlanProblem:
    return replace(problem, weak_links=tuple(k for k in problem.weak_links if subject and k.dependency_id != subject))


def _no_apart(problem: PlanProblem, subject: str) -> PlanProblem:
    return replace(problem, apart=tuple(a for a in problem.apart if "|".join(a.group_ids) != subject))


def _no_pin(problem: PlanProblem, subject: str) -> PlanProblem:
    # Without its twin a pin goes by the group alone.
    pin = pin_subjects(problem).get(subject) or pin_subjects(problem).get(subject.partition("@")[0])
    return replace(problem, pins=tuple(p for p in problem.pins if p is not pin))


def _no_weeks(problem: PlanProblem, _: str) -> PlanProblem:
    return longer(problem, weeks_beyond(problem))


_WITHOUT: Mapping[str, Callable[[PlanProblem, str], PlanProblem]] = {
    "place": _no_place, "crews": _no_crews, "skills": _no_skills, "window_length": _no_window_length,
    "resource": _no_resource, "freeze": _no_freeze, "not_before": _no_not_before, "not_after": _no_not_after,
    "pilots": _no_pilots, "weak": _no_weak, "apart": _no_apart, "pin": _no_pin, "tie": split_group, "weeks": _no_weeks,
}  # fmt: skip


def _later(at: datetime, weeks: int, zone: ZoneInfo) -> datetime:
    """The same time of the clock on the wall."""
    return (at.astimezone(zone) + _WEEK * weeks).astimezone(UTC)
