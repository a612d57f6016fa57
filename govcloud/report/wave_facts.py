"""Everything that the papers of a wave tell, as it was at one moment: what is planned, and what has been done of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from govcloud.model.gate import Answer
from govcloud.model.inventory import System
from govcloud.model.migration import MigrationSpec
from govcloud.model.plan import MigrationPlan, Move, Wave
from govcloud.model.plan_problem import MoveTask
from govcloud.model.step import Step, StepName
from govcloud.model.text import Term, Text
from govcloud.report.run_overview import RunOverview, SystemStatus

_SPACE = "\u3000" * 3
BLANK = Term(_SPACE, _SPACE, "")
"""Room to write by hand in a table: `None` would print as not known. Scripts get an empty text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """A step of one system as it is planned."""

    step: Step
    sure: bool = True
    """False: only the migration file, which is not there yet, will say whether the system needs it."""
    minutes: int | None = None
    starts_at: datetime | None = None
    """In the window; None for steps before and after it."""
    ends_at: datetime | None = None
    days: tuple[date, date] | None = None
    """First and last day of the planned work that the step belongs to, outside of the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveSystem:
    move: Move
    task: MoveTask
    system: System | None
    spec: MigrationSpec | None
    """As registered with the run, else the migration file; None where there is none that can be read."""
    steps: tuple[StepLine, ...]
    way_back: tuple[StepLine, ...]
    """In the order in which they are undone; `minutes` is that of the undo."""
    data_gib: float = 0.0
    """That the minutes are reckoned with: as measured by the run's check, before that as the plan assumed."""
    after: tuple[str, ...] = ()
    """Systems that must serve from the target first."""
    dependents: tuple[str, ...] = ()
    """Systems outside of the wave that need this one."""

    @property
    def system_id(self) -> str:
        return self.move.system_id

    @property
    def forward_min(self) -> int:
        """Freeze to the proof of service."""
        return sum(line.minutes or 0 for line in self.steps if line.starts_at is not None)

    @property
    def undo_min(self) -> int:
        """Until the source serves again; giving the target up may come later."""
        return sum(line.minutes or 0 for line in self.way_back if line.step.name != "prepare")

    @property
    def switched_at(self) -> datetime | None:
        """From here on the target takes what users write, and no way back carries it along by itself."""
        return next((line.starts_at for line in self.steps if line.step.point_of_no_return), None)

    @property
    def over_min(self) -> int:
        """By how much the steps take longer than the plan has for them; 0 where they fit."""
        return max(0, self.forward_min - self.task.cutover_min)

    @property
    def back_by(self) -> datetime:
        """The latest moment to turn back that keeps within the planned reserve."""
        return self.move.ends_at - timedelta(minutes=self.undo_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """An answer at a gate, given for one or more systems, and whether it counts."""

    answer: Answer
    step: StepName
    systems: tuple[str, ...]
    void: Text | None = None
    """Why it does not count; None: it does, or did when its gate was passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveFacts:
    plan: MigrationPlan
    wave: Wave
    zone: ZoneInfo
    systems: tuple[WaveSystem, ...]
    """In the order in which a run takes them."""
    steps: Mapping[StepName, Step]
    limits: Mapping[str, int]
    """Numbers of the settings' section execution, as the run was registered with, or as they are."""
    approval: bool
    """The freeze needs an approval."""
    deciders: tuple[str, ...] = ()
    """Who may approve by name, where the workspace knows; empty: nobody is listed."""
    runs: tuple[RunOverview, ...] = ()
    """The newest planned run of each system in this window, the oldest first."""
    words: tuple[Word, ...] = ()
    """What was said at the gates of those runs, in order of time."""

    @property
    def number(self) -> int:
        return self.wave.number

    def run_of(self, system_id: str) -> RunOverview | None:
        return next((run for run in reversed(self.runs) if system_id in run.run.systems), None)

    def status_of(self, system_id: str) -> SystemStatus | None:
        """In its newest run; None where it was never registered."""
        run = self.run_of(system_id)
        return next((s for s in run.systems if s.row.system_id == system_id), None) if run else None

    @property
    def without_spec(self) -> tuple[str, ...]:
        return tuple(s.system_id for s in self.systems if s.spec is None)
