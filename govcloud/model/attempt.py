"""Attempts of steps: claimed before anything happens, finished exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text

AttemptState = Literal["claimed", "intended", "ended"]
"""claimed: nothing has happened yet; intended: from now on only evidence or a probe can tell; ended: the result is known."""
ResultStatus = Literal["ok", "failed", "unknown", "stopped"]
"""stopped: ended on request, and seen to have ended."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class AttemptKey:
    run_id: str
    system_id: str
    step: StepName
    phase: Phase
    number: int
    """From 1, per step and phase."""

    @property
    def text(self) -> str:
        return f"{self.run_id}/{self.system_id}/{self.step}/{self.phase}/{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    status: ResultStatus
    reasons: tuple[Text, ...] = ()
    """Why it is not ok; empty when it is."""
    unreachable: bool = False
    """A host did not answer: not a verdict on the step's effect."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expected: int = 0
    """Tasks that had to succeed."""
    proven: int = 0
    """Those that Ansible reported as done."""
    evidence_sha256: str | None = None
    """Digest over the list of the attempt's evidence files and their digests."""
    facts: Mapping[str, int | str] = field(default_factory=dict)
    """What was counted and hashed: files, bytes, rows, digests, `level` (L0 to L4)."""

    @property
    def seconds(self) -> int | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    key: AttemptKey
    token: int
    """Grows with every claim of the system, in any run: what a holder of an older one writes is refused (fencing)."""
    executor: str
    """The worker that claimed it."""
    machine_id: str
    """Random id of the machine whose evidence folder holds the attempt's files."""
    state: AttemptState
    claimed_at: datetime
    heartbeat_at: datetime
    result: StepResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A process that carries out steps."""

    worker_id: str
    """Stable and unique; the process holds an exclusive lock on it."""
    machine_id: str
    host: str
    """The machine's name, for people."""
    pid: int
    zones: tuple[str, ...]
    """Zones of hosts.yaml that it reaches; empty: all."""
    seen_at: datetime
