"""Who is planned, on which path, and who is not, each with its reason."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Set
from datetime import date

from govcloud.model.inventory import Dependency, Disposition, Inventory, System
from govcloud.model.plan_problem import Exclusion, Path
from govcloud.model.text import Text

_PATHS: Mapping[Disposition, Path] = {
    "rehost": "move", "replatform": "move", "refactor": "move",
    "consolidate": "consolidate", "replace": "replace", "retire": "retire",
}  # fmt: skip
ON_CLOUD = frozenset({"on_gov_cloud", "stopped"})
"""Codes of systems that nobody has to wait for: what needs them can move."""


def build_paths(inventory: Inventory, zombies: Set[str] = frozenset()) -> Mapping[str, Path]:
    """The path of every system that people have decided on or that simply moves; a confirmed zombie retires."""
    return {
        s.system_id: "retire" if s.system_id in zombies else _PATHS.get(s.disposition or "rehost", "move")
        for s in inventory.systems
    }


def build_exclusions(
    inventory: Inventory,
    strong: Iterable[Dependency],
    starts_on: date,
    *,
    zombies: Set[str] = frozenset(),
    incompatible: Mapping[str, Text] | None = None,
    platform_level: int | None = None,
    begun: Set[str] = frozenset(),
) -> tuple[Exclusion, ...]:
    """Systems that are not planned, sorted by id.

    `strong`: dependencies between systems that can't be parted. `incompatible`: why a system can't run on the cloud.
    `begun`: systems whose cutover is over although the rest of their plan is not; they stay in it.
    """
    paths = build_paths(inventory, zombies)
    excluded: dict[str, Exclusion] = {}
    for system in inventory.systems:
        path = paths[system.system_id]
        if system.system_id in begun:
            continue
        if (why := (incompatible or {}).get(system.system_id)) is not None:
            excluded[system.system_id] = _exclusion(system, "incompatible", why)
        elif (found := _reason(system, starts_on, path)) is not None:
            excluded[system.system_id] = _exclusion(system, *found)
        elif path in ("move", "consolidate") and _above(system, platform_level):
            excluded[system.system_id] = _exclusion(
                system, "platform_level", _ABOVE.format(a=platform_level, b=system.mlps_level)
            )
    _bind(inventory, strong, paths, excluded, begun)
    return tuple(excluded[key] for key in sorted(excluded))


def _bind(
    inventory: Inventory,
    strong: Iterable[Dependency],
    paths: Mapping[str, Path],
    excluded: dict[str, Exclusion],
    begun: Set[str],
) -> None:
    """What stays keeps those that are strongly bound to it; they keep theirs in turn."""
    names = {s.system_id: s.name for s in inventory.systems}
    bound: dict[str, set[str]] = {}
    for link in strong:
        bound.setdefault(link.source_id, set()).add(link.target_id)
        bound.setdefault(link.target_id, set()).add(link.source_id)
    todo = deque(sorted(s for s, e in excluded.items() if e.code not in ON_CLOUD))
    while todo:
        other = todo.popleft()
        for one in sorted(bound.get(other, ())):
            if one in names and one not in excluded and one not in begun and paths[one] == "move":
                excluded[one] = Exclusion(
                    system_id=one, name=names[one], code="bound", needs_answer=True,
                    reason=_BOUND.format(other=f"{other} {names[other]}"),
                )  # fmt: skip
                todo.append(one)


def _exclusion(system: System, code: str, reason: Text, needs_answer: bool = False) -> Exclusion:
    return Exclusion(system_id=system.system_id, name=system.name, code=code, reason=reason, needs_answer=needs_answer)


def _above(system: System, platform_level: int | None) -> bool:
    return platform_level is not None and system.mlps_level is not None and system.mlps_level > platform_level


def _reason(system: System, starts_on: date, path: Path) -> tuple[str, Text, bool] | None:
    """(code, why, whether a person has to answer first)."""
    if system.classified:
        return "classified", _CLASSIFIED, False
    if system.hosting == "gov_cloud":
        return "on_gov_cloud", Text("已在政务云上", "It is on the government cloud already"), False
    if system.lifecycle == "stopped" or (system.stopped_on is not None and system.stopped_on <= starts_on):
        return "stopped", Text("已停用", "It is stopped"), False
    if system.disposition == "retain" and path != "retire":
        return "retained", Text("已定为原地保留", "It is to stay where it is"), False
    if system.classified is None:
        return "classified_unknown", _CLASSIFIED_UNKNOWN, True
    if system.lifecycle in ("planned", "building"):
        return "not_running", _NOT_RUNNING, False
    if system.lifecycle == "idle" and system.disposition is None and path == "move":
        return "idle", _IDLE, True
    return None


_CLASSIFIED = Text("涉密系统，不得迁入政务云", "Classified: it never moves to the government cloud")
_CLASSIFIED_UNKNOWN = Text(
    "是否涉密不明，须由责任单位答复后再排期", "Unknown whether it is classified: its department must answer first"
)
_NOT_RUNNING = Text("尚未上线，应直接在政务云上建设", "Not running yet: build it on the cloud at once")
_IDLE = Text("基本无人使用，须先决定下线还是迁移", "Hardly used: first decide whether to retire it or move it")
_ABOVE = Text(
    "云平台定级备案为{a}级，低于系统的{b}级，不能承载",
    "The platform is filed at MLPS level {a}; the system is of level {b}",
)
_BOUND = Text(
    "与不迁移的 {other} 强依赖，不能单独迁走；请先解除强依赖或改为弱依赖",
    "It is strongly bound to {other}, which does not move; first part them or declare the dependency weak",
)
