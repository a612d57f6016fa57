"""What people order: hold, resume, cancel, roll back, accept, switch off, review, and decide on attempts.

An order is a row with its ledger record. Where the system is at rest, the state that follows from it is written in the same
transaction; where a step is under way, it counts when that ends. Nothing here touches a host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from govcloud.errors import NotAllowed, UsageError
from govcloud.execution.gates import person_problem, review_problem, role_of, unreviewed, word_problem
from govcloud.execution.history import is_held, last_order, source_touched
from govcloud.execution.journal import Seen
from govcloud.execution.machine import Act, Ended, next_move, open_question
from govcloud.execution.rules import ExecutionRules
from govcloud.execution.steps import load_steps
from govcloud.model.account import Action
from govcloud.model.gate import Order, OrderKind
from govcloud.model.run import ENDED, RunSystem, SystemState, WaitKind
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.store import gate as gate_store
from govcloud.store import run as run_store
from govcloud.workflow.accounts import recorded_refusals
from govcloud.workflow.people import holders
from govcloud.workflow.run_journal import StoreJournal, append, load, writing
from govcloud.workflow.run_journal import sign as sign_ledger
from govcloud.workflow.run_scope import adopt_scope
from govcloud.workflow.session import Session

Choice = Literal["rerun", "done", "abort"]
_RELEASED: frozenset[WaitKind] = frozenset({"wave_stop", "predecessor", "quota", "ticket", "host_key"})
"""Waits that a person's resume ends or cuts short."""
_STATES: dict[SystemState, Text] = {
    "waiting": Text("等待中", "waiting"),
    "running": Text("执行中", "running"),
    "held": Text("已暂停", "held"),
    "needs_person": Text("待人决定", "waiting for a person's decision"),
    "rolling_back": Text("回退中", "on its way back"),
    "trial": Text("试运行", "on trial"),
    "accepted": Text("已验收", "accepted"),
    "switched_off": Text("源已停用", "its source is switched off"),
    "rolled_back": Text("已回退", "rolled back"),
    "failed": Text("未成功", "failed"),
    "cancelled": Text("已取消", "cancelled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An order that was recorded, and where the system is now."""

    order: Order
    state: SystemState
    note: Text | None = None


def hold(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """No further step begins. Without `systems`: of the whole run. Raises UsageError where there is nothing to hold."""

    def problem(seen: Seen) -> Text | None:
        if seen.system.state in ("trial", "accepted"):
            return Text("已在新平台服务，没有待执行的步骤", "it serves from the target; no step is due")
        return Text("已暂停", "it is held already") if is_held(seen) else None

    return _give(session, run_id, "hold", systems, problem, reason)


def cancel(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """Give up: the step under way is stopped, and what was begun is undone."""

    def problem(seen: Seen) -> Text | None:
        if seen.system.state in ("trial", "accepted"):
            return Text(
                "已在新平台服务；要退回请用 run rollback", "it serves from the target; to go back use run rollback"
            )
        if seen.system.state == "rolling_back" or last_order(seen, "cancel", "rollback"):
            return Text("已在回退", "it is on its way back already")
        return None

    return _give(session, run_id, "cancel", systems, problem, reason)


def roll_back(session: Session, run_id: str, system_id: str, *, reason: str | None = None) -> Given:
    """Let the source serve again. Raises UsageError before the freeze and after acceptance."""

    def problem(seen: Seen) -> Text | None:
        if seen.system.state == "accepted" or last_order(seen, "accept"):
            return Text(
                "已验收，不能回退；须按紧急程序另行立项迁回",
                "it is accepted and can't be taken back: that would be an emergency and a new migration",
            )
        if last_order(seen, "rollback"):
            return Text("已在回退", "it is on its way back already")
        if not source_touched(seen):
            return Text(
                "源没有被动过，无需回退；放弃请用 run cancel", "the source was not touched: nothing to roll back; to give up use run cancel"
            )  # fmt: skip
        return None

    return _give(session, run_id, "rollback", [system_id], problem, reason)[0]


def accept(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """The trial run has been passed: from now on there is no way back."""

    def problem(seen: Seen) -> Text | None:
        if seen.system.state != "trial":
            return Text("不在试运行：{s}", "it is not on trial: {s}").format(s=_STATES[seen.system.state])
        until = seen.system.wait.until if seen.system.wait else None
        if until is not None and seen.now < until:
            return Text("试运行至 {d} 方可验收", "the trial lasts until {d}").format(d=_day(session, until))
        return None

    return _give(session, run_id, "accept", systems, problem, reason, action="approve", sign=True)


def switch_off(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """The sources may go: their services are stopped for good, their data stays."""

    def problem(seen: Seen) -> Text | None:
        if seen.system.state != "accepted":
            return Text("尚未验收：{s}", "it is not accepted: {s}").format(s=_STATES[seen.system.state])
        wait = seen.system.wait
        if wait is not None and wait.kind == "retention" and wait.until is not None and seen.now < wait.until:
            return Text("源须保留至 {d}", "its source is kept until {d}").format(d=_day(session, wait.until))
        return None

    return _give(session, run_id, "switch_off", systems, problem, reason, sign=True)


def review(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """An emergency was looked at afterwards, by a third person. `reason`: what was found."""
    given: list[Given] = []
    with recorded_refusals(session, "run review", run_id=run_id), writing(session) as tx:
        journal = StoreJournal(session, "")
        for row in _rows(tx, run_id, systems):
            seen = journal.seen_in(tx, run_id, row.system_id)
            for gate in seen.gates:
                answers = seen.answers.get(gate.gate_id, ())
                if not unreviewed(answers, gate, seen.orders):
                    continue
                rules = journal.rules.with_people(seen.holders)
                if problem := review_problem(session.actor, seen.run, answers, rules):
                    raise _refused(run_id, row.system_id, problem, NotAllowed)
                order = _order(tx, journal, seen, "review", reason, step=gate.step)
                given.append(Given(order=order, state=row.state))
        if not given:
            raise UsageError(
                Text("没有待复核的紧急批准", "No emergency is due for review"),
                where=" ".join((run_id, *systems)),
                next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
            )
        sign_ledger(session, tx)
    return given


def resume(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """Take back holds, release what waits for a person's resume, and take over what has changed since: unused approvals of
    those systems are void then and are asked for again. Systems that wait for nothing of the kind are left alone."""
    given: list[Given] = []
    with writing(session) as tx:
        journal = StoreJournal(session, "")
        for row in _rows(tx, run_id, systems):
            if row.state in ENDED:
                continue
            seen = journal.seen_in(tx, run_id, row.system_id)
            note = None
            if seen.changed and not source_touched(seen):
                begun = {a.key.step for a in seen.attempts} - {"precheck"}
                note = adopt_scope(tx, journal.scope, seen.run, row, begun=bool(begun))
                append(
                    tx,
                    session,
                    seen.run,
                    "run_scope",
                    {"parts": list(seen.changed), "begun": bool(begun)},
                    row.system_id,
                )
            kind = row.wait.kind if row.wait else None
            if not (is_held(seen) or note or kind in _RELEASED):
                continue
            stopped = kind in ("wave_stop", "predecessor")
            failed = [s for s in seen.others.values() if s in ("failed", "rolled_back")]
            order = _order(
                tx, journal, seen, "resume", reason, step="freeze" if stopped else None, attempt=len(failed) if stopped else None
            )  # fmt: skip
            given.append(Given(order=order, state=reconsider(tx, journal, run_id, row.system_id), note=note))
    return given


def decide(
    session: Session,
    run_id: str,
    system_id: str,
    step: StepName,
    choice: Choice,
    *,
    phase: Phase = "apply",
    reason: str | None = None,
) -> Given:
    """A person's word on the attempt that the system waits for. Raises UsageError when it waits for none of that step."""
    with recorded_refusals(session, "run decide", run_id=run_id), writing(session) as tx:
        journal = StoreJournal(session, "")
        _rows(tx, run_id, [system_id])
        seen = journal.seen_in(tx, run_id, system_id)
        steps = load_steps()
        question = open_question(seen, steps, journal.rules)
        about = question.about if question else None
        if about is None or (about.step, about.phase) != (step, phase):
            waiting = f"{about.step} {about.phase}" if about else "—"
            raise UsageError(
                Text("这一步不在等待决定；等待中的是：{w}", "This step waits for no decision; waiting: {w}").format(
                    w=waiting
                ),
                where=f"{run_id} {system_id} {step}",
                next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
            )
        if problem := _choice_problem(choice, step, phase):
            raise _refused(run_id, system_id, problem)
        alone = choice == "rerun" and phase == "apply" and not steps[step].repeatable
        rules = journal.rules.with_people(seen.holders)
        if problem := word_problem(session.actor, seen.run, rules, repeats_once_only=alone):
            raise _refused(run_id, system_id, problem, NotAllowed)
        order = _order(tx, journal, seen, choice, reason, step=step, phase=phase, attempt=about.number)
        if alone:
            sign_ledger(session, tx)
        return Given(order=order, state=reconsider(tx, journal, run_id, system_id))


def reconsider(tx: Connection, journal: StoreJournal, run_id: str, system_id: str) -> SystemState:
    """Write what follows at once from what a person has just said; the steps that follow are begun by a worker.

    While a step is under way nothing is written: the leg asks when it has ended.
    """
    seen = journal.seen_in(tx, run_id, system_id)
    row = seen.system
    live = any(a.result is None for a in seen.attempts)
    if row.state in ENDED or live or (row.state in ("running", "rolling_back") and row.wait is None):
        return row.state
    move = next_move(seen, load_steps(), journal.rules)
    if isinstance(move, Act):
        due = row if row.wait is not None and row.wait.kind in ("slot", "zone") else None
        return row.state if due and journal.enter_in(tx, row, row.state, row.wait) else _due(tx, journal, row)
    if isinstance(move, Ended):
        journal.enter_in(tx, row, move.state, None)
        return move.state
    if move.opens is not None:
        journal.open_gate_in(tx, move.opens)
    step = move.wait.step if move.wait is not None and move.wait.step is not None else row.step
    journal.enter_in(tx, replace(row, step=step), move.state, move.wait)
    return move.state


def _due(tx: Connection, journal: StoreJournal, row: RunSystem) -> SystemState:
    journal.enter_in(tx, row, "waiting", None)
    return "waiting"


def _give(
    session: Session,
    run_id: str,
    kind: OrderKind,
    systems: Sequence[str],
    problem: Callable[[Seen], Text | None],
    reason: str | None,
    *,
    action: Action = "operate",
    sign: bool = False,
) -> list[Given]:
    """One transaction for all. A system that is named must be able to follow; of a whole run those that can do. `action`:
    what a holder of an account must be allowed; people of the settings have to be listed, no more."""
    given: list[Given] = []
    refused: list[tuple[str, Text]] = []
    with recorded_refusals(session, f"run {kind}", run_id=run_id), writing(session) as tx:
        journal = StoreJournal(session, "")
        kept = holders(tx)
        if why := person_problem(session.actor, journal.rules.with_people(kept), action if kept else None):
            raise _refused(run_id, "", why, NotAllowed)
        for row in _rows(tx, run_id, systems):
            seen = journal.seen_in(tx, run_id, row.system_id)
            ended = Text("已结束：{s}", "it is over: {s}").format(s=_STATES[row.state]) if row.state in ENDED else None
            if why := ended or _older(seen, kind) or problem(seen):
                refused.append((row.system_id, why))
                continue
            order = _order(tx, journal, seen, kind, reason)
            given.append(Given(order=order, state=reconsider(tx, journal, run_id, row.system_id)))
        if refused and (systems or not given):
            raise _refused(run_id, *refused[0])
        if sign:
            sign_ledger(session, tx)
    return given


def _order(
    tx: Connection,
    journal: StoreJournal,
    seen: Seen,
    kind: OrderKind,
    reason: str | None,
    *,
    step: StepName | None = None,
    phase: Phase | None = None,
    attempt: int | None = None,
) -> Order:
    session, run = journal.session, seen.run
    unit, role = capacity(session, journal.rules)
    order = Order(
        number=gate_store.next_order_number(tx, run.run_id), run_id=run.run_id, system_id=seen.system.system_id, kind=kind,
        step=step, phase=phase, attempt=attempt, actor=session.actor, unit=unit, role=role, at=session.now(), reason=reason,
    )  # fmt: skip
    gate_store.add_order(tx, order)
    body = {
        "order": kind, "step": step, "phase": phase, "attempt": attempt, "unit": unit, "role": role, "reason": reason,
        "state": seen.system.state,
    }  # fmt: skip
    append(tx, session, run, "order", body, order.system_id)
    return order


def capacity(session: Session, rules: ExecutionRules) -> tuple[str, str]:
    """Unit and role in which the one who acts says it: by his account, else as the settings list him."""
    acting = session.acting
    return role_of(session.actor, rules) if acting.roles is None else (acting.unit, acting.role)


def _rows(tx: Connection, run_id: str, systems: Sequence[str]) -> list[RunSystem]:
    run = load(tx, run_id)
    if missing := sorted(set(systems) - set(run.systems)):
        raise UsageError(
            Text("这次执行中没有：{s}", "Not in this run: {s}").format(s=", ".join(missing)),
            where=run_id,
            next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
        )
    return [row for row in run_store.run_systems(tx, run_id) if not systems or row.system_id in systems]


def _day(session: Session, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(session.workspace.settings.timezone)):%Y-%m-%d %H:%M}"


def _older(seen: Seen, kind: OrderKind) -> Text | None:
    if "older_version" in seen.run.settings and seen.system.state == "needs_person" and kind != "rollback":
        return Text("由旧版本开始，只能回退", "begun by an older version; only the way back is possible")
    return None


def _choice_problem(choice: Choice, step: StepName, phase: Phase) -> Text | None:
    if choice == "done" and step == "precheck":
        return Text("检查不能以人的判断代替", "A check can't be replaced by a person's word")
    if choice == "abort" and phase == "rollback":
        return Text(
            "回退不能半途放弃：修复后 rerun，或手工做完后 done",
            "A way back can't be given up half-way: repair and rerun, or do it by hand and say done",
        )
    return None


def _refused(run_id: str, system_id: str, why: Text, kind: type[UsageError] = UsageError) -> UsageError:
    return kind(
        why,
        where=f"{run_id} {system_id}".strip(),
        next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
    )
