"""Konveyor's application import: applications are systems, its dependencies are declared ones.

`southbound`: the application needs the other one; `northbound`: the other one needs it (tackle2-hub, importer/manager.go).
"""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.discovery.exports.tab import Record, Tab
from govcloud.discovery.exports.values import read_environment
from govcloud.discovery.raw_cells import fold
from govcloud.model.ids import build_id
from govcloud.model.text import Text


def read_tabs(tabs: Sequence[Tab]) -> None:
    for tab in tabs:
        seen: dict[str, str] = {}
        for record in tab.records():
            kind = record.values.get("row.record_type")
            if kind == 1:
                _say_application(tab, record, seen)
            elif kind == 2:
                _say_dependency(tab, record)
            else:
                tab.refuse(
                    record, "row.record_type", Text("1（应用）或 2（依赖）", "1 (application) or 2 (dependency)")
                )


def _say_application(tab: Tab, record: Record, seen: dict[str, str]) -> None:
    name = record.text("system.name")
    first = seen.setdefault(fold(name), record.cell("system.name"))
    if first != record.cell("system.name"):
        tab.refuse(
            record, "system.name", Text("{c} 没有写过的应用", "an application that {c} does not list").format(c=first)
        )
        return
    environment, cell = _environment(record)
    values = {
        "name": name, "function": record.text("system.function"), "contact": record.text("row.owner"), "environment": environment,
    }  # fmt: skip
    cells = {
        "name": record.cell("system.name"), "function": record.cell("system.function"), "contact": record.cell("row.owner"),
        "environment": cell,
    }  # fmt: skip
    tab.say("system", build_id("S", "", name), values, cells)


def _environment(record: Record) -> tuple[str | None, str]:
    """From pairs `Tag Category N`, `Tag N`."""
    numbers = [name.partition("#")[2] for name in record.values if name.startswith("row.tag#")]
    pairs = [(record.text(f"row.category#{n}"), record.text(f"row.tag#{n}")) for n in numbers]
    cell = next(
        (record.cell(f"row.tag#{n}") for n, pair in zip(numbers, pairs, strict=True) if read_environment([pair])), ""
    )
    return read_environment(pairs), cell


def _say_dependency(tab: Tab, record: Record) -> None:
    name, other, direction = record.text("system.name"), record.text("row.dependency"), record.text("row.direction")
    if not other or fold(other) == fold(name):
        tab.refuse(record, "row.dependency", Text("另一个应用的名称", "the name of another application"))
        return
    if not direction:
        tab.refuse(record, "row.direction", Text("northbound 或 southbound", "northbound or southbound"))
        return
    fields = ("system.name", "row.dependency") if direction == "southbound" else ("row.dependency", "system.name")
    source, target = (record.text(field) for field in fields)
    tab.say(
        "dependency", build_id("L", source, target, "", "None"), {"source_id": source, "target_id": target},
        {"source_id": record.cell(fields[0]), "target_id": record.cell(fields[1])},
    )  # fmt: skip
