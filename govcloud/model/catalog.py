"""The government cloud's service catalog. Money is integer fen (0.01 yuan)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from govcloud.model.text import Text

Layer = Literal["iaas", "paas", "saas"]
Arch = Literal["x86_64", "aarch64", "loongarch64", "mips64el", "any"]
Zone = Literal["gov_extranet", "internet", "gov_intranet"]
PricePeriod = Literal["month", "year", "once", "per_use"]
OfferingStatus = Literal["active", "closed_to_new", "retired"]
Area = Literal["xinchuang", "x86"]
"""The hard-isolated areas inside a zone: 信创 (domestic technology) and x86."""
ChangeKind = Literal[
    "added", "removed", "closed", "retired", "reopened", "lifecycle", "price", "unit", "range", "memory", "arch", "zone",
    "sla", "package", "text",
]  # fmt: skip
"""What differs in an offering. `lifecycle`: other dates of the same end, or another successor; `package`: class, layer,
protection level, inclusion, domestic, common; `text`: name and description.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """`fen` a unit and period; `vcpu_fen` and `memory_gib_fen` are added for each vCPU and GiB of a machine."""

    fen: int = 0
    period: PricePeriod = "month"
    vcpu_fen: int = 0
    memory_gib_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """What is promised of a service. None: nothing."""

    availability_pct: float | None = None
    rpo_minutes: int | None = None
    """Data of at most so many minutes is lost."""
    rto_minutes: int | None = None
    """It runs again after so many minutes."""
    response_minutes: int | None = None
    """Somebody answers a report of a fault after so many minutes."""
    service_hours: str | None = None
    """Days a week x hours a day: `7x24`."""


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
    area: tuple[Area, ...] = ()
    """Empty: the catalog does not divide its zones, or the service is in every area."""
    domestic: bool = False
    common: bool = False
    """A common service that projects must not build again."""
    mlps_package: int | None = None
    """Level whose security demands it covers."""
    sla: Sla = Sla()
    included_in: str | None = None
    successor: str | None = None
    status: OfferingStatus = "active"
    """As of the day that the catalog was loaded for."""
    closed_on: date | None = None
    """First day without new requests."""
    retired_on: date | None = None
    """First day on which it no longer runs."""

    def as_of(self, day: date) -> Offering:
        """With the status that its dates give it on that day; a status that was written stays the least."""
        if self.status == "retired" or (self.retired_on is not None and self.retired_on <= day):
            return replace(self, status="retired")
        if self.closed_on is not None and self.closed_on <= day:
            return replace(self, status="closed_to_new")
        return self


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
    metering: Mapping[str, str] = field(default_factory=dict)
    """Class -> section of GB/T 37735-2019 whose indicators meter it; classes outside of them are missing."""

    def offering(self, code: str) -> Offering | None:
        return next((o for o in self.offerings if o.code == code), None)

    def as_of(self, day: date) -> Catalog:
        return replace(self, offerings=tuple(o.as_of(day) for o in self.offerings))


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFault:
    """One thing that is wrong in a catalog's files."""

    where: str
    """`file:line`."""
    entry: str
    """Code of the offering; empty where it is none."""
    what: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogVersion:
    """A version that is installed. The facts of one whose files are faulty are None."""

    catalog_id: str
    version: str
    folder: str
    own: bool
    """In the workspace; it takes the place of the one that comes along."""
    in_force: bool
    faults: int
    title: Text | None = None
    official: bool | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    offerings: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingChange:
    code: str
    kind: ChangeKind
    before: Offering | None
    after: Offering | None

    @property
    def offering(self) -> Offering:
        found = self.after or self.before
        assert found is not None  # noqa: S101 - a change has at least one side
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedLine:
    """A line of a running request that a change between two versions reaches."""

    department: str
    system_id: str | None
    system_name: str | None
    file: str
    line: int
    what: str
    code: str
    kinds: tuple[ChangeKind, ...]
    before_fen: int | None
    """A month."""
    after_fen: int | None
    """A month, by the successor's price where the offering is gone. None: not known."""
    successor: str | None
    problems: tuple[Text, ...]
    """Why the line no longer fits."""

    @property
    def difference_fen(self) -> int | None:
        return None if self.before_fen is None or self.after_fen is None else self.after_fen - self.before_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogDiff:
    before: Catalog
    after: Catalog
    changes: tuple[OfferingChange, ...]
    touched: tuple[TouchedLine, ...] = ()
    requests: int | None = None
    """Running requests that were looked at; None without a workspace."""
