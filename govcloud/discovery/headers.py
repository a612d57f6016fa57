"""Finds the headers in a sheet: one row or several, with titles above, more than one table in a sheet. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from govcloud.discovery.cells import cell_text, fold
from govcloud.discovery.columns import ColumnMap, ColumnSpec, header_key
from govcloud.discovery.raw_cells import RawCell
from govcloud.discovery.workbook import Sheet
from govcloud.model.collect import SheetKind

_TOP_ROWS = 15
"""Titles and instructions above a header: more than this has not been seen in survey forms."""
_ROWS_AFTER_GAP = 3
"""Rows after a blank one that are looked at as a header even if they do not begin like one."""
_MAX_HEIGHT = 3
_MIN_HEADERS = 3
_MAX_HEADER = 60
SERIAL = frozenset({"序号", "编号", "no", "no."})
_UNIT_LINE = re.compile(
    r"(?:填报单位|单位名称|填报部门|单位)\s*(?:\([^)]*\)|（[^）]*）)?\s*[:：]\s*([^\s:：]+)?"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    column_map: ColumnMap
    top: int
    bottom: int
    """First and last row, from 0."""
    texts: tuple[str, ...]
    """By column, the rows of the header joined."""
    columns: dict[int, ColumnSpec]


def find_headers(sheet: Sheet, maps: Sequence[ColumnMap], kind: SheetKind | None = None) -> list[Header]:
    """All headers of the sheet from top to bottom; a header that is printed again on every page is found again."""
    finder = _Finder(sheet, [m for m in maps if kind is None or m.kind == kind], named=kind is not None)
    return list(finder.headers())


class _Finder:
    def __init__(self, sheet: Sheet, maps: Sequence[ColumnMap], *, named: bool) -> None:
        self.sheet, self.maps, self.named = sheet, maps, named
        self.keys = {key for m in maps for key in m.by_wording} | SERIAL
        self.starts = {key[0] for key in self.keys if key}
        # Brackets, colons and stars are left aside when headings are compared; full-width letters are equal to ours.
        last = {key[-1] for key in self.keys if key} | set(")]】）*:：＊")
        self.ends = last | {letter.upper() for letter in last}

    def headers(self) -> Iterator[Header]:
        rows = self.sheet.rows
        after_gap, number = _TOP_ROWS, 0
        while number < len(rows):
            first = next((c for c in rows[number] if c != "" and c is not None), None)
            if first is None:
                after_gap = max(after_gap, _ROWS_AFTER_GAP)
            elif after_gap > 0 or (self._begins_like_one(first) and self._goes_on_like_one(rows[number])):
                after_gap -= 1
                if any(map(self._begins_like_one, chain(*rows[number : number + 2]))) and (
                    header := self._header_at(number)
                ):
                    yield header
                    number, after_gap = header.bottom, 0
            number += 1

    def _begins_like_one(self, cell: RawCell) -> bool:
        if not isinstance(cell, str) or len(cell) > _MAX_HEADER or cell.strip()[:1].lower() not in self.starts:
            return False
        if cell[-1] not in self.ends and not cell[-1].isspace():
            return False  # host-0001 is met a hundred thousand times
        folded = fold(cell)
        return folded in self.keys or (not folded.isalnum() and header_key(cell_text(cell)) in self.keys)

    def _goes_on_like_one(self, row: Sequence[RawCell]) -> bool:
        return sum(map(self._begins_like_one, row)) >= (1 if self.named else _MIN_HEADERS - 1)

    def _header_at(self, number: int) -> Header | None:
        """The best reading of the rows from here on: as many columns as possible, then as few rows."""
        best: tuple[int, int, int] | None = None
        found: Header | None = None
        least = self._least_height(number)
        for height in range(least, max(least, _MAX_HEIGHT) + 1):
            if number + height > len(self.sheet.rows):
                break
            labels = self._labels(number, height)
            rest = self._labels(number + 1, height - 1) if height > 1 else []
            for order, column_map in enumerate(self.maps):
                header = _match(column_map, labels, number, height)
                score = self._score(header)
                if score and height > 1 and _match(column_map, rest, number, height).columns == header.columns:
                    continue  # the first row adds nothing: it is a title above the header
                if score and (best is None or (score, -height, -order) > best):
                    best, found = (score, -height, -order), header
        return found

    def _least_height(self, number: int) -> int:
        """A header cell that is merged downwards says how high the header is."""
        height = 1
        while height < _MAX_HEIGHT and any(
            self.sheet.origin.get((number + height, c), (-1, -1))[0] in range(number, number + height)
            and self.sheet.rows[number + height][c] == cell
            for c, cell in enumerate(self.sheet.rows[number])
        ):
            height += 1
        return height

    def _labels(self, number: int, height: int) -> list[tuple[str, ...]]:
        """By column the different texts from top to bottom; a group's heading counts for the blank cells right of it."""
        rows = self.sheet.rows[number : number + height]
        width = max(len(row) for row in rows)
        texts = [[cell_text(row[c]) if c < len(row) else "" for c in range(width)] for row in rows]
        for upper, lower in pairwise(texts):
            group = ""
            for c in range(width):
                group = upper[c] or (group if lower[c] else "")
                upper[c] = group
        return [tuple(dict.fromkeys(row[c] for row in texts if row[c])) for c in range(width)]

    def _score(self, header: Header) -> int:
        fields = {c.field for c in header.columns.values() if not is_ignored(c)}
        needed = {c.field for c in header.column_map.columns if c.required}
        least = len(needed) if self.named else max(_MIN_HEADERS, len(needed))
        return len(fields) if needed <= fields and len(fields) >= least else 0


def _match(column_map: ColumnMap, labels: Sequence[tuple[str, ...]], number: int, height: int) -> Header:
    columns: dict[int, ColumnSpec] = {}
    texts: list[str] = []
    for index, label in enumerate(labels):
        joined = "".join(label)
        texts.append(joined if len(label) < 2 else " / ".join(label))
        # `服务器` over `IP地址` is the server's address if the map knows it so, else what the lower heading says.
        spec = column_map.find(joined) or (column_map.find(label[-1]) if len(label) > 1 else None) if joined else None
        if spec is not None and spec not in columns.values():
            columns[index] = spec
            texts[index] = joined
    return Header(
        column_map=column_map, top=number, bottom=number + height - 1, texts=tuple(texts), columns=columns
    )  # fmt: skip


def is_ignored(column: ColumnSpec) -> bool:
    return column.field.startswith("ignored.")


def stated_department(rows: Sequence[Sequence[RawCell]]) -> tuple[str, int, int] | None:
    """`填报单位：…` above a header: in the same cell, or in the next one that says something else. With row and column."""
    for number, row in enumerate(rows):
        waiting = False
        for column, cell in enumerate(row):
            text = cell_text(cell)
            found = _UNIT_LINE.search(text)
            if found and found[1]:
                return found[1], number, column
            if waiting and text and not found:
                return " ".join(text.split()), number, column
            waiting = waiting or found is not None
    return None


def is_section(row: Sequence[RawCell]) -> bool:
    """One text and nothing else: a title between tables or rows, as against a row of data."""
    return len({fold(cell_text(c)) for c in row} - {""}) == 1
