"""One run of CP-SAT under a limit: counted work or the clock, and a person who may end it at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from ortools.sat.python import cp_model

from govcloud.model.schedule import Search

DETERMINISTIC_PER_SECOND = 0.2
"""CP-SAT's deterministic time that a slow machine gets through in a second. Alone it says too little: it falls behind the
clock by a factor of ten when there are many conflicts."""
CONFLICTS_PER_SECOND = 4_000
ACTIVITY_CONFLICTS_PER_SECOND = 200_000
"""Conflicts that it gets through in a second: so many at most, and so many divided by the number of activities."""
_POLL_S = 0.05


@dataclass
class Clock:
    """What is left of a search: counted work, in seconds of a slow machine (None: not counted), and wall time."""

    search: Search
    started: float = field(default_factory=monotonic)
    counted: float | None = None
    cut: bool = False
    """The wall clock or a person ended something; the answer can't be repeated."""

    def __post_init__(self) -> None:
        if self.search.repeatable and self.counted is None:
            self.counted = self.search.limit_s

    @property
    def seconds(self) -> float:
        return monotonic() - self.started

    @property
    def left_s(self) -> float:
        return self.search.limit_s - self.seconds

    def stopped(self) -> bool:
        if self.search.stop is not None and self.search.stop():
            self.cut = True
        return self.cut

    def over(self) -> bool:
        if self.left_s <= 0:
            self.cut = True
        return self.stopped() or (self.counted is not None and self.counted <= 0)


def run_solver(
    model: cp_model.CpModel,
    clock: Clock,
    activities: int,
    *,
    share: float = 1.0,
    callback: cp_model.CpSolverSolutionCallback | None = None,
) -> tuple[cp_model.CpSolver, cp_model.CpSolverStatus]:
    """One search with this share of what is left; `activities`: how many the model has.

    It runs in a thread of its own, so that a person can end it: search.stop makes it give its best; an exception in this
    thread (Ctrl-C) goes on when the search has ended.
    """
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.random_seed = clock.search.seed
    parameters.catch_sigint_signal = False
    # Measured on PSPLIB and on offices with calendars: without relaxations and probing proofs come 2 times as fast, and a
    # first schedule of sixty groups in 3 seconds instead of none in 10.
    parameters.linearization_level = 0
    parameters.cp_model_probing_level = 0
    limit_s, limit, conflicts_per_second = max(clock.left_s, 0.0), 0.0, 1.0
    if clock.counted is None:
        parameters.num_workers = clock.search.workers
        limit_s *= share
    else:
        # Several workers give the same answer twice only when they take turns (interleave_search), which aborts the whole
        # process when one of them finds the model infeasible while loading it (OR-Tools 9.15).
        parameters.num_workers = 1
        limit = max(clock.counted * share, 0.0)
        parameters.max_deterministic_time = limit * DETERMINISTIC_PER_SECOND
        conflicts_per_second = min(CONFLICTS_PER_SECOND, ACTIVITY_CONFLICTS_PER_SECOND / max(1, activities))
        parameters.max_number_of_conflicts = max(1, int(limit * conflicts_per_second))
    parameters.max_time_in_seconds = limit_s
    status = _in_thread(lambda: solver.solve(model, callback), solver, clock)
    if clock.counted is not None:
        spent = max(
            solver.response_proto.deterministic_time / DETERMINISTIC_PER_SECOND,
            solver.num_conflicts / conflicts_per_second,
        )
        clock.counted -= spent
        if status not in (cp_model.OPTIMAL, cp_model.INFEASIBLE) and spent < limit * 0.99:
            clock.cut = True
    return solver, status


def _in_thread(
    solve: Callable[[], cp_model.CpSolverStatus], solver: cp_model.CpSolver, clock: Clock
) -> cp_model.CpSolverStatus:
    found: list[cp_model.CpSolverStatus] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            found.append(solve())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="cp-sat", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_POLL_S)
            if thread.is_alive() and clock.stopped():
                solver.stop_search()
    finally:
        while thread.is_alive():
            solver.stop_search()
            thread.join(_POLL_S)
    if failed:
        raise failed[0]
    return found[0]
