"""Projects: the whole record of each, and their statutory deadlines."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.responses import Response

from govcloud.model.deadline import ProjectDeadline
from govcloud.model.text import Text
from govcloud.report import projects as views
from govcloud.report.project_record import build_record_views
from govcloud.report.timeline import build_log_view
from govcloud.report.view import View, filled
from govcloud.web.door import DoorFirst, Reading
from govcloud.web.ledger_pages import linked_log
from govcloud.web.paging import Paging, page_number
from govcloud.web.visit import Visit
from govcloud.workflow import projects as workflow
from govcloud.workflow.kept import kept
from govcloud.workflow.timeline import Wanted, read_timeline, record_titles

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
_OF_PROJECT = frozenset({"project_id", "name", "department"})
_DEPARTMENT = Text("部门", "Department")
_WITHIN = [(str(n), Text("{n} 天内", "within {n} days").format(n=n)) for n in (0, 7, 30, 90)]


def _asked(visit: Visit, name: str) -> str:
    return visit.request.query_params.get(name, "")[:200].strip()


@router.get("/projects")
def projects(visit: Reading) -> Response:
    department = _asked(visit, "department")
    found = (
        workflow.list_projects(visit.session, department)
        if department
        else kept(visit.session, "projects", workflow.list_projects).value
    )
    paging = Paging(
        number=page_number(_asked(visit, "page")), total=len(found),
        query={"department": department} if department else {},
    )  # fmt: skip
    shown = found if _asked(visit, "as") else found[paging.offset : paging.offset + paging.rows]
    filters = ({"name": "department", "label": _DEPARTMENT, "value": department},)
    links = ((Text("法定期限", "Deadlines"), "/deadlines"),)
    intro = Text("共 {n} 个项目", "{n} projects").format(n=len(found))
    view = views.build_projects_view(shown)
    if not _asked(visit, "as"):
        view = filled(replace(view, notes=()))
    return visit.views(
        Text("项目", "Projects"), view, paging=paging, intro=intro, filters=filters,
        links=links,
    )  # fmt: skip


@router.get("/deadlines")
def deadlines(visit: Reading) -> Response:
    department, within = _asked(visit, "department"), _asked(visit, "within")
    found = _deadlines(visit)
    paging = Paging(
        number=page_number(_asked(visit, "page")), total=len(found.rows),
        query={name: value for name, value in (("department", department), ("within", within)) if value},
    )  # fmt: skip
    part = None if _asked(visit, "as") else found.rows[paging.offset : paging.offset + paging.rows]
    shown = [views.build_deadlines_view(found.rows, found.own, found.as_of, undated=found.undated, shown=part)]
    if part is not None:
        shown = [_read(shown[0])]
    if found.office and paging.number == 1:
        shown.append(views.build_office_view(found.office, found.own))
    filters = (
        {"name": "department", "label": _DEPARTMENT, "value": department},
        {"name": "within", "label": Text("到期", "Due"), "value": within, "choices": _WITHIN},
    )
    calendar = f"/deadlines/calendar?{urlencode(paging.query)}"
    links = (
        (Text("项目", "Projects"), "/projects"),
        (Text("下载日历（.ics）", "Download the calendar (.ics)"), calendar),
    )
    return visit.views(Text("法定期限", "Deadlines"), *shown, paging=paging, filters=filters, links=links)


def _deadlines(visit: Visit) -> workflow.Deadlines:
    department, asked = _asked(visit, "department"), _asked(visit, "within")
    within = int(asked) if asked in dict(_WITHIN) else None
    if department:
        return workflow.list_deadlines(visit.session, department=department, within=within)
    found = kept(visit.session, "deadlines", workflow.list_deadlines).value
    if within is None:
        return found
    rows, office = (workflow.due_within(listed, within) for listed in (found.rows, found.office))
    return replace(found, rows=rows, office=office)


def _linked(view: View) -> View:
    """Known systems and networks lead to their pages."""
    if view.name != "covers":
        return view
    pages = {"system": "/systems/{}", "network": "/networks/{}"}
    rows = ({**row, "id/page": pages[row["kind"].code] if row["known"] else None} for row in view.rows)  # type: ignore[union-attr]
    return replace(view, rows=tuple(rows))


def _read(view: View, *without: str) -> View:
    """For eyes: the status tells the days that are left, and that a date is provisional is said where one is."""
    certain = not any(row.get("provisional") for row in view.rows)
    return filled(view, without=(*without, "days_left", *(["provisional"] if certain else [])))


@router.get("/deadlines/calendar")
def calendar(visit: Reading) -> Response:
    """What is open, for a desk calendar."""
    found = _deadlines(visit)
    return _calendar(visit, (*found.rows, *found.office), found, "deadlines")


def _calendar(visit: Visit, rows: tuple[ProjectDeadline, ...], found: workflow.Deadlines, name: str) -> Response:
    from govcloud.report.ics import render_ics  # a library that no other page waits for

    session = visit.session
    site = session.workspace.settings.site
    made = render_ics(rows, found.own, site=site, now=session.now(), lang=visit.lang)
    headers = {"Content-Disposition": f'attachment; filename="{name}.ics"'}
    return Response(made, media_type="text/calendar; charset=utf-8", headers=headers)


@router.get("/projects/{project_id}")
def project(visit: Reading, project_id: str) -> Response:
    found = workflow.show_project(visit.session, project_id)
    due, name = found.deadlines, found.project.project_id
    owed = views.build_deadlines_view(due.rows, due.own, due.as_of, undated=due.undated)
    log = read_timeline(visit.session, Wanted(project=name), limit=20)
    address = quote(name, safe="")
    links = (
        (Text("下载日历（.ics）", "Download the calendar (.ics)"), f"/projects/{address}/calendar"),
        (Text("台账全部记录", "All records of the ledger"), f"/ledger?project={address}"),
    )
    return visit.views(
        Text("项目 {p}", "Project {p}").format(p=found.project.name or name),
        *(_linked(view) for view in build_record_views(found.project, found.systems, found.networks)),
        _read(owed, *_OF_PROJECT),
        linked_log(build_log_view(log.records[::-1], record_titles(visit.session))),
        links=links,
    )


@router.get("/projects/{project_id}/calendar")
def project_calendar(visit: Reading, project_id: str) -> Response:
    found = workflow.show_project(visit.session, project_id)
    return _calendar(visit, found.deadlines.rows, found.deadlines, "project")
