"""The JSON interface for other platforms: the same operations as the commands, described by /api/openapi.json."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from govcloud import __version__
from govcloud.web import (
    api_accounts,
    api_analyses,
    api_compliance,
    api_estate,
    api_ledger,
    api_machines,
    api_papers,
    api_plans,
    api_runs,
    api_shape,
    api_takeovers,
)
from govcloud.web.api_shape import ROOT, Anybody
from govcloud.web.door import DoorFirst

_description = APIRouter(prefix=ROOT, include_in_schema=False, route_class=DoorFirst)

ROUTERS = (
    _description,
    api_estate.router,
    api_analyses.router,
    api_compliance.router,
    api_plans.router,
    api_runs.router,
    api_machines.router,
    api_takeovers.router,
    api_papers.router,
    api_ledger.router,
    api_accounts.router,
)


@_description.get("")
def begin(visit: Anybody) -> dict[str, str]:
    """For whoever tries the address itself."""
    return {"office": visit.session.workspace.settings.name, "version": __version__, "openapi": f"{ROOT}/openapi.json"}


@_description.get("/openapi.json")
def describe(visit: Anybody) -> dict[str, Any]:
    return api_shape.describe(visit.request.app)
