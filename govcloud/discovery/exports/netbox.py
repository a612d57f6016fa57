"""NetBox tables: bulk-import files and exports of its lists.

A virtual machine or device is known by its name, the only key that its other tables have. Tenants are taken for
departments, VRFs are left aside (their names are not the zones of hosts.yaml).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from govcloud.discovery.exports.tab import Record, Tab, span
from govcloud.discovery.exports.values import read_environment, read_os
from govcloud.discovery.facts import render_disk, render_interface, render_socket
from govcloud.discovery.raw_cells import fold
from govcloud.model.ids import build_id
from govcloud.model.observation import Value
from govcloud.model.server import Disk, Interface, Socket
from govcloud.model.text import Text

_POWER = {"active": "on", "offline": "off", "paused": "suspended"}
_NOT_YET = frozenset({"planned", "staged"})
_SHARED_ROLES = frozenset({"anycast", "vip", "vrrp", "hsrp", "glbp", "carp", "loopback"})
_SERVER_ROLES = ("server", "服务器", "主机", "host", "hypervisor", "esx", "compute", "storage node", "小型机")
_MAX_PORTS = 64


def read_tabs(tabs: Sequence[Tab]) -> None:
    for tab in tabs:
        _READERS[tab.name](tab)


def _server_id(name: str) -> str:
    return build_id("V", "netbox", name)


def _status(record: Record) -> str:
    return fold(record.text("row.status"))


def _machine(record: Record) -> str:
    """The field that names the machine of a row."""
    return next((f for f in ("row.machine", "row.device", "row.parent") if record.text(f)), "")


def _grouped(tab: Tab, records: Iterable[Record]) -> Mapping[str, list[Record]]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        if field := _machine(record):
            groups.setdefault(record.text(field), []).append(record)
        else:
            tab.leave_out(record, "row.machine", Text("没有写属于哪台机器", "no machine is named that it belongs to"))
    return groups


def _read_machines(tab: Tab) -> None:
    if tab.has("row.disk_unitless"):
        _tell_unit(tab, "row.disk_unitless")
    for record in _once(tab):
        disk = "row.disk_mb" if "row.disk_mb" in record.values else "row.disk_gb"
        _say_server(
            tab, record, ("name", "hypervisor", "department", "cpu_count", "memory_gib", "serial"),
            {"disk_gib": record.values.get(disk), "virtual": True, "power": _POWER.get(_status(record))},
            {"disk_gib": record.cell(disk), "virtual": record.cell("server.name"), "power": record.cell("row.status")},
        )  # fmt: skip


def _read_devices(tab: Tab) -> None:
    for record in _once(tab):
        role = fold(record.text("row.role"))
        if not any(word in role for word in map(fold, _SERVER_ROLES)):
            tab.leave_out(record, "row.role", Text("角色不是服务器的设备", "devices whose role is not a server's"))
            continue
        _say_server(
            tab, record, ("name", "department", "maker", "model", "serial", "location"),
            {"virtual": False, "virtualisation": "none", "power": _POWER.get(_status(record))},
            {"virtual": record.cell("row.role"), "virtualisation": record.cell("row.role"), "power": record.cell("row.status")},
        )  # fmt: skip


def _once(tab: Tab) -> Iterable[Record]:
    """Rows of machines that exist, each name once: NetBox allows one name in two clusters, its other tables can't tell them."""
    seen: dict[str, str] = {}
    for record in tab.records():
        if _status(record) in _NOT_YET:
            tab.leave_out(
                record, "row.status", Text("尚在规划、还没有的机器", "machines that are planned and not there yet")
            )
            continue
        first = seen.setdefault(fold(record.text("server.name")), record.cell("server.name"))
        if first == record.cell("server.name"):
            yield record
        else:
            tab.refuse(
                record, "server.name", Text("{c} 没有写过的名称", "a name that {c} does not have").format(c=first)
            )


def _say_server(
    tab: Tab, record: Record, names: Sequence[str], values: Mapping[str, Value], cells: Mapping[str, str]
) -> None:
    address = [f for f in ("row.address", "row.address4", "row.address6") if record.many(f)]
    os_name, os_version = read_os(record.text("row.platform"))
    tags = [(key, value) for key, _, value in (re.sub("=", ":", t).partition(":") for t in record.many("row.tags"))]
    platform = record.cell("row.platform")
    said = {name: record.values.get(f"server.{name}") for name in names} | {
        "addresses": tuple(dict.fromkeys(a.partition("/")[0] for f in address for a in record.many(f))),
        "os_name": os_name, "os_version": os_version, "environment": read_environment(tags), **values,
    }  # fmt: skip
    where = {name: record.cell(f"server.{name}") for name in names} | {
        "addresses": record.cell(address[0]) if address else "", "os_name": platform, "os_version": platform,
        "environment": record.cell("row.tags"), **cells,
    }  # fmt: skip
    tab.say("server", _server_id(record.text("server.name")), said, where)


def _read_interfaces(tab: Tab) -> None:
    for name, records in _grouped(tab, tab.records()).items():
        lines: list[str] = []
        macs: list[str] = []
        addresses: list[str] = []
        for record in records:
            mac, own = record.many("row.mac"), record.many("row.addresses")
            macs += mac
            addresses += own
            lines.append(
                render_interface(
                    Interface(name=record.text("row.interface"), mac=mac[0] if mac else None, addresses=own)
                )
            )
        values: dict[str, Value] = {
            "name": name, "macs": tuple(dict.fromkeys(macs)), "interfaces": tuple(lines),
            "addresses": tuple(dict.fromkeys(a.partition("/")[0] for a in addresses)),
        }  # fmt: skip
        cells = {
            "name": records[0].cell("row.machine"), "macs": span([r.cell("row.mac") for r in records]),
            "interfaces": span([r.cell("row.interface") for r in records]),
            "addresses": span([r.cell("row.addresses") for r in records]),
        }  # fmt: skip
        tab.say("server", _server_id(name), values, cells)


def _read_disks(tab: Tab) -> None:
    if tab.has("row.size_unitless"):
        _tell_unit(tab, "row.size_unitless")
    for name, records in _grouped(tab, tab.records()).items():
        sized = [
            (record, field, size)
            for record in records
            for field in ("row.size_mb", "row.size_gb")
            if isinstance(size := record.values.get(field), float)
        ]
        where = span([record.cell(field) for record, field, _ in sized])
        values: dict[str, Value] = {
            "name": name, "disks": tuple(render_disk(Disk(name=r.text("row.disk"), size_gib=s)) for r, _, s in sized),
            "disk_gib": round(sum(s for *_, s in sized), 3) if sized and len(sized) == len(records) else None,
        }  # fmt: skip
        cells = {"name": records[0].cell("row.machine"), "disks": where, "disk_gib": where}
        tab.say("server", _server_id(name), values, cells)


def _tell_unit(tab: Tab, field: str) -> None:
    tab.note(
        tab.header_cell(field), "disk" if field.endswith("disk_unitless") else "size",
        Text("表头写明单位，例如 Disk (MB)；NetBox 4.1 前后单位不同，此列未读",
             "a heading with its unit, such as Disk (MB): NetBox changed it in 4.1, so the column was not read"),
        left_out=True,
    )  # fmt: skip


def _read_addresses(tab: Tab) -> None:
    taken = []
    for record in tab.records():
        if fold(record.text("row.role")) in _SHARED_ROLES:
            tab.leave_out(record, "row.role", Text("多台机器共用的地址", "addresses that several machines share"))
        elif _status(record) in {"reserved", "deprecated"}:
            tab.leave_out(record, "row.status", Text("预留或停用的地址", "addresses that are reserved or deprecated"))
        else:
            taken.append(record)
    for name, records in _grouped(tab, taken).items():
        interfaces: dict[str, list[str]] = {}
        for record in records:
            interfaces.setdefault(record.text("row.interface"), []).extend(record.many("row.address"))
        addresses = [a for r in records for a in r.many("row.address")]
        where = span([r.cell("row.address") for r in records])
        values: dict[str, Value] = {
            "name": name, "addresses": tuple(dict.fromkeys(a.partition("/")[0] for a in addresses)),
            "interfaces": tuple(
                render_interface(Interface(name=own, addresses=tuple(found))) for own, found in interfaces.items() if own
            ),
        }  # fmt: skip
        cells = {"name": records[0].cell(_machine(records[0])), "addresses": where, "interfaces": where}
        tab.say("server", _server_id(name), values, cells)


def _read_prefixes(tab: Tab) -> None:
    for record in tab.records():
        if _status(record) in {"container", "deprecated"}:
            tab.leave_out(
                record, "row.status", Text("容器网段或停用的网段", "containers of prefixes, and deprecated ones")
            )
            continue
        vlan = re.fullmatch(r"(.+) \((\d+)\)", record.text("row.vlan"))
        prefix = record.text("row.prefix")
        network_id = (
            _vlan_id(vlan[1], int(vlan[2])) if vlan else build_id("N", "netbox", record.text("row.vrf"), prefix)
        )
        named = "row.description" if record.text("row.description") else "row.vlan" if vlan else "row.prefix"
        values: dict[str, Value] = {
            "name": vlan[1] if vlan and named == "row.vlan" else record.text(named), "prefixes": (prefix,),
            "department": record.values.get("network.department"), "kind": record.values.get("network.kind"),
        }  # fmt: skip
        cells = {
            "name": record.cell(named), "prefixes": record.cell("row.prefix"), "kind": record.cell("network.kind"),
            "department": record.cell("network.department"),
        }  # fmt: skip
        tab.say("network", network_id, values, cells)


def _vlan_id(name: str, vid: int) -> str:
    """A prefix of NetBox's own export names its VLAN as `name (vid)`."""
    return build_id("N", "netbox", "vlan", str(vid), name)


def _read_vlans(tab: Tab) -> None:
    for record in tab.records():
        vid, name = record.values["row.vid"], record.text("network.name")
        values = {"name": name, "department": record.values.get("network.department")}
        cells = {"name": record.cell("network.name"), "department": record.cell("network.department")}
        tab.say("network", _vlan_id(name, int(str(vid))), values, cells)


def _read_services(tab: Tab) -> None:
    """Services that somebody declared, as listening sockets; `8000-8010` is a range."""
    for name, records in _grouped(tab, tab.records()).items():
        lines: list[str] = []
        for record in records:
            ports = _ports(record)
            if not ports or not record.text("row.protocol"):
                tab.refuse(
                    record, "row.ports", Text("TCP 或 UDP 端口，例如 80,443", "TCP or UDP ports, such as 80,443")
                )
                continue
            for address in record.many("row.addresses") or ("0.0.0.0",):  # noqa: S104 - any address of the machine
                for port in ports:
                    socket = Socket(
                        address=address,
                        port=port,
                        process=record.text("row.service"),
                        protocol="udp" if record.text("row.protocol") == "udp" else "tcp",
                    )
                    lines.append(render_socket(socket))
        where = span([r.cell("row.ports") for r in records])
        if lines:
            tab.say(
                "server", _server_id(name), {"name": name, "sockets": tuple(dict.fromkeys(lines))},
                {"name": records[0].cell(_machine(records[0])), "sockets": where},
            )  # fmt: skip


def _ports(record: Record) -> list[int]:
    ports: list[int] = []
    for part in record.many("row.ports"):
        found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part.strip())
        if found is None:
            return []
        first, last = int(found[1]), int(found[2] or found[1])
        if not 0 < first <= last < 65536 or last - first >= _MAX_PORTS:
            return []
        ports += range(first, last + 1)
    return ports


def _read_clusters(tab: Tab) -> None:
    """Known, and nothing in it that the inventory holds: machines name their cluster themselves."""
    for record in tab.records():
        tab.leave_out(record, "row.cluster", Text("集群本身不进清单", "clusters themselves are not in the inventory"))


_READERS: Mapping[str, Callable[[Tab], None]] = {
    "virtual machines": _read_machines, "interfaces": _read_interfaces, "virtual disks": _read_disks,
    "devices": _read_devices, "ip addresses": _read_addresses, "prefixes": _read_prefixes, "vlans": _read_vlans,
    "services": _read_services, "clusters": _read_clusters,
}  # fmt: skip
