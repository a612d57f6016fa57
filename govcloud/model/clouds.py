"""What a cloud or an existing Ansible inventory said: results, good and bad, that a person looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from govcloud.model.collect import Change
from govcloud.model.observation import Statement
from govcloud.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudGap:
    """A kind of resource that the cloud did not tell."""

    kind: str
    """`volumes`, `floating_ips` …: the key of `CloudReading.counts` that is missing."""
    reason: Text
    absent: bool = False
    """The cloud does not have the service: nothing was held back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudReading:
    source: str
    """`openstack` or `ec2`."""
    cloud: str
    """The cloud's name in the inventory: servers, networks and tenants carry it."""
    scope: str
    """Project, account or region that was read: `*` for all projects. The next complete reading replaces this one."""
    statements: tuple[Statement, ...] = ()
    gaps: tuple[CloudGap, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Kind of resource -> how many were read."""
    notes: tuple[Text, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.source}://{self.cloud}/{self.scope}/"

    @property
    def complete(self) -> bool:
        """Everything that the cloud has was read."""
        return all(gap.absent for gap in self.gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsibleHost:
    """A host as an Ansible inventory names it. Port and user are shown, and never become facts of the server."""

    name: str
    address: str | None = None
    """`ansible_host`, or the name where that is an address itself."""
    port: int | None = None
    user: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEntry:
    """A line or value that was not taken, and why."""

    where: str
    """File and line, or file and host."""
    read: str
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsibleReading:
    file: str
    """The inventory as it was named: a file or a folder."""
    statements: tuple[Statement, ...] = ()
    hosts: tuple[AnsibleHost, ...] = ()
    refused: tuple[RefusedEntry, ...] = ()
    skipped: tuple[str, ...] = ()
    """The controller itself (`localhost`, `ansible_connection: local`): no server of the inventory."""
    ignored_variables: tuple[str, ...] = ()
    """Names of the `ansible_*` variables that were met and not taken over; never their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudResult:
    reading: CloudReading
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsibleResult:
    readings: tuple[AnsibleReading, ...]
    changes: tuple[Change, ...]
