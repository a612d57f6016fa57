"""What one merge changed in the inventory. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from govcloud.model.collect import Change
from govcloud.model.inventory import Inventory
from govcloud.model.observation import SubjectKind

PARTS: tuple[tuple[SubjectKind, str], ...] = (
    ("system", "systems"), ("server", "servers"), ("network", "networks"), ("dependency", "dependencies"),
    ("project", "projects"), ("tenant", "tenants"), ("department", "departments"),
)  # fmt: skip
_ORDER = {kind: number for number, (kind, _) in enumerate(PARTS)}

Pair = tuple[SubjectKind, str, Any, Any]
"""(kind, id, as it was, as it is); None where there is none."""


def build_changes(pairs: Iterable[Pair]) -> tuple[Change, ...]:
    """Of pairs that differ: sorted by kind and id."""
    ordered = sorted(pairs, key=lambda p: (_ORDER[p[0]], p[1]))
    return tuple(_change(kind, subject_id, was, now) for kind, subject_id, was, now in ordered)


def build_difference(before: Inventory, after: Inventory) -> tuple[tuple[Change, ...], int]:
    """The changes from one inventory to another, and how many subjects are as they were."""
    pairs = list(_pairs(before, after))
    differing = [p for p in pairs if p[2] != p[3]]
    return build_changes(differing), len(pairs) - len(differing)


def _pairs(before: Inventory, after: Inventory) -> Iterator[Pair]:
    for kind, part in PARTS:
        old = {getattr(e, f"{kind}_id"): e for e in getattr(before, part)}
        new = {getattr(e, f"{kind}_id"): e for e in getattr(after, part)}
        for subject_id in old.keys() | new.keys():
            yield kind, subject_id, old.get(subject_id), new.get(subject_id)


def _change(kind: SubjectKind, subject_id: str, was: Any, now: Any) -> Change:
    either = now if now is not None else was
    name = getattr(either, "name", None) or f"{either.source_id} → {either.target_id}"
    if was is None or now is None:
        return Change(kind=kind, subject_id=subject_id, name=name, change="added" if was is None else "removed")
    fields = tuple(f.name for f in dataclasses.fields(now) if getattr(was, f.name) != getattr(now, f.name))
    return Change(kind=kind, subject_id=subject_id, name=name, change="changed", fields=fields)
