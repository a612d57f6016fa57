"""What is known, written into a form, is read back as the same: a pre-filled form that comes back untouched says nothing new."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from govcloud.discovery.cells import PARSERS, Hint
from govcloud.discovery.columns import ColumnSpec, header_unit, load_column_maps
from govcloud.discovery.forms import build_form_rows, render_cell
from govcloud.model.inventory import Dependency, Inventory, Network, System
from govcloud.model.server import Server

MAPS = {m.kind: m for m in load_column_maps()[0]}
COLUMNS = {c.field: c for m in MAPS.values() for c in m.columns}
VALUES: dict[str, st.SearchStrategy[object]] = {
    "text": st.text(max_size=30), "code": st.text(max_size=20), "names": st.lists(st.text(max_size=10), max_size=3).map(tuple),
    "number": st.floats(0, 1e12), "integer": st.integers(0, 10**12), "percent": st.floats(0, 100),
    "gib": st.floats(0, 1e6), "yuan": st.floats(0, 1e12), "mbps": st.floats(0, 1e6), "yes_no": st.booleans(),
    "level": st.integers(0, 6), "date": st.dates(date(1900, 1, 1), date(2199, 1, 1)),
    "exact_date": st.dates(date(1949, 1, 1), date(2199, 1, 1)), "os": st.tuples(st.text(max_size=10), st.text(max_size=6)),
    "addresses": st.lists(st.ip_addresses(v=4).map(str), max_size=3).map(tuple),
    "prefixes": st.lists(st.ip_addresses(v=4).map(lambda a: f"{a}/32"), max_size=3).map(tuple),
    "changes": st.lists(st.text(max_size=20), max_size=3).map(tuple), "budget_lines": st.lists(st.text(max_size=20), max_size=3).map(tuple),
    "cpu_memory": st.tuples(st.integers(1, 512), st.floats(0, 4096)),
}  # fmt: skip


@given(st.sampled_from(sorted(COLUMNS)).map(COLUMNS.__getitem__), st.data())
def test_a_cell_is_filled_in_only_if_it_is_read_back_as_the_same(column: ColumnSpec, data: st.DataObject) -> None:
    known = st.sampled_from(sorted(column.words)) if column.type == "words" else VALUES[column.type]
    value = data.draw(known)
    cell = render_cell(column, value)
    if cell is not None:
        read = PARSERS[column.type](cell, Hint(unit=header_unit(column.title.zh), words=column.words))
        back = tuple(read.value) if isinstance(read.value, list) else read.value
        assert back == (value.isoformat() if isinstance(value, date) else value)


def test_plain_values_are_really_filled_in() -> None:
    """The rule above would hold of a form that stays empty."""
    plain: dict[str, object] = {
        "system.name": "办公系统", "system.users": 120, "system.mlps_level": 3, "system.hosting": "own_room",
        "system.classified": False, "system.go_live_on": date(2019, 9, 1), "system.data_gib": 1536.0,
        "project.budget_yuan": 1_205_000.0, "network.utilisation_pct": 0.4, "network.bandwidth_mbps": 100.0,
        "server.os": ("CentOS", "7.6"), "server.addresses": ("10.1.1.1", "10.1.1.2"), "system.approval_body": "",
        "project.changes": ("2026-03-01 增加模块（备案 2026-03-20）", "调整工期"), "project.budget_lines": ("2026年 软件开发 35万元",),
    }  # fmt: skip
    cells = {field: render_cell(COLUMNS[field], value) for field, value in plain.items()}
    assert cells == {
        "system.name": "办公系统", "system.users": 120, "system.mlps_level": "三级", "system.hosting": "自有机房",
        "system.classified": "否", "system.go_live_on": date(2019, 9, 1), "system.data_gib": "1536G",
        "project.budget_yuan": 120.5, "network.utilisation_pct": "0.4%", "network.bandwidth_mbps": 100,
        "server.os": "CentOS 7.6", "server.addresses": "10.1.1.1、10.1.1.2", "system.approval_body": "无",
        "project.changes": "2026-03-01 增加模块（备案 2026-03-20）\n调整工期", "project.budget_lines": "2026年 软件开发 35万元",
    }  # fmt: skip


def test_names_stand_for_ids_only_where_they_lead_back() -> None:
    systems = [System(system_id=i, name=n, department=d, networks=("N-1", "某网")) for i, n, d in
               (("S-1", "办公系统", "示例甲局"), ("S-2", "查询系统", "示例甲局"), ("S-3", "查询系统", "示例乙局"))]  # fmt: skip
    found = Inventory(
        systems=tuple(systems),
        networks=(Network(network_id="N-1", name="水利专网", department="示例甲局"),),
        dependencies=(
            Dependency(dependency_id="L-1", source_id="S-1", target_id="S-2"),
            Dependency(dependency_id="L-2", source_id="S-1", target_id="S-9", traffic="monitoring"),
        ),
    )
    (row,) = build_form_rows(found, MAPS["dependencies"], "示例甲局")
    assert (row["dependency.source_id"], row["dependency.target_id"]) == ("办公系统", "S-2")
    rows = build_form_rows(found, MAPS["census"], "示例甲局")
    assert [r["system.name"] for r in rows] == ["办公系统", "查询系统"]
    assert rows[0]["system.networks"] == "水利专网、某网"


def test_machines_that_two_cells_cannot_tell_are_left_to_the_server_list() -> None:
    one = Server(server_id="V-1", name="oa-01", addresses=("10.1.1.1", "10.1.1.2"))
    two = Server(server_id="V-2", name="oa-02", addresses=("10.1.1.3",))

    def cells(*servers: Server) -> tuple[object, object]:
        system = System(system_id="S-1", name="办公系统", servers=tuple(s.server_id for s in servers))
        (row,) = build_form_rows(Inventory(systems=(system,), servers=servers), MAPS["census"], None)
        return row.get("server.name"), row.get("server.addresses")

    assert cells(one) == ("oa-01", "10.1.1.1、10.1.1.2")
    assert cells(one, two) == (None, None)
    assert cells(two) == ("oa-02", "10.1.1.3")
