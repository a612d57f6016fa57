"""Where each activity can lie at all: calendars as pieces on which the end is the start plus a constant, and earliest and
latest starts from releases, deadlines and relations. What is ruled out here costs the solver no variable."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from govcloud.model.schedule import Activity, Calendar, Mode, Relation, ScheduleProblem

Span = tuple[int, int]
"""[from, to)"""
Piece = tuple[int, int, int]
"""Starts [from, to) after which an activity ends this much later."""


class Shape:
    """The starts that a calendar allows to a duration; starts and ends rise together."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self._firsts = [p[0] for p in pieces]
        self._lasts = [p[1] - 1 for p in pieces]
        self._last_ends = [p[1] - 1 + p[2] for p in pieces]

    def first_from(self, tick: int) -> tuple[int, int] | None:
        """(start, end) of the first start at `tick` or later."""
        at = bisect_left(self._lasts, tick)
        if at == len(self.pieces):
            return None
        start = max(tick, self._firsts[at])
        return start, start + self.pieces[at][2]

    def last_until(self, start: int, end: int) -> tuple[int, int] | None:
        """(start, end) of the last start at `start` or earlier that ends at `end` or earlier."""
        at = min(bisect_right(self._firsts, start) - 1, bisect_left(self._last_ends, end))
        for first, to, delta in reversed(self.pieces[max(at - 1, 0) : at + 1]):
            best = min(to - 1, start, end - delta)
            if best >= first:
                return best, best + delta
        return None

    def within(self, earliest: int, latest: int) -> Iterator[Piece]:
        """The pieces cut to starts in [earliest, latest]."""
        for at in range(bisect_left(self._lasts, earliest), len(self.pieces)):
            first, to, delta = self.pieces[at]
            if first > latest:
                return
            yield max(first, earliest), min(to, latest + 1), delta


class Shapes:
    """Shapes by calendar, duration and kind, made once each."""

    def __init__(self, problem: ScheduleProblem) -> None:
        self._horizon = problem.horizon
        self._calendars = problem.calendars
        self._made: dict[tuple[int, int, bool], Shape] = {}
        self._relaxed: dict[tuple[tuple[int, ...], int], Shape] = {}

    def of(self, mode: Mode) -> Shape:
        key = (mode.calendar, mode.duration, mode.split)
        if key not in self._made:
            self._made[key] = _shape(clip(self._calendars[mode.calendar], self._horizon), mode, self._horizon)
        return self._made[key]

    def relaxed(self, mode: Mode, more: Iterable[int]) -> Shape:
        """With the ticks of the calendars `more` too; a mode that breaks may interrupt keeps its own."""
        numbers = tuple(sorted({mode.calendar, *more}))
        if mode.split or len(numbers) == 1:
            return self.of(mode)
        key = (numbers, mode.duration)
        if key not in self._relaxed:
            spans = unite(s for n in numbers for s in clip(self._calendars[n], self._horizon))
            self._relaxed[key] = _shape(spans, mode, self._horizon)
        return self._relaxed[key]


def clip(calendar: Calendar, horizon: int) -> list[Span]:
    return [(a, min(b, horizon)) for a, b in calendar.spans if a < min(b, horizon)]


def unite(spans: Iterable[Span]) -> list[Span]:
    """Ascending, those that touch or overlap made one."""
    found: list[Span] = []
    for first, to in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(to, found[-1][1]))
        else:
            found.append((first, to))
    return found


def subtract(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """What of `spans` lies in none of `taken`; both ascending without overlap."""
    found, at = [], 0
    for first, to in spans:
        while at < len(taken) and taken[at][1] <= first:
            at += 1
        here, n = first, at
        while n < len(taken) and taken[n][0] < to:
            if taken[n][0] > here:
                found.append((here, taken[n][0]))
            here = max(here, taken[n][1])
            n += 1
        if here < to:
            found.append((here, to))
    return found


def _shape(spans: Sequence[Span], mode: Mode, horizon: int) -> Shape:
    duration = mode.duration
    if duration == 0:
        return Shape([(0, horizon + 1, 0)])
    if not mode.split:
        return Shape([(a, b - duration + 1, duration) for a, b in spans if b - a >= duration])
    # The last tick of work runs ahead of the first by duration - 1 working ticks; a piece ends when either leaves its span.
    pieces: list[Piece] = []
    ahead = _advance(spans, 0, 0, duration - 1)
    at, offset = 0, 0
    while ahead is not None:
        there, further = ahead
        length = min(spans[at][1] - spans[at][0] - offset, spans[there][1] - spans[there][0] - further)
        first = spans[at][0] + offset
        piece = (first, first + length, spans[there][0] + further + 1 - first)
        if pieces and pieces[-1][1] == first and pieces[-1][2] == piece[2]:
            piece = (pieces.pop()[0], piece[1], piece[2])
        pieces.append(piece)
        moved = _advance(spans, at, offset, length)
        ahead = _advance(spans, there, further, length)
        if moved is None:
            break
        at, offset = moved
    return Shape(pieces)


def _advance(spans: Sequence[Span], at: int, offset: int, ticks: int) -> tuple[int, int] | None:
    """The working tick this many after (span, offset); None beyond the last."""
    offset += ticks
    while at < len(spans) and offset >= spans[at][1] - spans[at][0]:
        offset -= spans[at][1] - spans[at][0]
        at += 1
    return (at, offset) if at < len(spans) else None


class Windows:
    """The two gates of windows as functions of a start, and turned round."""

    def __init__(self, problem: ScheduleProblem) -> None:
        self.spans = problem.windows
        self._openings = [a for a, _ in problem.windows]

    def of(self, tick: int) -> Span | None:
        at = bisect_right(self._openings, tick) - 1
        return self.spans[at] if at >= 0 and tick < self.spans[at][1] else None

    def opens(self, relation: Relation, start: int) -> int:
        """The first tick at which `after` may start."""
        window = self.of(start)
        if relation.gate == "window":
            return window[0] if window else start
        return window[1] if window else start + 1

    def latest(self, relation: Relation, after: int) -> int:
        """The last start of `before` that lets `after` start at this tick."""
        if relation.gate == "window":
            window = self.of(after)
            return window[1] - 1 if window else after
        window = self.of(after - 1)
        return after - 1 if window is None or window[1] == after else window[0] - 1


@dataclass(frozen=True, slots=True)
class TimeBounds:
    """For each activity the earliest and the latest start and end that its calendars and relations leave."""

    earliest: list[int]
    earliest_end: list[int]
    latest: list[int]
    latest_end: list[int]


def bound_times(
    problem: ScheduleProblem, shapes: Sequence[Sequence[Shape]], caps: Sequence[int] | None = None, rounds: int = 50
) -> TimeBounds | None:
    """None: an activity has no place at all, so there is no schedule. `caps`: latest ends on top of the deadlines.

    A cycle of relations is followed `rounds` times at most; what it would still rule out is left to the solver.
    """
    count = len(problem.activities)
    ends = [_last_end(problem, a) for a in problem.activities]
    if caps is not None:
        ends = [min(e, c) for e, c in zip(ends, caps, strict=True)]
    found = TimeBounds(
        earliest=[max(0, a.release) for a in problem.activities], earliest_end=[0] * count,
        latest=[problem.horizon] * count, latest_end=ends,
    )  # fmt: skip
    if not all(_narrow(found, shapes, n) for n in range(count)):
        return None
    return found if _propagate(problem, shapes, found, rounds) else None


def _last_end(problem: ScheduleProblem, activity: Activity) -> int:
    return problem.horizon if activity.deadline is None else min(activity.deadline, problem.horizon)


def _narrow(found: TimeBounds, shapes: Sequence[Sequence[Shape]], n: int) -> bool:
    """Moves the bounds of one activity to starts that one of its modes has; False when there is none."""
    firsts = [f for s in shapes[n] if (f := s.first_from(found.earliest[n])) and f[1] <= found.latest_end[n]]
    lasts = [f for s in shapes[n] if (f := s.last_until(found.latest[n], found.latest_end[n])) is not None]
    if not firsts or not lasts:
        return False
    found.earliest[n] = min(f[0] for f in firsts)
    found.earliest_end[n] = min(f[1] for f in firsts)
    found.latest[n] = max(f[0] for f in lasts)
    found.latest_end[n] = max(f[1] for f in lasts)
    return found.earliest[n] <= found.latest[n]


def _propagate(problem: ScheduleProblem, shapes: Sequence[Sequence[Shape]], found: TimeBounds, rounds: int) -> bool:
    windows = Windows(problem)
    touching: list[list[Relation]] = [[] for _ in problem.activities]
    for relation in problem.relations:
        if not relation.soft:
            touching[relation.before].append(relation)
            touching[relation.after].append(relation)
    waiting = deque(range(len(problem.activities)))
    queued = [True] * len(problem.activities)
    left = rounds * len(problem.activities)
    while waiting and left:
        left -= 1
        n = waiting.popleft()
        queued[n] = False
        for relation in touching[n]:
            before, after = relation.before, relation.after
            if relation.gate == "end":
                opens = found.earliest_end[before]
                changed_before = _lower(found.latest_end, before, found.latest[after])
            else:
                opens = windows.opens(relation, found.earliest[before])
                changed_before = _lower(found.latest, before, windows.latest(relation, found.latest[after]))
            changed_after = opens > found.earliest[after]
            found.earliest[after] = max(opens, found.earliest[after])
            for other, changed in ((before, changed_before), (after, changed_after)):
                if changed:
                    if not _narrow(found, shapes, other):
                        return False
                    if not queued[other]:
                        queued[other] = True
                        waiting.append(other)
    return True


def _lower(values: list[int], n: int, limit: int) -> bool:
    if values[n] <= limit:
        return False
    values[n] = limit
    return True
