"""The ledger of dedicated networks (业务专网): what remains, what stands in the way, what was closed, what does not add up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from govcloud.model.inventory import Inventory, Network
from govcloud.model.network_evidence import NetworkEvidence
from govcloud.model.regulation import Finding, Standing, TopicCoverage
from govcloud.model.text import Text

ExemptionState = Literal["founded", "lapsed", "unfounded"]
"""`founded`: basis, consenting body and document are on record and valid on the day; `lapsed`: they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A network that is to stay, and what that rests on."""

    state: ExemptionState
    missing: tuple[Text, ...] = ()
    """What the foundation lacks, piece by piece."""
    remarks: tuple[Text, ...] = ()
    """What is not demanded but worth a question, for example a consent without a last day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """When the systems will have left, by the newest plan."""

    planned: bool
    """There is a plan."""
    moving: tuple[str, ...] = ()
    """Ids of the systems that are in a wave, in the order of the waves."""
    unplanned: tuple[Text, ...] = ()
    """Systems that are in no wave, each with the reason."""
    wave: int | None = None
    """The last wave that one of `moving` is in."""
    on: date | None = None
    """Local date on which that wave opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemainingNetwork:
    """A dedicated network that still runs, with what stands in the way of closing it."""

    network: Network
    systems: tuple[str, ...] = ()
    """`id name` of the systems on it, by declaration or by the address of a server."""
    servers: tuple[str, ...] = ()
    """Names of servers on it that belong to no known system."""
    blockers: tuple[Text, ...] = ()
    """Empty for one that stays on good grounds."""
    closing: Closing
    exemption: Exemption | None = None
    """None: nobody asks for it to stay."""
    findings: tuple[Finding, ...] = ()
    """What the rules on dedicated networks say of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTotals:
    """Sums over what is known, and of how many networks it is not."""

    group: str | None
    """Department or target; None: not stated."""
    networks: int
    bandwidth_mbps: float
    bandwidth_unknown: int
    nodes: int
    nodes_unknown: int
    yearly_cost_yuan: float
    cost_unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTrend:
    """What became of the networks since a snapshot. Names are `id name`."""

    label: str
    then_on: date
    then: NetworkTotals
    now: NetworkTotals
    closed: tuple[str, ...]
    vanished: tuple[str, ...]
    """They ran then; now no witness speaks of them as dedicated networks, and no closing is recorded."""
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkClause:
    """A clause on dedicated networks and how it stands to the office."""

    clause_id: str
    standing: Standing
    obligation: Text
    consequence: Text | None
    funding: bool
    """It is about money."""


DifferenceWeight = Literal["contradiction", "gap", "information", "hint"]
DifferenceKind = Literal[
    "closed_but_seen", "closed_but_used", "closed_before_built", "consent_ends_before_it_starts", "classified_to_extranet",
    "overlap", "unlisted_network", "unlisted_address", "unlisted_block", "unknown_system", "unseen", "same_block",
    "nested", "not_looked", "no_prefix", "extranet_hint",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDifference:
    """Something that does not add up between what was declared of networks and what else is known."""

    kind: DifferenceKind
    weight: DifferenceWeight
    text: Text
    networks: tuple[str, ...] = ()
    """Network ids."""
    others: tuple[str, ...] = ()
    """Of an overlap: ids of the networks whose block holds `prefix`."""
    systems: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    """Server ids."""
    prefix: str | None = None
    """CIDR; of an overlap what both have in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLedger:
    """Everything the report of dedicated networks tells."""

    as_of: date
    rows: tuple[RemainingNetwork, ...]
    closed: tuple[Network, ...]
    """Dedicated networks that were closed by that day, the last one first."""
    by_department: tuple[NetworkTotals, ...]
    """Of what remains."""
    by_target: tuple[NetworkTotals, ...]
    total: NetworkTotals
    coverage: TopicCoverage
    """The clauses on dedicated networks here; `binding` is empty where there are none."""
    clauses: tuple[NetworkClause, ...]
    differences: tuple[NetworkDifference, ...]
    undeclared: tuple[NetworkEvidence, ...]
    """What hosts show of networks that nobody declared."""
    trend: NetworkTrend | None
    """None: there is no snapshot to compare with."""
    plan_id: str | None
    """The plan that the closing dates are taken from."""
    inventory: Inventory
