"""Finds the tables in a workbook: which kind a sheet is, where its header is, and what each row says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from govcloud.discovery.cells import PARSERS, Hint, RawCell, cell_text, fold, is_blank
from govcloud.discovery.columns import ColumnMap, ColumnSpec, header_key, header_unit
from govcloud.discovery.workbook import Sheet
from govcloud.model.collect import RowError, SheetKind
from govcloud.model.inventory import Value
from govcloud.model.text import Text

_HEADER_ROWS = 15
"""Titles and instructions above a header: more than this has not been seen in survey forms."""
_MIN_HEADERS = 3
_MAX_CELL = 2_000
"""Longer text is only read as text: the other parsers work with patterns."""
_SERIAL = frozenset({"序号", "编号", "no", "no."})
_SKIP_ROWS = re.compile(r"(合计|小计|总计|共计|填表说明|填报说明|说明[:：]|备注[:：]|注[:：]|填表人|审核人|制表)")
_UNIT_LINE = re.compile(r"(?:填报单位|单位名称|填报部门|单位)\s*(?:\([^)]*\)|（[^）]*）)?\s*[:：]\s*([^\s:：]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    kind: SheetKind
    sheet: Sheet
    header_row: int
    columns: Mapping[int, ColumnSpec]
    units: Mapping[int, str]
    unknown: tuple[str, ...]
    """Headers that no wording matches; their cells are not read."""
    department: str | None
    """Written above the header (`填报单位：…`), for forms without such a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    number: int
    """As the spreadsheet shows it, from 1."""
    values: Mapping[str, Value]
    """Field -> value; blank cells are left out."""
    cells: Mapping[str, str]
    """Field -> cell: where the value was read."""
    errors: tuple[RowError, ...] = ()


def cell_name(row: int, column: int) -> str:
    """`C7` for row 6, column 2 (both from 0)."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def find_table(sheet: Sheet, maps: Sequence[ColumnMap], kind: SheetKind | None = None) -> Table | None:
    """The table of a sheet, or None for a sheet without one (a cover, a legend)."""
    best: tuple[int, int, int, ColumnMap] | None = None
    for order, candidate in enumerate(maps):
        if kind is not None and candidate.kind != kind:
            continue
        for number, row in enumerate(sheet.rows[:_HEADER_ROWS]):
            fields = {c.field for c in (candidate.find(cell_text(cell)) for cell in row) if c and not is_ignored(c)}
            needed = {c.field for c in candidate.columns if c.required}
            least = len(needed) if kind else max(_MIN_HEADERS, len(needed))
            # Only text makes a header, and only one that names what every row must have.
            if needed <= fields and len(fields) >= least:
                score = (len(fields), -order, -number, candidate)
                best = max(best or score, score, key=lambda s: s[:3])
    return _build_table(sheet, best[3], -best[2]) if best else None


def is_ignored(column: ColumnSpec) -> bool:
    return column.field.startswith("ignored.")


def _build_table(sheet: Sheet, column_map: ColumnMap, header_row: int) -> Table:
    columns: dict[int, ColumnSpec] = {}
    units: dict[int, str] = {}
    unknown: list[str] = []
    for index, cell in enumerate(sheet.rows[header_row]):
        header = cell_text(cell)
        column = column_map.find(header) if header else None
        if column is None or column in columns.values():
            if header and header_key(header) not in _SERIAL:
                unknown.append(f"{cell_name(header_row, index)} {' '.join(header.split())}")
            continue
        columns[index] = column
        if unit := header_unit(header):
            units[index] = unit
    return Table(
        kind=column_map.kind, sheet=sheet, header_row=header_row, columns=columns, units=units,
        unknown=tuple(unknown), department=_stated_department(sheet.rows[:header_row]),
    )  # fmt: skip


def _stated_department(rows: Sequence[Sequence[RawCell]]) -> str | None:
    for row in rows:
        for cell in row:
            if found := _UNIT_LINE.search(cell_text(cell)):
                return found[1]
    return None


def read_rows(file: str, table: Table) -> Iterator[Row]:
    """The table's data rows, in order; blank rows, totals and remarks are left out."""
    for number in range(table.header_row + 1, len(table.sheet.rows)):
        cells = table.sheet.rows[number]
        texts = [cell_text(c) for c in cells]
        first = next((fold(t) for t in texts if t), None)
        if first is None or _SKIP_ROWS.match(first):
            continue
        if all(not texts[index] for index in table.columns if index < len(texts)):
            continue
        if all(c.is_header(texts[i]) for i, c in table.columns.items() if i < len(texts) and texts[i]):
            continue  # the header again: printed forms repeat it on every page
        yield _read_row(file, table, number, cells)


def _read_row(file: str, table: Table, number: int, cells: Sequence[RawCell]) -> Row:
    values: dict[str, Value] = {}
    where: dict[str, str] = {}
    errors: list[RowError] = []
    for index, column in table.columns.items():
        cell = cells[index] if index < len(cells) else None
        name = cell_name(*table.sheet.origin.get((number, index), (number, index)))
        text = cell_text(cell)

        def problem(expected: Text, taken: bool, name: str = name, text: str = text) -> None:
            errors.append(
                RowError(file=file, sheet=table.sheet.name, cell=name, read=text[:80], expected=expected, taken=taken)
            )

        if is_blank(cell):
            if column.required:
                problem(Text("必填：{t}", "required: {t}").format(t=column.title), False)
            continue
        if len(text) > _MAX_CELL and column.type != "text":
            problem(Text("不超过 {n} 个字", "at most {n} characters").format(n=_MAX_CELL), False)
            continue
        read = PARSERS[column.type](cell, Hint(unit=table.units.get(index), words=column.words))
        if read.expected is not None:
            problem(Text("{t}：{e}", "{t}: {e}").format(t=column.title, e=read.expected), False)
        elif read.value is not None and not is_ignored(column):
            values[column.field], where[column.field] = read.value, name
            if read.note is not None:
                problem(read.note, True)
        elif column.required and not is_ignored(column):
            problem(Text("必填：{t}", "required: {t}").format(t=column.title), False)
    return Row(number=number + 1, values=values, cells=where, errors=tuple(errors))
