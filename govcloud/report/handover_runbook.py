"""运维手册: what the new maintainer needs to know of a system, from data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from govcloud.model.handover import Checklist, ChecklistItem, DataItem, Standing
from govcloud.model.inventory import System
from govcloud.model.migration import DatabaseEnd, MigrationSpec, ServiceEnd
from govcloud.model.text import Text
from govcloud.report.document import FormRow, Section
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Cell, Column, View
from govcloud.report.wave_views import ENTRANCE

_LISTED_DIGEST = 16


def build_runbook_sections(
    system: System, checklist: Checklist, standings: Mapping[str, Standing], data: Sequence[DataItem],
    spec: MigrationSpec | None,
) -> tuple[Section, ...]:  # fmt: skip
    """`spec`: the migration file by which a run of ours carried the system; None for one that was never migrated."""
    titles = {item.item_id: item.title for group in checklist.groups for item in group.items}
    facts = tuple(build_facts_view(titles.get(item.item_id, Text(item.item_id, item.item_id)), item) for item in data)
    overview = Section(section_id="overview", title=Text("系统概况", "The system"), form=_overview(system, spec))
    parts = [overview, _check(system, spec)]
    if spec is not None:
        parts.append(Section(
            section_id="parts", title=Text("组成与启停", "Parts, start and stop"),
            views=(build_services_view(spec), build_stores_view(spec)),
        ))  # fmt: skip
    known = _KNOWN if spec is not None else None
    parts += [
        Section(section_id=v.name, title=v.title, intro=None if n else known, views=(v,)) for n, v in enumerate(facts)
    ]
    papers = build_papers_view(checklist, standings)
    return (*parts, Section(section_id="papers", title=papers.title, views=(papers,)))


def _overview(system: System, spec: MigrationSpec | None) -> tuple[FormRow, ...]:
    rows: tuple[tuple[tuple[Text, Cell], ...], ...] = (
        ((Text("系统名称", "System"), system.name), (Text("系统编号", "Id"), system.system_id)),
        ((Text("业主单位", "Owner"), system.department), (Text("业务处室", "Division"), system.office)),
        (
            (Text("业主联系人", "Owner's contact"), system.contact),
            (Text("开发方联系方式", "Developer"), system.developer_contact),
        ),
        ((Text("访问地址", "Address"), system.url), (Text("等保级别", "MLPS level"), system.mlps_level)),
        ((Text("数据库", "Database"), system.database), (Text("中间件", "Middleware"), system.middleware)),
        (
            (Text("运维合同到期", "Contract ends"), system.maintenance_ends_on),
            (Text("最近应急演练", "Last emergency drill"), system.drilled_on),
        ),
        ((Text("功能", "What it does"), system.function),),
        *((((Text("现运行主机", "Runs on"), sorted({m.target for m in spec.machines})),),) if spec else ()),
    )
    return tuple(FormRow(fields=tuple((label, UNKNOWN if v in (None, "") else v) for label, v in row)) for row in rows)


_KNOWN = Text(
    "以下取自台账最近一次普查；系统迁移后尚未重新普查的，其中的主机仍是原主机，以“现运行主机”为准。",
    "What follows is from the last census on record. Where there was none since the migration it still shows the former hosts: "
    "“Runs on” holds.",
)


def _check(system: System, spec: MigrationSpec | None) -> Section:
    title = Text("如何确认系统正常", "How to check that it works")
    if spec is not None:
        return Section(section_id="check", title=title, views=(build_checks_view(spec),))
    if system.url:
        told = Text(
            "用浏览器打开 {u}，应显示登录页或首页。", "Open {u} in a browser: its sign-in or first page must appear."
        ).format(u=system.url)
        return Section(section_id="check", title=title, paragraphs=(told,))
    missing = Text(
        "没有登记访问地址。在普查表中补上，或由移交方写入运维资料。",
        "No address is on record. Add it to the census, or have the party handing over state it in the documents.",
    )
    return Section(section_id="check", title=title, missing=missing)


def build_checks_view(spec: MigrationSpec) -> View:
    verify = spec.verify
    return View(
        name="checks",
        title=Text("检查项", "Checks"),
        columns=(
            Column("url", Text("地址", "Address")),
            Column("path", Text("路径", "Path")),
            Column("status", Text("应答码", "Status"), "right"),
            Column("contains", Text("应含文字", "Contains")),
        ),
        rows=tuple(
            {
                "url": verify.url if check.via == "entrance" else verify.target_url, "path": check.path,
                "status": check.status, "contains": check.contains,
            }
            for check in verify.checks
        ),
    )  # fmt: skip


def build_services_view(spec: MigrationSpec) -> View:
    hosts = {machine.name: machine.target for machine in spec.machines}
    return View(
        name="services",
        title=Text("服务（按启动顺序，停止时相反）", "Services, in the order in which they are started; stop them in reverse"),
        columns=(
            Column("host", Text("主机", "Host")),
            Column("service", Text("服务", "Service")),
            Column("status", Text("查看状态", "To see its state")),
            Column("carry", Text("相关文件", "Files")),
        ),
        rows=tuple(
            {
                "host": hosts.get(service.machine), "service": service.target.systemd or service.target.script,
                "status": _status(service.target), "carry": service.carry,
            }
            for service in spec.services
        ),
    )  # fmt: skip


def _status(end: ServiceEnd) -> str:
    return f"systemctl status {end.systemd}" if end.systemd else f"{end.script} status"


def build_stores_view(spec: MigrationSpec) -> View:
    """Databases, folders, entrances: where the data are and how users come in."""
    hosts = {machine.name: machine.target for machine in spec.machines}
    rows: list[dict[str, Cell]] = [
        {"kind": Text("数据库", "database"), "host": hosts.get(d.machine), "what": f"{d.kind} {_database(d.target)}"}
        for d in spec.databases
    ]
    rows += [{"kind": Text("文件目录", "folder"), "host": hosts.get(f.machine), "what": f.target} for f in spec.files]
    rows += [
        {
            "kind": Text("访问入口", "entrance"),
            "host": e.host,
            "what": Text("{k} {n} → {t}", "{k} {n} → {t}").format(k=ENTRANCE[e.kind], n=e.name, t=e.target),
        }
        for e in spec.entrances
    ]
    return View(
        name="stores",
        title=Text("数据与入口", "Data and entrances"),
        columns=(
            Column("kind", Text("类别", "Kind")),
            Column("host", Text("主机", "Host")),
            Column("what", Text("内容", "What")),
        ),
        rows=tuple(rows),
    )


def _database(end: DatabaseEnd) -> str:
    """Never how one logs in: the password stays in a file of its host."""
    return end.path or f"{end.name} {end.host}" + (f":{end.port}" if end.port else "")


def build_facts_view(title: Text, item: DataItem) -> View:
    return View(
        name=item.item_id.replace("_", "-"),
        title=title,
        columns=(
            Column("subject", Text("对象", "Subject")),
            Column("what", Text("事项", "What")),
            Column("value", Text("内容", "Value")),
            Column("ends_on", Text("期限", "Until")),
        ),
        rows=tuple({"subject": f.subject, "what": f.what, "value": f.value, "ends_on": f.ends_on} for f in item.facts),
    )


def build_papers_view(checklist: Checklist, standings: Mapping[str, Standing]) -> View:
    """What was handed over in words or as a file; files lie in the package under their digest."""
    given = [
        (item.title, paper)
        for item in _items(checklist)
        if (paper := standings[item.item_id].paper) is not None
    ]  # fmt: skip
    return View(
        name="papers",
        title=Text("移交的资料", "Documents handed over"),
        columns=(
            Column("title", Text("内容", "What")),
            Column("file", Text("文件", "File")),
            Column("note", Text("说明", "Note")),
            Column("sha256", Text("归档名（前 16 位）", "File in the package (first 16)")),
        ),
        rows=tuple(
            {
                "title": title, "file": paper.file_name, "note": paper.note,
                "sha256": paper.sha256[:_LISTED_DIGEST] if paper.sha256 else None,
            }
            for title, paper in given
        ),
    )  # fmt: skip


def _items(checklist: Checklist) -> Iterable[ChecklistItem]:
    return (item for group in checklist.groups for item in group.items)
