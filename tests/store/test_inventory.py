"""Facts come back from the database as they went in, and the same fact told twice is one fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from govcloud.model.inventory import (
    Conflict,
    Connection,
    Department,
    Dependency,
    Inventory,
    Network,
    Observation,
    Project,
    Route,
    Server,
    Socket,
    System,
)
from govcloud.store import Store
from govcloud.store import inventory as inventory_store

AT = datetime(2026, 3, 7, 14, 0, 0, 123456, tzinfo=UTC)
SAID = Observation(
    subject_kind="system", subject_id="SL-OA-01", field="mlps_level", value=2, source="workbook",
    locator="普查表.xlsx!系统!C7", observed_at=AT,
)  # fmt: skip
INVENTORY = Inventory(
    departments=(Department(department_id="D-1", name="示例交通厅"),),
    systems=(
        System(system_id="SL-OA-01", name="协同办公系统", servers=("S-1",), go_live_on=date(2013, 5, 1), data_gib=1.5),
    ),
    servers=(
        Server(
            server_id="S-1", name="oa-01", addresses=("10.66.1.10",), sockets=(Socket(address="0.0.0.0", port=8080),),  # noqa: S104
            connections=(Connection(local_address="a", local_port=1, remote_address="b", remote_port=2, inbound=True),),
            routes=(Route(destination="0.0.0.0/0", gateway="10.66.1.1"),),
        ),
    ),
    networks=(Network(network_id="N-1", name="民政业务专网", kind="dedicated", prefixes=("172.30.5.0/24",)),),
    dependencies=(Dependency(dependency_id="E-1", source_id="SL-XF-02", target_id="SL-OA-01", strength="weak"),),
    projects=(Project(project_id="P-1", name="示例项目", contract_signed_on=date(2025, 9, 1)),),
    conflicts=(
        Conflict(subject_kind="server", subject_id="S-1", field="os_name", chosen="Debian", observations=(SAID, SAID)),
    ),
    evidence={"SL-OA-01": {"mlps_level": SAID}},
)  # fmt: skip


def test_an_inventory_comes_back_equal(store: Store) -> None:
    with store.begin() as tx:
        inventory_store.replace_inventory(tx, INVENTORY)
    with store.read() as tx:
        assert inventory_store.load_inventory(tx) == INVENTORY


def test_a_new_inventory_replaces_the_old_one_as_a_whole(store: Store) -> None:
    with store.begin() as tx:
        inventory_store.replace_inventory(tx, INVENTORY)
        inventory_store.replace_inventory(tx, replace(INVENTORY, systems=(), evidence={}))
    with store.read() as tx:
        assert inventory_store.load_inventory(tx).systems == ()


def test_before_the_first_import_the_inventory_is_empty(store: Store) -> None:
    with store.read() as tx:
        assert inventory_store.load_inventory(tx) == Inventory()


def test_the_same_fact_told_twice_in_a_batch_is_one_fact_and_in_a_later_batch_a_new_one(store: Store) -> None:
    """A host that was A, then B, then A again has said three things; only then does the newest one count."""
    with store.begin() as tx:
        assert inventory_store.add_observations(tx, "b1", [SAID, SAID]) == 1
        assert inventory_store.add_observations(tx, "b2", [replace(SAID, value=3)]) == 1
        assert inventory_store.add_observations(tx, "b3", [SAID]) == 1
        assert inventory_store.add_observations(tx, "b4", []) == 0
    with store.read() as tx:
        assert [o.value for o in inventory_store.observations(tx)] == [2, 3, 2]


def test_a_newer_version_of_a_file_takes_back_what_the_older_one_said(store: Store) -> None:
    with store.begin() as tx:
        for number, value in enumerate((2, 3), start=1):
            inventory_store.add_batch(
                tx, batch_id=f"b{number}", kind="import", source="/in/普查表.xlsx", sha256=f"{number}",
                at=AT.replace(minute=number), actor="op", body={},
            )  # fmt: skip
            inventory_store.add_observations(tx, f"b{number}", [replace(SAID, value=value, locator=f"C{number}")])
    with store.read() as tx:
        assert [o.value for o in inventory_store.observations(tx)] == [3]
        assert [b.sha256 for b in inventory_store.current_batches(tx, "import")] == ["2"]


def test_observations_keep_their_time_and_type(store: Store) -> None:
    told = [replace(SAID, field=f"f{n}", value=v) for n, v in enumerate(["文", 1, 1.5, True, None, ("a", "b")])]
    with store.begin() as tx:
        inventory_store.add_observations(tx, "b1", told)
    with store.read() as tx:
        assert inventory_store.observations(tx) == told
