"""Views as a workbook: one sheet a view, typed cells, nothing that a spreadsheet would run as a formula."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import date, datetime, tzinfo

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from wcwidth import wcswidth

from govcloud.model.text import Lang
from govcloud.report.repack import repack
from govcloud.report.text import cell_text, guard_formula
from govcloud.report.view import Cell, Column, View

_MAX_CELL = 32_767
"""Characters that Excel keeps in one cell; it calls a longer one damage and drops it."""
_FIRST_YEAR = 1900
"""Excel's calendar takes 1900 for a leap year and has nothing before it; such dates are written as text."""
_MAX_WIDTH, _MIN_WIDTH = 48, 8
_FORBIDDEN_IN_TITLE = str.maketrans(dict.fromkeys("[]:*?/\\", " "))

_HEAD_FONT = Font(bold=True)
_HEAD_FILL = PatternFill("solid", fgColor="E8EEF4")
_LINE = Border(bottom=Side(style="thin", color="8A9BAC"))
_NOTE_FONT = Font(color="555555")
_BODY = {side: Alignment(horizontal=side, vertical="top", wrap_text=True) for side in ("left", "right")}


def render_xlsx(views: Sequence[View], lang: Lang, tz: tzinfo | None = None) -> bytes:
    """The workbook's bytes. Instants are shown in `tz` (a workbook has no time zones), the machine's own by default."""
    book = Workbook()
    book.remove(book.worksheets[0])
    taken: set[str] = set()
    for view in views:
        _fill(book.create_sheet(_sheet_title(view.title.to(lang), taken)), view, lang, tz)
    book.properties.creator = "govcloud"
    out = io.BytesIO()
    book.save(out)
    return repack(out.getvalue(), timeless=True)


def _sheet_title(title: str, taken: set[str]) -> str:
    """At most 31 characters, none of []:*?/\\, not quoted, unique without regard to case."""
    base = ILLEGAL_CHARACTERS_RE.sub("", title.translate(_FORBIDDEN_IN_TITLE)).strip(" '")[:31] or "1"
    name, number = base, 2
    while name.casefold() in taken:
        name = f"{base[: 30 - len(str(number))]} {number}"
        number += 1
    taken.add(name.casefold())
    return name


def _fill(sheet: Worksheet, view: View, lang: Lang, tz: tzinfo | None) -> None:
    for index, column in enumerate(view.columns, start=1):
        head = _write(sheet, 1, index, column.title, lang, tz)
        head.font, head.fill, head.border = _HEAD_FONT, _HEAD_FILL, _LINE
        head.alignment = Alignment(horizontal=column.align, vertical="center", wrap_text=True)
        sheet.column_dimensions[get_column_letter(index)].width = _width(view, column, lang)
    for number, row in enumerate(view.rows, start=2):
        for index, column in enumerate(view.columns, start=1):
            cell = _write(sheet, number, index, row.get(column.key), lang, tz)
            cell.alignment = _BODY[column.align]
    if view.columns:
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(view.columns))}{max(len(view.rows), 1) + 1}"
        sheet.print_title_rows = "1:1"
    for offset, note in enumerate(view.notes, start=len(view.rows) + 3):
        _write(sheet, offset, 1, note, lang, tz).font = _NOTE_FONT
    _set_page(sheet, landscape=len(view.columns) > 6)


def _write(sheet: Worksheet, row: int, column: int, value: Cell, lang: Lang, tz: tzinfo | None) -> SheetCell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, SheetCell)  # noqa: S101 - nothing is merged here
    if value is None:
        return cell
    if isinstance(value, date) and value.year <= _FIRST_YEAR:
        value = value.isoformat()
    if isinstance(value, datetime):
        cell.value = value.astimezone(tz).replace(tzinfo=None, microsecond=0)
        cell.number_format = "yyyy-mm-dd hh:mm"
    elif isinstance(value, date):
        cell.value = value
        cell.number_format = "yyyy-mm-dd"
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        cell.value = value
    else:
        text = ILLEGAL_CHARACTERS_RE.sub("�", cell_text(value, lang)) if value != "" else ""
        cell.value = _without_surrogates(text)[:_MAX_CELL]
        # openpyxl guesses a type from the first character; text from a workbook must stay text.
        cell.data_type = "s"
        if guard_formula(text) != text:
            # Without it the cell becomes a formula as soon as somebody edits and leaves it.
            cell.quotePrefix = True
    return cell


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _width(view: View, column: Column, lang: Lang) -> float:
    """In characters of the default font; a Chinese character takes two."""
    texts = [column.title.to(lang) + "  ", *(cell_text(row.get(column.key), lang) for row in view.rows[:500])]
    widest = max(max(wcswidth(line), len(line)) for text in texts for line in (text.splitlines() or [""]))
    return float(min(max(widest + 2, _MIN_WIDTH), _MAX_WIDTH))


def _set_page(sheet: Worksheet, *, landscape: bool) -> None:
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0
