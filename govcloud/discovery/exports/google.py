"""Google Migration Center's manual-import tables; a machine is known by its MachineId in all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from govcloud.discovery.exports.tab import Record, Tab, span
from govcloud.discovery.exports.values import read_environment, read_os
from govcloud.discovery.facts import render_disk
from govcloud.model.ids import build_id
from govcloud.model.observation import Value
from govcloud.model.server import Disk


def read_tabs(tabs: Sequence[Tab]) -> None:
    for tab in tabs:
        _READERS[tab.name](tab)


def _server_id(record: Record) -> str:
    return build_id("V", "google_mc", record.text("row.machine"))


def _grouped(records: Iterable[Record]) -> Mapping[str, list[Record]]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(_server_id(record), []).append(record)
    return groups


def _read_machines(tab: Tab) -> None:
    plain = ("macs", "disk_gib", "disk_used_gib", "cpu_count", "memory_gib", "location", "power")
    for record in tab.records():
        named = "server.name" if record.text("server.name") else "row.machine"
        addresses = (
            *record.many("row.address"), *record.many("row.addresses"), *record.many("row.public_address"),
        )  # fmt: skip
        os_name, os_version = read_os(record.text("row.os"), version=record.values.get("row.os_version"))
        physical = record.values.get("row.physical")
        values: dict[str, Value] = {field: record.values.get(f"server.{field}") for field in plain}
        for sized in ("disk_gib", "disk_used_gib"):
            # Generators write 0 where they know nothing.
            values[sized] = values[sized] or None
        values |= {
            "name": record.text(named), "addresses": tuple(dict.fromkeys(addresses)), "os_name": os_name,
            "os_version": os_version, "virtual": None if physical is None else physical is False,
        }  # fmt: skip
        cells = {field: record.cell(f"server.{field}") for field in plain} | {
            "name": record.cell(named), "os_name": record.cell("row.os"), "os_version": record.cell("row.os_version" if "row.os_version" in record.values else "row.os"),
            "addresses": record.cell("row.addresses" if record.many("row.addresses") else "row.address"),
            "virtual": record.cell("row.physical"),
        }  # fmt: skip
        tab.say("server", _server_id(record), values, cells)


def _read_disks(tab: Tab) -> None:
    for server_id, records in _grouped(tab.records()).items():
        lines = []
        for number, record in enumerate(records, start=1):
            size = record.values.get("row.size")
            if isinstance(size, float) and size > 0:
                lines.append(render_disk(Disk(name=record.text("row.disk") or f"disk {number}", size_gib=size)))
        used = [u for u in (r.values.get("row.used") for r in records) if isinstance(u, float)]
        values: dict[str, Value] = {
            "disks": tuple(lines), "disk_used_gib": round(sum(used), 3) if used and len(used) == len(records) else None,
        }  # fmt: skip
        cells = {
            "disks": span([r.cell("row.size") for r in records]), "disk_used_gib": span([r.cell("row.used") for r in records]),
        }  # fmt: skip
        tab.say("server", server_id, values, cells)


def _read_utilisation(tab: Tab) -> None:
    """Average, 95th percentile (nearest rank) and peak over all samples, with the time that they cover."""
    for server_id, records in _grouped(tab.records()).items():
        times = sorted({datetime.fromisoformat(r.text("row.at")) for r in records})
        cpu, memory = _percentages(records, "row.cpu"), _percentages(records, "row.memory")
        share = "row.memory" if memory else "row.memory_used"
        if not memory:
            memory = [share for share in (_memory_share(r) for r in records) if share is not None]
        values: dict[str, Value] = {
            "utilisation_days": round((times[-1] - times[0]).total_seconds() / 86400, 2), "utilisation_samples": len(times),
            "cpu_avg_pct": _average(cpu), "cpu_p95_pct": _p95(cpu), "cpu_peak_pct": max(cpu, default=None),
            "memory_avg_pct": _average(memory), "memory_p95_pct": _p95(memory), "memory_peak_pct": max(memory, default=None),
        }  # fmt: skip
        where = {"cpu": "row.cpu", "memory": share, "utilisation": "row.at"}
        cells = {field: span([r.cell(where[field.partition("_")[0]]) for r in records]) for field in values}
        tab.say("server", server_id, values, cells, at=min(times[-1], tab.at))


def _percentages(records: Sequence[Record], name: str) -> list[float]:
    return [float(v) for v in (r.values.get(name) for r in records) if isinstance(v, (int, float))]


def _memory_share(record: Record) -> float | None:
    """From bytes, where the sample has both the used and the free ones."""
    used, free = record.values.get("row.memory_used"), record.values.get("row.memory_free")
    if isinstance(used, float) and isinstance(free, float) and used + free > 0:
        return round(100 * used / (used + free), 2)
    return None


def _average(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 2) if values else None


def _p95(values: Sequence[float]) -> float | None:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1] if values else None


def _read_tags(tab: Tab) -> None:
    for server_id, records in _grouped(tab.records()).items():
        environment = read_environment((r.text("row.key"), r.text("row.value")) for r in records)
        if environment:
            cell = next(
                r.cell("row.value") for r in records if read_environment([(r.text("row.key"), r.text("row.value"))])
            )
            tab.say("server", server_id, {"environment": environment}, {"environment": cell})


_READERS: Mapping[str, Callable[[Tab], None]] = {
    "vmInfo": _read_machines, "diskInfo": _read_disks, "perfInfo": _read_utilisation, "tagInfo": _read_tags,
}  # fmt: skip
