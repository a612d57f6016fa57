"""A hundred systems, and a night in which the machines die again and again.

Two workers carry the systems on while they are killed with SIGKILL at random moments, sometimes together with what they had
started; steps fail and vanish on their own as well, and a scripted operator approves and decides. The stand-in for Ansible
keeps a world of its own, and afterwards the records must agree with it: no second cutover that nobody allowed, never two
hands on one system, and what is said to serve does serve. The seed is printed; GOVCLOUD_SOAK_SEED repeats a night.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from fork_server import Case, ForkServer
from run_place import make_place
from sample_spec import GOOD
from scripted_operator import Operator

from govcloud.model.observation import Statement
from govcloud.model.run import ENDED, MOVED
from govcloud.settings import open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.store import gate as gate_store
from govcloud.store import inventory as inventory_store
from govcloud.store import run as run_store
from govcloud.workflow import run as verbs
from govcloud.workflow.session import open_session
from govcloud.workflow.statements import merge_inventory

pytestmark = [pytest.mark.servers, pytest.mark.timeout(720)]

LIMIT_S = 600


@dataclass
class Night:
    path: Path
    dice: random.Random
    forks: ForkServer
    run_id: str = ""
    workers: dict[str, Case] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    seen_bytes: int = 0

    def begin_worker(self, name: str) -> None:
        self.workers[name] = self.forks.start("soak_worker:main", str(self.path), name)

    def kill(self) -> None:
        """One worker dies; every third time what it had started dies with it, and every fifth time only that."""
        name = self.dice.choice(sorted(self.workers))
        what = self.dice.choice(["worker"] * 3 + ["all", "children"])
        if what != "children":
            self.workers[name].kill(signal.SIGKILL)
            self.workers[name].wait()
        if what != "worker":
            for pid in self._standins():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.kills[what] += 1
        if what != "children":
            self.begin_worker(name)

    def got_on(self) -> bool:
        """Something has happened in the world since the last kill."""
        log = self.path / "world.log"
        size = log.stat().st_size if log.exists() else 0
        if size < self.seen_bytes + 300:
            return False
        self.seen_bytes = size
        return True

    def _standins(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if any(w.endswith(b"soak_standin.py") for w in words) and str(self.path).encode() in b" ".join(words):
                    found.append(int(entry.name))
        return found

    def stop(self) -> None:
        for worker in self.workers.values():
            worker.kill(signal.SIGTERM)
        for worker in self.workers.values():
            assert worker.wait().returncode == 0, worker.stderr


def make_night(path: Path, url: str, seed: str, forks: ForkServer, systems: int) -> Night:
    place = make_place(path, database=url, execution={"slots": 12, "max_failed_pct": 100, "precheck_valid_min": 600})
    names = [f"SL-XT-{n:03}" for n in range(1, systems + 1)]
    for name in names:
        spec = yaml.safe_dump(GOOD | {"system_id": name}, allow_unicode=True)
        (path / "migration" / f"{name}.yaml").write_text(spec, "utf-8")
    (path / "world").mkdir()
    (path / "dice.json").write_text(json.dumps({"seed": seed, "failing": 30, "dying": 30, "fail": []}))
    night = Night(place.path, random.Random(seed), forks)  # noqa: S311 - repeatable on purpose
    with open_session(open_workspace(path), actor="zhang") as session:
        with session.store.begin() as tx:
            batch_no = inventory_store.add_batch(
                tx, batch_id="soak", kind=inventory_store.IMPORT, source="普查表.xlsx", sha256="", at=session.now(), actor="zhang", body={}
            )  # fmt: skip
            said = [
                Statement(
                    subject_kind="system", subject_id=name, source="workbook", place=f"普查表.xlsx!系统!B{n}",
                    observed_at=session.now(), values={"name": name, "classified": False},
                )
                for n, name in enumerate(names, 2)
            ]  # fmt: skip
            inventory_store.add_statements(tx, batch_no, said)
            merge_inventory(session, tx)
        night.run_id = verbs.register_run(session, names).run_id
    return night


@contextmanager
def night_shift(night: Night) -> Iterator[Operator]:
    for name in ("east", "west"):
        night.begin_worker(name)
    try:
        with open_session(open_workspace(night.path), actor="li") as session:
            yield Operator(session, night.run_id, night.dice)
    finally:
        night.stop()


@pytest.mark.parametrize(
    ("url", "systems", "kills"), [("sqlite", 100, 30), ("wheel_postgres", 40, 12)], ids=["sqlite", "postgresql"],
    indirect=["url"],
)  # fmt: skip
def test_a_hundred_systems_survive_thirty_kills(url: str, systems: int, kills: int, tmp_path: Path) -> None:
    seed = os.environ.get("GOVCLOUD_SOAK_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"soak: GOVCLOUD_SOAK_SEED={seed}")
    with ForkServer("soak_worker", path=Path(__file__).parent) as forks:
        night = make_night(tmp_path / "w", url, seed, forks, systems)
        assert _survive(night, seed, kills) >= kills


def _survive(night: Night, seed: str, kills: int) -> int:
    """How many kills it took, at least that many."""
    began = time.monotonic()
    with night_shift(night) as operator:
        next_kill = began + 1
        while True:
            rows = operator.round()
            left = [r for r in rows if r.state not in ENDED | MOVED]
            if not left and night.kills.total() >= kills:
                break
            now = time.monotonic()
            assert now - began < LIMIT_S, (
                seed,
                night.kills,
                operator.decided,
                [(r.system_id, r.state, r.wait) for r in left][:5],
            )
            # Only who was at work can be caught at it: a process that is still starting has nothing to lose.
            if now >= next_kill and night.got_on() and night.kills.total() < 2 * kills:
                night.kill()
                next_kill = now + night.dice.uniform(0.3, 2.0)
            time.sleep(0.2)
        took = time.monotonic() - began
        _agrees(night, operator)
    print(f"soak: {len(rows)} systems, kills {dict(night.kills)}, {took:.0f} s, decisions {dict(operator.decided)}")
    return night.kills.total()


def _agrees(night: Night, operator: Operator) -> None:
    """The records against the world."""
    events = [line.split() for line in (night.path / "world.log").read_text().splitlines()]
    assert not [e for e in events if e[0] == "OVERLAP"]
    begun = Counter((e[1], e[2].partition("#")[0]) for e in events if e[0] == "BEGIN")
    with operator.session.store.read() as tx:
        rows = {r.system_id: r for r in run_store.run_systems(tx, night.run_id)}
        attempts = attempt_store.attempts(tx, night.run_id)
        orders = gate_store.orders(tx, night.run_id)
        gates = gate_store.gates(tx, night.run_id)
    reruns = Counter(o.system_id for o in orders if o.kind == "rerun" and o.step == "cutover" and o.phase == "apply")
    for system_id, row in rows.items():
        cutovers = begun[system_id, "cutover/apply"]
        assert cutovers <= 1 + reruns[system_id], (system_id, cutovers, reruns[system_id])
        there = set((night.path / "world" / system_id).read_text().split())
        if row.state in MOVED:
            assert {"freeze", "cutover"} <= there, (system_id, there)
        else:
            assert not there & {"freeze", "cutover"}, (system_id, row.state, there)
        if row.state in ("failed", "cancelled"):
            assert not begun[system_id, "freeze/apply"]
    known = {f"{a.key.step}/{a.key.phase}#{a.key.number}" for a in attempts}
    assert {e[2] for e in events} <= known and all(a.result is not None for a in attempts)
    assert len({(a.key.system_id, a.token) for a in attempts}) == len(attempts)
    twice = Counter((e[1], e[2]) for e in events if e[0] == "BEGIN")
    assert max(twice.values()) == 1, "an attempt was begun twice"
    freezes = Counter(g.system_id for g in gates if g.step == "freeze" and g.used_at is not None)
    assert all(freezes[s] <= 1 and (freezes[s] or not begun[s, "freeze/apply"]) for s in rows)
    assert Counter(r.state for r in rows.values())["trial"] > len(rows) / 3, (
        "a night in which nearly all failed proves little"
    )
    done = subprocess.run(
        [sys.executable, "-m", "govcloud", "-w", str(night.path), "audit", "verify"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
