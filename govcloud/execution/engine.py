"""Durable execution of one run: DBOS on SQLite in the workspace.

Every run is its own executor with its own queue, so that resuming one run never wakes another. Waiting that must stop
(Ctrl-C, an approval that does not come) leaves through Detached, which DBOS does not record: the workflow stays pending
and goes on at the same point when the run is resumed.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos._serialization import DBOSPortableJSON

from govcloud.errors import OutsideError
from govcloud.execution.attempt import Guard, Order
from govcloud.execution.journal import Journal
from govcloud.execution.migration import Migration
from govcloud.model.run import Approval, Choice, MigrationSpec, Outcome, RunStatus, Step, StepName, StepResult
from govcloud.model.text import Text

FILE = "engine.db"
_VERSION = "govcloud-1"
"""Raised only when workflows of the older form can't be continued."""
_APPROVAL_POLL_S = 1.0
_LEAVE_S = 15.0

T = TypeVar("T")


class Detached(BaseException):
    """This process leaves the run; the run stays where it is. Not an Exception: nothing may take it for a result."""

    def __init__(self, why: RunStatus | None, cause: Exception | None = None) -> None:
        super().__init__(why)
        self.why, self.cause = why, cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one engine works on. The specs are frozen in it: they come from the run's record."""

    run_id: str
    executor: str
    specs: Mapping[str, MigrationSpec]
    steps: Mapping[StepName, Step]
    journal: Journal
    order: Callable[[str, StepName, int], Order]
    wait_approval_s: float
    on_step: Callable[[str, StepName, StepResult | None], None]
    """Told before (None) and after each step."""


class Engine:
    """Runs a workflow to its end or until it has to be left. One at a time in a process (DBOS is a singleton)."""

    def __init__(self, folder: Path, task: Task, guard: Callable[[Callable[[float], None]], Guard]) -> None:
        self._folder, self._task = folder, task
        self._stop, self._idle = threading.Event(), threading.Event()
        self._idle.set()
        self._ended: queue.Queue[RunStatus | BaseException] = queue.Queue()
        self._guard = guard(self._pause)

    def migrate(self) -> RunStatus:
        """Start the run or go on with it. The status it reached: final, `waiting_approval` or `needs_person`."""
        return self._execute(f"{self._task.run_id}", _migrate, (self._task.run_id,))

    def roll_back(self, system_id: str, number: int) -> RunStatus:
        """`number`: of the next rollback attempt of that system."""
        run_id = self._task.run_id
        return self._execute(f"{run_id}/rollback/{system_id}/{number}", _roll_back, (run_id, system_id, number))

    def _execute(self, workflow_id: str, function: Callable[..., str], arguments: tuple[Any, ...]) -> RunStatus:
        global _current
        _prepare_database(self._folder / FILE)
        queue_name = f"run-{self._task.run_id}"
        config: DBOSConfig = {
            "name": "govcloud",
            "system_database_url": f"sqlite:///{self._folder / FILE}",
            "executor_id": self._task.run_id,
            "application_version": _VERSION,
            "serializer": DBOSPortableJSON,
            "log_level": "WARNING",
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": 0.25,
        }
        _current = self
        DBOS(config=config)
        try:
            DBOS.listen_queues([queue_name])
            DBOS.launch()
            DBOS.register_queue(queue_name, polling_interval_sec=0.2)
            with SetWorkflowID(workflow_id):
                # The same id again is the same workflow: it is started once and otherwise continued.
                handle: Any = DBOS.enqueue_workflow(queue_name, function, *arguments)
            return self._watch(handle)
        finally:
            self._stop.set()
            self._idle.wait(_LEAVE_S)
            DBOS.destroy()
            _current = None

    def _watch(self, handle: Any) -> RunStatus:
        while True:
            try:
                ended = self._ended.get(timeout=0.5)
            except queue.Empty:
                status = handle.get_status()
                if status is not None and status.status in ("SUCCESS", "ERROR", "CANCELLED"):
                    return _as_status(handle.get_result(polling_interval_sec=0.1))
                continue
            if isinstance(ended, Detached):
                if ended.cause is not None:
                    raise ended.cause
                return ended.why or "running"
            if isinstance(ended, BaseException):
                raise ended
            return _as_status(handle.get_result(polling_interval_sec=0.1))

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Detached(None)

    def body(self, work: Callable[[Migration], RunStatus]) -> str:
        """The workflow's body, on DBOS's thread."""
        self._idle.clear()
        try:
            self._pause(0)
            final = work(Migration(_Durable(self), self._task.specs, self._task.steps))
        except BaseException as error:
            self._ended.put(error)
            if isinstance(error, Exception):
                # Recorded as ERROR the run could never be resumed.
                raise Detached(None, error) from error
            raise
        finally:
            self._idle.set()
        self._ended.put(final)
        return final

    def enter(self, status: RunStatus) -> str:
        self._task.journal.enter(status)
        return status

    def settle(self, system_id: str, outcome: Outcome) -> str:
        self._task.journal.settle(system_id, outcome)
        return outcome

    def perform(self, system_id: str, step: StepName, number: int) -> StepResult:
        if step != "rollback" and self._task.journal.aborted(system_id):
            return StepResult(status="skipped", reasons=(Text("按要求回退", "The way back was asked for"),))
        self._task.on_step(system_id, step, None)
        result = self._guard.perform(self._task.order(system_id, step, number))
        self._task.on_step(system_id, step, result)
        return result

    def await_approval(self) -> Approval:
        deadline = time.monotonic() + self._task.wait_approval_s
        while True:
            found = self._task.journal.approval()
            if found is not None:
                return found
            if time.monotonic() >= deadline:
                raise Detached("waiting_approval")
            self._pause(_APPROVAL_POLL_S)

    def await_decision(self, system_id: str, step: StepName, number: int) -> Choice:
        found = self._task.journal.decision(system_id, step, number)
        if found is not None:
            return found.choice
        if self._task.journal.aborted(system_id):
            return "abort"
        raise Detached("needs_person")


class _Durable:
    """Conduct for Migration: each call is one named DBOS step."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._entered = engine, 0

    def perform(self, system_id: str, step: StepName, number: int) -> StepResult:
        name = f"{system_id}/{step}#{number}"
        return msgspec.convert(_step(name, lambda: self._engine.perform(system_id, step, number)), StepResult)

    def await_approval(self) -> Approval:
        return msgspec.convert(_step("approval", self._engine.await_approval), Approval)

    def await_decision(self, system_id: str, step: StepName, number: int) -> Choice:
        name = f"{system_id}/{step}#{number}/decision"
        found: Choice = _step(name, lambda: self._engine.await_decision(system_id, step, number))
        return found

    def enter(self, status: RunStatus) -> None:
        self._entered += 1
        _step(f"status#{self._entered}/{status}", lambda: self._engine.enter(status))

    def settle(self, system_id: str, outcome: Outcome) -> None:
        _step(f"{system_id}/outcome/{outcome}", lambda: self._engine.settle(system_id, outcome))


def _step(name: str, function: Callable[[], Any]) -> Any:
    def call() -> Any:
        try:
            return msgspec.to_builtins(function())
        except Exception as error:
            # An error of ours or of the machine is no result of the step: leave, and try again when resumed.
            raise Detached(None, error) from error

    return DBOS.run_step({"name": name}, call)


_current: Engine | None = None
"""DBOS keeps one registry of functions in a process; they find what they work on here."""


def _engine() -> Engine:
    if _current is None:
        raise OutsideError(Text("没有可用的执行引擎", "There is no engine"))
    return _current


@DBOS.workflow(name="govcloud.migrate", max_recovery_attempts=None)
def _migrate(run_id: str) -> str:
    return _engine().body(lambda migration: migration.carry_out())


@DBOS.workflow(name="govcloud.rollback", max_recovery_attempts=None)
def _roll_back(run_id: str, system_id: str, number: int) -> str:
    return _engine().body(lambda migration: migration.roll_back(system_id, number))


def _as_status(value: Any) -> RunStatus:
    return msgspec.convert(value, RunStatus)  # type: ignore[no-any-return]


def _prepare_database(path: Path) -> None:
    """Write-ahead log (kept in the file) with full synchronisation (SQLite's default, checked here)."""
    with closing(sqlite3.connect(path)) as connection:
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
    path.chmod(0o600)
    if mode != "wal" or level != 2:
        raise OutsideError(
            Text("SQLite 不支持所需的持久化方式", "SQLite lacks the durability that is needed"),
            where=f"{path} (journal_mode={mode}, synchronous={level})",
        )
