"""Workbooks on their way back: the department's own file, with what is to be corrected marked in it.

Without these a department would get a stranger's table, search for the cell, or send a file whose formulas run here.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from govcloud.model.collect import RowError
from govcloud.model.text import Lang, Text
from govcloud.report.returned import SheetCells, only_faulty_rows, render_returned, render_returned_cells

LEVEL = Text("等保级别：一级至五级", "MLPS level: 1 to 5")


def fault(
    cell: str, read: str = "六级", *, sheet: str = "系统's", taken: bool = False, left_out: bool = False
) -> RowError:
    return RowError(file="a.xlsx", sheet=sheet, cell=cell, read=read, expected=LEVEL, taken=taken, left_out=left_out)


def original() -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "系统's"
    for row in (
        ["普查表", None, None],
        ["系统名称", "等保级别", "合计"],
        ["办公", "六级", "=1+1"],
        ["=查询", "二级", 3],
    ):
        sheet.append(row)
    sheet["A4"].data_type = "s"
    sheet.merge_cells("A1:C1")
    sheet["B2"].fill = PatternFill("solid", fgColor="00FF00")
    sheet["A3"].comment = Comment("本局备注", "示例局")
    sheet["B3"].comment = Comment("原有批注", "示例局")
    sheet.row_dimensions[2].height = 40
    sheet.column_dimensions["A"].width = 33
    sheet.column_dimensions["C"].hidden = True
    sheet.auto_filter.ref = "A2:C4"
    sheet.freeze_panes = "A3"
    book.create_sheet("说明")["A1"] = "请认真填写"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def opened(data: bytes) -> Workbook:
    return load_workbook(io.BytesIO(data))


def back(problems: Sequence[RowError], data: bytes | None = None, lang: Lang = "zh") -> Workbook:
    return opened(render_returned(data or original(), problems, number="F-9", lang=lang))


def test_the_departments_own_look_is_kept() -> None:
    sheet = back([fault("B3")])["系统's"]
    assert [str(r) for r in sheet.merged_cells.ranges] == ["A1:C1"]
    assert (sheet.row_dimensions[2].height, sheet.column_dimensions["A"].width) == (40, 33)
    assert (sheet.auto_filter.ref, sheet.freeze_panes, sheet.column_dimensions["C"].hidden) == ("A2:C4", "A3", True)
    assert sheet["B2"].fill.fgColor.rgb == "0000FF00" and sheet["A3"].comment.text == "本局备注"


def test_the_cell_is_coloured_and_says_what_is_expected() -> None:
    sheet = back([fault("B3"), fault("B4", "二级", taken=True)])["系统's"]
    assert sheet["B3"].fill.fgColor.rgb.endswith("FFC7CE") and sheet["B4"].fill.fgColor.rgb.endswith("FFEB9C")
    note = sheet["B3"].comment.text
    assert (
        note.startswith("原有批注")
        and "应为：等保级别：一级至五级" in note
        and "读到：六级" in note
        and "MLPS" not in note
    )
    assert "MLPS level: 1 to 5" in back([fault("B3")], lang="en")["系统's"]["B3"].comment.text


def test_the_first_sheet_lists_and_links_them() -> None:
    book = back([fault("B3"), fault("B4", left_out=True, taken=True), fault("A1", "x", sheet="说明", taken=True)])
    cover = book.worksheets[0]
    assert cover.title == "退回说明" and book.active is cover
    lines = [[c.value for c in row] for row in cover.iter_rows() if isinstance(row[0].value, int)]
    assert lines == [
        [1, "系统's", "B3", "六级", LEVEL.zh, "整行未导入"],
        [2, "系统's", "B4", "六级", LEVEL.zh, "这一格未导入，其余已导入"],
        [3, "说明", "A1", "x", LEVEL.zh, "已导入，请核对"],
    ]  # fmt: skip
    links = [c.hyperlink.location for c in cover["C"] if c.hyperlink]
    assert links == ["'系统''s'!B3", "'系统''s'!B4", "'说明'!A1"]
    assert back([fault("B3")], lang="en").worksheets[0].title == "What to correct"


def test_a_fault_in_a_merged_cell_marks_its_first_cell_and_one_without_a_cell_is_listed_only() -> None:
    book = back([fault("C1"), fault("7"), fault("Z9", sheet="没有")])
    assert book["系统's"]["A1"].fill.fgColor.rgb.endswith("FFC7CE")
    assert "7" in [c.value for c in book.worksheets[0]["C"]]


def test_no_formula_goes_out_and_that_is_told() -> None:
    book = back([fault("B3")])
    cells = {c.coordinate: c for row in book["系统's"].iter_rows() for c in row}
    assert not [c for c in cells.values() if c.data_type == "f"]
    assert cells["A4"].value == "=查询" and cells["C3"].value is None
    assert any("公式" in str(c.value) for c in book.worksheets[0]["A"])


def test_a_second_return_starts_from_the_departments_file() -> None:
    first = render_returned(original(), [fault("B3")], number="F-9", lang="zh")
    again = back([fault("B4")], first)
    sheet = again["系统's"]
    assert again.sheetnames.count("退回说明") == 1 and len(again.sheetnames) == 4
    assert sheet["B3"].comment.text == "原有批注" and sheet["B3"].fill.fill_type is None
    assert sheet["B4"].fill.fgColor.rgb.endswith("FFC7CE")


def test_the_number_is_in_the_hidden_sheet() -> None:
    marks = back([fault("B3")])["govcloud"]
    assert marks.sheet_state == "hidden" and [c.value for c in marks[1]] == ["govcloud:form", "F-9"]


def test_other_formats_go_back_as_their_cells() -> None:
    cells = SheetCells(name="系统's", rows=[["甲", "=1+1"], ["\x00乙", 3.5]], merged=[(0, 0, 1, 0)])
    book = opened(render_returned_cells([cells], [fault("B1")], number="F-9", lang="zh"))
    sheet = book["系统's"]
    assert sheet["B1"].value == "=1+1" and sheet["B1"].data_type == "s" and sheet["B2"].value == 3.5
    assert [str(r) for r in sheet.merged_cells.ranges] == ["A1:A2"]
    assert any("格式" in str(c.value) for c in book.worksheets[0]["A"])


def test_of_a_large_table_only_the_rows_to_correct_go_back() -> None:
    rows = [["标题"], ["名称"], *([f"系统{n}"] for n in range(100))]
    sheets, moved = only_faulty_rows(
        [SheetCells(name="系统", rows=rows), SheetCells(name="干净", rows=rows)],
        [fault("A50", sheet="系统"), fault("A9", sheet="系统"), fault("C50", sheet="系统")], {"系统": 2},
    )  # fmt: skip
    assert [s.name for s in sheets] == ["系统"]
    assert sheets[0].rows == [["标题"], ["名称"], rows[8], rows[49]]
    assert [p.cell for p in moved] == ["A4", "A3", "C4"]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "＝1"])
def test_what_was_read_stays_text(name: str) -> None:
    cover = back([fault("B3", read=name)]).worksheets[0]
    (cell,) = [c for row in cover.iter_rows() for c in row if c.value == name]
    assert cell.data_type == "s"
