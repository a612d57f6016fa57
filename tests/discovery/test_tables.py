"""Where a table begins and ends in a sheet that people have made, and which row is no data."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from books import AT, CENSUS, facts, of_kind, outcome, read, write_book
from hypothesis import given
from hypothesis import strategies as st

from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.raw_cells import RawCell
from govcloud.discovery.records import read_workbook
from govcloud.discovery.tables import cell_name, find_tables
from govcloud.discovery.workbook import Sheet, Workbook
from govcloud.errors import InputError

MAPS, _ = load_column_maps()
SERVERS = ["主机名", "IP地址", "操作系统"]


def tables_of(rows: list[list[RawCell]]) -> list[tuple[str, int, int]]:
    return [(t.kind, t.header_row, t.end_row) for t in find_tables(Sheet(name="s", rows=rows), MAPS)]


def test_a_cell_has_the_name_that_the_spreadsheet_shows() -> None:
    assert [cell_name(0, 0), cell_name(6, 25), cell_name(0, 26), cell_name(1, 701), cell_name(0, 702)] == [
        "A1", "Z7", "AA1", "ZZ2", "AAA1",
    ]  # fmt: skip


def test_tables_under_each_other_are_cut_at_the_title_of_the_next() -> None:
    rows: list[list[RawCell]] = [
        ["表一"], ["系统名称", "所属部门", "等保级别"], ["甲", "示例厅", "二级"], [""], ["表二"], [*SERVERS], ["a", "10.1.1.1", "CentOS 7"],
    ]  # fmt: skip
    assert tables_of(rows) == [("census", 1, 3), ("servers", 5, 7)]


def test_a_title_is_no_part_of_the_header(tmp_path: Path) -> None:
    rows = [["示例厅普查表"], ["序号", "系统名称", "所属部门", "等保级别", "吉祥物"], [1, "甲", "示例厅", "二级", "猫"]]
    reading = read(write_book(tmp_path / "a.xlsx", rows, merges=["A1:E1"]))
    assert reading.sheets[0].unknown_columns == ("E2 吉祥物",)


def test_a_header_far_down_is_found_after_a_blank_row() -> None:
    rows: list[list[RawCell]] = [[f"说明{n}"] for n in range(40)]
    rows += [[""], ["吉祥物", "系统名称", "所属部门", "等保级别"], ["猫", "甲", "示例厅", "二级"]]
    assert tables_of(rows) == [("census", 41, 43)]


def test_the_heading_over_a_group_tells_apart_what_is_called_the_same(tmp_path: Path) -> None:
    """`名称` under 系统 is the system's name; under 服务器 it is the machine's."""
    rows = [["系统", None, "服务器", None], ["名称", "所属部门", "名称", "IP地址"], ["甲", "示例厅", "a", "10.1.1.1"]]
    reading = read(write_book(tmp_path / "a.xlsx", rows, merges=["A1:B1", "C1:D1"]))
    assert of_kind(reading, "system", "name") == ["甲"]
    assert of_kind(reading, "server", "name") == ["a"]


@pytest.mark.parametrize(
    "row",
    [
        ["合计", "2"],
        ["小计：", ""],
        [3, "合计"],
        ["示例厅小计", "", 5],
        ["备注：见附件"],
        ["填表人：某"],
        ["(示例)", "x", "y"],
    ],
)
def test_what_is_no_data_is_no_row(row: list[object], tmp_path: Path) -> None:
    path = write_book(
        tmp_path / "a.xlsx", [["序号", "系统名称", "所属部门", "等保级别"], [1, "甲", "示例厅", "二级"], row]
    )
    sheet = read(path).sheets[0]
    assert (sheet.rows, sheet.taken, sheet.problems) == (1, 1, ())


@pytest.mark.parametrize("name", ["合计算力平台", "总计划管理系统", "说明书系统", "备注管理系统", "示例系统"])
def test_a_system_that_is_called_like_a_remark_is_not_lost(name: str, tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [["系统名称", "所属部门", "等保级别"], [name, "示例厅", "二级"]])
    assert of_kind(read(path), "system", "name") == [name]


def test_a_lonely_line_at_the_end_is_told_and_no_fault(tmp_path: Path) -> None:
    rows = [SERVERS, ["a", "10.1.1.1", "CentOS 7"], ["以上情况属实"]]
    sheet = read(write_book(tmp_path / "a.xlsx", rows)).sheets[0]
    assert (sheet.rows, sheet.taken) == (1, 1)
    assert [(p.cell, p.read, p.taken) for p in sheet.problems] == [("A3", "以上情况属实", True)]


def test_a_logical_cell_is_not_taken_for_the_number_one(tmp_path: Path) -> None:
    """True == 1.0 in Python: what was worked out for one must not answer for the other."""
    rows = [["系统名称", "所属部门", "用户数"], ["甲", "示例厅", 1], ["乙", "示例厅", True], ["丙", "示例厅", 1]]
    reading = read(write_book(tmp_path / "a.xlsx", rows))
    assert of_kind(reading, "system", "users") == [1, 1]
    assert [(p.cell, outcome(p)) for p in reading.sheets[0].problems] == [("C3", "left out")]


def test_a_very_long_cell_is_not_worked_through(tmp_path: Path) -> None:
    rows = [CENSUS, ["SL-1", "甲", "示例厅", "", "", "10.1.1.1、" * 600, "", ""]]
    reading = read(write_book(tmp_path / "a.xlsx", rows))
    assert [(p.cell, len(p.read)) for p in reading.sheets[0].problems] == [("F2", 80)]
    assert "addresses" not in facts(reading, "SL-1")


cells = st.one_of(
    st.just(""), st.sampled_from([*CENSUS, *SERVERS, "合计", "示例厅", "二级", "10.1.1.1", "10.1.1.300", "8核16G", "是", "#N/A", "填报单位：示例厅"]),
    st.text(max_size=8), st.floats(), st.booleans(), st.dates(min_value=date(1900, 1, 1)),
)  # fmt: skip


@given(st.lists(st.lists(cells, max_size=9), max_size=12))
def test_no_sheet_breaks_the_reader_and_every_row_is_accounted_for(rows: list[list[RawCell]]) -> None:
    workbook = Workbook(path=Path("a.xlsx"), sha256="", sheets=(Sheet(name="s", rows=rows),))
    try:
        reading = read_workbook(workbook, MAPS, at=AT)
    except InputError:
        return
    for sheet in reading.sheets:
        rejected = {p.cell.lstrip("ABCDEFGHI") for p in sheet.problems if not p.taken}
        assert 0 <= sheet.taken <= sheet.rows <= len(rows)
        assert sheet.rows - sheet.taken == len(rejected)
    assert all(s.values and s.values.keys() == s.cells.keys() for s in reading.statements)
