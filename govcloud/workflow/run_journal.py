"""The engine's journal on the store: every change with its ledger record in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from govcloud.errors import InputError, UsageError
from govcloud.model.ledger import LedgerEntry, Phase
from govcloud.model.observation import Statement
from govcloud.model.run import Approval, Attempt, Decision, Outcome, Run, RunStatus, StepName, StepResult
from govcloud.model.text import Text
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import run as run_store
from govcloud.workflow.audit import write_checkpoint
from govcloud.workflow.run_scope import verify_scope
from govcloud.workflow.session import Session
from govcloud.workflow.statements import merge_inventory

_FREE: frozenset[StepName] = frozenset({"precheck", "rollback"})
"""Steps that need no approval of their own: one only reads, the other restores what an approved step changed."""


@dataclass(frozen=True, slots=True)
class StoreJournal:
    """Implements execution.journal.Journal for one run."""

    session: Session
    run_id: str
    executor: str

    def claim(self, system_id: str, step: StepName, number: int) -> Attempt:
        with self.session.store.read() as tx:
            found = run_store.load_attempt(tx, self.run_id, system_id, step, number)
        if found is not None:
            return found
        if step not in _FREE:
            self._demand_approval()
        attempt = Attempt(
            run_id=self.run_id, system_id=system_id, step=step, number=number, executor=self.executor,
            claimed_at=self.session.now(),
        )  # fmt: skip
        with self.session.store.begin() as tx:
            found = run_store.load_attempt(tx, self.run_id, system_id, step, number)
            if found is not None:
                return found
            for other in run_store.open_attempts(tx, system_id):
                raise UsageError(
                    Text("另一次执行正在处理这个系统", "Another attempt at this system is open"),
                    where=f"{other.run_id} {other.system_id} {other.step}#{other.number}",
                    next_step=Text("先用 run resume 了结它", "Settle it first with run resume"),
                )
            run = load(tx, self.run_id)
            run_store.add_attempt(tx, attempt)
            self._record(tx, run, "intent", attempt, {"executor": self.executor})
        return attempt

    def finish(self, attempt: Attempt, result: StepResult) -> None:
        done = replace(attempt, result=replace(result, finished_at=result.finished_at or self.session.now()))
        with self.session.store.begin() as tx:
            key = (attempt.run_id, attempt.system_id, attempt.step, attempt.number)
            found = run_store.load_attempt(tx, *key)
            if found is not None and found.result is not None:
                return
            run_store.finish_attempt(tx, done)
            self._record(tx, load(tx, self.run_id), "result", done, _result_body(result))
            if attempt.step == "cutover" and result.status == "ok":
                write_checkpoint(self.session, tx)

    def enter(self, status: RunStatus) -> None:
        with self.session.store.begin() as tx:
            run = load(tx, self.run_id)
            if run.status != status:
                run_store.update_run(tx, replace(run, status=status))
                append(tx, self.session, run, "run", {"status": status, "was": run.status})

    def settle(self, system_id: str, outcome: Outcome) -> None:
        with self.session.store.begin() as tx:
            run = load(tx, self.run_id)
            if run.outcomes.get(system_id) != outcome:
                run_store.update_run(tx, replace(run, outcomes={**run.outcomes, system_id: outcome}))
                append(tx, self.session, run, "outcome", {"outcome": outcome}, subject_id=system_id)
                self._tell_inventory(tx, system_id, outcome)

    def _tell_inventory(self, tx: Connection, system_id: str, outcome: Outcome) -> None:
        """A migrated system runs on the government cloud; a way back takes that fact back."""
        if outcome not in ("done", "rolled_back"):
            return
        at = self.session.now()
        batch_id = f"run/{self.run_id}/{system_id}/{outcome}/{at.isoformat()}"
        batch_no = inventory_store.add_batch(
            tx, batch_id=batch_id, kind=inventory_store.RUN, source=f"run:{system_id}",
            sha256=load(tx, self.run_id).scope_hash, at=at, actor=self.session.actor, body={"outcome": outcome},
        )  # fmt: skip
        if outcome == "done":
            moved = Statement(
                subject_kind="system", subject_id=system_id, source="run", place=f"run/{self.run_id}", observed_at=at,
                values={"hosting": "gov_cloud"},
            )  # fmt: skip
            inventory_store.add_statements(tx, batch_no, [moved])
        merge_inventory(self.session, tx)

    def approval(self) -> Approval | None:
        with self.session.store.read() as tx:
            run, found = load(tx, self.run_id), run_store.approval(tx, self.run_id)
        if found is None or found.approved:
            demand_unchanged(self.session, run)
        return found

    def decision(self, system_id: str, step: StepName, number: int) -> Decision | None:
        with self.session.store.read() as tx:
            run = load(tx, self.run_id)
        wanted = (system_id, step, number)
        return next((d for d in run.decisions if (d.system_id, d.step, d.attempt) == wanted), None)

    def aborted(self, system_id: str) -> bool:
        with self.session.store.read() as tx:
            run = load(tx, self.run_id)
        return any(d.system_id == system_id and d.step is None and d.choice == "abort" for d in run.decisions)

    def _demand_approval(self) -> None:
        found = self.approval()
        if found is None or not found.approved:
            raise UsageError(
                Text("未经批准，不触碰主机", "Not approved: no host is touched"),
                where=self.run_id,
                next_step=Text("请另一人运行 run approve {r}", "Have another person run: run approve {r}").format(
                    r=self.run_id
                ),
            )

    def _record(self, tx: Connection, run: Run, phase: Phase, attempt: Attempt, body: Mapping[str, Any]) -> None:
        entry = LedgerEntry(
            kind="step", actor=self.session.actor, at=self.session.now(), phase=phase, subject_id=attempt.system_id,
            plan_hash=run.scope_hash, run_id=run.run_id, step=attempt.step, attempt=attempt.number, body=body,
        )  # fmt: skip
        ledger_store.append(tx, entry)


def load(tx: Connection, run_id: str) -> Run:
    """Raises UsageError for a run that isn't there."""
    run = run_store.load_run(tx, run_id)
    if run is None:
        raise UsageError(
            Text("没有这次执行", "No such run"),
            where=run_id,
            next_step=Text("用 govcloud run status 查看全部", "List them with govcloud run status"),
        )
    return run


def append(
    tx: Connection, session: Session, run: Run, kind: str, body: Mapping[str, Any], subject_id: str | None = None
) -> None:
    entry = LedgerEntry(
        kind=kind, actor=session.actor, at=session.now(), subject_id=subject_id or run.run_id,
        plan_hash=run.scope_hash, run_id=run.run_id, body=body,
    )  # fmt: skip
    ledger_store.append(tx, entry)


def demand_unchanged(session: Session, run: Run) -> None:
    """Raises InputError naming what changed since the run was registered: its approval no longer covers it."""
    if changed := verify_scope(session, run):
        raise InputError(
            Text(
                "登记后内容有变，不再有效：{parts}", "Changed since the run was registered, which voids it: {parts}"
            ).format(parts=", ".join(changed)),
            where=run.run_id,
            next_step=Text(
                "恢复原内容后继续；或作废重来：未开始的用 run approve {r} --refuse，已开始的用 run rollback，再 run start",
                "Restore it and resume; or give the run up (run approve {r} --refuse before it began, else run rollback) "
                "and start anew",
            ).format(r=run.run_id),
        )


def _result_body(result: StepResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "reasons": [{"zh": r.zh, "en": r.en} for r in result.reasons],
        "expected": result.expected,
        "proven": result.proven,
        "seconds": result.seconds,
        "evidence_sha256": result.evidence_sha256,
        "facts": dict(result.facts),
    }
