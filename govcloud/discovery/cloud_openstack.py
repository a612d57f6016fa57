"""OpenStack's resources, as the SDK's `to_dict()` gives them, to statements. Pure.

Zones: the addresses of a project's own network are unique in `CLOUD/PROJECT/NETWORK`, those of a shared or external
one in `CLOUD/NETWORK`. Whoever knows that they are unique beyond the cloud says so with a zone of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from govcloud.discovery.cloud_values import addresses, limit, mapping, names, number, prefixes, sequence, text, whole
from govcloud.discovery.facts import render_disk
from govcloud.model.ids import build_id
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.server import Disk
from govcloud.model.text import Text

SOURCE = "openstack"
Resource = Mapping[str, Any]
Raw = Mapping[str, Sequence[Resource]]
"""Kind -> resources: projects, servers, flavors, images, volumes, networks, subnets, ports, routers, floating_ips,
security_groups, and compute_quotas, volume_quotas, network_quotas (one a project, with `project_id`). A kind that
could not be read is missing."""

# https://docs.openstack.org/api-ref/compute/ "power_state"; the status tells it where an account may not see the state.
_POWER_STATES: Mapping[int | None, str] = {1: "on", 3: "suspended", 4: "off", 6: "off", 7: "suspended"}
_STATUSES: Mapping[str, str] = {
    "ACTIVE": "on", "SHUTOFF": "off", "SUSPENDED": "suspended", "PAUSED": "suspended", "SHELVED": "off",
    "SHELVED_OFFLOADED": "off",
}  # fmt: skip
_GONE = frozenset({"DELETED", "SOFT_DELETED"})
_NOT_READ = Text("没有读到{what}", "The {what} could not be read")
_WORDS: Mapping[str, Text] = {
    "volumes": Text("云硬盘", "volumes"), "flavors": Text("规格", "flavors"), "images": Text("镜像", "images"),
    "compute_quotas": Text("计算配额", "compute quotas"), "volume_quotas": Text("存储配额", "storage quotas"),
    "network_quotas": Text("网络配额", "network quotas"),
}  # fmt: skip


def build_openstack_statements(
    raw: Raw,
    *,
    cloud: str,
    region: str = "",
    observed_at: datetime,
    own_project: tuple[str, str | None] | None = None,
    department: str | None = None,
    zone: str | None = None,
) -> tuple[Statement, ...]:
    """Servers, networks and tenants of one reading.

    `own_project`: (id, name) of the project that the account works in, which it may name even where it may not list
    projects. `zone` stands for all zones of the cloud, where it is given.
    """
    reader = _Reader(raw, cloud, region, observed_at, department, zone)
    if own_project is not None:
        reader.projects.setdefault(*own_project)
    found = [
        *(reader.tenant(project_id) for project_id in reader.tenants()),
        *(reader.network(n) for n in reader.networks.values()),
        *(reader.server(s) for s in raw.get("servers", ()) if str(s.get("status")) not in _GONE and s.get("id")),
    ]
    return tuple(sorted(found, key=lambda s: (s.subject_kind, s.subject_id)))


class _Reader:
    """One reading with its resources by id."""

    def __init__(
        self, raw: Raw, cloud: str, region: str, at: datetime, department: str | None, zone: str | None
    ) -> None:  # fmt: skip
        self.raw, self.cloud, self.region, self.at = raw, cloud, region, at
        self.department, self.fixed_zone = department, zone
        self.projects = {str(p["id"]): text(p.get("name")) for p in raw.get("projects", ()) if p.get("id")}
        self.flavors = {str(f.get("id")): f for f in raw.get("flavors", ())}
        self.images = {str(i.get("id")): i for i in raw.get("images", ())}
        self.volumes = {str(v.get("id")): v for v in raw.get("volumes", ())}
        seen = set(self.projects)
        self.networks = {
            str(n["id"]): n
            for n in raw.get("networks", ())
            if n.get("id") and (_is_common(n) or not seen or str(n.get("project_id")) in seen)
        }
        self.ports: dict[str, list[Resource]] = {}
        for port in raw.get("ports", ()):
            self.ports.setdefault(str(port.get("device_id") or ""), []).append(port)
        self.prefixes: dict[str, list[str]] = {}
        for subnet in raw.get("subnets", ()):
            self.prefixes.setdefault(str(subnet.get("network_id")), []).extend(prefixes([subnet.get("cidr")]))
        self.floating: dict[str, list[object]] = {}
        for ip in raw.get("floating_ips", ()):
            self.floating.setdefault(str(ip.get("port_id") or ""), []).append(ip.get("floating_ip_address"))

    def say(
        self, kind: SubjectKind, subject_id: str, place: str, values: Mapping[str, Value],
        unknown: Mapping[str, Text] | None = None,
    ) -> Statement:  # fmt: skip
        known = {name: value for name, value in values.items() if value not in (None, (), "")}
        return Statement(
            subject_kind=kind, subject_id=subject_id, source=SOURCE, place=f"openstack://{self.cloud}/{place}",
            observed_at=self.at, values=known, unknown={k: v for k, v in (unknown or {}).items() if k not in known},
        )  # fmt: skip

    def missing(self, kind: str) -> Text:
        return _NOT_READ.format(what=_WORDS[kind])

    def project(self, project_id: object) -> str | None:
        return self.projects.get(str(project_id)) or text(project_id)

    def zone(self, network: Resource) -> str:
        name = text(network.get("name")) or str(network["id"])
        if _is_common(network):
            return f"{self.cloud}/{name}"
        return f"{self.cloud}/{self.project(network.get('project_id'))}/{name}"

    # Servers.

    def server(self, server: Resource) -> Statement:
        server_id = str(server["id"])
        flavor = self.flavor(server)
        image_id = text(mapping(server.get("image")).get("id"))
        volumes, disk_gib, disks, unknown = self.storage(server, flavor, image_id)
        image = self.images.get(image_id or "") or _booted_image(volumes)
        memory_mib = number(flavor.get("ram"))
        if not flavor:
            unknown |= dict.fromkeys(("cpu_count", "memory_gib"), self.missing("flavors"))
        if not image:
            unknown |= dict.fromkeys(("os_name", "image"), self.missing("images"))
        found, macs = self.attachments(server)
        values: dict[str, Value] = {
            "name": text(server.get("name")) or server_id, "uuid": server_id.lower(), "department": self.department,
            "zone": self.fixed_zone or self.server_zone(server), "macs": macs, "addresses": found,
            "cloud": self.cloud, "cloud_id": server_id, "tenant": self.project(server.get("project_id")), "virtual": True,
            "flavor": text(flavor.get("original_name")) or text(flavor.get("name")) or text(flavor.get("id")),
            "image": text(image.get("name")) or image_id, "cpu_count": whole(flavor.get("vcpus")),
            "memory_gib": None if memory_mib is None else memory_mib / 1024, "disk_gib": disk_gib, "disks": disks,
            "power": _POWER_STATES.get(whole(server.get("power_state"))) or _STATUSES.get(str(server.get("status"))),
            "hypervisor": text(server.get("hypervisor_hostname")) or text(server.get("compute_host")),
            "os_name": text(image.get("os_distro")), "os_version": text(image.get("os_version")),
            "arch": text(image.get("architecture")),
        }  # fmt: skip
        return self.say("server", build_id("V", SOURCE, server_id), f"servers/{server_id}", values, unknown)

    def flavor(self, server: Resource) -> Resource:
        """Embedded in the server since API 2.47, named by id before; a deleted flavor's id leads nowhere."""
        given = mapping(server.get("flavor"))
        if whole(given.get("vcpus")):
            return given
        return self.flavors.get(str(given.get("id") or given.get("name") or "")) or {}

    def storage(
        self, server: Resource, flavor: Resource, image_id: str | None
    ) -> tuple[list[Resource], float | None, tuple[str, ...], dict[str, Text]]:
        """(volumes, GiB of all disks, disks as lines, what is unknown and why)."""
        wanted = [str(mapping(v).get("id")) for v in sequence(server.get("attached_volumes"))]
        volumes = [self.volumes[v] for v in wanted if v in self.volumes]
        disks = []
        device = text(server.get("root_device_name"))
        root = number(flavor.get("disk")) if image_id else 0.0
        if image_id and not root:
            size = number(self.images.get(image_id, {}).get("virtual_size"))
            root = None if size is None else size / 2**30
        if image_id and root:
            disks.append(Disk(name=_device(device) or "root", size_gib=root))
        extra = number(flavor.get("ephemeral")) or 0.0
        if extra:
            disks.append(Disk(name="ephemeral", size_gib=extra))
        server_id = server.get("id")
        for volume in volumes:
            links = [mapping(a) for a in sequence(volume.get("attachments"))]
            name = next((_device(text(a.get("device"))) for a in links if a.get("server_id") == server_id), None)
            size = number(volume.get("size"))
            if size is not None:
                disks.append(Disk(name=name or str(volume.get("id")), size_gib=size))
        lines = tuple(sorted(render_disk(d) for d in disks))
        if len(volumes) < len(wanted):
            return volumes, None, lines, {"disk_gib": self.missing("volumes")}
        if root is None or not flavor:
            return volumes, None, lines, {"disk_gib": self.missing("images" if flavor else "flavors")}
        return volumes, sum(d.size_gib for d in disks) or None, lines, {}

    def attachments(self, server: Resource) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(addresses: fixed ones first, then floating; MAC addresses), each once."""
        entries = [mapping(e) for es in mapping(server.get("addresses")).values() for e in sequence(es)]
        ports = self.ports.get(str(server.get("id")), [])
        fixed = [mapping(ip).get("ip_address") for p in ports for ip in sequence(p.get("fixed_ips"))]
        fixed += [e.get("addr") for e in entries if e.get("OS-EXT-IPS:type") != "floating"]
        floating = [a for p in ports for a in self.floating.get(str(p.get("id")), ())]
        floating += [e.get("addr") for e in entries if e.get("OS-EXT-IPS:type") == "floating"]
        macs = [p.get("mac_address") for p in ports] + [e.get("OS-EXT-IPS-MAC:mac_addr") for e in entries]
        return addresses([*fixed, *floating]), tuple(sorted({m.lower() for m in map(text, macs) if m}))

    def server_zone(self, server: Resource) -> str | None:
        """Of its first network by name; by the names in the server's own addresses where networks were not read."""
        ids = {str(p.get("network_id")) for p in self.ports.get(str(server.get("id")), [])}
        if zones := sorted(self.zone(self.networks[i]) for i in ids if i in self.networks):
            return zones[0]
        names = sorted(map(str, mapping(server.get("addresses"))))
        known = {text(n.get("name")): n for n in self.networks.values()}
        if not names:
            return None
        if names[0] in known:
            return self.zone(known[names[0]])
        return f"{self.cloud}/{self.project(server.get('project_id'))}/{names[0]}"

    # Networks and tenants.

    def network(self, network: Resource) -> Statement:
        network_id = str(network["id"])
        members = {
            build_id("V", SOURCE, device)
            for device, ports in self.ports.items()
            for p in ports
            if p.get("network_id") == network_id and str(p.get("device_owner") or "").startswith("compute:")
        }
        values: dict[str, Value] = {
            "name": self.zone(network), "kind": "cloud", "department": self.department,
            "prefixes": tuple(sorted(set(self.prefixes.get(network_id, ())))), "servers": tuple(sorted(members)),
        }  # fmt: skip
        return self.say("network", build_id("N", SOURCE, network_id), f"networks/{network_id}", values)

    def tenants(self) -> list[str]:
        """Project ids: those that were listed, and those that only show as owners of servers."""
        owners = {str(s["project_id"]) for s in self.raw.get("servers", ()) if s.get("project_id")}
        return sorted({*self.projects, *owners})

    def tenant(self, project_id: str) -> Statement:
        def own(kind: str) -> list[Resource]:
            return [r for r in self.raw.get(kind, ()) if project_id in (r.get("project_id"), r.get("owner_id"))]

        usable = [
            i for i in self.images.values() if i.get("visibility") != "private" or i.get("owner_id") == project_id
        ]
        values: dict[str, Value] = {
            "name": self.project(project_id), "cloud": self.cloud, "department": self.department,
            **self.quotas(project_id),
            "flavors": names(_flavor_line(f) for f in self.flavors.values()),
            "images": names(i.get("name") for i in usable),
            "routers": names(self.router_line(r) for r in own("routers")),
            "security_groups": names(g.get("name") for g in own("security_groups")),
        }  # fmt: skip
        gaps = {
            "vcpu_quota": "compute_quotas", "memory_gib_quota": "compute_quotas", "storage_gib_quota": "volume_quotas",
            "address_quota": "network_quotas", "flavors": "flavors", "images": "images",
        }  # fmt: skip
        unknown = {field: self.missing(kind) for field, kind in gaps.items() if kind not in self.raw}
        return self.say(
            "tenant", build_id("T", SOURCE, self.region, project_id), f"projects/{project_id}", values, unknown
        )

    def quotas(self, project_id: str) -> dict[str, Value]:
        def of(kind: str) -> Resource:
            return next((q for q in self.raw.get(kind, ()) if q.get("project_id") == project_id), {})

        compute, volume, network = of("compute_quotas"), of("volume_quotas"), of("network_quotas")
        used, stored = mapping(compute.get("usage")), mapping(volume.get("usage"))
        floating = mapping(network.get("floating_ips"))
        return {
            "vcpu_quota": limit(compute.get("cores")), "vcpu_used": whole(used.get("cores")),
            "memory_gib_quota": _gib(limit(compute.get("ram"))), "memory_gib_used": _gib(whole(used.get("ram"))),
            "server_quota": limit(compute.get("instances")), "server_used": whole(used.get("instances")),
            "storage_gib_quota": limit(volume.get("gigabytes")), "storage_gib_used": whole(stored.get("gigabytes")),
            "address_quota": limit(floating.get("limit")), "address_used": whole(floating.get("used")),
        }  # fmt: skip

    def router_line(self, router: Resource) -> str:
        outside = str(mapping(router.get("external_gateway_info")).get("network_id") or "")
        network = self.networks.get(outside, {})
        return f"{text(router.get('name')) or router.get('id')} {text(network.get('name')) or outside or '-'}"


def _is_common(network: Resource) -> bool:
    return bool(network.get("is_shared") or network.get("is_router_external"))


def _booted_image(volumes: Iterable[Resource]) -> Resource:
    """What a volume remembers of the image that it was made from."""
    for volume in volumes:
        said = mapping(volume.get("volume_image_metadata"))
        if volume.get("is_bootable") and said:
            return {**said, "name": said.get("image_name")}
    return {}


def _flavor_line(flavor: Resource) -> str:
    memory = (number(flavor.get("ram")) or 0.0) / 1024
    return f"{text(flavor.get('name'))} {flavor.get('vcpus')} {memory:g} {flavor.get('disk')}"


def _device(path: str | None) -> str | None:
    return path.rpartition("/")[2] if path else None


def _gib(mib: int | None) -> float | None:
    return None if mib is None else mib / 1024
