"""A process that carries systems on: its identity, its engine, and the dispatcher that starts their legs."""

from __future__ import annotations

import os
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from govcloud.errors import OutsideError, UsageError
from govcloud.execution.dispatch import LIVING_S, Row, living, serves
from govcloud.execution.history import next_number
from govcloud.execution.identity import WorkerLock, machine_id, worker_id
from govcloud.model.attempt import AttemptKey, StepResult, Worker
from govcloud.model.run import ENDED
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.settings import Workspace
from govcloud.store import due as due_store
from govcloud.store.advisory import SessionLock
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import Session

if TYPE_CHECKING:
    from govcloud.execution.attempt import Claim
    from govcloud.execution.journal import Journal

FOLDER = "engine"
_CLI, _WORKER = "cli", "worker"
_CLI_AT_ONCE = 9
_DRAIN_S = 20.0
_GRACE_S = 60.0
"""After SIGTERM; systemd's own patience is 90 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds. Tests are in more of a hurry."""

    round_s: float = 1.0
    poll_s: float = 1.0
    """How often the engine looks at its queue."""
    beat_s: float = 5.0
    living_s: float = LIVING_S
    takeover_s: float = 120.0
    """A worker of another machine that was not seen for so long loses its legs. Not less than a restart takes: what was
    under way there becomes an unknown outcome."""
    outage_s: float = 900.0
    """The database may be away for so long."""
    tries: int = 6
    """An error that comes so often in a row ends a command in the foreground; a worker goes on trying."""
    soon_s: float = 300.0
    """A command in the foreground stays for waits that end by themselves so soon."""


Hands = tuple["Callable[[Claim], StepResult]", Callable[[AttemptKey], bool]]
"""What carries out a claimed step, and what asks it to stop."""
MakeHands = Callable[[Session, "Journal", Worker, Callable[[float], None]], Hands]


def work(
    session: Session,
    *,
    zones: Sequence[str] = (),
    until: Literal["idle", "stopped"] = "idle",
    name: str | None = None,
    runs: Sequence[str] = (),
    linger_s: float = 0.0,
    pace: Pace | None = None,
    make_hands: MakeHands | None = None,
) -> None:
    """Carry on the systems of all runs whose zones this process serves.

    idle: until nothing is left that it can do, `linger_s` longer while people are awaited; without `zones` it serves those
    that no living worker serves. stopped: until SIGTERM or SIGINT; without `zones` it serves all. `runs`: whose progress is
    told to the observer. Leaving never ends a step under way: its supervisor goes on and is found again.

    Raises UsageError when the worker's name is taken, OutsideError when the database stays away or an error of this machine
    does not go away, KeyboardInterrupt after a clean leave.
    """
    from govcloud.workflow.dispatcher import Dispatcher  # DBOS takes most of a second to import

    pace = pace or Pace()
    folder = session.workspace.folder(FOLDER)
    machine = machine_id(folder)
    with _own_lock(session, machine, name, until) as (own_id, lock):
        wanted = tuple(zones)
        if until == "idle" and not wanted:
            left = _unserved(session, machine, pace, StoreJournal(session, own_id))
            if left is None:
                return
            wanted = left
        me = _worker(session, machine, own_id, wanted)
        journal = StoreJournal(session, own_id)
        journal.see_worker(me)
        dispatcher = Dispatcher(session, me, lock, journal, pace, frozenset(runs))
        with _terminated(dispatcher.stop) as told:
            dispatcher.start(make_hands or guarded)
            try:
                dispatcher.run(until, linger_s)
            finally:
                dispatcher.close(_DRAIN_S)
                _say_goodbye(journal, me, session.now())
        if told.is_set() and until == "idle":
            raise KeyboardInterrupt


def perform_once(
    session: Session,
    run_id: str,
    system_id: str,
    step: StepName,
    phase: Phase,
    *,
    make_hands: MakeHands | None = None,
) -> StepResult:
    """One attempt outside of any leg: a probe, or the clean-up of a system that has ended.

    Raises UsageError while another attempt of the system is under way.
    """
    machine = machine_id(session.workspace.folder(FOLDER))
    with _own_lock(session, machine, None, "idle") as (own_id, _):
        from govcloud.execution.attempt import Claim

        journal = StoreJournal(session, own_id)
        number = next_number(journal.seen(run_id, system_id), step, phase)
        me = _worker(session, machine, own_id, ())
        submit, _cancel = (make_hands or guarded)(session, journal, me, time.sleep)
        key = AttemptKey(run_id=run_id, system_id=system_id, step=step, phase=phase, number=number)
        return submit(Claim(key=key))


def guarded(session: Session, journal: Journal, worker: Worker, pause: Callable[[float], None]) -> Hands:
    """Ansible behind the guard, systems in the same step together."""
    from govcloud.workflow.hands import make_hands

    return make_hands(session, journal, worker, pause)


def engine_url(workspace: Workspace) -> str:
    """The engine's database: beside ours on PostgreSQL, else a SQLite file in the workspace."""
    from govcloud.execution.engine import FILE

    url = workspace.database_url
    return url if url.startswith("postgresql") else f"sqlite:///{workspace.path / FILE}"


def worker_lock(session: Session, machine: str, worker: str) -> WorkerLock:
    url = session.workspace.database_url
    database = SessionLock(url, f"govcloud worker {worker}") if url.startswith("postgresql") else None
    return WorkerLock(session.workspace.folder(FOLDER), machine, worker, database)


def lingering() -> bool:
    """Whether threads are left that can't be told to leave, as they wait inside DBOS for a database that is away. A process
    that ends normally would wait for them: end it with os._exit after flushing."""
    return any(t.name.startswith("dbos-executor") and t.is_alive() for t in threading.enumerate())


def living_workers(session: Session, machine: str, pace: Pace, journal: Journal) -> list[Worker]:
    """Those seen lately; those of this machine only while they hold their lock, which tells sooner."""
    found = []
    folder = session.workspace.folder(FOLDER)
    for worker in living(journal.workers(), session.now(), pace.living_s):
        if worker.machine_id == machine:
            lock = WorkerLock(folder, machine, worker.worker_id)
            if lock.take():
                lock.release()
                continue
        found.append(worker)
    return found


def _worker(session: Session, machine: str, own_id: str, zones: tuple[str, ...]) -> Worker:
    return Worker(
        worker_id=own_id, machine_id=machine, host=platform.node(), pid=os.getpid(), zones=zones, seen_at=session.now()
    )  # fmt: skip


def _unserved(session: Session, machine: str, pace: Pace, journal: Journal) -> tuple[str, ...] | None:
    """Zones of open systems that no living worker serves; None when nothing at all is left to serve.

    A process in the foreground does not take a zone from a worker: the worker may reach what this machine does not.
    """
    with session.store.read() as tx:
        rows = [Row(*row) for row in due_store.open_rows(tx)]
    others = [
        w for w in living_workers(session, machine, pace, journal) if not w.worker_id.startswith(f"{machine}/{_CLI}")
    ]
    if not others:
        return ()
    zones = {row.zone for row in rows if row.state not in ENDED}
    left = sorted(z for z in zones if z is not None and not any(serves(w, z) for w in others))
    return tuple(left) if left else None


@contextmanager
def _own_lock(
    session: Session, machine: str, name: str | None, until: Literal["idle", "stopped"]
) -> Iterator[tuple[str, WorkerLock]]:
    usual = _CLI if until == "idle" else _WORKER
    # Several commands in the foreground may be at work at once, each under a name of its own.
    several = name is None and until == "idle"
    names = [name or usual, *(f"{_CLI}-{n}" for n in range(2, _CLI_AT_ONCE + 1) if several)]
    for one in names:
        own_id = worker_id(machine, one)
        lock = worker_lock(session, machine, own_id)
        # Somebody who only looks whether a worker lives holds its lock for a moment.
        if lock.take(patience_s=1.0):
            try:
                yield own_id, lock
            finally:
                lock.release()
            return
    raise UsageError(
        Text("名为 {n} 的工作进程正在运行", "A worker with the name {n} is running").format(n=names[0]),
        where=machine,
        next_step=Text(
            "用 --name 另取一个名字；查看全部：govcloud worker --list。若这台机器是克隆来的，先删除 engine/machine-id",
            "Choose another --name; see them with govcloud worker --list. On a cloned machine remove engine/machine-id first",
        ),
    )


@contextmanager
def _terminated(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """SIGTERM ends the work in order; a process that can't (database away) is ended after a grace period."""
    told = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield told
        return

    def on_term(_signal: int, _frame: object) -> None:
        told.set()
        stop()
        watchdog = threading.Timer(_GRACE_S, os._exit, (143,))
        watchdog.daemon = True
        watchdog.start()

    before = signal.signal(signal.SIGTERM, on_term)
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_goodbye(journal: Journal, me: Worker, now: datetime) -> None:
    """Nobody has to wait for the sign of life of a worker that has left in order; where that can't be written, they wait."""
    with suppress(OutsideError):
        journal.see_worker(replace(me, pid=0, seen_at=now))
