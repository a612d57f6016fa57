"""A migration that is carried out: what is to be moved where, the steps, their attempts and what came out of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from govcloud.model.text import Text

StepName = Literal[
    "precheck", "replicate", "freeze", "final_sync", "verify_data", "cutover", "verify_service", "rollback"
]
STEPS: tuple[StepName, ...] = (
    "precheck", "replicate", "freeze", "final_sync", "verify_data", "cutover", "verify_service"
)  # fmt: skip
"""The way there, in order. `rollback` is the way back and may follow any step from `freeze` on."""
BEFORE_FREEZE: frozenset[StepName] = frozenset({"precheck", "replicate"})
"""Steps that leave the source serving: their failure needs no way back."""

ResultStatus = Literal["ok", "failed", "unknown", "skipped"]
RunStatus = Literal["prechecking", "waiting_approval", "running", "needs_person", "done", "failed", "rolled_back"]
UNFINISHED: frozenset[RunStatus] = frozenset({"prechecking", "waiting_approval", "running", "needs_person"})
Choice = Literal["rerun", "mark-done", "abort"]
Outcome = Literal["done", "failed", "rolled_back", "needs_person"]
"""What became of one system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """Exactly one of the two: a script called with `start`, `stop` or `status`, or a systemd unit."""

    script: str | None = None
    systemd: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSpec:
    """A PostgreSQL database as its own host reaches it. The password stays in a file on that host."""

    host: str
    port: int = 5432
    name: str
    user: str
    bin: str
    """Directory of psql, pg_dump and pg_restore."""
    password_file: str
    data_dir: str | None = None
    """Target only: make a cluster here and start it; without it the server is there already."""
    run_as_uid: int | None = None
    """Uid for that cluster when the SSH user is uid 0, which PostgreSQL refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSpec:
    host: str
    """A name in hosts.yaml."""
    service: ServiceSpec
    database: DatabaseSpec | None = None
    state_dir: str = "/var/lib/govcloud"
    """Target only: where the marker lies that says whose copy this is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePair:
    """Two directories whose content must be equal."""

    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySpec:
    """The department's entrance: a JSON file `{name: url}` that its reverse proxy follows."""

    host: str
    file: str
    name: str
    source: str
    target: str
    url: str
    """The system's address through the entrance, as the controller calls it."""
    served_by_header: str | None = "X-Served-By"
    """Response header with the name of the serving host; null where the system sends none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    path: str
    status: int = 200
    contains: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationSpec:
    """`migration/<system_id>.yaml`."""

    system_id: str
    source: EndSpec
    target: EndSpec
    files: tuple[FilePair, ...] = ()
    entry: EntrySpec
    verify: tuple[HttpCheck, ...]
    on_failure: Literal["rollback", "hold"] = "rollback"
    """What a failure from `freeze` on leads to: the way back at once, or a person's decision."""
    deadline_min: int = 240
    """No step may take longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`playbooks/<name>/meta.yml`."""

    name: StepName
    title: Text
    inputs: tuple[str, ...]
    """Names of the variables that the playbooks read."""
    reversible: bool
    repeatable: bool
    """May be started again without asking when an earlier attempt's outcome is unknown."""
    minutes: int
    """Typical duration, for plans and progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    status: ResultStatus
    reasons: tuple[Text, ...] = ()
    """Why it is not ok; empty when it is."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expected: int = 0
    """Hosts x tasks that had to succeed."""
    proven: int = 0
    """Those that Ansible reported as done."""
    evidence_sha256: str | None = None
    """Digest over the list of the attempt's evidence files and their digests."""
    facts: Mapping[str, int | str] = field(default_factory=dict)
    """What was counted and hashed: files, bytes, rows, digests."""

    @property
    def seconds(self) -> int | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of one step of one system. It is claimed before anything happens and finished exactly once."""

    run_id: str
    system_id: str
    step: StepName
    number: int
    """From 1."""
    executor: str
    """`<run>@<machine>`: only that machine holds the attempt's files."""
    claimed_at: datetime
    result: StepResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    run_id: str
    actor: str
    scope_hash: str
    """What was approved: Run.scope_hash at that time."""
    at: datetime
    approved: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's word on a step whose outcome is unknown or that failed and is held; step None: the whole system."""

    system_id: str
    step: StepName | None
    attempt: int
    choice: Choice
    actor: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    run_id: str
    status: RunStatus
    systems: tuple[str, ...]
    """In the order in which they are migrated."""
    specs: Mapping[str, MigrationSpec]
    """As they were when the run was registered; the way back uses these whatever happens to the files."""
    scope: Mapping[str, str]
    """What the approval covers, part -> SHA-256: `plan`, `playbooks`, `hosts`, `spec:<system_id>`."""
    scope_hash: str
    plan_id: str | None = None
    wave: int | None = None
    created_at: datetime
    created_by: str
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
