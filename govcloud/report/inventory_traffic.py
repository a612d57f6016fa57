"""Measured traffic, and what clouds let their tenants use, as lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.answers import FlowPage, Page
from govcloud.model.inventory import Flow, Tenant
from govcloud.model.text import Text
from govcloud.report import words
from govcloud.report.inventory import column, field_column, left_out_notes, stale_facts, stale_notes
from govcloud.report.inventory_values import word_term
from govcloud.report.view import Cell, View


def build_tenant_page(page: Page) -> View:
    tenants: Sequence[Tenant] = page.entities

    def used(used: float | None, quota: float | None) -> Cell:
        if used is None and quota is None:
            return None
        return " / ".join("—" if n is None else f"{n:g}" for n in (used, quota))

    return View(
        name="tenants", title=Text("云租户", "Cloud tenants"),
        columns=(
            column("tenant_id", "编号", "Id"), field_column("name"), field_column("cloud"), field_column("department"),
            column("vcpu", "核数 用量/配额", "vCPU used / quota", "right"),
            column("memory_gib", "内存 GiB 用量/配额", "Memory GiB used / quota", "right"),
            column("storage_gib", "存储 GiB 用量/配额", "Storage GiB used / quota", "right"),
            column("servers", "云主机 用量/配额", "Servers used / quota", "right"),
            column("addresses", "公网地址 用量/配额", "Public addresses used / quota", "right"),
        ),
        rows=tuple(
            {
                "tenant_id": t.tenant_id, "name": t.name, "cloud": t.cloud, "department": t.department,
                "vcpu": used(t.vcpu_used, t.vcpu_quota), "memory_gib": used(t.memory_gib_used, t.memory_gib_quota),
                "storage_gib": used(t.storage_gib_used, t.storage_gib_quota),
                "servers": used(t.server_used, t.server_quota), "addresses": used(t.address_used, t.address_quota),
            }
            for t in tenants
        ),
        notes=(*stale_notes(page), *left_out_notes(page, len(tenants))),
        facts={
            **stale_facts(page),
            "usage": {
                t.tenant_id: {
                    f"{part}_{word}": getattr(t, f"{part}_{word}")
                    for part in ("vcpu", "memory_gib", "storage_gib", "server", "address") for word in ("used", "quota")
                }
                for t in tenants
            },
        },
    )  # fmt: skip


def build_flow_page(page: FlowPage) -> View:
    """Measured traffic with both its ends; every class is shown, also the noise."""

    def end(server_id: str) -> str:
        systems = "、".join(page.systems.get(server_id, ()))
        return page.labels.get(server_id, server_id) + (f" ({systems})" if systems else "")

    def row(f: Flow) -> Mapping[str, Cell]:
        return {
            "client": end(f.client_id), "client_process": f.client_process, "server": end(f.server_id), "port": f.port,
            "server_process": f.server_process, "traffic": word_term(words.TRAFFIC, f.traffic),
            "first_seen_at": f.first_seen_at, "last_seen_at": f.last_seen_at, "samples": f.samples,
        }  # fmt: skip

    classes = [words.TRAFFIC[c] for c in sorted(page.classes)]
    counts = [page.classes[c] for c in sorted(page.classes)]
    told = Text(
        "，".join(f"{t.zh} {n}" for t, n in zip(classes, counts, strict=True)),
        ", ".join(f"{t.en} {n}" for t, n in zip(classes, counts, strict=True)),
    )
    note = Text("共 {n} 条：{c}", "{n} in all: {c}").format(n=page.total, c=told)
    return View(
        name="connections", title=Text("测得的连接", "Measured connections"),
        columns=(
            column("client", "发起方", "Client"), column("client_process", "发起程序", "Client process"),
            column("server", "服务方", "Server"), field_column("port", "right"),
            column("server_process", "服务程序", "Server process"), field_column("traffic"), field_column("first_seen_at"),
            field_column("last_seen_at"), field_column("samples", "right"),
        ),
        rows=tuple(row(f) for f in page.flows),
        notes=(*([note] if page.total else ()), *left_out_notes(page, len(page.flows))),
        facts={
            "ends": [[f.client_id, f.server_id, f.port] for f in page.flows], "classes": dict(page.classes),
            "total": page.total,
        },
    )  # fmt: skip
