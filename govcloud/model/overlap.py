"""Systems of departments and offices, and systems that may do the same: candidates for a person, never verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OverlapKind = Literal["same_function", "public_service"]
Support = Literal["server", "database", "supplier", "users"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Systems that may be one, or that the catalog offers in common."""

    kind: OverlapKind
    system_ids: tuple[str, ...]
    departments: tuple[str, ...]
    score: int
    """0 to 100: 100 where the names say the same; of a group, its weakest pair."""
    words: tuple[str, ...]
    """The parts of the texts that matched: the reason for the score."""
    supports: tuple[tuple[Support, str], ...] = ()
    """What else they have in common: the server, the database that both use, the supplier, the users."""
    offering: str | None = None
    """Code of the common service that the catalog offers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentRow:
    """What a department, or one of its offices (处室), has."""

    department: str | None
    office: str | None
    """None in the row of the whole department, empty for systems that name no office."""
    systems: int
    states: dict[str, int]
    hosting: dict[str, int]
    mlps: dict[str, int]
    """Value -> number of systems; `unknown` where it is not known."""
    servers: int
    networks: int
    dedicated_networks: int
    zombies: int
    zombies_open: int
    """Systems of which too little is known for a verdict."""
    undeclared: int
    """Servers that nobody declared; in offices' rows those of their systems."""
    conflicts: int
    confidence_pct: float | None = None
    """Mean of the data confidence of its systems."""
