"""Zombie systems: the criteria of the 2017 plan (SX17-2.1b), the evidence for and against each, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from govcloud.model.text import Text

Criterion = Literal["detached", "replaceable", "resources_idle", "updates_stopped", "little_used"]
CRITERIA: tuple[Criterion, ...] = ("detached", "replaceable", "resources_idle", "updates_stopped", "little_used")
"""In the order of the clause: its (1) to (5)."""
Answer = Literal["met", "not_met", "undetermined"]
ZombieState = Literal["zombie", "not_zombie", "undetermined", "not_judged"]
Basis = Literal["declared", "measured"]
Combine = Literal["any", "all"] | int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZombieRules:
    """`zombies:` in the settings. The clause has no numbers: all of these are the office's, with our defaults."""

    combine: Combine = "any"
    """How many of the five criteria make a zombie."""
    silent_days: int = 90
    """Nobody called the system's services for so long: detached."""
    silent_samples: int = 30
    """Fewer samples of its connections than that say nothing."""
    idle_cpu_p95_pct: float = 20
    """Below this at 95 % of the time on every server: idle."""
    idle_memory_p95_pct: float | None = None
    """None: memory is not looked at."""
    idle_days: int = 30
    """Utilisation must cover so many days."""
    update_days: int = 730
    """No change of its functions for so long: updates have stopped."""
    maintenance_lapsed_days: int = 365
    """Maintenance ended so long ago: updates have stopped. Only where the last change is unknown."""
    few_users: int = 50
    few_monthly_users: int = 10
    few_visits_per_year: int = 100
    scope_and_frequency: Literal["all", "any"] = "all"
    """The clause joins small scope and low frequency (all); some clean-up forms tick them apart (any)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUse:
    """What samples of a server's connections say about who uses it."""

    server_id: str
    samples: int
    first_at: datetime | None
    last_at: datetime | None
    callers: int
    """Different addresses that were connected to a port which serves business or files."""
    last_called_at: datetime | None
    services: int | None
    """Listening sockets of that kind; None where no sockets are known."""
    place: str | None = None
    """Where the newest sample was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZombieEvidence:
    """One fact that speaks for or against a criterion, with who said it where and when."""

    subject_id: str
    """The system, or one of its servers."""
    field: str
    value: str | int | float | bool
    basis: Basis
    """`declared`: the department's own answer; `measured`: a figure or an event."""
    says: Answer
    """`undetermined`: shown, but it does not decide."""
    threshold: Text | None = None
    source: str | None = None
    locator: str | None = None
    observed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionVerdict:
    criterion: Criterion
    verdict: Answer
    disputed: bool = False
    """What was declared and what was measured contradict each other; the verdict is then undetermined."""
    evidence: tuple[ZombieEvidence, ...] = ()
    missing: tuple[str, ...] = ()
    """Fields that would decide it: of the system, or `server-id.field`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZombieVerdict:
    system_id: str
    name: str
    department: str | None
    office: str | None
    state: ZombieState
    criteria: tuple[CriterionVerdict, ...] = ()
    declared: ZombieEvidence | None = None
    """The department's own word for the whole system."""
    why_not_judged: Text | None = None
    next_step: Text | None = None

    @property
    def met(self) -> int:
        return sum(c.verdict == "met" for c in self.criteria)

    @property
    def disputed(self) -> bool:
        contradicts = self.declared is not None and (
            (self.declared.value is False and self.met > 0)
            or (self.declared.value is True and all(c.verdict == "not_met" for c in self.criteria))
        )
        return contradicts or any(c.disputed for c in self.criteria)
