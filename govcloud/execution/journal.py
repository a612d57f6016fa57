"""What the engine needs written down; workflow/run.py does it with the store, each time with a ledger record."""

from __future__ import annotations

from typing import Protocol

from govcloud.model.run import Approval, Attempt, Decision, Outcome, RunStatus, StepName, StepResult


class Journal(Protocol):
    """Every method is one transaction and may be repeated: the second time changes nothing."""

    def claim(self, system_id: str, step: StepName, number: int) -> Attempt:
        """The attempt, recorded with its intent before anything happens; as it is when it was claimed before."""

    def finish(self, attempt: Attempt, result: StepResult) -> None: ...

    def enter(self, status: RunStatus) -> None: ...

    def settle(self, system_id: str, outcome: Outcome) -> None: ...

    def approval(self) -> Approval | None:
        """The answer to this run's request, if there is one and it is for the scope as it is now.

        Raises InputError when plan, specs, playbooks or hosts changed after it was given.
        """

    def decision(self, system_id: str, step: StepName, number: int) -> Decision | None: ...

    def aborted(self, system_id: str) -> bool:
        """A person asked for the way back; no further step of this system starts."""
