"""Reads departments' requests for cloud resources, from YAML and from what a form says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from govcloud.errors import InputError
from govcloud.model.catalog import Arch, Area, Catalog, Zone
from govcloud.model.request import RequestLine, RequestSpec, ResourceRequest, Supply
from govcloud.model.text import Text
from govcloud.safe_yaml import load_located, load_yaml

MAX_LINES = 1_000
_LIMITS: Mapping[str, tuple[int, int]] = {
    "line": (1, 10**6), "quantity": (1, 10**9), "vcpu": (1, 10**6), "memory_gib": (1, 10**7), "mlps_level": (1, 5),
}  # fmt: skip
"""What no catalog will ever be asked. Within them sums of money stay exact in every program that reads our JSON."""
_MAX_TEXT = 1_000
_SHOWN = 40

Place = Callable[..., str]
"""Keys and list positions down to an entry -> `file:line`, or file, sheet and cell."""


class _Spec(msgspec.Struct, forbid_unknown_fields=True):
    vcpu: int | None = None
    memory_gib: int | None = None
    arch: Arch | None = None
    zone: Zone | None = None
    area: Area | None = None
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


@dataclass(frozen=True, slots=True)
class Draft:
    """A request that is well-formed; which catalog it has to be held against is known now, by its day."""

    raw: _Request
    place: Place

    @property
    def applied_on(self) -> date:
        return self.raw.applied_on


def load_request(path: Path, catalog: Catalog) -> ResourceRequest:
    """A department's request in YAML; raises InputError for lines that no catalog could be asked about."""
    return build_from_draft(load_draft(path), catalog)


def build_request(data: object, path: Path, catalog: Catalog) -> ResourceRequest:
    """The same from the plain values of a YAML file or a form; `path` is only named. Raises InputError."""
    return build_from_draft(build_draft(data, lambda *_: str(path)), catalog)


def load_draft(path: Path) -> Draft:
    """Raises InputError with file and line."""
    # Lines are counted only where something is wrong: it costs as much as reading.
    return build_draft(load_yaml(path), lambda *steps: load_located(path).where(*steps))


def build_draft(data: object, place: Place) -> Draft:
    """From plain values. Raises InputError for the first entry that is missing, of another type or beyond all measure."""
    try:
        raw = msgspec.convert(data, _Request)
    except msgspec.ValidationError as error:
        _refuse_type(str(error), data, place)
    draft = Draft(raw, place)
    _check_head(draft)
    for number, item in enumerate(raw.lines):
        _check_line(draft, number, item)
    seen: set[int] = set()
    for number, item in enumerate(raw.lines):
        if item.line in seen:
            _refuse(
                place("lines", number, "line"), f"lines.{item.line}", Text("行号重复", "this line number is used twice")
            )
        seen.add(item.line)
    return draft


def build_from_draft(draft: Draft, catalog: Catalog) -> ResourceRequest:
    """`catalog`: of the day of application. Raises InputError for a class that it does not know."""
    raw = draft.raw
    for number, item in enumerate(raw.lines):
        if item.service_class is not None and item.service_class not in catalog.classes:
            near = "".join(f" → {n}" for n in get_close_matches(item.service_class, list(catalog.classes), 1))
            _refuse(
                draft.place("lines", number, "class"), f"lines.{item.line}",
                Text("未知类别：{k}{near}（govcloud catalog list 列出可用类别）",
                     "unknown class: {k}{near} (govcloud catalog list shows them)").format(k=item.service_class, near=near),
            )  # fmt: skip
    return ResourceRequest(
        department=raw.department.strip(),
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
            vcpu=spec.vcpu, memory_gib=spec.memory_gib, arch=spec.arch, zone=spec.zone, area=spec.area,
            mlps_level=spec.mlps_level,
        ),
        reason=item.reason,
    )  # fmt: skip


def _check_head(draft: Draft) -> None:
    raw = draft.raw
    if not raw.department.strip():
        _refuse(draft.place("department"), "department", Text("不能为空", "must not be empty"))
    for name in ("department", "system_id", "system_name", "project_id", "contact"):
        _check_text(draft, getattr(raw, name), name, name)
    if not raw.lines:
        _refuse(draft.place("lines"), "lines", Text("没有申请项", "there are no lines"))
    if len(raw.lines) > MAX_LINES:
        _refuse(draft.place("lines"), "lines", Text("超过 {n} 项", "more than {n} lines").format(n=MAX_LINES))


def _check_line(draft: Draft, number: int, item: _Line) -> None:
    entry = f"lines.{item.line}"
    for name in ("line", "quantity"):
        _check_number(draft, getattr(item, name), entry, "lines", number, name)
    for name in ("vcpu", "memory_gib", "mlps_level"):
        _check_number(draft, getattr(item.spec, name), entry, "lines", number, "spec", name)
    for name in ("what", "code", "reason"):
        _check_text(draft, getattr(item, name), entry, "lines", number, name)
    if not item.code and not item.service_class:
        _refuse(draft.place("lines", number), entry, Text("code 和 class 至少写一个", "give a code or a class"))


def _check_number(draft: Draft, value: int | None, entry: str, *steps: str | int) -> None:
    low, high = _LIMITS[str(steps[-1])]
    if value is not None and not low <= value <= high:
        what = Text("{name} 应为 {low}—{high} 的整数；现为 {value}", "{name} must be {low} to {high}; it is {value}")
        _refuse(draft.place(*steps), entry, what.format(name=steps[-1], low=low, high=high, value=str(value)[:_SHOWN]))


def _check_text(draft: Draft, value: str | None, entry: str, *steps: str | int) -> None:
    if value is not None and len(value) > _MAX_TEXT:
        _refuse(draft.place(*steps), entry, Text("超过 {n} 个字", "longer than {n} characters").format(n=_MAX_TEXT))


_KINDS: Mapping[str, Text] = {
    "int": Text("整数", "a whole number"),
    "str": Text("文字（编码像数字时加引号）", "text (a code that looks like a number in quotes)"),
    "date": Text("日期，如 2026-03-02", "a date such as 2026-03-02"),
    "array": Text("列表", "a list"),
    "object": Text("映射（键: 值）", "a mapping (key: value)"),
}
_NEXT = Text("对照 docs/formats.md 改正这一项", "Correct this entry; docs/formats.md has the format")


def _refuse_type(message: str, data: object, place: Place) -> NoReturn:
    """msgspec's first fault in both languages, with its place. Its messages end with "- at `$.lines[0].quantity`"."""
    problem, _, at = message.partition(" - at `$")
    steps = tuple(name or int(n) for name, n in re.findall(r"\.([^.\[`]+)|\[(\d+)\]", at))
    value: Any = data
    for step in steps:
        value = value[step]
    if named := re.fullmatch(r"Object (missing required|contains unknown) field `(.*)`", problem, re.DOTALL):
        key = named[2][:_SHOWN]
        if named[1] == "contains unknown":
            steps, what = (*steps, key), Text("不认识的项 {key}", "unknown key {key}")
        else:
            what = Text("缺少 {key}", "{key} is missing")
        _refuse(place(*steps), _entry(steps, data), what.format(key=key))
    if wanted := re.match(r"Expected `(\w+)", problem):
        kind = _KINDS.get(wanted[1], Text(wanted[1], wanted[1]))
    elif "date" in problem:
        kind = _KINDS["date"]
    else:
        kind = Text("docs/formats.md 列出的值之一", "one of the values in docs/formats.md")
    shown = Text("空", "empty") if value is None else str(value)[:_SHOWN]
    what = Text("{name} 应为{kind}；现为 {value}", "{name} must be {kind}; it is {value}")
    name = steps[-1] if steps else Text("内容", "the content")
    _refuse(place(*steps), _entry(steps, data), what.format(name=name, kind=kind, value=shown))


def _entry(steps: tuple[str | int, ...], data: Any) -> str:
    """`lines.3` by the number that the department gave the line, else by its position."""
    if len(steps) < 2 or steps[0] != "lines":
        return str(steps[0]) if steps else ""
    item = data["lines"][steps[1]]
    number = item.get("line") if isinstance(item, dict) else None
    return f"lines.{number if isinstance(number, int) else int(steps[1]) + 1}"


def _refuse(where: str, entry: str, what: Text) -> NoReturn:
    told = Text("申请有误：{entry}{colon}{what}", "The request is faulty: {entry}{colon}{what}")
    colon = Text("：", ": ") if entry else ""
    raise InputError(told.format(entry=entry, colon=colon, what=what), where=where, next_step=_NEXT)
