"""Attempts of several systems that are due at the same moment share one playbook run: fifty runs of one host cost many
times as much as one run of fifty. Each system keeps its own attempt, evidence and result."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future

from govcloud.errors import GovcloudError
from govcloud.execution.attempt import Claim, Guard
from govcloud.model.attempt import StepResult
from govcloud.model.step import Step, StepName

_Group = tuple[str, StepName, str]


class Batcher:
    """Joins claims of the same run, step and phase. Thread-safe."""

    def __init__(self, guard: Guard, steps: Mapping[StepName, Step], linger_s: float = 0.3) -> None:
        self._guard = guard
        self._steps = steps
        self._linger_s = linger_s
        self._mutex = threading.Lock()
        self._gathering: dict[_Group, _Batch] = {}

    def submit(self, claim: Claim) -> StepResult:
        """Carry it out together with others that come within `linger_s`; its result as soon as it is known.

        Raises whatever the guard raises for this claim, and what ended the whole batch (BaseException included).
        """
        group = (claim.key.run_id, claim.key.step, claim.key.phase)
        room = self._steps[claim.key.step].batch
        with self._mutex:
            batch = self._gathering.get(group)
            # The same attempt twice would wait for itself.
            if batch is None or len(batch.claims) >= room or claim.key in batch.claims:
                batch = _Batch(self._guard)
                self._gathering[group] = batch
                threading.Thread(target=self._run, args=(group, batch), name="batch", daemon=True).start()
            outcome = batch.add(claim)
            if len(batch.claims) >= room:
                batch.full.set()
        return outcome.result()

    def _run(self, group: _Group, batch: _Batch) -> None:
        batch.full.wait(self._linger_s)
        with self._mutex:
            if self._gathering.get(group) is batch:
                del self._gathering[group]
        batch.carry_out()


class _Batch:
    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.claims: dict[object, tuple[Claim, Future[StepResult]]] = {}
        self.full = threading.Event()

    def add(self, claim: Claim) -> Future[StepResult]:
        outcome: Future[StepResult] = Future()
        self.claims[claim.key] = (claim, outcome)
        return outcome

    def carry_out(self) -> None:
        try:
            for key, outcome in self._guard.carry_out([claim for claim, _ in self.claims.values()]):
                future = self.claims[key][1]
                if isinstance(outcome, GovcloudError):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        except BaseException as error:
            # Also what `pause` raises when this process shall leave: each waiting leg has to leave with it.
            for _, future in self.claims.values():
                if not future.done():
                    future.set_exception(error)
