"""A plan at a glance, to be laid beside others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from govcloud.model.plan import GoalValue, PlanStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHead:
    """One of the plans that are kept, without its contents."""

    plan_id: str
    created_at: datetime
    plan_hash: str
    what_if: bool
    """A trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    plan_id: str
    what_if: tuple[str, ...] = ()
    """Settings that were changed for a trial (KEY=VALUE)."""
    status: PlanStatus
    systems: int
    """Placed in a wave, or retiring by the plan."""
    unplaced: int
    waves: int
    last_cutover_on: date | None
    """The day on which the last window in use opens."""
    ends_on: date | None
    """The last day of any work."""
    goals: tuple[GoalValue, ...] = ()
    cut_ties: int = 0
    """Strong ties that were cut and need a temporary connection."""
    split_links: int = 0
    """Weak links whose target moves in a later window than its source."""
    peak_crews: int = 0
    """The most crews at work at once."""
    networks: tuple[tuple[str, date | None], ...] = ()
    """(network id, last day of its closing; None where it can't close by this plan), by id."""
    high_risk: int = 0
    medium_risk: int = 0
    low_risk: int = 0
    """Groups by their risk."""
