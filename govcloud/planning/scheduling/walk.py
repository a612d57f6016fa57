"""Search for problems that are too big for a population (compiled): a walk from the best schedule, with local repair, and
changes to the order of its activities where it is late."""

# mypy: allow-untyped-defs

from __future__ import annotations

from govcloud.planning.scheduling.activity_lists import list_by, list_by_start
from govcloud.planning.scheduling.compiled import HINT, PRE_FROM, PRE_TO, RISK, SOFT
from govcloud.planning.scheduling.evolution import (
    BRIDGES,
    RISKS,
    below,
    better,
    counted_end,
    decode,
    keep,
    noise,
    uniform,
    value,
)
from govcloud.planning.scheduling.kernels import copy, kernel
from govcloud.planning.scheduling.sgs import restore
from govcloud.planning.scheduling.squeeze import eligible, squeeze

SQUEEZE = 300
"""Work of a repair for each activity: as much as some passes."""


@kernel
def wander(tables, w, rank, families, bench, wishes, bound, repairs, budget):
    """A round of the walk: changes to w.current, of which so many are local repairs, kept when they make it no worse. The caller
    has set that schedule, its fitness and what it heeds. Returns the work done."""
    rng, n, work, fitness = w.rng, len(tables.act), 0, w.fitness[0]
    while work < budget and better(w.best_fitness, bound) > 0 and not w.halt[0]:
        heed = w.heeds[0]
        if fitness[0] == 0 and uniform(rng) < repairs:
            heed, done = _repair(tables, w, rank, families, bench, bound, heed)
        else:
            if wishes and uniform(rng) < 0.1:
                heed ^= wishes & (1 << below(rng, 3))
            list_by_start(tables, rank, w.current[0], w.sorting, w.justified)
            for k in range(n):
                w.key[w.justified[k]] = k
            _disturb(tables, w, w.key)
            list_by(tables, rank, w.key, w.child, w.justified)
            done = decode(tables, w, w.child, heed, heed & HINT == 0)
        if done < 0:
            break
        work += done + 40 * n
        if better(w.trial[0], fitness) <= 0:
            copy(w.current[0], w.last.start)
            copy(w.current[1], w.last.end)
            copy(w.current[2], w.last.mode)
            copy(fitness, w.trial[0])
            w.heeds[0] = heed
    return work


@kernel
def _repair(tables, w, rank, families, bench, bound, heed):
    """Squeeze the current schedule for as long as some passes take; the result is in w.last and its fitness in w.trial[0].
    Returns what it heeds and the work done."""
    work = restore(tables, w.last, w.current)
    copy(w.trial[0], w.fitness[0])
    # Some goal that is not proven to be at its best, the first ones rather than the last.
    focus = -1
    for g in range(len(tables.goal)):
        if eligible(tables.goal[g, 0]) and w.fitness[0, 1 + g] > bound[1 + g] and (focus < 0 or uniform(w.rng) < 0.35):
            focus = g
    if focus < 0:
        return heed, work
    # A wish that serves a goal below the focus would only be in the way.
    if tables.goal[focus, 0] == RISKS:
        heed |= RISK
    for g in range(focus + 1, len(tables.goal)):
        if tables.goal[g, 0] in (BRIDGES, RISKS) and uniform(w.rng) < 0.8:
            heed &= ~(SOFT if tables.goal[g, 0] == BRIDGES else RISK)
    list_by_start(tables, rank, w.last.start, w.sorting, w.justified)
    work += squeeze(tables, w, families, bench, focus, heed, SQUEEZE * len(rank))
    value(tables, w.last, w.trial[0])
    list_by_start(tables, rank, w.last.start, w.sorting, w.justified)
    keep(w, w.last, w.justified, heed)
    return heed, work


@kernel
def _disturb(tables, w, key):
    """Noise on a stretch of the list, on all of it, or some chains that end late brought forward."""
    rng, n = w.rng, len(key)
    how = uniform(rng)
    if how < 0.4:
        width = n * (0.02 + 0.2 * uniform(rng))
        middle, strength = uniform(rng) * n, 0.1 + uniform(rng)
        for i in range(n):
            if abs(key[i] - middle) < width:
                key[i] += strength * width * noise(rng)
    elif how < 0.6:
        strength = n * 0.02 * uniform(rng) * uniform(rng)
        for i in range(n):
            key[i] += strength * noise(rng)
    else:
        limit = counted_end(tables, w.best[1])
        share = 0.9 + 0.1 * uniform(rng)
        chance, jump = uniform(rng) ** 2, n * uniform(rng) ** 2
        used, stack = w.used, w.justified
        for i in range(n):
            used[i] = False
        for i in range(n):
            if w.best[1][i] >= share * limit and not used[i] and uniform(rng) < chance:
                _bring_forward(tables, i, jump * uniform(rng), key, used, stack)


@kernel
def _bring_forward(tables, i, jump, key, used, stack):
    """An activity and all that it waits for."""
    act, pre = tables.act, tables.pre
    stack[0], depth = i, 1
    used[i] = True
    while depth:
        depth -= 1
        j = stack[depth]
        key[j] -= jump
        for q in range(act[j, PRE_FROM], act[j, PRE_TO]):
            before = pre[q, 0]
            if pre[q, 2] == 0 and not used[before]:
                used[before] = True
                stack[depth] = before
                depth += 1
