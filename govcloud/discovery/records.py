"""Rows of a survey form as observations: who is spoken of, and what is said. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from govcloud.discovery.cells import fold
from govcloud.discovery.columns import ColumnMap
from govcloud.discovery.tables import Row, Table, find_table, read_rows
from govcloud.discovery.workbook import Workbook
from govcloud.errors import InputError
from govcloud.model.collect import RowError, SheetKind, SheetReading
from govcloud.model.ids import build_id
from govcloud.model.inventory import Observation, SubjectKind, Value
from govcloud.model.text import Text

SOURCE = "workbook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    sheets: tuple[SheetReading, ...]
    observations: tuple[Observation, ...]


@dataclass
class _Book:
    """State over the rows of one file: a code may be given to one system only."""

    file: str
    at: datetime
    names: dict[str, tuple[str, str]] = field(default_factory=dict)


def read_workbook(
    workbook: Workbook, maps: Sequence[ColumnMap], *, at: datetime, kind: SheetKind | None = None
) -> Reading:
    """Every table of the workbook. Raises InputError when no sheet holds a known table."""
    file = workbook.path.name
    book = _Book(file=file, at=at)
    sheets: list[SheetReading] = []
    observations: list[Observation] = []
    for sheet in workbook.sheets:
        table = find_table(sheet, maps, kind)
        if table is None:
            sheets.append(SheetReading(file=file, sheet=sheet.name, kind=None))
            continue
        reading, found = _read_table(book, table)
        sheets.append(reading)
        observations += found
    if not any(s.kind for s in sheets):
        raise InputError(
            Text("没有认出任何调查表", "No known survey form was found in it"),
            where=str(workbook.path),
            next_step=Text(
                "表头要在前 15 行内；可用 --as 指明类型：{k}",
                "The header must be in the first 15 rows; --as names the kind: {k}",
            ).format(k=", ".join(m.kind for m in maps)),
        )
    return Reading(sheets=tuple(sheets), observations=tuple(observations))


def _read_table(book: _Book, table: Table) -> tuple[SheetReading, list[Observation]]:
    problems: list[RowError] = []
    observations: list[Observation] = []
    rows = taken = 0
    for row in read_rows(book.file, table):
        rows += 1
        build = _Builder(book, table, row)
        found = list(_BUILD[table.kind](build))
        faults = (*row.errors, *build.faults)
        problems += faults
        if all(p.taken for p in faults):
            taken += 1
            observations += found
    reading = SheetReading(
        file=book.file, sheet=table.sheet.name, kind=table.kind, rows=rows, taken=taken,
        # A merged cell that can't be read is met once a row.
        problems=tuple(dict.fromkeys(problems)), unknown_columns=table.unknown,
    )  # fmt: skip
    return reading, observations


class _Builder:
    """One row on its way to observations."""

    def __init__(self, book: _Book, table: Table, row: Row) -> None:
        self.book, self.table, self.row = book, table, row
        self.faults: list[RowError] = []

    def text(self, name: str) -> str:
        value = self.row.values.get(name)
        return value if isinstance(value, str) else ""

    def tuple(self, name: str) -> tuple[str, ...]:
        value = self.row.values.get(name)
        return tuple(str(v) for v in value) if isinstance(value, (tuple, list)) else ()

    def department(self, name: str) -> str:
        """From the row, or what the form says above its header."""
        return self.text(name) or self.table.department or ""

    def say(self, kind: SubjectKind, subject_id: str, name: str, value: Value, cell: str) -> Observation:
        return Observation(
            subject_kind=kind, subject_id=subject_id, field=name, value=value, source=SOURCE,
            locator=f"{self.book.file}!{self.table.sheet.name}!{cell}", observed_at=self.book.at,
        )  # fmt: skip

    def say_all(self, prefix: SubjectKind, subject_id: str, skip: Sequence[str] = ()) -> Iterator[Observation]:
        """Every plain field of the row about this kind of subject."""
        for name, value in self.row.values.items():
            kind, _, field_name = name.partition(".")
            if kind == prefix and field_name not in skip:
                yield self.say(prefix, subject_id, field_name, value, self.row.cells[name])

    def say_department(self, kind: SubjectKind, subject_id: str, department: str) -> Iterator[Observation]:
        """The department as a subject of its own, and as a field where the form states it above the header."""
        if department:
            cell = self.row.cells.get(f"{kind}.department", f"{self.row.number}")
            yield self.say("department", build_id("D", department), "name", department, cell)
            if not self.text(f"{kind}.department"):
                yield self.say(kind, subject_id, "department", department, cell)

    def problem(self, name: str, expected: Text, *, taken: bool) -> None:
        self.faults.append(
            RowError(
                file=self.book.file,
                sheet=self.table.sheet.name,
                cell=self.row.cells[name],
                read=str(self.row.values[name])[:80],
                expected=expected,
                taken=taken,
            )
        )


def _census(row: _Builder) -> Iterator[Observation]:
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
    servers = _server_ids(row, department)
    yield from row.say_all("system", system_id, skip=("system_id",))
    yield from row.say_department("system", system_id, department)
    if servers:
        cell = row.row.cells.get("server.addresses") or row.row.cells["server.name"]
        yield row.say("system", system_id, "servers", tuple(s.server_id for s in servers), cell)
    for server in servers:
        yield from _server(row, server, department, alone=len(servers) == 1)


def _servers(row: _Builder) -> Iterator[Observation]:
    department = row.department("server.department")
    servers = _server_ids(row, department)
    for server in servers:
        yield from _server(row, server, department, alone=len(servers) == 1)
        yield from row.say_department("server", server.server_id, department)


@dataclass(frozen=True, slots=True)
class _ServerRef:
    server_id: str
    name: str | None
    addresses: tuple[str, ...]


def _server_ids(row: _Builder, department: str) -> list[_ServerRef]:
    """Which machines the row's name and address cells mean: pairs, one name with several addresses, or one of both."""
    names, addresses = row.tuple("server.name"), row.tuple("server.addresses")
    groups: list[tuple[str | None, tuple[str, ...]]]
    if len(names) > 1 and addresses and len(names) != len(addresses):
        row.problem(
            "server.name",
            Text("与 IP 地址个数相同的服务器名称，依次对应", "as many server names as addresses, in the same order"),
            taken=False,
        )
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


def _server(row: _Builder, server: _ServerRef, department: str, *, alone: bool) -> Iterator[Observation]:
    cells = row.row.cells
    where = cells.get("server.addresses") or cells["server.name"]
    yield row.say(
        "server", server.server_id, "name", server.name or server.addresses[0], cells.get("server.name", where)
    )
    if server.addresses:
        yield row.say("server", server.server_id, "addresses", server.addresses, where)
    if department and "server.department" not in row.row.values:
        cell = cells.get("system.department", str(row.row.number))
        yield row.say("server", server.server_id, "department", department, cell)
    hardware = ("cpu_memory", "cpu_count", "memory_gib", "disk_gib")
    if not alone and any(f"server.{h}" in row.row.values for h in hardware):
        stated = next(f"server.{h}" for h in hardware if f"server.{h}" in row.row.values)
        row.problem(
            stated,
            Text("多台服务器时分行填写；此处配置未采用", "one row a server where there are several; this was not used"),
            taken=True,
        )
    skip = ["name", "addresses", "os", "cpu_memory", *(() if alone else hardware)]
    yield from row.say_all("server", server.server_id, skip=skip)
    yield from _pair(row, server.server_id, "server.os", ("os_name", "os_version"))
    if alone:
        yield from _pair(row, server.server_id, "server.cpu_memory", ("cpu_count", "memory_gib"))


def _pair(row: _Builder, subject_id: str, name: str, fields: tuple[str, str]) -> Iterator[Observation]:
    """One cell that states two fields."""
    value = row.row.values.get(name)
    if isinstance(value, (tuple, list)):
        for field_name, part in zip(fields, value, strict=True):
            if part is not None:
                yield row.say("server", subject_id, field_name, part, row.row.cells[name])


def _networks(row: _Builder) -> Iterator[Observation]:
    name, department = row.text("network.name"), row.department("network.department")
    network_id = build_id("N", department, name)
    yield from row.say_all("network", network_id)
    yield from row.say_department("network", network_id, department)


def _dependencies(row: _Builder) -> Iterator[Observation]:
    source, target = row.text("dependency.source_id"), row.text("dependency.target_id")
    if source and fold(source) == fold(target):
        row.problem("dependency.target_id", Text("另一个系统", "another system"), taken=False)
    # A row is one statement: two ways of depending on the same system are not two opinions about one.
    dependency_id = build_id(
        "L", source, target, row.text("dependency.kind"), str(row.row.values.get("dependency.port"))
    )
    yield from row.say_all("dependency", dependency_id)


def _projects(row: _Builder) -> Iterator[Observation]:
    name, department = row.text("project.name"), row.department("project.department")
    project_id = row.text("project.number") or build_id("P", department, name)
    yield from row.say_all("project", project_id)
    yield from row.say_department("project", project_id, department)


_BUILD: Mapping[SheetKind, Callable[[_Builder], Iterator[Observation]]] = {
    "census": _census, "servers": _servers, "networks": _networks, "dependencies": _dependencies, "projects": _projects,
}  # fmt: skip
