"""The inventory as lists: systems, servers, networks, dependencies, tenants, disagreements, what nobody declared.

A list is shown of a Page, which is a part of the inventory; reports show the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from govcloud.model.answers import ConflictPage, FlowPage, Page
from govcloud.model.inventory import Dependency, Inventory, Network, System
from govcloud.model.server import Server
from govcloud.model.text import Term, Text
from govcloud.report import words
from govcloud.report.inventory_values import field_term, value_cell, word_term
from govcloud.report.view import Cell, Column, View

_SHOWN = 4
TABLE_LIMIT = 200
"""Rows of a list on the screen, unless somebody asks for more."""


def column(key: str, zh: str, en: str, align: str = "left") -> Column:
    return Column(key, Text(zh, en), "right" if align == "right" else "left")


def field_column(key: str, align: str = "left") -> Column:
    return Column(key, words.field_title(key), "right" if align == "right" else "left")


class Labels:
    """Ids as a person knows them: systems by id and name, servers and networks by name."""

    def __init__(self, inventory: Inventory) -> None:
        self.names = {s.system_id: f"{s.system_id} {s.name}" for s in inventory.systems}
        self.names |= {s.server_id: s.name for s in inventory.servers}
        self.names |= {n.network_id: n.name for n in inventory.networks}
        self.names |= {p.project_id: p.name for p in inventory.projects}
        self.names |= {d.department_id: d.name for d in inventory.departments}
        for d in inventory.dependencies:
            self.names[d.dependency_id] = f"{self.of(d.source_id)} → {self.of(d.target_id)}"

    def of(self, subject_id: str) -> str:
        return self.names.get(subject_id, subject_id)

    def all(self, ids: Iterable[str]) -> list[str]:
        return [self.of(i) for i in ids]


def _named(labels: Mapping[str, str], ids: Iterable[str]) -> list[str]:
    return [labels.get(i, i) for i in ids]


def left_out_notes(page: Page | FlowPage | ConflictPage, shown: int) -> list[Text]:
    if page.total <= shown:
        return []
    return [
        Text("还有 {n} 行没有列出；--limit 0 列出全部，--find、--department 缩小范围",
             "{n} more rows; --limit 0 lists all, --find and --department narrow it down").format(n=page.total - shown)
    ]  # fmt: skip


def stale_notes(page: Page) -> list[Text]:
    if not page.stale:
        return []
    note = Text("所列对象中 {o} 个有过期的事实，共 {n} 条；见 govcloud inventory show 编号",
                "{o} of those listed have stale facts, {n} together; see govcloud inventory show ID")  # fmt: skip
    return [note.format(o=len(page.stale), n=sum(page.stale.values()))]


def stale_facts(page: Page) -> dict[str, object]:
    return {"total": page.total, "stale": dict(page.stale)}


def _some(names: Sequence[str]) -> Cell:
    """The first few and how many there are: half an estate sits on the extranet."""
    if len(names) <= _SHOWN:
        return list(names)
    first = list(names[:_SHOWN])
    return Text("{f} 等 {n} 个", "{f} and {n} more").format(
        f=Text("、".join(first), ", ".join(first)), n=Text(str(len(names)), str(len(names) - _SHOWN))
    )


def _whole(inventory: Inventory, kind: str) -> Page:
    """The whole inventory as one page."""
    entities: tuple[Any, ...] = getattr(inventory, {"dependency": "dependencies"}.get(kind, kind + "s"))
    beside: dict[str, list[str]] = {}
    for system in inventory.systems if kind in ("server", "network") else ():
        for other in getattr(system, kind + "s"):
            beside.setdefault(other, []).append(system.system_id)
    if kind == "dependency":
        told = inventory.evidence
        beside = {d.dependency_id: ["declared"] for d in entities if "source_id" in told.get(d.dependency_id, {})}
    counts = {"departments": len({e.department for e in entities if getattr(e, "department", None)})}
    if kind == "server":
        counts["seen"] = sum(1 for s in entities if s.seen)
        counts["undeclared"] = sum(1 for s in entities if s.declared is False)
    return Page(
        entities=entities, total=len(entities), labels=Labels(inventory).names,
        beside={i: tuple(on) for i, on in beside.items()}, counts=counts,
    )  # fmt: skip


def build_systems_view(inventory: Inventory) -> View:
    return build_system_page(_whole(inventory, "system"))


def build_system_page(page: Page) -> View:
    systems: Sequence[System] = page.entities
    note = Text("共 {n} 个系统，{d} 个部门", "{n} systems of {d} departments")
    return View(
        name="systems", title=Text("政务信息系统", "Systems"),
        columns=(
            column("system_id", "编号", "Id"), field_column("name"), field_column("department"), field_column("lifecycle"), field_column("hosting"),
            field_column("mlps_level", "right"), field_column("criticality"), field_column("users", "right"), field_column("servers"), field_column("networks"),
        ),
        rows=tuple(
            {
                "system_id": s.system_id, "name": s.name, "department": s.department,
                "lifecycle": word_term(words.LIFECYCLE, s.lifecycle), "hosting": word_term(words.HOSTING, s.hosting),
                "mlps_level": s.mlps_level, "criticality": word_term(words.CRITICALITY, s.criticality), "users": s.users,
                "servers": _named(page.labels, s.servers), "networks": _named(page.labels, s.networks),
            }
            for s in systems
        ),
        notes=(
            note.format(n=page.total, d=page.counts["departments"]), *stale_notes(page), *left_out_notes(page, len(systems)),
        ),
        facts=stale_facts(page),
    )  # fmt: skip


def build_servers_view(inventory: Inventory) -> View:
    return build_server_page(_whole(inventory, "server"))


def build_server_page(page: Page) -> View:
    servers: Sequence[Server] = page.entities
    note = Text("共 {n} 台，已登录核实 {s} 台，无人填报 {u} 台", "{n} servers, {s} seen, {u} undeclared")
    return View(
        name="servers", title=Text("服务器", "Servers"),
        columns=(
            column("server_id", "编号", "Id"), field_column("name"), field_column("addresses"), field_column("department"),
            column("systems", "承载系统", "Systems"), column("os", "操作系统", "Operating system"), field_column("arch"),
            field_column("cpu_count", "right"), field_column("memory_gib", "right"), field_column("disk_gib", "right"), field_column("services"),
            field_column("declared"), field_column("seen"),
        ),
        rows=tuple(
            {
                "server_id": s.server_id, "name": s.name, "addresses": list(s.addresses), "department": s.department,
                "systems": list(page.beside.get(s.server_id, ())),
                "os": " ".join(filter(None, (s.os_name, s.os_version))) or None,
                "arch": s.arch, "cpu_count": s.cpu_count, "memory_gib": s.memory_gib, "disk_gib": s.disk_gib,
                "services": list(s.services), "declared": s.declared, "seen": s.seen,
            }
            for s in servers
        ),
        notes=(
            note.format(n=page.total, s=page.counts["seen"], u=page.counts["undeclared"]), *stale_notes(page),
            *left_out_notes(page, len(servers)),
        ),
        facts=stale_facts(page),
    )  # fmt: skip


def build_network_page(page: Page) -> View:
    networks: Sequence[Network] = page.entities
    return View(
        name="network_list", title=Text("网络", "Networks"),
        columns=(
            column("network_id", "编号", "Id"), field_column("name"), field_column("kind"), field_column("department"), field_column("prefixes"),
            field_column("carrier"), field_column("bandwidth_mbps", "right"), column("systems", "系统", "Systems"), field_column("servers"),
        ),
        rows=tuple(
            {
                "network_id": n.network_id, "name": n.name, "kind": word_term(words.NETWORK_KIND, n.kind),
                "department": n.department, "prefixes": list(n.prefixes), "carrier": n.carrier,
                "bandwidth_mbps": n.bandwidth_mbps, "systems": _some(page.beside.get(n.network_id, ())),
                "servers": _some(_named(page.labels, n.servers[: _SHOWN]) + list(n.servers[_SHOWN:])),
            }
            for n in networks
        ),
        notes=(
            Text("共 {n} 个网络", "{n} networks").format(n=page.total), *stale_notes(page), *left_out_notes(page, len(networks)),
        ),
        facts={
            "systems": {n.network_id: list(page.beside.get(n.network_id, ())) for n in networks},
            "servers": {n.network_id: list(n.servers) for n in networks}, **stale_facts(page),
        },
    )  # fmt: skip


def build_dependencies_view(inventory: Inventory) -> View:
    return build_dependency_page(_whole(inventory, "dependency"))


def build_dependency_page(page: Page) -> View:
    dependencies: Sequence[Dependency] = page.entities
    label = page.labels
    return View(
        name="dependencies", title=Text("依赖关系", "Dependencies"),
        columns=(
            column("dependency_id", "编号", "Id"), field_column("source_id"), field_column("target_id"), field_column("strength"),
            field_column("kind"), field_column("port", "right"), field_column("traffic"), column("declared", "有填报", "Declared"),
            field_column("measured"), field_column("last_seen_at"),
        ),
        rows=tuple(
            {
                "dependency_id": d.dependency_id, "source_id": label.get(d.source_id, d.source_id),
                "target_id": label.get(d.target_id, d.target_id), "strength": word_term(words.STRENGTH, d.strength),
                "kind": word_term(words.DEPENDENCY_KIND, d.kind), "port": d.port,
                "traffic": word_term(words.TRAFFIC, d.traffic), "declared": "declared" in page.beside.get(d.dependency_id, ()),
                "measured": d.measured, "last_seen_at": d.last_seen_at,
            }
            for d in dependencies
        ),
        notes=tuple(left_out_notes(page, len(dependencies))),
        facts={"ends": [[d.dependency_id, d.source_id, d.target_id] for d in dependencies], "total": page.total},
    )  # fmt: skip


def build_conflicts_view(inventory: Inventory) -> View:
    page = ConflictPage(conflicts=inventory.conflicts, total=len(inventory.conflicts), labels=Labels(inventory).names)
    return build_conflict_page(page)


def build_conflict_page(page: ConflictPage, *, answers: bool = False) -> View:
    """Fields about which witnesses disagree: a row each witness, the one that is believed first.

    `answers`: with the columns that a person fills in and gives to `inventory confirm --file`.
    """
    rows: list[Mapping[str, Cell]] = []
    for conflict in page.conflicts:
        for number, o in enumerate(conflict.observations):
            rows.append({
                "subject": page.labels.get(conflict.subject_id, conflict.subject_id), "subject_id": conflict.subject_id,
                "field": field_term(conflict.field), "value": value_cell(conflict.subject_kind, conflict.field, o.value),
                "source": word_term(words.SOURCES, o.source), "locator": o.locator, "observed_at": o.observed_at,
                "chosen": number == 0,
            })  # fmt: skip
    empty = (
        column("answer", "确认值", "Answer"),
        column("reason", "理由", "Reason"),
        column("document", "依据文件", "Document"),
    )
    return View(
        name="conflicts", title=Text("说法不一的事实", "Facts that witnesses disagree about"),
        columns=(
            column("subject_id", "编号", "Id"), column("subject", "对象", "Subject"), column("field", "字段", "Field"),
            column("value", "值", "Value"), column("source", "来源", "Source"), column("locator", "出处", "Where"),
            column("observed_at", "时间", "When"), column("chosen", "采用", "Believed"), *(empty if answers else ()),
        ),
        rows=tuple(rows), notes=(*_conflict_notes(page), *left_out_notes(page, len(page.conflicts))),
        facts={"conflicts": page.total, "contradicted": page.contradicted},
    )  # fmt: skip


def _conflict_notes(page: ConflictPage) -> list[Text]:
    notes = []
    if page.total:
        notes.append(
            Text("共 {n} 处；请责任单位更正工作簿后重新导入，或核实后用 govcloud inventory confirm 确认",
                 "{n} in all; have the department correct the workbook and import it again, or settle it with govcloud inventory confirm")
            .format(n=page.total)
        )  # fmt: skip
    else:
        notes.append(Text("没有说法不一的事实", "No witnesses disagree"))
    if page.contradicted:
        notes.append(
            Text("{n} 项人工确认之后又有不同说法，见 govcloud inventory confirmations",
                 "Witnesses say otherwise since about {n} confirmed facts; see govcloud inventory confirmations")
            .format(n=page.contradicted)
        )  # fmt: skip
    return notes


def build_undeclared_view(inventory: Inventory) -> View:
    """Servers that no workbook mentions: reached ones, and ones that only show as the end of a connection."""
    labels = Labels(inventory).names
    found = [s for s in inventory.servers if s.declared is False]
    ids = {s.server_id for s in found}
    linked: dict[str, list[str]] = {}
    for d in inventory.dependencies:
        for end in {d.source_id, d.target_id} & ids:
            linked.setdefault(end, []).append(labels[d.dependency_id] + (f":{d.port}" if d.port else ""))
    for server_id in ids:
        evidence = inventory.evidence.get(server_id, {})
        if witness := evidence.get("addresses") or evidence.get("name"):
            labels[f"where:{server_id}"] = witness.locator
    return build_undeclared_page(
        Page(
            entities=tuple(found), total=len(found), labels=labels, beside={i: tuple(lines) for i, lines in linked.items()}
        )
    )  # fmt: skip


def build_undeclared_page(page: Page) -> View:
    """`beside`: server id -> lines of whom it is connected with; `labels["where:ID"]`: where it was met."""
    rows = []
    for s in page.entities:
        how = Text("已登录", "logged in") if s.seen else Text("只见到连接", "only seen as a connection")
        rows.append({
            "server_id": s.server_id, "name": s.name, "addresses": list(s.addresses),
            "seen": Term(how.zh, how.en, "logged_in" if s.seen else "connection"),
            "talks_to": list(page.beside.get(s.server_id, ())), "services": list(s.services),
            "locator": page.labels.get(f"where:{s.server_id}"),
        })  # fmt: skip
    advice = Text("找到责任单位，补报或下线", "Find whose they are; have them declared or shut down")
    return View(
        name="undeclared", title=Text("无人填报的服务器", "Servers that nobody declared"),
        columns=(
            column("server_id", "编号", "Id"), field_column("name"), field_column("addresses"), column("seen", "如何发现", "How found"),
            column("talks_to", "与谁相连", "Connected with"), field_column("services"), column("locator", "出处", "Where"),
        ),
        rows=tuple(rows), notes=(*([advice] if rows else ()), *left_out_notes(page, len(rows))),
        facts={"total": page.total},
    )  # fmt: skip


def build_dedicated_servers_view(inventory: Inventory) -> View:
    """Servers that sit on a dedicated network, by their own addresses."""
    servers = {s.server_id: s for s in inventory.servers}
    rows: list[Mapping[str, Cell]] = [
        {
            "server": servers[i].name, "addresses": list(servers[i].addresses), "department": servers[i].department,
            "network": network.name, "prefixes": list(network.prefixes),
        }
        for network in inventory.networks if network.kind == "dedicated"
        for i in network.servers if i in servers
    ]  # fmt: skip
    return View(
        name="dedicated_servers", title=Text("业务专网上的服务器", "Servers on dedicated networks"),
        columns=(
            column("server", "服务器", "Server"), field_column("addresses"), field_column("department"),
            column("network", "业务专网", "Dedicated network"), field_column("prefixes"),
        ),
        rows=tuple(rows),
    )  # fmt: skip
