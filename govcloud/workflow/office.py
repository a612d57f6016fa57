"""What the office of a workspace works with: its regulations, its catalog, its day, its estate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from govcloud import resources
from govcloud.compliance import catalog_source
from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.calendar_source import load_calendar
from govcloud.compliance.load import load_packs, load_topics
from govcloud.errors import UsageError
from govcloud.model.catalog import Catalog
from govcloud.model.inventory import Inventory
from govcloud.model.observation import SubjectKind
from govcloud.model.regulation import Regulation
from govcloud.model.text import Text
from govcloud.store import inventory as inventory_store
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """What an office is measured by: its own pack first, then those of the levels above it."""

    packs: tuple[Regulation, ...]
    topics: dict[str, Text]
    calendar: WorkCalendar

    @property
    def own(self) -> Regulation:
        return self.packs[0]


def regulation_folders(workspace: Path | None = None) -> tuple[Path, ...]:
    """Where rule packs lie: ours, then the site's own in `WORKSPACE/regulations`, which count where both have one."""
    return (resources.folder("regulations"), *((workspace / "regulations",) if workspace else ()))


def load_rulebook(
    ids: Sequence[str], workspace: Path | None = None, limits: Mapping[str, float] | None = None
) -> Rulebook:
    """Raises UsageError for an unknown pack, InputError for a faulty one or an unknown limit.

    `workspace`/regulations adds packs, `workspace`/calendars adds and corrects years.
    """
    folders = regulation_folders(workspace)
    own_calendars = (workspace / "calendars",) if workspace else ()
    return Rulebook(
        packs=load_packs(folders, ids, limits),
        topics=load_topics(*folders),
        calendar=load_calendar(folders[0] / "calendars", *own_calendars),
    )


def office_rulebook(session: Session) -> Rulebook:
    settings = session.workspace.settings
    if not settings.jurisdiction:
        raise UsageError(
            Text("工作区没有设置法规", "The workspace names no regulations"),
            where="govcloud.yaml:jurisdiction",
            next_step=Text("写上法规包编号，例如 [SX19, SX17]", "Name rule packs there, for example [SX19, SX17]"),
        )
    return load_rulebook(settings.jurisdiction, session.workspace.path, settings.limits)


def office_catalog(session: Session, on: date | None = None) -> Catalog:
    """The office's catalog in the version in force on that day, by default today. `WORKSPACE/service_catalog` comes first.

    Raises UsageError for an unknown id, InputError for a catalog that does not add up.
    """
    workspace = session.workspace
    return catalog_source.load_catalog(
        resources.folder("service_catalog"), workspace.settings.catalog, on or today(session),
        own=workspace.path / "service_catalog",
    )  # fmt: skip


def today(session: Session) -> date:
    """The date in the office's own time zone."""
    return session.now().astimezone(ZoneInfo(session.workspace.settings.timezone)).date()


def load_estate(session: Session, kinds: Collection[SubjectKind] | None = None) -> Inventory:
    """`kinds`: only these, without conflicts and evidence; among them systems, networks and projects.

    Raises UsageError before the first import: an empty inventory would look like a clean one.
    """
    with session.store.read() as tx:
        inventory = inventory_store.load_inventory(tx) if kinds is None else inventory_store.load_part(tx, kinds)
    if not (inventory.systems or inventory.networks or inventory.projects):
        raise UsageError(
            Text("资产清单还是空的", "The inventory is still empty"),
            where=str(session.workspace.path),
            next_step=Text("先运行 govcloud import 普查表.xlsx", "Run govcloud import CENSUS.xlsx first"),
        )
    return inventory
