"""The ledger of dedicated networks (业务专网) as a report shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from govcloud.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RemainingNetwork:
    """A dedicated network that still runs, with what stands in the way of closing it."""

    network_id: str
    name: str
    department: str | None
    carrier: str | None
    bandwidth_mbps: float | None
    yearly_cost_yuan: float | None
    contract_ends_on: date | None
    legal_basis: str | None
    consent: str | None
    systems: tuple[str, ...]
    """`id name` of the systems on it, by declaration or by the address of a server."""
    servers: tuple[str, ...]
    """Names of servers on it that belong to no known system."""
    blockers: tuple[Text, ...]
    target: str | None
    target_on: date | None
    clauses: tuple[str, ...] = ()
