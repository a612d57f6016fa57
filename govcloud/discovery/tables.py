"""Reads the tables of a sheet row by row: which column says what, and what is wrong in which cell. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from govcloud.discovery.cells import PARSERS, cell_text, fold
from govcloud.discovery.columns import ColumnMap, ColumnSpec, header_key, header_unit
from govcloud.discovery.headers import SERIAL, Header, find_headers, is_ignored, is_section, stated_department
from govcloud.discovery.raw_cells import ERROR_VALUES, NO_RESULT, UNKNOWN_WORDS, Hint, RawCell, hides_direction
from govcloud.discovery.workbook import Sheet
from govcloud.model.collect import RowError, SheetKind
from govcloud.model.observation import Value
from govcloud.model.text import Text

_MAX_CELL = 2_000
"""Longer text is only read as text: the other parsers work with patterns."""
_MAX_MEMO = 20_000
_UNKNOWN_STARTS = frozenset(start for word in UNKNOWN_WORDS if word for start in (word[0], word[0].upper()))
_LONGEST_UNKNOWN = 2 * max(map(len, UNKNOWN_WORDS))
_REMARK = re.compile(
    r"((?:合计|小计|总计|共计)(?![\u4e00-\u9fff])|填表说明|填报说明|说明[:：]|备注[:：]|注[:：]|填表人|审核人|制表)"
)
_TOTAL = re.compile(r".{0,20}(合计|小计|总计|共计)")
_EXAMPLE = re.compile(r"[(\[【]?(示例|样例|例|填写示例|填报示例|例如|example|sample)[)\]】]?[:：]?")
_UNUSABLE = Text("公式的结果有误，请改正公式或直接填写", "a value: the formula failed; correct it or fill in the value")
_UNCALCULATED = Text(
    "算好的值：公式还没有结果，用表格程序打开、保存后再报送",
    "a value: the formula was never calculated; open the file in a spreadsheet program and save it",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    kind: SheetKind
    sheet: Sheet
    header_row: int
    """The last row of the header, from 0."""
    end_row: int
    """First row that is no longer the table's."""
    columns: Mapping[int, ColumnSpec]
    units: Mapping[int, str]
    unknown: tuple[str, ...]
    """Headers that no wording matches; their cells are not read."""
    department: str | None
    """Written above the header (`填报单位：…`), for forms without such a column."""
    department_cell: str


@dataclass(slots=True)
class Row:
    number: int
    """As the spreadsheet shows it, from 1."""
    values: dict[str, Value]
    """Field -> value; blank cells are left out."""
    cells: dict[str, str]
    """Field -> cell: where the value was read."""
    errors: list[RowError]


def cell_name(row: int, column: int) -> str:
    """`C7` for row 6, column 2 (both from 0)."""
    return f"{column_letters(column)}{row + 1}"


def column_letters(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def find_tables(sheet: Sheet, maps: Sequence[ColumnMap], kind: SheetKind | None = None) -> list[Table]:
    """The tables of a sheet from top to bottom; none for a cover or a legend."""
    headers = find_headers(sheet, maps, kind)
    tables: list[Table] = []
    department: tuple[str | None, str] = (None, "")
    for number, header in enumerate(headers):
        end = len(sheet.rows) if number + 1 == len(headers) else headers[number + 1].top
        start = tables[-1].end_row if tables else 0
        if found := stated_department(sheet.rows[start : header.top]):
            department = (found[0], _name(sheet, start + found[1], found[2]))
        # The title of the next table is no row of this one.
        while number + 1 < len(headers) and end - 1 > header.bottom and _is_title(sheet.rows[end - 1]):
            end -= 1
        tables.append(_build_table(sheet, header, end, department))
    return tables


def _is_title(row: Sequence[RawCell]) -> bool:
    return not any(cell_text(c) for c in row) or is_section(row)


def _build_table(sheet: Sheet, header: Header, end: int, department: tuple[str | None, str]) -> Table:
    unknown = [
        f"{_name(sheet, header.bottom, index)} {' '.join(text.split())}"
        for index, text in enumerate(header.texts)
        if text and index not in header.columns and header_key(text) not in SERIAL
    ]
    return Table(
        kind=header.column_map.kind, sheet=sheet, header_row=header.bottom, end_row=end, columns=header.columns,
        units={i: unit for i, text in enumerate(header.texts) if i in header.columns and (unit := header_unit(text))},
        unknown=tuple(dict.fromkeys(unknown)), department=department[0], department_cell=department[1],
    )  # fmt: skip


def _name(sheet: Sheet, row: int, column: int) -> str:
    return cell_name(*sheet.origin.get((row, column), (row, column)))


@dataclass(slots=True)
class _Outcome:
    """What a cell says, or what is wrong with it: the same cell text in a column is worked out once."""

    value: Value = None
    problem: Text | None = None
    faulty: bool = False


class _Column:
    """A column with its parser, and what it has read before: most cells of a column repeat."""

    __slots__ = ("field", "hint", "index", "kept", "letters", "memo", "missing", "parse", "required", "spec")

    def __init__(self, table: Table, index: int, spec: ColumnSpec) -> None:
        self.index, self.spec, self.field = index, spec, spec.field
        self.letters = column_letters(index)
        self.kept = not is_ignored(spec)
        self.required = spec.required and self.kept
        self.parse = PARSERS[spec.type]
        self.hint = Hint(unit=table.units.get(index), words=spec.words, date1904=table.sheet.date1904)
        self.missing = Text("必填：{t}", "required: {t}").format(t=spec.title)
        self.memo: dict[RawCell, _Outcome] = {}

    def read(self, cell: RawCell) -> _Outcome:
        """Of a cell that is not in the memo. A logical value never gets there: True == 1.0 would answer for it."""
        found = self._work_out(cell)
        if len(self.memo) < _MAX_MEMO and not isinstance(cell, bool):
            self.memo[cell] = found
        return found

    def _work_out(self, cell: RawCell) -> _Outcome:
        text = cell_text(cell)
        if text[:1] == "#" and (text in ERROR_VALUES or text == NO_RESULT):
            why = _UNCALCULATED if text == NO_RESULT else _UNUSABLE
            return _Outcome(problem=self._expected(why), faulty=True) if self.kept else _Outcome()
        if not text or (_may_be_unknown(text) and fold(text) in UNKNOWN_WORDS):
            return self._nothing()
        if len(text) > _MAX_CELL and self.spec.type != "text":
            why = Text("不超过 {n} 个字", "at most {n} characters").format(n=_MAX_CELL)
            return _Outcome(problem=self._expected(why), faulty=True)
        read = self.parse(cell, self.hint)
        if not self.kept:
            return _Outcome()
        if read.expected is not None:
            return _Outcome(problem=self._expected(read.expected), faulty=True)
        if read.value is None or (read.value == "" and self.required):
            return self._nothing()
        if read.note is None and hides_direction(cell):
            note = Text("含改变显示方向的字符，已去掉", "marks that turn the reading direction were taken out")
            return _Outcome(value=read.value, problem=note)
        return _Outcome(value=read.value, problem=read.note)

    def _expected(self, what: Text) -> Text:
        return Text("{t}：{e}", "{t}: {e}").format(t=self.spec.title, e=what)

    def _nothing(self) -> _Outcome:
        return _Outcome(problem=self.missing, faulty=True) if self.required else _Outcome()


def _may_be_unknown(text: str) -> bool:
    """Spares most cells the folding."""
    return len(text) <= _LONGEST_UNKNOWN and (text[0] in _UNKNOWN_STARTS or not text.isascii())


def read_rows(file: str, table: Table) -> Iterator[Row]:
    """The table's data rows, in order; blank rows, totals, remarks and the form's own example are left out."""
    columns = [_Column(table, index, spec) for index, spec in table.columns.items()]
    for number in range(table.header_row + 1, table.end_row):
        cells = table.sheet.rows[number]
        if (first := _first(cells)) is None or _is_remark(cells, first):
            continue
        if (row := _read_row(file, table, columns, number, cells)) is not None:
            yield row


def _first(cells: Sequence[RawCell]) -> RawCell:
    for cell in cells:
        if cell != "" and cell is not None and (not isinstance(cell, str) or cell_text(cell)):
            return cell
    return None


def _is_remark(cells: Sequence[RawCell], first: RawCell) -> bool:
    if not isinstance(first, str):
        # A total may stand after a serial number.
        second = next((c for c in cells if isinstance(c, str) and c), "")
        return len(second) < 10 and _TOTAL.fullmatch(fold(second)) is not None
    if first.isascii() and first[:1] not in "([eEsS":
        return False
    text = fold(first[:60])
    return bool(_REMARK.match(text) or _TOTAL.fullmatch(text) or _EXAMPLE.fullmatch(text))


def _read_row(file: str, table: Table, columns: Sequence[_Column], number: int, cells: Sequence[RawCell]) -> Row | None:
    origin, shown = table.sheet.origin, str(number + 1)
    values: dict[str, Value] = {}
    where: dict[str, str] = {}
    problems: list[tuple[_Column, Text, bool]] = []
    said = False
    width = len(cells)
    for column in columns:
        index = column.index
        cell = cells[index] if index < width else ""
        if cell == "" or cell is None:
            if column.required:
                problems.append((column, column.missing, True))
            continue
        said = True
        outcome = column.memo.get(cell) if cell.__class__ is not bool else None
        if outcome is None:
            outcome = column.read(cell)
        if outcome.problem is not None:
            problems.append((column, outcome.problem, outcome.faulty))
        if (value := outcome.value) is not None:
            name = column.field
            values[name] = value
            where[name] = _name(table.sheet, number, index) if origin else column.letters + shown
    if not said:
        return None
    if not problems:
        return Row(number + 1, values, where, [])
    errors = [
        _error(file, table, number, column.index, cells, what, rejects=column.required and faulty, left_out=faulty)
        for column, what, faulty in problems
    ]
    if any(not e.taken for e in errors) and is_section(cells):
        # A heading between rows is set across them; a line of text at the end is told, because nobody can be sure.
        index = next(i for i, c in enumerate(cells) if cell_text(c))
        if (number, index) in origin:
            return None
        remark = Text(
            "一行资料；这一行像说明文字，没有读", "a row of data: this line looks like a remark and was not read"
        )
        errors = [_error(file, table, number, index, cells, remark, rejects=False, left_out=True)]
        return Row(number + 1, {}, {}, errors)
    return Row(number + 1, values, where, errors)


def _error(
    file: str, table: Table, number: int, index: int, cells: Sequence[RawCell], expected: Text, *, rejects: bool, left_out: bool
) -> RowError:  # fmt: skip
    text = cell_text(cells[index]) if index < len(cells) else ""
    if text == NO_RESULT:
        text = ""
    return RowError(
        file=file, sheet=table.sheet.name, cell=_name(table.sheet, number, index), read=text[:80], expected=expected,
        taken=not rejects, left_out=left_out and not rejects,
    )  # fmt: skip
