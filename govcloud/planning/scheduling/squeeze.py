"""Local repair of big schedules (compiled): some families of activities are taken out and put back in another order, at the
cost of those few instead of a whole pass.

One family comes from where a goal is worst, the others hold what it would need at some other time. Activities without a
family stay where they are. The change stays when neither that goal nor one above it gets worse.
"""

# mypy: allow-untyped-defs

from __future__ import annotations

from govcloud.planning.scheduling.compiled import DEM, DEM_PERIOD, MODE_FROM, MODE_TO, NOT_RISKY, OFFSET
from govcloud.planning.scheduling.evolution import (
    CHANGES,
    DEADLINES,
    MAKESPAN,
    NETWORKS,
    RISKS,
    WAITING,
    below,
    uniform,
)
from govcloud.planning.scheduling.families import MOST
from govcloud.planning.scheduling.kernels import inner, kernel
from govcloud.planning.scheduling.places import book, earliest, lower_limits, upper_limits


@kernel
def squeeze(tables, w, families, bench, focus, heed, budget):
    """About `budget` work on the schedule in w.last, which holds, for the goal `focus`: it and the goals above it get no
    worse. w.justified lists the schedule by start, w.sorting.key has those starts. Returns the work done."""
    work = 0
    for p in range(len(families.group)):
        for n in range(len(families.time)):
            bench.ends[p, n] = 0
        bench.last[p, 0], bench.last[p, 1] = 0, -1
        for k in range(families.group[p, 2], families.group[p, 3]):
            slot = families.slot[w.last.end[families.group_member[k]]]
            bench.ends[p, slot] += 1
            bench.last[p, 0] = max(bench.last[p, 0], slot)
    while work < budget and not w.halt[0]:
        chosen, done = _choose(tables, w, families, bench, focus)
        work += 50 + done
        if chosen:
            work += _try(tables, w, families, bench, chosen, focus, heed)
    return work


@inner
def eligible(kind):
    return kind in (MAKESPAN, DEADLINES, NETWORKS, WAITING, CHANGES, RISKS)


@inner
def _worst(tables, w, families, bench, focus):
    """An activity that the goal would like to see elsewhere; -1: there is none."""
    end, start, entry, group = w.last.end, w.last.start, tables.entry, families.group
    kind, first, last = tables.goal[focus, 0], tables.goal[focus, 1], tables.goal[focus, 2]
    if last == first:
        return -1
    low = 0
    while low < len(group) and group[low, 0] < focus:
        low += 1
    high = low
    while high < len(group) and group[high, 0] == focus:
        high += 1
    row = first + below(w.rng, last - first)
    if high > low and (kind == MAKESPAN or families.of[entry[row, 0]] < 0):
        p = low + below(w.rng, high - low)
        n = group[p, 2] + below(w.rng, group[p, 3] - group[p, 2])
        for _ in range(group[p, 3] - group[p, 2]):
            if families.slot[end[families.group_member[n]]] == bench.last[p, 0]:
                return families.group_member[n]
            n = n + 1 if n + 1 < group[p, 3] else group[p, 2]
        return -1
    for _ in range(last - first):
        i, tick = entry[row, 0], entry[row, 2]
        if kind == DEADLINES:
            wanted = end[i] > tick
        elif kind == CHANGES:
            wanted = start[i] != tick
        elif kind == RISKS:
            wanted = start[i] < tick
        else:
            wanted = True
        if wanted:
            return i
        row = row + 1 if row + 1 < last else first
    return -1


@inner
def _choose(tables, w, families, bench, focus):
    """Families into bench.family; their number, and the work done."""
    act, rng, start = tables.act, w.rng, w.last.start
    i = _worst(tables, w, families, bench, focus)
    if i < 0 or families.of[i] < 0:
        return 0, 20
    bench.family[0], chosen = families.of[i], 1
    if tables.goal[focus, 0] == RISKS:
        # Later, but not by more than a tenth of the time that there is.
        user, tick = i, min(act[i, NOT_RISKY] + below(rng, 1 + tables.size[0] // 10), tables.size[0])
    else:
        # What of its family waits longest for a resource, or something of it, and when it could have had it.
        a, b = families.first[families.of[i]], families.first[families.of[i] + 1]
        user, delay, longest = -1, 0, uniform(rng) < 0.7
        for k in range(a, b):
            j = families.member[k] if longest else families.member[a + below(rng, b - a)]
            if tables.mode[w.last.mode[j], DEM] < tables.mode[w.last.mode[j], DEM_PERIOD]:
                must, _ = lower_limits(tables, w.last, j, 0)
                if start[j] - must > delay:
                    user, delay = j, start[j] - must
                    if not longest:
                        break
        if user < 0:
            return 0, 30
        tick = start[user] - 1 - below(rng, delay)
    low, high = _from(w, tables.win[tick, 0]), _from(w, max(tables.win[tick, 1], tick + 1))
    wanted = 1 + below(rng, MOST - 1)
    span = min(max(high - low, 32), len(w.justified) - low)
    if span < 1:
        return chosen, 60
    at = low + below(rng, span)
    for k in range(min(span, 64)):
        j = w.justified[low + (at - low + k) % span]
        f = families.of[j]
        if f >= 0 and _rivals(tables, w.last.mode[user], w.last.mode[j]):
            known = False
            for n in range(chosen):
                known = known or bench.family[n] == f
            if not known:
                bench.family[chosen] = f
                chosen += 1
                if chosen > wanted:
                    break
    return chosen, 200


@inner
def _from(w, tick):
    """Where in the list by start this tick begins."""
    low, high = 0, len(w.justified)
    while low < high:
        middle = (low + high) // 2
        if w.sorting.key[w.justified[middle]] < tick:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def _rivals(tables, one, other):
    """They hold the same resource, or count in the same periods."""
    mode, dem = tables.mode, tables.dem
    for p in range(mode[one, DEM], mode[one, DEM_PERIOD]):
        for q in range(mode[other, DEM], mode[other, DEM_PERIOD]):
            if dem[p, OFFSET] == dem[q, OFFSET]:
                return True
    return False


@kernel
def _try(tables, w, families, bench, chosen, focus, heed):
    """Take the families out and put them back, the first one first or anywhere. Returns the work done."""
    placing, moved, rng = w.last, bench.moved, w.rng
    count, work = 0, 0
    for n in range(chosen):
        for k in range(families.first[bench.family[n]], families.first[bench.family[n] + 1]):
            i = families.member[k]
            moved[count, 0], moved[count, 1] = i, placing.start[i]
            moved[count, 2], moved[count, 3] = placing.end[i], placing.mode[i]
            _take_out(tables, placing, i)
            count += 1
    for n in range(chosen - 1, 0, -1):
        other = below(rng, n + 1)
        if other > 0 or uniform(rng) < 0.3:
            bench.family[n], bench.family[other] = bench.family[other], bench.family[n]
    fits = True
    for n in range(chosen):
        for k in range(families.first[bench.family[n]], families.first[bench.family[n] + 1]):
            if fits:
                fits, done = _put_in(tables, placing, families.member[k], heed)
                work += done
    if fits and _no_worse(tables, w, families, bench, focus, count):
        return work + 20 * count
    for n in range(count):
        if placing.start[moved[n, 0]] >= 0:
            _take_out(tables, placing, moved[n, 0])
    for n in range(count):
        i = moved[n, 0]
        placing.start[i], placing.end[i], placing.mode[i] = moved[n, 1], moved[n, 2], moved[n, 3]
        book(moved[n, 3], moved[n, 1], moved[n, 2], 1, tables.mode, tables.dem, tables.per, placing.free)
    return work + 30 * count


@inner
def _take_out(tables, placing, i):
    book(placing.mode[i], placing.start[i], placing.end[i], -1, tables.mode, tables.dem, tables.per, placing.free)
    placing.start[i] = -1


@inner
def _put_in(tables, placing, i, heed):
    """Whether it found a place between what stands before and after it, and the work done."""
    must, wish = lower_limits(tables, placing, i, heed)
    most_start, most = upper_limits(tables, placing, i)
    best, s, e, work = -1, -1, most + 1, 4
    for asked in (True, False):
        lo = max(must, wish) if asked else must
        for m in range(tables.act[i, MODE_FROM], tables.act[i, MODE_TO]):
            t, u, done = earliest(
                m, lo, e - 1, tables.size[0], tables.mode, tables.dem, tables.cal, tables.per, tables.first,
                placing.free, placing.memo,
            )  # fmt: skip
            work += done
            if 0 <= t <= most_start:
                best, s, e = m, t, u
        if best >= 0 or wish <= must:
            break
    if best < 0:
        return False, work
    book(best, s, e, 1, tables.mode, tables.dem, tables.per, placing.free)
    placing.start[i], placing.end[i], placing.mode[i] = s, e, best
    return True, work


@inner
def _no_worse(tables, w, families, bench, focus, count):
    """By the goals in their order up to `focus`; where a goal stays the same, by how many end last in its groups. Keeps the
    groups' ends right either way."""
    delta = bench.delta
    for g in range(focus + 1):
        delta[g, 0], delta[g, 1] = 0, 0
    touched = 0
    for n in range(count):
        i = bench.moved[n, 0]
        for q in range(families.counted_first[i], families.counted_first[i + 1]):
            g, p = families.counted[q, 0], -1 - families.counted[q, 1]
            if p < 0:
                if g <= focus:
                    delta[g, 0] += _difference(tables, w, g, -1 - p, i, bench.moved[n, 1], bench.moved[n, 2])
                continue
            if bench.last[p, 1] < 0:
                bench.touched[touched] = p
                touched += 1
                bench.last[p, 1] = bench.last[p, 0]
                if g <= focus:
                    delta[g, 1] -= bench.ends[p, bench.last[p, 0]]
            slot = families.slot[w.last.end[i]]
            bench.ends[p, families.slot[bench.moved[n, 2]]] -= 1
            bench.ends[p, slot] += 1
            bench.last[p, 0] = max(bench.last[p, 0], slot)
    for k in range(touched):
        p = bench.touched[k]
        while bench.last[p, 0] > 0 and bench.ends[p, bench.last[p, 0]] == 0:
            bench.last[p, 0] -= 1
        g = families.group[p, 0]
        if g <= focus:
            delta[g, 0] += families.group[p, 1] * (families.time[bench.last[p, 0]] - families.time[bench.last[p, 1]])
            delta[g, 1] += bench.ends[p, bench.last[p, 0]]
    verdict = 0
    for g in range(focus + 1):
        if verdict == 0:
            verdict = delta[g, 0] if delta[g, 0] != 0 else delta[g, 1]
    if verdict > 0:
        for n in range(count):
            i = bench.moved[n, 0]
            for q in range(families.counted_first[i], families.counted_first[i + 1]):
                p = -1 - families.counted[q, 1]
                if p >= 0:
                    bench.ends[p, families.slot[w.last.end[i]]] -= 1
                    bench.ends[p, families.slot[bench.moved[n, 2]]] += 1
    for k in range(touched):
        p = bench.touched[k]
        if verdict > 0:
            bench.last[p, 0] = bench.last[p, 1]
        bench.last[p, 1] = -1
    return verdict <= 0


@inner
def _difference(tables, w, g, row, i, before_start, before_end):
    """What the move of an activity changes in a goal that counts it for itself."""
    scale, win, start, end = tables.scale, tables.win, w.last.start[i], w.last.end[i]
    kind, weight, tick = tables.goal[g, 0], tables.entry[row, 1], tables.entry[row, 2]
    if kind in (NETWORKS, WAITING):
        return weight * (scale[end] - scale[before_end])
    if kind == DEADLINES:
        return weight * (max(scale[end], scale[tick]) - max(scale[before_end], scale[tick]))
    if kind == RISKS:
        return weight * (int(start < tick) - int(before_start < tick))
    inside = 0 <= tick < len(win)
    now = start != tick and not (inside and win[tick, 0] == win[start, 0])
    then = before_start != tick and not (inside and win[tick, 0] == win[before_start, 0])
    return weight * (int(now) - int(then))
