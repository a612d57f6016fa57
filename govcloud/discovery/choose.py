"""Who is believed where witnesses disagree about a field, and values as the model's types. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, get_args, get_type_hints

import msgspec

from govcloud.discovery import facts, project_lines
from govcloud.model.inventory import Department, Dependency, Network, Project, System, Tenant
from govcloud.model.observation import Source, Statement, SubjectKind, Value
from govcloud.model.server import Server
from govcloud.model.text import Text

Precedence = Mapping[str, Sequence[str]]

_DECLARING = ("workbook", "netbox", "konveyor")
_MEASURING = ("ssh", "openstack", "ec2", "rvtools", "azure_migrate", "aws_ads", "google_mc", "ansible")
DECLARED_FIRST = ("person", "run", *_DECLARING, *_MEASURING)
MEASURED_FIRST = ("person", "run", *_MEASURING, *_DECLARING)
DECLARE = frozenset({"person", "run", "aws_ads", "ansible", *_DECLARING})
"""Somebody wrote the server down, as against met it."""
SETTLED = frozenset({"person", "run"})
"""Witnesses that settle a question: a person who confirmed, a migration that was carried out and verified."""
_DECLARED_FIELDS = frozenset({"department", "zone", "location", "environment"})
"""Of servers: what people know better than the host itself."""
SETS = frozenset({
    "addresses", "macs", "servers", "networks", "systems", "prefixes", "contract_filed_with", "archives",
})  # fmt: skip
"""Fields that grow with every witness instead of choosing between them."""

TYPES: Mapping[SubjectKind, type[Any]] = {
    "department": Department, "system": System, "server": Server, "network": Network,
    "dependency": Dependency, "project": Project, "tenant": Tenant,
}  # fmt: skip
_LINES: Mapping[str, Callable[[str], object]] = {
    "sockets": facts.parse_socket, "routes": facts.parse_route, "disks": facts.parse_disk,
    "filesystems": facts.parse_filesystem, "interfaces": facts.parse_interface, "packages": facts.parse_package,
    "changes": project_lines.parse_change, "budget_lines": project_lines.parse_budget_line,
}  # fmt: skip


def _instant(value: Value) -> object:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _day(value: Value) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else None


def _float(value: Value) -> object:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _strings(value: Value) -> object:
    return tuple(map(str, value)) if isinstance(value, (tuple, list)) else (str(value),) if value else ()


def _nouns(parse: Callable[[str], object]) -> Callable[[Value], object]:
    return lambda value: tuple(parse(str(line)) for line in value) if isinstance(value, (tuple, list)) else ()


def _typer(name: str, annotation: str) -> Callable[[Value], object] | None:
    if name in _LINES and annotation.startswith("tuple"):
        return _nouns(_LINES[name])
    if annotation.startswith("datetime"):
        return _instant
    if annotation.startswith("date"):
        return _day
    if annotation.startswith("float"):
        return _float
    return _strings if annotation.startswith("tuple") else None


TYPERS: Mapping[SubjectKind, Mapping[str, Callable[[Value], object] | None]] = {
    kind: {f.name: _typer(f.name, str(f.type)) for f in dataclasses.fields(entity) if f.name != f"{kind}_id"}
    for kind, entity in TYPES.items()
}
"""Kind -> field -> how its value becomes the model's type; None: as it is. Other names are no fields of the model."""
READ_AS_IS: Mapping[SubjectKind, frozenset[str]] = {
    kind: frozenset(name for name, typer in typers.items() if typer in (_instant, _day, _float))
    for kind, typers in TYPERS.items()
}
"""Fields whose values build_entity reads from their text or number by itself."""


_DEFAULTS: Mapping[SubjectKind, Mapping[str, object]] = {
    kind: {f.name: f.default for f in dataclasses.fields(entity) if f.default is not dataclasses.MISSING}
    for kind, entity in TYPES.items()
}


def build_entity(kind: SubjectKind, values: Mapping[str, object]) -> Any:
    """The subject with these values; one that does not fit its field is left unknown."""
    entity = TYPES[kind]
    # Given every field, msgspec makes an object of 65 fields in a third of the time that its own constructor takes.
    try:
        return msgspec.convert({**_DEFAULTS[kind], **values}, entity)
    except msgspec.ValidationError:
        fitting = {name: value for name, value in values.items() if _fits(entity, name, value)}
        return msgspec.convert({**_DEFAULTS[kind], **fitting}, entity)


def _fits(entity: type[Any], name: str, value: object) -> bool:
    try:
        msgspec.convert(value, get_type_hints(entity)[name])
    except msgspec.ValidationError:
        return False
    return True


def ranks(precedence: Precedence, kind: SubjectKind, field: str) -> Mapping[str, int]:
    """Source -> rank, the most trusted first: the site's order for the kind's field, the field, its default, or ours."""
    own = MEASURED_FIRST if kind == "server" and field not in _DECLARED_FIELDS else DECLARED_FIRST
    order = precedence.get(f"{kind}.{field}") or precedence.get(field) or precedence.get("default") or own
    # No table puts anybody above what a person confirmed or a migration settled.
    return {source: rank for rank, source in enumerate(dict.fromkeys((*DECLARED_FIRST[:2], *order)))}


def verify_precedence(precedence: Precedence) -> list[Text]:
    """What is wrong with a site's table: fields and witnesses that do not exist, and witnesses named twice."""
    fields = {name for names in TYPERS.values() for name in names}
    fields |= {f"{kind}.{name}" for kind, names in TYPERS.items() for name in names} | {"default"}
    known = get_args(Source)
    found = []
    for field, sources in precedence.items():
        if field not in fields:
            found.append(Text("没有这个字段：{f}", "There is no field {f}").format(f=field))
        for source in dict.fromkeys(sources):
            if source not in known:
                what = Text("{f}：没有这种来源 {s}（可用 {k}）", "{f}: there is no witness {s} (known: {k})")
                found.append(what.format(f=field, s=source, k=", ".join(known)))
            elif list(sources).count(source) > 1:
                found.append(
                    Text("{f}：来源 {s} 写了两次", "{f}: the witness {s} is there twice").format(f=field, s=source)
                )
    return found


def order_of(statement: Statement, field: str) -> tuple[float, str, str, str]:
    """Of witnesses of one rank: the newest first, then by place, so that the answer never depends on chance."""
    s = statement
    return (-s.observed_at.timestamp(), s.locator(field), repr(s.values[field]), s.subject_id)
