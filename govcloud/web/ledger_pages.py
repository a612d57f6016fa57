"""The ledger: what was done when by whom, and whether the records add up."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from govcloud.model.text import Text
from govcloud.report.audit import build_verify_view
from govcloud.report.timeline import build_log_view
from govcloud.web.door import Reading
from govcloud.workflow.audit import verify_ledger
from govcloud.workflow.run import step_titles
from govcloud.workflow.timeline import Wanted, read_timeline

router = APIRouter(include_in_schema=False)
_FILTERS = {
    "project": Text("项目", "Project"),
    "system": Text("系统", "System"),
    "run": Text("执行", "Run"),
    "takeover": Text("接管", "Takeover"),
    "kind": Text("事项", "Kind"),
    "actor": Text("操作人", "Actor"),
}


_LIMIT = 200


@router.get("/ledger")
def ledger(visit: Reading) -> Response:
    asked = {name: visit.request.query_params.get(name, "")[:200] for name in _FILTERS}
    found = read_timeline(visit.session, Wanted(**{k: v or None for k, v in asked.items()}), limit=_LIMIT)  # type: ignore[arg-type]
    filters = [{"name": name, "label": label, "value": asked[name]} for name, label in _FILTERS.items()]
    links = ((Text("重新核对全部记录", "Verify all records again"), "/ledger/verification"),)
    return visit.views(
        Text("台账", "Ledger"), build_log_view(found.records, step_titles(), earlier=found.earlier), filters=filters, links=links
    )  # fmt: skip


@router.get("/ledger/verification")
def verification(visit: Reading) -> Response:
    """Recomputes everything from the records: asked for by a link, not by every look at the ledger."""
    found = verify_ledger(visit.session)
    view = build_verify_view(found.report, live=found.live, unsigned=found.unsigned)
    return visit.views(Text("台账核对", "Verification of the ledger"), view)
