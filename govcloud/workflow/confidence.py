"""How far the inventory's facts can be relied on, system by system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from govcloud.discovery.confidence import Witnesses, build_confidence, build_scores
from govcloud.model.answers import Confidence
from govcloud.model.inventory import Inventory
from govcloud.store import listing
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import Session


class _Behind(TypedDict):
    witnesses: Witnesses
    now: datetime
    stale_days: int


def read_confidence(session: Session, inventory: Inventory | None = None) -> Mapping[str, Confidence]:
    """System id -> its score with its parts. `inventory`: the stored one, where the caller has read it already."""
    found = inventory or read_inventory(session)
    return build_confidence(found, **_behind(session))


def read_scores(session: Session, inventory: Inventory) -> Mapping[str, int]:
    """System id -> its score alone."""
    return build_scores(inventory, **_behind(session))


def _behind(session: Session) -> _Behind:
    with session.store.read() as tx:
        witnesses = listing.load_witnesses(tx)
    return {"witnesses": witnesses, "now": session.now(), "stale_days": session.workspace.settings.stale_days}
