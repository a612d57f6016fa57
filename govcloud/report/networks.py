"""Views of the dedicated networks that remain, and of networks that hosts show and nobody declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from govcloud.model.inventory import Inventory
from govcloud.model.network_evidence import TRACES, NetworkEvidence, Trace
from govcloud.model.network_ledger import RemainingNetwork
from govcloud.model.regulation import TopicCoverage
from govcloud.model.server import Server
from govcloud.model.text import Term, Text
from govcloud.report.findings import NO_CLAUSE, term
from govcloud.report.view import Cell, Column, View
from govcloud.report.words import NETWORK_TARGET

TRACE: Mapping[Trace, Text] = {
    "tunnel": Text("隧道", "tunnel"),
    "interface": Text("另一网卡", "second interface"),
    "route": Text("路由", "route"),
    "default_gateway": Text("默认网关", "default gateway"),
}
_SHOWN = 4


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


def build_network_evidence_view(evidence: Sequence[NetworkEvidence], inventory: Inventory) -> View:
    """Networks nobody declared, one row a block of addresses (or tunnel), those that look most like a dedicated network first.

    Every trace with its server is in the JSON facts (`details`).
    """
    groups: dict[str, list[NetworkEvidence]] = {}
    for trace in evidence:
        # Tunnels without an address and gateways without a prefix have nothing but their server in common.
        groups.setdefault(
            trace.prefix or f"{trace.server_id} {trace.what} {trace.interface or trace.gateway}", []
        ).append(trace)
    ranked = sorted(
        groups.values(),
        key=lambda g: (min(TRACES.index(e.what) for e in g), -len(g), g[0].prefix or "", g[0].server_id),
    )
    servers = {s.server_id: s for s in inventory.servers}
    networks = {n.network_id: n.name for n in inventory.networks}

    def name(server_id: str) -> str:
        server = servers.get(server_id)
        return server.name if server else server_id

    return View(
        name="undeclared_networks",
        title=Text("主机上见到、无人填报的网络", "Networks that hosts show and nobody declared"),
        columns=(
            Column("prefix", Text("网段", "Block")),
            Column("what", Text("依据", "Seen as")),
            Column("servers", Text("服务器", "Servers")),
            Column("departments", Text("部门", "Departments")),
            Column("interface", Text("接口", "Interface")),
            Column("gateway", Text("网关", "Gateway")),
            Column("via", Text("网关所在网络", "Network of the gateway")),
        ),
        rows=tuple(_evidence_row(g, name, servers, networks) for g in ranked),
        notes=(
            Text(
                "可能是没有填报的业务专网：查清用途和归属后补报网络调查表；隧道和另一网卡最值得先查。",
                "Perhaps dedicated networks that were left out: find out whose they are and have them declared; tunnels and second interfaces first.",
            ),
        ) if ranked else (),
        facts={
            "details": [
                {name: getattr(e, name) for name in ("server_id", "what", "prefix", "gateway", "interface", "via_network_id")}
                | {"locator": _locator(e, inventory)}
                for e in evidence
            ]
        },
    )  # fmt: skip


def _evidence_row(
    group: Sequence[NetworkEvidence],
    name: Callable[[str], str],
    servers: Mapping[str, Server],
    networks: Mapping[str, str],
) -> dict[str, Cell]:
    def some(values: Iterable[str | None]) -> list[str]:
        found = list(dict.fromkeys(v for v in values if v))
        return [*found[:_SHOWN], f"+{len(found) - _SHOWN}"] if len(found) > _SHOWN else found

    kinds = [what for what in TRACES if any(e.what == what for e in group)]
    return {
        "prefix": group[0].prefix,
        "what": Term("、".join(TRACE[k].zh for k in kinds), ", ".join(TRACE[k].en for k in kinds), tuple(kinds)),
        "servers": some(name(e.server_id) for e in group),
        "departments": some(sorted({d for e in group if (s := servers.get(e.server_id)) and (d := s.department)})),
        "interface": some(e.interface for e in group), "gateway": some(e.gateway for e in group),
        "via": some(networks.get(e.via_network_id or "") for e in group),
    }  # fmt: skip


def _locator(evidence: NetworkEvidence, inventory: Inventory) -> str | None:
    """Where the host said it."""
    field = "interfaces" if evidence.what in ("tunnel", "interface") else "routes"
    said = inventory.evidence.get(evidence.server_id, {})
    witness = said.get(field) or said.get("addresses")
    return witness.locator if witness else None


def _lines(texts: Sequence[Text]) -> Text | None:
    if not texts:
        return None
    return Text("；".join(t.zh for t in texts), "; ".join(t.en for t in texts))
