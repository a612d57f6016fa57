"""Departments, systems and servers, as the inventory knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.answers import Page, Query, SubjectAnswer
from govcloud.model.regulation import Severity
from govcloud.model.text import Text, same
from govcloud.report import words
from govcloud.report.departments import build_departments_view
from govcloud.report.findings import SEVERITY
from govcloud.report.inventory import build_conflict_page, build_server_page, build_system_page
from govcloud.report.inventory_subject import build_subject_views
from govcloud.report.view import View
from govcloud.web.door import DoorFirst, Reading
from govcloud.web.drawing import Chart
from govcloud.web.paging import Paging, page_number
from govcloud.web.visit import Visit
from govcloud.workflow import lists
from govcloud.workflow.departments import read_department, read_departments
from govcloud.workflow.inventory import explain_subject, list_conflicts
from govcloud.workflow.kept import Kept

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Choice = tuple[str, Text | str]
_LONGEST = 200
_UNKNOWN: Choice = (lists.UNKNOWN, Text("不明", "unknown"))
_HOSTING: tuple[Choice, ...] = (*words.HOSTING.items(), _UNKNOWN)
_LIFECYCLE: tuple[Choice, ...] = (*words.LIFECYCLE.items(), _UNKNOWN)
_LEVELS: tuple[Choice, ...] = (*((str(n), str(n)) for n in range(1, 6)), _UNKNOWN)
SUBJECTS: Mapping[str, str] = {kind: f"/{kind}s/{{}}" for kind in ("system", "server", "network", "project")}
"""Kind of a subject -> its page."""
KNOWN = Text("已知情况", "What is known")
IMPORT_FIRST = Text(
    "还没有导入普查表：govcloud import 普查表.xlsx", "No census was imported yet: govcloud import CENSUS.xlsx"
)
BY_ID = Text("编号", "id")
_SYSTEM_ORDERS: tuple[Choice, ...] = (
    ("name", Text("名称", "name")),
    ("department", Text("部门", "department")),
    ("level", Text("等保级别", "MLPS level")),
    ("users", Text("用户数", "users")),
)
_SERVER_STATES: tuple[Choice, ...] = (
    ("seen", Text("已登录核实", "seen")),
    ("unseen", Text("未登录核实", "not seen")),
    ("undeclared", Text("无人填报", "undeclared")),
)
_SERVER_ORDERS: tuple[Choice, ...] = (
    ("name", Text("名称", "name")),
    ("department", Text("部门", "department")),
    ("os", Text("操作系统", "operating system")),
)


class Asked:
    """The parameters of a list's address, and the fields of its form."""

    def __init__(self, visit: Visit, *names: str) -> None:
        given = visit.request.query_params
        self.values = {name: given.get(name, "").strip()[:_LONGEST] for name in names}
        self.number = page_number(given.get("page", ""))
        self.whole = bool(given.get("as"))
        """As a file: all pages."""

    def paging(self, total: int) -> Paging:
        return Paging(number=self.number, total=total, query={k: v for k, v in self.values.items() if v})

    @property
    def part(self) -> lists.Part:
        paging = self.paging(0)
        return lists.Part() if self.whole else lists.Part(limit=paging.rows, offset=paging.offset)

    def answered(self, view: View, total: int, first: Text) -> View:
        """With one note: how many there are; of none, that nothing fits what was asked for, or what to do `first`."""
        if total:
            return replace(view, notes=view.notes[:1])
        narrowed = any(value for name, value in self.values.items() if name not in ("order", "kind"))
        nothing = Text("没有符合条件的记录；可放宽或清除条件", "Nothing fits; ask for less, or clear the filters")
        return replace(view, notes=(nothing if narrowed else first,))

    def field(
        self, name: str, label: Text, choices: Sequence[Choice] | None = None, *, first: Text | None = None
    ) -> dict[str, Any]:
        """`first`: what no choice means, if not all."""
        field = {"name": name, "label": label, "value": self.values[name]}
        if choices is not None:
            field["choices"] = choices
        return field if first is None else {**field, "first": first}


def department_field(visit: Visit, asked: Asked) -> dict[str, Any]:
    names = lists.departments_of(visit.session)
    given = asked.values["department"]
    # One that came by a link or was typed by hand stays chosen.
    choices = [(n, n) for n in (names if not given or given in names else [given, *names])]
    return asked.field("department", Text("部门", "Department"), choices)


@router.get("/systems")
def systems(visit: Reading) -> Response:
    asked = Asked(visit, "find", "department", "hosting", "level", "lifecycle", "network", "order")
    given = dict(asked.values)
    network, order = given.pop("network"), given.pop("order") or "id"
    networks = lists.networks_named(visit.session, network) if network else None
    found = lists.list_systems(visit.session, lists.SystemQuestion(**given, order=order, networks=networks), asked.part)
    filters = (
        asked.field("find", Text("查找", "Find")),
        department_field(visit, asked),
        asked.field("hosting", Text("部署方式", "Hosting"), _HOSTING),
        asked.field("level", Text("等保级别", "MLPS level"), _LEVELS),
        asked.field("lifecycle", Text("状态", "State"), _LIFECYCLE),
        asked.field("network", Text("网络（编号或名称）", "Network (id or name)")),
        asked.field("order", Text("排序", "Sorted by"), _SYSTEM_ORDERS, first=BY_ID),
    )
    return _listed(visit, build_system_page(found), found, asked, filters)


@router.get("/servers")
def servers(visit: Reading) -> Response:
    asked = Asked(visit, "find", "department", "state", "order")
    given = dict(asked.values)
    order = given.pop("order") or "id"
    found = lists.list_servers(visit.session, lists.ServerQuestion(**given, order=order), asked.part)
    filters = (
        asked.field("find", Text("查找", "Find")),
        department_field(visit, asked),
        asked.field("state", Text("核实情况", "Seen or declared"), _SERVER_STATES),
        asked.field("order", Text("排序", "Sorted by"), _SERVER_ORDERS, first=BY_ID),
    )
    return _listed(visit, build_server_page(found), found, asked, filters)


def _listed(visit: Visit, view: View, found: Page, asked: Asked, filters: Sequence[dict[str, Any]]) -> Response:
    # The first note counts; the others tell of options of the command line.
    shown = asked.answered(view, found.total, IMPORT_FIRST)
    return visit.views(view.title, shown, paging=asked.paging(found.total), filters=filters)


@router.get("/conflicts")
def conflicts(visit: Reading) -> Response:
    asked = Asked(visit, "find", "department")
    part = asked.part
    query = Query(
        find=asked.values["find"] or None, department=asked.values["department"] or None, limit=part.limit, offset=part.offset
    )  # fmt: skip
    found = list_conflicts(visit.session, query)
    filters = (asked.field("find", Text("查找", "Find")), department_field(visit, asked))
    view = build_conflict_page(found)
    kinds = {c.subject_id: c.subject_kind for c in found.conflicts}
    rows = tuple({**row, "subject_id/page": SUBJECTS.get(kinds[str(row["subject_id"])])} for row in view.rows)
    none = Text("没有说法不一的事实", "Witnesses disagree about nothing")
    shown = asked.answered(replace(view, rows=rows), found.total, none)
    return visit.views(view.title, shown, paging=asked.paging(found.total), filters=filters)  # fmt: skip


@router.get("/departments")
def departments(visit: Reading) -> Response:
    title = Text("部门", "Departments")
    try:
        found = read_departments(visit.session)
    except UsageError:
        return nothing_yet(visit, title)
    asked, view = Asked(visit), build_departments_view(found.value)
    shown = replace(view, rows=tuple(asked.part.of(view.rows)))
    return visit.views(title, shown, intro=computed(found), paging=asked.paging(len(view.rows)))


def nothing_yet(visit: Visit, title: Text) -> Response:
    """Before the first import."""
    return visit.views(title, View(name="nothing", title=title, columns=(), notes=(IMPORT_FIRST,)))


def computed(found: Kept[Any]) -> Text:
    """Of what is worked out over everything: as of when."""
    return Text(
        "按台账前 {n} 条记录时的清单统计", "Counted of the inventory as of the first {n} records of the ledger"
    ).format(n=f"{found.records:,}")


@router.get("/departments/{name:path}")
def department(visit: Reading, name: str) -> Response:
    """One department: its counts, its offices, and the ways to everything of it."""
    found = read_department(visit.session, name)
    if found is None:
        raise HTTPException(404)
    links = [(_counted(label, count), f"{path}?{urlencode({'department': name, **more})}")
             for label, count, path, more in _ways(found.rows[0].systems, found.findings)]  # fmt: skip
    shown = lists.list_systems(visit.session, lists.SystemQuestion(department=name), lists.Part(limit=20))
    first = build_system_page(shown)
    whole = [(Text("该部门全部系统", "All systems of the department"), f"/systems?department={quote(name)}")]
    return visit.views(
        same(name), replace(build_departments_view(found.rows), notes=()), replace(first, notes=first.notes[:1]),
        links=[*links, *(whole if shown.total > len(shown.entities) else ())],
    )  # fmt: skip


def _ways(systems: int, findings: Mapping[Severity, int]) -> list[tuple[Text, int | None, str, dict[str, str]]]:
    """Label, count where it is known, page, and what it is narrowed by besides."""
    by_severity: list[tuple[Text, int | None, str, dict[str, str]]] = [
        (Text("其中程度{s}", "of {s} severity").format(s=SEVERITY[s]), findings[s], "/findings", {"severity": str(s)})
        for s in SEVERITY if findings.get(s)
    ]  # fmt: skip
    return [
        (Text("系统", "Systems"), systems, "/systems", {}),
        (Text("服务器", "Servers"), None, "/servers", {}),
        (Text("不符合项", "Findings"), sum(findings.values()), "/findings", {}),
        *by_severity,
        (Text("不能判定", "Undetermined"), None, "/findings", {"kind": "undetermined"}),
        (Text("说法不一的事实", "Conflicting facts"), None, "/conflicts", {}),
        (Text("项目", "Projects"), None, "/projects", {}),
    ]


def _counted(label: Text, count: int | None) -> Text:
    return label if count is None else Text("{l} {n}", "{l}: {n}").format(l=label, n=f"{count:,}")


@router.get("/servers/{server_id}")
def server(visit: Reading, server_id: str) -> Response:
    on_it = lists.systems_on_servers(visit.session).get(server_id, ())
    links = [(Text("系统 {s}", "System {s}").format(s=s), f"/systems/{quote(s, safe='')}") for s in on_it]
    links.append((Text("合规问题", "Findings"), f"/findings?{urlencode({'find': server_id})}"))
    return subject_page(visit, explain_subject(visit.session, "server", server_id), links)


def subject_page(
    visit: Visit, answer: SubjectAnswer | None, links: Sequence[tuple[Text, str]] = (), chart: Chart | None = None
) -> Response:
    """One server or network: what is known of it; folded away what each witness said, and when."""
    if answer is None:
        raise HTTPException(404)
    facts, *behind = build_subject_views(answer, why=True, history=True)
    title = same(f"{answer.subject_id} {answer.entity.name or ''}".strip())
    if visit.request.query_params.get("as"):
        return visit.views(title, facts, *behind)
    # The other notes tell of options of the command line.
    facts = replace(facts, title=KNOWN, notes=facts.notes[:1])
    return visit.page("subject.html.j2", title, facts=facts, behind=behind, links=links, chart=chart)
