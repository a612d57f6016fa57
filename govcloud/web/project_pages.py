"""Projects and their statutory deadlines."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from govcloud.model.text import Text
from govcloud.report import projects as views
from govcloud.report.project_record import build_record_views
from govcloud.web.door import Reading
from govcloud.workflow import projects as workflow

router = APIRouter(include_in_schema=False)


@router.get("/projects")
def projects(visit: Reading) -> Response:
    department = visit.request.query_params.get("department", "")[:200]
    found = workflow.list_projects(visit.session, department or None)
    filters = ({"name": "department", "label": Text("部门", "Department"), "value": department},)
    links = ((Text("法定期限", "Deadlines"), "/deadlines"),)
    return visit.views(Text("项目", "Projects"), views.build_projects_view(found), filters=filters, links=links)


@router.get("/deadlines")
def deadlines(visit: Reading) -> Response:
    found = workflow.list_deadlines(visit.session)
    shown = [views.build_deadlines_view(found.rows, found.own, found.as_of, undated=found.undated)]
    if found.office:
        shown.append(views.build_office_view(found.office, found.own))
    return visit.views(Text("法定期限", "Deadlines"), *shown)


@router.get("/projects/{project_id}")
def project(visit: Reading, project_id: str) -> Response:
    found = workflow.show_project(visit.session, project_id)
    due = found.deadlines
    return visit.views(
        Text("项目 {p}", "Project {p}").format(p=project_id),
        *build_record_views(found.project, found.systems, found.networks),
        views.build_deadlines_view(due.rows, due.own, due.as_of, undated=due.undated),
    )
