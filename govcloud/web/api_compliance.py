"""/api: the office's clauses and catalog, checks of the estate, findings and their waivers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query

from govcloud.model.catalog import Layer, Offering, Zone
from govcloud.model.regulation import Clause, Finding, RuleTally, Severity, TopicCoverage
from govcloud.model.waiver import Waiver
from govcloud.web.api_shape import (
    Body,
    Checking,
    Day,
    Name,
    Out,
    Page,
    Paged,
    Reading,
    Reason,
    Waiving,
    Why,
    new_router,
)
from govcloud.workflow import catalog as catalogs
from govcloud.workflow import waiver as waivers
from govcloud.workflow.check import Selection, check_estate, find_finding, open_findings
from govcloud.workflow.office import office_catalog, office_rulebook

router = new_router("compliance")


class Checked(Out):
    as_of: Day
    regulations: list[str]
    clean: bool
    tracked: bool
    findings: int
    tallies: list[RuleTally]
    coverage: list[TopicCoverage]
    checked_at: datetime


class CheckOrder(Body):
    as_of: Day | None = None


class FindingRecord(Out):
    finding: Finding
    waivers: list[Waiver]


class WaiverOrder(Body):
    reason: Reason
    role: Name
    approver: Name
    document: Name
    approved_on: Day
    valid_until: Day


@router.get("/clauses", response_model=Page[Clause])
def get_clauses(visit: Reading, part: Paged) -> Any:
    """Of the office's own documents and of those above it, in our paraphrase."""
    packs = office_rulebook(visit.session).packs
    return part.of([clause for pack in packs for clause in pack.clauses.values()])


@router.get("/offerings", response_model=Page[Offering])
def get_offerings(
    visit: Reading, part: Paged, find: Annotated[Name | None, Query()] = None, layer: Layer | None = None,
    zone: Zone | None = None,
) -> Any:  # fmt: skip
    return part.of(catalogs.find_offerings(office_catalog(visit.session), text=find, layer=layer, zone=zone))


@router.get("/offerings/{code}", response_model=Offering)
def get_offering(visit: Reading, code: Name) -> Any:
    return catalogs.find_offering(office_catalog(visit.session), code)


@router.post("/checks", response_model=Checked)
def check(visit: Checking, order: CheckOrder) -> Any:
    """Every rule against the whole estate; its findings are at /api/findings, where it is a check of today."""
    found = check_estate(visit.session, order.as_of)
    return {
        "as_of": found.as_of, "regulations": found.regulations, "clean": found.clean, "tracked": found.tracked,
        "findings": len(found.findings), "tallies": found.tallies, "coverage": found.coverage,
        "checked_at": visit.session.now(),
    }  # fmt: skip


@router.get("/findings", response_model=Page[Finding])
def get_findings(
    visit: Reading, part: Paged, department: Annotated[Name | None, Query(description="Its whole name")] = None,
    topic: Name | None = None, clause: Name | None = None, severity: Severity | None = None,
) -> Any:  # fmt: skip
    """What the last check left open."""
    wanted = Selection(department=department, topic=topic, clause=clause, severity=severity)
    return part.of([f for f in open_findings(visit.session) if wanted.takes(f)])


@router.get("/findings/{finding_id}", response_model=FindingRecord)
def get_finding(visit: Reading, finding_id: Name) -> Any:
    found, given = find_finding(visit.session, finding_id)
    return {"finding": found, "waivers": given}


@router.post("/findings/{finding_id}/waivers", response_model=Waiver)
def add_waiver(visit: Waiving, finding_id: Name, order: WaiverOrder) -> Any:
    return waivers.add_waiver(visit.session, finding_id, **dict(order))


@router.get("/waivers", response_model=Page[Waiver])
def get_waivers(visit: Reading, part: Paged, ended: bool = False) -> Any:
    return part.of([waiver for waiver, _ in waivers.list_waivers(visit.session, ended=ended)])


@router.post("/waivers/{waiver_id}/withdrawal", response_model=Waiver)
def withdraw_waiver(visit: Waiving, waiver_id: Name, why: Why) -> Any:
    return waivers.withdraw_waiver(visit.session, waiver_id, why.reason)
