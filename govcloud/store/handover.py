"""Takeovers, each as one body. The caller writes the ledger record in the same transaction."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, insert, select, update

from govcloud.model.handover import Handover
from govcloud.model.inventory import Project
from govcloud.model.run import SystemState
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant


def save_handover(tx: Connection, handover: Handover) -> None:
    """Store a new takeover, or the new state of a known one."""
    table = schema.handover
    changed = tx.execute(
        update(table).where(table.c.handover_id == handover.handover_id).values(body=encode(handover))
    ).rowcount
    if not changed:
        tx.execute(
            insert(table).values(
                handover_id=handover.handover_id, system_id=handover.system_id,
                created_at=instant(handover.started_at), body=encode(handover),
            )
        )  # fmt: skip


def load_handover(tx: Connection, handover_id: str) -> Handover | None:
    table = schema.handover
    body = tx.execute(select(table.c.body).where(table.c.handover_id == handover_id)).scalar()
    return None if body is None else decode(body, Handover)


def list_handovers(tx: Connection) -> list[Handover]:
    """All takeovers, oldest first."""
    table = schema.handover
    rows = tx.execute(select(table.c.body).order_by(table.c.created_at, table.c.handover_id)).scalars()
    return [decode(body, Handover) for body in rows]


def handovers_of(tx: Connection, system_id: str) -> list[Handover]:
    """Those of one system, oldest first."""
    table = schema.handover
    rows = select(table.c.body).where(table.c.system_id == system_id).order_by(table.c.created_at, table.c.handover_id)
    return [decode(body, Handover) for body in tx.execute(rows).scalars()]


def moved_systems(tx: Connection, states: Collection[SystemState]) -> frozenset[str]:
    """Systems that some run has brought into one of the states."""
    table = schema.run_system
    return frozenset(tx.execute(select(table.c.system_id).where(table.c.state.in_(tuple(states)))).scalars())


def projects_of(tx: Connection, system_id: str) -> tuple[str, ...]:
    """Ids of the projects that name the system."""
    table = schema.entity
    rows = tx.execute(
        select(table.c.entity_id, table.c.body)
        .where(table.c.kind == "project", table.c.body.contains(system_id, autoescape=True))
        .order_by(table.c.entity_id)
    )
    return tuple(project_id for project_id, body in rows if system_id in decode(body, Project).systems)
