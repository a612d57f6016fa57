"""How the groups of a plan depend on each other: weak links and cut ties, summed up over their systems."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from govcloud.report.plan_index import PlanIndex

Kind = Literal["weak", "bridge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLink:
    source: str
    """Group id of the side that needs the other."""
    target: str
    kind: Kind
    """bridge: at least one of the ties was strong and has been cut."""
    ties: int


def find_links(index: PlanIndex) -> tuple[GroupLink, ...]:
    """In the order of group ids; ties inside a group or to systems that are not planned are none."""
    counts: Counter[tuple[str, str]] = Counter()
    cut = {
        (index.group_of.get(b.source_id, ""), index.group_of.get(b.target_id, "")) for b in index.plan.problem.bridges
    }
    known = {d for b in index.plan.problem.bridges for d in b.dependency_ids}
    for link in index.plan.problem.weak_links:
        if link.dependency_id not in known:
            counts[index.group_of.get(link.source_id, ""), index.group_of.get(link.target_id, "")] += 1
    for bridge in index.plan.problem.bridges:
        pair = index.group_of.get(bridge.source_id, ""), index.group_of.get(bridge.target_id, "")
        counts[pair] += max(1, len(bridge.dependency_ids))
    return tuple(
        GroupLink(source=source, target=target, kind="bridge" if (source, target) in cut else "weak", ties=ties)
        for (source, target), ties in sorted(counts.items())
        if source and target and source != target
    )
