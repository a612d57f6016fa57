"""What departments run: the observations we hold and the inventory that is merged from them.

`None` in any field means *unknown*, never *no*: a rule that needs the field answers `undetermined`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

SubjectKind = Literal["department", "system", "server", "network", "dependency", "project"]
Scalar = str | int | float | bool | None
Value = Scalar | tuple[Scalar, ...]

Disposition = Literal["retire", "retain", "rehost", "replatform", "refactor", "replace", "consolidate"]
NetworkKind = Literal["dedicated", "extranet", "intranet", "internet"]
Hosting = Literal["own_room", "hosted_room", "gov_cloud", "county_cloud", "industry_cloud", "public_cloud"]
Lifecycle = Literal["planned", "building", "trial", "operating", "idle", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One fact about one subject, with where it was read and when. Observations are never changed or deleted."""

    subject_kind: SubjectKind
    subject_id: str
    field: str
    """Name of a field of the subject's dataclass below."""
    value: Value
    source: str
    """`workbook`, `ssh`, `person`, `run` (a migration): what kind of witness this is; precedence is decided by it."""
    locator: str
    """Where exactly: `普查表.xlsx!系统!C7`, `ssh://10.1.2.3/probe/os`."""
    observed_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    department_id: str
    name: str
    level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """政务信息系统. Field set after the survey forms: SX17-2.1a and the provincial census table."""

    system_id: str
    name: str
    department: str | None = None
    """Name of the owner department."""
    office: str | None = None
    """处室 that runs the business."""
    function: str | None = None
    lifecycle: Lifecycle | None = None
    classified: bool | None = None
    """涉密: state secrets. Classified systems never move to the government cloud."""
    mlps_level: int | None = None
    """等保 level 1 to 5."""
    mlps_filing_no: str | None = None
    hosting: Hosting | None = None
    servers: tuple[str, ...] = ()
    """Server ids."""
    networks: tuple[str, ...] = ()
    """Network ids that the system is reached over."""
    url: str | None = None
    in_directory: bool | None = None
    """Listed in the platform's system directory (系统目录)."""
    shares_data: bool | None = None
    """Connected to the sharing and exchange platform."""
    users: int | None = None
    visits_per_year: int | None = None
    go_live_on: date | None = None
    stopped_on: date | None = None
    approval_body: str | None = None
    approved_on: date | None = None
    funding_source: str | None = None
    data_gib: float | None = None
    builder: str | None = None
    """The construction unit that built it (in Shanxi terms 项目建设单位)."""
    maintained_by: str | None = None
    contact: str | None = None
    criticality: Literal["core", "important", "general"] | None = None
    disposition: Disposition | None = None


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
class Server:
    server_id: str
    name: str
    department: str | None = None
    addresses: tuple[str, ...] = ()
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
    declared: bool | None = None
    """Some workbook mentions it."""
    seen: bool | None = None
    """Some discovery reached it."""
    sockets: tuple[Socket, ...] = ()
    connections: tuple[Connection, ...] = ()
    routes: tuple[Route, ...] = ()
    process_count: int | None = None
    services: tuple[str, ...] = ()
    """Well-known server programs seen running: postgres, nginx, java …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    network_id: str
    name: str
    kind: NetworkKind | None = None
    department: str | None = None
    prefixes: tuple[str, ...] = ()
    """CIDR."""
    carrier: str | None = None
    bandwidth_mbps: float | None = None
    nodes: int | None = None
    yearly_cost_yuan: float | None = None
    contract_ends_on: date | None = None
    built_on: date | None = None
    classified: bool | None = None
    legal_basis: str | None = None
    """Law or national rule that demands the network, as the department wrote it."""
    consent_body: str | None = None
    consent_document: str | None = None
    utilisation_pct: float | None = None
    target: Literal["extranet_public", "extranet_vpn", "intranet", "close", "keep"] | None = None
    target_on: date | None = None
    closed_on: date | None = None
    servers: tuple[str, ...] = ()
    """Server ids found on the network, by declaration or by address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayRoute:
    """A server's route to a private prefix that no declared network covers: perhaps a network nobody listed."""

    prefix: str
    server_id: str
    gateway: str | None = None
    network_id: str | None = None
    """The declared network that the gateway belongs to: it reaches further than declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """`source` needs `target`. Ids of systems; servers where the system is unknown."""

    dependency_id: str
    source_id: str
    target_id: str
    strength: Literal["strong", "weak"] | None = None
    """Strong: the two can't be apart, they move in one window."""
    kind: str | None = None
    """database, interface, file, login …"""
    port: int | None = None
    measured: bool = False
    """Seen as a connection, not only declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """项目 with the records the regulations ask for. Dates are the office's own (no time of day)."""

    project_id: str
    name: str
    number: str | None = None
    department: str | None = None
    systems: tuple[str, ...] = ()
    builder: str | None = None
    budget_yuan: float | None = None
    contract_number: str | None = None
    contract_signed_on: date | None = None
    contract_filed_on: date | None = None
    contract_filed_with: tuple[str, ...] = ()
    supervisor: str | None = None
    supervisor_filed_on: date | None = None
    construction_completed_on: date | None = None
    acceptance_applied_on: date | None = None
    acceptance_completed_on: date | None = None
    acceptance_filed_on: date | None = None
    in_use_on: date | None = None
    self_evaluated_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Witnesses who disagree about one field; `chosen` is what the inventory shows."""

    subject_kind: SubjectKind
    subject_id: str
    field: str
    chosen: Value
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The merged picture. Everything is sorted by id, so two merges of the same observations are equal."""

    departments: tuple[Department, ...] = ()
    systems: tuple[System, ...] = ()
    servers: tuple[Server, ...] = ()
    networks: tuple[Network, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    projects: tuple[Project, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    evidence: Mapping[str, Mapping[str, Observation]] = field(default_factory=dict)
    """subject id -> field -> the observation that the shown value was taken from."""

    def system(self, system_id: str) -> System | None:
        return next((s for s in self.systems if s.system_id == system_id), None)

    def server(self, server_id: str) -> Server | None:
        return next((s for s in self.servers if s.server_id == server_id), None)
