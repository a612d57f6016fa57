"""Findings of the last check, narrowed and page by page; one with its evidence and its waivers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.regulation import Finding
from govcloud.model.text import Text
from govcloud.report import findings as views
from govcloud.report.finding import build_finding_view
from govcloud.report.finding_page import build_finding_page, build_undetermined_page
from govcloud.report.view import View
from govcloud.report.waivers import build_waived_view, build_waivers_view
from govcloud.web.door import DoorFirst, Reading, enter
from govcloud.web.estate_pages import SUBJECTS, Asked, Choice, department_field
from govcloud.web.visit import Visit
from govcloud.workflow import lists
from govcloud.workflow.check import find_finding
from govcloud.workflow.office import today
from govcloud.workflow.waiver import add_waiver, granting_parties, list_waivers, withdraw_waiver

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Waiving = Annotated[Visit, Depends(enter("waive"))]
_NONE = Text("没有这类问题；还没有检查过的，先运行 govcloud check estate", "None of this kind; where nothing was checked yet: govcloud check estate")  # fmt: skip
_FACTS = Text("依据的事实", "The facts behind it")
_KINDS: tuple[Choice, ...] = (
    ("waived", Text("已豁免", "waived")),
    ("undetermined", Text("不能判定", "undetermined")),
    ("reference", Text("供参照", "for reference")),
)
_ORDERS: tuple[Choice, ...] = (
    ("department", Text("部门", "department")),
    ("subject", Text("对象", "subject")),
    ("due", Text("期限", "due date")),
)


@router.get("/findings")
def findings(visit: Reading) -> Response:
    asked = Asked(visit, "kind", "find", "department", "severity", "topic", "clause", "order")
    given = dict(asked.values)
    kind, order = given.pop("kind"), given.pop("order") or "severity"
    question = lists.FindingQuestion(**given, order=order, standing="reference" if kind == "reference" else "binding")
    view, total = _found(visit, kind, question, asked.part)
    shown = asked.answered(view, total, _NONE) if not total else view
    topics, clauses = lists.finding_choices(visit.session)
    filters = (
        asked.field("kind", Text("类别", "Kind"), _KINDS, first=Text("不符合项", "failing")),
        asked.field("find", Text("查找", "Find")),
        department_field(visit, asked),
        asked.field("severity", Text("程度", "Severity"), tuple(views.SEVERITY.items())),
        asked.field("topic", Text("主题", "Topic"), [(t, t) for t in topics]),
        asked.field("clause", Text("条款", "Clause"), [(c, c) for c in clauses]),
        asked.field("order", Text("排序", "Sorted by"), _ORDERS, first=Text("程度", "severity")),
    )
    links = ((Text("豁免清单", "All waivers"), "/waivers"),)
    return visit.views(Text("合规问题", "Findings"), shown, paging=asked.paging(total), filters=filters, links=links)


def _found(visit: Visit, kind: str, question: lists.FindingQuestion, part: lists.Part) -> tuple[View, int]:
    if kind == "undetermined":
        groups = lists.list_undetermined(visit.session, question)
        return build_undetermined_page(part.of(groups), len(groups)), len(groups)
    if kind == "waived":
        found = lists.list_waived(visit.session, question, part)
        return build_waived_view(found.findings, today(visit.session)), found.total
    found = lists.list_findings(visit.session, question, part)
    return _linked(
        build_finding_page(found.findings, found.total, reference=kind == "reference"), found.findings
    ), found.total


def _linked(view: View, found: Sequence[Finding]) -> View:
    """Each subject leads to its page, too."""
    rows = zip(view.rows, found, strict=True)
    return replace(view, rows=tuple({**row, "subject_id/page": SUBJECTS.get(f.subject_kind)} for row, f in rows))


@router.get("/findings/{finding_id}")
def finding(visit: Reading, finding_id: str) -> Response:
    found, waivers = find_finding(visit.session, finding_id)
    day = today(visit.session)
    told = build_finding_view(found)
    shown = [replace(told, title=_FACTS, notes=())]
    if waivers:
        shown.append(build_waivers_view([(waiver, found) for waiver in waivers], day))
    can_be = found.verdict == "fail" and found.standing == "binding" and not found.waived and found.state != "resolved"
    ending = [w.waiver_id for w in waivers if w.valid(day)]
    may = visit.may("waive")
    parties = granting_parties(visit.session, found) if may and can_be else {}
    return visit.page(
        "finding.html.j2", told.title, finding=found, told=told.notes, views=shown, day=day.isoformat(),
        severity=views.term(views.SEVERITY, found.severity), verdict=views.term(views.VERDICT, found.verdict),
        parties=[(role, views.role_text(role, party)) for role, party in parties.items()], ending=ending if may else [],
        subject=SUBJECTS[found.subject_kind].format(quote(found.subject_id, safe="")) if found.subject_kind in SUBJECTS else None,
    )  # fmt: skip


@router.get("/waivers")
def waivers(visit: Reading) -> Response:
    found = list_waivers(visit.session, ended=True)
    return visit.views(Text("豁免清单", "Waivers"), build_waivers_view(list(found), today(visit.session)))


@router.post("/findings/{finding_id}/waivers")
def waive(
    visit: Waiving, finding_id: str, reason: Annotated[str, Form()], role: Annotated[str, Form()], approver: Annotated[str, Form()],
    document: Annotated[str, Form()], approved_on: Annotated[str, Form()], valid_until: Annotated[str, Form()],
) -> Response:  # fmt: skip
    done = add_waiver(
        visit.session, finding_id, reason=reason, role=role, approver=approver, document=document,
        approved_on=_day(approved_on, Text("批准日期", "Approved on")), valid_until=_day(valid_until, Text("有效至", "Valid until")),
    )  # fmt: skip
    told = Text("已登记豁免 {w}，有效至 {d}", "Waiver {w} is recorded, valid until {d}")
    return visit.back_to(_path(finding_id), told.format(w=done.waiver_id, d=done.valid_until.isoformat()))


@router.post("/findings/{finding_id}/waivers/{waiver_id}/withdrawal")
def withdraw(visit: Waiving, finding_id: str, waiver_id: str, reason: Annotated[str, Form()] = "") -> Response:
    done = withdraw_waiver(visit.session, waiver_id, reason)
    return visit.back_to(_path(done.finding_id), Text("已撤销豁免 {w}", "Waiver {w} is withdrawn").format(w=waiver_id))


def _path(finding_id: str) -> str:
    return f"/findings/{finding_id}"


def _day(text: str, field: Text) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            Text("{f}不是日期", "{f} is no date").format(f=field), where=text[:40],
            next_step=Text("写成 2027-03-14", "Write it as 2027-03-14"),
        ) from None  # fmt: skip
