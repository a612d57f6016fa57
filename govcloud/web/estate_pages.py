"""Departments, systems and servers, as the inventory knows them."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from govcloud.model.answers import Query
from govcloud.model.text import Text, same
from govcloud.report.departments import build_departments_view
from govcloud.report.inventory import build_server_page, build_system_page
from govcloud.report.inventory_subject import build_subject_views
from govcloud.report.view import View
from govcloud.web.door import Reading
from govcloud.web.paging import Paging, page_number
from govcloud.web.visit import Visit
from govcloud.workflow.inventory import explain_subjects, list_page
from govcloud.workflow.overlap import list_departments

router = APIRouter(include_in_schema=False)


@router.get("/systems")
def systems(visit: Reading) -> Response:
    return _listed(visit, "system", Text("系统", "Systems"))


@router.get("/servers")
def servers(visit: Reading) -> Response:
    return _listed(visit, "server", Text("服务器", "Servers"))


@router.get("/departments")
def departments(visit: Reading) -> Response:
    return visit.views(Text("部门", "Departments"), build_departments_view(list_departments(visit.session)))


@router.get("/systems/{system_id}")
def system(visit: Reading, system_id: str) -> Response:
    """One system's story: what is known of it and from where, what is wrong, when it moves, where it is."""
    return _subject(visit, "system", system_id)


@router.get("/servers/{server_id}")
def server(visit: Reading, server_id: str) -> Response:
    return _subject(visit, "server", server_id)


@router.get("/networks/{network_id}")
def network(visit: Reading, network_id: str) -> Response:
    return _subject(visit, "network", network_id)


def _subject(visit: Visit, kind: str, subject_id: str) -> Response:
    answers = [a for a in explain_subjects(visit.session, subject_id, history=True) if a.kind == kind]
    if not answers:
        raise HTTPException(404)
    shown = [view for answer in answers for view in build_subject_views(answer, why=True, history=True)]
    return visit.views(same(getattr(answers[0].entity, "name", None) or subject_id), *shown)


def _listed(visit: Visit, kind: str, title: Text) -> Response:
    asked = visit.request.query_params
    query = {name: asked[name][:200] for name in ("find", "department") if asked.get(name)}
    paging = Paging(number=page_number(asked.get("page", "")), total=0, query=query)
    limits = {} if asked.get("as") else {"limit": paging.rows, "offset": paging.offset}
    found = list_page(
        visit.session, kind, Query(find=query.get("find"), department=query.get("department"), **limits)  # type: ignore[arg-type]
    )  # fmt: skip
    view: View = (build_system_page if kind == "system" else build_server_page)(found)
    filters = (
        {"name": "find", "label": Text("查找", "Find"), "value": query.get("find", "")},
        {"name": "department", "label": Text("部门", "Department"), "value": query.get("department", "")},
    )
    paging = Paging(number=paging.number, total=found.total, query=query)
    return visit.views(title, view, paging=paging, filters=filters)
