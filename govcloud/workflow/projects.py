"""Project records and what the clauses want done by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from govcloud.compliance.deadlines import EVENTS, build_duties
from govcloud.compliance.load import pack_ids
from govcloud.compliance.project_deadlines import (
    build_office_deadlines,
    build_project_deadlines,
    build_undated_duties,
    sort_deadlines,
)
from govcloud.errors import UsageError
from govcloud.model.deadline import OPEN, Duty, ProjectDeadline, UndatedDuty
from govcloud.model.ids import normalize
from govcloud.model.inventory import Inventory, Project
from govcloud.model.regulation import Regulation
from govcloud.model.text import Text
from govcloud.settings import load_site, site_ids
from govcloud.store import inventory as inventory_store
from govcloud.workflow.office import Rulebook, load_estate, load_rulebook, office_rulebook, regulation_folders, today
from govcloud.workflow.session import Session

EVENT_IDS = tuple(EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    as_of: date
    own: Regulation
    rows: tuple[ProjectDeadline, ...]
    """Of the projects, by the clauses that bind the office."""
    office: tuple[ProjectDeadline, ...] = ()
    """Yearly duties of the office itself."""
    reference: tuple[ProjectDeadline, ...] = ()
    """By the clauses of a higher level that do not bind it."""
    undated: tuple[UndatedDuty, ...] = ()
    """Binding clauses without a number of days."""

    @property
    def overdue(self) -> bool:
        return any(row.status == "overdue" for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRecord:
    """One project with what its record covers and what it owes."""

    project: Project
    systems: dict[str, str | None]
    """Listed system -> its name; None: not in the inventory."""
    networks: dict[str, str | None]
    deadlines: Deadlines


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    event: str
    on: date
    own: Regulation
    binding: tuple[Duty, ...]
    """Empty: the office's documents have no clause about the event."""
    reference: tuple[Duty, ...]


def list_projects(session: Session, department: str | None = None) -> tuple[Project, ...]:
    """`department`: its name or a part of it."""
    return _of(_projects(session), department)


def list_deadlines(
    session: Session, as_of: date | None = None, *, department: str | None = None, within: int | None = None
) -> Deadlines:
    """Dated duties of every project, by the clauses that bind the office and by those for reference.

    `department`: its name or a part of it; the duties of the office itself are left out then. `within`: only what is
    open, and of that what is due in so many days; overdue, undetermined and contradictory ones stay.
    """
    return _deadlines(session, _of(_projects(session), department), as_of, within, office=not department)


def show_project(session: Session, name: str, as_of: date | None = None) -> ProjectRecord:
    """By id, number or name. Raises UsageError where that is none, or more than one."""
    inventory = load_estate(session, ("system", "network", "project"))
    project = _find(inventory, name)
    systems = {s.system_id: s.name for s in inventory.systems}
    networks = {n.network_id: n.name for n in inventory.networks}
    return ProjectRecord(
        project=project,
        systems={listed: systems.get(listed) for listed in project.systems},
        networks={listed: networks.get(listed) for listed in project.networks},
        deadlines=_deadlines(session, (project,), as_of, None, office=False),
    )


def _projects(session: Session) -> tuple[Project, ...]:
    """Without the rest of the inventory; where there is no project, load_estate says whether there is any inventory."""
    with session.store.read() as tx:
        found = inventory_store.load_part(tx, ["project"]).projects
    return found or load_estate(session, ("system", "network", "project")).projects


def _of(projects: tuple[Project, ...], department: str | None) -> tuple[Project, ...]:
    wanted = normalize(department or "")
    return tuple(p for p in projects if wanted in normalize(p.department or ""))


def _deadlines(
    session: Session, projects: tuple[Project, ...], as_of: date | None, within: int | None, *, office: bool
) -> Deadlines:
    rulebook = office_rulebook(session)
    packs, level, day = rulebook.packs, rulebook.own.level, as_of or today(session)
    rows = build_project_deadlines(projects, packs, rulebook.calendar, level, day)
    own = build_office_deadlines(packs, level, day) if office else ()
    if within is not None:
        rows, own = due_within(rows, within), due_within(own, within)
    undated = build_undated_duties(projects, packs, level, day)
    return Deadlines(
        as_of=day,
        own=rulebook.own,
        rows=tuple(r for r in rows if r.duty.standing == "binding"),
        office=tuple(r for r in own if r.duty.standing == "binding"),
        reference=sort_deadlines(r for r in (*rows, *own) if r.duty.standing == "reference"),
        undated=tuple(d for d in undated if d.standing == "binding"),
    )


def due_within(rows: tuple[ProjectDeadline, ...], days: int) -> tuple[ProjectDeadline, ...]:
    """What is open, and of that what is due in so many days; overdue, undetermined and contradictory ones stay."""
    return tuple(r for r in rows if r.status in OPEN and (r.days_left is None or r.days_left <= days))


def _find(inventory: Inventory, name: str) -> Project:
    wanted = normalize(name)
    by_id = [p for p in inventory.projects if wanted in (normalize(p.project_id), normalize(p.number or ""))]
    found = by_id or [p for p in inventory.projects if normalize(p.name) == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        ids = Text("用编号指明：{ids}", "Name it by id: {ids}").format(ids=", ".join(p.project_id for p in found))
        raise UsageError(Text("有几个项目都叫这个", "Several projects are called that"), where=name, next_step=ids)
    raise UsageError(
        Text("没有这个项目", "No such project"),
        where=name,
        next_step=Text("govcloud projects list 列出全部项目", "govcloud projects list shows all of them"),
    )


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


def jurisdiction_rulebook(name: str, workspace: Path | None = None) -> Rulebook:
    """By the id of a rule pack (SX19) or of a site (shanxi). `workspace` adds its own packs and calendars.

    Raises UsageError for another name.
    """
    packs = {pack_id.casefold(): pack_id for pack_id in pack_ids(*regulation_folders(workspace))}
    wanted = name.casefold()
    if wanted in packs:
        return load_rulebook([packs[wanted]], workspace)
    if wanted in site_ids():
        return load_rulebook(load_site(wanted).jurisdiction, workspace)
    raise UsageError(
        Text("没有这个法规包或站点", "No such rule pack or site"),
        where=name,
        next_step=Text("可选：{known}", "Choose one of: {known}").format(
            known=", ".join((*packs.values(), *site_ids()))
        ),
    )
