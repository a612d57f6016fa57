"""Families of activities: what hangs together by hard relations, such as the jobs of a move group (compiled).

An activity that many wait for, or that waits for many, belongs to none.
"""

# mypy: allow-untyped-defs

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from govcloud.planning.scheduling.compiled import CIRCLE, GOALS, I32, I64, PRE_FROM, PRE_TO, Compiled, Tables
from govcloud.planning.scheduling.kernels import kernel

HUB = 12
"""An activity with more hard relations than this belongs to no family."""
LARGEST = 80
"""Activities of a family that is moved at all."""
MOST = 8
"""Families that are moved at once."""
MOST_GROUPS = 2000


class Families(NamedTuple):
    of: I32
    """Family of an activity; -1: none."""
    first: I32
    """Its first member; one more entry than families."""
    member: I32
    """What others wait for comes first."""
    counted_first: I32
    """First row of `counted` of an activity; one more than activities."""
    counted: I32
    """goal and row of Tables.entry where a goal counts an activity for itself; or goal and -1 - group."""
    group: I32
    """goal, weight, first and last + 1 member: activities of which only the last counts. They are what the makespan counts, or
    what an activity without a family waits for that a goal counts."""
    group_member: I32
    slot: I32
    """Number of the goals' time at each tick."""
    time: I64
    """Time of each slot."""


class Bench(NamedTuple):
    """Room for one thread."""

    family: I64
    moved: I64
    """activity, start, end, mode row before."""
    delta: I64
    """For each goal: by how much it changes; how many more end last in its groups."""
    ends: I64
    """For each group and slot: members that end there."""
    last: I64
    """For each group: its last slot; the one before this try, or -1 when this try does not touch the group."""
    touched: I64


def build_families(compiled: Compiled) -> Families:
    tables, rank = compiled.tables, compiled.rank
    count = len(rank)
    root, degrees = np.arange(count, dtype=np.int32), _degrees(tables)
    _unite(tables, root, degrees)
    hubs = (degrees > HUB) | (tables.act[:, CIRCLE] >= 0)
    place = np.empty(count, np.int64)
    place[rank] = np.arange(count)
    order = np.lexsort((place, root))
    order = order[~hubs[order]]
    sizes = np.unique(root[order], return_counts=True)[1]
    order, sizes = order[np.repeat(sizes <= LARGEST, sizes)], sizes[sizes <= LARGEST]
    of = np.full(count, -1, np.int32)
    of[order] = np.repeat(np.arange(len(sizes)), sizes)
    rows, groups, members = _counted(compiled, of)
    counted = np.array(sorted(rows), np.int32).reshape(-1, 3)
    times, slot = np.unique(tables.scale, return_inverse=True)
    return Families(
        of=of, first=np.append(0, np.cumsum(sizes)).astype(np.int32), member=order.astype(np.int32),
        counted_first=np.searchsorted(counted[:, 0], np.arange(count + 1)).astype(np.int32),
        counted=np.ascontiguousarray(counted[:, 1:]), group=np.array(groups, np.int32).reshape(-1, 4),
        group_member=np.array(members, np.int32), slot=slot.astype(np.int32), time=times,
    )  # fmt: skip


def _counted(
    compiled: Compiled, of: I32
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int, int]], list[int]]:
    """Rows of `counted` with the activity before them, groups and their members."""
    tables = compiled.tables
    rows: list[tuple[int, int, int]] = []
    groups: list[tuple[int, int, int, int]] = []
    members: list[int] = []

    def add(goal: int, weight: int, which: list[int]) -> None:
        rows.extend((i, goal, -1 - len(groups)) for i in which)
        groups.append((goal, weight, len(members), len(members) + len(which)))
        members.extend(which)

    for goal, (kind, first, last) in enumerate(tables.goal.tolist()):
        if GOALS[kind] == "makespan":
            add(goal, 1, tables.entry[first:last, 0].tolist())
        elif GOALS[kind] not in ("bridges", "peak"):
            for row, (i, weight, _) in enumerate(tables.entry[first:last].tolist(), start=first):
                if of[i] >= 0 or GOALS[kind] in ("risk", "changes"):
                    rows.append((i, goal, row))
                elif len(groups) < MOST_GROUPS:
                    pre = tables.pre[tables.act[i, PRE_FROM] : tables.act[i, PRE_TO]]
                    add(goal, weight, pre[pre[:, 2] == 0, 0].tolist())
    return rows, groups, members


def new_bench(compiled: Compiled, families: Families) -> Bench:
    groups = len(families.group)
    return Bench(
        family=np.zeros(MOST, np.int64), moved=np.zeros((MOST * LARGEST, 4), np.int64),
        delta=np.zeros((len(compiled.tables.goal), 2), np.int64), ends=np.zeros((groups, len(families.time)), np.int64),
        last=np.full((groups, 2), -1, np.int64), touched=np.zeros(groups + 1, np.int64),
    )  # fmt: skip


def _degrees(tables: Tables) -> I64:
    hard = tables.pre[tables.pre[:, 2] == 0, 0]
    into = tables.suc[tables.suc[:, 2] == 0, 0]
    degrees: I64 = np.bincount(hard, minlength=len(tables.act)) + np.bincount(into, minlength=len(tables.act))
    return degrees


@kernel
def _unite(tables, root, degree):
    """root: for each activity the first of what hangs together with it."""
    act, pre = tables.act, tables.pre
    for i in range(len(act)):
        if degree[i] > HUB:
            continue
        for q in range(act[i, PRE_FROM], act[i, PRE_TO]):
            j = pre[q, 0]
            if pre[q, 2] or degree[j] > HUB:
                continue
            a, b = i, j
            while root[a] != a:
                root[a] = root[root[a]]
                a = root[a]
            while root[b] != b:
                root[b] = root[root[b]]
                b = root[b]
            root[max(a, b)] = min(a, b)
    for i in range(len(act)):
        root[i] = root[root[i]]
