"""Maintenance takeover by the construction unit: what is handed over, how access changes hands, who signs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from govcloud.model.text import Text

EvidenceKind = Literal["file", "note", "rotation"]
Role = Literal["owner", "builder"]
HandoverStatus = Literal["preparing", "documents", "credentials", "dual_run", "ready", "signed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    item_id: str
    title: Text
    required: bool
    evidence: EvidenceKind
    """`file`: a document must be attached; `note`: a sentence is enough; `rotation`: proved by the rotation itself."""
    clauses: tuple[str, ...] = ()
    """Clauses that name the item or its duty; empty for good practice that no clause demands."""


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
    """What was signed: digest over the evidence in force and the rotations. Void when they change afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    handover_id: str
    system_id: str
    builder: str
    """Name of the construction unit."""
    builder_key: str
    """One public key line, `ssh-ed25519 AAAA… comment`. The private key is never asked for."""
    hosts: tuple[str, ...]
    """Names in hosts.yaml whose access changes hands."""
    started_by: str
    started_at: datetime
    dual_run_until: date | None = None
    """Agreed by the parties; no regulation sets it."""
    evidence: tuple[Evidence, ...] = ()
    rotations: tuple[Rotation, ...] = ()
    checks: tuple[LoginAttempt, ...] = ()
    """Logins with the builder's key after the rotation."""
    refusals: tuple[Refusal, ...] = ()
    sign_offs: tuple[SignOff, ...] = ()
