"""The tables of a plan. A wrong one sends a crew out on the wrong night, or leaves a freeze or a full link unseen."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import plan_samples as samples
import pytest
from offices import windows

from govcloud.model.plan import (
    Binding,
    EarlierWindow,
    GoalValue,
    MigrationPlan,
    PlanChange,
    PlanExplanation,
    PlanViolation,
    RiskAssessment,
)
from govcloud.model.plan_summary import PlanSummary
from govcloud.model.text import LANGS, Lang, Text
from govcloud.report import plan as views
from govcloud.report.overview import build_plan_numbers
from govcloud.report.text import cell_text, render_csv, render_json, render_text
from govcloud.report.view import View

ZONE = ZoneInfo("Asia/Shanghai")


def all_views(plan: MigrationPlan) -> list[View]:
    risks = samples.assess(plan)
    return [
        views.build_waves_view(plan, risks=risks), views.build_calendar_view(plan), views.build_jobs_view(plan),
        views.build_retirements_view(plan), views.build_goals_view(plan), views.build_load_view(plan),
        views.build_load_view(plan, "week"), views.build_groups_view(plan, risks), views.build_bridges_view(plan),
        views.build_hubs_view(plan), views.build_risks_view(plan, risks), views.build_inputs_view(plan),
        views.build_conflict_view(plan), views.build_unplaced_view(plan), views.build_excluded_view(plan),
        views.build_wave_totals_view(plan, risks), views.build_plan_view(plan, risks),
    ]  # fmt: skip


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("plan", [samples.office(), samples.infeasible(), samples.empty(), samples.office(samples.HOSTILE)],
                         ids=["office", "infeasible", "empty", "hostile"])  # fmt: skip
def test_every_table_is_text_json_and_csv_in_both_languages(plan: MigrationPlan, lang: Lang) -> None:
    shown = all_views(plan)
    text = render_text(shown, lang, ZONE)
    assert all(v.title.to(lang) in text for v in shown) and "\x07" not in text and "\u202e" not in text
    assert set(json.loads(render_json(shown, lang))) == {v.name for v in shown}
    for row in csv.reader(io.StringIO(render_csv(shown, lang))):
        assert not [c for c in row if c.startswith(("=", "@", "+", "\t"))], "a spreadsheet would run it"


def test_the_waves_have_local_times_risk_and_who_moves_along() -> None:
    plan = samples.office()
    view = views.build_waves_view(plan, risks=samples.assess(plan))
    second = next(r for r in view.rows if r["system_id"] == "SL-03")
    shown = {k: cell_text(v, "zh") for k, v in second.items()}
    assert (shown["date"], shown["starts_at"], shown["ends_at"]) == ("2026-12-05 周六", "23:20", "次日 02:00")
    assert (shown["together_with"], shown["risk"], shown["confidence"]) == ("SL-02", "中", "存疑")
    row = json.loads(render_json([view], "zh"))["waves"]["rows"][0]
    assert (row["risk"], row["starts_at"]) == ("high", "2026-12-05T22:00+08:00")
    assert {r["wave"] for r in views.build_waves_view(plan, 2).rows} == {2}


def test_scripts_get_every_move_and_activity_with_iso_dates_and_the_proof() -> None:
    plan = samples.office()
    facts = json.loads(render_json([views.build_plan_view(plan)], "en"))["plan"]
    assert facts["moves"][0] | {"starts_at": "", "cutover_ends_at": "", "ends_at": ""} == {
        "system_id": "SL-01", "group_id": "SL-01", "wave": 1, "window_id": "W02", "opens_on": "2026-12-05", "crew": "一组",
        "starts_at": "", "cutover_ends_at": "", "ends_at": "",
    }  # fmt: skip
    assert facts["moves"][0]["starts_at"] == "2026-12-05T14:00:00+00:00"
    assert len(facts["activities"]) == len(plan.activities)
    assert facts["goals"][1] == {"kind": "makespan", "value": 100, "bound": 90, "gap_pct": 10.0}
    assert facts["solver"]["repeatable"] is True and facts["status"] == "feasible"
    assert {"created_at", "previous_id", "period", "windows", "networks", "bridges", "excluded"} <= set(facts)


def test_the_calendar_names_freezes_and_the_load_of_each_crew() -> None:
    view = views.build_calendar_view(samples.office())
    rows = {cell_text(r["date"], "en")[:10]: {k: cell_text(v, "en") for k, v in r.items()} for r in view.rows}
    assert len(rows) == 14
    assert rows["2026-12-05"]["state"] == "used"
    assert rows["2026-12-05"]["crews"] == "一组 240 min (100 %), 二组 240 min (100 %)"
    assert (rows["2027-01-02"]["state"], rows["2027-01-02"]["freezes"]) == ("frozen", "年终决算")
    assert (rows["2026-12-19"]["state"], rows["2026-12-19"]["freezes"]) == ("frozen for some", "财政系统封网")
    assert rows["2026-11-28"]["state"] == "not used"


def test_a_freeze_of_departments_closes_no_window_for_everybody() -> None:
    plan = samples.office()
    scoped = replace(plan.problem.freezes[0], departments=("示例财政局",))
    view = views.build_calendar_view(replace(plan, problem=replace(plan.problem, freezes=(scoped,))))
    assert "frozen" not in {cell_text(r["state"], "en") for r in view.rows}


def test_jobs_are_in_order_of_time_with_the_cutovers_among_them() -> None:
    plan = samples.office()
    rows = views.build_jobs_view(plan).rows
    days = [str(r["starts_on"]) for r in rows]
    assert days == sorted(days) and len(rows) == len(plan.activities) + len(plan.problem.groups) - 1
    cutover = next(r for r in rows if r["job_id"] == "SL-02/cutover")
    assert (cutover["length"], cutover["wave"], cutover["crew"]) == (240, 1, "二组")
    only = views.build_jobs_view(plan, 3).rows
    assert {r["subject_id"] for r in only} == {"SL-09", "SL-10", "SL-11", "SL-12"}


def test_a_network_says_when_it_closes_how_late_and_what_keeps_it() -> None:
    plan = samples.office()
    early = replace(plan.problem.retirements[0], due_on=date(2026, 12, 20))
    plan = replace(plan, problem=replace(plan.problem, retirements=(early, *plan.problem.retirements[1:])))
    first, second = views.build_retirements_view(plan).rows
    assert (first["last_cutover_on"], first["ends_on"], first["late_days"]) == (
        date(2026, 12, 5),
        date(2026, 12, 23),
        3,
    )
    assert second["ends_on"] is None and "1 个系统不在计划中" in cell_text(second["remark"], "zh")
    left = views.build_retirements_view(samples.infeasible()).rows[0]
    assert "1 groups are not placed" in cell_text(left["remark"], "en")


def test_the_proof_is_said_in_words_and_numbers() -> None:
    plan = samples.office()
    told = [n.en for n in views.plan_notes(plan)]
    assert "Proven best: closing of networks" in told
    assert "length of the plan: 100, proven bound 90; at most 10.0 % better" in told
    assert "Placed one by one by priority, length of the plan would be 130; here it is 100" in told
    assert any("all work that follows ends on 2027-01-06" in n for n in told)
    best = replace(plan, status="optimal", goals=(GoalValue(kind="makespan", value=90, bound=90),))
    assert any("不能更好" in n.zh for n in views.plan_notes(best))
    stopped = replace(plan, solver=replace(plan.solver, repeatable=False))  # type: ignore[type-var]
    assert any("another run may find another plan" in n.en for n in views.build_goals_view(stopped).notes)


def test_a_bound_that_says_nothing_is_not_shown_as_a_gap_of_a_hundred_per_cent() -> None:
    """Broken dependencies: 13, and no more known than that there can't be fewer than none."""
    broken = GoalValue(kind="bridges", value=13, bound=0)
    plan = samples.office(goals=(GoalValue(kind="makespan", value=90, bound=90), broken))
    (row,) = [r for r in views.build_goals_view(plan).rows if cell_text(r["goal"], "en") == "broken dependencies"]
    assert (cell_text(row["bound"], "zh"), cell_text(row["bound"], "en"), row["gap_pct"]) == (
        "无下界",
        "no bound",
        None,
    )
    for lang in LANGS:
        words = [n.to(lang) for n in views.plan_notes(plan)]
        assert any(("无下界", "no bound")[lang == "en"] in w for w in words) and not any("100" in w for w in words)
    facts = json.loads(render_json([views.build_plan_view(plan)], "en"))["plan"]
    assert facts["goals"][1]["gap_pct"] is None and facts["gap_pct"] is None
    none_broken = samples.office(goals=(GoalValue(kind="bridges", value=0, bound=0),))
    assert views.build_goals_view(none_broken).rows[0]["gap_pct"] == 0.0


def test_conflicts_name_demands_then_ways_out_the_cheapest_first() -> None:
    rows = [{k: cell_text(v, "zh") for k, v in r.items()} for r in views.build_conflict_view(samples.infeasible()).rows]
    assert [(r["conflict"], r["role"]) for r in rows] == [
        ("1", "要求"), ("1", "要求"), ("1", "解决办法"), ("1", "解决办法"), ("2", "要求"),
    ]  # fmt: skip
    assert rows[2]["setting"] == "--set capacity.crews=3" and rows[3]["text"] == "最晚日期改为 2027-01-16"
    assert "冲突 2：限时内未能证明每一条都不可少。" in [
        n.zh for n in views.build_conflict_view(samples.infeasible()).notes
    ]


def test_a_high_confidence_is_not_coloured_as_a_high_risk() -> None:
    from govcloud.report.tone import tone_of

    plan = samples.office()
    levels = [RiskAssessment(subject="SL-01", risk="high", risk_points=9, confidence="high", reasons=())]
    row = views.build_risks_view(plan, levels).rows[0]
    assert (tone_of(row["risk"]), tone_of(row["confidence"])) == ("bad", "plain")


def test_an_explanation_gives_the_chain_the_earlier_windows_and_what_to_change() -> None:
    plan = samples.office()
    broken = PlanViolation(code="crew", subjects=("SL-05",), text=Text("一组已被 SL-01 占用", "crew taken by SL-01"))
    early = windows(2)
    explanation = PlanExplanation(
        system_id="SL-05", wave=plan.waves[1], move=plan.waves[1].moves[0], text=Text("此前没有空窗口", "no room before"),
        bindings=(Binding(job_id="SL-05/cutover", kind="crew", subject="一组", text=Text("班组已满", "crew full")),),
        waits_for=("SL-01",), awaited_by=("Z1",), slack_days=7, to_move_earlier=(Text("增加班组", "add a crew"),),
        earlier=(EarlierWindow(window=early[0], reasons=(broken,)), EarlierWindow(window=early[1], reasons=(), worse=("networks",))),
    )  # fmt: skip
    shown = views.build_explanation_views(plan, explanation)
    assert [v.name for v in shown] == ["explanation", "earlier", "to_move_earlier"]
    text = render_text(shown, "zh")
    for words in (
        "此前没有空窗口",
        "班组已满",
        "一组已被 SL-01 占用",
        "会变差：专网撤销时间",
        "增加班组",
        "机动时间 7 天",
        "SL-05 割接",
    ):
        assert words in text
    facts = json.loads(render_json(shown, "en"))
    assert facts["explanation"]["slack_days"] == 7 and facts["earlier"]["windows"][0]["codes"] == ["crew"]
    short = views.build_explanation_views(
        plan, PlanExplanation(system_id="X", wave=None, move=None, text=Text("无", "none"))
    )
    assert len(short) == 1 and "—" not in render_text(short, "zh")


def test_a_difference_says_who_moved_why_and_how_many_stayed() -> None:
    before, after = samples.office(), samples.office(plan_id="P-2")
    change = PlanChange(
        subject_id="SL-09", system_ids=("SL-09",), kind="later", before_on=date(2026, 12, 12), after_on=date(2026, 12, 26),
        reasons=(Text("让位给 SL-02", "makes room for SL-02"),),
    )  # fmt: skip
    view = views.build_diff_view(before, after, [change])
    assert [n.en for n in view.notes] == [
        "From plan P-1 to plan P-2",
        "later: 1; the other 11 groups stay where they were",
    ]
    assert cell_text(view.rows[0]["change"], "zh") == "推后" and view.facts["counts"] == {"later": 1}
    assert "没有变化" in views.build_diff_view(before, after, []).notes[1].zh


def test_plans_lie_side_by_side() -> None:
    one = PlanSummary(
        plan_id="P-1", status="optimal", systems=12, unplaced=0, waves=3, last_cutover_on=date(2026, 12, 26), ends_on=None,
        goals=(GoalValue(kind="makespan", value=90, bound=90),), networks=(("Z1", date(2026, 12, 23)), ("Z2", None)),
    )  # fmt: skip
    two = replace(
        one, plan_id="P-2", what_if=("capacity.crews=3",), networks=(("Z1", date(2026, 12, 16)), ("Z2", None)),
        goals=(GoalValue(kind="makespan", value=90, bound=0),),
    )  # fmt: skip
    rows = {str(r["key"]): r for r in views.build_comparison_view([one, two]).rows}
    assert (rows["network:Z1"]["plan_1"], rows["network:Z1"]["plan_2"]) == (date(2026, 12, 23), date(2026, 12, 16))
    assert "network:Z2" not in rows and cell_text(rows["makespan"]["plan_1"], "zh") == "90（最优）"
    assert cell_text(rows["makespan"]["plan_2"], "zh") == "90（无下界）"
    assert rows["what_if"]["plan_2"] == ("capacity.crews=3",)
    assert "what_if" not in {r["key"] for r in views.build_comparison_view([one]).rows}


def test_the_overview_counts_what_retires_as_planned() -> None:
    (number,) = build_plan_numbers(samples.infeasible())
    assert (number.value, number.tone) == (10, "warn")
    assert number.note is not None and number.note.en == "waves: 3; without a window: 1; not placed: 3"


def test_unknown_inputs_and_kinds_are_shown_as_they_are() -> None:
    plan = samples.office()
    odd = replace(plan.problem.tasks[0], assumed=("data_gib", "something_new"))
    view = views.build_inputs_view(replace(plan, problem=replace(plan.problem, tasks=(odd, *plan.problem.tasks[1:]))))
    assert cell_text(view.rows[0]["assumed"], "zh") == "数据量、something_new"
