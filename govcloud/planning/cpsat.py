"""The exact search: OR-Tools CP-SAT decides which group moves in which window with which crew.

Inside a window a crew works its groups one after another, so that a window is a bin of minutes for each crew and no start
times are needed in the model. Every demand can be switched off by a literal: that is how a conflict is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from math import ceil

from ortools.sat.python import cp_model

from govcloud.model.plan import Placement, PlanProblem, PlanStatus
from govcloud.planning.limits import QUOTAS, Bar, Limits

_STATUS: dict[cp_model.CpSolverStatus, PlanStatus] = {
    cp_model.OPTIMAL: "optimal",
    cp_model.FEASIBLE: "feasible",
    cp_model.INFEASIBLE: "infeasible",
    cp_model.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: PlanStatus
    placements: tuple[Placement, ...] = ()
    bound: int | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """`limit_s` is CP-SAT's deterministic time (about seconds), so that a slower machine gives the same plan later."""

    limit_s: float = 10.0
    seed: int = 1

    def solver(self) -> cp_model.CpSolver:
        solver = cp_model.CpSolver()
        solver.parameters.random_seed = self.seed
        # One worker: deterministic. Several that take turns (interleave_search) abort the whole process when one of them
        # finds the model infeasible while loading it (OR-Tools 9.15: "Check failed: heuristics.fixed_search").
        solver.parameters.num_workers = 1
        # The full relaxation proves plans of twenty systems that the default leaves open.
        solver.parameters.linearization_level = 2
        solver.parameters.max_deterministic_time = self.limit_s
        return solver


@dataclass
class _Build:
    """The model under construction. `switch` is empty for a model whose demands are all in force."""

    limits: Limits
    everything: bool
    """All groups must be placed (and, with switches, each placement is a demand of its own)."""
    switchable: bool
    model: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    switch: dict[Bar, cp_model.IntVar] = field(default_factory=dict)
    at: dict[tuple[str, int], cp_model.IntVar] = field(default_factory=dict)
    by: dict[tuple[str, int, str], cp_model.IntVar] = field(default_factory=dict)

    @property
    def problem(self) -> PlanProblem:
        return self.limits.problem

    def demand(self, constraint: cp_model.Constraint, kind: str, subject: str = "") -> None:
        if self.switchable:
            bar = (kind, subject)
            if bar not in self.switch:
                self.switch[bar] = self.model.new_bool_var(f"{kind}:{subject}")
            constraint.only_enforce_if(self.switch[bar])

    def placed(self, group_id: str) -> cp_model.LinearExpr:
        return cp_model.LinearExpr.sum([self.at[group_id, w] for w in range(len(self.problem.windows))])


def solve(problem: PlanProblem, search: Search, hint: Sequence[Placement] = ()) -> Answer:
    """All groups placed at the smallest cost."""
    return _minimise(_build(problem, everything=True), search, hint)


def solve_partial(problem: PlanProblem, search: Search, hint: Sequence[Placement] = ()) -> Answer:
    """As much priority placed as can be, then at the smallest cost. The bound is not given: it would mix two measures."""
    answer = _minimise(_build(problem, everything=False), search, hint)
    return Answer(status=answer.status, placements=answer.placements)


def find_conflict(problem: PlanProblem, search: Search) -> tuple[tuple[Bar, ...], bool]:
    """A set of demands that can't all be met, and whether it is shown that none of them can be left out.

    The solver's own core first, then each member is left out in turn (deletion filter). Empty when there is no conflict
    or the time was over before one was proven.
    """
    build = _build(problem, everything=True, switchable=True)
    left = search.limit_s
    core, _, spent = _core(build, search, list(build.switch), left)
    minimal = True
    if core is None:
        return (), True
    # Placements last: fewer systems to read about, once the demands that don't matter are gone.
    for bar in sorted(core, key=lambda b: (b[0] == "place", b)):
        if bar not in core:
            continue
        left -= spent
        if left <= 0:
            minimal = False
            break
        smaller, proven, spent = _core(build, search, [b for b in core if b != bar], min(left, search.limit_s / 10))
        core = smaller or core
        minimal &= proven
    return tuple(sorted(core, key=lambda b: (b[0] != "place", b))), minimal


def _core(build: _Build, search: Search, bars: list[Bar], limit_s: float) -> tuple[list[Bar] | None, bool, float]:
    """(bars that can't hold together, or None when these can; whether that is proven; time spent)."""
    build.model.clear_assumptions()
    build.model.add_assumptions([build.switch[b] for b in bars])
    solver = search.solver()
    solver.parameters.max_deterministic_time = limit_s
    status = solver.solve(build.model)
    spent = solver.response_proto.deterministic_time
    if status != cp_model.INFEASIBLE:
        return None, status != cp_model.UNKNOWN, spent
    indices = set(solver.sufficient_assumptions_for_infeasibility())
    named = [b for b in bars if build.switch[b].index in indices]
    return named or bars, True, spent


def _minimise(build: _Build, search: Search, hint: Sequence[Placement]) -> Answer:
    problem = build.problem
    objective, ceiling = _objective(build)
    if not build.everything:
        weight = {g.group_id: build.limits.weight(g) for g in problem.groups}
        unplaced = [(1 - build.placed(g)) * weight[g] * (ceiling + 1) for g in weight]
        objective = cp_model.LinearExpr.sum([objective, *unplaced])
    build.model.minimize(objective)
    index = {w.window_id: i for i, w in enumerate(problem.windows)}
    hinted = {(p.group_id, index[p.window_id], p.crew) for p in _busiest_first(build.limits, hint)}
    for key, variable in build.by.items():
        build.model.add_hint(variable, key in hinted)
    solver = search.solver()
    status = _STATUS.get(solver.solve(build.model), "unknown")
    if status not in ("optimal", "feasible"):
        return Answer(status=status)
    placements = tuple(
        Placement(group_id=g, window_id=problem.windows[w].window_id, crew=c)
        for (g, w, c), variable in build.by.items()
        if solver.boolean_value(variable)
    )
    return Answer(
        status=status,
        placements=tuple(sorted(placements, key=lambda p: p.group_id)),
        # The objective is whole, the bound is a float that may lie a hair above a whole number.
        bound=ceil(solver.best_objective_bound - 1e-6),
    )


def _busiest_first(limits: Limits, hint: Sequence[Placement]) -> list[Placement]:
    """The same placements with interchangeable crews renamed as the model orders them (see _window_loads)."""
    minutes = {g.group_id: limits.minutes(g) for g in limits.problem.groups}
    renamed: dict[tuple[str, str], str] = {}
    for _, run in groupby(limits.problem.crews, key=lambda c: c.skills):
        names = [c.name for c in run]
        for window in limits.problem.windows:
            load = dict.fromkeys(names, 0)
            for p in hint:
                if p.window_id == window.window_id and p.crew in load:
                    load[p.crew] += minutes[p.group_id]
            order = sorted(names, key=lambda n: -load[n])
            renamed |= {(window.window_id, old): new for old, new in zip(order, names, strict=True)}
    return [replace(p, crew=renamed[p.window_id, p.crew]) for p in hint]


def _build(problem: PlanProblem, *, everything: bool, switchable: bool = False) -> _Build:
    build = _Build(Limits(problem), everything, switchable)
    _placing(build)
    _window_loads(build)
    _quota(build)
    _pilots(build)
    if problem.weak_mode == "require":
        _weak(build)
    return build


def _placing(build: _Build) -> None:
    model, limits, problem = build.model, build.limits, build.problem
    for group in problem.groups:
        able = {c.name for c in problem.crews if limits.can(c, group)}
        for w in range(len(problem.windows)):
            at = build.at[group.group_id, w] = model.new_bool_var(f"{group.group_id}@{w}")
            crews = []
            for crew in problem.crews:
                by = build.by[group.group_id, w, crew.name] = model.new_bool_var(f"{group.group_id}@{w}:{crew.name}")
                crews.append(by)
                if crew.name not in able:
                    build.demand(model.add(by == 0), "skills", group.group_id)
            model.add(cp_model.LinearExpr.sum(crews) == at)
            for kind, subject in limits.bars(group, w):
                build.demand(model.add(at == 0), kind, subject)
        if build.everything:
            build.demand(model.add(build.placed(group.group_id) == 1), "place", group.group_id)
        model.add(build.placed(group.group_id) <= 1)


def _window_loads(build: _Build) -> None:
    model, limits, problem = build.model, build.limits, build.problem
    minutes = {g.group_id: limits.minutes(g) for g in problem.groups}
    mib = {g.group_id: sum(t.data_mib for t in limits.members(g)) for g in problem.groups}
    capacity = problem.capacity
    for w, length in enumerate(limits.lengths_min):
        loads = []
        for crew in problem.crews:
            load = cp_model.LinearExpr.sum([build.by[g, w, crew.name] * m for g, m in minutes.items()])
            build.demand(model.add(load <= length), "crew_time")
            loads.append((crew, load))
        if not build.switchable:
            # Crews of the same skills are interchangeable: the first one is the busiest.
            for (one, more), (other, less) in pairwise(loads):
                if one.skills == other.skills:
                    model.add(more >= less)
        if capacity.systems_per_window is not None:
            count = cp_model.LinearExpr.sum([build.at[g.group_id, w] * len(g.system_ids) for g in problem.groups])
            build.demand(model.add(count <= capacity.systems_per_window), "systems_per_window")
        if capacity.mib_per_window is not None:
            data = cp_model.LinearExpr.sum([build.at[g, w] * m for g, m in mib.items()])
            build.demand(model.add(data <= capacity.mib_per_window), "data_per_window")


def _quota(build: _Build) -> None:
    limits, problem = build.limits, build.problem
    for name in QUOTAS:
        quota = getattr(problem.capacity, name)
        if quota is not None:
            need = [build.placed(g.group_id) * sum(getattr(t, name) for t in limits.members(g)) for g in problem.groups]
            build.demand(build.model.add(cp_model.LinearExpr.sum(need) <= quota), "quota", name)


def _pilots(build: _Build) -> None:
    """Nothing else moves in or before the last window of a pilot."""
    model, limits, problem = build.model, build.limits, build.problem
    pilots = [g for g in problem.groups if limits.is_pilot(g)]
    others = [g for g in problem.groups if not limits.is_pilot(g)]
    later = None
    for w in reversed(range(len(problem.windows) if pilots else 0)):
        pending = model.new_bool_var(f"pilot in {w} or later")
        for pilot in pilots:
            model.add_implication(build.at[pilot.group_id, w], pending)
        if later is not None:
            model.add_implication(later, pending)
        for group in others:
            build.demand(model.add(build.at[group.group_id, w] + pending <= 1), "pilots")
        later = pending


def _links(build: _Build) -> Iterable[tuple[str, str, str]]:
    for link in build.problem.weak_links:
        source, target = build.limits.group_of[link.source_id], build.limits.group_of[link.target_id]
        if source != target:
            yield link.dependency_id, source, target


def _weak(build: _Build) -> None:
    """A source in window w needs its target in w or earlier."""
    for dependency_id, source, target in _links(build):
        earlier: list[cp_model.IntVar] = []
        for w in range(len(build.problem.windows)):
            earlier.append(build.at[target, w])
            constraint = build.model.add(cp_model.LinearExpr.sum(earlier) >= build.at[source, w])
            build.demand(constraint, "weak", dependency_id)


def _objective(build: _Build) -> tuple[cp_model.LinearExpr, int]:
    """The cost of limits.cost() as an expression, and a number that it never exceeds."""
    model, limits, problem = build.model, build.limits, build.problem
    terms: list[cp_model.LinearExpr] = []
    ceiling = 0
    for group in problem.groups:
        weight = limits.weight(group)
        terms += [build.at[group.group_id, w] * (weight * day) for w, day in enumerate(limits.days)]
        ceiling += weight * max(limits.days, default=0)
    for w in range(len(problem.windows)):
        used = model.new_bool_var(f"used {w}")
        for group in problem.groups:
            model.add_implication(build.at[group.group_id, w], used)
        terms.append(used * problem.costs.per_wave_days)
        ceiling += problem.costs.per_wave_days
    if problem.weak_mode == "prefer":
        for dependency_id, source, target in _links(build):
            broken = model.new_bool_var(f"broken {dependency_id}")
            earlier: list[cp_model.IntVar] = []
            for w in range(len(problem.windows)):
                earlier.append(build.at[target, w])
                model.add(cp_model.LinearExpr.sum(earlier) + broken >= build.at[source, w])
            terms.append(broken * problem.costs.per_broken_weak_days)
            ceiling += problem.costs.per_broken_weak_days
    return cp_model.LinearExpr.sum(terms), ceiling
