"""Lower bounds for goals that are sums: who ends late when all need the same resource and there is room for a few at a time.

The relaxation deals the work of an overload test (overload.py) out to stretches of time: what starts before tick t has room
for so much work in all. An activity that counts costs what it costs when its one user of the resource starts in that
stretch. The cumulative rooms are priced (Lagrange, with a subgradient method after Held, Wolfe and Crowder, Mathematical
Programming 6, 1974); any prices give a valid bound.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from govcloud.planning.scheduling.kernels import pass_over
from govcloud.planning.scheduling.overload import OverloadTest
from govcloud.planning.scheduling.time_frame import GATES, Ints, TimeFrame, earliest, place

STRETCHES, FEW_STRETCHES, MANY = 40, 24, 100_000
"""Stretches of time, and those of a problem with so many activities."""
ROUNDS = 120
Floats = NDArray[np.float64]


def sum_bound(frame: TimeFrame, test: OverloadTest, starts: Ints, at: Ints, cost: Callable[[Ints], Ints]) -> int:
    """The least sum of `cost(ends)`, which takes the ends of the activities `at` and never falls in any of them."""
    if frame.cyclic or not len(test.users):
        return 0
    users, sole = _sole_users(frame, test.users, at)
    bound = np.flatnonzero(sole >= 0)
    if not len(bound):
        return 0
    work = np.zeros(len(frame.order), dtype=np.int64)
    work[test.users] = test.work
    # One user of several activities is dealt out once, with all of their costs.
    asked, owner = np.unique(sole[bound], return_inverse=True)
    ticks = _stretches(frame, test, int(starts[asked].min()), int(work[asked].sum()))
    costs = np.zeros((len(ticks), len(asked)))
    rest = cost(earliest(frame)[1][at])[sole < 0].sum()
    for k, tick in enumerate(ticks.tolist()):
        release = frame.release.copy()
        release[users] = np.maximum(release[users], tick)
        ends = np.minimum(earliest(frame._replace(release=release))[1][at], frame.horizon)
        costs[k] = np.bincount(owner, weights=cost(ends)[bound], minlength=len(asked))
    room = test.room_until[ticks[1:]] - test.room_before[int(starts[asked].min())]
    found = float(rest) + _priced(costs, work[asked].astype(np.float64), room.astype(np.float64))
    return int(np.ceil(found - 1e-6 * max(1.0, abs(found))))


def order_bound(frame: TimeFrame, test: OverloadTest, starts: Ints, at: Ints, cost: Callable[[Ints], Ints]) -> int:
    """The same where each of `at` waits for many users and for the last of them (the closing of a network): until it, room
    is needed for the work of all that no other one of `at` waits for."""
    if frame.cyclic or not len(test.users):
        return 0
    users, _ = _sole_users(frame, test.users, at)
    before = _sole_ancestor(frame, np.isin(np.arange(len(frame.order)), users))
    alone = earliest(frame)[1]
    work = np.zeros(len(frame.order), dtype=np.int64)
    work[test.users] = test.work
    places = np.full(len(frame.order), -1, dtype=np.int64)
    places[at] = np.arange(len(at))
    order = _sole_descendant(frame, places)[users]
    total = np.bincount(order[order >= 0], weights=work[users][order >= 0], minlength=len(at)).astype(np.float64)
    mine, waited = users[order >= 0], list(zip(at.tolist(), total.tolist(), strict=True))
    if not len(mine):
        return 0
    ticks = _stretches(frame, test, int(starts[mine].min()), int(total.sum()))
    costs = np.zeros((len(ticks), len(at)))
    for k, tick in enumerate(ticks.tolist()):
        release = frame.release.copy()
        release[users] = np.maximum(release[users], tick)
        ends = earliest(frame._replace(release=release))[1]
        # What waits for several users may have been kept by any of them.
        ends = np.where(before == -2, alone, ends)
        costs[k] = cost(np.maximum(alone[at], [_after_first(frame, ends, before, a) if t else 0 for a, t in waited]))
    room = (test.room_until[ticks[1:]] - test.room_before[int(starts[mine].min())]).astype(np.float64)
    # In any order the first n need room for the n smallest at least.
    least = np.searchsorted(room, np.cumsum(np.sort(total)), side="left")
    found = max(_priced(costs, total, room), float(costs.min(axis=1)[least].sum()))
    return int(np.ceil(found - 1e-6 * max(1.0, abs(found))))


def _stretches(frame: TimeFrame, test: OverloadTest, first: int, work: int) -> Ints:
    """Their first ticks: from the first start on until there is room for all of the work, with room alike between them."""
    room = test.room_until - test.room_before[first]
    wanted = np.linspace(0, work, STRETCHES if len(frame.order) < MANY else FEW_STRETCHES)[1:]
    # The last tick before there is so much: the stretch begins with what makes the room larger.
    ticks = np.searchsorted(room, wanted) - 1
    return np.unique(np.concatenate(([first], ticks[(ticks > first) & (ticks < len(room) - 1)])))


def _priced(costs: Floats, work: Floats, room: Floats) -> float:
    """max over prices ≥ 0 of Σ min over stretches (cost + price of the stretch × work) − Σ price × room."""
    prices, best, stretches = np.zeros(len(room)), -np.inf, len(costs)
    scale = float(costs[-1].sum() - costs[0].sum()) / max(1.0, float(work.sum()))
    step, since = 2.0, 0
    for _ in range(ROUNDS):
        # What starts in stretch k counts in every room that ends later.
        dear = np.append(np.cumsum(prices[::-1])[::-1], 0.0)
        choice = np.argmin(costs + dear[:, None] * work[None, :], axis=0)
        value = float((costs[choice, np.arange(len(work))] + dear[choice] * work).sum() - (prices * room).sum())
        since = 0 if value > best else since + 1
        best = max(best, value)
        if since >= 5:
            step, since = step / 2, 0
        excess = np.cumsum(np.bincount(choice, weights=work, minlength=stretches))[:-1] - room
        norm = float((excess * excess).sum())
        if not norm:
            break
        prices = np.maximum(0.0, prices + step * scale * float(work.sum()) * excess / norm)
    return best


def _sole_users(frame: TimeFrame, users: Ints, at: Ints) -> tuple[Ints, Ints]:
    """The users that no other user waits for, and for each activity of `at` the one of them that comes before it or is it;
    -1 where there is none or more than one."""
    is_user = np.zeros(len(frame.order), dtype=np.bool_)
    is_user[users] = True
    last = is_user & ~_waited_for(frame, is_user)
    return np.flatnonzero(last), _sole_ancestor(frame, last)[at]


@pass_over
def _waited_for(frame, is_user):  # type: ignore[no-untyped-def]
    found = np.zeros(len(is_user), dtype=np.bool_)
    for k in range(len(frame.order) - 1, -1, -1):
        a = frame.order[k]
        for p in range(frame.after_of[a], frame.after_of[a + 1]):
            found[a] |= is_user[frame.after[p]] or found[frame.after[p]]
    return found


@pass_over
def _sole_ancestor(frame, is_user):  # type: ignore[no-untyped-def]
    found = np.full(len(is_user), -1, dtype=np.int64)
    for k in range(len(frame.order)):
        a = frame.order[k]
        sole = a if is_user[a] else -1
        for p in range(frame.before_of[a], frame.before_of[a + 1]):
            other = found[frame.before[p]]
            if other != -1 and other != sole:
                sole = other if sole == -1 else -2
        found[a] = sole
    return found


def _after_first(frame: TimeFrame, ends: Ints, sole: Ints, activity: int) -> int:
    """The end of an activity that starts as soon as one of those before it has ended: nobody knows which is the last."""
    span = slice(frame.before_of[activity], frame.before_of[activity + 1])
    waits = frame.before[span]
    known = sole[waits] != -1
    if sole[activity] == activity or not known.any() or (frame.before_gate[span][known] != GATES["end"]).any():
        return 0
    tick = int(ends[waits[known]].min())
    found = [place(frame, mode, tick)[1] for mode in range(frame.modes_of[activity], frame.modes_of[activity + 1])]
    return min((end for end in found if 0 <= end <= frame.horizon), default=frame.horizon)


@pass_over
def _sole_descendant(frame, places):  # type: ignore[no-untyped-def]
    """The place of the one activity with a place that comes after each; -1 where there is none, -2 for more than one."""
    found = np.full(len(places), -1, dtype=np.int64)
    for k in range(len(frame.order) - 1, -1, -1):
        a = frame.order[k]
        sole = places[a]
        for p in range(frame.after_of[a], frame.after_of[a + 1]):
            other = found[frame.after[p]]
            if other != -1 and other != sole:
                sole = other if sole == -1 else -2
        found[a] = sole
    return found
