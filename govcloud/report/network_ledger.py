"""Views of the ledger of dedicated networks, beside the list of those that remain: a table a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.inventory import Network
from govcloud.model.network_ledger import (
    DifferenceKind,
    DifferenceWeight,
    ExemptionState,
    NetworkClause,
    NetworkLedger,
    NetworkTotals,
    NetworkTrend,
    RemainingNetwork,
)
from govcloud.model.text import Term, Text
from govcloud.report.findings import NO_CLAUSE, NO_CONSEQUENCE, STANDING, VERDICT, term
from govcloud.report.networks import build_network_evidence_view, build_networks_view, lines
from govcloud.report.view import Cell, Column, View
from govcloud.report.words import NETWORK_LEVEL, NETWORK_TARGET

EXEMPTION: Mapping[ExemptionState, Text] = {
    "founded": Text("依据齐全", "complete"),
    "lapsed": Text("同意已到期", "consent expired"),
    "unfounded": Text("依据不全", "incomplete"),
}
WEIGHT: Mapping[DifferenceWeight, Text] = {
    "contradiction": Text("矛盾", "contradiction"), "gap": Text("缺漏", "gap"), "information": Text("情况", "information"),
    "hint": Text("线索", "hint"),
}  # fmt: skip
_NEXT: Mapping[DifferenceKind, Text] = {
    "closed_but_seen": Text("核实线路是否真已拆除，更正撤销日期或补完成证据", "Find out whether the line is really gone; correct the date or add the evidence"),
    "closed_but_used": Text("核实系统现走哪个网络，更正登记", "Find out which network the systems use now and correct the record"),
    "closed_before_built": Text("请归属部门更正日期", "Have the owner correct the dates"),
    "consent_ends_before_it_starts": Text("对照同意文件更正日期", "Correct the dates after the consent document"),
    "classified_to_extranet": Text("涉密网络不得并入政务外网：更正密级或去向", "Classified networks never join the extranet: correct the classification or the target"),
    "overlap": Text("并网前须重新规划地址，或更正填报的网段", "Renumber before the merge, or correct the declared blocks"),
    "same_block": Text("核实是否重复登记", "Find out whether one network is registered twice"),
    "nested": Text("同一部门的子网段，无须处理", "A part of the same owner's block: nothing to do"),
    "unlisted_network": Text("补报网络调查表，或更正系统所填网络", "Have the network declared, or correct what the system states"),
    "unlisted_address": Text("补报该专网及其网段", "Have the network and its blocks declared"),
    "unlisted_block": Text("查明网段归属，补入网络台账", "Find out whose block it is and enter it"),
    "unknown_system": Text("核对系统名称，补报普查表", "Check the names of the systems; have them declared in the census"),
    "unseen": Text("核实专网是否已停用、网段是否填错", "Find out whether it is still in use and its blocks are right"),
    "not_looked": Text("运行 govcloud discover ssh 登录核实相关主机", "Look at the hosts with govcloud discover ssh"),
    "no_prefix": Text("请归属部门补填网段", "Have the owner state the address blocks"),
    "extranet_hint": Text("向外网管理单位核实", "Ask whoever runs the extranet"),
}  # fmt: skip
_NAMED = 6
_ID, _NAME = Column("network_id", Text("编号", "Id")), Column("name", Text("名称", "Name"))
_OWNER = Column("department", Text("归属部门", "Owner"))


def build_network_views(ledger: NetworkLedger) -> tuple[View, ...]:
    """All of them, empty ones too."""
    plain = [r for r in ledger.rows if not r.network.classified]
    secret = [r for r in ledger.rows if r.network.classified]
    return (
        build_networks_view(plain, ledger.coverage, ledger.as_of),
        build_networks_view(secret, ledger.coverage, ledger.as_of, classified=True),
        build_network_blockers_view(ledger.rows),
        build_exemptions_view(ledger.rows),
        build_network_findings_view(ledger),
        build_network_lines_view(ledger.rows),
        build_totals_view(ledger.by_department, ledger.total),
        build_totals_view(ledger.by_target, ledger.total, target=True),
        build_trend_view(ledger.trend),
        build_closed_view(ledger.closed),
        build_differences_view(ledger),
        build_network_evidence_view(ledger.undeclared, ledger.inventory),
        build_network_clauses_view(ledger.clauses),
    )


def _row(network: Network, **more: Cell) -> dict[str, Cell]:
    return {"network_id": network.network_id, "name": network.name, "department": network.department, **more}


def build_network_blockers_view(rows: Sequence[RemainingNetwork]) -> View:
    return View(
        name="network_blockers", title=Text("撤并障碍", "Obstacles to closing"),
        columns=(_ID, _NAME, _OWNER, Column("blocker", Text("障碍", "Obstacle"))),
        rows=tuple(_row(r.network, blocker=blocker) for r in rows for blocker in r.blockers),
    )  # fmt: skip


def build_exemptions_view(rows: Sequence[RemainingNetwork]) -> View:
    """Networks that are to stay, and whether that is founded on the day."""
    kept = [(r.network, r.exemption) for r in rows if r.exemption is not None]
    weak = sum(e.state != "founded" for _, e in kept)
    return View(
        name="network_exemptions", title=Text("拟保留的业务专网", "Networks to be kept"),
        columns=(
            _ID, _NAME, _OWNER, Column("state", Text("依据情况", "Grounds")), Column("missing", Text("缺什么", "Missing")),
            Column("legal_basis", Text("建设依据", "Legal basis")), Column("consent_body", Text("同意部门", "Consenting body")),
            Column("consent_document", Text("同意文件", "Consent document")), Column("consent_on", Text("同意日期", "Consent of")),
            Column("consent_valid_until", Text("有效期至", "Valid until")), Column("remarks", Text("提示", "Remarks")),
        ),
        rows=tuple(
            _row(
                n, state=term(EXEMPTION, e.state), missing=lines(e.missing) if e.missing else None,
                legal_basis=n.legal_basis, consent_body=n.consent_body, consent_document=n.consent_document,
                consent_on=n.consent_on, consent_valid_until=n.consent_valid_until,
                remarks=lines(e.remarks) if e.remarks else None,
            )
            for n, e in kept
        ),
        notes=(
            Text("{k} 条拟保留，其中 {n} 条依据不全或同意已到期。依据、同意部门、同意文件三项齐全且在有效期内，方算依据齐全。",
                 "To be kept: {k}, of which {n} on incomplete grounds or an expired consent. Grounds are complete with legal basis, consenting body and consent document, the consent being valid.")
            .format(k=len(kept), n=weak),
        ) if kept else (),
    )  # fmt: skip


def build_network_findings_view(ledger: NetworkLedger) -> View:
    """What the rules say of the remaining networks; the consequence is the clause's own."""
    standings = [f.standing for r in ledger.rows for f in r.findings]
    notes = []
    if not ledger.coverage.binding:
        notes.append(
            Text(
                "本单位：{c}。以下如有内容均供参照，不是违规。",
                "This office: {c}. Anything listed is for reference only and is no violation.",
            ).format(c=NO_CLAUSE)
        )
    elif "reference" in standings:
        notes.append(
            Text(
                "“供参照”的条款按其自身文字不约束本单位，不是违规。",
                "Clauses marked “for reference” do not bind this office by their own wording; failing them is no violation.",
            )
        )
    return View(
        name="network_findings", title=Text("按条款核对", "Check against the clauses"),
        columns=(
            _ID, _NAME, _OWNER, Column("clauses", Text("条款", "Clauses")), Column("standing", Text("效力", "Standing")),
            Column("title", Text("事项", "Issue")), Column("verdict", Text("结论", "Verdict")),
            Column("consequence", Text("条文写明的后果", "Consequence stated")), Column("next_step", Text("下一步", "Next step")),
            Column("waived_until", Text("豁免至", "Waived until")), Column("finding_id", Text("问题编号", "Finding")),
        ),
        rows=tuple(
            _row(
                r.network, clauses=f.clauses, standing=term(STANDING, f.standing), title=f.title, verdict=term(VERDICT, f.verdict),
                consequence=f.consequence or NO_CONSEQUENCE, next_step=f.next_step,
                waived_until=f.waiver.valid_until if f.waiver and f.waived else None, finding_id=f.finding_id,
            )
            for r in ledger.rows for f in r.findings
        ),
        notes=tuple(notes),
    )  # fmt: skip


def build_network_lines_view(rows: Sequence[RemainingNetwork]) -> View:
    return View(
        name="network_lines", title=Text("线路与费用", "Lines and cost"),
        columns=(
            _ID, _NAME, _OWNER, Column("level", Text("层级", "Level")), Column("access", Text("接入方式", "Access")),
            Column("carrier", Text("运营商", "Carrier")), Column("bandwidth_mbps", Text("带宽 Mbps", "Mbps"), "right"),
            Column("nodes", Text("节点", "Nodes"), "right"), Column("utilisation_pct", Text("利用率 %", "Use %"), "right"),
            Column("yearly_cost_yuan", Text("年费用（元）", "Yuan a year"), "right"),
            Column("contract_ends_on", Text("合同到期", "Contract ends")), Column("prefixes", Text("网段", "Address blocks")),
        ),
        rows=tuple(
            _row(
                n, level=term(NETWORK_LEVEL, n.level) if n.level else None, access=n.access, carrier=n.carrier,
                bandwidth_mbps=n.bandwidth_mbps, nodes=n.nodes, utilisation_pct=n.utilisation_pct,
                yearly_cost_yuan=n.yearly_cost_yuan, contract_ends_on=n.contract_ends_on, prefixes=n.prefixes,
            )
            for n in (r.network for r in rows)
        ),
    )  # fmt: skip


def build_totals_view(groups: Sequence[NetworkTotals], total: NetworkTotals, *, target: bool = False) -> View:
    by = Text("去向", "Target") if target else Text("部门", "Department")
    none = Text("未定", "undecided") if target else Text("未填", "not stated")

    def group(name: str | None) -> Cell:
        if name is None:
            return Term(none.zh, none.en, "")
        return term(NETWORK_TARGET, name) if target else name

    def cells(t: NetworkTotals) -> dict[str, Cell]:
        return {
            "networks": t.networks, "bandwidth_mbps": t.bandwidth_mbps, "nodes": t.nodes,
            "yearly_cost_yuan": t.yearly_cost_yuan, "not_stated": _not_stated(t),
        }  # fmt: skip

    rows = [{"group": group(t.group), **cells(t)} for t in groups]
    if len(rows) > 1:
        rows.append({"group": Term("合计", "Total", "total"), **cells(total)})
    return View(
        name="network_totals_by_target" if target else "network_totals_by_department",
        title=Text("按{by}汇总", "Totals by {by}").format(by=Text(by.zh, by.en.lower())),
        columns=(
            Column("group", by), Column("networks", Text("条数", "Networks"), "right"),
            Column("bandwidth_mbps", Text("带宽 Mbps", "Mbps"), "right"), Column("nodes", Text("节点", "Nodes"), "right"),
            Column("yearly_cost_yuan", Text("年费用（元）", "Yuan a year"), "right"),
            Column("not_stated", Text("未填的", "Not stated")),
        ),
        rows=tuple(rows),
        facts={"groups": [{n: getattr(t, n) for n in NetworkTotals.__slots__} for t in groups]},
    )  # fmt: skip


def _not_stated(totals: NetworkTotals) -> Text | None:
    parts = [
        Text("{w} {n} 条", "{w}: {n}").format(w=what, n=count)
        for what, count in (
            (Text("带宽", "bandwidth"), totals.bandwidth_unknown), (Text("节点", "nodes"), totals.nodes_unknown),
            (Text("费用", "cost"), totals.cost_unknown),
        ) if count
    ]  # fmt: skip
    return lines(parts) if parts else None


def build_trend_view(trend: NetworkTrend | None) -> View:
    title = Text("与上次快照相比", "Change since the last snapshot")
    columns = (
        Column("item", Text("项目", "What")), Column("then", Text("当时", "Then"), "right"),
        Column("now", Text("现在", "Now"), "right"), Column("change", Text("变化", "Change"), "right"),
    )  # fmt: skip
    if trend is None:
        note = Text(
            "还没有快照：运行 govcloud inventory snapshot 名称，以后即可比较",
            "No snapshot yet: run govcloud inventory snapshot NAME, then there is something to compare with",
        )
        return View(name="network_trend", title=title, columns=columns, notes=(note,))
    then, now = trend.then, trend.now
    items: tuple[tuple[Term, float, float], ...] = (
        (Term("条数", "Networks", "networks"), then.networks, now.networks),
        (Term("带宽 Mbps", "Mbps", "bandwidth_mbps"), then.bandwidth_mbps, now.bandwidth_mbps),
        (Term("节点", "Nodes", "nodes"), then.nodes, now.nodes),
        (Term("年费用（元）", "Yuan a year", "yearly_cost_yuan"), then.yearly_cost_yuan, now.yearly_cost_yuan),
        (Term("未填费用的条数", "Networks without a cost", "cost_unknown"), then.cost_unknown, now.cost_unknown),
    )
    told = (
        (trend.closed, Text("已撤销：{s}", "Closed: {s}")), (trend.added, Text("新出现：{s}", "New: {s}")),
        (trend.vanished, Text("不再有人填报、也没有撤销记录，须查明：{s}", "No longer declared and not recorded as closed; find out why: {s}")),
    )  # fmt: skip
    return View(
        name="network_trend", title=title, columns=columns,
        rows=tuple({"item": item, "then": a, "now": b, "change": b - a} for item, a, b in items),
        notes=(
            Text("快照：{l}（{d}）", "Snapshot: {l} ({d})").format(l=trend.label, d=trend.then_on),
            *(text.format(s=_some(names)) for names, text in told if names),
        ),
        facts={"snapshot": trend.label, "then_on": trend.then_on, "closed": trend.closed, "added": trend.added, "vanished": trend.vanished},
    )  # fmt: skip


def _some(names: Sequence[str]) -> Text:
    """The first few and how many there are; all of them are in the facts."""
    first = Text("、".join(names[:_NAMED]), ", ".join(names[:_NAMED]))
    if len(names) <= _NAMED:
        return first
    rest = Text(str(len(names)), str(len(names) - _NAMED))
    return Text("{f} 等 {n} 条", "{f} and {n} more").format(f=first, n=rest)


def build_closed_view(closed: Sequence[Network]) -> View:
    without = sum(not n.closure_evidence for n in closed)
    note = Text("已撤销 {n} 条，其中 {w} 条没有完成证据。", "{n} closed, {w} without evidence.").format(
        n=len(closed), w=without
    )
    return View(
        name="networks_closed", title=Text("已撤销的业务专网", "Closed dedicated networks"),
        columns=(
            _ID, _NAME, _OWNER, Column("closed_on", Text("撤销日期", "Closed on")),
            Column("closure_evidence", Text("完成证据", "Evidence")),
            Column("yearly_cost_yuan", Text("原年费用（元）", "Yuan a year before"), "right"),
        ),
        rows=tuple(
            _row(
                n, closed_on=n.closed_on, closure_evidence=n.closure_evidence or Text("没有证据", "no evidence"),
                yearly_cost_yuan=n.yearly_cost_yuan,
            )
            for n in closed
        ),
        notes=(note,) if closed else (),
    )  # fmt: skip


def build_differences_view(ledger: NetworkLedger) -> View:
    return View(
        name="network_differences", title=Text("填报与实测核对", "Declared against observed"),
        columns=(
            Column("weight", Text("性质", "Kind")), Column("text", Text("情况", "Observation")), Column("next_step", Text("下一步", "Next step")),
        ),
        rows=tuple({"weight": term(WEIGHT, d.weight), "text": d.text, "next_step": _NEXT[d.kind]} for d in ledger.differences),
        facts={
            "details": [
                {n: getattr(d, n) for n in ("kind", "weight", "networks", "others", "systems", "servers", "prefix")}
                for d in ledger.differences
            ]
        },
    )  # fmt: skip


def build_network_clauses_view(clauses: Sequence[NetworkClause]) -> View:
    """What the office's documents say of dedicated networks, and what follows, as the clause states it."""
    return View(
        name="network_clauses", title=Text("有关条款", "Clauses"),
        columns=(
            Column("clause_id", Text("条款", "Clause")), Column("standing", Text("效力", "Standing")),
            Column("obligation", Text("要求（转述）", "Requirement (paraphrased)")),
            Column("consequence", Text("条文写明的后果", "Consequence stated")), Column("funding", Text("涉及经费", "Concerns funding")),
        ),
        rows=tuple(
            {
                "clause_id": c.clause_id, "standing": term(STANDING, c.standing), "obligation": c.obligation,
                "consequence": c.consequence or NO_CONSEQUENCE, "funding": c.funding,
            }
            for c in clauses
        ),
        notes=() if clauses else (NO_CLAUSE,),
    )  # fmt: skip
