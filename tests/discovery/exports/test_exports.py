"""Exports of other tools. Missed by a user: a memory read in the wrong unit, a VM that becomes two servers because its tabs
came as separate files, a template planned as a server, free space booked as used, a column that vanished in silence."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from export_cases import AT, CASES, FILES, as_json, as_workbook, case_name, expected_file, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govcloud.discovery.exports import read_export, recognise
from govcloud.discovery.exports.layout import find_table, load_exports
from govcloud.discovery.merge import build_inventory
from govcloud.discovery.records import Reading
from govcloud.discovery.workbook import Workbook, load_workbook
from govcloud.errors import InputError
from govcloud.model.collect import SheetKind
from govcloud.model.observation import Statement
from govcloud.model.text import Text

ROOT = Path(__file__).parents[3]
RVTOOLS = sorted((CASES / "rvtools-4").glob("*.csv"))


@pytest.mark.parametrize("path", FILES, ids=case_name)
def test_a_case_is_read_as_expected(path: Path) -> None:
    assert as_json(read(path)) == json.loads(expected_file(path).read_text("utf-8"))


def test_every_expectation_has_its_case() -> None:
    assert {expected_file(p) for p in FILES} == set((CASES / "expected").rglob("*.json"))
    assert {recognise(load_workbook(p)) for p in FILES} == {e.kind for e in load_exports()[0]}


def test_no_survey_form_is_taken_for_an_export() -> None:
    forms = [
        *(ROOT / "inventory" / "sample" / "workbooks").glob("*.xlsx"),
        *(p for p in (CASES.parent / "workbooks").rglob("*") if p.suffix in (".xlsx", ".csv", ".xls")),
    ]
    seen = 0
    for path in forms:
        try:
            workbook = load_workbook(path)
        except InputError:
            continue
        seen += 1
        assert recognise(workbook) is None, path.name
    assert seen >= 6
    assert (
        recognise(
            as_workbook("a.csv", ("a", [["Server", "IP", "Department", "OS", "CPU"], ["x", "10.1.1.1", "d", "l", "4"]]))
        )
        is None
    )


def said(statements: Any) -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for s in statements:
        found[s.subject_id] |= s.values
    return found


def rows_of(path: Path) -> list[list[Any]]:
    return [list(row) for row in load_workbook(path).sheets[0].rows]


def test_csv_files_of_the_tabs_say_what_the_workbook_says(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for path in RVTOOLS:
        page = book.create_sheet(path.stem.removeprefix("RVTools_tab"))
        for row in rows_of(path):
            page.append([_as_number(cell) for cell in row])
    book.save(tmp_path / "RVTools_export.xlsx")
    whole = read(tmp_path / "RVTools_export.xlsx")
    assert [s.sheet for s in whole.sheets if s.kind != "rvtools"] == []
    assert said(whole.statements) == said(s for path in RVTOOLS for s in read(path).statements)
    assert {s.observed_at for s in whole.statements} == {datetime(2026, 3, 10, 9, 15, tzinfo=UTC)}, (
        "as old as the export"
    )


def _as_number(cell: Any) -> Any:
    """RVTools writes numbers as numbers into a workbook, and as text with separators into a CSV."""
    text = str(cell).replace(",", "")
    return int(text) if text.isdigit() and not str(cell).startswith("0") else cell or None


def test_a_tab_without_the_vcenter_takes_it_from_its_neighbour() -> None:
    vcenter, vm = "8f2c1a7e-3b40-4d7c-9a51-0c6f6e2d9b10", "5026f3c1-77aa-41d0-b6e8-000000000001"
    info = [["VM", "Powerstate", "CPUs", "VM UUID", "VI SDK UUID"], ["示例-oa-01", "poweredOn", "4", vm, vcenter]]
    parts = [["VM", "VM UUID", "Disk", "Capacity MiB", "Consumed MiB"], ["示例-oa-01", vm, "/", "1024", "512"]]
    reading = read_export(as_workbook("a.xlsx", ("vInfo", info), ("vPartition", parts)), "rvtools", at=AT)
    assert len({s.subject_id for s in reading.statements}) == 1


def test_free_space_is_never_taken_for_used_space() -> None:
    rows = [["VM", "Disk", "Capacity MB", "Free MB"], ["示例-web-01", "/", "10240", "4096"]]
    reading = read_export(as_workbook("a.csv", ("vPartition", rows)), "rvtools", at=AT)
    assert [s.values for s in reading.statements] == [{"name": "示例-web-01", "filesystems": ("/ - - 10 -",)}]


@pytest.mark.parametrize("shown", ["421f245c-7fa8-60fa-6af6-a46351000001", "5c241f42-a87f-fa60-6af6-a46351000001"])
def test_a_vm_is_the_host_that_was_asked_in_either_order_of_its_uuid(shown: str) -> None:
    """Virtual hardware 13 and later shows the guest the first three fields reversed."""
    host = Statement(
        subject_kind="server", subject_id="V-host", source="ssh", place="ssh://oa-01/probe/", observed_at=AT,
        values={"name": "oa-01.example", "uuid": shown, "addresses": ("192.168.7.7",)},
    )  # fmt: skip
    info = read(CASES / "rvtools-4" / "RVTools_tabvInfo.csv")
    servers = build_inventory([*info.statements, host]).servers
    (joined,) = [s for s in servers if "192.168.7.7" in s.addresses]
    assert joined.hypervisor == "esx-01.example" and joined.memory_gib == 16


def test_the_lists_that_offices_have_end_in_one_inventory() -> None:
    """Systems of Konveyor and AWS with one name are one; measured connections of Azure reach the servers."""
    names = ("aws/template", "konveyor/hub", "azure_dependencies/timeslot", "azure_servers/template", "netbox/prefix")
    statements = [s for name in names for s in read(CASES / f"{name}.csv").statements]
    inventory = build_inventory(statements)
    sms = [s for s in inventory.systems if s.name == "短信平台"]
    assert len(sms) == 1 and len(sms[0].servers) == 2
    ids = {s.name: s.system_id for s in inventory.systems}
    assert (ids["协同办公系统"], ids["短信平台"]) in {(d.source_id, d.target_id) for d in inventory.dependencies}
    measured = {(d.source_id, d.target_id): d for d in inventory.dependencies if d.measured}
    servers = {s.name: s.server_id for s in inventory.servers}
    seen = measured[servers["oa-01"], servers["db-01"]]
    assert (seen.port, seen.samples) == (5432, 2)
    assert seen.last_seen_at and seen.first_seen_at and seen.last_seen_at - seen.first_seen_at == timedelta(hours=6)
    assert (servers["entry-01"], servers["oa-01"]) in measured, "its own address is unknown, the connection is not"


def test_konveyor_goes_by_position_where_no_heading_is_known() -> None:
    rows: list[list[Any]] = [[f"列{n}" for n in range(17)], ["1", "示例系统", "说明", *[""] * 14]]
    workbook = as_workbook("a.csv", ("a", rows))
    assert recognise(workbook) is None
    assert [s.values for s in read_export(workbook, "konveyor", at=AT).statements] == [
        {"name": "示例系统", "function": "说明"}
    ]


def test_a_file_without_any_table_says_what_it_needs() -> None:
    with pytest.raises(InputError) as error:
        read_export(as_workbook("a.csv", ("a", [["无关", "内容"], ["1", "2"]])), "google_mc", at=AT)
    assert error.value.exit_code == 3 and error.value.next_step and "MachineId" in error.value.next_step.zh


def test_hostile_cells_are_told_or_taken_literally() -> None:
    names = ["-oProxyCommand=touch x", "{{ lookup('pipe','id') }}", "示例\u202egpj.exe", "=1+1", "𠮷" * 3, "A" * 40_000]
    head = ["VM", "Powerstate", "CPUs", "Memory", "OS according to the configuration file", "ansible_host"]
    rows = [head, *[[name, "poweredOn", "#REF!", "1" * 5000, "1/1" * 5000, "h"] for name in names]]
    reading = read_export(as_workbook("a.csv", ("vInfo", rows)), "rvtools", at=AT)
    assert [s.values["name"] for s in reading.statements] == [n.replace("\u202e", "") for n in names]
    assert not any({"cpu_count", "memory_gib"} & set(s.values) for s in reading.statements)
    assert reading.sheets[0].unknown_columns == ("F1 ansible_host",)
    assert {"C2", "D2", "A4"} <= {p.cell for p in reading.sheets[0].problems}


def _citations() -> dict[str, dict[str, set[str]]]:
    """Tool -> field of a statement -> columns (as the layout names them) that its values are quoted from."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in FILES:
        workbook = load_workbook(path)
        kind = recognise(workbook)
        assert kind
        for name, column in _quotes(workbook, kind, read(path)):
            found[kind][name].add(column)
    return found


def _quotes(workbook: Workbook, kind: SheetKind, reading: Reading) -> list[tuple[str, str]]:
    layout = next(e for e in load_exports()[0] if e.kind == kind)
    table = find_table(workbook.sheets[0], layout, told=True)
    if table is None:
        return []
    columns = {_letters(c.index): c.column.field for c in table.columns}
    return [
        (f"{s.subject_kind}.{name}", columns[letters])
        for s in reading.statements
        for name, cell in s.cells.items()
        if (letters := cell.partition(":")[0].partition(",")[0].rstrip("0123456789"))
    ]


def _letters(index: int) -> str:
    return openpyxl.utils.get_column_letter(index + 1)


CITED = _citations()
SECOND_CHOICE = {
    "server.name": {"row.external_id", "row.vm_name", "row.server_id", "row.moref", "server.uuid", "server.macs", "row.machine"},
    "server.os_name": {"row.os_config", "row.os_tools", "row.os"}, "server.os_version": {"row.os_config", "row.os_tools", "row.os"},
    "server.addresses": {"row.address", "row.public_address", "row.address4", "row.address6"}, "network.name": {"row.prefix"},
    "server.hypervisor": {"row.cluster"}, "server.serial": {"row.service_tag"}, "server.cpu_count": {"row.cores"},
    "server.virtual": {"row.vm_name", "row.hypervisor"}, "server.virtualisation": {"row.vm_name", "row.server_type"},
}  # fmt: skip
"""Columns that stand in where the first choice is missing."""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_columns_may_come_in_any_order_and_any_may_be_missing(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(FILES))
    workbook = load_workbook(path)
    kind = recognise(workbook)
    assert kind
    rows = rows_of(path)
    order = data.draw(st.permutations(range(len(rows[0]))))
    kept = order[: data.draw(st.integers(1, len(order)))]
    shuffled = as_workbook(
        path.name, (workbook.sheets[0].name, [[row[i] if i < len(row) else "" for i in kept] for row in rows])
    )
    try:
        reading = read_export(shuffled, kind, at=AT)
    except InputError:
        return
    for name, column in _quotes(shuffled, kind, reading):
        assert column in {name} | CITED[kind][name] | SECOND_CHOICE.get(name, set()), f"{name} was read from {column}"
    if len(kept) == len(order):
        assert said(reading.statements) == said(read(path).statements)


def test_layouts_name_fields_that_exist() -> None:
    from dataclasses import fields

    from govcloud.model.inventory import Network, System
    from govcloud.model.server import Server

    known = {
        f"{kind}.{f.name}"
        for kind, noun in (("server", Server), ("system", System), ("network", Network))
        for f in fields(noun)
    }
    for layout in load_exports()[0]:
        for table in layout.tables:
            own = {c.field for c in table.columns}
            assert {f for f in own if not f.startswith("row.")} <= known, table.name
            assert {f for need in table.needs for f in need.split("|")} <= own, f"{layout.kind} {table.name}: needs"
            assert table.title.zh and table.title.en and isinstance(table.title, Text)


def test_a_broken_layout_is_refused(tmp_path: Path) -> None:
    for path in (ROOT / "inventory" / "exports").glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    file = tmp_path / "rvtools.yaml"
    file.write_text(file.read_text("utf-8").replace("type: mib", "type: furlong", 1), "utf-8")
    with pytest.raises(InputError, match="furlong"):
        load_exports(tmp_path)
