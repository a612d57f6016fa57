"""What people have fixed in the plan by hand: a system's window, or that it stays out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPin:
    pin_id: str
    system_id: str
    opens_on: date | None
    """Its group moves in the window that opens on this day; None: it is left out of the plan."""
    crew: str | None = None
    reason: str
    recorded_by: str
    recorded_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEdit:
    """One row of an edited plan that differs from the plan, or that the plan does not know."""

    system_id: str
    row: str
    """Where it stands in the file: sheet and row, or line."""
    opens_on: date | None
    """None: both its date and its wave were emptied, or a person says so; the system is to be left out."""
    crew: str | None = None
    """Only where it differs from the plan."""
