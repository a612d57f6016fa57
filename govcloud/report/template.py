"""Blank and pre-filled survey forms as a workbook: what a department opens, fills in and sends back."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from wcwidth import wcswidth

from govcloud.model.text import Lang, Text
from govcloud.report.literal import clean_text, put_literal

MARK_SHEET, MARK = "govcloud", "govcloud:form"
"""Hidden sheet and its first cell: by them an import knows a form that we made, under whatever name it comes back."""
EXAMPLE_MARK = Text("示例", "Example")
"""First cell of the example row; the import leaves out a row that begins like this."""

_LAST_ROW = 20_000
_LISTS_FROM_ROW = 3
_SHEET_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_MIN_WIDTH, _MAX_WIDTH, _SERIAL_WIDTH = 10, 30, 8
_TITLE_WIDTH = 110
"""Characters of the title and the how-to lines: what is seen without scrolling."""
_PAGE_WIDTH = 210
"""Characters that can still be read on an A4 page across."""

_THIN = Side(style="thin", color="9AA7B4")
_BAND_EDGE = Border(top=_THIN, bottom=_THIN)
_GRID = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_TITLE = Font(name="黑体", size=16, bold=True)
_BODY, _HEAD = Font(name="宋体", size=11), Font(name="宋体", size=11, bold=True)
_REQUIRED = Font(name="宋体", size=11, bold=True, color="B00020")
_HINT = Font(name="宋体", size=10, color="555555")
_EXAMPLE = Font(name="宋体", size=10, italic=True, color="7A7A7A")
_EXAMPLE_FILL = PatternFill("solid", fgColor="F0F0F0")
_BANDS = tuple(
    (PatternFill("solid", fgColor=dark), PatternFill("solid", fgColor=light))
    for dark, light in (("C9DAEA", "E3EDF6"), ("D3E3D0", "EAF3E8"))
)
_OPEN = Protection(locked=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormColumn:
    key: str
    title: Text
    kind: Literal["text", "date", "integer", "number"] = "text"
    note: Text | None = None
    required: bool = False
    choices: tuple[str, ...] = ()
    """The cell's list; the words are those that the import reads."""
    only_choices: bool = True
    """Whether anything else is refused while it is typed."""
    example: str | int | float | date | None = None
    section: Text | None = None
    """Heading over this column and those after it, up to the next section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSheet:
    title: Text
    columns: tuple[FormColumn, ...]
    how_to: tuple[Text, ...] = ()
    head: tuple[tuple[Text, str], ...] = ()
    """Lines above the table: `填报单位` and what stands after its colon. They can be written on."""
    rows: tuple[Mapping[str, str | int | float | bool | date | None], ...] = field(default=())
    """What is filled in already: column key -> cell."""
    blank_rows: int = 30


def render_template(sheets: Sequence[FormSheet], *, number: str | None, kind: str, lang: Lang) -> bytes:
    """The workbook's bytes. `number`: what a corrected copy of this very form replaces; None for a form that is handed
    out to many. `kind`: what it asks for, noted beside the number."""
    book = Workbook()
    book.remove(book.worksheets[0])
    marks = book.create_sheet(MARK_SHEET)
    for column, text in enumerate((MARK, number, kind), start=1):
        if text:
            _cell(marks, 1, column).value = text
    for sheet in sheets:
        title = sheet.title.zh.translate(_SHEET_NAMES)[:31]
        _Writer(book.create_sheet(title, len(book.sheetnames) - 1), sheet, marks, lang).write()
    marks.sheet_state = "hidden"
    marks.protection.sheet = True
    book.active = 0
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)  # noqa: S101 - the first cell of a merged range is an ordinary one
    return cell


class _Writer:
    """One sheet, from its title down to its last empty row."""

    def __init__(self, page: Worksheet, form: FormSheet, marks: Worksheet, lang: Lang) -> None:
        self.page, self.form, self.marks, self.lang = page, form, marks, lang
        self.widths = [float(_SERIAL_WIDTH), *(self._width(c) for c in form.columns)]
        self.span = max(2, sum(1 for i in range(len(self.widths)) if sum(self.widths[:i]) < _TITLE_WIDTH))
        self.row = 1

    def write(self) -> None:
        self._write_top()
        self._write_headings()
        self._write_example()
        first = self.row
        for offset in range(len(self.form.rows) + self.form.blank_rows):
            self._write_row(offset)
        self._set_columns(first)
        self._set_page(first)

    def _both(self, text: Text) -> str:
        """In Chinese, with the English below it for a reader who asked for it."""
        return text.zh if self.lang == "zh" or text.en == text.zh else f"{text.zh}\n{text.en}"

    def _wide(self, text: str, font: Font, height: float, *, opened: bool = False) -> None:
        cell = _cell(self.page, self.row, 1)
        put_literal(cell, text)
        cell.font, cell.alignment = font, Alignment(vertical="center", wrap_text=True)
        if opened:
            cell.protection = _OPEN
        self.page.merge_cells(start_row=self.row, end_row=self.row, start_column=1, end_column=self.span)
        self.page.row_dimensions[self.row].height = height
        self.row += 1

    def _write_top(self) -> None:
        title = self.form.title
        self._wide(title.zh if self.lang == "zh" else f"{title.zh}  {title.en}", _TITLE, 30)
        for label, value in self.form.head:
            name = label.zh if self.lang == "zh" else f"{label.zh}（{label.en}）"
            self._wide(f"{name}：{value}", _BODY, 20, opened=True)
        width = sum(self.widths[: self.span])
        for line in self.form.how_to:
            text = self._both(line)
            self._wide(text, _HINT, 14.5 * sum(_lines(part, width) for part in text.splitlines()) + 2)

    def _write_headings(self) -> None:
        sections = any(c.section for c in self.form.columns)
        head = self.row + sections
        band, start = -1, 2
        heights = [1]
        for index, column in enumerate(self.form.columns, start=2):
            if column.section or index == 2:
                band, start = band + 1, index
            dark, light = _BANDS[band % 2]
            if sections and column.section:
                put_literal(_cell(self.page, self.row, start), self._both(column.section).replace("\n", "  "))
            if sections:
                self._style(self.row, index, _HEAD, dark)
                # Not merged: a title in the middle of twenty columns is neither on the screen nor on the printed page.
                self.page.cell(self.row, index).alignment = Alignment(vertical="center")
                self.page.cell(self.row, index).border = _BAND_EDGE
            text = self._heading(column)
            cell = _cell(self.page, head, index)
            put_literal(cell, text)
            self._style(head, index, _REQUIRED if column.required else _HEAD, light)
            heights.append(sum(_lines(part, self.widths[index - 1] - 2) for part in text.splitlines()))
            if note := self._note(column):
                cell.comment = Comment(
                    note, "govcloud", width=300, height=30 + 18 * sum(_lines(t, 40) for t in note.splitlines())
                )
        put_literal(_cell(self.page, head, 1), "序号")
        for row in range(self.row, head + 1):
            self._style(row, 1, _HEAD, _BANDS[0][0])
        if sections:
            self.page.row_dimensions[self.row].height = 20
        self.page.row_dimensions[head].height = 15.5 * max(heights) + 4
        self.head, self.row = head, head + 1

    def _style(self, row: int, column: int, font: Font, fill: PatternFill) -> None:
        cell = self.page.cell(row, column)
        cell.font, cell.fill, cell.border = font, fill, _GRID
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)

    def _heading(self, column: FormColumn) -> str:
        mark = "*" if column.required else ""
        if self.lang == "zh":
            return column.title.zh + mark
        # In brackets, so that the import sees the Chinese heading only; brackets don't nest there.
        english = column.title.en.replace("(", ", ").replace(")", "").replace(" ,", ",")
        return f"{column.title.zh}{mark}\n({english})"

    def _note(self, column: FormColumn) -> str:
        parts = [self._said(column, "zh")]
        if self.lang == "en":
            parts.append(self._said(column, "en"))
        return clean_text("\n\n".join(filter(None, parts)))

    def _said(self, column: FormColumn, lang: Lang) -> str:
        lines = [Text("必填。", "Required.").to(lang)] if column.required else []
        lines += [column.note.to(lang)] if column.note else []
        if column.example is not None:
            lines.append(Text("例：{e}", "Example: {e}").format(e=column.example).to(lang))
        return "\n".join(lines)

    def _write_example(self) -> None:
        if all(c.example is None for c in self.form.columns):
            return
        put_literal(_cell(self.page, self.row, 1), EXAMPLE_MARK.to(self.lang))
        for index, column in enumerate(self.form.columns, start=2):
            put_literal(_cell(self.page, self.row, index), column.example)
        for index in range(1, len(self.form.columns) + 2):
            cell = self.page.cell(self.row, index)
            cell.font, cell.fill, cell.border = _EXAMPLE, _EXAMPLE_FILL, _GRID
            cell.alignment = Alignment(vertical="center", wrap_text=True)
        self.row += 1

    def _write_row(self, offset: int) -> None:
        known = self.form.rows[offset] if offset < len(self.form.rows) else {}
        serial = _cell(self.page, self.row, 1)
        serial.value, serial.font, serial.border, serial.protection = offset + 1, _BODY, _GRID, _OPEN
        serial.alignment = Alignment(horizontal="center", vertical="center")
        for index, column in enumerate(self.form.columns, start=2):
            cell = _cell(self.page, self.row, index)
            cell.number_format = _FORMATS[column.kind]
            put_literal(cell, known.get(column.key))
            cell.font, cell.border, cell.protection = _BODY, _GRID, _OPEN
            cell.alignment = Alignment(vertical="center", wrap_text=column.kind == "text")
        self.row += 1

    def _set_columns(self, first: int) -> None:
        for index, width in enumerate(self.widths, start=1):
            dimension = self.page.column_dimensions[get_column_letter(index)]
            dimension.width = width
            # Rows below the drawn ones can be written on, too.
            dimension.protection, dimension.font = _OPEN, _BODY
            if index > 1:
                dimension.number_format = _FORMATS[self.form.columns[index - 2].kind]
        for index, column in enumerate(self.form.columns, start=2):
            if (check := self._check(column)) is not None:
                letter = get_column_letter(index)
                check.add(f"{letter}{first}:{letter}{max(_LAST_ROW, self.row)}")
                self.page.add_data_validation(check)

    def _check(self, column: FormColumn) -> DataValidation | None:
        if column.choices:
            check = DataValidation(type="list", formula1=self._list(column.choices), allow_blank=True)
            check.errorStyle = "stop" if column.only_choices else "information"
            check.showErrorMessage = column.only_choices
            check.error = self._both(Text("请从下拉列表中选择", "Choose from the list"))
        elif column.kind == "date":
            check = DataValidation(type="date", operator="greaterThan", formula1="18000", allow_blank=True)
            check.error = self._both(Text("日期写成 2019-09-01；确实没有的写“无”，可选“是”继续",
                                          "Write a date as 2019-09-01; where there is none write “无” and choose yes"))  # fmt: skip
        elif column.kind in ("integer", "number"):
            check = DataValidation(
                type="whole" if column.kind == "integer" else "decimal",
                operator="greaterThanOrEqual",
                formula1="0",
                allow_blank=True,
            )
            check.error = self._both(Text("此列填数字，不带文字", "A number without words"))
        else:
            return None
        if not column.choices:
            # A warning, not a stop: the import understands more than the spreadsheet's own notion of a date.
            check.errorStyle, check.showErrorMessage = "warning", True
        check.errorTitle = column.title.zh[:32]
        return check

    def _list(self, choices: Sequence[str]) -> str:
        """Lists stand in the hidden sheet: one that is written into the cell's check may have 255 characters only."""
        column = next(i for i in range(1, 10_000) if self.marks.cell(_LISTS_FROM_ROW, i).value is None)
        for row, choice in enumerate(choices, start=_LISTS_FROM_ROW):
            put_literal(_cell(self.marks, row, column), choice)
        letter = get_column_letter(column)
        return f"{MARK_SHEET}!${letter}${_LISTS_FROM_ROW}:${letter}${_LISTS_FROM_ROW + len(choices) - 1}"

    def _width(self, column: FormColumn) -> float:
        heading = self._heading(column).splitlines()
        wanted = [
            _cells(heading[0]) / (2 if _cells(heading[0]) > 14 else 1) + 2,
            *(_cells(h) / 2 + 3 for h in heading[1:]),
        ]
        shown = [column.example, *(row.get(column.key) for row in self.form.rows[:200]), *column.choices[:50]]
        wanted += [_cells(str(value)) + 2 for value in shown if value is not None]
        return float(min(max(*wanted, _MIN_WIDTH), _MAX_WIDTH))

    def _set_page(self, first: int) -> None:
        page = self.page
        required = next((i for i, c in enumerate(self.form.columns[:4], start=2) if c.required), 1)
        page.freeze_panes = f"{get_column_letter(required + 1)}{self.head + 1}"
        page.sheet_view.zoomScale = 100
        page.page_setup.paperSize = 9  # A4
        page.page_setup.orientation = "landscape"
        page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        page.page_setup.fitToWidth = max(1, math.ceil(sum(self.widths) / _PAGE_WIDTH))
        page.page_setup.fitToHeight = 0
        page.print_title_rows = f"{self.head - any(c.section for c in self.form.columns)}:{self.head}"
        page.print_title_cols = f"A:{get_column_letter(required)}"
        page.print_options.horizontalCentered = True
        page.page_margins.left = page.page_margins.right = 0.4
        page.page_margins.top, page.page_margins.bottom = 0.6, 0.8
        page.sheet_format.defaultRowHeight, page.sheet_format.customHeight = 20, True
        assert page.oddFooter is not None  # noqa: S101 - every new sheet has one
        page.oddFooter.center.text = "第 &P 页，共 &N 页" if self.lang == "zh" else "&P / &N"
        page.protection.sheet = True
        for allowed in ("formatColumns", "formatRows", "insertRows", "deleteRows", "sort", "autoFilter"):
            setattr(page.protection, allowed, False)


_FORMATS: Mapping[str, str] = {"text": "@", "date": "yyyy-mm-dd", "integer": "0", "number": "General"}


def _cells(text: str) -> int:
    """Widths of a Chinese character count two."""
    return max((max(wcswidth(line), len(line)) for line in text.splitlines()), default=0)


def _lines(text: str, width: float) -> int:
    return max(1, math.ceil(_cells(text) / max(width, 1)))
