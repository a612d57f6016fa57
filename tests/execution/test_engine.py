"""DBOS behind our interface, on SQLite and PostgreSQL. A user would miss: records that another program can read and none can
smuggle code into, legs that go on after errors, and a worker's id that two processes can't have."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from govcloud.errors import OutsideError, UsageError
from govcloud.execution.engine import FILE, Engine, queue_name
from govcloud.execution.identity import WorkerLock, machine_id, worker_id
from govcloud.execution.leg import Detached, StepRunner
from govcloud.model.text import Text
from govcloud.store.advisory import SessionLock

LIMIT_S = 20.0
Body = Callable[[str, str, int, StepRunner], str]


@pytest.fixture
def engine_url(url: str, tmp_path: Path) -> str:
    return url if url.startswith("postgresql") else f"sqlite:///{tmp_path / FILE}"


@pytest.fixture
def start(engine_url: str) -> Iterator[Callable[[Body, str], Engine]]:
    """One engine after the other; each time the one before is stopped as a killed process would leave it."""
    running: list[Engine] = []

    def start_one(body: Body, worker: str = "m/w") -> Engine:
        while running:
            running.pop().stop()
        running.append(Engine(engine_url, worker, body, poll_s=0.1))
        running[0].start()
        return running[0]

    yield start_one
    while running:
        running.pop().stop()


def rows(url: str, columns: str, table: str) -> list[tuple[Any, ...]]:
    engine = sa.create_engine(url)
    where = f"govcloud_engine.{table}" if url.startswith("postgresql") else table
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM {where}")]  # noqa: S608
    engine.dispose()
    return found


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_steps_are_kept_as_json_under_their_names(start: Callable[..., Engine], engine_url: str) -> None:
    """Trap 3.11: the default is pickle, which runs the code of whoever can write the database."""
    engine = start(lambda run, system, leg, step: step("freeze/apply#1", lambda: {"状态": "ok", "leg": leg})["状态"])
    assert engine.start_leg("r1", "S1", 1) == 1
    until(lambda: not engine.legs())
    assert [
        (name, json.loads(output)) for name, output in rows(engine_url, "function_name, output", "operation_outputs")
    ] == [("freeze/apply#1", {"状态": "ok", "leg": 1})]
    status = "status, queue_name, executor_id, application_version, serialization"
    assert rows(engine_url, status, "workflow_status") == [
        ("SUCCESS", queue_name("m/w"), "m/w", "govcloud-2", "portable_json")
    ]


def test_the_sqlite_file_keeps_a_log_and_writes_through(start: Callable[..., Engine], engine_url: str) -> None:
    start(lambda *_: "over")
    if engine_url.startswith("sqlite"):
        path = Path(engine_url.removeprefix("sqlite:///"))
        assert path.stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_leg_that_fails_goes_on_behind_its_last_step(start: Callable[..., Engine], engine_url: str) -> None:
    done: list[str] = []
    room = threading.Event()

    def body(_run: str, _system: str, _leg: int, step: StepRunner) -> str:
        def copy() -> str:
            if not room.is_set():
                raise OutsideError(Text("磁盘已满", "disk full"))
            done.append("copy")
            return "copied"

        step("check", lambda: done.append("check") or "fine")
        return str(step("copy", copy))

    engine = start(body)
    engine.start_leg("r1", "S1", 1)
    until(lambda: engine.left())
    (left,) = engine.left().values()
    assert (left.tries, str(left.error)) == (1, "disk full")
    until(lambda: not engine.is_running(engine.legs()[0]))
    engine.resume(engine.legs()[0])
    until(lambda: [one.tries for one in engine.left().values()] == [2])
    room.set()
    until(lambda: not engine.is_running(engine.legs()[0]))
    engine.resume(engine.legs()[0])
    until(lambda: not engine.legs())
    assert (done, engine.left()) == (["check", "copy"], {})
    assert "disk full" not in str(rows(engine_url, "output, error", "operation_outputs"))


def test_a_worker_goes_on_with_its_own_legs_when_it_starts_again(start: Callable[..., Engine]) -> None:
    done: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def body(_run: str, _system: str, _leg: int, step: StepRunner) -> str:
        def wait() -> str:
            entered.set()
            while not leave.is_set():
                engines[-1].pause(0.02)
            return "over"

        step("check", lambda: done.append("check") or "fine")
        return str(step("wait", wait))

    engines = [start(body)]
    engines[0].start_leg("r1", "S1", 1)
    assert entered.wait(LIMIT_S) and engines[0].drain(LIMIT_S)
    engines.append(start(body))
    leave.set()
    until(lambda: not engines[1].legs())
    assert done == ["check"]


def test_only_one_leg_comes_of_one_number_and_an_old_number_is_passed(start: Callable[..., Engine]) -> None:
    begun: list[int] = []
    engine = start(lambda run, system, leg, step: begun.append(leg) or "over")
    assert [engine.start_leg("r1", "S1", 1) for _ in range(3)] == [1, 1, 1]
    until(lambda: not engine.legs())
    # The store was restored from an older copy and asks for the first leg again.
    assert engine.start_leg("r1", "S1", 1) == 2
    until(lambda: not engine.legs())
    assert begun == [1, 2]


def test_a_leg_of_another_worker_is_left_alone_until_it_is_adopted(start: Callable[..., Engine]) -> None:
    """Trap 3.2 and 3.10."""
    done: list[str] = []

    def stuck(_run: str, _system: str, _leg: int, step: StepRunner) -> str:
        step("check", lambda: done.append("check") or "fine")
        raise Detached()

    start(stuck, "m/dead").start_leg("r1", "S1", 1)
    until(lambda: done)
    engine = start(lambda run, system, leg, step: step("check", lambda: done.append("again")), "m/w")
    time.sleep(1.5)
    (leg,) = engine.legs()
    assert not engine.is_own(leg) and leg.begun and not engine.is_running(leg)
    engine.adopt([leg])
    until(lambda: not engine.legs())
    assert done == ["check"]


def test_a_database_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path / 'no' / FILE}", f"postgresql+psycopg://x@/nothing?host={tmp_path}"):
        engine = Engine(url, "m/w", lambda *_: "over")
        with pytest.raises(OutsideError) as failed:
            engine.start()
        assert failed.value.exit_code == 4


def test_an_id_belongs_to_one_process(tmp_path: Path, url: str) -> None:
    """Two with one id would both take up the same legs."""
    database = (lambda: SessionLock(url, "govcloud worker m/w")) if url.startswith("postgresql") else (lambda: None)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    machine = machine_id(tmp_path / "a")
    assert machine == machine_id(tmp_path / "a") != machine_id(tmp_path / "b")
    assert (tmp_path / "a" / "machine-id").stat().st_mode & 0o777 == 0o600
    name = worker_id(machine, "cli")
    first, second = (WorkerLock(tmp_path / "a", machine, name, database()) for _ in range(2))
    assert first.take() and first.held() and not second.take()
    # A clone of the machine: another folder, the same id. Only the database can tell.
    clone = WorkerLock(tmp_path / "b", machine, name, database())
    assert clone.take() is not url.startswith("postgresql")
    clone.release()
    first.release()
    assert second.take()
    second.release()
    with pytest.raises(UsageError):
        worker_id(machine, "../cli")


def test_a_lost_session_is_taken_again_or_found_lost(url: str) -> None:
    if not url.startswith("postgresql"):
        assert SessionLock.__module__ == "govcloud.store.advisory"
        return
    lock, rival = SessionLock(url, "w"), SessionLock(url, "w")
    killer = sa.create_engine(url, poolclass=sa.NullPool)

    def kill_sessions() -> None:
        with killer.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )

    assert lock.take()
    kill_sessions()
    until(lock.held)
    kill_sessions()
    until(rival.take)
    assert not lock.held()
    rival.release()
