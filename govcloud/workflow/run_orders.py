"""What people order: hold, resume, cancel, roll back, accept, switch off, review, and decide on attempts.

An order is a row with its ledger record. Where the system is at rest, the state that follows from it is written in the same
transaction; where a step is under way, it counts when that ends. Nothing here touches a host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from govcloud.errors import NotAllowed, UsageError
from govcloud.execution.gates import person_problem, review_problem, role_of, unreviewed, word_problem
from govcloud.execution.history import source_touched
from govcloud.execution.journal import Seen
from govcloud.execution.machine import Act, Ended, next_move, open_question
from govcloud.execution.orders import choice_problem, order_problem, resumable
from govcloud.execution.rules import ExecutionRules
from govcloud.model.account import Action
from govcloud.model.gate import Choice, Order, OrderKind
from govcloud.model.run import ENDED, RunSystem, SystemState
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An order that was recorded, and where the system is now."""

    order: Order
    state: SystemState
    note: Text | None = None


def hold(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """No further step begins. Without `systems`: of the whole run. Raises UsageError where there is nothing to hold."""
    return _give(session, run_id, "hold", systems, reason)


def cancel(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """Give up: the step under way is stopped, and what was begun is undone."""
    return _give(session, run_id, "cancel", systems, reason)


def roll_back(session: Session, run_id: str, system_id: str, *, reason: str | None = None) -> Given:
    """Let the source serve again. Raises UsageError before the freeze and after acceptance."""
    return _give(session, run_id, "rollback", [system_id], reason)[0]


def accept(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """The trial run has been passed: from now on there is no way back."""
    return _give(session, run_id, "accept", systems, reason, action="approve", sign=True)


def switch_off(session: Session, run_id: str, systems: Sequence[str] = (), *, reason: str | None = None) -> list[Given]:
    """The sources may go: their services are stopped for good, their data stays."""
    return _give(session, run_id, "switch_off", systems, reason, sign=True)


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
            if not (note or resumable(seen)):
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
    number: int | None = None,
    reason: str | None = None,
) -> Given:
    """A person's word on the attempt that the system waits for; `number`: the one that the person was shown.

    Raises UsageError when it waits for none of that step.
    """
    with recorded_refusals(session, "run decide", run_id=run_id), writing(session) as tx:
        journal = StoreJournal(session, "")
        _rows(tx, run_id, [system_id])
        seen = journal.seen_in(tx, run_id, system_id)
        question = open_question(seen, journal.steps, journal.rules)
        about = question.about if question else None
        if about is None or (about.step, about.phase) != (step, phase) or number not in (None, about.number):
            waiting = f"{about.step} {about.phase} #{about.number}" if about else "—"
            raise UsageError(
                Text("这一步不在等待决定；等待中的是：{w}", "This step waits for no decision; waiting: {w}").format(
                    w=waiting
                ),
                where=f"{run_id} {system_id} {step}",
                next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
            )
        if problem := choice_problem(choice, step, phase):
            raise _refused(run_id, system_id, problem)
        alone = choice == "rerun" and phase == "apply" and not journal.steps[step].repeatable
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
    move = next_move(seen, journal.steps, journal.rules)
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
        zone = ZoneInfo(session.workspace.settings.timezone)
        kept = holders(tx)
        if why := person_problem(session.actor, journal.rules.with_people(kept), action if kept else None):
            raise _refused(run_id, "", why, NotAllowed)
        for row in _rows(tx, run_id, systems):
            seen = journal.seen_in(tx, run_id, row.system_id)
            if why := order_problem(seen, kind, zone):
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


def _refused(run_id: str, system_id: str, why: Text, kind: type[UsageError] = UsageError) -> UsageError:
    return kind(
        why,
        where=f"{run_id} {system_id}".strip(),
        next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
    )
