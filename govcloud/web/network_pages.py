"""Dedicated networks: what remains, drawn with the systems on it, what blocks its end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.network_ledger import NetworkLedger, RemainingNetwork
from govcloud.model.text import Text
from govcloud.report.document import Document
from govcloud.report.network_document import build_network_document
from govcloud.report.network_ledger import build_network_views
from govcloud.report.network_map import render_network, render_network_map
from govcloud.report.plan_svg import Pages
from govcloud.web.door import DoorFirst, Reading
from govcloud.web.drawing import Chart, build_chart
from govcloud.web.estate_pages import nothing_yet, subject_page
from govcloud.web.visit import Visit
from govcloud.workflow.inventory import explain_subject
from govcloud.workflow.kept import kept
from govcloud.workflow.network_story import NetworkStory, read_network
from govcloud.workflow.networks import list_remaining
from govcloud.workflow.session import Session

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
_PAGES = Pages(subject="/systems/{}", network="/networks/{}", server="/servers/{}")
_CHANGED_BY = ("plan", "waiver", "snapshot")
"""Records after which the ledger of networks may say something else, besides imports."""
_NOT_STATED = "-"
_AS_OF = Text("按台账前 {n} 条记录统计", "As of the first {n} records of the ledger")


@router.get("/networks")
def networks(visit: Reading) -> Response:
    """Worked out over the whole estate, and kept."""
    try:
        found = kept(visit.session, "networks", _read, kinds=_CHANGED_BY, patient=True)
    except UsageError:
        return nothing_yet(visit, Text("业务专网", "Dedicated networks"))
    ledger, document = found.value
    if visit.request.query_params.get("as"):
        views = build_network_views(ledger)
        return visit.views(views[0].title, *views)
    named = sorted({r.network.department or _NOT_STATED for r in ledger.rows})
    chosen = visit.request.query_params.get("department", "")
    shown = [r for r in ledger.rows if not chosen or (r.network.department or _NOT_STATED) == chosen]
    return visit.page(
        "networks.html.j2", document.title, document=document, as_of=_AS_OF.format(n=f"{found.records:,}"), chart=_chart(visit, shown), chosen=chosen,
        departments=[(name, Text("未填", "not stated").to(visit.lang) if name == _NOT_STATED else name) for name in named],
        files=[(form, "?" + urlencode({"as": form})) for form in ("xlsx", "csv", "json")],
    )  # fmt: skip


@router.get("/networks/{network_id}")
def network(visit: Reading, network_id: str) -> Response:
    answer = explain_subject(visit.session, "network", network_id)
    if answer is None:
        raise HTTPException(404)
    links = [(Text("在这个网络上的系统", "Systems on this network"), f"/systems?network={quote(network_id)}")]
    return subject_page(visit, answer, links, _one(visit, read_network(visit.session, answer.entity)))


def _one(visit: Visit, story: NetworkStory) -> Chart:
    dedicated = Text("拓扑：服务器、系统、线路与去向", "Topology: servers, systems, lines and where they go")
    title = dedicated if story.remains else Text("拓扑：网络上的服务器与系统", "Topology: servers and systems on it")
    servers = {
        system: [(s.server_id, f"{s.name} · {s.location}" if s.location else s.name) for s in of]
        for system, of in story.servers.items()
    }
    key = ("network", _digest([story.row], servers, story.remains), visit.lang)
    return build_chart(
        title, key, lambda: render_network(story.row, visit.lang, _PAGES, servers=servers, remains=story.remains)
    )


def _read(session: Session) -> tuple[NetworkLedger, Document]:
    """The page shows nothing of the document that tells who asked."""
    ledger, settings = list_remaining(session), session.workspace.settings
    document = build_network_document(
        ledger, office=settings.name, made_at=session.now(), timezone=settings.timezone, made_by=settings.name
    )
    return ledger, document


def _chart(visit: Visit, rows: Sequence[RemainingNetwork]) -> Chart:
    title = Text("专网拓扑：系统、线路与去向", "Topology: systems, lines and where they go")
    key = ("networks", _digest(rows), visit.lang)
    return build_chart(title, key, lambda: render_network_map(rows, visit.lang, _PAGES))


def _digest(rows: Sequence[RemainingNetwork], *more: object) -> str:
    contents = [(r.network, r.systems, r.servers, r.blockers, r.exemption) for r in rows]
    return hashlib.sha256(repr((contents, more)).encode()).hexdigest()
