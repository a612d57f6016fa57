"""Column maps: which headers mean which field. They are YAML that a site may extend (inventory/columns/)."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from govcloud import resources
from govcloud.discovery.cells import PARSERS, fold
from govcloud.errors import InputError
from govcloud.model.collect import SheetKind
from govcloud.model.text import Text
from govcloud.safe_yaml import parse_yaml

KINDS: tuple[SheetKind, ...] = ("census", "servers", "networks", "dependencies", "projects")

_BRACKETS = re.compile(r"[(\[【（][^)\]】）]*[)\]】）]")
_UNITS = {
    "g": "g", "gb": "g", "gib": "g", "t": "t", "tb": "t", "tib": "t", "m": "m", "mb": "m", "mib": "m",
    "万元": "万", "万": "万", "万人": "万", "万次": "万", "%": "%",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    field: str
    """`system.name`: the subject and its field; `ignored.*` is known and not kept."""
    type: str
    """A key of cells.PARSERS."""
    title: Text
    headers: tuple[str, ...] = ()
    """Other wordings of the header."""
    required: bool = False
    words: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def is_header(self, header: str) -> bool:
        """Whether the text is one of the column's wordings, remarks in brackets left aside."""
        wanted = header_key(header)
        return any(wanted == header_key(known) for known in (self.title.zh, self.title.en, *self.headers))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    kind: SheetKind
    title: Text
    columns: tuple[ColumnSpec, ...]

    def find(self, header: str) -> ColumnSpec | None:
        return next((c for c in self.columns if c.is_header(header)), None)


def header_key(header: str) -> str:
    return _BRACKETS.sub("", fold(header)).strip("*:：")


def header_unit(header: str) -> str | None:
    """The unit that a header states in brackets: `数据规模（G）` says g."""
    for found in _BRACKETS.findall(fold(header)):
        for part in re.split(r"[:：,，/]", found[1:-1]):
            if unit := _UNITS.get(part.removeprefix("单位")):
                return unit
    return None


def load_column_maps(folder: Path | None = None) -> tuple[tuple[ColumnMap, ...], str]:
    """All maps and a digest over them: a file read with other maps is another reading. Raises InputError."""
    base = folder or resources.folder("inventory") / "columns"
    digest = hashlib.sha256()
    maps = []
    for kind in KINDS:
        path = base / f"{kind}.yaml"
        text = path.read_text("utf-8")
        digest.update(text.encode())
        maps.append(_parse_map(text, str(path)))
    return tuple(maps), digest.hexdigest()


def _parse_map(text: str, name: str) -> ColumnMap:
    try:
        found = msgspec.convert(parse_yaml(text, name), ColumnMap)
    except msgspec.ValidationError as error:
        raise InputError(
            Text("列映射不合要求：{why}", "Not a valid column map: {why}").format(why=error), where=name
        ) from None
    for column in found.columns:
        if column.type not in PARSERS:
            raise InputError(
                Text("列 {f} 的类型未知：{t}", "Column {f} has an unknown type: {t}").format(
                    f=column.field, t=column.type
                ),
                where=name,
                next_step=Text("可用：{t}", "Use one of: {t}").format(t=", ".join(PARSERS)),
            )
    return found
