"""EC2's resources, as boto3's paginators give them, to statements. Pure.

An address is unique in its VPC: the zone of a server is `CLOUD/VPC-ID`. The account's owner is the tenant; the VPCs and
their subnets are networks, and a VPN connection of the account is evidence of a line to somebody outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from govcloud.discovery.cloud_values import addresses, mapping, names, number, prefixes, sequence, text, whole
from govcloud.discovery.facts import render_disk
from govcloud.model.ids import build_id
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.server import Disk
from govcloud.model.text import Text

SOURCE = "ec2"
Resource = Mapping[str, Any]
Raw = Mapping[str, Sequence[Resource]]
"""Kind -> resources: instances, instance_types, images, volumes, vpcs, subnets, security_groups, addresses,
vpn_connections, customer_gateways, buckets. A kind that could not be read is missing."""

_POWER: Mapping[str, str] = {"running": "on", "pending": "on", "stopping": "off", "stopped": "off"}
_GONE = frozenset({"terminated", "shutting-down"})
_ARCHITECTURES: Mapping[str, str] = {"arm64": "aarch64", "arm64_mac": "aarch64", "x86_64_mac": "x86_64"}
_NOT_READ = Text("没有读到{what}", "The {what} could not be read")
_WORDS: Mapping[str, Text] = {
    "volumes": Text("云硬盘", "volumes"), "instance_types": Text("规格", "instance types"),
    "vpn_connections": Text("VPN 连接", "VPN connections"), "buckets": Text("存储桶", "buckets"),
}  # fmt: skip
_NO_QUOTAS = Text("EC2 接口不提供配额", "The EC2 interface tells no quotas")


def build_ec2_statements(
    raw: Raw, *, cloud: str, observed_at: datetime, department: str | None = None, zone: str | None = None
) -> tuple[Statement, ...]:
    """Servers, networks and the tenant of one reading. `zone` stands for all zones of the cloud, where it is given."""
    reader = _Reader(raw, cloud, observed_at, department, zone)
    found = [
        *reader.networks(),
        *reader.tenants(),
        *(reader.server(i) for i in reader.instances),
    ]
    return tuple(sorted(found, key=lambda s: (s.subject_kind, s.subject_id)))


class _Reader:
    """One reading with its resources by id."""

    def __init__(self, raw: Raw, cloud: str, at: datetime, department: str | None, zone: str | None) -> None:
        self.raw, self.cloud, self.at, self.department, self.fixed_zone = raw, cloud, at, department, zone
        self.instances = [
            i for i in raw.get("instances", ())
            if i.get("InstanceId") and str(mapping(i.get("State")).get("Name")) not in _GONE
        ]  # fmt: skip
        self.types = {str(t.get("InstanceType")): t for t in raw.get("instance_types", ())}
        self.images = {str(i.get("ImageId")): i for i in raw.get("images", ())}
        self.volumes = {str(v.get("VolumeId")): v for v in raw.get("volumes", ())}
        self.vpcs = {str(v["VpcId"]): v for v in raw.get("vpcs", ()) if v.get("VpcId")}

    def say(
        self, kind: SubjectKind, subject_id: str, place: str, values: Mapping[str, Value],
        unknown: Mapping[str, Text] | None = None,
    ) -> Statement:  # fmt: skip
        known = {name: value for name, value in values.items() if value not in (None, (), "")}
        return Statement(
            subject_kind=kind, subject_id=subject_id, source=SOURCE, place=f"ec2://{self.cloud}/{place}",
            observed_at=self.at, values=known, unknown={k: v for k, v in (unknown or {}).items() if k not in known},
        )  # fmt: skip

    def missing(self, kind: str) -> Text:
        return _NOT_READ.format(what=_WORDS[kind])

    def server(self, instance: Resource) -> Statement:
        instance_id = str(instance["InstanceId"])
        kind = self.types.get(str(instance.get("InstanceType")), {})
        image = self.images.get(str(instance.get("ImageId")), {})
        memory_mib = number(mapping(kind.get("MemoryInfo")).get("SizeInMiB"))
        disk_gib, disks = self.storage(instance)
        cards = [mapping(n) for n in sequence(instance.get("NetworkInterfaces"))]
        platform = text(instance.get("PlatformDetails")) or (text(instance.get("Platform")) or "").capitalize()
        values: dict[str, Value] = {
            "name": _tag(instance, "Name") or instance_id, "department": self.department,
            "zone": self.fixed_zone or self.zone(instance.get("VpcId")),
            "macs": tuple(sorted({m.lower() for n in cards if (m := text(n.get("MacAddress")))})),
            "addresses": _addresses(instance, cards), "virtual": True, "cloud": self.cloud, "cloud_id": instance_id,
            "tenant": text(instance.get("OwnerId")), "flavor": text(instance.get("InstanceType")),
            "image": text(image.get("Name")) or text(instance.get("ImageId")),
            # "Linux/UNIX" names no product.
            "os_name": None if platform.startswith("Linux") else platform,
            "arch": _ARCHITECTURES.get(str(instance.get("Architecture"))) or text(instance.get("Architecture")),
            "cpu_count": _cpus(instance) or whole(mapping(kind.get("VCpuInfo")).get("DefaultVCpus")),
            "memory_gib": None if memory_mib is None else memory_mib / 1024, "disk_gib": disk_gib, "disks": disks,
            "power": _POWER.get(str(mapping(instance.get("State")).get("Name"))),
        }  # fmt: skip
        unknown = dict.fromkeys(("cpu_count", "memory_gib"), self.missing("instance_types"))
        unknown["disk_gib"] = self.missing("volumes")
        server_id = build_id("V", SOURCE, self.cloud, instance_id)
        return self.say("server", server_id, f"instances/{instance_id}", values, unknown)

    def zone(self, vpc_id: object) -> str | None:
        return f"{self.cloud}/{vpc_id}" if text(vpc_id) else None

    def storage(self, instance: Resource) -> tuple[float | None, tuple[str, ...]]:
        """(GiB of all volumes, volumes as lines); no sum where one of them was not read."""
        disks, complete = [], True
        for link in map(mapping, sequence(instance.get("BlockDeviceMappings"))):
            volume_id = str(mapping(link.get("Ebs")).get("VolumeId"))
            size = number(self.volumes.get(volume_id, {}).get("Size"))
            if size is None:
                complete = False
            else:
                disks.append(Disk(name=str(link.get("DeviceName") or volume_id).rpartition("/")[2], size_gib=size))
        total = sum(d.size_gib for d in disks) if complete and disks else None
        return total, tuple(sorted(map(render_disk, disks)))

    def networks(self) -> list[Statement]:
        found = []
        for vpc_id, vpc in self.vpcs.items():
            blocks = [mapping(b).get("CidrBlock") for b in sequence(vpc.get("CidrBlockAssociationSet"))]
            blocks += [mapping(b).get("Ipv6CidrBlock") for b in sequence(vpc.get("Ipv6CidrBlockAssociationSet"))]
            found.append(self.network(vpc_id, self.vpc_name(vpc_id), [vpc.get("CidrBlock"), *blocks], "VpcId"))
        for subnet in self.raw.get("subnets", ()):
            if subnet_id := text(subnet.get("SubnetId")):
                name = f"{self.vpc_name(str(subnet.get('VpcId')))}/{_tag(subnet, 'Name') or subnet_id}"
                blocks = [mapping(b).get("Ipv6CidrBlock") for b in sequence(subnet.get("Ipv6CidrBlockAssociationSet"))]
                found.append(self.network(subnet_id, name, [subnet.get("CidrBlock"), *blocks], "SubnetId"))
        return found

    def vpc_name(self, vpc_id: str) -> str:
        return f"{self.cloud}/{_tag(self.vpcs.get(vpc_id, {}), 'Name') or vpc_id}"

    def network(self, network_id: str, name: str, blocks: Sequence[object], key: str) -> Statement:
        # In the subnet it sits, in the VPC it only shows by its subnet: a server counts for one of them.
        members = [i for i in self.instances if key == "SubnetId" and i.get(key) == network_id]
        values: dict[str, Value] = {
            "name": name, "kind": "cloud", "department": self.department, "prefixes": tuple(sorted(prefixes(blocks))),
            "servers": tuple(sorted(build_id("V", SOURCE, self.cloud, str(i["InstanceId"])) for i in members)),
        }  # fmt: skip
        return self.say("network", build_id("N", SOURCE, self.cloud, network_id), f"networks/{network_id}", values)

    def tenants(self) -> list[Statement]:
        owners = sorted({o for r in (*self.instances, *self.vpcs.values()) if (o := text(r.get("OwnerId")))})
        return [self.tenant(owner, own_buckets=len(owners) == 1) for owner in owners]

    def tenant(self, owner: str, *, own_buckets: bool) -> Statement:
        mine = [i for i in self.instances if i.get("OwnerId") == owner]
        sizes = [number(v.get("Size")) or 0.0 for v in self.volumes.values()]
        gateways = {str(g.get("CustomerGatewayId")): g for g in self.raw.get("customer_gateways", ())}
        buckets = (f"{text(b.get('Name'))} {text(b.get('Region')) or '-'}" for b in self.raw.get("buckets", ()))
        groups = self.raw.get("security_groups", ())
        values: dict[str, Value] = {
            "name": owner, "cloud": self.cloud, "department": self.department, "server_used": len(mine),
            "storage_gib_used": sum(sizes) if "volumes" in self.raw else None,
            "address_used": len(self.raw["addresses"]) if "addresses" in self.raw else None,
            "flavors": names(_type_line(t) for t in self.types.values()),
            "images": names(i.get("Name") or i.get("ImageId") for i in self.images.values()),
            "security_groups": names(g.get("GroupName") for g in groups if g.get("OwnerId", owner) == owner),
            "vpn_connections": names(_vpn_line(v, gateways) for v in self.raw.get("vpn_connections", ())),
            "buckets": names(buckets) if own_buckets else (),
        }  # fmt: skip
        unknown = dict.fromkeys(("vcpu_quota", "memory_gib_quota", "storage_gib_quota"), _NO_QUOTAS)
        unknown |= {kind: self.missing(kind) for kind in ("vpn_connections", "buckets") if kind not in self.raw}
        return self.say("tenant", build_id("T", SOURCE, self.cloud, owner), f"accounts/{owner}", values, unknown)


def _tag(resource: Resource, key: str) -> str | None:
    return next(
        (text(t.get("Value")) for t in map(mapping, sequence(resource.get("Tags"))) if t.get("Key") == key), None
    )


def _cpus(instance: Resource) -> int | None:
    options = mapping(instance.get("CpuOptions"))
    cores, threads = whole(options.get("CoreCount")), whole(options.get("ThreadsPerCore"))
    return cores * threads if cores and threads else None


def _addresses(instance: Resource, cards: Sequence[Resource]) -> tuple[str, ...]:
    """Private addresses first, then public ones."""
    private: list[object] = [instance.get("PrivateIpAddress")]
    public: list[object] = []
    for card in cards:
        for ip in map(mapping, sequence(card.get("PrivateIpAddresses"))):
            private.append(ip.get("PrivateIpAddress"))
            public.append(mapping(ip.get("Association")).get("PublicIp"))
        private += [mapping(ip).get("Ipv6Address") for ip in sequence(card.get("Ipv6Addresses"))]
    return addresses([*private, *public, instance.get("PublicIpAddress")])


def _type_line(kind: Resource) -> str:
    """EC2 types have no disk of their own as a rule: `-`."""
    memory = (number(mapping(kind.get("MemoryInfo")).get("SizeInMiB")) or 0.0) / 1024
    disk = whole(mapping(kind.get("InstanceStorageInfo")).get("TotalSizeInGB"))
    cpus = mapping(kind.get("VCpuInfo")).get("DefaultVCpus")
    return f"{kind.get('InstanceType')} {cpus} {memory:g} {disk if disk is not None else '-'}"


def _vpn_line(connection: Resource, gateways: Mapping[str, Resource]) -> str:
    """`name peer-address prefixes`."""
    gateway = gateways.get(str(connection.get("CustomerGatewayId")), {})
    routes = [mapping(r).get("DestinationCidrBlock") for r in sequence(connection.get("Routes"))]
    name = _tag(connection, "Name") or text(connection.get("VpnConnectionId"))
    return f"{name} {text(gateway.get('IpAddress')) or '-'} {','.join(prefixes(routes)) or '-'}"
