"""Survey forms as they come back from departments: good rows are taken, bad cells are named, nothing is dropped in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from books import CENSUS, facts, locators, of_kind, outcome, read, write_book

from govcloud import resources
from govcloud.errors import InputError

OA = ["SL-1", "办公系统", "示例厅", "二级", "oa", "10.1.1.1", "CentOS 7.6", "8核16G"]


def test_titles_above_the_header_and_totals_below_are_no_rows(tmp_path: Path) -> None:
    rows = [["2026年普查表"], ["说明：填到日"], CENSUS, OA, ["合计", "1"], [], ["填表人：某", "审核人：某"]]
    reading = read(write_book(tmp_path / "a.xlsx", rows))
    assert [(s.kind, s.rows, s.taken) for s in reading.sheets] == [("census", 1, 1)]
    assert facts(reading, "SL-1")["mlps_level"] == 2
    assert locators(reading, "mlps_level", "SL-1") == {"a.xlsx!系统!D4"}


def test_a_bad_cell_is_named_and_left_out_and_the_rest_of_its_row_is_taken(tmp_path: Path) -> None:
    """A department that wrote 六级 has still declared a system; losing it would hide more than the level."""
    bad = ["SL-2", "公文系统", "示例厅", "六级", "b", "10.1.1.300", "", ""]
    reading = read(write_book(tmp_path / "a.xlsx", [CENSUS, OA, bad]))
    problems = reading.sheets[0].problems
    assert [(p.file, p.sheet, p.cell, p.read, outcome(p)) for p in problems] == [
        ("a.xlsx", "系统", "D3", "六级", "left out"), ("a.xlsx", "系统", "F3", "10.1.1.300", "left out"),
    ]  # fmt: skip
    assert (reading.sheets[0].rows, reading.sheets[0].taken) == (2, 2)
    assert {"mlps_level", "name"} & facts(reading, "SL-2").keys() == {"name"}
    assert of_kind(reading, "server", "name") == ["oa", "b"]


def test_a_bad_cell_that_the_row_is_known_by_rejects_the_row(tmp_path: Path) -> None:
    rows = [["主机名", "IP地址", "操作系统"], ["a", "10.1.1.300", "CentOS 7"], ["b", "10.1.1.2", "CentOS 7"]]
    reading = read(write_book(tmp_path / "a.xlsx", rows))
    assert [(p.cell, outcome(p)) for p in reading.sheets[0].problems] == [("B2", "rejected")]
    assert (reading.sheets[0].rows, reading.sheets[0].taken) == (2, 1)
    assert of_kind(reading, "server", "name") == ["b"]


def test_a_system_over_merged_rows_has_all_its_servers(tmp_path: Path) -> None:
    second = [None, None, None, None, "db", "10.1.1.2", "", "16核64G"]
    path = write_book(tmp_path / "a.xlsx", [CENSUS, OA, second], merges=["A2:A3", "B2:B3", "C2:C3", "D2:D3"])
    reading = read(path)
    assert reading.sheets[0].taken == 2
    assert len({s for value in of_kind(reading, "system", "servers") for s in value}) == 2  # type: ignore[union-attr]
    assert locators(reading, "mlps_level") == {"a.xlsx!系统!D2"}


def test_the_department_may_stand_above_the_header(tmp_path: Path) -> None:
    rows = [["填报单位（盖章）：示例民政厅"], ["系统名称", "等保定级", "IP地址"], ["救助系统", "三级", "10.1.1.1"]]
    reading = read(write_book(tmp_path / "a.xlsx", rows))
    assert of_kind(reading, "system", "department") == ["示例民政厅"]
    assert of_kind(reading, "server", "department") == ["示例民政厅"]


def test_several_addresses_in_a_cell_are_several_servers_unless_one_name_has_them(tmp_path: Path) -> None:
    both = ["SL-1", "甲", "示例厅", "", "a、b", "10.1.1.1、10.1.1.2", "", ""]
    one = ["SL-2", "乙", "示例厅", "", "c", "10.1.1.3、10.1.1.4", "", "8核16G"]
    none = ["SL-3", "丙", "示例厅", "", "", "10.1.1.5\n10.1.1.6", "", "8核16G"]
    reading = read(write_book(tmp_path / "a.xlsx", [CENSUS, both, one, none]))
    assert of_kind(reading, "server", "name") == ["a", "b", "c", "10.1.1.5", "10.1.1.6"]
    assert ("10.1.1.3", "10.1.1.4") in of_kind(reading, "server", "addresses")
    # Two machines and one hardware cell: whose it is can't be known, so it is not used, and that is said.
    assert of_kind(reading, "server", "cpu_count") == [8]
    assert [(p.cell, p.taken) for p in reading.sheets[0].problems] == [("H4", True)]


def test_names_and_addresses_that_do_not_pair_are_sent_back(tmp_path: Path) -> None:
    row = ["SL-1", "甲", "示例厅", "", "a、b、c", "10.1.1.1、10.1.1.2", "", ""]
    reading = read(write_book(tmp_path / "a.xlsx", [CENSUS, row]))
    assert [(p.cell, p.read, outcome(p)) for p in reading.sheets[0].problems] == [("E2", "a、b、c", "left out")]
    assert facts(reading, "SL-1")["name"] == "甲"
    assert not of_kind(reading, "server", "name")


def test_one_code_for_two_systems_is_sent_back(tmp_path: Path) -> None:
    reading = read(write_book(tmp_path / "a.xlsx", [CENSUS, OA, ["SL-1", "别的系统", "示例厅", "", "", "", "", ""]]))
    assert [(p.cell, p.read) for p in reading.sheets[0].problems] == [("A3", "SL-1")]


def test_the_same_thing_twice_is_told_and_a_system_of_several_servers_is_not(tmp_path: Path) -> None:
    web, db = (
        ["SL-2", "乙", "示例厅", "", "web", "10.1.1.2", "", ""],
        ["SL-2", "乙", "示例厅", "", "db", "10.1.1.3", "", ""],
    )
    reading = read(write_book(tmp_path / "a.xlsx", [CENSUS, OA, web, db, OA]))
    assert [(p.cell, outcome(p), "A2" in p.expected.zh) for p in reading.sheets[0].problems] == [("A5", "note", True)]


def test_the_text_of_the_cell_is_what_was_read(tmp_path: Path) -> None:
    rows = [["主机名", "IP地址", "所属部门"], ["a；b；c", "10.1.1.1、10.1.1.2", "示例厅"]]
    assert [p.read for p in read(write_book(tmp_path / "a.xlsx", rows)).sheets[0].problems] == ["a；b；c"]


def test_unknown_columns_are_reported_and_known_ones_found_under_other_wordings(tmp_path: Path) -> None:
    rows = [
        ["序号", "信息系统名称（全称）", "单 位", "网络安全等级保护定级", "吉祥物"],
        [1, "甲", "示例厅", "三级", "猫"],
    ]
    reading = read(write_book(tmp_path / "a.xlsx", rows))
    assert reading.sheets[0].unknown_columns == ("E1 吉祥物",)
    assert of_kind(reading, "system", "mlps_level") == [3]


def test_a_missing_name_is_a_fault_of_its_row(tmp_path: Path) -> None:
    reading = read(write_book(tmp_path / "a.xlsx", [CENSUS, ["SL-1", "", "示例厅", "二级", "", "", "", ""]]))
    assert [(p.cell, p.taken) for p in reading.sheets[0].problems] == [("B2", False)]


def test_a_workbook_without_a_known_form_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--as"):
        read(write_book(tmp_path / "a.xlsx", [["姓名", "电话"], ["某", "1"]]))


def test_a_named_kind_needs_only_the_columns_that_must_be_there(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [["网络名称", "经办"], ["某专网", "某"]])
    with pytest.raises(InputError):
        read(path)
    assert of_kind(read(path, "networks"), "network", "name") == ["某专网"]


@pytest.mark.parametrize(
    "text",
    ["=cmd|'/c calc'!A1", "{{ lookup('pipe','id') }}", "<img src=x onerror=alert(1)>", "$(touch /tmp/x)", "'; DROP TABLE entity;--",
     "../../etc/passwd", "-oProxyCommand=id", "𠮷\u202e反"],
)  # fmt: skip
def test_hostile_text_is_only_text(tmp_path: Path, text: str) -> None:
    # Written as a string cell: openpyxl would make a formula of a leading "=". Marks of direction are taken out.
    path = write_book(tmp_path / "a.xlsx", [CENSUS, ["SL-1", "x" + text, "示例厅", "", "", "10.1.1.1", "", ""]])
    assert of_kind(read(path), "system", "name") == ["x" + " ".join(text.replace("\u202e", "").split())]


def test_the_sample_workbooks_have_exactly_two_faulty_cells() -> None:
    faulty = []
    rows = taken = 0
    for path in sorted((resources.folder("inventory") / "sample" / "workbooks").glob("*.xlsx")):
        for sheet in read(path).sheets:
            rows, taken = rows + sheet.rows, taken + sheet.taken
            faulty += [(p.cell, p.read) for p in sheet.problems if outcome(p) != "note"]
    assert (rows, taken) == (41, 41)
    assert sorted(faulty) == [("H8", "六级"), ("X4", "10.66.1.300")]
