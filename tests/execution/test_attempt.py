"""A controller killed, stopped or doubled at any moment: the playbook runs at most once per attempt, and nothing unknown
passes for done. On SQLite and on PostgreSQL, with processes that are really killed and a stand-in for Ansible."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from fork_server import Case, ForkServer
from guard_case import prepare
from run_place import RUN, SYSTEM, Place, alive, key, make_place

from govcloud.execution import files
from govcloud.execution.attempt import Guard
from govcloud.model.attempt import Attempt, Worker
from govcloud.model.resource import Resource
from govcloud.settings import open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.store import resource as resource_store
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import Session, open_session

SYSTEMS = tuple(f"SL-OA-{n:03}" for n in range(1, 160))
_left: dict[Path, list[str]] = {}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One workspace for all tests of a database; each takes systems of its own."""
    database = None
    if request.param == "postgresql":
        folder = request.getfixturevalue("wheel_postgres")
        name = f"t_{uuid.uuid4().hex}"
        with psycopg.connect(host=folder, user="tester", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        database = f"postgresql+psycopg://tester@/{name}?host={folder}"
    place = make_place(tmp_path_factory.mktemp("w") / "w", database=database)
    place.add_run(SYSTEMS)
    return place


@dataclass(frozen=True)
class Trial:
    """What one test works with."""

    place: Place
    forks: ForkServer
    a: str
    b: str
    c: str

    def script(self, told: dict[str, dict[str, Any]]) -> None:
        self.place.script(told)

    def perform(
        self, boundary: str = "", *, machine: str = "m1", systems: Sequence[str] = (), of: str = "replicate/apply"
    ) -> Case:
        named = ",".join(systems or [self.a])
        return self.forks.start("guard_case:main", str(self.place.path), boundary, machine, named, *of.split("/"))

    def said(self, **other: Any) -> list[str]:
        done = self.perform(**other).wait()
        assert done.returncode == 0, done.stderr
        return statuses(done)

    def begun(self, *systems: str) -> int:
        return sum(line.split()[0] in (systems or (self.a,)) for line in self.place.begun())

    def recorded(self, system_id: str = "") -> Attempt:
        """The only attempt."""
        with open_session(open_workspace(self.place.path), actor="zhang") as session, session.store.read() as tx:
            (found,) = attempt_store.attempts(tx, RUN, system_id or self.a)
        return found

    def folder(self, system_id: str = "") -> Path:
        return self.place.folder(key(system_id=system_id or self.a))

    def pid(self, system_id: str = "") -> int:
        """Of the supervisor."""
        file = self.folder(system_id) / "standin.pid"
        until(lambda: file.exists() and bool(file.read_text()))
        return int(file.read_text())


@pytest.fixture
def trial(shared: Place, forks: ForkServer) -> Trial:
    left = _left.setdefault(shared.path, list(reversed(SYSTEMS)))
    return Trial(shared, forks, left.pop(), left.pop(), left.pop())


def statuses(case: Case) -> list[str]:
    return [line.split()[1] for line in sorted(case.stdout.splitlines())]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("of", ["replicate/apply", "cutover/verify", "cutover/rollback"])
@pytest.mark.parametrize(
    ("boundary", "expected", "begun"),
    [
        ("before_claim", "ok", 1),
        ("after_claim", "ok", 1),
        ("before_intent", "ok", 1),
        # An intent without lock or result: whether it ran can't be known from here.
        ("after_intent", "unknown", 0),
        ("after_spawn", "ok", 1),
        ("before_record", "ok", 1),
        ("after_record", "ok", 1),
    ],
)
def test_killed_at_a_boundary(trial: Trial, of: str, boundary: str, expected: str, begun: int) -> None:
    """What an operator finds after a power cut: one attempt, started at most once, with an honest result."""
    trial.script({of: {"sleep": 0.1}})
    assert trial.perform(boundary, of=of).wait().returncode == -signal.SIGKILL
    assert trial.said(of=of) == [expected]
    assert trial.begun() == begun
    attempt = trial.recorded()
    assert attempt.state == "ended" and attempt.result is not None and attempt.result.status == expected


def test_after_the_end_the_record_alone_counts(trial: Trial) -> None:
    """The evidence folder may have been moved away: what was recorded is not done again."""
    assert trial.said() == ["ok"]
    trial.folder().rename(trial.folder().with_name("elsewhere"))
    assert trial.said() == ["ok"] and trial.begun() == 1


def test_a_record_that_says_intended_without_files_is_unknown(trial: Trial) -> None:
    """The folder was lost with its disk: a cutover must not be started as if nothing had happened."""
    trial.script({trial.a: {"sleep": 60}})
    controller = trial.perform()
    pid = trial.pid()
    controller.kill(signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    controller.wait()
    trial.folder().rename(trial.folder().with_name("lost"))
    assert trial.said() == ["unknown"] and trial.begun() == 1


def test_a_living_supervisor_is_waited_for_not_doubled(trial: Trial) -> None:
    trial.script({trial.a: {"sleep": 0.7}})
    first = trial.perform()
    trial.pid()
    first.kill(signal.SIGKILL)
    assert trial.said() == ["ok"] and trial.begun() == 1


def test_a_killed_supervisor_is_unknown_and_its_children_are_ended(trial: Trial) -> None:
    """ansible-playbook outlives its supervisor in a session of its own; a retry beside it would be two writers (F3)."""
    trial.script({trial.a: {"sleep": 60}})
    controller = trial.perform()
    pid = trial.pid()
    orphan = start_orphan(pid)
    controller.kill(signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    assert trial.said() == ["unknown"]
    assert not alive(orphan.pid)
    orphan.wait()


def start_orphan(pid: int) -> subprocess.Popen[bytes]:
    """A process with the environment of the supervisor in its own session, as pexpect makes them."""
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    environment = dict(entry.split(b"=", 1) for entry in entries if b"=" in entry)
    return subprocess.Popen(["sleep", "60"], env=environment, start_new_session=True)


def test_a_supervisor_that_dies_while_we_wait_is_unknown(trial: Trial) -> None:
    trial.script({trial.a: {"sleep": 60}})
    controller = trial.perform()
    os.kill(trial.pid(), signal.SIGKILL)
    assert statuses(controller.wait()) == ["unknown"]


def test_an_attempt_of_another_machine_is_unknown_here(trial: Trial) -> None:
    trial.perform("after_claim", machine="elsewhere").wait()
    assert trial.said(machine="here") == ["unknown"] and trial.begun() == 0


def test_two_controllers_start_one_supervisor(trial: Trial) -> None:
    """F4: the same command given several times at the same moment. Whoever is late waits, or is told to try again."""
    trial.script({trial.a: {"sleep": 0.5}})
    racing = [trial.perform() for _ in range(4)]
    results = [word for case in racing for word in statuses(case.wait())]
    assert trial.begun() == 1
    assert "ok" in results and not {"failed", "unknown"} & set(results)


def test_a_holder_that_wakes_up_after_it_was_superseded_starts_nothing(trial: Trial) -> None:
    """F5: stopped before it could begin, given up by another machine, let go on again."""
    late = trial.perform("before_intent:stop")
    until((trial.place.path / "stopped").exists)
    (trial.place.path / "stopped").unlink()
    assert trial.said(machine="other") == ["unknown"]
    late.kill(signal.SIGCONT)
    assert statuses(late.wait()) == ["unknown"] and trial.begun() == 0
    result = trial.recorded().result
    assert result is not None and "另一台机器" in result.reasons[0].zh


def test_systems_of_a_batch_have_results_of_their_own(trial: Trial) -> None:
    trial.script({trial.b: {"status": "failed"}, trial.c: {"status": "failed", "unreachable": True}})
    assert trial.said(systems=[trial.a, trial.b, trial.c]) == ["ok", "failed", "failed"]
    plays = {files.read_json(trial.folder(s) / "intent.json")["play"] for s in (trial.a, trial.b, trial.c)}  # type: ignore[index]
    assert len(plays) == 1, "one playbook run for all of them"
    third = trial.recorded(trial.c).result
    assert third is not None and third.unreachable


def test_a_batch_is_taken_up_again_in_parts(trial: Trial) -> None:
    """After a crash the systems come back one by one, and in other company."""
    trial.script({trial.b: {"sleep": 0.8}})
    trial.perform("after_spawn", systems=[trial.a, trial.b]).wait()
    assert trial.said() == ["ok"]
    assert trial.said(systems=[trial.b, trial.c]) == ["ok", "ok"]
    assert trial.begun(trial.a, trial.b, trial.c) == 3


def test_of_a_killed_batch_finished_systems_keep_their_results(trial: Trial) -> None:
    trial.script({trial.b: {"sleep": 60}})
    controller = trial.perform(systems=[trial.a, trial.b])
    pid = trial.pid(trial.b)
    until((trial.folder() / "result.json").exists)
    os.kill(pid, signal.SIGKILL)
    assert statuses(controller.wait()) == ["ok", "unknown"]


def test_another_live_attempt_of_the_system_is_refused_and_the_others_go_on(trial: Trial) -> None:
    trial.perform("after_claim", of="precheck/apply").wait()
    done = trial.perform(systems=[trial.a, trial.b]).wait()
    lines = sorted(done.stdout.splitlines())
    assert "UsageError" in lines[0] and lines[1] == f"{trial.b} ok"


def test_cancel_is_stopped_only_when_it_is_over(trial: Trial) -> None:
    trial.script({trial.a: {"sleep": 60}})
    controller = trial.perform()
    pid = trial.pid()
    with open_session(open_workspace(trial.place.path), actor="zhang") as session:
        guard = make_guard(trial.place, session)
        assert guard.cancel(key(system_id=trial.a)) is True
        assert statuses(controller.wait()) == ["stopped"]
        assert not alive(pid)
        assert guard.cancel(key(system_id=trial.a)) is False, "it is over"
        assert guard.cancel(key(system_id=trial.b)) is False, "never claimed"


@pytest.mark.parametrize("boundary", ["before_intent", "after_intent"])
def test_a_cancel_that_comes_before_the_start_is_kept(trial: Trial, boundary: str) -> None:
    trial.script({trial.a: {"sleep": 60}})
    case = trial.perform(f"{boundary}:stop")
    until((trial.place.path / "stopped").exists)
    (trial.place.path / "stopped").unlink()
    (trial.folder() / "cancel").touch()
    case.kill(signal.SIGCONT)
    assert statuses(case.wait()) == ["stopped"]
    assert trial.begun() == (0 if boundary == "before_intent" else 1)


def make_guard(place: Place, session: Session) -> Guard:
    worker = Worker(worker_id="m1/cli", machine_id="m1", host="here", pid=os.getpid(), zones=(), seen_at=session.now())
    return Guard(
        journal=StoreJournal(session, "m1/cli"), worker=worker, root=place.path / "evidence", prepare=prepare, pause=time.sleep,
    )  # fmt: skip


def test_what_was_made_in_a_cloud_is_recorded_whatever_became_of_the_attempt(trial: Trial) -> None:
    """A crash between making a server and saying so must not leave one that nobody knows of."""
    trial.script({trial.a: {"sleep": 60}})
    controller = trial.perform()
    pid = trial.pid()
    with open_session(open_workspace(trial.place.path), actor="zhang") as session:
        made = Resource(
            resource_id=f"{RUN}/{trial.a}/main/server", run_id=RUN, system_id=trial.a, machine="main", kind="server",
            driver="openstack", cloud="gov", name="govcloud-1", intent_at=session.now(),
        )  # fmt: skip
        data = trial.folder() / "data"
        data.mkdir()
        (data / "resources.jsonl").write_bytes(msgspec.json.encode(made) + b"\n" + b'{"torn')
        os.kill(pid, signal.SIGKILL)
        assert statuses(controller.wait()) == ["unknown"]
        with session.store.read() as tx:
            assert resource_store.resources(tx, RUN, trial.a) == [made]


def test_a_database_put_back_from_a_copy_does_not_make_it_run_again(forks: ForkServer, tmp_path: Path) -> None:
    """F11: the record is older than the disk; the result on the disk counts."""
    place = make_place(tmp_path / "w")
    place.add_run([SYSTEM])
    trial = Trial(place, forks, SYSTEM, "", "")
    trial.perform("after_claim").wait()
    copies = {path: path.read_bytes() for path in place.path.glob("govcloud.db*")}
    assert trial.said() == ["ok"]
    for path in place.path.glob("govcloud.db*"):
        path.unlink()
    for path, content in copies.items():
        path.write_bytes(content)
    assert trial.recorded().state == "claimed"
    assert trial.said() == ["ok"] and trial.begun() == 1


def test_records_too_large_to_be_held_at_once_are_masked_too(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    said = tmp_path / "artifacts" / "stdout"
    with said.open("w") as stream:
        stream.writelines(["." * (1 << 20) + "\n"] * 17 + ["password=c4nary\n"])
    files.seal(tmp_path)
    assert b"c4nary" not in said.read_bytes() and said.stat().st_size > 17 << 20


def test_logs_are_packed_and_masked() -> None:
    packed = files.pack_log("连接 postgresql://oa:c4nary@10.66.1.10/oa\npassword=c4nary\n" + "x" * 10)
    assert b"c4nary" not in gzip.decompress(packed) and "连接" in gzip.decompress(packed).decode()
    endless = "".join(f"{n * 7919 % 1000003:x}" for n in range(900_000))
    assert len(files.pack_log(endless)) <= 1 << 20
