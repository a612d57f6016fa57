"""Dedicated networks that remain, with the clauses that want them merged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from govcloud.compliance.evaluate import build_coverage
from govcloud.compliance.networks import build_remaining_networks
from govcloud.discovery.links import build_network_evidence
from govcloud.model.inventory import Inventory
from govcloud.model.network_evidence import NetworkEvidence
from govcloud.model.network_ledger import RemainingNetwork
from govcloud.model.regulation import TopicCoverage
from govcloud.workflow.office import load_estate, office_rulebook, today
from govcloud.workflow.session import Session

_TOPIC = "dedicated_network"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemainingNetworks:
    as_of: date
    rows: tuple[RemainingNetwork, ...]
    coverage: TopicCoverage
    """The clauses on dedicated networks here; `binding` is empty where there are none."""
    inventory: Inventory
    undeclared: tuple[NetworkEvidence, ...]
    """What hosts show of networks that nobody declared."""


def list_remaining(session: Session, as_of: date | None = None) -> RemainingNetworks:
    """Raises UsageError before the first import."""
    inventory, rulebook = load_estate(session), office_rulebook(session)
    day = as_of or today(session)
    packs = [pack for pack in rulebook.packs if pack.in_force(day)]
    coverage = build_coverage(packs, {_TOPIC: rulebook.topics[_TOPIC]}, rulebook.own)[0]
    return RemainingNetworks(
        as_of=day, rows=build_remaining_networks(inventory, coverage.binding, day), coverage=coverage, inventory=inventory,
        undeclared=undeclared_networks(inventory),
    )  # fmt: skip


def undeclared_networks(inventory: Inventory) -> tuple[NetworkEvidence, ...]:
    """Tunnels, second legs, routes and gateways of hosts that no declared network covers."""
    found = build_network_evidence(inventory.networks, inventory.servers)
    return tuple(e for e in found if e.undeclared)
