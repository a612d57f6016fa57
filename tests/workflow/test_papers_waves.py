"""The papers of waves and runs: who goes when, who has said yes, what was done, what is proven. Nothing in them is invented."""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))
sys.path.insert(0, str(Path(__file__).parent))

from wave_desk import OPENS, OTHER, SYSTEM, Desk, build_wave_plan, make_wave_desk

from govcloud.cli.main import run as govcloud
from govcloud.execution.steps import WAY_BACK, applicable, load_steps, site_steps
from govcloud.model.step import Phase, StepName
from govcloud.model.text import LANGS, Text
from govcloud.report.document import Document, Signature
from govcloud.report.docx import render_docx
from govcloud.report.html import render_html
from govcloud.report.text import cell_text
from govcloud.report.view import View
from govcloud.settings import open_workspace
from govcloud.store import plan as plan_store
from govcloud.workflow import run_gates, run_orders
from govcloud.workflow.init import init_workspace
from govcloud.workflow.paper_kind import Scope
from govcloud.workflow.papers_waves import WAVE_KINDS
from govcloud.workflow.session import open_session
from govcloud.workflow.timeline import Wanted, read_timeline

KINDS = {kind.kind_id: kind for kind in WAVE_KINDS}
TITLES = {name: step.title for name, step in load_steps().items()}
DIGEST = "ab" * 32


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_wave_desk(tmp_path / "w")


def paper(desk: Desk, kind: str, **scope: Any) -> Document:
    with desk.open("打印人") as session:
        made = KINDS[kind].builder(session)(Scope(**scope))
    assert isinstance(made, Document), made
    return made


def views(document: Document) -> dict[str, View]:
    return {view.name: view for section in document.sections for view in section.views}


def words(document: Document) -> str:
    """Everything that stands in it, in Chinese."""
    return "\n".join(_words(document))


def _words(document: Document) -> Iterator[str]:
    yield document.title.zh
    yield from (t.zh for t in document.closing)
    for section in document.sections:
        yield section.title.zh
        yield from (t.zh for t in section.paragraphs)
        yield from (f"{label.zh}：{cell_text(value, 'zh')}" for row in section.form for label, value in row.fields)
        for view in section.views:
            yield from (note.zh for note in view.notes)
            yield from (cell_text(value, "zh") for row in view.rows for value in row.values())


def column(view: View, key: str) -> list[str]:
    return [cell_text(row.get(key), "zh") for row in view.rows]


def answer(desk: Desk, run_id: str, actor: str, *systems: str, work: bool = True, **more: bool) -> None:
    with desk.open(actor) as session:
        run_gates.answer_gates(session, run_id, systems=systems, reason="会议同意", **more)
    if work:
        desk.work(run_id)


def start(desk: Desk) -> str:
    """Both systems stand before the freeze."""
    run_id = desk.start(plan_id="P-1", wave=1)
    answer(desk, run_id, "li")
    return run_id


def through(desk: Desk, system_id: str, step: StepName, phase: Phase, number: int) -> str:
    desk.facts = {
        "precheck": {"data_bytes": 5 * 2**30},
        "verify_data": {"level": "L2", "rows": 1200, "database_sha256": DIGEST, "attributes_left": 2},
        "verify_service": {"level": "L3", "http_checks": 3},
    }.get(step, {})  # type: ignore[assignment]
    return "ok"


def to_trial(desk: Desk) -> str:
    """The first system serves from the target; the second one waits for its own hour."""
    desk.results = lambda *key: through(desk, *key)
    run_id = start(desk)
    answer(desk, run_id, "li", SYSTEM)
    assert desk.state(run_id)[0] == "trial"
    return run_id


# --- before anything was done


def spent(desk: Desk, name: StepName, gib: int) -> int:
    """Minutes of a step for so much data, by the site's own figures: what the engine asks for."""
    step = site_steps(open_workspace(desk.place.path).settings.steps)[name]
    return math.ceil(step.minutes + step.minutes_per_gib * gib)


def test_the_cutover_plan_has_every_system_in_the_order_of_the_plan_and_every_step_with_its_time(desk: Desk) -> None:
    found = views(paper(desk, "cutover", wave=1))
    assert column(found["order"], "system_id") == [SYSTEM, OTHER]
    assert column(found["order"], "after") == ["—", SYSTEM], "what it needs serves first"
    assert column(found["order"], "starts_at") == ["22:00", "次日 00:00"]
    assert column(found["order"], "back_by") == ["23:26", "次日 01:26"], (
        "reserve to 23:30, four minutes for the way back"
    )
    steps = found[f"steps_{SYSTEM}"]
    with desk.open() as session:
        from govcloud.execution.spec import load_spec

        wanted = [TITLES[n].zh for n in applicable(load_spec(session.workspace.path / "migration", SYSTEM))]
    assert column(steps, "title") == wanted
    timed = dict(zip(column(steps, "title"), column(steps, "when"), strict=True))
    assert (
        timed[TITLES["freeze"].zh] == "22:00–22:02"
        and timed[TITLES["final_sync"].zh] == f"22:02–22:{2 + spent(desk, 'final_sync', 10):02}"
    )
    assert timed[TITLES["prepare"].zh] == "2026-03-02 – 2026-03-06" and timed[TITLES["precheck"].zh] == "窗口前"
    assert set(column(steps, "executor")) == set(column(steps, "confirmer")) == {"\u3000" * 3}, "left for the pen"


def test_contacts_impact_and_changes_are_those_on_record_and_the_rest_is_left_to_fill_in(desk: Desk) -> None:
    document = paper(desk, "cutover", wave=1)
    found = views(document)
    assert column(found["contacts"], "contact") == ["\u3000" * 3, "王示例"]
    assert column(found["impact"], "users") == ["—", "40"] and column(found["impact"], "minutes") == ["60", "60"]
    assert {"http://10.66.1.10:8080", "http://10.100.8.10:8080"} <= {
        *column(found["changes"], "before"),
        *column(found["changes"], "after"),
    }
    assert [s.signed for s in document.signatures] == [None, None, None]


def test_a_failure_goes_back_by_itself_or_waits_for_the_people_who_may_decide(tmp_path: Path) -> None:
    people = [{"name": "钱示例", "unit": "示例中心", "roles": ["审批"]}, {"name": "孙示例", "roles": ["操作"]}]
    desk = make_wave_desk(tmp_path / "w", people=people, approver_roles=["审批"])
    rows = views(paper(desk, "cutover", wave=1))["triggers"].rows
    assert [(r["systems"], cell_text(r["who"], "zh")) for r in rows[:2]] == [([SYSTEM], "自动"), ([OTHER], "钱示例")]


def test_a_system_without_a_migration_file_has_the_standard_steps_and_says_so(desk: Desk) -> None:
    (desk.place.path / "migration" / f"{OTHER}.yaml").unlink()
    document = paper(desk, "cutover", wave=1)
    assert "创建目标机器（整机镜像先转换上传）（视迁移文件）" in words(document)
    assert "尚无可用的迁移文件，按标准步骤列出。" in words(document)
    assert f"尚无迁移文件、未列出的系统：{OTHER}" in words(document)


def test_steps_that_take_longer_than_planned_are_named_before_the_night(desk: Desk) -> None:
    plan = build_wave_plan("P-2")
    tasks = tuple(replace(t, data_mib=200 * 1024, cutover_min=40) for t in plan.problem.tasks)
    with desk.open() as session, session.store.begin() as tx:
        plan_store.add_plan(tx, replace(plan, problem=replace(plan.problem, tasks=tasks)))
    document = paper(desk, "cutover", wave=1)
    assert "步骤用时按 200 GiB 数据估算，超出计划" in words(document)
    for kind in ("cutover", "approval", "rollback"):
        notice = paper(desk, kind, wave=1).notice
        assert notice is not None and f"割接用时超出计划、须先调整计划的系统：{SYSTEM}、{OTHER}" in notice.zh


def test_once_the_data_was_measured_the_minutes_go_by_it(desk: Desk) -> None:
    """The plan assumed 10 GiB, the check of the run found 5."""
    desk.results = lambda *key: through(desk, *key)
    start(desk)
    steps = views(paper(desk, "cutover", wave=1))[f"steps_{SYSTEM}"]
    minutes = dict(zip(column(steps, "title"), column(steps, "minutes"), strict=True))
    assert minutes[TITLES["replicate"].zh] == str(spent(desk, "replicate", 5)) != str(spent(desk, "replicate", 10))
    assert set(column(steps, "executor")) == {"zhang"}, "who started the run"


def test_the_rollback_plan_has_every_step_with_its_undo_in_the_order_of_the_engine(desk: Desk) -> None:
    document = paper(desk, "rollback", wave=1)
    found = views(document)
    undo = found["undo"]
    assert column(undo, "undo") == [load_steps()[n].undo.zh for n in _names(column(undo, "title"))]
    back = found[f"back_{SYSTEM}"]
    assert _names(column(back, "title")) == [n for n in WAY_BACK if n != "network_move"]
    assert column(back, "minutes") == ["1", "3", "2"] and "源恢复服务需 4 分钟，最迟23:26决定" in words(document)
    limits = dict(zip(_names(column(undo, "title")), column(undo, "remark"), strict=True))
    assert "不自动带回" in limits["cutover"], "the step from which not everything can be undone"
    assert "未规定试运行最短天数；验收后源环境保留 30 天" in words(document)


def _names(titles: list[str]) -> list[StepName]:
    return [next(n for n, t in TITLES.items() if t.zh == title) for title in titles]


def test_without_a_plan_or_a_run_a_paper_says_which_command_comes_first(tmp_path: Path) -> None:
    init_workspace(tmp_path / "w", "shanxi", actor="甲")
    with open_session(open_workspace(tmp_path / "w"), actor="甲") as session:
        for kind in WAVE_KINDS:
            said = kind.builder(session)(Scope())
            assert isinstance(said, Text)
            assert ("govcloud run start" if kind.about == "run" else "govcloud plan build") in said.zh


def test_a_wave_that_the_plan_does_not_have_is_no_traceback(desk: Desk) -> None:
    with desk.open() as session:
        said = KINDS["cutover"].builder(session)(Scope(wave=7))
    assert isinstance(said, Text) and "没有第 7 批" in said.zh


# --- approvals


def approver(desk: Desk) -> Signature:
    return paper(desk, "approval", wave=1).signatures[-1]


def test_only_approvals_that_count_are_shown_as_such(desk: Desk) -> None:
    run_id = start(desk)
    answer(desk, run_id, "li", work=False)
    document = paper(desk, "approval", wave=1)
    granted = views(document)["granted"]
    assert [(r["step"], r["systems"], cell_text(r["actor"], "zh")) for r in granted.rows] == [
        (TITLES["prepare"], (SYSTEM, OTHER), "li"), (TITLES["freeze"], (SYSTEM, OTHER), "li"),
    ]  # fmt: skip
    assert "void" not in views(document)
    assert f"执行编号（发起人）：{run_id}（zhang）" in words(document) and "ab" * 32 in words(document)
    signed = approver(desk).signed
    assert signed is not None and signed.name == "li"


def test_a_refusal_is_not_shown_as_an_approval(desk: Desk) -> None:
    run_id = start(desk)
    answer(desk, run_id, "li", SYSTEM, granted=False)
    found = views(paper(desk, "approval", wave=1))
    assert TITLES["freeze"] not in [r["step"] for r in found["granted"].rows]
    assert [[cell_text(r[k], "zh") for k in ("actor", "void")] for r in found["void"].rows] == [["li", "不予批准"]]
    assert approver(desk).signed is None


def test_an_approval_that_expired_unused_is_not_shown_as_one(desk: Desk) -> None:
    run_id = start(desk)
    answer(desk, run_id, "li", work=False)
    desk.now += timedelta(hours=73)
    found = views(paper(desk, "approval", wave=1))
    assert [r["step"] for r in found["granted"].rows] == [TITLES["prepare"]], "that one was used in time"
    assert column(found["void"], "void") == ["未使用，已过有效期"]
    assert approver(desk).signed is None


def test_an_approval_of_another_plan_is_void(desk: Desk) -> None:
    run_id = start(desk)
    answer(desk, run_id, "li", work=False)
    with desk.open() as session, session.store.begin() as tx:
        plan_store.add_plan(tx, build_wave_plan("P-2"))
    found = views(paper(desk, "approval", wave=1))
    assert [cell_text(r["void"], "zh") for r in found["void"].rows] == ["登记后有变，未用的批准作废：迁移计划"]
    assert approver(desk).signed is None


def test_one_of_two_who_are_needed_in_an_emergency_does_not_count(desk: Desk) -> None:
    run_id = start(desk)
    answer(desk, run_id, "chen", emergency=True, work=False)
    assert column(views(paper(desk, "approval", wave=1))["void"], "void") == ["紧急批准须两人，尚缺一人"]
    answer(desk, run_id, "wu", emergency=True, work=False)
    found = views(paper(desk, "approval", wave=1))
    assert column(found["granted"], "actor")[-2:] == ["chen", "wu"] and "void" not in found
    signed = approver(desk).signed
    assert signed is not None and signed.name == "chen、wu" and signed.note is not None and "紧急" in signed.note.zh


def test_an_approval_of_a_part_of_the_wave_does_not_sign_for_all_of_it(desk: Desk) -> None:
    run_id = start(desk)
    answer(desk, run_id, "li", SYSTEM, work=False)
    assert approver(desk).signed is None


def test_an_approval_of_an_approver_who_lost_the_role_counts_only_where_it_was_used(tmp_path: Path) -> None:
    people = [{"name": "zhang"}, {"name": "li", "unit": "示例处", "roles": ["审批"]}]
    desk = make_wave_desk(tmp_path / "w", people=people, approver_roles=["审批"])
    run_id = start(desk)
    answer(desk, run_id, "li", work=False)
    settings = desk.place.path / "govcloud.yaml"
    text = settings.read_text("utf-8")
    assert "- 审批\n" in text
    settings.write_text(text.replace("roles:\n    - 审批", "roles:\n    - 操作"), "utf-8")
    found = views(paper(desk, "approval", wave=1))
    assert [r["step"] for r in found["granted"].rows] == [TITLES["prepare"]]
    assert "没有批准所需的角色" in column(found["void"], "void")[0]


def test_the_papers_of_a_wave_are_written_by_one_command_and_their_digests_recorded(desk: Desk, tmp_path: Path) -> None:
    argv = ["-w", str(desk.place.path), "--lang", "zh", "report", "--wave", "1", "-o", str(tmp_path / "papers")]
    assert govcloud([*argv, "--kind", "cutover", "--kind", "approval", "--kind", "rollback"]) == 0
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "papers").iterdir()}
    assert sorted(files) == ["approval-1.zh.docx", "cutover-1.zh.docx", "rollback-1.zh.docx"]
    with desk.open() as session:
        (newest,) = read_timeline(session, Wanted(kind="report"), limit=1).records
    assert newest["body"]["files"] == files
    assert govcloud([*argv, "--kind", "verification"]) == 1, "there is no run yet"


# --- afterwards


def test_the_run_report_sets_what_was_done_beside_what_was_planned(desk: Desk) -> None:
    run_id = to_trial(desk)
    document = paper(desk, "run-report", run_id=run_id)
    found = views(document)
    first = found["outcome"].rows[0]
    assert (first["planned_min"], first["downtime_min"], first["within"], first["level"]) == (
        60,
        5,
        True,
        "L0 L1 L2 L3",
    )
    assert first["planned_at"] == OPENS
    times = {(r["system_id"], r["step"]): r for r in found["times"].rows}
    copied = times[SYSTEM, TITLES["replicate"]]
    assert (copied["planned_min"], copied["actual_min"], copied["attempts"]) == (10, 1.0, 1), (
        "for the 5 GiB that were measured"
    )
    assert cell_text(times[SYSTEM, TITLES["switch_off"]]["result"], "zh") == "未开始"
    assert document.notice is not None and "1 个系统还在途中" in document.notice.zh


def test_failures_have_their_reasons_and_what_became_of_them(desk: Desk) -> None:
    def results(system_id: str, step: StepName, phase: Phase, number: int) -> str:
        if (step, phase, number) == ("replicate", "apply", 1):
            return "unreachable"
        return "failed" if (step, phase) == ("verify_data", "apply") else "ok"

    desk.results = results
    run_id = start(desk)
    desk.now += timedelta(minutes=6)
    desk.work(run_id)
    answer(desk, run_id, "li", SYSTEM)
    assert desk.state(run_id)[0] == "rolled_back"
    document = paper(desk, "run-report", run_id=run_id, system_id=SYSTEM)
    rows = [
        [cell_text(r[k], "zh") for k in ("step", "result", "reasons", "then")] for r in views(document)["failures"].rows
    ]
    assert rows == [
        [TITLES["replicate"].zh, "主机无应答", "示例原因", "核对证实已完成"],
        [TITLES["verify_data"].zh, "失败", "示例原因", "已回退"],
    ]
    results_of = {r["step"]: cell_text(r["result"], "zh") for r in views(document)["times"].rows}
    assert results_of[TITLES["replicate"]] == "核对证实已完成" and results_of[TITLES["verify_data"]] == "失败"


def test_what_was_written_to_the_target_before_a_way_back_is_told(desk: Desk) -> None:
    run_id = to_trial(desk)
    desk.results = lambda *key: "ok"
    desk.facts = {"taken_rows": 17}
    with desk.open("li") as session:
        run_orders.roll_back(session, run_id, SYSTEM, reason="业务不能接受")
    desk.work(run_id)
    document = paper(desk, "run-report", run_id=run_id)
    assert "割接后写入目标的数据未带回：目标在割接后新增或改动 17 行" in words(document)
    assert "业务不能接受" in words(document)


def test_an_emergency_is_reported_with_its_people_and_its_review(desk: Desk) -> None:
    run_id = start(desk)
    for actor in ("chen", "wu"):
        answer(desk, run_id, actor, SYSTEM, emergency=True)
    row = views(paper(desk, "run-report", run_id=run_id))["emergencies"].rows[0]
    assert row["people"] == ["chen", "wu"] and cell_text(row["reviewed_by"], "zh") == "尚未复核"
    with desk.open("qian") as session:
        run_orders.review(session, run_id, reason="属实")
    row = views(paper(desk, "run-report", run_id=run_id))["emergencies"].rows[0]
    assert (row["reviewed_by"], row["finding"]) == ("qian", "属实")


def levels(document: Document, system_id: str) -> dict[str, str]:
    return {
        str(r["level"]): cell_text(r["state"], "zh")
        for r in views(document)["claims"].rows
        if r["system_id"] == system_id
    }


def test_levels_are_claimed_by_what_was_measured_and_unproven_ones_are_named(desk: Desk) -> None:
    run_id = to_trial(desk)
    document = paper(desk, "verification", run_id=run_id)
    assert levels(document, SYSTEM) == dict.fromkeys(("L0", "L1", "L2", "L3"), "已证明") | {"L4": "未证明"}
    assert set(levels(document, OTHER).values()) == {"未证明"}
    assert DIGEST in column(views(document)["digests"], "value"), "in full: half a digest proves nothing"
    unproven = views(document)["unproven"]
    assert [r["level"] for r in unproven.rows if r["system_id"] == SYSTEM] == ["L4", None]
    assert "2 个文件的 ACL 等扩展属性未随迁" in column(unproven, "what"), "what the comparison did not cover"
    assert "没有列入迁移文件的数据不在其内" in words(document), "a folder that was forgotten is proven by no digest"


def test_a_source_that_ran_again_takes_the_proof_back(desk: Desk) -> None:
    run_id = to_trial(desk)
    with desk.open("li") as session:
        run_orders.roll_back(session, run_id, SYSTEM, reason="示例")
    desk.work(run_id)
    assert levels(paper(desk, "verification", run_id=run_id), SYSTEM) == {"L0": "已失效", "L1": "已失效", "L2": "已失效", "L3": "已失效", "L4": "未证明"}  # fmt: skip


def test_a_step_that_is_only_said_to_be_done_proves_nothing(desk: Desk) -> None:
    """A person's word carries the run on; it is no digest."""
    run_id = to_trial(desk)
    bad = (OTHER, "verify_data", "apply")
    desk.results = lambda s, step, phase, n: "failed" if (s, step, phase) == bad else through(desk, s, step, phase, n)
    desk.now = OPENS + timedelta(hours=2, minutes=1)
    answer(desk, run_id, "li", OTHER)
    with desk.open("li") as session:
        run_orders.decide(session, run_id, OTHER, "verify_data", "done", reason="人工比对过")
    desk.work(run_id)
    assert desk.state(run_id, OTHER)[0] == "trial"
    document = paper(desk, "verification", run_id=run_id)
    assert levels(document, OTHER) == dict.fromkeys(("L0", "L1", "L2", "L4"), "未证明") | {"L3": "已证明"}
    times = {(r["system_id"], r["step"]): r for r in views(paper(desk, "run-report", run_id=run_id))["times"].rows}
    assert cell_text(times[OTHER, TITLES["verify_data"]]["result"], "zh") == "按决定视为完成"


def test_acceptance_has_the_trial_the_proofs_and_empty_lines_for_the_pen(desk: Desk) -> None:
    run_id = to_trial(desk)
    desk.now += timedelta(days=31)
    said = words(paper(desk, "acceptance", run_id=run_id))
    assert "试运行：自 2026-03-14 起，已 31 天；未规定最短天数" in said and "台账验收记录：尚无" in said
    assert (
        "已证明级别：L0 所列文件" in said
        and "未证明级别：L4 业务合计数" in said
        and f"不列入验收的系统：{OTHER}" in said
    )
    with desk.open("li") as session:
        run_orders.accept(session, run_id, [SYSTEM], reason="验收会通过")
    document = paper(desk, "acceptance", run_id=run_id)
    assert (
        "意见：验收会通过" in words(document)
        and "31 天至验收" not in words(document)
        and "至验收 31 天" in words(document)
    )
    assert all(s.signed is None for s in document.signatures), "who signs for which party is not on record"


def test_a_switch_off_is_recorded_with_what_the_office_still_has_to_do(desk: Desk) -> None:
    run_id = to_trial(desk)
    with desk.open() as session:
        said = KINDS["switch-off"].builder(session)(Scope(run_id=run_id))
    assert isinstance(said, Text) and "没有停用的源系统" in said.zh
    with desk.open("li") as session:
        run_orders.accept(session, run_id, [SYSTEM], reason="通过")
    desk.now += timedelta(days=31)
    desk.work(run_id)
    with desk.open("li") as session:
        run_orders.switch_off(session, run_id, [SYSTEM], reason="保留期满")
    desk.work(run_id)
    document = paper(desk, "switch-off", run_id=run_id)
    assert "源主机：oa-01" in words(document)
    empty = {
        label.zh
        for section in document.sections
        for row in section.form
        for label, value in row.fields
        if value is None
    }
    assert empty == {"数据留存或销毁", "设备资产处置", "线路和专网注销", "运维经费核减"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_paper_opens_as_word_and_page_in_both_languages_and_prints_alike_twice(desk: Desk, kind: str) -> None:
    run_id = to_trial(desk)
    if kind == "switch-off":
        with desk.open("li") as session:
            run_orders.accept(session, run_id, [SYSTEM], reason="通过")
        desk.now += timedelta(days=31)
        desk.work(run_id)
        with desk.open("li") as session:
            run_orders.switch_off(session, run_id, [SYSTEM], reason="保留期满")
        desk.work(run_id)
    document = paper(desk, kind)
    for lang in LANGS:
        assert render_docx(document, lang) == render_docx(document, lang)
        page = render_html(document, lang)
        assert document.title.to(lang) in page and "None" not in page


def test_who_approves_a_cutover_sees_how_far_each_system_is(desk: Desk) -> None:
    ready = views(paper(desk, "approval", wave=1))["readiness"]
    assert column(ready, "state") == ["未登记执行"] * 2 and column(ready, "rehearse") == ["—"] * 2
    start(desk)
    ready = views(paper(desk, "approval", wave=1))["readiness"]
    assert column(ready, "rehearse") == ["2026-03-14"] * 2 and column(ready, "spec") == ["是"] * 2


def test_the_moment_from_which_nothing_is_carried_back_stands_in_the_plan_and_on_the_approval(desk: Desk) -> None:
    order = views(paper(desk, "cutover", wave=1))["order"]
    moment = column(order, "switched_at")[0]
    steps = views(paper(desk, "cutover", wave=1))[f"steps_{SYSTEM}"]
    timed = dict(zip(column(steps, "title"), column(steps, "when"), strict=True))
    assert timed[TITLES["cutover"].zh].startswith(moment)
    assert f"入口切换（{moment} 至" in words(paper(desk, "approval", wave=1))
