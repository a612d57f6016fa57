"""Attempts of steps. At most one of a system is live, and the database sees to it; a result is written once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from govcloud.model.attempt import Attempt, AttemptKey, StepResult
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant

_table = schema.step_attempt


def next_token(tx: Connection, system_id: str) -> int:
    """Greater than that of every earlier attempt of the system, in any run."""
    last: int | None = tx.execute(select(func.max(_table.c.token)).where(_table.c.system_id == system_id)).scalar()
    return 1 + (last or 0)


def add_attempt(tx: Connection, attempt: Attempt) -> None:
    """Raises sqlalchemy.exc.IntegrityError while another attempt of the system is live."""
    tx.execute(insert(_table).values(**_key_values(attempt.key), **_values(attempt)))


def intend(tx: Connection, attempt: Attempt) -> bool:
    """From now on something may have happened. False: the attempt has been ended by others."""
    return _change(tx, replace(attempt, state="intended"), ("claimed", "intended"))


def beat(tx: Connection, attempts: Sequence[Attempt], at: datetime) -> None:
    for attempt in attempts:
        tx.execute(
            update(_table).where(*_key(attempt.key), _table.c.token == attempt.token).values(heartbeat_at=instant(at))
        )


def finish(tx: Connection, attempt: Attempt, result: StepResult) -> bool:
    """Store the result of an attempt that has none. False: it has one, or a later claim fenced this holder off."""
    if result.finished_at is None:
        raise ValueError("an attempt ends with a result and its time")
    return _change(tx, replace(attempt, state="ended", result=result), ("claimed", "intended"))


def load_attempt(tx: Connection, key: AttemptKey) -> Attempt | None:
    row = tx.execute(select(_table.c.body, _table.c.heartbeat_at).where(*_key(key))).first()
    return None if row is None else _decoded(row)


def attempts(tx: Connection, run_id: str, system_id: str | None = None) -> list[Attempt]:
    """In the order in which they were claimed."""
    query = select(_table.c.body, _table.c.heartbeat_at).where(_table.c.run_id == run_id)
    if system_id is not None:
        query = query.where(_table.c.system_id == system_id)
    return [_decoded(row) for row in tx.execute(query.order_by(_table.c.claimed_at, _table.c.token))]


def live_attempts(tx: Connection, systems: Iterable[str] | None = None) -> list[Attempt]:
    """Attempts, of any run, that have no result."""
    query = select(_table.c.body, _table.c.heartbeat_at).where(_table.c.finished_at.is_(None))
    if systems is not None:
        query = query.where(_table.c.system_id.in_(list(systems)))
    return [_decoded(row) for row in tx.execute(query)]


def keep_log(tx: Connection, key: AttemptKey, content: bytes) -> None:
    """`content`: gzip of what the attempt said, secrets masked already. The first one stays."""
    table = schema.attempt_log
    if tx.execute(select(table.c.attempt).where(table.c.attempt == key.text)).first() is None:
        tx.execute(insert(table).values(attempt=key.text, content=content))


def load_log(tx: Connection, key: AttemptKey) -> bytes | None:
    table = schema.attempt_log
    found: bytes | None = tx.execute(select(table.c.content).where(table.c.attempt == key.text)).scalar()
    return found


def _change(tx: Connection, attempt: Attempt, states: tuple[str, ...]) -> bool:
    done = tx.execute(
        update(_table)
        .where(*_key(attempt.key), _table.c.token == attempt.token, _table.c.state.in_(states))
        .values(**_values(attempt))
    )
    return done.rowcount == 1


def _decoded(row: Any) -> Attempt:
    # Heartbeats touch their column only: decoding and encoding the body for each would be waste.
    return replace(decode(row.body, Attempt), heartbeat_at=datetime.fromisoformat(row.heartbeat_at))


def _key(key: AttemptKey) -> tuple[Any, ...]:
    c = _table.c
    return (
        c.run_id == key.run_id, c.system_id == key.system_id, c.step == key.step, c.phase == key.phase,
        c.number == key.number,
    )  # fmt: skip


def _key_values(key: AttemptKey) -> dict[str, Any]:
    return {
        "run_id": key.run_id, "system_id": key.system_id, "step": key.step, "phase": key.phase, "number": key.number,
    }  # fmt: skip


def _values(attempt: Attempt) -> dict[str, Any]:
    result = attempt.result
    return {
        "token": attempt.token, "executor": attempt.executor, "machine_id": attempt.machine_id, "state": attempt.state,
        "claimed_at": instant(attempt.claimed_at), "heartbeat_at": instant(attempt.heartbeat_at),
        "status": result.status if result else None,
        "finished_at": instant(result.finished_at) if result and result.finished_at else None,
        "body": encode(attempt),
    }  # fmt: skip
