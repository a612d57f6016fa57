"""Schedules that fill windows by patterns (compiled): which cutovers go together into the window of one crew so that little
of it is left over, window after window.

A serial scheme puts a cutover of 135 minutes where three of 120 would have filled the evening. Here each lane (one unit of
the scarcest resource that a mode holds, in one window) gets the best knapsack of what is ready, which is how patterns are
priced in cutting stock (Gilmore and Gomory, Operations Research 9, 1961). The result is only a wish: the serial scheme
places all activities by it and keeps every constraint.
"""

# mypy: allow-untyped-defs

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from govcloud.planning.scheduling.activity_lists import F64, list_by, lower_keys, pressing
from govcloud.planning.scheduling.bin_weights import LONGEST_BIN, build_weights
from govcloud.planning.scheduling.compiled import (
    DEM,
    DEM_TICK,
    DURATION,
    HINT,
    I32,
    I64,
    MEMO,
    MODE_FROM,
    MODE_TO,
    OFFSET,
    SORT,
    WHOLE,
    Compiled,
    Tables,
)
from govcloud.planning.scheduling.evolution import FAR, Worker, decode
from govcloud.planning.scheduling.kernels import pass_over
from govcloud.planning.scheduling.places import Placing, book, earliest, new_placing
from govcloud.planning.scheduling.time_frame import Ints

HURRY, WINDOWS_LEFT = 3.0, 4
"""How much more work counts that has only so many windows left."""
FIRST = ((0, 0, 0.3, 4), (0, 1, 0.3, 4), (1, 0, 0.3, 2), (0, 0, 0.3, 1000))
"""Recipes to begin with: by when it is due (0) or the other order (1), row of weights, what rare work counts more, how far to
look."""
LOOKS = (2, 3, 4, 6, 8, 1000)
MOST_LANES = 2000
"""Units of a resource that are dealt with one by one."""


class Lanes(NamedTuple):
    """What is put into windows, and what it needs there."""

    packed: Ints
    """Activities of which each must lie within a window, whatever does it."""
    windows: Ints
    """Opening and end of each."""
    mode: I32
    """Tables.mode without memos."""
    lane: I32
    """Of each row of Tables.mode: the number of its scarcest resource; -1: it is not packed."""
    offset: I64
    """Of each of these resources in Placing.free; the one that the fewest can use comes first."""
    kind: I32
    """Of each row of Tables.mode: the number of its duration."""
    durations: Ints
    weights: F64
    """Rows of weights for the durations: the minutes, and what makes windows scarce (bin_weights.py)."""
    rarity: F64
    """Of each activity: 0 for one that any lane would do, towards 1 for one that few would."""
    ready: I32
    """Of each activity: the first tick that other activities allow."""


class _Room(NamedTuple):
    """Room for one thread."""

    placing: Placing
    bucket: I32
    """For each lane resource and duration: activities that are ready, as many as all lanes can hold, and mode rows."""
    wish: I32
    """Start and mode row of each activity, -1 for none, as in Placing.hint."""


def build_lanes(tables: Tables, ready: I32) -> Lanes | None:
    """None where nothing is put into windows, or where windows or resources are too large to be dealt with one by one."""
    act, mode = tables.act, tables.mode
    ticks = np.arange(len(tables.win))
    windows = tables.win[(tables.win[:, 0] == ticks) & (tables.win[:, 1] > ticks + 1)].astype(np.int64)
    whole = np.append(0, np.cumsum((mode[:, SORT] == WHOLE) & (mode[:, DEM] < mode[:, DEM_TICK])))
    modes = act[:, MODE_TO] - act[:, MODE_FROM]
    packed = np.flatnonzero((modes > 0) & (whole[act[:, MODE_TO]] - whole[act[:, MODE_FROM]] == modes))
    if not len(packed) or not len(windows) or np.diff(windows, axis=1).max() > LONGEST_BIN:
        return None
    rows, owner = _spread(act[packed, MODE_FROM], act[packed, MODE_TO])
    demands, row_of = _spread(mode[rows, DEM], mode[rows, DEM_TICK])
    at = tables.dem[demands, OFFSET]
    each, where = np.unique(at, return_inverse=True)
    units = np.array([tables.base[offset + windows[:, 0]].max() for offset in each])[where]
    # The scarcest resource of a mode has the fewest units; the first of equals.
    order = np.lexsort((at, units, row_of))
    _, firsts = np.unique(row_of[order], return_index=True)
    scarce, units = at[order][firsts], units[order][firsts]
    used, number, often = np.unique(scarce, return_inverse=True, return_counts=True)
    capacity = units[np.unique(number, return_index=True)[1]]
    if capacity.max() > MOST_LANES:
        return None
    place = np.empty(len(used), np.int64)
    place[np.lexsort((used, often))] = np.arange(len(used))
    lane = np.full(len(mode), -1, np.int32)
    lane[rows] = place[number]
    durations = np.unique(mode[rows, DURATION]).astype(np.int64)
    rarity = np.zeros(len(act))
    # Of modes with the same resource one counts.
    pairs = np.unique(np.stack([packed[owner], number], axis=1), axis=0)
    np.add.at(rarity, pairs[:, 0], capacity[pairs[:, 1]] / max(1, capacity.sum()))
    bare = mode.copy()
    bare[:, MEMO] = -1
    kind = np.searchsorted(durations, mode[:, DURATION]).astype(np.int32)
    times = np.bincount(kind[act[packed, MODE_FROM]], minlength=len(durations))
    priced = [w.of(durations) for w in build_weights(durations, times, np.diff(windows, axis=1)[:, 0])]
    weights = np.stack([durations, *(w * 100 + durations for w in priced if w.max(initial=0) > durations.max())])
    return Lanes(
        packed=packed, windows=windows, mode=bare, lane=lane, offset=used[np.argsort(place)], kind=kind, durations=durations,
        weights=weights / weights.max(axis=1, keepdims=True), rarity=1 - rarity, ready=ready,
    )  # fmt: skip


def _spread(first: I32, last: I32) -> tuple[Ints, Ints]:
    """All of the numbers from first to last (exclusive), and the place in `first` that each belongs to."""
    counts = (last - first).astype(np.int64)
    owner = np.repeat(np.arange(len(first)), counts)
    return np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + first[owner], owner


def _new_room(tables: Tables, lanes: Lanes) -> _Room:
    size = int(np.diff(lanes.windows, axis=1).max())
    units = int(tables.base[lanes.offset[:, None] + lanes.windows[:, 0]].max(axis=1).sum())
    deep = max(1, units * (size // max(1, int(lanes.durations[0]))))
    return _Room(
        placing=new_placing(tables), wish=np.full((len(tables.act), 2), -1, np.int32),
        bucket=np.zeros((len(lanes.offset), len(lanes.durations), deep, 2), np.int32),
    )  # fmt: skip


class Recipe(NamedTuple):
    """How windows are filled."""

    urgency: F64
    """Of each activity; low values first."""
    due: I32
    """When each activity should have started at the latest."""
    weights: F64
    """Of each duration."""
    rare: float
    """How much more work counts that few can do."""
    look: int
    """How many activities are looked at for a window, in multiples of what it can hold."""
    since: int = 0
    """What lies before this tick in the current schedule of the walk stays there."""


class WindowFills:
    """Fills of the windows of one problem, for the threads of a search."""

    def __init__(self, compiled: Compiled, lanes: Lanes, turns: F64, due: I32, seed: int, threads: int) -> None:
        """`turns`: the first of the priority rules; `due`: when each activity should have started at the latest."""
        self._compiled, self._lanes = compiled, lanes
        self._pressing = pressing(compiled)
        self._orders = ((due.astype(np.float64), due), (turns, np.where(self._pressing, -1, due).astype(np.int32)))
        self._rooms = [_new_room(compiled.tables, lanes) for _ in range(threads)]
        self._untried = [iter(range(n, len(FIRST), threads)) for n in range(threads)]
        self._dice = [np.random.default_rng((seed, n)) for n in range(threads)]

    def recipes(self) -> Iterator[Recipe]:
        """Some to begin with."""
        return map(self._recipe, range(len(FIRST)))

    def _recipe(self, k: int) -> Recipe:
        order, row, rare, look = FIRST[k]
        weights, (urgency, due) = self._lanes.weights, self._orders[order]
        return Recipe(urgency=urgency, due=due, weights=weights[row % len(weights)], rare=rare, look=look)

    def draw(self, n: int, worker: Worker) -> Recipe:
        """Those to begin with, shared out among the threads; then by chance, each thread's being its own."""
        for k in self._untried[n]:
            return self._recipe(k)
        dice, weights = self._dice[n], self._lanes.weights
        used = self._lanes.windows[:, 0] <= worker.current[0, self._lanes.packed].max()
        at = int(dice.random() * 2 * np.count_nonzero(used)) - np.count_nonzero(used)
        # What a goal above the makespan waits for has its turns from the beginning on, or stays where it is.
        urgency, due = self._orders[1 if at <= 0 and self._pressing.any() else int(dice.random() * 3) // 2]
        return Recipe(
            due=due, urgency=urgency * (1 + 0.1 * dice.random() * dice.standard_normal(len(urgency))),
            weights=weights[dice.integers(len(weights))] * (1 + 0.1 * dice.random(weights.shape[1])),
            rare=dice.random(), look=int(dice.choice(LOOKS)), since=int(self._lanes.windows[at, 0]) if at > 0 else 0,
        )  # fmt: skip

    def place(self, n: int, worker: Worker, recipe: Recipe, wishes: int) -> float:
        """One pass of thread `n` by a fill: the schedule is in worker.last, its fitness in worker.trial[0]. Returns the work
        done."""
        tables, rank, room = self._compiled.tables, self._compiled.rank, self._rooms[n]
        packed = self._lanes.packed
        order = packed[np.argsort(recipe.urgency[packed], kind="stable")]
        work = _fill(tables, self._lanes, room, order, worker.current, *recipe[1:])
        later = worker.current[0] if recipe.since else tables.size[0] + recipe.urgency
        key = np.where(room.wish[:, 0] >= 0, room.wish[:, 0], later)
        lower_keys(tables, rank, key)
        wished = worker.first.hint.copy()
        worker.first.hint[:] = room.wish
        list_by(tables, rank, key, worker.child, worker.justified)
        done = decode(tables, worker, worker.child, wishes | HINT, False)
        if done < 0:
            worker.trial[0] = FAR
        worker.first.hint[:] = wished
        return float(work + done + 40 * len(rank))


@pass_over
def _fill(tables, lanes, room, order, current, due, weights, rare, look, since):
    """Into room.wish; returns the work done. `order`: the packed activities, urgent ones first; `current`: the schedule of
    which a part may stay; the others as in Recipe."""
    mode, base, memo = lanes.mode, tables.base, room.placing.memo
    cal, per, first, dem, horizon = tables.cal, tables.per, tables.first, tables.dem, tables.size[0]
    free, bucket, wish = room.placing.free, room.bucket, room.wish
    pools, kinds = bucket.shape[:2]
    left, count = order.copy(), len(order)
    longest = (lanes.windows[:, 1] - lanes.windows[:, 0]).max()
    held, best = np.zeros((pools, kinds), np.int32), np.zeros(longest + 1)
    taken, chosen = np.zeros((kinds, longest + 1), np.int32), np.zeros((longest + 1, 2), np.int32)
    free[:], wish[:] = base, -1
    worth, work = np.zeros(len(wish)), 0
    for i in order:
        if current[0, i] < since:
            wish[i, 0], wish[i, 1] = current[0, i], current[2, i]
            book(current[2, i], current[0, i], current[1, i], 1, mode, dem, per, free)
    count = _without_placed(left, count, wish)
    for n in range(len(lanes.windows)):
        opens, closes = lanes.windows[n]
        if opens < since:
            continue
        units = 0
        for p in range(pools):
            units += base[lanes.offset[p] + opens]
        most = look * units * max(1, (closes - opens) // max(1, lanes.durations[0]))
        soon = lanes.windows[min(n + WINDOWS_LEFT, len(lanes.windows) - 1), 0]
        work += _gather(tables, lanes, room, left[:count], due, worth, rare, opens, closes, soon, most, held)
        for p in range(pools):
            for _ in range(base[lanes.offset[p] + opens]):
                work += kinds * (closes - opens)
                total = _pack(lanes, bucket[p], held[p], wish, weights, worth, closes - opens, best, taken, chosen)
                if not total:
                    break
                at = opens
                for q in range(total):
                    i, m = chosen[q]
                    s, e, _ = earliest(m, at, closes, horizon, mode, dem, cal, per, first, free, memo)
                    if s >= 0:
                        book(m, s, e, 1, mode, dem, per, free)
                        wish[i, 0], wish[i, 1], at = s, m, e
                    else:
                        wish[i, 1] = -2
        count = _without_placed(left, count, wish)
    return work


@pass_over
def _gather(tables, lanes, room, left, due, worth, rare, opens, closes, soon, most, held):
    """The first `most` activities that can start when a window opens, into the buckets of all that could do them. Returns the
    work done."""
    act, mode, horizon, wish, bucket = tables.act, lanes.mode, tables.size[0], room.wish, room.bucket
    seen, work, deep = 0, len(left), bucket.shape[2]
    held[:] = 0
    for i in left:
        if seen >= most:
            break
        if lanes.ready[i] > opens:
            continue
        fits, wish[i, 1] = False, -1
        worth[i] = (1.0 + rare * lanes.rarity[i]) * (HURRY if due[i] < soon else 1.0)
        for m in range(act[i, MODE_FROM], act[i, MODE_TO]):
            p, d = lanes.lane[m], lanes.kind[m]
            if held[p, d] < deep:
                s, _, done = earliest(
                    m, opens, closes, horizon, mode, tables.dem, tables.cal, tables.per, tables.first, room.placing.free,
                    room.placing.memo,
                )  # fmt: skip
                work += done
                if s == opens:
                    bucket[p, d, held[p, d], 0], bucket[p, d, held[p, d], 1] = i, m
                    held[p, d] += 1
                    fits = True
        seen += fits
    return work


@pass_over
def _without_placed(left, count, wish):
    kept = 0
    for k in range(count):
        if wish[left[k], 0] < 0:
            left[kept] = left[k]
            kept += 1
    return kept


@pass_over
def _pack(lanes, bucket, held, wish, weights, worth, size, best, taken, chosen):
    """The best knapsack of what is left in the buckets of a lane: activities and mode rows into `chosen`; their number."""
    kinds = len(lanes.durations)
    best[: size + 1] = 0.0
    for d in range(kinds):
        length, kept = lanes.durations[d], 0
        for k in range(held[d]):
            if wish[bucket[d, k, 0], 1] == -1:
                bucket[d, kept, 0], bucket[d, kept, 1] = bucket[d, k, 0], bucket[d, k, 1]
                kept += 1
        held[d] = kept
        for g in range(size, -1, -1):
            value, top, taken[d, g] = 0.0, best[g], 0
            for k in range(min(kept, g // length)):
                value += weights[d] * worth[bucket[d, k, 0]]
                if best[g - (k + 1) * length] + value > top + 1e-9:
                    top = best[g - (k + 1) * length] + value
                    taken[d, g] = k + 1
            best[g] = top
    total, g = 0, size
    for d in range(kinds - 1, -1, -1):
        for k in range(taken[d, g]):
            chosen[total, 0], chosen[total, 1] = bucket[d, k, 0], bucket[d, k, 1]
            total += 1
        g -= taken[d, g] * lanes.durations[d]
    return total
