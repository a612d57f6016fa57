"""A run whose steps come to what a test says, with everything else real: registration, journal, ledger, machine, legs, verbs."""

from __future__ import annotations

import atexit
import gzip
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))

from run_place import SYSTEM, Place, make_place

from govcloud.cli.main import run as govcloud
from govcloud.execution.attempt import Claim
from govcloud.execution.leg import Carrier, carry_leg
from govcloud.execution.moves import Act
from govcloud.execution.steps import load_steps
from govcloud.model.attempt import StepResult
from govcloud.model.run import ENDED, RunSystem, SystemState
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.settings import open_workspace
from govcloud.store import run as run_store
from govcloud.workflow.run import register_run
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import Session, open_session

Result = Callable[[str, StepName, Phase, int], str]
GATES = {"gates": ["provision", "freeze"]}


def _ok(system_id: str, step: StepName, phase: Phase, number: int) -> str:
    return "ok"


@dataclass
class Desk:
    place: Place
    results: Result = _ok
    now: datetime = datetime(2026, 3, 7, 20, tzinfo=UTC)
    did: list[str] = field(default_factory=list)
    facts: dict[str, int | str] = field(default_factory=dict)
    log: str = "log of"

    @contextmanager
    def open(self, actor: str = "zhang") -> Iterator[Session]:
        with open_session(open_workspace(self.place.path), actor=actor, now=self._clock) as session:
            yield session

    def _clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def start(self, *systems: str, **more: Any) -> str:
        """Registered by zhang, and carried on as far as it goes."""
        with self.open() as session:
            run_id = register_run(session, systems or (() if more else (SYSTEM,)), **more).run_id
        self.work(run_id)
        return run_id

    def work(self, run_id: str) -> None:
        """What a worker does, without its engine and without Ansible."""
        with self.open("worker") as session:
            journal = StoreJournal(session, "m1/cli")
            carrier = Carrier(
                journal=journal, submit=lambda claim: self._submit(journal, claim), steps=load_steps(), rules=journal.rules,
                on_act=lambda *_: None,
            )  # fmt: skip
            for _ in range(50):
                if not [
                    self._leg(carrier, row)
                    for row in self.rows(run_id)
                    if row.state not in ENDED and self._acts(carrier, row)
                ]:
                    return
            raise AssertionError("it never comes to rest")

    def _acts(self, carrier: Carrier, row: RunSystem) -> bool:
        seen = carrier.journal.seen(row.run_id, row.system_id)
        move = carrier.ask(seen)
        if isinstance(move, Act):
            return True
        carrier.park(seen, move)
        return False

    def _leg(self, carrier: Carrier, row: RunSystem) -> str:
        fresh = next(r for r in self.rows(row.run_id) if r.system_id == row.system_id)
        leg = carrier.journal.begin_leg(fresh)
        assert leg is not None
        return carry_leg(carrier, row.run_id, row.system_id, leg, lambda _name, work: work())

    def _submit(self, journal: StoreJournal, claim: Claim) -> StepResult:
        key = claim.key
        attempt = journal.claim(key, claim.gate_id)
        assert journal.intend(attempt)
        self.did.append(f"{key.system_id} {key.step}/{key.phase}#{key.number}")
        told = self.results(key.system_id, key.step, key.phase, key.number)
        begun, self.now = self.now, self.now + timedelta(minutes=1)
        result = StepResult(
            status={"unreachable": "failed"}.get(told, told),  # type: ignore[arg-type]
            unreachable=told == "unreachable", started_at=begun, finished_at=self.now, facts=self.facts,
            reasons=() if told == "ok" else (Text("示例原因", "an example reason"),),
        )  # fmt: skip
        journal.finish(attempt, result, gzip.compress(f"{self.log} {key.text}\n".encode()))
        return result

    def rows(self, run_id: str) -> list[RunSystem]:
        with self.open() as session, session.store.read() as tx:
            return run_store.run_systems(tx, run_id)

    def row(self, run_id: str, system_id: str = SYSTEM) -> RunSystem:
        return next(r for r in self.rows(run_id) if r.system_id == system_id)

    def state(self, run_id: str, system_id: str = SYSTEM) -> tuple[SystemState, str | None]:
        row = self.row(run_id, system_id)
        return row.state, row.wait.kind if row.wait else None

    def cli(self, *argv: str, user: str = "zhang", lang: str = "zh", output: str = "table") -> int:
        return govcloud(["-w", str(self.place.path), "--lang", lang, "--user", user, "--format", output, "run", *argv])


def make_desk(path: Path, *, database: str | None = None, **execution: Any) -> Desk:
    """A workspace takes half a second to make; all but the first of its kind are copies."""
    if database is not None and not database.startswith("sqlite"):
        return Desk(make_place(path, database=database, execution=GATES | execution))
    shutil.copytree(_template(json.dumps(execution)), path)
    return Desk(Place(path))


@cache
def _template(execution: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gc-desk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_place(folder / "w", execution=GATES | json.loads(execution))
    return folder / "w"


__all__ = ["SYSTEM", "Desk", "make_desk"]
