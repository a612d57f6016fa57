"""Targets made through the Nova API of a real OpenStack, on which a person can really log in.

What a user would miss: a second paid server after a crash, a server that no list names after the quota ran out, the wrong
machine behind the new address, an image that is not what was read from the old disk.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from archive import Archive

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))
from cloud_play import RUN, play_provision
from cloud_proxy import proxy_before

from govcloud.execution.drivers import MARK, CloudError
from govcloud.execution.drivers.record import FILE, read_resources
from govcloud.model.migration import ImageSpec
from govcloud.model.resource import Resource

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(900)]
EXECUTION = Path(__file__).parents[1] / "execution"


def ssh(config: Path, host: str, *program: str, given: bytes = b"") -> str:
    done = subprocess.run(
        ["ssh", "-F", str(config), host, *program], input=given, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def recorded(evidence: Path) -> tuple[Resource, ...]:
    return tuple({r.resource_id: r for r in read_resources(evidence / FILE)}.values())


def present(resources: tuple[Resource, ...]) -> set[str | None]:
    return {r.external_id for r in resources if r.deleted_at is None}


def test_a_target_is_made_through_nova_reached_by_ansible_and_given_back(archive: Archive) -> None:
    """The whole step as a run does it, with the host key that a person approves from the facts."""
    assert archive.bed.machines is not None
    address = archive.bed.machines.prefix.replace("0/24", "15")
    group = archive.cloud.network.create_security_group(name="运维进入")
    spec, evidence = archive.spec(address=address, security_groups=("运维进入",)), archive.folder / "made"
    code, told = play_provision(archive.folder, spec, "apply", evidence=evidence)
    assert code == 0, told["output"]
    facts, made = told["gov"], recorded(evidence)
    assert facts["flavor.web"] == "gov.m" and facts["size.web"] == "4C8G" and facts["address.web"] == address
    assert facts["host_key_from.web"] == "console"
    assert present(made) == archive.things()
    server = archive.cloud.compute.get_server(next(r.external_id for r in made if r.kind == "server"))
    assert (server.status, server.metadata[MARK].partition("#")[0]) == ("ACTIVE", f"{RUN}/shili-da/web/server")

    config = archive.ssh_config(facts, spec, made)
    assert ssh(config, "new-web", "hostname").strip() == "new-web", "as the migration file calls it"
    assert address in ssh(config, "new-web", "ip", "-br", "addr")
    inventory = archive.folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"new-web": {}}}}))
    ansible = [str(Path(sys.executable).with_name("ansible")), "-i", str(inventory), "all", "-m", "ansible.builtin.setup",
               "--ssh-common-args", f"-F {config}"]  # fmt: skip
    told_by_ansible = subprocess.run(
        ansible,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=os.environ | {"ANSIBLE_HOME": str(archive.folder)},
    ).stdout
    (port,) = archive.cloud.network.ports(device_id=server.id)
    assert port.security_group_ids == [group.id]
    assert f'"macaddress": "{port.mac_address.lower()}"' in told_by_ansible

    code, again = play_provision(archive.folder, spec, "apply", made)
    assert code == 0 and not again["changed"] and present(made) == archive.things()
    assert play_provision(archive.folder, spec, "verify", made)[0] == 0
    code, gone = play_provision(archive.folder, spec, "rollback", made)
    assert code == 0 and gone["changed"] and archive.things() == set()
    code, gone = play_provision(archive.folder, spec, "rollback", made)
    assert code == 0, "what is gone is gone"
    archive.cloud.network.delete_security_group(group.id)


def sshd_of(server_id: str) -> list[int]:
    """The listening sshd of a machine, as this machine numbers it."""
    space = f"gc-{server_id.replace('-', '')[:10]}"
    pids = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=True).stdout.split()
    return [int(p) for p in pids if b"[listener]" in Path(f"/proc/{p}/cmdline").read_bytes()]


def test_another_machine_behind_the_new_address_is_found_before_anybody_logs_in(archive: Archive) -> None:
    spec, evidence = archive.spec(user="gov"), archive.folder / "swapped"
    code, told = play_provision(archive.folder, spec, "apply", evidence=evidence)
    assert code == 0, told["output"]
    made = recorded(evidence)
    config = archive.ssh_config(told["gov"], spec, made)
    assert ssh(config, "new-web", "id", "-un").strip() == "gov"
    server = next(r for r in made if r.kind == "server")
    (sshd,) = sshd_of(str(server.external_id))
    inside = ["nsenter", "-t", str(sshd), "--mount", "--root", "--wd=/", "sh", "-c"]
    swap = "rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key"
    subprocess.run([*inside, swap], check=True)
    os.kill(sshd, signal.SIGHUP)
    time.sleep(1)
    code, told = play_provision(archive.folder, spec, "verify", made)
    assert code != 0
    assert "控制台" in told["problems"][0]["zh"] and told["problems"][0]["en"].count("SHA256:") == 2


CALLS = [
    # What is left, what is refused then, what is in the list by then.
    ({"key_pairs": 0}, "key pairs", 0), ({"ports": 0}, "ports", 1), ({"cores": 3}, "cores", 2),
    ({"key_pairs": 1}, "key pairs", 3), ({"ports": 1}, "ports", 4), ({"instances": 1}, "instances", 5),
    ({"ram": 8 * 1024}, "ram_mib", 5),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "which", "before"), CALLS)
def test_a_quota_that_ends_at_any_call_leaves_a_complete_list_and_a_clean_way_out(
    archive: Archive, limits: dict[str, int], which: str, before: int
) -> None:
    spec = archive.spec("shili-da", "web", "db")
    archive.quota(**limits)
    maker = archive.maker(spec)
    with pytest.raises(CloudError) as error:
        maker.create()
    assert error.value.facts == {"wait": "quota", "quota": which}
    asked = {"cores": 4, "ram_mib": 8192}.get(which, 1)
    left = 3 if which == "cores" else 0
    assert f"申请 {asked}，余 {left}" in error.value.message(
        "zh"
    ) and f"asked {asked}, left {left}" in error.value.message("en")
    made = {r.external_id for r in read_resources(maker.folder / FILE) if r.external_id}
    assert made == archive.things() and len(made) == before
    assert archive.maker(spec, maker.record.present).delete() == (before > 0) and archive.things() == set()


def test_the_clean_up_touches_nothing_of_others_with_the_same_names(archive: Archive) -> None:
    spec, cloud = archive.spec(), archive.cloud
    maker = archive.maker(spec)
    name = {kind: maker.want(spec.machines[0], kind).name for kind in ("server", "port")}  # type: ignore[arg-type]
    network = cloud.network.find_network("dangan-net").id
    port = cloud.network.create_port(network_id=network, name=name["port"], description="别人的")
    foreign = cloud.compute.create_server(
        name=name["server"], flavor_id=cloud.compute.find_flavor("gov.s").id, image_id=archive.bed.seeded["image"],
        networks=[{"port": port.id}], metadata={MARK: "20260101-9/other/web/server"},
    )  # fmt: skip
    others = {port.id, foreign.id}
    maker.create()
    assert present(maker.record.present) == archive.things() - others and len(maker.record.present) == 3
    archive.maker(spec, maker.record.present).delete()
    assert archive.things() == others
    # A list that somebody put another run's id into.
    alien = replace(maker.record.present[-1], external_id=foreign.id, run_id="20260101-9")
    archive.maker(spec, (alien,)).delete()
    assert archive.things() == others


@pytest.mark.parametrize(("door", "path"), [("nova", "/servers"), ("neutron", "/ports"), ("nova", "/os-keypairs")])
def test_a_crash_between_call_and_id_makes_nothing_twice(archive: Archive, door: str, path: str) -> None:
    """Killed when the cloud has carried out the call and the answer is on its way."""

    def named(method: str, where: str, body: bytes) -> str:
        return path if method == "POST" and where.endswith(path) else ""

    folder = archive.folder / f"killed{path.replace('/', '-')}"
    folder.mkdir()
    for name in ("key", "key.pub"):
        os.link(archive.folder / name, folder / name)
    with proxy_before(archive.bed.url(door), named) as proxy:
        proxy.fate = lambda change, number: "hold"
        service, base = {"nova": ("compute", "/v2.1"), "neutron": ("network", "")}[door]
        archive.add_cloud("dangan", **{f"{service}_endpoint_override": proxy.url + base})
        spec = archive.spec()
        (folder / "spec.json").write_bytes(msgspec.json.encode(spec))
        with subprocess.Popen(
            [sys.executable, str(EXECUTION / "make_machines.py"), str(folder / "spec.json")]
        ) as child:
            assert proxy.held.wait(60)
            child.kill()
    archive.add_cloud("dangan")
    left = read_resources(folder / FILE)
    assert left[-1].external_id is None, "the intent is the last that is known"
    for known in (left, ()):
        maker = archive.maker(spec, known)
        maker.create()
        assert present(maker.record.present) == archive.things() and len(archive.things()) == 3
    archive.maker(spec).delete()
    assert archive.things() == set(), "found by their marks although nobody told"


def test_a_service_that_is_down_for_a_moment_and_tokens_that_run_out_end_nothing(archive: Archive) -> None:
    """Two seconds a token: every one of them is an old one before the machine is there."""
    bed = archive.bed
    bed.start_api("keystone-short")
    bed.await_api("keystone-short")
    archive.add_cloud("short", auth_url=bed.url("keystone-short", "/v3"))
    maker = archive.maker(archive.spec(cloud="short"))
    bed.stop("nova")
    try:
        failed: list[BaseException] = []

        def make() -> None:
            try:
                maker.create()
            except BaseException as error:
                failed.append(error)

        making = threading.Thread(target=make)
        making.start()
        time.sleep(6)
        assert making.is_alive(), failed
    finally:
        bed.start_api("nova")
        bed.await_api("nova")
    making.join(120)
    assert not failed and present(maker.record.present) == archive.things() and len(archive.things()) == 3
    bed.stop("keystone-short")


def test_a_disk_that_is_larger_than_the_flavor_s_becomes_a_volume(archive: Archive) -> None:
    spec = archive.spec(offering="M-ECS-G2:2C4G", disk_gib=60)
    maker = archive.maker(spec)
    maker.create()
    assert maker.facts["flavor.web"] == "gov.s", "a flavor with a graphics card is not taken by chance"
    (volume,) = archive.cloud.block_storage.volumes()
    server = next(r for r in maker.record.present if r.kind == "server")
    assert (volume.size, volume.is_bootable, volume.attachments[0]["server_id"]) == (60, True, server.external_id)
    assert archive.maker(spec, maker.record.present).delete() and archive.things() == set()


def test_an_image_of_another_architecture_is_refused(archive: Archive) -> None:
    with pytest.raises(CloudError) as error:
        archive.maker(archive.spec(arch="aarch64")).create()
    assert "x86_64" in error.value.message("zh") and "aarch64" in error.value.message("en")


def test_an_address_that_is_taken_is_named(archive: Archive) -> None:
    assert archive.bed.machines is not None
    address = archive.bed.machines.prefix.replace("0/24", "16")
    network = archive.cloud.network.find_network("dangan-net").id
    archive.cloud.network.create_port(network_id=network, fixed_ips=[{"ip_address": address}])
    with pytest.raises(CloudError) as error:
        archive.maker(archive.spec(address=address)).create()
    assert address in error.value.message("zh") and "409" in error.value.message("en") and not error.value.again


def test_an_account_that_may_not_is_told_so_and_no_password_is_repeated(archive: Archive) -> None:
    archive.add_cloud("wrong", auth={**archive.clouds["dangan"]["auth"], "password": "Wr0ng-but-close"})
    with pytest.raises(CloudError) as error:
        archive.maker(archive.spec(cloud="wrong"), limit_s=5).create()
    told = error.value.message("zh") + error.value.message("en")
    assert "被拒绝" in told and "Wr0ng" not in told


def test_a_whole_machine_goes_along_as_an_image_and_boots_from_it(archive: Archive) -> None:
    """Old disk → read through SSH → qcow2 → Glance → a server that Nova boots from it, with the old machine's files on it."""
    old, evidence = archive.spec("shili-old"), archive.folder / "old"
    code, told = play_provision(archive.folder, old, "apply", evidence=evidence)
    assert code == 0, told["output"]
    config = archive.ssh_config(told["gov"], old, recorded(evidence))
    tree, disk = archive.folder / "tree", archive.folder / "old.disk"
    (tree / "srv").mkdir(parents=True)
    (tree / "srv/档案.txt").write_text("示例档案", "utf-8")
    subprocess.run(["truncate", "-s", "24M", str(disk)], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(disk)], check=True)
    ssh(config, "new-web", "cat > /root/export.disk", given=disk.read_bytes())

    spec = archive.spec("shili-dk", image="档案库整机")
    machine = replace(spec.machines[0], source="new-web", image=ImageSpec(disk="/root/export.disk"))
    spec = replace(spec, machines=(machine,))
    evidence = archive.folder / "image"
    code, told = play_provision(archive.folder, spec, "apply", evidence=evidence, ssh_config=config)
    assert code == 0, told["output"]
    facts, made = told["gov"], recorded(evidence)
    image = archive.cloud.image.get_image(facts["image.web"])
    assert (image.status, image.hash_algo, image.hash_value) == ("active", "sha512", facts["image_sha512.web"])
    assert (image.disk_format, image.architecture, image.visibility) == ("qcow2", "x86_64", "private")
    assert facts["disk_state.web"] == "at_rest" and facts["disk_bytes.web"] == 24 << 20
    server = next(r for r in made if r.kind == "server")
    assert archive.cloud.compute.get_server(server.external_id).image.id == image.id
    new = archive.ssh_config(facts, spec, made)
    assert ssh(new, "new-web", "cat", "/srv/档案.txt") == "示例档案", "it booted from that image"
    assert (evidence / "heartbeat").exists()

    code, told = play_provision(archive.folder, spec, "rollback", made)
    assert code == 0 and not {image.id, server.external_id} & archive.things()
    assert ssh(archive.ssh_config(play_provision(archive.folder, old, "verify", recorded(archive.folder / "old"))[1]["gov"], old,
                                  recorded(archive.folder / "old")), "new-web", "sha256sum", "/root/export.disk").split()[0] == facts["disk_sha256.web"]  # fmt: skip
