"""The way of a run: which step comes next, what a failure leads to. Pure: every act and every wait goes through Conduct."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from govcloud.model.run import (
    BEFORE_FREEZE,
    STEPS,
    Approval,
    Choice,
    MigrationSpec,
    Outcome,
    RunStatus,
    Step,
    StepName,
    StepResult,
)

MAX_UNKNOWN = 3
"""So many unknown outcomes in a row of a repeatable step call for a person."""
PRECHECK_VALID = timedelta(minutes=15)
"""Approved later than that after the check, the check is made again."""


class Conduct(Protocol):
    """Each call is durable: after a crash it answers what it answered before."""

    def perform(self, system_id: str, step: StepName, number: int) -> StepResult: ...

    def await_approval(self) -> Approval: ...

    def await_decision(self, system_id: str, step: StepName, number: int) -> Choice: ...

    def enter(self, status: RunStatus) -> None: ...

    def settle(self, system_id: str, outcome: Outcome) -> None: ...


class Migration:
    """One run. `steps` says which steps may be repeated without asking."""

    def __init__(self, conduct: Conduct, specs: Mapping[str, MigrationSpec], steps: Mapping[StepName, Step]) -> None:
        self._conduct, self._specs, self._steps = conduct, specs, steps
        self._numbers: dict[tuple[str, StepName], int] = {}

    def carry_out(self) -> RunStatus:
        """Check all systems, ask for the approval, then move one after the other; the last status."""
        self._conduct.enter("prechecking")
        checked = {s: self._step(s, "precheck") for s in self._specs}
        if any(result.status != "ok" for result in checked.values()):
            return self._finish(dict.fromkeys(self._specs, "failed"))
        self._conduct.enter("waiting_approval")
        approval = self._conduct.await_approval()
        if not approval.approved:
            return self._finish(dict.fromkeys(self._specs, "failed"))
        self._conduct.enter("running")
        outcomes = {}
        for system_id in self._specs:
            finished = checked[system_id].finished_at
            stale = finished is None or approval.at - finished > PRECHECK_VALID
            outcomes[system_id] = self._move(system_id, check_again=stale)
            self._conduct.settle(system_id, outcomes[system_id])
            if outcomes[system_id] == "needs_person":
                # Something is neither here nor there; nothing else is started beside it.
                break
        return self._finish(outcomes)

    def roll_back(self, system_id: str, number: int) -> RunStatus:
        """The way back of one system after its run is over. `number`: of the next rollback attempt."""
        self._numbers[system_id, "rollback"] = number - 1
        self._conduct.enter("running")
        outcome = self._way_back(system_id)
        self._conduct.settle(system_id, outcome)
        final: RunStatus = "rolled_back" if outcome == "rolled_back" else "needs_person"
        self._conduct.enter(final)
        return final

    def _finish(self, outcomes: Mapping[str, Outcome]) -> RunStatus:
        for system_id, outcome in outcomes.items():
            self._conduct.settle(system_id, outcome)
        reached = set(outcomes.values())
        final: RunStatus = "done"
        for status in ("needs_person", "rolled_back", "failed"):
            if status in reached:
                final = status
                break
        self._conduct.enter(final)
        return final

    def _move(self, system_id: str, *, check_again: bool) -> Outcome:
        for step in STEPS:
            if step == "precheck" and not check_again:
                continue
            while (result := self._step(system_id, step)).status != "ok":
                if step in BEFORE_FREEZE:
                    return "failed"
                if self._specs[system_id].on_failure == "rollback" or result.status == "skipped":
                    return self._way_back(system_id)
                choice = self._ask(system_id, step)
                if choice == "abort":
                    return self._way_back(system_id)
                if choice == "mark-done":
                    break
        return "done"

    def _way_back(self, system_id: str) -> Outcome:
        while self._step(system_id, "rollback").status != "ok":
            choice = self._ask(system_id, "rollback")
            if choice == "mark-done":
                break
            if choice == "abort":
                return "needs_person"
        return "rolled_back"

    def _step(self, system_id: str, step: StepName) -> StepResult:
        """Attempts until the outcome is known: ok, failed, or skipped because a person asked for the way back."""
        unknown = 0
        while True:
            number = self._numbers.get((system_id, step), 0) + 1
            self._numbers[system_id, step] = number
            result = self._conduct.perform(system_id, step, number)
            if result.status != "unknown":
                return result
            unknown += 1
            if self._steps[step].repeatable and unknown < MAX_UNKNOWN:
                continue
            choice = self._ask(system_id, step)
            if choice == "mark-done":
                return StepResult(status="ok", reasons=result.reasons)
            if choice == "abort":
                return StepResult(status="skipped", reasons=result.reasons)

    def _ask(self, system_id: str, step: StepName) -> Choice:
        self._conduct.enter("needs_person")
        choice = self._conduct.await_decision(system_id, step, self._numbers[system_id, step])
        self._conduct.enter("running")
        return choice
