"""Fills the empty cloud: two departments' projects with everything that an inventory should tell of them.

Reads JSON: auth_url, password. Writes JSON: what the cloud answered, for the tests to compare with.
All names are fictitious. Both departments use the same private prefix and even the same address, as tenants do.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

import openstack

given = json.load(sys.stdin)
GIB = 1024


def connect(user: str, password: str, project: str) -> Any:
    return openstack.connect(
        auth_url=given["auth_url"], username=user, password=password, project_name=project,
        user_domain_name="Default", project_domain_name="Default", region_name="RegionOne",
    )  # fmt: skip


def wait_until(what: str, test: Callable[[], Any], limit_s: float = 180) -> Any:
    deadline = time.monotonic() + limit_s
    while not (answer := test()):
        if time.monotonic() > deadline:
            raise SystemExit(f"seed: no {what} after {limit_s} s")
        time.sleep(0.3)
    return answer


admin = connect("admin", given["password"], "admin")


def make_offer() -> dict[str, Any]:
    """What every tenant may choose from: sizes, an image, the way out."""
    for name, vcpus, memory_gib, disk_gib in (("gov.s", 2, 4, 40), ("gov.m", 4, 8, 80), ("gov.gpu", 2, 4, 20)):
        admin.compute.create_flavor(name=name, vcpus=vcpus, ram=memory_gib * GIB, disk=disk_gib)
    # No machine of this cloud has one, so that a server of this size ends in ERROR, without host and address.
    admin.compute.create_flavor_extra_specs(admin.compute.find_flavor("gov.gpu").id, {"resources:VGPU": "1"})
    image = admin.image.create_image(
        name="kylin-v10-sp3", disk_format="raw", container_format="bare", visibility="public", data=b"\0" * 4096,
        os_distro="kylin", os_version="V10", architecture="x86_64", min_disk=20,
    )  # fmt: skip
    outside = admin.network.create_network(
        name="gov-ext", is_router_external=True, provider_network_type="flat", provider_physical_network="phys"
    )
    admin.network.create_subnet(
        network_id=outside.id, name="gov-ext-v4", ip_version=4, cidr="203.0.113.0/24", enable_dhcp=False
    )
    return {"image": image.id, "outside": outside.id}


def make_tenant(user: str, project_name: str, quota: dict[str, int]) -> tuple[Any, dict[str, Any]]:
    password = "Us3r-" + secrets.token_hex(8)
    identity = admin.identity
    project = identity.create_project(name=project_name, domain_id="default", description="示例项目")
    person = identity.create_user(name=user, password=password, domain_id="default")
    for role in ("member", "reader"):
        identity.assign_project_role_to_user(project, person, identity.find_role(role))
    admin.compute.update_quota_set(project.id, cores=quota["cores"], ram=quota["memory_gib"] * GIB,
                                   instances=quota["instances"])  # fmt: skip
    admin.block_storage.update_quota_set(project.id, gigabytes=quota["storage_gib"], volumes=10)
    admin.network.update_quota(project.id, floating_ips=quota["addresses"])
    tenant = {"id": project.id, "name": project_name, "user": user, "password": password, "quota": quota, "servers": {}}
    return connect(user, password, project_name), tenant


def make_network(cloud: Any, tenant: dict[str, Any], outside: str, name: str) -> str:
    network = cloud.network.create_network(name=name)
    subnet = cloud.network.create_subnet(
        network_id=network.id, name=f"{name}-v4", ip_version=4, cidr="10.20.0.0/24", dns_nameservers=["10.20.0.2"]
    )
    router = cloud.network.create_router(name=f"{name}-router", external_gateway_info={"network_id": outside})
    cloud.network.add_interface_to_router(router, subnet_id=subnet.id)
    tenant["network"] = {"id": network.id, "name": name, "prefix": "10.20.0.0/24", "router": router.name}
    return str(network.id)


def make_server(
    cloud: Any, tenant: dict[str, Any], network: str, name: str, flavor: str, image: str, **more: Any
) -> Any:
    port = cloud.network.create_port(network_id=network, name=f"{name}-port", **more)
    server = cloud.compute.create_server(
        name=name, flavor_id=cloud.compute.find_flavor(flavor).id, image_id=image, networks=[{"port": port.id}]
    )
    wait_until(
        f"end of the building of {name}",
        lambda: cloud.compute.get_server(server.id).status in ("ACTIVE", "ERROR"),
    )
    server = cloud.compute.get_server(server.id)
    tenant["servers"][name] = {
        "id": server.id, "status": server.status, "flavor": flavor, "mac": port.mac_address.lower(),
        "fixed": port.fixed_ips[0]["ip_address"],
    }  # fmt: skip
    return server


def main() -> None:
    offer = make_offer()
    # Nova must have met its compute host and Cinder its volume service before they can place anything.
    wait_until("hypervisor", lambda: list(admin.compute.hypervisors()))
    # A volume service is "up" before it listens, and what the scheduler sends it until then is lost for good; the
    # scheduler knows its pools only once it listens.
    wait_until("pool of volumes", lambda: list(admin.block_storage.backend_pools()))

    quota = {"cores": 16, "memory_gib": 32, "instances": 8, "storage_gib": 500, "addresses": 3}
    cloud, finance = make_tenant("shili-caiwu", "示例市财政局", quota)
    network = make_network(cloud, finance, offer["outside"], "caiwu-net")
    group = cloud.network.create_security_group(name="oa-web", description="示例")
    cloud.network.create_security_group_rule(
        security_group_id=group.id, direction="ingress", protocol="tcp", port_range_min=8080, port_range_max=8080,
        remote_ip_prefix="10.0.0.0/8",
    )  # fmt: skip
    fixed = {"fixed_ips": [{"ip_address": "10.20.0.10"}]}
    server = make_server(
        cloud, finance, network, "sl-oa-01", "gov.m", offer["image"], security_groups=[group.id], **fixed
    )
    floating = cloud.network.create_ip(
        floating_network_id=offer["outside"], port_id=next(cloud.network.ports(device_id=server.id)).id
    )
    finance["servers"]["sl-oa-01"]["floating"] = floating.floating_ip_address
    volume = cloud.block_storage.create_volume(name="sl-oa-01-data", size=100)
    wait_until("volume", lambda: cloud.block_storage.get_volume(volume.id).status in ("available", "error"))
    cloud.compute.create_volume_attachment(server.id, volume_id=volume.id)
    wait_until("attachment", lambda: cloud.block_storage.get_volume(volume.id).status == "in-use")
    finance["servers"]["sl-oa-01"]["volume"] = {"id": volume.id, "size_gib": 100}
    make_server(cloud, finance, network, "sl-gpu-01", "gov.gpu", offer["image"])

    quota = {"cores": 8, "memory_gib": 16, "instances": 4, "storage_gib": 200, "addresses": 1}
    cloud, affairs = make_tenant("shili-minzheng", "示例市民政局", quota)
    network = make_network(cloud, affairs, offer["outside"], "minzheng-net")
    server = make_server(cloud, affairs, network, "sl-sm-01", "gov.s", offer["image"], **fixed)
    cloud.compute.stop_server(server.id)
    wait_until("end of the server's stop", lambda: cloud.compute.get_server(server.id).status == "SHUTOFF")
    affairs["servers"]["sl-sm-01"]["status"] = "SHUTOFF"
    json.dump({"finance": finance, "affairs": affairs, **offer}, sys.stdout, ensure_ascii=False)


main()
