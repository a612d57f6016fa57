"""Plans, kept for ever: a new plan never replaces an old one."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from govcloud.model.plan import MigrationPlan
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant


def add_plan(tx: Connection, plan: MigrationPlan) -> None:
    tx.execute(
        insert(schema.plan).values(
            plan_id=plan.plan_id, created_at=instant(plan.created_at), plan_hash=plan.plan_hash, body=encode(plan)
        )
    )


def has_plan(tx: Connection, plan_id: str) -> bool:
    return tx.execute(select(schema.plan.c.plan_id).where(schema.plan.c.plan_id == plan_id)).scalar() is not None


def load_plan(tx: Connection, plan_id: str) -> MigrationPlan | None:
    body = tx.execute(select(schema.plan.c.body).where(schema.plan.c.plan_id == plan_id)).scalar()
    return None if body is None else decode(body, MigrationPlan)


def latest_plan(tx: Connection) -> MigrationPlan | None:
    table = schema.plan
    body = tx.execute(select(table.c.body).order_by(table.c.created_at.desc(), table.c.plan_id).limit(1)).scalar()
    return None if body is None else decode(body, MigrationPlan)


def plan_ids(tx: Connection) -> list[str]:
    """The newest first."""
    table = schema.plan
    return list(tx.execute(select(table.c.plan_id).order_by(table.c.created_at.desc(), table.c.plan_id)).scalars())
