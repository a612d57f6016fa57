"""One network with what is on it: systems, their servers, and, of a dedicated one, where it is to go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from govcloud.compliance.networks import remains
from govcloud.model.inventory import Network
from govcloud.model.network_ledger import Closing, RemainingNetwork
from govcloud.model.server import Server
from govcloud.store import listing
from govcloud.workflow.kept import kept
from govcloud.workflow.lists import system_heads
from govcloud.workflow.networks import remaining_networks
from govcloud.workflow.office import today
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStory:
    row: RemainingNetwork
    """Of a network that is not dedicated or was closed: only who is on it."""
    remains: bool
    """A dedicated network that was not closed."""
    servers: Mapping[str, tuple[Server, ...]]
    """`id name` of a system on the network, or empty for no known one -> its servers there."""


def kept_networks(session: Session) -> tuple[RemainingNetwork, ...]:
    return kept(session, "remaining networks", remaining_networks, kinds=("plan",)).value


def read_network(session: Session, network: Network) -> NetworkStory:
    systems = system_heads(session).all
    there = remains(network, today(session))
    row = (
        next((r for r in kept_networks(session) if r.network.network_id == network.network_id), None) if there else None
    )
    with session.store.read() as tx:
        found = {e.entity_id: e.entity for e in listing.load_entities(tx, "server", network.servers)}
    claimed = {server_id for head in systems for server_id in head.servers}
    if row is None:
        row = RemainingNetwork(
            network=network, closing=Closing(planned=False),
            systems=tuple(f"{h.system_id} {h.name}" for h in systems if network.network_id in h.networks),
            servers=tuple(s.name for i, s in found.items() if i not in claimed),
        )  # fmt: skip
    on_it = set(row.systems)
    servers = {
        label: tuple(found[i] for i in head.servers if i in found)
        for head in systems if (label := f"{head.system_id} {head.name}") in on_it
    }  # fmt: skip
    servers[""] = tuple(s for i, s in found.items() if i not in claimed)
    return NetworkStory(row=row, remains=there, servers=servers)
