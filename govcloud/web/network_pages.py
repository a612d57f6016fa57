"""Dedicated networks: what remains, who is on them, what blocks their end."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from govcloud.report.network_document import build_network_document
from govcloud.report.network_ledger import build_network_views
from govcloud.web.door import Reading
from govcloud.workflow.networks import list_remaining

router = APIRouter(include_in_schema=False)


@router.get("/networks")
def networks(visit: Reading) -> Response:
    ledger = list_remaining(visit.session)
    if visit.request.query_params.get("as"):
        views = build_network_views(ledger)
        return visit.views(views[0].title, *views)
    settings = visit.session.workspace.settings
    return visit.document(
        build_network_document(
            ledger, office=settings.name, made_at=visit.session.now(), timezone=settings.timezone, made_by=visit.acting.name
        )
    )  # fmt: skip
