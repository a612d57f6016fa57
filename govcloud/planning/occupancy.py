"""Who holds which crew and resource when in a plan, and whether a job would have room elsewhere; no solver is asked.

Positions are those of planning/placing.py: one line on which a day's work comes before the windows that open on that day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate

from govcloud.model.plan import MigrationPlan, Wave
from govcloud.model.plan_problem import ChangeWindow, Freeze, Job, Pin, PlanResource, WeakLink
from govcloud.planning.placing import Placing, bound, day_position, instant_position, is_general, meets
from govcloud.planning.stays import Full, Line, Stay, amount_of, day_of
from govcloud.planning.verify_limits import limit_on

DAY = timedelta(days=1)
TICK_MIN = 5
"""Cutovers start on this grid within a window, as planning/axis.py lays them."""
LATER = ("retention", "switch_off")
"""Jobs of the old place, after the new one is in use."""


@dataclass(frozen=True)
class Board:
    """Tables over a plan, each made once when it is first asked for; linear in its jobs, links and freezes."""

    plan: MigrationPlan

    @cached_property
    def placing(self) -> Placing:
        return Placing(self.plan.problem, self.plan.waves, self.plan.activities)

    @cached_property
    def stays(self) -> Mapping[str, Stay]:
        """Every job that is placed, by its id."""
        placing, found = self.placing, dict[str, Stay]()
        for activity in self.plan.activities:
            if job := placing.job.get(activity.job_id):
                ends = day_position(activity.ends_on) + 1
                begins = min(day_position(activity.starts_on), ends)
                found[job.job_id] = Stay(job, begins, ends if activity.ends_on >= activity.starts_on else begins, activity.starts_on, activity.ends_on, None, activity.crew)  # fmt: skip
        for group_id, cut in placing.cutover.items():
            if job := placing.cutover_job.get(group_id):
                begins, ends = (instant_position(cut.window, at) for at in (cut.starts_at, cut.ends_at))
                found[job.job_id] = Stay(job, begins, ends, cut.window.opens_on, cut.window.opens_on, cut.window, cut.crew)  # fmt: skip
        for group_id, pin in placing.executed.items():
            job = placing.cutover_job.get(group_id)
            if job is not None and job.job_id not in found:
                at = day_position(pin.opens_on)
                found[job.job_id] = Stay(job, at, at, pin.opens_on, pin.opens_on, None, pin.crew)
        return found

    @cached_property
    def early(self) -> dict[str, Mapping[str, Stay]]:
        """Filled by planning/packing.py: of a group, its jobs before the cutover where they could be at the earliest."""
        return {}

    @cached_property
    def followers(self) -> Mapping[str, Sequence[Job]]:
        found: dict[str, list[Job]] = defaultdict(list)
        for job in self.plan.problem.jobs:
            for before in job.after:
                found[before].append(job)
        return found

    @cached_property
    def resource(self) -> Mapping[str, PlanResource]:
        return {r.resource_id: r for r in self.plan.problem.resources}

    @cached_property
    def holders(self) -> Mapping[str, Line]:
        """By resource; for scope `total` and the periodic ones a stay counts by its beginning alone."""
        found: dict[str, list[Stay]] = defaultdict(list)
        for stay in self.stays.values():
            for resource_id, _ in stay.job.demands:
                found[resource_id].append(stay)
        return {key: Line(stays) for key, stays in found.items()}

    @cached_property
    def taken(self) -> Mapping[str, int]:
        """By resource of scope `total`: what jobs took that are over and in the plan no more."""
        found: dict[str, int] = defaultdict(int)
        for job_id in self.placing.over - self.stays.keys():
            for resource_id, amount in self.placing.job[job_id].demands:
                found[resource_id] += amount
        return found

    @cached_property
    def crew_line(self) -> Mapping[str, Line]:
        found: dict[str, list[Stay]] = defaultdict(list)
        for stay in self.stays.values():
            if stay.crew is not None and stay.job.crew_skills is not None:
                found[stay.crew].append(stay)
        return {key: Line(stays) for key, stays in found.items()}

    @cached_property
    def in_window(self) -> Mapping[str, Sequence[Stay]]:
        found: dict[str, list[Stay]] = defaultdict(list)
        for stay in self.stays.values():
            if stay.window is not None:
                found[stay.window.window_id].append(stay)
        return found

    @cached_property
    def wave(self) -> Mapping[str, Wave]:
        """By window id."""
        return {w.window.window_id: w for w in self.plan.waves}

    @cached_property
    def pin(self) -> Mapping[str, Pin]:
        return {p.group_id: p for p in self.plan.problem.pins}

    @cached_property
    def links(self) -> Mapping[str, Sequence[WeakLink]]:
        """Weak links between two groups, by either group."""
        found: dict[str, list[WeakLink]] = defaultdict(list)
        group_of = self.placing.group_of
        for link in self.plan.problem.weak_links:
            source, target = group_of.get(link.source_id), group_of.get(link.target_id)
            if source is not None and target is not None and source != target:
                found[source].append(link)
                found[target].append(link)
        return found

    @cached_property
    def apart(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for pair in self.plan.problem.apart:
            one, other = pair.group_ids
            found[one].append(other)
            found[other].append(one)
        return found

    @cached_property
    def pilots(self) -> frozenset[str]:
        task = self.placing.task
        return frozenset(g.group_id for g in self.plan.problem.groups if any(task[s].pilot for s in g.system_ids))

    @cached_property
    def last_pilot(self) -> Stay | None:
        """The last cutover of a pilot; what has been executed counts too."""
        found = [s for g in sorted(self.pilots) if (s := self.cutover(g)) is not None]
        return max(found, key=lambda s: s.begins, default=None)

    @cached_property
    def first_after_pilots(self) -> Stay | None:
        """The first planned cutover that is none of a pilot."""
        cut = self.placing.cutover_job
        found = [
            s for g in cut if g not in self.pilots and g not in self.placing.executed and (s := self.cutover(g)) is not None
        ]  # fmt: skip
        return min(found, key=lambda s: (s.begins, s.job.job_id), default=None)

    @cached_property
    def core_opens(self) -> ChangeWindow | None:
        """The window from which on core systems should move; None where they may move in any."""
        open_ = [w for w in self.plan.problem.windows if not any(is_general(f) and meets(w, f) for f in self.plan.problem.freezes)]  # fmt: skip
        number = self.plan.problem.core_from_window
        return open_[min(number, len(open_)) - 1] if number > 1 and open_ else None

    @cached_property
    def _met(self) -> Mapping[str, Sequence[Freeze]]:
        return {
            w.window_id: tuple(f for f in self.plan.problem.freezes if meets(w, f)) for w in self.plan.problem.windows
        }

    def freezes(self, group_id: str, window: ChangeWindow) -> list[Freeze]:
        """Those that close the window for the group because they bind one of its systems."""
        placing = self.placing
        tasks = [placing.task[s] for s in placing.group[group_id].system_ids]
        return [f for f in self._met.get(window.window_id, ()) if any(bound(t, f) for t in tasks)]

    def cutover(self, group_id: str) -> Stay | None:
        job = self.placing.cutover_job.get(group_id)
        return self.stays.get(job.job_id) if job else None

    def own(self, subject_id: str) -> frozenset[str]:
        return frozenset(j.job_id for j in self.placing.jobs_of.get(subject_id, ()))

    @cached_property
    def ends_on(self) -> date:
        """The end of the plan as the goal `makespan` counts it."""
        return max((day for _, day in self._ends), default=self.plan.problem.starts_on)

    @cached_property
    def _ends(self) -> Sequence[tuple[str, date]]:
        """(subject, end) of the two subjects that end last."""
        last: dict[str, date] = {}
        for stay in self.stays.values():
            if self.counts(stay.job) and stay.last_on > last.get(stay.job.subject_id, date.min):
                last[stay.job.subject_id] = stay.last_on
        return sorted(last.items(), key=lambda item: item[1])[-2:]

    def ends_without(self, subject_id: str) -> date:
        """The end of the plan if this group or network were not there."""
        return max((day for who, day in self._ends if who != subject_id), default=self.plan.problem.starts_on)

    @cached_property
    def _taken_over(self) -> frozenset[str]:
        return frozenset(j.subject_id for j in self.plan.problem.jobs if j.kind == "takeover")

    def counts(self, job: Job) -> bool:
        """Whether the job belongs to the plan's end: keeping the old place for a while after a take-over holds nobody up."""
        return job.kind not in LATER or job.subject_id not in self._taken_over

    # --- calendar

    def first_day(self, job: Job, earliest: date) -> date:
        """The first day on which the job may start, from `earliest` on."""
        day = max(earliest, self.plan.problem.starts_on)
        while job.calendar == "working" and job.length and self.placing.off.is_off(day):
            day += DAY
        return day

    def last_day(self, job: Job, starts_on: date) -> date:
        """The day on which the job ends when it starts on `starts_on`; the day before for a job of no length."""
        if job.calendar != "working":
            return starts_on + (job.length - 1) * DAY
        day, left = starts_on - DAY, job.length
        while left:
            day += DAY
            left -= not self.placing.off.is_off(day)
        return day

    def stay_from(self, job: Job, starts_on: date, crew: str | None = None) -> Stay:
        last_on = self.last_day(job, starts_on)
        begins = day_position(starts_on)
        return Stay(job, begins, day_position(last_on) + 1 if job.length else begins, starts_on, last_on, None, crew)

    # --- room

    def overfull(self, stay: Stay, ignore: Collection[str], extra: Sequence[Stay] = ()) -> list[Full]:
        """The resources that have no room for the stay beside all others but `ignore` (job ids) and with `extra`."""
        found = []
        for resource_id, amount in stay.job.demands:
            resource = self.resource.get(resource_id)
            if resource is None or (stay.ends <= stay.begins and resource.scope == "at_once"):
                continue
            check = {
                "at_once": self._at_once, "per_window": self._in_period, "per_month": self._in_period, "total": self._total,
            }[resource.scope]  # fmt: skip
            full = check(resource, stay, amount, ignore, extra)
            if full is not None:
                found.append(full)
        return found

    def _others(
        self, resource: PlanResource, span: tuple[int, int], ignore: Collection[str], extra: Sequence[Stay]
    ) -> list[Stay]:
        line = self.holders.get(resource.resource_id)
        near = [s for s in line.overlapping(*span) if s.job.job_id not in ignore] if line else []
        return near + [s for s in extra if s.begins < span[1] and s.ends > span[0] and amount_of(s, resource)]

    def _at_once(
        self, resource: PlanResource, stay: Stay, amount: int, ignore: Collection[str], extra: Sequence[Stay]
    ) -> Full | None:
        others = self._others(resource, (stay.begins, stay.ends), ignore, extra)
        points = {stay.begins, *(s.begins for s in others if s.begins > stay.begins)}
        points |= {p for d, _ in resource.changes if stay.begins < (p := day_position(d)) < stay.ends}
        steps = sorted([(s.begins, amount_of(s, resource)) for s in others] + [(s.ends, -amount_of(s, resource)) for s in others])  # fmt: skip
        used, step, worst = 0, 0, None
        for point in sorted(points):
            while step < len(steps) and steps[step][0] <= point:
                used += steps[step][1]
                step += 1
            limit = limit_on(resource, day_of(point))
            if used + amount > limit and (worst is None or used + amount - limit > worst.used - worst.limit):
                here = tuple(s for s in others if s.begins <= point < s.ends)
                worst = Full(resource, used + amount, limit, here)
        return worst

    def _in_period(
        self, resource: PlanResource, stay: Stay, amount: int, ignore: Collection[str], extra: Sequence[Stay]
    ) -> Full | None:
        if resource.scope == "per_window":
            if stay.window is None:
                return None
            near: Sequence[Stay] = self.in_window.get(stay.window.window_id, ())
            others = [s for s in near if s.job.job_id not in ignore and amount_of(s, resource)]
            others += [s for s in extra if s.window == stay.window and amount_of(s, resource)]
        else:
            first = stay.first_on.replace(day=1)
            span = day_position(first), day_position((first + 31 * DAY).replace(day=1))
            others = [s for s in self._others(resource, span, ignore, extra) if span[0] <= s.begins < span[1]]
        limit = limit_on(resource, stay.first_on if resource.scope == "per_window" else stay.first_on.replace(day=1))
        used = amount + sum(amount_of(s, resource) for s in others)
        return Full(resource, used, limit, tuple(others)) if used > limit else None

    def _total(
        self, resource: PlanResource, stay: Stay, amount: int, ignore: Collection[str], extra: Sequence[Stay]
    ) -> Full | None:
        """What is taken only grows, so between two limits it is enough to look at the end of each."""
        line = self.holders.get(resource.resource_id)
        own = [s for j in ignore if (s := self.stays.get(j)) is not None]
        tried = [(s.begins, amount_of(s, resource)) for s in extra] + [(s.begins, -amount_of(s, resource)) for s in own]
        amount += self.taken.get(resource.resource_id, 0)
        opens = [stay.begins, *(p for d, _ in resource.changes if (p := day_position(d)) > stay.begins)]
        worst = None
        for at, until in zip(opens, [*(p - 1 for p in opens[1:]), day_position(date.max)], strict=True):
            used = amount + (line.taken(until, resource) if line else 0) + sum(n for p, n in tried if p <= until)
            limit = limit_on(resource, day_of(at))
            if used > limit and (worst is None or used - limit > worst.used - worst.limit):
                here = tuple(
                    s for s in (line.stays if line else ()) if s.begins <= until and s.job.job_id not in ignore
                )
                worst = Full(resource, used, limit, here)
        return worst

    def able(self, job: Job) -> list[str]:
        """Crews that have the skills, in their order; empty too for a job that needs none."""
        if job.crew_skills is None:
            return []
        return [c.name for c in self.plan.problem.crews if set(job.crew_skills) <= set(c.skills)]

    def busy(
        self, crew: str, begins: int, ends: int, ignore: Collection[str], extra: Sequence[Stay] = ()
    ) -> list[Stay]:
        line = self.crew_line.get(crew)
        here = [s for s in line.overlapping(begins, ends) if s.job.job_id not in ignore] if line else []
        return here + [s for s in extra if s.crew == crew and s.begins < ends and s.ends > begins]

    @cached_property
    def peak_crews(self) -> int:
        """The most crews that are at work at once."""
        stays = [s for line in self.crew_line.values() for s in line.stays if s.ends > s.begins]
        steps = sorted(step for s in stays for step in ((s.begins, 1), (s.ends, -1)))
        return max(accumulate(n for _, n in steps), default=0)

    def more_crews(self, stay: Stay, ignore: Collection[str]) -> bool:
        """Whether the stay would have more crews at work at once than the plan ever has."""
        if stay.job.crew_skills is None:
            return False
        here = [s for crew in self.crew_line for s in self.busy(crew, stay.begins, stay.ends, ignore)]
        points = {stay.begins, *(s.begins for s in here if s.begins > stay.begins)}
        return 1 + max(sum(s.begins <= p < s.ends for s in here) for p in points) > self.peak_crews
