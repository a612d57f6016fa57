"""The ledger's nouns. The record format and the tree are described in docs/design.md §Ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Phase = Literal["event", "intent", "result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What a caller wants recorded. `body` holds JSON values only and no floats (RFC 8785 numbers differ by language)."""

    kind: str
    """`import`, `discover`, `check`, `waiver`, `plan`, `approval`, `step`, `signoff` …"""
    actor: str
    at: datetime
    phase: Phase = "event"
    subject_id: str | None = None
    project_id: str | None = None
    plan_hash: str | None = None
    run_id: str | None = None
    step: str | None = None
    attempt: int | None = None
    unit: str | None = None
    """Of the actor, with `role` and `identity`; None: as the session knows him (model.account.Acting)."""
    role: str | None = None
    identity: str | None = None
    concerns: tuple[str, ...] = ()
    """Ids besides `subject_id` whose timeline it belongs to: systems, projects, runs, plans."""
    evidence: tuple[str, ...] = ()
    """SHA-256 hex digests of the files that prove it."""
    body: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRecord:
    seq: int
    """From 0 without gaps; it is the leaf index of the Merkle tree."""
    canonical: str
    """The record as RFC 8785 canonical JSON: the bytes that are hashed."""
    leaf_hash: str
    """Hex of SHA-256(0x00 || canonical), RFC 9162 §2.1.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed tree head: C2SP signed-note text."""

    size: int
    root_hash: str
    note: str
