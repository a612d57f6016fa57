"""The supervisor with the real Ansible on real SSH servers: fifty systems in one run, cancelling, deadlines, a full disk."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from run_place import Place, key, make_place
from ssh_place import MODULE, Hosts, Play, until

from govcloud.demo.lab_needs import namespaces_work
from govcloud.execution import files
from govcloud.execution.attempt import SUPERVISOR
from govcloud.execution.scene import Job, environment, write_private
from govcloud.model.attempt import StepResult
from govcloud.settings import open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.workflow.session import open_session

SYSTEMS = [f"SL-{n:03}" for n in range(1, 91)]
CANARY = "c4nary-5e7r"
_free = iter(SYSTEMS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    found = make_place(tmp_path_factory.mktemp("w") / "w")
    found.add_run(SYSTEMS)
    return found


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    found = Hosts(tmp_path_factory.mktemp("hosts"))
    for name in ("old", "new-1", "new-2"):
        found.start(name)
    found.start("dead", dead=True)
    yield found
    found.stop()


@pytest.fixture
def systems() -> Callable[[int], list[str]]:
    return lambda count: [next(_free) for _ in range(count)]


def book(folder: Path, *tasks: dict[str, Any]) -> Path:
    (folder / "library").mkdir()
    (folder / "library" / "gov_sleep.py").write_text(MODULE)
    play = {"name": "Case", "hosts": "systems", "gather_facts": False, "strategy": "linear", "tasks": list(tasks)}
    (folder / "apply.yml").write_text(yaml.safe_dump([play]))
    return folder / "apply.yml"


def on_target(name: str, module: str, **given: Any) -> dict[str, Any]:
    call = {"end": "{{ item }}", "system": "{{ system }}", **given}
    return {"name": name, module: call, "loop": "{{ target }}", "delegate_to": "{{ item.host }}"}


MARK = on_target("Mark", "gov_marker", action="write", state="preparing", follows=["none"])


def sleep(seconds: float | str, said: str = "") -> dict[str, Any]:
    return on_target("Sleep", "gov_sleep", for_s=seconds, said=said)


def test_fifty_systems_in_one_run_have_fifty_results(
    place: Place, hosts: Hosts, systems: Callable[[int], list[str]], tmp_path: Path
) -> None:
    """A wave's systems share what takes time; one that fails and one that does not answer concern nobody else."""
    named = systems(50)
    targets = {system: f"new-{n % 2 + 1}" for n, system in enumerate(named)}
    failing, silent = named[17], named[33]
    targets[silent] = "dead"
    taken = {"system_id": failing, "run_id": "another", "attempt": 1, "token": 1, "state": "serving", "at": ""}
    (hosts.folder / targets[failing] / "state" / f"{failing}.json").write_text(json.dumps(taken))
    results = Play(place, hosts, targets, book(tmp_path, MARK)).perform()
    assert [s for s, r in results.items() if r.status != "ok"] == [failing, silent]
    assert results[failing].reasons[0].zh == f"{targets[failing]}：目标上的副本属于另一次执行：another（serving）"
    assert (results[silent].status, results[silent].unreachable) == ("failed", True)
    assert (results[named[0]].expected, results[named[0]].proven) == (1, 1)
    for system in named:
        folder = hosts.folder / targets[system] / "state"
        assert (folder / f"{system}.json").exists() == (system != silent)
        evidence = json.loads((place.folder(key("verify_service", system_id=system)) / "evidence.json").read_text())
        assert {"events.json", "log.txt", "intent.json"} <= set(evidence)


def test_a_secret_that_a_program_prints_is_in_no_record(
    place: Place, hosts: Hosts, systems: Callable[[int], list[str]], tmp_path: Path
) -> None:
    """F35: our modules print none, but a program on a host may."""
    (system,) = systems(1)
    said = f"connecting with password={CANARY} to postgresql://oa:{CANARY}@10.66.1.10/oa"
    play = Play(place, hosts, {system: "new-1"}, book(tmp_path, MARK, sleep("{{ 'x' }}", said)))
    assert play.perform()[system].status == "failed"
    with open_session(open_workspace(place.path), actor="zhang") as session, session.store.read() as tx:
        log = attempt_store.load_log(tx, key("verify_service", system_id=system))
    assert log is not None
    # A system's result does not wait for the records of the whole run.
    play_folder = (
        place.path
        / "evidence"
        / "r1"
        / "_plays"
        / json.loads((play.folder(system) / "intent.json").read_text())["play"]
    )
    until((play_folder / "evidence.json").exists)
    # The playbook is the test's own and lies outside; everything that the product wrote is searched.
    holding = [
        path for path in place.path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()
    ]  # fmt: skip
    assert holding == [] and CANARY.encode() not in gzip.decompress(log)


class Running:
    """A play that was begun in the background."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.results: dict[str, StepResult] = {}
        self._thread = threading.Thread(target=lambda: self.results.update(play.perform()), daemon=True)
        self._thread.start()

    def under_way(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> dict[str, StepResult]:
        self._thread.join(200)
        return self.results

    def has_begun(self, system: str) -> bool:
        return (self.state(system) / f"{system}.begun").exists()

    def state(self, system: str) -> Path:
        return self.play.hosts.folder / self.play.targets[system] / "state"

    def sleeping(self, system: str) -> list[int]:
        """Living processes of the test's module on the host."""
        (noted,) = self.state(system).glob(f"{system}.*.pids")
        groups = [line.split()[0] for line in noted.read_text().splitlines()]
        done = subprocess.run(
            ["pgrep", "-r", "R,S,D", "-g", ",".join(groups)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in done.stdout.split()]

    def cancel(self, system: str) -> bool:
        with open_session(open_workspace(self.play.place.path), actor="zhang") as session:
            return self.play.guard(session).cancel(key("verify_service", system_id=system))


@pytest.fixture(scope="module")
def running(place: Place, hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Running]:
    """What the next tests watch takes time and no work: all of it at once."""
    books = tmp_path_factory.mktemp("books")
    found = {}
    for name, seconds, count in (
        ("cancel", 120, 1),
        ("one", 0, 2),
        ("late", 120, 1),
        ("idle", 120, 1),
        ("beat", 22, 1),
    ):
        (books / name).mkdir()
        targets = {next(_free): f"new-{n + 1}" for n in range(count)}
        tasks = [sleep(seconds)]
        if name == "one":
            tasks = [sleep(f"{{{{ 120.0 if inventory_hostname == '{next(iter(targets))}' else 10.0 }}}}"), MARK]
        play = Play(place, hosts, targets, book(books / name, *tasks))
        if name in ("idle", "beat"):
            play.idle_s = 15
        if name == "late":
            play.timeouts_s = dict.fromkeys(targets, 12)
        found[name] = Running(play)
    threading.Thread(target=beat, args=(found["beat"],), daemon=True).start()
    return found


def beat(running: Running) -> None:
    """What a module of ours on the controller does while it works."""
    (system,) = running.play.targets
    data = running.play.folder(system) / "data"
    while running.under_way():
        if data.is_dir():
            (data / "heartbeat").touch()
        time.sleep(0.5)


def test_cancel_ends_what_runs_on_the_host_and_only_then_says_stopped(
    running: dict[str, Running], hung: object
) -> None:
    """F2, P6: ansible-playbook's end does not end the command on the host; sshd goes on with it."""
    cancelled = running["cancel"]
    (system,) = cancelled.play.targets
    until(lambda: cancelled.has_begun(system) and cancelled.sleeping(system))
    assert cancelled.cancel(system)
    assert cancelled.end()[system].status == "stopped", cancelled.results
    assert cancelled.sleeping(system) == []
    assert cancelled.cancel(system) is False


def test_one_system_of_a_shared_run_is_cancelled_and_the_other_goes_on(running: dict[str, Running]) -> None:
    shared = running["one"]
    first, second = shared.play.targets
    until(lambda: shared.has_begun(first))
    assert shared.cancel(first)
    results = shared.end()
    assert (results[first].status, results[second].status) == ("stopped", "ok"), results
    assert not (shared.state(first) / f"{first}.json").exists(), "nothing of it began after the cancel"


@pytest.mark.parametrize(("name", "said"), [("late", "Over the deadline"), ("idle", "No sign of progress")])
def test_what_takes_too_long_or_shows_no_life_is_ended_and_unknown(
    running: dict[str, Running], name: str, said: str
) -> None:
    """F7, P11: a command on a host that never ends."""
    ((system, result),) = running[name].end().items()
    assert result.status == "unknown" and result.reasons[0].en.startswith(said)
    assert len(result.reasons) == 1, "the processes on the host were seen gone"
    assert running[name].sleeping(system) == []


def test_a_heartbeat_keeps_a_silent_step_alive(running: dict[str, Running]) -> None:
    """A copy of two hours says nothing to Ansible until it is through."""
    ((_, result),) = running["beat"].end().items()
    assert result.status == "ok", result


def test_a_runner_that_hangs_is_given_up(hung: tuple[Path, subprocess.Popen[bytes]]) -> None:
    """Deadlines of the runner's own don't help when the runner itself stands still; ours ends the process."""
    kept, child = hung
    assert child.wait(120) == 1
    result = json.loads((kept / "result.json").read_text())
    assert result["status"] == "unknown" and result["reasons"][0]["en"].startswith("Over the deadline")


@pytest.fixture(scope="module")
def hung(tmp_path_factory: pytest.TempPathFactory, running: dict[str, Running]) -> tuple[Path, subprocess.Popen[bytes]]:
    """It opens its record of what Ansible prints, and that is a pipe which nobody reads."""
    top = tmp_path_factory.mktemp("hung")
    play, kept = top / "play", top / "attempt"
    (play / "artifacts" / "play").mkdir(parents=True)
    kept.mkdir()
    os.mkfifo(play / "artifacts" / "play" / "stdout")
    control = write_private(play, [], {}, {"systems": {"SL-OA-01": {}}})
    playbook = book(top, {"name": "Sleep", "gov_sleep": {}, "delegate_to": "govcloud"})
    job = Job(folder=play, playbook=playbook, folders={"SL-OA-01": kept}, timeouts_s={"SL-OA-01": 1}, control=control)
    files.write_json(play / "job.json", msgspec.to_builtins(job, enc_hook=str))
    return kept, subprocess.Popen([*SUPERVISOR, str(play)], env=environment(play, "hung"))


FULL = """
set -u
mount -t tmpfs -o size=4m tmpfs "$1"
cd "$1"; exec "$2" "$3" "$1"
"""
FULL_CASE = """
import json, os, subprocess, sys, threading, time
from pathlib import Path
sys.path.insert(0, {here!r})
from dataclasses import replace
from govcloud.execution import files
from govcloud.execution.scene import Job, environment, write_private
import msgspec
top = Path(sys.argv[1])
play, kept = top / "play", top / "attempt"
play.mkdir(); (kept / "data").mkdir(parents=True)
book = top / "apply.yml"
book.write_text(json.dumps([{{"name": "Case", "hosts": "systems", "gather_facts": False, "tasks": [
    {{"name": f"Wait {{n}}", "ansible.builtin.command": {{"argv": ["sleep", "1"]}}, "delegate_to": "govcloud"}} for n in range(30)]}}]))
control = write_private(play, [], {{}}, {{"systems": {{"SL-OA-01": {{}}}}}})
job = Job(folder=play, playbook=book, folders={{"SL-OA-01": kept}}, timeouts_s={{"SL-OA-01": 600}}, control=control)
files.reserve(play)
files.write_json(play / "job.json", msgspec.to_builtins(job, enc_hook=str))
child = subprocess.Popen([sys.executable, "-m", "govcloud.execution.supervise", str(play)], env=environment(play, "m"), stderr=2)
while not list((play / "artifacts").glob("play/job_events/*")):
    time.sleep(0.1)
with open(top / "filler", "wb", buffering=0) as filler:
    try:
        while True:
            filler.write(b"x" * 4096)
    except OSError:
        pass
begun = time.monotonic()
child.wait(120)
print(json.dumps({{"took": time.monotonic() - begun, "result": json.loads((kept / "result.json").read_text())}}))
"""


def test_a_full_disk_ends_the_step_and_still_leaves_a_result(tmp_path: Path) -> None:
    """F8: ansible-runner hangs when it can't write its records; room for the truth was kept."""
    assert namespaces_work(), "this test mounts a small file system in a user namespace"
    case = tmp_path / "case.py"
    case.write_text(FULL_CASE.format(here=str(Path(__file__).parent)))
    (tmp_path / "disk").mkdir()
    argv = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", FULL, "sh", tmp_path / "disk", sys.executable, case]  # fmt: skip
    done = subprocess.run(
        list(map(str, argv)), capture_output=True, text=True, timeout=200, env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["result"]["status"] == "unknown" and "磁盘已满" in told["result"]["reasons"][0]["zh"]
    assert told["took"] < 90
