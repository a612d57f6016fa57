"""What stays open when a system changes hands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from govcloud.model.text import Text

RiskKind = Literal["finding", "waiver", "run_fault", "network", "expired", "ending", "proof", "refused", "missing"]
"""finding: a rule is violated; waiver: it is waived for a time; run_fault: a step of the migration did not succeed; network: a
dedicated network is still in use; expired, ending: something with a last day; proof: a proof came out against it or could not
look; refused: the receiver sent a paper back; missing: a required item is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRisk:
    kind: RiskKind
    subject: str
    """Id of the system, server, network, run or item of the checklist."""
    what: Text
    until: date | None = None
    """When it ends, or is due."""
