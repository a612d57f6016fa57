"""What a durable engine does not do for us: a test for each trap that was met when it was tried (3.1 to 3.12), on SQLite and
PostgreSQL, with worker processes that are killed, stopped and told to leave.

A user would miss: a cutover that runs once however often the power fails, and workers that never take each other's work.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import yaml
from dbos import DBOSClient, DBOSPortableJSONSerializer

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from engine_load import add_wave, make_workspace
from fork_server import Case, ForkServer

from govcloud.execution.engine import Engine, queue_name
from govcloud.execution.leg import StepRunner
from govcloud.model.attempt import Attempt
from govcloud.model.gate import Answer, Order, OrderKind
from govcloud.model.run import RunSystem
from govcloud.settings import Workspace, open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.store import gate as gate_store
from govcloud.store import run as run_store
from govcloud.workflow.run_engine import engine_url
from govcloud.workflow.session import open_session

_found = spec_from_file_location("store_conftest", Path(__file__).parents[1] / "store" / "conftest.py")
assert _found is not None and _found.loader is not None
_store = module_from_spec(_found)
_found.loader.exec_module(_store)
wheel_postgres = _store.wheel_postgres
LIMIT_S = 60.0
CUTOVER = {"guarded": ["cutover"]}


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    with ForkServer("trap_case", path=Path(__file__).parent) as server:
        yield server


@dataclass
class Site:
    """A workspace, its database, and the worker processes at work on it."""

    forks: ForkServer
    workspace: Workspace
    cases: list[Case] = field(default_factory=list)
    runs: int = 0

    @property
    def path(self) -> Path:
        return self.workspace.path

    @property
    def shared(self) -> bool:
        return self.workspace.database_url.startswith("postgresql")

    def open(self) -> Any:
        return open_session(self.workspace, actor="wang")

    def add(self, count: int = 1, zones: Sequence[str | None] = (None,)) -> str:
        self.runs += 1
        run_id = f"r2026112{self.runs // 26}-{'abcdefghijklmnopqrstuvwxyz'[self.runs % 26]}"
        with self.open() as session:
            add_wave(session, count, run_id, zones)
        return run_id

    def start(self, name: str = "w1", **told: Any) -> Case:
        case = self.forks.start("trap_case:main", str(self.path), json.dumps({"name": name, **told}))
        self.cases.append(case)
        return case

    def script(self, **told: dict[str, Any]) -> None:
        (self.path / "standin.json").write_text(json.dumps(told))

    def begun(self, run_id: str, step: str) -> int:
        """How often the step really began, as the stand-in wrote it down itself."""
        log = self.path / "standin.log"
        names = {s.system_id for s in self.systems(run_id)}
        lines = log.read_text().splitlines() if log.exists() else []
        return sum(line.split()[0] in names and line.split()[1].startswith(f"{step}/") for line in lines)

    def systems(self, run_id: str) -> list[RunSystem]:
        with self.open() as session, session.store.read() as tx:
            return run_store.run_systems(tx, run_id)

    def states(self, run_id: str) -> set[str]:
        return {system.state for system in self.systems(run_id)}

    def waits(self, run_id: str) -> list[str | None]:
        return [system.wait.kind if system.wait else None for system in self.systems(run_id)]

    def attempts(self, run_id: str) -> list[Attempt]:
        with self.open() as session, session.store.read() as tx:
            return attempt_store.attempts(tx, run_id)

    def supervisor(self, run_id: str, step: str) -> int:
        (pid,) = (self.path / "evidence" / run_id).glob(f"*/{step}/apply/*/standin.pid")
        return int(pid.read_text())

    def order(self, run_id: str, kind: OrderKind) -> None:
        with self.open() as session, session.store.begin() as tx:
            for system in run_store.run_systems(tx, run_id):
                number = gate_store.next_order_number(tx, run_id)
                made = Order(
                    number=number, run_id=run_id, system_id=system.system_id, kind=kind, actor="li", at=session.now()
                )
                gate_store.add_order(tx, made)

    def approve(self, run_id: str) -> None:
        with self.open() as session, session.store.begin() as tx:
            for gate in gate_store.gates(tx, run_id):
                at = session.now()
                gate_store.add_answer(
                    tx,
                    Answer(gate_id=gate.gate_id, actor="li", at=at, granted=True, expires_at=at + timedelta(hours=1)),
                )

    def until(self, what: Callable[[], object], why: str, limit_s: float = LIMIT_S) -> None:
        deadline = time.monotonic() + limit_s
        while not what():
            if time.monotonic() > deadline:
                said = "\n".join(case.stderr[-2000:] + said_by(case)[-500:] for case in self.cases[-2:])
                pytest.fail(f"{why}\n{said}")
            time.sleep(0.05)

    def done(self, run_id: str, state: str = "trial") -> None:
        self.until(lambda: self.states(run_id) == {state}, f"not {state}: {self.systems(run_id)[0].wait}")

    def end(self) -> None:
        for case in self.cases:
            with suppress(ProcessLookupError):
                case.kill(signal.SIGCONT)
            if case.poll() is None:
                case.kill(signal.SIGKILL)
                case.wait()
        self.cases.clear()

    def engine_rows(self, statement: str) -> list[Any]:
        """`{s}` in front of a table: DBOS's schema."""
        engine = sa.create_engine(engine_url(self.workspace))
        with engine.begin() as tx:
            done = tx.exec_driver_sql(statement.format(s="govcloud_engine." if self.shared else ""))
            found = list(done) if done.returns_rows else []
        engine.dispose()
        return found

    def client(self) -> DBOSClient:
        return DBOSClient(
            system_database_url=engine_url(self.workspace), dbos_system_schema="govcloud_engine",
            serializer=DBOSPortableJSONSerializer(),
        )  # fmt: skip


def new_database(folder: str) -> str:
    name = f"t_{uuid.uuid4().hex}"
    with psycopg.connect(host=folder, user="tester", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://tester@/{name}?host={folder}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, forks: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Site:  # fmt: skip
    """One for all tests of a database, each with a run of its own: making one takes longer than most tests."""
    database = None
    if request.param == "postgresql":
        database = new_database(request.getfixturevalue("wheel_postgres"))
    path = tmp_path_factory.mktemp(request.param) / "w"
    return Site(forks, make_workspace(path, database=database, slots=3))


@pytest.fixture
def site(place: Site) -> Iterator[Site]:
    place.script()
    yield place
    place.end()


def said_by(case: Case) -> str:
    """What it printed so far; a process that was just started has no output yet."""
    with suppress(FileNotFoundError):
        return case.stdout
    return ""


def in_cutover(site: Site, run_id: str) -> None:
    site.until(lambda: site.begun(run_id, "cutover"), "the cutover has not begun")


def test_3_1_a_killed_worker_finds_its_step_again(site: Site) -> None:
    """kill -9 does not stop the playbook: the next process waits for it and does not start it beside."""
    site.script(cutover={"sleep": 2.5})
    run_id = site.add()
    worker = site.start(**CUTOVER)
    in_cutover(site, run_id)
    worker.kill(signal.SIGKILL)
    worker.wait()
    os.kill(site.supervisor(run_id, "cutover"), 0)
    site.start(**CUTOVER)
    site.done(run_id)
    assert site.begun(run_id, "cutover") == 1
    assert [a.key.number for a in site.attempts(run_id)] == [1] * 10


def test_3_2_a_second_process_does_not_get_the_id_of_the_first(site: Site) -> None:
    site.script(cutover={"sleep": 2.5})
    run_id = site.add()
    site.start(**CUTOVER)
    in_cutover(site, run_id)
    second = site.start(**CUTOVER).wait(30)
    assert (second.returncode, "w1 is running" in second.stderr) == (2, True)
    site.done(run_id)
    assert site.begun(run_id, "cutover") == 1


def test_3_3_cancel_and_resume_of_the_workflow_do_not_run_the_step_again(site: Site) -> None:
    """Somebody used DBOS's own tools in the middle of the cutover."""
    site.script(cutover={"sleep": 2.5})
    run_id = site.add()
    site.start(**CUTOVER)
    in_cutover(site, run_id)
    name = f"{run_id}/{site.systems(run_id)[0].system_id}/1"
    client = site.client()
    client.cancel_workflow(name)
    client.resume_workflow(name, queue_name=queue_name(site.attempts(run_id)[0].executor))
    client.destroy()
    site.done(run_id)
    assert site.begun(run_id, "cutover") == 1


def test_3_3_an_order_to_cancel_ends_the_step_under_way(site: Site) -> None:
    site.script(replicate={"sleep": 120})
    run_id = site.add()
    site.start(guarded=["replicate"])
    site.until(lambda: site.begun(run_id, "replicate"), "the copy has not begun")
    site.order(run_id, "cancel")
    site.done(run_id, "cancelled")
    assert site.begun(run_id, "replicate") == 1
    assert [a.result.status for a in site.attempts(run_id) if a.result and a.key.step == "replicate"] == ["stopped"]


def test_3_4_a_leg_that_was_resumed_without_a_queue_stays_in_its_zone(site: Site) -> None:
    """Every worker listens to DBOS's internal queue; the one of the wrong zone hands it back."""
    site.script(cutover={"sleep": 4})
    run_id = site.add(zones=("dmz",))
    inside, outside = site.start("in", zones=["dmz"], **CUTOVER), site.start("out", zones=["core"], **CUTOVER)
    in_cutover(site, run_id)
    inside.kill(signal.SIGSTOP)
    name = f"{run_id}/{site.systems(run_id)[0].system_id}/1"
    client = site.client()
    client.cancel_workflow(name)
    client.resume_workflow(name)
    site.until(lambda: client.retrieve_workflow(name).get_status().executor_id.endswith("/out"), "nobody took it")
    time.sleep(1)
    client.destroy()
    inside.kill(signal.SIGCONT)
    site.done(run_id)
    assert outside.poll() is None
    assert {a.executor.rpartition("/")[2] for a in site.attempts(run_id)} == {"in"}
    assert site.begun(run_id, "cutover") == 1


def test_3_5_an_edited_program_goes_on_with_what_an_older_one_began(site: Site) -> None:
    site.script(cutover={"sleep": 2})
    run_id = site.add()
    worker = site.start(**CUTOVER)
    in_cutover(site, run_id)
    worker.kill(signal.SIGKILL)
    worker.wait()
    site.start(edited=True, **CUTOVER)
    site.done(run_id)
    assert {row[0] for row in site.engine_rows("SELECT application_version FROM {s}workflow_status")} == {"govcloud-2"}


def test_3_6_a_recorded_step_is_never_taken_for_another(site: Site) -> None:
    """The way was changed in flight: nothing is run on the strength of another step's record."""
    ran: list[str] = []

    def way(*steps: str) -> Callable[[str, str, int, StepRunner], str]:
        def body(_run: str, _system: str, _leg: int, step: StepRunner) -> str:
            for name in steps:
                step(name, lambda name=name: ran.append(name) or name)  # type: ignore[misc]
            engines[-1].pause(60)
            return "over"

        return body

    engines = [Engine(engine_url(site.workspace), "m/six", way("freeze", "cutover"), poll_s=0.1)]
    engines[0].start()
    engines[0].start_leg("r6", "S6", 1)
    site.until(lambda: ran == ["freeze", "cutover"], "not begun")
    engines[0].drain(20)
    engines[0].stop()
    engines.append(Engine(engine_url(site.workspace), "m/six", way("freeze", "backup", "cutover"), poll_s=0.1))
    engines[1].start()
    site.until(lambda: not [leg for leg in engines[1].legs() if leg.run_id == "r6"], "not over")
    engines[1].stop()
    assert ran == ["freeze", "cutover"]


def test_3_7_systems_at_gates_hold_no_slot(site: Site, tmp_path: Path) -> None:
    """Three slots, eight systems: all of them arrive at the gate, and all of them go on after it."""
    settings = site.path / "govcloud.yaml"
    before = settings.read_text("utf-8")
    settings.write_text(
        yaml.safe_dump(yaml.safe_load(before) | {"execution": {"slots": 3, "gates": ["freeze"]}}, allow_unicode=True),
        "utf-8",
    )
    try:
        run_id = site.add(8)
        site.start()
        site.until(lambda: site.waits(run_id) == ["approval"] * 8, f"not at the gate: {site.waits(run_id)}")
        site.approve(run_id)
        site.done(run_id)
    finally:
        settings.write_text(before, "utf-8")


def test_3_8_no_number_of_restarts_is_too_many(site: Site) -> None:
    site.script(cutover={"sleep": 1})
    run_id = site.add()
    worker = site.start(**CUTOVER)
    in_cutover(site, run_id)
    worker.kill(signal.SIGKILL)
    worker.wait()
    site.engine_rows("UPDATE {s}workflow_status SET recovery_attempts = 5000 WHERE status = 'PENDING'")
    site.start(**CUTOVER)
    site.done(run_id)
    assert site.begun(run_id, "cutover") == 1


def test_3_9_the_slots_are_those_of_all_workers_together(site: Site) -> None:
    run_id = site.add(12)
    (site.path / "spans.log").unlink(missing_ok=True)
    for name in ("w1", "w2"):
        site.start(name, sleep=0.05)
    site.done(run_id)
    spans = sorted(line.split() for line in (site.path / "spans.log").read_text().splitlines())
    at_once = [sum(int(change) for _, change in spans[:n]) for n in range(len(spans) + 1)]
    assert max(at_once) <= 3
    assert sum(int(change) > 0 for _, change in spans) == 12 * 10
    assert len({a.executor for a in site.attempts(run_id)}) == 2, "both took their share"


def test_3_10_a_dead_worker_is_taken_over_and_a_stopped_one_is_not(site: Site) -> None:
    """On the same machine the other worker finds the step under way and waits for it."""
    site.script(cutover={"sleep": 5})
    run_id = site.add()
    first = site.start("w1", **CUTOVER)
    in_cutover(site, run_id)
    second = site.start("w2", **CUTOVER)
    first.kill(signal.SIGSTOP)
    time.sleep(2.5)
    assert second.poll() is None and site.states(run_id) == {"running"}
    assert {
        row[0] for row in site.engine_rows("SELECT queue_name FROM {s}workflow_status WHERE status = 'PENDING'")
    } == {queue_name(site.attempts(run_id)[-1].executor)}
    first.kill(signal.SIGKILL)
    first.wait()
    site.done(run_id)
    assert site.begun(run_id, "cutover") == 1
    assert site.attempts(run_id)[-1].executor.endswith("/w2")


@pytest.mark.parametrize("place", ["postgresql"], indirect=True, scope="module")
def test_3_10_a_lost_machine_leaves_an_unknown_outcome_that_is_looked_at(site: Site, tmp_path: Path) -> None:
    """Another machine (its own folder, the same PostgreSQL): the copy's outcome is unknown there, a probe tells."""
    site.script(replicate={"sleep": 300})
    run_id = site.add()
    lost = site.start("w1", guarded=["replicate"])
    site.until(lambda: site.begun(run_id, "replicate"), "the copy has not begun")
    other = tmp_path / "w"
    (other / "evidence").mkdir(parents=True)
    for name in ("govcloud.yaml", "hosts.yaml", "migration"):
        subprocess.run(["cp", "-a", str(site.path / name), str(other)], check=True)
    there = replace(site, workspace=open_workspace(other), cases=[])
    try:
        rescue = there.start("w1", guarded=["replicate"])
        lost.kill(signal.SIGSTOP)
        time.sleep(5)
        assert rescue.poll() is None and site.attempts(run_id)[-1].result is None, (
            "a worker that holds its lock was robbed"
        )
        os.kill(site.supervisor(run_id, "replicate"), signal.SIGKILL)
        lost.kill(signal.SIGKILL)
        lost.wait()
        there.done(run_id)
    finally:
        there.end()
    told = [(a.key.phase, a.result.status) for a in site.attempts(run_id) if a.key.step == "replicate" and a.result]
    assert told == [("apply", "unknown"), ("verify", "ok")]
    assert len({a.machine_id for a in site.attempts(run_id)}) == 2


def test_3_11_records_are_json_and_code_in_them_is_not_run(site: Site) -> None:
    run_id = site.add()
    site.start()
    site.done(run_id)
    kept = site.engine_rows("SELECT output FROM {s}operation_outputs")
    assert len(kept) > 10 and all(json.loads(text) is not None for (text,) in kept)
    site.end()

    class Bomb:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(site.path / "boom"),)

    # What the next start would unpickle, were it pickle: the recorded first answer of a leg that is not over.
    again = site.add()
    name = f"{again}/{site.systems(again)[0].system_id}/1"
    site.script(precheck={"sleep": 3})
    worker = site.start(guarded=["precheck"])
    site.until(lambda: site.begun(again, "precheck"), "not begun")
    worker.kill(signal.SIGKILL)
    worker.wait()
    bomb = pickle.dumps(Bomb()).hex()
    site.engine_rows(f"UPDATE {{s}}operation_outputs SET output = '{bomb}' WHERE workflow_uuid = '{name}'")  # noqa: S608
    site.start(guarded=["precheck"])
    site.until(lambda: site.waits(again) == ["unreachable"], "the reason is not in the row")
    assert not (site.path / "boom").exists()
    site.end()
    # The engine's records can be thrown away: all that counts is in our own tables.
    if site.shared:
        site.engine_rows("DROP SCHEMA govcloud_engine CASCADE")
    else:
        for name in ("engine.db", "engine.db-wal", "engine.db-shm"):
            (site.path / name).unlink(missing_ok=True)
    site.start(guarded=["precheck"])
    site.done(again)
    assert site.begun(again, "precheck") == 1


def test_3_12_a_worker_that_is_told_to_stop_leaves_in_order(site: Site) -> None:
    site.script(cutover={"sleep": 4})
    run_id = site.add()
    worker = site.start(**CUTOVER)
    in_cutover(site, run_id)
    worker.kill(signal.SIGTERM)
    begun = time.monotonic()
    assert worker.wait(30).returncode == 0
    assert time.monotonic() - begun < 15
    os.kill(site.supervisor(run_id, "cutover"), 0)
    assert "Traceback" not in worker.stderr
    site.start(**CUTOVER)
    site.done(run_id)
    assert site.begun(run_id, "cutover") == 1


def test_3_12_ctrl_c_leaves_the_step_to_its_supervisor(site: Site) -> None:
    site.script(cutover={"sleep": 4})
    run_id = site.add()
    command = site.start("cli", until="idle", **CUTOVER)
    in_cutover(site, run_id)
    command.kill(signal.SIGINT)
    assert command.wait(30).returncode == 130
    os.kill(site.supervisor(run_id, "cutover"), 0)
    assert site.start("cli", until="idle", **CUTOVER).wait(LIMIT_S).returncode == 0
    assert (site.states(run_id), site.begun(run_id, "cutover")) == ({"trial"}, 1)


def test_a_zone_that_nobody_serves_is_said_and_served_later(site: Site) -> None:
    run_id = site.add(2, zones=("dmz", "core"))
    site.start("core", zones=["core"])
    site.until(lambda: sorted(map(str, site.waits(run_id))) == ["order", "zone"], f"not said: {site.waits(run_id)}")
    site.start("dmz", zones=["dmz"])
    site.done(run_id)


def test_a_command_in_the_foreground_returns_when_only_people_can_go_on(site: Site) -> None:
    run_id = site.add(2)
    command = site.start("cli", until="idle").wait(LIMIT_S)
    assert (command.returncode, site.states(run_id)) == (0, {"trial"})
    # What a worker serves it leaves to the worker.
    worker = site.start()
    site.until(lambda: "Migrating" in said_by(worker), "not at work")
    idle = site.start("cli", until="idle").wait(LIMIT_S)
    assert idle.returncode == 0


@pytest.fixture
def fragile(forks: ForkServer, tmp_path: Path) -> Iterator[tuple[Site, Callable[..., None]]]:
    """A site with a PostgreSQL of its own that can be stopped."""
    server = _store.start_postgres(_store.WHEEL_BIN)
    folder = next(server)
    data, log = Path(folder) / "data", Path(folder) / "log"
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"

    def control(*argv: str) -> None:
        call = [*_store.AS_ORDINARY_USER, str(_store.WHEEL_BIN / "pg_ctl"), "-D", str(data), "-l", str(log), *argv]
        subprocess.run(call, check=True, capture_output=True, timeout=60)

    made = Site(forks, make_workspace(tmp_path / "w", database=new_database(folder)))

    def stop() -> None:
        control("-m", "immediate", "-w", "stop")

    def start() -> None:
        control("-o", options, "-w", "-t", "60", "start")

    made.stop_database, made.start_database = stop, start  # type: ignore[attr-defined]
    try:
        yield made, lambda which: (stop if which == "stop" else start)()
    finally:
        made.end()
        server.close()


def test_a_database_that_goes_away_in_the_middle_of_a_step(fragile: tuple[Site, Callable[..., None]]) -> None:
    """For six seconds: the step goes on, its result is recorded afterwards, and few words are made of it."""
    site, control = fragile
    site.script(cutover={"sleep": 4})
    run_id = site.add(3)
    worker = site.start(**CUTOVER)
    in_cutover(site, run_id)
    control("stop")
    time.sleep(6)
    assert worker.poll() is None
    control("start")
    site.done(run_id)
    assert site.begun(run_id, "cutover") == 3
    assert "The database is away" in worker.stdout
    assert len(worker.stderr.splitlines()) < 20 and "Traceback" not in worker.stderr
