"""An edited plan as it stands: the edits carried out, what follows them moved along, and nothing else touched."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from govcloud.model.plan import Activity, MigrationPlan, Move, Wave
from govcloud.model.plan_pin import PlanEdit
from govcloud.model.plan_problem import ChangeWindow, Job, PlanProblem

_DAY = timedelta(days=1)


def carry_out(plan: MigrationPlan, edits: Sequence[PlanEdit]) -> MigrationPlan:
    """The plan with the edited systems in their new windows: in each window that changes, every crew does its systems one
    after another from the opening; work that waits for an edited cutover begins later where it has to. It may break rules:
    that is for the verifier to say."""
    windows = {w.opens_on: w for w in plan.problem.windows}
    tasks = {t.system_id: t for t in plan.problem.tasks}
    group_of = {s: g.group_id for g in plan.problem.groups for s in g.system_ids}
    todo = {e.system_id: e for e in edits}
    placed: dict[date, list[Move]] = {}
    touched: set[date] = set()
    for wave in plan.waves:
        for move in wave.moves:
            edit = todo.pop(move.system_id, None)
            day = wave.window.opens_on if edit is None else edit.opens_on
            touched |= {wave.window.opens_on} if edit else set()
            if day is not None:
                placed.setdefault(day, []).append(move if edit is None else replace(move, crew=edit.crew or move.crew))
                touched |= {day} if edit else set()
    for edit in todo.values():
        if edit.opens_on is not None and edit.system_id in group_of:
            at = windows[edit.opens_on].starts_at
            placed.setdefault(edit.opens_on, []).append(Move(
                system_id=edit.system_id, group_id=group_of[edit.system_id], starts_at=at, cutover_ends_at=at, ends_at=at,
                crew=edit.crew or plan.problem.crews[0].name,
            ))  # fmt: skip
            touched.add(edit.opens_on)
    waves = []
    for number, day in enumerate(sorted(placed), start=1):
        moves = placed[day]
        if day in touched:
            moves = _one_after_another(
                windows[day], moves, tasks_min={s: (t.cutover_min, t.reserve_min) for s, t in tasks.items()}
            )
        waves.append(Wave(number=number, window=windows[day], moves=tuple(moves)))
    moved = {group_of[e.system_id] for e in edits if e.system_id in group_of}
    return replace(plan, waves=tuple(waves), activities=_follow(plan, waves, moved))


def _one_after_another(
    window: ChangeWindow, moves: Sequence[Move], tasks_min: Mapping[str, tuple[int, int]]
) -> list[Move]:
    free = dict.fromkeys((m.crew for m in moves), window.starts_at)
    groups: dict[tuple[str, str], list[Move]] = {}
    for move in sorted(moves, key=lambda m: m.starts_at):
        groups.setdefault((move.crew, move.group_id), []).append(move)
    laid = []
    for (crew, _), members in groups.items():
        at = free[crew]
        minutes = sum(sum(tasks_min[m.system_id]) for m in members)
        free[crew] = ends_at = at + timedelta(minutes=minutes)
        for move in members:
            done = at + timedelta(minutes=tasks_min[move.system_id][0])
            laid.append(replace(move, starts_at=at, cutover_ends_at=done, ends_at=ends_at))
            at = done
    return laid


def _follow(plan: MigrationPlan, waves: Sequence[Wave], moved: Collection[str]) -> tuple[Activity, ...]:
    """All activities; those that wait for the cutover of a moved group, directly or not, start when they can at the earliest."""
    problem, off = plan.problem, set(plan.problem.days_off)
    day_of = {m.group_id: w.window.opens_on for w in waves for m in w.moves}
    placed = {a.job_id: a for a in plan.activities}
    last = {a.job_id: a.ends_on for a in plan.activities}
    last |= {j.job_id: day_of[j.subject_id] for j in _cutovers(problem) if j.subject_id in day_of}
    affected = {j.job_id for j in _cutovers(problem) if j.subject_id in moved}
    for job in problem.jobs:
        activity = placed.get(job.job_id)
        if activity is None or not affected.intersection(job.after):
            continue
        ready = max((last[b] + _DAY for b in job.after if b in last), default=problem.starts_on)
        if ready > activity.starts_on:
            affected.add(job.job_id)
            placed[job.job_id] = activity = _starting(activity, job, ready, off)
            last[job.job_id] = activity.ends_on
    return tuple(sorted(placed.values(), key=lambda a: (a.starts_on, a.job_id)))


def _cutovers(problem: PlanProblem) -> Iterator[Job]:
    return (j for j in problem.jobs if j.calendar == "window")


def _starting(activity: Activity, job: Job, day: date, off: Collection[date]) -> Activity:
    """On that day or the first after it on which the job may be worked on."""

    def idle(on: date) -> bool:
        return job.calendar == "working" and on in off

    while idle(day):
        day += _DAY
    ends_on = day - _DAY
    for _ in range(job.length):
        ends_on += _DAY
        while idle(ends_on):
            ends_on += _DAY
    return replace(activity, starts_on=day, ends_on=ends_on)
