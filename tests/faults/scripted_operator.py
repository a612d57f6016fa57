"""A person at the desk: approves what waits, and decides by the dice: mostly to go on, sometimes to give up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from govcloud.errors import UsageError
from govcloud.execution.machine import open_question
from govcloud.execution.steps import load_steps
from govcloud.model.run import RunSystem
from govcloud.store import run as run_store
from govcloud.workflow import run_gates, run_orders
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.run_orders import Choice
from govcloud.workflow.session import Session


@dataclass
class Operator:
    session: Session
    run_id: str
    dice: random.Random
    choices: Sequence[Choice] = ("rerun", "rerun", "rerun", "abort")
    decided: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.journal = StoreJournal(self.session, "")

    def round(self) -> list[RunSystem]:
        with self.session.store.read() as tx:
            rows = run_store.run_systems(tx, self.run_id)
        waiting = Counter(r.wait.step for r in rows if r.wait is not None and r.wait.kind == "approval")
        for step in waiting:
            self._quietly(lambda step=step: run_gates.answer_gates(self.session, self.run_id, step=step))
        for row in rows:
            if row.state == "needs_person":
                self._quietly(lambda row=row: self._decide(row))
        return rows

    def _decide(self, row: RunSystem) -> None:
        seen = self.journal.seen(self.run_id, row.system_id)
        asked = open_question(seen, load_steps(), self.journal.rules)
        if asked is None or asked.about is None:
            return
        choice = self.dice.choice(self.choices) if asked.about.phase == "apply" else "rerun"
        run_orders.decide(
            self.session, self.run_id, row.system_id, asked.about.step, choice, phase=asked.about.phase, reason="值班"
        )  # type: ignore[call-overload, arg-type, unused-ignore]
        self.decided[f"{asked.about.step} {choice}"] += 1

    def _quietly(self, act: Callable[[], object]) -> None:
        """What was open when we looked may have been settled since."""
        try:
            act()
        except UsageError:
            return
