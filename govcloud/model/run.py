"""A run: systems that are carried onto the government cloud, where each of them is, and why it waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from govcloud.model.migration import MigrationSpec
from govcloud.model.step import StepName
from govcloud.model.text import Text

SystemState = Literal[
    "waiting", "running", "held", "needs_person", "rolling_back", "trial", "accepted", "switched_off", "rolled_back",
    "failed", "cancelled",
]  # fmt: skip
"""waiting: for what `wait` says; running: a step is under way; held: on a person's order; needs_person: a decision is due;
rolling_back: the source is being made to serve again; trial: the target serves, the source is kept; accepted: the trial run
has been passed; switched_off: the source is off; rolled_back: the source serves again; failed: nothing of the source was
touched; cancelled: given up before the source was touched."""
ENDED: frozenset[SystemState] = frozenset({"switched_off", "rolled_back", "failed", "cancelled"})
"""Nothing more can happen in this run."""
MOVED: frozenset[SystemState] = frozenset({"trial", "accepted", "switched_off"})
"""The target serves."""
SETTLED: frozenset[SystemState] = ENDED | MOVED
"""Nothing more happens without an order: the system is free for the next run once it is in ENDED or MOVED."""

WaitKind = Literal[
    "approval", "window", "quota", "slot", "zone", "predecessor", "wave_stop", "order", "outcome", "retention",
    "host_key", "ticket", "unreachable",
]  # fmt: skip
"""approval: a gate is open; window: it opens later; quota, slot: something is full; zone: no worker serves it; predecessor:
another system comes first; wave_stop: too many others failed; order: an explicit order is due; outcome: nobody knows what an
attempt did; retention: the source is kept for so long; host_key: the key of a new machine needs approval; ticket: the cloud
desk makes the machine; unreachable: hosts don't answer, it is tried again."""

RunStatus = Literal["running", "waiting", "needs_person", "done", "failed", "rolled_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    kind: WaitKind
    text: Text
    """The reason in full: for whom, for what, until when, and the command that ends it."""
    since: datetime
    until: datetime | None = None
    """Known beforehand only for windows and retention."""
    step: StepName | None = None
    gate_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSystem:
    """One system in a run. Written by whoever holds its current leg; people's words are orders and answers."""

    run_id: str
    system_id: str
    position: int
    """Order of the wave, from 1."""
    after: tuple[str, ...] = ()
    """Systems of this run that must serve from the target before this one is frozen."""
    zone: str | None = None
    """Which workers reach its hosts; None: any."""
    spec: MigrationSpec
    """As it was when the run was registered; the way back uses this whatever happens to the file."""
    scope_hash: str
    """Over plan, this migration file, its hosts and the playbooks."""
    data_bytes: int = 0
    """Measured by the precheck, 0 before: for the time that is left in a window."""
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    """The planned change window with the rollback reserve; None without a plan."""
    state: SystemState = "waiting"
    step: StepName | None = None
    """The one under way, or the next one."""
    leg: int = 0
    """Counts the stretches from one wait to the next; each is one workflow of the engine."""
    since: datetime
    """When state, step or wait last changed."""
    wait: Wait | None = None
    downtime_from: datetime | None = None
    downtime_to: datetime | None = None
    """Freeze of the source and the first proof of service from the target (or from the source again)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    run_id: str
    plan_id: str | None = None
    wave: int | None = None
    scope: Mapping[str, str]
    """Part -> SHA-256: `plan`, `playbooks`, and each system's `spec:<system_id>` and `hosts:<system_id>`."""
    scope_hash: str
    created_at: datetime
    created_by: str
    systems: tuple[str, ...]
    """In the order of the wave."""
    max_failed_pct: int = 0
    """More failed systems than this share of the wave: no further system is frozen until a person says so."""
    settings: Mapping[str, int | str] = field(default_factory=dict)
    """execution.rules as they were at the start."""


def run_status(states: Mapping[str, SystemState]) -> RunStatus:
    """The run as a whole: what needs a person first, then what is under way, then what came out."""
    found = set(states.values())
    if "needs_person" in found:
        return "needs_person"
    if found & {"running", "rolling_back"}:
        return "running"
    if found & {"waiting", "held"}:
        return "waiting"
    if "rolled_back" in found:
        return "rolled_back"
    return "failed" if found & {"failed", "cancelled"} else "done"
