"""What departments run: the observations we hold and the inventory that is merged from them.

`None` in any field means *unknown*, never *no*: a rule that needs the field answers `undetermined`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from govcloud.model.observation import Observation, SubjectKind, Value
from govcloud.model.server import Environment, Server

Disposition = Literal["retire", "retain", "rehost", "replatform", "refactor", "replace", "consolidate"]
NetworkKind = Literal["dedicated", "extranet", "intranet", "internet", "cloud"]
"""`cloud`: inside a cloud (VPC, tenant network), as against the networks that departments run."""
Hosting = Literal["own_room", "hosted_room", "gov_cloud", "county_cloud", "industry_cloud", "public_cloud"]
Lifecycle = Literal["planned", "building", "trial", "operating", "idle", "stopped"]
Traffic = Literal["business", "management", "monitoring", "naming", "time", "file_share", "ephemeral"]


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
    environment: Environment | None = None
    build_mode: str | None = None
    build_basis: str | None = None
    """建设依据: the duty or policy that the system was built for, as the department wrote it."""
    budget_project: str | None = None
    budget_years: str | None = None
    scope_region: str | None = None
    scope_users: str | None = None
    """使用范围, by region and by kind of user."""
    monthly_users: int | None = None
    visits_basis: str | None = None
    """How the number of visits was counted."""
    database: str | None = None
    middleware: str | None = None
    data_rows: int | None = None
    data_growth_gib: float | None = None
    """A year."""
    data_update: str | None = None
    data_dictionary: bool | None = None
    uses_foreign_data: bool | None = None
    sharing_scope: str | None = None
    dedicated_address: str | None = None
    """业务专网地址, as written."""
    mlps_filed_on: date | None = None
    mlps_filing_authority: str | None = None
    mlps_assessed_on: date | None = None
    mlps_score: float | None = None
    crypto_evaluated_on: date | None = None
    crypto_level: int | None = None
    developer_contact: str | None = None
    maintenance_ends_on: date | None = None
    last_changed_on: date | None = None
    """Last release or change of its functions."""
    zombie_declared: bool | None = None
    """是否僵尸系统, in the department's own words."""
    detached_from_process: bool | None = None
    """与实际业务流程长期脱节."""
    replaceable: bool | None = None
    """功能可被替代."""
    replaced_by: str | None = None
    resources_idle: bool | None = None
    """所占资源长期空闲."""
    updates_stopped: bool | None = None
    """运维停止更新."""
    narrow_use: bool | None = None
    """使用范围小."""
    rare_use: bool | None = None
    """使用频度低."""
    cleanup_on: date | None = None
    """计划完成清理时间."""
    deferral_reason: str | None = None
    """Why the department asks to leave it out of the integration for now."""
    data_catalogued: bool | None = None
    """Its data are entered in the information-resource directory (信息资源目录)."""
    controllable: bool | None = None
    """自主可控: its key products are independently controllable."""
    risk_assessed_on: date | None = None
    """Last assessment of network and information-security risk."""
    emergency_plan_on: date | None = None
    """Date of the contingency plan in force."""
    drilled_on: date | None = None
    """Last drill of that plan."""


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
    consent_on: date | None = None
    consent_valid_until: date | None = None
    level: Literal["superior", "own", "subordinate"] | None = None
    """上级、本级、下级: whose network it is, seen from the office that fills in the form."""
    access: str | None = None
    """接入方式: leased line, MPLS VPN, IPsec … as written."""
    purpose: str | None = None
    responsible: str | None = None
    """责任人 of the merge."""
    utilisation_pct: float | None = None
    target: Literal["extranet_public", "extranet_vpn", "intranet", "close", "keep"] | None = None
    target_on: date | None = None
    closed_on: date | None = None
    closure_evidence: str | None = None
    """完成证据: the paper or file that shows that the network is merged or closed."""
    servers: tuple[str, ...] = ()
    """Server ids found on the network, by declaration or by address."""
    systems: tuple[str, ...] = ()
    """Systems on it, where its own form names them."""


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
    traffic: Traffic | None = None
    """What a measured connection is for; only `business` says that a system needs another."""
    source_process: str | None = None
    target_process: str | None = None
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    samples: int | None = None
    """In how many samples it was seen."""

    @property
    def binds(self) -> bool:
        """Declared, or seen as traffic that says that one end needs the other."""
        return not self.measured or self.traffic in (None, "business", "file_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChange:
    """A material change (重大变化) of a project, and when it was filed."""

    what: str
    changed_on: date | None = None
    filed_on: date | None = None
    """Applied for or filed; None: not yet, or not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    item: str
    yuan: float
    year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """项目 with the records the regulations ask for. Dates are the office's own (no time of day)."""

    project_id: str
    name: str
    number: str | None = None
    department: str | None = None
    systems: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    """Ids or names of the networks that it builds or pays for."""
    lead: str | None = None
    """项目负责人."""
    planned: bool | None = None
    """Listed in the yearly plan (年度计划)."""
    opinion_on: date | None = None
    """Review opinion (审核意见) of the authority on the design or application."""
    approval_body: str | None = None
    approved_on: date | None = None
    """立项批复."""
    approval_document: str | None = None
    government_approved_on: date | None = None
    """本级人民政府批准, for projects outside of the yearly plan."""
    data_directory: bool | None = None
    """The application says source, format, update, sharing and opening of its data (信息资源目录)."""
    builder: str | None = None
    budget_yuan: float | None = None
    budget_lines: tuple[BudgetLine, ...] = ()
    budget_reviewed_on: date | None = None
    """预算评审."""
    final_yuan: float | None = None
    """决算."""
    maintenance_yuan: float | None = None
    """Maintenance money asked for, a year."""
    maintenance_reviewed_on: date | None = None
    """The authority has reviewed the maintenance money (运维费审核)."""
    contract_number: str | None = None
    contract_signed_on: date | None = None
    contract_filed_on: date | None = None
    contract_filed_with: tuple[str, ...] = ()
    supervisor: str | None = None
    supervisor_filed_on: date | None = None
    progress_reported_on: date | None = None
    """Last report of progress and use of money."""
    changes: tuple[ProjectChange, ...] = ()
    construction_completed_on: date | None = None
    initial_accepted_on: date | None = None
    """初验."""
    acceptance_applied_on: date | None = None
    acceptance_extended_to: date | None = None
    """Last day after an extension that was granted (延期)."""
    acceptance_organiser: str | None = None
    acceptance_completed_on: date | None = None
    acceptance_filed_on: date | None = None
    in_use_on: date | None = None
    self_evaluated_on: date | None = None
    archives: tuple[str, ...] = ()
    """档号 of the project's archived papers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A project or account in a cloud: what it may use, and uses."""

    tenant_id: str
    name: str
    cloud: str | None = None
    department: str | None = None
    vcpu_quota: int | None = None
    """None also where the cloud sets no limit."""
    vcpu_used: int | None = None
    memory_gib_quota: float | None = None
    memory_gib_used: float | None = None
    storage_gib_quota: float | None = None
    storage_gib_used: float | None = None
    server_quota: int | None = None
    server_used: int | None = None
    address_quota: int | None = None
    """Floating (public) addresses."""
    address_used: int | None = None
    flavors: tuple[str, ...] = ()
    """`name vcpus memory_gib disk_gib` of the sizes on offer."""
    images: tuple[str, ...] = ()
    routers: tuple[str, ...] = ()
    """`name gateway-network`."""
    vpn_connections: tuple[str, ...] = ()
    """`name peer-address prefixes`."""
    security_groups: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    """`name region` of object-storage buckets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Witnesses who disagree about one field; `chosen` is what the inventory shows."""

    subject_kind: SubjectKind
    subject_id: str
    field: str
    chosen: Value
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Traffic from one server to a port of another, joined from what both ends said in all samples."""

    client_id: str
    server_id: str
    port: int
    traffic: Traffic
    client_process: str | None = None
    server_process: str | None = None
    first_seen_at: datetime
    last_seen_at: datetime
    samples: int
    """In how many samples one end saw it."""
    statement: int
    """Which of the merged statements saw it last; in the database its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Another id that means the same thing, and why."""

    subject_id: str
    rule: Literal["person", "uuid", "serial", "mac", "address", "name", "code"]
    value: str
    """What the two have in common."""
    with_id: str
    """The id that it was joined with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The merged picture. Everything is sorted by id, so two merges of the same observations are equal."""

    departments: tuple[Department, ...] = ()
    systems: tuple[System, ...] = ()
    servers: tuple[Server, ...] = ()
    networks: tuple[Network, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    projects: tuple[Project, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    evidence: Mapping[str, Mapping[str, Observation]] = field(default_factory=dict)
    """subject id -> field -> the observation that the shown value was taken from."""

    def system(self, system_id: str) -> System | None:
        return next((s for s in self.systems if s.system_id == system_id), None)

    def server(self, server_id: str) -> Server | None:
        return next((s for s in self.servers if s.server_id == server_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a merge makes: the inventory, and from which of the statements (by index) each part of it was taken."""

    inventory: Inventory
    evidence: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Subject id -> field -> index of the statement."""
    witnesses: Mapping[tuple[SubjectKind, str, str], tuple[int, ...]] = field(default_factory=dict)
    """Of each conflict (kind, id, field): the statements that disagree."""
    members: Mapping[str, tuple[Joined, ...]] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
