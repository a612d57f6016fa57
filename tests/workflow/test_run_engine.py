"""A process that carries systems on. A user would miss: a command that leaves a worker's zones to the worker, and a probe that
can be made without starting anything else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from engine_load import add_wave, make_workspace, standin

from govcloud.errors import OutsideError, UsageError
from govcloud.execution.attempt import Claim
from govcloud.execution.identity import WorkerLock, machine_id, worker_id
from govcloud.model.attempt import AttemptKey, StepResult, Worker
from govcloud.model.text import Text
from govcloud.store import run as run_store
from govcloud.store import worker as worker_store
from govcloud.workflow.run_engine import FOLDER, Hands, Pace, perform_once, work
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.worker import list_workers

RUN = "r20261123-1"
FAST = Pace(round_s=0.1, poll_s=0.1, beat_s=0.5)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_session(make_workspace(tmp_path / "w"), actor="zhang") as opened:
        yield opened


def states(session: Session) -> dict[str, str]:
    with session.store.read() as tx:
        return {
            s.system_id: s.state if s.wait is None else f"{s.state} {s.wait.kind}"
            for s in run_store.run_systems(tx, RUN)
        }


def test_a_wave_is_carried_to_where_people_are_awaited(session: Session) -> None:
    add_wave(session, 3, RUN)
    work(session, until="idle", pace=FAST, make_hands=standin)
    assert set(states(session).values()) == {"trial order"}
    workers, living = list_workers(session)
    assert [(w.worker_id.partition("/")[2], w.pid) for w in workers] == [("cli", 0)] and living == []


def test_the_zones_of_a_living_worker_are_left_to_it(session: Session) -> None:
    add_wave(session, 2, RUN, zones=("dmz", "core"))
    folder = session.workspace.folder(FOLDER)
    machine = machine_id(folder)
    lock = WorkerLock(folder, machine, worker_id(machine, "w1"))
    assert lock.take()
    with session.store.begin() as tx:
        seen = Worker(
            worker_id=f"{machine}/w1", machine_id=machine, host="h", pid=7, zones=("core",), seen_at=session.now()
        )
        worker_store.see_worker(tx, seen)
    work(session, until="idle", pace=FAST, make_hands=standin)
    assert sorted(states(session).values()) == ["trial order", "waiting"]
    assert list_workers(session)[1] == [f"{machine}/w1"]
    # It died without a word: its lock tells at once, whatever was seen of it a moment ago.
    lock.release()
    work(session, until="idle", pace=FAST, make_hands=standin)
    assert sorted(states(session).values()) == ["trial order", "trial order"]


def test_an_error_of_this_machine_ends_the_command_and_is_in_the_row(session: Session) -> None:
    """A full disk: tried again a few times, then said; the next command goes on with the same attempt."""
    add_wave(session, 1, RUN)

    def full(*arguments: object) -> Hands:
        submit, cancel = standin(*arguments)  # type: ignore[arg-type]

        def refuse(claim: Claim) -> StepResult:
            if claim.key.step == "replicate":
                raise OutsideError(Text("磁盘已满", "The disk is full"))
            return submit(claim)

        return refuse, cancel

    with pytest.raises(OutsideError, match="The disk is full"):
        work(session, until="idle", pace=replace(FAST, tries=3), make_hands=full)
    (system,) = states(session).items()
    assert system[1] == "running unreachable"
    with session.store.read() as tx:
        wait = run_store.run_systems(tx, RUN)[0].wait
    assert wait is not None and "The disk is full" in wait.text.en and "磁盘已满" in wait.text.zh
    work(session, until="idle", pace=FAST, make_hands=standin)
    assert set(states(session).values()) == {"trial order"}


def test_a_probe_is_one_attempt_and_starts_nothing_else(session: Session) -> None:
    add_wave(session, 2, RUN)
    done: list[AttemptKey] = []

    def hands(*arguments: object) -> Hands:
        submit, cancel = standin(*arguments)  # type: ignore[arg-type]
        return lambda claim: done.append(claim.key) or submit(claim), cancel  # type: ignore[func-returns-value]

    for number in (1, 2):
        assert perform_once(session, RUN, "SL-10001", "prepare", "verify", make_hands=hands).status == "ok"
        assert done[-1] == AttemptKey(run_id=RUN, system_id="SL-10001", step="prepare", phase="verify", number=number)
    assert set(states(session).values()) == {"waiting"}


def test_a_name_that_is_taken_is_refused_in_words(session: Session) -> None:
    folder = session.workspace.folder(FOLDER)
    machine = machine_id(folder)
    lock = WorkerLock(folder, machine, worker_id(machine, "w1"))
    assert lock.take()
    with pytest.raises(UsageError) as refused:
        work(session, until="stopped", name="w1", pace=FAST, make_hands=standin)
    assert "w1 is running" in refused.value.message("en") and "--name" in refused.value.message("zh")
    lock.release()
