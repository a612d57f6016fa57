"""Schedule generation (compiled): the serial scheme forwards and backwards over a list of activities, and the parallel one.

The serial scheme puts one activity after the other at its earliest possible end, the parallel one goes through time and
starts what can start, by priority (Kolisch & Hartmann in Węglarz (ed.), Project Scheduling, 1999). Backwards, everything goes as far to the right as the end of the schedule allows; forwards again in the order of the
starts it can only get better (double justification: Valls, Ballestín & Quintanilla, EJOR 165, 2005). That holds here, too,
for calendars, periods and stocks, because no activity comes to lie after the place it had.

`halt` is an array that another thread sets to 1 when the search is to end. Work is counted in looked-at ticks and
relations, about two nanoseconds each.
"""

# mypy: allow-untyped-defs

from __future__ import annotations

from govcloud.planning.scheduling.compiled import (
    CIRCLE,
    DEADLINE,
    END_LIMIT,
    HINT,
    MODE_FROM,
    MODE_TO,
    PRE_FROM,
    PRE_TO,
    RELEASE,
    SUC_FROM,
    SUC_TO,
)
from govcloud.planning.scheduling.kernels import copy, inner, kernel
from govcloud.planning.scheduling.places import book, earliest, latest, lower_limits, new_placing, opening, upper_limits

__all__ = ["backward", "forward", "new_placing", "parallel", "restore"]


@inner
def _clear(tables, placing):
    for i in range(len(placing.start)):
        placing.start[i] = -1
    copy(placing.free, tables.base)
    _forget(placing.memo)


@inner
def _forget(memo):
    for n in range(len(memo)):
        memo[n, 0], memo[n, 1] = 0, 0


@kernel
def forward(tables, placing, order, heed, halt):
    """The serial scheme. Returns how far the schedule is from holding (0: it holds, ticks beyond deadlines and horizons
    otherwise; -1: halted) and the work done. `order` names what others wait for first, but for circles."""
    act, start = tables.act, placing.start
    _clear(tables, placing)
    broken, work = 0, 0
    for k in range(len(order)):
        i = order[k]
        if k & 1023 == 0 and halt[0]:
            return -1, work
        if start[i] >= 0:
            continue
        if act[i, CIRCLE] >= 0:
            more, done = _place_circle(tables, placing, act[i, CIRCLE], heed)
        else:
            more, done = _place(tables, placing, i, 0, heed)
        broken += more
        work += done
    return broken, work


@kernel
def restore(tables, placing, schedule):
    """A schedule that is known to hold: start, end and mode row of each activity. Returns the work done."""
    _clear(tables, placing)
    work = 0
    for i in range(len(placing.start)):
        s, e, m = schedule[0, i], schedule[1, i], schedule[2, i]
        placing.start[i], placing.end[i], placing.mode[i] = s, e, m
        book(m, s, e, 1, tables.mode, tables.dem, tables.per, placing.free)
        work += 4 + e - s
    return work


@kernel
def parallel(tables, placing, rank, key, heed, heap, since, waits, halt):
    """The parallel scheme: of what can start first, the lowest key. `heap`, `since` and `waits` are room for an entry for each
    activity. For problems without circles. Returns as `forward` does."""
    act, suc = tables.act, tables.suc
    _clear(tables, placing)
    broken, work, size = 0, 0, 0
    for i in range(len(act)):
        waits[i] = 0
    for n in range(len(suc)):
        waits[suc[n, 0]] += not suc[n, 2]
    for k in range(len(rank)):
        i = rank[k]
        if waits[i] == 0:
            since[i] = act[i, RELEASE]
            size = _push(heap, size, since, key, i)
    steps = 0
    while size:
        steps += 1
        if steps & 1023 == 0 and halt[0]:
            return -1, work
        i = heap[0]
        m, s, e, done = _search(tables, placing, i, 0, heed)
        work += done
        at = s if m >= 0 else tables.size[0]
        if at > since[i]:
            # Others have taken what it wanted since: it waits until this is the first that can start.
            since[i] = at
            _sink(heap, size, since, key, 0)
            continue
        size -= 1
        heap[0] = heap[size]
        _sink(heap, size, since, key, 0)
        more, done = _settle(tables, placing, i, m, s, e)
        broken += more
        work += done
        for q in range(act[i, SUC_FROM], act[i, SUC_TO]):
            j = suc[q, 0]
            if not suc[q, 2]:
                waits[j] -= 1
                if waits[j] == 0:
                    since[j], _ = lower_limits(tables, placing, j, heed)
                    size = _push(heap, size, since, key, j)
    return broken, work


@inner
def _before(since, key, i, j):
    return since[i] < since[j] or (since[i] == since[j] and (key[i] < key[j] or (key[i] == key[j] and i < j)))


@inner
def _push(heap, size, since, key, i):
    k = size
    while k > 0 and _before(since, key, i, heap[(k - 1) // 2]):
        heap[k] = heap[(k - 1) // 2]
        k = (k - 1) // 2
    heap[k] = i
    return size + 1


@inner
def _sink(heap, size, since, key, k):
    i = heap[k]
    while 2 * k + 1 < size:
        c = 2 * k + 1
        if c + 1 < size and _before(since, key, heap[c + 1], heap[c]):
            c += 1
        if not _before(since, key, heap[c], i):
            break
        heap[k] = heap[c]
        k = c
    heap[k] = i


@inner
def _place(tables, placing, i, floor, heed):
    best, s, e, work = _search(tables, placing, i, floor, heed)
    broken, done = _settle(tables, placing, i, best, s, e)
    return broken, work + done


@inner
def _search(tables, placing, i, floor, heed):
    """Mode row, start, end and work; mode -1: it has no place."""
    act, mode, dem, horizon = tables.act, tables.mode, tables.dem, tables.size[0]
    cal, per, first = tables.cal, tables.per, tables.first
    free, memo, hint = placing.free, placing.memo, placing.hint
    must, wish = lower_limits(tables, placing, i, heed)
    must = max(must, floor)
    work = act[i, PRE_TO] - act[i, PRE_FROM] + 4
    best, s, e = -1, -1, horizon + 1
    if heed & HINT and hint[i, 0] >= must:
        best, s, e, done = _hinted(tables, placing, i, must)
        work += done
    for lo in (max(must, wish), must):
        if best >= 0 and e <= act[i, DEADLINE]:
            break
        best, e = -1, horizon + 1
        for m in range(act[i, MODE_FROM], act[i, MODE_TO]):
            t, u, done = earliest(m, lo, min(e - 1, horizon), horizon, mode, dem, cal, per, first, free, memo)
            work += done
            if t >= 0:
                best, s, e = m, t, u
        if wish <= must:
            break
    return best, s, e, work


@inner
def _settle(tables, placing, i, best, s, e):
    """Ticks beyond the deadline, and the work done."""
    act, horizon = tables.act, tables.size[0]
    if best < 0:
        # Nowhere: what waits for it will not find a place either.
        placing.start[i], placing.end[i], placing.mode[i] = horizon, horizon, act[i, MODE_FROM]
        return horizon + 1, 0
    book(best, s, e, 1, tables.mode, tables.dem, tables.per, placing.free)
    placing.start[i], placing.end[i], placing.mode[i] = s, e, best
    return max(0, e - act[i, DEADLINE]), e - s


@kernel
def _hinted(tables, placing, i, must):
    """(mode, start, end, work): at the wished start, or else in its window; mode -1: neither."""
    mode, win, horizon, hint = tables.mode, tables.win, tables.size[0], placing.hint
    m, at, work = hint[i, 1], hint[i, 0], 0
    for exactly in (True, False):
        lo = at if exactly else max(must, win[at, 0])
        s, e, done = earliest(
            m, lo, horizon, horizon, mode, tables.dem, tables.cal, tables.per, tables.first, placing.free, placing.memo
        )
        work += done
        if s >= 0 and e <= tables.act[i, DEADLINE] and (s == at or win[s, 0] == win[at, 0]):
            return m, s, e, work
    return -1, -1, horizon + 1, work


@kernel
def _place_apart(tables, placing, i, floor, heed):
    """Not put into its caller, which is compiled all the faster."""
    return _place(tables, placing, i, floor, heed)


@kernel
def _place_circle(tables, placing, at, heed):
    """Activities that wait for each other can only share a window. If one does not fit any more, all of them go to the
    next window."""
    act, suc, win, circle, horizon = tables.act, tables.suc, tables.win, tables.circle, tables.size[0]
    start, end, memo = placing.start, placing.end, placing.memo
    floor, work = 0, 0
    while True:
        broken, q, early, fits = 0, at, horizon, True
        while circle[q] >= 0 and fits:
            i = circle[q]
            more, done = _place_apart(tables, placing, i, floor, heed)
            broken += more
            work += done
            early = min(early, start[i])
            for r in range(act[i, SUC_FROM], act[i, SUC_TO]):
                j = suc[r, 0]
                if start[j] >= 0 and not suc[r, 2] and start[j] < opening(suc[r, 1], start[i], end[i], win):
                    fits = False
            q += 1
        if fits or broken > horizon or early >= horizon:
            break
        floor = max(floor + 1, win[early, 1])
        for r in range(at, q):
            i = circle[r]
            book(placing.mode[i], start[i], end[i], -1, tables.mode, tables.dem, tables.per, placing.free)
            start[i] = -1
        _forget(memo)
    while circle[q] >= 0:
        start[circle[q]], end[circle[q]] = horizon, horizon
        q += 1
    return (broken if fits else broken + horizon + 1), work


@kernel
def backward(tables, placing, order, ends, limit, halt):
    """Everything as late as possible, in the order of falling ends; `order` names what waits first. `limit` is the end of
    what the makespan counts; `ends` are kept by what goals above it count. False when something finds no place, or halted."""
    act, mode, dem, horizon = tables.act, tables.mode, tables.dem, tables.size[0]
    cal, per, first = tables.cal, tables.per, tables.first
    start, end, mode_of, free = placing.start, placing.end, placing.mode, placing.free
    _clear(tables, placing)
    work = 0
    for k in range(len(order)):
        i = order[k]
        if k & 1023 == 0 and halt[0]:
            return False, work
        most_start, most = upper_limits(tables, placing, i)
        if act[i, END_LIMIT] <= horizon:
            most = min(most, limit if act[i, END_LIMIT] == horizon else max(act[i, END_LIMIT], ends[i]))
        best, s, e = -1, act[i, RELEASE] - 1, -1
        for m in range(act[i, MODE_FROM], act[i, MODE_TO]):
            t, u, done = latest(m, s + 1, most_start, most, horizon, mode, dem, cal, per, first, free)
            work += done
            if t >= 0:
                best, s, e = m, t, u
        if best < 0:
            return False, work
        book(best, s, e, 1, mode, dem, per, free)
        start[i], end[i], mode_of[i] = s, e, best
        work += e - s + act[i, SUC_TO] - act[i, SUC_FROM] + 4
    return True, work
