"""Overview of the estate (资产总览): what there is, of whom, where it runs, and how far the data can be relied on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from govcloud.model.inventory import Inventory
from govcloud.model.overlap import DepartmentRow
from govcloud.model.text import Lang, Term, Text
from govcloud.report.bar_chart import render_bars
from govcloud.report.departments import build_departments_view
from govcloud.report.document import Figure, Section
from govcloud.report.inventory import build_conflicts_view, build_systems_view, build_undeclared_view
from govcloud.report.overview import build_estate_numbers
from govcloud.report.view import Cell, Column, View
from govcloud.report.words import HOSTING, LIFECYCLE

_UNKNOWN = Text("不明", "unknown")
_HOSTING: Mapping[str, tuple[Text, str]] = {
    "gov_cloud": (HOSTING["gov_cloud"], "#2f5d8c"), "county_cloud": (HOSTING["county_cloud"], "#6f9bc4"),
    "industry_cloud": (HOSTING["industry_cloud"], "#4b8a8f"), "public_cloud": (HOSTING["public_cloud"], "#7a5a94"),
    "hosted_room": (HOSTING["hosted_room"], "#8a7f3c"), "own_room": (HOSTING["own_room"], "#e0a458"),
    "unknown": (_UNKNOWN, "#c9ced4"),
}  # fmt: skip
_LISTED = 500
"""Systems that stand on paper; a longer list is one for a workbook."""


def build_estate_sections(inventory: Inventory, departments: Sequence[DepartmentRow]) -> tuple[Section, ...]:
    return (
        _overview(inventory),
        *(
            Section(section_id=view.name, title=view.title, views=(view,))
            for view in (_departments(departments), _systems(inventory))
        ),
        Section(
            section_id="servers", title=Text("服务器", "Servers"),
            views=(build_platforms_view(inventory), *_filled(build_undeclared_view(inventory))),
            missing=None if inventory.servers else Text(
                "还没有服务器资料。登录主机核实：govcloud discover ssh", "No servers are known yet. Look at the hosts: govcloud discover ssh"
            ),
        ),
        *(
            Section(section_id=view.name, title=view.title, views=(view,))
            for view in _filled(build_conflicts_view(inventory))
        ),
    )  # fmt: skip


def _overview(inventory: Inventory) -> Section:
    counts = Counter[tuple[str | None, str]]((s.department, s.hosting or "unknown") for s in inventory.systems)

    def drawn(lang: Lang) -> str:
        return render_bars(
            counts, _HOSTING, lang, axis=Text("系统个数", "Systems"), unknown=Text("部门未填", "no department"),
            others=Text("其他 {n} 个部门", "{n} other departments"),
        )  # fmt: skip

    figure = Figure(
        title=Text("各部门系统的部署方式", "Where the departments' systems run"), svg=Text(drawn("zh"), drawn("en"))
    )
    return Section(
        section_id="overview", title=Text("概况", "Overview"),
        intro=Text(
            "数据来自各部门填报和登录核实；填报与实测不一致的，两种说法都列出，由人确认。",
            "From the departments' workbooks and from the hosts themselves; where they differ both are shown and a person decides.",
        ),
        numbers=build_estate_numbers(inventory), figures=(figure,) if counts else (), views=(build_hosting_view(inventory),),
    )  # fmt: skip


def build_hosting_view(inventory: Inventory) -> View:
    """A row a way of hosting, with the states of its systems beside it."""
    counts = Counter[tuple[str, str]]((s.hosting or "unknown", s.lifecycle or "unknown") for s in inventory.systems)
    states = {**LIFECYCLE, "unknown": _UNKNOWN}
    shown = [state for state in states if any(s == state for _, s in counts)]
    rows: list[Mapping[str, Cell]] = []
    for hosting, (word, _) in _HOSTING.items():
        found = {state: counts[hosting, state] for state in shown}
        if total := sum(found.values()):
            rows.append({"hosting": Term(word.zh, word.en, hosting), "systems": total, **found})
    return View(
        name="hosting",
        title=Text("部署方式与运行状态", "Hosting and states"),
        columns=(
            Column("hosting", Text("部署方式", "Hosting")),
            Column("systems", Text("系统", "Systems"), "right"),
            *(Column(state, states[state], "right") for state in shown),
        ),
        rows=tuple(rows),
    )


def build_platforms_view(inventory: Inventory) -> View:
    """Servers by operating system and version, those of unknown kind last."""
    counts = Counter((s.os_name, s.os_version) for s in inventory.servers)
    seen = Counter((s.os_name, s.os_version) for s in inventory.servers if s.seen)
    return View(
        name="platforms",
        title=Text("操作系统", "Operating systems"),
        columns=(
            Column("os_name", Text("操作系统", "Operating system")),
            Column("os_version", Text("版本", "Version")),
            Column("servers", Text("服务器", "Servers"), "right"),
            Column("seen", Text("其中登录核实", "Seen"), "right"),
        ),
        rows=tuple(
            {"os_name": key[0] or _UNKNOWN, "os_version": key[1], "servers": n, "seen": seen[key]}
            for key, n in sorted(counts.items(), key=lambda item: (item[0][0] is None, -item[1], str(item[0])))
        ),
    )  # fmt: skip


def _departments(rows: Sequence[DepartmentRow]) -> View:
    """On paper a dash in the row of the whole department would read as an office that is not known."""
    view, whole = build_departments_view(rows), Text("合计", "in all")
    return replace(view, rows=tuple({**row, "office": row["office"] or whole} for row in view.rows))


def _systems(inventory: Inventory) -> View:
    view = build_systems_view(inventory)
    if len(view.rows) <= _LISTED:
        return view
    note = Text(
        "共 {n} 个系统，此处列出前 {k} 个；全部见 govcloud inventory systems --format csv。",
        "{n} systems, the first {k} of them here; all of them: govcloud inventory systems --format csv.",
    ).format(n=len(view.rows), k=_LISTED)
    return replace(view, rows=view.rows[:_LISTED], notes=(*view.notes, note))


def _filled(view: View) -> tuple[View, ...]:
    return (view,) if view.rows else ()
