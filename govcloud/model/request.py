"""A department's request for cloud resources, and what checking it against the catalog says. Money is integer fen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from govcloud.model.catalog import Arch, Area, Zone
from govcloud.model.text import Text

Supply = Literal["catalog", "self_built"]
Outcome = Literal[
    "in_catalog", "out_of_range", "catalog_expired", "not_in_catalog", "duplicates_common_service", "self_built"
]
OUTCOMES: tuple[Outcome, ...] = (
    "in_catalog", "out_of_range", "catalog_expired", "not_in_catalog", "duplicates_common_service", "self_built",
)  # fmt: skip
"""From the lightest to the gravest: a figure to correct, another version or successor to take, somebody to ask, and what
the clauses rule out."""
Conclusion = Literal["approve", "approve_with_changes", "reject"]
Resource = Literal["vcpu", "memory_gib", "storage_gib"]
RESOURCES: tuple[Resource, ...] = ("vcpu", "memory_gib", "storage_gib")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpec:
    """What a machine or service should be like. None: no wish."""

    vcpu: int | None = None
    memory_gib: int | None = None
    arch: Arch | None = None
    zone: Zone | None = None
    area: Area | None = None
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
class Problem:
    """One thing that keeps a line from conforming."""

    outcome: Outcome
    reason: Text
    clauses: tuple[str, ...] = ()
    """Of the office's own document; empty: no clause here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    code: str
    name: Text
    why: Text
    """What of the line it meets, and what it does not."""
    yearly_fen: int | None = None
    """None where it does not fit as asked, or has no price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRoute:
    """Who decides on what the catalog does not have."""

    role: str | None
    """Role id; None: the office's own document names nobody."""
    term: str | None
    """What that document calls the role."""
    clauses: tuple[str, ...]
    """Empty: no clause here."""
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class LineVerdict:
    line: RequestLine
    outcome: Outcome
    """The gravest of the problems."""
    problems: tuple[Problem, ...] = ()
    code: str | None = None
    """The offering that serves the line."""
    offering_name: Text | None = None
    exception: ExceptionRoute | None = None
    """None where no exception would help: a figure has to be corrected."""
    nearest: tuple[Nearest, ...] = ()
    monthly_fen: int | None = None
    yearly_fen: int | None = None
    once_fen: int | None = None
    uses: Mapping[Resource, int] = field(default_factory=dict)
    """What it would take of the department's quota, whether it conforms or not; nothing for what is self-built."""

    @property
    def conforms(self) -> bool:
        return self.outcome == "in_catalog"

    @property
    def reasons(self) -> tuple[Text, ...]:
        return tuple(problem.reason for problem in self.problems)

    @property
    def clauses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(clause for problem in self.problems for clause in problem.clauses))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaLine:
    """A resource of the cloud that a department may use so much of."""

    resource: Resource
    asked: int
    """By this request."""
    together: int
    """By all requests of the department that were checked with it."""
    limit: float | None
    """None: unknown."""
    used: float | None
    """In use already, as the clouds say; None: unknown, and not counted."""
    source: Literal["settings", "tenants"] | None
    """Where the limit comes from."""

    @property
    def over(self) -> bool:
        return self.limit is not None and self.asked > 0 and self.together + (self.used or 0) > self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCheck:
    file: str
    sha256: str | None = None
    """Of the file, so that a copy met later can be matched."""
    request: ResourceRequest
    catalog_id: str
    catalog_version: str
    catalog_title: Text
    official: bool
    lines: tuple[LineVerdict, ...]
    no_clause: bool
    """The office's own documents have no catalog clause: the answer compares with the catalog only."""
    quota: tuple[QuotaLine, ...] = ()

    @property
    def over_quota(self) -> bool:
        return any(line.over for line in self.quota)

    @property
    def conforms(self) -> bool:
        return all(line.conforms for line in self.lines) and not self.over_quota

    @property
    def conclusion(self) -> Conclusion:
        """The gravest outcome decides. Without a clause behind it nothing is refused, only advised against."""
        if self.conforms:
            return "approve"
        barred = any(line.outcome in ("self_built", "duplicates_common_service") for line in self.lines)
        return "reject" if barred and not self.no_clause else "approve_with_changes"

    def uses(self, resource: Resource) -> int:
        return sum(line.uses.get(resource, 0) for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyRequest:
    """A file that could not be checked."""

    file: str
    where: Text
    """`file:line` or file, sheet and cell."""
    what: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRun:
    """All files of one command."""

    checks: tuple[RequestCheck, ...]
    faulty: tuple[FaultyRequest, ...]
    at: datetime
