"""Where waves and activities put every job, as tables for the verifier; it judges nothing and knows no solver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from govcloud.model.plan import Activity, Move, PlanViolation, Wave
from govcloud.model.plan_problem import ChangeWindow, Freeze, Job, MoveGroup, MoveTask, Pin, PlanProblem
from govcloud.model.text import Text

DAY_MIN = 100_000
"""Room for a day on the line of positions: a window of several days still lies before the next day's work."""

DAYS_AHEAD = 400
"""No date is counted on to the very end of the calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutover:
    """The uninterrupted interval of a group: its cutovers and the reserve that they have in common."""

    window: ChangeWindow
    crew: str
    starts_at: datetime
    ends_at: datetime
    moves: tuple[Move, ...]
    whole: bool
    """All of its moves are in this window."""


@dataclass(frozen=True)
class Placing:
    """Tables over a problem and what was placed of it, each made once when it is first asked for."""

    problem: PlanProblem
    waves: Sequence[Wave]
    activities: Sequence[Activity]

    @cached_property
    def task(self) -> Mapping[str, MoveTask]:
        return {t.system_id: t for t in self.problem.tasks}

    @cached_property
    def group(self) -> Mapping[str, MoveGroup]:
        return {g.group_id: g for g in self.problem.groups}

    @cached_property
    def group_of(self) -> Mapping[str, str]:
        return {s: g.group_id for g in self.problem.groups for s in g.system_ids}

    @cached_property
    def job(self) -> Mapping[str, Job]:
        return {j.job_id: j for j in self.problem.jobs}

    @cached_property
    def jobs_of(self) -> Mapping[str, Sequence[Job]]:
        """Jobs of each group and network, in the order of the problem."""
        found: dict[str, list[Job]] = defaultdict(list)
        for job in self.problem.jobs:
            found[job.subject_id].append(job)
        return found

    @cached_property
    def cutover_job(self) -> Mapping[str, Job]:
        """The job of each group that needs a window."""
        return {j.subject_id: j for j in self.problem.jobs if j.calendar == "window"}

    @cached_property
    def activity(self) -> Mapping[str, Activity]:
        return {a.job_id: a for a in self.activities}

    @cached_property
    def cutover(self) -> Mapping[str, Cutover]:
        """Of each group that has a move; the group is the one of the problem, whatever the move says."""
        moves: dict[str, list[tuple[Wave, Move]]] = defaultdict(list)
        for wave in self.waves:
            for move in wave.moves:
                if move.system_id in self.group_of:
                    moves[self.group_of[move.system_id]].append((wave, move))
        return {
            group_id: Cutover(
                window=found[0][0].window,
                crew=found[0][1].crew,
                starts_at=min(m.starts_at for _, m in found),
                ends_at=max(m.ends_at for _, m in found),
                moves=tuple(m for _, m in found),
                whole=all(w is found[0][0] for w, _ in found),
            )
            for group_id, found in moves.items()
        }

    @cached_property
    def executed(self) -> Mapping[str, Pin]:
        """Groups whose cutover has happened."""
        return {p.group_id: p for p in self.problem.pins if p.source == "executed"}

    @cached_property
    def over(self) -> frozenset[str]:
        """Jobs that are not planned any more: cutovers that have happened, jobs done or under way, and all that came before."""
        found: set[str] = set()
        open_ = [j.job_id for g in self.executed for j in self.jobs_of.get(g, ()) if j.calendar == "window"]
        open_ += [d.job_id for d in self.problem.done]
        while open_:
            job_id = open_.pop()
            if job_id not in found and job_id in self.job:
                found.add(job_id)
                open_ += self.job[job_id].after
        return frozenset(found)

    @cached_property
    def placed(self) -> frozenset[str]:
        """Groups and networks of which anything is planned or over."""
        return frozenset({*self.cutover, *(a.subject_id for a in self.activities), *self.executed})

    @cached_property
    def off(self) -> WorkDays:
        return WorkDays(self.problem)

    def is_here(self, job: Job) -> bool:
        return job.subject_id in self.cutover if job.calendar == "window" else job.job_id in self.activity

    def held(self, job: Job) -> tuple[int, int] | None:
        """Positions [from, to) in which the job holds crew and resources; None when it is not placed or has no length."""
        if job.calendar == "window":
            cut = self.cutover.get(job.subject_id)
            if cut is None:
                return None
            return instant_position(cut.window, cut.starts_at), instant_position(cut.window, cut.ends_at)
        done = self.activity.get(job.job_id)
        if done is None or done.ends_on < done.starts_on:
            return None
        return day_position(done.starts_on), day_position(done.ends_on) + 1

    def crew_of(self, job: Job) -> str | None:
        """Of a job that is placed."""
        return self.cutover[job.subject_id].crew if job.calendar == "window" else self.activity[job.job_id].crew

    def start_day(self, job: Job) -> date | None:
        """Local day on which the job starts; of a cutover the day on which its window opens."""
        if job.calendar == "window":
            cut = self.cutover.get(job.subject_id)
            return cut.window.opens_on if cut else None
        done = self.activity.get(job.job_id)
        return done.starts_on if done else None

    def last_day(self, job: Job) -> date | None:
        """Its last day, included; of a cutover the day on which its window opens, as what follows starts the day after."""
        if job.calendar == "window":
            return self.start_day(job)
        done = self.activity.get(job.job_id)
        return done.ends_on if done else None


def day_position(day: date) -> int:
    """Place of a day's work on the line; it comes before the windows that open on that day."""
    return day.toordinal() * DAY_MIN


def instant_position(window: ChangeWindow, at: datetime) -> int:
    """Place of an instant inside a window: after the work of the day on which the window opens, before the next day's."""
    midnight = datetime(window.opens_on.year, window.opens_on.month, window.opens_on.day, tzinfo=UTC) - timedelta(
        days=1
    )
    minutes = int((at - midnight).total_seconds()) // 60
    return day_position(window.opens_on) + min(max(minutes, 1), DAY_MIN - 1)


class WorkDays:
    """Working days of the office; after the last day off that the problem lists, weekends are off."""

    def __init__(self, problem: PlanProblem) -> None:
        self._off = frozenset(problem.days_off)
        self._known_to = max(problem.days_off, default=problem.starts_on)
        self._sums = {problem.starts_on: 0}
        self._ends: dict[tuple[date, int], date] = {}
        self._first, self._next, self._sum = problem.starts_on, problem.starts_on, 0

    def is_off(self, day: date) -> bool:
        return day in self._off or (day > self._known_to and day.weekday() >= 5)

    def working(self, first: date, last: date) -> int:
        """Working days in [first, last]; nothing is known of days before the plan starts, they count for none."""
        return self._before(last + timedelta(days=1)) - self._before(first)

    def end(self, start: date, length: int, working: bool) -> date:
        """Last day of work that begins on `start` or on the first day after it that its calendar allows."""
        if start.toordinal() + 3 * length > date.max.toordinal() - DAYS_AHEAD:
            return date.max - timedelta(days=DAYS_AHEAD)
        if length <= 0 or not working:
            return start + timedelta(days=length - 1)
        key = (start, length)
        if key not in self._ends:
            day = start - timedelta(days=1)
            while length > 0:
                day += timedelta(days=1)
                length -= not self.is_off(day)
            self._ends[key] = day
        return self._ends[key]

    def _before(self, day: date) -> int:
        if day <= self._first:
            return 0
        while self._next < day:
            self._sum += not self.is_off(self._next)
            self._next += timedelta(days=1)
            self._sums[self._next] = self._sum
        return self._sums[day]


def bound(task: MoveTask, freeze: Freeze) -> bool:
    """Whether the freeze closes windows for this system; a system of unknown MLPS level counts as one of a high level."""
    if task.system_id in freeze.exceptions:
        return False
    if freeze.system_ids and task.system_id not in freeze.system_ids:
        return False
    if freeze.departments and task.department not in freeze.departments:
        return False
    return freeze.min_mlps is None or task.mlps_level is None or task.mlps_level >= freeze.min_mlps


def is_general(freeze: Freeze) -> bool:
    """It closes windows for everybody."""
    return freeze.min_mlps is None and not freeze.system_ids and not freeze.departments


def meets(window: ChangeWindow, freeze: Freeze) -> bool:
    return window.starts_at < freeze.ends_at and freeze.starts_at < window.ends_at


def violation(code: str, text: Text, *subjects: str, **values: object) -> PlanViolation:
    """`{s}` in the text stands for the subjects."""
    names = Text("、".join(subjects), ", ".join(subjects))
    return PlanViolation(code=code, subjects=subjects, text=text.format(s=names, **values))
