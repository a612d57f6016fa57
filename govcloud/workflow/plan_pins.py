"""Fix systems in the plan by hand, and what the planner must leave where it is: pins, approved waves, what has happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from govcloud.errors import UsageError
from govcloud.model.ids import build_id
from govcloud.model.ledger import LedgerEntry
from govcloud.model.plan_pin import PlanEdit, PlanPin
from govcloud.model.plan_problem import Pin
from govcloud.model.text import Text
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import pin as pin_store
from govcloud.store import plan as plan_store
from govcloud.store import run as run_store
from govcloud.workflow.session import Session


def add_pins(session: Session, edits: Sequence[PlanEdit], reason: str) -> tuple[PlanPin, ...]:
    """One transaction for all. A new pin of a system takes the place of its earlier one.

    Raises UsageError without a reason and for systems that are not in the inventory.
    """
    words = " ".join(reason.split())
    if not words:
        raise UsageError(
            Text("没有写理由", "No reason is given"), next_step=Text("用 --reason 写明", "Give it with --reason")
        )
    at = session.now()
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        known = {s.system_id for s in inventory_store.load_part(tx, {"system"}).systems}
        if unknown := sorted({e.system_id for e in edits} - known):
            raise UsageError(Text("清单中没有这个系统", "No such system in the inventory"), where=", ".join(unknown))
        before = pin_store.list_pins(tx, withdrawn=True)
        made = []
        for edit in edits:
            count = sum(p.system_id == edit.system_id for p in before)
            pin = PlanPin(
                pin_id=build_id("PN", edit.system_id, str(count)), system_id=edit.system_id, opens_on=edit.opens_on,
                crew=edit.crew, reason=words, recorded_by=session.actor, recorded_at=at,
            )  # fmt: skip
            for old in before:
                if old.system_id == edit.system_id and old.withdrawn_at is None:
                    _withdraw(
                        session, tx, old, Text("由 {p} 取代", "replaced by {p}").format(p=pin.pin_id).to(session.lang)
                    )
            pin_store.add_pin(tx, pin)
            _record(session, tx, pin, "add", {"reason": words})
            made.append(pin)
    return tuple(made)


def withdraw_pins(session: Session, system_ids: Collection[str], reason: str) -> tuple[PlanPin, ...]:
    """Raises UsageError for a system that no pin holds."""
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        held = {p.system_id: p for p in pin_store.list_pins(tx)}
        if missing := sorted(set(system_ids) - set(held)):
            raise UsageError(
                Text("没有固定这个系统", "No pin holds this system"), where=", ".join(missing),
                next_step=Text("运行 govcloud plan pins 查看", "govcloud plan pins shows them"),
            )  # fmt: skip
        return tuple(_withdraw(session, tx, held[s], " ".join(reason.split())) for s in sorted(set(system_ids)))


def list_pins(session: Session, *, withdrawn: bool = False) -> tuple[PlanPin, ...]:
    with session.store.read() as tx:
        return tuple(pin_store.list_pins(tx, withdrawn=withdrawn))


def left_out(pins: Iterable[PlanPin]) -> Mapping[str, Text]:
    """Systems that people keep out of the plan, with the reason."""
    return {
        p.system_id: Text("人工决定暂不排入：{r}（{who}）", "Left out by hand: {r} ({who})").format(r=p.reason, who=p.recorded_by)
        for p in pins if p.opens_on is None
    }  # fmt: skip


def fixed_moves(session: Session, pins: Iterable[PlanPin]) -> tuple[Pin, ...]:
    """For the planner: what runs have carried out, waves that were approved, then the pins; the first word on a system counts.

    The group id is that of the system: the planner looks its group up.
    """
    fixed = {p.group_id: p for p in _carried_out(session)}
    for pin in pins:
        if pin.opens_on is not None and pin.system_id not in fixed:
            fixed[pin.system_id] = Pin(group_id=pin.system_id, opens_on=pin.opens_on, crew=pin.crew, reason=pin.reason)
    return tuple(fixed[key] for key in sorted(fixed))


def _carried_out(session: Session) -> Iterable[Pin]:
    zone = ZoneInfo(session.workspace.settings.timezone)
    with session.store.read() as tx:
        for run in run_store.runs(tx):
            plan = plan_store.load_plan(tx, run.plan_id) if run.plan_id else None
            at = {s: w.window.opens_on for w in plan.waves for m in w.moves for s in (m.system_id,)} if plan else {}
            crews = {m.system_id: m.crew for w in plan.waves for m in w.moves} if plan else {}
            approval = run_store.approval(tx, run.run_id)
            for system_id in run.systems:
                done = run.outcomes.get(system_id) == "done"
                day = _cutover_on(tx, run.run_id, system_id, zone) if done else at.get(system_id)
                granted = approval is not None and approval.approved and run.outcomes.get(system_id) is None
                if day is not None and (done or granted):
                    yield Pin(
                        group_id=system_id, opens_on=day, crew=crews.get(system_id),
                        reason=run.run_id, source="executed" if done else "approved",
                    )  # fmt: skip


def _cutover_on(tx: Connection, run_id: str, system_id: str, zone: ZoneInfo) -> date | None:
    ends = [
        a.result.finished_at for a in run_store.attempts(tx, run_id)
        if a.system_id == system_id and a.step == "cutover" and a.result is not None and a.result.finished_at is not None
    ]  # fmt: skip
    return max(ends).astimezone(zone).date() if ends else None


def _withdraw(session: Session, tx: Connection, pin: PlanPin, reason: str) -> PlanPin:
    gone = replace(pin, withdrawn_at=session.now(), withdrawn_by=session.actor, withdrawn_reason=reason)
    pin_store.withdraw_pin(tx, gone)
    _record(session, tx, gone, "withdraw", {"reason": reason})
    return gone


def _record(session: Session, tx: Connection, pin: PlanPin, what: str, body: Mapping[str, object]) -> None:
    known = {
        "what": what, "pin_id": pin.pin_id, "system_id": pin.system_id, "crew": pin.crew,
        "opens_on": pin.opens_on.isoformat() if pin.opens_on else None,
    }  # fmt: skip
    ledger_store.append(tx, LedgerEntry(
        kind="plan_pin", actor=session.actor, at=session.now(), subject_id=pin.system_id, body=known | dict(body),
    ))  # fmt: skip
