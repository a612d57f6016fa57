"""Who maintained a system, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenancePeriod:
    system_id: str
    system_name: str
    unit: str
    """Name of the maintaining unit."""
    since: datetime
    """By a takeover: of the second signature. Else when a witness first said so: it may have begun earlier."""
    until: datetime | None = None
    """When the next one began; None: still."""
    handover_id: str | None = None
    """The takeover by which the unit got it; None: only stated."""
    source: str = ""
    """The cell, file or person that said so."""
    actor: str = ""
    """Who brought it in: second signer, importer."""
    contract_ends_on: date | None = None
    """End of the maintenance contract, of the one who maintains it now."""
