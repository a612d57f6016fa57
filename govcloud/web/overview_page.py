"""The first page: the headline numbers of every activity, each a way to what it counts, and what is not there yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from govcloud.model.text import Text
from govcloud.report.overview_bars import Bar, Bars
from govcloud.web.door import DoorFirst, enter
from govcloud.web.visit import Visit
from govcloud.workflow.overview import read_overview

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
_WAYS: Mapping[str, tuple[str, ...]] = {
    "estate": ("/systems", "/servers", "/servers?state=undeclared", "/conflicts"),
    "findings": ("/findings", "/findings?kind=undetermined"),
    "networks": ("/networks",),
    "projects": ("/deadlines",),
    "plan": ("/plan",),
    "runs": ("/runs",),
    "takeovers": ("/takeovers",),
    "ledger": ("/ledger",),
}
"""Section -> page of each of its numbers."""
_NARROWED: Mapping[str, str] = {"by-department": "/findings?department={}", "by-hosting": "/systems?hosting={}"}
_ROAD: Mapping[str, str] = {
    "open": "/plan", "planned": "/plan", "moving": "/runs", "on_cloud": "/systems?hosting=gov_cloud", "taking": "/takeovers",
    "signed": "/takeovers", "stopped": "/systems?lifecycle=stopped",
}  # fmt: skip
"""Place on the road -> page of the systems that are there."""


@router.get("/")
def overview(visit: Annotated[Visit, Depends(enter("read", "administer"))]) -> Response:
    if not visit.may("read"):
        return RedirectResponse("/accounts", status_code=303)
    found = read_overview(visit.session)
    shown = [(section, list(zip(section.numbers, _WAYS[section.section_id], strict=True)) if section.numbers else [])
             for section in found.sections]  # fmt: skip
    as_of = Text("按台账前 {n} 条记录统计", "As of the first {n} records of the ledger").format(n=f"{found.records:,}")
    charts = [(bars, [_page(bars, bar) for bar in bars.rows]) for bars in found.charts]
    return visit.page("overview.html.j2", Text("总览", "Overview"), sections=shown, charts=charts, as_of=as_of)


def _page(bars: Bars, bar: Bar) -> str:
    """Of what the bar counts; empty where no page shows just that."""
    if not bar.key or not bar.total:
        return ""
    return _ROAD[bar.key] if bars.name == "by-road" else _NARROWED[bars.name].format(quote(bar.key))
