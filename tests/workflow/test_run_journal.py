"""The journal on both databases: what was written once stays, who has been overtaken writes nothing, a ledger record for all."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from run_desk import SYSTEM, Desk, make_desk

from govcloud.errors import UsageError
from govcloud.model.attempt import AttemptKey, StepResult, Worker
from govcloud.model.gate import Gate
from govcloud.model.resource import Resource
from govcloud.model.run import Wait
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.store import attempt as attempt_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow import run as verbs
from govcloud.workflow.run_journal import StoreJournal

_found = spec_from_file_location("store_conftest", Path(__file__).parents[1] / "store" / "conftest.py")
assert _found is not None and _found.loader is not None
_store = module_from_spec(_found)
sys.modules["store_conftest"] = _store
_found.loader.exec_module(_store)
wheel_postgres, debian_postgres, url = _store.wheel_postgres, _store.debian_postgres, _store.url

RUN = "r20260308-1"
DONE = StepResult(status="ok", finished_at=datetime(2026, 3, 7, 21, tzinfo=UTC), facts={"data_bytes": 5 * 2**30})


@pytest.fixture
def desk(tmp_path: Path, url: str) -> Desk:
    desk = make_desk(tmp_path / "w", database=url)
    with desk.open() as session:
        assert verbs.register_run(session, [SYSTEM]).run_id == RUN
    return desk


@pytest.fixture
def journal(desk: Desk) -> Iterator[StoreJournal]:
    with desk.open("worker") as session:
        yield StoreJournal(session, "m1/cli")


def key(step: StepName = "precheck", phase: Phase = "apply", number: int = 1) -> AttemptKey:
    return AttemptKey(run_id=RUN, system_id=SYSTEM, step=step, phase=phase, number=number)


def kinds(desk: Desk) -> list[str]:
    with desk.open() as session, session.store.read() as tx:
        return [json.loads(r.canonical)["kind"] for r in ledger_store.records(tx)]


def test_every_act_may_be_repeated_and_is_recorded_once(desk: Desk, journal: StoreJournal) -> None:
    before = len(kinds(desk))
    attempt = journal.claim(key(), None)
    assert attempt.token == 1 and attempt.machine_id == "m1" and journal.claim(key(), None) == attempt
    assert journal.intend(attempt) and journal.intend(attempt)
    journal.beat([attempt])
    assert journal.finish(attempt, DONE, gzip.compress(b"log")) and not journal.finish(attempt, DONE)
    assert not journal.intend(attempt), "what has ended is not begun again"
    assert kinds(desk)[before:] == ["step", "step"]
    assert journal.seen(RUN, SYSTEM).system.data_bytes == 5 * 2**30


def test_a_system_has_one_live_attempt_whoever_asks(desk: Desk, journal: StoreJournal) -> None:
    journal.claim(key(), None)
    with pytest.raises(UsageError, match="not over"):
        journal.claim(key(number=2), None)
    with desk.open() as session, pytest.raises(UsageError):
        StoreJournal(session, "m2/worker").claim(key("replicate"), None)


def test_of_many_who_claim_at_once_one_gets_it(desk: Desk) -> None:
    won: list[str] = []
    lost: list[BaseException] = []

    def claim(name: str, number: int) -> None:
        with desk.open(name) as session:
            try:
                StoreJournal(session, f"{name}/w").claim(key(number=number), None)
                won.append(name)
            except UsageError as error:
                lost.append(error)

    threads = [threading.Thread(target=claim, args=(f"m{n}", n)) for n in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and len(lost) == 4
    with desk.open() as session, session.store.read() as tx:
        assert len(attempt_store.attempts(tx, RUN)) == 1


def test_who_was_overtaken_writes_nothing(journal: StoreJournal) -> None:
    """A holder that slept for a day (F5): his leg and his token are old ones."""
    old = journal.seen(RUN, SYSTEM).system
    assert journal.begin_leg(old) == 1
    assert journal.begin_leg(old) is None
    assert not journal.enter(old, "trial")
    assert journal.seen(RUN, SYSTEM).system.state == "waiting"
    stale = journal.claim(key(), None)
    assert journal.finish(stale, StepResult(status="unknown", finished_at=DONE.finished_at))
    fresh = journal.claim(key(number=2), None)
    assert fresh.token > stale.token
    assert not journal.intend(stale) and not journal.finish(stale, DONE)
    forged = replace(fresh, token=stale.token)
    assert not journal.intend(forged) and not journal.finish(forged, DONE)


def test_a_state_is_entered_with_its_ledger_record_and_the_time_of_the_change(
    desk: Desk, journal: StoreJournal
) -> None:
    row = journal.seen(RUN, SYSTEM).system
    wait = Wait(kind="approval", text=Text("甲", "a"), since=desk.now, step="prepare", gate_id="g")
    assert journal.enter(row, "waiting", wait=wait)
    first = journal.seen(RUN, SYSTEM).system
    desk.now += timedelta(hours=1)
    before = len(kinds(desk))
    later = replace(wait, since=desk.now, text=Text("乙", "b"))
    assert journal.enter(row, "waiting", wait=later)
    again = journal.seen(RUN, SYSTEM).system
    assert again.wait is not None and again.wait.text.en == "b"
    assert (again.since, again.wait.since) == (first.since, wait.since), "it waits since it began to wait"
    assert len(kinds(desk)) == before
    assert journal.enter(replace(row, step="replicate"), "running")
    assert kinds(desk)[before:] == ["run_state"] and journal.seen(RUN, SYSTEM).system.since > first.since


def test_what_a_slower_reader_knows_does_not_overwrite_what_was_measured(journal: StoreJournal) -> None:
    row = journal.seen(RUN, SYSTEM).system
    journal.finish(journal.claim(key(), None), DONE)
    assert journal.enter(replace(row, step="precheck"), "running")
    assert journal.seen(RUN, SYSTEM).system.data_bytes == 5 * 2**30


def test_gates_and_resources_are_kept_once(desk: Desk, journal: StoreJournal) -> None:
    before = len(kinds(desk))
    scope = journal.seen(RUN, SYSTEM).system.scope_hash
    gate = Gate(
        gate_id=f"{RUN}/{SYSTEM}/prepare/1", run_id=RUN, system_id=SYSTEM, step="prepare", kind="approval", scope_hash=scope,
        opened_at=desk.now,
    )  # fmt: skip
    journal.open_gate(gate)
    journal.open_gate(replace(gate, opened_at=desk.now + timedelta(days=1)))
    made = Resource(
        resource_id=f"{RUN}/{SYSTEM}/main/server", run_id=RUN, system_id=SYSTEM, machine="main", kind="server",
        driver="existing", cloud="", name="govcloud-1", intent_at=desk.now,
    )  # fmt: skip
    journal.keep_resource(made)
    journal.keep_resource(made)
    journal.keep_resource(replace(made, external_id="i-1", address="10.0.0.9"))
    assert kinds(desk)[before:] == ["gate", "resource", "resource"]
    seen = journal.seen(RUN, SYSTEM)
    assert seen.gates == (gate,) and [r.external_id for r in seen.resources] == ["i-1"]


def test_workers_and_open_systems(desk: Desk, journal: StoreJournal) -> None:
    me = Worker(worker_id="m1/cli", machine_id="m1", host="h", pid=1, zones=("甲",), seen_at=desk.now)
    journal.see_worker(me)
    journal.see_worker(replace(me, zones=()))
    assert list(journal.workers()) == [replace(me, zones=())]
    assert [s.system_id for s in journal.open_systems()] == [SYSTEM]
    journal.enter(journal.seen(RUN, SYSTEM).system, "failed")
    assert list(journal.open_systems()) == []


def test_a_run_or_system_that_is_not_there_is_said_so(journal: StoreJournal) -> None:
    for run_id, system_id in (("r-none", SYSTEM), (RUN, "SL-NO")):
        with pytest.raises(UsageError):
            journal.seen(run_id, system_id)


def test_only_the_controller_signs_the_ledger(desk: Desk) -> None:
    """A worker on another machine has no key: it must neither fail to record a result nor make a key of its own (P7)."""
    keys = desk.place.path / "keys"
    away = keys.rename(desk.place.path / "elsewhere")
    with desk.open("worker") as session:
        journal = StoreJournal(session, "m2/worker")
        row = journal.seen(RUN, SYSTEM).system
        attempt = journal.claim(key(), None)
        assert journal.finish(attempt, DONE) and journal.enter(row, "trial") and journal.enter(row, "rolled_back")
        assert not list(keys.glob("*"))
    with desk.open() as session, session.store.read() as tx:
        before = len(ledger_store.checkpoints(tx))
    keys.rmdir()
    away.rename(keys)
    with desk.open() as session:
        journal = StoreJournal(session, "m1/cli")
        journal.enter(journal.seen(RUN, SYSTEM).system, "failed")
        with session.store.read() as tx:
            assert len(ledger_store.checkpoints(tx)) == before + 1
