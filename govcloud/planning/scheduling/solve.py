"""All solvers behind one signature.

First the compiled search: its first schedule at once, then better ones. What is left of the limit goes to CP-SAT: of a
small problem it proves the optimum, of a medium one it solves parts again. Big problems stay with the compiled search.
Without `repeatable` both run side by side to the end; with it they take turns, so that neither depends on the other's pace.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from govcloud.errors import IntegrityError
from govcloud.model.schedule import Answer, Progress, ScheduleProblem, Search
from govcloud.model.text import Text
from govcloud.planning.scheduling.schedule_check import verify_schedule

if TYPE_CHECKING:  # numba takes most of a second to load
    from govcloud.planning.scheduling.heuristic import HeuristicRun

EXACT_UP_TO = 400
"""Activities up to which CP-SAT is given the whole problem."""
PARTS_UP_TO = 5000
"""Activities up to which solving parts again pays."""
SMALL_SHARE, MEDIUM_SHARE = 0.25, 0.5
"""Of the limit for the compiled search, when CP-SAT follows it."""
HEAD_START = 0.05
"""Of the limit, when CP-SAT works beside it."""


def solve(problem: ScheduleProblem, search: Search) -> Answer:
    """The best schedule that was found within the limit, with a bound for each goal. Ctrl-C gives the best so far. Raises
    IntegrityError when a solver's schedule does not hold."""
    answer = _Portfolio(problem, search).answer()
    faults = verify_schedule(problem, answer.schedule) if answer.schedule is not None else []
    if faults:
        raise IntegrityError(
            Text(
                f"求解器给出的排程不符合约束（{len(faults)} 处），未采用：{faults[0]}",
                f"The solver's schedule breaks {len(faults)} constraints and was not used: {faults[0]}",
            ),
            where=answer.solver,
            next_step=Text("这是程序缺陷，请连同计划问题一起报告。", "This is a defect of the program; report it with the planning problem."),
        )  # fmt: skip
    return answer


class _Portfolio:
    def __init__(self, problem: ScheduleProblem, search: Search) -> None:
        self._problem, self._search = problem, search
        self._told: SimpleQueue[Progress] = SimpleQueue()
        self._latest: Progress | None = None
        self._shown_at = 0.0
        self._ended = False
        """By a person, or because one solver has left nothing for the other."""
        self._interrupted = False
        self._beside = not search.repeatable and search.workers > 1

    def answer(self) -> Answer:
        from govcloud.planning.scheduling.heuristic import HeuristicRun

        run = HeuristicRun(self._problem, replace(self._search, on_progress=self._tell))
        share = self._share()
        try:
            run.first()
            run.find_bounds()
            if not run.done():
                run.go_on(self._search.limit_s * share)
        except KeyboardInterrupt:
            run.interrupted = True
        found = run.answer()
        if share == 1.0 or run.done() or run.interrupted:
            return found
        others = self._with_exact(run, found, share)
        return self._merge(found, others, time.monotonic() - run.began)

    def _share(self) -> float:
        count = len(self._problem.activities)
        if count > PARTS_UP_TO:
            return 1.0
        if self._beside:
            return HEAD_START
        return SMALL_SHARE if count <= EXACT_UP_TO else MEDIUM_SHARE

    def _with_exact(self, run: HeuristicRun, found: Answer, share: float) -> list[Answer]:
        """CP-SAT's answer, and that of the compiled search when it went on beside it."""
        limit = self._search.limit_s
        left = limit * (1 - share) if self._search.repeatable else max(0.0, limit - (time.monotonic() - run.began))
        exact = replace(
            self._search, limit_s=left, workers=max(1, self._search.workers - self._beside), hint=found.schedule,
            on_progress=self._later(time.monotonic() - run.began), stop=lambda: self._ended,
        )  # fmt: skip
        run.search = replace(run.search, on_progress=self._told.put, stop=lambda: self._ended)
        with ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(self._exact, exact, found)]
            if self._beside:
                futures.append(pool.submit(self._alongside, run))
            self._watch(futures)
        return [f.result() for f in futures]

    def _later(self, by_s: float) -> Callable[[Progress], None]:
        """A solver that began later counts its seconds from then."""
        return lambda progress: self._told.put(replace(progress, seconds=progress.seconds + by_s))

    def _exact(self, search: Search, found: Answer) -> Answer:
        from govcloud.planning.scheduling.cpsat import solve_cpsat
        from govcloud.planning.scheduling.neighbourhood import improve

        if len(self._problem.activities) <= EXACT_UP_TO or found.schedule is None:
            return solve_cpsat(self._problem, search)
        return improve(self._problem, found.schedule, search)

    def _alongside(self, run: HeuristicRun) -> Answer:
        run.go_on(self._search.limit_s, workers=1)
        return run.answer()

    def _watch(self, futures: list[Future[Answer]]) -> None:
        """Wait in the main thread, the one that a person's Ctrl-C comes to and that may write to a screen."""
        while True:
            try:
                finished = wait(futures, timeout=0.1)
                self._pass_on()
                if self._search.stop is not None and self._search.stop():
                    self._interrupted = True
                if self._interrupted or any(
                    f.exception() or f.result().status in ("optimal", "infeasible") for f in finished.done
                ):
                    self._ended = True
                if not finished.not_done:
                    return
            except KeyboardInterrupt:
                self._interrupted = self._ended = True

    def _pass_on(self) -> None:
        """What the solvers have told of since, as one."""
        before = self._latest
        try:
            while True:
                self._take(self._told.get_nowait())
        except Empty:
            pass
        if self._latest is not before:
            self._show()

    def _tell(self, progress: Progress) -> None:
        self._take(progress)
        self._show()

    def _take(self, progress: Progress) -> None:
        """The best values and bounds that any solver has told of."""
        before = self._latest
        if before is not None:
            values = progress.values if not before.values or () < progress.values < before.values else before.values
            seconds = max(before.seconds, progress.seconds)
            bounds = _greater(before.bounds, progress.bounds)
            progress = replace(progress, values=values, bounds=bounds, seconds=seconds)
        self._latest = progress

    def _show(self) -> None:
        now = time.monotonic()
        if self._search.on_progress is None or self._latest is None:
            return
        if self._latest.phase == "first" or now - self._shown_at >= 0.25:
            self._shown_at = now
            self._search.on_progress(self._latest)

    def _merge(self, found: Answer, others: list[Answer], seconds: float) -> Answer:
        """The best schedule; of equally good ones that of a proof, else the one that was found first."""
        best, bounds, status = found, found.bounds, found.status
        for other in others:
            bounds = _greater(bounds, other.bounds)
            if other.status in ("optimal", "infeasible"):
                best, bounds, status = other, other.bounds, other.status
                break
            if other.schedule is not None and (best.schedule is None or other.values < best.values):
                best, status = other, "feasible"
        if best.schedule is not None and best.values == bounds:
            status = "optimal"
        return replace(
            best, status=status, bounds=bounds, solver="+".join(dict.fromkeys(a.solver for a in (found, *others))),
            seconds=seconds, repeatable=not self._interrupted and all(a.repeatable for a in (found, *others)),
        )  # fmt: skip


def _greater(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(max, one, other)) if one and other else one or other
