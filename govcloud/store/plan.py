"""Plans, kept for ever: a new plan never replaces an old one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, insert, select

from govcloud.errors import UsageError
from govcloud.model.plan import MigrationPlan
from govcloud.model.plan_summary import PlanHead
from govcloud.model.text import Text
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant

_NEWEST = (schema.plan.c.created_at.desc(), schema.plan.c.plan_id)


def add_plan(tx: Connection, plan: MigrationPlan) -> None:
    tx.execute(
        insert(schema.plan).values(
            plan_id=plan.plan_id, created_at=instant(plan.created_at), plan_hash=plan.plan_hash,
            what_if=int(bool(plan.what_if)), body=encode(plan),
        )
    )  # fmt: skip


def has_plan(tx: Connection, plan_id: str) -> bool:
    return tx.execute(select(schema.plan.c.plan_id).where(schema.plan.c.plan_id == plan_id)).scalar() is not None


def load_plan(tx: Connection, plan_id: str) -> MigrationPlan | None:
    """Raises UsageError for a plan that an older version has made."""
    return _one(tx, select(schema.plan.c.plan_id, schema.plan.c.body).where(schema.plan.c.plan_id == plan_id))


def latest_plan(tx: Connection) -> MigrationPlan | None:
    """Trials are never the latest plan. Raises UsageError as load_plan does."""
    table = schema.plan
    return _one(tx, select(table.c.plan_id, table.c.body).where(table.c.what_if == 0).order_by(*_NEWEST).limit(1))


def plan_ids(tx: Connection, *, what_if: bool = True) -> list[str]:
    """The newest first; `what_if`: trials as well."""
    rows = select(schema.plan.c.plan_id).order_by(*_NEWEST)
    return list(tx.execute(rows if what_if else rows.where(schema.plan.c.what_if == 0)).scalars())


def plan_heads(tx: Connection, *, limit: int, offset: int = 0) -> tuple[list[PlanHead], int]:
    """A page of all plans, trials too, the newest first; and how many there are."""
    table = schema.plan
    rows = select(table.c.plan_id, table.c.created_at, table.c.plan_hash, table.c.what_if)
    heads = [
        PlanHead(plan_id=r.plan_id, created_at=datetime.fromisoformat(r.created_at), plan_hash=r.plan_hash, what_if=bool(r.what_if))
        for r in tx.execute(rows.order_by(*_NEWEST).limit(limit).offset(offset))
    ]  # fmt: skip
    return heads, tx.execute(select(func.count()).select_from(table)).scalar_one()


def hash_of(tx: Connection, plan_id: str) -> str | None:
    return tx.execute(select(schema.plan.c.plan_hash).where(schema.plan.c.plan_id == plan_id)).scalar()


def hashes_naming(tx: Connection, systems: Iterable[str]) -> set[str]:
    """Of the plans that say something of any of the systems: placed, left out or not placed. One body at a time in memory."""
    wanted = [encode(system_id) for system_id in systems]
    rows = tx.execute(select(schema.plan.c.plan_hash, schema.plan.c.body), execution_options={"yield_per": 1})
    return {row.plan_hash for row in rows if any(name in row.body for name in wanted)}


def _one(tx: Connection, query: Select[Any]) -> MigrationPlan | None:
    row = tx.execute(query).first()
    if row is None:
        return None
    plan_id, body = row
    try:
        return decode(body, MigrationPlan)
    except msgspec.ValidationError:
        raise UsageError(
            Text("这个计划由旧版本生成，本版本不能读取", "An older version has made this plan; this one can't read it"),
            where=plan_id,
            next_step=Text("重新排期：govcloud plan build", "Plan again: govcloud plan build"),
        ) from None
