"""`govcloud projects` on a register as a county's departments fill it in. Without these an office would learn from its
auditor that a contract went to one of two offices, or that next year's holidays moved a date."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from govcloud.cli.main import run

DEPARTMENT = "示例交通局"
ROWS: tuple[dict[str, object], ...] = (
    {
        "项目编号": "XM-1", "项目名称": "示例一期项目", "涉及系统": "办公系统、没有的系统", "涉及网络": "没有的专网",
        "项目负责人": "示例负责人", "是否列入年度计划": "计划内", "立项批复日期": "2025-12-01", "立项批复文号": "示批〔2025〕1号",
        "预算明细": "2026年 软件开发 35万元\n2027年 运维 5万元", "项目预算（万元）": 45, "合同签订日期": "2026-02-10",
        "合同备案日期": "2026-02-20", "合同备案部门": "示例县财政局", "重大变更": "2026-03-01 增加模块（备案 2026-03-20）\n调整工期",
        "档号": "示例-2026-01",
    },
    {
        "项目编号": "XM-2", "项目名称": "示例二期项目", "合同签订日期": "2026-02-10", "合同备案日期": "2026-02-24",
        "合同备案部门": "示例县政务信息管理局、示例县财政局", "建设完成日期": "2026-09-01", "验收日期": "2026-11-20",
    },
    {"项目编号": "XM-3", "项目名称": "示例三期项目", "合同签订日期": "2026-03-10", "合同备案日期": "2026-03-01"},
    {"项目编号": "XM-4", "项目名称": "示例四期项目", "合同编号": "HT-4", "项目单位": "示例民政局"},
    {"项目编号": "XM-5", "项目名称": "示例二期项目", "合同签订日期": "2026-02-10", "合同备案日期": "2026-02-25",
     "预算明细": "2026年 软件开发 35万元\n说不清", "备案部门": ""},
)  # fmt: skip


def register(path: Path, *rows: dict[str, object]) -> Path:
    heads = list(dict.fromkeys(head for row in rows for head in row if head != "备案部门"))
    heads += [] if "项目单位" in heads else ["项目单位"]
    book = Workbook()
    page = book.worksheets[0]
    page.append(heads)
    for row in rows:
        page.append([row.get(head, DEPARTMENT if head == "项目单位" else None) for head in heads])
    book.save(path)
    return path


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    assert run(["init", str(folder / "ws"), "--site", "jiaocheng"]) == 0
    census = Workbook()
    census.worksheets[0].append(["系统编号", "系统名称", "所属部门"])
    census.worksheets[0].append(["SL-1", "办公系统", DEPARTMENT])
    census.save(folder / "普查表.xlsx")
    found = register(folder / "项目台账.xlsx", *ROWS)
    assert run(["-w", str(folder / "ws"), "import", str(folder / "普查表.xlsx"), str(found)]) in (0, 1)
    return folder / "ws"


Say = Callable[..., tuple[int, Any]]


@pytest.fixture
def say(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def call(*words: str, lang: str = "zh", output: str = "json", where: Path = workspace) -> tuple[int, Any]:
        capsys.readouterr()
        code = run(["-w", str(where), "--lang", lang, "--format", output, *words])
        streams = capsys.readouterr()
        told = streams.out if code in (0, 1) else streams.err
        return code, json.loads(told) if output == "json" and code in (0, 1) else told

    return call


def test_deadlines_are_grouped_and_say_what_is_wrong(say: Say) -> None:
    code, found = say("projects", "deadlines", "--as-of", "2026-11-25")
    rows = {(row["project_id"], row["clause_id"]): row for row in found["deadlines"]["rows"]}
    assert code == 1, "one is overdue"
    one = rows[("XM-1", "JC22-18")]
    assert (one["status"], one["due_on"], one["missing"]) == ("overdue", "2026-02-24", ["authority"])
    assert rows[("XM-2", "JC22-18")]["status"] == "done_in_time"
    accepted = rows[("XM-2", "JC22-25")]
    assert (accepted["status"], accepted["provisional"]) == ("due", True)
    three = rows[("XM-3", "JC22-18")]
    assert three["status"] == "contradictory"
    assert "合同备案 2026-03-01 早于 合同签订 2026-03-10" in three["remark"]
    assert (rows[("XM-4", "JC22-18")]["status"], rows[("XM-4", "JC22-18")]["missing"]) == (
        "undetermined", ["contract_signed_on"],
    )  # fmt: skip
    five = rows[("XM-5", "JC22-18")]
    assert five["status"] == "done_late" and "台账未写备案部门" in five["remark"]
    order = [row["status"] for row in found["deadlines"]["rows"]]
    assert order == ["overdue", "due", "undetermined", "contradictory", "done_late", "done_in_time"]
    assert found["deadlines"]["counts"]["overdue"] == found["deadlines"]["overdue"] == 1
    assert "不得拨付" in found["deadlines"]["consequences"]["JC22-25"]
    assert any("暂估" in note for note in found["deadlines"]["notes"])


def test_a_table_for_people_in_both_languages(say: Say) -> None:
    zh = say("projects", "deadlines", "--as-of", "2026-02-20", output="table")[1]
    assert "4 天后到期" in zh and "县政务信息管理局" in zh
    en = say("projects", "deadlines", "--as-of", "2026-02-25", output="table", lang="en")[1]
    assert "overdue by 1 day " in en and "done in time" in en


def test_what_is_asked_for_is_left(say: Say) -> None:
    _, found = say("projects", "deadlines", "--as-of", "2026-11-25", "--within", "10")
    assert {row["status"] for row in found["deadlines"]["rows"]} == {"overdue", "undetermined", "contradictory"}
    _, found = say("projects", "deadlines", "--as-of", "2026-11-25", "--within", "60")
    assert "due" in {row["status"] for row in found["deadlines"]["rows"]}
    code, found = say("projects", "deadlines", "--as-of", "2026-11-25", "--department", "民政")
    assert (code, [row["project_id"] for row in found["deadlines"]["rows"]]) == (0, ["XM-4"])
    _, found = say("projects", "list", "--department", "民政")
    assert [row["project_id"] for row in found["projects"]["rows"]] == ["XM-4"]


def test_clauses_that_do_not_bind_are_shown_apart_and_never_count(say: Say) -> None:
    code, found = say("projects", "deadlines", "--as-of", "2026-03-01", "--department", "民政", "--reference")
    assert code == 0
    assert {row["clause_id"] for row in found["deadlines_reference"]["rows"]} == {"SX19-18"}
    _, found = say("projects", "deadlines", "--as-of", "2026-03-01")
    assert "deadlines_reference" not in found


def test_the_calendar_that_the_office_adds_settles_a_provisional_date(
    say: Say, workspace: Path, tmp_path: Path
) -> None:
    def accepted() -> tuple[str, bool, list[str]]:
        found = say("projects", "deadlines", "--as-of", "2026-11-25")[1]["deadlines"]
        row = next(r for r in found["rows"] if r["clause_id"] == "JC22-25")
        return row["due_on"], row["provisional"], found["notes"]

    assert accepted()[:2] == ("2027-01-04", True)
    calendar = workspace / "calendars" / "CN-2027.yaml"
    calendar.parent.mkdir(exist_ok=True)
    head = "year: 2027\nsource: {zh: 示例, en: sample}\nholidays:\n  - {name: {zh: 元旦, en: New Year}, from: 2027-01-01, to: 2027-01-0"
    try:
        calendar.write_text(head + "4}\nadjusted_workdays: [2027-01-09]\n", "utf-8")
        due_on, provisional, notes = accepted()
        assert (due_on, provisional) == ("2027-01-05", False)
        assert not any("暂估" in note for note in notes)
        calendar.write_text(head + "4}\nadjusted_workdays: [2027-01-04]\n", "utf-8")
        code, told = say("projects", "deadlines", "--as-of", "2026-11-25")
        assert code == 3 and "CN-2027.yaml:5: 2027-01-04 既是假日又是调休上班日" in told
    finally:
        calendar.unlink()


def test_the_whole_record_of_a_project(say: Say) -> None:
    _, found = say("projects", "show", "XM-1", "--as-of", "2026-11-25")
    record = {row["field"]: row["value"] for row in found["project"]["rows"]}
    assert (record["lead"], record["planned"], record["approved_on"], record["approval_document"]) == (
        "示例负责人", True, "2025-12-01", "示批〔2025〕1号",
    )  # fmt: skip
    assert record["archives"] == ["示例-2026-01"] and record["supervisor"] is None
    assert found["changes"]["rows"] == [
        {"changed_on": "2026-03-01", "what": "增加模块", "filed_on": "2026-03-20"},
        {"changed_on": None, "what": "调整工期", "filed_on": None},
    ]
    assert [(row["year"], row["yuan"]) for row in found["budget_lines"]["rows"]] == [(2026, 350000.0), (2027, 50000.0)]
    assert "450,000.00" in found["budget_lines"]["notes"][1], "the lines do not add up to the budget"
    covered = {row["id"]: (row["kind"], row["known"]) for row in found["covers"]["rows"]}
    assert covered == {"SL-1": ("system", True), "没有的系统": ("system", False), "没有的专网": ("network", False)}
    assert [row["status"] for row in found["deadlines"]["rows"]] == ["overdue"]


def test_a_faulty_line_costs_its_cell_and_not_the_row(say: Say) -> None:
    _, found = say("projects", "show", "XM-5")
    assert "budget_lines" not in found
    assert {row["field"]: row["value"] for row in found["project"]["rows"]}["contract_filed_on"] == "2026-02-25"


@pytest.mark.parametrize(("name", "why"), [("XM-9", "没有这个项目"), ("示例二期项目", "XM-2, XM-5")])
def test_a_project_that_can_not_be_meant_is_a_usage_error(say: Say, name: str, why: str) -> None:
    code, told = say("projects", "show", name)
    assert code == 2 and why in told
    assert say("projects", "show", "示例一期项目")[0] == 0


def test_the_calendar_file_is_written(say: Say, tmp_path: Path) -> None:
    path = tmp_path / "期限.ics"
    code, told = say("projects", "deadlines", "--as-of", "2026-11-25", "--ics", str(path), output="table")
    assert code == 1 and "2 项" in told
    assert path.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    assert say("projects", "deadlines", "--ics", "/proc/nowhere/a.ics", output="table")[0] == 4
