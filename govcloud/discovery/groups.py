"""Survey forms that put several networks side by side in one row, turned into one row a network. Pure.

The four-network survey has a heading over each group of columns (互联网, 业务专网, 政务外网, 政务内网) and the same
columns under all of them. A column map names those headings (`groups`); the sheet that comes out has one header row
and tells of every cell where it really stands, so that problems and evidence name the department's own cell.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from govcloud.discovery.cells import PARSERS, Hint, RawCell, cell_text, is_blank
from govcloud.discovery.columns import ColumnMap, header_key
from govcloud.discovery.workbook import Sheet

_HEADER_ROWS = 15
_MIN_GROUPS = 2
_MIN_KNOWN = 2
"""Known columns under one group: fewer are an ordinary table whose words happen to be a network's."""

_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Group:
    heading: str
    """Its key."""
    columns: range


def ungroup(sheet: Sheet, maps: Sequence[ColumnMap]) -> Sheet:
    """The sheet with one row a group, or the sheet itself where it has no groups that a map knows."""
    for column_map in maps:
        if column_map.groups:
            for number in range(min(_HEADER_ROWS, len(sheet.rows) - 1)):
                groups = _groups(sheet.rows[number], column_map)
                if len({g.heading for g in groups}) >= _MIN_GROUPS and _known(sheet, number + 1, groups, column_map):
                    return _Spread(sheet, column_map, number, groups).build()
    return sheet


def _groups(row: Sequence[RawCell], column_map: ColumnMap) -> list[_Group]:
    """Runs of columns under one heading. Only the first cell of a run needs to hold it, merged or not."""
    wanted = {header_key(heading): heading for heading in column_map.groups}
    found: list[_Group] = []
    heading, start = None, 0
    for index, cell in enumerate([*row, None]):
        key = header_key(cell_text(cell))
        if index < len(row) and (not key or wanted.get(key) == heading is not None):
            continue
        if heading is not None:
            found.append(_Group(heading, range(start, index)))
        heading, start = wanted.get(key), index
    return found


def _known(sheet: Sheet, number: int, groups: Sequence[_Group], column_map: ColumnMap) -> bool:
    row = sheet.rows[number]
    return all(
        sum(1 for i in g.columns if i < len(row) and column_map.find(cell_text(row[i]))) >= _MIN_KNOWN for g in groups
    )


class _Spread:
    def __init__(self, sheet: Sheet, column_map: ColumnMap, number: int, groups: Sequence[_Group]) -> None:
        self.sheet, self.map, self.number, self.groups = sheet, column_map, number, groups
        self.titles = {c.field: c.title.zh for c in column_map.columns}
        under = {index for group in groups for index in group.columns}
        width = max(len(row) for row in sheet.rows)
        self.single = [index for index in range(width) if index not in under]
        self.inner = list(dict.fromkeys(h for group in groups for _, h in self._headers(group)))
        self.fixed = list(dict.fromkeys(f for group in groups for f in column_map.groups[group.heading]))

    def build(self) -> Sheet:
        rows: list[list[RawCell]] = [list(row) for row in self.sheet.rows[: self.number]]
        origin = {place: cell for place, cell in self.sheet.origin.items() if place[0] < self.number}
        header: list[tuple[RawCell, _Place]] = [
            *((self._header(index), (self.number + 1, index)) for index in self.single),
            *((cell_text(self._cell(place)), place) for place in map(self._title_place, self.inner)),
            *((self.titles[field], (self.number, self.groups[0].columns.start)) for field in self.fixed),
        ]
        data = range(self.number + 2, len(self.sheet.rows))
        spread = [row for number in data for group in self.groups if (row := self._row(number, group))]
        # In the place of the headings over the groups: the header keeps its row, and no cell seems merged into it.
        rows.append([])
        for row in [header, *spread]:
            for column, (_, place) in enumerate(row):
                origin[(len(rows), column)] = self.sheet.origin.get(place, place)
            rows.append([cell for cell, _ in row])
        return dataclasses.replace(self.sheet, rows=rows, origin=origin)

    def _row(self, number: int, group: _Group) -> list[tuple[RawCell, _Place]] | None:
        """None: the department says that it has no such network, or says nothing of it."""
        said = {key: (number, index) for index, key in self._headers(group)}
        if all(is_blank(self._cell(place)) for place in said.values()) or self._absent(said):
            return None
        heading = (self.number, group.columns.start)
        fixed = self.map.groups[group.heading]
        return [
            *((self._cell((number, index)), (number, index)) for index in self.single),
            *((self._cell(said[key]), said[key]) if key in said else (None, heading) for key in self.inner),
            *((fixed.get(field), heading) for field in self.fixed),
        ]

    def _absent(self, said: dict[str, _Place]) -> bool:
        column = next((c for c in self.map.columns if c.field == self.map.present), None)
        place = next((said[k] for k in said if column and self.map.by_wording.get(k) is column), None)
        if column is None or place is None or is_blank(self._cell(place)):
            return False
        return PARSERS[column.type](self._cell(place), Hint(words=column.words)).value is False

    def _headers(self, group: _Group) -> list[tuple[int, str]]:
        found = ((index, header_key(cell_text(self._cell((self.number + 1, index))))) for index in group.columns)
        return [(index, key) for index, key in found if key]

    def _title_place(self, key: str) -> _Place:
        """In the first group that has it: a unit in its brackets counts."""
        places = ((self.number + 1, index) for group in self.groups for index, k in self._headers(group) if k == key)
        return next(places)

    def _header(self, index: int) -> RawCell:
        """Of a column without a group: merged over both header rows, or written in one of them."""
        return self._cell((self.number + 1, index)) or self._cell((self.number, index))

    def _cell(self, place: _Place) -> RawCell:
        row = self.sheet.rows[place[0]]
        return row[place[1]] if place[1] < len(row) else None
