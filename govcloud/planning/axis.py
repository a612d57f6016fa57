"""The axis of time of a plan: days and the minutes of change windows as ticks of one schedule problem.

The tick of a day stands for the whole work of that day. The ticks of the windows that open on the day come after it, five
minutes each, also those past midnight: what ends on a Saturday is over when Saturday's window opens, and what follows the
window begins on Sunday.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from govcloud.model.plan_problem import ChangeWindow, Job, PlanProblem

TICK_MIN = 5
MIN_FOLLOWING_DAYS = 60
MAX_FOLLOWING_DAYS = 3650
"""No axis goes on for longer than this after the last window, whatever a limit of almost nothing would ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    starts_on: date
    days: tuple[int, ...]
    """Tick of each day from `starts_on`."""
    windows: tuple[ChangeWindow, ...]
    """Those that open on one of the days and are a tick long at least."""
    spans: tuple[tuple[int, int], ...]
    """Of each window: its ticks [from, to)."""
    numbers: tuple[int, ...]
    """Of each window: its index in the problem's windows."""
    working: tuple[tuple[int, int], ...]
    """Spans of working days."""
    daily: tuple[tuple[int, int], ...]
    """Spans of all days."""
    horizon: int
    scale: tuple[int, ...]
    """Of each tick up to the horizon: number of the first day that begins then or later. Of the end of some work: the days
    from the start of the plan up to and with the one on which the work ends."""

    def day_tick(self, day: date) -> int:
        """The first tick for a day before the axis, the horizon for one after it."""
        number = (day - self.starts_on).days
        return 0 if number < 0 else self.days[number] if number < len(self.days) else self.horizon

    def date_at(self, tick: int) -> date:
        """The first day that begins at this tick or later: what starts at the tick of a day starts on that day."""
        return self.starts_on + timedelta(days=self.scale[tick])

    def ended_on(self, end: int) -> date:
        """The last day of work that ends (exclusively) at this tick."""
        return self.date_at(end) - timedelta(days=1)

    def window_at(self, tick: int) -> int | None:
        """Index in `windows` of the one that holds this tick."""
        index = bisect_right(self.spans, (tick, self.horizon + 1)) - 1
        return index if index >= 0 and tick < self.spans[index][1] else None

    def instant(self, tick: int) -> datetime:
        """Of a tick in a window. Raises ValueError for another."""
        index = self.window_at(tick)
        if index is None:
            raise ValueError(tick)
        return self.windows[index].starts_at + timedelta(minutes=TICK_MIN * (tick - self.spans[index][0]))

    def tick_at(self, instant: datetime) -> int | None:
        """The tick that holds this instant; None outside of all windows."""
        index = bisect_right(self.windows, instant, key=lambda w: w.starts_at) - 1
        if index < 0:
            return None
        first, last = self.spans[index]
        tick = first + int((instant - self.windows[index].starts_at) / timedelta(minutes=TICK_MIN))
        return tick if tick < last else None

    def opening_on(self, day: date) -> range:
        """Indices in `windows` of those that open on this day."""
        return range(
            bisect_left(self.windows, day, key=lambda w: w.opens_on),
            bisect_right(self.windows, day, key=lambda w: w.opens_on),
        )


def ticks(minutes: int) -> int:
    """Minutes of a job in whole ticks; a job in a window takes one at least."""
    return max(1, -(-minutes // TICK_MIN))


def build_axis(problem: PlanProblem) -> Axis:
    """The weeks of the period, and days enough for what follows the last cutover. Windows that open outside of the period
    are not on it."""
    windows = [
        (number, window, length)
        for number, window in enumerate(problem.windows)
        if 0 <= (window.opens_on - problem.starts_on).days < problem.weeks * 7 and (length := _window_ticks(window)) > 0
    ]
    count = max(problem.weeks * 7, 1) + _following_days(problem)
    count = min(count, (date.max - problem.starts_on).days)
    days: list[int] = []
    spans: list[tuple[int, int]] = []
    scale: list[int] = []
    at = 0
    for number in range(count):
        days.append(len(scale))
        scale.append(number)
        while at < len(windows) and windows[at][1].opens_on <= problem.starts_on + timedelta(days=number):
            if spans and spans[-1][1] == len(scale):
                # Work without a break must not run from one window into the next: a tick that is nobody's parts them.
                scale.append(number + 1)
            spans.append((len(scale), len(scale) + windows[at][2]))
            scale += [number + 1] * windows[at][2]
            at += 1
    horizon = len(scale)
    off = set(problem.days_off)
    last_off = max(off, default=problem.starts_on - timedelta(days=1))
    return Axis(
        starts_on=problem.starts_on, days=tuple(days), horizon=horizon, scale=(*scale, count),
        windows=tuple(w for _, w, _ in windows), spans=tuple(spans), numbers=tuple(n for n, _, _ in windows),
        daily=tuple(_runs(iter(days))),
        working=tuple(
            _runs(
                tick
                for number, tick in enumerate(days)
                if (day := problem.starts_on + timedelta(days=number)) not in off
                # Beyond the days that somebody has listed, weekends are the best guess.
                and (day <= last_off or day.weekday() < 5)
            )
        ),
    )  # fmt: skip


def _window_ticks(window: ChangeWindow) -> int:
    return int((window.ends_at.astimezone(UTC) - window.starts_at.astimezone(UTC)) / timedelta(minutes=TICK_MIN))


def _runs(single: Iterator[int]) -> Iterator[tuple[int, int]]:
    """Ticks as spans that do not touch."""
    first = last = None
    for tick in single:
        if first is None or last is None:
            first = tick
        elif tick != last + 1:
            yield (first, last + 1)
            first = tick
        last = tick
    if first is not None and last is not None:
        yield (first, last + 1)


def _following_days(problem: PlanProblem) -> int:
    """Twice the longest chain of jobs after a cutover (or of a group without one), and what the scarcest resource of those
    jobs needs for all of them."""
    chain: dict[str, int] = {}
    following: list[Job] = []
    for job in problem.jobs:
        if job.calendar == "window":
            chain[job.job_id] = 0
            continue
        chain[job.job_id] = _days(job) + max((chain.get(a, 0) for a in job.after), default=0)
        following.append(job)
    longest = max(chain.values(), default=0)
    wanted = MIN_FOLLOWING_DAYS + 2 * longest + _queue_days(problem, following)
    return min(wanted, MAX_FOLLOWING_DAYS)


def _days(job: Job) -> int:
    """Calendar days of a job, holidays included as far as a rough guess can."""
    return job.length * 3 // 2 + 8 if job.calendar == "working" and job.length else job.length


def _queue_days(problem: PlanProblem, jobs: list[Job]) -> int:
    limits: Mapping[str, int] = {
        r.resource_id: min(r.amount, *(a for _, a in r.changes)) if r.changes else r.amount
        for r in problem.resources
        if r.scope == "at_once"
    }
    work: dict[str, int] = {}
    for job in jobs:
        for resource_id, amount in job.demands:
            work[resource_id] = work.get(resource_id, 0) + amount * job.length * (7 if job.calendar == "working" else 5)
        if job.crew_skills is not None:
            work[""] = work.get("", 0) + job.length * 7
    queues = [w // (5 * limits[r]) for r, w in work.items() if limits.get(r, 0) > 0]
    if problem.crews:
        queues.append(work.get("", 0) // (5 * len(problem.crews)))
    return max(queues, default=0)
