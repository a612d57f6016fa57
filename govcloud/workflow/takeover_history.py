"""Who maintained what, since when, by which takeover, until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from govcloud.errors import UsageError
from govcloud.model.answers import Query, Said
from govcloud.model.ids import normalize
from govcloud.model.maintenance import MaintenancePeriod
from govcloud.model.text import Text
from govcloud.store import listing
from govcloud.store.listing import StoredEntity
from govcloud.workflow.session import Session

_PLACE = "handover/"
"""Place of the statement that a signed takeover makes (workflow.takeover), before the takeover's id."""


def list_maintenance(
    session: Session, system: str | None = None, *, unit: str | None = None
) -> tuple[MaintenancePeriod, ...]:
    """By system, oldest first. `system`: id or name; `unit`: all that this unit maintains or did.

    Raises UsageError for a system that the inventory doesn't have.
    """
    with session.store.read() as tx:
        if system is None:
            ids = [s.system_id for s in listing.list_entities(tx, "system", Query())[0]]
        else:
            ids = [found for kind, found in listing.find_entities(tx, system) if kind == "system"]
        if system is not None and not ids:
            raise UsageError(
                Text("清单里没有这个系统", "The inventory has no such system"),
                where=system,
                next_step=Text("用 govcloud inventory systems 查看编号", "govcloud inventory systems shows the ids"),
            )
        entities = {e.entity_id: e for e in listing.load_entities(tx, "system", ids)}
        owner = {raw: e.entity_id for e in entities.values() for raw in _ids(e)}
        said: dict[str, list[Said]] = {entity_id: [] for entity_id in entities}
        for one in listing.load_said(tx, "system", owner):
            said[owner[one.statement.subject_id]].append(one)
    found = [p for entity_id, entity in entities.items() for p in build_periods(entity.entity, said[entity_id])]
    wanted = normalize(unit) if unit is not None else None
    return tuple(p for p in found if wanted is None or normalize(p.unit) == wanted)


def _ids(entity: StoredEntity) -> set[str]:
    return {entity.entity_id, *(i for m in entity.members for i in (m.subject_id, m.with_id))}


def build_periods(system: Any, said: Iterable[Said]) -> Sequence[MaintenancePeriod]:
    """A takeover or a person's word is not undone by a form that was filled in without knowing of it."""
    periods: list[MaintenancePeriod] = []
    known_by_person = False
    for one in sorted(_telling(said), key=lambda s: (s.statement.observed_at, s.number)):
        statement = one.statement
        by_person = statement.source == "person"
        unit = str(statement.values["maintained_by"]).strip()
        handover = statement.place.removeprefix(_PLACE) if statement.place.startswith(_PLACE) else None
        last = periods[-1] if periods else None
        same = last is not None and normalize(last.unit) == normalize(unit) and handover is None
        if same or (known_by_person and not by_person):
            known_by_person |= by_person
            continue
        known_by_person = by_person
        if last is not None:
            periods[-1] = replace(last, until=statement.observed_at)
        periods.append(MaintenancePeriod(
            system_id=system.system_id, system_name=system.name, unit=unit, since=statement.observed_at,
            handover_id=handover, source=statement.locator("maintained_by"), actor=one.actor,
        ))  # fmt: skip
    if periods:
        periods[-1] = replace(periods[-1], contract_ends_on=system.maintenance_ends_on)
    return periods


def _telling(said: Iterable[Said]) -> Iterator[Said]:
    """What a person took back was never so; what a later version of a file no longer says was so at its time."""
    for one in said:
        if one.statement.values.get("maintained_by") and not (one.withdrawn and one.statement.source == "person"):
            yield one
