"""Lists of activities that the serial scheme can place: sorted by a key, and what others wait for first (compiled)."""

# Kernels take arrays and Placings of arrays; Numba infers their types from the call.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govcloud.planning.scheduling.compiled import (
    AMOUNT,
    CIRCLE,
    DEADLINE,
    DEM,
    DEM_TICK,
    DURATION,
    END_LIMIT,
    GOALS,
    I32,
    MEMO,
    MODE_FROM,
    MODE_TO,
    OFFSET,
    PRE_FROM,
    PRE_TO,
    SUC_FROM,
    SUC_TO,
    Compiled,
    Tables,
)
from govcloud.planning.scheduling.kernels import copy, inner, kernel
from govcloud.planning.scheduling.places import Placing, latest, new_placing
from govcloud.planning.scheduling.sgs import forward

F64 = NDArray[np.float64]


class Sorting(NamedTuple):
    """Room for sorting lists, one for each thread."""

    key: I32
    counts: I32


def new_sorting(tables: Tables) -> Sorting:
    return Sorting(np.zeros(len(tables.act), np.int32), np.zeros(int(tables.size[0]) + 4, np.int32))


@kernel
def raise_keys(tables, order, key):
    """No key below the key of what the activity waits for; one key for a circle. `order` names what waits last."""
    act, pre, circle = tables.act, tables.pre, tables.circle
    for k in range(len(order)):
        i = order[k]
        most = key[i]
        if act[i, CIRCLE] < 0:
            for q in range(act[i, PRE_FROM], act[i, PRE_TO]):
                if not pre[q, 2]:
                    most = max(most, key[pre[q, 0]])
            key[i] = most
            continue
        at = act[i, CIRCLE]
        c = at
        while circle[c] >= 0:
            j = circle[c]
            most = max(most, key[j])
            for q in range(act[j, PRE_FROM], act[j, PRE_TO]):
                if not pre[q, 2]:
                    most = max(most, key[pre[q, 0]])
            c += 1
        for d in range(at, c):
            key[circle[d]] = most


@kernel
def lower_keys(tables, order, key):
    """No key above the key of what waits for the activity, so that a chain comes as early as its most urgent link."""
    act, suc = tables.act, tables.suc
    for k in range(len(order) - 1, -1, -1):
        i = order[k]
        for q in range(act[i, SUC_FROM], act[i, SUC_TO]):
            if not suc[q, 2]:
                key[i] = min(key[i], key[suc[q, 0]])


@kernel
def list_by(tables, order, key, out, room):
    """The list by rising key that can be placed; what has the same key stays as it is in `order`. Changes the keys.

    Bottom-up merge sort: np.argsort would make arrays.
    """
    raise_keys(tables, order, key)
    n = len(order)
    width, merges = 1, 0
    while width < n:
        width, merges = 2 * width, merges + 1
    # The last merge must write into `out`.
    into_room = merges % 2 == 0
    copy(out if into_room else room, order)
    width = 1
    while width < n:
        into_room = not into_room
        if into_room:
            _merge(key, room, out, width)
        else:
            _merge(key, out, room, width)
        width *= 2


@inner
def _merge(key, source, to, width):
    n = len(source)
    for low in range(0, n, 2 * width):
        a, middle, high = low, min(low + width, n), min(low + 2 * width, n)
        b = middle
        for k in range(low, high):
            if a < middle and (b >= high or key[source[a]] <= key[source[b]]):
                to[k] = source[a]
                a += 1
            else:
                to[k] = source[b]
                b += 1


@inner
def _count_sort(order, key, falling, count, out):
    """Stable; by falling key what comes last in `order` comes first among equals."""
    low, high = key[order[0]], key[order[0]]
    for k in range(len(order)):
        low, high = min(low, key[k]), max(high, key[k])
    for k in range(high - low + 2):
        count[k] = 0
    for k in range(len(order)):
        count[(high - key[k] if falling else key[k] - low) + 1] += 1
    for k in range(high - low + 1):
        count[k + 1] += count[k]
    for k in range(len(order)):
        i = order[len(order) - 1 - k] if falling else order[k]
        at = high - key[i] if falling else key[i] - low
        out[count[at]] = i
        count[at] += 1


@kernel
def list_by_start(tables, order, start, sorting, out):
    """The list by rising start of a schedule that was made from `order`."""
    copy(sorting.key, start)
    if tables.size[2]:
        raise_keys(tables, order, sorting.key)
    _count_sort(order, sorting.key, False, sorting.counts, out)


@kernel
def list_by_end(tables, order, end, sorting, out):
    """The list by falling end, for the backward scheme."""
    copy(sorting.key, end)
    if tables.size[2]:
        lower_keys(tables, order, sorting.key)
    _count_sort(order, sorting.key, True, sorting.counts, out)


@kernel
def _latest_ends(tables, order, due, starts, ends):
    """Without resources; what can't be in time is reckoned with all the same and may begin before tick 0."""
    act, mode, suc, win, horizon = tables.act, tables.mode, tables.suc, tables.win, tables.size[0]
    for k in range(len(order) - 1, -1, -1):
        i = order[k]
        most, most_start = due[i], horizon
        for q in range(act[i, SUC_FROM], act[i, SUC_TO]):
            j = suc[q, 0]
            if suc[q, 2] == 0 and suc[q, 1] == 0:
                most = min(most, starts[j])
            elif suc[q, 2] == 0 and starts[j] >= 0:
                most_start = min(most_start, win[starts[j], 1] - 1 if suc[q, 1] == 1 else win[starts[j], 0] - 1)
        ends[i], starts[i] = most, min(most, most_start)
        for m in range(act[i, MODE_FROM], act[i, MODE_TO]):
            s, e, _ = latest(
                m, 0, most_start, most, horizon, mode, tables.dem, tables.cal, tables.per, tables.first, tables.base
            )
            if s < 0:
                s = min(most - mode[m, DURATION], most_start)
                e = s + mode[m, DURATION]
            if m == act[i, MODE_FROM] or s > starts[i]:
                starts[i], ends[i] = s, e


@kernel
def _weigh(tables, order, work, positional, share):
    """positional: an activity's ticks and those of what waits for it directly. share: its work and that of all it waits
    for, where each activity's is split among those that wait for it."""
    act, suc, mode = tables.act, tables.suc, tables.mode
    copy(share, work)
    for k in range(len(order)):
        i = order[k]
        if act[i, MODE_FROM] < act[i, MODE_TO]:
            positional[i] += mode[act[i, MODE_FROM], DURATION]
        followers = act[i, SUC_TO] - act[i, SUC_FROM]
        for q in range(act[i, SUC_FROM], act[i, SUC_TO]):
            j = suc[q, 0]
            share[j] += share[i] / followers
            if act[j, MODE_FROM] < act[j, MODE_TO]:
                positional[i] += mode[act[j, MODE_FROM], DURATION]


@kernel
def _give_turns(tables, sinks, turn, stack):
    """Each activity comes in the turn of the first sink that waits for it."""
    act, pre = tables.act, tables.pre
    for n in range(len(sinks)):
        if turn[sinks[n]] < len(sinks):
            continue
        turn[sinks[n]] = n
        stack[0], depth = sinks[n], 1
        while depth:
            depth -= 1
            i = stack[depth]
            for q in range(act[i, PRE_FROM], act[i, PRE_TO]):
                j = pre[q, 0]
                if pre[q, 2] == 0 and turn[j] >= len(sinks):
                    turn[j] = n
                    stack[depth] = j
                    depth += 1


def _without_resources(tables: Tables) -> Tables:
    bare = tables._replace(mode=tables.mode.copy())
    bare.mode[:, DEM_TICK:MEMO] = bare.mode[:, DEM : DEM + 1]
    bare.mode[:, MEMO] = -1
    return bare


def unhindered(compiled: Compiled) -> Placing:
    """Everything as early as it could be with all resources to itself; `heads` of `rules`."""
    bare = _without_resources(compiled.tables)
    heads = new_placing(bare)
    forward(bare, heads, compiled.rank, 0, np.zeros(1, np.int64))
    return heads


def latest_by(compiled: Compiled, by: int) -> I32:
    """The last start of each activity without resources when what the makespan counts is to end by this tick, and what has
    a wished end by that."""
    tables = compiled.tables
    due = _due(tables)
    counted = tables.act[:, END_LIMIT] <= tables.size[0]
    due[counted] = np.minimum(due[counted], by)
    starts, ends = np.zeros(len(due), np.int32), np.zeros(len(due), np.int32)
    _latest_ends(_without_resources(tables), compiled.rank, due, starts, ends)
    return starts


def rules(compiled: Compiled, heads: Placing) -> F64:
    """Keys by priority rules, a row each: what the first goal that adds up ends waits for, end after end (the cheapest for its
    weight first; without such a goal as the third); latest start; latest finish; positional weight; the greatest work in the
    chain. Lower keys go first; all are on the scale of ticks."""
    tables, rank = compiled.tables, compiled.rank
    count, horizon = len(rank), int(tables.size[0])
    span = float(max(1, heads.end[heads.end < horizon].max(initial=1)))
    starts, ends = np.zeros(count, np.int32), np.zeros(count, np.int32)
    _latest_ends(_without_resources(tables), rank, _due(tables), starts, ends)
    work = _work(tables)
    positional, share = np.zeros(count), np.zeros(count)
    _weigh(tables, rank, work, positional, share)
    chained = span * (1 - work / max(work.max(initial=0.0), 1e-9))
    lower_keys(tables, rank, chained)
    late, soon = ends - (ends.max(initial=0) - span), starts - (ends.max(initial=0) - span)
    return np.stack([
        _turns(tables, share, soon, span, late),
        soon,
        late,
        span * (1 - positional / max(positional.max(initial=0.0), 1.0)),
        chained + late * 1e-3,
    ])  # fmt: skip


def _due(tables: Tables) -> I32:
    """Deadlines and wished ends."""
    due: I32 = np.minimum(tables.act[:, DEADLINE], tables.size[0]).astype(np.int32)
    for kind, first, last in tables.goal:
        if GOALS[kind] == "deadlines":
            np.minimum.at(due, tables.entry[first:last, 0], tables.entry[first:last, 2].astype(np.int32))
    return due


def _work(tables: Tables) -> F64:
    """Of each activity in its first mode: the share of each renewable resource, wanted ones counting for more."""
    modes = np.minimum(tables.act[:, MODE_FROM], max(len(tables.mode) - 1, 0))
    some = tables.act[:, MODE_FROM] < tables.act[:, MODE_TO]
    result = np.zeros(len(tables.act))
    if not some.any():
        return result
    first, last = tables.mode[modes, DEM], tables.mode[modes, DEM_TICK]
    demands = np.where(some, last - first, 0)
    who = np.repeat(np.arange(len(modes)), demands)
    rows = np.repeat(first - np.cumsum(demands) + demands, demands) + np.arange(len(who))
    offset, amount = tables.dem[rows, OFFSET], tables.dem[rows, AMOUNT]
    part = amount * tables.mode[modes[who], DURATION] / np.maximum(tables.base[offset], 1)
    which, of = np.unique(offset, return_inverse=True)
    load = np.bincount(of, weights=part, minlength=len(which))
    np.add.at(result, who, part * load[of] / max(load.max(initial=0.0), 1e-9))
    return result


def pressing(compiled: Compiled) -> NDArray[np.bool_]:
    """What the first goal that adds up ends waits for, where that goal ranks above the makespan."""
    tables = compiled.tables
    kinds = [GOALS[kind] for kind, _, _ in tables.goal]
    found = np.zeros(len(tables.act), np.int64)
    for kind, (_, first, last) in zip(kinds, tables.goal, strict=True):
        if kind == "makespan":
            break
        if kind in ("networks", "waiting") and last > first:
            sinks = tables.entry[first:last, 0]
            found[:] = len(sinks)
            _give_turns(tables, sinks, found, np.zeros(len(found) + 1, np.int64))
            found -= len(sinks)
            break
    some: NDArray[np.bool_] = found < 0
    return some


def _turns(tables: Tables, share: F64, within: F64, span: float, otherwise: F64) -> F64:
    """`otherwise` when no goal adds up ends."""
    sums = [
        (first, last) for kind, first, last in tables.goal if GOALS[kind] in ("networks", "waiting") and last > first
    ]
    if not sums:
        return otherwise
    entries = tables.entry[sums[0][0] : sums[0][1]]
    cost = share[entries[:, 0]] / np.maximum(entries[:, 1], 1)
    sinks = entries[np.argsort(cost, kind="stable"), 0]
    turn = np.full(len(share), len(sinks), np.int64)
    _give_turns(tables, sinks, turn, np.zeros(len(share) + 1, np.int64))
    result: F64 = turn * (span / (len(sinks) + 1)) + within / (len(sinks) + 1)
    return result
