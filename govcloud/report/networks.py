"""View of the dedicated networks that remain."""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.model.regulation import RemainingNetwork, TopicCoverage
from govcloud.model.text import Text
from govcloud.report.findings import NO_CLAUSE, term
from govcloud.report.view import Column, View
from govcloud.report.words import NETWORK_TARGET


def build_networks_view(rows: Sequence[RemainingNetwork], coverage: TopicCoverage) -> View:
    """Who owns each, what it costs, who is on it, on what basis it stands and what blocks closing it."""
    known = [row.yearly_cost_yuan for row in rows if row.yearly_cost_yuan is not None]
    notes = [
        Text(
            "共 {n} 条业务专网，{known} 条登记了费用，合计每年 {cost} 元。",
            "{n} dedicated networks; {known} with a recorded cost, {cost} yuan a year together.",
        ).format(n=len(rows), known=len(known), cost=f"{sum(known):,.2f}"),
        Text("条款：{c}", "Clauses: {c}").format(c=", ".join(coverage.binding) if coverage.binding else NO_CLAUSE),
    ]
    if coverage.reference:
        notes.append(Text("供参照：{c}", "For reference: {c}").format(c=", ".join(coverage.reference)))
    return View(
        name="networks",
        title=Text("尚存业务专网", "Remaining dedicated networks"),
        columns=(
            Column("network_id", Text("编号", "Id")),
            Column("name", Text("名称", "Name")),
            Column("department", Text("归属部门", "Owner")),
            Column("carrier", Text("运营商", "Carrier")),
            Column("bandwidth_mbps", Text("带宽 Mbps", "Mbps"), "right"),
            Column("yearly_cost_yuan", Text("年费用（元）", "Yuan a year"), "right"),
            Column("systems", Text("承载系统", "Systems on it")),
            Column("servers", Text("无主服务器", "Servers of no system")),
            Column("legal_basis", Text("依据", "Legal basis")),
            Column("consent", Text("同意文件", "Consent")),
            Column("blockers", Text("撤并障碍", "What blocks closing it")),
            Column("target", Text("去向", "Target")),
            Column("target_on", Text("计划日期", "Planned for")),
        ),
        rows=tuple(
            {
                "network_id": row.network_id,
                "name": row.name,
                "department": row.department,
                "carrier": row.carrier,
                "bandwidth_mbps": row.bandwidth_mbps,
                "yearly_cost_yuan": row.yearly_cost_yuan,
                "systems": row.systems,
                "servers": row.servers,
                "legal_basis": row.legal_basis,
                "consent": row.consent,
                "blockers": _lines(row.blockers),
                "target": term(NETWORK_TARGET, row.target) if row.target else None,
                "target_on": row.target_on,
            }
            for row in rows
        ),
        notes=tuple(notes),
        facts={
            "clauses": coverage.binding,
            "clauses_for_reference": coverage.reference,
            "blockers": {row.network_id: row.blockers for row in rows},
            "contract_ends_on": {row.network_id: row.contract_ends_on for row in rows},
        },
    )


def _lines(texts: Sequence[Text]) -> Text | None:
    if not texts:
        return None
    return Text("；".join(t.zh for t in texts), "; ".join(t.en for t in texts))
