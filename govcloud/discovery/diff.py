"""What one merge changed in the inventory. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from govcloud.model.collect import Change
from govcloud.model.inventory import Inventory, SubjectKind

_PARTS: tuple[tuple[SubjectKind, str], ...] = (
    ("system", "systems"), ("server", "servers"), ("network", "networks"),
    ("dependency", "dependencies"), ("project", "projects"), ("department", "departments"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    changes: tuple[Change, ...]
    unchanged: int


def build_difference(before: Inventory, after: Inventory) -> Difference:
    changes: list[Change] = []
    unchanged = 0
    for kind, part in _PARTS:
        old = {getattr(e, f"{kind}_id"): e for e in getattr(before, part)}
        new = {getattr(e, f"{kind}_id"): e for e in getattr(after, part)}
        for subject_id in sorted(old.keys() | new.keys()):
            was, now = old.get(subject_id), new.get(subject_id)
            if was == now:
                unchanged += 1
                continue
            changes.append(_change(kind, subject_id, was, now))
    return Difference(changes=tuple(changes), unchanged=unchanged)


def _change(kind: SubjectKind, subject_id: str, was: Any, now: Any) -> Change:
    either = now if now is not None else was
    name = getattr(either, "name", None) or f"{either.source_id} → {either.target_id}"
    if was is None or now is None:
        return Change(kind=kind, subject_id=subject_id, name=name, change="added" if was is None else "removed")
    fields = tuple(f.name for f in dataclasses.fields(now) if getattr(was, f.name) != getattr(now, f.name))
    return Change(kind=kind, subject_id=subject_id, name=name, change="changed", fields=fields)
