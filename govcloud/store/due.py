"""What the dispatcher looks at every second: where the systems of open runs stand, without their migration files."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from govcloud.model.run import ENDED
from govcloud.store import schema


def open_rows(tx: Connection) -> list[tuple[Any, ...]]:
    """run_id, system_id, position, state, zone, wait_kind, leg, newest order (0: none), answers at its gates; by run and
    position. All systems of every run in which one has not ended: how the others fare decides for some."""
    system, order, gate, answer = schema.run_system, schema.run_order, schema.gate, schema.gate_answer
    runs = select(system.c.run_id).where(system.c.state.not_in(ENDED)).distinct()
    orders = (
        select(order.c.run_id, order.c.system_id, func.max(order.c.number).label("newest"))
        .where(order.c.run_id.in_(runs))
        .group_by(order.c.run_id, order.c.system_id)
        .subquery()
    )
    answers = (
        select(gate.c.run_id, gate.c.system_id, func.count().label("given"))
        .join(answer, answer.c.gate_id == gate.c.gate_id)
        .where(gate.c.run_id.in_(runs))
        .group_by(gate.c.run_id, gate.c.system_id)
        .subquery()
    )
    query = (
        select(
            system.c.run_id, system.c.system_id, system.c.position, system.c.state, system.c.zone, system.c.wait_kind,
            system.c.leg, func.coalesce(orders.c.newest, 0), func.coalesce(answers.c.given, 0),
        )
        .outerjoin(orders, (orders.c.run_id == system.c.run_id) & (orders.c.system_id == system.c.system_id))
        .outerjoin(answers, (answers.c.run_id == system.c.run_id) & (answers.c.system_id == system.c.system_id))
        .where(system.c.run_id.in_(runs))
        .order_by(system.c.run_id, system.c.position)
    )  # fmt: skip
    return [tuple(row) for row in tx.execute(query)]
