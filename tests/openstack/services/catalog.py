"""Accounts and addresses of the services in Keystone. Reads JSON: auth_url, password, users, service_password, doors."""

from __future__ import annotations

import json
import sys

import openstack

TYPES = {
    "glance": "image",
    "placement": "placement",
    "nova": "compute",
    "neutron": "network",
    "cinder": "block-storage",
}

given = json.load(sys.stdin)
identity = openstack.connect(
    auth_url=given["auth_url"], username="admin", password=given["password"], project_name="admin",
    user_domain_name="Default", project_domain_name="Default", region_name="RegionOne",
).identity  # fmt: skip
project = identity.create_project(name="service", domain_id="default")
roles = [identity.find_role("admin"), identity.find_role("service") or identity.create_role(name="service")]
for name in given["users"]:
    user = identity.create_user(name=name, password=given["service_password"], domain_id="default")
    for role in roles:
        identity.assign_project_role_to_user(project, user, role)
    service = identity.create_service(name=name, type=TYPES[name])
    for interface in ("public", "internal"):
        identity.create_endpoint(
            service_id=service.id, interface=interface, region_id="RegionOne", url=given["doors"][name]
        )
json.dump({"services": len(given["users"])}, sys.stdout)
