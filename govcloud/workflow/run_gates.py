"""Answers at gates: who approves or refuses what, until when, and in what capacity."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from govcloud.errors import NotAllowed, UsageError
from govcloud.execution.gates import answer_problem, approver_problem
from govcloud.execution.journal import Seen
from govcloud.model.account import same_person
from govcloud.model.gate import Answer, Gate
from govcloud.model.run import ENDED, SystemState
from govcloud.model.step import StepName
from govcloud.model.text import Text
from govcloud.store import gate as gate_store
from govcloud.store import run as run_store
from govcloud.workflow.accounts import recorded_refusals
from govcloud.workflow.run_journal import StoreJournal, append, load, sign, writing
from govcloud.workflow.run_orders import capacity, reconsider
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    gate: Gate
    answer: Answer
    state: SystemState
    """Of the system now."""
    lapses_early: bool
    """The approval expires before the planned window opens."""


def answer_gates(
    session: Session,
    run_id: str,
    *,
    step: StepName | None = None,
    systems: Sequence[str] = (),
    granted: bool = True,
    emergency: bool = False,
    reason: str | None = None,
    gates: Collection[str] = (),
) -> list[Answered]:
    """Answer the open gates of a run, all of one step: for the systems named, or for all that are there. One transaction.

    `gates`: ids of those that the person was shown; what has changed since stands behind another gate and is not answered.
    Raises UsageError where the person may not, or nothing is open that he has not answered yet.
    """
    if emergency and not (reason or "").strip():
        raise UsageError(
            Text("紧急批准须写明理由", "An emergency needs a reason"),
            where=run_id,
            next_step=Text("加上 --reason 理由", "Add --reason WHY"),
        )
    with recorded_refusals(session, "run approve", run_id=run_id), writing(session) as tx:
        journal = StoreJournal(session, "")
        run = load(tx, run_id)
        if missing := sorted(set(systems) - set(run.systems)):
            raise _refused(run_id, Text("这次执行中没有：{s}", "Not in this run: {s}").format(s=", ".join(missing)))
        found = _open_gates(tx, journal, run_id, step, systems)
        fresh = [
            (s, g)
            for s, g in found
            if not any(same_person(a.actor, session.actor) for a in s.answers.get(g.gate_id, ()))
        ]
        if not found:
            raise _refused(run_id, Text("没有等待答复的关口", "No gate waits for an answer"))
        if gates and (other := sorted(g.system_id for _, g in found if g.gate_id not in gates)):
            raise _refused(
                run_id, Text("显示之后内容已变，请重新查看：{s}", "Changed since it was shown, look at it again: {s}").format(s=", ".join(other))
            )  # fmt: skip
        if len(steps := sorted({g.step for _, g in found})) > 1:
            raise UsageError(
                Text("几个步骤都在等待批准，请指明一个：{s}", "Several steps wait for an approval, name one: {s}").format(s=", ".join(steps)),
                where=run_id,
                next_step=Text("加上 --step 步骤", "Add --step STEP"),
            )  # fmt: skip
        # One word is one moment, for however many systems it is given.
        now = session.now()
        made = [
            _answer(tx, journal, replace(seen, now=now), gate, granted=granted, emergency=emergency, reason=reason)
            for seen, gate in fresh or found
        ]
        sign(session, tx)
        return made


def _open_gates(
    tx: Connection, journal: StoreJournal, run_id: str, step: StepName | None, systems: Sequence[str]
) -> list[tuple[Seen, Gate]]:
    """The newest gate of each system, where nobody has passed it."""
    found = []
    newest = {g.system_id: g for g in gate_store.gates(tx, run_id) if step in (None, g.step)}
    for row in run_store.run_systems(tx, run_id):
        gate = newest.get(row.system_id)
        if row.state in ENDED or (systems and row.system_id not in systems) or gate is None or gate.used_at is not None:
            continue
        found.append((journal.seen_in(tx, run_id, row.system_id), gate))
    return found


def _answer(
    tx: Connection, journal: StoreJournal, seen: Seen, gate: Gate, *, granted: bool, emergency: bool, reason: str | None
) -> Answered:
    session, run = journal.session, seen.run
    rules = journal.rules.with_people(seen.holders)
    given = seen.answers.get(gate.gate_id, ())
    if why := approver_problem(session.actor, run, rules, granted=granted, emergency=emergency):
        raise _refused(f"{run.run_id} {gate.system_id} {gate.step}", why, NotAllowed)
    problem = answer_problem(
        gate, given, run, rules, seen.changed, session.actor, granted=granted, emergency=emergency
    )  # fmt: skip
    if problem is None and gate.scope_hash != seen.system.scope_hash:
        problem = Text("关口不是为现在的内容开的", "The gate was opened for something else")
    if problem is not None:
        raise _refused(f"{run.run_id} {gate.system_id} {gate.step}", problem)
    now = seen.now
    unit, role = capacity(session, rules)
    zone = ZoneInfo(session.workspace.settings.timezone)
    answer = Answer(
        gate_id=gate.gate_id, actor=session.actor, unit=unit, role=role, at=now, granted=granted,
        expires_at=now + timedelta(hours=rules.approval_hours), reason=reason, emergency=emergency,
        review_due_on=(now.astimezone(zone) + timedelta(days=rules.review_days)).date() if emergency else None,
    )  # fmt: skip
    gate_store.add_answer(tx, answer)
    body = {
        "gate": gate.gate_id, "step": gate.step, "approved": granted, "emergency": emergency, "unit": unit, "role": role,
        "reason": reason, "requested_by": run.created_by, "scope_hash": gate.scope_hash,
        "expires_at": answer.expires_at.isoformat(),
        "review_due_on": answer.review_due_on.isoformat() if answer.review_due_on else None,
    }  # fmt: skip
    append(tx, session, run, "approval", body, gate.system_id)
    opens_at = seen.system.opens_at
    return Answered(
        gate=gate, answer=answer, state=reconsider(tx, journal, run.run_id, gate.system_id),
        # Two people's word in an emergency does not wait for the window.
        lapses_early=granted and not emergency and gate.step == "freeze" and opens_at is not None and answer.expires_at < opens_at,
    )  # fmt: skip


def _refused(where: str, why: Text, kind: type[UsageError] = UsageError) -> UsageError:
    run_id = where.split(" ", maxsplit=1)[0].split("/", maxsplit=1)[0]
    return kind(
        why,
        where=where,
        next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
    )
