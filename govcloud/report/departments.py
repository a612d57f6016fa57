"""Views of departments with their offices, and of systems that may do the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.catalog import Catalog
from govcloud.model.inventory import Inventory
from govcloud.model.overlap import DepartmentRow, Overlap, OverlapKind, Support
from govcloud.model.text import Term, Text, same
from govcloud.report import words
from govcloud.report.findings import term
from govcloud.report.inventory import Labels
from govcloud.report.view import Cell, Column, View

KIND: Mapping[OverlapKind, Text] = {
    "same_function": Text("功能相近", "same function"),
    "public_service": Text("目录有公共服务", "common service in the catalog"),
}
SUPPORT: Mapping[Support, Text] = {
    "server": Text("同一服务器", "the same server"),
    "database": Text("同一数据库", "the same database"),
    "supplier": Text("同一承建单位", "the same supplier"),
    "users": Text("同一用户群", "the same users"),
}
_LEVELS: Mapping[str, Text] = {
    "1": Text("一级", "level 1"), "2": Text("二级", "level 2"), "3": Text("三级", "level 3"), "4": Text("四级", "level 4"),
    "5": Text("五级", "level 5"),
}  # fmt: skip
_UNKNOWN = Text("不明", "unknown")


def build_departments_view(rows: Sequence[DepartmentRow]) -> View:
    """A row a department with its offices below it."""
    whole = [r for r in rows if r.office is None]
    return View(
        name="departments",
        title=Text("各部门和处室的系统", "Systems by department and office"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("office", Text("处室", "Office")),
            Column("systems", Text("系统", "Systems"), "right"),
            Column("states", Text("状态", "States")),
            Column("hosting", Text("部署方式", "Hosting")),
            Column("mlps", Text("等保级别", "MLPS levels")),
            Column("servers", Text("服务器", "Servers"), "right"),
            Column("networks", Text("网络", "Networks"), "right"),
            Column("dedicated_networks", Text("其中业务专网", "Dedicated"), "right"),
            Column("zombies", Text("疑似僵尸", "Zombies"), "right"),
            Column("undeclared", Text("未填报服务器", "Undeclared"), "right"),
            Column("conflicts", Text("说法不一", "Conflicts"), "right"),
            Column("confidence_pct", Text("可信度", "Confidence"), "right"),
        ),
        rows=tuple(_department(r) for r in rows),
        notes=(
            Text(
                "共 {d} 个部门、{o} 个处室，{s} 个系统；疑似僵尸 {z} 个，另有 {u} 个资料不足。",
                "{d} departments, {o} offices, {s} systems; {z} possible zombies, of {u} more too little is known.",
            ).format(
                d=sum(r.department is not None for r in whole), o=sum(bool(r.office) for r in rows), s=sum(r.systems for r in whole),
                z=sum(r.zombies for r in whole), u=sum(r.zombies_open for r in whole),
            ),
            Text(
                "几个部门共用的服务器和网络在各自行内都计；部门栏空白的行是归属不明的对象。",
                "Servers and networks of several departments count in each row; the row without a department holds what nobody claims.",
            ),
        ),
        facts={
            "details": [
                {name: getattr(r, name) for name in r.__slots__} for r in rows
            ],
        },
    )  # fmt: skip


def _department(row: DepartmentRow) -> dict[str, Cell]:
    office: Cell = None
    if row.office is not None:
        office = row.office or Text("（未写处室）", "(no office)")
    return {
        "department": row.department, "office": office, "systems": row.systems,
        "states": _counts(row.states, words.LIFECYCLE), "hosting": _counts(row.hosting, words.HOSTING),
        "mlps": _counts(row.mlps, _LEVELS), "servers": row.servers, "networks": row.networks,
        "dedicated_networks": row.dedicated_networks, "zombies": row.zombies, "undeclared": row.undeclared,
        "conflicts": row.conflicts, "confidence_pct": row.confidence_pct,
    }  # fmt: skip


def _counts(counts: Mapping[str, int], table: Mapping[str, Text]) -> Text | None:
    """`在用 3、闲置 1`."""
    if not counts:
        return None
    texts = [
        Text("{k} {n}", "{k}: {n}").format(k=table.get(key) or (_UNKNOWN if key == "unknown" else same(key)), n=n)
        for key, n in counts.items()
    ]
    return Text("、".join(t.zh for t in texts), ", ".join(t.en for t in texts))


def build_overlaps_view(overlaps: Sequence[Overlap], inventory: Inventory, catalog: Catalog) -> View:
    """Candidates for consolidation, each with what speaks for it."""
    labels = Labels(inventory)
    return View(
        name="overlaps",
        title=Text("整合候选", "Candidates for consolidation"),
        columns=(
            Column("kind", Text("类型", "Kind")),
            Column("score", Text("相近度", "Likeness"), "right"),
            Column("systems", Text("系统", "Systems")),
            Column("departments", Text("部门", "Departments")),
            Column("words", Text("相同的字词", "Words that match")),
            Column("supports", Text("其他共同点", "Also in common")),
            Column("offering", Text("公共服务", "Common service")),
        ),
        rows=tuple(_overlap(o, labels, catalog) for o in overlaps),
        notes=(
            Text(
                "共 {n} 组候选，按名称和功能的字词比对，不是结论；由业务部门确认是否同一职能。",
                "{n} candidates by the words of names and functions. They are no verdicts: the departments confirm whether the duty is the same.",
            ).format(n=len(overlaps)),
            *((Text("去掉通用词、部门名和地名后比对；越少见的字词分量越重，满分 100。",
                    "Compared without general words, departments and places; rarer words weigh more, 100 at most."),) if overlaps else ()),
        ),
        facts={
            "details": [
                {
                    "kind": o.kind, "score": o.score, "system_ids": o.system_ids, "departments": o.departments, "words": o.words,
                    "supports": [{"what": what, "value": value} for what, value in o.supports], "offering": o.offering,
                }
                for o in overlaps
            ],
        },
    )  # fmt: skip


def _overlap(overlap: Overlap, labels: Labels, catalog: Catalog) -> dict[str, Cell]:
    offering = catalog.offering(overlap.offering) if overlap.offering else None
    supports = [
        Text("{k}（{v}）", "{k} ({v})").format(k=SUPPORT[what], v=labels.of(value)) for what, value in overlap.supports
    ]
    return {
        "kind": term(KIND, overlap.kind), "score": overlap.score, "systems": labels.all(overlap.system_ids),
        "departments": overlap.departments, "words": overlap.words,
        "supports": Text("；".join(t.zh for t in supports), "; ".join(t.en for t in supports)) if supports else None,
        "offering": Term(f"{offering.code} {offering.name.zh}", f"{offering.code} {offering.name.en}", offering.code) if offering else None,
    }  # fmt: skip
