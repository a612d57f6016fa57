"""Runs, what was approved, and the attempts. An attempt's result is written once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from govcloud.model.run import Approval, Attempt, Run
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant


def add_run(tx: Connection, run: Run) -> None:
    tx.execute(
        insert(schema.run).values(
            run_id=run.run_id, status=run.status, plan_hash=run.scope_hash, created_at=instant(run.created_at),
            created_by=run.created_by, body=encode(run),
        )
    )  # fmt: skip


def update_run(tx: Connection, run: Run) -> None:
    table = schema.run
    tx.execute(update(table).where(table.c.run_id == run.run_id).values(status=run.status, body=encode(run)))


def load_run(tx: Connection, run_id: str) -> Run | None:
    body = tx.execute(select(schema.run.c.body).where(schema.run.c.run_id == run_id)).scalar()
    return None if body is None else decode(body, Run)


def runs(tx: Connection) -> list[Run]:
    """The newest first."""
    rows = tx.execute(select(schema.run.c.body).order_by(schema.run.c.created_at.desc(), schema.run.c.run_id.desc()))
    return [decode(body, Run) for body in rows.scalars()]


def add_approval(tx: Connection, approval: Approval) -> None:
    tx.execute(
        insert(schema.approval).values(
            run_id=approval.run_id, actor=approval.actor, plan_hash=approval.scope_hash, at=instant(approval.at),
            decision="approved" if approval.approved else "refused", reason=approval.reason,
        )
    )  # fmt: skip


def approval(tx: Connection, run_id: str) -> Approval | None:
    """The answer to the run's request; the first one counts."""
    table = schema.approval
    row = tx.execute(select(table).where(table.c.run_id == run_id).order_by(table.c.at).limit(1)).first()
    if row is None:
        return None
    return Approval(
        run_id=row.run_id, actor=row.actor, scope_hash=row.plan_hash, at=datetime.fromisoformat(row.at),
        approved=row.decision == "approved", reason=row.reason,
    )  # fmt: skip


def add_attempt(tx: Connection, attempt: Attempt) -> None:
    tx.execute(
        insert(schema.attempt).values(
            run_id=attempt.run_id, system_id=attempt.system_id, step=attempt.step, attempt=attempt.number,
            status="running", executor=attempt.executor, claimed_at=instant(attempt.claimed_at), body=encode(attempt),
        )
    )  # fmt: skip


def finish_attempt(tx: Connection, attempt: Attempt) -> None:
    """Store the result of an attempt that has none yet."""
    if attempt.result is None or attempt.result.finished_at is None:
        raise ValueError("an attempt ends with a result and its time")
    tx.execute(
        update(schema.attempt)
        .where(*_key(attempt.run_id, attempt.system_id, attempt.step, attempt.number))
        .where(schema.attempt.c.finished_at.is_(None))
        .values(status=attempt.result.status, finished_at=instant(attempt.result.finished_at), body=encode(attempt))
    )


def load_attempt(tx: Connection, run_id: str, system_id: str, step: str, number: int) -> Attempt | None:
    table = schema.attempt
    body = tx.execute(select(table.c.body).where(*_key(run_id, system_id, step, number))).scalar()
    return None if body is None else decode(body, Attempt)


def attempts(tx: Connection, run_id: str) -> list[Attempt]:
    """In the order in which they were claimed."""
    table = schema.attempt
    return _decoded(
        tx.execute(select(table.c.body).where(table.c.run_id == run_id).order_by(table.c.claimed_at)).scalars()
    )


def open_attempts(tx: Connection, system_id: str) -> list[Attempt]:
    """Attempts of a system, in any run, that have no result."""
    table = schema.attempt
    query = select(table.c.body).where(table.c.system_id == system_id, table.c.finished_at.is_(None))
    return _decoded(tx.execute(query).scalars())


def _decoded(bodies: Iterable[str]) -> list[Attempt]:
    return [decode(body, Attempt) for body in bodies]


def _key(run_id: str, system_id: str, step: str, number: int) -> tuple[Any, ...]:
    c = schema.attempt.c
    return c.run_id == run_id, c.system_id == system_id, c.step == step, c.attempt == number
