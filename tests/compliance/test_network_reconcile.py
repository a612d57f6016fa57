"""Declared networks against what hosts show. Missed otherwise: a line that was "closed" and still carries traffic, two
departments that use the same addresses and meet in the extranet, and a network called unseen that nobody looked for.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from govcloud.compliance.network_blocks import Address, Block, BlockTable, build_overlaps
from govcloud.compliance.network_reconcile import build_differences
from govcloud.model.inventory import Inventory, Network, System
from govcloud.model.network_evidence import NetworkEvidence
from govcloud.model.network_ledger import NetworkDifference
from govcloud.model.observation import Observation
from govcloud.model.server import Server

AS_OF = date(2026, 3, 2)


def line(network_id: str = "N-1", *prefixes: str, **facts: object) -> Network:
    usual: dict[str, object] = {"kind": "dedicated", "department": "示例民政厅", "name": f"专网{network_id}"}
    return Network(network_id=network_id, prefixes=prefixes, **{**usual, **facts})  # type: ignore[arg-type]


def host(server_id: str, *addresses: str, seen: bool = True, **facts: object) -> Server:
    return Server(server_id=server_id, name=f"host-{server_id}", addresses=addresses, seen=seen, **facts)  # type: ignore[arg-type]


def system(system_id: str, **facts: object) -> System:
    return System(system_id=system_id, name=f"系统{system_id}", **{"department": "示例民政厅", **facts})  # type: ignore[arg-type]


def kinds(found: tuple[NetworkDifference, ...]) -> dict[str, tuple[str, ...]]:
    return {d.kind: d.networks for d in found}


class TestSeen:
    def test_an_address_of_a_host_that_was_looked_at_is_enough(self) -> None:
        estate = Inventory(networks=(line("N-1", "172.30.5.0/24"),), servers=(host("H", "172.30.5.9"),))
        assert build_differences(estate, (), AS_OF) == ()

    def test_so_is_a_tunnel_or_route_into_it(self) -> None:
        estate = Inventory(networks=(line("N-1", "172.30.5.0/24"),), servers=(host("H", department="示例民政厅"),))
        route = NetworkEvidence(server_id="H", what="route", prefix="172.30.5.0/26", network_id="N-1")
        assert build_differences(estate, (route,), AS_OF) == ()

    def test_a_declared_address_alone_is_not(self) -> None:
        servers = (host("H", "172.30.5.9", seen=False), host("G", "10.1.1.1", department="示例民政厅"))
        estate = Inventory(networks=(line("N-1", "172.30.5.0/24"),), servers=servers)
        (found,) = build_differences(estate, (), AS_OF)
        assert (found.kind, found.weight, found.networks) == ("unseen", "gap", ("N-1",))
        assert "1 台" in found.text.zh

    def test_nobody_looked_is_not_unseen(self) -> None:
        """The host that was looked at belongs to somebody else."""
        estate = Inventory(
            networks=(line("N-1", "172.30.5.0/24"),), servers=(host("G", "10.1.1.1", department="示例交通厅"),)
        )
        assert kinds(build_differences(estate, (), AS_OF)) == {"not_looked": ("N-1",)}

    def test_hosts_of_the_systems_on_it_could_have_shown_it(self) -> None:
        estate = Inventory(
            networks=(line("N-1", "172.30.5.0/24"),), servers=(host("G", "10.1.1.1"),),
            systems=(system("A", department="示例交通厅", networks=("N-1",), servers=("G",)),),
        )  # fmt: skip
        assert kinds(build_differences(estate, (), AS_OF)) == {"unseen": ("N-1",), "unlisted_block": ()}

    def test_a_network_without_blocks_can_t_be_compared(self) -> None:
        estate = Inventory(networks=(line("N-1"),), servers=(host("G", "10.1.1.1", department="示例民政厅"),))
        assert kinds(build_differences(estate, (), AS_OF)) == {"no_prefix": ("N-1",)}

    def test_a_tenants_network_in_a_cloud_is_not_taken_for_a_line(self) -> None:
        cloud = Network(network_id="C", name="vpc", kind="cloud", prefixes=("172.30.5.0/24",), servers=("H",))
        estate = Inventory(
            networks=(cloud, line("N-1", "172.30.5.0/24")), servers=(host("H", "172.30.5.9", department="示例民政厅"),)
        )
        assert kinds(build_differences(estate, (), AS_OF)) == {"unseen": ("N-1",)}


class TestContradictions:
    def test_closed_and_shown_afterwards(self) -> None:
        shut = line("N-1", "172.30.5.0/24", closed_on=date(2026, 2, 1))
        base = Inventory(networks=(shut,), servers=(host("H", "172.30.5.9"),))

        def told(day: date) -> dict[str, tuple[str, ...]]:
            at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
            said = Observation(
                subject_kind="server", subject_id="H", field="addresses", value=("172.30.5.9",), source="ssh",
                locator="ssh://h/", observed_at=at,
            )  # fmt: skip
            return kinds(build_differences(replace(base, evidence={"H": {"addresses": said}}), (), AS_OF))

        assert told(date(2026, 2, 2)) == {"closed_but_seen": ("N-1",)}
        assert told(date(2026, 2, 1)) == {}, "on its last day it may still be there"
        assert kinds(build_differences(base, (), AS_OF)) == {}, "nobody knows when"

    def test_closed_and_still_named_by_a_system_in_use(self) -> None:
        shut = line("N-1", closed_on=AS_OF)
        systems = (system("A", networks=("N-1",)), system("B", networks=("N-1",), lifecycle="stopped"))
        (found,) = build_differences(Inventory(networks=(shut,), systems=systems), (), AS_OF)
        assert (found.kind, found.systems) == ("closed_but_used", ("A",))
        early = build_differences(Inventory(networks=(shut,), systems=systems), (), date(2026, 3, 1))
        assert "closed_but_used" not in kinds(early)

    def test_dates_in_the_wrong_order_and_secrets_on_the_extranet(self) -> None:
        wrong = line(
            "N-1", built_on=date(2026, 1, 2), closed_on=date(2026, 1, 1), consent_on=date(2025, 1, 2),
            consent_valid_until=date(2025, 1, 1), classified=True, target="extranet_vpn",
        )  # fmt: skip
        found = build_differences(Inventory(networks=(wrong,)), (), AS_OF)
        assert set(kinds(found)) == {"closed_before_built", "consent_ends_before_it_starts", "classified_to_extranet"}
        assert {d.weight for d in found} == {"contradiction"}
        right = replace(wrong, closed_on=date(2026, 1, 2), consent_valid_until=date(2025, 1, 2), target="intranet")
        assert build_differences(Inventory(networks=(right,)), (), AS_OF) == ()


class TestUnlisted:
    def test_a_network_that_no_form_declares(self) -> None:
        systems = (system("A", networks=("林业专网", "政务外网")), system("B", networks=("林业专网",)))
        (found,) = build_differences(Inventory(systems=systems), (), AS_OF)
        assert (found.kind, found.systems) == ("unlisted_network", ("A", "B"))
        assert "林业专网" in found.text.zh

    def test_a_system_that_no_census_has(self) -> None:
        (found, _) = build_differences(Inventory(networks=(line("N-1", systems=("某系统",)),)), (), AS_OF)
        assert (found.kind, found.networks) == ("unknown_system", ("N-1",))

    def test_an_address_on_a_dedicated_network_outside_of_all_of_them(self) -> None:
        systems = (
            system("A", dedicated_address="172.30.5.9、172.31.0.1"),
            system("B", dedicated_address="999.1.1.1 待定"),
        )
        estate = Inventory(
            networks=(line("N-1", "172.30.5.0/24"), line("N-2", "10.0.0.0/8", kind="extranet")), systems=systems
        )
        found = [d for d in build_differences(estate, (), AS_OF) if d.kind == "unlisted_address"]
        assert [(d.systems, d.prefix) for d in found] == [(("A",), "172.31.0.1/32")]

    def test_addresses_of_servers_that_nothing_covers_by_block(self) -> None:
        servers = (
            host("H", "10.8.1.9", "fd00:1::9", seen=False), host("G", "10.8.1.10", seen=False),
            host("I", "172.30.5.9", "127.0.0.1", "8.8.8.8", seen=False),
        )  # fmt: skip
        systems = (system("A", servers=("H", "I")), system("B", servers=("G", "gone")))
        estate = Inventory(networks=(line("N-1", "172.30.5.0/24"),), servers=servers, systems=systems)
        found = {d.prefix: d for d in build_differences(estate, (), AS_OF) if d.kind == "unlisted_block"}
        assert set(found) == {"10.8.1.0/24", "fd00:1::/64"}
        assert (found["10.8.1.0/24"].systems, found["10.8.1.0/24"].servers) == (("A", "B"), ("H", "G"))
        mute = replace(estate, networks=(line("N-1"),))
        assert "unlisted_block" not in kinds(build_differences(mute, (), AS_OF)), (
            "without any block all would be listed"
        )


class TestBlocks:
    def test_two_owners_in_one_block_and_an_owners_own_part(self) -> None:
        networks = (
            line("N-1", "10.1.0.0/16"), line("N-2", "10.1.2.0/24"), line("N-3", "10.1.2.128/25", department="示例交通厅"),
            line("N-4", "10.1.3.0/24", department="示例交通厅", closed_on=date(2026, 1, 1)),
        )  # fmt: skip
        found = [d for d in build_differences(Inventory(networks=networks), (), AS_OF) if d.prefix]
        assert [(d.kind, d.weight, d.networks, d.others, d.prefix) for d in found] == [
            ("overlap", "contradiction", ("N-3",), ("N-2",), "10.1.2.128/25"),
            ("nested", "information", ("N-2",), ("N-1",), "10.1.2.0/24"),
        ]

    def test_the_same_block_twice(self) -> None:
        same = (line("N-1", "10.1.0.0/16"), line("N-2", "10.1.0.0/16"))
        other = (same[0], replace(same[1], department="示例交通厅"))
        assert "same_block" in kinds(build_differences(Inventory(networks=same), (), AS_OF))
        assert "overlap" in kinds(build_differences(Inventory(networks=other), (), AS_OF))

    def test_the_extranets_usual_block_is_a_hint_and_no_more(self) -> None:
        networks = (
            line("N-1", "59.200.1.0/24"),
            line("N-2", "59.128.0.0/16"),
            line("N-3", "59.193.0.0/16", kind="extranet"),
        )
        found = [d for d in build_differences(Inventory(networks=networks), (), AS_OF) if d.weight == "hint"]
        assert [(d.kind, d.networks) for d in found] == [("extranet_hint", ("N-1",))]
        assert "不能据此认定" in found[0].text.zh


PREFIXES = st.builds(
    lambda number, length: str(ipaddress.ip_network((int(ipaddress.ip_address("10.0.0.0")) + number, length), strict=False)),
    st.integers(0, 63), st.integers(24, 32),
) | st.builds(
    lambda number, length: str(ipaddress.ip_network((int(ipaddress.ip_address("fd00::")) + number, length), strict=False)),
    st.integers(0, 15), st.integers(122, 128),
)  # fmt: skip
NETWORKS = st.lists(st.lists(PREFIXES, max_size=3), max_size=6).map(
    lambda every: [line(f"N-{i}", *prefixes) for i, prefixes in enumerate(every)]
)


def inside(narrow: str, wide: str) -> bool:
    a, b = ipaddress.ip_network(narrow), ipaddress.ip_network(wide)
    return a.version == b.version and a.subnet_of(b)  # type: ignore[arg-type]


@given(NETWORKS)
def test_every_overlap_of_two_networks_is_told_and_nothing_else(networks: list[Network]) -> None:
    found = list(build_overlaps(networks))
    prefixes = {n.network_id: n.prefixes for n in networks}
    for overlap in found:
        common = overlap.block.prefix
        assert len({*overlap.networks, *overlap.within}) > 1
        assert all(common in prefixes[n] for n in overlap.networks)
        assert all(any(inside(common, p) and p != common for p in prefixes[n]) for n in overlap.within)
    for a, b in permutations(networks, 2):
        for narrow in a.prefixes:
            for wide in b.prefixes:
                if inside(narrow, wide):
                    assert any(inside(narrow, o.block.prefix) and inside(o.block.prefix, wide) for o in found)


@given(NETWORKS, st.integers(0, 63))
def test_an_address_finds_the_networks_around_it(networks: list[Network], number: int) -> None:
    address = ipaddress.ip_address(int(ipaddress.ip_address("10.0.0.0")) + number)
    expected = {n.network_id for n in networks for p in n.prefixes if address in ipaddress.ip_network(p)}
    table = BlockTable(networks)
    known = Address.of(str(address))
    assert set(table.holders(known)) == expected
    assert table.covers(known) == bool(expected)
    assert set(table.around(Block.of(f"{address}/32"))) == expected


@given(st.ip_addresses())
def test_an_address_is_read_as_the_standard_library_reads_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    read = Address.of(str(address))
    assert (read.version, read.number) == (address.version, int(address))
    wanted = ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False)
    assert read.block(wanted.prefixlen).prefix == str(wanted)
