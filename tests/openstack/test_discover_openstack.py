"""`discover openstack` against a real Keystone, Nova, Neutron, Cinder, Glance and Placement.

What only real services show: what an administrator sees and a department's own account doesn't, tokens that run out,
tenants who use the same private addresses, quotas with their use, servers that failed, services that are down.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack
import pytest
from openpyxl import Workbook
from openstack_bed import Bed

from govcloud.model.inventory import Inventory, Network, Tenant
from govcloud.model.server import Server
from govcloud.settings import open_workspace
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import open_session

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(900)]


@dataclass
class Office:
    """A workspace of its own, and the command line in it."""

    bed: Bed
    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.clouds = self.bed.write_clouds(self.folder)
        self.run("init", str(self.folder / "ws"), "--site", "shanxi", plain=True)

    def run(self, *words: str, code: int = 0, plain: bool = False) -> str:
        """stdout; no password may be in it, on stderr, or in any file of the workspace."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("OS_")} | {
            "OS_CLIENT_CONFIG_FILE": str(self.clouds)
        }
        begin = [] if plain else ["-w", str(self.folder / "ws"), "--format", "json"]
        argv = [sys.executable, "-m", "govcloud", "--lang", "en", *begin, *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=200, check=False, env=env, cwd=self.folder)
        assert done.returncode == code, done.stdout + done.stderr
        kept = b"".join(p.read_bytes() for p in (self.folder / "ws").rglob("*") if p.is_file())
        for secret in self.secrets():
            assert secret not in done.stdout + done.stderr and secret.encode() not in kept
        return done.stdout if not code or code == 1 else done.stderr

    def secrets(self) -> list[str]:
        accounts = json.loads(self.clouds.read_text("utf-8"))["clouds"].values()
        return [a["auth"][key] for a in accounts for key in ("password", "token") if key in a["auth"]]

    def add_cloud(self, name: str, entry: Mapping[str, Any]) -> None:
        told = json.loads(self.clouds.read_text("utf-8"))
        told["clouds"][name] = entry
        self.clouds.write_text(json.dumps(told, ensure_ascii=False), "utf-8")

    def discover(self, cloud: str, *more: str, code: int = 0) -> Any:
        return json.loads(self.run("discover", "openstack", "--cloud", cloud, *more, code=code))["cloud"]

    def refused(self, cloud: str) -> str:
        """What a user reads when nobody can log in: exit 4, no traceback, where and what to do."""
        told = self.run("discover", "openstack", "--cloud", cloud, code=4)
        assert "Traceback" not in told and "127.0.0.1" in told and "Next:" in told
        return told

    def inventory(self) -> Inventory:
        with open_session(open_workspace(self.folder / "ws"), actor="reader") as session:
            return read_inventory(session)

    def server(self, name: str) -> Server:
        (found,) = [s for s in self.inventory().servers if s.name == name]
        return found


@pytest.fixture
def office(bed: Bed, tmp_path: Path) -> Office:
    return Office(bed, tmp_path / "office")


@pytest.fixture(scope="module")
def province(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Read once by the administrator of the whole cloud; for tests that only look."""
    whole = Office(bed, tmp_path_factory.mktemp("province") / "office")
    told = whole.discover("bed", "--all-projects")
    assert told["complete"] and told["gaps"] == [] and told["counts"]["servers"] == 3
    return whole


@pytest.fixture
def without(bed: Bed) -> Iterator[Any]:
    """Ends a service for the length of a test."""
    ended: list[str] = []

    def end(name: str) -> None:
        bed.stop(name)
        ended.append(name)

    yield end
    for name in ended:
        bed.start_api(name)
        bed.await_api(name)


def network(inventory: Inventory, ending: str) -> Network:
    (found,) = [n for n in inventory.networks if n.name.endswith(ending)]
    return found


def tenant(inventory: Inventory, name: str) -> Tenant:
    (found,) = [t for t in inventory.tenants if t.name == name]
    return found


def test_a_running_server_with_volume_and_floating_address_is_told_in_full(bed: Bed, province: Office) -> None:
    """Without it the plan would size, number and address the machine wrongly."""
    made = bed.seeded["finance"]["servers"]["sl-oa-01"]
    server = province.server("sl-oa-01")
    assert (server.uuid, server.cloud_id, server.power, server.virtual) == (made["id"], made["id"], "on", True)
    assert (server.cpu_count, server.memory_gib, server.flavor) == (4, 8, "gov.m")
    assert server.macs == (made["mac"],)
    assert server.addresses == (made["fixed"], made["floating"])
    assert server.disk_gib == 80 + made["volume"]["size_gib"]
    assert sorted(d.size_gib for d in server.disks) == [80, 100]
    assert (server.tenant, server.image) == ("示例市财政局", "kylin-v10-sp3")
    assert (server.os_name, server.os_version, server.arch) == ("kylin", "V10", "x86_64")
    assert server.hypervisor == "bed-compute-1"


def test_a_stopped_server_and_one_that_failed_are_not_lost(bed: Bed, province: Office) -> None:
    """Both hold quota and may hold data; the failed one has neither host nor address."""
    stopped, failed = province.server("sl-sm-01"), province.server("sl-gpu-01")
    assert (stopped.power, stopped.cpu_count, stopped.memory_gib, stopped.disk_gib) == ("off", 2, 4, 40)
    assert stopped.macs == (bed.seeded["affairs"]["servers"]["sl-sm-01"]["mac"],)
    assert failed.uuid == bed.seeded["finance"]["servers"]["sl-gpu-01"]["id"]
    assert (failed.addresses, failed.power, failed.hypervisor) == ((), None, None)


def test_tenants_with_the_same_private_addresses_stay_apart(province: Office) -> None:
    """Both use 10.20.0.10 in 10.20.0.0/24: taken for one machine or one network, both departments' facts would be mixed."""
    inventory = province.inventory()
    one, other = province.server("sl-oa-01"), province.server("sl-sm-01")
    assert one.server_id != other.server_id and "10.20.0.10" in {*one.addresses} & {*other.addresses}
    assert one.zone != other.zone
    for name, own in (("caiwu-net", one), ("minzheng-net", other)):
        found = network(inventory, name)
        assert (found.prefixes, found.kind, found.servers) == (("10.20.0.0/24",), "cloud", (own.server_id,))
    assert network(inventory, "gov-ext").prefixes == ("203.0.113.0/24",)
    assert inventory.conflicts == ()


def test_quotas_are_told_with_what_is_used_of_them(bed: Bed, province: Office) -> None:
    """The capacity check needs them; the failed server counts in Nova, and so it must here."""
    inventory = province.inventory()
    finance, affairs = tenant(inventory, "示例市财政局"), tenant(inventory, "示例市民政局")
    quota = bed.seeded["finance"]["quota"]
    assert (finance.vcpu_quota, finance.vcpu_used) == (quota["cores"], 4 + 2)
    assert (finance.memory_gib_quota, finance.memory_gib_used) == (quota["memory_gib"], 8 + 4)
    assert (finance.server_quota, finance.server_used) == (quota["instances"], 2)
    assert (finance.storage_gib_quota, finance.storage_gib_used) == (quota["storage_gib"], 100)
    assert (finance.address_quota, finance.address_used) == (quota["addresses"], 1)
    assert finance.routers == ("caiwu-net-router gov-ext",)
    assert "oa-web" in finance.security_groups and "oa-web" not in affairs.security_groups
    assert "gov.m 4 8 80" in finance.flavors and "kylin-v10-sp3" in finance.images
    assert (affairs.vcpu_used, affairs.storage_gib_used, affairs.address_used) == (2, 0, 0)


def test_reading_the_same_cloud_again_changes_nothing(office: Office) -> None:
    """Otherwise nobody could tell a real change from the next run."""
    first = office.discover("bed", "--all-projects")
    before = office.inventory()
    second = office.discover("bed", "--all-projects")
    assert first["added"] > 0
    assert (second["added"], second["changed"], second["removed"]) == (0, 0, 0)
    after = office.inventory()
    assert (after.servers, after.networks, after.tenants) == (before.servers, before.networks, before.tenants)


def test_a_department_sees_its_own_project_and_nobody_elses(bed: Bed, office: Office) -> None:
    """Its account is refused the host and other projects; that is no failure, and nothing of others is in its inventory."""
    told = office.discover("caiwu")
    assert told["complete"] and told["counts"]["servers"] == 2 and told["counts"]["projects"] == 1
    inventory = office.inventory()
    assert {s.name for s in inventory.servers} == {"sl-oa-01", "sl-gpu-01"}
    assert [t.name for t in inventory.tenants] == ["示例市财政局"]
    assert office.server("sl-oa-01").hypervisor is None
    kept = b"".join(p.read_bytes() for p in (office.folder / "ws").rglob("*") if p.is_file())
    for foreign in ("sl-sm-01", "minzheng-net", bed.seeded["affairs"]["id"]):
        assert foreign.encode() not in kept


def test_without_the_right_to_all_projects_the_rest_is_read_and_the_gaps_are_named(office: Office) -> None:
    """A 403 for the list of projects must not cost what the account may read, nor look like a complete reading."""
    told = office.discover("caiwu", "--all-projects", code=1)
    assert not told["complete"] and "projects" in told["gaps"]
    reasons = {row["kind"]: row["reason"] for row in told["rows"] if row["reason"]}
    assert reasons["projects"] == "The account may not read it"
    assert told["counts"]["networks"] == 2 and told["counts"]["volumes"] == 1
    assert {s.name for s in office.inventory().servers} == {"sl-oa-01", "sl-gpu-01"}


def test_one_cloud_read_by_several_accounts_is_one_cloud(office: Office) -> None:
    """Without administrator's rights each department's account reads its own part: one inventory, no disagreement."""
    for account in (("caiwu",), ("minzheng",), ("bed", "--all-projects")):
        office.discover(*account)
    inventory = office.inventory()
    assert sorted(s.name for s in inventory.servers) == ["sl-gpu-01", "sl-oa-01", "sl-sm-01"]
    assert len({t.name for t in inventory.tenants}) == len(inventory.tenants)
    assert [(c.subject_id, c.field) for c in inventory.conflicts] == []


def test_a_workbook_row_and_a_server_of_the_cloud_with_its_address_are_one(bed: Bed, office: Office) -> None:
    """The department wrote another name; joined by the address, the row gets the measured size and the system its server."""
    floating = bed.seeded["finance"]["servers"]["sl-oa-01"]["floating"]
    book = Workbook()
    assert book.active is not None
    book.active.append(["系统编号", "系统名称", "所属部门", "服务器名称", "服务器IP"])
    book.active.append(["SL-OA-01", "协同办公系统", "示例市财政局", "办公应用服务器", floating])
    book.save(office.folder / "普查表.xlsx")
    office.run("import", "普查表.xlsx")
    office.discover("bed", "--all-projects")
    inventory = office.inventory()
    assert len(inventory.servers) == 3
    (joined,) = [s for s in inventory.servers if floating in s.addresses]
    assert (joined.declared, joined.cpu_count, joined.department) == (True, 4, "示例市财政局")
    (system,) = inventory.systems
    assert system.servers == (joined.server_id,)


def test_a_server_that_was_deleted_in_the_cloud_leaves_the_inventory(bed: Bed, office: Office) -> None:
    """A plan must not hold machines that are gone; a complete reading is the proof that they are."""
    cloud: Any = openstack.connect(**json.loads(office.clouds.read_text("utf-8"))["clouds"]["minzheng"])
    made = cloud.compute.create_server(
        name="sl-tmp-01", flavor_id=cloud.compute.find_flavor("gov.s").id, image_id=bed.seeded["image"],
        networks=[{"uuid": bed.seeded["affairs"]["network"]["id"]}],
    )  # fmt: skip
    try:
        cloud.compute.wait_for_server(made, interval=1, wait=60)
        office.discover("minzheng")
        assert office.server("sl-tmp-01").power == "on"
    finally:
        cloud.compute.delete_server(made.id)
        cloud.compute.wait_for_delete(made, interval=1, wait=60)
    assert office.discover("minzheng")["removed"] >= 1
    assert [s.name for s in office.inventory().servers] == ["sl-sm-01"]


def test_a_wrong_password_ends_with_4_and_is_not_repeated(office: Office) -> None:
    """The run() of this file looks for it in the output and in every file; a password often differs from the right one by a letter."""
    office.add_cloud("wrong", office.bed.cloud_entry("shili-caiwu", "Wr0ng-but-almost-right", "示例市财政局"))
    assert "refused" in office.refused("wrong")
    assert office.inventory() == Inventory()


def test_a_token_that_ran_out_ends_with_4(bed: Bed, office: Office) -> None:
    """Where people log in with a token, an old one must be said to be refused, not look like an empty cloud."""
    bed.start_api("keystone-short")
    try:
        bed.await_api("keystone-short")
        for door, name in (("keystone", "fresh"), ("keystone-short", "expired")):
            office.add_cloud(name, {
                "auth_type": "v3token", "region_name": "RegionOne",
                "auth": {
                    "auth_url": bed.url("keystone", "/v3"), "token": token_from(bed, door),
                    "project_name": "示例市财政局", "project_domain_name": "Default",
                },
            })  # fmt: skip
    finally:
        bed.stop("keystone-short")
    time.sleep(3)
    assert office.discover("fresh")["counts"]["servers"] == 2
    assert "refused" in office.refused("expired")


def token_from(bed: Bed, door: str) -> str:
    """A token for shili-caiwu, good for as long as that door's tokens are."""
    account = bed.seeded["finance"]
    user = {"name": account["user"], "password": account["password"], "domain": {"id": "default"}}
    scope = {"project": {"id": account["id"]}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    keystone = http.client.HTTPConnection("127.0.0.1", bed.ports[door], timeout=30)
    with closing(keystone):
        keystone.request("POST", "/v3/auth/tokens", json.dumps(body), {"Content-Type": "application/json"})
        answer = keystone.getresponse()
        assert answer.status == 201, answer.read()
        return str(answer.headers["X-Subject-Token"])


def test_a_service_that_is_down_is_a_gap_and_takes_nothing_back(office: Office, without: Any) -> None:
    """Cinder is down on the night: the rest is read, and what was known of the volumes stays."""
    office.discover("bed", "--all-projects")
    assert office.server("sl-oa-01").disk_gib == 180
    without("cinder")
    told = office.discover("bed", "--all-projects", code=1)
    assert set(told["gaps"]) == {"volumes", "volume_quotas"} and told["counts"]["servers"] == 3
    assert office.server("sl-oa-01").disk_gib == 180
    assert tenant(office.inventory(), "示例市财政局").storage_gib_used == 100


def test_a_keystone_that_is_down_ends_with_4_and_changes_nothing(office: Office, without: Any) -> None:
    """An unreachable cloud must never look like one whose servers are gone."""
    office.discover("caiwu")
    before = office.inventory()
    without("keystone")
    assert "reached" in office.refused("caiwu")
    assert office.inventory() == before


def test_the_bed_is_all_there(bed: Bed) -> None:
    """The tests above mean nothing when a part of the cloud died on the way."""
    assert {name: child.poll() for name, child in bed.running.items() if child.poll() is not None} == {}
