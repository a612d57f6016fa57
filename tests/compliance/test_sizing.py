"""Servers as catalog offerings: by their use where it was measured long enough, and never as something the catalog lacks."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud import resources
from govcloud.compliance.catalog_source import load_catalog
from govcloud.compliance.load import load_packs
from govcloud.compliance.sizing import build_request, build_sizing, disk_used, parse_sizing_rules
from govcloud.errors import InputError
from govcloud.model.catalog import Catalog
from govcloud.model.inventory import Inventory, Network, System
from govcloud.model.regulation import Regulation
from govcloud.model.server import Filesystem, Server, is_domestic
from govcloud.model.sizing import ServerSizing, SizingRules
from govcloud.safe_yaml import load_yaml

TODAY = date(2026, 11, 22)
CATALOG: Catalog = load_catalog(resources.folder("service_catalog"), "sample-provincial")
OWN: Regulation = load_packs(resources.folder("regulations"), ["SX19"])[0]


def server(**facts: object) -> Server:
    usual: dict[str, object] = {
        "server_id": "V-1", "name": "app-01", "cpu_count": 8, "memory_gib": 32.0, "disk_gib": 500.0, "arch": "x86_64",
        "utilisation_days": 30.0, "utilisation_samples": 4320,
    }  # fmt: skip
    return Server(**{**usual, **facts})  # type: ignore[arg-type]


def sized(
    one: Server, rules: SizingRules | None = None, networks: tuple[Network, ...] = (), **system: object
) -> ServerSizing:
    carrying = System(
        system_id="S-1", name="a", department="示例厅", servers=(one.server_id,),
        networks=tuple(n.network_id for n in networks), **system,  # type: ignore[arg-type]
    )  # fmt: skip
    inventory = Inventory(systems=(carrying,), servers=(one,), networks=networks)
    return build_sizing(inventory, CATALOG, OWN, rules or SizingRules(), TODAY).servers[0]


def machine(found: ServerSizing) -> tuple[str | None, int | None, int | None]:
    line = found.lines[0].line
    return line.code, line.spec.vcpu, line.spec.memory_gib


class TestByUse:
    def test_p95_with_headroom_instead_of_the_nameplate_and_what_that_saves(self) -> None:
        # 8 cores x 20 % x 1.3 = 2.08; 32 GiB x 30 % x 1.25 = 12: four cores with 12 GiB cover it.
        found = sized(server(cpu_p95_pct=20.0, memory_p95_pct=30.0, disk_used_gib=100.0))
        assert (found.cpu_basis, found.memory_basis, found.disk_basis) == ("measured", "measured", "measured")
        assert (found.needed.vcpu, found.needed.memory_gib) == (pytest.approx(2.08), pytest.approx(12.0))
        assert machine(found) == ("P-VM-X86", 4, 12)
        # 100 GiB + 10 % a year, 20 % headroom: 132, in steps of ten.
        assert found.lines[1].line.quantity == 140
        assert found.monthly_fen == 4 * 4200 + 12 * 2100 + 140 * 45
        assert found.nameplate_fen == 8 * 4200 + 32 * 2100 + 500 * 45
        assert found.saving_fen == found.nameplate_fen - found.monthly_fen

    def test_more_is_proposed_where_the_machine_is_too_small(self) -> None:
        found = sized(server(cpu_p95_pct=95.0, memory_p95_pct=95.0))
        assert machine(found)[1] == 16
        assert found.saving_fen is not None and found.saving_fen < 0

    @pytest.mark.parametrize(
        "facts", [{"utilisation_days": 13.9}, {"utilisation_samples": 999}, {"utilisation_days": None}]
    )
    def test_short_coverage_takes_the_nameplate_and_says_so(self, facts: dict[str, object]) -> None:
        found = sized(server(cpu_p95_pct=5.0, memory_p95_pct=5.0, **facts))
        assert (found.cpu_basis, machine(found)) == ("nameplate", ("P-VM-X86", 8, 32))
        assert found.saving_fen == 0 and any("标称" in note.zh for note in found.notes)

    def test_a_source_that_counts_no_samples_is_judged_by_its_days(self) -> None:
        assert sized(server(cpu_p95_pct=5.0, memory_p95_pct=5.0, utilisation_samples=None)).cpu_basis == "measured"

    def test_cores_may_be_measured_while_memory_is_not(self) -> None:
        found = sized(server(cpu_p95_pct=5.0))
        assert (found.cpu_basis, found.memory_basis, machine(found)) == ("measured", "nameplate", ("P-VM-MEM", 4, 32))

    def test_the_systems_own_growth_beats_the_assumed_one(self) -> None:
        found = sized(server(disk_used_gib=100.0), data_growth_gib=400.0)
        assert found.needed.disk_gib == pytest.approx(600.0)

    def test_shares_are_not_counted_twice_and_one_device_once(self) -> None:
        one = server(
            filesystems=(
                Filesystem(mount="/", device="/dev/sda1", kind="xfs", used_gib=20.0),
                Filesystem(mount="/srv/again", device="/dev/sda1", kind="xfs", used_gib=20.0),
                Filesystem(mount="/mnt", device="nas:/vol", kind="nfs4", used_gib=900.0),
                Filesystem(mount="/run", device="tmpfs", kind="tmpfs", used_gib=1.0),
            )
        )
        assert disk_used(one) == 20.0


class TestWhatFits:
    def test_the_architecture_is_kept_and_domestic_machines_stay_domestic(self) -> None:
        assert machine(sized(server(arch="aarch64", cpu_model="Kunpeng-920")))[0] == "P-VM-ARM"
        assert machine(sized(server(arch="loongarch64")))[0] == "P-VM-LA"
        foreign = sized(server(cpu_model="Hygon C86 7285"))
        assert machine(foreign)[0] == "P-VM-X86"
        assert foreign.domestic and any("国产" in n.zh for n in foreign.notes)

    def test_domestic_is_read_from_processor_architecture_and_system(self) -> None:
        assert is_domestic(server(os_name="银河麒麟高级服务器操作系统")) and is_domestic(
            server(cpu_model="Phytium FT-2000+")
        )
        assert not is_domestic(server(os_name="CentOS Linux", cpu_model="Intel(R) Xeon(R) Gold"))

    def test_an_unknown_architecture_is_assumed_aloud_or_not_at_all(self) -> None:
        assert any("x86_64" in n.en for n in sized(server(arch=None)).notes)
        refused = sized(server(arch=None), SizingRules(assume_arch=None))
        assert not refused.lines and refused.why_not
        assert not sized(server(arch="ppc64le")).lines

    def test_the_zone_comes_from_the_networks_of_the_system(self) -> None:
        internet = Network(network_id="N-1", name="互联网", kind="internet")
        assert sized(server(), networks=(internet,)).lines[0].line.spec.zone == "internet"
        intranet = sized(server(), networks=(Network(network_id="N-2", name="内网", kind="intranet"),))
        assert not intranet.lines and any("intranet zone" in t.en for t in intranet.why_not)

    def test_a_server_that_fits_nothing_says_why_and_costs_nothing(self) -> None:
        found = sized(server(cpu_count=64, memory_gib=512.0))
        assert (found.lines, found.monthly_fen, found.saving_fen) == ((), None, None)
        reasons = " ".join(t.zh for t in found.why_not)
        assert "需要 64 核 512 GiB" in reasons and "P-VM-X86 最大 32 核 64 GiB" in reasons
        assert "没有能提供" in sized(server(disk_gib=40960.0)).why_not[0].zh
        assert "核数不明" in sized(server(cpu_count=None)).why_not[0].zh

    def test_a_catalog_without_the_class_and_one_that_has_run_out(self) -> None:
        assert "没有这类服务" in sized(server(), SizingRules(machine_class="nothing")).why_not[0].zh
        old = replace(CATALOG, effective_to=date(2025, 1, 1))
        inventory = Inventory(systems=(System(system_id="S", name="a", servers=("V-1",)),), servers=(server(),))
        (found,) = build_sizing(inventory, old, OWN, SizingRules(), TODAY).servers
        assert not found.lines and "有效期" in found.why_not[0].zh

    def test_classified_and_stopped_systems_are_not_sized(self) -> None:
        assert not sized(server(), classified=True).lines
        assert not sized(server(), lifecycle="stopped").lines


class TestTotals:
    def test_a_shared_server_counts_once(self) -> None:
        servers = tuple(server(server_id=f"V-{n}", name=f"s{n}", department="示例厅") for n in range(3))
        systems = (
            System(system_id="S-1", name="a", servers=("V-0", "V-1")), System(system_id="S-2", name="b", servers=("V-1",)),
        )  # fmt: skip
        found = build_sizing(Inventory(systems=systems, servers=servers), CATALOG, OWN, SizingRules(), TODAY)
        assert [(t.system_ids, t.servers) for t in found.systems] == [((), 1), (("S-1",), 1), (("S-1", "S-2"), 1)]
        (department,) = found.departments
        assert department.servers == 3
        assert (
            department.monthly_fen
            == sum(t.monthly_fen for t in found.systems)
            == sum(s.monthly_fen or 0 for s in found.servers)
        )

    def test_one_system_takes_its_own_servers_only(self) -> None:
        servers = tuple(server(server_id=f"V-{n}", name=f"s{n}") for n in range(3))
        systems = tuple(
            System(system_id=f"S-{n}", name="a", department="示例厅", servers=(f"V-{n}",)) for n in range(2)
        )
        inventory = Inventory(systems=systems, servers=servers)
        found = build_sizing(inventory, CATALOG, OWN, SizingRules(), TODAY, system_id="S-1")
        assert [s.server_id for s in found.servers] == ["V-1"]
        request = build_request(found, on=TODAY, system=systems[1], department="示例厅")
        assert request is not None and [line.line for line in request.lines] == [1, 2]
        assert request.system_id == "S-1"


@given(
    st.integers(1, 80), st.floats(0.5, 300), st.floats(1, 100), st.floats(1, 100), st.floats(0, 400),
    st.sampled_from(["x86_64", "aarch64", "loongarch64", None, "ppc64"]),
)  # fmt: skip
def test_whatever_is_proposed_covers_the_need_is_in_the_catalog_and_costs_what_it_says(
    cores: int, memory_gib: float, cpu_pct: float, memory_pct: float, used_gib: float, arch: str | None
) -> None:
    found = sized(
        server(cpu_count=cores, memory_gib=memory_gib, cpu_p95_pct=cpu_pct, memory_p95_pct=memory_pct, disk_used_gib=used_gib, arch=arch)
    )  # fmt: skip
    assert bool(found.lines) != bool(found.why_not)
    for verdict in found.lines:
        offering = CATALOG.offering(verdict.code or "")
        assert offering is not None and verdict.conforms
    if found.lines:
        spec = found.lines[0].line.spec
        assert (spec.vcpu or 0) >= (found.needed.vcpu or 0) and (spec.memory_gib or 0) >= (found.needed.memory_gib or 0)
        assert found.monthly_fen == sum(v.monthly_fen or 0 for v in found.lines)


class TestSettings:
    @pytest.mark.parametrize(
        "section",
        [{"headroom": 3}, {"cpu_headroom_pct": -1}, {"min_days": "x"}, {"assume_arch": "ppc"}, {"min_vcpu": 0}],
    )
    def test_what_can_not_be_meant_is_refused_by_name(self, section: dict[str, object]) -> None:
        with pytest.raises(InputError, match="sizing"):
            parse_sizing_rules(section)

    def test_the_sites_write_out_the_defaults(self) -> None:
        for path in (resources.folder("inventory") / "sites").glob("*.yaml"):
            section = load_yaml(path)["sizing"]
            assert parse_sizing_rules(section) == SizingRules()
            assert set(section) == {f.name for f in fields(SizingRules)}
