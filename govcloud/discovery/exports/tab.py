"""One table of an export while it is read: its rows, what is wrong in them, and the statements that come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from govcloud.discovery.exports.layout import ExportLayout, FoundColumn, FoundTable, column_letters
from govcloud.discovery.exports.values import PARSERS, Parsed
from govcloud.discovery.raw_cells import ERROR_VALUES, NO_RESULT, RawCell, cell_text, hides_direction
from govcloud.model.collect import RowError, SheetReading
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.text import Text

_MAX_CELL = 2_000
"""Longer cells are only read as text: the other readers work with patterns."""
_NO_VALUES = ERROR_VALUES | {NO_RESULT}
_MAX_MEMO = 4096
"""Distinct cells of a column whose reading is kept: most columns have few, and names have no use for it."""

_HIDDEN = Text("含改变显示方向的字符，已去掉", "marks that turn the reading direction were taken out")


class Record:
    """One row: field -> value of the cells that say something. A numbered field is `row.disk#2`."""

    __slots__ = ("_letters", "faulty", "number", "values")

    def __init__(self, number: int, letters: Mapping[str, str]) -> None:
        self.number, self._letters = number, letters
        self.values: dict[str, Value] = {}
        self.faulty: frozenset[str] = frozenset()
        """Fields whose cell could not be read."""

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def many(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name)
        return tuple(str(v) for v in value) if isinstance(value, tuple) else ()

    def shown(self, name: str) -> str:
        """The value as a message quotes it."""
        value = self.values.get(name)
        return ", ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)

    def cell(self, name: str) -> str:
        """`C7`; the row alone where the field has no column."""
        return f"{self._letters.get(name, '')}{self.number}"


class _Reader:
    """One column: most have few different cells, so what a cell means is kept."""

    __slots__ = ("_memo", "_parse", "found", "index", "letters", "name")

    def __init__(self, found: FoundColumn) -> None:
        self.found, self.index, self.letters = found, found.index, column_letters(found.index)
        self.name = found.column.field if found.number is None else f"{found.column.field}#{found.number}"
        self._parse = PARSERS[found.column.type]
        self._memo: dict[tuple[type, RawCell], Parsed] = {}

    def read(self, cell: RawCell) -> Parsed:
        # 1, 1.0 and True are one key of a dict, but not one cell.
        key = (cell.__class__, cell)
        known = self._memo.get(key)
        if known is None:
            known = self._checked(cell)
            if len(self._memo) < _MAX_MEMO:
                self._memo[key] = known
        return known

    def _checked(self, cell: RawCell) -> Parsed:
        if isinstance(cell, str):
            if cell in _NO_VALUES:
                return None, Text("有结果的公式或值", "a value, or a formula that has a result")
            if len(cell) > _MAX_CELL and self.found.column.type != "text":
                return None, Text("不超过 {n} 个字", "at most {n} characters").format(n=_MAX_CELL)
        return self._parse(cell, self.found.column)


@dataclass
class Tab:
    """A table of one file, and what has been read of it."""

    layout: ExportLayout
    found: FoundTable
    file: str
    at: datetime
    rows: int = 0
    refused: int = 0
    problems: list[RowError] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    _uncounted: dict[str, tuple[str, str, int, Text]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.found.layout.name

    @property
    def place(self) -> str:
        return f"{self.file}!{self.found.sheet.name}!"

    def has(self, name: str) -> bool:
        return any(c.column.field == name for c in self.found.columns)

    def header_cell(self, name: str) -> str:
        index = next((c.index for c in self.found.columns if c.column.field == name), 0)
        return f"{column_letters(index)}{self.found.header_row + 1}"

    def records(self) -> Iterator[Record]:
        """The rows that say who they are about, in order. Faulty cells are told and left out."""
        rows, header = self.found.sheet.rows, list(self.found.sheet.rows[self.found.header_row])
        readers = [_Reader(found) for found in self.found.columns]
        letters = {reader.name: reader.letters for reader in readers}
        required = [reader for reader in readers if reader.found.column.required]
        strict = [reader.name for reader in readers if reader.found.column.strict]
        for index in range(self.found.header_row + 1, len(rows)):
            cells = rows[index]
            if not any(cell is not None and cell != "" for cell in cells) or list(cells) == header:
                continue
            self.rows += 1
            record = Record(index + 1, letters)
            self._read(record, cells, readers)
            lost = any(name in record.faulty for name in strict)
            missing = [reader for reader in required if reader.name not in record.values]
            for reader in missing:
                if reader.name not in record.faulty:
                    expected = Text("必填：{h}", "required: {h}").format(h=reader.found.header)
                    self.tell(record, reader.name, expected, "")
            if missing or lost:
                self.refused += 1
            else:
                yield record

    def _read(self, record: Record, cells: Sequence[RawCell], readers: Sequence[_Reader]) -> None:
        width = len(cells)
        for reader in readers:
            cell = cells[reader.index] if reader.index < width else None
            if cell is None or cell == "":
                continue
            value, expected = reader.read(cell)
            if value is not None:
                record.values[reader.name] = value
                if cell.__class__ is str and hides_direction(cell):
                    self._problem(record.cell(reader.name), cell_text(cell), _HIDDEN, taken=True)
            elif expected is not None:
                record.faulty |= {reader.name}
                expected = Text("{h}：{e}", "{h}: {e}").format(h=reader.found.header, e=expected)
                taken = not (reader.found.column.required or reader.found.column.strict)
                self._problem(record.cell(reader.name), cell_text(cell), expected, taken=taken, left_out=taken)

    def say(
        self,
        kind: SubjectKind,
        subject_id: str,
        values: Mapping[str, Value],
        cells: Mapping[str, str],
        *,
        at: datetime | None = None,
    ) -> None:
        """One statement; what is None or empty is not said."""
        said = {name: value for name, value in values.items() if value is not None and value != () and value != ""}
        self.statements.append(
            Statement(
                subject_kind=kind, subject_id=subject_id, source=self.layout.source, place=self.place,
                observed_at=at or self.at, values=said, cells={name: cells[name] for name in said if name in cells},
            )
        )  # fmt: skip

    def refuse(self, record: Record, name: str, expected: Text) -> None:
        """The row is not taken because of this cell."""
        self.refused += 1
        self.tell(record, name, expected)

    def tell(
        self, record: Record, name: str, expected: Text, read: str | None = None, *, left_out: bool = False
    ) -> None:
        """`left_out`: the row is taken without this cell; else the cell keeps the row from being taken."""
        shown = record.shown(name) if read is None else read
        self._problem(record.cell(name), shown, expected, taken=left_out, left_out=left_out)

    def note(self, cell: str, read: str, expected: Text, *, left_out: bool = False) -> None:
        """Something about the table as a whole that a person should know."""
        self._problem(cell, read, expected, taken=True, left_out=left_out)

    def leave_out(self, record: Record, name: str, why: Text) -> None:
        """A row that is right and is not about what the inventory holds: not counted, told once a reason with their number."""
        self.rows -= 1
        cell, read, count, _ = self._uncounted.get(why.en, (record.cell(name), record.shown(name), 0, why))
        self._uncounted[why.en] = (cell, read, count + 1, why)

    def _problem(self, cell: str, read: str, expected: Text, *, taken: bool, left_out: bool = False) -> None:
        self.problems.append(
            RowError(
                file=self.file, sheet=self.found.sheet.name, cell=cell, read=read[:80], expected=expected, taken=taken,
                left_out=left_out,
            )
        )  # fmt: skip

    def reading(self) -> SheetReading:
        for cell, read, count, why in self._uncounted.values():
            told = Text("不计入的行，共 {n} 行：{why}", "rows that do not count, {n} in all: {why}").format(
                n=count, why=why
            )
            self.note(cell, read, told)
        self._uncounted.clear()
        return SheetReading(
            file=self.file, sheet=self.found.sheet.name, kind=self.layout.kind, rows=self.rows,
            taken=self.rows - self.refused, problems=tuple(self.problems), unknown_columns=self.found.unknown,
        )  # fmt: skip


def span(cells: Sequence[str]) -> str:
    """`I2:I4` for neighbours, `I2,I9` for others; long lists are cut."""
    if len(cells) < 2:
        return "".join(cells)
    letters = cells[0].rstrip("0123456789")
    first = int(cells[0].removeprefix(letters))
    if list(cells) == [f"{letters}{first + i}" for i in range(len(cells))]:
        return f"{cells[0]}:{cells[-1]}"
    return ",".join(cells[:8]) + (",…" if len(cells) > 8 else "")
