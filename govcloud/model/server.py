"""A server and what is on it, as workbooks, exports, clouds and the host itself describe it.

`None` in any field means *unknown*, never *no*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Environment = Literal["production", "test", "development"]

_DOMESTIC_ARCH = frozenset({"loongarch64", "loong64", "mips64el", "mips64", "sw_64"})
_DOMESTIC_CPU = re.compile(
    r"kunpeng|鲲鹏|phytium|飞腾|\bFT-?\d|loongson|龙芯|hygon|海光|zhaoxin|兆芯|sunway|申威", re.I
)
_DOMESTIC_OS = re.compile(r"kylin|麒麟|uos|uniontech|统信|openeuler|euleros|anolis|deepin|中科方德|nfs ?china", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """A listening socket: who on this server can be talked to."""

    address: str
    port: int
    process: str | None = None
    protocol: Literal["tcp", "udp"] = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An established TCP connection as one end saw it."""

    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    process: str | None = None
    inbound: bool = False
    """The local port is one that the server listens on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    destination: str
    """CIDR, `0.0.0.0/0` for the default route."""
    gateway: str | None = None
    interface: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A block device."""

    name: str
    size_gib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Filesystem:
    """A mounted file system, local or a share."""

    mount: str
    device: str
    kind: str | None = None
    """ext4, xfs, nfs4, cifs …"""
    size_gib: float | None = None
    used_gib: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    name: str
    mac: str | None = None
    """Lower case with colons."""
    addresses: tuple[str, ...] = ()
    """With their prefix length: `10.66.1.10/24`."""
    kind: str | None = None
    """ethernet, bond, vlan, bridge, tunnel, container, loopback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Installed software that matters to a migration: databases, middleware, web servers, JDKs, run-times."""

    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    server_id: str
    name: str
    department: str | None = None
    zone: str | None = None
    """Network zone in which its addresses are unique, as hosts.yaml or the cloud names it."""
    uuid: str | None = None
    """SMBIOS or instance UUID, lower case."""
    serial: str | None = None
    macs: tuple[str, ...] = ()
    """Of its own network cards: lower case with colons."""
    addresses: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    """Systems on it, where its own form names them; the system's form names its servers."""
    os_name: str | None = None
    os_version: str | None = None
    kernel: str | None = None
    arch: str | None = None
    """As `uname -m` says: x86_64, aarch64, loongarch64."""
    cpu_count: int | None = None
    memory_gib: float | None = None
    disk_gib: float | None = None
    location: str | None = None
    virtual: bool | None = None
    virtualisation: str | None = None
    """kvm, vmware, hyperv, xen, container …; `none` for a physical machine."""
    cpu_model: str | None = None
    maker: str | None = None
    model: str | None = None
    environment: Environment | None = None
    power: Literal["on", "off", "suspended"] | None = None
    hypervisor: str | None = None
    """The host or cluster that a virtual machine runs on."""
    cloud: str | None = None
    """Name of the cloud that it is an instance of."""
    cloud_id: str | None = None
    tenant: str | None = None
    flavor: str | None = None
    image: str | None = None
    declared: bool | None = None
    """Some workbook mentions it."""
    seen: bool | None = None
    """Some discovery reached it."""
    sockets: tuple[Socket, ...] = ()
    routes: tuple[Route, ...] = ()
    process_count: int | None = None
    services: tuple[str, ...] = ()
    """Well-known server programs seen running: postgres, nginx, java …"""
    disks: tuple[Disk, ...] = ()
    filesystems: tuple[Filesystem, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    packages: tuple[Package, ...] = ()
    units: tuple[str, ...] = ()
    """Services that the machine starts by itself: systemd units, init scripts."""
    scheduled: tuple[str, ...] = ()
    """Jobs of cron and timers: `user schedule program`, never the program's arguments (they may hold secrets)."""
    containers: tuple[str, ...] = ()
    """`engine image name` of running containers."""
    container_engine: str | None = None
    login_users: tuple[str, ...] = ()
    """Accounts that can log in."""
    dns_servers: tuple[str, ...] = ()
    ntp_servers: tuple[str, ...] = ()
    load_15m: float | None = None
    booted_at: datetime | None = None
    cpu_avg_pct: float | None = None
    cpu_p95_pct: float | None = None
    cpu_peak_pct: float | None = None
    memory_avg_pct: float | None = None
    memory_p95_pct: float | None = None
    memory_peak_pct: float | None = None
    disk_used_gib: float | None = None
    utilisation_days: float | None = None
    """Time that the utilisation figures cover."""
    utilisation_samples: int | None = None


def is_domestic(server: Server) -> bool:
    """Domestic processor, architecture or operating system (信创), as far as the inventory says so."""
    return bool(
        (server.arch or "").casefold() in _DOMESTIC_ARCH
        or _DOMESTIC_CPU.search(server.cpu_model or "")
        or _DOMESTIC_OS.search(server.os_name or "")
    )
