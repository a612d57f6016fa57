"""What a migration file says: which machines, data, services and entrances of a system go where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DatabaseKind = Literal["postgresql", "mysql", "sqlite", "redis"]
EntranceKind = Literal["json", "nginx", "hosts", "dns"]
DriverName = Literal["openstack", "ec2", "existing"]
STATE_DIR = "/var/lib/govcloud"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionSpec:
    """How a target that is not there yet is made."""

    driver: DriverName
    cloud: str = ""
    """Entry of clouds.yaml (openstack) or profile (ec2); empty for `existing`."""
    offering: str
    """Catalog offering and size: `M-ECS-G2:4C8G` is 4 vCPU and 8 GiB."""
    arch: Literal["x86_64", "aarch64", "loongarch64", "mips64el"] | None = None
    """Of the target; the cloud's image must be of it. None: not checked."""
    image: str
    """Name of the cloud's image; of the one that `image:` of the machine uploads, where that is given."""
    network: str
    """Name of the tenant network or id of the subnet."""
    security_groups: tuple[str, ...] = ()
    """Names or ids of the cloud's security groups; none: the cloud's default one, which usually lets nobody in."""
    address: str | None = None
    """Fixed address; None: the cloud chooses."""
    disk_gib: int = 40
    user: str = "root"
    key_file: str | None = None
    """Private key that opens the new machine; its public half is `<key_file>.pub`. Relative to the workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """A whole machine that can't be re-installed: its disk is converted, uploaded and booted."""

    disk: str
    """Block device or image file on the source host."""
    format: Literal["raw", "qcow2", "vmdk", "vdi", "vpc"] = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpec:
    """An old host and the new one that takes its place. Both names are hosts of hosts.yaml; a provisioned target is added
    to the run's own hosts when it exists."""

    name: str = "main"
    source: str
    target: str
    state_dir: str = STATE_DIR
    """On the target: where the marker lies that says whose copy this is."""
    provision: ProvisionSpec | None = None
    image: ImageSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesSpec:
    """Two directories whose content must be equal."""

    machine: str = "main"
    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseEnd:
    """A database as its own host reaches it. The password stays in a file on that host."""

    host: str = "127.0.0.1"
    port: int | None = None
    """None: the kind's usual port."""
    name: str = ""
    """Of the database; Redis: its number, empty for all."""
    user: str = ""
    bin: str = "/usr/bin"
    """Directory of the client programs."""
    password_file: str | None = None
    path: str | None = None
    """SQLite: the database's file."""
    data_dir: str | None = None
    """Target only: make a PostgreSQL cluster here and start it; without it the server is there already."""
    run_as_uid: int | None = None
    """Uid for that cluster when the SSH user is uid 0, which PostgreSQL refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSpec:
    kind: DatabaseKind = "postgresql"
    machine: str = "main"
    method: Literal["dump", "replication"] = "dump"
    """dump: a consistent dump, again in the final synchronisation where something changed. replication: the server's own
    replication keeps the copy up to date until the freeze (postgresql, mysql, redis)."""
    source: DatabaseEnd
    target: DatabaseEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEnd:
    """Exactly one of the two: a script called with `start`, `stop` or `status`, or a systemd unit."""

    script: str | None = None
    systemd: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """A program that serves. Started in the file's order, stopped in reverse."""

    machine: str = "main"
    source: ServiceEnd
    target: ServiceEnd
    carry: tuple[str, ...] = ()
    """Files that belong to it and go along unchanged: unit, drop-ins, environment files, cron tables. Absolute paths."""
    tls: tuple[str, ...] = ()
    """Certificates and keys that the target must have got by another way already: only their presence, mode and expiry are
    checked, their content is never read off the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntranceSpec:
    """Where users come in; the cutover points it from `source` to `target`.

    json: `file` holds `{name: url}`. nginx: in `file`, the upstream `name` lists `host:port` servers. hosts: `file` (a hosts
    file) maps `name` to an address. dns: an A or AAAA record `name` in `zone`, changed at `server` by RFC 2136.
    """

    kind: EntranceKind = "json"
    host: str
    """Host of hosts.yaml on which the change is made."""
    file: str = ""
    name: str
    source: str
    target: str
    zone: str = ""
    server: str = ""
    """dns: address of the primary server as `host` reaches it."""
    key_file: str | None = None
    """dns: TSIG key file on `host`."""
    ttl: int = 60
    """dns: seconds."""
    state_dir: str = STATE_DIR
    """On `host`: where it is noted which attempt is at work there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    path: str
    status: int = 200
    contains: str | None = None
    via: Literal["entrance", "direct"] = "entrance"
    """direct: asked of the machine itself, before the entrance is switched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySpec:
    """How the system is asked over HTTP, from the controller."""

    url: str
    """Through the entrance."""
    source_url: str | None = None
    target_url: str | None = None
    """The ends themselves, past the entrance; without it the target is first asked after the switch."""
    served_by_header: str | None = "X-Served-By"
    """Response header with the name of the serving host; null where the system sends none."""
    checks: tuple[HttpCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A dedicated network that this migration closes: its prefix moves into the extranet zone."""

    network_id: str
    router: str
    """Host of hosts.yaml: the router or firewall where routes, tunnels and rules are."""
    prefix: str
    zone_from: str
    zone_to: str
    routes: tuple[str, ...] = ()
    """Prefixes whose routes are withdrawn."""
    tunnels: tuple[str, ...] = ()
    """Interfaces that are taken down."""
    flows: tuple[str, ...] = ()
    """What must be reachable afterwards, `protocol source destination port`, from measured dependencies."""
    state_dir: str = STATE_DIR
    """On the router: what was there before, and which attempt is at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    bandwidth_mbps: int | None = None
    deadline_min: int = 240
    """No step may take longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationSpec:
    """`migration/<system_id>.yaml`."""

    system_id: str
    machines: tuple[MachineSpec, ...]
    files: tuple[FilesSpec, ...] = ()
    databases: tuple[DatabaseSpec, ...] = ()
    services: tuple[ServiceSpec, ...] = ()
    entrances: tuple[EntranceSpec, ...] = ()
    verify: VerifySpec
    network: NetworkSpec | None = None
    on_failure: Literal["rollback", "hold"] = "rollback"
    """What a failure from `freeze` on leads to: the way back at once, or a person's decision."""
    limits: Limits = Limits()

    def machine(self, name: str) -> MachineSpec:
        return next(m for m in self.machines if m.name == name)
