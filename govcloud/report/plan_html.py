"""A plan as one page that needs nothing else: figures and tables, and for every group why it lies where it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from govcloud.model.plan import MigrationPlan, RiskAssessment
from govcloud.model.text import Lang, Text
from govcloud.report.charts import render_night
from govcloud.report.document import Document, Figure, Number, Section, Tone
from govcloud.report.findings import term
from govcloud.report.html import render_html
from govcloud.report.overview import build_plan_numbers
from govcloud.report.plan import build_conflict_view, build_excluded_view, build_unplaced_view, build_waves_view
from govcloud.report.plan_changes import build_risks_view
from govcloud.report.plan_curves import What, render_load_curves
from govcloud.report.plan_gantt import render_plan_gantt
from govcloud.report.plan_goals import build_goals_view
from govcloud.report.plan_graph import render_plan_graph
from govcloud.report.plan_index import build_index
from govcloud.report.plan_jobs import build_retirements_view
from govcloud.report.plan_load import build_calendar_view, build_load_view
from govcloud.report.plan_ties import build_bridges_view, build_groups_view, build_hubs_view, build_wave_totals_view
from govcloud.report.plan_words import STATUS, day_text
from govcloud.report.view import Cell, Column, View

MOST_SYSTEMS = 1500
"""A plan of more systems is shown by waves and one short line a system; the workbook has the rest."""
MOST_NIGHT_ROWS = 150
"""Systems whose nights are drawn minute by minute."""
MOST_ROWS = 1000


def render_plan_html(
    plan: MigrationPlan, *, lang: Lang, office: str, made_at: datetime, made_by: str,
    whys: Mapping[str, Text] | None = None, risks: Sequence[RiskAssessment] = (), links: Mapping[Lang, str] | None = None,
) -> str:  # fmt: skip
    """`whys`: group id -> in one sentence, why then. `risks`: of groups and waves. `links`: the page in the other language."""
    document = build_plan_document(
        plan, lang=lang, office=office, made_at=made_at, made_by=made_by, whys=whys, risks=risks
    )
    return render_html(document, lang, links)


def build_plan_document(
    plan: MigrationPlan, *, lang: Lang, office: str, made_at: datetime, made_by: str,
    whys: Mapping[str, Text] | None = None, risks: Sequence[RiskAssessment] = (),
) -> Document:  # fmt: skip
    """The figures are drawn in `lang` only: drawing takes longer than everything else."""
    today = made_at.astimezone(ZoneInfo(plan.problem.timezone)).date()

    def figure(zh: str, en: str, svg: str) -> Figure:
        return Figure(title=Text(zh, en), svg=Text(svg, svg))

    gantt = figure("全部工作", "All of the work", render_plan_gantt(plan, lang, today=today, whys=whys))
    loads: list[tuple[str, str, What]] = [
        ("班组在各窗口的占用", "Crews in each window", "crews"),
        ("链路等同时占用的资源", "Links and what else is in use at the same time", "links"),
        ("配额与每月上限", "Quotas and monthly limits", "quotas"),
    ]
    sections = [
        _section("overview", "概况", "Overview", build_goals_view(plan), numbers=(_state(plan), *build_plan_numbers(plan))),
        _section("gantt", "总体安排", "The plan at a glance", _whys_view(plan, whys or {}), figures=(gantt,), intro=_READING),
        _section("waves", "批次", "Waves", *_waves(plan, risks)),
        _section("nights", "各批当晚", "The nights", figures=_nights(plan, lang)),
        _section("calendar", "窗口日历", "Calendar", build_calendar_view(plan)),
        _section(
            "ties", "分组与依赖", "Groups and dependencies", build_hubs_view(plan), build_bridges_view(plan),
            *([build_groups_view(plan, risks)] if len(plan.problem.tasks) <= MOST_SYSTEMS else []),
            figures=(figure("各组的依赖与先后", "Who needs whom", render_plan_graph(plan, lang)),),
        ),
        _section("load", "占用", "Load", build_load_view(plan),
                 figures=tuple(figure(zh, en, render_load_curves(plan, lang, what)) for zh, en, what in loads)),
        _section("networks", "业务专网", "Dedicated networks", build_retirements_view(plan)),
        _section("risks", "风险", "Risks", *([build_risks_view(plan, risks)] if risks else [])),
        _section("left", "未排入的系统", "Systems without a place", build_unplaced_view(plan), build_conflict_view(plan),
                 build_excluded_view(plan)),
    ]  # fmt: skip
    return Document(
        title=Text("迁移计划", "Migration plan"), office=office, made_at=made_at, timezone=plan.problem.timezone,
        made_by=made_by, sections=tuple(s for s in sections if s.views or s.figures), source=_source(plan),
        notice=Text("{n} 个窗口的日期为暂定", "{n} windows have provisional dates").format(
            n=sum(w.window.provisional for w in plan.waves)) if any(w.window.provisional for w in plan.waves) else None,
    )  # fmt: skip


_READING = Text(
    "自左至右为日期，一行一组：割接（橙红竖条）之前是准备，之后是试运行和接管；斜线底纹的日子封网。“为什么在这一天”列在图下，鼠标停在图上可看日期。",
    "Days run from left to right, a row for each group: before the cutover (upright bar) the preparation, after it trial run and takeover. Hatched days are frozen. The table says why then; hover over the drawing for dates.",
)  # fmt: skip


def _section(
    section_id: str, zh: str, en: str, *views: View, figures: tuple[Figure, ...] = (), numbers: tuple[Number, ...] = (),
    intro: Text | None = None,
) -> Section:  # fmt: skip
    """Without empty tables; long ones are cut and say so."""
    shown = tuple(_cut(v) for v in views if v.rows or v.notes)
    return Section(
        section_id=section_id, title=Text(zh, en), views=shown, figures=figures, numbers=numbers, intro=intro
    )


def _cut(view: View, most: int = MOST_ROWS) -> View:
    if len(view.rows) <= most or view.name == "whys":
        return view
    note = Text("网页只列前 {k} 行，共 {n} 行；全部在 .xlsx 或 --format csv 中",
                "The page has the first {k} of {n} rows; all of them are in the .xlsx file or with --format csv")  # fmt: skip
    return replace(view, rows=view.rows[:most], notes=(*view.notes, note.format(k=most, n=len(view.rows))))


def _state(plan: MigrationPlan) -> Number:
    proven = sum(1 for g in plan.goals if g.value <= g.bound)
    tone: Tone = "good" if plan.status == "optimal" else "bad" if plan.status in ("infeasible", "unknown") else "plain"
    note = Text("状态：{s}", "status: {s}").format(s=term(STATUS, plan.status))
    return Number(
        label=Text("已证明最好的目标", "Goals proven best"), value=proven, unit=Text("项", ""), note=note, tone=tone
    )


def _whys_view(plan: MigrationPlan, whys: Mapping[str, Text]) -> View:
    """One row for each group with what was said of it; of a big plan, one short row for each system to be looked up."""
    index = build_index(plan)
    rows: list[dict[str, Cell]] = []
    for group in plan.problem.groups:
        wave = index.waves.get(group.group_id)
        work = index.activities.get(group.group_id, ())
        rows.append(
            {
                "group_id": group.group_id, "name": index.name(group.group_id), "systems": group.system_ids,
                "wave": wave.number if wave else None,
                "date": day_text(wave.window.starts_at, index.zone) if wave else None,
                "starts_on": min((a.starts_on for a in work), default=None),
                "ends_on": max((a.ends_on for a in work), default=None), "why": whys.get(group.group_id),
            }
        )  # fmt: skip
    rows.sort(key=lambda row: (row["wave"] is None, row["wave"] or 0, str(row["group_id"])))
    columns = (
        Column("group_id", Text("组", "Group")),
        Column("name", Text("系统", "Systems")),
        Column("wave", Text("批次", "Wave"), "right"),
        Column("date", Text("割接窗口", "Window")),
        *((Column("starts_on", Text("开工", "Work from")), Column("ends_on", Text("完工", "Work to")))
          if len(rows) <= MOST_SYSTEMS else ()),
        *((Column("why", Text("为什么在这一天", "Why then")),) if whys else ()),
    )  # fmt: skip
    note = Text(
        "用 govcloud plan explain 系统编号 查看一个系统的完整理由",
        "govcloud plan explain SYSTEM says all that fixes one system's date",
    )
    return View(name="whys", title=Text("每组在何时，为什么", "When, and why then"), columns=columns, rows=tuple(rows), notes=(note,))  # fmt: skip


def _waves(plan: MigrationPlan, risks: Sequence[RiskAssessment]) -> list[View]:
    totals = build_wave_totals_view(
        plan, [r for r in risks if r.subject not in {g.group_id for g in plan.problem.groups}]
    )
    if sum(len(w.moves) for w in plan.waves) > MOST_SYSTEMS:
        return [totals]
    return [totals, replace(build_waves_view(plan, risks=risks), notes=())]


def _nights(plan: MigrationPlan, lang: Lang) -> tuple[Figure, ...]:
    """One figure a wave, so that none is taller than a sheet of paper; none of a plan that would fill a book."""
    if sum(len(w.moves) for w in plan.waves) > MOST_NIGHT_ROWS:
        return ()
    title = Text("第 {n} 批", "Wave {n}")
    drawn = [(w, render_night(plan, w, lang)) for w in plan.waves]
    return tuple(Figure(title=title.format(n=w.number), svg=Text(svg, svg)) for w, svg in drawn)


def _source(plan: MigrationPlan) -> Text:
    return Text("计划 {p}，指纹 SHA-256 {h}", "Plan {p}, hash SHA-256 {h}").format(p=plan.plan_id, h=plan.plan_hash)
