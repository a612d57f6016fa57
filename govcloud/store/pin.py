"""Pins of the plan: kept for ever, changed once at most, when one is withdrawn. The caller writes the ledger record."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from govcloud.model.plan_pin import PlanPin
from govcloud.store import schema
from govcloud.store.codec import decode, encode


def add_pin(tx: Connection, pin: PlanPin) -> None:
    tx.execute(insert(schema.plan_pin).values(pin_id=pin.pin_id, system_id=pin.system_id, body=encode(pin)))


def withdraw_pin(tx: Connection, pin: PlanPin) -> None:
    table = schema.plan_pin
    tx.execute(update(table).where(table.c.pin_id == pin.pin_id).values(withdrawn=1, body=encode(pin)))


def list_pins(tx: Connection, *, withdrawn: bool = False) -> list[PlanPin]:
    """Those in force, by system; `withdrawn`: the others as well."""
    table = schema.plan_pin
    rows = select(table.c.body) if withdrawn else select(table.c.body).where(table.c.withdrawn == 0)
    found = [decode(body, PlanPin) for body in tx.execute(rows).scalars()]
    return sorted(found, key=lambda p: (p.system_id, p.recorded_at))
