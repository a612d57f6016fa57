"""Tests that show that activities can't all be done in time: more work than there is room for between two ticks.

A test gives each of its users some work and each stretch of time some room, such that no schedule puts more work than room
into a stretch. The activities that must lie in a stretch as a whole (earliest start and latest end inside) then overload it
when their work exceeds its room. This is interval energy (Lopez, Erschler and Esquirol 1992; the destructive use of it:
Klein and Scholl, EJOR 112, 1999) with two refinements:

* Work and room are counted in weighted sizes. Any weight function w of sizes is allowed when a bin of size L is given the
  room of the best knapsack, the most weight that fits into L; for w of Fekete and Schepers (Mathematical Programming 91,
  2001) these are the dual-feasible functions. So a cutover of 130 minutes fills a window of 240 for its crew.
* Crews that can stand in for one another are counted together as well: a set of resources with the activities that can
  only be done by one of the set (Hall's condition).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from govcloud.model.schedule import Mode, Resource, ScheduleProblem
from govcloud.planning.scheduling.bin_weights import LONGEST_BIN, build_weights
from govcloud.planning.scheduling.kernels import pass_over
from govcloud.planning.scheduling.time_frame import Ints, TimeFrame

MOST_CANDIDATES = 16
MOST_RESOURCES = 40
MOST_UNIONS = 12
MOST_HEADS = 24


class Times(NamedTuple):
    """Between what each activity must lie."""

    starts: Ints
    ends: Ints
    latest_starts: Ints
    latest_ends: Ints


class OverloadTest(NamedTuple):
    name: str
    users: Ints
    work: Ints
    by_start: bool
    """Work is counted where a user starts; otherwise over all of its time."""
    room_before: Ints
    """Tick t in 0 … horizon + 1 → room that lies wholly before t, at least."""
    room_until: Ints
    """The same, but at most: what begins before t counts in full."""
    whole: bool = True
    """All work of a user that starts before a tick is counted in the room until that tick."""
    held: Ints | None = None
    """What a user takes at each of its ticks where it can't be interrupted; room is then counted tick by tick."""


class Demands(NamedTuple):
    """What the usable modes ask for, by resource."""

    owner: Ints
    """Activity of each usable mode."""
    of: Ints
    """Pointers from each resource into `mode` and `amount`."""
    mode: Ints
    amount: Ints


class _Candidate(NamedTuple):
    needed_until: int
    """The tick at which there was room for all of the work: the later, the more the tests have to say."""
    pool: tuple[int, ...]
    users: _Users
    calendars: Ints


def build_tests(problem: ScheduleProblem, frame: TimeFrame, demands: Demands, starts: Ints) -> list[OverloadTest]:
    """The tests that are most likely to tell something, with `starts` the earliest starts."""
    users = {pool: _users(frame, demands, pool) for pool in _pools(problem, demands, frame)}
    found = [
        _Candidate(_needed_until(problem, pool, of_pool, calendars, starts), pool, of_pool, calendars)
        for pool, of_pool in users.items()
        for calendars in _families(problem, frame, of_pool)
    ]
    found.sort(key=lambda c: -c.needed_until)
    return [t for c in found[:MOST_CANDIDATES] for t in _tests_of(problem, c) if len(t.users)]


def _needed_until(problem: ScheduleProblem, pool: Sequence[int], users: _Users, calendars: Ints, starts: Ints) -> int:
    """By the sizes as they are."""
    kind, mine = problem.resources[pool[0]].kind, np.isin(users.calendar, calendars)
    owners, work = users.least(users.amounts * mine * (users.duration if kind == "renewable" else 1))
    if not len(owners):
        return -1
    first, horizon = int(starts[owners].min()), problem.horizon
    level = np.sum([_at_ticks(problem.resources[n], horizon) for n in pool], axis=0)
    if kind == "cumulative":
        late = np.flatnonzero(level >= work.sum())
        return int(late[0]) if len(late) else horizon
    if kind == "renewable":
        room = np.cumsum((level * _open_ticks(problem, calendars))[first:])
    else:
        periods = [t for t, _ in problem.resources[pool[0]].levels if t < horizon]
        level[np.setdiff1d(np.arange(horizon), periods)] = 0
        room = np.cumsum(level[first:])
    return first + int(np.searchsorted(room, work.sum()))


def least_peak(
    problem: ScheduleProblem, frame: TimeFrame, demands: Demands, resources: Sequence[int], times: Times
) -> int:
    """The least sum of the greatest amounts in use of the resources, renewable or periodic ones."""
    asked = [n for n in dict.fromkeys(resources) if demands.of[n] < demands.of[n + 1]]
    singly = {n: _least_use(problem, frame, demands, (n,), times) for n in asked}
    best = sum(singly.values())
    for pool in _pools(problem, demands, frame):
        if len(pool) > 1 and singly.keys() >= {*pool}:
            together = _least_use(problem, frame, demands, pool, times)
            best = max(best, together + sum(use for n, use in singly.items() if n not in pool))
    return best


def _least_use(problem: ScheduleProblem, frame: TimeFrame, demands: Demands, pool: Sequence[int], times: Times) -> int:
    """The least peak of the sum: the greatest demand, or all of the work spread evenly over the time that there is."""
    users = _users(frame, demands, pool)
    periodic = problem.resources[pool[0]].kind == "periodic"
    owners, work = users.least(users.amounts if periodic else users.amounts * users.duration)
    if not len(owners):
        return 0
    first = int(times.starts[owners].min())
    if periodic:
        ticks = np.array([t for t, _ in problem.resources[pool[0]].levels], dtype=np.int64)
        low, high = np.searchsorted(ticks, [first, int(times.latest_starts[owners].max())], side="right")
        return max(int(work.max()), -(-int(work.sum()) // max(1, int(high - low) + 1)))
    _, held = users.least(users.amounts * (users.duration > 0))
    open_ticks = _open_ticks(problem, np.unique(users.calendar))[first : int(times.latest_ends[owners].max())].sum()
    return max(int(held.max()), -(-int(work.sum()) // max(1, int(open_ticks))))


def overloaded(test: OverloadTest, times: Times) -> tuple[int, int] | None:
    """A stretch [from, to) that the test's users overload; or None."""
    low = times.starts[test.users]
    high = times.latest_starts[test.users] + 1 if test.by_start else times.latest_ends[test.users]
    heads = np.unique(low)
    if len(heads) > MOST_HEADS:
        heads = heads[np.linspace(0, len(heads) - 1, MOST_HEADS).astype(np.int64)]
    first, last = _overload(heads, low, high, test.work, test.room_before, test.room_until)
    if last < 0 and test.held is not None:
        first = _full(test.held, times.latest_starts[test.users], times.ends[test.users], test.room_before)
        last = first + 1 if first >= 0 else -1
    return (int(first), int(last)) if last >= 0 else None


@pass_over
def _full(held, latest_starts, ends, room_before):  # type: ignore[no-untyped-def]
    """A tick at which more is held for sure, between the latest starts and the earliest ends, than there is room for."""
    steps = np.zeros(len(room_before), dtype=np.int64)
    for u in range(len(held)):
        if latest_starts[u] < ends[u]:
            steps[latest_starts[u]] += held[u]
            steps[ends[u]] -= held[u]
    total = 0
    for tick in range(len(room_before) - 1):
        total += steps[tick]
        if total > 0 and total > room_before[tick + 1] - room_before[tick]:
            return tick
    return -1


@pass_over
def _overload(heads, low, high, work, room_before, room_until):  # type: ignore[no-untyped-def]
    due = np.zeros(len(room_until), dtype=np.int64)
    for head in heads:
        due[:] = 0
        for u in range(len(low)):
            if low[u] >= head:
                due[high[u]] += work[u]
        total = 0
        for tick in range(head, len(due)):
            total += due[tick]
            if due[tick] and total > room_until[tick] - room_before[head]:
                return head, tick
    return -1, -1


def build_demands(problem: ScheduleProblem, frame: TimeFrame, kept: Sequence[Sequence[Mode]]) -> Demands:
    """`kept`: the usable modes of each activity, of which the frame was built."""
    flat = [(r, m, x) for m, mode in enumerate(m for each in kept for m in each) for r, x in mode.demands]
    resource, mode, amount = np.array(flat, dtype=np.int64).reshape(-1, 3).T
    order = np.argsort(resource, kind="stable")
    of = np.concatenate(([0], np.cumsum(np.bincount(resource, minlength=len(problem.resources))))).astype(np.int64)
    owner = np.repeat(np.arange(len(problem.activities)), np.diff(frame.modes_of))
    return Demands(owner=owner, of=of, mode=mode[order], amount=amount[order])


def _pools(problem: ScheduleProblem, demands: Demands, frame: TimeFrame) -> list[tuple[int, ...]]:
    """Each resource by itself, and the sets of renewable ones between which activities can choose, with their unions."""
    single = [(n,) for n in _busiest(problem, demands, frame)]
    chosen: dict[int, set[int]] = {}
    many = np.diff(frame.modes_of) > 1
    for n, resource in enumerate(problem.resources):
        if resource.kind == "renewable":
            at = slice(demands.of[n], demands.of[n + 1])
            owners, times = np.unique(demands.owner[demands.mode[at]], return_counts=True)
            partly = owners[many[owners] & (times < np.diff(frame.modes_of)[owners])]
            for a in partly.tolist():
                chosen.setdefault(a, set()).add(n)
    often = Counter(tuple(sorted(s)) for s in chosen.values())
    sets = [{*s} for s, _ in often.most_common(MOST_UNIONS)]
    unions = {tuple(sorted(a | b)) for a in sets for b in sets if a & b} | {tuple(sorted(set().union(*often)))}
    covered = {u: sum(n for s, n in often.items() if {*s} <= {*u}) for u in unions if len(u) > 1}
    return [*single, *sorted(covered, key=lambda u: (-covered[u], u))[:MOST_UNIONS]]


def _busiest(problem: ScheduleProblem, demands: Demands, frame: TimeFrame) -> list[int]:
    """The resources that need the longest, roughly, for what is asked of them."""
    needed = []
    for n, resource in enumerate(problem.resources):
        at = slice(demands.of[n], demands.of[n + 1])
        modes, amounts = demands.mode[at], demands.amount[at]
        if not len(modes):
            continue
        share = amounts / np.diff(frame.modes_of)[demands.owner[modes]]
        if resource.kind == "renewable":
            work, room = (share * frame.duration[modes]).sum(), np.cumsum(_at_ticks(resource, problem.horizon))
            needed.append((-int(np.searchsorted(room, work)), n))
        else:
            room = np.array([c for _, c in resource.levels])
            room = np.cumsum(room) if resource.kind == "periodic" else room
            late = int(np.searchsorted(room, share.sum()))
            needed.append((-(resource.levels[late][0] if late < len(room) else problem.horizon), n))
    return [n for _, n in sorted(needed)[:MOST_RESOURCES]]


def _tests_of(problem: ScheduleProblem, found: _Candidate) -> Iterator[OverloadTest]:
    """All tests of one resource or one set of renewable ones for the users with some calendars."""
    pool, users, calendars = found.pool, found.users, found.calendars
    name = " + ".join(problem.resources[n].resource_id for n in pool)
    resource = problem.resources[pool[0]]
    if resource.kind == "cumulative":
        yield _stock(problem, resource, users, name)
        return
    ticks = _open_ticks(problem, calendars)
    if resource.kind == "periodic":
        yield from _counts(problem, resource, users, calendars, ticks, name)
        return
    level = np.sum([_at_ticks(problem.resources[n], problem.horizon) for n in pool], axis=0)
    yield from _energy(users, calendars, level * ticks, name, weighted=len(pool) == 1)
    yield from _packing(users, calendars, level, ticks, name)


class _Users:
    """The modes that ask for something of a pool, and what they ask for."""

    def __init__(self, frame: TimeFrame, owner: Ints, modes: Ints, amounts: Ints) -> None:
        self.owner, self.amounts = owner, amounts
        self.duration, self.calendar, self.split = frame.duration[modes], frame.calendar[modes], frame.split[modes] > 0
        self._first = np.flatnonzero(np.diff(owner, prepend=-1))
        # An activity with a mode that asks for nothing has no work for sure.
        self._bound = np.diff(np.append(self._first, len(owner))) == np.diff(frame.modes_of)[owner[self._first]]

    def least(self, work: Ints) -> tuple[Ints, Ints]:
        """Activities whose every mode has work, and the least of it."""
        total = np.minimum.reduceat(work, self._first) if len(work) else work
        kept = self._bound & (total > 0)
        return self.owner[self._first[kept]], total[kept]


def _users(frame: TimeFrame, demands: Demands, pool: Sequence[int]) -> _Users:
    at = np.concatenate([np.arange(demands.of[n], demands.of[n + 1]) for n in pool])
    modes, place = np.unique(demands.mode[at], return_inverse=True)
    amounts = np.bincount(place, weights=demands.amount[at]).astype(np.int64)
    return _Users(frame, demands.owner[modes], modes, amounts)


def _families(problem: ScheduleProblem, frame: TimeFrame, users: _Users) -> list[Ints]:
    """Sets of calendars whose users are counted together: those inside the windows, the others, and single ones."""
    used, times = np.unique(users.calendar[users.duration > 0], return_counts=True)
    if not len(used):
        return [used]
    opens, closes = [a for a, _ in problem.windows], np.array([b for _, b in problem.windows], dtype=np.int64)

    def in_windows(c: int) -> bool:
        first, last = (x[frame.spans_of[c] : frame.spans_of[c + 1]] for x in (frame.first, frame.last))
        window = np.searchsorted(opens, first, side="right") - 1
        return bool(len(opens) and (window >= 0).all() and (last <= closes[window]).all())

    inside = np.array([in_windows(int(c)) for c in used], dtype=np.bool_)
    families = [f for f in (used[inside], used[~inside]) if len(f)]
    most = used[np.argsort(-times, kind="stable")][:4]
    return families + [np.array([c]) for c in most if all(len(f) > 1 or f[0] != c for f in families)]


def _open_ticks(problem: ScheduleProblem, calendars: Ints) -> Ints:
    """1 for each tick in which one of the calendars works."""
    edges = np.zeros(problem.horizon + 1, dtype=np.int64)
    for c in calendars.tolist():
        for a, b in problem.calendars[c].spans:
            edges[min(a, problem.horizon)] += 1
            edges[min(b, problem.horizon)] -= 1
    return (np.cumsum(edges)[:-1] > 0).astype(np.int64)


def _at_ticks(resource: Resource, horizon: int) -> Ints:
    ticks = [min(t, horizon) for t, _ in resource.levels] + [horizon]
    return np.repeat(np.array([c for _, c in resource.levels], dtype=np.int64), np.diff(ticks))


def _summed(room: Ints) -> Ints:
    """Room before each tick 0 … horizon + 1."""
    total = np.concatenate(([0], np.cumsum(room)))
    return np.append(total, total[-1])


def _energy(users: _Users, calendars: Ints, level: Ints, name: str, *, weighted: bool) -> Iterator[OverloadTest]:
    """Amount × working ticks against the level at each tick."""
    mine = np.isin(users.calendar, calendars)
    for weight in build_weights(users.amounts[mine], users.duration[mine], level[level > 0]) if weighted else [None]:
        amounts = users.amounts if weight is None else weight.of(users.amounts)
        owners, work = users.least(amounts * users.duration * mine)
        steady, taken = users.least(amounts * mine * ~users.split * (users.duration > 0))
        held = np.zeros(len(owners), dtype=np.int64)
        held[np.searchsorted(owners, steady)] = taken
        room = _summed(level if weight is None else weight.room(level))
        yield OverloadTest(f"{name} (energy)", owners, work, False, room, room, False, held)


def _packing(users: _Users, calendars: Ints, level: Ints, ticks: Ints, name: str) -> Iterator[OverloadTest]:
    """Uninterrupted activities against what fits into each span, lane by lane: a level of n is n lanes, and activities that
    never need more than n at a time can be dealt out to n lanes."""
    edges = np.flatnonzero(np.diff(ticks, prepend=0, append=0))
    first, last = edges[::2], edges[1::2]
    mine = np.isin(users.calendar, calendars) & ~users.split & (users.duration > 0)
    if not mine.any() or (last - first).max() > LONGEST_BIN:
        return
    lanes = np.array([level[a:b].max() for a, b in zip(first, last, strict=True)], dtype=np.int64)
    for weight in build_weights(users.duration[mine], users.amounts[mine], np.repeat(last - first, lanes)):
        owners, work = users.least(users.amounts * weight.of(users.duration) * mine)
        total = np.concatenate(([0], np.cumsum(lanes * weight.room(last - first))))
        at = np.arange(len(ticks) + 2)
        yield OverloadTest(
            f"{name} (packing)", owners, work, False,
            total[np.searchsorted(last, at, side="right")], total[np.searchsorted(first, at, side="left")],
        )  # fmt: skip


def _counts(
    problem: ScheduleProblem, resource: Resource, users: _Users, calendars: Ints, ticks: Ints, name: str
) -> Iterator[OverloadTest]:
    """Amounts against the capacity of the periods in which one of the calendars works."""
    first = np.array([t for t, _ in resource.levels if t < problem.horizon], dtype=np.int64)
    last = np.append(first[1:], problem.horizon)
    worked = np.concatenate(([0], np.cumsum(ticks)))
    levels = np.array([c for _, c in resource.levels], dtype=np.int64)[: len(first)] * (worked[last] > worked[first])
    mine = np.isin(users.calendar, calendars) & (users.duration > 0)
    for weight in build_weights(users.amounts[mine], np.ones(mine.sum(), dtype=np.int64), levels[levels > 0]):
        owners, work = users.least(weight.of(users.amounts) * mine)
        total = np.concatenate(([0], np.cumsum(weight.room(levels))))
        at = np.arange(problem.horizon + 2)
        yield OverloadTest(
            f"{name} (count)", owners, work, True,
            total[np.searchsorted(last, at, side="right")], total[np.searchsorted(first, at, side="left")],
        )  # fmt: skip


def _stock(problem: ScheduleProblem, resource: Resource, users: _Users, name: str) -> OverloadTest:
    """Amounts taken by a tick against the least level from it on."""
    owners, work = users.least(users.amounts)
    level = _at_ticks(resource, problem.horizon)
    after = min([c for t, c in resource.levels if t >= problem.horizon], default=int(level[-1]))
    room = np.minimum.accumulate(np.append(level, after)[::-1])[::-1]
    return OverloadTest(
        f"{name} (stock)", owners, work, True, np.zeros(len(room) + 1, dtype=np.int64), np.append([0], room)
    )
