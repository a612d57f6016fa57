"""Lays the minutes out: groups of one crew one after another from the opening of the window; and the plan's hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

from govcloud.model.plan import MigrationPlan, Move, MoveGroup, MoveTask, Placement, PlanProblem, Wave
from govcloud.planning.groups import needed_first


def build_waves(problem: PlanProblem, placements: Sequence[Placement]) -> tuple[Wave, ...]:
    group = {g.group_id: g for g in problem.groups}
    task = {t.system_id: t for t in problem.tasks}
    rank = {group_id: i for i, group_id in enumerate(needed_first(problem))}
    waves: list[Wave] = []
    for window in problem.windows:
        moves: list[Move] = []
        for crew in problem.crews:
            here = [p for p in placements if p.window_id == window.window_id and p.crew == crew.name]
            at = window.starts_at
            for placement in sorted(here, key=lambda p: rank[p.group_id]):
                done = _moves(group[placement.group_id], task, crew.name, at)
                moves += done
                at = done[-1].ends_at
        if moves:
            waves.append(Wave(number=len(waves) + 1, window=window, moves=tuple(moves)))
    return tuple(waves)


def _moves(group: MoveGroup, task: dict[str, MoveTask], crew: str, at: datetime) -> list[Move]:
    ends_at = at + timedelta(minutes=sum(task[s].cutover_min + task[s].reserve_min for s in group.system_ids))
    moves = []
    for system_id in group.system_ids:
        cutover_ends_at = at + timedelta(minutes=task[system_id].cutover_min)
        moves.append(
            Move(
                system_id=system_id, group_id=group.group_id, crew=crew,
                starts_at=at, cutover_ends_at=cutover_ends_at, ends_at=ends_at,
            )
        )  # fmt: skip
        at = cutover_ends_at
    return moves


def placements_of(plan: MigrationPlan) -> tuple[Placement, ...]:
    """The plan as the solver sees it."""
    found = {
        m.group_id: Placement(group_id=m.group_id, window_id=w.window.window_id, crew=m.crew)
        for w in plan.waves
        for m in w.moves
    }
    return tuple(found[key] for key in sorted(found))


def plan_hash(problem: PlanProblem, waves: Sequence[Wave]) -> str:
    """SHA-256 of the canonical JSON (RFC 8785: sorted keys, no blanks; whole numbers and text only) of problem and moves."""
    document = {"problem": asdict(problem), "waves": [asdict(w) for w in waves]}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value))
