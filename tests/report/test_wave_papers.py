"""The plan as a paper, and what a wave's papers say of steps: from plans laid out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from plan_samples import HOSTILE, assess, big, empty, infeasible, office

from govcloud.execution.steps import load_steps
from govcloud.model.inventory import Network, Project
from govcloud.model.plan import MigrationPlan
from govcloud.model.step import Step, StepName
from govcloud.model.text import LANGS, Text, same
from govcloud.report.approval_document import build_approval_document
from govcloud.report.cutover_document import build_cutover_document
from govcloud.report.document import Document, Section
from govcloud.report.docx import render_docx
from govcloud.report.html import render_html
from govcloud.report.migration_plan_document import MOST_ROWS, PlanPaper, build_migration_plan_document
from govcloud.report.rollback_document import build_rollback_document
from govcloud.report.text import cell_text
from govcloud.report.view import View
from govcloud.report.wave_facts import StepLine, WaveFacts, WaveSystem

BLANK = Document(
    title=Text("", ""), office="示例市", made_at=datetime(2026, 11, 22, 2, tzinfo=UTC), timezone="Asia/Shanghai", made_by="甲",
    sections=(), source=same("源"),
)  # fmt: skip


def plan_paper(plan: MigrationPlan, networks: tuple[Network, ...] = (), projects: tuple[Project, ...] = ()) -> Document:
    risks = assess(plan) if plan.waves else ()
    paper = PlanPaper(plan=plan, risks=risks, networks=networks, projects=projects, today=date(2026, 11, 22))
    return build_migration_plan_document(paper, BLANK)


def views(document: Document) -> dict[str, View]:
    return {view.name: view for section in document.sections for view in section.views}


def section(document: Document, section_id: str) -> Section:
    return next(s for s in document.sections if s.section_id == section_id)


def test_the_plan_has_its_parts_in_the_order_of_a_plan_of_an_office() -> None:
    document = plan_paper(office(unplaced=("SL-05",)))
    assert [s.section_id for s in document.sections] == [
        "overview", "goals", "scope", "waves", "systems", "ties", "load", "freezes", "networks", "risks", "back", "left", "money",
        "assumed",
    ]  # fmt: skip
    assert document.numbered and len(document.signatures) == 3
    assert all(figure.svg.zh.startswith("<svg") for s in document.sections for figure in s.figures)


def test_systems_that_are_not_in_it_are_named_with_their_reasons() -> None:
    found = views(plan_paper(office(unplaced=("SL-05",))))
    assert [(r["system_id"], cell_text(r["reason"], "zh")) for r in found["excluded"].rows] == [
        ("SL-90", "涉密系统不上政务云")
    ]
    assert [r["system_id"] for r in found["unplaced"].rows] == ["SL-05"]


def test_every_system_of_every_wave_is_in_the_table() -> None:
    plan = office()
    rows = views(plan_paper(plan))["waves"].rows
    assert sorted(str(r["system_id"]) for r in rows) == sorted(m.system_id for w in plan.waves for m in w.moves)


def test_freezes_say_whom_they_bind() -> None:
    rows = views(plan_paper(office()))["freezes"].rows
    assert [(cell_text(r["title"], "zh"), r["systems"]) for r in rows] == [
        ("财政系统封网", ("SL-09",)),
        ("年终决算", ()),
    ]


def test_what_is_assumed_or_left_open_is_said() -> None:
    said = section(plan_paper(office()), "assumed").paragraphs
    assert any("按默认值估算：SL-05。" in text.zh for text in said)


def test_no_amount_is_invented() -> None:
    money = section(plan_paper(office()), "money")
    assert not money.views and money.paragraphs[0].zh == "清单中没有与本方案有关的经费数据。"
    networks = (
        Network(network_id="Z1", name="示例专网", yearly_cost_yuan=186000.0),
        Network(network_id="Z2", name="示例二网", yearly_cost_yuan=5000.0),
        Network(network_id="Z3", name="示例三网", yearly_cost_yuan=7000.0),
    )
    projects = (
        Project(project_id="XM-1", name="示例项目", systems=("SL-01", "SL-77"), budget_yuan=100.0),
        Project(project_id="XM-2", name="示例二项目", systems=("SL-02",)),
    )
    found = views(plan_paper(office(), networks, projects))
    assert [r["network_id"] for r in found["line_costs"].rows] == ["Z1"], "Z2 stays, Z3 is not in the plan"
    assert "186,000 元" in found["line_costs"].notes[0].zh
    assert [(r["project_id"], r["systems"]) for r in found["budgets"].rows] == [("XM-1", ["SL-01"])]


def test_a_plan_that_does_not_work_out_is_printed_with_its_conflicts() -> None:
    found = views(plan_paper(infeasible()))
    assert {"unplaced", "conflict"} <= found.keys()


def test_a_plan_without_waves_is_printed_all_the_same() -> None:
    document = plan_paper(empty())
    for lang in LANGS:
        assert render_docx(document, lang) and "迁移实施方案" in render_html(document, "zh")


def test_a_plan_that_would_fill_a_book_is_cut_and_says_so() -> None:
    found = views(plan_paper(big(600)))
    assert len(found["waves"].rows) == MOST_ROWS and "共 600 行" in found["waves"].notes[-1].zh


def test_a_trial_is_marked_as_not_to_be_carried_out() -> None:
    notice = plan_paper(replace(office(), what_if=("capacity.crews=3",))).notice
    assert notice is not None and "试算方案，不得执行" in notice.zh


def wave_facts(plan: MigrationPlan, steps: Mapping[StepName, Step] | None = None) -> WaveFacts:
    """The first wave, without migration files."""
    known, tasks, wave = steps or load_steps(), {t.system_id: t for t in plan.problem.tasks}, plan.waves[0]
    systems = tuple(
        WaveSystem(
            move=m, task=tasks[m.system_id], system=None, spec=None, steps=tuple(StepLine(step=s) for s in known.values()),
            way_back=tuple(StepLine(step=known[n], minutes=known[n].undo_minutes) for n in ("cutover", "freeze")),
        )
        for m in wave.moves
    )  # fmt: skip
    return WaveFacts(
        plan=plan, wave=wave, zone=ZoneInfo("Asia/Shanghai"), systems=systems, steps=known, limits={}, approval=True
    )


def test_a_step_that_cannot_be_undone_is_marked_in_the_table_and_in_the_limits() -> None:
    steps = dict(load_steps())
    steps["network_move"] = replace(
        steps["network_move"], reversible=False, undo=Text("线路已退租", "the line was given up")
    )
    document = build_rollback_document(wave_facts(office(), steps), BLANK)
    marked = {
        cell_text(r["title"], "zh")
        for r in views(document)["undo"].rows
        if cell_text(r["reversible"], "zh") == "不可撤销"
    }
    assert marked == {steps["network_move"].title.zh}
    limits = [text.zh for text in section(document, "limits").paragraphs]
    assert "“网段并入政务外网”不可撤销：线路已退租。" in limits
    assert any(text.startswith("“割接：目标启动，入口切换”开始后") for text in limits)


def test_numbers_that_nobody_knows_are_dashes_not_zeros() -> None:
    document = build_cutover_document(wave_facts(office()), BLANK)
    assert {cell_text(r["users"], "zh") for r in views(document)["impact"].rows} == {"—"}
    assert "批准有效 — 小时" in {cell_text(r["how"], "zh") for r in views(document)["go"].rows}


@pytest.mark.parametrize("build", [build_cutover_document, build_approval_document, build_rollback_document])
def test_names_from_outside_stay_names(build: object) -> None:
    """F28: what a workbook says becomes neither markup nor a field of Word."""
    document = build(wave_facts(office(HOSTILE)), BLANK)  # type: ignore[operator]
    for lang in LANGS:
        page = render_html(document, lang)
        assert "<script>alert" not in page and "<img src=x" not in page
        assert render_docx(document, lang)


def test_hostile_names_in_the_plan_stay_names() -> None:
    document = plan_paper(office(HOSTILE))
    assert "<script>alert" not in render_html(document, "zh") and render_docx(document, "en")
