"""A job on the line of positions (planning/placing.py), and lines of such stays that know what overlaps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from itertools import accumulate
from typing import NamedTuple

from govcloud.model.plan_problem import ChangeWindow, Job, PlanResource
from govcloud.planning.placing import DAY_MIN


class Stay(NamedTuple):
    """A job where the plan has it, or where it is tried."""

    job: Job
    begins: int
    """Position; the job holds what it needs in [begins, ends)."""
    ends: int
    first_on: date
    """Of a cutover: the day on which its window opens."""
    last_on: date
    """Included; of a cutover the opening day, as what follows starts the day after."""
    window: ChangeWindow | None
    crew: str | None


class Full(NamedTuple):
    """A resource that would be asked for more than there is."""

    resource: PlanResource
    used: int
    """With the job that was tried."""
    limit: int
    holders: tuple[Stay, ...]


class Line:
    """Stays by their beginning, with the longest of them, so that what overlaps an interval is found at once."""

    def __init__(self, stays: Iterable[Stay]) -> None:
        self.stays = sorted(stays, key=lambda s: (s.begins, s.ends, s.job.job_id))
        self._begins = [s.begins for s in self.stays]
        self._longest = max((s.ends - s.begins for s in self.stays), default=0)
        self._taken: list[int] = []

    def overlapping(self, begins: int, ends: int) -> list[Stay]:
        low, high = bisect_left(self._begins, begins - self._longest), bisect_left(self._begins, ends)
        return [s for s in self.stays[low:high] if s.ends > begins]

    def taken(self, position: int, resource: PlanResource) -> int:
        """By those that begin there or before; a line belongs to one resource."""
        if not self._taken:
            self._taken = [*accumulate((amount_of(s, resource) for s in self.stays), initial=0)]
        return self._taken[bisect_left(self._begins, position + 1)]


def amount_of(stay: Stay, resource: PlanResource) -> int:
    return next((n for key, n in stay.job.demands if key == resource.resource_id), 0)


def day_of(position: int) -> date:
    return date.fromordinal(position // DAY_MIN)
