"""Who may change a target, and what an attempt left running: the last line of defence when everything else was fooled."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.execution.steps import folder

MODULE = folder() / "library" / "module_utils" / "gov_marker_file.py"
sys.path.insert(0, str(MODULE.parent))
import gov_marker_file as marker  # noqa: E402


def system(token: int = 5, *, run_id: str = "r1", system_id: str = "SL-OA-01") -> dict[str, Any]:
    return {"system_id": system_id, "run_id": run_id, "attempt": 1, "token": token}


def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "SL-OA-01.json")


def prepared(tmp_path: Path, state: str = "preparing", token: int = 5) -> str:
    marker.write_marker(path(tmp_path), system(token), state, ["none"])
    return path(tmp_path)


def refused(*arguments: Any, **named: Any) -> str:
    with pytest.raises(marker.Refused) as refusal:
        marker.write_marker(*arguments, **named) if len(arguments) > 3 else marker.demand_owner(*arguments, **named)
    assert refusal.value.problems == [{"zh": refusal.value.zh, "en": refusal.value.en}]
    return str(refusal.value.en)


def test_the_marker_is_written_and_asked(tmp_path: Path) -> None:
    assert "no marker" in refused(path(tmp_path), system())
    before, now = marker.write_marker(path(tmp_path), system(), "preparing", ["none"])
    assert before is None and now["token"] == 5 and marker.read_marker(path(tmp_path)) == now
    assert marker.demand_owner(path(tmp_path), system(), ["preparing"])["state"] == "preparing"


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (system(system_id="SL-OA-02"), "another system"),
        (system(run_id="r2"), "another run"),
        (system(4), "superseded"),
    ],
)
def test_others_and_those_who_were_superseded_are_refused(tmp_path: Path, who: dict[str, Any], why: str) -> None:
    at = prepared(tmp_path)
    if who["system_id"] == "SL-OA-02":
        who = {**who, "token": 9}
    assert why in refused(at, who)
    assert why in refused(at, who, "preparing", ["preparing"])
    found = marker.read_marker(at)
    assert found is not None and found["token"] == 5


def test_a_higher_token_is_kept_and_shuts_the_older_ones_out(tmp_path: Path) -> None:
    """A holder that was asleep comes too late, even where it only looks."""
    at = prepared(tmp_path)
    marker.demand_owner(at, system(7))
    found = marker.read_marker(at)
    assert found is not None and found["token"] == 7 and "superseded" in refused(at, system(6))


def test_states_follow_each_other_and_a_second_cutover_is_refused(tmp_path: Path) -> None:
    at = prepared(tmp_path)
    marker.write_marker(at, system(6), "cutover_started", ["preparing"])
    assert "can't become" in refused(at, system(7), "cutover_started", ["preparing"])
    assert "not the time" in refused(at, system(7), ["preparing"])


@pytest.mark.parametrize(("state", "free"), [("preparing", True), ("rolled_back", True), ("cutover_started", False), ("serving", False)])  # fmt: skip
def test_what_another_run_gave_up_may_be_taken_over_what_serves_may_not(tmp_path: Path, state: str, free: bool) -> None:
    at = prepared(tmp_path, state)
    other = (at, system(9, run_id="r2"), "preparing", ["none", "preparing", "rolled_back"])
    assert "another run" in refused(*other)
    if free:
        assert marker.write_marker(*other, takes_over=True)[1]["run_id"] == "r2"
    else:
        assert "another run" in refused(*other, takes_over=True)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"system_id": "SL-OA-01"}', "\udcff"])
def test_a_damaged_marker_stops_everything(tmp_path: Path, content: str) -> None:
    at = prepared(tmp_path)
    Path(at).write_bytes(content.encode("utf-8", "surrogateescape"))
    said = refused(at, system(9))
    assert "damaged" in said or "can't be read" in said


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["r1", "r2"])), min_size=1, max_size=12))
def test_the_token_never_falls(tmp_path_factory: pytest.TempPathFactory, comers: list[tuple[int, str]]) -> None:
    at = prepared(tmp_path_factory.mktemp("m"), token=1)
    highest = 1
    for token, run_id in comers:
        try:
            marker.demand_owner(at, system(token, run_id=run_id))
        except marker.Refused:
            continue
        assert token >= highest and run_id == "r1"
        highest = token
    found = marker.read_marker(at)
    assert found is not None and found["token"] == highest


WORKER = """
import subprocess, sys, json
sys.path.insert(0, sys.argv[1])
import gov_marker_file as marker
try:
    marker.enter(sys.argv[2], json.loads(sys.argv[3]))
except marker.Refused as refusal:
    print("refused", refusal.en, flush=True)
    sys.exit(1)
child = subprocess.Popen(["sleep", "60"])
daemon = subprocess.Popen(["sleep", "60"], start_new_session=True)
print("begun", child.pid, daemon.pid, flush=True)
child.wait()
"""


def worker(tmp_path: Path, who: dict[str, Any]) -> tuple[subprocess.Popen[str], list[str]]:
    argv = [sys.executable, "-c", WORKER, str(MODULE.parent), str(tmp_path), json.dumps(who)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().split()


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def test_stopping_ends_the_attempts_processes_and_no_daemon_that_was_meant_to_stay(tmp_path: Path) -> None:
    process, (said, child, daemon) = worker(tmp_path, system())
    assert said == "begun"
    other, (_, other_child, other_daemon) = worker(tmp_path, system(system_id="SL-OA-02"))
    try:
        ended, left = marker.stop(str(tmp_path), system())
        assert (ended, left) == (2, []) and gone(int(child)) and gone(process.pid)
        assert not gone_now(int(daemon)), "it has a session of its own: a service that was started"
        assert not gone_now(int(other_child)), "another system's"
        late, said_late = worker(tmp_path, system())
        assert said_late[0] == "refused" and "cancelled" in said_late
        assert marker.stop(str(tmp_path), system()) == (0, [])
        late.wait()
    finally:
        for pid in (other.pid, int(other_child), int(daemon), int(other_daemon)):
            os.kill(pid, 9)
        process.wait()
        other.wait()


def gone_now(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_newer_attempt_ends_what_an_older_one_left_running(tmp_path: Path) -> None:
    """After a crash the command on the host goes on by itself; a retry beside it would be two writers (F3)."""
    process, (_, child, daemon) = worker(tmp_path, system(5))
    newer, (said, newer_child, newer_daemon) = worker(tmp_path, system(6))
    try:
        assert said == "begun" and gone(int(child)) and gone(process.pid)
        assert "superseded" in " ".join(worker(tmp_path, system(5))[1])
    finally:
        for pid in (newer.pid, int(newer_child), int(daemon), int(newer_daemon)):
            os.kill(pid, 9)
        process.wait()
        newer.wait()


def test_a_number_that_somebody_else_got_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """Process numbers are given out again, after a restart of the host at the latest."""
    innocent = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        for line in (f"{innocent.pid} {innocent.pid} 1 {boot}\n", f"{innocent.pid} {innocent.pid} 1 another-boot\n"):
            (tmp_path / "SL-OA-01.5.pids").write_text(line)
            assert marker.stop(str(tmp_path), system()) == (0, [])
            assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_host_on_which_nothing_was_done_has_nothing_to_stop(tmp_path: Path) -> None:
    assert marker.stop(str(tmp_path / "never-made"), system()) == (0, [])
    assert not (tmp_path / "never-made").exists()


def test_it_runs_on_the_pythons_of_old_servers() -> None:
    tree = ast.parse(MODULE.read_text("utf-8"), feature_version=(3, 6))
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert modules <= sys.stdlib_module_names
