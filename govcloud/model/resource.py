"""What was made in a cloud: recorded before it is asked for, so that nothing is left that nobody knows of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from govcloud.model.migration import DriverName
from govcloud.model.text import Text

ResourceKind = Literal["server", "port", "volume", "image", "keypair", "ticket"]
RESOURCE_NAMES: Mapping[ResourceKind, Text] = {
    "server": Text("云主机", "server"), "port": Text("网卡端口", "port"), "volume": Text("云硬盘", "volume"),
    "image": Text("镜像", "image"), "keypair": Text("密钥对", "key pair"), "ticket": Text("工单", "ticket"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    resource_id: str
    """`<run>/<system>/<machine>/<kind>`"""
    run_id: str
    system_id: str
    machine: str
    kind: ResourceKind
    driver: DriverName
    cloud: str
    name: str
    """Unique in the cloud and derived from resource_id: found again by it after a crash between asking and answer."""
    intent_at: datetime
    external_id: str | None = None
    """None: asked for, not known whether it exists."""
    address: str | None = None
    """server: where it is reached."""
    created_at: datetime | None = None
    deleted_at: datetime | None = None
