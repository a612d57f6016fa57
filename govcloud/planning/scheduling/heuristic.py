"""The compiled heuristic as a solver: a first schedule at once, then rounds of search in as many threads as there are
workers.

A round is counted work, and after some rounds the threads share the best they have, at fixed points: the answer does not
depend on which thread was faster. The kernels look at `halt`, which the main thread sets when the time is over or a person
ends the search.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache

import numpy as np

from govcloud.errors import IntegrityError
from govcloud.model.schedule import (
    Answer,
    Progress,
    Schedule,
    ScheduleProblem,
    Search,
    SolveStatus,
)
from govcloud.model.text import Text
from govcloud.planning.scheduling.activity_lists import F64, latest_by, list_by, rules, unhindered
from govcloud.planning.scheduling.bounds import Bounds, lower_bounds
from govcloud.planning.scheduling.compiled import (
    HINT,
    I64,
    MODE_FROM,
    MODE_TO,
    ORIGINAL,
    Compiled,
    compile_problem,
)
from govcloud.planning.scheduling.evolution import FAR, FILLED, HEED, Worker, better, decode, evolve, new_worker
from govcloud.planning.scheduling.families import Bench, Families, build_families, new_bench
from govcloud.planning.scheduling.sample import SAMPLE_SCHEDULE, build_sample
from govcloud.planning.scheduling.sgs import forward, new_placing, parallel
from govcloud.planning.scheduling.walk import wander
from govcloud.planning.scheduling.window_fill import WindowFills, build_lanes

RATE, WALK_RATE = 120e6, 70e6
"""Work a second and thread that a slow or busy machine does. Measured on two shared cores of 2024: 280e6 to 570e6 with a population,
160e6 when a pass no longer fits the cache."""
LENIENCE = 1.5
"""By so much a part of a search may take longer than it should before the clock ends it; never beyond the limit."""
ROUND = 80e6
SHARED_EVERY = 8
"""Rounds between exchanges."""
WALK_FROM = 5000
"""Activities from which on a population does not pay."""
FILL_EVERY = 2
"""Rounds of the walk from one fill to the next."""
REPAIRS = 0.5
"""Of the changes in a walk, how many are local repairs."""
PATIENCE = 12
"""Individuals without a better one, in sizes of the population, before it starts afresh."""


def warm() -> None:
    """Compile every kernel, or load them: a minute the first time, half a second from then on."""
    _warm(big=False)
    _warm(big=True)


@cache
def _warm(*, big: bool) -> None:
    """What a small or a big problem needs. Searches begin with it, before their clock does."""
    run = HeuristicRun(build_sample(), Search(limit_s=60.0, workers=1, hint=SAMPLE_SCHEDULE), walk=big, cold=True)
    run.first()
    run.find_bounds()
    run._prepare()
    run._round(0, np.full(9, -1, np.int64), 1e4)


def solve_heuristic(problem: ScheduleProblem, search: Search) -> Answer:
    """A schedule from the compiled search alone. `optimal` when every goal meets its bound, `infeasible` only when the
    bounds prove it, `unknown` when no schedule that holds was found."""
    run = HeuristicRun(problem, search)
    try:
        run.first()
        run.find_bounds()
        run.go_on(search.limit_s)
    except KeyboardInterrupt:
        run.interrupted = True
    return run.answer()


def place_in_order(problem: ScheduleProblem, keys: Sequence[float]) -> Schedule | None:
    """One pass, activities by their key as far as their relations allow, each as early as it can be; None where that does
    not place everything."""
    if not problem.activities:
        return Schedule(starts=(), ends=(), modes=())
    compiled = compile_problem(problem)
    tables, placing = compiled.tables, new_placing(compiled.tables)
    order, room = np.empty_like(compiled.rank), np.empty_like(compiled.rank)
    list_by(tables, compiled.rank, np.asarray(keys, np.float64), order, room)
    broken, _ = forward(tables, placing, order, 0, np.zeros(1, np.int64))
    if broken:
        return None
    return Schedule(
        starts=tuple(placing.start.tolist()),
        ends=tuple(placing.end.tolist()),
        modes=tuple(tables.mode[placing.mode, ORIGINAL].tolist()),
    )


class HeuristicRun:
    """A search in the making: `first`, `find_bounds`, then `go_on` as often as one likes."""

    def __init__(
        self, problem: ScheduleProblem, search: Search, *, walk: bool | None = None, cold: bool = False
    ) -> None:
        """`walk`: instead of a population; None: when the problem is big. `cold`: without loading the kernels first."""
        count = len(problem.activities)
        walk = count > WALK_FROM if walk is None else walk
        if not cold:
            _warm(big=walk)
        self.problem, self.search = problem, search
        self.began = time.monotonic()
        self.bounds: Bounds | None = None
        self.interrupted = False
        """By a person."""
        self._cut = False
        self.compiled: Compiled = compile_problem(problem)
        self._halt: I64 = np.zeros(1, np.int64)
        self._heads = unhindered(self.compiled)
        self._keys: F64 = rules(self.compiled, self._heads)
        self._size = 1 if walk else max(20, min(100, 400_000 // max(count, 1)))
        self._workers = [
            new_worker(self.compiled.tables, self._size, search.seed * 1009 + n, self._halt)
            for n in range(max(1, search.workers))
        ]
        self._wishes = self.compiled.heeds
        self._families: Families
        self._benches: list[Bench] = []
        self._fills: WindowFills | None = None
        self._prepared = False
        self._told_at = -1.0
        self._rounds = 0
        self._until = 0.0
        if search.hint is not None:
            self._read_hint(search.hint)

    def first(self) -> None:
        """One pass for the hint and for each priority rule (of a big problem for one), without justification."""
        if self._wishes & HINT:
            at = self._workers[0].first.hint[:, 0]
            self._try_rules([np.where(at >= 0, at, self._keys[0])], HINT)
        self._try_rules(self._keys if self._size > 1 else self._keys[:1])
        self._share()

    def _try_rules(self, keys: Iterable[F64], hint: int = 0) -> None:
        tables, rank, worker = self.compiled.tables, self.compiled.rank, self._workers[0]
        for key in keys:
            list_by(tables, rank, key.copy(), worker.child, worker.justified)
            decode(tables, worker, worker.child, self._wishes & ~HINT | hint, False)
            if worker.best_fitness[0] == 0:
                self._tell("first")
            if self._over(self.search.limit_s):
                return

    def find_bounds(self) -> None:
        self.bounds = lower_bounds(self.problem)

    def go_on(self, until_s: float, *, workers: int | None = None) -> None:
        """Search until this many seconds after the beginning, until every goal meets its bound, or until a person ends it.
        Repeatable: the work that a slow machine does in the seconds since `go_on` was called last."""
        left = (RATE if self._size > 1 else WALK_RATE) * max(0.0, until_s - self._until)
        self._until = until_s
        if self.search.repeatable:
            until_s = min(until_s * LENIENCE, self.search.limit_s)
        bound = np.array([0, *(self.bounds.values if self.bounds else [-FAR] * len(self.problem.goals))], np.int64)
        used = min(workers or len(self._workers), len(self._workers))
        self._prepare()
        with ThreadPoolExecutor(used) as pool:
            while (left > 0 or not self.search.repeatable) and not self.done() and not self._over(until_s):
                budget = min(ROUND, left) if self.search.repeatable else ROUND
                left -= self._watch([pool.submit(self._round, n, bound, budget) for n in range(used)], until_s)
                self._rounds += 1
                if self._rounds % SHARED_EVERY == 0 or self._size == 1:
                    self._share()
                self._tell("search")
        self._share()

    def _prepare(self) -> None:
        """The population has as further rules what the priority rules give under the parallel scheme, and fills of windows. The
        walk starts from the best schedule; the first time, all priority rules have a try."""
        tables, walk = self.compiled.tables, self._size == 1
        if not self._prepared:
            self._prepared = True
            lanes = build_lanes(tables, self._heads.start)
            if lanes is not None:
                due, threads = latest_by(self.compiled, self._aim()), len(self._workers)
                self._fills = WindowFills(self.compiled, lanes, self._keys[0], due, self.search.seed, threads)
            if walk:
                self._families = build_families(self.compiled)
                self._benches = [new_bench(self.compiled, self._families) for _ in self._workers]
                self._try_rules(self._keys[1:])
            else:
                first, fills = self._workers[0], self._fills
                filled = []
                if fills is not None:
                    for recipe in fills.recipes():
                        fills.place(0, first, recipe, self._wishes)
                        filled.append(first.last.start.astype(np.float64))
                self._keys = np.vstack([self._keys, *self._parallel(), *filled])
        if walk:
            self._share()
            for worker in self._workers:
                worker.current[:], worker.fitness[0] = worker.best, worker.best_fitness
                worker.heeds[0] = worker.state[HEED]

    def _parallel(self) -> list[F64]:
        """The starts that the priority rules give under the parallel scheme, as keys. It looks at all that is ready again and
        again: seconds for ten thousand activities."""
        tables, rank, w = self.compiled.tables, self.compiled.rank, self._workers[0]
        if len(tables.circle):
            return []
        found = []
        for key in self._keys:
            broken, _ = parallel(
                tables, w.first, rank, key, self._wishes & ~HINT, w.child, w.sorting.key, w.justified, self._halt
            )
            if broken == 0:
                found.append(w.first.start.astype(np.float64))
        return found

    def _aim(self) -> int:
        """The last tick at which what the makespan counts could have ended; the horizon where it is no goal."""
        tables, kinds = self.compiled.tables, [g.kind for g in self.problem.goals]
        if self.bounds is None or "makespan" not in kinds:
            return int(tables.size[0])
        least = self.bounds.values[kinds.index("makespan")]
        return int(np.searchsorted(tables.scale, least, side="right")) - 1

    def _refill(self, n: int, fills: WindowFills, bound: I64) -> float:
        """A fill by chance; the walk goes on from it when it is no worse after some repairs. Returns the work done."""
        worker = self._workers[n]
        before = worker.current.copy(), worker.fitness[0].copy(), worker.heeds[0]
        done = fills.place(n, worker, fills.draw(n, worker), self._wishes)
        worker.current[:], worker.fitness[0] = worker.last[:3], worker.trial[0]
        done += self._wander(n, bound, 1.0, 1.0)
        if better(worker.fitness[0], before[1]) > 0:
            worker.current[:], worker.fitness[0], worker.heeds[0] = before
        return done

    def _wander(self, n: int, bound: I64, repairs: float, budget: float) -> float:
        compiled = self.compiled
        done = wander(
            compiled.tables, self._workers[n], compiled.rank, self._families, self._benches[n], self._wishes, bound,
            repairs, budget,
        )  # fmt: skip
        return float(done)

    def done(self) -> bool:
        """Nothing is left to be found."""
        if self.interrupted or not self.problem.activities or self.bounds is None:
            return self.interrupted or not self.problem.activities
        best = self._leader().best_fitness
        return self.bounds.infeasible is not None or (best[0] == 0 and tuple(best[1:].tolist()) == self.bounds.values)

    def answer(self) -> Answer:
        """Raises IntegrityError when a schedule holds although the bounds prove that there is none."""
        best = self._leader()
        bounds = self.bounds.values if self.bounds else (0,) * len(self.problem.goals)
        found = bool(best.best_fitness[0] == 0) or not self.problem.activities
        values = tuple(best.best_fitness[1:].tolist()) if found else ()
        impossible = self.bounds.infeasible if self.bounds else None
        if not self.problem.activities:
            values = (0,) * len(self.problem.goals)
        if found and impossible is not None:
            raise IntegrityError(
                Text("下界证明无解，但已有一个成立的排程。", "The bounds claim that there is no schedule although one is known to hold."),
                where=impossible,
            )  # fmt: skip
        status: SolveStatus = "feasible" if found else "unknown"
        if impossible is not None:
            status = "infeasible"
        elif found and values == bounds:
            status = "optimal"
        return Answer(
            status=status, schedule=self._schedule(best) if found else None, values=values, bounds=bounds,
            solver="heuristic", seed=self.search.seed, seconds=time.monotonic() - self.began,
            repeatable=self.search.repeatable and not self._cut and not self.interrupted,
        )  # fmt: skip

    def _round(self, n: int, bound: I64, budget: float) -> float:
        """The work done: a single change of a big schedule may be more than the budget."""
        tables, rank, worker = self.compiled.tables, self.compiled.rank, self._workers[n]
        if self._size > 1:
            hinted = int(self._wishes & HINT != 0)
            return float(evolve(tables, worker, rank, self._keys, hinted, self._wishes, bound, PATIENCE, budget))
        done = 0.0
        if self._fills is not None and self._rounds % FILL_EVERY == 0:
            done = self._refill(n, self._fills, bound)
        return done + self._wander(n, bound, REPAIRS, budget)

    def _watch(self, futures: list[Future[float]], until_s: float) -> float:
        """Wait for the round, in the main thread, which is the one that a person's Ctrl-C comes to. Returns the most work that
        a thread has done."""
        try:
            while wait(futures, timeout=0.1).not_done:
                if self._over(until_s):
                    self._halt[0] = 1
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            if self.interrupted:
                self._halt[0] = 1
            wait(futures)
            self._halt[0] = int(self.interrupted)
        return max(future.result() for future in futures)

    def _over(self, until_s: float) -> bool:
        if self.search.stop is not None and self.search.stop():
            self.interrupted = True
        late = time.monotonic() - self.began >= until_s
        self._cut = self._cut or late or self.interrupted
        return late or self.interrupted

    def _leader(self) -> Worker:
        leader = self._workers[0]
        for worker in self._workers[1:]:
            if better(worker.best_fitness, leader.best_fitness) < 0:
                leader = worker
        return leader

    def _share(self) -> None:
        """Every thread goes on with the best schedule there is."""
        leader = self._leader()
        if leader.best_fitness[0] == FAR:
            return
        for worker in self._workers:
            if better(leader.best_fitness, worker.best_fitness) < 0:
                worker.best_fitness[:], worker.best[:] = leader.best_fitness, leader.best
                worker.best_list[:], worker.state[HEED] = leader.best_list, leader.state[HEED]
                if self._size > 1 and worker.state[FILLED] == self._size:
                    self._seat(worker, self._size - 1)

    def _seat(self, worker: Worker | None = None, place: int = 0) -> None:
        """Put the best list of a worker into its population."""
        for w in self._workers if worker is None else [worker]:
            w.population[place], w.fitness[place], w.heeds[place] = w.best_list, w.best_fitness, w.state[HEED]

    def _read_hint(self, hint: Schedule) -> None:
        tables = self.compiled.tables
        for n, (start, mode) in enumerate(zip(hint.starts, hint.modes, strict=True)):
            for row in range(tables.act[n, MODE_FROM], tables.act[n, MODE_TO]):
                if tables.mode[row, ORIGINAL] == mode and 0 <= start <= self.problem.horizon:
                    self._workers[0].first.hint[n] = start, row
        for worker in self._workers[1:]:
            worker.first.hint[:] = self._workers[0].first.hint
        self._wishes |= HINT

    def _schedule(self, worker: Worker) -> Schedule:
        starts, ends, rows = worker.best.tolist()
        numbers = self.compiled.tables.mode[:, ORIGINAL].tolist()
        return Schedule(starts=tuple(starts), ends=tuple(ends), modes=tuple(numbers[row] for row in rows))

    def _tell(self, phase: str) -> None:
        """At most four times a second."""
        seconds = time.monotonic() - self.began
        if self.search.on_progress is None or (phase != "first" and seconds - self._told_at < 0.25):
            return
        self._told_at = seconds
        fitness = self._leader().best_fitness
        values = tuple(fitness[1:].tolist()) if fitness[0] == 0 else ()
        bounds = self.bounds.values if self.bounds else ()
        self.search.on_progress(Progress(seconds=seconds, phase=phase, values=values, bounds=bounds))
