"""Search over lists of activities (compiled): a genetic algorithm with double justification, for small and medium problems.

It follows Hartmann (Naval Research Logistics 45, 1998) and Valls, Ballestín & Quintanilla (EJOR 185,
2008): two-point crossover of lists, swaps of neighbours, tournaments, a fresh population when nothing gets better, now and
then one from the best of earlier populations. Fitness: how far the schedule is from holding, then the goals in order.
All chance comes from a generator in `rng`, so that a round is the same wherever and whenever it runs.
"""

# Kernels take arrays and Placings of arrays; Numba infers their types from the call.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govcloud.planning.scheduling.activity_lists import F64, Sorting, list_by, list_by_end, list_by_start, new_sorting
from govcloud.planning.scheduling.compiled import CIRCLE, END_LIMIT, GOALS, HINT, I32, I64, PRE_FROM, PRE_TO, Tables
from govcloud.planning.scheduling.kernels import copy, inner, kernel
from govcloud.planning.scheduling.places import Placing, new_placing, opening
from govcloud.planning.scheduling.sgs import backward, forward

U64 = NDArray[np.uint64]

DEADLINES, NETWORKS, RISKS, MAKESPAN, BRIDGES, PEAK, CHANGES, WAITING = (
    GOALS.index(kind) for kind in ("deadlines", "networks", "risk", "makespan", "bridges", "peak", "changes", "waiting")
)
ELITES = 16
FAR = np.iinfo(np.int64).max
# Entries of Search.state.
FILLED, STALLED, RESTARTS, KEPT, HEED = range(5)


class Worker(NamedTuple):
    """One thread's search."""

    first: Placing
    back: Placing
    last: Placing
    sorting: Sorting
    rng: U64
    state: I64
    population: I32
    fitness: I64
    heeds: I64
    elite: I32
    elite_fitness: I64
    elite_heeds: I64
    best_list: I32
    best_fitness: I64
    best: I32
    """start, end, mode row of each activity in the best schedule."""
    current: I32
    """The same of the schedule that the walk is at; its fitness is fitness[0], what it heeds heeds[0]."""
    child: I32
    key: F64
    justified: I32
    trial: I64
    """fitness of the schedule made last, of the one before its justification."""
    used: NDArray[np.bool_]
    halt: I64


def new_worker(tables: Tables, size: int, seed: int, halt: I64) -> Worker:
    count, goals = len(tables.act), 1 + len(tables.goal)
    first = new_placing(tables)
    population, elite = (np.zeros((n, count), np.int32) for n in (size, ELITES))
    mixed = (seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64 or 1
    return Worker(
        first=first, back=new_placing(tables), last=new_placing(tables)._replace(hint=first.hint),
        sorting=new_sorting(tables), rng=np.array([mixed], np.uint64),
        state=np.zeros(5, np.int64), population=population, fitness=np.full((size, goals), FAR, np.int64),
        heeds=np.zeros(size, np.int64), elite=elite, elite_fitness=np.full((ELITES, goals), FAR, np.int64),
        elite_heeds=np.zeros(ELITES, np.int64), best_list=np.zeros(count, np.int32),
        best_fitness=np.full(goals, FAR, np.int64), best=np.zeros((3, count), np.int32), current=np.zeros((3, count), np.int32), child=np.zeros(count, np.int32), key=np.zeros(count),
        justified=np.zeros(count, np.int32), trial=np.zeros((2, goals), np.int64), used=np.zeros(count, np.bool_), halt=halt,
    )  # fmt: skip


@inner
def uniform(rng):
    """xorshift64 (Marsaglia, Journal of Statistical Software 8, 2003), in [0, 1)."""
    x = rng[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    rng[0] = x
    return float(x >> np.uint64(11)) / 9007199254740992.0


@inner
def below(rng, n):
    return int(uniform(rng) * n)


@inner
def noise(rng):
    """Near enough to the normal distribution."""
    return (uniform(rng) + uniform(rng) + uniform(rng) + uniform(rng) - 2.0) * 1.732


@inner
def better(one, other):
    """-1: `one` is smaller in the order of ranks, 1: greater, 0: the same."""
    for g in range(len(one)):
        if one[g] != other[g]:
            return -1 if one[g] < other[g] else 1
    return 0


@kernel
def value(tables, placing, out):
    """The value of each goal, into out[1:]."""
    entry, scale, win, soft = tables.entry, tables.scale, tables.win, tables.soft
    start, end = placing.start, placing.end
    for g in range(len(tables.goal)):
        kind, total = tables.goal[g, 0], 0
        for n in range(tables.goal[g, 1], tables.goal[g, 2]):
            i, weight, tick = entry[n, 0], entry[n, 1], entry[n, 2]
            if kind == MAKESPAN:
                total = max(total, scale[end[i]])
            elif kind in (NETWORKS, WAITING):
                total += weight * scale[end[i]]
            elif kind == DEADLINES:
                if end[i] > tick:
                    total += weight * (scale[end[i]] - scale[tick])
            elif kind == RISKS:
                total += weight * (start[i] < tick)
            elif kind == CHANGES:
                inside = 0 <= tick < len(win) and win[tick, 0] == win[start[i], 0]
                total += weight * (start[i] != tick and not inside)
            elif kind == PEAK:
                most = 0
                for x in range(i, i + weight):
                    most = max(most, tables.base[x] - placing.free[x])
                total += most
        if kind == BRIDGES:
            for n in range(len(soft)):
                i, j = soft[n, 0], soft[n, 1]
                total += soft[n, 3] * (start[j] < opening(soft[n, 2], start[i], end[i], win))
        out[1 + g] = total


@kernel
def decode(tables, w, order, heed, justify):
    """The schedule of a list, justified when that makes it no worse: fitness in w.trial[0], its list in w.justified. Keeps
    it when it is the best so far. w.last has its starts, ends and modes. Returns the work done, or -1 when halted."""
    fit = w.trial[0]
    broken, work = forward(tables, w.first, order, heed, w.halt)
    if broken < 0:
        return -1
    fit[0] = broken
    value(tables, w.first, fit)
    placing = w.first
    improved = False
    if justify and broken == 0 and len(order):
        list_by_end(tables, order, w.first.end, w.sorting, w.justified)
        held, more = backward(tables, w.back, w.justified, w.first.end, counted_end(tables, w.first.end), w.halt)
        work += more
        if held:
            list_by_start(tables, order, w.back.start, w.sorting, w.justified)
            broken, more = forward(tables, w.last, w.justified, heed, w.halt)
            if broken < 0:
                return -1
            work += more
            w.trial[1, 0] = broken
            value(tables, w.last, w.trial[1])
            if better(w.trial[1], fit) <= 0:
                copy(fit, w.trial[1])
                placing = w.last
                improved = True
    if not improved:
        copy(w.justified, order)
        copy(w.last.start, w.first.start)
        copy(w.last.end, w.first.end)
        copy(w.last.mode, w.first.mode)
    keep(w, placing, w.justified, heed)
    return work + len(tables.entry) + len(tables.soft)


@inner
def keep(w, placing, order, heed):
    """The schedule with the fitness in w.trial[0], when it is the best so far."""
    if better(w.trial[0], w.best_fitness) < 0:
        copy(w.best_fitness, w.trial[0])
        copy(w.best_list, order)
        copy(w.best[0], placing.start)
        copy(w.best[1], placing.end)
        copy(w.best[2], placing.mode)
        w.state[HEED] = heed


@kernel
def counted_end(tables, end):
    """The end of what the makespan counts."""
    limit = 0
    for i in range(len(end)):
        if tables.act[i, END_LIMIT] <= tables.size[0]:
            limit = max(limit, end[i])
    return limit


@kernel
def _fresh(tables, w, rank, keys, hinted, wishes, p):
    """A new list into w.child, and what it heeds: the rules as they are first, then mostly the first with noise."""
    rng, n = w.rng, len(rank)
    heed = wishes
    if uniform(rng) < 0.2:
        heed = wishes & below(rng, 8)
    key = w.key
    rounds = w.state[RESTARTS]
    if hinted and (p == 0 or uniform(rng) < 0.6):
        strength = 0.0 if p == 0 else 0.3 * uniform(rng)
        low, high = keys[0, 0], keys[0, 0]
        for i in range(n):
            low, high = min(low, keys[0, i]), max(high, keys[0, i])
        for i in range(n):
            at = w.first.hint[i, 0]
            key[i] = (float(at) if at >= 0 else keys[0, i]) + strength * (high - low) * 0.2 * noise(rng)
    else:
        rule = p - hinted
        strength = 0.0
        if rounds > 0 or rule >= len(keys):
            rule = 0 if uniform(rng) < 0.7 else below(rng, len(keys))
            strength = 0.1 + (0.9 if rounds else 0.5) * uniform(rng)
        for i in range(n):
            key[i] = keys[rule, i] * (1.0 + strength * noise(rng))
    list_by(tables, rank, key, w.child, w.justified)
    return heed


@kernel
def _cross(tables, w, a, b):
    """A child of two lists: the ends from one, the middle in the other's order; then swaps of neighbours."""
    act, pre, rng, child, used, n = tables.act, tables.pre, w.rng, w.child, w.used, len(tables.act)
    p, q = below(rng, n), below(rng, n)
    p, q = min(p, q), max(p, q)
    for v in range(n):
        used[v] = False
    for x in range(p):
        child[x] = w.population[a, x]
        used[child[x]] = True
    k = p
    for x in range(n):
        if k >= q:
            break
        v = w.population[b, x]
        if not used[v]:
            child[k] = v
            used[v] = True
            k += 1
    for x in range(p, n):
        v = w.population[a, x]
        if not used[v]:
            child[k] = v
            k += 1
    for x in range(n - 1):
        if uniform(rng) < 0.05:
            u, v = child[x], child[x + 1]
            free = act[v, CIRCLE] < 0
            for r in range(act[v, PRE_FROM], act[v, PRE_TO]):
                free = free and pre[r, 0] != u
            if free:
                child[x], child[x + 1] = v, u


@kernel
def _pick(w, filled, worst):
    a = below(w.rng, filled)
    for _ in range(2 if worst else 1):
        b = below(w.rng, filled)
        if better(w.fitness[b], w.fitness[a]) == (1 if worst else -1):
            a = b
    return a


@kernel
def _restart(w):
    """The best of the population joins the elites; every fourth time the elites are the beginning of the next one."""
    state, b = w.state, 0
    for p in range(state[FILLED]):
        if better(w.fitness[p], w.fitness[b]) < 0:
            b = p
    slot = state[KEPT] % ELITES
    copy(w.elite[slot], w.population[b])
    copy(w.elite_fitness[slot], w.fitness[b])
    w.elite_heeds[slot] = w.heeds[b]
    state[KEPT] += 1
    state[RESTARTS] += 1
    state[FILLED] = 0
    state[STALLED] = 0
    if state[RESTARTS] % 4 == 0:
        for p in range(min(state[KEPT], ELITES, len(w.population))):
            copy(w.population[p], w.elite[p])
            copy(w.fitness[p], w.elite_fitness[p])
            w.heeds[p] = w.elite_heeds[p]
            state[FILLED] += 1


@kernel
def evolve(tables, w, rank, keys, hinted, wishes, bound, patience, budget):
    """A round of the genetic algorithm: about `budget` work, or until the best meets `bound` or the search is halted.
    Returns the work done."""
    state, size, work = w.state, len(w.population), 0
    while work < budget and better(w.best_fitness, bound) > 0 and not w.halt[0]:
        if state[STALLED] > patience * size:
            _restart(w)
        young = state[FILLED] < size
        if young:
            heed = _fresh(tables, w, rank, keys, hinted, wishes, state[FILLED])
        else:
            a, b = _pick(w, size, False), _pick(w, size, False)
            _cross(tables, w, a, b)
            heed = w.heeds[a]
            if wishes and uniform(w.rng) < 0.05:
                heed ^= wishes & (1 << below(w.rng, 3))
        done = decode(tables, w, w.child, heed, heed & HINT == 0)
        if done < 0:
            break
        work += done + 4 * len(rank)
        state[STALLED] += 1
        target = state[FILLED] if young else _pick(w, size, True)
        if not young and better(w.trial[0], w.fitness[target]) > 0:
            continue
        if not young and _known(w):
            continue
        if not young and better(w.trial[0], w.fitness[target]) < 0:
            state[STALLED] = 0
        if young:
            state[FILLED] += 1
            state[STALLED] = 0
        copy(w.population[target], w.justified)
        copy(w.fitness[target], w.trial[0])
        w.heeds[target] = heed
    return work


@kernel
def _known(w):
    for p in range(len(w.population)):
        if better(w.fitness[p], w.trial[0]) == 0:
            k = 0
            while k < len(w.justified) and w.population[p, k] == w.justified[k]:
                k += 1
            if k == len(w.justified):
                return True
    return False
