"""/api: what the inventory says between its lines: what nobody declared, connections, zombies, sizes, overlaps, confidence, changes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from govcloud.model import answers
from govcloud.model.answers import Confidence, Difference, Snapshot
from govcloud.model.inventory import Flow, Network, Traffic
from govcloud.model.maintenance import MaintenancePeriod
from govcloud.model.network_evidence import NetworkEvidence
from govcloud.model.network_ledger import (
    NetworkClause,
    NetworkDifference,
    NetworkTotals,
    NetworkTrend,
    RemainingNetwork,
)
from govcloud.model.observation import SubjectKind
from govcloud.model.overlap import Overlap
from govcloud.model.regulation import TopicCoverage
from govcloud.model.server import Server
from govcloud.model.sizing import Sizing
from govcloud.model.zombie import ZombieState, ZombieVerdict
from govcloud.web.api_shape import Body, Collecting, Day, Name, Out, Page, Paged, Reading, new_router
from govcloud.workflow import snapshots as states
from govcloud.workflow.confidence import read_confidence
from govcloud.workflow.inventory import list_flows, list_undeclared, read_inventory
from govcloud.workflow.networks import list_remaining
from govcloud.workflow.overlap import list_overlaps
from govcloud.workflow.sizing import size_servers
from govcloud.workflow.takeover_history import list_maintenance
from govcloud.workflow.zombies import list_zombies

router = new_router("analyses")
Department = Annotated[Name | None, Query(description="Its whole name")]
PartOfName = Annotated[Name | None, Query(description="A part of the department's name")]


class Undeclared(Page[Server]):
    """Servers that were seen and that nobody declared, and traces of networks that nobody declared."""

    traces: list[NetworkEvidence]


class NetworkLedgerOut(Out):
    as_of: Day
    rows: list[RemainingNetwork]
    closed: list[Network]
    by_department: list[NetworkTotals]
    by_target: list[NetworkTotals]
    total: NetworkTotals
    coverage: TopicCoverage
    clauses: list[NetworkClause]
    differences: list[NetworkDifference]
    undeclared: list[NetworkEvidence]
    trend: NetworkTrend | None
    plan_id: str | None


class SnapshotWanted(Body):
    label: Name


@router.get("/undeclared", response_model=Undeclared)
def get_undeclared(visit: Reading, part: Paged, department: PartOfName = None, find: Name | None = None) -> Any:
    wanted = answers.Query(department=department, find=find, limit=part.offset + part.limit)
    found = list_undeclared(visit.session, wanted)
    return {**part.page(found.page.entities[part.offset :], found.page.total), "traces": found.traces}


@router.get("/connections", response_model=Page[Flow])
def get_connections(
    visit: Reading, part: Paged, subject: Annotated[Name | None, Query(description="A server, system or network")] = None,
    traffic: Traffic | None = None,
) -> Any:  # fmt: skip
    """Measured traffic: who talks to which port, and the programs at both ends."""
    found = list_flows(visit.session, subject, traffic, part.offset + part.limit)
    return part.page(found.flows[part.offset :], found.total)


@router.get("/zombies", response_model=Page[ZombieVerdict])
def get_zombies(
    visit: Reading, part: Paged, department: Department = None, state: ZombieState | None = None, as_of: Day | None = None
) -> Any:  # fmt: skip
    """Every system by the five criteria, with the evidence and what is missing."""
    found = list_zombies(visit.session, department=department, as_of=as_of)
    return part.of([v for v in found.verdicts if state in (None, v.state)])


@router.get("/sizing", response_model=Sizing)
def get_sizing(visit: Reading, department: Department = None, system: Name | None = None) -> Any:
    """What each server needs, as offerings of the catalog; money is integer fen."""
    return size_servers(visit.session, department=department, system_id=system).sizing


@router.get("/overlaps", response_model=Page[Overlap])
def get_overlaps(visit: Reading, part: Paged, department: Department = None) -> Any:
    """Systems that may do the same: candidates for a person, never verdicts."""
    return part.of(list_overlaps(visit.session, department=department).found)


@router.get("/confidence", response_model=Page[Confidence])
def get_confidence(visit: Reading, part: Paged, department: PartOfName = None) -> Any:
    """How far each system's facts can be relied on, the worst first."""
    inventory = read_inventory(visit.session)
    scores, wanted = read_confidence(visit.session, inventory), (department or "").casefold()
    fit = (s for s in inventory.systems if wanted in (s.department or "").casefold())
    return part.of(sorted((scores[s.system_id] for s in fit), key=lambda c: (c.score, c.system_id)))


@router.get("/network-ledger", response_model=NetworkLedgerOut)
def get_network_ledger(visit: Reading, as_of: Day | None = None, since: Name | None = None) -> Any:
    """Dedicated networks that remain, reconciled. `since`: the snapshot to compare with; the last one by default."""
    return list_remaining(visit.session, as_of, since)


@router.get("/maintenance", response_model=Page[MaintenancePeriod])
def get_maintenance(visit: Reading, part: Paged, system: Name | None = None, unit: Name | None = None) -> Any:
    """Who maintained which system from when to when."""
    return part.of(list_maintenance(visit.session, system, unit=unit))


@router.get("/snapshots", response_model=list[Snapshot])
def get_snapshots(visit: Reading) -> Any:
    return states.list_snapshots(visit.session)


@router.post("/snapshots", response_model=Snapshot)
def take_snapshot(visit: Collecting, wanted: SnapshotWanted) -> Any:
    """Names the inventory of now, to compare with later."""
    return states.take_snapshot(visit.session, wanted.label)


@router.get("/differences", response_model=Difference)
def get_differences(
    visit: Reading, before: Name, after: Name = "now", kind: SubjectKind | None = None, department: Department = None
) -> Any:  # fmt: skip
    """Between two states: a snapshot's label, a day, `#` and a batch's number, or `now`."""
    return states.compare_moments(visit.session, before, after, kind=kind, department=department)
