"""Where each system of a run is: what is stored comes back, and of two that go on with a system only one may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import get_args

import pytest
from run_rows import AT, SYSTEM, at, run, system
from sqlalchemy.exc import IntegrityError

from govcloud.model.run import ENDED, MOVED, SystemState, Wait
from govcloud.model.text import Text
from govcloud.store import Store
from govcloud.store import run as run_store

OTHER = "SL-XF-02"


def add(store: Store, run_id: str = "r1", systems: tuple[str, ...] = (SYSTEM,), seconds: float = 0) -> None:
    with store.begin() as tx:
        rows = [system(name, run_id, position) for position, name in enumerate(systems, start=1)]
        run_store.add_run(tx, run(run_id, systems, seconds=seconds), rows)


def test_a_run_comes_back_as_it_was_stored(store: Store) -> None:
    add(store, systems=(OTHER, SYSTEM))
    with store.read() as tx:
        assert run_store.load_run(tx, "r1") == run("r1", (OTHER, SYSTEM))
        assert run_store.run_systems(tx, "r1") == [system(OTHER), system(SYSTEM, position=2)]
        assert run_store.load_run_system(tx, "r1", SYSTEM) == system(SYSTEM, position=2)
        assert run_store.states(tx, "r1") == {OTHER: "waiting", SYSTEM: "waiting"}
        assert run_store.load_run(tx, "r9") is None and run_store.load_run_system(tx, "r1", "SL-ZZ-99") is None


def test_the_newest_run_comes_first_and_none_is_registered_twice(store: Store) -> None:
    add(store, "r1")
    add(store, "r2", seconds=60)
    with store.read() as tx:
        assert [r.run_id for r in run_store.runs(tx)] == ["r2", "r1"]
    with pytest.raises(IntegrityError):
        add(store, "r2")


def test_only_the_holder_of_the_leg_writes(store: Store) -> None:
    """Two workers that both believe that they carry a system on would else overwrite each other."""
    add(store)
    with store.begin() as tx:
        row = run_store.load_run_system(tx, "r1", SYSTEM)
        assert row is not None
        assert run_store.update_run_system(tx, replace(row, leg=1, state="running", step="precheck"), leg=0)
    late = replace(row, leg=1, state="failed")
    with store.begin() as tx:
        assert not run_store.update_run_system(tx, late, leg=0)
    with store.read() as tx:
        assert run_store.states(tx, "r1") == {SYSTEM: "running"}


def test_of_many_that_begin_the_same_leg_one_gets_it(store: Store) -> None:
    add(store)

    def begin(number: int) -> bool:
        with store.begin() as tx:
            row = run_store.load_run_system(tx, "r1", SYSTEM)
            assert row is not None
            return run_store.update_run_system(tx, replace(row, leg=1, since=at(number)), leg=0)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(8))) == 1


@pytest.mark.parametrize("state", get_args(SystemState))
def test_a_system_is_free_again_when_nothing_more_happens_by_itself(store: Store, state: SystemState) -> None:
    add(store)
    with store.begin() as tx:
        assert run_store.update_run_system(tx, replace(system(), state=state), leg=0)
    with store.read() as tx:
        busy = run_store.busy(tx, [SYSTEM, OTHER])
    assert busy == ({} if state in ENDED | MOVED else {SYSTEM: "r1"})


def test_systems_are_found_by_state_and_waits_are_kept(store: Store) -> None:
    add(store, systems=(SYSTEM, OTHER))
    wait = Wait(kind="window", text=Text("窗口未开", "the window is not open"), since=AT, until=at(3600), step="freeze")
    with store.begin() as tx:
        assert run_store.update_run_system(tx, replace(system(), wait=wait), leg=0)
        assert run_store.update_run_system(tx, replace(system(OTHER, position=2), state="trial"), leg=0)
    with store.read() as tx:
        (found,) = run_store.run_systems(tx, states=["waiting", "running"])
        assert found.system_id == SYSTEM and found.wait == wait
        assert [s.system_id for s in run_store.run_systems(tx)] == [SYSTEM, OTHER]
