"""Fields and values of the inventory as cells: words for people, codes for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from govcloud.model.inventory import BudgetLine, ProjectChange
from govcloud.model.server import Connection, Disk, Filesystem, Interface, Package, Route, Socket
from govcloud.model.text import Term, Text, same
from govcloud.report import words
from govcloud.report.view import Cell


def field_term(field: str) -> Term:
    title = words.field_title(field)
    return Term(title.zh, title.en, field)


def word_term(table: Mapping[str, Text], value: str | None) -> Cell:
    """The word for a code; a value that is no code as it is."""
    if value is None or value not in table:
        return value
    return Term(table[value].zh, table[value].en, value)


def value_cell(kind: str, field: str, value: object, labels: Mapping[str, str] | None = None) -> Cell:
    """`labels`: id -> name, for fields that name other subjects."""
    if (text := words.value_text(kind, field, value)) is not None:
        return Term(text.zh, text.en, str(value))
    if isinstance(value, (tuple, list)):
        return [(labels or {}).get(str(v), _line(v)) for v in value]
    if isinstance(value, str):
        return (labels or {}).get(value, value)
    return value if isinstance(value, (int, float, bool, date)) else None


def _line(value: object) -> str:
    if isinstance(value, Socket):
        return f"{value.protocol} {value.address}:{value.port}" + (f" {value.process}" if value.process else "")
    if isinstance(value, Connection):
        local, remote = (f"{a}:{p}" if p else a for a, p in (
            (value.local_address, value.local_port), (value.remote_address, value.remote_port)))  # fmt: skip
        return f"{remote} → {local}" if value.inbound else f"{local} → {remote}"
    if isinstance(value, Route):
        return value.destination + (f" via {value.gateway}" if value.gateway else "")
    if isinstance(value, Disk):
        return f"{value.name} {value.size_gib:g} GiB"
    if isinstance(value, Filesystem):
        used, size = ("—" if n is None else f"{n:g}" for n in (value.used_gib, value.size_gib))
        return f"{value.mount} {value.device} {value.kind or ''} {used}/{size} GiB"
    if isinstance(value, Interface):
        return " ".join(filter(None, (value.name, value.mac, value.kind, *value.addresses)))
    if isinstance(value, ProjectChange):
        filed = f"（备案 {value.filed_on}）" if value.filed_on else ""
        return f"{value.changed_on or ''} {value.what}{filed}".strip()
    if isinstance(value, BudgetLine):
        return f"{value.year or ''} {value.item} {value.yuan:,.2f}".strip()
    if isinstance(value, Package):
        return f"{value.name} {value.version or ''}".strip()
    return same(value).en
