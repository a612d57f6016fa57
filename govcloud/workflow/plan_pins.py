"""Fix systems in the plan by hand, and what the planner must leave where it is: pins, approved waves, what has happened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from govcloud.errors import UsageError
from govcloud.model.gate import Answer
from govcloud.model.ids import build_id
from govcloud.model.ledger import LedgerEntry
from govcloud.model.plan_pin import PlanEdit, PlanPin
from govcloud.model.plan_problem import ChangeWindow, Pin
from govcloud.model.run import ENDED, MOVED, Run
from govcloud.model.text import Text
from govcloud.store import attempt as attempt_store
from govcloud.store import gate as gate_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import pin as pin_store
from govcloud.store import plan as plan_store
from govcloud.store import run as run_store
from govcloud.workflow.office import today
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
        if unknown := sorted({f"{e.row} {e.system_id}".strip() for e in edits if e.system_id not in known}):
            raise UsageError(
                Text("清单中没有这个系统", "No such system in the inventory"), where=", ".join(unknown),
                next_step=Text("govcloud inventory systems 列出系统编号", "govcloud inventory systems lists their ids"),
            )  # fmt: skip
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """What the planner must leave where it is, and what a person should know of it."""

    pins: tuple[Pin, ...]
    """The group id is that of the system: the planner looks its group up."""
    notes: tuple[Text, ...] = ()


def fixed_moves(session: Session, pins: Iterable[PlanPin]) -> Fixed:
    """What runs have carried out and waves that are approved and still ahead, the newest run first, then the pins; the
    first word on a system counts."""
    fixed: dict[str, Pin] = {}
    notes: list[Text] = []
    with session.store.read() as tx:
        places = cache(partial(_places, tx))
        for run in run_store.runs(tx):
            found = _of_run(session, tx, run, places)
            fixed = {p.group_id: p for p in found.pins} | fixed
            notes += found.notes
    for pin in pins:
        if pin.opens_on is not None and pin.system_id not in fixed:
            fixed[pin.system_id] = Pin(group_id=pin.system_id, opens_on=pin.opens_on, crew=pin.crew, reason=pin.reason)
    return Fixed(pins=tuple(fixed[key] for key in sorted(fixed)), notes=tuple(notes))


_Places = Mapping[str, tuple[ChangeWindow, str]]
"""System id -> its window and crew."""


def _places(tx: Connection, plan_id: str) -> _Places | None:
    """None: an older version has made the plan, and nobody knows its windows any more."""
    try:
        plan = plan_store.load_plan(tx, plan_id)
    except UsageError:
        return None
    return {m.system_id: (w.window, m.crew) for w in plan.waves for m in w.moves} if plan else {}


def _of_run(session: Session, tx: Connection, run: Run, places: Callable[[str], _Places | None]) -> Fixed:
    """Its cutovers that are over, and what was approved for a window that opens today or later."""
    states = run_store.states(tx, run.run_id)
    done = [s for s in run.systems if states[s] in MOVED]
    approved = _approved(tx, run) if run.plan_id is not None else frozenset()
    waiting = [s for s in run.systems if s in approved and states[s] not in ENDED | MOVED]
    if not done and not waiting:
        return Fixed(pins=())
    at = places(run.plan_id) if run.plan_id else {}
    known, day = at or {}, today(session)
    crews = {s: crew for s, (_, crew) in known.items()}
    ahead: dict[str, date | None] = {
        s: known[s][0].opens_on for s in waiting if s in known and known[s][0].opens_on >= day
    }
    zone = ZoneInfo(session.workspace.settings.timezone)
    over = {s: _cutover_on(tx, run, s, known[s][0] if s in known else None, zone) for s in done}
    pins = [
        Pin(group_id=s, opens_on=on, crew=crews.get(s), reason=run.run_id, source="executed" if s in over else "approved")
        for s, on in (over | ahead).items() if on is not None
    ]  # fmt: skip
    lost = [s for s in waiting if s not in ahead]
    words = _UNREADABLE if at is None else _TOO_LATE
    return Fixed(pins=tuple(pins), notes=(words.format(r=run.run_id, s=", ".join(lost)),) if lost else ())


def _approved(tx: Connection, run: Run) -> frozenset[str]:
    """Systems that somebody has approved at any of their gates, and nobody has refused."""
    answers = gate_store.answers(tx, run.run_id)
    by_system: dict[str, list[Answer]] = {}
    for gate in gate_store.gates(tx, run.run_id):
        by_system.setdefault(gate.system_id, []).extend(answers.get(gate.gate_id, ()))
    return frozenset(s for s, given in by_system.items() if given and all(a.granted for a in given))


_UNREADABLE = Text(
    "执行 {r} 已批准、尚未完成，它所依据的计划由旧版本生成，已读不出窗口，{s} 未固定，按未批准重新排期",
    "Run {r} is approved and not finished, but an older version has made its plan and the windows can't be read any more: {s} planned anew, as if nothing were approved",
)
_TOO_LATE = Text(
    "执行 {r} 批准的窗口已过，没有结果，{s} 重新排期；已经割接的，先用 govcloud run status {r} 查明并了结",
    "The window that run {r} was approved for is past and there is no outcome: {s} planned anew; where it was cut over, settle that first (govcloud run status {r})",
)


def _cutover_on(tx: Connection, run: Run, system_id: str, window: ChangeWindow | None, zone: ZoneInfo) -> date | None:
    """The day on which its window opened: a cutover may well end after midnight."""
    ends = [
        a.result.finished_at for a in attempt_store.attempts(tx, run.run_id, system_id)
        if (a.key.step, a.key.phase) == ("cutover", "apply") and a.result is not None and a.result.finished_at is not None
    ]  # fmt: skip
    if not ends or (window is not None and window.starts_at <= max(ends) <= window.ends_at):
        return window.opens_on if window else None
    return max(ends).astimezone(zone).date()


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
