"""Reads departments' requests for cloud resources, from YAML and from what a form says."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NoReturn

import msgspec

from govcloud.errors import InputError
from govcloud.model.catalog import Arch, Catalog, RequestLine, RequestSpec, ResourceRequest, Supply, Zone
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml


class _Spec(msgspec.Struct, forbid_unknown_fields=True):
    vcpu: int | None = None
    memory_gib: int | None = None
    arch: Arch | None = None
    zone: Zone | None = None
    mlps_level: int | None = None


class _Line(msgspec.Struct, forbid_unknown_fields=True, rename={"service_class": "class"}):
    line: int
    what: str
    quantity: int
    code: str | None = None
    service_class: str | None = None
    supply: Supply = "catalog"
    spec: _Spec = msgspec.field(default_factory=_Spec)
    reason: str | None = None


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    department: str
    applied_on: date
    lines: list[_Line]
    system_id: str | None = None
    system_name: str | None = None
    project_id: str | None = None
    contact: str | None = None


def load_request(path: Path, catalog: Catalog) -> ResourceRequest:
    """A department's request in YAML; raises InputError for lines that no catalog could be asked about."""
    return build_request(load_yaml(path), path, catalog)


def build_request(data: object, path: Path, catalog: Catalog) -> ResourceRequest:
    """The same from the plain values of a YAML file or a form; `path` is only named. Raises InputError."""
    try:
        raw = msgspec.convert(data, _Request)
    except msgspec.ValidationError as error:
        what = Text("申请文件有误：{what}", "The request is faulty: {what}").format(what=error)
        raise InputError(what, where=str(path), next_step=_NEXT) from None
    seen: set[int] = set()
    for item in raw.lines:
        entry = f"lines.{item.line}"
        if item.line in seen:
            _refuse(path, entry, "行号重复", "this line number is used twice")
        seen.add(item.line)
        if item.code is None and item.service_class is None:
            _refuse(path, entry, "code 和 class 至少写一个", "give a code or a class")
        if item.quantity < 1:
            _refuse(path, entry, "quantity 应为正整数", "the quantity must be 1 or more")
        if item.service_class is not None and item.service_class not in catalog.classes:
            _refuse(
                path, entry, f"未知类别：{item.service_class}（govcloud catalog list 列出可用类别）",
                f"unknown class: {item.service_class} (govcloud catalog list shows them)",
            )  # fmt: skip
    if not raw.lines:
        _refuse(path, "lines", "没有申请项", "there are no lines")
    return ResourceRequest(
        department=raw.department,
        system_id=raw.system_id,
        system_name=raw.system_name,
        applied_on=raw.applied_on,
        project_id=raw.project_id,
        contact=raw.contact,
        lines=tuple(_line(item) for item in raw.lines),
    )


def _line(item: _Line) -> RequestLine:
    spec = item.spec
    return RequestLine(
        line=item.line,
        what=item.what,
        quantity=item.quantity,
        code=item.code,
        service_class=item.service_class,
        supply=item.supply,
        spec=RequestSpec(
            vcpu=spec.vcpu, memory_gib=spec.memory_gib, arch=spec.arch, zone=spec.zone, mlps_level=spec.mlps_level
        ),
        reason=item.reason,
    )


_NEXT = Text("对照 docs/formats.md 改正这一项", "Correct this entry; docs/formats.md has the format")


def _refuse(path: Path, entry: str, zh: str, en: str) -> NoReturn:
    what = Text("申请文件有误：{what}", "The request is faulty: {what}").format(what=Text(zh, en))
    raise InputError(what, where=f"{path}:{entry}", next_step=_NEXT)
