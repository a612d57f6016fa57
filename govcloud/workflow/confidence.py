"""How far the inventory's facts can be relied on, system by system."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.discovery.confidence import build_confidence
from govcloud.model.answers import Confidence
from govcloud.model.inventory import Inventory
from govcloud.store import listing
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import Session


def read_confidence(session: Session, inventory: Inventory | None = None) -> Mapping[str, Confidence]:
    """System id -> its score with its parts. `inventory`: the stored one, where the caller has read it already."""
    found = inventory or read_inventory(session)
    with session.store.read() as tx:
        witnesses = listing.load_witnesses(tx)
    return build_confidence(
        found, witnesses, now=session.now(), stale_days=session.workspace.settings.stale_days
    )  # fmt: skip
