"""Weights for the sizes of things that go into bins, so that few bins can be shown to be too few.

Any weights do when a bin is credited with the best knapsack, the most weight that fits into it. The best weights for the
sizes that there are solve the dual of the cutting-stock problem (Gilmore and Gomory, Operations Research 9, 1961); where
that is not worth its time, the dual-feasible functions u(k) and U(ε) of Fekete and Schepers (Mathematical Programming 91,
2001) come near it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from govcloud.planning.scheduling.kernels import pass_over
from govcloud.planning.scheduling.time_frame import Ints

LONGEST_BIN = 2000
"""Sizes of bins up to which knapsacks are computed."""
WEIGHT_KINDS = 3
MOST_SIZES, MOST_PATTERNS = 80, 200
"""Sizes and rounds up to which the dual is solved."""
PRECISION = 10**6


class Weight:
    """A weight for sizes, and the most of it that fits into a bin."""

    def __init__(self, unit: int, sizes: Ints, weights: Ints, largest: int) -> None:
        self._unit = unit
        self._weights = np.zeros(int(sizes.max()) + 1, dtype=np.int64)
        self._weights[sizes] = weights
        self._best, _ = _knapsack(sizes, weights, largest)

    def of(self, sizes: Ints) -> Ints:
        """Of the sizes that the weight was made for; anything for others."""
        return self._weights[np.minimum(sizes // self._unit, len(self._weights) - 1)]

    def room(self, bins: Ints) -> Ints:
        room: Ints = self._best[bins // self._unit]
        return room


class _Plain(Weight):
    """The size itself, where knapsacks would be too large."""

    def __init__(self) -> None: ...

    def of(self, sizes: Ints) -> Ints:
        return sizes

    def room(self, bins: Ints) -> Ints:
        return bins


@pass_over
def _knapsack(sizes, weights, largest):  # type: ignore[no-untyped-def]
    """The most weight for each bin 0 … largest, any number of each size; and the size last put in, -1 for none."""
    best = np.zeros(largest + 1, dtype=np.int64)
    last = np.full(largest + 1, -1, dtype=np.int64)
    for room in range(1, largest + 1):
        best[room] = best[room - 1]
        for k in range(len(sizes)):
            if sizes[k] <= room and best[room - sizes[k]] + weights[k] > best[room]:
                best[room] = best[room - sizes[k]] + weights[k]
                last[room] = k
    return best, last


def build_weights(sizes: Ints, times: Ints, bins: Ints) -> list[Weight]:
    """Weights for the sizes, each of which occurs so many times, that need the most of the bins."""
    if not len(sizes) or not len(bins):
        return []
    unit = int(np.gcd.reduce(sizes))
    largest = int(bins.max()) // unit
    if largest > LONGEST_BIN:
        return [_Plain()]
    kinds, place = np.unique(sizes // unit, return_inverse=True)
    often = np.bincount(place, weights=times)
    lengths, share = np.unique(bins // unit, return_counts=True)
    found = [kinds, *_dual(kinds, often, lengths, share / share.sum())]
    found += _dual_feasible(kinds, int(lengths[np.argmax(share * lengths)]))
    made = {w.tobytes(): Weight(unit, kinds, w, largest) for w in found if w.any()}

    def needed(weight: Weight) -> float:
        room = float((weight.room(lengths * unit) * share).sum())
        return float((often * weight.of(kinds * unit)).sum()) / room if room else float("inf")

    return sorted(made.values(), key=needed, reverse=True)[:WEIGHT_KINDS]


def _dual(sizes: Ints, often: Ints, lengths: Ints, share: Ints) -> list[Ints]:
    """The best weights when all bins are used alike, by adding the pattern that breaks the last ones most."""
    fitting = np.flatnonzero(sizes <= lengths.max())
    # With few things in all there is nothing to gain, and a size that is a bin by itself needs no patterns.
    if not 2 <= len(fitting) <= MOST_SIZES or often[fitting].sum() < 4:
        return []
    from ortools.linear_solver.python import model_builder as linear  # half a second to load

    model = linear.ModelBuilder()  # type: ignore[no-untyped-call]
    weights = [model.new_num_var(0.0, 1.0, f"w{k}") for k in fitting]
    rooms = [model.new_num_var(0.0, float(len(lengths)) / s, f"r{n}") for n, s in enumerate(share)]
    model.add(sum(float(s) * r for s, r in zip(share, rooms, strict=True)) == 1.0)
    model.maximize(sum(float(often[k]) * w for k, w in zip(fitting, weights, strict=True)))
    solver = linear.ModelSolver("GLOP")
    found = sizes * 0
    for _ in range(MOST_PATTERNS):
        if solver.solve(model) != linear.SolveStatus.OPTIMAL:
            return []
        found = sizes * 0
        found[fitting] = [int(solver.value(w) * PRECISION) for w in weights]
        best, last = _knapsack(sizes[fitting], found[fitting], int(lengths.max()))
        broken = [n for n, length in enumerate(lengths) if best[length] > (solver.value(rooms[n]) + 1e-5) * PRECISION]
        if not broken:
            break
        for n in broken:
            model.add(sum(c * weights[k] for k, c in _pattern(sizes[fitting], last, int(lengths[n]))) <= rooms[n])
    return [found]


def _pattern(sizes: Ints, last: Ints, room: int) -> list[tuple[int, int]]:
    """What the knapsack put into a bin: (number of the size, how often)."""
    held: dict[int, int] = {}
    while room > 0:
        k = int(last[room])
        if k >= 0:
            held[k] = held.get(k, 0) + 1
        room -= int(sizes[k]) if k >= 0 else 1
    return sorted(held.items())


def _dual_feasible(sizes: Ints, length: int) -> Iterator[Ints]:
    for k in range(1, 6):
        # u(k), times k × length: sizes that divide a bin into k + 1 keep theirs.
        parts = (k + 1) * sizes
        yield np.where(parts % length == 0, k * sizes, parts // length * length) if length else sizes
    for least in sizes[sizes * 2 <= length][:12].tolist():
        yield np.where(sizes > length - least, length, np.where(sizes < least, 0, sizes))
