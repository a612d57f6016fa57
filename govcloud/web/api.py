"""The JSON interface for other platforms: the same operations as the commands, described by /api/openapi.json."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from govcloud.web import (
    api_accounts,
    api_compliance,
    api_estate,
    api_ledger,
    api_plans,
    api_runs,
    api_takeovers,
)
from govcloud.web.api_shape import ROOT, Anybody

_description = APIRouter(prefix=ROOT, include_in_schema=False)

ROUTERS = (
    _description,
    api_estate.router,
    api_compliance.router,
    api_plans.router,
    api_runs.router,
    api_takeovers.router,
    api_ledger.router,
    api_accounts.router,
)


@_description.get("/openapi.json")
def describe(visit: Anybody) -> dict[str, Any]:
    schema: dict[str, Any] = visit.request.app.openapi()
    return schema
