"""The ledger's nouns. The record format and the tree are described in docs/design.md §Ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Phase = Literal["event", "intent", "result"]
HashName = Literal["sha256", "sm3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HashProfile:
    """How a ledger hashes, from its first record to its last; the kind of its signatures follows from it (docs/design.md)."""

    name: HashName
    hash: Callable[[bytes], bytes]
    """To 32 bytes."""

    def leaf(self, data: bytes) -> bytes:
        """RFC 9162 §2.1.1."""
        return self.hash(b"\x00" + data)

    def root(self, nodes: Sequence[bytes]) -> bytes:
        """Head of the tree over leaf hashes or over full subtrees of one size, of which the last may be smaller.

        Pairs level by level; a last odd node moves up unchanged, as in the recursive form of RFC 9162 §2.1.1.
        """
        if not nodes:
            return self.hash(b"")
        level, hash_ = list(nodes), self.hash
        while len(level) > 1:
            paired = [hash_(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
            level = paired + level[len(paired) * 2 :]
        return level[0]


SHA256 = HashProfile(name="sha256", hash=lambda data: hashlib.sha256(data).digest())


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
    """Hex of the hash of 0x00 || canonical, RFC 9162 §2.1.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed tree head: C2SP signed-note text."""

    size: int
    root_hash: str
    note: str
