"""Execution's journal on the store: every act with its ledger record in one transaction, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from govcloud.errors import UsageError
from govcloud.execution.gates import gate_problem, needs_gate, person_problem
from govcloud.execution.history import data_bytes, downtime
from govcloud.execution.journal import Seen
from govcloud.execution.rules import ExecutionRules, parse_rules
from govcloud.execution.steps import site_steps
from govcloud.model.attempt import Attempt, AttemptKey, StepResult, Worker
from govcloud.model.gate import Gate
from govcloud.model.ledger import LedgerEntry
from govcloud.model.observation import Statement
from govcloud.model.resource import Resource
from govcloud.model.run import ENDED, MOVED, Run, RunSystem, SystemState, Wait
from govcloud.model.text import Text
from govcloud.store import attempt as attempt_store
from govcloud.store import gate as gate_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import resource as resource_store
from govcloud.store import run as run_store
from govcloud.store import worker as worker_store
from govcloud.workflow.audit import may_sign, write_checkpoint
from govcloud.workflow.people import holders
from govcloud.workflow.run_scope import ScopeReader
from govcloud.workflow.session import Session
from govcloud.workflow.statements import merge_inventory

_COSTLY_EVERY_S = 60.0
"""Signing the ledger and merging the inventory read all of it: in a wave of a thousand not for every system."""
_OPEN: tuple[SystemState, ...] = ("waiting", "running", "rolling_back")


class StoreJournal:
    """Implements execution.journal.Journal. `worker`: `<machine id>/<name>`. Used by many threads at once."""

    def __init__(self, session: Session, worker: str) -> None:
        self.session = session
        self.worker = worker
        self.rules: ExecutionRules = parse_rules(session.workspace.settings.execution)
        self.steps = site_steps(session.workspace.settings.steps)
        self.scope = ScopeReader(session)
        self._runs: dict[str, Run] = {}
        self._costly_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def seen(self, run_id: str, system_id: str) -> Seen:
        with self.session.store.read() as tx:
            _one_moment(tx)
            return self.seen_in(tx, run_id, system_id)

    def seen_in(self, tx: Connection, run_id: str, system_id: str) -> Seen:
        run = self._run(tx, run_id)
        system = load_system(tx, run_id, system_id)
        gates = gate_store.gates(tx, run_id, system_id)
        return Seen(
            run=run,
            system=system,
            attempts=tuple(attempt_store.attempts(tx, run_id, system_id)),
            gates=tuple(gates),
            answers=gate_store.answers(tx, run_id, system_id) if gates else {},
            orders=tuple(gate_store.orders(tx, run_id, system_id)),
            others=run_store.fates(tx, run_id, system.after),
            changed=self.scope.changed(tx, run, system),
            resources=tuple(resource_store.resources(tx, run_id, system_id)),
            now=self.session.now(),
            holders=holders(tx),
        )

    def _run(self, tx: Connection, run_id: str) -> Run:
        """A run's own row never changes, and of a large wave it is long."""
        run = self._runs.get(run_id)
        if run is None:
            run = self._runs[run_id] = load(tx, run_id)
        return run

    def claim(self, key: AttemptKey, gate_id: str | None) -> Attempt:
        with self.session.store.begin() as tx:
            inventory_store.queue_writers(tx)
            found = attempt_store.load_attempt(tx, key)
            if found is not None:
                return found
            for other in attempt_store.live_attempts(tx, [key.system_id]):
                raise UsageError(
                    Text("这个系统的另一次尝试还没有结束", "Another attempt at this system is not over"),
                    where=other.key.text,
                    next_step=_look(other.key.run_id),
                )
            run = self._run(tx, key.run_id)
            now = self.session.now()
            self._demand_operator(tx, key)
            self._pass_gate(tx, run, key, gate_id)
            attempt = Attempt(
                key=key, token=attempt_store.next_token(tx, key.system_id), executor=self.worker,
                machine_id=self.worker.partition("/")[0], state="claimed", claimed_at=now, heartbeat_at=now,
            )  # fmt: skip
            attempt_store.add_attempt(tx, attempt)
            body = {"phase": key.phase, "token": attempt.token, "executor": self.worker, "gate": gate_id}
            self._record(tx, run, attempt, "intent", body)
            return attempt

    def _demand_operator(self, tx: Connection, key: AttemptKey) -> None:
        """A worker runs for months: its account may have been disabled since it was let in."""
        kept = holders(tx)
        problem = kept and person_problem(self.session.actor, self.rules.with_people(kept), "operate")
        if problem:
            raise _not_approved(key, problem)

    def _pass_gate(self, tx: Connection, run: Run, key: AttemptKey, gate_id: str | None) -> None:
        """The machine has asked before; between its answer and this transaction somebody may have refused."""
        step = self.steps[key.step]
        if key.phase != "apply":
            return
        if gate_id is None:
            system = load_system(tx, key.run_id, key.system_id)
            gated = needs_gate(step, self.rules, system)
            begun = any(
                a.key.step == key.step and a.key.phase == "apply"
                for a in attempt_store.attempts(tx, key.run_id, key.system_id)
            )
            if gated and not begun:
                raise _not_approved(key, Text("没有关口放行", "No gate lets it pass"))
            return
        seen = self.seen_in(tx, key.run_id, key.system_id)
        gate = next((g for g in seen.gates if g.gate_id == gate_id), None)
        if gate is None or gate.step != key.step or gate.scope_hash != seen.system.scope_hash:
            raise _not_approved(key, Text("关口不是为现在的内容开的", "The gate was opened for something else"))
        answers = seen.answers.get(gate_id, ())
        rules = self.rules.with_people(seen.holders)
        problem = gate_problem(gate, answers, run, rules, seen.changed, seen.now, None)
        if problem is not None or not gate_store.use_gate(tx, gate_id, seen.now):
            raise _not_approved(key, problem or Text("这道关口已用过", "This gate has been used"))

    def intend(self, attempt: Attempt) -> bool:
        with self.session.store.begin() as tx:
            return attempt_store.intend(tx, attempt)

    def beat(self, attempts: Sequence[Attempt]) -> None:
        with self.session.store.begin() as tx:
            attempt_store.beat(tx, attempts, self.session.now())

    def finish(self, attempt: Attempt, result: StepResult, log: bytes = b"") -> bool:
        result = replace(result, finished_at=result.finished_at or self.session.now())
        key = attempt.key
        with self.session.store.begin() as tx:
            inventory_store.queue_writers(tx)
            if not attempt_store.finish(tx, attempt, result):
                return False
            if log:
                attempt_store.keep_log(tx, key, log)
            run = self._run(tx, key.run_id)
            self._record(tx, run, attempt, "result", {"phase": key.phase, **_result_body(result)})
            self._note_times(tx, key)
            if key.step == "cutover" and result.status == "ok":
                self._sign(tx, at_once=False)
            return True

    def _note_times(self, tx: Connection, key: AttemptKey) -> None:
        system = load_system(tx, key.run_id, key.system_id)
        attempts = attempt_store.attempts(tx, key.run_id, key.system_id)
        start, end = downtime(attempts)
        now = replace(
            system, data_bytes=data_bytes(attempts) or system.data_bytes, downtime_from=start, downtime_to=end
        )
        if now != system:
            run_store.update_run_system(tx, now, leg=system.leg)

    def enter(self, system: RunSystem, state: SystemState, *, wait: Wait | None = None) -> bool:
        with self.session.store.begin() as tx:
            inventory_store.queue_writers(tx)
            return self.enter_in(tx, system, state, wait)

    def enter_in(self, tx: Connection, system: RunSystem, state: SystemState, wait: Wait | None) -> bool:
        was = load_system(tx, system.run_id, system.system_id)
        if was.leg != system.leg:
            return False
        now = replace(was, state=state, step=system.step, wait=wait)
        same = (was.state, was.step, _what(was.wait)) == (state, system.step, _what(wait))
        if same and was.wait is not None and wait is not None:
            now = replace(now, wait=replace(wait, since=was.wait.since))
        elif not same:
            now = replace(now, since=self.session.now())
        if not run_store.update_run_system(tx, now, leg=system.leg):
            return False
        if state != was.state:
            run = self._run(tx, system.run_id)
            body = {"state": state, "was": was.state, "step": system.step, "wait": wait.kind if wait else None}
            append(tx, self.session, run, "run_state", body, system.system_id)
            self._after_change(tx, run, now, was.state)
        return True

    def _after_change(self, tx: Connection, run: Run, system: RunSystem, was: SystemState) -> None:
        state = system.state
        told = (state in MOVED and was not in MOVED) or (state == "rolled_back")
        if told:
            self._tell_inventory(tx, run, system)
        if state in MOVED or state in ENDED:
            is_over = not run_store.is_under_way(tx, run.run_id)
            self._merge(tx, at_once=is_over)
            self._sign(tx, at_once=is_over)

    def _tell_inventory(self, tx: Connection, run: Run, system: RunSystem) -> None:
        """A migrated system runs on the government cloud; a way back takes that fact back."""
        at = self.session.now()
        batch_no = inventory_store.add_batch(
            tx, batch_id=f"run/{run.run_id}/{system.system_id}/{system.state}/{at.isoformat()}", kind=inventory_store.RUN,
            source=f"run:{system.system_id}", sha256=system.scope_hash, at=at, actor=self.session.actor,
            body={"outcome": system.state},
        )  # fmt: skip
        if system.state in MOVED:
            moved = Statement(
                subject_kind="system", subject_id=system.system_id, source="run", place=f"run/{run.run_id}",
                observed_at=at, values={"hosting": "gov_cloud"},
            )  # fmt: skip
            inventory_store.add_statements(tx, batch_no, [moved])
        with self._lock:
            self._costly_at.setdefault("unmerged", 0.0)

    def _merge(self, tx: Connection, *, at_once: bool) -> None:
        with self._lock:
            if "unmerged" not in self._costly_at:
                return
        if self._is_due("merge", at_once):
            merge_inventory(self.session, tx)
            with self._lock:
                self._costly_at.pop("unmerged", None)

    def _sign(self, tx: Connection, *, at_once: bool) -> None:
        if self._is_due("sign", at_once):
            sign(self.session, tx)

    def _is_due(self, what: str, at_once: bool) -> bool:
        with self._lock:
            last, now = self._costly_at.get(what), time.monotonic()
            if not at_once and last is not None and now - last < _COSTLY_EVERY_S:
                return False
            self._costly_at[what] = now
            return True

    def open_gate(self, gate: Gate) -> None:
        with self.session.store.begin() as tx:
            inventory_store.queue_writers(tx)
            self.open_gate_in(tx, gate)

    def open_gate_in(self, tx: Connection, gate: Gate) -> None:
        if any(g.gate_id == gate.gate_id for g in gate_store.gates(tx, gate.run_id, gate.system_id)):
            return
        gate_store.open_gate(tx, gate)
        body = {"gate": gate.gate_id, "step": gate.step, "scope_hash": gate.scope_hash}
        append(tx, self.session, load(tx, gate.run_id), "gate", body, gate.system_id)

    def keep_resource(self, resource: Resource) -> None:
        with self.session.store.begin() as tx:
            inventory_store.queue_writers(tx)
            known = resource_store.resources(tx, resource.run_id, resource.system_id)
            if resource in known:
                return
            resource_store.keep_resource(tx, resource)
            body = {
                "resource": resource.resource_id, "driver": resource.driver, "cloud": resource.cloud, "name": resource.name,
                "external_id": resource.external_id, "address": resource.address,
                "created": resource.created_at is not None, "deleted": resource.deleted_at is not None,
            }  # fmt: skip
            append(tx, self.session, load(tx, resource.run_id), "resource", body, resource.system_id)

    def begin_leg(self, system: RunSystem) -> int | None:
        with self.session.store.begin() as tx:
            inventory_store.queue_writers(tx)
            was = load_system(tx, system.run_id, system.system_id)
            if was.leg != system.leg:
                return None
            run_store.update_run_system(tx, replace(was, leg=was.leg + 1, wait=None), leg=was.leg)
            return was.leg + 1

    def see_worker(self, worker: Worker) -> None:
        with self.session.store.begin() as tx:
            worker_store.see_worker(tx, worker)

    def workers(self) -> Sequence[Worker]:
        with self.session.store.read() as tx:
            return worker_store.workers(tx)

    def open_systems(self) -> Sequence[RunSystem]:
        with self.session.store.read() as tx:
            return run_store.run_systems(tx, states=_OPEN)

    def _record(self, tx: Connection, run: Run, attempt: Attempt, phase: Any, body: Mapping[str, Any]) -> None:
        key = attempt.key
        entry = LedgerEntry(
            kind="step", actor=self.session.actor, at=self.session.now(), phase=phase, subject_id=key.system_id,
            plan_hash=run.scope_hash, run_id=run.run_id, step=key.step, attempt=key.number,
            evidence=(digest,) if (digest := body.get("evidence_sha256")) else (), body=body,
        )  # fmt: skip
        ledger_store.append(tx, entry)


@contextmanager
def writing(session: Session) -> Iterator[Connection]:
    """A transaction that nobody else's can come between, on PostgreSQL as on SQLite."""
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        yield tx


def sign(session: Session, tx: Connection) -> None:
    """Where the ledger's key lies. A worker or an approver on another machine has none, and must not make one of its own:
    the next command on the controller signs what it has done."""
    if may_sign(session, tx):
        write_checkpoint(session, tx)


def load(tx: Connection, run_id: str) -> Run:
    """Raises UsageError for a run that isn't there."""
    run = run_store.load_run(tx, run_id)
    if run is None:
        raise UsageError(
            Text("没有这次执行", "No such run"),
            where=run_id,
            next_step=Text("用 govcloud run status --all 查看全部", "List them with govcloud run status --all"),
        )
    return run


def load_system(tx: Connection, run_id: str, system_id: str) -> RunSystem:
    """Raises UsageError for a system that is not in the run."""
    system = run_store.load_run_system(tx, run_id, system_id)
    if system is None:
        load(tx, run_id)
        raise UsageError(
            Text("这次执行中没有这个系统", "The run has no such system"), where=f"{run_id} {system_id}", next_step=_look(run_id)
        )  # fmt: skip
    return system


def append(
    tx: Connection, session: Session, run: Run, kind: str, body: Mapping[str, Any], subject_id: str | None = None
) -> None:
    entry = LedgerEntry(
        kind=kind, actor=session.actor, at=session.now(), subject_id=subject_id or run.run_id,
        plan_hash=run.scope_hash, run_id=run.run_id, concerns=() if subject_id else run.systems, body=body,
    )  # fmt: skip
    ledger_store.append(tx, entry)


def _one_moment(tx: Connection) -> None:
    """All reads that follow see the database as it is at the first."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    else:
        tx.exec_driver_sql("BEGIN")


def _what(wait: Wait | None) -> tuple[Any, ...] | None:
    return None if wait is None else (wait.kind, wait.step, wait.gate_id)


def _look(run_id: str) -> Text:
    return Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id)


def _not_approved(key: AttemptKey, why: Text) -> UsageError:
    return UsageError(
        Text("未经放行，不开始：{why}", "Not let through, nothing is begun: {why}").format(why=why),
        where=key.text,
        next_step=_look(key.run_id),
    )


def _result_body(result: StepResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "unreachable": result.unreachable,
        "reasons": [{"zh": r.zh, "en": r.en} for r in result.reasons],
        "expected": result.expected,
        "proven": result.proven,
        "seconds": result.seconds,
        "evidence_sha256": result.evidence_sha256,
        "facts": dict(result.facts),
    }
