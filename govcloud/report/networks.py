"""Views of the dedicated networks that remain, and of networks that hosts show and nobody declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

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


def build_networks_view(
    rows: Sequence[RemainingNetwork], coverage: TopicCoverage, as_of: date | None = None, *, classified: bool = False
) -> View:
    """Who owns each, who is on it, when it can close and where it is to go. `classified`: the table of the classified ones.

    With `as_of` a wave whose day has passed is said to be late. Blockers and closing are in the JSON facts, too.
    """
    what = Text("尚存业务专网", "Remaining dedicated networks")
    if classified:
        what = Text("涉密业务专网", "Classified dedicated networks")
    return View(
        name="networks_classified" if classified else "networks",
        title=what,
        columns=(
            Column("network_id", Text("编号", "Id")),
            Column("name", Text("名称", "Name")),
            Column("department", Text("归属部门", "Owner")),
            Column("systems", Text("承载系统", "Systems on it")),
            Column("servers", Text("无主服务器", "Servers of no system")),
            Column("closes", Text("何时可撤并", "When it can close")),
            Column("target", Text("去向", "Target")),
            Column("target_on", Text("计划日期", "Planned for")),
            Column("responsible", Text("责任人", "Responsible")),
        ),
        rows=tuple(
            {
                "network_id": row.network.network_id,
                "name": row.network.name,
                "department": row.network.department,
                "systems": row.systems,
                "servers": row.servers,
                "closes": closes_text(row, as_of),
                "target": term(NETWORK_TARGET, row.network.target) if row.network.target else None,
                "target_on": row.network.target_on,
                "responsible": row.network.responsible,
            }
            for row in rows
        ),
        notes=_secrecy_notes(rows) if classified else _notes(rows, coverage),
        facts={
            "clauses": coverage.binding,
            "clauses_for_reference": coverage.reference,
            "blockers": {row.network.network_id: row.blockers for row in rows},
            "closing": {
                row.network.network_id: {
                    "planned": row.closing.planned, "wave": row.closing.wave, "on": row.closing.on,
                    "moving": row.closing.moving, "unplanned": row.closing.unplanned,
                }
                for row in rows
            },
        },
    )  # fmt: skip


def _notes(rows: Sequence[RemainingNetwork], coverage: TopicCoverage) -> tuple[Text, ...]:
    known = [n.yearly_cost_yuan for n in (row.network for row in rows) if n.yearly_cost_yuan is not None]
    notes = [
        Text(
            "共 {n} 条业务专网，{known} 条登记了费用，合计每年 {cost} 元。",
            "{n} dedicated networks; {known} with a recorded cost, {cost} yuan a year together.",
        ).format(n=len(rows), known=len(known), cost=f"{sum(known):,.2f}"),
        Text("条款：{c}", "Clauses: {c}").format(c=", ".join(coverage.binding) if coverage.binding else NO_CLAUSE),
    ]
    if coverage.reference:
        notes.append(Text("供参照：{c}", "For reference: {c}").format(c=", ".join(coverage.reference)))
    return tuple(notes)


def _secrecy_notes(rows: Sequence[RemainingNetwork]) -> tuple[Text, ...]:
    note = Text(
        "涉密网络按保密规定另行处理，不并入政务外网。",
        "Classified networks follow the rules of secrecy and never join the extranet.",
    )
    return (note,) if rows else ()


def closes_text(row: RemainingNetwork, as_of: date | None = None) -> Text:
    """After which wave of the newest plan nothing is on it any more, or why that can't be said."""
    closing = row.closing
    if row.exemption is not None:
        return Text("拟保留", "is to stay")
    if not row.systems and not row.servers:
        return Text("承载什么系统未知", "what runs on it is not known")
    if not closing.moving and not closing.unplanned:
        if row.servers:
            return Text("没有在用系统；先查清无主服务器", "no system in use; look into the servers of no system first")
        return Text("承载系统均已迁走或停用，可办理撤并", "all its systems have moved or stopped: it can close")
    if not closing.planned:
        return Text("尚无迁移计划", "there is no migration plan yet")
    after = Text("第 {w} 批（{on}）之后，届时 {s} 已迁走", "after wave {w} ({on}), once moved: {s}").format(
        w=closing.wave, on=closing.on, s=Text("、".join(closing.moving), ", ".join(closing.moving))
    )
    late = as_of is not None and closing.on is not None and closing.on < as_of
    if late:
        after = Text("{a}；该日已过，请重新排期", "{a}; that day has passed, plan again").format(a=after)
    if not closing.unplanned:
        return after
    open_ = Text("不能确定，未排入批次：{s}", "can't be said; in no wave: {s}").format(s=lines(closing.unplanned))
    return Text("{o}；其余：{a}", "{o}; the others {a}").format(o=open_, a=after) if closing.moving else open_


def lines(texts: Sequence[Text]) -> Text:
    return Text("；".join(t.zh for t in texts), "; ".join(t.en for t in texts))


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
