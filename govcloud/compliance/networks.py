"""Dedicated networks that are still there, who is on them, and what stands in the way of closing them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from govcloud.model.inventory import Inventory, Network, System
from govcloud.model.network_ledger import RemainingNetwork
from govcloud.model.text import Text


def build_remaining_networks(inventory: Inventory, clauses: Sequence[str], as_of: date) -> tuple[RemainingNetwork, ...]:
    """Every dedicated network that was not closed by that day, by department. `clauses`: what demands the merge here."""
    remaining = [
        _remaining(network, inventory, tuple(clauses), as_of)
        for network in inventory.networks
        if network.kind == "dedicated" and (network.closed_on is None or network.closed_on > as_of)
    ]
    return tuple(sorted(remaining, key=lambda n: (n.department or "", n.network_id)))


def _remaining(network: Network, inventory: Inventory, clauses: tuple[str, ...], as_of: date) -> RemainingNetwork:
    on_it = systems_on(network, inventory)
    claimed = {server_id for system in inventory.systems for server_id in system.servers}
    orphans = tuple(s.name for s in inventory.servers if s.server_id in network.servers and s.server_id not in claimed)
    consent = "，".join(part for part in (network.consent_body, network.consent_document) if part)
    return RemainingNetwork(
        network_id=network.network_id,
        name=network.name,
        department=network.department,
        carrier=network.carrier,
        bandwidth_mbps=network.bandwidth_mbps,
        yearly_cost_yuan=network.yearly_cost_yuan,
        contract_ends_on=network.contract_ends_on,
        legal_basis=network.legal_basis,
        consent=consent or None,
        systems=tuple(f"{s.system_id} {s.name}" for s in on_it),
        servers=orphans,
        blockers=_blockers(network, on_it, orphans, as_of),
        target=network.target,
        target_on=network.target_on,
        clauses=clauses,
    )


def systems_on(network: Network, inventory: Inventory) -> tuple[System, ...]:
    """Systems that name the network, or one of whose servers is on it."""
    named = {network.network_id, network.name}
    here = set(network.servers)
    return tuple(s for s in inventory.systems if named & set(s.networks) or here & set(s.servers))


def _blockers(network: Network, on_it: Sequence[System], orphans: Sequence[str], as_of: date) -> tuple[Text, ...]:
    found = [
        Text("系统 {s} 尚未迁离", "System {s} has not moved off").format(s=f"{s.system_id} {s.name}")
        for s in on_it
        if s.lifecycle != "stopped"
    ]
    if orphans:
        found.append(
            Text(
                "服务器 {s} 不属于任何已知系统，先查清用途", "No known system owns server {s}: find out what it does"
            ).format(s=", ".join(orphans))
        )
    if network.target is None:
        found.append(Text("归并去向未确定", "No target is decided"))
    if network.target == "keep" or (network.legal_basis and network.consent_document):
        found.append(
            Text(
                "登记为保留，须复核依据和同意文件是否仍然有效",
                "Registered to stay: check that basis and consent still hold",
            )
        )
    if network.contract_ends_on is not None and network.contract_ends_on > as_of:
        found.append(
            Text("线路合同至 {day}", "The line contract runs until {day}").format(
                day=network.contract_ends_on.isoformat()
            )
        )
    return tuple(found)
