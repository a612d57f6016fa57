"""Maintenance takeover by the construction unit: what is handed over, how access changes hands, who signs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from govcloud.model.text import Text

Source = Literal["file", "note", "data", "proof"]
Role = Literal["owner", "builder", "supervisor", "authority"]
PARTIES: tuple[Role, ...] = ("owner", "builder")
"""Both must sign; the others may."""
TakeoverState = Literal[
    "to_assess", "planned", "papers", "knowledge_transfer", "dual_run", "confirmed", "operating", "deferred", "not_applicable",
]  # fmt: skip
"""`confirmed` is the stage 接管确认: all is there and accepted, the parties sign; `operating`: both have signed."""
STATE_NAMES: Mapping[TakeoverState, Text] = {
    "to_assess": Text("待评估", "to assess"),
    "planned": Text("计划中", "planned"),
    "papers": Text("资料移交", "papers"),
    "knowledge_transfer": Text("知识转移", "knowledge transfer"),
    "dual_run": Text("双轨运行", "dual run"),
    "confirmed": Text("接管确认", "confirmation"),
    "operating": Text("运行", "operating"),
    "deferred": Text("暂缓", "deferred"),
    "not_applicable": Text("不适用", "not applicable"),
}
Level = Literal["register", "technical", "full"]
LEVEL_NAMES: Mapping[Level, Text] = {
    "register": Text("登记托管", "register only"),
    "technical": Text("技术运维移交", "technical operation"),
    "full": Text("全面移交", "full"),
}
Origin = Literal["migrated", "legacy"]
"""Whether a run of ours put the system on the cloud, or it stays in maintenance where it always was."""
ORIGIN_NAMES: Mapping[Origin, Text] = {
    "migrated": Text("已迁移上云", "migrated to the cloud"),
    "legacy": Text("未迁移，原地运维", "not migrated, maintained where it is"),
}
ProofKind = Literal["keys", "passwords", "vendor_access", "bastion", "monitoring", "restore", "clock_dns", "patches"]
DataKind = Literal[
    "servers", "ports", "licences", "names", "interfaces", "login_accounts", "contracts", "monitoring_targets", "backup_jobs",
    "capacity", "findings", "waivers", "run_faults", "dedicated_networks",
]  # fmt: skip
ItemState = Literal["open", "refused", "given", "accepted", "not_applicable", "proved", "failed", "unclear"]
"""open: nothing is there; refused: the receiver sent it back; given: waits for the receiver; failed: a proof came out against
it; unclear: a proof was tried and could not look."""
ITEM_STATE_NAMES: Mapping[ItemState, Text] = {
    "open": Text("未提交", "open"),
    "refused": Text("已退回", "sent back"),
    "given": Text("待接收", "to be accepted"),
    "accepted": Text("已接收", "accepted"),
    "not_applicable": Text("不适用", "not applicable"),
    "proved": Text("已证明", "proved"),
    "failed": Text("实测不符", "disproved"),
    "unclear": Text("未能核实", "could not look"),
}
DONE: frozenset[ItemState] = frozenset({"accepted", "not_applicable", "proved"})
Stage = Literal["papers", "knowledge_transfer", "dual_run"]
Act = Literal["plan", "start", "defer", "exclude", "resume"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    item_id: str
    title: Text
    source: Source
    """`file`: a document must be attached; `note`: a sentence is enough; `data`: filled from the store, a paper may add to it;
    `proof`: playbooks and real attempts show it."""
    levels: tuple[Level, ...] = ()
    """Takeovers of these levels are not signed without it."""
    clauses: tuple[str, ...] = ()
    """Clauses that name the item or its duty; empty for good practice that no clause demands."""
    binding: tuple[str, ...] = ()
    """Clauses that demand it of every takeover, whatever its level: it can't be called not applicable."""
    proof: ProofKind | None = None
    """Such an item is done by the newest proof of that kind being ok on every host, or by a reason why it does not apply that
    the receiver accepts."""
    data: DataKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistGroup:
    group_id: str
    title: Text
    items: tuple[ChecklistItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    version: int
    groups: tuple[ChecklistGroup, ...]

    def item(self, item_id: str) -> ChecklistItem | None:
        return next((i for g in self.groups for i in g.items if i.item_id == item_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was handed over for one item. A later one for the same item stands in its place; both are kept."""

    item_id: str
    actor: str
    at: datetime
    file_name: str | None = None
    """As the giver named it; the copy is stored under its digest."""
    sha256: str | None = None
    size_bytes: int | None = None
    note: str | None = None
    not_applicable: bool = False
    """The item does not exist for this system; `note` is the reason, and the signers see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """A new SSH login that was really tried."""

    host: str
    fingerprint: str
    """Of the key that was offered: `SHA256:…`."""
    accepted: bool | None
    """None: the server gave no answer about the key (unreachable, host key changed)."""
    answer: str
    """The server's answer as the SSH library worded it."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRotation:
    host: str
    ok: bool
    """The old key was refused, and nothing contradicts that the builder's key alone is left."""
    detail: Text
    removed: tuple[str, ...] = ()
    """Fingerprints of the public keys that no longer open the account."""
    backup_sha256: str | None = None
    """Evidence file with the public keys as they were before."""
    restored: bool = False
    """The old keys were put back because a proof failed."""
    old_login: LoginAttempt | None = None
    new_login: LoginAttempt | None = None
    """None when the builder gave no identity for the check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    actor: str
    at: datetime
    hosts: tuple[HostRotation, ...]

    @property
    def ok(self) -> bool:
        return bool(self.hosts) and all(host.ok for host in self.hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a playbook or a real attempt from the controller showed. The newest of a kind counts; all are kept."""

    kind: ProofKind
    hosts: tuple[str, ...]
    ok: bool | None
    """None: could not look, `detail` says why; an item is not done by that."""
    detail: Text
    facts: Mapping[str, str] = field(default_factory=dict)
    """What was found, for people and reports; never a secret."""
    evidence: tuple[str, ...] = ()
    """SHA-256 hex digests of files in the takeover's evidence folder."""
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The receiver took one item. It counts for exactly what he saw: a newer paper needs a new acceptance."""

    item_id: str
    actor: str
    at: datetime
    sha256: str
    """Of the paper's Evidence (handover.checklist.build_evidence_sha256); of a data item, of the snapshot file."""
    snapshot: bool = False
    """The digest names a file in the takeover's evidence folder: the data as the receiver saw them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided about the takeover as a whole."""

    act: Act
    actor: str
    at: datetime
    reason: str | None = None
    """Why it is deferred or does not apply."""
    until: date | None = None
    """Planned day of a `plan`; of a `defer`, when it is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The receiver refused papers as incomplete; evidence given before it no longer counts for these items."""

    actor: str
    at: datetime
    items: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    role: Role
    actor: str
    at: datetime
    package_sha256: str
    """What was signed: digest over the evidence in force, acceptances, rotations and proofs. Void when they change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    handover_id: str
    system_id: str
    builder: str
    """Name of the construction unit."""
    builder_key: str = ""
    """One public key line, `ssh-ed25519 AAAA… comment`. The private key is never asked for. Empty until the work starts
    where access changes hands."""
    hosts: tuple[str, ...] = ()
    """Names in hosts.yaml whose access changes hands."""
    started_by: str
    started_at: datetime
    """Of the work; of a takeover that is only planned, deferred or excluded, when it was entered."""
    version: int = 1
    """Of the rules by which it goes: 1 is a takeover of before levels, acceptances and proofs."""
    level: Level = "full"
    origin: Origin = "legacy"
    decisions: tuple[Decision, ...] = ()
    dual_run_until: date | None = None
    """Agreed by the parties; no regulation sets it."""
    evidence: tuple[Evidence, ...] = ()
    rotations: tuple[Rotation, ...] = ()
    checks: tuple[LoginAttempt, ...] = ()
    """Logins with the builder's key after the rotation."""
    proofs: tuple[Proof, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    sign_offs: tuple[SignOff, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one item of the checklist stands in one takeover."""

    state: ItemState
    required: bool
    """The takeover can't be signed without it."""
    stage: Stage
    """State of the takeover in which it is asked for."""
    paper: Evidence | None = None
    """In force."""
    acceptance: Acceptance | None = None
    """In force."""
    refusal: Refusal | None = None
    """The last one, where it was sent back and nothing newer came."""

    @property
    def done(self) -> bool:
        return self.state in DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One thing that keeps a takeover from going on."""

    what: Text
    who: tuple[Role, ...]
    """Parties of which one has to do it."""
    command: str
    """That ends it; empty where only time does."""
    item_id: str | None = None
    why: Text | None = None
    """Reason of a refusal, answer of a proof, day that is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFact:
    """One line of a data item: what the store knows."""

    subject: str
    """Id of the server, network, project … that it is about."""
    what: Text
    value: Text | str | None
    """None: unknown, and shown so."""
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataItem:
    item_id: str
    facts: tuple[DataFact, ...]
    sha256: str
    """Of the snapshot that an acceptance now would freeze."""
    accepted_sha256: str | None = None
    """Of the snapshot that was accepted."""

    @property
    def changed(self) -> bool:
        """The store says something else now than when it was accepted."""
        return self.accepted_sha256 is not None and self.accepted_sha256 != self.sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTakeover:
    """A system of the estate and its newest takeover."""

    system_id: str
    name: str | None
    department: str | None
    state: TakeoverState
    handover: Handover | None
    until: date | None
    """Day by which it is planned to be taken over."""
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    department: str | None
    """None: systems that no department claims; empty: all systems."""
    states: Mapping[TakeoverState, int]
    systems: int
    overdue: int
    done_pct: int | None
    """Operating, of all systems but those that are not applicable; None where there are none."""
