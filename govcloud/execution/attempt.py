"""The guard around each attempt: claim, intent, detached supervisor with a lock, result.

A durable engine records a step's result once; it can't know whether the playbook that a dead controller left behind still
runs. These files can. After a crash, in this order: a result is taken; a held lock means that the supervisor lives and is
waited for; an intent without either means that the outcome is unknown; no intent means that nothing happened.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from govcloud.errors import OutsideError
from govcloud.execution import files, processes
from govcloud.execution.journal import Journal
from govcloud.execution.scene import Job, environment
from govcloud.model.run import StepName, StepResult
from govcloud.model.text import Text

SUPERVISOR: tuple[str, ...] = (sys.executable, "-P", "-m", "govcloud.execution.supervise")
_POLL_S = 0.2
_GRACE_S = 180
"""Beyond the job's own deadline: the supervisor's watchdog and the end of its processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    system_id: str
    step: StepName
    number: int
    folder: Path
    """evidence/<run>/<system>/<step>/<attempt>"""
    prepare: Callable[[Path], Job]
    """Writes what the playbook needs; called once, before the intent."""


def _nothing(_: str) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    journal: Journal
    executor: str
    pause: Callable[[float], None]
    """Sleeps; raises when this process shall leave (the supervisor goes on)."""
    supervisor: Sequence[str] = SUPERVISOR
    passing: Callable[[str], None] = _nothing
    """Called at each named boundary; tests end the process there."""

    def perform(self, order: Order) -> StepResult:
        """The attempt's result: from its record, from its supervisor, or `unknown`. Raises OutsideError (disk, processes)."""
        self.passing("before_claim")
        attempt = self.journal.claim(order.system_id, order.step, order.number)
        if attempt.result is not None:
            return attempt.result
        self.passing("after_claim")
        if attempt.executor != self.executor:
            why = Text(
                "由另一台机器 {m} 执行，结果不明", "It was started on another machine, {m}: the outcome is unknown"
            ).format(m=attempt.executor)
            result = StepResult(status="unknown", reasons=(why,))
        else:
            result = self._carry_out(order)
        self.passing("before_record")
        self.journal.finish(attempt, result)
        self.passing("after_record")
        return result

    def _carry_out(self, order: Order) -> StepResult:
        order.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _take_lock(order.folder)
        if lock is None:
            return self._await(order, None)
        with lock:
            if (done := _result(order.folder)) is not None:
                return done
            if files.read_json(order.folder / "intent.json") is not None:
                return _interrupted(order.folder)
            job = order.prepare(order.folder)
            mark = secrets.token_hex(16)
            files.write_json(order.folder / "job.json", msgspec.to_builtins(job, enc_hook=str))
            self.passing("before_intent")
            intent = {"mark": mark, "step": order.step, "attempt": order.number, "timeout_s": job.timeout_s}
            files.write_json(order.folder / "intent.json", {**intent, "at": datetime.now(UTC).isoformat()})
            self.passing("after_intent")
            # The lock goes with the open file: no moment without it between us and the supervisor.
            with (order.folder / "supervisor.log").open("wb") as log:
                child = subprocess.Popen(
                    [*self.supervisor, str(order.folder)], pass_fds=(lock.fileno(),), start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=environment(order.folder, mark),
                )  # fmt: skip
        self.passing("after_spawn")
        return self._await(order, child)

    def _await(self, order: Order, child: subprocess.Popen[bytes] | None) -> StepResult:
        intent = files.read_json(order.folder / "intent.json") or {}
        deadline = time.monotonic() + int(intent.get("timeout_s", 0)) + _GRACE_S
        while True:
            if child is not None:
                child.poll()  # reaped, so that a dead supervisor does not linger as a zombie
            lock = _take_lock(order.folder)
            if lock is not None:
                with lock:
                    return _result(order.folder) or _interrupted(order.folder)
            if time.monotonic() > deadline:
                raise OutsideError(
                    Text("步骤超过期限仍未结束", "The step has not ended although its deadline is over"),
                    where=str(order.folder),
                    next_step=Text(
                        "查看 supervisor.log，确认进程状态后再继续执行",
                        "Look at supervisor.log and the processes, then resume the run",
                    ),
                )
            self.pause(_POLL_S)


def _take_lock(folder: Path) -> _Lock | None:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return _Lock(descriptor)


class _Lock:
    """An open file that holds the lock until its last copy is closed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def __enter__(self) -> _Lock:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _result(folder: Path) -> StepResult | None:
    found = files.read_json(folder / "result.json")
    return None if found is None else msgspec.convert(found, StepResult)


def _interrupted(folder: Path) -> StepResult:
    """The supervisor died. What it left behind is ended, so that a new attempt is alone; what happened is unknown."""
    intent: dict[str, str] = files.read_json(folder / "intent.json") or {
        "mark": "",
        "at": datetime.now(UTC).isoformat(),
    }
    if intent["mark"] and not processes.end(intent["mark"]):
        raise OutsideError(
            Text("上一次尝试的进程无法终止", "Processes of the earlier attempt can't be ended"),
            where=", ".join(map(str, processes.find(intent["mark"]))),
            next_step=Text("结束这些进程后继续执行", "End these processes, then resume the run"),
        )
    started = datetime.fromisoformat(intent["at"])
    why = Text("执行中断，结果不明", "Interrupted: the outcome is unknown")
    evidence = files.seal(folder)
    return StepResult(
        status="unknown", reasons=(why,), started_at=started, finished_at=datetime.now(UTC), evidence_sha256=evidence
    )
