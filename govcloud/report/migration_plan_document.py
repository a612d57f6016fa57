"""The plan of the migration as a paper (迁移实施方案): goals, scope, waves, ties, crews and quotas, freezes, risks, what is left out.

The parts are those that Guizhou's guide of 2017 asks of such a plan (项目概述, 现状调研, 总体规划, 实施管理, 资金概算); its last one,
the benefits (效益分析), is nothing that the data holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from govcloud.model.inventory import Network, Project
from govcloud.model.plan import MigrationPlan, RiskAssessment
from govcloud.model.plan_problem import MoveTask
from govcloud.model.text import Text, same
from govcloud.report.document import Document, Figure, FormRow, Section, Signature
from govcloud.report.frame import day_text as paper_day
from govcloud.report.overview import planned_systems
from govcloud.report.plan import build_conflict_view, build_excluded_view, build_unplaced_view, build_waves_view
from govcloud.report.plan_changes import build_risks_view
from govcloud.report.plan_curves import What, render_load_curves
from govcloud.report.plan_gantt import render_plan_gantt
from govcloud.report.plan_goals import build_goals_view, build_proof
from govcloud.report.plan_graph import render_plan_graph
from govcloud.report.plan_index import build_index
from govcloud.report.plan_jobs import build_retirements_view
from govcloud.report.plan_load import build_calendar_view, build_load_view
from govcloud.report.plan_ties import build_bridges_view, build_groups_view, build_hubs_view, build_wave_totals_view
from govcloud.report.plan_usage import build_curves
from govcloud.report.plan_words import SCOPE, STATUS, day_text, listed
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Cell, Column, View

MOST_ROWS = 400
"""A longer table belongs in the workbook of the plan, not on paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPaper:
    plan: MigrationPlan
    risks: tuple[RiskAssessment, ...]
    """Of groups and waves."""
    networks: tuple[Network, ...]
    projects: tuple[Project, ...]
    today: date


def build_migration_plan_document(paper: PlanPaper, blank: Document) -> Document:
    """`blank`: with the office, the time and the source filled in."""
    plan = paper.plan
    sections = (
        Section(section_id="overview", title=Text("项目概述", "Overview"), paragraphs=(_gist(plan),), form=_form(plan)),
        Section(section_id="goals", title=Text("迁移目标", "Goals"), views=_shown(_goals(plan))),
        Section(section_id="scope", title=Text("范围与现状", "Scope and present state"), views=_shown(build_scope_view(plan, paper.networks))),
        Section(section_id="waves", title=Text("总体安排", "The plan as a whole"), intro=_DRAWN, figures=(_gantt(paper),),
                views=_shown(_bare(_without(build_wave_totals_view(plan, _of_waves(paper)), "reasons")))),
        Section(section_id="systems", title=Text("各批系统", "The systems of each wave"),
                views=_shown(_bare(_without(build_waves_view(plan, risks=paper.risks), "confidence", "together_with")))),
        Section(section_id="ties", title=Text("依赖与分组", "Dependencies and groups"), figures=(_graph(plan),),
                views=_shown(build_hubs_view(plan), build_bridges_view(plan), _without(build_groups_view(plan, paper.risks), "group_id", "crew", "confidence", "starts_on", "ends_on"))),
        Section(section_id="load", title=Text("班组与资源", "Crews and resources"), figures=_curves(plan),
                views=_shown(build_crews_view(plan), build_quotas_view(plan), _without(build_load_view(plan), "from_on", "resource_id"))),
        Section(section_id="freezes", title=Text("变更窗口与封网", "Change windows and freezes"),
                views=_shown(build_freezes_view(plan), _used(build_calendar_view(plan)))),
        Section(section_id="networks", title=Text("业务专网撤销", "Closing of dedicated networks"), views=_shown(build_retirements_view(plan))),
        Section(section_id="risks", title=Text("风险", "Risks"), views=_shown(build_risks_view(plan, paper.risks))),
        Section(section_id="back", title=Text("回退原则", "Rollback principles"), paragraphs=_BACK),
        Section(section_id="left", title=Text("未列入的系统", "Systems not included"), paragraphs=_nothing_left(plan),
                views=_shown(build_excluded_view(plan), build_unplaced_view(plan), build_conflict_view(plan))),
        _money(paper),
        Section(section_id="assumed", title=Text("假设与待补资料", "Assumptions and missing data"), paragraphs=_assumptions(plan)),
    )  # fmt: skip
    return replace(
        blank, title=Text("政务信息系统迁移实施方案", "Plan for the migration to the government cloud"), numbered=True,
        sections=tuple(s for s in sections if s.views or s.figures or s.paragraphs or s.form), notice=_notice(plan),
        signatures=(
            Signature(party=Text("编制单位", "Prepared by")), Signature(party=Text("审核单位", "Reviewed by")),
            Signature(party=Text("批准单位", "Approved by")),
        ),
    )  # fmt: skip


def _gist(plan: MigrationPlan) -> Text:
    """What a leader reads, if nothing else."""
    zone, moving = build_index(plan).zone, sum(len(w.moves) for w in plan.waves)
    if not plan.waves:
        return Text("本方案没有割接批次。", "This plan has no waves.")
    first, last = (wave.window.starts_at.astimezone(zone).date() for wave in (plan.waves[0], plan.waves[-1]))
    said = Text("本方案安排 {n} 个系统分 {w} 批割接到政务云，首批{a}，末批{b}；",
                "{n} systems are cut over to the government cloud in {w} waves, the first on {a}, the last on {b}. ")  # fmt: skip
    rest = Text("另有 {r} 个系统不占窗口（下线、合并等），未能排入 {u} 个，不列入 {e} 个。",
                "{r} more need no window, such as those that retire; {u} could not be placed and {e} are not included.")  # fmt: skip
    known = said.format(n=moving, w=len(plan.waves), a=paper_day(first), b=paper_day(last))
    left = rest.format(r=len(planned_systems(plan)) - moving, u=len(plan.unplaced), e=len(plan.problem.excluded))
    return Text(known.zh + left.zh, known.en + left.en)


def _goals(plan: MigrationPlan) -> View:
    """Who found the plan, and how, stands at its end."""
    view = _without(build_goals_view(plan), "bound", "gap_pct")
    return replace(view, title=Text("各项目标", "The goals"), notes=build_proof(plan)[1:])


_DRAWN = Text("图画到各系统运维接管为止；源端保留和停用时间较长，超出的部分没有画出。",
              "The chart ends with the last takeover of maintenance; sources are kept and switched off beyond its right edge.")  # fmt: skip


def _form(plan: MigrationPlan) -> tuple[FormRow, ...]:
    zone = build_index(plan).zone
    last = plan.waves[-1].window.starts_at if plan.waves else None
    end = max((a.ends_on for a in plan.activities), default=None)
    return (
        FormRow(fields=((Text("计划编号", "Plan"), plan.plan_id), (Text("状态", "Status"), STATUS[plan.status]))),
        FormRow(fields=((Text("计划起始", "Starts"), day_text(plan.problem.starts_on, zone)), (Text("批次数", "Waves"), str(len(plan.waves))))),
        FormRow(fields=((Text("最后割接", "Last cutover"), day_text(last, zone) if last else UNKNOWN), (Text("全部工作结束", "All work ends"), end or UNKNOWN))),
        FormRow(fields=((Text("计划指纹 SHA-256", "Plan SHA-256"), plan.plan_hash),)),
    )  # fmt: skip


def _notice(plan: MigrationPlan) -> Text | None:
    said = []
    if plan.what_if:
        said.append(Text("试算方案，不得执行。", "A trial plan: not to be carried out."))
    if any(w.window.provisional for w in plan.waves):
        said.append(Text("部分日期为暂定，放假安排公布后重新排期。", "Some dates are provisional: revise the plan once the holidays are published."))  # fmt: skip
    return Text("".join(t.zh for t in said), " ".join(t.en for t in said)) if said else None


def _of_waves(paper: PlanPaper) -> list[RiskAssessment]:
    groups = {g.group_id for g in paper.plan.problem.groups}
    return [r for r in paper.risks if r.subject not in groups]


def _bare(view: View) -> View:
    """Without the notes, which stand in sections of their own here."""
    return replace(view, notes=())


def _without(view: View, *keys: str) -> View:
    """A sheet of paper is narrower than a screen; the workbook has all columns."""
    return replace(view, columns=tuple(c for c in view.columns if c.key not in keys))


def _used(calendar: View) -> View:
    """Up to the last window that a wave uses."""
    last = max((n for n, row in enumerate(calendar.rows, 1) if row["wave"] is not None), default=0)
    return replace(calendar, rows=calendar.rows[:last])


def _shown(*views: View) -> tuple[View, ...]:
    """Without empty tables; long ones are cut and say so."""
    return tuple(_cut(v) for v in views if v.rows)


def _cut(view: View) -> View:
    if len(view.rows) <= MOST_ROWS:
        return view
    note = Text("只列前 {k} 行，共 {n} 行；全部见计划表格（govcloud plan export）。",
                "The first {k} of {n} rows; all of them are in the plan's workbook (govcloud plan export).")  # fmt: skip
    return replace(view, rows=view.rows[:MOST_ROWS], notes=(*view.notes, note.format(k=MOST_ROWS, n=len(view.rows))))


def _graph(plan: MigrationPlan) -> Figure:
    return Figure(
        title=Text("各组的依赖与先后", "Dependencies and order of the groups"),
        svg=Text(render_plan_graph(plan, "zh"), render_plan_graph(plan, "en")),
    )


def _gantt(paper: PlanPaper) -> Figure:
    plan, day = paper.plan, paper.today
    return Figure(
        title=Text("全部工作", "Work over time"),
        svg=Text(render_plan_gantt(plan, "zh", today=day), render_plan_gantt(plan, "en", today=day)),
    )


def _curves(plan: MigrationPlan) -> tuple[Figure, ...]:
    wanted: tuple[tuple[Text, What], ...] = (
        (Text("班组在各窗口的占用", "Crews in each window"), "crews"),
        (Text("链路等同时占用的资源", "Links and other resources in use at the same time"), "links"),
        (Text("配额与每月上限", "Quotas and monthly limits"), "quotas"),
    )
    scopes = {curve.resource.scope for curve in build_curves(plan)}
    drawn = {"crews" if plan.waves else None, *(("quotas" if s in ("total", "per_month") else "links") for s in scopes)}
    return tuple(
        Figure(title=title, svg=Text(render_load_curves(plan, "zh", what), render_load_curves(plan, "en", what)))
        for title, what in wanted
        if what in drawn
    )


def build_scope_view(plan: MigrationPlan, networks: Sequence[Network]) -> View:
    """One line a department: what is planned, and what runs there today."""
    names = {n.network_id: n.name for n in networks}
    departments: dict[str | None, list[MoveTask]] = {}
    for task in plan.problem.tasks:
        departments.setdefault(task.department, []).append(task)
    rows: list[dict[str, Cell]] = [
        {
            "department": name, "systems": len(tasks),
            "core": sum(t.core for t in tasks), "mlps_3": sum((t.mlps_level or 0) >= 3 for t in tasks),
            "vcpus": sum(t.vcpus for t in tasks), "memory_gib": round(sum(t.memory_mib for t in tasks) / 1024),
            "data_gib": round(sum(t.data_mib for t in tasks) / 1024), "networks": sorted({names.get(n, n) for t in tasks for n in t.networks}),
        }
        for name, tasks in sorted(departments.items(), key=lambda item: item[0] or "")
    ]  # fmt: skip
    columns = (
        Column("department", Text("部门", "Department")),
        Column("systems", Text("系统", "Systems"), "right"),
        Column("core", Text("核心", "Core"), "right"),
        Column("mlps_3", Text("等保三级以上", "MLPS 3 and up"), "right"),
        Column("vcpus", same("vCPU"), "right"),
        Column("memory_gib", Text("内存（GiB）", "Memory (GiB)"), "right"),
        Column("data_gib", Text("数据（GiB）", "Data (GiB)"), "right"),
        Column("networks", Text("涉及专网", "Dedicated networks")),
    )
    return View(name="scope", title=Text("各部门系统", "Systems by department"), columns=columns, rows=tuple(rows))


def build_crews_view(plan: MigrationPlan) -> View:
    nights: dict[str, set[int]] = {}
    systems: dict[str, int] = {}
    for wave in plan.waves:
        for move in wave.moves:
            nights.setdefault(move.crew, set()).add(wave.number)
            systems[move.crew] = systems.get(move.crew, 0) + 1
    rows: list[dict[str, Cell]] = [
        {"crew": c.name, "skills": c.skills, "waves": [str(n) for n in sorted(nights.get(c.name, ()))], "systems": systems.get(c.name, 0)}
        for c in plan.problem.crews
    ]  # fmt: skip
    columns = (
        Column("crew", Text("班组", "Crew")),
        *((Column("skills", Text("技能", "Skills")),) if any(c.skills for c in plan.problem.crews) else ()),
        Column("waves", Text("参加批次", "Waves")),
        Column("systems", Text("割接系统", "Systems"), "right"),
    )
    return View(name="crews", title=Text("割接班组", "Crews"), columns=columns, rows=tuple(rows))


def build_quotas_view(plan: MigrationPlan) -> View:
    """Every limit that the plan keeps to, with its changes over time."""
    rows = tuple(
        {
            "resource": r.title, "scope": SCOPE[r.scope], "amount": r.amount, "unit": r.unit,
            "changes": listed(Text("{d} 起 {n}", "{n} from {d}").format(d=d, n=n) for d, n in r.changes) if r.changes else None,
        }
        for r in plan.problem.resources
        if not r.resource_id.startswith("apart:")
    )  # fmt: skip
    columns = (
        Column("resource", Text("资源", "Resource")),
        Column("scope", Text("口径", "Counted")),
        Column("amount", Text("上限", "Limit"), "right"),
        Column("unit", Text("单位", "Unit")),
        Column("changes", Text("变化", "Changes")),
    )
    return View(name="quotas", title=Text("配额与上限", "Quotas and limits"), columns=columns, rows=rows)


def build_freezes_view(plan: MigrationPlan) -> View:
    """When nothing is cut over, for whom, and who is excepted."""
    rows = tuple(
        {
            "title": f.title, "starts_at": f.starts_at, "ends_at": f.ends_at, "mlps": f.min_mlps,
            "systems": (*f.departments, *f.system_ids), "exceptions": f.exceptions,
        }
        for f in sorted(plan.problem.freezes, key=lambda f: (f.starts_at, f.name))
    )  # fmt: skip
    columns = (
        Column("title", Text("封网", "Freeze")),
        Column("starts_at", Text("开始", "From")),
        Column("ends_at", Text("结束", "To")),
        Column("mlps", Text("仅限等保级别及以上", "Only MLPS level and above"), "right"),
        Column("systems", Text("仅限部门或系统", "Only departments or systems")),
        Column("exceptions", Text("经批准的例外", "Approved exceptions")),
    )
    return View(name="freezes", title=Text("封网安排", "Freezes"), columns=columns, rows=rows)


_BACK = (
    Text("割接只停止源系统写入，不删除源端数据；验收前随时可以回退。", "A cutover only stops writes at the source and deletes nothing there; until acceptance it can be rolled back at any time."),
    Text("每个系统都留有回退预留，窗口剩余时间不够割接和回退的，不开始割接。", "Time for a rollback is reserved for each system; where the window has no time left for cutover and rollback, no cutover is begun."),
    Text("同组系统在同一窗口割接，共用一段回退预留；核对或服务验证不通过的，源系统恢复服务。", "The systems of a group are cut over in one window and share a reserve; where the comparison of data or the check of the service fails, the source serves again."),
    Text("割接后写入目标的数据不自动带回，回退时导出并列明。各批步骤、次序和界限见回退方案。", "Data written to the cloud after the cutover are not carried back but exported and listed. Steps, order and limits are in the rollback plan of each wave."),
)  # fmt: skip


def _nothing_left(plan: MigrationPlan) -> tuple[Text, ...]:
    if plan.problem.excluded or plan.unplaced:
        return ()
    return (Text("清单中的系统均已列入。", "All systems of the inventory are included."),)


def _money(paper: PlanPaper) -> Section:
    """Only what the registers hold; nothing is estimated."""
    views = _shown(_line_costs(paper), _budgets(paper))
    return Section(
        section_id="money", title=Text("经费", "Costs"), views=views,
        intro=Text("金额取自专网调查表和项目台账，本方案不作估算。", "Amounts are taken from the network census and the project register; nothing is estimated.") if views else None,
        paragraphs=() if views else (Text("清单中没有与本方案有关的经费数据。", "The inventory holds no amounts that concern this plan."),),
    )  # fmt: skip


def _line_costs(paper: PlanPaper) -> View:
    closing = {n.network_id for n in paper.plan.problem.retirements if not n.staying}
    known = [n for n in paper.networks if n.network_id in closing and n.yearly_cost_yuan is not None]
    rows = tuple(
        {"network_id": n.network_id, "name": n.name, "yuan": n.yearly_cost_yuan, "ends_on": n.contract_ends_on}
        for n in known
    )
    columns = (
        Column("network_id", Text("专网编号", "Network")),
        Column("name", Text("专网名称", "Name")),
        Column("yuan", Text("年线路费（元）", "Yearly cost (yuan)"), "right"),
        Column("ends_on", Text("合同到期", "Contract ends")),
    )
    note = Text(
        "撤销后每年不再支出 {y:,.0f} 元（按登记金额）。",
        "By the registered amounts, {y:,.0f} yuan a year are saved once they are closed.",
    )
    return View(name="line_costs", title=Text("随专网撤销停止的线路费", "Line costs that end with the networks"), columns=columns, rows=rows,
                notes=(note.format(y=sum(n.yearly_cost_yuan or 0 for n in known)),) if rows else ())  # fmt: skip


def _budgets(paper: PlanPaper) -> View:
    planned = {t.system_id for t in paper.plan.problem.tasks}
    rows = tuple(
        {"project_id": p.project_id, "name": p.name, "systems": sorted(planned & set(p.systems)), "budget": p.budget_yuan, "maintenance": p.maintenance_yuan}
        for p in paper.projects
        if planned & set(p.systems) and (p.budget_yuan is not None or p.maintenance_yuan is not None)
    )  # fmt: skip
    columns = (
        Column("project_id", Text("项目编号", "Project")),
        Column("name", Text("项目名称", "Name")),
        Column("systems", Text("涉及系统", "Systems")),
        Column("budget", Text("预算（元）", "Budget (yuan)"), "right"),
        Column("maintenance", Text("年运维费（元）", "Yearly maintenance (yuan)"), "right"),
    )
    return View(
        name="budgets", title=Text("相关项目经费", "Budgets of the projects concerned"), columns=columns, rows=rows
    )


def _assumptions(plan: MigrationPlan) -> tuple[Text, ...]:
    assumed: Sequence[str] = [t.system_id for t in plan.problem.tasks if t.assumed]
    said = [_ended(note) for note in plan.problem.notes]
    if assumed:
        said.append(
            Text("以下系统的部分依据未知，按默认值估算：{s}。", "Some inputs of these systems are unknown; defaults were used: {s}.").format(s=listed(map(same, assumed)))
        )  # fmt: skip
    how = build_goals_view(plan).notes[len(build_proof(plan)) :][:1]
    return (*said, *map(_ended, how))


def _ended(said: Text) -> Text:
    """As a sentence of a text: notes on a screen go without a full stop."""
    return Text(said.zh.rstrip("。") + "。", said.en.rstrip(".") + ".")
