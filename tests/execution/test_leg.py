"""A leg that is interrupted anywhere goes on behind what it had finished. A user would miss: no step that runs twice because
the machine lost power, and no error of the machine that is taken for a step's result."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from engine_load import add_wave, make_workspace, standin

from govcloud.errors import OutsideError, UsageError
from govcloud.execution.attempt import Claim
from govcloud.execution.leg import OVER, REFUSED, SUPERSEDED, Carrier, carry_leg
from govcloud.execution.steps import load_steps
from govcloud.model.attempt import StepResult
from govcloud.model.run import RunSystem
from govcloud.model.text import Text
from govcloud.store import attempt as attempt_store
from govcloud.store import run as run_store
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import Session, open_session

RUN = "r20261123-1"
WAY = [
    "precheck/apply", "prepare/apply", "replicate/apply", "rehearse/apply", "rehearse/rollback", "freeze/apply",
    "final_sync/apply", "verify_data/apply", "cutover/apply", "verify_service/apply",
]  # fmt: skip


class PowerLoss(BaseException):
    pass


class Records:
    """What the engine keeps of a leg, as text; it loses power at the n-th piece of work, before or after its record."""

    def __init__(self, lose_at: int | None = None, *, recorded: bool = False) -> None:
        self.kept: dict[tuple[int, str], str] = {}
        self.lose_at, self.recorded = lose_at, recorded

    def runner(self) -> Callable[[str, Callable[[], Any]], Any]:
        at = 0

        def step(name: str, function: Callable[[], Any]) -> Any:
            nonlocal at
            at += 1
            if (at, name) not in self.kept:
                assert not any(n == at for n, _ in self.kept), f"{name}: another piece was kept at this place"
                text = json.dumps(function())
                lost = at == self.lose_at
                if lost:
                    self.lose_at = None
                if not lost or self.recorded:
                    self.kept[at, name] = text
                if lost:
                    raise PowerLoss
            return json.loads(self.kept[at, name])

        return step


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    workspace = make_workspace(tmp_path_factory.mktemp("legs") / "w")
    with open_session(workspace, actor="zhang") as opened:
        add_wave(opened, 30, RUN)
        yield opened


def carrier(session: Session, submit: Callable[[Claim], StepResult] | None = None) -> Carrier:
    journal = StoreJournal(session, "m/cli")
    usual, _ = standin(session, journal, None, None)
    return Carrier(
        journal=journal, submit=submit or usual, steps=load_steps(), rules=journal.rules, on_act=lambda *_: None
    )  # fmt: skip


def system(session: Session, number: int) -> RunSystem:
    with session.store.read() as tx:
        return run_store.run_systems(tx, RUN)[number]


def begun(session: Session, name: str) -> list[str]:
    with session.store.read() as tx:
        return [f"{a.key.step}/{a.key.phase}" for a in attempt_store.attempts(tx, RUN, name) if a.result is not None]


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("lose_at", [1, 2, 3, 10, 12, 18, 20, 21])
def test_every_step_runs_once_wherever_the_power_fails(session: Session, lose_at: int, recorded: bool) -> None:
    number = [1, 2, 3, 10, 12, 18, 20, 21].index(lose_at) * 2 + recorded
    name = system(session, number).system_id
    records, carried = Records(lose_at, recorded=recorded), carrier(session)
    with pytest.raises(PowerLoss):
        carry_leg(carried, RUN, name, 1, records.runner())
    assert carry_leg(carried, RUN, name, 1, records.runner()) == OVER
    row = system(session, number)
    assert (row.state, begun(session, name)) == ("trial", WAY), row.wait
    # Once more, as after a loss of the record that the leg is over: nothing happens.
    assert carry_leg(carried, RUN, name, 1, records.runner()) == OVER
    assert begun(session, name) == WAY


def test_a_leg_that_another_one_has_passed_does_nothing(session: Session) -> None:
    row = system(session, 20)
    carried = carrier(session)
    assert carried.journal.begin_leg(row) == 1
    assert carried.journal.begin_leg(replace(row, leg=1)) == 2
    assert carry_leg(carried, RUN, row.system_id, 1, Records().runner()) == SUPERSEDED
    assert begun(session, row.system_id) == []


def test_an_older_copy_of_the_database_catches_up(session: Session) -> None:
    """The engine has carried out legs 1 to 6, the restored store knows of none: leg 7 counts it up and goes on."""
    row = system(session, 21)
    assert carry_leg(carrier(session), RUN, row.system_id, 7, Records().runner()) == OVER
    assert (system(session, 21).leg, begun(session, row.system_id)) == (7, WAY)


def test_an_error_of_the_machine_is_no_result(session: Session) -> None:
    """A full disk during the copy: the same attempt is gone on with as soon as there is room."""
    name = system(session, 22).system_id
    usual, failures = carrier(session).submit, ["no space left"]

    def submit(claim: Claim) -> StepResult:
        if claim.key.step == "replicate" and failures:
            raise OutsideError(Text("磁盘已满", failures.pop()))
        return usual(claim)

    records, carried = Records(), carrier(session, submit)
    with pytest.raises(OutsideError):
        carry_leg(carried, RUN, name, 1, records.runner())
    assert carry_leg(carried, RUN, name, 1, records.runner()) == OVER
    assert begun(session, name) == WAY


def test_what_is_not_allowed_any_more_is_asked_again_and_then_said(session: Session) -> None:
    """The approval was taken back between the machine's answer and the claim."""
    name = system(session, 23).system_id
    usual, refused = carrier(session).submit, 0

    def submit(claim: Claim) -> StepResult:
        nonlocal refused
        if claim.key.step == "freeze":
            refused += 1
            raise UsageError(Text("未经放行", "Not let through"))
        return usual(claim)

    assert carry_leg(carrier(session, submit), RUN, name, 1, Records().runner()) == REFUSED
    row = system(session, 23)
    assert refused == 1 and begun(session, name) == WAY[:5]
    assert row.wait is not None and (row.state, row.wait.text.en) == ("waiting", "Not let through")
    # Later it is allowed: the next leg goes on.
    assert carry_leg(carrier(session), RUN, name, 2, Records().runner()) == OVER
    assert begun(session, name) == WAY
