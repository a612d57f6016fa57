"""The project of an office on the bed, the only one whose network has real machines on it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openstack
from openstack_bed import Bed

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))
from cloud_play import RUN

from govcloud.execution.drivers import reach
from govcloud.execution.drivers.making import Maker
from govcloud.model.migration import MachineSpec, MigrationSpec, ProvisionSpec, VerifySpec
from govcloud.model.resource import Resource

PASSWORD = "Us3r-shili-dangan"


@dataclass
class Archive:
    """The project of 示例市档案局, the only user of the network on which machines are real, and its workspace."""

    bed: Bed
    folder: Path
    project: str
    admin: Any
    cloud: Any
    attempts: int = 0
    clouds: dict[str, Any] = field(default_factory=dict)

    def add_cloud(self, name: str, **changes: Any) -> None:
        entry = self.bed.cloud_entry("shili-dangan", PASSWORD, "示例市档案局")
        for key, value in changes.items():
            (entry["auth"] if key == "auth_url" else entry)[key] = value
        self.clouds[name] = entry
        (self.folder / "clouds.yaml").write_text(json.dumps({"clouds": self.clouds}, ensure_ascii=False), "utf-8")

    def spec(self, system: str = "shili-da", *names: str, **changes: Any) -> MigrationSpec:
        given: dict[str, Any] = {
            "driver": "openstack", "cloud": "dangan", "offering": "M-ECS-G2:4C8G", "image": "kylin-v10-sp3", "arch": "x86_64",
            "network": "dangan-net", "key_file": "key", "disk_gib": 40,
        }  # fmt: skip
        provision = ProvisionSpec(**(given | changes))
        machines = tuple(
            MachineSpec(name=name, source=f"old-{name}", target=f"new-{name}", provision=provision)
            for name in names or ("web",)
        )
        return MigrationSpec(
            system_id=system, machines=machines, verify=VerifySpec(url="http://da.example/", checks=())
        )

    def maker(self, spec: MigrationSpec, known: tuple[Resource, ...] = (), limit_s: float = 90) -> Maker:
        self.attempts += 1
        folder = self.folder / f"attempt-{self.attempts}"
        folder.mkdir()
        return Maker(spec, RUN, folder, known, base=self.folder, limit_s=limit_s)

    def things(self) -> set[str]:
        """Ids of everything in the project that a run can make; key pairs by name."""
        cloud = self.cloud
        return {
            *(s.id for s in cloud.compute.servers()), *(p.id for p in cloud.network.ports(project_id=self.project)),
            *(v.id for v in cloud.block_storage.volumes()), *(k.name for k in cloud.compute.keypairs()),
            *(i.id for i in cloud.image.images(visibility="private")),
        }  # fmt: skip

    def quota(self, **limits: int) -> None:
        ports = limits.pop("ports", None)
        if ports is not None:
            self.admin.network.update_quota(self.project, ports=ports)
        if limits:
            self.admin.compute.update_quota_set(self.project, **limits)

    def ssh_config(self, facts: dict[str, Any], spec: MigrationSpec, resources: tuple[Resource, ...]) -> Path:
        """For the machines that were made, with the host keys that the step's facts name and no others."""
        lines, known = [], []
        for machine in spec.machines:
            access = reach(machine, resources)
            assert access is not None
            scanned = subprocess.run(
                ["ssh-keyscan", access.address], capture_output=True, text=True, timeout=60, check=False
            )
            for line in scanned.stdout.splitlines():
                told = subprocess.run(
                    ["ssh-keygen", "-lf", "-"], input=line, capture_output=True, text=True, check=True
                )
                if told.stdout.split()[1] == facts[f"host_key.{machine.name}"]:
                    known.append(line)
            lines += [f"Host {access.name}", f" HostName {access.address}", f" User {access.user}",
                      f" IdentityFile {self.folder / str(access.key_file)}"]  # fmt: skip
        (self.folder / "known_hosts").write_text("\n".join(known) + "\n")
        config = self.folder / "ssh_config"
        options = [" BatchMode yes", " StrictHostKeyChecking yes", f" UserKnownHostsFile {self.folder / 'known_hosts'}"]
        config.write_text("\n".join([*lines, "Host *", *options]) + "\n")
        return config

    def empty(self) -> None:
        """Everything that a test or its run has made goes."""
        cloud = self.cloud
        for server in list(cloud.compute.servers()):
            cloud.compute.delete_server(server.id)
            cloud.compute.wait_for_delete(server, interval=1, wait=60)
        for port in list(cloud.network.ports(project_id=self.project)):
            cloud.network.delete_port(port.id)
        for volume in list(cloud.block_storage.volumes()):
            cloud.block_storage.delete_volume(volume.id)
        for pair in list(cloud.compute.keypairs()):
            cloud.compute.delete_keypair(pair.name)
        for image in list(cloud.image.images(visibility="private")):
            cloud.image.delete_image(image.id)


@contextmanager
def open_archive(bed: Bed, folder: Path) -> Iterator[Archive]:
    assert bed.machines is not None, "the tests marked `openstack` need root: their machines are network namespaces"
    admin: Any = openstack.connect(**bed.cloud_entry("admin", bed.admin_password, "admin"))
    made = admin.identity.create_project(name="示例市档案局", domain_id="default")
    person = admin.identity.create_user(name="shili-dangan", password=PASSWORD, domain_id="default")
    for role in ("member", "reader"):
        admin.identity.assign_project_role_to_user(made, person, admin.identity.find_role(role))
    cloud: Any = openstack.connect(**bed.cloud_entry("shili-dangan", PASSWORD, "示例市档案局"))
    network = cloud.network.create_network(name="dangan-net")
    prefix = bed.machines.prefix
    head = prefix.rpartition(".")[0]
    cloud.network.create_subnet(
        network_id=network.id, name="dangan-v4", ip_version=4, cidr=prefix, enable_dhcp=False,
        allocation_pools=[{"start": f"{head}.20", "end": f"{head}.200"}],
    )  # fmt: skip
    place = Archive(bed, folder, made.id, admin, cloud)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place.folder / "key")], check=True)
    place.add_cloud("dangan")
    yield place
    cloud.network.delete_network(network.id)
    admin.identity.delete_user(person.id)
    admin.identity.delete_project(made.id)
