"""What stands in the report: a section an activity, filled from the store, or with what fills it where it is empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from govcloud import __version__
from govcloud.model.regulation import Finding, Severity
from govcloud.model.text import Text
from govcloud.report.audit import build_log_view, build_verify_view
from govcloud.report.charts import render_dependency_graph, render_gantt
from govcloud.report.document import Document, Figure, Number, Section
from govcloud.report.findings import build_findings_view, build_undetermined_view
from govcloud.report.handover import build_access_view, build_checklist_view, build_list_view, build_sign_view
from govcloud.report.inventory import (
    build_conflicts_view,
    build_dedicated_servers_view,
    build_dependencies_view,
    build_servers_view,
    build_systems_view,
    build_undeclared_view,
)
from govcloud.report.inventory_history import build_confidence_view
from govcloud.report.network_chart import render_networks_by_department
from govcloud.report.network_ledger import build_network_views
from govcloud.report.networks import build_network_evidence_view
from govcloud.report.overview import (
    build_deadline_number,
    build_estate_numbers,
    build_finding_numbers,
    build_handover_number,
    build_ledger_number,
    build_network_number,
    build_plan_numbers,
    build_run_numbers,
)
from govcloud.report.plan import build_conflict_view, build_excluded_view, build_unplaced_view, build_waves_view
from govcloud.report.plan_gantt import render_plan_gantt
from govcloud.report.projects import build_deadlines_view, build_projects_view
from govcloud.report.run import build_run_views, build_runs_view
from govcloud.report.view import View
from govcloud.report.waivers import build_waived_view
from govcloud.workflow.audit import list_records, verify_ledger
from govcloud.workflow.check import open_findings
from govcloud.workflow.confidence import read_confidence
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.networks import list_remaining, undeclared_networks
from govcloud.workflow.office import today
from govcloud.workflow.plan import latest_plan
from govcloud.workflow.projects import list_deadlines, list_projects
from govcloud.workflow.run_status import list_states, run_overview
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import done_items, list_takeovers, sign_offs

_CHECKS = 1000
"""Records among which the last check of the estate is looked for; checks of requests lie between them."""
_LEDGER_ROWS = 40
"""The newest records that are printed; the whole ledger is exported by `audit export`."""


@dataclass(frozen=True, slots=True)
class Part:
    """A section, and what it adds to the overview."""

    section: Section
    numbers: tuple[Number, ...] = ()


def build_report(session: Session) -> Document:
    """Everything the workspace holds, in the order of the road."""
    parts = [
        _estate(session),
        _findings(session),
        _networks(session),
        _projects(session),
        _plan(session),
        _runs(session),
        _handover(session),
        _ledger(session),
    ]
    overview = Section(
        section_id="overview",
        title=Text("概况", "Overview"),
        intro=Text(
            "本报告由工作区记录自动汇总，各数字可在后文相应章节逐条查到依据。",
            "Compiled from the records of the workspace; each number can be followed up in its section below.",
        ),
        numbers=tuple(number for part in parts for number in part.numbers),
    )
    settings = session.workspace.settings
    return Document(
        title=Text("政务信息系统上云迁移工作报告", "Government cloud migration: report"),
        office=settings.name,
        made_at=session.now(),
        timezone=settings.timezone,
        made_by=session.actor,
        sections=(overview, *(part.section for part in parts)),
        source=_source(session),
    )


def _source(session: Session) -> Text:
    newest = list_records(session, limit=1)
    return Text(
        "govcloud {version}；台账最新记录第 {seq} 号，叶哈希 {leaf}。",
        "govcloud {version}; newest ledger record no. {seq}, leaf hash {leaf}.",
    ).format(
        version=__version__,
        seq=newest[0]["seq"] if newest else "—",
        leaf=newest[0]["leaf_hash"] if newest else "—",
    )


def _shown(*views: View) -> tuple[View, ...]:
    """Without the empty tables: a heading over nothing tells a reader nothing."""
    return tuple(view for view in views if view.rows or view.notes)


def _estate(session: Session) -> Part:
    inventory = read_inventory(session)
    title = Text("资产", "Estate")
    if not inventory.systems and not inventory.servers:
        missing = Text(
            "还没有导入普查表，也没有登录主机核实。运行 govcloud import 普查表.xlsx，再运行 govcloud discover ssh。",
            "No census workbook was imported and no host was looked at. Run govcloud import CENSUS.xlsx, then govcloud discover ssh.",
        )
        return Part(Section(section_id="estate", title=title, missing=missing))
    graph = Figure(
        title=Text("系统依赖关系", "Dependencies between systems"),
        svg=Text(render_dependency_graph(inventory, "zh"), render_dependency_graph(inventory, "en")),
    )
    views = (
        build_systems_view(inventory),
        build_servers_view(inventory),
        build_undeclared_view(inventory),
        build_network_evidence_view(undeclared_networks(inventory), inventory),
        build_conflicts_view(inventory),
        build_dependencies_view(inventory),
        build_confidence_view(inventory.systems, read_confidence(session, inventory)),
    )
    section = Section(
        section_id="estate", title=title, figures=(graph,) if inventory.dependencies else (), views=_shown(*views)
    )
    return Part(section, build_estate_numbers(inventory))


def _findings(session: Session) -> Part:
    title = Text("问题清单", "Findings")
    last = next((r for r in reversed(list_records(session, kind="check", limit=_CHECKS)) if _is_estate(r)), None)
    if last is None:
        missing = Text(
            "还没有按法规核对。运行 govcloud check estate。", "Nothing was checked yet. Run govcloud check estate."
        )
        return Part(Section(section_id="findings", title=title, missing=missing))
    found = sorted(open_findings(session), key=_urgency)
    intro = Text(
        "最近一次核对截至 {day}，依据 {docs}。条款只引编号，内容为转述，以正式文本为准。",
        "Last checked as of {day} under {docs}. Clauses are cited by id and paraphrased; the official text prevails.",
    )
    body: Any = last["body"]
    section = Section(
        section_id="findings",
        title=title,
        intro=intro.format(day=body["as_of"], docs=", ".join(body["regulations"])),
        views=_shown(
            build_findings_view(found),
            build_waived_view(found, today(session)),
            build_undetermined_view(found),
            build_findings_view(found, standing="reference"),
        ),
    )
    return Part(section, build_finding_numbers(found))


def _is_estate(record: Mapping[str, Any]) -> bool:
    return bool(record["body"].get("what") == "estate")


def _urgency(finding: Finding) -> tuple[int, str, str]:
    return (get_args(Severity).index(finding.severity), finding.department or "", finding.subject_id)


def _networks(session: Session) -> Part:
    title = Text("业务专网", "Dedicated networks")
    if not read_inventory(session).networks:
        missing = Text(
            "还没有导入业务专网调查表。运行 govcloud import 业务专网调查表.xlsx。",
            "No networks workbook was imported. Run govcloud import NETWORKS.xlsx.",
        )
        return Part(Section(section_id="networks", title=title, missing=missing))
    ledger = list_remaining(session)
    views = (
        *(view for view in build_network_views(ledger) if view.name != "undeclared_networks"),
        build_dedicated_servers_view(ledger.inventory),
    )
    figure = Figure(
        title=Text("各部门尚存业务专网", "Networks left by department"),
        svg=Text(render_networks_by_department(ledger.rows, "zh"), render_networks_by_department(ledger.rows, "en")),
    )
    section = Section(
        section_id="networks", title=title, figures=(figure,) if ledger.rows else (), views=_shown(*views)
    )
    return Part(section, (build_network_number(ledger.rows),))


def _projects(session: Session) -> Part:
    title = Text("项目期限", "Projects and deadlines")
    if not read_inventory(session).projects:
        missing = Text("还没有导入项目台账。运行 govcloud import 项目台账.xlsx。",
                       "No register of projects was imported. Run govcloud import PROJECTS.xlsx.")  # fmt: skip
        return Part(Section(section_id="projects", title=title, missing=missing))
    deadlines = list_deadlines(session)
    views = (
        build_deadlines_view(deadlines.rows, deadlines.own, deadlines.as_of),
        build_projects_view(list_projects(session)),
    )
    numbers = build_deadline_number(deadlines.rows)
    return Part(Section(section_id="projects", title=title, views=views), (numbers,))


def _runs(session: Session) -> Part:
    title = Text("执行", "Runs")
    runs = list_states(session)
    if not runs:
        missing = Text(
            "还没有执行过迁移。运行 govcloud run start 系统编号。",
            "Nothing was migrated yet. Run govcloud run start SYSTEM.",
        )
        return Part(Section(section_id="runs", title=title, missing=missing))
    views = [build_runs_view(runs)]
    for run, _ in runs:
        views += build_run_views(run_overview(session, run.run_id))
    return Part(
        Section(section_id="runs", title=title, views=_shown(*views)), build_run_numbers([states for _, states in runs])
    )


def _plan(session: Session) -> Part:
    title = Text("迁移计划", "Migration plan")
    plan = latest_plan(session)
    if plan is None:
        missing = Text("还没有迁移计划。运行 govcloud plan build。", "There is no plan yet. Run govcloud plan build.")
        return Part(Section(section_id="plan", title=title, missing=missing))
    day = today(session)
    figures = (
        Figure(
            title=Text("全部工作的甘特图", "Gantt chart of all work"),
            svg=Text(render_plan_gantt(plan, "zh", today=day), render_plan_gantt(plan, "en", today=day)),
        ),
        Figure(
            title=Text("批次甘特图", "Gantt chart of the waves"),
            svg=Text(render_gantt(plan, "zh"), render_gantt(plan, "en")),
        ),
    )
    views = _shown(
        build_waves_view(plan), build_conflict_view(plan), build_unplaced_view(plan), build_excluded_view(plan)
    )
    section = Section(section_id="plan", title=title, figures=figures if plan.waves else (), views=views)
    return Part(section, build_plan_numbers(plan))


def _handover(session: Session) -> Part:
    title = Text("运维接管", "Maintenance takeover")
    found = list_takeovers(session)
    if not found:
        missing = Text(
            "还没有系统进入运维接管。系统迁移完成后运行 govcloud takeover start 系统编号 --builder 单位 --builder-key 公钥文件。",
            "No system is being taken over yet. After its migration run govcloud takeover start SYSTEM --builder NAME --builder-key FILE.pub.",
        )
        return Part(Section(section_id="handover", title=title, missing=missing))
    views = [build_list_view([(t.handover, t.status, len(t.open)) for t in found])]
    for takeover in found:
        handover = takeover.handover
        views.append(build_checklist_view(handover, takeover.checklist, done_items(takeover), takeover.status))
        named = Text("{s}：{t}", "{s}: {t}")
        papers = _shown(build_access_view(handover), build_sign_view(handover, sign_offs(takeover)))
        views += [replace(view, title=named.format(s=handover.system_id, t=view.title)) for view in papers]
    numbers = build_handover_number(len(found), sum(1 for t in found if t.status == "signed"))
    return Part(Section(section_id="handover", title=title, views=_shown(*views)), (numbers,))


def _ledger(session: Session) -> Part:
    verified = verify_ledger(session)
    records = list_records(session, limit=_LEDGER_ROWS)
    section = Section(
        section_id="ledger",
        title=Text("台账", "Ledger"),
        intro=Text(
            "每一步的结果与其台账记录同时写入，只增不改。下表为最近的记录，全部记录用 govcloud audit export 导出。",
            "Each result is written together with its record; records are never changed. The table shows the newest ones; "
            "govcloud audit export gives them all.",
        ),
        views=(
            build_verify_view(verified.report, live=verified.live, unsigned=verified.unsigned),
            build_log_view(records),
        ),
    )
    return Part(section, (build_ledger_number(verified.report.records, ok=not verified.report.problems),))
