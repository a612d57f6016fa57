"""The lab itself: if one of these fails, no other test of it proves anything."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from estate import FILLED, MAIL, OA, Estate, mail_spec, make_estate, oa_spec
from server_bed import HostPlan, ServerBed, start_bed
from writer import acknowledged, longest_gap_s

pytestmark = [pytest.mark.servers, pytest.mark.root]


@pytest.fixture(scope="module")
def estate(server_bed: ServerBed, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    return make_estate(server_bed, tmp_path_factory.mktemp("bed") / "w", oa_spec(server_bed), mail_spec())


def test_two_hosts_are_booted_by_systemd_and_the_others_are_not(server_bed: ServerBed) -> None:
    for name in ("oa-src", "oa-dst"):
        host = server_bed.hosts[name]
        state = host.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip()
        assert state == "running", host.run("systemctl", "--failed").stdout
        assert host.read("/proc/1/comm") == "systemd\n"
    assert server_bed.hosts["edge"].read("/proc/1/comm") == "sshd\n"


def test_every_host_is_a_machine_of_its_own(server_bed: ServerBed) -> None:
    """Own name, address, processes and files: what is found on one host may not be the controller's."""
    for host in server_bed.hosts.values():
        assert host.run("uname", "-n").stdout.strip() == host.name
        assert host.address in host.run("ip", "-br", "addr").stdout
        assert len(host.run("ps", "ax").stdout.splitlines()) < 80
        host.run("touch", "/here")
    assert not Path("/here").exists()


def test_the_applications_serve_their_records_through_the_entrances(estate: Estate) -> None:
    for url, host in (("http://10.77.0.80", "oa-src"), ("http://mail.bed.test:8080", "my-src")):
        status, served_by, said = estate.get(f"{url}/selftest")
        assert (status, served_by, said["ok"]) == (200, host, True)
        assert len(estate.get(f"{url}/ids")[2]) >= FILLED


def test_what_was_acknowledged_is_found_and_an_outage_is_measured(estate: Estate, tmp_path: Path) -> None:
    log = tmp_path / "acknowledged"
    unit = ("systemctl", "stop", "records"), ("systemctl", "start", "records")
    with estate.writing("http://10.77.0.80", log):
        estate.bed.hosts["oa-src"].run(*unit[0])
        time.sleep(2)
        estate.bed.hosts["oa-src"].run(*unit[1])
        before = len(acknowledged(log))
        deadline = time.monotonic() + 15
        while len(acknowledged(log)) < before + 5 and time.monotonic() < deadline:
            time.sleep(0.1)
    assert set(acknowledged(log)) <= set(estate.get("http://10.77.0.80/ids")[2])
    assert 1.5 < longest_gap_s(log) < 15


def test_rules_on_the_router_really_block(server_bed: ServerBed) -> None:
    router, source = server_bed.hosts["router"], server_bed.hosts["oa-src"]
    rules = """table inet t {
        chain f {
            type filter hook forward priority 0; policy accept;
            ip saddr 10.77.1.10 ip daddr 10.77.2.10 drop
        }
    }
    """
    knock = ("timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/10.77.2.10/22")
    assert source.run(*knock, check=False).returncode == 0
    router.run("nft", "-f", "-", input=rules)
    try:
        assert source.run(*knock, check=False).returncode != 0
    finally:
        router.run("nft", "delete", "table", "inet", "t")
    assert source.run(*knock, check=False).returncode == 0


def test_the_workspace_reaches_every_host(estate: Estate) -> None:
    """With its own key, and with host keys that a person approved."""
    assert {OA, MAIL} <= {row["system_id"] for row in estate.ask("inventory", "systems")["systems"]["rows"]}


def test_nothing_of_a_lab_is_left() -> None:
    with start_bed(
        [HostPlan("one", "dept", "10.77.1.10"), HostPlan("two", "cloud", "10.77.2.10", systemd=True)]
    ) as bed:
        folder = bed.folder
        assert bed.left()
    assert not bed.left() and not folder.exists()
