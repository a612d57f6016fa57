"""What other tools do with the same estate, laid out as plans and judged by the same verifier.

Each baseline deals the move groups out to waves; a wave is then put into the next window that no general freeze closes, early
enough windows being skipped until what comes before the cutovers can be done (without looking at resources: none of the
tools knows them). Inside the window every group goes to the crew with the skills that is free first; other jobs are done as
soon as their calendar lets them, and pilots are a wave of their own before all others. That is more than the tools do
themselves: they have no calendar and no pilots.

layers    Topological layers of the dependencies, one a window, whatever capacities say (Konveyor's adoption plan; it
          refuses circles, here a circle is entered at the system with the fewest needs left).
priority  Sorted by priority and cut into equal batches (the strategy by_priority of pf9-mngt's migration planner).
azure     Azure Migrate's documented conditions as a greedy heuristic, in their order of rank (learn.microsoft.com,
          azure/migrate/automatic-wave-planning-architecture): systems tied both ways in one wave (they are one group here),
          one application in one wave (a system), what is needed in the same or an earlier wave, development and test before
          production, never both in a wave, critical ones and complex ones not among the first, wave sizes inside a range.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from govcloud.model.inventory import Inventory
from govcloud.model.plan import Activity, Move, Wave
from govcloud.model.plan_problem import ChangeWindow, Job, MoveGroup, PlanProblem
from govcloud.planning.placing import Placing, is_general, meets
from govcloud.planning.verify import verify_placing
from govcloud.planning.verify_goals import measure_goals

Batches = list[list[str]]
"""Group ids, wave by wave."""
DAYS_KNOWN = 5000
FIRST_WAVES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    waves: int
    unplaced: int
    """Groups for which there was no window left."""
    violations: int
    kinds: Mapping[str, int]
    makespan_days: int | None
    """Number of the day on which the last take-over ends; None when not everything is placed."""


def judge(problem: PlanProblem, batches: Batches) -> Verdict:
    waves, activities, unplaced = _Layout(problem).lay_out(batches)
    found = Counter(v.code for v in verify_placing(problem, waves, activities))
    goals = measure_goals(Placing(problem, waves, activities))
    return Verdict(
        waves=len(waves), unplaced=unplaced, violations=found.total(), kinds=dict(found.most_common()),
        makespan_days=None if unplaced else goals["makespan"],
    )  # fmt: skip


def baselines(problem: PlanProblem, inventory: Inventory) -> Iterator[tuple[str, Batches]]:
    pilots = {t.system_id for t in problem.tasks if t.pilot}
    first = [g.group_id for g in _moving(problem) if not pilots.isdisjoint(g.system_ids)]
    for name, found in (
        ("layers", layers(problem)),
        ("priority", by_priority(problem)),
        ("azure", azure(problem, inventory)),
    ):
        rest = [[g for g in batch if g not in first] for batch in found]
        yield name, [batch for batch in [first, *rest] if batch]


def layers(problem: PlanProblem) -> Batches:
    level: dict[str, int] = {}
    needs = _needs(problem)
    open_ = _Open(needs, lambda _: ())
    while open_.left:
        group_id = open_.take() or open_.enter() or ""
        level[group_id] = 1 + max((level[n] for n in needs[group_id] if n in level), default=-1)
    found: Batches = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for group_id in sorted(level):
        found[level[group_id]].append(group_id)
    return found


def by_priority(problem: PlanProblem) -> Batches:
    tasks = {t.system_id: t for t in problem.tasks}
    weight = {g.group_id: max(tasks[s].priority for s in g.system_ids) for g in _moving(problem)}
    order = sorted(weight, key=lambda g: (-weight[g], g))
    size = _wave_size(problem)
    return [order[n : n + size] for n in range(0, len(order), size)]


def azure(problem: PlanProblem, inventory: Inventory) -> Batches:
    tasks = {t.system_id: t for t in problem.tasks}
    trying = {s.system_id for s in inventory.systems if s.environment in ("test", "development")}
    groups = {g.group_id: g for g in _moving(problem)}
    links = {g.group_id: sum(tasks[s].dependencies for s in g.system_ids) for g in groups.values()}
    many = sorted(links.values())[len(links) * 9 // 10] if links else 0
    hard = {g.group_id: any(tasks[s].core for s in g.system_ids) + (links[g.group_id] >= many) for g in groups.values()}
    production = {g.group_id: int(not trying.issuperset(g.system_ids)) for g in groups.values()}
    open_ = _Open(_needs(problem), lambda g: (hard[g], links[g]), production)
    size, found = _wave_size(problem), list[list[str]]()
    while open_.left:
        # Development and test first, once there is enough of it for a wave inside the range.
        kind = 0 if len(open_.free[0]) >= size // 2 or 1 not in open_.kinds() else 1
        wave: list[str] = []
        while sum(len(groups[g].system_ids) for g in wave) < size:
            enough = len(wave) >= size // 2
            group_id = open_.take(kind)
            if group_id is None and not enough:
                # The range ranks below "what is needed comes first", but a circle has to be entered somewhere.
                group_id = open_.enter(kind)
            if group_id is None:
                break
            wave.append(group_id)
            # What is critical or complex is not among the first: the first waves end where only that is left.
            if len(found) < FIRST_WAVES and enough and open_.free[kind] and hard[open_.free[kind][0][-1]]:
                break
        found.append(wave)
    return found


def _moving(problem: PlanProblem) -> list[MoveGroup]:
    return [g for g in problem.groups if g.path != "retire"]


def _wave_size(problem: PlanProblem) -> int:
    """What a person would set: the stated limit of systems a window, else two for each crew."""
    stated = next((r.amount for r in problem.resources if r.resource_id == "systems"), None)
    return max(1, stated or 2 * len(problem.crews))


def _needs(problem: PlanProblem) -> dict[str, set[str]]:
    """Group -> the groups that it needs in the same or an earlier wave."""
    of = {s: g.group_id for g in _moving(problem) for s in g.system_ids}
    needs: dict[str, set[str]] = {g: set() for g in of.values()}
    for link in problem.weak_links:
        source, target = of.get(link.source_id), of.get(link.target_id)
        if source is not None and target is not None and source != target:
            needs[source].add(target)
    return needs


class _Open:
    """Kahn's algorithm, the best rank first, by kind; a circle is entered at the group with the fewest needs left."""

    def __init__(
        self,
        needs: Mapping[str, set[str]],
        rank: Callable[[str], tuple[int, ...]],
        kind: Mapping[str, int] | None = None,
    ) -> None:
        self.left = set(needs)
        self.kind = kind or dict.fromkeys(needs, 0)
        self.rank = {g: (*rank(g), g) for g in needs}
        self.waiting = {g: len(n) for g, n in needs.items()}
        self.needed_by: dict[str, list[str]] = {g: [] for g in needs}
        for group_id, needed in needs.items():
            for n in needed:
                self.needed_by[n].append(group_id)
        self.free: tuple[list[Any], list[Any]] = ([], [])
        for group_id, n in self.waiting.items():
            if not n:
                heapq.heappush(self.free[self.kind[group_id]], self.rank[group_id])
        self.stuck: tuple[list[Any], list[Any]] = ([], [])
        for group_id, n in self.waiting.items():
            if n:
                heapq.heappush(self.stuck[self.kind[group_id]], (n, *self.rank[group_id]))

    def kinds(self) -> set[int]:
        return {self.kind[g] for g in self.left}

    def take(self, kind: int = 0) -> str | None:
        return self._done(heapq.heappop(self.free[kind])[-1]) if self.free[kind] else None

    def enter(self, kind: int = 0) -> str | None:
        """One that still needs others."""
        while self.stuck[kind]:
            left, *_, group_id = heapq.heappop(self.stuck[kind])
            if group_id in self.left and self.waiting[group_id] == left:
                return self._done(group_id)
        return None

    def _done(self, group_id: str) -> str:
        self.left.remove(group_id)
        for other in self.needed_by[group_id]:
            self.waiting[other] -= 1
            if other in self.left:
                if self.waiting[other]:
                    heapq.heappush(self.stuck[self.kind[other]], (self.waiting[other], *self.rank[other]))
                else:
                    heapq.heappush(self.free[self.kind[other]], self.rank[other])
        return group_id


class _Layout:
    """Waves and activities from batches, with calendars and without resources."""

    def __init__(self, problem: PlanProblem) -> None:
        self.problem = problem
        general = [f for f in problem.freezes if is_general(f)]
        self.windows = [w for w in problem.windows if not any(meets(w, f) for f in general)]
        off = set(problem.days_off)
        first = problem.starts_on
        days = (first + timedelta(days=n) for n in range(DAYS_KNOWN))
        self.working = [d for d in days if d not in off and (d.weekday() < 5 or d <= max(off, default=first))]
        self.group = {g.group_id: g for g in problem.groups}
        self.task = {t.system_id: t for t in problem.tasks}
        self.jobs: dict[str, list[Job]] = {}
        for job in problem.jobs:
            self.jobs.setdefault(job.subject_id, []).append(job)
        self.ended: dict[str, date] = {}
        self.activities: list[Activity] = []

    def lay_out(self, batches: Batches) -> tuple[list[Wave], list[Activity], int]:
        waves: list[Wave] = []
        at = unplaced = 0
        for batch in batches:
            ready = max((self._prepare(g) for g in batch), default=self.problem.starts_on)
            while at < len(self.windows) and self.windows[at].opens_on < ready:
                at += 1
            if at == len(self.windows):
                unplaced += len(batch)
                continue
            waves.append(
                Wave(number=len(waves) + 1, window=self.windows[at], moves=tuple(self._moves(batch, self.windows[at])))
            )
            at += 1
        placed = {m.group_id for w in waves for m in w.moves}
        for subject_id, jobs in self.jobs.items():
            if subject_id in placed or subject_id not in self.group or self.group[subject_id].path == "retire":
                self._follow(jobs)
        kept = [a for a in self.activities if a.subject_id in placed or self._whole(a, placed)]
        return waves, sorted(kept, key=lambda a: (a.starts_on, a.job_id)), unplaced

    def _whole(self, activity: Activity, placed: set[str]) -> bool:
        group = self.group.get(activity.subject_id)
        if group is not None:
            return group.path == "retire"
        network = next(n for n in self.problem.retirements if n.network_id == activity.subject_id)
        return all(g in placed or self.group[g].path == "retire" for g in network.group_ids)

    def _prepare(self, group_id: str) -> date:
        """Places the jobs before the cutover; the first day on which its window may open."""
        cutover = next(j for j in self.jobs[group_id] if j.calendar == "window")
        before = {a for j in self.jobs[group_id] for a in j.after} if cutover.after else set()
        for job in self.jobs[group_id]:
            if job is cutover:
                break
            if job.job_id in before:
                self._place(job)
        return max((self.ended[b] for b in cutover.after if b in self.ended), default=self.problem.starts_on)

    def _follow(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job.calendar != "window" and job.job_id not in self.ended:
                self._place(job)

    def _place(self, job: Job) -> None:
        day = max(
            (self.ended[b] + timedelta(days=1) for b in job.after if b in self.ended), default=self.problem.starts_on
        )
        if job.calendar == "working":
            at = bisect_left(self.working, day)
            start = self.working[at]
            end = self.working[at + job.length - 1] if job.length else start - timedelta(days=1)
        else:
            start, end = day, day + timedelta(days=job.length - 1)
        self.ended[job.job_id] = end
        self.activities.append(
            Activity(job_id=job.job_id, subject_id=job.subject_id, kind=job.kind, starts_on=start, ends_on=end)
        )

    def _moves(self, batch: Sequence[str], window: ChangeWindow) -> Iterator[Move]:
        free = [window.starts_at] * len(self.problem.crews)
        for group_id in batch:
            cutover = next(j for j in self.jobs[group_id] if j.calendar == "window")
            skilled = [n for n, c in enumerate(self.problem.crews) if {*(cutover.crew_skills or ())} <= {*c.skills}]
            crew = min(skilled or range(len(free)), key=lambda n: (free[n], n))
            at = free[crew]
            free[crew] = ends_at = at + timedelta(minutes=cutover.length)
            self.ended[cutover.job_id] = window.opens_on
            for system_id in self.group[group_id].system_ids:
                ended_at = at + timedelta(minutes=self.task[system_id].cutover_min)
                yield Move(
                    system_id=system_id, group_id=group_id, crew=self.problem.crews[crew].name,
                    starts_at=at, cutover_ends_at=ended_at, ends_at=ends_at,
                )  # fmt: skip
                at = ended_at
