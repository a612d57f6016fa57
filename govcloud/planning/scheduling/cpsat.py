"""The exact search: OR-Tools CP-SAT on the whole problem, goal by goal in their order.

A goal is solved, its value becomes a limit, and the next one is solved under it. So the bound of a goal holds for the
schedules that are best in all goals before it; after a goal that was not proven the later ones keep the bound that holds
for every schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from ortools.sat.python import cp_model

from govcloud.errors import IntegrityError
from govcloud.model.schedule import Answer, Progress, Schedule, ScheduleProblem, Search, SolveStatus
from govcloud.model.text import Text
from govcloud.planning.scheduling.bounds import lower_bounds
from govcloud.planning.scheduling.cpsat_domains import Shapes, bound_times
from govcloud.planning.scheduling.cpsat_goals import add_goal, last_tick
from govcloud.planning.scheduling.cpsat_model import Expr, ScheduleModel
from govcloud.planning.scheduling.cpsat_run import Clock, run_solver
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule


def solve_cpsat(problem: ScheduleProblem, search: Search) -> Answer:
    """Never worse than a hint that holds. Made for some hundreds of activities; the model of more than some thousands
    takes longer to build than most limits allow."""
    clock = Clock(search)
    known = lower_bounds(problem)
    exact = ExactSearch(problem, search, clock, known.values)
    return exact.answer() if known.infeasible is None else exact.give("infeasible")


class _Report(cp_model.CpSolverSolutionCallback):
    """Tells about each better schedule."""

    def __init__(self, run: ExactSearch, made: ScheduleModel, goal: int) -> None:
        super().__init__()
        self._run, self._made, self._goal = run, made, goal

    def on_solution_callback(self) -> None:
        bounds = list(self._run.bounds)
        if bounds and self._run.proven == self._goal:
            bounds[self._goal] = max(bounds[self._goal], ceil(self.best_objective_bound - 1e-6))
        values = measure(self._run.problem, self._made.schedule(self.value))
        self._run.tell(values, bounds)


class ExactSearch:
    """`bounds`: for each goal a value that no schedule gets below. `first`: goals before it are kept at the hint's values,
    which must hold then, and are not made smaller. `shapes`: of the problem's calendars, when they are known already.
    `wander`: the solver is not told the hint, only its values, so that it comes back with another schedule as good."""

    def __init__(
        self,
        problem: ScheduleProblem,
        search: Search,
        clock: Clock,
        bounds: Sequence[int],
        *,
        first: int = 0,
        shapes: Shapes | None = None,
        wander: bool = False,
    ) -> None:
        self.problem, self.search, self.clock, self.first, self.wander = problem, search, clock, first, wander
        self.bounds = list(bounds)
        self.best: Schedule | None = None
        self.values: tuple[int, ...] = ()
        self.proven = 0
        """So many goals, from the first, have their least value."""
        self._shapes = shapes or Shapes(problem)
        if search.hint is not None and not verify_schedule(problem, search.hint):
            self.take(search.hint)

    def take(self, schedule: Schedule) -> None:
        """Unless the best one is better. A schedule as good is taken: it may lead somewhere else."""
        values = measure(self.problem, schedule)
        if self.best is None or values <= self.values:
            self.best, self.values = schedule, values

    def tell(self, values: Sequence[int], bounds: Sequence[int]) -> None:
        if self.search.on_progress is not None:
            self.search.on_progress(
                Progress(seconds=self.clock.seconds, phase="exact", values=tuple(values), bounds=tuple(bounds))
            )

    def answer(self) -> Answer:
        self._count_proven()
        of_modes = [[self._shapes.of(mode) for mode in activity.modes] for activity in self.problem.activities]
        times = bound_times(self.problem, of_modes, self._caps())
        if times is None:
            return self.give("infeasible")
        if self.best is not None and self.proven == len(self.problem.goals):
            return self.give("optimal")
        return self.give(self._solve(ScheduleModel(self.problem, times, of_modes)))

    def give(self, status: SolveStatus) -> Answer:
        if self.best is not None and status == "infeasible":
            raise IntegrityError(
                Text("求解器声称无解，但已有一个成立的排程。", "The solver claims that there is no schedule although one is known to hold."),
                where="cp-sat",
            )  # fmt: skip
        return Answer(
            status=status, schedule=self.best, values=self.values, bounds=tuple(self.bounds), solver="cp-sat",
            seed=self.search.seed, seconds=self.clock.seconds, repeatable=self.search.repeatable and not self.clock.cut,
        )  # fmt: skip

    def _count_proven(self) -> None:
        """Goals are proven one after another: a value that meets its bound counts only when all before it do."""
        while self.best is not None and self.proven < len(self.bounds):
            if self.values[self.proven] > self.bounds[self.proven]:
                return
            self.proven += 1

    def _caps(self) -> list[int]:
        """Latest ends that a schedule at least as good as the best one has, as far as the leading goals say."""
        problem = self.problem
        caps = [problem.horizon] * len(problem.activities)
        if self.best is None:
            return caps
        for goal, value in zip(problem.goals[: max(self.proven, self.first) + 1], self.values, strict=False):
            if goal.kind == "makespan":
                tick = last_tick(problem, value)
                for n in goal.activities or range(len(caps)):
                    caps[n] = min(caps[n], tick)
        return caps

    def _solve(self, made: ScheduleModel) -> SolveStatus:
        goals = self.problem.goals
        if not goals:
            return self._stage(made, None, 0, 1.0)
        for k, goal in enumerate(goals):
            if self.best is not None and self.clock.over():
                break
            expression = add_goal(made, goal)
            if k >= max(self.first, self.proven):
                # A later goal gets what the ones before it leave; while there is no schedule the first may take all.
                share = 1.0 if self.best is None or k + 1 == len(goals) else 0.5
                made.model.add(expression >= self.bounds[k])
                status = self._stage(made, expression, k, share)
                if status in ("infeasible", "unknown"):
                    return status
            made.model.add(expression <= self.values[k])
        return "optimal" if self.proven == len(goals) else "feasible"

    def _stage(self, made: ScheduleModel, expression: Expr | None, k: int, share: float) -> SolveStatus:
        """One goal. Without an expression any schedule will do."""
        if expression is not None:
            made.model.minimize(expression)
        hint = self.best or self.search.hint
        if hint is not None and not self.wander and _is_readable(self.problem, hint):
            made.hint(hint)
        if expression is not None and self.best is not None:
            made.model.add(expression <= self.values[k])
        report = _Report(self, made, k) if self.search.on_progress is not None and expression is not None else None
        solver, status = run_solver(made.model, self.clock, len(self.problem.activities), share=share, callback=report)
        if status == cp_model.INFEASIBLE:
            return "infeasible"
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self.take(made.schedule(solver.value))
        if expression is not None and self.proven == k:
            known = self.values[k] if status == cp_model.OPTIMAL else ceil(solver.best_objective_bound - 1e-6)
            self.bounds[k] = max(self.bounds[k], known)
            self._count_proven()
        if self.best is None:
            return "unknown"
        self.tell(self.values, self.bounds)
        return "optimal" if status == cp_model.OPTIMAL else "feasible"


def _is_readable(problem: ScheduleProblem, hint: Schedule) -> bool:
    """It has a place and a mode for each activity, right or wrong."""
    if {len(hint.starts), len(hint.ends), len(hint.modes)} != {len(problem.activities)}:
        return False
    return all(
        0 <= start <= end <= problem.horizon and 0 <= mode < len(activity.modes)
        for activity, start, end, mode in zip(problem.activities, hint.starts, hint.ends, hint.modes, strict=True)
    )
