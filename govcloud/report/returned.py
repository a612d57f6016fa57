"""A department's own workbook on its way back: the cells to correct are coloured and say what was expected."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import openpyxl
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from govcloud.model.collect import RowError
from govcloud.model.text import Lang, Text
from govcloud.report.literal import Literal, clean_text, put_literal
from govcloud.report.template import MARK, MARK_SHEET

COVER = Text("退回说明", "What to correct")
MAX_ROWS, MAX_CELLS = 20_000, 400_000
"""Of a sheet: openpyxl needs up to 1 KiB a cell, so of a larger one only the rows to correct go back."""

_AUTHOR = "govcloud 退回"
_OURS = "\n\n—— 退回 ——\n"
"""Between a comment that was there before and ours."""
_FAULTY = PatternFill("solid", fgColor="FFC7CE")
_TO_CHECK = PatternFill("solid", fgColor="FFEB9C")
_HEAD, _BOLD, _LINK = Font(bold=True, size=14), Font(bold=True), Font(color="0563C1", underline="single")
_HEAD_FILL = PatternFill("solid", fgColor="E3EDF6")
_LINE = Side(style="thin", color="9AA7B4")
_GRID = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_WRAP = Alignment(vertical="top", wrap_text=True)
_CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_WIDTHS = (6, 20, 10, 34, 52, 26)
_MAX_LISTED = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetCells:
    """A sheet of a file that openpyxl can't open (.xls, .csv), or is too long for it, as its cells."""

    name: str
    rows: Sequence[Sequence[Literal]]
    merged: Sequence[tuple[int, int, int, int]] = ()
    """First row, first column, last row, last column; from 0."""


def render_returned(data: bytes, problems: Sequence[RowError], *, number: str, lang: Lang) -> bytes:
    """The .xlsx with its own look, marked. Formulas become the values that they had; what openpyxl can't keep is told.

    `data` must have passed the checks of a reader: this opens the file as it is.
    """
    lost = _lost(data)
    with warnings.catch_warnings():
        # It warns of what it can't keep; the cover says so.
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, keep_links=False)
    for sheet in book.worksheets:
        _unmark(sheet)
    _drop_cover(book)
    return _finish(book, problems, number, lang, lost)


def render_returned_cells(
    sheets: Sequence[SheetCells], problems: Sequence[RowError], *, number: str, lang: Lang, note: Text | None = None
) -> bytes:
    """A new .xlsx with the same cells, marked."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet in sheets:
        page = book.create_sheet(sheet.name[:31])
        for row, cells in enumerate(sheet.rows, start=1):
            for column, value in enumerate(cells, start=1):
                if value is not None and value != "":
                    put_literal(_cell(page, row, column), value)
        for top, left, bottom, right in sheet.merged:
            page.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    why = note or Text(
        "原文件的格式已转为 .xlsx，只保留了内容。", "The file became an .xlsx; only its contents were kept."
    )
    return _finish(book, problems, number, lang, [why])


def only_faulty_rows(
    sheets: Sequence[SheetCells], problems: Sequence[RowError], header_rows: Mapping[str, int]
) -> tuple[list[SheetCells], list[RowError]]:
    """The rows to correct under their headings, and the problems at their new places.

    `header_rows`: sheet name -> rows from the top that stay as they are.
    """
    kept: list[SheetCells] = []
    moved: list[RowError] = []
    for sheet in sheets:
        own = [p for p in problems if p.sheet == sheet.name]
        top = header_rows.get(sheet.name, 0)
        wanted = sorted({int(m[2]) for p in own if (m := _CELL.fullmatch(p.cell)) and int(m[2]) > top})
        if not own:
            continue
        rows = [*sheet.rows[:top], *(sheet.rows[number - 1] for number in wanted if number <= len(sheet.rows))]
        kept.append(SheetCells(name=sheet.name, rows=rows))
        places = {number: top + offset for offset, number in enumerate(wanted, start=1)}
        moved += [_moved(p, places) for p in own]
    return kept, moved


def _moved(problem: RowError, places: Mapping[int, int]) -> RowError:
    found = _CELL.fullmatch(problem.cell)
    cell = f"{found[1]}{places.get(int(found[2]), int(found[2]))}" if found else problem.cell
    return RowError(
        file=problem.file, sheet=problem.sheet, cell=cell, read=problem.read, expected=problem.expected,
        taken=problem.taken, left_out=problem.left_out,
    )  # fmt: skip


def _finish(
    book: Workbook, problems: Sequence[RowError], number: str, lang: Lang, lost: Sequence[Text]
) -> bytes:  # fmt: skip
    by_cell: dict[tuple[str, str], list[RowError]] = {}
    for problem in problems:
        by_cell.setdefault((problem.sheet, problem.cell), []).append(problem)
    for (sheet, cell), found in by_cell.items():
        if sheet in book.sheetnames and isinstance(book[sheet], Worksheet):
            _mark(book[sheet], cell, found, lang)
    _write_cover(book, problems, lang, lost)
    _write_number(book, number)
    for page in book.worksheets:
        _without_formulas(page)
    book.active = 0
    for page in book.worksheets:
        page.sheet_view.tabSelected = page.title == book.worksheets[0].title
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)  # noqa: S101 - written before anything is merged
    return cell


def _mark(sheet: Worksheet, place: str, problems: Sequence[RowError], lang: Lang) -> None:
    target = _target(sheet, place)
    if target is None:
        return
    note = "\n\n".join(_said(p, lang) for p in problems)
    before = target.comment
    if before is not None and before.text:
        note = f"{before.text}{_OURS}{note}"
    # A comment belongs to one cell: the old one can't be used again.
    target.comment = Comment(clean_text(note), _AUTHOR, width=320, height=60 + 20 * note.count("\n"))
    target.fill = _TO_CHECK if all(p.taken and not p.left_out for p in problems) else _FAULTY


def _target(sheet: Worksheet, place: str) -> Cell | None:
    """The cell, or the first one of the merged range that it lies in."""
    if not _CELL.fullmatch(place):
        return None
    row, column = coordinate_to_tuple(place)
    for merged in sheet.merged_cells.ranges:
        if merged.min_row <= row <= merged.max_row and merged.min_col <= column <= merged.max_col:
            column, row = merged.min_col, merged.min_row
    cell = sheet.cell(row, column)
    return cell if isinstance(cell, Cell) else None


def _said(problem: RowError, lang: Lang) -> str:
    wanted = Text("应为：{e}", "Expected: {e}").format(e=problem.expected)
    read = Text("读到：{r}", "Read: {r}").format(r=problem.read or "（空）") if lang == "zh" else Text(
        f"读到：{problem.read or '（空）'}", f"Read: {problem.read or '(empty)'}")  # fmt: skip
    lines = [wanted.zh, read.zh]
    if lang == "en":
        lines += [wanted.en, read.en]
    return "\n".join(lines)


def _state(problem: RowError) -> Text:
    if not problem.taken:
        return Text("整行未导入", "The row was not taken")
    if problem.left_out:
        return Text("这一格未导入，其余已导入", "This cell was not taken, the rest of the row was")
    return Text("已导入，请核对", "Taken; please check")


def _write_cover(book: Workbook, problems: Sequence[RowError], lang: Lang, lost: Sequence[Text]) -> None:
    page = book.create_sheet(COVER.to(lang), 0)
    lines = [
        COVER,
        Text(
            "共 {n} 处。红色的格子请改正，黄色的请核对；格子上的批注写明应为什么。改完把整份文件报回，文件名不限。",
            "{n} in all. Please correct the red cells and check the yellow ones; a comment on each says what is expected. "
            "Send the whole file back when it is done, under any name.",
        ).format(n=len(problems)),
        *lost,
    ]
    row = 1
    for line in lines:
        text = line.zh if lang == "zh" else f"{line.zh}\n{line.en}"
        cell = _cell(page, row, 1)
        put_literal(cell, text)
        cell.font, cell.alignment = (_HEAD if row == 1 else Font()), Alignment(vertical="center", wrap_text=True)
        page.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(_WIDTHS))
        page.row_dimensions[row].height = 18 * (1 + text.count("\n")) * (1 if row != 2 or lang == "zh" else 1.5) + 6
        row += 1
    titles = (
        Text("次序", "No."), Text("工作表", "Sheet"), Text("单元格", "Cell"), Text("读到的内容", "What was read"),
        Text("应当是", "What is expected"), Text("处理结果", "What became of it"),
    )  # fmt: skip
    for column, title in enumerate(titles, start=1):
        cell = _cell(page, row, column)
        put_literal(cell, title.to(lang))
        cell.font, cell.fill, cell.border = _BOLD, _HEAD_FILL, _GRID
    page.freeze_panes = f"A{row + 1}"
    page.print_title_rows = f"{row}:{row}"
    for number, problem in enumerate(problems[:_MAX_LISTED], start=1):
        _write_line(page, row + number, number, problem, lang, linked=problem.sheet in book.sheetnames)
    if len(problems) > _MAX_LISTED:
        more = Text("其余 {n} 处见各表中着色的格子。", "{n} more: see the coloured cells.")
        put_literal(_cell(page, row + _MAX_LISTED + 1, 2), more.format(n=len(problems) - _MAX_LISTED).to(lang))
    for letter, width in zip("ABCDEF", _WIDTHS, strict=True):
        page.column_dimensions[letter].width = width
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
    page.page_setup.fitToHeight = 0
    assert page.sheet_properties.pageSetUpPr is not None  # noqa: S101 - every new sheet has it
    page.sheet_properties.pageSetUpPr.fitToPage = True


def _write_line(page: Worksheet, row: int, number: int, problem: RowError, lang: Lang, *, linked: bool) -> None:
    values: tuple[Literal, ...] = (
        number, problem.sheet, problem.cell, problem.read, problem.expected.to(lang), _state(problem).to(lang),
    )  # fmt: skip
    for column, value in enumerate(values, start=1):
        cell = _cell(page, row, column)
        put_literal(cell, value)
        cell.alignment, cell.border = _WRAP, _GRID
    if linked and _CELL.fullmatch(problem.cell):
        place = _cell(page, row, 3)
        quoted = problem.sheet.replace("'", "''")
        place.hyperlink = Hyperlink(ref=place.coordinate, location=f"'{quoted}'!{problem.cell}")
        place.font = _LINK


def _write_number(book: Workbook, number: str) -> None:
    """The number in the hidden sheet of our own forms: what this file is a newer version of."""
    page = book[MARK_SHEET] if MARK_SHEET in book.sheetnames else book.create_sheet(MARK_SHEET)
    page.cell(1, 1).value, page.cell(1, 2).value = MARK, number or None
    page.sheet_state = "hidden"


def _unmark(sheet: Worksheet) -> None:
    """Take our own marks of an earlier return off again."""
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell, Cell) and cell.comment is not None and cell.comment.author == _AUTHOR:
                before, ours, _ = cell.comment.text.rpartition(_OURS)
                cell.comment = Comment(before, "") if ours else None
                cell.fill = PatternFill()


def _drop_cover(book: Workbook) -> None:
    """Our own cover of an earlier return; only where the book says that it is one of ours."""
    if MARK_SHEET in book.sheetnames and book[MARK_SHEET].cell(1, 1).value == MARK:
        for name in (COVER.zh, COVER.en):
            if name in book.sheetnames and len(book.sheetnames) > 1:
                book.remove(book[name])


def _without_formulas(page: Worksheet) -> None:
    for row in page.iter_rows():
        for cell in row:
            if isinstance(cell, Cell) and cell.data_type == "f":
                cell.value, cell.data_type = str(cell.value), "s"


def _lost(data: bytes) -> list[Text]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        pages = [name for name in names if name.startswith("xl/worksheets/") and name.endswith(".xml")]
        formulas = any(b"<f>" in (xml := archive.read(name)) or b"<f " in xml for name in pages)
    found = []
    if formulas:
        found.append(Text(
            "公式已换成算好的值，没有算好值的已清空。",
            "Formulas were replaced by their values; those without a value are empty.",
        ))  # fmt: skip
    if any(n.startswith(("xl/drawings/drawing", "xl/charts/", "xl/media/")) for n in names):
        found.append(Text(
            "图片、图形和图表未保留，请对照原文件。", "Pictures, shapes and charts were not kept; see the original."
        ))  # fmt: skip
    return found
