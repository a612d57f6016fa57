"""Systems that are due at the same moment share one playbook run, and each gets its own outcome."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from guard_case import STANDIN, prepare
from run_place import Place, key, make_place

from govcloud.errors import OutsideError, UsageError
from govcloud.execution.attempt import Claim, Guard
from govcloud.execution.batch import Batcher
from govcloud.execution.steps import load_steps
from govcloud.model.attempt import Attempt, Worker
from govcloud.model.text import Text
from govcloud.settings import open_workspace
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import open_session

SYSTEMS = [f"SL-{n:02}" for n in range(1, 13)]


class Leaving(BaseException):
    """As a worker's: not an error that anybody may swallow."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = make_place(tmp_path / "w")
    found.add_run(SYSTEMS)
    return found


@pytest.fixture
def guard(place: Place) -> Iterator[Guard]:
    with open_session(open_workspace(place.path), actor="zhang") as session:
        worker = Worker(worker_id="m1/cli", machine_id="m1", host="h", pid=1, zones=(), seen_at=session.now())
        yield Guard(
            journal=StoreJournal(session, "m1/cli"), worker=worker, root=place.path / "evidence", prepare=prepare,
            pause=time.sleep, supervisor=STANDIN,
        )  # fmt: skip


def batcher(guard: Guard, room: int = 50, linger_s: float = 0.5) -> Batcher:
    steps = {name: replace(step, batch=room) for name, step in load_steps().items()}
    return Batcher(guard=guard, steps=steps, linger_s=linger_s)


def outcomes(found: Batcher, claims: list[Claim]) -> list[Any]:
    def submit(claim: Claim) -> Any:
        try:
            return found.submit(claim).status
        except BaseException as error:
            return type(error)

    with ThreadPoolExecutor(len(claims)) as pool:
        return list(pool.map(submit, claims))


def plays(place: Place) -> int:
    return len(list((place.path / "evidence" / "r1" / "_plays").iterdir()))


def test_what_comes_together_runs_together(place: Place, guard: Guard) -> None:
    place.script({"SL-03": {"status": "failed"}})
    said = outcomes(batcher(guard), [Claim(key=key(system_id=s)) for s in SYSTEMS])
    assert said == ["failed" if s == "SL-03" else "ok" for s in SYSTEMS]
    assert plays(place) == 1 and len(place.begun()) == len(SYSTEMS)


def test_no_more_systems_share_a_run_than_the_step_allows(place: Place, guard: Guard) -> None:
    assert set(outcomes(batcher(guard, room=5), [Claim(key=key(system_id=s)) for s in SYSTEMS])) == {"ok"}
    assert plays(place) == 3


def test_steps_and_phases_are_not_mixed(place: Place, guard: Guard) -> None:
    claims = [Claim(key=key("precheck", system_id="SL-01")), Claim(key=key("replicate", system_id="SL-02")),
              Claim(key=key("replicate", "verify", system_id="SL-03"))]  # fmt: skip
    assert outcomes(batcher(guard), claims) == ["ok"] * 3 and plays(place) == 3


def test_a_system_that_is_through_does_not_wait_for_the_slowest(place: Place, guard: Guard) -> None:
    place.script({"SL-02": {"sleep": 3}})
    found = batcher(guard, linger_s=0.2)
    slow = threading.Thread(target=found.submit, args=(Claim(key=key(system_id="SL-02")),), daemon=True)
    slow.start()
    assert found.submit(Claim(key=key(system_id="SL-01"))).status == "ok"
    assert slow.is_alive() and plays(place) == 1
    slow.join()


def test_one_that_may_not_begin_concerns_nobody_else(place: Place, guard: Guard) -> None:
    guard.journal.claim(key("precheck", system_id="SL-02"), None)
    said = outcomes(batcher(guard), [Claim(key=key(system_id=s)) for s in SYSTEMS[:3]])
    assert said == ["ok", UsageError, "ok"]


class Away(StoreJournal):
    """A database that goes away at the worst moment: between the intent on the disk and the one in the record."""

    def intend(self, attempt: Attempt) -> bool:
        raise OutsideError(Text("数据库无响应", "The database does not answer"))


def test_a_database_that_goes_away_before_the_start_leaves_nothing_unknown(place: Place, guard: Guard) -> None:
    claims = [Claim(key=key(system_id=s)) for s in SYSTEMS[:2]]
    journal = guard.journal
    assert isinstance(journal, StoreJournal)
    assert outcomes(batcher(replace(guard, journal=Away(journal.session, "m1/cli"))), claims) == [OutsideError] * 2
    assert place.begun() == []
    assert outcomes(batcher(guard), claims) == ["ok", "ok"]


def test_everybody_leaves_when_the_process_shall_leave_and_comes_back_to_the_same_run(
    place: Place, guard: Guard
) -> None:
    """SIGTERM of a worker in the middle of a batch: no leg hangs, and nothing runs twice afterwards."""

    def leave(_: float) -> None:
        raise Leaving

    place.script({"replicate": {"sleep": 1}})
    claims = [Claim(key=key(system_id=s)) for s in SYSTEMS[:3]]
    assert outcomes(batcher(replace(guard, pause=leave)), claims) == [Leaving] * 3
    assert outcomes(batcher(guard), claims) == ["ok"] * 3
    assert plays(place) == 1 and len(place.begun()) == 3
