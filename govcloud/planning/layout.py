"""A schedule as waves and activities of a plan, with crews by name; and the hashes of problem and plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from govcloud.model.plan import Activity, Move, Wave
from govcloud.model.plan_problem import Job, PlanProblem
from govcloud.model.schedule import Schedule
from govcloud.planning.crews import Stay, name_crews
from govcloud.planning.translate import Translation


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    waves: tuple[Wave, ...]
    activities: tuple[Activity, ...]


def lay_out(
    problem: PlanProblem, translation: Translation, schedule: Schedule, crews: Mapping[str, str] | None = None
) -> Laid:
    """Raises ValueError for a schedule that does not hold. `crews`: by job id the crew that it should keep where that one is free; without an entry a
    cutover keeps the one of the earlier plan."""
    axis, jobs = translation.axis, translation.jobs
    wanted = {f"{e.group_id}/cutover": e.crew for e in problem.earlier} | dict(crews or {})
    stays = []
    for i, job in enumerate(jobs):
        if job.crew_skills is not None:
            pools = translation.mode_pools[i]
            if not pools:
                raise ValueError(job.job_id)
            stays.append(
                Stay(
                    job_id=job.job_id, start=schedule.starts[i], end=schedule.ends[i],
                    pool=pools[schedule.modes[i]], preferred=wanted.get(job.job_id),
                )
            )  # fmt: skip
    name = name_crews(stays, translation.pools)
    activities = [
        Activity(
            job_id=job.job_id, subject_id=job.subject_id, kind=job.kind,
            starts_on=axis.date_at(schedule.starts[i]), ends_on=axis.ended_on(schedule.ends[i]),
            crew=name.get(job.job_id),
        )
        for i, job in enumerate(jobs)
        if job.calendar != "window"
    ]  # fmt: skip
    activities.sort(key=lambda a: (a.starts_on, a.job_id))
    return Laid(waves=_waves(problem, translation, schedule, name), activities=tuple(activities))


def _waves(
    problem: PlanProblem, translation: Translation, schedule: Schedule, crew: Mapping[str, str]
) -> tuple[Wave, ...]:
    axis = translation.axis
    minutes = {t.system_id: t.cutover_min for t in problem.tasks}
    members = {g.group_id: g.system_ids for g in problem.groups}
    moves: dict[int, list[Move]] = {}
    order = {c.name: n for n, c in enumerate(problem.crews)}
    cutovers = sorted(
        translation.cutover_of.values(),
        key=lambda i: (schedule.starts[i], order.get(crew.get(translation.jobs[i].job_id, ""), 0), i),
    )
    for i in cutovers:
        job, start = translation.jobs[i], schedule.starts[i]
        window = axis.window_at(start)
        if window is None:
            raise ValueError(job.job_id)
        moves.setdefault(window, []).extend(
            _moves(job, members[job.subject_id], minutes, crew.get(job.job_id, ""), axis.instant(start))
        )
    return tuple(
        Wave(number=number, window=axis.windows[window], moves=tuple(moves[window]))
        for number, window in enumerate(sorted(moves), 1)
    )


def _moves(job: Job, system_ids: Sequence[str], minutes: Mapping[str, int], crew: str, at: datetime) -> list[Move]:
    """One cutover after another; what is left of the interval is the reserve that all of them have in common."""
    ends_at = at + timedelta(minutes=job.length)
    found = []
    for system_id in system_ids:
        cutover_ends_at = at + timedelta(minutes=minutes[system_id])
        found.append(
            Move(
                system_id=system_id, group_id=job.subject_id, crew=crew,
                starts_at=at, cutover_ends_at=cutover_ends_at, ends_at=ends_at,
            )
        )  # fmt: skip
        at = cutover_ends_at
    return found


def problem_hash(problem: PlanProblem) -> str:
    """SHA-256 of the canonical JSON (RFC 8785; whole numbers and text only) of the problem."""
    return _digest(problem)


def plan_hash(
    problem: PlanProblem, waves: Sequence[Wave], activities: Sequence[Activity], *, of_problem: str | None = None
) -> str:
    """SHA-256 of the canonical JSON of what is done when, and of the problem's hash (`of_problem` where it is known)."""
    return _digest(
        {"problem": of_problem or problem_hash(problem), "waves": list(waves), "activities": list(activities)}
    )


def _digest(value: object) -> str:
    # sort_keys sorts by code points, RFC 8785 by UTF-16 units: the same for the field names here, which are ASCII.
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


_ADDED = frozenset({"minutes"})
"""Fields that plans have had only since a later version: left out where they are empty, so that a plan that was kept before
still matches its hash."""


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    kind: Any = type(value)
    return {n: v for n in _fields(kind) if (v := getattr(value, n)) is not None or n not in _ADDED}


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))
