"""Azure Migrate: the server list that people fill in or generate, and the export of measured dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from govcloud.discovery.exports.tab import Record, Tab, span
from govcloud.discovery.exports.values import read_os
from govcloud.discovery.facts import render_connection, render_disk
from govcloud.model.ids import build_id
from govcloud.model.observation import Value
from govcloud.model.server import Connection, Disk
from govcloud.model.text import Text

_UNKNOWN_ADDRESS = "-"
"""The older export does not say which address the source used."""


def _server_id(name: str) -> str:
    """Azure's own key: a second file with the same server name updates the server."""
    return build_id("V", "azure_migrate", name)


def read_servers(tabs: Sequence[Tab]) -> None:
    for tab in tabs:
        seen: dict[str, str] = {}
        for record in tab.records():
            server_id = _server_id(record.text("server.name"))
            first = seen.setdefault(server_id, record.cell("server.name"))
            if first != record.cell("server.name"):
                tab.refuse(
                    record,
                    "server.name",
                    Text("{c} 没有写过的服务器", "a server that {c} does not list").format(c=first),
                )
                continue
            _say_server(tab, record, server_id)


def _say_server(tab: Tab, record: Record, server_id: str) -> None:
    disks = [
        (int(name.partition("#")[2]), name, size)
        for name, size in record.values.items()
        if name.startswith("row.disk#") and isinstance(size, float)
    ]
    disks.sort()
    lost = any(name.startswith("row.disk#") for name in record.faulty)
    kind = record.text("row.server_type")
    hypervisor = record.text("row.hypervisor")
    os_name, os_version = read_os(record.text("row.os"), version=record.values.get("row.os_version"))
    virtual = True if hypervisor or kind == "virtual" else False if kind == "physical" else None
    plain = (
        "name",
        "addresses",
        "macs",
        "cpu_count",
        "memory_gib",
        "arch",
        "disk_used_gib",
        "cpu_avg_pct",
        "memory_avg_pct",
    )
    values: dict[str, Value] = {field: record.values.get(f"server.{field}") for field in plain}
    cells = {field: record.cell(f"server.{field}") for field in plain}
    where = span([record.cell(name) for _, name, _ in disks])
    values |= {
        "os_name": os_name, "os_version": os_version, "virtual": virtual,
        "virtualisation": hypervisor or ("none" if virtual is False else None),
        "disks": tuple(render_disk(Disk(name=f"disk {n}", size_gib=size)) for n, _, size in disks),
        "disk_gib": None if lost or not disks else round(sum(size for *_, size in disks), 3),
    }  # fmt: skip
    cells |= {
        "os_name": record.cell("row.os"), "os_version": record.cell("row.os_version" if "row.os_version" in record.values else "row.os"), "disks": where, "disk_gib": where,
        "virtual": record.cell("row.server_type"), "virtualisation": record.cell("row.hypervisor"),
    }  # fmt: skip
    tab.say("server", server_id, values, cells)


def read_dependencies(tabs: Sequence[Tab]) -> None:
    """One statement a source server and time slot: each slot is a sample of its connections."""
    for tab in tabs:
        records = [r for r in tab.records() if _is_port(tab, r)]
        own = _own_addresses(records)
        samples: dict[tuple[str, str], list[Record]] = {}
        for record in records:
            samples.setdefault((record.text("row.source"), record.text("row.at")), []).append(record)
        for (source, slot), found in samples.items():
            _say_sample(tab, source, slot, found, own)
        _say_targets(tab, records)


def _is_port(tab: Tab, record: Record) -> bool:
    port = record.values.get("row.port")
    if isinstance(port, int) and 0 < port < 65536:
        return True
    tab.refuse(record, "row.port", Text("1 到 65535 的端口", "a port from 1 to 65535"))
    return False


def _own_addresses(records: Sequence[Record]) -> dict[str, str]:
    """Server -> its address, where it has only one: as the source states it, or as others reached it."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, address in (("row.source", "row.source_address"), ("row.target", "row.target_address")):
            found.setdefault(record.text(name), set()).update(record.many(address))
    return {name: addresses.pop() for name, addresses in found.items() if name and len(addresses) == 1}


def _say_sample(tab: Tab, source: str, slot: str, records: Sequence[Record], own: dict[str, str]) -> None:
    lines: dict[str, str] = {}
    for record in records:
        local = next(iter(record.many("row.source_address")), own.get(source, _UNKNOWN_ADDRESS))
        for remote in record.many("row.target_address"):
            line = render_connection(
                Connection(
                    local_address=local, local_port=0, remote_address=remote, remote_port=int(str(record.values["row.port"])),
                    process=record.text("row.source_process") or None,
                )
            )  # fmt: skip
            lines.setdefault(line, record.cell("row.target_address"))
    addresses = tuple(dict.fromkeys(a for r in records for a in r.many("row.source_address")))
    cells = {
        "name": records[0].cell("row.source"), "connections": span(list(dict.fromkeys(lines.values()))),
        "addresses": records[0].cell("row.source_address"),
    }  # fmt: skip
    at = datetime.fromisoformat(slot) if slot else None
    values: dict[str, Value] = {"name": source, "addresses": addresses, "connections": tuple(lines)}
    tab.say("server", _server_id(source), values, cells, at=min(at, tab.at) if at else None)


def _say_targets(tab: Tab, records: Sequence[Record]) -> None:
    """Servers that were reached: their name and addresses. One without a name is an address only, which the merge finds."""
    found: dict[str, list[Record]] = {}
    for record in records:
        if (name := record.text("row.target")) and name not in record.many("row.target_address"):
            found.setdefault(name, []).append(record)
    for name, same in found.items():
        addresses = tuple(dict.fromkeys(a for r in same for a in r.many("row.target_address")))
        cells = {"name": same[0].cell("row.target"), "addresses": same[0].cell("row.target_address")}
        tab.say("server", _server_id(name), {"name": name, "addresses": addresses}, cells)
