"""What stands in the report: a section an activity, filled from the store, or with what fills it where it is empty."""

from __future__ import annotations

from dataclasses import dataclass, replace

from govcloud.model.text import Text
from govcloud.report.audit import build_verify_view
from govcloud.report.charts import render_dependency_graph, render_gantt
from govcloud.report.document import Document, Figure, Number, Section
from govcloud.report.findings import build_findings_view, build_undetermined_view
from govcloud.report.handover import (
    build_access_view,
    build_checklist_view,
    build_list_view,
    build_progress_view,
    build_sign_view,
)
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
from govcloud.report.timeline import build_log_view
from govcloud.report.view import View
from govcloud.report.waivers import build_waived_view
from govcloud.workflow.audit import verify_ledger
from govcloud.workflow.confidence import read_confidence
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.networks import list_remaining, undeclared_networks
from govcloud.workflow.office import today
from govcloud.workflow.paper_frame import new_document
from govcloud.workflow.papers import NOT_BEGUN
from govcloud.workflow.papers_estate import NO_ESTATE, NO_NETWORKS, NO_PROJECTS
from govcloud.workflow.papers_findings import NOT_CHECKED, last_check
from govcloud.workflow.plan import latest_plan
from govcloud.workflow.projects import list_deadlines, list_projects
from govcloud.workflow.run_status import list_states, run_overview
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import list_takeovers, sign_offs
from govcloud.workflow.takeover_overview import build_progress, list_systems
from govcloud.workflow.timeline import Wanted, read_timeline, record_titles

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
    title = Text("政务信息系统上云迁移工作报告", "Government cloud migration: report")
    return new_document(session, title, (overview, *(part.section for part in parts)))


def _shown(*views: View) -> tuple[View, ...]:
    """Without the empty tables: a heading over nothing tells a reader nothing."""
    return tuple(view for view in views if view.rows or view.notes)


def _estate(session: Session) -> Part:
    inventory = read_inventory(session)
    title = Text("资产", "Estate")
    if not inventory.systems and not inventory.servers:
        return Part(Section(section_id="estate", title=title, missing=NO_ESTATE))
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
    last = last_check(session)
    if last is None:
        return Part(Section(section_id="findings", title=title, missing=NOT_CHECKED))
    found = last.findings
    intro = Text(
        "最近一次核对截至 {day}，依据 {docs}。条款只引编号，内容为转述，以正式文本为准。",
        "Last checked as of {day} under {docs}. Clauses are cited by id and paraphrased; the official text prevails.",
    )
    section = Section(
        section_id="findings",
        title=title,
        intro=intro.format(day=last.as_of.isoformat(), docs=", ".join(last.documents)),
        views=_shown(
            build_findings_view(found),
            build_waived_view(found, today(session)),
            build_undetermined_view(found),
            build_findings_view(found, standing="reference"),
        ),
    )
    return Part(section, build_finding_numbers(found))


def _networks(session: Session) -> Part:
    title = Text("业务专网", "Dedicated networks")
    if not read_inventory(session).networks:
        return Part(Section(section_id="networks", title=title, missing=NO_NETWORKS))
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
        return Part(Section(section_id="projects", title=title, missing=NO_PROJECTS))
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
    progress = build_progress_view(build_progress(list_systems(session)))
    views = [progress, build_list_view([(t.handover, t.status, len(t.open)) for t in found])]
    for takeover in found:
        handover = takeover.handover
        if takeover.status in NOT_BEGUN:
            continue
        views.append(build_checklist_view(handover, takeover.checklist, takeover.standings, takeover.status))
        named = Text("{s}：{t}", "{s}: {t}")
        papers = _shown(build_access_view(handover), build_sign_view(handover, sign_offs(takeover)))
        views += [replace(view, title=named.format(s=handover.system_id, t=view.title)) for view in papers]
    numbers = build_handover_number(len(found), sum(1 for t in found if t.status == "operating"))
    return Part(Section(section_id="handover", title=title, views=_shown(*views)), (numbers,))


def _ledger(session: Session) -> Part:
    verified = verify_ledger(session)
    records = read_timeline(session, Wanted(), limit=_LEDGER_ROWS).records
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
            build_log_view(records, record_titles(session)),
        ),
    )
    return Part(section, (build_ledger_number(verified.report.records, ok=not verified.report.problems),))
