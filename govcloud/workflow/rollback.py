"""The way back, asked for by a person: of a system whose run still goes on, or of one whose run is over."""

from __future__ import annotations

from dataclasses import replace

from govcloud.errors import UsageError
from govcloud.model.run import BEFORE_FREEZE, Decision, Run
from govcloud.model.text import Text
from govcloud.store import run as run_store
from govcloud.workflow.run import carry_on, engine, is_over, load_run, operator_lock, run_attempts
from govcloud.workflow.run_journal import append, load
from govcloud.workflow.session import Session


def roll_back(session: Session, run_id: str, system_id: str, *, reason: str | None = None) -> Run:
    """Let the source serve again. The approval of the run covers it.

    Raises UsageError when the run has not touched the source of that system, or is in other hands.
    """
    run = load_run(session, run_id)
    attempts = [a for a in run_attempts(session, run_id) if a.system_id == system_id]
    if not any(a.step not in BEFORE_FREEZE for a in attempts):
        raise UsageError(
            Text(
                "这次执行没有动过该系统的源，无需回退",
                "The run has not touched this system's source: nothing to roll back",
            ),
            where=f"{run_id} {system_id}",
        )
    if not is_over(run):
        _ask_for_it(session, run_id, system_id, reason)
        return carry_on(session, run_id, wait_approval_s=0)
    number = 1 + max((a.number for a in attempts if a.step == "rollback"), default=0)
    with operator_lock(session, run_id):
        with session.store.begin() as tx:
            append(tx, session, load(tx, run_id), "decision", {"choice": "rollback", "reason": reason}, system_id)
        engine(session, run, 0).roll_back(system_id, number)
    return load_run(session, run_id)


def _ask_for_it(session: Session, run_id: str, system_id: str, reason: str | None) -> None:
    made = Decision(
        system_id=system_id, step=None, attempt=0, choice="abort", actor=session.actor, at=session.now(), reason=reason
    )
    with session.store.begin() as tx:
        run = load(tx, run_id)
        run_store.update_run(tx, replace(run, decisions=(*run.decisions, made)))
        append(tx, session, run, "decision", {"choice": "abort", "reason": reason}, system_id)
