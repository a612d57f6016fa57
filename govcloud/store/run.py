"""Runs and where each of their systems is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from govcloud.model.run import ENDED, MOVED, Run, RunSystem, SystemState, WaitKind
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant
from govcloud.store.inventory import chunks


def add_run(tx: Connection, run: Run, systems: Iterable[RunSystem]) -> None:
    tx.execute(
        insert(schema.run).values(
            run_id=run.run_id, plan_id=run.plan_id, scope_hash=run.scope_hash, created_at=instant(run.created_at),
            created_by=run.created_by, body=encode(run),
        )
    )  # fmt: skip
    tx.execute(insert(schema.run_system), [_values(system) for system in systems])


def load_run(tx: Connection, run_id: str) -> Run | None:
    body = tx.execute(select(schema.run.c.body).where(schema.run.c.run_id == run_id)).scalar()
    return None if body is None else decode(body, Run)


def runs(tx: Connection, *, limit: int | None = None, offset: int = 0) -> list[Run]:
    """The newest first."""
    query = select(schema.run.c.body).order_by(schema.run.c.created_at.desc(), schema.run.c.run_id.desc())
    return [decode(body, Run) for body in tx.execute(query.limit(limit).offset(offset)).scalars()]


def count_runs(tx: Connection) -> int:
    return int(tx.execute(select(func.count()).select_from(schema.run)).scalar() or 0)


def runs_waiting(tx: Connection, kind: WaitKind) -> set[str]:
    """Ids of runs in which a system waits for this."""
    table = schema.run_system
    waiting = select(table.c.run_id).distinct().where(table.c.state.not_in(ENDED), table.c.wait_kind == kind)
    return set(tx.execute(waiting).scalars())


def standing(tx: Connection, run_id: str) -> tuple[tuple[Any, ...], ...]:
    """Where its systems are, without their files: differs from before when anything has moved."""
    table = schema.run_system
    columns = (table.c.system_id, table.c.state, table.c.wait_kind, table.c.leg)
    query = select(*columns).where(table.c.run_id == run_id).order_by(table.c.position)
    return tuple(tuple(row) for row in tx.execute(query))


def runs_of(tx: Connection, systems: Iterable[str]) -> set[str]:
    """Ids of all runs that any of the systems was in."""
    table = schema.run_system
    found: set[str] = set()
    for some in chunks(sorted(systems)):
        found |= set(tx.execute(select(table.c.run_id).where(table.c.system_id.in_(some))).scalars())
    return found


def run_systems(
    tx: Connection, run_id: str | None = None, states: Sequence[SystemState] | None = None
) -> list[RunSystem]:
    """By run and position. `states`: only those."""
    table = schema.run_system
    query = select(table.c.body).order_by(table.c.run_id, table.c.position)
    if run_id is not None:
        query = query.where(table.c.run_id == run_id)
    if states is not None:
        query = query.where(table.c.state.in_(states))
    return [decode(body, RunSystem) for body in tx.execute(query).scalars()]


def load_run_system(tx: Connection, run_id: str, system_id: str) -> RunSystem | None:
    table = schema.run_system
    body = tx.execute(select(table.c.body).where(table.c.run_id == run_id, table.c.system_id == system_id)).scalar()
    return None if body is None else decode(body, RunSystem)


def states(tx: Connection, run_id: str) -> dict[str, SystemState]:
    """System -> state, by position; without decoding the specs."""
    table = schema.run_system
    rows = tx.execute(
        select(table.c.system_id, table.c.state).where(table.c.run_id == run_id).order_by(table.c.position)
    )
    return {row.system_id: row.state for row in rows}


def fates(tx: Connection, run_id: str, systems: Sequence[str]) -> dict[str, SystemState]:
    """System -> state, by position: those named, and all of the run that failed or were rolled back."""
    table = schema.run_system
    of_run = select(table.c.position, table.c.system_id, table.c.state).where(table.c.run_id == run_id)
    # Two queries, each by its own index: asked for at once, SQLite reads all of the run.
    found = list(tx.execute(of_run.where(table.c.state.in_(("failed", "rolled_back")))))
    if systems:
        found += tx.execute(of_run.where(table.c.system_id.in_(systems)))
    return {row.system_id: row.state for row in sorted(found, key=lambda row: row.position)}


def is_under_way(tx: Connection, run_id: str) -> bool:
    """Whether any system of the run is on its way, forth or back."""
    table = schema.run_system
    moving = select(table.c.run_id).where(table.c.run_id == run_id, table.c.state.in_(("running", "rolling_back")))
    return tx.execute(moving.limit(1)).first() is not None


def busy(tx: Connection, systems: Sequence[str]) -> dict[str, str]:
    """System -> run in which it is not settled yet."""
    table = schema.run_system
    query = select(table.c.system_id, table.c.run_id).where(
        table.c.system_id.in_(systems), table.c.state.not_in(ENDED | MOVED)
    )
    return {row.system_id: row.run_id for row in tx.execute(query)}


def update_run_system(tx: Connection, system: RunSystem, *, leg: int) -> bool:
    """Store the row if its leg is still `leg`; False: somebody else has gone on, nothing was written."""
    table = schema.run_system
    done = tx.execute(
        update(table)
        .where(table.c.run_id == system.run_id, table.c.system_id == system.system_id, table.c.leg == leg)
        .values(**_values(system))
    )
    return done.rowcount == 1


def _values(system: RunSystem) -> dict[str, object]:
    return {
        "run_id": system.run_id, "system_id": system.system_id, "position": system.position, "state": system.state,
        "zone": system.zone, "wait_kind": system.wait.kind if system.wait else None, "leg": system.leg,
        "body": encode(system),
    }  # fmt: skip
