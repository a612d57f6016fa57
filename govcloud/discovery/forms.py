"""What the inventory knows, as rows of a survey form: the way back from values to cells. Pure.

A cell is filled in only when reading it again gives the value that it was made from, so a department that sends the
form back as it is changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from govcloud.discovery.cells import PARSERS, Hint, RawCell, fold, is_blank
from govcloud.discovery.columns import ColumnMap, ColumnSpec, header_unit
from govcloud.discovery.project_lines import render_budget_line, render_change
from govcloud.model.ids import normalize
from govcloud.model.inventory import Dependency, Inventory, Network, Project, System
from govcloud.model.server import Server

FormRow = Mapping[str, RawCell]
"""Field of a column -> its cell."""

T = TypeVar("T", System, Server, Network, Project)
_LEVELS = "一二三四五"
_SCALES = {"万": 1e4, "亿": 1e8}


def build_form_rows(inventory: Inventory, column_map: ColumnMap, department: str | None) -> tuple[FormRow, ...]:
    """One row a subject of the form's kind, of one department or of all; sorted by department and id."""
    rows = _ROWS[column_map.kind](inventory, _Labels(inventory), _of(department))
    columns = {c.field: c for c in column_map.columns}
    return tuple(
        {f: cell for f, value in row.items() if f in columns and (cell := render_cell(columns[f], value)) is not None}
        for row in rows
    )


def render_cell(column: ColumnSpec, value: object) -> RawCell:
    """The cell that a person would write for the value; None where none would be read back as the same."""
    hint = Hint(unit=header_unit(column.title.zh), words=column.words)
    cell = "无" if value == "" else _WRITTEN.get(column.type, _text)(value, hint)
    if cell is None or is_blank(cell):
        return None
    read = PARSERS[column.type](cell, hint)
    said = value.isoformat() if isinstance(value, date) else value
    same = (
        list(read.value) == list(said)
        if isinstance(said, tuple) and isinstance(read.value, (tuple, list))
        else read.value == said
    )
    return cell if same and read.note is None else None


def _text(value: object, hint: Hint) -> RawCell:
    return value if isinstance(value, str) else None


def _number(value: object, hint: Hint) -> RawCell:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    scaled = value / _SCALES.get(hint.unit or "", 1)
    return int(scaled) if float(scaled).is_integer() else scaled


def _percent(value: object, hint: Hint) -> RawCell:
    # With its sign: a bare number up to 1 would be taken for a cell formatted as a percentage.
    return f"{value:.10g}%" if isinstance(value, (int, float)) else None


def _gib(value: object, hint: Hint) -> RawCell:
    if not isinstance(value, (int, float)) or not value:
        return None
    tib = value / 1024
    return f"{int(tib)}T" if tib >= 1 and tib.is_integer() else f"{value:.10g}G"


def _cpu_memory(value: object, hint: Hint) -> RawCell:
    return f"{value[0]}核{value[1]:.10g}G" if isinstance(value, tuple) and None not in value else None


def _os(value: object, hint: Hint) -> RawCell:
    return " ".join(str(part) for part in value if part) if isinstance(value, tuple) else None


def _yes_no(value: object, hint: Hint) -> RawCell:
    return ("是" if value else "否") if isinstance(value, bool) else None


def _level(value: object, hint: Hint) -> RawCell:
    return f"{_LEVELS[value - 1]}级" if isinstance(value, int) and 1 <= value <= len(_LEVELS) else None


def _words(value: object, hint: Hint) -> RawCell:
    words = hint.words.get(value) if isinstance(value, str) else None
    return words[0] if words else _text(value, hint)


def _list(value: object, hint: Hint) -> RawCell:
    return "、".join(str(item) for item in value) if isinstance(value, (tuple, list)) else None


def _lines(value: object, hint: Hint) -> RawCell:
    return "\n".join(map(str, value)) if isinstance(value, (tuple, list)) else None


def _date(value: object, hint: Hint) -> RawCell:
    return value if isinstance(value, date) else None


_WRITTEN: Mapping[str, Callable[[object, Hint], RawCell]] = {
    "number": _number, "integer": _number, "yuan": _number, "mbps": _number, "percent": _percent, "gib": _gib, "cpu_memory": _cpu_memory, "os": _os,
    "yes_no": _yes_no, "level": _level, "words": _words, "names": _list, "changes": _lines, "budget_lines": _lines, "addresses": _list, "prefixes": _list,
    "date": _date, "exact_date": _date,
}  # fmt: skip

_Choice = Callable[[str | None], bool]


def _of(department: str | None) -> _Choice:
    return lambda owner: department is None or (owner is not None and normalize(owner) == normalize(department))


class _Index:
    """Name of a subject where no other of its kind has it, else its id."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        counted = Counter(fold(name) for name in names.values())
        self.once = frozenset(name for name, count in counted.items() if count == 1)
        self.all = frozenset(counted)

    def __call__(self, subject_id: str) -> str:
        name = self._names.get(subject_id, "")
        return name if fold(name) in self.once else subject_id


class _Labels:
    """Names instead of ids, where the name alone leads back to the same subject."""

    def __init__(self, inventory: Inventory) -> None:
        self.system = _Index({s.system_id: s.name for s in inventory.systems})
        self.network = _Index({n.network_id: n.name for n in inventory.networks})
        self._server = _Index({s.server_id: s.name for s in inventory.servers})

    def end(self, subject_id: str) -> str:
        """Of a dependency: a system, or a server whose name no system has."""
        name = self._server(subject_id)
        return self.system(subject_id) if name == subject_id or fold(name) in self.system.all else name


def _plain(prefix: str, subject: object) -> dict[str, object]:
    names = type(subject).__dataclass_fields__  # type: ignore[attr-defined]
    return {f"{prefix}.{name}": value for name in names if (value := getattr(subject, name)) is not None}


def _by_owner(subjects: Iterable[T], wanted: _Choice) -> list[T]:
    return sorted((s for s in subjects if wanted(s.department)), key=lambda s: (s.department or "", s.name))


def _systems(inventory: Inventory, labels: _Labels, wanted: _Choice) -> list[dict[str, object]]:
    servers = {s.server_id: s for s in inventory.servers}
    rows = []
    for system in _by_owner(inventory.systems, wanted):
        row = _plain("system", system)
        row["system.networks"] = tuple(labels.network(n) for n in system.networks)
        rows.append(row | _machines([servers[v] for v in system.servers if v in servers], len(system.servers)))
    return rows


def _machines(servers: Sequence[Server], wanted: int) -> dict[str, object]:
    """The name and address cells of a system's row: one machine, or several with one address each. Other machines
    can't be told in two cells and are left to the server list."""
    single = len(servers) == 1 or all(len(s.addresses) == 1 for s in servers)
    named = [s.name for s in servers if s.name not in s.addresses]
    if not servers or len(servers) != wanted or not single or len(named) not in (0, len(servers)):
        return {}
    found: dict[str, object] = {"server.addresses": tuple(a for s in servers for a in s.addresses)}
    return found | ({"server.name": tuple(named)} if named else {})


def _servers(inventory: Inventory, labels: _Labels, wanted: _Choice) -> list[dict[str, object]]:
    rows = []
    for server in _by_owner(inventory.servers, wanted):
        if not server.addresses:
            continue
        row = _plain("server", server)
        row["server.name"] = (server.name,) if server.name not in server.addresses else ()
        if server.os_name:
            row["server.os"] = (server.os_name, server.os_version)
        if server.cpu_count and server.memory_gib:
            row["server.cpu_memory"] = (server.cpu_count, server.memory_gib)
        rows.append(row)
    return rows


def _networks(inventory: Inventory, labels: _Labels, wanted: _Choice) -> list[dict[str, object]]:
    return [_plain("network", network) for network in _by_owner(inventory.networks, wanted)]


def _projects(inventory: Inventory, labels: _Labels, wanted: _Choice) -> list[dict[str, object]]:
    rows = []
    for project in _by_owner(inventory.projects, wanted):
        row = _plain("project", project)
        row["project.systems"] = tuple(labels.system(s) for s in project.systems)
        row["project.networks"] = tuple(labels.network(n) for n in project.networks)
        row["project.changes"] = tuple(map(render_change, project.changes))
        row["project.budget_lines"] = tuple(map(render_budget_line, project.budget_lines))
        rows.append(row)
    return rows


def _dependencies(inventory: Inventory, labels: _Labels, wanted: _Choice) -> list[dict[str, object]]:
    """Those that a department can confirm: what its systems need for their business."""
    own = {s.system_id for s in inventory.systems if wanted(s.department)}
    own |= {s.server_id for s in inventory.servers if wanted(s.department)}

    def asked(dependency: Dependency) -> bool:
        return dependency.source_id in own and dependency.traffic in (None, "business")

    return [
        _plain("dependency", d)
        | {"dependency.source_id": labels.end(d.source_id), "dependency.target_id": labels.end(d.target_id)}
        for d in inventory.dependencies
        if asked(d)
    ]


_ROWS: Mapping[str, Callable[[Inventory, _Labels, _Choice], list[dict[str, object]]]] = {
    "census": _systems, "servers": _servers, "networks": _networks, "projects": _projects,
    "dependencies": _dependencies,
}  # fmt: skip
