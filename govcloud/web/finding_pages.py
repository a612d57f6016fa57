"""Findings of the last check: by severity, clause and department, each with its evidence."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from govcloud.model.text import Text
from govcloud.report import findings as views
from govcloud.report.finding import build_finding_view
from govcloud.report.waivers import build_waived_view, build_waivers_view
from govcloud.web.door import Reading
from govcloud.workflow.check import Selection, find_finding, open_findings
from govcloud.workflow.office import today

router = APIRouter(include_in_schema=False)
_FILTERS = (
    ("department", Text("部门", "Department")),
    ("topic", Text("主题", "Topic")),
    ("clause", Text("条款", "Clause")),
)


@router.get("/findings")
def findings(visit: Reading) -> Response:
    asked = {
        name: visit.request.query_params.get(name, "")[:200] for name in ("department", "topic", "clause", "severity")
    }
    selection = Selection(**{name: value or None for name, value in asked.items()})
    found = [f for f in open_findings(visit.session) if selection.takes(f)]
    filters = [{"name": name, "label": label, "value": asked[name]} for name, label in _FILTERS]
    filters.append(
        {"name": "severity", "label": Text("程度", "Severity"), "value": asked["severity"], "choices": list(views.SEVERITY.items())}
    )  # fmt: skip
    return visit.views(
        Text("合规问题", "Findings"),
        views.build_findings_view(found),
        build_waived_view(found, today(visit.session)),
        views.build_undetermined_view(found),
        filters=filters,
    )


@router.get("/findings/{finding_id}")
def finding(visit: Reading, finding_id: str) -> Response:
    found, waivers = find_finding(visit.session, finding_id)
    shown = [build_finding_view(found)]
    if waivers:
        shown.append(build_waivers_view([(waiver, found) for waiver in waivers], today(visit.session)))
    return visit.views(Text("问题 {f}", "Finding {f}").format(f=finding_id), *shown)
