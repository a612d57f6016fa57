"""Loads the checklist of a takeover and says what of it is still open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from govcloud.errors import InputError
from govcloud.model.handover import Checklist, ChecklistItem, Evidence, Handover
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

DUAL_RUN = "dual_run"
CREDENTIALS = "credentials"


def load_checklist(path: Path) -> Checklist:
    """Raises InputError for a file of another shape or an item id met twice."""
    try:
        found = msgspec.convert(load_yaml(path), Checklist)
    except msgspec.ValidationError as error:
        raise InputError(
            Text("接管清单不合要求：{why}", "Not a valid takeover checklist: {why}").format(why=error), where=str(path)
        ) from None
    ids = [item.item_id for group in found.groups for item in group.items]
    if len(set(ids)) != len(ids):
        raise InputError(Text("清单项编号重复", "A checklist item is named twice"), where=str(path))
    return found


def evidence_in_force(handover: Handover) -> Mapping[str, Evidence]:
    """Item -> the newest evidence that no later refusal has made void."""
    refused = {item: refusal.at for refusal in handover.refusals for item in refusal.items}
    return {
        e.item_id: e
        for e in handover.evidence
        if e.item_id not in refused or e.at > refused[e.item_id]
    }  # fmt: skip


def is_done(item: ChecklistItem, handover: Handover) -> bool:
    if item.evidence == "rotation":
        return bool(handover.rotations) and handover.rotations[-1].ok
    return item.item_id in evidence_in_force(handover)


def open_items(
    checklist: Checklist, handover: Handover, *, groups: frozenset[str] | None = None
) -> list[ChecklistItem]:
    """Required items that are not done, in the checklist's order; those of the dual run only where one was agreed."""
    return [
        item
        for group in checklist.groups
        if groups is None or group.group_id in groups
        if group.group_id != DUAL_RUN or handover.dual_run_until is not None
        for item in group.items
        if item.required and not is_done(item, handover)
    ]


def paper_groups(checklist: Checklist) -> frozenset[str]:
    """Everything that is handed over before access changes hands."""
    return frozenset(g.group_id for g in checklist.groups) - {DUAL_RUN, CREDENTIALS}
