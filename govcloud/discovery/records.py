"""Rows of a survey form as statements: who is spoken of, and what is said. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from govcloud.discovery.cells import cell_text, fold
from govcloud.discovery.columns import ColumnMap
from govcloud.discovery.groups import ungroup
from govcloud.discovery.tables import Row, Table, find_tables, read_rows
from govcloud.discovery.workbook import Sheet, Workbook
from govcloud.errors import InputError
from govcloud.model.collect import RowError, SheetKind, SheetReading
from govcloud.model.ids import build_id
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.text import Text

SOURCE = "workbook"
PORTION = 5_000
"""Statements that are sent at once while a large workbook is still being read."""
MAX_PROBLEMS = 5_000
"""A sheet: more of them tell nobody anything, and a column of wrong type would drown the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    sheets: tuple[SheetReading, ...]
    statements: tuple[Statement, ...]


@dataclass(slots=True)
class _Book:
    """State over the rows of one file: a code may be given to one system only."""

    file: str
    at: datetime
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Folded system id -> name and cell that had it first."""
    rows: dict[tuple[str, str], str] = field(default_factory=dict)
    """(sheet, what the row is about) -> cell of the first row about it."""
    departments: set[tuple[str, str]] = field(default_factory=set)
    """(sheet, department id) that have been told."""


def read_workbook(
    workbook: Workbook,
    maps: Sequence[ColumnMap],
    *,
    at: datetime,
    kind: SheetKind | None = None,
    send: Callable[[Sequence[Statement]], None] | None = None,
) -> Reading:
    """Every table of the workbook. Raises InputError when no sheet holds a known table.

    `send` gets the statements in portions as they are made, all but the last portion, which is in the result; after an
    InputError they count for nothing.
    """
    file = workbook.path.name
    book = _Book(file=file, at=at)
    sheets: list[SheetReading] = []
    statements: list[Statement] = []
    for sheet in workbook.sheets:
        tables = find_tables(ungroup(sheet, maps), maps, kind)
        if not tables:
            sheets.append(SheetReading(file=file, sheet=sheet.name, kind=None))
        for number, table in enumerate(tables):
            notes = _sheet_notes(file, sheet) if number == 0 else []
            reading = _read_table(book, table, notes, statements, send)
            # A header that is printed again on every page is one table.
            if number and sheets[-1].sheet == sheet.name and sheets[-1].kind == table.kind:
                reading = _joined(sheets.pop(), reading)
            sheets.append(reading)
    sheets += [_hidden(file, name) for name in workbook.hidden]
    if not any(s.kind for s in sheets):
        raise InputError(
            Text("没有认出任何调查表", "No known survey form was found in it"),
            where=str(workbook.path),
            next_step=Text(
                "表头要在前 15 行内；可用 --as 指明类型：{k}",
                "The header must be in the first 15 rows; --as names the kind: {k}",
            ).format(k=", ".join(dict.fromkeys(m.kind for m in maps))),
        )
    return Reading(sheets=tuple(sheets), statements=tuple(statements))


def _sheet_notes(file: str, sheet: Sheet) -> list[RowError]:
    """Rows that a filter or a hand has hidden are read like the others; that is said once a sheet."""
    if not sheet.hidden_rows:
        return []
    shown = "、".join(map(str, sheet.hidden_rows[:10])) + ("…" if len(sheet.hidden_rows) > 10 else "")
    expected = Text("隐藏的行也已读取，请核对是否应当上报", "hidden rows were read, too; check whether they should be")
    return [
        RowError(
            file=file, sheet=sheet.name, cell=f"A{sheet.hidden_rows[0]}", read=shown, expected=expected, taken=True
        )
    ]


def _hidden(file: str, name: str) -> SheetReading:
    expected = Text("隐藏的工作表没有读；要读请取消隐藏", "a hidden sheet is not read; unhide it to have it read")
    problem = RowError(file=file, sheet=name, cell="A1", read="", expected=expected, taken=True)
    return SheetReading(file=file, sheet=name, kind=None, problems=(problem,))


def _joined(first: SheetReading, second: SheetReading) -> SheetReading:
    return SheetReading(
        file=first.file, sheet=first.sheet, kind=first.kind, rows=first.rows + second.rows, taken=first.taken + second.taken,
        problems=first.problems + second.problems,
        unknown_columns=tuple(dict.fromkeys(first.unknown_columns + second.unknown_columns)),
    )  # fmt: skip


def _read_table(
    book: _Book,
    table: Table,
    notes: list[RowError],
    statements: list[Statement],
    send: Callable[[Sequence[Statement]], None] | None,
) -> SheetReading:
    problems: dict[RowError, None] = dict.fromkeys(notes)
    rows = taken = 0
    build = _BUILD[table.kind]
    for row in read_rows(book.file, table):
        faults = row.errors
        if row.values:
            rows += 1
            builder = _Builder(book, table, row)
            if _takes(faults):
                build(builder)
                faults = faults + builder.faults
            if _takes(faults):
                taken += 1
                statements += builder.statements()
                if send is not None and len(statements) >= PORTION:
                    send(statements)
                    statements.clear()
        elif not _takes(faults):
            rows += 1
        if faults and len(problems) < MAX_PROBLEMS:
            # A merged cell that can't be read is met once a row.
            problems.update(dict.fromkeys(faults))
    return SheetReading(
        file=book.file, sheet=table.sheet.name, kind=table.kind, rows=rows, taken=taken,
        problems=tuple(problems), unknown_columns=table.unknown,
    )  # fmt: skip


def _takes(faults: Sequence[RowError]) -> bool:
    return not faults or all(p.taken for p in faults)


@lru_cache(maxsize=1024)
def _split(name: str) -> tuple[str, str]:
    kind, _, field_name = name.partition(".")
    return kind, field_name


_cached_id = lru_cache(maxsize=4096)(build_id)


class _Builder:
    """One row on its way to statements, one a subject."""

    __slots__ = ("_said", "book", "faults", "row", "table")

    def __init__(self, book: _Book, table: Table, row: Row) -> None:
        self.book, self.table, self.row = book, table, row
        self.faults: list[RowError] = []
        self._said: dict[tuple[SubjectKind, str], tuple[dict[str, Value], dict[str, str]]] = {}

    def text(self, name: str) -> str:
        value = self.row.values.get(name)
        return value if isinstance(value, str) else ""

    def listed(self, name: str) -> tuple[str, ...]:
        value = self.row.values.get(name)
        return tuple(str(v) for v in value) if isinstance(value, (tuple, list)) else ()

    def department(self, name: str) -> str:
        """From the row, or what the form says above its header."""
        return self.text(name) or self.table.department or ""

    def said(self, kind: SubjectKind, subject_id: str) -> tuple[dict[str, Value], dict[str, str]]:
        """The values and cells of the statement about this subject, to be filled in."""
        found = self._said.get((kind, subject_id))
        if found is None:
            found = self._said[(kind, subject_id)] = ({}, {})
        return found

    def say(self, kind: SubjectKind, subject_id: str, name: str, value: Value, cell: str) -> None:
        values, cells = self.said(kind, subject_id)
        values[name], cells[name] = value, cell

    def statements(self) -> Iterator[Statement]:
        place = f"{self.book.file}!{self.table.sheet.name}!"
        for (kind, subject_id), (values, cells) in self._said.items():
            if kind == "department":
                if (place, subject_id) in self.book.departments:
                    continue
                self.book.departments.add((place, subject_id))
            yield Statement(
                subject_kind=kind, subject_id=subject_id, source=SOURCE, place=place, observed_at=self.book.at,
                values=values, cells=cells,
            )  # fmt: skip

    def say_all(self, prefix: SubjectKind, subject_id: str, skip: Sequence[str] = ()) -> None:
        """Every plain field of the row about this kind of subject."""
        values, cells = self.said(prefix, subject_id)
        for name, value in self.row.values.items():
            kind, field_name = _split(name)
            if kind == prefix and field_name not in skip:
                values[field_name], cells[field_name] = value, self.row.cells[name]

    def say_department(self, kind: SubjectKind, subject_id: str, department: str) -> None:
        """The department as a subject of its own, and as a field where the form states it above the header."""
        if department:
            cell = self.row.cells.get(f"{kind}.department", self.table.department_cell)
            self.say("department", _cached_id("D", department), "name", department, cell)
            if not self.text(f"{kind}.department"):
                self.say(kind, subject_id, "department", department, cell)

    def problem(self, name: str, expected: Text, *, taken: bool, left_out: bool = False) -> None:
        index = next(i for i, c in self.table.columns.items() if c.field == name)
        read = cell_text(self.table.sheet.rows[self.row.number - 1][index])
        self.faults.append(
            RowError(
                file=self.book.file, sheet=self.table.sheet.name, cell=self.row.cells[name], read=read[:80],
                expected=expected, taken=taken, left_out=left_out,
            )
        )  # fmt: skip

    def tell_twice(self, name: str, about: str) -> None:
        """Say it when an earlier row of the sheet is about the same thing; a merged cell is one row in this respect."""
        if self.faults:
            return
        cell = self.row.cells[name]
        first = self.book.rows.setdefault((self.table.sheet.name, about), cell)
        if first != cell:
            self.problem(
                name,
                Text("不与 {c} 重复：两行都已读取，请核对留哪一行", "not the same as {c}: both rows were read; check which one is right")
                .format(c=first), taken=True,
            )  # fmt: skip


def _census(row: _Builder) -> None:
    name, department = row.text("system.name"), row.department("system.department")
    code = row.text("system.system_id")
    system_id = code or build_id("S", department, name)
    first = row.book.names.setdefault(fold(system_id), (name, row.row.cells.get("system.name", "")))
    if code and fold(first[0]) != fold(name):
        row.problem(
            "system.system_id",
            Text("不与 {cell} 的“{name}”重复的编号", "a code that {cell} ({name}) does not have").format(
                cell=first[1], name=first[0]
            ),
            taken=False,
        )
    servers = _server_ids(row, department, rejects=False)
    named = "system.name" if not code else "system.system_id"
    # One row a server of the same system is usual; twice the same, or twice without a server, is not.
    row.tell_twice(named, "\x1f".join((fold(system_id), *(s.server_id for s in servers))))
    row.say_all("system", system_id, skip=("system_id",))
    row.say_department("system", system_id, department)
    if servers:
        cell = row.row.cells.get("server.addresses") or row.row.cells["server.name"]
        row.say("system", system_id, "servers", tuple(s.server_id for s in servers), cell)
    for server in servers:
        _server(row, server, department, alone=len(servers) == 1)


def _servers(row: _Builder) -> None:
    department = row.department("server.department")
    servers = _server_ids(row, department, rejects=True)
    if servers:
        row.tell_twice("server.addresses" if servers[0].addresses else "server.name", servers[0].server_id)
    for server in servers:
        _server(row, server, department, alone=len(servers) == 1)
        row.say_department("server", server.server_id, department)


_NAMED = ("server.name", "server.addresses")
_PARTS: Mapping[str, Sequence[str]] = {
    "server.os": ("os_name", "os_version"), "server.cpu_memory": ("cpu_count", "memory_gib", "disk_gib"),
}  # fmt: skip
"""Columns whose cells state several fields."""
_OF_ONE_MACHINE = (
    "server.cpu_memory", "server.cpu_count", "server.memory_gib", "server.disk_gib", "server.uuid", "server.serial",
    "server.macs",
)  # fmt: skip
"""What can't be told apart where a row has several machines."""


@dataclass(frozen=True, slots=True)
class _ServerRef:
    server_id: str
    name: str | None
    addresses: tuple[str, ...]


def _server_ids(row: _Builder, department: str, *, rejects: bool) -> list[_ServerRef]:
    """Which machines the row's name and address cells mean: pairs, one name with several addresses, or one of both."""
    names, addresses = row.listed("server.name"), row.listed("server.addresses")
    groups: list[tuple[str | None, tuple[str, ...]]]
    if len(names) > 1 and addresses and len(names) != len(addresses):
        row.problem(
            "server.name",
            Text("与 IP 地址个数相同的服务器名称，依次对应", "as many server names as addresses, in the same order"),
            taken=not rejects, left_out=not rejects,
        )  # fmt: skip
        return []
    if len(names) == 1:
        groups = [(names[0], addresses)]
    elif names:
        groups = [(n, addresses[i : i + 1]) for i, n in enumerate(names)]
    else:
        groups = [(None, (a,)) for a in addresses]
    return [
        _ServerRef(build_id("V", department, *(a[:1] or (n or "",))), n, a) for n, a in groups
    ]  # fmt: skip


def _server(row: _Builder, server: _ServerRef, department: str, *, alone: bool) -> None:
    stated, where = row.row.values, row.row.cells
    first = where.get("server.addresses") or where["server.name"]
    values, cells = row.said("server", server.server_id)
    values["name"], cells["name"] = server.name or server.addresses[0], where.get("server.name", first)
    if server.addresses:
        values["addresses"], cells["addresses"] = server.addresses, first
    if department and "server.department" not in stated:
        values["department"] = department
        cells["department"] = where.get("system.department", row.table.department_cell)
    if not alone and (name := next((n for n in _OF_ONE_MACHINE if n in stated), None)):
        row.problem(
            name,
            Text("多台服务器时分行填写；此处内容未采用", "one row a server where there are several; this was not used"),
            taken=True, left_out=True,
        )  # fmt: skip
    for name, value in stated.items():
        kind, field_name = _split(name)
        if kind != "server" or name in _NAMED or (not alone and name in _OF_ONE_MACHINE):
            continue
        if (parts := _PARTS.get(name)) is None:
            values[field_name], cells[field_name] = value, where[name]
        elif isinstance(value, tuple):
            for part_name, part in zip(parts, value, strict=False):
                # A column of its own says it better.
                if part is not None and f"server.{part_name}" not in stated:
                    values[part_name], cells[part_name] = part, where[name]


def _networks(row: _Builder) -> None:
    name, department = row.text("network.name"), row.department("network.department")
    network_id = build_id("N", department, name)
    row.say_all("network", network_id)
    row.say_department("network", network_id, department)


def _dependencies(row: _Builder) -> None:
    source, target = row.text("dependency.source_id"), row.text("dependency.target_id")
    if source and fold(source) == fold(target):
        row.problem("dependency.target_id", Text("另一个系统", "another system"), taken=False)
    port = row.row.values.get("dependency.port")
    if isinstance(port, int) and not 0 < port < 65_536:
        row.problem("dependency.port", Text("1 至 65535 的端口", "a port from 1 to 65535"), taken=True, left_out=True)
        del row.row.values["dependency.port"]
    # A row is one statement: two ways of depending on the same system are not two opinions about one.
    dependency_id = build_id(
        "L", source, target, row.text("dependency.kind"), str(row.row.values.get("dependency.port"))
    )
    row.say_all("dependency", dependency_id)


def _projects(row: _Builder) -> None:
    name, department = row.text("project.name"), row.department("project.department")
    project_id = row.text("project.number") or build_id("P", department, name)
    row.say_all("project", project_id)
    row.say_department("project", project_id, department)


_BUILD: Mapping[SheetKind, Callable[[_Builder], None]] = {
    "census": _census, "servers": _servers, "networks": _networks, "dependencies": _dependencies, "projects": _projects,
}  # fmt: skip
