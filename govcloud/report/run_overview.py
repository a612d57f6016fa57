"""Everything that the views of a run show, as it was at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo

from govcloud.model.attempt import Attempt
from govcloud.model.gate import Answer, Gate, Order
from govcloud.model.run import Run, RunSystem, SystemState
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Term, Text

PHASE: Mapping[Phase, Term] = {
    "apply": Term("执行", "apply", "apply"),
    "verify": Term("核对", "check", "verify"),
    "rollback": Term("撤销", "undo", "rollback"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    row: RunSystem
    attempts: tuple[Attempt, ...]
    downtime_from: datetime | None = None
    downtime_to: datetime | None = None
    needed_min: int | None = None
    """Freeze to verification and the way back, for its data."""
    unworked: bool = False
    """A step is due and no living worker serves its zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOverview:
    """Everything that the views of a run need, as it was at one moment."""

    run: Run
    now: datetime
    systems: tuple[SystemStatus, ...]
    gates: tuple[Gate, ...]
    answers: Mapping[str, Sequence[Answer]]
    orders: tuple[Order, ...]
    titles: Mapping[StepName, Text]
    due_reviews: tuple[Answer, ...] = ()
    """Emergency answers by which a gate was passed and that nobody has reviewed."""
    zone: tzinfo = UTC
    """The office's: its people read their own clock."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """System id -> id and name, of those that the inventory knows."""
    self_declared: bool = False
    """No people are listed in the settings: names are what users say they are."""

    @property
    def states(self) -> dict[str, SystemState]:
        return {s.row.system_id: s.row.state for s in self.systems}

    def only(self, system_id: str) -> RunOverview:
        """The same of one system."""
        gates = tuple(g for g in self.gates if g.system_id == system_id)
        ids = {g.gate_id for g in gates}
        return replace(
            self, systems=tuple(s for s in self.systems if s.row.system_id == system_id), gates=gates,
            orders=tuple(o for o in self.orders if o.system_id == system_id),
            due_reviews=tuple(a for a in self.due_reviews if a.gate_id in ids),
        )  # fmt: skip
