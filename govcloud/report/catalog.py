"""Views of service catalogs: offerings, versions, faults of their files. Money is shown in yuan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from govcloud.model.catalog import Catalog, CatalogFault, CatalogVersion, Offering, Sla
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
AREA: Mapping[str, Text] = {"xinchuang": Text("信创区", "domestic-technology area"), "x86": Text("x86 区", "x86 area")}
METERING: Mapping[str, Text] = {
    "5.1": Text("计算", "computing"),
    "5.2": Text("存储", "storage"),
    "5.3": Text("网络", "network"),
    "6.1": Text("中间件", "middleware"),
    "6.2": Text("数据库", "databases"),
    "7.1": Text("API", "APIs"),
    "7.2": Text("应用软件", "application software"),
}
"""Sections of GB/T 37735-2019."""
SAMPLE = Text(
    "示例目录，不是官方目录，价格为示例数字。", "A sample, not an official catalog; its prices are sample numbers."
)


def yuan(fen: int | None) -> str | None:
    """`1234.50`: exact, no binary fractions."""
    return None if fen is None else f"{fen // 100}.{fen % 100:02d}"


def build_catalog_view(catalog: Catalog, offerings: Sequence[Offering]) -> View:
    notes = [Text("{t}；{n} 项", "{t}; {n} offerings").format(t=build_title(catalog), n=len(offerings))]
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
                "price": build_price(o),
                "range": build_range(o),
                "zone": build_zones(o),
                "status": term(STATUS, o.status),
            }
            for o in offerings
        ),
        notes=tuple(notes),
        facts={
            "catalog": catalog.catalog_id,
            "version": catalog.version,
            "effective_from": catalog.effective_from,
            "effective_to": catalog.effective_to,
            "official": catalog.official,
            "classes": dict(catalog.classes),
        },
    )


def _coded(text: Text, code: str) -> Term:
    return Term(text.zh, text.en, code)


def build_zones(offering: Offering) -> Term:
    """政务外网区、互联网区（信创区）."""
    zh, en = "、".join(ZONE[z].zh for z in offering.zone), ", ".join(ZONE[z].en for z in offering.zone)
    if offering.area:
        zh += "（" + "、".join(AREA[a].zh for a in offering.area) + "）"
        en += " (" + ", ".join(AREA[a].en for a in offering.area) + ")"
    return Term(zh, en, (*offering.zone, *offering.area))


def build_range(offering: Offering) -> str:
    """`10—16000 (10)`: from, to, step."""
    top = "…" if offering.max is None else str(offering.max)
    step = f" ({offering.step})" if offering.step > 1 else ""
    return f"{offering.min}—{top}{step}"


def build_price(offering: Offering) -> Text:
    """`38.00/核 + 19.00/GiB · 月`."""
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


def build_sizes(offering: Offering) -> list[str]:
    """`4: 8/16` for each number of vCPU."""
    return [f"{n}: {'/'.join(map(str, sizes))}" for n, sizes in offering.memory_per_vcpu.items()]


def build_sla(sla: Sla) -> Text:
    parts = [
        (Text("可用性 {v}%", "availability {v}%"), sla.availability_pct),
        (Text("RPO {v} 分钟", "RPO {v} min"), sla.rpo_minutes),
        (Text("RTO {v} 分钟", "RTO {v} min"), sla.rto_minutes),
        (Text("{v} 分钟响应", "response in {v} min"), sla.response_minutes),
        (Text("服务时间 {v}", "service hours {v}"), sla.service_hours and sla.service_hours.replace("x", "×")),
    ]
    texts = [text.format(v=value) for text, value in parts if value is not None]
    return Text("，".join(t.zh for t in texts), ", ".join(t.en for t in texts))


def build_status(offering: Offering) -> Text:
    """With the days that are announced."""
    days = {"closed_to_new": offering.closed_on, "retired": offering.retired_on}
    texts = [] if days.get(offering.status) else [STATUS[offering.status]]
    texts += [
        word.format(d=day)
        for word, day in (
            (Text("{d} 起停止新开通", "closed to new requests from {d}"), offering.closed_on),
            (Text("{d} 起下线", "retired from {d}"), offering.retired_on),
        )
        if day
    ]
    text = Text("，".join(t.zh for t in texts), ", ".join(t.en for t in texts))
    return Term(text.zh, text.en, offering.status)


def build_offering_view(catalog: Catalog, offering: Offering) -> View:
    """Everything the catalog says about one code, its own words in both languages."""
    section = catalog.metering.get(offering.service_class)
    title = _both(catalog.classes[offering.service_class])
    rows: list[tuple[str, Text, Cell]] = [
        ("code", Text("编码", "Code"), offering.code),
        ("name", Text("服务", "Service"), _both(offering.name)),
        (
            "class",
            Text("类别", "Class"),
            _coded(title, offering.service_class),
        ),
        ("layer", Text("层次", "Layer"), term(LAYER, offering.layer)),
        ("metering", Text("计量（GB/T 37735-2019）", "Metering (GB/T 37735-2019)"), _metering(section)),
        ("description", Text("说明", "Description"), offering.description and _both(offering.description)),
        ("unit", Text("单位", "Unit"), _both(offering.unit)),
        ("price", Text("价格（元）", "Price (yuan)"), build_price(offering)),
        ("range", Text("数量范围（步长）", "Quantity (step)"), build_range(offering)),
        ("memory_per_vcpu", Text("核数：可配内存 GiB", "vCPU: memory in GiB"), build_sizes(offering)),
        ("arch", Text("架构", "Architecture"), offering.arch),
        ("zone", Text("区域", "Zone"), build_zones(offering)),
        ("domestic", Text("国产", "Domestic"), offering.domestic),
        ("common", Text("公共支撑（不得重复建设）", "Common service (not to be built again)"), offering.common),
        ("mlps_package", Text("等保级别", "Protection level"), offering.mlps_package),
        ("sla", Text("服务水平", "Service level"), build_sla(offering.sla)),
        ("included_in", Text("已含在", "Included in"), offering.included_in),
        ("successor", Text("后续服务", "Successor"), offering.successor),
        ("status", Text("状态", "Status"), build_status(offering)),
    ]
    notes = [build_title(catalog)] if catalog.official else [build_title(catalog), SAMPLE]
    return View(
        name="offering",
        title=Text("服务项 {code}", "Offering {code}").format(code=offering.code),
        columns=(Column("field", Text("项", "Field")), Column("value", Text("内容", "Value"))),
        rows=tuple({"field": Term(title.zh, title.en, key), "value": value} for key, title, value in rows),
        notes=tuple(notes),
        facts={
            "catalog": catalog.catalog_id,
            "version": catalog.version,
            "official": catalog.official,
            "price": None if offering.price is None else asdict(offering.price),
        },
    )


def build_title(catalog: Catalog) -> Text:
    """Title, version and validity: what a price or a verdict rests on."""
    span = (
        Text("{a} 起有效", "valid from {a}")
        if catalog.effective_to is None
        else Text("{a} 至 {b} 有效", "valid from {a} to {b}")
    ).format(a=catalog.effective_from, b=catalog.effective_to)
    return Text("{title}，版本 {v}，{span}", "{title}, version {v}, {span}").format(
        title=catalog.title, v=catalog.version, span=span
    )


def _both(text: Text) -> Text:
    return text if text.zh == text.en else same(f"{text.zh} / {text.en}")


def _metering(section: str | None) -> Text | None:
    return None if section is None else Text("{n} {t}", "{n} {t}").format(n=section, t=METERING[section])


def build_versions_view(versions: Sequence[CatalogVersion]) -> View:
    faulty = sum(1 for v in versions if v.faults)
    notes = [Text("{n} 个版本", "{n} versions").format(n=len(versions))]
    if faulty:
        notes.append(
            Text("{n} 个有误，运行 govcloud catalog validate 查看", "{n} are faulty: see govcloud catalog validate").format(n=faulty)
        )  # fmt: skip
    if any(v.official is False for v in versions):
        notes.append(SAMPLE)
    return View(
        name="catalog_versions",
        title=Text("服务目录的版本", "Versions of service catalogs"),
        columns=(
            Column("catalog_id", Text("目录", "Catalog")),
            Column("version", Text("版本", "Version")),
            Column("title", Text("名称", "Title")),
            Column("effective_from", Text("生效日", "From")),
            Column("effective_to", Text("失效日", "To")),
            Column("in_force", Text("现行", "In force")),
            Column("official", Text("官方", "Official")),
            Column("offerings", Text("服务项", "Offerings"), "right"),
            Column("faults", Text("错误", "Faults"), "right"),
            Column("own", Text("工作区自有", "The workspace's own")),
            Column("folder", Text("文件夹", "Folder")),
        ),
        rows=tuple(
            {
                "catalog_id": v.catalog_id, "version": v.version, "title": v.title, "effective_from": v.effective_from,
                "effective_to": v.effective_to, "in_force": v.in_force, "official": v.official, "offerings": v.offerings,
                "faults": v.faults, "own": v.own, "folder": v.folder,
            }
            for v in versions
        ),
        notes=tuple(notes),
    )  # fmt: skip


def build_faults_view(faults: Sequence[CatalogFault]) -> View:
    return View(
        name="catalog_faults",
        title=Text("目录文件中的错误", "Faults of the catalog's files"),
        columns=(
            Column("where", Text("位置", "Where")),
            Column("code", Text("编码", "Code")),
            Column("what", Text("问题", "What is wrong")),
        ),
        rows=tuple({"where": f.where, "code": f.entry or None, "what": f.what} for f in faults),
        notes=(
            Text("共 {n} 处，写法见 docs/formats.md", "{n} faults; docs/formats.md has the format").format(
                n=len(faults)
            ),
        ),
    )
