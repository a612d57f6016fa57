"""The service catalog, and a department's request checked against it by form."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, File, UploadFile
from starlette.responses import Response

from govcloud.model.text import Text
from govcloud.report import catalog as views
from govcloud.report import request as request_views
from govcloud.report.view import filled
from govcloud.web.door import DoorFirst, Reading, enter
from govcloud.web.files import uploaded
from govcloud.web.visit import Visit
from govcloud.workflow import catalog as workflow
from govcloud.workflow.office import office_catalog
from govcloud.workflow.request import check_request, latest_requests

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Checking = Annotated[Visit, Depends(enter("check"))]


@router.get("/catalog")
def catalog(visit: Reading) -> Response:
    text = visit.request.query_params.get("find", "")[:200]
    found = office_catalog(visit.session)
    offerings = workflow.find_offerings(found, text=text or None)
    filters = ({"name": "find", "label": Text("查找", "Find"), "value": text},)
    links = ((Text("资源申请", "Requests"), "/requests"),)
    return visit.views(
        Text("云服务目录", "Service catalog"), views.build_catalog_view(found, offerings), filters=filters, links=links
    )


@router.get("/catalog/{code}")
def offering(visit: Reading, code: str) -> Response:
    found = office_catalog(visit.session)
    view = views.build_offering_view(found, workflow.find_offering(found, code))
    return visit.views(Text("服务项 {c}", "Offering {c}").format(c=code), view)


@router.get("/requests")
def requests(visit: Reading) -> Response:
    latest = latest_requests(visit.session)
    at = {request_views.key_of(check): instant for check, instant in latest}
    view = request_views.build_requests_view([check for check, _ in latest], at)
    return visit.page(
        "requests.html.j2", Text("资源申请核对", "Requests for the cloud"), views=(filled(view),), verdicts=()
    )


@router.post("/requests")
def check(visit: Checking, file: Annotated[UploadFile, File()]) -> Response:
    with uploaded(file) as path:
        run = check_request(visit.session, [path])
    shown = [filled(request_views.build_request_view(found, number)) for number, found in enumerate(run.checks, 1)]
    verdicts = [
        ("notice" if found.conforms else "problem", view.notes[0])
        for found, view in zip(run.checks, shown, strict=True)
    ]
    if run.faulty:
        shown.append(request_views.build_faulty_view(run.faulty))
    views = [replace(view, notes=view.notes[1:]) if view.name.startswith("request_") else view for view in shown]
    return visit.page("requests.html.j2", Text("核对结果", "The check's result"), views=views, verdicts=verdicts)
