"""Who is planned and who is not, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from govcloud.model.inventory import Dependency, Disposition, Inventory, System
from govcloud.model.plan import Exclusion
from govcloud.model.text import Text

_MOVING: tuple[Disposition, ...] = ("rehost", "replatform", "refactor", "consolidate")
_DISPOSITIONS: Mapping[Disposition, Text] = {
    "retire": Text("已定为下线", "It is to be retired"),
    "retain": Text("已定为原地保留", "It is to stay where it is"),
    "replace": Text("已定为由其他系统替代，不迁移", "It is to be replaced by another system, not moved"),
}
# These go on running where they are; whatever is strongly bound to them can't leave alone.
_STAYING = {"classified", "classified_unknown", "idle", "not_running", "bound"}


def build_exclusions(inventory: Inventory, links: Iterable[Dependency], starts_on: date) -> tuple[Exclusion, ...]:
    """Systems that are not planned, sorted by id. `links` are dependencies between systems."""
    excluded = {s.system_id: e for s in inventory.systems if (e := _exclusion(s, starts_on)) is not None}
    strong = [d for d in links if d.strength == "strong"]
    names = {s.system_id: s.name for s in inventory.systems}
    grown = True
    while grown:
        grown = False
        for link in strong:
            for one, other in ((link.source_id, link.target_id), (link.target_id, link.source_id)):
                stays = other in excluded and (
                    excluded[other].code in _STAYING
                    or (excluded[other].code == "disposition" and _retained(inventory, other))
                )
                if stays and one in names and one not in excluded:
                    excluded[one] = _bound(one, names[one], excluded[other])
                    grown = True
    return tuple(excluded[key] for key in sorted(excluded))


def _retained(inventory: Inventory, system_id: str) -> bool:
    system = inventory.system(system_id)
    return system is not None and system.disposition == "retain"


def _bound(system_id: str, name: str, other: Exclusion) -> Exclusion:
    return Exclusion(
        system_id=system_id, name=name, code="bound", needs_answer=True,
        reason=Text(
            "与不迁移的 {other} 强依赖，不能单独迁走；请先解除强依赖或改为弱依赖",
            "It is strongly bound to {other}, which does not move; first part them or declare the dependency weak",
        ).format(other=f"{other.system_id} {other.name}"),
    )  # fmt: skip


def _exclusion(system: System, starts_on: date) -> Exclusion | None:
    found = _reason(system, starts_on)
    if found is None:
        return None
    code, reason, needs_answer = found
    return Exclusion(system_id=system.system_id, name=system.name, code=code, reason=reason, needs_answer=needs_answer)


def _reason(system: System, starts_on: date) -> tuple[str, Text, bool] | None:
    if system.classified:
        return (
            "classified",
            Text("涉密系统，不得迁入政务云", "Classified: it never moves to the government cloud"),
            False,
        )
    if system.hosting == "gov_cloud":
        return "on_gov_cloud", Text("已在政务云上", "It is on the government cloud already"), False
    if system.lifecycle == "stopped" or (system.stopped_on is not None and system.stopped_on <= starts_on):
        return "stopped", Text("已停用", "It is stopped"), False
    if system.disposition is not None and system.disposition in _DISPOSITIONS:
        return "disposition", _DISPOSITIONS[system.disposition], False
    if system.classified is None:
        reason = Text("是否涉密不明，须由责任单位答复后再排期",
                      "Unknown whether it is classified: its department must answer first")  # fmt: skip
        return "classified_unknown", reason, True
    if system.lifecycle in ("planned", "building"):
        return (
            "not_running",
            Text("尚未上线，应直接在政务云上建设", "Not running yet: build it on the cloud at once"),
            False,
        )
    if system.lifecycle == "idle" and system.disposition not in _MOVING:
        reason = Text("基本无人使用，须先决定下线还是迁移", "Hardly used: first decide whether to retire it or move it")
        return "idle", reason, True
    return None
