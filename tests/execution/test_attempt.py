"""A controller killed at any moment: the playbook runs at most once per attempt, and nothing unknown passes for done."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from run_place import Place, alive, make_place

from govcloud.model.run import Attempt
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.workflow import run as verbs
from govcloud.workflow.session import open_session


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path / "w")


@pytest.fixture
def run_id(place: Place) -> str:
    with open_session(open_workspace(place.path), actor="zhang") as session:
        return verbs.register_run(session, ["SL-OA-01"]).run_id


def recorded(place: Place, run_id: str) -> list[Attempt]:
    with open_session(open_workspace(place.path), actor="zhang") as session:
        return verbs.run_attempts(session, run_id)


def phases(place: Place) -> list[str]:
    with open_session(open_workspace(place.path), actor="zhang") as session, session.store.read() as tx:
        records = [r.canonical for r in ledger_store.records(tx) if '"kind":"step"' in r.canonical]
    return ["intent" if '"phase":"intent"' in r else "result" for r in records]


def pid_of(place: Place, run_id: str) -> int:
    file = place.path / "evidence" / run_id / "SL-OA-01" / "precheck" / "1" / "standin.pid"
    for _ in range(100):
        if file.exists() and file.read_text():
            return int(file.read_text())
        time.sleep(0.05)
    raise AssertionError("the supervisor never started")


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
def test_killed_at_a_boundary(place: Place, run_id: str, boundary: str, expected: str, begun: int) -> None:
    place.script(precheck={"sleep": 0.3})
    assert place.run("guard_process.py", run_id, boundary).returncode == -signal.SIGKILL
    done = place.run("guard_process.py", run_id, "")
    assert done.stdout.strip() == expected, done.stderr
    assert len(place.begun()) == begun
    (attempt,) = recorded(place, run_id)
    assert attempt.result is not None and attempt.result.status == expected
    assert phases(place) == ["intent", "result"]


def test_a_living_supervisor_is_waited_for_not_doubled(place: Place, run_id: str) -> None:
    place.script(precheck={"sleep": 2})
    place.run("guard_process.py", run_id, "after_spawn")
    pid = pid_of(place, run_id)
    assert alive(pid)
    assert place.run("guard_process.py", run_id, "").stdout.strip() == "ok"
    assert place.begun() == ["precheck#1"]


def test_a_killed_supervisor_is_unknown_and_its_children_are_ended(place: Place, run_id: str) -> None:
    """ansible-playbook outlives its supervisor in a session of its own; a retry beside it would be two writers."""
    place.script(precheck={"sleep": 60})
    with place.process("guard_process.py", run_id, "") as controller:
        pid = pid_of(place, run_id)
        orphan = start_orphan(pid)
        controller.kill()
    os.kill(pid, signal.SIGKILL)
    assert place.run("guard_process.py", run_id, "").stdout.strip() == "unknown"
    for _ in range(50):
        if not alive(orphan):
            break
        time.sleep(0.1)
    assert not alive(orphan)


def start_orphan(pid: int) -> int:
    """A process with the environment of the supervisor in its own session, as pexpect makes them."""
    import subprocess

    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    environment = dict(entry.split(b"=", 1) for entry in entries if b"=" in entry)
    return subprocess.Popen(["sleep", "60"], env=environment, start_new_session=True).pid


def test_a_supervisor_that_dies_while_we_wait_is_unknown(place: Place, run_id: str) -> None:
    place.script(precheck={"sleep": 60})
    with place.process("guard_process.py", run_id, "") as controller:
        os.kill(pid_of(place, run_id), signal.SIGKILL)
        assert controller.communicate(timeout=30)[0].strip() == "unknown"


def test_an_attempt_of_another_machine_is_unknown_here(place: Place, run_id: str) -> None:
    place.run("guard_process.py", run_id, "after_claim", "r1@elsewhere")
    assert place.run("guard_process.py", run_id, "", "r1@here").stdout.strip() == "unknown"
    assert place.begun() == []


def test_two_controllers_start_one_supervisor(place: Place, run_id: str) -> None:
    place.script(precheck={"sleep": 1})
    racing = [place.process("guard_process.py", run_id, "") for _ in range(4)]
    said = [child.communicate(timeout=60)[0].strip() for child in racing]
    assert place.begun() == ["precheck#1"]
    assert "ok" in said and set(said) <= {"ok", ""}
