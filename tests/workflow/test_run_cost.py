"""What one system of a wave costs the database must not grow with the wave: a thousand systems would take a night longer.

Counted in SQLite's own instructions, which are the same on a busy machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import event

from govcloud.execution.attempt import Claim
from govcloud.execution.leg import Carrier, carry_leg
from govcloud.execution.moves import Act
from govcloud.execution.steps import load_steps
from govcloud.model.attempt import AttemptKey
from govcloud.store import Store
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import open_session

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from engine_load import add_wave, make_workspace, standin

_EVERY = 10
_ASKED = 20


@contextmanager
def instructions(store: Store) -> Iterator[Callable[[], int]]:
    count = 0

    def note() -> int:
        nonlocal count
        count += _EVERY
        return 0

    def watch(connection: object, _record: object) -> None:
        connection.set_progress_handler(note, _EVERY)  # type: ignore[attr-defined]

    store.engine.dispose()
    event.listen(store.engine, "connect", watch)
    try:
        yield lambda: count
    finally:
        event.remove(store.engine, "connect", watch)


def cost(folder: Path, systems: int) -> dict[str, int]:
    """Of one system in a wave that has gone half its way: a question, a step, a state."""
    with open_session(make_workspace(folder), actor="bench") as session:
        run = add_wave(session, systems)
        journal = StoreJournal(session, "m/cli")
        submit, _ = standin(session, journal, None, None)
        carrier = Carrier(
            journal=journal, submit=submit, steps=load_steps(), rules=journal.rules, on_act=lambda *_: None
        )
        for name in run.systems[: systems - _ASKED]:
            carry_leg(carrier, run.run_id, name, 1, lambda _, function: function())
        asked = run.systems[systems - _ASKED :]
        with session.store.begin() as tx:
            tx.exec_driver_sql("UPDATE run_system SET state = 'running'")
        found: dict[str, int] = {}
        with instructions(session.store) as counted:
            before = counted()

            def lap(what: str) -> None:
                nonlocal before
                found[what], before = (counted() - before) // _ASKED, counted()

            seen = [journal.seen(run.run_id, name) for name in asked]
            lap("question")
            for one in seen:
                assert journal.enter(one.system, "waiting")
            lap("state")
            for name in asked:
                act = carrier.ask(journal.seen(run.run_id, name))
                assert isinstance(act, Act)
                key = AttemptKey(run_id=run.run_id, system_id=name, step=act.step, phase=act.phase, number=act.number)
                submit(Claim(key=key, gate_id=None, rerun=False))
            lap("step")
    return found


def test_a_system_of_a_large_wave_costs_what_one_of_a_small_wave_costs(tmp_path: Path) -> None:
    small, large = cost(tmp_path / "small", 40), cost(tmp_path / "large", 120)
    for what, count in small.items():
        assert count > 0
        assert large[what] <= 1.03 * count, (what, count, large[what])
