"""Register of the review opinions on requests (资源申请审核意见登记表), with the lines that do not conform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from govcloud.model.request import Conclusion, RequestCheck
from govcloud.model.text import Text
from govcloud.report.document import Number, Section, Tone
from govcloud.report.findings import term
from govcloud.report.request import CONCLUSION, OUTCOME, build_requests_view, joined, key_of
from govcloud.report.view import Column, View

_TONES: Mapping[Conclusion, Tone] = {"approve": "good", "approve_with_changes": "warn", "reject": "bad"}


def build_request_sections(checks: Sequence[tuple[RequestCheck, datetime]]) -> tuple[Section, ...]:
    found = [check for check, _ in checks]
    summary = build_requests_view(found, at={key_of(check): at for check, at in checks})
    faults = build_request_faults_view(found)
    return (
        Section(
            section_id="overview", title=Text("概况", "Overview"),
            intro=Text(
                "每份申请取最近一次核对。审核意见由审核人签署后生效，本表只作登记。",
                "The latest check of each request. An opinion takes effect once the reviewer has signed it; this register only records it.",
            ),
            numbers=tuple(
                Number(label=Text(word.zh, word.en.capitalize()), value=sum(c.conclusion == code for c in found), unit=Text("份", ""),
                       tone=_TONES[code])
                for code, word in CONCLUSION.items()
            ),
        ),
        Section(section_id="requests", title=summary.title, views=(summary,)),
        *((Section(section_id="faults", title=faults.title, views=(faults,)),) if faults.rows else ()),
    )  # fmt: skip


def build_request_faults_view(checks: Sequence[RequestCheck]) -> View:
    return View(
        name="request_faults",
        title=Text("不符合目录的申请行", "Lines that do not conform to the catalog"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("file", Text("文件", "File")),
            Column("line", Text("行", "Line"), "right"),
            Column("what", Text("申请内容", "Requested")),
            Column("outcome", Text("结论", "Outcome")),
            Column("reason", Text("说明", "Reason")),
            Column("clauses", Text("条款", "Clauses")),
            Column("nearest", Text("可选的目录服务", "Catalog services to use")),
        ),
        rows=tuple(
            {
                "department": check.request.department, "file": check.file, "line": verdict.line.line,
                "what": verdict.line.what, "outcome": term(OUTCOME, verdict.outcome), "reason": joined(verdict.reasons),
                "clauses": verdict.clauses or None,
                "nearest": joined(Text("{c} {n}", "{c} {n}").format(c=n.code, n=n.name) for n in verdict.nearest),
            }
            for check in checks for verdict in check.lines if not verdict.conforms
        ),
    )  # fmt: skip
