"""Survey forms: what a department sees, can and can't do in them.

Without these a form might carry a formula, lock the cells that have to be filled in, or lose its notes in one language.
"""

from __future__ import annotations

import io
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from govcloud.model.text import Lang, Text
from govcloud.report.template import FormColumn, FormSheet, render_template

NAME = FormColumn(
    key="name", title=Text("系统名称", "System name"), required=True, example="示例系统",
    note=Text("写全称", "The full name"), section=Text("基本情况", "Basics"),
)  # fmt: skip
STATE = FormColumn(key="state", title=Text("状态", "State"), choices=("在用", "停用"), example="在用")
OWNER = FormColumn(
    key="owner", title=Text("部门", "Department"), choices=tuple(f"示例局{n}" for n in range(300)), only_choices=False
)
DAY = FormColumn(
    key="day",
    title=Text("上线时间", "In use since"),
    kind="date",
    example=date(2019, 9, 1),
    section=Text("使用", "Use"),
)
SPEED = FormColumn(key="speed", title=Text("带宽（Mbps）", "Bandwidth (Mbps)"), kind="number")
COUNT = FormColumn(key="count", title=Text("用户数", "Users"), kind="integer")
HOSTILE = ("=1+1", "+A1", "-1+2", "@SUM(A1)", "\tx", "＝1", "＋1", "－1", "＠x", "=HYPERLINK(\"file:///x\")")  # fmt: skip


def made(lang: Lang = "zh", number: str | None = "F-1", **more: object) -> Workbook:
    form = FormSheet(
        title=Text("系统普查表", "System census"), columns=(NAME, STATE, OWNER, DAY, SPEED, COUNT),
        how_to=(Text("一行一个系统。", "One row a system."),), head=((Text("填报单位", "Unit"), "示例局"),), **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return load_workbook(io.BytesIO(render_template([form], number=number, kind="census", lang=lang)))


def page(book: Workbook) -> Worksheet:
    return book.worksheets[0]


def heading_row(sheet: Worksheet) -> int:
    return next(c.row for c in sheet["A"] if c.value == "序号")


def test_headings_example_and_rows() -> None:
    sheet = page(made(rows=({"name": "办公系统", "day": date(2020, 1, 2), "count": 12},)))
    top = heading_row(sheet)
    assert [c.value for c in sheet[top]] == ["序号", "系统名称*", "状态", "部门", "上线时间", "带宽（Mbps）", "用户数"]
    assert [c.value for c in sheet[top - 1]][1:5] == ["基本情况", None, None, "使用"]
    assert [c.value for c in sheet[top + 1]][:3] == ["示例", "示例系统", "在用"]
    assert [c.value for c in sheet[top + 2]][:2] == [1, "办公系统"]
    assert sheet.cell(top + 2, 5).number_format == "yyyy-mm-dd"
    assert [str(c.value) for c in sheet["A"]][:3] == ["系统普查表", "填报单位：示例局", "一行一个系统。"]


def test_only_what_is_filled_in_can_be_written_on() -> None:
    sheet = page(made())
    top = heading_row(sheet)
    assert sheet.protection.sheet and not sheet.protection.password
    locked = {row: {c.protection.locked for c in sheet[row]} for row in (top - 1, top, top + 1, top + 2)}
    assert locked == {top - 1: {True}, top: {True}, top + 1: {True}, top + 2: {False}}
    assert not sheet["A2"].protection.locked, "the unit's name"
    # Below the rows that are drawn, too.
    assert not sheet.column_dimensions["B"].protection.locked


def test_lists_are_offered_whatever_their_length() -> None:
    book = made()
    sheet, checks = page(book), {str(c.sqref): c for c in page(book).data_validations.dataValidation}
    top = heading_row(sheet)
    lists = {ref[0]: c for ref, c in checks.items() if c.type == "list"}
    assert set(lists) == {"C", "D"} and all(ref[1:].startswith(str(top + 2)) for ref in checks)
    for letter, column in (("C", STATE), ("D", OWNER)):
        where, _, area = str(lists[letter].formula1).partition("!")
        cells = book[where][area.replace("$", "")]
        assert tuple(row[0].value for row in cells) == column.choices
    assert (lists["C"].errorStyle, lists["D"].showErrorMessage) == ("stop", False)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_note_says_what_is_expected(lang: Lang) -> None:
    sheet = page(made(lang))
    note = sheet.cell(heading_row(sheet), 2).comment
    assert note is not None and "必填" in note.text and "写全称" in note.text and "例：示例系统" in note.text
    assert ("The full name" in note.text) == ("Required" in note.text) == (lang == "en")


def test_english_stands_below_the_chinese_heading() -> None:
    sheet = page(made("en"))
    top = heading_row(sheet)
    assert [c.value for c in sheet[top]][1:3] == ["系统名称*\n(System name)", "状态\n(State)"]
    assert sheet.cell(top, 6).value == "带宽（Mbps）\n(Bandwidth, Mbps)"


def test_the_hidden_sheet_carries_the_number() -> None:
    marks = made()["govcloud"]
    assert marks.sheet_state == "hidden" and [c.value for c in marks[1]][:3] == ["govcloud:form", "F-1", "census"]
    # A form for everybody has none: the second department's copy would replace the first one's.
    assert made(number=None)["govcloud"]["B1"].value is None


def test_it_is_set_for_printing_and_reading() -> None:
    sheet = page(made())
    top = heading_row(sheet)
    assert sheet.page_setup.orientation == "landscape" and sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == f"${top - 1}:${top}" and sheet.freeze_panes == f"C{top + 1}"


def test_nothing_is_a_formula() -> None:
    rows = tuple({"name": text, "owner": text} for text in HOSTILE)
    book = made(rows=rows)
    cells = [c for sheet in book.worksheets for row in sheet.iter_rows() for c in row]
    assert not [c.coordinate for c in cells if c.data_type == "f"]
    top = heading_row(page(book)) + 2
    assert [page(book).cell(top + n, 2).value for n in range(len(HOSTILE))] == list(HOSTILE)
    assert all(page(book).cell(top + n, 2).quotePrefix for n in range(len(HOSTILE)))
