"""What was said comes back as it was said, and the merged inventory as it was merged; only what differs is written."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection

from govcloud.model.inventory import (
    Conflict,
    Department,
    Dependency,
    Flow,
    Inventory,
    Joined,
    Merged,
    Network,
    Project,
    System,
    Tenant,
)
from govcloud.model.observation import Statement
from govcloud.model.server import Disk, Filesystem, Interface, Package, Route, Server, Socket
from govcloud.model.text import Text
from govcloud.store import Store, entities, listing, open_store
from govcloud.store import inventory as inventory_store
from govcloud.workflow.collect import form_number

AT = datetime(2026, 3, 7, 14, 0, 0, 123456, tzinfo=UTC)
SAID = Statement(
    subject_kind="system", subject_id="SL-OA-01", source="workbook", place="普查表.xlsx!系统!", observed_at=AT,
    values={"mlps_level": 2, "name": "协同办公系统"}, cells={"mlps_level": "C7", "name": "A7"},
)  # fmt: skip
PROBED = Statement(
    subject_kind="server", subject_id="V-1", source="ssh", place="ssh://oa-01/", observed_at=AT,
    values={"os_name": "Debian", "connections": ("in 10.66.1.10 5432 10.66.1.77 0 postgres",)},
    unknown={"uuid": Text("需要 root", "root is needed")},
)  # fmt: skip
DECLARED = replace(PROBED, source="workbook", place="a.xlsx!s!", values={"os_name": "CentOS"}, unknown={})
FOUND = Inventory(
    departments=(Department(department_id="D-1", name="示例交通厅"),),
    systems=(
        System(system_id="SL-OA-01", name="协同办公系统", servers=("V-1",), go_live_on=date(2013, 5, 1), data_gib=1.5),
    ),
    servers=(
        Server(
            server_id="V-1", name="oa-01", addresses=("10.66.1.10",), sockets=(Socket(address="0.0.0.0", port=8080),),  # noqa: S104
            routes=(Route(destination="0.0.0.0/0", gateway="10.66.1.1"),), disks=(Disk(name="sda", size_gib=40.0),),
            filesystems=(Filesystem(mount="/", device="/dev/sda1", used_gib=3.5),), booted_at=AT,
            interfaces=(Interface(name="eth0", addresses=("10.66.1.10/24",)),), packages=(Package(name="nginx"),),
        ),
    ),
    networks=(Network(network_id="N-1", name="民政业务专网", kind="dedicated", prefixes=("172.30.5.0/24",)),),
    dependencies=(Dependency(dependency_id="L-1", source_id="SL-XF-02", target_id="SL-OA-01", strength="weak"),),
    projects=(Project(project_id="P-1", name="示例项目", contract_signed_on=date(2025, 9, 1)),),
    tenants=(Tenant(tenant_id="T-1", name="示例租户", vcpu_quota=64),),
    conflicts=(
        Conflict(subject_kind="server", subject_id="V-1", field="os_name", chosen="Debian",
                 observations=(PROBED.observation("os_name"), DECLARED.observation("os_name"))),
    ),
)  # fmt: skip
FLOW = Flow(
    client_id="V-77", server_id="V-1", port=5432, traffic="business", server_process="postgres",
    first_seen_at=AT, last_seen_at=AT, samples=1, statement=1,
)  # fmt: skip
MERGED = Merged(
    inventory=FOUND,
    evidence={"SL-OA-01": {"mlps_level": 0, "name": 0}, "V-1": {"os_name": 1}, "L-1": {"measured": 1}},
    witnesses={("server", "V-1", "os_name"): (1, 2)},
    members={"V-1": (Joined(subject_id="V-9", rule="address", value="10.66.1.10", with_id="V-1"),)},
    flows=(FLOW,),
)


def flows(tx: Connection, server_id: str) -> list[Flow]:
    return listing.list_flows(tx, server_ids=[server_id], traffic=None, limit=None)[0]


def told(store: Store, *statements: Statement) -> list[int]:
    with store.begin() as tx:
        inventory_store.queue_writers(tx)
        number = inventory_store.add_batch(
            tx, batch_id=f"B-{inventory_store.last_batch(tx)}", kind="discover", source="s", sha256="0", at=AT, actor="op", body={}
        )  # fmt: skip
        first = inventory_store.add_statements(tx, number, statements)
    return list(range(first, first + len(statements)))


def test_an_inventory_comes_back_as_it_was_merged_with_its_evidence(store: Store) -> None:
    numbers = told(store, SAID, PROBED, DECLARED)
    with store.begin() as tx:
        change = entities.replace_inventory(tx, MERGED, numbers)
    assert (len(change.entities), change.unchanged, [c.field for c in change.conflicts]) == (7, 0, ["os_name"])
    with store.read() as tx:
        found = inventory_store.load_inventory(tx)
        assert replace(found, evidence={}) == FOUND
        assert inventory_store.members_of(tx, "server", "V-1") == MERGED.members["V-1"]
        assert [replace(f, statement=1) for f in flows(tx, "V-1")] == [FLOW]
        assert flows(tx, "V-2") == []
    # The evidence is read when somebody asks for it, long after the transaction.
    assert found.evidence["SL-OA-01"]["mlps_level"].locator == "普查表.xlsx!系统!C7"
    assert found.evidence["V-1"]["os_name"].value == "Debian"
    assert found.evidence["L-1"]["measured"].locator == "ssh://oa-01/"
    assert "V-2" not in found.evidence


def test_merging_the_same_again_writes_nothing_and_a_change_is_told_with_what_it_was(store: Store) -> None:
    numbers = told(store, SAID, PROBED, DECLARED)
    moved = replace(FOUND.systems[0], hosting="gov_cloud")
    later = replace(MERGED, inventory=replace(FOUND, systems=(moved,), projects=()))
    with store.begin() as tx:
        entities.replace_inventory(tx, MERGED, numbers)
        again = entities.replace_inventory(tx, MERGED, numbers)
        assert (again.entities, again.unchanged, again.conflicts) == ((), 7, ())
        preview = entities.replace_inventory(tx, later, numbers, write=False)
        assert inventory_store.load_inventory(tx).systems == FOUND.systems
        done = entities.replace_inventory(tx, later, numbers)
        assert sorted(preview.entities, key=str) == sorted(done.entities, key=str)
        assert {(c.kind, c.was and c.was.name, c.now and c.now.name) for c in done.entities} == {
            ("system", "协同办公系统", "协同办公系统"), ("project", "示例项目", None)
        }  # fmt: skip
        assert inventory_store.load_inventory(tx).systems == (moved,)


def test_imports_at_once_get_numbers_of_their_own_and_lose_nothing(store: Store) -> None:
    """On PostgreSQL several people import at the same time; SQLite lets them wait by itself."""
    with ThreadPoolExecutor(4) as pool:
        numbers = [
            n
            for told_by_one in pool.map(lambda n: told(store, replace(SAID, place=f"{n}!")), range(8))
            for n in told_by_one
        ]
    assert sorted(numbers) == list(range(1, 9))
    with store.read() as tx:
        assert len(inventory_store.load_statements(tx)[1]) == inventory_store.last_batch(tx) == 8


def test_before_the_first_import_the_inventory_is_empty(store: Store) -> None:
    with store.read() as tx:
        assert replace(inventory_store.load_inventory(tx), evidence={}) == Inventory()
        assert inventory_store.is_merged(tx)


def test_a_newer_version_of_a_file_takes_back_what_the_older_one_said(store: Store) -> None:
    with store.begin() as tx:
        for value in (2, 3):
            number = inventory_store.add_batch(
                tx, batch_id=f"b{value}", kind="import", source="F-1", sha256=f"{value}", at=AT, actor="op", body={}
            )
            inventory_store.add_statements(tx, number, [replace(SAID, values={"mlps_level": value})])
    with store.read() as tx:
        assert [s.values["mlps_level"] for s in inventory_store.load_statements(tx)[1]] == [3]
        assert [s.values["mlps_level"] for s in inventory_store.load_statements(tx, up_to=1)[1]] == [2]
        assert [s.values["mlps_level"] for s in inventory_store.statements_of(tx, ["SL-OA-01"])] == [2, 3]
        assert [b.sha256 for b in inventory_store.current_batches(tx, "import")] == ["3"]
        assert inventory_store.load_statements(tx, without={"F-1"}) == ([], [])


def test_statements_keep_their_time_their_types_and_why_something_is_unknown(store: Store) -> None:
    values = {f"f{n}": v for n, v in enumerate(["文", 1, 1.5, True, None, ("a", "b"), "𠮷"])}
    statements = [replace(SAID, values=values), PROBED]
    told(store, *statements)
    with store.read() as tx:
        assert inventory_store.load_statements(tx) == ([1, 2], statements)


def test_a_workspace_of_the_first_schema_opens_and_keeps_every_fact(tmp_path: Path) -> None:
    """What the first version wrote is not lost: one row a field becomes one statement a subject."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript(FIRST_SCHEMA)
        for number, version in ((1, 2), (2, 3)):
            at = f"2026-03-0{number}T00:00:00.000000Z"
            old.execute("INSERT INTO import_batch VALUES (?,?,?,?,?,?,?)",
                        (f"B-{number}", "import", "/in/a.xlsx", str(number), at, "op", "{}"))  # fmt: skip
            for field, value, cell in (("name", "协同办公系统", "A7"), ("mlps_level", version, "C7")):
                old.execute(
                    "INSERT INTO observation (batch_id, subject_kind, subject_id, field, value, source, locator, observed_at) "
                    "VALUES (?,?,?,?,?,?,?,?)",
                    (f"B-{number}", "system", "SL-OA-01", field, json.dumps(value), "workbook", f"a.xlsx!s!{cell}", at),
                )  # fmt: skip
    store = open_store(f"sqlite:///{path}")
    try:
        with store.read() as tx:
            (number,), (statement,) = inventory_store.load_statements(tx)
            assert (number, statement.values) == (2, {"name": "协同办公系统", "mlps_level": 3})
            assert statement.locator("mlps_level") == "a.xlsx!s!C7"
            assert not inventory_store.is_merged(tx)
            assert [b.source for b in inventory_store.current_batches(tx, "import")] == [
                form_number(Path("/in/a.xlsx"))
            ]
    finally:
        store.close()


FIRST_SCHEMA = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
INSERT INTO alembic_version VALUES ('0001');
CREATE TABLE import_batch (batch_id TEXT PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL, sha256 TEXT NOT NULL,
  at TEXT NOT NULL, actor TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE observation (observation_id INTEGER PRIMARY KEY AUTOINCREMENT, batch_id TEXT NOT NULL, subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, source TEXT NOT NULL, locator TEXT NOT NULL,
  observed_at TEXT NOT NULL);
CREATE TABLE entity (kind TEXT, entity_id TEXT, department TEXT, name TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, entity_id));
"""
