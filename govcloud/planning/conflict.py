"""Why not everything can be placed: smallest sets of demands that contradict each other, and what would resolve each.

What shows without a search comes first (conflict_local, conflict_counts); then CP-SAT is asked for an unsatisfiable core
over the groups that stand out, and demands are left out one after the other for as long as the rest still contradict. Each
question is asked of the whole road PlanProblem → schedule, so that a set named here is one for the planner too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from govcloud.model.plan import Conflict, Demand, Relaxation
from govcloud.model.plan_problem import PlanProblem
from govcloud.model.schedule import Search
from govcloud.planning.conflict_chains import find_chains
from govcloud.planning.conflict_counts import find_crowds, find_overloads, find_throngs
from govcloud.planning.conflict_local import Clash, Openings, find_clashes
from govcloud.planning.demands import Cause, Demands, every_cause, places
from govcloud.planning.relaxations import find_relaxations
from govcloud.planning.relaxed import only, restrict, without

MOST_SEARCHED = 150
"""Groups of which a search for a core is tried."""
MOST_TRIED = 500
"""Groups of which it is tried whether a greater crew or limit lets all of them be placed."""
MOST_SHARE = 0.1
"""Of the limit, for a single question: one that stays open must not use up the time of all others."""
MOST_FOUND = 8
"""Conflicts that a search goes on to look for, one resolved after the other."""
MOST_RELAXED = 12
"""Conflicts for which relaxations are tried."""


def find_conflicts(problem: PlanProblem, search: Search) -> tuple[Conflict, ...]:
    """Independent conflicts, those that show at once first. Empty: none was found within the limit, which does not mean that
    there is none. Raises InputError for jobs that wait for each other in a circle."""
    oracle = _Oracle(search)
    shown = [_exact(problem, clash, oracle) for clash in _shown(problem)]
    found = shown if len(shown) > MOST_RELAXED else [*shown, *_searched(_left(problem, shown), oracle)]
    words, earliest = Demands(problem), Openings(problem).earliest
    conflicts = []
    for n, clash in enumerate(found):
        relaxations: tuple[Relaxation, ...] = ()
        minimal = clash.minimal and ("place", "") not in clash.causes
        if n < MOST_RELAXED and not oracle.over():
            own = only(problem, clash.causes)
            if clash.minimal and not minimal:
                # Counting says that each is needed; that without it all of many groups find a place has to be seen.
                minimal = all(oracle.solvable(without(own, c)) for c in clash.causes)
            relaxations = find_relaxations(own, _whole(problem, found, clash), clash.causes, oracle.solvable)
        demands = tuple(_worded(words, earliest, clash.causes))
        conflicts.append(Conflict(demands=demands, minimal=minimal, relaxations=relaxations))
    return tuple(conflicts)


def _worded(words: Demands, earliest: Mapping[str, date], causes: Sequence[Cause]) -> Iterator[Demand]:
    """A group whose work before the cutover alone takes longer than people have agreed says so."""
    agreed = [words.task[s].not_after_on for k, s in causes if k == "not_after" and s in words.task]
    agreed += [words.pins[s].opens_on for k, s in causes if k == "pin"]
    for cause in causes:
        demand = words.build(cause)
        first = earliest.get(cause[1]) if cause[0] == "place" else None
        yield words.in_time(demand, first) if first and any(d and d < first for d in agreed) else demand


def _shown(problem: PlanProblem) -> Iterator[Clash]:
    """What needs no search: groups that fit nowhere, then chains and sums of the others."""
    openings = Openings(problem)
    found = list({c.causes: c for c in find_clashes(openings)}.values())
    yield from found
    if not openings.windows:
        return
    if found:
        blocked = {g for c in found for g in c.group_ids}
        openings = Openings(restrict(problem, [g.group_id for g in problem.groups if g.group_id not in blocked]))
    open_windows = {g: openings.open(openings.closed(g)) for g in openings.cutovers}
    yield from find_chains(openings, open_windows)
    yield from find_overloads(openings)
    yield from find_throngs(openings, open_windows)


def _exact(problem: PlanProblem, clash: Clash, oracle: _Oracle) -> Clash:
    """Of a few groups that were counted: fewer of them may do, as minutes that fit in sum need not fit in any packing."""
    if not clash.counted or ("place", "") in clash.causes or oracle.over():
        return clash
    shrunk = _shrunk(only(problem, clash.causes), oracle)
    return shrunk if len(shrunk.causes) <= len(clash.causes) else clash


def _left(problem: PlanProblem, clashes: Iterable[Clash]) -> PlanProblem:
    """What these conflicts say nothing about."""
    for clash in clashes:
        problem = _resolved(problem, clash)
    return problem


def _resolved(problem: PlanProblem, clash: Clash) -> PlanProblem:
    """Without the groups that it names; where it speaks of all, without the limit that they share."""
    if ("place", "") not in clash.causes:
        return restrict(problem, [g.group_id for g in problem.groups if g.group_id not in clash.group_ids])
    kinds = ("not_after", "resource", "crews", "pilots", "weak", "weeks")
    shared = [c for kind in kinds for c in clash.causes if c[0] == kind]
    return without(problem, shared[0]) if shared else restrict(problem, ())


def _whole(problem: PlanProblem, found: Sequence[Clash], one: Clash) -> Callable[[Cause], PlanProblem | None]:
    """For a change of a demand: everything that has to go together but what other conflicts, on which this demand has no
    bearing, keep from being placed. None where it is too much to be tried again and again."""

    def affected(cause: Cause) -> PlanProblem | None:
        if len(problem.groups) > MOST_TRIED:
            return None
        return _left(problem, (c for c in found if c is not one and cause not in c.causes))

    return affected


# --- search


@dataclass
class _Oracle:
    """Asks whether all of a problem can be placed, as long as there is time."""

    search: Search
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        self._ends = time.monotonic() + self.search.limit_s

    def left_s(self) -> float:
        return self._ends - time.monotonic()

    def over(self) -> bool:
        return self.left_s() <= 0 or (self.search.stop is not None and self.search.stop())

    def solvable(self, problem: PlanProblem) -> bool:
        return self.feasible(problem) is True

    def feasible(self, problem: PlanProblem) -> bool | None:
        """None: not known within the time."""
        from govcloud.planning.baseline import place_one_by_one
        from govcloud.planning.translate import build_schedule_problem

        if self.over():
            return None
        if next(_shown(problem), None) is not None:
            return False
        if place_one_by_one(problem, build_schedule_problem(problem)) is not None:
            return True
        if len(problem.groups) > MOST_SEARCHED:
            return None
        infeasible = self._core(problem, ())[1]
        return None if infeasible is None else not infeasible

    def groups_of_core(self, problem: PlanProblem) -> tuple[Collection[str] | None, bool | None]:
        """Groups that can't all be placed whatever the others do (None: not known), and whether that is so."""
        return self._core(problem, [g.group_id for g in problem.groups])

    def _core(self, problem: PlanProblem, group_ids: Sequence[str]) -> tuple[Collection[str] | None, bool | None]:
        # ortools takes a second to load: only who gets here pays for it.
        from govcloud.planning.scheduling.cpsat_core import Switch, find_core
        from govcloud.planning.translate import build_schedule_problem

        if self.over():
            return None, None
        translation = build_schedule_problem(problem)
        schedule = translation.schedule
        if not schedule.activities:
            return (), False
        mine: dict[str, list[int]] = {g: [] for g in group_ids}
        for n, job in enumerate(translation.jobs):
            if job.subject_id in mine:
                mine[job.subject_id].append(n)
        switches = [Switch(label=g, activities=tuple(ns)) for g, ns in mine.items() if ns]
        limit_s = max(0.05, min(self.left_s() / 2, self.search.limit_s * MOST_SHARE))
        limit = replace(self.search, limit_s=limit_s, hint=None, on_progress=None)
        core = find_core(replace(schedule, goals=()), switches, limit)
        return core.labels if core.infeasible else None, core.infeasible


def _searched(problem: PlanProblem, oracle: _Oracle) -> Iterator[Clash]:
    """One conflict after the other: each is taken out by one of its demands before the next is sought."""
    for _ in range(MOST_FOUND):
        if oracle.over() or not problem.groups:
            return
        found = _first_of(problem, oracle)
        if found is None:
            return
        yield found
        problem = _resolved(problem, found)


def _first_of(problem: PlanProblem, oracle: _Oracle) -> Clash | None:
    for group_ids in _suspects(problem):
        part = restrict(problem, group_ids)
        core, infeasible = oracle.groups_of_core(part)
        if infeasible and core is not None:
            return _shrunk(restrict(part, core) if core else part, oracle)
    return None


def _suspects(problem: PlanProblem) -> Iterator[Collection[str]]:
    """Sets of groups to look at, the small and likely ones first, none larger than a search can bear."""
    openings = Openings(problem)
    open_windows = {g: openings.open(openings.closed(g)) for g in openings.cutovers}
    tried: set[frozenset[str]] = set()
    sets: list[Collection[str]] = [c.group_ids for c in find_crowds(openings, open_windows)]
    sets += [_bound_by_dates(problem, open_windows), [g.group_id for g in problem.groups]]
    for group_ids in sets:
        key = frozenset(group_ids)
        if key and key not in tried and len(key) <= MOST_SEARCHED:
            tried.add(key)
            yield key


def _bound_by_dates(problem: PlanProblem, open_windows: Mapping[str, int]) -> Collection[str]:
    """Groups with a latest date or a pin, those that keep apart from them, the pilots, and what all of them need."""
    task = {t.system_id: t for t in problem.tasks}
    members = {g.group_id: [task[s] for s in g.system_ids] for g in problem.groups}
    bound = {g for g, ts in members.items() if any(t.not_after_on is not None for t in ts)}
    bound |= {p.group_id for p in problem.pins}
    if any(t.pilot for t in problem.tasks):
        bound |= {g for g, ts in members.items() if any(t.pilot for t in ts)}
    if problem.weak_mode == "require":
        group_of = {s: g.group_id for g in problem.groups for s in g.system_ids}
        needs: dict[str, list[str]] = {}
        for link in problem.weak_links:
            if link.source_id in group_of and link.target_id in group_of:
                needs.setdefault(group_of[link.source_id], []).append(group_of[link.target_id])
        waiting = list(bound)
        while waiting:
            new = [g for g in needs.get(waiting.pop(), ()) if g not in bound]
            bound.update(new)
            waiting += new
    return bound & set(open_windows)


def _shrunk(problem: PlanProblem, oracle: _Oracle) -> Clash:
    """Demands are left out as long as what is left still can't be met: kinds at a stroke, then single ones, then groups."""
    minimal = True
    causes = list(every_cause(problem))
    kinds = list(dict.fromkeys(kind for kind, _ in causes))
    for batch in [[c for c in causes if c[0] == kind] for kind in kinds]:
        verdict = oracle.feasible(smaller := without(problem, *batch))
        if verdict is False:
            problem = smaller
            causes = [c for c in causes if c not in batch]
        elif len(batch) > 1:
            for cause in batch:
                verdict = oracle.feasible(smaller := without(problem, cause))
                if verdict is False:
                    problem = smaller
                    causes.remove(cause)
                minimal = minimal and verdict is not None
        else:
            minimal = minimal and verdict is not None
    for group in problem.groups:
        smaller = restrict(problem, [g.group_id for g in problem.groups if g is not group])
        verdict = oracle.feasible(smaller)
        if verdict is False:
            problem = smaller
        minimal = minimal and verdict is not None
    left = set(every_cause(problem))
    group_ids = [g.group_id for g in problem.groups]
    return Clash(
        causes=(*places(group_ids), *(c for c in causes if c in left)), group_ids=tuple(group_ids), minimal=minimal
    )
