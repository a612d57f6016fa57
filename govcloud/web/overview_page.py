"""The first page: the headline numbers of every activity, and what is not there yet."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from govcloud.model.text import Text
from govcloud.web.door import enter
from govcloud.web.visit import Visit
from govcloud.workflow.overview import read_overview

router = APIRouter(include_in_schema=False)


@router.get("/")
def overview(visit: Annotated[Visit, Depends(enter("read", "administer"))]) -> Response:
    if not visit.may("read"):
        return RedirectResponse("/accounts", status_code=303)
    return visit.page("overview.html.j2", Text("总览", "Overview"), sections=read_overview(visit.session))
