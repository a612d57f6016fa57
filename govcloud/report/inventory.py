"""The inventory as Views: lists, disagreements, what nobody declared, and one subject with its sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from govcloud.model.inventory import (
    Connection,
    Dependency,
    Inventory,
    Network,
    Observation,
    Project,
    Route,
    Server,
    Socket,
    StrayRoute,
    System,
    Value,
)
from govcloud.model.text import Text, same
from govcloud.report import words
from govcloud.report.view import Cell, Column, View

_SHOWN = 4

Subject = System | Server | Network | Dependency | Project


def _column(key: str, zh: str, en: str, align: str = "left") -> Column:
    return Column(key, Text(zh, en), "right" if align == "right" else "left")


def _field(key: str, align: str = "left") -> Column:
    return Column(key, words.field_title(key), "right" if align == "right" else "left")


def _word(table: Mapping[str, Text], value: str | None) -> Cell:
    return table.get(value, value) if value is not None else None


class Labels:
    """Ids as a person knows them: systems by id and name, servers and networks by name."""

    def __init__(self, inventory: Inventory) -> None:
        self._names = {s.system_id: f"{s.system_id} {s.name}" for s in inventory.systems}
        self._names |= {s.server_id: s.name for s in inventory.servers}
        self._names |= {n.network_id: n.name for n in inventory.networks}
        self._names |= {p.project_id: p.name for p in inventory.projects}
        self._names |= {d.department_id: d.name for d in inventory.departments}
        for d in inventory.dependencies:
            self._names[d.dependency_id] = f"{self.of(d.source_id)} → {self.of(d.target_id)}"

    def of(self, subject_id: str) -> str:
        return self._names.get(subject_id, subject_id)

    def all(self, ids: Iterable[str]) -> list[str]:
        return [self.of(i) for i in ids]


def build_systems_view(inventory: Inventory) -> View:
    labels = Labels(inventory)
    return View(
        name="systems", title=Text("政务信息系统", "Systems"),
        columns=(
            _column("system_id", "编号", "Id"), _field("name"), _field("department"), _field("lifecycle"), _field("hosting"),
            _field("mlps_level", "right"), _field("criticality"), _field("users", "right"), _field("servers"), _field("networks"),
        ),
        rows=tuple(
            {
                "system_id": s.system_id, "name": s.name, "department": s.department,
                "lifecycle": _word(words.LIFECYCLE, s.lifecycle), "hosting": _word(words.HOSTING, s.hosting),
                "mlps_level": s.mlps_level, "criticality": _word(words.CRITICALITY, s.criticality), "users": s.users,
                "servers": labels.all(s.servers), "networks": labels.all(s.networks),
            }
            for s in inventory.systems
        ),
        notes=(Text("共 {n} 个系统，{d} 个部门", "{n} systems of {d} departments").format(
            n=len(inventory.systems), d=len({s.department for s in inventory.systems if s.department})),),
    )  # fmt: skip


def build_servers_view(inventory: Inventory) -> View:
    systems: dict[str, list[str]] = {}
    for system in inventory.systems:
        for server_id in system.servers:
            systems.setdefault(server_id, []).append(system.system_id)
    return View(
        name="servers", title=Text("服务器", "Servers"),
        columns=(
            _column("server_id", "编号", "Id"), _field("name"), _field("addresses"), _field("department"),
            _column("systems", "承载系统", "Systems"), _column("os", "操作系统", "Operating system"), _field("arch"),
            _field("cpu_count", "right"), _field("memory_gib", "right"), _field("disk_gib", "right"), _field("services"),
            _field("declared"), _field("seen"),
        ),
        rows=tuple(
            {
                "server_id": s.server_id, "name": s.name, "addresses": list(s.addresses), "department": s.department,
                "systems": systems.get(s.server_id, []), "os": " ".join(filter(None, (s.os_name, s.os_version))) or None,
                "arch": s.arch, "cpu_count": s.cpu_count, "memory_gib": s.memory_gib, "disk_gib": s.disk_gib,
                "services": list(s.services), "declared": s.declared, "seen": s.seen,
            }
            for s in inventory.servers
        ),
        notes=(Text("共 {n} 台，已登录核实 {s} 台，无人填报 {u} 台", "{n} servers, {s} seen, {u} undeclared").format(
            n=len(inventory.servers), s=sum(1 for s in inventory.servers if s.seen),
            u=sum(1 for s in inventory.servers if s.declared is False)),),
    )  # fmt: skip


def _some(names: Sequence[str]) -> Cell:
    """The first few and how many there are: half an estate sits on the extranet."""
    if len(names) <= _SHOWN:
        return list(names)
    first = list(names[:_SHOWN])
    return Text("{f} 等 {n} 个", "{f} and {n} more").format(
        f=Text("、".join(first), ", ".join(first)), n=Text(str(len(names)), str(len(names) - _SHOWN))
    )


def build_network_list_view(inventory: Inventory) -> View:
    """All networks with who is on them; what is to become of the dedicated ones is in report/networks.py."""
    labels = Labels(inventory)
    carried: dict[str, list[str]] = {}
    for system in inventory.systems:
        for network_id in system.networks:
            carried.setdefault(network_id, []).append(system.system_id)
    return View(
        name="network_list", title=Text("网络", "Networks"),
        columns=(
            _column("network_id", "编号", "Id"), _field("name"), _field("kind"), _field("department"), _field("prefixes"),
            _field("carrier"), _field("bandwidth_mbps", "right"), _column("systems", "系统", "Systems"), _field("servers"),
        ),
        rows=tuple(
            {
                "network_id": n.network_id, "name": n.name, "kind": _word(words.NETWORK_KIND, n.kind),
                "department": n.department, "prefixes": list(n.prefixes), "carrier": n.carrier,
                "bandwidth_mbps": n.bandwidth_mbps, "systems": _some(carried.get(n.network_id, [])),
                "servers": _some(labels.all(n.servers)),
            }
            for n in inventory.networks
        ),
        facts={
            "systems": {n.network_id: carried.get(n.network_id, []) for n in inventory.networks},
            "servers": {n.network_id: list(n.servers) for n in inventory.networks},
        },
    )  # fmt: skip


def build_dependencies_view(inventory: Inventory) -> View:
    labels = Labels(inventory)
    return View(
        name="dependencies", title=Text("依赖关系", "Dependencies"),
        columns=(
            _column("dependency_id", "编号", "Id"), _field("source_id"), _field("target_id"), _field("strength"),
            _field("kind"), _field("port", "right"), _column("declared", "有填报", "Declared"), _field("measured"),
        ),
        rows=tuple(
            {
                "dependency_id": d.dependency_id, "source_id": labels.of(d.source_id), "target_id": labels.of(d.target_id),
                "strength": _word(words.STRENGTH, d.strength), "kind": _word(words.DEPENDENCY_KIND, d.kind),
                "port": d.port, "measured": d.measured,
                "declared": "source_id" in inventory.evidence.get(d.dependency_id, {}),
            }
            for d in inventory.dependencies
        ),
        facts={"ends": [[d.dependency_id, d.source_id, d.target_id] for d in inventory.dependencies]},
    )  # fmt: skip


def build_conflicts_view(inventory: Inventory) -> View:
    """Fields about which witnesses disagree: a row each witness, the one that is believed first."""
    labels = Labels(inventory)
    rows: list[Mapping[str, Cell]] = []
    for conflict in inventory.conflicts:
        for number, o in enumerate(conflict.observations):
            rows.append({
                "subject": labels.of(conflict.subject_id), "subject_id": conflict.subject_id,
                "field": words.field_title(conflict.field), "value": _value(conflict.subject_kind, conflict.field, o.value),
                "source": _word(words.SOURCES, o.source), "locator": o.locator, "observed_at": o.observed_at,
                "chosen": number == 0,
            })  # fmt: skip
    return View(
        name="conflicts", title=Text("说法不一的事实", "Facts that witnesses disagree about"),
        columns=(
            _column("subject", "对象", "Subject"), _column("field", "字段", "Field"), _column("value", "值", "Value"),
            _column("source", "来源", "Source"), _column("locator", "出处", "Where"),
            _column("observed_at", "时间", "When"), _column("chosen", "采用", "Believed"),
        ),
        rows=tuple(rows),
        notes=(Text("共 {n} 处；请责任单位核对后更正工作簿并重新导入", "{n} in all; have the department check, correct the workbook and import it again")
               .format(n=len(inventory.conflicts)),) if rows else (Text("没有说法不一的事实", "No witnesses disagree"),),
        facts={"conflicts": len(inventory.conflicts)},
    )  # fmt: skip


def build_undeclared_view(inventory: Inventory) -> View:
    """Servers that no workbook mentions: reached ones, and ones that only show as the end of a connection."""
    rows = [_undeclared(inventory, s) for s in inventory.servers if s.declared is False]
    return View(
        name="undeclared", title=Text("无人填报的服务器", "Servers that nobody declared"),
        columns=(
            _column("server_id", "编号", "Id"), _field("name"), _field("addresses"), _column("seen", "如何发现", "How found"),
            _column("talks_to", "与谁相连", "Connected with"), _field("services"), _column("locator", "出处", "Where"),
        ),
        rows=tuple(rows),
        notes=(Text("找到责任单位，补报或下线", "Find whose they are; have them declared or shut down"),) if rows else (),
    )  # fmt: skip


def _undeclared(inventory: Inventory, server: Server) -> Mapping[str, Cell]:
    labels = Labels(inventory)
    linked = [
        f"{labels.of(d.source_id)} → {labels.of(d.target_id)}" + (f":{d.port}" if d.port else "")
        for d in inventory.dependencies
        if server.server_id in (d.source_id, d.target_id)
    ]
    evidence = inventory.evidence.get(server.server_id, {})
    witness = evidence.get("addresses") or evidence.get("name")
    how = Text("已登录", "logged in") if server.seen else Text("只见到连接", "only seen as a connection")
    return {
        "server_id": server.server_id, "name": server.name, "addresses": list(server.addresses), "seen": how,
        "talks_to": linked, "services": list(server.services), "locator": witness.locator if witness else None,
    }  # fmt: skip


def build_stray_routes_view(inventory: Inventory, routes: Sequence[StrayRoute]) -> View:
    labels = Labels(inventory)
    return View(
        name="stray_routes", title=Text("无人填报的网段", "Address blocks that nobody declared"),
        columns=(
            _column("prefix", "网段", "Block"), _column("server", "哪台服务器有路由", "Server with the route"),
            _column("gateway", "网关", "Gateway"), _column("network", "网关所在网络", "Network of the gateway"),
        ),
        rows=tuple(
            {
                "prefix": r.prefix, "server": labels.of(r.server_id), "gateway": r.gateway,
                "network": labels.of(r.network_id) if r.network_id else None,
            }
            for r in routes
        ),
    )  # fmt: skip


def build_dedicated_servers_view(inventory: Inventory) -> View:
    """Servers that sit on a dedicated network, by their own addresses."""
    rows: list[Mapping[str, Cell]] = []
    servers = {s.server_id: s for s in inventory.servers}
    for network in inventory.networks:
        if network.kind == "dedicated":
            for server_id in network.servers:
                server = servers[server_id]
                rows.append({
                    "server": server.name, "addresses": list(server.addresses), "department": server.department,
                    "network": network.name, "prefixes": list(network.prefixes),
                })  # fmt: skip
    return View(
        name="dedicated_servers", title=Text("业务专网上的服务器", "Servers on dedicated networks"),
        columns=(
            _column("server", "服务器", "Server"), _field("addresses"), _field("department"),
            _column("network", "业务专网", "Dedicated network"), _field("prefixes"),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def build_subject_view(inventory: Inventory, subject: Subject) -> View:
    """Every field of one subject with the witness, the place and the time that its value comes from."""
    kind = type(subject).__name__.casefold()
    subject_id: str = getattr(subject, f"{kind}_id")
    labels = Labels(inventory)
    evidence = inventory.evidence.get(subject_id, {})
    rows = []
    for field in dataclasses.fields(subject):
        value = getattr(subject, field.name)
        if field.name != f"{kind}_id" and value not in (None, ()):
            rows.append(_subject_row(kind, field.name, value, evidence.get(field.name), labels))
    return View(
        name="subject", title=Text("{k} {s}", "{k} {s}").format(k=words.SUBJECTS[kind], s=labels.of(subject_id)),
        columns=(
            _column("field", "字段", "Field"), _column("value", "值", "Value"), _column("source", "来源", "Source"),
            _column("locator", "出处", "Where"), _column("observed_at", "时间", "When"),
        ),
        rows=tuple(rows),
        notes=(Text("没有列出的字段：尚不知道", "Fields that are not listed are unknown"),),
        facts={"subject_id": subject_id, "kind": kind},
    )  # fmt: skip


def _subject_row(
    kind: str, field: str, value: object, witness: Observation | None, labels: Labels
) -> Mapping[str, Cell]:
    shown = labels.all(value) if field in ("servers", "networks", "systems") and isinstance(value, tuple) else value
    if field in ("source_id", "target_id"):
        shown = labels.of(str(value))
    return {
        "field": words.field_title(field), "value": _value(kind, field, shown),
        "source": _word(words.SOURCES, witness.source) if witness else Text("推得", "derived"),
        "locator": witness.locator if witness else None, "observed_at": witness.observed_at if witness else None,
    }  # fmt: skip


def _value(kind: str, field: str, value: object) -> Cell:
    if (text := words.value_text(kind, field, value)) is not None:
        return text
    if isinstance(value, (tuple, list)):
        return [_line(v) for v in value]
    return value if isinstance(value, (str, int, float, bool, date)) else None


def _line(value: Value | Socket | Connection | Route) -> str:
    if isinstance(value, Socket):
        return f"{value.protocol} {value.address}:{value.port}" + (f" {value.process}" if value.process else "")
    if isinstance(value, Connection):
        local, remote = (f"{a}:{p}" if p else a for a, p in (
            (value.local_address, value.local_port), (value.remote_address, value.remote_port)))  # fmt: skip
        return f"{remote} → {local}" if value.inbound else f"{local} → {remote}"
    if isinstance(value, Route):
        return value.destination + (f" via {value.gateway}" if value.gateway else "")
    return same(value).en
