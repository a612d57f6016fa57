"""Views of the service catalog and of a request that was checked against it. Money is shown in yuan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.catalog import Catalog, Offering
from govcloud.model.text import Term, Text, same
from govcloud.report.findings import term
from govcloud.report.view import Cell, Column, View

LAYER: Mapping[str, Text] = {
    "iaas": Text("基础资源", "IaaS"),
    "paas": Text("支撑平台", "PaaS"),
    "saas": Text("应用服务", "SaaS"),
}
PERIOD: Mapping[str, Text] = {
    "month": Text("月", "month"),
    "year": Text("年", "year"),
    "once": Text("一次性", "once"),
    "per_use": Text("按次", "per use"),
}
STATUS: Mapping[str, Text] = {
    "active": Text("可申请", "active"),
    "closed_to_new": Text("停止新开通", "closed to new requests"),
    "retired": Text("已下线", "retired"),
}
ZONE: Mapping[str, Text] = {
    "gov_extranet": Text("政务外网区", "extranet zone"),
    "internet": Text("互联网区", "internet zone"),
    "gov_intranet": Text("政务内网区", "intranet zone"),
}
SAMPLE = Text(
    "示例目录，不是官方目录，价格为示例数字。", "A sample, not an official catalog; its prices are sample numbers."
)


def yuan(fen: int | None) -> str | None:
    """`1234.50`: exact, no binary fractions."""
    return None if fen is None else f"{fen // 100}.{fen % 100:02d}"


def build_catalog_view(catalog: Catalog, offerings: Sequence[Offering]) -> View:
    notes = [
        Text("{title}，版本 {v}，{n} 项", "{title}, version {v}, {n} offerings").format(
            title=catalog.title, v=catalog.version, n=len(offerings)
        )
    ]
    if not catalog.official:
        notes.append(SAMPLE)
    return View(
        name="offerings",
        title=Text("政务云服务目录", "Service catalog"),
        columns=(
            Column("code", Text("编码", "Code")),
            Column("layer", Text("层次", "Layer")),
            Column("class", Text("类别", "Class")),
            Column("name", Text("服务", "Service")),
            Column("unit", Text("单位", "Unit")),
            Column("price", Text("价格（元）", "Price (yuan)")),
            Column("range", Text("数量范围", "Quantity")),
            Column("zone", Text("区域", "Zone")),
            Column("status", Text("状态", "Status")),
        ),
        rows=tuple(
            {
                "code": o.code,
                "layer": term(LAYER, o.layer),
                "class": _coded(catalog.classes[o.service_class], o.service_class),
                "name": o.name,
                "unit": o.unit,
                "price": _price(o),
                "range": _range(o),
                "zone": _zones(o),
                "status": term(STATUS, o.status),
            }
            for o in offerings
        ),
        notes=tuple(notes),
        facts={"catalog": catalog.catalog_id, "official": catalog.official, "classes": dict(catalog.classes)},
    )


def _coded(text: Text, code: str) -> Term:
    return Term(text.zh, text.en, code)


def _zones(offering: Offering) -> Term:
    texts = [ZONE[zone] for zone in offering.zone]
    return Term("、".join(t.zh for t in texts), ", ".join(t.en for t in texts), offering.zone)


def _range(offering: Offering) -> str:
    top = "…" if offering.max is None else str(offering.max)
    step = f" ({offering.step})" if offering.step > 1 else ""
    return f"{offering.min}—{top}{step}"


def _price(offering: Offering) -> Text:
    price = offering.price
    if price is None:
        return Text("未定价", "no price")
    period = PERIOD[price.period]
    parts = []
    if price.fen or not (price.vcpu_fen or price.memory_gib_fen):
        parts.append(same(yuan(price.fen)))
    if price.vcpu_fen:
        parts.append(Text(f"{yuan(price.vcpu_fen)}/核", f"{yuan(price.vcpu_fen)}/vCPU"))
    if price.memory_gib_fen:
        parts.append(same(f"{yuan(price.memory_gib_fen)}/GiB"))
    amount = Text(" + ".join(p.zh for p in parts), " + ".join(p.en for p in parts))
    return Text("{a} · {p}", "{a} · {p}").format(a=amount, p=period)


def build_offering_view(catalog: Catalog, offering: Offering) -> View:
    """Everything the catalog says about one code."""
    rows: list[tuple[str, Text, Cell]] = [
        ("code", Text("编码", "Code"), offering.code),
        ("name", Text("服务", "Service"), offering.name),
        ("class", Text("类别", "Class"), _coded(catalog.classes[offering.service_class], offering.service_class)),
        ("layer", Text("层次", "Layer"), term(LAYER, offering.layer)),
        ("description", Text("说明", "Description"), offering.description),
        ("unit", Text("单位", "Unit"), offering.unit),
        ("price", Text("价格（元）", "Price (yuan)"), _price(offering)),
        ("range", Text("数量范围（步长）", "Quantity (step)"), _range(offering)),
        (
            "memory_per_vcpu",
            Text("核数：可配内存 GiB", "vCPU: memory in GiB"),
            [f"{n}: {'/'.join(map(str, sizes))}" for n, sizes in offering.memory_per_vcpu.items()],
        ),
        ("arch", Text("架构", "Architecture"), offering.arch),
        ("zone", Text("区域", "Zone"), _zones(offering)),
        ("domestic", Text("国产", "Domestic"), offering.domestic),
        ("common", Text("公共支撑（不得重复建设）", "Common service (not to be built again)"), offering.common),
        ("mlps_package", Text("等保级别", "Protection level"), offering.mlps_package),
        ("sla", Text("服务水平", "Service level"), [f"{k} {v}" for k, v in offering.sla.items()]),
        ("successor", Text("后续服务", "Successor"), offering.successor),
        ("status", Text("状态", "Status"), term(STATUS, offering.status)),
    ]
    return View(
        name="offering",
        title=catalog.title,
        columns=(Column("field", Text("项", "Field")), Column("value", Text("内容", "Value"))),
        rows=tuple({"field": Term(title.zh, title.en, key), "value": value} for key, title, value in rows),
        notes=() if catalog.official else (SAMPLE,),
    )
