"""How to reach a host: shared by discovery, execution and takeover."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKey:
    """A host key that a person approved."""

    host: str
    port: int
    key_type: str
    key_base64: str
    approved_by: str
