"""The merged inventory: made again from all observations, and looked up."""

from __future__ import annotations

from sqlalchemy import Connection

from govcloud.discovery.links import build_stray_routes
from govcloud.discovery.merge import build_inventory
from govcloud.model.ids import normalize
from govcloud.model.inventory import (
    Dependency,
    Inventory,
    Network,
    Project,
    Server,
    StrayRoute,
    System,
)
from govcloud.store import inventory as inventory_store
from govcloud.workflow.session import Session

Subject = System | Server | Network | Dependency | Project


def merge_inventory(session: Session, tx: Connection) -> Inventory:
    """Merge all observations anew and store the result, inside the caller's transaction.

    Every verb that adds observations calls it, and writes its ledger record in the same transaction.
    """
    inventory = build_inventory(inventory_store.observations(tx), session.workspace.settings.precedence)
    inventory_store.replace_inventory(tx, inventory)
    return inventory


def read_inventory(session: Session) -> Inventory:
    """The inventory as last merged; empty before the first import."""
    with session.store.read() as tx:
        return inventory_store.load_inventory(tx)


def stray_routes(inventory: Inventory) -> tuple[StrayRoute, ...]:
    """Routes to private prefixes that no declared network covers."""
    return build_stray_routes(inventory.networks, inventory.servers)


def find_subjects(inventory: Inventory, text: str) -> tuple[Subject, ...]:
    """Subjects whose id, name or address is the text; whatever the kind."""
    wanted = normalize(text)
    named: list[tuple[Subject, tuple[str, ...]]] = [
        *((s, (s.system_id, s.name)) for s in inventory.systems),
        *((s, (s.server_id, s.name, *s.addresses)) for s in inventory.servers),
        *((n, (n.network_id, n.name)) for n in inventory.networks),
        *((p, (p.project_id, p.name, p.number or "")) for p in inventory.projects),
        *((d, (d.dependency_id,)) for d in inventory.dependencies),
    ]
    return tuple(subject for subject, names in named if wanted in map(normalize, names))
