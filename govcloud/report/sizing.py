"""Views of servers as catalog offerings, and the application made of them. Money is shown in yuan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml

from govcloud.model.inventory import Inventory
from govcloud.model.request import RequestLine, ResourceRequest
from govcloud.model.sizing import ServerSizing, Size, Sizing, SizingBasis, SizingTotal
from govcloud.model.text import Text
from govcloud.report.catalog import yuan
from govcloud.report.inventory import Labels
from govcloud.report.view import Cell, Column, View

BASIS: Mapping[SizingBasis, Text] = {
    "measured": Text("实测", "measured"),
    "nameplate": Text("标称", "nameplate"),
}


def build_sizing_view(sizing: Sizing, inventory: Inventory) -> View:
    """One row a server: what it has, what it needs, what serves it, or why nothing does."""
    labels = Labels(inventory)
    return View(
        name="sizing",
        title=Text("按利用率配置云资源", "Sizes by use"),
        columns=(
            Column("server", Text("服务器", "Server")),
            Column("systems", Text("系统", "Systems")),
            Column("department", Text("部门", "Department")),
            Column("nameplate", Text("现有", "Has")),
            Column("needed", Text("需要", "Needs")),
            Column("basis", Text("依据（CPU/内存）", "By (CPU/memory)")),
            Column("offerings", Text("目录服务", "Offerings")),
            Column("monthly_yuan", Text("元/月", "Yuan a month"), "right"),
            Column("saving_yuan", Text("比标称省（元/月）", "Saved against nameplate"), "right"),
            Column("remark", Text("说明", "Remarks")),
        ),
        rows=tuple(_row(s, labels) for s in sizing.servers),
        notes=tuple(_notes(sizing)),
        facts={
            "catalog": sizing.catalog_id,
            "official": sizing.official,
            "rules": {name: getattr(sizing.rules, name) for name in sizing.rules.__slots__},
            "details": [_details(s) for s in sizing.servers],
        },
    )


def _row(sizing: ServerSizing, labels: Labels) -> dict[str, Cell]:
    s = sizing
    basis = None
    if s.cpu_basis and s.memory_basis:
        cpu, memory = BASIS[s.cpu_basis], BASIS[s.memory_basis]
        basis = Text("{c}/{m}", "{c}/{m}").format(c=cpu, m=memory)
    return {
        "server": s.name, "systems": labels.all(s.system_ids), "department": s.department, "nameplate": _size(s.nameplate),
        "needed": _size(s.needed), "basis": basis, "offerings": [_offering(v.line) for v in s.lines],
        "monthly_yuan": yuan(s.monthly_fen), "saving_yuan": _signed(s.saving_fen), "remark": _joined(s.why_not or s.notes),
    }  # fmt: skip


def _offering(line: RequestLine) -> str:
    spec = line.spec
    size = f" {spec.vcpu}C{spec.memory_gib}G" if spec.vcpu is not None else ""
    return f"{line.code}{size} ×{line.quantity}"


def _size(size: Size) -> Text:
    def number(value: float | None) -> str:
        return "?" if value is None else f"{value:.1f}".removesuffix(".0")

    return Text("{v} 核 {m} G，盘 {d} G", "{v} vCPU, {m} GiB, disk {d} GiB").format(
        v=number(size.vcpu), m=number(size.memory_gib), d=number(size.disk_gib)
    )


def _signed(fen: int | None) -> str | None:
    if fen is None:
        return None
    return f"-{yuan(-fen)}" if fen < 0 else yuan(fen)


def _joined(texts: Sequence[Text]) -> Text | None:
    return Text("；".join(t.zh for t in texts), "; ".join(t.en for t in texts)) if texts else None


def _notes(sizing: Sizing) -> list[Text]:
    rules = sizing.rules
    fitted = [s for s in sizing.servers if s.lines]
    monthly, saving = (sum(getattr(s, k) or 0 for s in fitted) for k in ("monthly_fen", "saving_fen"))
    notes = [
        Text(
            "{n} 台服务器，{f} 台有合适的目录服务，合计 {m} 元/月，比按标称配置省 {s} 元/月。",
            "{n} servers, {f} fit the catalog: {m} yuan a month together, {s} less than by nameplate.",
        ).format(n=len(sizing.servers), f=len(fitted), m=yuan(monthly), s=_signed(saving)),
        Text(
            "利用率覆盖不少于 {d} 天时取 95% 分位数，加 CPU {c}%、内存 {m}% 余量；不足时按标称。一个现有核计一个 vCPU，不折算处理器代差。",
            "95th percentile plus {c} % (CPU) and {m} % (memory) where at least {d} days are covered, else the nameplate. A core counts as one vCPU; processor generations are not compared.",
        ).format(d=f"{rules.min_days:g}", c=f"{rules.cpu_headroom_pct:g}", m=f"{rules.memory_headroom_pct:g}"),
    ]  # fmt: skip
    unpriced = sum(s.monthly_fen is None for s in fitted)
    if unpriced:
        notes.append(
            Text("{n} 台的服务项没有价格，未计入合计。", "{n} are served by offerings without a price; not in the total.").format(n=unpriced)
        )  # fmt: skip
    if not sizing.official:
        notes.append(
            Text("示例目录，不是官方目录，价格为示例数字。", "A sample, not an official catalog; its prices are sample numbers.")
        )  # fmt: skip
    return notes


def build_sizing_totals_view(sizing: Sizing, inventory: Inventory) -> View:
    """Per department, then per system; servers that several systems share stand in a row of their own."""
    labels = Labels(inventory)
    rows: list[Mapping[str, Cell]] = []
    for department in sizing.departments:
        rows.append(_total(department, Text("合计", "total")))
        rows += [
            _total(total, labels.all(total.system_ids) or Text("不属于任何系统", "of no system"))
            for total in sizing.systems
            if total.department == department.department
        ]
    return View(
        name="sizing_totals",
        title=Text("按部门和系统合计", "By department and system"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("systems", Text("系统", "Systems")),
            Column("servers", Text("服务器", "Servers"), "right"),
            Column("fitted", Text("有合适服务", "Fit"), "right"),
            Column("vcpu", Text("核数", "vCPU"), "right"),
            Column("memory_gib", Text("内存 GiB", "Memory GiB"), "right"),
            Column("disk_gib", Text("磁盘 GiB", "Disk GiB"), "right"),
            Column("monthly_yuan", Text("元/月", "Yuan a month"), "right"),
            Column("saving_yuan", Text("比标称省（元/月）", "Saved against nameplate"), "right"),
        ),
        rows=tuple(rows),
    )


def _total(total: SizingTotal, systems: Cell) -> dict[str, Cell]:
    return {
        "department": total.department, "systems": systems, "servers": total.servers, "fitted": total.fitted,
        "vcpu": total.vcpu, "memory_gib": total.memory_gib, "disk_gib": total.disk_gib,
        "monthly_yuan": yuan(total.monthly_fen), "saving_yuan": _signed(total.saving_fen),
    }  # fmt: skip


def _details(sizing: ServerSizing) -> dict[str, object]:
    s = sizing
    return {
        "server_id": s.server_id, "system_ids": s.system_ids, "arch": s.arch, "domestic": s.domestic, "days": s.days,
        "samples": s.samples, "cpu_basis": s.cpu_basis, "memory_basis": s.memory_basis, "disk_basis": s.disk_basis,
        "nameplate": _plain(s.nameplate), "needed": _plain(s.needed), "monthly_yuan": yuan(s.monthly_fen),
        "nameplate_yuan": yuan(s.nameplate_fen), "saving_yuan": _signed(s.saving_fen), "why_not": s.why_not, "notes": s.notes,
        "lines": [
            {"code": v.code, "quantity": v.line.quantity, "vcpu": v.line.spec.vcpu, "memory_gib": v.line.spec.memory_gib,
             "monthly_yuan": yuan(v.monthly_fen)}
            for v in s.lines
        ],
    }  # fmt: skip


def _plain(size: Size) -> dict[str, float | None]:
    return {name: None if (v := getattr(size, name)) is None else round(v, 2) for name in size.__slots__}


def render_request(request: ResourceRequest) -> str:
    """YAML as `check request` reads it: what is not known is left out."""
    head = {
        "department": request.department, "system_id": request.system_id, "system_name": request.system_name,
        "project_id": request.project_id, "applied_on": request.applied_on, "contact": request.contact,
    }  # fmt: skip
    document = {k: v for k, v in head.items() if v is not None}
    body = yaml.safe_dump(
        document | {"lines": [_line(line) for line in request.lines]}, allow_unicode=True, sort_keys=False
    )
    return f"# 由 govcloud inventory sizing 生成，提交前请核对 · made by govcloud inventory sizing; check before use\n{body}"


def _line(line: RequestLine) -> dict[str, object]:
    names = ("vcpu", "memory_gib", "arch", "zone", "mlps_level")
    spec = {name: value for name in names if (value := getattr(line.spec, name)) is not None}
    entry: dict[str, object] = {"line": line.line, "what": line.what, "code": line.code, "quantity": line.quantity}
    return entry | ({"spec": spec} if spec else {})
