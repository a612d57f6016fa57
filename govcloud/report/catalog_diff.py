"""Views of what differs between two catalogs and of the running requests that it reaches. Money is shown in yuan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from govcloud.model.catalog import CatalogDiff, ChangeKind, Offering, OfferingChange, Price, TouchedLine
from govcloud.model.text import Term, Text, same
from govcloud.report import catalog as catalog_views
from govcloud.report.catalog import build_price, build_range, build_sizes, build_sla, build_status, build_zones, yuan
from govcloud.report.findings import term
from govcloud.report.view import Cell, Column, View

KIND: Mapping[ChangeKind, Text] = {
    "added": Text("新增", "added"),
    "removed": Text("删除", "removed"),
    "closed": Text("停止新开通", "closed to new requests"),
    "retired": Text("下线", "retired"),
    "reopened": Text("恢复", "reopened"),
    "lifecycle": Text("日期变更", "dates changed"),
    "price": Text("调价", "price"),
    "unit": Text("单位变更", "unit"),
    "range": Text("数量范围", "quantity"),
    "memory": Text("规格", "sizes"),
    "arch": Text("架构", "architecture"),
    "zone": Text("区域", "zone"),
    "sla": Text("服务水平", "service level"),
    "package": Text("属性", "properties"),
    "text": Text("名称、说明", "name, description"),
}


def build_diff_views(diff: CatalogDiff) -> tuple[View, ...]:
    """The differences; and, where a workspace was asked, the lines of running requests that they reach."""
    return (_changes(diff),) if diff.requests is None else (_changes(diff), _touched(diff))


def _changes(diff: CatalogDiff) -> View:
    counts = {kind: sum(1 for c in diff.changes if c.kind == kind) for kind in KIND}
    told = [Text("{k} {n}", "{k} {n}").format(k=KIND[kind], n=n) for kind, n in counts.items() if n]
    notes = [
        Text("前：{t}", "Before: {t}").format(t=catalog_views.build_title(diff.before)),
        Text("后：{t}", "After: {t}").format(t=catalog_views.build_title(diff.after)),
        Text("、".join(t.zh for t in told), ", ".join(t.en for t in told))
        if told
        else Text("没有差别", "No differences"),
    ]
    if not (diff.before.official and diff.after.official):
        notes.append(catalog_views.SAMPLE)
    return View(
        name="catalog_diff",
        title=Text("服务目录的变化", "Changes of the service catalog"),
        columns=(
            Column("code", Text("编码", "Code")),
            Column("name", Text("服务", "Service")),
            Column("kind", Text("变化", "Change")),
            Column("before", Text("原", "Before")),
            Column("after", Text("现", "After")),
            Column("pct", Text("幅度", "By")),
            Column("successor", Text("后续服务", "Successor")),
        ),
        rows=tuple(_change(c) for c in diff.changes),
        notes=tuple(notes),
        facts={
            "before": _identity(diff, "before"),
            "after": _identity(diff, "after"),
            "counts": {kind: n for kind, n in counts.items() if n},
            "prices": [_prices(c) for c in diff.changes if c.kind == "price"],
        },
    )


def _identity(diff: CatalogDiff, side: str) -> dict[str, object]:
    catalog = getattr(diff, side)
    return {"catalog": catalog.catalog_id, "version": catalog.version, "official": catalog.official}


def _change(change: OfferingChange) -> dict[str, Cell]:
    leaving = change.kind in ("removed", "closed", "retired")
    return {
        "code": change.code,
        "name": change.offering.name,
        "kind": term(KIND, change.kind),
        "before": _shown(change.kind, change.before),
        "after": _shown(change.kind, change.after),
        "pct": _pct(change),
        "successor": change.offering.successor if leaving else None,
    }


def _shown(kind: ChangeKind, offering: Offering | None) -> Cell:
    if offering is None:
        return None
    match kind:
        case "added" | "removed" | "price":
            return build_price(offering)
        case "closed" | "retired" | "reopened" | "lifecycle":
            return build_status(offering)
        case "unit":
            return offering.unit
        case "range":
            return build_range(offering)
        case "memory":
            return "; ".join(build_sizes(offering))
        case "arch":
            return offering.arch
        case "zone":
            return build_zones(offering)
        case "sla":
            return build_sla(offering.sla)
        case "package":
            return _properties(offering)
        case "text":
            return offering.name if offering.description is None else Text("{n}：{d}", "{n}: {d}").format(
                n=offering.name, d=offering.description
            )  # fmt: skip


def _properties(offering: Offering) -> Text:
    facts = {
        Text("类别", "class"): same(offering.service_class),
        Text("等保级别", "protection level"): offering.mlps_package,
        Text("国产", "domestic"): Text("是", "yes") if offering.domestic else None,
        Text("公共支撑", "common"): Text("是", "yes") if offering.common else None,
        Text("已含在", "included in"): offering.included_in,
    }
    parts = [Text("{k} {v}", "{k} {v}").format(k=k, v=v) for k, v in facts.items() if v is not None]
    return Text("，".join(p.zh for p in parts), ", ".join(p.en for p in parts))


def _steps(change: OfferingChange) -> list[tuple[str, int, int]]:
    """The parts of a price that changed: (field, from, to) in fen; none where the two can't be compared."""
    before, after = (o.price if o else None for o in (change.before, change.after))
    if change.kind != "price" or before is None or after is None or before.period != after.period:
        return []
    if change.before and change.after and change.before.unit != change.after.unit:
        return []
    names = [name for name in Price.__slots__ if name != "period"]
    return [(n, getattr(before, n), getattr(after, n)) for n in names if getattr(before, n) != getattr(after, n)]


def _pct(change: OfferingChange) -> Cell:
    """`+5.3%` for each part of the price; a price that was nothing has no percentage."""
    shown = dict.fromkeys(f"{(new - old) / old:+.1%}" for _, old, new in _steps(change) if old)
    return " / ".join(shown) or None


def _prices(change: OfferingChange) -> dict[str, object]:
    steps = [
        {"part": part, "before_fen": old, "after_fen": new, "pct": round((new - old) / old * 100, 2) if old else None}
        for part, old, new in _steps(change)
    ]
    sides = {side: getattr(change, side).price for side in ("before", "after")}
    return {"code": change.code, **{side: asdict(p) if p else None for side, p in sides.items()}, "changes": steps}


def _touched(diff: CatalogDiff) -> View:
    notes = [Text("核对了 {n} 份在用申请", "Running requests looked at: {n}").format(n=diff.requests)]
    known = [t.difference_fen for t in diff.touched if t.difference_fen is not None]
    if known:
        systems = {(t.department, t.system_id or t.file) for t in diff.touched}
        notes.append(
            Text("涉及 {s} 个系统、{n} 行，每月费用变化合计 {d} 元", "Systems: {s}, lines: {n}; the cost of a month changes by {d} yuan in all").format(
                s=len(systems), n=len(diff.touched), d=_signed(sum(known))
            )
        )  # fmt: skip
    unknown = sum(1 for t in diff.touched if t.difference_fen is None)
    if unknown:
        notes.append(
            Text("{n} 行的费用不能确定：没有后续服务、后续服务不合要求或没有价格", "Lines whose cost is open: {n}; no successor, none that fits, or no price").format(n=unknown)
        )  # fmt: skip
    return View(
        name="touched_requests",
        title=Text("涉及的在用申请和系统", "Running requests and systems that this reaches"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("system", Text("系统", "System")),
            Column("file", Text("申请", "Request")),
            Column("line", Text("行", "Line"), "right"),
            Column("what", Text("内容", "What")),
            Column("code", Text("编码", "Code")),
            Column("changes", Text("变化", "Changes")),
            Column("monthly_yuan", Text("原元/月", "Yuan a month before"), "right"),
            Column("difference_yuan", Text("变化（元/月）", "Change (yuan a month)"), "right"),
            Column("next", Text("要做什么", "What to do")),
        ),
        rows=tuple(_touched_row(t) for t in diff.touched),
        notes=tuple(notes),
    )


def _touched_row(line: TouchedLine) -> dict[str, Cell]:
    kinds = [KIND[kind] for kind in line.kinds]
    return {
        "department": line.department,
        "system": line.system_name
        if line.system_id is None
        else f"{line.system_name or ''} ({line.system_id})".strip(),
        "file": line.file,
        "line": line.line,
        "what": line.what,
        "code": line.code,
        "changes": Term("、".join(k.zh for k in kinds), ", ".join(k.en for k in kinds), line.kinds),
        "monthly_yuan": yuan(line.before_fen),
        "difference_yuan": None if line.difference_fen is None else _signed(line.difference_fen),
        "next": _next(line),
    }


def _next(line: TouchedLine) -> Text:
    if line.successor:
        return Text("改用 {code}", "Move to {code}").format(code=line.successor)
    if line.problems:
        first = Text("{p}", "{p}").format(p=line.problems[0])
        return Text("调整申请：{p}", "Change the request: {p}").format(p=first)
    if set(line.kinds) & {"removed", "retired"}:
        return Text("没有后续服务，另行选择", "There is no successor: choose another service")
    if "closed" in line.kinds:
        return Text("可继续使用，不能再增加", "It may go on, but nothing can be added")
    if "price" in line.kinds:
        return Text("调整预算", "Change the budget")
    return Text("知悉", "To be noted")


def _signed(fen: int) -> str:
    return f"{'-' if fen < 0 else '+'}{yuan(abs(fen))}"
