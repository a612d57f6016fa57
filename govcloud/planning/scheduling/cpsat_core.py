"""Why there is no schedule: a smallest set of the office's demands that can't all be met (CP-SAT, assumptions)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ortools.sat.python import cp_model

from govcloud.model.schedule import Relation, ScheduleProblem, Search
from govcloud.planning.scheduling.cpsat_domains import Shape, Shapes, bound_times, clip, subtract, unite
from govcloud.planning.scheduling.cpsat_model import ScheduleModel, domain
from govcloud.planning.scheduling.cpsat_run import Clock, run_solver


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The elements of a problem that one demand of the office stands for; while the switch is off they don't hold.

    An element that several switches name holds while any of them is on; one that none names always holds.
    """

    label: str
    """Unique among the switches of a call."""
    deadlines: tuple[int, ...] = ()
    """Activities whose deadline it is."""
    releases: tuple[int, ...] = ()
    """Activities whose release it is."""
    relations: tuple[int, ...] = ()
    """Indices of hard relations."""
    resources: tuple[int, ...] = ()
    """Indices of resources whose levels it is."""
    activities: tuple[int, ...] = ()
    """Activities that must be done; one that isn't done needs nothing and nothing waits for it."""
    calendars: tuple[tuple[int, int], ...] = ()
    """(activity, relaxed calendar): the ticks that the relaxed calendar has beyond the calendars of the activity's modes
    are closed by this switch. A tick that several switches close opens when all of them are off, so the relaxed calendar
    of a freeze has every tick that this freeze closes, those too that another freeze closes as well. Modes that a break
    may interrupt (split) keep their calendar whatever the switch says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The answer to: can all of it hold together?"""

    labels: tuple[str, ...] = ()
    """Of switches that can't all be on, in the order in which they were given. Empty and infeasible: there is no schedule
    even with all of them off."""
    infeasible: bool | None = None
    """None: the limit was reached before one or the other was proven."""
    minimal: bool = False
    """It is proven that each label is needed: without any one of them the rest can hold."""

    @property
    def proven(self) -> bool:
        return self.infeasible is not None


def find_core(problem: ScheduleProblem, switches: Sequence[Switch], search: Search) -> Core:
    """The solver's own core first; then each label is left out in turn (deletion filter) while there is time.

    Feasibility only: goals and soft relations are left out of account. Labels that come late in `switches` are left out
    first, so the ones that a person should rather not read about belong at the end.
    """
    clock = Clock(search)
    build = _Build(problem, switches)
    if build.impossible:
        return Core(infeasible=True, minimal=True)
    found, infeasible = build.core(list(switches), clock, 1.0)
    if not infeasible:
        return Core(infeasible=infeasible)
    minimal = True
    for switch in reversed(found):
        if switch not in found:
            continue
        if clock.over():
            minimal = False
            break
        smaller, still = build.core([s for s in found if s != switch], clock, max(0.1, 1 / len(found)))
        if still:
            found = smaller
        elif still is None:
            minimal = False
    return Core(labels=tuple(s.label for s in found), infeasible=True, minimal=minimal)


class _Build:
    """The model in which each switch is a literal to be assumed."""

    def __init__(self, problem: ScheduleProblem, switches: Sequence[Switch]) -> None:
        self.model = cp_model.CpModel()
        self.activities = len(problem.activities)
        self.literals = {s.label: self.model.new_bool_var(s.label) for s in switches}
        self.deadlines = self._on(switches, lambda s: s.deadlines)
        self.releases = self._on(switches, lambda s: s.releases)
        self.relations = self._on(switches, lambda s: s.relations)
        self.resources = self._on(switches, lambda s: s.resources)
        self.present = self._on(switches, lambda s: s.activities)
        self.impossible = not self._build(problem, switches)

    def _on(
        self, switches: Sequence[Switch], elements: Callable[[Switch], Sequence[int]]
    ) -> dict[int, cp_model.IntVar]:
        """For each element a literal that is true while one of its switches is on."""
        named: dict[int, list[cp_model.IntVar]] = defaultdict(list)
        for switch in switches:
            for n in elements(switch):
                named[n].append(self.literals[switch.label])
        found = {}
        for n, literals in named.items():
            found[n] = self.model.new_bool_var(f"on{n}")
            for literal in literals:
                self.model.add_implication(literal, found[n])
        return found

    def _build(self, problem: ScheduleProblem, switches: Sequence[Switch]) -> bool:
        """False: what no switch turns off can't hold."""
        shapes = Shapes(problem)
        relaxed: dict[int, list[int]] = defaultdict(list)
        for switch in switches:
            for n, calendar in switch.calendars:
                relaxed[n].append(calendar)
        of_modes = [[shapes.relaxed(m, relaxed.get(n, ())) for m in a.modes] for n, a in enumerate(problem.activities)]
        fixed = self._fixed(problem)
        for n in self.present:
            one = replace(fixed, activities=(fixed.activities[n],), relations=())
            if bound_times(one, [of_modes[n]]) is None:
                # It has no place at all: it can't be done, whatever else holds.
                self.model.add(self.present[n] == 0)
                of_modes[n] = [Shape([(0, 1, 0)]) for _ in of_modes[n]]
                free = replace(fixed.activities[n], release=0, deadline=None)
                fixed = replace(fixed, activities=(*fixed.activities[:n], free, *fixed.activities[n + 1 :]))
        times = bound_times(fixed, of_modes)
        if times is None:
            return False
        made = ScheduleModel(fixed, times, of_modes, self.model, self.present, self.resources)
        for n, literal in self.deadlines.items():
            deadline = problem.activities[n].deadline
            if deadline is not None:
                self.model.add(made.ends[n] <= deadline).only_enforce_if(self._done(n, literal))
        for n, literal in self.releases.items():
            self.model.add(made.starts[n] >= problem.activities[n].release).only_enforce_if(self._done(n, literal))
        for number, relation in enumerate(problem.relations):
            if not relation.soft and self._loose(number, relation):
                made.relate(relation, *[self.relations[number]] if number in self.relations else [])
        for switch in switches:
            for n, calendar in switch.calendars:
                self._close(made, n, calendar, self.literals[switch.label])
        return True

    def _done(self, n: int, literal: cp_model.IntVar) -> list[cp_model.IntVar]:
        return [literal, self.present[n]] if n in self.present else [literal]

    def _loose(self, number: int, relation: Relation) -> bool:
        """A switch says whether it holds, or whether there is anything that it could bind."""
        return number in self.relations or relation.before in self.present or relation.after in self.present

    def _close(self, made: ScheduleModel, n: int, calendar: int, literal: cp_model.IntVar) -> None:
        """While the switch is on, no tick of the activity is one that it closes."""
        problem = made.problem
        for mode, chosen in zip(problem.activities[n].modes, made.chosen[n], strict=True):
            if mode.split or not mode.duration:
                continue
            own = clip(problem.calendars[mode.calendar], problem.horizon)
            closed = subtract(clip(problem.calendars[calendar], problem.horizon), own)
            met = unite((max(0, a - mode.duration + 1), b) for a, b in closed)
            free = subtract([(made.times.earliest[n], made.times.latest[n] + 1)], met)
            if free:
                allowed = made.model.add_linear_expression_in_domain(made.starts[n], domain(free))
                allowed.only_enforce_if([literal, chosen])
            else:
                made.model.add_bool_or([~literal, ~chosen])

    def core(self, switches: Sequence[Switch], clock: Clock, share: float) -> tuple[list[Switch], bool | None]:
        """Switches of these that can't all be on, and whether there are such; None: not known."""
        self.model.clear_assumptions()
        self.model.add_assumptions([self.literals[s.label] for s in switches])
        solver, status = run_solver(self.model, clock, self.activities, share=share)
        if status != cp_model.INFEASIBLE:
            return [], False if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None
        # No index at all: what no switch turns off can't hold by itself.
        indices = set(solver.sufficient_assumptions_for_infeasibility())
        return [s for s in switches if self.literals[s.label].index in indices], True

    def _fixed(self, problem: ScheduleProblem) -> ScheduleProblem:
        """What always holds, as far as times are concerned."""
        activities = tuple(
            replace(
                a, deadline=None if n in self.deadlines else a.deadline, release=0 if n in self.releases else a.release
            )
            for n, a in enumerate(problem.activities)
        )
        relations = tuple(r for number, r in enumerate(problem.relations) if not r.soft and not self._loose(number, r))
        return replace(problem, activities=activities, relations=relations, goals=())
