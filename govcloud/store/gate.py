"""Gates with their answers, and people's orders. Answers and orders are only ever added."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from govcloud.model.gate import Answer, Gate, Order
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant


def open_gate(tx: Connection, gate: Gate) -> None:
    """A gate that is there already stays as it is."""
    if tx.execute(select(schema.gate.c.gate_id).where(schema.gate.c.gate_id == gate.gate_id)).first() is None:
        tx.execute(
            insert(schema.gate).values(
                gate_id=gate.gate_id, run_id=gate.run_id, system_id=gate.system_id, opened_at=instant(gate.opened_at),
                body=encode(gate),
            )
        )  # fmt: skip


def gates(tx: Connection, run_id: str, system_id: str | None = None) -> list[Gate]:
    """By time of opening, used ones included."""
    table = schema.gate
    query = select(table.c.body, table.c.used_at).where(table.c.run_id == run_id)
    if system_id is not None:
        query = query.where(table.c.system_id == system_id)
    found = []
    for row in tx.execute(query.order_by(table.c.opened_at, table.c.gate_id)):
        gate = decode(row.body, Gate)
        found.append(gate if row.used_at is None else _used(gate, row.used_at))
    return found


def _used(gate: Gate, at: str) -> Gate:
    return replace(gate, used_at=datetime.fromisoformat(at))


def use_gate(tx: Connection, gate_id: str, at: datetime) -> bool:
    """The passage that the gate was good for. False: it has been used already."""
    table = schema.gate
    done = tx.execute(
        update(table).where(table.c.gate_id == gate_id, table.c.used_at.is_(None)).values(used_at=instant(at))
    )
    return done.rowcount == 1


def add_answer(tx: Connection, answer: Answer) -> None:
    """Raises sqlalchemy.exc.IntegrityError when the person has answered at this gate already."""
    tx.execute(
        insert(schema.gate_answer).values(
            gate_id=answer.gate_id,
            actor_key=answer.actor.strip().casefold(),
            at=instant(answer.at),
            body=encode(answer),
        )
    )


def answers(tx: Connection, run_id: str, system_id: str | None = None) -> dict[str, list[Answer]]:
    """Gate -> answers, by time."""
    table = schema.gate_answer
    query = (
        select(table.c.gate_id, table.c.body)
        .join(schema.gate, schema.gate.c.gate_id == table.c.gate_id)
        .where(schema.gate.c.run_id == run_id)
        .order_by(table.c.at)
    )
    if system_id is not None:
        query = query.where(schema.gate.c.system_id == system_id)
    found: dict[str, list[Answer]] = {}
    for row in tx.execute(query):
        found.setdefault(row.gate_id, []).append(decode(row.body, Answer))
    return found


def emergency_runs(tx: Connection) -> set[str]:
    """Ids of runs in which an emergency was declared at some gate."""
    table = schema.gate_answer
    found = (
        select(schema.gate.c.run_id)
        .distinct()
        .join(table, table.c.gate_id == schema.gate.c.gate_id)
        # Answers are only ever written by our own encoder, which puts no spaces.
        .where(table.c.body.like('%"emergency":true%'))
    )
    return set(tx.execute(found).scalars())


def next_order_number(tx: Connection, run_id: str) -> int:
    table = schema.run_order
    return 1 + (tx.execute(select(func.max(table.c.number)).where(table.c.run_id == run_id)).scalar() or 0)


def add_order(tx: Connection, order: Order) -> None:
    """Raises sqlalchemy.exc.IntegrityError when another order took the number."""
    tx.execute(
        insert(schema.run_order).values(
            run_id=order.run_id, number=order.number, system_id=order.system_id, body=encode(order)
        )
    )


def orders(tx: Connection, run_id: str, system_id: str | None = None) -> list[Order]:
    table = schema.run_order
    query = select(table.c.body).where(table.c.run_id == run_id)
    if system_id is not None:
        query = query.where(table.c.system_id == system_id)
    return [decode(body, Order) for body in tx.execute(query.order_by(table.c.number)).scalars()]
