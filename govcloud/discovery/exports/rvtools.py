"""RVTools: virtual machines and their hosts, one tab a subject of the tool.

Tabs are joined on the VM UUID and the vCenter's, so that CSV files imported one by one complete each other; files of
before 3.x have no UUID, then the name must do, and that is told. `Memory` (vInfo) and `# Memory` (vHost) are MiB by
RVTools' documentation, though their headings state no unit. The SMBIOS UUID is kept in the order that vCenter shows:
from virtual hardware 13 on Linux shows its first three fields byte by byte reversed (pyvmomi issue 688), which the
identity of servers allows for.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from govcloud.discovery.exports.tab import Record, Tab, span
from govcloud.discovery.exports.values import read_os
from govcloud.discovery.facts import render_disk, render_filesystem, render_interface
from govcloud.model.ids import build_id
from govcloud.model.observation import Value
from govcloud.model.server import Disk, Filesystem, Interface
from govcloud.model.text import Text

_TEMPLATE = Text("模板，不是服务器", "templates are not servers")
_PLACEHOLDER = Text("灾备占位机，不是服务器", "placeholders of Site Recovery Manager are not servers")


class _Machines:
    """Who a row of any tab is about. What one tab leaves out, another one of the file may say."""

    def __init__(self, tabs: Sequence[Tab]) -> None:
        self._vcenters: dict[str, str] = {}
        self._uuids: dict[str, set[str]] = {}
        self.records = {tab.name: list(tab.records()) for tab in tabs}
        for record in (r for tab in tabs if tab.has("row.vm_uuid") for r in self.records[tab.name]):
            if vm := record.text("row.vm_uuid"):
                self._uuids.setdefault(record.text("server.name"), set()).add(vm)
                if vcenter := record.text("row.vcenter"):
                    self._vcenters[vm] = vcenter

    def server_id(self, record: Record) -> tuple[str, bool]:
        """(id, whether it rests on the name only)."""
        name = record.text("server.name")
        known = self._uuids.get(name, set())
        vm = record.text("row.vm_uuid") or (next(iter(known)) if len(known) == 1 else "")
        if vm:
            return build_id("V", record.text("row.vcenter") or self._vcenters.get(vm, ""), vm), False
        return build_id("V", record.text("row.vcenter"), "name", name), True


def read_tabs(tabs: Sequence[Tab]) -> None:
    """Every tab of one file; one with the same name twice (merged files) is read like two."""
    dated = [tab for tab in tabs if tab.name == "vMetaData"]
    facts = [tab for tab in tabs if tab.name != "vMetaData"]
    _date(facts, dated)
    by_name: dict[str, list[Tab]] = {}
    for tab in facts:
        by_name.setdefault(tab.name, []).append(tab)
    for number in range(max(map(len, by_name.values()), default=0)):
        chosen = [same[number] for same in by_name.values() if number < len(same)]
        machines = _Machines(chosen)
        for tab in chosen:
            _READERS[tab.name](tab, machines)


def _date(tabs: Sequence[Tab], dated: Sequence[Tab]) -> None:
    """The facts of a workbook are as old as its export, not as its import."""
    created = [record.text("row.created") for tab in dated for record in tab.records()]
    for tab in tabs if created else ():
        tab.at = min(tab.at, datetime.fromisoformat(min(created)))


def _rows(tab: Tab, machines: _Machines) -> Iterator[tuple[str, Record]]:
    """(server id, record) of the rows that are about a server."""
    named = 0
    for record in machines.records[tab.name]:
        if record.values.get("row.template") is True:
            tab.leave_out(record, "row.template", _TEMPLATE)
        elif record.values.get("row.placeholder") is True:
            tab.leave_out(record, "row.placeholder", _PLACEHOLDER)
        else:
            server_id, by_name = machines.server_id(record)
            named += by_name
            yield server_id, record
    if named:
        tab.note(
            tab.header_cell("server.name"), "VM",
            Text("VM UUID（共 {n} 行没有，按虚拟机名称关联）", "a VM UUID (missing, {n} in all: joined by the machine's name)").format(
                n=named
            ),
        )  # fmt: skip


def _grouped(tab: Tab, machines: _Machines, key: str) -> Mapping[str, list[Record]]:
    """Rows by machine. Where only the name joins them, a `key` that comes twice shows two machines of one name."""
    groups: dict[str, list[Record]] = {}
    for server_id, record in _rows(tab, machines):
        groups.setdefault(server_id, []).append(record)
    for server_id, records in list(groups.items()):
        keys = [r.text(key) for r in records]
        if machines.server_id(records[0])[1] and len(set(keys)) < len(keys):
            del groups[server_id]
            for record in records:
                tab.refuse(
                    record, "server.name",
                    Text("VM UUID（有同名的虚拟机，分不清是哪一台）", "a VM UUID (several machines have this name)"),
                )  # fmt: skip
    return groups


def _values(record: Record, *names: str) -> tuple[dict[str, Value], dict[str, str]]:
    """The named fields of a server as the row states them, with their cells."""
    return (
        {name: record.values.get(f"server.{name}") for name in names},
        {name: record.cell(f"server.{name}") for name in names},
    )


def _read_info(tab: Tab, machines: _Machines) -> None:
    shared = _shared_uuids(machines.records[tab.name])
    seen: dict[str, str] = {}
    for server_id, record in _rows(tab, machines):
        first = seen.setdefault(server_id, record.cell("server.name"))
        if first != record.cell("server.name"):
            tab.refuse(
                record, "server.name", Text("{c} 没有写过的虚拟机", "a machine that {c} does not list").format(c=first)
            )
            continue
        values, cells = _values(record, "name", "uuid", "addresses", "cpu_count", "memory_gib", "disk_gib")
        if values["uuid"] in shared:
            tab.tell(
                record, "server.uuid",
                Text("每台虚拟机自己的 SMBIOS UUID（克隆后重复，未采用）",
                     "an SMBIOS UUID of the machine's own (a clone repeats it; not used)"), left_out=True,
            )  # fmt: skip
            values["uuid"] = None
        tools, config = record.text("row.os_tools"), record.text("row.os_config")
        values["os_name"], values["os_version"] = read_os(tools, config)
        said = "row.os_tools" if read_os(tools)[0] else "row.os_config"
        host = "row.host" if record.text("row.host") else "row.cluster"
        values |= {
            "power": record.values.get("row.power"), "virtual": True, "virtualisation": "vmware",
            "hypervisor": record.text(host),
        }  # fmt: skip
        cells |= {
            "os_name": record.cell(said), "os_version": record.cell(said), "power": record.cell("row.power"),
            "hypervisor": record.cell(host), "virtual": cells["name"], "virtualisation": cells["name"],
        }  # fmt: skip
        tab.say("server", server_id, values, cells)


def _shared_uuids(records: Sequence[Record]) -> set[Value]:
    """SMBIOS UUIDs of several machines: a copied machine keeps its original's."""
    owners = {(r.text("server.uuid"), r.text("row.vm_uuid")) for r in records if r.text("row.vm_uuid")}
    return {uuid for uuid, count in Counter(uuid for uuid, _ in owners).items() if uuid and count > 1}


def _read_plain(*names: str) -> Callable[[Tab, _Machines], None]:
    """A tab with one row a machine that adds these fields."""

    def read(tab: Tab, machines: _Machines) -> None:
        for server_id, record in _rows(tab, machines):
            tab.say("server", server_id, *_values(record, "name", *names))

    return read


def _read_disks(tab: Tab, machines: _Machines) -> None:
    for server_id, records in _grouped(tab, machines, "row.disk").items():
        sized = [r for r in records if isinstance(r.values.get("row.capacity"), float)]
        disks = [
            Disk(name=r.text("row.disk") or f"disk {n}", size_gib=_gib(r, "row.capacity"))
            for n, r in enumerate(sized, start=1)
        ]
        where = span([r.cell("row.capacity") for r in sized])
        total = round(sum(d.size_gib for d in disks), 3)
        values: dict[str, Value] = {
            "name": records[0].text("server.name"), "disks": tuple(render_disk(d) for d in disks),
            # A disk whose size can't be read would make the sum too small.
            "disk_gib": total if disks and len(sized) == len(records) else None,
        }  # fmt: skip
        tab.say(
            "server", server_id, values, {"name": records[0].cell("server.name"), "disks": where, "disk_gib": where}
        )


def _read_partitions(tab: Tab, machines: _Machines) -> None:
    for server_id, records in _grouped(tab, machines, "row.mount").items():
        # The guest may report one file system under several mounts of the same name.
        unique = list({r.text("row.mount"): r for r in records if r.text("row.mount")}.values())
        lines = [
            render_filesystem(
                Filesystem(
                    mount=r.text("row.mount"), device="", size_gib=_maybe(r, "row.capacity"),
                    used_gib=_maybe(r, "row.consumed"),
                )
            )
            for r in unique
        ]  # fmt: skip
        used = [_maybe(r, "row.consumed") for r in unique]
        complete = [u for u in used if u is not None]
        values: dict[str, Value] = {
            "name": records[0].text("server.name"), "filesystems": tuple(lines),
            "disk_used_gib": round(sum(complete), 3) if complete and len(complete) == len(used) else None,
        }  # fmt: skip
        cells = {
            "name": records[0].cell("server.name"), "filesystems": span([r.cell("row.mount") for r in unique]),
            "disk_used_gib": span([r.cell("row.consumed") for r in unique]),
        }  # fmt: skip
        tab.say("server", server_id, values, cells)


def _read_networks(tab: Tab, machines: _Machines) -> None:
    for server_id, records in _grouped(tab, machines, "row.nic").items():
        _say_interfaces(tab, server_id, records)


def _say_interfaces(tab: Tab, server_id: str, records: Sequence[Record]) -> None:
    macs: list[str] = []
    addresses: list[str] = []
    lines: list[str] = []
    for number, record in enumerate(records, start=1):
        own = (*record.many("row.ipv4"), *record.many("row.ipv6"))
        mac = record.many("row.mac")
        macs += mac
        addresses += own
        name = record.text("row.nic") or f"nic {number}"
        if mac or own:
            lines.append(render_interface(Interface(name=name, mac=mac[0] if mac else None, addresses=own)))
    values: dict[str, Value] = {
        "name": records[0].text("server.name"), "macs": tuple(dict.fromkeys(macs)),
        "addresses": tuple(dict.fromkeys(addresses)), "interfaces": tuple(lines),
    }  # fmt: skip
    where = span([r.cell("row.mac") for r in records])
    cells = {
        "name": records[0].cell("server.name"), "macs": where, "interfaces": where,
        "addresses": span([r.cell("row.ipv4") for r in records]),
    }  # fmt: skip
    tab.say("server", server_id, values, cells)


def _read_hosts(tab: Tab, machines: _Machines) -> None:
    names = (
        "name", "uuid", "maker", "model", "cpu_model", "cpu_count", "memory_gib", "dns_servers", "ntp_servers",
    )  # fmt: skip
    for record in machines.records[tab.name]:
        values, cells = _values(record, *names)
        serial = "server.serial" if record.text("server.serial") else "row.service_tag"
        product, _, version = record.text("row.version").partition("ESXi ")
        values |= {
            "serial": record.text(serial), "os_name": "VMware ESXi" if version or product else None,
            "os_version": version.split()[0] if version else None, "virtual": False, "virtualisation": "none",
        }  # fmt: skip
        values["addresses"] = _address_name(record.text("server.name"))
        cells |= {
            "serial": record.cell(serial), "os_name": record.cell("row.version"), "virtual": cells["name"],
            "virtualisation": cells["name"], "os_version": record.cell("row.version"), "addresses": cells["name"],
        }  # fmt: skip
        tab.say("server", _host_id(record), values, cells)


def _read_host_interfaces(tab: Tab, machines: _Machines) -> None:
    groups: dict[str, list[Record]] = {}
    for record in machines.records[tab.name]:
        groups.setdefault(_host_id(record), []).append(record)
    for server_id, records in groups.items():
        _say_interfaces(tab, server_id, records)


def _host_id(record: Record) -> str:
    """Hosts have one name in a vCenter, and their other tabs have nothing else."""
    return build_id("V", record.text("row.vcenter"), "host", record.text("server.name"))


def _address_name(name: str) -> tuple[str, ...]:
    """Hosts are often added to vCenter by their address."""
    try:
        return (str(ipaddress.ip_address(name)),)
    except ValueError:
        return ()


def _gib(record: Record, name: str) -> float:
    return _maybe(record, name) or 0.0


def _maybe(record: Record, name: str) -> float | None:
    value = record.values.get(name)
    return float(value) if isinstance(value, (int, float)) else None


_READERS: Mapping[str, Callable[[Tab, _Machines], None]] = {
    "vInfo": _read_info, "vCPU": _read_plain("cpu_count"), "vMemory": _read_plain("memory_gib"), "vDisk": _read_disks,
    "vPartition": _read_partitions, "vNetwork": _read_networks, "vHost": _read_hosts, "vNIC": _read_host_interfaces,
    "vSC_VMK": _read_host_interfaces,
}  # fmt: skip
