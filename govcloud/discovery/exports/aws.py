"""AWS Application Discovery Service / Migration Hub import template: servers, and the applications they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.discovery.exports.tab import Record, Tab, span
from govcloud.discovery.exports.values import read_environment, read_os
from govcloud.model.ids import build_id
from govcloud.model.observation import Value
from govcloud.model.text import Text


def read_tabs(tabs: Sequence[Tab]) -> None:
    for tab in tabs:
        systems: dict[str, list[tuple[str, str]]] = {}
        for record in tab.records():
            identity = _identity(record)
            if not identity:
                tab.refuse(
                    record, "row.host_name",
                    Text("ExternalId、SMBiosId、HostName、IPAddress、MACAddress 至少写一个",
                         "at least one of ExternalId, SMBiosId, HostName, IPAddress, MACAddress"),
                )  # fmt: skip
                continue
            server_id = build_id("V", "aws_ads", *identity)
            _say_server(tab, record, server_id, identity)
            for name in record.many("row.applications"):
                systems.setdefault(name, []).append((server_id, record.cell("row.applications")))
        _say_systems(tab, systems)


def _identity(record: Record) -> tuple[str, ...]:
    """The first of the template's identifying fields that the row has, in AWS's own order, with its kind."""
    if record.text("row.moref") and record.text("row.vcenter"):
        moref: tuple[str, ...] = ("moref", record.text("row.vcenter"), record.text("row.moref"))
    else:
        moref = ()
    for name in ("row.external_id", "server.uuid"):
        if record.text(name):
            return (name, record.text(name))
    if moref:
        return moref
    for name in ("row.server_id", "row.host_name", "row.vm_name"):
        if record.text(name):
            return (name, record.text(name))
    for name in ("server.addresses", "server.macs"):
        if record.many(name):
            return (name, record.many(name)[0])
    return ()


def _say_server(tab: Tab, record: Record, server_id: str, identity: Sequence[str]) -> None:
    texts = ("row.host_name", "row.vm_name", "row.external_id")
    named = next(
        (n for n in texts if record.text(n)), "server.addresses" if record.many("server.addresses") else identity[0]
    )
    name = record.text(named) or next(iter(record.many(named)), identity[-1])
    os_name, os_version = read_os(record.text("row.os"), version=record.values.get("row.os_version"))
    cores = "row.logical_cores" if "row.logical_cores" in record.values else "row.cores"
    vmware = bool(record.text("row.moref") or record.text("row.vm_name"))
    values: dict[str, Value] = {
        "name": name, "os_name": os_name, "os_version": os_version, "cpu_count": record.values.get(cores),
        "memory_gib": record.values.get("row.ram_mib"), "memory_avg_pct": _share(record, "row.ram_used_avg"),
        "memory_peak_pct": _share(record, "row.ram_used_max"), "virtual": True if vmware else None,
        "virtualisation": "vmware" if vmware else None,
        "environment": read_environment(_tags(record)),
    }  # fmt: skip
    cells = {
        "name": record.cell(named), "os_name": record.cell("row.os"), "os_version": record.cell("row.os_version" if "row.os_version" in record.values else "row.os"),
        "cpu_count": record.cell(cores), "memory_gib": record.cell("row.ram_mib"),
        "memory_avg_pct": record.cell("row.ram_used_avg"), "memory_peak_pct": record.cell("row.ram_used_max"),
        "environment": record.cell("row.tags"),
        "virtual": record.cell("row.moref"), "virtualisation": record.cell("row.moref"),
    }  # fmt: skip
    for field in ("uuid", "addresses", "macs", "cpu_avg_pct", "cpu_peak_pct"):
        values[field] = record.values.get(f"server.{field}")
        cells[field] = record.cell(f"server.{field}")
    tab.say("server", server_id, values, cells)


def _share(record: Record, name: str) -> float | None:
    used, total = record.values.get(name), record.values.get("row.ram_mib")
    if not isinstance(used, float) or not isinstance(total, float) or total <= 0 or used > total:
        return None
    return round(100 * used / total, 2)


def _tags(record: Record) -> list[tuple[str, str]]:
    """`zone:1, env:prod`."""
    pairs = (tag.partition(":") for tag in record.many("row.tags"))
    return [(key, value) for key, _, value in pairs]


def _say_systems(tab: Tab, systems: dict[str, list[tuple[str, str]]]) -> None:
    for name, found in systems.items():
        cells = [cell for _, cell in found]
        tab.say(
            "system", build_id("S", "", name),
            {"name": name, "servers": tuple(dict.fromkeys(server_id for server_id, _ in found))},
            {"name": cells[0], "servers": span(cells)},
        )  # fmt: skip
