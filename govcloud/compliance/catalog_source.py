"""Reads service catalogs. What does not add up is refused in one line that names the entry."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec

from govcloud.errors import InputError, UsageError
from govcloud.model.catalog import (
    Arch,
    Catalog,
    Layer,
    Offering,
    OfferingStatus,
    Price,
    PricePeriod,
    Zone,
)
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

T = TypeVar("T")
_YUAN = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")
_LAYERS: tuple[Layer, ...] = ("iaas", "paas", "saas")


class _Price(msgspec.Struct, forbid_unknown_fields=True):
    """Amounts in yuan, written as text or whole numbers: a binary fraction has no place in money."""

    yuan: str | int = 0
    period: PricePeriod = "month"
    vcpu_yuan: str | int = 0
    memory_gib_yuan: str | int = 0


class _Offering(msgspec.Struct, forbid_unknown_fields=True, rename={"service_class": "class"}):
    code: str
    service_class: str
    name: Text
    unit: Text
    layer: Layer | None = None
    price: _Price | None = None
    description: Text | None = None
    min: int = 1
    max: int | None = None
    step: int = 1
    memory_per_vcpu: dict[int, tuple[int, ...]] = {}
    arch: tuple[Arch, ...] = ("any",)
    zone: tuple[Zone, ...] = ("gov_extranet",)
    domestic: bool = False
    common: bool = False
    mlps_package: int | None = None
    sla: dict[str, str] = {}
    included_in: str | None = None
    successor: str | None = None
    status: OfferingStatus = "active"


class _Catalog(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: Text
    issuer: Text
    official: bool
    document_ref: str | None
    version: str
    effective_from: date
    effective_to: date | None
    currency: str
    classes: dict[str, Text]
    replaces: dict[str, tuple[str, ...]] = {}
    offerings: list[_Offering] = []


class _Offerings(msgspec.Struct, forbid_unknown_fields=True):
    offerings: list[_Offering]


def catalog_ids(root: Path) -> list[str]:
    return sorted(path.parent.name for path in root.glob("catalogs/*/catalog.yaml"))


def load_catalog(root: Path, catalog_id: str) -> Catalog:
    """Raises UsageError for an unknown id, InputError for a catalog that does not add up."""
    known = catalog_ids(root)
    if catalog_id not in known:
        raise UsageError(
            Text("没有这个服务目录", "No such service catalog"),
            where=catalog_id,
            next_step=Text("可选：{known}", "Choose one of: {known}").format(known=", ".join(known)),
        )
    return read_catalog(root / "catalogs" / catalog_id)


def read_catalog(path: Path) -> Catalog:
    """A catalog from its folder or its `catalog.yaml`; offerings in it and in `iaas.yaml`, `paas.yaml`, `saas.yaml`."""
    head_path = path / "catalog.yaml" if path.is_dir() else path
    head = _convert(head_path, _Catalog)
    items: list[tuple[Path, _Offering, Layer | None]] = [(head_path, item, item.layer) for item in head.offerings]
    for layer in _LAYERS:
        part = head_path.parent / f"{layer}.yaml"
        if part.is_file() and head_path.name == "catalog.yaml":
            items += [(part, item, item.layer or layer) for item in _convert(part, _Offerings).offerings]
    if not items:
        _refuse(head_path, "offerings", "目录里没有服务项", "the catalog has no offerings")
    if head.effective_to is not None and head.effective_to < head.effective_from:
        _refuse(head_path, "effective_to", "失效日早于生效日", "it ends before it starts")
    offerings = _offerings(items, head)
    _check_replaces(head, head_path)
    return Catalog(
        catalog_id=head.id,
        title=head.title,
        issuer=head.issuer,
        official=head.official,
        document_ref=head.document_ref,
        version=head.version,
        effective_from=head.effective_from,
        effective_to=head.effective_to,
        currency=head.currency,
        offerings=offerings,
        classes=head.classes,
        replaces=head.replaces,
    )


def _offerings(items: Sequence[tuple[Path, _Offering, Layer | None]], head: _Catalog) -> tuple[Offering, ...]:
    codes: dict[str, Path] = {}
    for path, item, layer in items:
        if item.code in codes:
            _refuse(path, item.code, "服务编码重复", "this code is used twice")
        codes[item.code] = path
        if layer is None:
            _refuse(path, item.code, "缺少 layer", "the layer is missing")
        if item.service_class not in head.classes:
            _refuse(path, item.code, f"未知类别：{item.service_class}", f"unknown class: {item.service_class}")
        if item.min < 1 or item.step < 1 or (item.max is not None and item.max < item.min):
            _refuse(path, item.code, "min、max、step 互相矛盾", "min, max and step contradict each other")
    for path, item, _ in items:
        for other in (item.successor, item.included_in):
            if other is not None and other not in codes:
                _refuse(path, item.code, f"指向不存在的编码：{other}", f"points to an unknown code: {other}")
    return tuple(_offering(path, item, layer) for path, item, layer in items if layer is not None)


def _offering(path: Path, item: _Offering, layer: Layer) -> Offering:
    return Offering(
        code=item.code,
        layer=layer,
        service_class=item.service_class,
        name=item.name,
        unit=item.unit,
        price=_price(path, item.code, item.price) if item.price else None,
        description=item.description,
        min=item.min,
        max=item.max,
        step=item.step,
        memory_per_vcpu=item.memory_per_vcpu,
        arch=item.arch,
        zone=item.zone,
        domestic=item.domestic,
        common=item.common,
        mlps_package=item.mlps_package,
        sla=item.sla,
        included_in=item.included_in,
        successor=item.successor,
        status=item.status,
    )


def _price(path: Path, code: str, price: _Price) -> Price:
    return Price(
        fen=_fen(path, code, price.yuan),
        period=price.period,
        vcpu_fen=_fen(path, code, price.vcpu_yuan),
        memory_gib_fen=_fen(path, code, price.memory_gib_yuan),
    )


def _fen(path: Path, code: str, yuan: str | int) -> int:
    found = _YUAN.fullmatch(str(yuan))
    if found is None:
        _refuse(
            path, code, f"价格应为不小于零、至多两位小数的元：{yuan}",
            f"not an amount of yuan with at most two decimals: {yuan}",
        )  # fmt: skip
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _check_replaces(head: _Catalog, path: Path) -> None:
    for key, targets in head.replaces.items():
        for name in (key, *targets):
            if name not in head.classes:
                _refuse(path, f"replaces.{key}", f"未知类别：{name}", f"unknown class: {name}")


_FAULTY: Mapping[str, str] = {"zh": "服务目录有误：{what}", "en": "The catalog is faulty: {what}"}


def _convert(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.convert(load_yaml(path), kind)
    except msgspec.ValidationError as error:
        raise InputError(
            Text(_FAULTY["zh"], _FAULTY["en"]).format(what=error), where=str(path), next_step=_NEXT
        ) from None


_NEXT = Text("对照 docs/formats.md 改正这一项", "Correct this entry; docs/formats.md has the format")


def _refuse(path: Path, entry: str, zh: str, en: str) -> NoReturn:
    what = Text(_FAULTY["zh"], _FAULTY["en"]).format(what=Text(zh, en))
    raise InputError(what, where=f"{path}:{entry}", next_step=_NEXT)
