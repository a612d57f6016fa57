"""Project records and what the clauses want done by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from govcloud import resources
from govcloud.compliance.deadlines import EVENTS, build_duties, build_project_deadlines
from govcloud.compliance.load import pack_ids
from govcloud.errors import UsageError
from govcloud.model.deadline import Duty, ProjectDeadline
from govcloud.model.inventory import Project
from govcloud.model.regulation import Regulation
from govcloud.model.text import Text
from govcloud.settings import load_site, site_ids
from govcloud.workflow.office import Rulebook, load_estate, load_rulebook, office_rulebook, today
from govcloud.workflow.session import Session

EVENT_IDS = tuple(EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    as_of: date
    own: Regulation
    rows: tuple[ProjectDeadline, ...]

    @property
    def overdue(self) -> bool:
        return any(row.status == "overdue" for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    event: str
    on: date
    own: Regulation
    binding: tuple[Duty, ...]
    """Empty: the office's documents have no clause about the event."""
    reference: tuple[Duty, ...]


def list_projects(session: Session) -> tuple[Project, ...]:
    return load_estate(session).projects


def list_deadlines(session: Session, as_of: date | None = None) -> Deadlines:
    """Dated duties of every project, by the clauses that bind the office."""
    inventory, rulebook = load_estate(session), office_rulebook(session)
    day = as_of or today(session)
    rows = build_project_deadlines(inventory.projects, rulebook.packs, rulebook.calendar, rulebook.own.level, day)
    return Deadlines(as_of=day, own=rulebook.own, rows=tuple(r for r in rows if r.duty.standing == "binding"))


def find_duties(event: str, on: date, rulebook: Rulebook) -> Duties:
    """Who must do what by when after `event` happened on that day."""
    duties = build_duties(event, on, rulebook.packs, rulebook.calendar, rulebook.own.level)
    return Duties(
        event=event,
        on=on,
        own=rulebook.own,
        binding=tuple(d for d in duties if d.standing == "binding"),
        reference=tuple(d for d in duties if d.standing == "reference"),
    )


def jurisdiction_rulebook(name: str) -> Rulebook:
    """By the id of a rule pack (SX19) or of a site (shanxi); needs no workspace. Raises UsageError for another name."""
    packs = {pack_id.casefold(): pack_id for pack_id in pack_ids(resources.folder("regulations"))}
    wanted = name.casefold()
    if wanted in packs:
        return load_rulebook([packs[wanted]])
    if wanted in site_ids():
        return load_rulebook(load_site(wanted).jurisdiction)
    raise UsageError(
        Text("没有这个法规包或站点", "No such rule pack or site"),
        where=name,
        next_step=Text("可选：{known}", "Choose one of: {known}").format(
            known=", ".join((*packs.values(), *site_ids()))
        ),
    )
