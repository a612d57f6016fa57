"""One group's own jobs put anew around its cutover, on the first days that have room; everything of others stays put."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from govcloud.model.plan_problem import Job
from govcloud.planning.occupancy import DAY, Board
from govcloud.planning.stays import Stay

LONGEST_WAIT = timedelta(days=400)
"""Days for which room is sought for a job that follows a moved cutover."""

Moved = dict[str, Stay]
"""By job id: where a group's jobs are tried."""


def pull_early(board: Board, subject_id: str) -> Moved:
    """The group's jobs before its cutover, each as early as it can be: a plan often leaves work lie that nobody waits for.
    None is later than it is now."""
    if subject_id in board.early:
        return dict(board.early[subject_id])
    job = board.placing.cutover_job.get(subject_id)
    waits = set(job.after) if job else set[str]()
    upstream = []
    for own in reversed(board.placing.jobs_of.get(subject_id, ())):
        if own.job_id in waits:
            waits.update(own.after)
            upstream.append(own)
    ignore, moved = frozenset(j.job_id for j in upstream), Moved()
    for own in reversed(upstream):
        now = board.stays.get(own.job_id)
        if now is None or now.job.calendar == "window":
            continue
        ready = _ready(board, own, moved)
        found = _first_room(board, own, ready, now.first_on, now.crew, ignore, tuple(moved.values()))
        moved[own.job_id] = found or now
    board.early[subject_id] = moved
    return moved


def repack(board: Board, cutover: Stay, *, earliest: bool) -> Moved | None:
    """The cutover and the group's own jobs after it when that is where `cutover` is. A job that may stay where it was stays,
    unless `earliest`: then each goes to the first day that has room. None: there is no room for one of them."""
    later = list(_downstream(board, cutover.job))
    ignore = frozenset({cutover.job.job_id, *(j.job_id for j in later)})
    moved = {cutover.job.job_id: cutover}
    for job in later:
        now = board.stays.get(job.job_id)
        if now is None:
            continue
        ready = _ready(board, job, moved)
        if not earliest and now.first_on >= ready:
            moved[job.job_id] = now
            continue
        found = _first_room(board, job, ready, ready + LONGEST_WAIT, now.crew, ignore, tuple(moved.values()))
        if found is None:
            return None
        moved[job.job_id] = found
    return moved


def find_free(
    board: Board, stay: Stay, crew: str | None, ignore: frozenset[str], extra: tuple[Stay, ...]
) -> Stay | None:
    """The stay with a crew, its own first, when there is room for it."""
    if board.overfull(stay, ignore, extra):
        return None
    if stay.job.crew_skills is None:
        return stay
    for name in sorted(board.able(stay.job), key=lambda c: c != crew):
        if not board.busy(name, stay.begins, stay.ends, ignore, extra):
            return stay._replace(crew=name)
    return None


def _ready(board: Board, job: Job, moved: Moved) -> date:
    ends = [s.last_on for b in job.after if (s := moved.get(b) or board.stays.get(b)) is not None]
    return max((e + DAY for e in ends), default=board.plan.problem.starts_on)


def _downstream(board: Board, cutover: Job) -> Iterator[Job]:
    """Jobs of the same group that wait for the cutover, directly or not, in the order of the problem."""
    reached = {cutover.job_id}
    for job in board.placing.jobs_of[cutover.subject_id]:
        if reached.intersection(job.after):
            reached.add(job.job_id)
            yield job


def _first_room(
    board: Board, job: Job, ready: date, until: date, crew: str | None, ignore: frozenset[str],
    extra: tuple[Stay, ...],
) -> Stay | None:  # fmt: skip
    day = board.first_day(job, ready)
    while day <= until:
        stay = find_free(board, board.stay_from(job, day), crew, ignore, extra)
        if stay is not None:
            return stay
        day = board.first_day(job, day + DAY)
    return None
