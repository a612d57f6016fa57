"""What the files of other tools look like: their tables and headings, as data (inventory/exports/*.yaml)."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from govcloud import resources
from govcloud.discovery.exports.values import PARSERS
from govcloud.discovery.raw_cells import cell_text, fold
from govcloud.discovery.workbook import Sheet
from govcloud.errors import InputError
from govcloud.model.collect import SheetKind
from govcloud.model.observation import Source
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

KINDS: tuple[SheetKind, ...] = (
    "rvtools", "aws_ads", "azure_servers", "azure_dependencies", "google_mc", "konveyor", "netbox",
)  # fmt: skip
_HEADER_ROWS = 5
"""Exports have their headings in the first row; somebody may have put a title above."""
_NUMBERED = "{n}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    field: str
    """`server.memory_gib`: the subject and its field; `row.*` only helps to read the row (a join key, a filter)."""
    type: str
    """A key of values.PARSERS; it carries the unit: `mib` is what the heading or the tool's documentation states."""
    headers: tuple[str, ...]
    """Wordings; case, blanks, `_`, a leading `*` and `(optional)` don't matter. `{n}` stands for a number."""
    required: bool = False
    """A row without it is not taken."""
    strict: bool = False
    """A row whose cell can't be read is not taken; it may be blank."""
    words: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """For type `words`: value -> words that mean it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    name: str
    """Of the tab or the file, as the tool calls it: `vInfo`, `perfInfo`, `VirtualMachine`."""
    title: Text
    needs: tuple[str, ...]
    """Fields without which a sheet is not taken for this table, unless the user says so; `a|b` is either."""
    columns: tuple[Column, ...]
    unread: tuple[str, ...] = ()
    """Headings of the tool that the inventory has no use for: known, so that they are not reported."""
    order: tuple[str, ...] = ()
    """Headings by position, where the tool itself goes by it: used when the user names the tool and no heading is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLayout:
    kind: SheetKind
    source: Source
    title: Text
    tables: tuple[TableLayout, ...]
    other_tabs: tuple[str, ...] = ()
    """Tabs of the tool that are not read, by name."""


@dataclass(frozen=True, slots=True)
class FoundColumn:
    index: int
    column: Column
    number: int | None
    """Of a `{n}` heading."""
    header: str


@dataclass(frozen=True, slots=True)
class FoundTable:
    layout: TableLayout
    sheet: Sheet
    header_row: int
    columns: tuple[FoundColumn, ...]
    unknown: tuple[str, ...]
    """`C1 Heading` of headings that the tool is not known to have."""
    score: int
    """How many headings are known."""


def load_exports(folder: Path | None = None) -> tuple[tuple[ExportLayout, ...], str]:
    """All layouts, and a digest over them: a file read with other layouts is another reading. Raises InputError."""
    return _load_exports(folder or resources.folder("inventory") / "exports")


@functools.cache
def _load_exports(base: Path) -> tuple[tuple[ExportLayout, ...], str]:
    digest = hashlib.sha256()
    layouts = []
    for kind in KINDS:
        path = base / f"{kind}.yaml"
        document = load_yaml(path)
        digest.update(path.read_bytes())
        layouts.append(_parse_layout(document, str(path)))
    return tuple(layouts), digest.hexdigest()


def _parse_layout(document: object, name: str) -> ExportLayout:
    try:
        layout = msgspec.convert(document, ExportLayout)
    except msgspec.ValidationError as error:
        raise InputError(
            Text("导出文件的格式描述不合要求：{why}", "Not a valid description of an export: {why}").format(why=error),
            where=name,
        ) from None
    for column in (c for table in layout.tables for c in table.columns):
        if column.type not in PARSERS:
            raise InputError(
                Text("列 {f} 的类型未知：{t}", "Column {f} has an unknown type: {t}").format(
                    f=column.field, t=column.type
                ),
                where=name,
                next_step=Text("可用：{t}", "Use one of: {t}").format(t=", ".join(PARSERS)),
            )
    return layout


@functools.cache
def header_key(header: str) -> str:
    """What is compared: `*Memory (In MB)` -> `memory(inmb)`, `virtual_machine` and `Virtual Machine` -> `virtualmachine`."""
    return fold(header).replace("_", "").lstrip("*").removesuffix("(optional)")


class _Headings:
    """The headings of one table, prepared for looking up."""

    def __init__(self, layout: TableLayout) -> None:
        self.plain: dict[str, Column] = {}
        self.numbered: list[tuple[re.Pattern[str], Column | None]] = []
        self.unread: set[str] = set()
        for column in layout.columns:
            for header in column.headers:
                if _NUMBERED in header:
                    self.numbered.append((_numbered(header), column))
                else:
                    self.plain.setdefault(header_key(header), column)
        for header in layout.unread:
            if _NUMBERED in header:
                self.numbered.append((_numbered(header), None))
            else:
                self.unread.add(header_key(header))

    def find(self, header: str) -> tuple[Column | None, int | None] | None:
        """(column, its number), (None, …) for one that is known and not read, None for an unknown one."""
        key = header_key(header)
        if column := self.plain.get(key):
            return column, None
        if key in self.unread:
            return None, None
        for pattern, numbered in self.numbered:
            if found := pattern.fullmatch(key):
                return numbered, int(found[1])
        return None


def _numbered(header: str) -> re.Pattern[str]:
    return re.compile(re.escape(header_key(header)).replace(r"\{n\}", r"(\d{1,3})"))


@functools.cache
def _headings(base: Path, kind: SheetKind, name: str) -> _Headings:
    layout = next(e for e in _load_exports(base)[0] if e.kind == kind)
    return _Headings(next(t for t in layout.tables if t.name == name))


def find_table(
    sheet: Sheet, layout: ExportLayout, *, told: bool = False, folder: Path | None = None
) -> FoundTable | None:
    """The table of the tool that the sheet is; `told`: the user named the tool, so only what a row needs is asked for."""
    base = folder or resources.folder("inventory") / "exports"
    best: FoundTable | None = None
    for header_row, row in enumerate(sheet.rows[:_HEADER_ROWS]):
        headers = [(index, cell_text(cell)) for index, cell in enumerate(row)]
        headers = [(index, text) for index, text in headers if text]
        for table in layout.tables:
            found = _match(sheet, header_row, headers, table, _headings(base, layout.kind, table.name), told)
            if found is not None and (best is None or _rank(found) > _rank(best)):
                best = found
    return best or (_by_position(sheet, layout, base) if told else None)


def _by_position(sheet: Sheet, layout: ExportLayout, base: Path) -> FoundTable | None:
    for table in layout.tables:
        if table.order and sheet.rows and len(sheet.rows[0]) >= len(table.order):
            headers = list(enumerate(table.order))
            return _match(sheet, 0, headers, table, _headings(base, layout.kind, table.name), True)
    return None


def _rank(found: FoundTable) -> tuple[bool, int]:
    """The name of the tab decides between tables that have the same headings."""
    return is_named(found.sheet, found.layout.name), found.score


def is_named(sheet: Sheet, name: str) -> bool:
    """Whether the sheet is called as the tool calls the table: `vInfo`, or the file `RVTools_tabvInfo.csv`."""
    key = header_key(sheet.name)
    return key == header_key(name) or key.endswith("tab" + header_key(name))


def _match(
    sheet: Sheet,
    header_row: int,
    headers: Sequence[tuple[int, str]],
    table: TableLayout,
    headings: _Headings,
    told: bool,
) -> FoundTable | None:
    columns: list[FoundColumn] = []
    unknown: list[str] = []
    seen: set[tuple[str, int | None]] = set()
    score = 0
    for index, header in headers:
        known = headings.find(header)
        if known is not None and (known[0] is None or (known[0].field, known[1]) not in seen):
            score += 1
            column, number = known
            if column is not None:
                seen.add((column.field, number))
                columns.append(FoundColumn(index, column, number, header))
            continue
        unknown.append(f"{column_letters(index)}{header_row + 1} {' '.join(header.split())}")
    fields = {c.column.field for c in columns}
    required = {c.field for c in table.columns if c.required}
    if not required <= fields or not columns:
        return None
    if not told and (score * 2 < len(headers) or not all(fields & set(need.split("|")) for need in table.needs)):
        return None
    return FoundTable(table, sheet, header_row, tuple(columns), tuple(unknown), score)


def column_letters(index: int) -> str:
    """`A` for 0, `AA` for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
