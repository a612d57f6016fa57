"""How to reach a host: shared by discovery, execution and takeover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAccess:
    """One line of the workspace's `hosts.yaml`. Secrets are never in it: keys are named by file."""

    name: str
    """Allow-listed host name (model.ids.is_host_name); the name in Ansible's inventory, too."""
    address: str
    """IP address or DNS name."""
    port: int = 22
    user: str = "root"
    key_file: str | None = None
    """Path of the private key; relative to the workspace."""
    zone: str | None = None
    via: str | None = None
    """Name of the bastion host that it is reached through."""

    @property
    def key_host(self) -> str:
        """Under which name its host key is approved: behind two bastions one address may be two machines."""
        return self.address if self.via is None else f"{self.via}>{self.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKey:
    """A host key that a person approved."""

    host: str
    """HostAccess.key_host."""
    port: int
    key_type: str
    key_base64: str
    approved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The hosts that a verb works on."""

    hosts: tuple[HostAccess, ...]
    bastions: Mapping[str, HostAccess]
    """Name -> host, for every name that `via` of a host has."""
    left_out: tuple[str, ...] = ()
    """Names of hosts that answered a short time ago."""
