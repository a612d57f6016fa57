"""An exemption from one finding: granted by somebody who may, for a reason, on paper, for a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    waiver_id: str
    finding_id: str
    rule_id: str
    subject_id: str
    reason: str
    role: str
    """Role id of the party that granted it."""
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

    def valid(self, on: date) -> bool:
        withdrawn = self.withdrawn_on is not None and self.withdrawn_on <= on
        return self.approved_on <= on <= self.valid_until and not withdrawn
