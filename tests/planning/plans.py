"""Plans put together by hand: each cutover where a test wants it, everything else on the first day that the rules allow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from govcloud.model.plan import Activity, GoalValue, MigrationPlan, Move, Unplaced, Wave
from govcloud.model.plan_problem import Job, MoveGroup, PlanProblem
from govcloud.model.text import same

NOW = datetime(2026, 11, 22, tzinfo=UTC)
_DAY = timedelta(days=1)
Seat = tuple[str, str, int]
"""(window id, crew, minutes after its opening)."""


def by_hand(
    problem: PlanProblem,
    seats: Mapping[str, Seat],
    starts: Mapping[str, date] | None = None,
    crews: Mapping[str, str] | None = None,
    goals: tuple[GoalValue, ...] = (),
    plan_id: str = "P-1",
) -> MigrationPlan:
    """`seats` by group; `starts` by job id where a day job is to start later than it could; `crews` of day jobs. Groups
    without a seat are not placed, and networks of which a group is not."""
    out = {g.group_id for g in problem.groups if g.path != "retire" and g.group_id not in seats}
    out |= {n.network_id for n in problem.retirements if out & set(n.group_ids)}
    ends: dict[str, date] = {}
    off = frozenset(problem.days_off)
    activities = []
    opens = {w.window_id: w.opens_on for w in problem.windows}
    for job in problem.jobs:
        if job.subject_id in out:
            continue
        if job.calendar == "window":
            ends[job.job_id] = opens[seats[job.subject_id][0]]
            continue
        ready = max([problem.starts_on, *(ends[b] + _DAY for b in job.after)])
        first, last = _span(off, job, max(ready, (starts or {}).get(job.job_id, ready)))
        ends[job.job_id] = last
        activities.append(
            Activity(
                job_id=job.job_id, subject_id=job.subject_id, kind=job.kind, starts_on=first, ends_on=last,
                crew=(crews or {}).get(job.job_id),
            )
        )  # fmt: skip
    gone = tuple(
        Unplaced(system_id=s, reason=same("没有窗口"))
        for g in problem.groups
        if g.group_id in out
        for s in g.system_ids
    )
    return MigrationPlan(
        plan_id=plan_id, created_at=NOW, problem=problem, waves=_waves(problem, seats), unplaced=gone, goals=goals,
        activities=tuple(sorted(activities, key=lambda a: (a.starts_on, a.job_id))),
        status="feasible" if not gone else "unknown", plan_hash="0" * 64,
    )  # fmt: skip


def _span(days_off: frozenset[date], job: Job, first: date) -> tuple[date, date]:
    off = days_off if job.calendar == "working" else frozenset()
    while first in off and job.length:
        first += _DAY
    last, left = first - _DAY, job.length
    while left:
        last += _DAY
        left -= last not in off
    return first, last


def _waves(problem: PlanProblem, seats: Mapping[str, Seat]) -> tuple[Wave, ...]:
    tasks = {t.system_id: t for t in problem.tasks}
    waves: list[Wave] = []
    here: dict[str, list[MoveGroup]] = {}
    for group in problem.groups:
        here.setdefault(seats.get(group.group_id, ("", "", 0))[0], []).append(group)
    for window in problem.windows:
        moves = []
        for group in here.get(window.window_id, ()):
            _, crew, offset = seats[group.group_id]
            at = window.starts_at + timedelta(minutes=offset)
            ends_at = at + timedelta(minutes=sum(tasks[s].cutover_min + tasks[s].reserve_min for s in group.system_ids))
            for system_id in group.system_ids:
                done = at + timedelta(minutes=tasks[system_id].cutover_min)
                moves.append(
                    Move(
                        system_id=system_id, group_id=group.group_id, crew=crew, starts_at=at, cutover_ends_at=done,
                        ends_at=ends_at,
                    )
                )  # fmt: skip
                at = done
        if moves:
            waves.append(Wave(number=len(waves) + 1, window=window, moves=tuple(moves)))
    return tuple(waves)
