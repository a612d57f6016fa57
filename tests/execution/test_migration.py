"""The order of steps, and what every failure leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_spec import GOOD

from govcloud.execution.migration import MAX_UNKNOWN, PRECHECK_VALID, Migration
from govcloud.execution.steps import load_steps
from govcloud.model.run import (
    BEFORE_FREEZE,
    STEPS,
    Approval,
    Choice,
    MigrationSpec,
    Outcome,
    RunStatus,
    StepName,
    StepResult,
)

AT = datetime(2026, 3, 7, 20, tzinfo=UTC)
SPEC = msgspec.convert(GOOD, MigrationSpec)
TOUCHING = [s for s in STEPS if s not in BEFORE_FREEZE]


class Script:
    """A Conduct that plays given results and writes down what it was asked for."""

    def __init__(
        self, results: Callable[[str, StepName, int], str], *, approved: bool = True, after: timedelta = timedelta(0),
        choices: tuple[Choice, ...] = (),
    ) -> None:  # fmt: skip
        self._results, self._approved, self._after, self._choices = results, approved, after, list(choices)
        self.did: list[str] = []
        self.statuses: list[RunStatus] = []
        self.outcomes: dict[str, Outcome] = {}
        self.asked = 0

    def perform(self, system_id: str, step: StepName, number: int) -> StepResult:
        self.did.append(f"{system_id} {step}#{number}")
        return msgspec.convert({"status": self._results(system_id, step, number), "finished_at": AT}, StepResult)

    def await_approval(self) -> Approval:
        self.did.append("approval")
        return Approval(run_id="r", actor="li", scope_hash="h", at=AT + self._after, approved=self._approved)

    def await_decision(self, system_id: str, step: StepName, number: int) -> Choice:
        self.asked += 1
        return self._choices.pop(0)

    def enter(self, status: RunStatus) -> None:
        self.statuses.append(status)

    def settle(self, system_id: str, outcome: Outcome) -> None:
        self.outcomes[system_id] = outcome


def run(script: Script, *systems: str, on_failure: str = "rollback") -> RunStatus:
    spec = replace(SPEC, on_failure=on_failure)  # type: ignore[arg-type]
    return Migration(script, dict.fromkeys(systems or ("A",), spec), load_steps()).carry_out()


def failing(step: StepName) -> Callable[[str, StepName, int], str]:
    return lambda _s, asked, _n: "failed" if asked == step else "ok"


def test_all_is_well() -> None:
    script = Script(lambda *_: "ok")
    assert run(script) == "done"
    assert script.did == ["A precheck#1", "approval", *(f"A {s}#1" for s in STEPS[1:])]
    assert script.statuses == ["prechecking", "waiting_approval", "running", "done"]


def test_nothing_is_asked_and_nothing_is_touched_when_the_check_fails() -> None:
    script = Script(failing("precheck"))
    assert run(script, "A", "B") == "failed"
    assert script.did == ["A precheck#1", "B precheck#1"]


def test_a_refusal_ends_the_run_untouched() -> None:
    script = Script(lambda *_: "ok", approved=False)
    assert run(script) == "failed"
    assert script.did == ["A precheck#1", "approval"]


def test_an_old_check_is_made_again() -> None:
    script = Script(lambda *_: "ok", after=PRECHECK_VALID * 2)
    assert run(script) == "done"
    assert script.did[:3] == ["A precheck#1", "approval", "A precheck#2"]


@pytest.mark.parametrize("step", TOUCHING)
def test_a_failure_after_the_freeze_leads_back(step: StepName) -> None:
    script = Script(failing(step))
    assert run(script) == "rolled_back"
    assert script.did[-2:] == [f"A {step}#1", "A rollback#1"]


def test_a_failure_before_the_freeze_needs_no_way_back() -> None:
    script = Script(failing("replicate"))
    assert run(script) == "failed"
    assert script.did[-1] == "A replicate#1"


def test_a_failed_way_back_needs_a_person_and_nothing_else_starts() -> None:
    script = Script(lambda _s, step, _n: "failed" if step in ("cutover", "rollback") else "ok", choices=("abort",))
    assert run(script, "A", "B") == "needs_person"
    assert script.outcomes == {"A": "needs_person"}
    assert not [d for d in script.did if d.startswith("B") and "precheck" not in d]


def test_the_others_of_a_wave_go_on_after_one_was_rolled_back() -> None:
    script = Script(lambda s, step, _n: "failed" if (s, step) == ("A", "verify_data") else "ok")
    assert run(script, "A", "B") == "rolled_back"
    assert script.outcomes == {"A": "rolled_back", "B": "done"}


def test_an_unknown_repeatable_step_is_tried_again_and_then_a_person_is_asked() -> None:
    script = Script(lambda _s, step, _n: "unknown" if step == "replicate" else "ok", choices=("mark-done",))
    assert run(script) == "done"
    assert [d for d in script.did if "replicate" in d] == [f"A replicate#{n}" for n in range(1, MAX_UNKNOWN + 1)]


@pytest.mark.parametrize(
    ("choice", "attempts", "final"), [("rerun", 2, "done"), ("mark-done", 1, "done"), ("abort", 1, "rolled_back")]
)
def test_an_unknown_cutover_is_never_repeated_without_a_person(choice: Choice, attempts: int, final: RunStatus) -> None:
    script = Script(lambda _s, step, n: "unknown" if step == "cutover" and n == 1 else "ok", choices=(choice,))
    assert run(script) == final
    assert script.asked == 1
    assert sum("cutover" in d for d in script.did) == attempts


def test_hold_waits_for_a_person_instead_of_going_back() -> None:
    script = Script(lambda _s, step, n: "failed" if step == "verify_service" and n == 1 else "ok", choices=("rerun",))
    assert run(script, on_failure="hold") == "done"
    assert not [d for d in script.did if "rollback" in d]
    assert "needs_person" in script.statuses


@given(st.dictionaries(st.tuples(st.sampled_from(STEPS), st.integers(1, 3)), st.sampled_from(["failed", "unknown"])),
       st.sampled_from(["rollback", "hold"]))  # fmt: skip
def test_whatever_fails_a_cutover_never_starts_more_often_than_people_allowed(
    trouble: dict[tuple[StepName, int], str], on_failure: str
) -> None:
    script = Script(
        lambda _s, step, n: trouble.get((step, n), "ok"), choices=("rerun", "mark-done", "abort", "mark-done") * 5
    )
    final = run(script, on_failure=on_failure)
    starts = sum(" cutover#" in d for d in script.did)
    assert starts <= 1 + script.asked
    touched = any(f" {s}#" in d for d in script.did for s in TOUCHING)
    if final == "failed":
        assert not touched, "a source that was touched is brought back or handed to a person"
    if starts and final == "done":
        frozen = next(i for i, d in enumerate(script.did) if " freeze#" in d)
        assert frozen < next(i for i, d in enumerate(script.did) if " cutover#" in d)
