"""An exemption from one finding: granted by somebody who may, for a reason, on paper, for a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

WaiverState = Literal["valid", "not_yet", "expired", "withdrawn"]
NOTICE_DAYS = 30
"""A waiver that ends within so many days is pointed out: a new one takes an office weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    waiver_id: str
    finding_id: str
    rule_id: str
    subject_id: str
    reason: str
    role: str
    """Role id of the party that granted it."""
    role_term: str
    """What the office's document calls that party."""
    approver: str
    """The person who signed."""
    document: str
    """Number or title of the paper, as written there."""
    approved_on: date
    valid_until: date
    """Its last day."""
    recorded_by: str
    recorded_at: datetime
    withdrawn_on: date | None = None
    withdrawn_by: str | None = None
    withdrawn_reason: str | None = None

    def state(self, on: date) -> WaiverState:
        """A waiver that was withdrawn on a day does not count on that day any more."""
        if self.withdrawn_on is not None and self.withdrawn_on <= on:
            return "withdrawn"
        if on < self.approved_on:
            return "not_yet"
        return "valid" if on <= self.valid_until else "expired"

    def valid(self, on: date) -> bool:
        return self.state(on) == "valid"

    def days_left(self, on: date) -> int:
        """0 on its last day; negative when that is past."""
        return (self.valid_until - on).days
