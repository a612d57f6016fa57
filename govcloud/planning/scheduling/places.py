"""Where an activity can lie (compiled): the earliest and the latest place of a mode, taking it and giving it back, and the
limits that other activities set."""

# mypy: allow-untyped-defs

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from govcloud.planning.scheduling.compiled import (
    AMOUNT,
    BACK,
    COUNT,
    DEADLINE,
    DEM,
    DEM_END,
    DEM_PERIOD,
    DEM_TICK,
    DURATION,
    FIRST_OF,
    I32,
    I64,
    MEMO,
    NEXT,
    NOT_RISKY,
    NTH,
    OFFSET,
    PERIOD_OF,
    PERIODS,
    PLAIN,
    PRE_FROM,
    PRE_TO,
    PREV,
    RELEASE,
    RISK,
    RUN,
    SOFT,
    SORT,
    SUC_FROM,
    SUC_TO,
    WHOLE,
    WORKED,
    Tables,
)
from govcloud.planning.scheduling.kernels import inner


class Placing(NamedTuple):
    """A schedule in the making, one for each thread."""

    start: I32
    end: I32
    mode: I32
    """Rows of Tables.mode."""
    free: I64
    memo: I32
    """For modes that are alike: from, to (exclusive) where a search of this pass found no start."""
    hint: I32
    """Wished start (-1: none) and row of the mode."""


def new_placing(tables: Tables) -> Placing:
    count = len(tables.act)
    start, end, mode = (np.full(count, -1, np.int32) for _ in range(3))
    memo = np.zeros((int(tables.size[1]), 2), np.int32)
    return Placing(start, end, mode, tables.base.copy(), memo, np.full((count, 2), -1, np.int32))


@inner
def earliest(m, lo, most, horizon, mode, dem, cal, per, first, free, memo):
    """(start, end, work) of the mode from `lo` on with an end up to `most`; start -1: there is none."""
    t = lo
    if t > horizon:
        return -1, -1, 1
    work = 4
    duration, sort = mode[m, DURATION], mode[m, SORT]
    for q in range(mode[m, DEM_PERIOD], mode[m, DEM_END]):
        # Everything from this period on must have the amount left.
        offset, p = dem[q, OFFSET], dem[q, PERIODS]
        while p > 0 and free[offset + p - 1] >= dem[q, AMOUNT]:
            p -= 1
        t = max(t, first[dem[q, FIRST_OF] + p])
    memo_at = mode[m, MEMO]
    since = t
    while True:
        if t > horizon:
            return -1, -1, work
        e = t + duration
        if sort != PLAIN:
            t = cal[mode[m, NEXT] + t]
            if sort == WHOLE:
                while t <= horizon and cal[mode[m, RUN] + t] < duration:
                    t = cal[mode[m, NEXT] + t + cal[mode[m, RUN] + t]]
                    work += 1
                e = t + duration
            else:
                n = cal[mode[m, COUNT] + t] + duration - 1
                e = cal[mode[m, NTH] + n] + 1 if n < mode[m, WORKED] else horizon + 1
        if t > horizon or e > most:
            return -1, -1, work
        if memo_at >= 0 and memo[memo_at, 0] <= t < memo[memo_at, 1]:
            t = memo[memo_at, 1]
            continue
        held = True
        for q in range(mode[m, DEM_TICK], mode[m, DEM_PERIOD]):
            p, offset = per[dem[q, PERIOD_OF] + t], dem[q, OFFSET]
            if free[offset + p] < dem[q, AMOUNT]:
                p += 1
                while p < dem[q, PERIODS] and free[offset + p] < dem[q, AMOUNT]:
                    p += 1
                    work += 1
                t, held = first[dem[q, FIRST_OF] + p], False
                break
        if held:
            for q in range(mode[m, DEM], mode[m, DEM_TICK]):
                # From the end: the last tick without room is the one to jump over.
                offset, amount, x = dem[q, OFFSET], dem[q, AMOUNT], e - 1
                while x >= t and free[offset + x] >= amount:
                    x -= 1
                work += e - x
                if x >= t:
                    t, held = x + 1, False
                    break
        if held:
            if memo_at >= 0:
                _remember(memo, memo_at, since, t)
            return t, e, work


@inner
def _remember(memo, n, since, until):
    """No start in [since, until): joined to what is known, or in its place when it is longer."""
    if since <= memo[n, 1] and until >= memo[n, 0]:
        memo[n, 0] = min(memo[n, 0], since)
        memo[n, 1] = max(memo[n, 1], until)
    elif until - since > memo[n, 1] - memo[n, 0]:
        memo[n, 0], memo[n, 1] = since, until


@inner
def latest(m, lo, most_start, most, horizon, mode, dem, cal, per, first, free):
    """(start, end, work) of the mode as late as it goes with a start from `lo` to `most_start` and an end up to `most`."""
    work = 4
    duration, sort = mode[m, DURATION], mode[m, SORT]
    e = min(most, horizon)
    while True:
        t = min(e - duration, most_start)
        if sort == WHOLE:
            x = cal[mode[m, PREV] + max(t + duration - 1, 0)]
            while x >= 0 and cal[mode[m, BACK] + x] < duration:
                x -= cal[mode[m, BACK] + x]
                x = cal[mode[m, PREV] + x] if x >= 0 else -1
                work += 1
            t = x - duration + 1
        elif sort != PLAIN:
            if e < 1 or most_start < 0:
                return -1, -1, work
            x = cal[mode[m, PREV] + e - 1]
            n = cal[mode[m, COUNT] + x] - duration + 1 if x >= 0 else -1
            if n < 0:
                return -1, -1, work
            t = min(cal[mode[m, NTH] + n], cal[mode[m, PREV] + min(most_start, horizon)])
        if t < lo or t < 0:
            return -1, -1, work
        e = t + duration
        if sort != PLAIN and sort != WHOLE:
            e = cal[mode[m, NTH] + cal[mode[m, COUNT] + t] + duration - 1] + 1
        held = True
        for q in range(mode[m, DEM_TICK], mode[m, DEM_END]):
            p, offset = per[dem[q, PERIOD_OF] + t], dem[q, OFFSET]
            if q >= mode[m, DEM_PERIOD]:
                for later in range(p, dem[q, PERIODS]):
                    if free[offset + later] < dem[q, AMOUNT]:
                        return -1, -1, work
            elif free[offset + p] < dem[q, AMOUNT]:
                while p >= 0 and free[offset + p] < dem[q, AMOUNT]:
                    p -= 1
                    work += 1
                most_start, held = first[dem[q, FIRST_OF] + p + 1] - 1, False
                break
        if held:
            for q in range(mode[m, DEM], mode[m, DEM_TICK]):
                offset, amount, x = dem[q, OFFSET], dem[q, AMOUNT], t
                while x < e and free[offset + x] >= amount:
                    x += 1
                work += x - t + 1
                if x < e:
                    e, held = x, False
                    break
        if held:
            return t, e, work


@inner
def book(m, s, e, sign, mode, dem, per, free):
    """Take (sign 1) or give back (-1) what the mode needs in [s, e)."""
    for q in range(mode[m, DEM], mode[m, DEM_TICK]):
        offset, amount = dem[q, OFFSET], sign * dem[q, AMOUNT]
        for x in range(offset + s, offset + e):
            free[x] -= amount
    for q in range(mode[m, DEM_TICK], mode[m, DEM_END]):
        p = per[dem[q, PERIOD_OF] + s]
        for later in range(p, dem[q, PERIODS] if q >= mode[m, DEM_PERIOD] else p + 1):
            free[dem[q, OFFSET] + later] -= sign * dem[q, AMOUNT]


@inner
def opening(gate, s, e, win):
    """The first start that a relation with this gate allows after an activity in [s, e)."""
    return e if gate == 0 else win[s, gate - 1]


@inner
def lower_limits(tables, placing, i, heed):
    """The first start that is allowed by what has been placed, and the one that is wished."""
    act, pre, win, start, end = tables.act, tables.pre, tables.win, placing.start, placing.end
    must, wish = act[i, RELEASE], act[i, NOT_RISKY] if heed & RISK else 0
    for q in range(act[i, PRE_FROM], act[i, PRE_TO]):
        j = pre[q, 0]
        if start[j] >= 0:
            if not pre[q, 2]:
                must = max(must, opening(pre[q, 1], start[j], end[j], win))
            elif heed & SOFT:
                wish = max(wish, opening(pre[q, 1], start[j], end[j], win))
    return must, wish


@inner
def upper_limits(tables, placing, i):
    """The last start and the last end that are allowed by the deadline and by what has been placed."""
    act, suc, win, start = tables.act, tables.suc, tables.win, placing.start
    most_start, most = tables.size[0], act[i, DEADLINE]
    for q in range(act[i, SUC_FROM], act[i, SUC_TO]):
        j = suc[q, 0]
        if suc[q, 2] or start[j] < 0:
            continue
        if suc[q, 1] == 0:
            most = min(most, start[j])
        else:
            # The window of the one that waits is the last that it may share, or the first that is too late.
            most_start = min(most_start, win[start[j], 1] - 1 if suc[q, 1] == 1 else win[start[j], 0] - 1)
    return most_start, most
