"""The register of projects from the blank form to the record. A column that is sent out and not read back would lose
what forty departments typed in."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from govcloud.model.inventory import BudgetLine, ProjectChange
from govcloud.workflow.collect import import_files
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.projects import list_deadlines, show_project
from govcloud.workflow.session import Session
from govcloud.workflow.template import write_form

PROJECT: dict[str, Any] = {
    "项目编号": "XM-1", "项目名称": "示例项目", "涉及网络": "示例专网", "项目负责人": "示例负责人", "是否列入年度计划": "否",
    "是否编制信息资源目录": "是", "审核意见日期": date(2025, 11, 3), "审批部门": "示例数据局", "立项批复日期": date(2025, 12, 1),
    "立项批复文号": "示批〔2025〕1号", "政府批准日期": date(2025, 12, 5), "预算明细": "2026年 软件开发 35万元\n监理费 3500元",
    "预算评审日期": date(2025, 12, 8), "决算金额（万元）": 34.2, "年运维费（万元）": 5, "运维费审核日期": date(2026, 1, 8),
    "进度报告日期": date(2026, 1, 9), "重大变更": "2026-03-01 增加模块（备案 2026-03-20）", "初验日期": date(2026, 3, 1),
    "延期验收至": date(2026, 9, 1), "验收组织单位": "示例数据局", "档号": "示例-1、示例-2",
}  # fmt: skip


def fill_in(path: Path, sheet: int, cells: dict[str, Any]) -> dict[str, str]:
    """The first row of the n-th form, by the headings; heading -> cell."""
    book = load_workbook(path)
    page = book.worksheets[sheet]
    headings = {str(c.value).rstrip("*"): c.column for row in page.iter_rows() for c in row if c.value}
    row = next(c.row for c in page["A"] if c.value == 1)
    where = {}
    for heading, value in cells.items():
        cell = page.cell(row, headings[heading])
        cell.value = value
        where[heading] = cell.coordinate
    book.save(path)
    return where


def test_every_column_of_the_register_comes_back(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_form(session, path, ["projects"], department="示例交通局")
    fill_in(path, 0, PROJECT)
    assert not import_files(session, [path]).files[0].problems
    (project,) = read_inventory(session).projects
    assert (project.lead, project.planned, project.data_directory, project.networks, project.archives) == (
        "示例负责人", False, True, ("示例专网",), ("示例-1", "示例-2"),
    )  # fmt: skip
    assert (project.opinion_on, project.approval_body, project.approved_on, project.government_approved_on) == (
        date(2025, 11, 3), "示例数据局", date(2025, 12, 1), date(2025, 12, 5),
    )  # fmt: skip
    assert project.budget_lines == (
        BudgetLine(item="软件开发", yuan=350_000.0, year=2026), BudgetLine(item="监理费", yuan=3_500.0),
    )  # fmt: skip
    assert project.changes == (
        ProjectChange(what="增加模块", changed_on=date(2026, 3, 1), filed_on=date(2026, 3, 20)),
    )  # fmt: skip
    assert (project.final_yuan, project.maintenance_yuan, project.maintenance_reviewed_on) == (
        342_000.0, 50_000.0, date(2026, 1, 8),
    )  # fmt: skip
    assert (project.budget_reviewed_on, project.progress_reported_on, project.initial_accepted_on) == (
        date(2025, 12, 8), date(2026, 1, 9), date(2026, 3, 1),
    )  # fmt: skip
    assert (project.acceptance_extended_to, project.acceptance_organiser) == (date(2026, 9, 1), "示例数据局")
    # Sent out again with what is known, it changes nothing.
    write_form(session, tmp_path / "b.xlsx", ["projects"], filled=True)
    again = import_files(session, [tmp_path / "b.xlsx"])
    assert again.changes == () and not again.files[0].problems and read_inventory(session).projects == (project,)


def test_the_new_columns_of_the_census_come_back(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_form(session, path, ["census"], department="示例交通局")
    fill_in(path, 0, {
        "系统名称": "办公系统", "是否编入信息资源目录": "是", "是否自主可控": "否", "风险评估时间": "2025-05",
        "应急预案时间": date(2024, 3, 1), "应急演练时间": "无",
    })  # fmt: skip
    import_files(session, [path])
    (system,) = read_inventory(session).systems
    assert (system.data_catalogued, system.controllable, system.risk_assessed_on, system.emergency_plan_on) == (
        True, False, date(2025, 5, 1), date(2024, 3, 1),
    )  # fmt: skip
    assert system.drilled_on is None


def test_a_faulty_line_names_its_cell_and_the_rest_of_the_row_stays(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_form(session, path, ["projects"], department="示例交通局")
    cells = {**PROJECT, "预算明细": "2026年 软件开发 35万元\n说不清", "重大变更": "2026-13-01 增加模块"}
    where = fill_in(path, 0, cells)
    problems = import_files(session, [path]).files[0].problems
    assert {p.cell for p in problems} == {where["预算明细"], where["重大变更"]}
    assert all(p.left_out for p in problems) and any("第 2 行" in p.expected.zh for p in problems)
    (project,) = read_inventory(session).projects
    assert (project.budget_lines, project.changes, project.lead) == ((), (), "示例负责人")


def test_networks_of_a_project_are_known_by_their_names(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_form(session, path, ["projects", "networks"], department="示例交通局")
    fill_in(path, 0, PROJECT)
    import_files(session, [path])
    assert show_project(session, "XM-1").networks == {"示例专网": None}
    fill_in(path, 1, {"网络名称": "示例专网"})
    import_files(session, [path])
    ((network_id, name),) = show_project(session, "XM-1").networks.items()
    assert (name, network_id) == ("示例专网", read_inventory(session).networks[0].network_id)


def test_the_day_is_the_office_s_own_and_the_duties_of_the_office_are_apart(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_form(session, path, ["projects"], department="示例交通局")
    fill_in(path, 0, {**PROJECT, "合同签订日期": date(2026, 3, 2)})
    import_files(session, [path])
    found = list_deadlines(session)
    assert found.as_of == date(2026, 3, 7)
    assert [(r.duty.clause_id, r.status, r.days_left) for r in found.rows] == [("SX19-18", "due", 2)]
    assert [(r.duty.clause_id, r.duty.due_on) for r in found.office] == [("SX17-3.2", date(2027, 1, 31))]
    assert list_deadlines(session, within=1).rows == () == list_deadlines(session, department="示例").office
