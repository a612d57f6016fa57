"""What may stand in a service catalog's files, and everything that can be wrong with it; docs/formats.md explains the keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from govcloud import resources
from govcloud.compliance.catalog_faults import FaultyFile, Step
from govcloud.errors import GovcloudError
from govcloud.model.catalog import (
    Arch,
    Area,
    Catalog,
    CatalogFault,
    Layer,
    Offering,
    OfferingStatus,
    Price,
    PricePeriod,
    Sla,
    Zone,
)
from govcloud.model.text import Text

T = TypeVar("T")
FILE = "catalog.yaml"
_YUAN = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")
_CODE = re.compile(r"[^\s@/\\]{1,64}")
"""Of codes, ids and versions: each may stand in a file name and behind an @."""
_HOURS = re.compile(r"[1-7]x([1-9]|1[0-9]|2[0-4])")
_LAYERS: tuple[Layer, ...] = ("iaas", "paas", "saas")
_MONEY = Text(
    "加引号的元，不小于零、至多两位小数，如 \"12.50\"", "yuan in quotes, at most two decimals and not below zero, such as \"12.50\""
)  # fmt: skip
HINTS: Mapping[str, Text] = {"yuan": _MONEY, "vcpu_yuan": _MONEY, "memory_gib_yuan": _MONEY}


class PriceEntry(msgspec.Struct, forbid_unknown_fields=True):
    """Amounts in yuan, written as text or whole numbers: a binary fraction has no place in money."""

    yuan: str | int = 0
    period: PricePeriod = "month"
    vcpu_yuan: str | int = 0
    memory_gib_yuan: str | int = 0


class SlaEntry(msgspec.Struct, forbid_unknown_fields=True):
    availability_pct: float | None = None
    rpo_minutes: int | None = None
    rto_minutes: int | None = None
    response_minutes: int | None = None
    service_hours: str | None = None


class OfferingEntry(msgspec.Struct, forbid_unknown_fields=True, rename={"service_class": "class"}):
    code: str
    service_class: str
    name: Text
    unit: Text
    layer: Layer | None = None
    price: PriceEntry | None = None
    description: Text | None = None
    min: int = 1
    max: int | None = None
    step: int = 1
    memory_per_vcpu: dict[int, tuple[int, ...]] = {}
    arch: tuple[Arch, ...] = ("any",)
    zone: tuple[Zone, ...] = ("gov_extranet",)
    area: tuple[Area, ...] = ()
    domestic: bool = False
    common: bool = False
    mlps_package: int | None = None
    sla: SlaEntry = msgspec.field(default_factory=SlaEntry)
    included_in: str | None = None
    successor: str | None = None
    status: OfferingStatus = "active"
    closed_on: date | None = None
    retired_on: date | None = None


class ClassEntry(msgspec.Struct, forbid_unknown_fields=True):
    zh: str
    en: str
    layer: Layer | None = None
    metering: Literal["5.1", "5.2", "5.3", "6.1", "6.2", "7.1", "7.2"] | None = None


class ClassesFile(msgspec.Struct, forbid_unknown_fields=True):
    classes: dict[str, ClassEntry]
    replaces: dict[str, tuple[str, ...]]


class CatalogFile(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: Text
    issuer: Text
    official: bool
    document_ref: str | None
    version: str
    effective_from: date
    effective_to: date | None
    currency: Literal["CNY"] = "CNY"
    classes: dict[str, ClassEntry] = {}
    replaces: dict[str, tuple[str, ...]] = {}
    offerings: list[OfferingEntry] = []


class OfferingsFile(msgspec.Struct, forbid_unknown_fields=True):
    offerings: list[OfferingEntry]


@dataclass(frozen=True, slots=True)
class _Item:
    """An offering and the place that it stands in."""

    file: FaultyFile
    number: int
    read: OfferingEntry
    layer: Layer | None

    def add(self, what: Text, *steps: Step) -> None:
        self.file.add(what, "offerings", self.number, *steps)


def read_files(path: Path) -> tuple[Catalog | None, list[CatalogFault]]:
    """The catalog of a folder or of its `catalog.yaml`, or None and everything that is wrong with it."""
    head_path = path / FILE if path.is_dir() else path
    layers = _LAYERS if head_path.name == FILE else ()
    parts = [(layer, p) for layer in layers if (p := head_path.parent / f"{layer}.yaml").is_file()]
    files: list[FaultyFile] = []
    faults: list[CatalogFault] = []
    items: list[_Item] = []

    def read(path: Path, kind: type[T], layer: Layer | None = None) -> T | None:
        try:
            file = FaultyFile(path, HINTS)
        except GovcloudError as error:
            faults.append(CatalogFault(where=error.where.en, entry="", what=error.what))
            return None
        files.append(file)
        found = file.read(kind)
        offerings = file.members.get("offerings", ())
        items.extend(_Item(file, n, item, item.layer or layer) for n, item in enumerate(offerings) if item)
        return found

    shared = read(resources.folder("service_catalog") / "classes.yaml", ClassesFile)
    head = read(head_path, CatalogFile)
    for layer, part in parts:
        read(part, OfferingsFile, layer)
    written = {code for file in files for code in file.codes}
    top = next((file for file in files if file.path == head_path), None)
    classes = _classes(shared, top.members.get("classes", {}) if top else {})
    _check_references(items, written)
    seen: set[str] = set()
    # Where the head is no YAML, nobody knows the classes that the catalog adds.
    offerings = tuple(_offering(item, classes if top else None, seen) for item in items)
    if top:
        _check_head(top, classes, bool(written))
    faults += [fault for file in files for fault in file.faults]
    return (_catalog(head, classes, shared, offerings) if head and shared and not faults else None), faults


def _classes(shared: ClassesFile | None, added: Mapping[str, ClassEntry]) -> dict[str, ClassEntry]:
    """The shared classes with the catalog's own: other titles, and classes that are its alone."""
    known = dict(shared.classes) if shared else {}
    for name, own in added.items():
        base = known.get(name, own)
        known[name] = ClassEntry(
            zh=own.zh, en=own.en, layer=own.layer or base.layer, metering=own.metering or base.metering
        )
    return known


def _catalog(
    head: CatalogFile, classes: Mapping[str, ClassEntry], shared: ClassesFile, offerings: tuple[Offering, ...]
) -> Catalog:
    return Catalog(
        catalog_id=head.id, title=head.title, issuer=head.issuer, official=head.official, document_ref=head.document_ref,
        version=head.version, effective_from=head.effective_from, effective_to=head.effective_to, currency=head.currency,
        offerings=offerings, classes={name: Text(c.zh, c.en) for name, c in classes.items()},
        replaces={**shared.replaces, **head.replaces},
        metering={name: c.metering for name, c in classes.items() if c.metering},
    )  # fmt: skip


def _check_head(file: FaultyFile, classes: Mapping[str, ClassEntry], filled: bool) -> None:
    head = file.members
    for key in ("id", "version"):
        value = head.get(key, "-")
        if not _CODE.fullmatch(value) or value.startswith("."):
            what = Text("{key} 不能含空格、@、/ 或 \\", "{key} must be without spaces, @, / and \\")
            file.add(what.format(key=key), key)
    starts, ends = head.get("effective_from"), head.get("effective_to")
    if starts is not None and ends is not None and ends < starts:
        file.add(Text("失效日早于生效日", "it ends before it starts"), "effective_to")
    if not filled:
        file.add(Text("目录里没有服务项", "the catalog has no offerings"), "offerings")
    for key, targets in head.get("replaces", {}).items():
        for n, name in enumerate((key, *targets)):
            if name not in classes:
                file.add(_no_class(name), "replaces", key, *((n - 1,) if n else ()))


def _no_class(name: str) -> Text:
    return Text("未知类别：{name}", "unknown class: {name}").format(name=name)


def _check_references(items: Sequence[_Item], written: Container[str]) -> None:
    """`successor` and `included_in` lead to offerings of the catalog, and never in a circle."""
    at = {item.read.code: item for item in items}
    for key, other in _POINTERS.items():
        done: set[str] = set()
        for item in items:
            target = other(item.read)
            if target is not None and target not in written:
                item.add(
                    Text("{key} 指向不存在的编码：{code}", "{key} is an unknown code: {code}").format(
                        key=key, code=target
                    ),
                    key,
                )
            way: list[str] = []
            code: str | None = item.read.code
            while code in at and code not in done and code not in way:
                way.append(code)
                code = other(at[code].read)
            if code in way:
                circle = " → ".join([*way[way.index(code) :], code])
                at[code].add(
                    Text("{key} 形成循环：{way}", "{key} goes in a circle: {way}").format(key=key, way=circle), key
                )
            done.update(way)


_POINTERS: Mapping[str, Callable[[OfferingEntry], str | None]] = {
    "successor": lambda o: o.successor,
    "included_in": lambda o: o.included_in,
}


def _check_offering(item: _Item, seen: set[str]) -> None:
    read = item.read
    if not _CODE.fullmatch(read.code):
        item.add(Text("code 不能含空格、@、/ 或 \\", "code must be without spaces, @, / and \\"), "code")
    if read.code in seen:
        item.add(Text("服务编码重复", "this code is used twice"), "code")
    seen.add(read.code)
    for key, (value, least) in {"min": (read.min, 1), "step": (read.step, 1), "max": (read.max, 1)}.items():
        if value is not None and value < least:
            item.add(Text("{key} 至少为 {n}", "{key} must be at least {n}").format(key=key, n=least), key)
    if read.max is not None and 1 <= read.max < read.min:
        item.add(
            Text("max（{b}）小于 min（{a}）", "max ({b}) is below min ({a})").format(a=read.min, b=read.max), "max"
        )
    _check_machine(item)
    _check_promises(item)


def _check_machine(item: _Item) -> None:
    read = item.read
    for vcpu, sizes in read.memory_per_vcpu.items():
        if vcpu < 1 or not sizes or min(sizes) < 1:
            what = Text(
                "{n} vCPU 没有可配的内存，或数目小于 1", "{n} vCPU comes with no memory, or a number is below 1"
            )
            item.add(what.format(n=vcpu), "memory_per_vcpu", str(vcpu))
    for key, values in (("arch", read.arch), ("zone", read.zone)):
        if not values:
            item.add(Text("{key} 是空的", "{key} is empty").format(key=key), key)


def _check_promises(item: _Item) -> None:
    read, sla = item.read, item.read.sla
    if sla.availability_pct is not None and not 0 < sla.availability_pct <= 100:
        item.add(
            Text("可用性应大于 0、不超过 100", "availability must be above 0 and at most 100"),
            "sla",
            "availability_pct",
        )
    for key in ("rpo_minutes", "rto_minutes", "response_minutes"):
        if (getattr(sla, key) or 0) < 0:
            item.add(Text("{key} 不能为负", "{key} can't be negative").format(key=key), "sla", key)
    if sla.service_hours is not None and not _HOURS.fullmatch(sla.service_hours):
        item.add(Text("服务时间应如 7x24", "service hours are written like 7x24"), "sla", "service_hours")
    if read.mlps_package is not None and not 1 <= read.mlps_package <= 5:
        item.add(Text("等保级别为 1 至 5", "protection levels are 1 to 5"), "mlps_package")
    if read.closed_on is not None and read.retired_on is not None and read.retired_on < read.closed_on:
        item.add(Text("下线日早于停止新开通日", "it is retired before it is closed"), "retired_on")


def _offering(item: _Item, classes: Mapping[str, ClassEntry] | None, seen: set[str]) -> Offering:
    """Checks it on the way. `classes`: None where they are not known; `seen`: the codes before it."""
    read = item.read
    _check_offering(item, seen)
    known = (classes or {}).get(read.service_class)
    layer = item.layer or (known.layer if known else None)
    if classes is not None and known is None:
        item.add(_no_class(read.service_class), "class")
    elif classes is not None and layer is None:
        item.add(Text("缺少 layer", "layer is missing"))
    price = _price(item)
    if price is not None and (price.vcpu_fen or price.memory_gib_fen) and not read.memory_per_vcpu:
        what = Text("按核、按内存计价须写 memory_per_vcpu", "a price by vCPU or memory needs memory_per_vcpu")
        item.add(what, "price")
    return Offering(
        code=read.code, layer=layer or "iaas", service_class=read.service_class, name=read.name, unit=read.unit, price=price,
        description=read.description, min=read.min, max=read.max, step=read.step, memory_per_vcpu=read.memory_per_vcpu,
        arch=read.arch, zone=read.zone, area=read.area, domestic=read.domestic, common=read.common,
        mlps_package=read.mlps_package, sla=Sla(**msgspec.structs.asdict(read.sla)), included_in=read.included_in,
        successor=read.successor, status=read.status, closed_on=read.closed_on, retired_on=read.retired_on,
    )  # fmt: skip


def _price(item: _Item) -> Price | None:
    price = item.read.price
    if price is None:
        return None

    def fen(key: str, yuan: str | int) -> int:
        found = _YUAN.fullmatch(str(yuan))
        if found is None:
            what = Text("{key} 应为{money}；现为 {yuan}", "{key} must be {money}; it is {yuan}")
            item.add(what.format(key=f"price.{key}", money=_MONEY, yuan=str(yuan)[:40]), "price", key)
            return 0
        return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))

    return Price(
        fen=fen("yuan", price.yuan), period=price.period, vcpu_fen=fen("vcpu_yuan", price.vcpu_yuan),
        memory_gib_fen=fen("memory_gib_yuan", price.memory_gib_yuan),
    )  # fmt: skip
