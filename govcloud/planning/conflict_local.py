"""Conflicts that show without a search: a group that no window takes, a limit below what all groups need together.

Windows are bits of a whole number, so that fifty thousand groups cost a few operations each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import product

from govcloud.model.plan_problem import ChangeWindow, Freeze, Job, MoveGroup, MoveTask, Pin, PlanProblem
from govcloud.planning.demands import Cause, pin_subjects
from govcloud.planning.placing import WorkDays, bound, meets
from govcloud.planning.relaxed import longer, weeks_beyond

TICK_MIN = 5
"""Windows are used in whole five minutes, as on the axis of the search."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Demands that can't all be met."""

    causes: tuple[Cause, ...]
    group_ids: tuple[str, ...]
    """Groups that can't all be placed; those that are not needed for it are none of them."""
    minimal: bool = True
    counted: bool = False
    """It rests on a sum, not on each of its groups."""


@dataclass(frozen=True)
class Openings:
    """Which windows are open for which group, the period's own and, for the question whether a longer period would help,
    as many again."""

    problem: PlanProblem

    @cached_property
    def windows(self) -> Sequence[ChangeWindow]:
        first, weeks = self.problem.starts_on, self.problem.weeks
        inside = [w for w in self.problem.windows if 0 <= (w.opens_on - first).days < weeks * 7]
        further = longer(self.problem, weeks_beyond(self.problem)).windows[len(self.problem.windows) :]
        return (*inside, *further)

    @cached_property
    def beyond(self) -> int:
        """Windows after the period."""
        end = self.problem.starts_on + timedelta(weeks=self.problem.weeks)
        return self._mask(w.opens_on >= end for w in self.windows)

    @cached_property
    def task(self) -> Mapping[str, MoveTask]:
        return {t.system_id: t for t in self.problem.tasks}

    @cached_property
    def group(self) -> Mapping[str, MoveGroup]:
        return {g.group_id: g for g in self.problem.groups}

    @cached_property
    def pins(self) -> Mapping[str, Mapping[str, Pin]]:
        """Of each group, by the subject of the demand."""
        found: dict[str, dict[str, Pin]] = {}
        for subject, pin in pin_subjects(self.problem).items():
            found.setdefault(pin.group_id, {})[subject] = pin
        return found

    @cached_property
    def cutovers(self) -> Mapping[str, Job]:
        """Of the groups that are still to move."""
        executed = {p.group_id for p in self.problem.pins if p.source == "executed"}
        return {j.subject_id: j for j in self.problem.jobs if j.calendar == "window" and j.subject_id not in executed}

    @cached_property
    def earliest(self) -> Mapping[str, date]:
        """First day on whose windows each group could move if nobody else wanted anything."""
        first = self.problem.starts_on
        found: dict[str, date] = {}
        free: dict[str, date] = {}
        """Of each job: the first day on which what waits for it can start."""
        days = WorkDays(self.problem)
        executed = {p.group_id: p.opens_on for p in self.problem.pins if p.source == "executed"}
        for job in self.problem.jobs:
            start = max([first, *(free[a] for a in job.after if a in free)])
            if job.calendar != "window":
                free[job.job_id] = days.end(start, job.length, job.calendar == "working") + _DAY
            elif job.subject_id in executed:
                free[job.job_id] = executed[job.subject_id] + _DAY
            else:
                found[job.subject_id] = max(start - _DAY, first)
                free[job.job_id] = found[job.subject_id] + _DAY
        return found

    def closed(self, group_id: str) -> dict[Cause, int]:
        """The windows that each demand closes for the group; what is not in its power alone, such as the days that the work
        before the cutover takes, stands under ("", "")."""
        group, job = self.group[group_id], self.cutovers[group_id]
        earliest = self.earliest[group_id]
        found = {("weeks", ""): self.beyond, ("", ""): self._before(earliest)}
        found["window_length", ""] = self.shorter(job.length)
        for task in self.members(group):
            for name, mask in self._frozen(task).items():
                found["freeze", name] = found.get(("freeze", name), 0) | mask
            if task.not_before_on is not None:
                found["not_before", task.system_id] = self._before(task.not_before_on)
            if task.not_after_on is not None:
                found["not_after", task.system_id] = self.all & ~self._before(task.not_after_on + _DAY)
        for subject, pin in self.pins.get(group_id, {}).items():
            found["pin", subject] = self._mask(w.opens_on != pin.opens_on for w in self.windows)
        return {cause: mask for cause, mask in found.items() if mask}

    def open(self, closed: Mapping[Cause, int]) -> int:
        """Windows that nothing closes."""
        left = self.all
        for mask in closed.values():
            left &= ~mask
        return left

    def members(self, group: MoveGroup) -> list[MoveTask]:
        return [self.task[s] for s in group.system_ids]

    @cached_property
    def all(self) -> int:
        return (1 << len(self.windows)) - 1

    @staticmethod
    def _mask(bits: Iterable[bool]) -> int:
        return sum(1 << n for n, bit in enumerate(bits) if bit)

    @cached_property
    def _tables(self) -> dict[object, int]:
        return {}

    def _before(self, day: date) -> int:
        if day not in self._tables:
            self._tables[day] = self._mask(w.opens_on < day for w in self.windows)
        return self._tables[day]

    def shorter(self, minutes: int) -> int:
        """Windows that a job of this length does not fit."""
        if minutes not in self._tables:
            span = timedelta(minutes=-(-minutes // TICK_MIN) * TICK_MIN)
            self._tables[minutes] = self._mask(w.ends_at - w.starts_at < span for w in self.windows)
        return self._tables[minutes]

    @cached_property
    def _freezes(self) -> Sequence[tuple[Freeze, int]]:
        found = [(f, self._mask(meets(w, f) for w in self.windows)) for f in self.problem.freezes]
        return [(f, mask) for f, mask in found if mask]

    def _frozen(self, task: MoveTask) -> dict[str, int]:
        found: dict[str, int] = {}
        for freeze, mask in self._freezes:
            if bound(task, freeze):
                found[freeze.name] = found.get(freeze.name, 0) | mask
        return found


def find_clashes(openings: Openings) -> Iterator[Clash]:
    """Those of single groups and of pairs of pins."""
    problem = openings.problem
    if not openings.windows and openings.cutovers:
        many = sorted(openings.cutovers)
        yield Clash(causes=(_all_of(many), ("weeks", "")), group_ids=tuple(many))
        return
    yield from _pools(openings)
    yield from _too_big(problem)
    for group_id in openings.cutovers:
        if not openings.open(openings.closed(group_id)):
            causes = needed_causes(openings, group_id, openings.all)
            yield Clash(causes=(("place", group_id), *causes), group_ids=(group_id,))
    yield from _apart(openings)


def needed_causes(openings: Openings, group_id: str, windows: int) -> tuple[Cause, ...]:
    """A smallest set of causes that close these windows for the group: one is left out after the other, limits before what
    people have agreed, so that what somebody can talk about stays. What is in nobody's power is no cause."""
    order = ("weeks", "freeze", "not_before", "window_length", "not_after", "pin", "")
    closed = openings.closed(group_id)
    kept = dict(closed)
    # By the number of windows as well: the freeze that closes one window goes before the one that closes ten.
    for cause in sorted(closed, key=lambda c: (order.index(c[0]), closed[c].bit_count(), c)):
        rest = {c: m for c, m in kept.items() if c != cause}
        if cause[0] and not openings.open(rest) & windows:
            kept = rest
    causes = {c for c in kept if c[0]}
    members = openings.members(openings.group[group_id])
    if ("window_length", "") in causes and len(members) > 1:
        alone = openings.shorter(max(t.cutover_min + t.reserve_min for t in members))
        if openings.open({**kept, ("window_length", ""): alone}) & windows:
            causes.add(("tie", group_id))
    return tuple(sorted(causes))


def _all_of(group_ids: Sequence[str]) -> Cause:
    """What keeps each of them from being placed is said once."""
    return ("place", group_ids[0] if len(group_ids) == 1 else "")


def _pools(openings: Openings) -> Iterator[Clash]:
    """Groups with skills that no crew has."""
    problem = openings.problem
    skilled: dict[tuple[str, ...], bool] = {}
    missing: dict[str, None] = {}
    for job in problem.jobs:
        if job.crew_skills is not None:
            if job.crew_skills not in skilled:
                skilled[job.crew_skills] = any(set(job.crew_skills) <= set(c.skills) for c in problem.crews)
            if not skilled[job.crew_skills]:
                missing[job.subject_id] = None
    missing = {g: None for g in missing if g in openings.group}
    if not problem.crews and missing:
        yield Clash(causes=(_all_of(sorted(missing)), ("crews", "")), group_ids=tuple(sorted(missing)))
        return
    for group_id in missing:
        yield Clash(causes=(("place", group_id), ("skills", group_id)), group_ids=(group_id,))


def _too_big(problem: PlanProblem) -> Iterator[Clash]:
    """One piece of work that asks for more than a resource ever has."""
    most = {r.resource_id: max(r.amount, *(a for _, a in r.changes)) if r.changes else r.amount for r in problem.resources}  # fmt: skip
    groups = {g.group_id for g in problem.groups}
    seen: set[tuple[str, str]] = set()
    for job in problem.jobs:
        for resource_id, amount in job.demands:
            key = (job.subject_id, resource_id)
            if amount > most.get(resource_id, amount) and job.subject_id in groups and key not in seen:
                seen.add(key)
                yield Clash(causes=(("place", job.subject_id), ("resource", resource_id)), group_ids=(job.subject_id,))


def _apart(openings: Openings) -> Iterator[Clash]:
    """Groups that must not share a window, but are one group or pinned into the same window."""
    for pair in openings.problem.apart:
        one, other = pair.group_ids
        subject = ("apart", f"{one}|{other}")
        if one == other:
            if one in openings.cutovers:
                yield Clash(causes=(("place", one), ("tie", one), subject), group_ids=(one,))
            continue
        for (first, pin), (second, same_day) in product(
            openings.pins.get(one, {}).items(), openings.pins.get(other, {}).items()
        ):
            here = sum(w.opens_on == pin.opens_on for w in openings.problem.windows)
            if pin.opens_on == same_day.opens_on and here == 1 and {one, other} <= openings.cutovers.keys():
                causes = (("place", one), ("place", other), subject, ("pin", first), ("pin", second))
                yield Clash(causes=causes, group_ids=(one, other))
