"""A workbook goes to departments and comes back: values keep their type, and no cell of theirs becomes a formula."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from govcloud.model.text import Text
from govcloud.report.view import Cell, Column, View
from govcloud.report.xlsx import render_xlsx

SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(*views: View) -> Workbook:
    return load_workbook(io.BytesIO(render_xlsx(views, "zh", SHANGHAI)))


def first(*views: View) -> Worksheet:
    return read(*views).worksheets[0]


def single(value: Cell) -> View:
    return View(name="v", title=Text("表", "Table"), columns=(Column("a", Text("列", "Column")),), rows=({"a": value},))


def test_head_rows_and_notes(view: View) -> None:
    sheet = first(view)
    assert sheet.title == "系统"
    assert [c.value for c in sheet[1]] == ["系统编号", "名称", "状态", "用户数", "上线日期", "核实时间", "地址"]
    assert all(c.font.bold for c in sheet[1])
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:G3")
    assert [c.value for c in sheet[2]] == [
        "SL-OA-01", "协同办公系统", "逾期", 1200, datetime(2013, 5, 1), datetime(2026, 3, 8, 0, 30), "10.66.1.10、10.66.1.11",
    ]  # fmt: skip
    assert sheet["E2"].number_format == "yyyy-mm-dd" and sheet["F2"].number_format == "yyyy-mm-dd hh:mm"
    assert sheet["D3"].value is None
    assert sheet["A5"].value == "共 2 个系统"


def test_wide_characters_get_wide_columns(view: View) -> None:
    wide = replace(view, rows=({"name": "一" * 15, "system_id": "a" * 15}, {"name": "二" * 500}))
    sheet = first(wide)
    assert 15 <= sheet.column_dimensions["A"].width < 20
    assert 30 <= sheet.column_dimensions["B"].width <= 50


DANGEROUS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "\t=1",
    "\r=1",
    "\n=1",
    "#N/A",
    "#REF!",
]


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_looks_like_a_formula_stays_text(text: str) -> None:
    cell = first(single(text))["A2"]
    assert cell.data_type == "s"
    assert str(cell.value).strip() == text.replace("\t", "�").replace("\r", "�").strip()
    assert cell.quotePrefix or text[0] in "#\t\r"


CELLS = st.one_of(
    st.text(max_size=80), st.text("=+-@＝＋－＠\t\r\n'\"", max_size=8), st.integers(), st.floats(), st.booleans(), st.none(),
    st.dates(), st.datetimes(timezones=st.just(UTC), min_value=datetime(2, 1, 1)), st.lists(st.text(max_size=8)).map(tuple),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=12), st.text(max_size=40), st.text(max_size=40))
def test_no_formula_ever_gets_in_and_the_workbook_opens(values: list[Cell], title: str, note: str) -> None:
    columns = tuple(Column(f"c{n}", Text(title, title)) for n in range(len(values)))
    view = View(
        name="v", title=Text(title, title), columns=columns, rows=({f"c{n}": v for n, v in enumerate(values)},),
        notes=(Text(note, note),),
    )  # fmt: skip
    data = render_xlsx((view, view), "zh", SHANGHAI)
    with ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                assert not [e for e in fromstring(archive.read(name)).iter() if e.tag.endswith("}f")]
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    assert sheet.max_column == len(values)


@pytest.mark.parametrize("value", [0, -5, 10**12, 1.5, -0.25])
def test_numbers_stay_numbers(value: float) -> None:
    cell = first(single(value))["A2"]
    assert (cell.data_type, cell.value) == ("n", value)


def test_yes_and_no_are_words() -> None:
    assert [first(single(v))["A2"].value for v in (True, False)] == ["是", "否"]


def test_a_date_before_the_calendar_of_spreadsheets_is_kept_as_text() -> None:
    assert first(single(date(1899, 12, 31)))["A2"].value == "1899-12-31"


def test_a_text_longer_than_a_cell_can_hold_does_not_damage_the_workbook() -> None:
    assert len(str(first(single("长" * 40_000))["A2"].value)) == 32_767


@pytest.mark.parametrize("title", ["a/b:c*d?[e]\\f", "很长的标题" * 20, "'引号'", "", "History"])
def test_any_title_makes_a_sheet_and_two_of_the_same_differ(title: str) -> None:
    named = replace(single(1), title=Text(title, title))
    names = read(named, named, named).sheetnames
    assert len({n.casefold() for n in names}) == 3
    assert all(0 < len(n) <= 31 and not set(n) & set("[]:*?/\\") for n in names)


def test_a_view_without_rows_keeps_its_head(view: View) -> None:
    sheet = first(replace(view, rows=()))
    assert sheet["A1"].value == "系统编号" and sheet["A3"].value == "共 2 个系统"


def test_the_same_table_gives_the_same_bytes(view: View) -> None:
    """A digest in the ledger is worth nothing when writing again changes it: the file holds no time of day."""
    data = render_xlsx([view], "zh", SHANGHAI)
    assert data == render_xlsx([view], "zh", SHANGHAI)
    with ZipFile(io.BytesIO(data)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = parts.read("docProps/core.xml")
    assert b"created" not in core and b"modified" not in core
