"""What execution needs written down. workflow/run_journal.py does it with the store, each time with a ledger record.

Every method is one transaction and may be repeated: the second time changes nothing. All raise OutsideError where the
database does not answer in a bounded time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from govcloud.execution.rules import AccountHolder
from govcloud.model.attempt import Attempt, AttemptKey, StepResult, Worker
from govcloud.model.gate import Answer, Gate, Order
from govcloud.model.resource import Resource
from govcloud.model.run import Run, RunSystem, SystemState, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that decides what comes next for one system, read in one transaction."""

    run: Run
    system: RunSystem
    attempts: tuple[Attempt, ...]
    """Of this system in this run, in the order in which they were claimed."""
    gates: tuple[Gate, ...]
    answers: Mapping[str, Sequence[Answer]]
    """Gate -> answers."""
    orders: tuple[Order, ...]
    others: Mapping[str, SystemState]
    """States of those of the run that come first (`system.after`) and of all that failed or were rolled back. The whole wave
    read at every question would make a wave's cost quadratic."""
    changed: tuple[str, ...]
    """Parts of the scope that are no longer what they were when the run was registered: plan, playbooks, hosts, spec."""
    resources: tuple[Resource, ...]
    now: datetime
    holders: tuple[AccountHolder, ...] | None = None
    """Of the enabled accounts: who has lost his account or role since has lost his word. None: no accounts are kept."""


class Journal(Protocol):
    def seen(self, run_id: str, system_id: str) -> Seen: ...

    def claim(self, key: AttemptKey, gate_id: str | None) -> Attempt:
        """The attempt, recorded with its intent and a new token before anything happens; as it is when it was claimed before.

        In the same transaction the gate is used. Raises UsageError when the gate was used by another attempt, or another
        attempt of the system is live.
        """

    def intend(self, attempt: Attempt) -> bool:
        """From now on something may have happened. False: fenced off by a later claim; nothing may be started."""

    def beat(self, attempts: Sequence[Attempt]) -> None: ...

    def finish(self, attempt: Attempt, result: StepResult, log: bytes = b"") -> bool:
        """False: fenced off, or it has a result already; nothing was written. `log`: gzip, secrets masked."""

    def enter(self, system: RunSystem, state: SystemState, *, wait: Wait | None = None) -> bool:
        """Store the row with a new state. False: its leg is no longer the current one."""

    def open_gate(self, gate: Gate) -> None: ...

    def keep_resource(self, resource: Resource) -> None: ...

    def begin_leg(self, system: RunSystem) -> int | None:
        """Count up the system's leg. None: another worker was faster."""

    def see_worker(self, worker: Worker) -> None: ...

    def workers(self) -> Sequence[Worker]: ...

    def open_systems(self) -> Sequence[RunSystem]:
        """Systems of all runs that are waiting, running or rolling back."""
