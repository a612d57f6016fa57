"""The ledger of dedicated networks: what remains, reconciled, with the clauses, the plan and the last snapshot beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from govcloud.compliance.deadlines import standing
from govcloud.compliance.evaluate import build_coverage, evaluate
from govcloud.compliance.network_reconcile import build_differences
from govcloud.compliance.networks import (
    build_closed_networks,
    build_remaining_networks,
    build_totals,
    build_trend,
    sum_networks,
)
from govcloud.compliance.waivers import apply_waivers
from govcloud.discovery.links import build_network_evidence
from govcloud.discovery.merge import build_inventory
from govcloud.errors import UsageError
from govcloud.model.answers import Snapshot
from govcloud.model.inventory import Inventory, Network
from govcloud.model.network_evidence import NetworkEvidence
from govcloud.model.network_ledger import NetworkClause, NetworkLedger, NetworkTrend, RemainingNetwork
from govcloud.model.regulation import Finding, Regulation, TopicCoverage
from govcloud.model.text import Text
from govcloud.store import inventory as inventory_store
from govcloud.store import listing
from govcloud.store import plan as plan_store
from govcloud.store import snapshot as snapshot_store
from govcloud.store import waiver as waiver_store
from govcloud.workflow.office import Rulebook, load_estate, office_rulebook, today
from govcloud.workflow.session import Session
from govcloud.workflow.statements import site_precedence

_TOPIC = "dedicated_network"
_FUNDING = "funding"


def list_remaining(session: Session, as_of: date | None = None, since: str | None = None) -> NetworkLedger:
    """The ledger as of a day (today by default), compared with the snapshot `since` (by default the last one of that day).

    Raises UsageError before the first import and for an unknown snapshot.
    """
    inventory, rulebook = load_estate(session), office_rulebook(session)
    day = as_of or today(session)
    snapshot = _snapshot(session, day, since)
    with session.store.read() as tx:
        plan = plan_store.latest_plan(tx)
    packs = [pack for pack in rulebook.packs if pack.in_force(day)]
    coverage = build_coverage(packs, {_TOPIC: rulebook.topics[_TOPIC]}, rulebook.own)[0]
    evidence = build_network_evidence(inventory.networks, inventory.servers)
    rows = build_remaining_networks(
        inventory, day, findings=_findings(session, inventory, rulebook, day), plan=plan
    )  # fmt: skip
    remaining = [row.network for row in rows]
    return NetworkLedger(
        as_of=day,
        rows=rows,
        by_department=build_totals(remaining, lambda n: n.department),
        by_target=build_totals(remaining, lambda n: n.target),
        total=sum_networks(remaining),
        closed=build_closed_networks(inventory, day),
        coverage=coverage,
        clauses=_clauses(packs, rulebook.own, coverage),
        differences=build_differences(inventory, evidence, day),
        undeclared=tuple(e for e in evidence if e.undeclared),
        trend=_trend(session, snapshot, inventory, day) if snapshot else None,
        plan_id=plan.plan_id if plan else None,
        inventory=inventory,
    )


def remaining_networks(session: Session) -> tuple[RemainingNetwork, ...]:
    """The rows of today's ledger without what the rules say of them: all that a count or a drawing takes, in a tenth of the
    time. Raises UsageError before the first import."""
    found = load_estate(session, ("system", "network", "project"))
    on_them = {server_id for n in found.networks if n.kind == "dedicated" for server_id in n.servers}
    with session.store.read() as tx:
        plan = plan_store.latest_plan(tx)
        servers = tuple(e.entity for e in listing.load_entities(tx, "server", on_them))
    return build_remaining_networks(replace(found, servers=servers), today(session), plan=plan)


def undeclared_networks(inventory: Inventory) -> tuple[NetworkEvidence, ...]:
    """Tunnels, second legs, routes and gateways of hosts that no declared network covers."""
    found = build_network_evidence(inventory.networks, inventory.servers)
    return tuple(e for e in found if e.undeclared)


def _findings(session: Session, inventory: Inventory, rulebook: Rulebook, day: date) -> tuple[Finding, ...]:
    """What the rules on dedicated networks say on that day, with the waivers that are valid on it."""
    packs = tuple(
        replace(pack, rules=tuple(r for r in pack.rules if r.topic == _TOPIC and r.subject == "network"))
        for pack in rulebook.packs
    )
    # The evidence is for `check show`; reading it here would ask the database once a network and rule.
    checked = evaluate(Inventory(networks=inventory.networks), packs, {}, rulebook.calendar, day)
    with session.store.read() as tx:
        return apply_waivers(checked.findings, waiver_store.list_waivers(tx), day)


def _clauses(packs: list[Regulation], own: Regulation, coverage: TopicCoverage) -> tuple[NetworkClause, ...]:
    known = {c.clause_id: c for pack in packs for c in pack.clauses.values()}
    return tuple(
        NetworkClause(
            clause_id=clause_id,
            standing=standing((known[clause_id],), own.level),
            obligation=known[clause_id].obligation,
            consequence=known[clause_id].consequence,
            funding=_FUNDING in known[clause_id].topics,
        )
        for clause_id in (*coverage.binding, *coverage.reference)
    )


def _snapshot(session: Session, day: date, since: str | None) -> Snapshot | None:
    with session.store.read() as tx:
        snapshots = snapshot_store.list_snapshots(tx)
    if since is None:
        return next((s for s in reversed(snapshots) if _day(session, s) <= day), None)
    found = next((s for s in snapshots if s.label == since), None)
    if found is None:
        raise UsageError(
            Text("没有这个快照", "There is no such snapshot"),
            where=since,
            next_step=Text("查看 govcloud inventory snapshots", "See govcloud inventory snapshots"),
        )
    return found


def _trend(session: Session, snapshot: Snapshot, inventory: Inventory, day: date) -> NetworkTrend:
    before = _networks_of(session, snapshot)
    return build_trend(
        before, inventory.networks, label=snapshot.label, then_on=_day(session, snapshot), as_of=day
    )  # fmt: skip


def _networks_of(session: Session, snapshot: Snapshot) -> tuple[Network, ...]:
    """The networks of a snapshot, made again from what was said of networks alone: a trend needs nobody's addresses."""
    with session.store.read() as tx:
        _, of_networks = inventory_store.load_statements(tx, up_to=snapshot.batch_no, kind="network")
    return build_inventory(of_networks, site_precedence(session)).networks


def _day(session: Session, snapshot: Snapshot) -> date:
    return snapshot.at.astimezone(ZoneInfo(session.workspace.settings.timezone)).date()
