"""Who is right where witnesses disagree, and which things are one thing. The order of witnesses never matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.discovery.facts import render_connection, render_route
from govcloud.discovery.links import build_network_evidence
from govcloud.discovery.merge import build_inventory
from govcloud.model.inventory import Inventory
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.server import Connection, Route

AT = datetime(2026, 3, 7, tzinfo=UTC)


def said(
    subject_id: str, field: str, value: Value, *, kind: SubjectKind = "server", source: str = "workbook",
    place: str = "a", hour: int = 0,
) -> Statement:  # fmt: skip
    return Statement(
        subject_kind=kind, subject_id=subject_id, source=source, place=place, observed_at=AT + timedelta(hours=hour),
        values={field: value},
    )  # fmt: skip


def server(
    subject_id: str, *addresses: str, name: str = "", department: str = "", source: str = "workbook", place: str = "",
) -> list[Statement]:  # fmt: skip
    at = place or f"{source}://{subject_id}"
    found = [said(subject_id, "name", name or subject_id, source=source, place=at)]
    if addresses:
        found.append(said(subject_id, "addresses", addresses, source=source, place=at))
    if department:
        found.append(said(subject_id, "department", department, source=source, place=at))
    return found


def probed(subject_id: str, *addresses: str) -> Statement:
    return said(subject_id, "addresses", addresses, source="ssh", place=f"ssh://{subject_id}/probe/addresses")


def connections(subject_id: str, *found: Connection) -> Statement:
    lines = tuple(render_connection(c) for c in found)
    return said(subject_id, "connections", lines, source="ssh", place=f"ssh://{subject_id}/probe/connections")


def shown(inventory: Inventory, name: str, field: str) -> object:
    return getattr(next(s for s in inventory.servers if s.name == name), field)


class TestDisagreement:
    def test_a_host_knows_its_system_better_than_its_paperwork_and_the_conflict_is_kept(self) -> None:
        told = [
            *server("V-1", "10.1.1.1", name="oa"),
            said("V-1", "os_name", "CentOS", place="普查表.xlsx!系统!C7"), said("V-1", "os_version", "7.6", place="普查表.xlsx!系统!C7"),
            said("V-1", "os_name", "Debian GNU/Linux", source="ssh", place="ssh://oa/probe/os"),
            said("V-1", "os_version", "12.11", source="ssh", place="ssh://oa/probe/os"),
        ]  # fmt: skip
        inventory = build_inventory(told)
        assert (shown(inventory, "oa", "os_name"), shown(inventory, "oa", "os_version")) == (
            "Debian GNU/Linux",
            "12.11",
        )
        # The version of another product is no second disagreement.
        assert [(c.field, c.chosen, [o.source for o in c.observations]) for c in inventory.conflicts] == [
            ("os_name", "Debian GNU/Linux", ["ssh", "workbook"])
        ]
        assert inventory.evidence["V-1"]["os_name"].locator == "ssh://oa/probe/os"

    @pytest.mark.parametrize(
        ("field", "declared", "measured"),
        [
            ("os_name", "CentOS", "CentOS Linux"), ("os_name", "银河麒麟", "Kylin Linux Advanced Server"),
            ("os_version", "7", "7.9.2009"), ("os_version", "10 SP1", "10"), ("memory_gib", 16.0, 15.4), ("disk_gib", 500.0, 465.8),
            ("arch", "amd64", "x86_64"), ("cpu_count", 8, 8),
        ],
    )  # fmt: skip
    def test_other_words_for_the_same_are_no_conflict(self, field: str, declared: Value, measured: Value) -> None:
        told = [
            *server("V-1", "10.1.1.1"),
            said("V-1", field, declared),
            said("V-1", field, measured, source="ssh", place="s"),
        ]
        inventory = build_inventory(told)
        assert not inventory.conflicts
        assert getattr(inventory.servers[0], field) == measured

    @pytest.mark.parametrize(
        ("field", "declared", "measured"),
        [("os_version", "7.6", "7.9"), ("memory_gib", 32.0, 15.4), ("cpu_count", 8, 4), ("arch", "x86_64", "aarch64")],
    )
    def test_real_differences_are(self, field: str, declared: Value, measured: Value) -> None:
        told = [
            *server("V-1", "10.1.1.1"),
            said("V-1", field, declared),
            said("V-1", field, measured, source="ssh", place="s"),
        ]
        assert [c.field for c in build_inventory(told).conflicts] == [field]

    def test_a_person_settles_it(self) -> None:
        told = [
            *server("V-1", "10.1.1.1"), said("V-1", "cpu_count", 8), said("V-1", "cpu_count", 4, source="ssh", place="s"),
            said("V-1", "cpu_count", 8, source="person", place="p"),
        ]  # fmt: skip
        inventory = build_inventory(told)
        assert (inventory.servers[0].cpu_count, inventory.conflicts) == (8, ())

    def test_the_site_may_trust_otherwise(self) -> None:
        told = [
            *server("V-1", "10.1.1.1"),
            said("V-1", "cpu_count", 8),
            said("V-1", "cpu_count", 4, source="ssh", place="s"),
        ]
        assert build_inventory(told, {"cpu_count": ("workbook", "ssh")}).servers[0].cpu_count == 8
        assert build_inventory(told, {"default": ("workbook", "ssh")}).servers[0].cpu_count == 8

    def test_the_same_witness_may_change_its_mind(self) -> None:
        told = [*server("V-1", "10.1.1.1"), said("V-1", "cpu_count", 8), said("V-1", "cpu_count", 16, hour=1)]
        inventory = build_inventory(told)
        assert (inventory.servers[0].cpu_count, inventory.conflicts) == (16, ())


class TestIdentity:
    def test_a_host_is_the_declared_server_with_its_address(self) -> None:
        told = [*server("V-w", "10.1.1.1", department="示例厅"), *server("V-s", "10.1.1.1", name="oa-01", source="ssh")]
        inventory = build_inventory(told)
        assert [(s.declared, s.seen, s.name) for s in inventory.servers] == [(True, True, "oa-01")]

    def test_two_departments_may_use_the_same_private_address(self) -> None:
        told = [
            *server("V-1", "192.168.1.10", name="a", department="甲厅"),
            *server("V-2", "192.168.1.10", name="b", department="乙厅"), *server("V-3", "192.168.1.10", name="b", source="ssh"),
        ]  # fmt: skip
        inventory = build_inventory(told)
        assert sorted((s.name, s.department, s.seen) for s in inventory.servers) == [
            ("a", "甲厅", False),
            ("b", "乙厅", True),
        ]

    def test_bridges_and_floating_addresses_make_no_two_hosts_one(self) -> None:
        told = [
            *server("V-1", "10.1.1.1", name="a", source="ssh"), probed("V-1", "10.1.1.1", "172.17.0.1", "10.1.1.100"),
            *server("V-2", "10.1.1.2", name="b", source="ssh"), probed("V-2", "10.1.1.2", "172.17.0.1", "10.1.1.100"),
        ]  # fmt: skip
        inventory = build_inventory(told)
        assert [s.addresses for s in inventory.servers] == [("10.1.1.1",), ("10.1.1.2",)]

    def test_a_host_behind_a_tunnel_is_known_by_its_name_when_only_one_has_it(self) -> None:
        told = [*server("V-1", "10.1.1.1", name="oa-01"), *server("V-2", name="oa-01", source="ssh")]
        assert len(build_inventory(told).servers) == 1
        assert len(build_inventory([*told, *server("V-3", "10.9.9.9", name="oa-01")]).servers) == 3

    def test_an_id_does_not_change_when_later_witnesses_come(self) -> None:
        first = server("V-9", "10.1.1.1")
        later = [said("V-1", "addresses", ("10.1.1.1",), source="ssh", place="s", hour=5)]
        assert [s.server_id for s in build_inventory([*first, *later]).servers] == ["V-9"]

    def test_a_system_without_code_is_the_coded_one_of_its_name_and_department(self) -> None:
        told = [
            said("SL-1", "name", "办公系统", kind="system"), said("SL-1", "department", "甲厅", kind="system"),
            said("S-x", "name", "办公系统", kind="system", place="b"), said("S-x", "department", "甲厅", kind="system", place="b"),
            said("S-y", "name", "办公系统", kind="system", place="c"), said("S-y", "department", "乙厅", kind="system", place="c"),
        ]  # fmt: skip
        assert [s.system_id for s in build_inventory(told).systems] == ["S-y", "SL-1"]


def estate() -> list[Statement]:
    return [
        *server("V-oa", "10.66.1.10", name="oa", department="甲厅"), *server("V-ex", "10.66.1.50", name="ex", department="甲厅"),
        *server("V-77", "10.66.1.77", name="bak", source="ssh"),
        said("SL-OA", "name", "办公系统", kind="system"), said("SL-OA", "servers", ("V-oa",), kind="system"),
        said("SL-EX", "name", "交换系统", kind="system"), said("SL-EX", "servers", ("V-ex",), kind="system"),
        said("L-raw", "source_id", "交换系统", kind="dependency"), said("L-raw", "target_id", "SL-OA", kind="dependency"),
        said("L-raw", "strength", "weak", kind="dependency"),
        said("N-1", "name", "民政专网", kind="network"), said("N-1", "kind", "dedicated", kind="network"),
        said("N-1", "prefixes", ("172.30.5.0/24",), kind="network"),
        said("X-1", "name", "升级项目", kind="project"), said("X-1", "systems", ("办公系统", "没有的系统"), kind="project"),
        connections(
            "V-oa",
            Connection(local_address="10.66.1.10", local_port=5432, remote_address="10.66.1.77", remote_port=0, inbound=True),
            Connection(local_address="10.66.1.10", local_port=8080, remote_address="10.66.9.9", remote_port=0, inbound=True),
            Connection(local_address="10.66.1.10", local_port=5432, remote_address="10.66.8.8", remote_port=0, inbound=True),
            Connection(local_address="10.66.1.10", local_port=0, remote_address="10.66.1.50", remote_port=8090),
            Connection(local_address="10.66.1.10", local_port=0, remote_address="8.8.8.8", remote_port=53),
        ),
        probed("V-oa", "10.66.1.10", "172.30.5.9", "10.99.0.7"),
        said("V-oa", "routes", (render_route(Route(destination="172.30.0.0/16", gateway="172.30.5.1")),
             render_route(Route(destination="172.30.5.0/24")), render_route(Route(destination="10.99.0.0/24")), render_route(Route(destination="172.17.0.0/16")),
             render_route(Route(destination="0.0.0.0/0", gateway="10.66.1.1"))), source="ssh", place="ssh://oa/probe/routes"),
    ]  # fmt: skip


class TestLinks:
    def test_connections_of_a_network_that_several_hosts_share_say_nothing_of_them(self) -> None:
        """Hosts on ports of one machine, or containers, all report the same foreign connections."""
        shared = Connection(local_address="172.17.0.1", local_port=0, remote_address="10.7.7.7", remote_port=5432)
        told = [
            *server("V-1", "10.1.1.1", source="ssh"), probed("V-1", "10.1.1.1", "172.17.0.1"), connections("V-1", shared),
            *server("V-2", "10.1.1.2", source="ssh"), probed("V-2", "10.1.1.2", "172.17.0.1"), connections("V-2", shared),
        ]  # fmt: skip
        inventory = build_inventory(told)
        assert len(inventory.servers) == 2 and not inventory.dependencies

    def test_connections_become_dependencies_between_systems_or_servers(self) -> None:
        inventory = build_inventory(estate())
        found = {(d.source_id, d.target_id): d for d in inventory.dependencies}
        assert found["V-77", "SL-OA"].measured and found["V-77", "SL-OA"].kind == "database"
        assert found["SL-OA", "SL-EX"].port == 8090
        declared = found["SL-EX", "SL-OA"]
        assert (declared.strength, declared.measured) == ("weak", False)
        assert (
            inventory.evidence[found["V-77", "SL-OA"].dependency_id]["measured"].locator
            == "ssh://V-oa/probe/connections"
        )

    def test_servers_nobody_declared_are_the_reached_and_the_connected_not_people_at_desks(self) -> None:
        undeclared = [(s.addresses, s.seen) for s in build_inventory(estate()).servers if not s.declared]
        assert sorted(undeclared) == [(("10.66.1.77",), True), (("10.66.8.8",), False)]

    def test_a_second_leg_on_a_dedicated_network_is_found_and_its_system_with_it(self) -> None:
        inventory = build_inventory(estate())
        assert inventory.networks[0].servers == ("V-oa",)
        system = inventory.system("SL-OA")
        assert system is not None and system.networks == ("N-1",)

    def test_routes_that_no_declared_network_covers_are_named_with_the_network_they_lead_through(self) -> None:
        inventory = build_inventory(estate())
        found = build_network_evidence(inventory.networks, inventory.servers)
        strays = {(e.prefix, e.via_network_id) for e in found if e.prefix and e.undeclared}
        assert strays == {("10.99.0.0/24", None), ("172.30.0.0/16", "N-1")}

    def test_names_in_projects_become_ids_and_unknown_ones_stay_visible(self) -> None:
        assert build_inventory(estate()).projects[0].systems == ("SL-OA", "没有的系统")


values = st.sampled_from([1, 2, 8, 16])
told = st.lists(
    st.builds(
        lambda s, f, source, place, hour: said(
            s, f[0], f[1], source=source, place=f"{source}:{place}{'/probe/addresses' if f[0] == 'addresses' else ''}", hour=hour
        ),
        st.sampled_from(["V-1", "V-2", "V-3", "V-4"]),
        st.one_of(
            st.tuples(st.just("cpu_count"), values), st.tuples(st.just("name"), st.sampled_from(["a", "b"])),
            st.tuples(st.just("department"), st.sampled_from(["甲", "乙"])),
            st.tuples(st.just("os_name"), st.sampled_from(["CentOS", "CentOS Linux", "Debian"])),
            st.tuples(st.just("os_version"), st.sampled_from(["7", "7.9", "12"])),
            st.tuples(st.just("addresses"), st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "127.0.0.1"]), min_size=1).map(tuple)),
        ),
        st.sampled_from(["workbook", "ssh", "person", "cloud"]), st.sampled_from("xyz"), st.integers(0, 3),
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(told, st.randoms(use_true_random=False))
def test_the_order_of_observations_changes_nothing_and_saying_it_twice_neither(
    observations: list[Statement], random: object
) -> None:
    inventory = build_inventory(observations)
    mixed = [*observations, *observations]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert build_inventory(mixed) == inventory


def test_the_whole_estate_merges_the_same_backwards() -> None:
    assert build_inventory(list(reversed(estate()))) == build_inventory(estate())


class TestIds:
    def test_a_server_keeps_the_id_that_the_inventory_shows_whatever_is_read_later(self) -> None:
        """Findings, confirmations and plans hang on it; an export may tell of times before the first import."""
        first = server("V-1", "10.1.1.1", name="oa")
        shown_before = build_inventory(first)
        older = [said("V-0", "addresses", ("10.1.1.1",), source="rvtools", place="export", hour=-48)]
        known = [s.server_id for s in shown_before.servers]
        assert [s.server_id for s in build_inventory([*first, *older], known=known).servers] == ["V-1"]
        assert [s.server_id for s in build_inventory([*first, *older]).servers] == ["V-0"]


class TestFormsThatNameTheirSystems:
    def test_a_server_list_and_a_network_form_say_which_system_is_on_them(self) -> None:
        """Departments write it on whichever form they have."""
        told = [
            said("SL-1", "name", "办公系统", kind="system"), said("SL-1", "department", "甲厅", kind="system"),
            *server("V-1", "10.1.1.1", department="甲厅"), said("V-1", "systems", ("办公系统",)),
            said("N-1", "name", "业务专网", kind="network"), said("N-1", "department", "甲厅", kind="network"),
            said("N-1", "systems", ("SL-1", "不存在的系统"), kind="network"),
        ]  # fmt: skip
        inventory = build_inventory(told)
        assert (inventory.systems[0].servers, inventory.systems[0].networks) == (("V-1",), ("N-1",))
        assert inventory.servers[0].systems == ("SL-1",)
        assert inventory.networks[0].systems == ("SL-1", "不存在的系统")
