"""When each activity can start at the earliest and end at the latest, with calendars, gates, releases and deadlines but
without resources: two compiled passes over the relations, forwards and backwards.

Both passes only ever move a start later or an end earlier as far as the rules force them, so that a pass which is cut off
(many rounds over a large cycle of relations) leaves values that are still valid, only weaker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from govcloud.model.schedule import Mode, ScheduleProblem
from govcloud.planning.scheduling.kernels import pass_over

Ints = NDArray[np.int64]
GATES = {"end": 0, "window": 1, "next_window": 2}
MOST_STEPS = 300_000_000
"""Relations looked at before a pass over a cycle is cut off: some seconds."""


class TimeFrame(NamedTuple):
    """A problem as arrays; `…_of` are pointers into the arrays that they precede, one longer than there are owners."""

    horizon: int
    modes_of: Ints
    duration: Ints
    calendar: Ints
    split: Ints
    spans_of: Ints
    first: Ints
    last: Ints
    worked: Ints
    """Working ticks of the calendar before each span."""
    opens: Ints
    closes: Ints
    release: Ints
    deadline: Ints
    before_of: Ints
    """Pointers from each activity into `before`, the activities that it waits for by a hard relation."""
    before: Ints
    before_gate: Ints
    after_of: Ints
    after: Ints
    after_gate: Ints
    order: Ints
    """What others wait for comes first, as far as there are no cycles."""
    cyclic: bool


def usable_modes(problem: ScheduleProblem) -> list[list[Mode]]:
    """Of each activity the modes that don't ask for more than a resource ever has; maybe none."""
    most = [max(capacity for _, capacity in r.levels) for r in problem.resources]
    held = [r.kind == "renewable" for r in problem.resources]

    def usable(mode: Mode) -> bool:
        # A milestone holds nothing.
        return not any(amount > most[r] and (mode.duration or not held[r]) for r, amount in mode.demands)

    return [[m for m in a.modes if not m.demands or usable(m)] for a in problem.activities]


def build_time_frame(problem: ScheduleProblem, kept: Sequence[Sequence[Mode]] | None = None) -> TimeFrame:
    """Of the usable modes only; `kept`: these, where they are known."""
    kept = usable_modes(problem) if kept is None else kept
    modes = [m for each in kept for m in each]
    spans = [c.spans for c in problem.calendars]
    hard = [(r.before, r.after, GATES[r.gate]) for r in problem.relations if not r.soft]
    before, after, gate = _ints([x for x, _, _ in hard]), _ints([x for _, x, _ in hard]), _ints([x for _, _, x in hard])
    count = len(problem.activities)
    by_after, by_before = np.argsort(after, kind="stable"), np.argsort(before, kind="stable")
    before_of, after_of = _pointers(after, count), _pointers(before, count)
    order, cyclic = _order(count, before_of, after_of, after[by_before])
    return TimeFrame(
        horizon=problem.horizon,
        modes_of=_ends([len(each) for each in kept]),
        duration=_ints([m.duration for m in modes]),
        calendar=_ints([m.calendar for m in modes]),
        split=_ints([m.split for m in modes]),
        spans_of=_ends([len(s) for s in spans]),
        first=_ints([a for s in spans for a, _ in s]),
        last=_ints([b for s in spans for _, b in s]),
        worked=_ints([w for s in spans for w in _worked(s)]),
        opens=_ints([a for a, _ in problem.windows]),
        closes=_ints([b for _, b in problem.windows]),
        release=_ints([max(0, a.release) for a in problem.activities]),
        deadline=_ints([problem.horizon if a.deadline is None else min(a.deadline, problem.horizon) for a in problem.activities]),
        before_of=before_of, before=before[by_after], before_gate=gate[by_after],
        after_of=after_of, after=after[by_before], after_gate=gate[by_before],
        order=order, cyclic=bool(cyclic),
    )  # fmt: skip


def earliest(frame: TimeFrame) -> tuple[Ints, Ints]:
    """Earliest start and earliest end of each activity; horizon + 1 for one that can't be placed at all."""
    starts, ends = _forward(frame)
    return starts, ends


def latest(frame: TimeFrame, deadline: Ints) -> tuple[Ints, Ints]:
    """Latest start and latest end of each activity when each must end by `deadline`; -1 for one that can't be placed."""
    starts, ends = _backward(frame, deadline)
    return starts, ends


def _ints(values: Any) -> Ints:
    return np.array(values, dtype=np.int64)


def _ends(lengths: list[int]) -> Ints:
    return np.concatenate(([0], np.cumsum(_ints(lengths)))).astype(np.int64)


def _pointers(owner: Ints, count: int) -> Ints:
    return np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=count)))).astype(np.int64)


def _worked(spans: tuple[tuple[int, int], ...]) -> list[int]:
    done, total = [], 0
    for a, b in spans:
        done.append(total)
        total += b - a
    return done


@pass_over
def _order(count, before_of, after_of, after):  # type: ignore[no-untyped-def]
    """Kahn's order; when only cycles are left it goes on with the first activity of one."""
    waiting = before_of[1:] - before_of[:-1]
    order = np.empty(count, dtype=np.int64)
    placed = np.zeros(count, dtype=np.bool_)
    head = tail = forced = 0
    cyclic = False
    for a in range(count):
        if waiting[a] == 0:
            order[tail] = a
            placed[a] = True
            tail += 1
    while head < count:
        if head == tail:
            while placed[forced]:
                forced += 1
            order[tail] = forced
            placed[forced] = True
            tail += 1
            cyclic = True
        a = order[head]
        head += 1
        for k in range(after_of[a], after_of[a + 1]):
            b = after[k]
            waiting[b] -= 1
            if waiting[b] == 0 and not placed[b]:
                order[tail] = b
                placed[b] = True
                tail += 1
    return order, cyclic


@pass_over
def _span_from(first, last, low, high, tick):  # type: ignore[no-untyped-def]
    """The first span in [low, high) that ends after `tick`."""
    while low < high:
        middle = (low + high) // 2
        if last[middle] > tick:
            high = middle
        else:
            low = middle + 1
    return low


@pass_over
def _gate(frame, gate, start, end):  # type: ignore[no-untyped-def]
    if gate == 0:
        return end
    w = _span_from(frame.opens, frame.closes, 0, len(frame.opens), start)
    inside = w < len(frame.opens) and frame.opens[w] <= start
    if gate == 1:
        return frame.opens[w] if inside else start
    return frame.closes[w] if inside else start + 1


@pass_over
def _last_start(frame, gate, limit):  # type: ignore[no-untyped-def]
    """The latest start of `before` that lets `after` start at `limit`, for the gates of windows."""
    tick = limit if gate == 1 else limit - 1
    w = _span_from(frame.opens, frame.closes, 0, len(frame.opens), tick)
    if w == len(frame.opens) or frame.opens[w] > tick:
        return tick
    if gate == 1:
        return frame.closes[w] - 1
    return tick if limit == frame.closes[w] else frame.opens[w] - 1


@pass_over
def place(frame, mode, tick):  # type: ignore[no-untyped-def]
    """The first start at or after `tick` and its end; (-1, -1) when there is none."""
    need = frame.duration[mode]
    if need == 0:
        return tick, tick
    low, high = frame.spans_of[frame.calendar[mode]], frame.spans_of[frame.calendar[mode] + 1]
    s = _span_from(frame.first, frame.last, low, high, tick)
    if frame.split[mode]:
        if s == high:
            return -1, -1
        start = max(tick, frame.first[s])
        final = frame.worked[s] + start - frame.first[s] + need - 1
        while s < high and final >= frame.worked[s] + frame.last[s] - frame.first[s]:
            s += 1
        if s == high:
            return -1, -1
        return start, frame.first[s] + final - frame.worked[s] + 1
    while s < high:
        start = max(tick, frame.first[s])
        if start + need <= frame.last[s]:
            return start, start + need
        s += 1
    return -1, -1


@pass_over
def _place_last(frame, mode, start_by, end_by):  # type: ignore[no-untyped-def]
    """The last start at or before `start_by` with an end at or before `end_by`, and its end; (-1, -1) when there is none."""
    need = frame.duration[mode]
    if need == 0:
        tick = min(start_by, end_by)
        return (tick, tick) if tick >= 0 else (-1, -1)
    low, high = frame.spans_of[frame.calendar[mode]], frame.spans_of[frame.calendar[mode] + 1]
    if frame.split[mode]:
        # Number of the last working tick before `end_by`, of the last one at or before `start_by`.
        done = _count_before(frame, low, high, end_by)
        first = min(done - need, _count_before(frame, low, high, start_by + 1) - 1)
        if first < 0:
            return -1, -1
        return _tick_of(frame, low, high, first), _tick_of(frame, low, high, first + need - 1) + 1
    start = min(start_by, end_by - need)
    if start < 0:
        return -1, -1
    s = _span_from(frame.first, frame.last, low, high, start)
    if s == high or frame.first[s] > start:
        s -= 1
    while s >= low:
        found = min(start, frame.last[s] - need)
        if found >= frame.first[s]:
            return found, found + need
        s -= 1
    return -1, -1


@pass_over
def _count_before(frame, low, high, tick):  # type: ignore[no-untyped-def]
    """Working ticks before `tick`."""
    s = _span_from(frame.first, frame.last, low, high, tick)
    if s == high:
        return 0 if low == high else frame.worked[high - 1] + frame.last[high - 1] - frame.first[high - 1]
    return frame.worked[s] + max(0, tick - frame.first[s])


@pass_over
def _tick_of(frame, low, high, number):  # type: ignore[no-untyped-def]
    """The tick with `number` working ticks of the calendar before it."""
    while high - low > 1:
        middle = (low + high) // 2
        if frame.worked[middle] <= number:
            low = middle
        else:
            high = middle
    return frame.first[low] + number - frame.worked[low]


@pass_over
def _forward(frame):  # type: ignore[no-untyped-def]
    count = len(frame.order)
    never = frame.horizon + 1
    starts, ends = frame.release.copy(), frame.release.copy()
    steps = 0
    while True:
        changed = False
        for k in range(count):
            a = frame.order[k]
            tick = starts[a]
            for p in range(frame.before_of[a], frame.before_of[a + 1]):
                b = frame.before[p]
                tick = max(
                    tick, never if starts[b] >= never else _gate(frame, frame.before_gate[p], starts[b], ends[b])
                )
            start = end = never
            for m in range(frame.modes_of[a], frame.modes_of[a + 1]):
                s, e = place(frame, m, tick)
                if s >= 0 and e <= frame.deadline[a]:
                    start, end = min(start, s), min(end, e)
            if start != starts[a] or end != ends[a]:
                starts[a], ends[a] = start, end
                changed = True
        steps += count + len(frame.before)
        if not changed or not frame.cyclic or steps > MOST_STEPS:
            return starts, ends


@pass_over
def _backward(frame, deadline):  # type: ignore[no-untyped-def]
    count = len(frame.order)
    starts, ends = deadline.copy(), deadline.copy()
    steps = 0
    while True:
        changed = False
        for k in range(count - 1, -1, -1):
            a = frame.order[k]
            start_by, end_by = starts[a], ends[a]
            for p in range(frame.after_of[a], frame.after_of[a + 1]):
                limit = starts[frame.after[p]]
                if frame.after_gate[p] == 0:
                    end_by = min(end_by, limit)
                else:
                    start_by = min(start_by, _last_start(frame, frame.after_gate[p], limit))
            start = end = -1
            for m in range(frame.modes_of[a], frame.modes_of[a + 1]):
                s, e = _place_last(frame, m, start_by, end_by)
                if s >= frame.release[a]:
                    start, end = max(start, s), max(end, e)
            if start != starts[a] or end != ends[a]:
                starts[a], ends[a] = start, end
                changed = True
        steps += count + len(frame.after)
        if not changed or not frame.cyclic or steps > MOST_STEPS:
            return starts, ends
