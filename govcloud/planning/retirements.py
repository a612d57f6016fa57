"""Dedicated networks that close when their systems have left them, and systems whose data goes into another system."""

from __future__ import annotations

from collections.abc import Mapping, Set

from govcloud.model.ids import normalize
from govcloud.model.inventory import Inventory
from govcloud.model.plan_problem import MoveTask, NetworkRetirement
from govcloud.planning.tasks import Estate


def build_retirements(
    inventory: Inventory, estate: Estate, group_of: Mapping[str, str], excluded: Set[str]
) -> tuple[NetworkRetirement, ...]:
    """Dedicated networks in use that are not to be kept and of which some system is known, sorted by id.

    A system on the government cloud or stopped does not hold its old network open.
    """
    on: dict[str, list[str]] = {}
    for system_id in sorted(estate.networks):
        for network_id in estate.networks[system_id]:
            on.setdefault(network_id, []).append(system_id)
    systems = {s.system_id: s for s in inventory.systems}
    found = []
    for network in sorted(inventory.networks, key=lambda n: n.network_id):
        here = on.get(network.network_id, [])
        groups = sorted({group_of[s] for s in here if s in group_of})
        if network.kind != "dedicated" or network.closed_on is not None or network.target == "keep" or not here:
            continue
        staying = [
            s for s in here
            if s in excluded and s in systems and systems[s].lifecycle != "stopped" and systems[s].hosting != "gov_cloud"
        ]  # fmt: skip
        found.append(
            NetworkRetirement(
                network_id=network.network_id, name=network.name, department=network.department,
                group_ids=tuple(groups), staying=tuple(staying), due_on=network.target_on,
            )
        )  # fmt: skip
    return tuple(found)


def merges_into(inventory: Inventory, tasks: Mapping[str, MoveTask], group_of: Mapping[str, str]) -> Mapping[str, str]:
    """Group that merges -> group that its data goes into, where `replaced_by` names a system that moves in this plan."""
    known = {key: s.system_id for s in inventory.systems for key in (normalize(s.name), normalize(s.system_id))}
    found: dict[str, str] = {}
    for system in sorted(inventory.systems, key=lambda s: s.system_id):
        task = tasks.get(system.system_id)
        target = tasks.get(known.get(normalize(system.replaced_by or ""), ""))
        if task is not None and task.path == "consolidate" and target is not None and target.path == "move":
            found.setdefault(group_of[system.system_id], group_of[target.system_id])
    return found
