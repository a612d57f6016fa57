"""The government cloud's service catalog and a department's request against it. Money is integer fen (0.01 yuan)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from govcloud.model.text import Text

Layer = Literal["iaas", "paas", "saas"]
Arch = Literal["x86_64", "aarch64", "loongarch64", "mips64el", "any"]
Zone = Literal["gov_extranet", "internet", "gov_intranet"]
PricePeriod = Literal["month", "year", "once", "per_use"]
OfferingStatus = Literal["active", "closed_to_new", "retired"]
Supply = Literal["catalog", "self_built"]
Outcome = Literal[
    "in_catalog", "out_of_range", "duplicates_common_service", "self_built", "not_in_catalog", "catalog_expired"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """`fen` a unit and period; `vcpu_fen` and `memory_gib_fen` are added for each vCPU and GiB of a machine."""

    fen: int = 0
    period: PricePeriod = "month"
    vcpu_fen: int = 0
    memory_gib_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    code: str
    layer: Layer
    service_class: str
    """What kind of thing it is, across catalogs: `virtual_machine`, `relational_database` …"""
    name: Text
    unit: Text
    price: Price | None = None
    description: Text | None = None
    min: int = 1
    max: int | None = None
    step: int = 1
    """Of the quantity, in units."""
    memory_per_vcpu: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """vCPU count -> memory sizes in GiB that may go with it. Empty: not a machine."""
    arch: tuple[Arch, ...] = ("any",)
    zone: tuple[Zone, ...] = ("gov_extranet",)
    domestic: bool = False
    common: bool = False
    """A common service that projects must not build again."""
    mlps_package: int | None = None
    """Level whose security demands it covers."""
    sla: Mapping[str, str] = field(default_factory=dict)
    included_in: str | None = None
    successor: str | None = None
    status: OfferingStatus = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    catalog_id: str
    title: Text
    issuer: Text
    official: bool
    """False: a sample, shown as such wherever it is used."""
    document_ref: str | None
    version: str
    effective_from: date
    effective_to: date | None
    currency: str
    offerings: tuple[Offering, ...]
    classes: Mapping[str, Text]
    """Title of every service class; those without an offering are what the catalog does not have."""
    replaces: Mapping[str, tuple[str, ...]]
    """What departments build themselves -> classes that serve instead: `machine_room: [virtual_machine]`."""

    def offering(self, code: str) -> Offering | None:
        return next((o for o in self.offerings if o.code == code), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpec:
    """What a machine or service should be like. None: no wish."""

    vcpu: int | None = None
    memory_gib: int | None = None
    arch: Arch | None = None
    zone: Zone | None = None
    mlps_level: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    line: int
    what: str
    """In the department's words."""
    quantity: int
    code: str | None = None
    service_class: str | None = None
    supply: Supply = "catalog"
    """`self_built`: the department would build or buy it itself."""
    spec: RequestSpec = field(default_factory=RequestSpec)
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRequest:
    department: str
    system_id: str | None
    system_name: str | None
    applied_on: date
    lines: tuple[RequestLine, ...]
    project_id: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    code: str
    name: Text
    why: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class LineVerdict:
    line: RequestLine
    outcome: Outcome
    reasons: tuple[Text, ...]
    code: str | None = None
    """The offering that serves the line."""
    offering_name: Text | None = None
    clauses: tuple[str, ...] = ()
    exception: Text | None = None
    """Who may decide on an exception, and by which clause."""
    nearest: tuple[Nearest, ...] = ()
    monthly_fen: int | None = None
    yearly_fen: int | None = None
    once_fen: int | None = None

    @property
    def conforms(self) -> bool:
        return self.outcome == "in_catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCheck:
    file: str
    request: ResourceRequest
    catalog_id: str
    catalog_title: Text
    official: bool
    lines: tuple[LineVerdict, ...]
    no_clause: bool
    """The office's own documents have no catalog clause: the answer compares with the catalog only."""

    @property
    def conforms(self) -> bool:
        return all(line.conforms for line in self.lines)
