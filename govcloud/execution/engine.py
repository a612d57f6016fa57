"""Durable execution of legs with DBOS: the only module that imports it.

Each worker process is an executor of its own with one queue of its own, `worker-<worker id>`. A leg is put on the queue of
the worker that admits it and stays there over every restart of that worker: the files and processes of its attempts are on
that machine. Other workers get it only by `adopt`, after the dead worker's exclusive lock was obtained. What DBOS would do
by itself is kept from happening: no second process with the same executor id, no resume without the name of a queue, no
version that changes with the source text, no pickled values, no limit of recoveries (docs/design.md, Engine).
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from dbos import error as dbos_error

from govcloud.errors import OutsideError
from govcloud.execution.leg import Detached, StepRunner
from govcloud.model.text import Text

FILE = "engine.db"
_VERSION = "govcloud-2"
"""Raised only when legs of the older form can't be continued."""
_SCHEMA = "govcloud_engine"
"""PostgreSQL: DBOS's tables lie beside ours."""
POLL_S = 1.0
_OPEN = ["ENQUEUED", "PENDING"]
LegBody = Callable[[str, str, int, StepRunner], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    run_id: str
    system_id: str
    number: int
    worker: str
    """The digest that stands for a worker id in the name of its queue; empty when somebody put it on DBOS's own queue."""
    begun: bool

    @property
    def workflow_id(self) -> str:
        return f"{self.run_id}/{self.system_id}/{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A leg that stopped with an error and waits to be resumed."""

    error: Exception
    tries: int
    at: float
    """time.monotonic()"""


class Engine:
    """Carries out legs on threads of its own. One at a time in a process: DBOS is a singleton."""

    def __init__(
        self,
        url: str,
        worker_id: str,
        body: LegBody,
        on_end: Callable[[], None] = lambda: None,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        """`url`: `sqlite:///<path>` or `postgresql…`. `body` carries one leg; `on_end` is told when one has stopped."""
        self._poll_s = poll_s
        self._url, self._worker_id, self._body, self._on_end = url, worker_id, body, on_end
        self._queue = queue_name(worker_id)
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._left: dict[str, Left] = {}
        self._idle = threading.Condition(self._lock)

    def start(self) -> None:
        """Raises OutsideError when the database can't be used. Legs that this worker left are taken up again at once."""
        global _current
        if self._url.startswith("sqlite"):
            _prepare_file(Path(self._url.removeprefix("sqlite:///")))
        config: DBOSConfig = {
            "name": "govcloud",
            "system_database_url": self._url,
            "dbos_system_schema": _SCHEMA,
            "executor_id": self._worker_id,
            "application_version": _VERSION,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
            # Nothing is sent to workflows: no session has to listen.
            "use_listen_notify": False,
        }
        _current = self
        try:
            DBOS(config=config)
            _quieten()
            DBOS.listen_queues([self._queue])
            DBOS.launch()
            DBOS.register_queue(self._queue, polling_interval_sec=self._poll_s)
        except Exception as error:
            self.stop()
            raise OutsideError(
                Text("执行引擎的数据库不可用：{why}", "The engine's database can't be used: {why}").format(why=error),
                where=self._url.rpartition("@")[2],
                next_step=Text(
                    "检查数据库服务、磁盘空间和建表权限（schema {s}），然后重试",
                    "Check the server, disk space and the right to make the schema {s}, then try again",
                ).format(s=_SCHEMA),
            ) from error

    def start_leg(self, run_id: str, system_id: str, leg: int) -> int:
        """Put the system's leg on this worker's queue, once, whoever asks. The number used: later than `leg` where that is over."""
        while True:
            with SetWorkflowID(f"{run_id}/{system_id}/{leg}"):
                handle: Any = DBOS.enqueue_workflow(self._queue, _leg, run_id, system_id, leg)
            if handle.get_status().status in _OPEN:
                return leg
            # The store is an older copy than the engine's records: that leg has been carried out.
            leg += 1

    def legs(self) -> list[Leg]:
        """Legs of all workers that are not over."""
        found = []
        for status in DBOS.list_workflows(status=_OPEN, load_input=False, load_output=False):
            run_id, system_id, number = status.workflow_id.split("/")
            found.append(
                Leg(
                    run_id=run_id, system_id=system_id, number=int(number), begun=status.status == "PENDING",
                    worker=(status.queue_name or "").partition(_PREFIX)[2],
                )
            )  # fmt: skip
        return found

    def adopt(self, legs: Sequence[Leg]) -> None:
        """Take over legs of a worker whose exclusive lock the caller holds."""
        if legs:
            DBOS.resume_workflows([leg.workflow_id for leg in legs], queue_name=self._queue)

    def resume(self, leg: Leg) -> None:
        """Go on with a leg of this worker that stopped with an error."""
        DBOS.resume_workflow(leg.workflow_id, queue_name=self._queue)

    def is_own(self, leg: Leg) -> bool:
        return leg.worker == self._queue.removeprefix(_PREFIX)

    def is_running(self, leg: Leg) -> bool:
        with self._lock:
            return leg.workflow_id in self._running

    def left(self) -> dict[str, Left]:
        """Workflow id -> legs of this worker that stopped with an error; forgotten when they get on."""
        with self._lock:
            return dict(self._left)

    def pause(self, seconds: float) -> None:
        """Sleep. Raises Detached when this process shall leave."""
        if self._leaving.wait(seconds):
            raise Detached()

    def drain(self, timeout_s: float) -> bool:
        """Leave all legs where they are, having recorded what they have. False: some are still in the middle of it."""
        self._leaving.set()
        with self._idle:
            return self._idle.wait_for(lambda: not self._running, timeout_s)

    def stop(self) -> None:
        global _current
        self._leaving.set()
        DBOS.destroy()
        _current = None

    def carry(self, run_id: str, system_id: str, leg: int) -> str:
        """The workflow's body, on DBOS's thread."""
        name = f"{run_id}/{system_id}/{leg}"
        with self._lock:
            # Counted: a leg that was resumed from outside while it runs is on two threads for a moment.
            self._running[name] += 1
            earlier = self._left.get(name)
        try:
            self.pause(0)
            return self._body(run_id, system_id, leg, _Steps(self, name).run)
        except dbos_error.DBOSException:
            # Its records and this program disagree. Recorded as the leg's end: the next leg starts from our own rows.
            raise
        except Exception as error:
            with self._lock:
                now = self._left.get(name)
                tries = 1 if earlier is None or now is None else earlier.tries + 1
                self._left[name] = Left(error=error, tries=tries, at=time.monotonic())
            # Recorded as ERROR the leg could never be resumed.
            raise Detached(error) from error
        finally:
            with self._idle:
                self._running -= Counter([name])
                self._idle.notify_all()
            self._on_end()

    def got_on(self, name: str) -> None:
        with self._lock:
            self._left.pop(name, None)


@dataclass(frozen=True, slots=True)
class _Steps:
    engine: Engine
    leg: str

    def run(self, name: str, function: Callable[[], Any]) -> Any:
        def call() -> Any:
            try:
                done = function()
            except dbos_error.DBOSException:
                raise
            except Exception as error:
                # An error of ours or of the machine is no result of the step: leave, and try again later.
                raise _Stopped(error) from error
            self.engine.got_on(self.leg)
            return done

        try:
            return DBOS.run_step({"name": name}, call)
        except _Stopped as stopped:
            raise stopped.cause from stopped


class _Stopped(BaseException):
    """Carries an error past DBOS, which records every Exception as the step's result."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


_current: Engine | None = None
"""DBOS keeps one registry of functions in a process; they find what they work on here."""


@DBOS.workflow(name="govcloud.leg", max_recovery_attempts=None)
def _leg(run_id: str, system_id: str, leg: int) -> str:
    if _current is None:
        raise Detached()
    return _current.carry(run_id, system_id, leg)


_PREFIX = "worker-"


def worker_digest(worker_id: str) -> str:
    return hashlib.sha256(worker_id.encode()).hexdigest()[:20]


def queue_name(worker_id: str) -> str:
    return _PREFIX + worker_digest(worker_id)


def _prepare_file(path: Path) -> None:
    """Write-ahead log (kept in the file) with full synchronisation (SQLite's default, checked on a connection of its own)."""
    try:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            level = connection.execute("PRAGMA synchronous").fetchone()[0]
        path.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise OutsideError(
            Text("执行引擎的数据库不可用：{why}", "The engine's database can't be used: {why}").format(why=error),
            where=str(path),
        ) from error
    if mode != "wal" or level != 2:
        raise OutsideError(
            Text("SQLite 不支持所需的持久化方式", "SQLite lacks the durability that is needed"),
            where=f"{path} (journal_mode={mode}, synchronous={level})",
        )


class _Once(logging.Filter):
    """The same complaint once a minute, without a traceback: a database that is away for half a minute made 4,000 lines."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if "already exists in queue" in record.getMessage():
            # Two workers admitted the same leg at the same moment; one of them has it.
            return False
        record.exc_info = record.exc_text = None
        record.msg, record.args = record.getMessage().partition("\n")[0].partition(": Traceback")[0][:300], None
        kind = f"{record.filename}:{record.lineno}"
        now = time.monotonic()
        if now - self._said.get(kind, -60.0) < 60:
            return False
        self._said[kind] = now
        return True


_once = _Once()


def _quieten() -> None:
    logging.getLogger("dbos").addFilter(_once)
