"""The ledger of dedicated networks as a document, for a page, a Word file or paper."""

from __future__ import annotations

from datetime import datetime

from govcloud.model.network_ledger import NetworkLedger
from govcloud.model.text import Text
from govcloud.report.document import Document, Figure, Number, Section
from govcloud.report.frame import day_text
from govcloud.report.network_chart import render_networks_by_department
from govcloud.report.network_ledger import build_network_views
from govcloud.report.view import View


def build_network_document(
    ledger: NetworkLedger, *, office: str, made_at: datetime, timezone: str, made_by: str
) -> Document:
    views = {view.name: view for view in build_network_views(ledger)}
    sections = (
        ("remaining", Text("专网清单与撤并障碍", "Remaining networks and obstacles"), ("networks", "networks_classified", "network_blockers")),
        ("exemptions", Text("拟保留的业务专网", "Networks to be kept"), ("network_exemptions",)),
        ("clauses", Text("条款与经费后果", "Clauses and funding"), ("network_clauses", "network_findings")),
        ("lines", Text("线路与费用", "Lines and cost"), ("network_lines",)),
        ("progress", Text("进展", "Progress"), ("network_trend", "networks_closed")),
        ("compared", Text("填报核实", "Declarations checked"), ("network_differences", "undeclared_networks")),
    )  # fmt: skip
    return Document(
        title=Text("业务专网台账", "Register of dedicated networks"), office=office, made_at=made_at, timezone=timezone,
        made_by=made_by, sections=(_overview(ledger, views), *(
            Section(
                section_id=section_id, title=title, views=shown,
                paragraphs=() if shown else (_NOTHING.get(section_id) or Text("没有这方面的情况。", "There is nothing to report."),),
            )
            for section_id, title, names in sections for shown in (_filled(views, names),)
        )),
    )  # fmt: skip


def _filled(views: dict[str, View], names: tuple[str, ...]) -> tuple[View, ...]:
    """Without the tables that have nothing to say."""
    return tuple(v for v in (views[name] for name in names) if v.rows or (v.notes and v.name != "network_trend"))


_NOTHING = {
    "progress": Text(
        "还没有可供比较的快照，也没有已撤销的专网。",
        "There is no earlier snapshot to compare with, and no network has been closed.",
    )
}


def _overview(ledger: NetworkLedger, views: dict[str, View]) -> Section:
    figure = Figure(
        title=Text("归属部门与去向", "By department and target"),
        svg=Text(render_networks_by_department(ledger.rows, "zh"), render_networks_by_department(ledger.rows, "en")),
    )
    return Section(
        section_id="overview",
        title=Text("概况", "Overview"),
        intro=Text("截至{d}。条款只引编号，内容为转述，以正式文本为准。", "As of {d}. Clauses are cited by number and paraphrased; the official text prevails.").format(
            d=day_text(ledger.as_of)
        ),
        numbers=build_ledger_numbers(ledger),
        figures=(figure,) if ledger.rows else (),
        views=_filled(views, ("network_totals_by_department", "network_totals_by_target")),
    )  # fmt: skip


def build_ledger_numbers(ledger: NetworkLedger) -> tuple[Number, ...]:
    unit = Text("条", "")
    weak = sum(r.exemption is not None and r.exemption.state != "founded" for r in ledger.rows)
    kept = sum(r.exemption is not None for r in ledger.rows)
    dated = sum(r.exemption is None and r.network.target_on is not None for r in ledger.rows)
    against = sum(d.weight == "contradiction" for d in ledger.differences)
    unproven = sum(not n.closure_evidence for n in ledger.closed)
    return (
        Number(
            label=Text("尚存业务专网", "Networks remaining"), value=len(ledger.rows), unit=unit,
            tone="warn" if ledger.rows else "good", note=Text("有计划日期的 {n} 条", "with a planned date: {n}").format(n=dated),
        ),
        Number(
            label=Text("拟保留", "To be kept"), value=kept, unit=unit, tone="bad" if weak else "plain",
            note=Text("依据不全或已到期 {n} 条", "grounds incomplete or consent expired: {n}").format(n=weak),
        ),
        Number(
            label=Text("已撤销", "Closed"), value=len(ledger.closed), unit=unit, tone="warn" if unproven else "good",
            note=Text("没有完成证据 {n} 条", "without evidence: {n}").format(n=unproven),
        ),
        Number(
            label=Text("填报矛盾", "Contradictions"), value=against, unit=Text("处", ""), tone="bad" if against else "plain",
            note=Text("另有缺漏 {n} 处", "gaps: {n}").format(n=sum(d.weight == "gap" for d in ledger.differences)),
        ),
    )  # fmt: skip
