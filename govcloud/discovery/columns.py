"""Column maps: which headers mean which field. They are YAML (inventory/columns/), and a site adds its own beside them.

A site's `columns/*.yaml` either adds wordings, words and columns to a form that comes along (`extends: census`) or is a
whole form of its own (`kind: census`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

import msgspec

from govcloud import resources
from govcloud.discovery.cells import PARSERS, fold
from govcloud.errors import InputError
from govcloud.model.collect import SheetKind
from govcloud.model.inventory import Dependency, Network, Project, System
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

T = TypeVar("T")
KINDS: tuple[SheetKind, ...] = ("census", "servers", "networks", "dependencies", "projects")
MAX_SITE_MAPS = 50

_BRACKETS = re.compile(r"[(\[【（][^)\]】）]*[)\]】）]")
_UNITS = {
    "g": "g", "gb": "g", "gib": "g", "t": "t", "tb": "t", "tib": "t", "m": "m", "mb": "m", "mib": "m", "mbps": "m", "兆": "m", "元": "元",
    "万元": "万", "万": "万", "万人": "万", "万次": "万", "万人次": "万", "万条": "万", "亿元": "亿", "亿": "亿", "%": "%",
}  # fmt: skip

_SUBJECTS: Mapping[str, type] = {
    "system": System, "server": Server, "network": Network, "dependency": Dependency, "project": Project,
}  # fmt: skip
_TWO_IN_ONE: Mapping[str, str] = {"server.os": "os", "server.cpu_memory": "cpu_memory"}
"""Columns whose cells state two fields -> their type."""
_TYPES_OF: Mapping[object, frozenset[str]] = {
    str: frozenset({"text", "code", "words", "names"}), int: frozenset({"integer", "level"}),
    float: frozenset({"number", "integer", "percent", "gib", "yuan", "mbps"}), bool: frozenset({"yes_no"}),
    date: frozenset({"date", "exact_date"}), tuple: frozenset({"names", "addresses", "prefixes", "changes", "budget_lines"}),
}  # fmt: skip
"""Python type of a field -> column types that can fill it; a type that is not here is checked by nobody."""
_NEXT = Text("对照 docs/formats.md#columns 改正", "Correct it after docs/formats.md#columns")


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
    note: Text | None = None
    """What a department should write, as the blank form says it beside the column."""
    example: str | int | float | None = None
    """The cell of the form's example row; dates as `"2019-09-01"`."""
    template: bool = True
    """Whether the blank form has the column; it is read from other forms all the same."""
    section: Text | None = None
    """Heading over this column and those after it, up to the next section."""

    @property
    def wordings(self) -> tuple[str, ...]:
        return (self.title.zh, self.title.en, *self.headers)

    def is_header(self, header: str) -> bool:
        """Whether the text is one of the column's wordings, remarks in brackets left aside."""
        wanted = header_key(header)
        return any(wanted == header_key(known) for known in self.wordings)


@dataclass(frozen=True, kw_only=True)
class ColumnMap:
    """Without slots: its index of wordings is built once, when it is first asked."""

    kind: SheetKind
    title: Text
    columns: tuple[ColumnSpec, ...]
    groups: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    """Heading over a group of columns -> field -> what its cell would say: such a sheet has one row a department and a
    group of columns a network (see groups.py)."""
    present: str | None = None
    """Field of the column that says whether the group applies to the row at all."""

    @cached_property
    def by_wording(self) -> Mapping[str, ColumnSpec]:
        """header_key of every wording -> its column."""
        return {header_key(known): column for column in reversed(self.columns) for known in column.wordings}

    def find(self, header: str) -> ColumnSpec | None:
        return self.by_wording.get(header_key(header))


@lru_cache(maxsize=8192)
def header_key(header: str) -> str:
    return _BRACKETS.sub("", fold(header)).strip("*:：")


def header_unit(header: str) -> str | None:
    """The unit that a header states in brackets: `数据规模（G）` says g."""
    for found in _BRACKETS.findall(fold(header)):
        for part in re.split(r"[:：,，/]", found[1:-1]):
            if unit := _UNITS.get(part.removeprefix("单位")):
                return unit
    return None


def load_column_maps(workspace_folder: Path | None = None) -> tuple[tuple[ColumnMap, ...], str]:
    """The forms that come along, with what `columns/*.yaml` of the workspace adds, and a digest over all of it: a file
    read with other maps is another reading. A site's own forms come first. Raises InputError."""
    base = resources.folder("inventory") / "columns"
    digest = hashlib.sha256()
    maps: dict[SheetKind, ColumnMap] = {}
    for kind in KINDS:
        source = _read(base / f"{kind}.yaml", digest.update)
        maps[kind] = source.form()
    own = []
    for path in _site_files(workspace_folder):
        source = _read(path, digest.update)
        if "extends" in source.data:
            known = source.extended()
            maps[known] = source.form(maps[known])
        else:
            own.append(source.form())
    return (*own, *maps.values()), digest.hexdigest()


def _site_files(workspace_folder: Path | None) -> list[Path]:
    folder = workspace_folder / "columns" if workspace_folder else None
    if folder is None or not folder.is_dir():
        return []
    found = sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file())
    if len(found) > MAX_SITE_MAPS:
        raise InputError(
            Text("列映射文件超过 {n} 个", "More than {n} column maps").format(n=MAX_SITE_MAPS), where=str(folder)
        )
    return found


def _read(path: Path, update: Callable[[bytes], None]) -> _Source:
    data = load_yaml(path)
    text = path.read_text("utf-8-sig")
    update(text.encode())
    source = _Source(path=path, text=text, data=data if isinstance(data, dict) else {})
    if not isinstance(data, dict) or not isinstance(data.get("columns"), list):
        source.refuse(Text("列映射要有 columns 列表", "A column map needs a list of columns"))
    return source


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One file on its way to a map; it knows its lines, so that a fault can be named by its line."""

    path: Path
    text: str
    data: dict[str, Any]

    def refuse(self, what: Text, line: int | None = None) -> NoReturn:
        raise InputError(what, where=f"{self.path}:{line}" if line else str(self.path), next_step=_NEXT)

    def extended(self) -> SheetKind:
        self._check_keys(self.data, {"extends", "columns"}, 0)
        for kind in KINDS:
            if kind == self.data["extends"]:
                return kind
        self.refuse(
            Text("没有可扩展的表：{k}（可用 {all}）", "There is no form {k} to extend (known: {all})").format(
                k=self.data["extends"], all=", ".join(KINDS)
            ),
            self._line("extends"),
        )

    def form(self, base: ColumnMap | None = None) -> ColumnMap:
        """The file as a form, or `base` with what the file adds to it."""
        columns = {c.field: c for c in base.columns} if base else {}
        said: set[str] = set()
        for number, entry in enumerate(self.data["columns"]):
            column = self._column(number, entry, columns)
            if column.field in said:
                self.refuse(
                    Text("字段 {f} 写了两次", "The field {f} is there twice").format(f=column.field),
                    self._column_line(number),
                )
            said.add(column.field)
            columns[column.field] = column
        if base:
            found = dataclasses.replace(base, columns=tuple(columns.values()))
        else:
            self._check_keys(self.data, {f.name for f in dataclasses.fields(ColumnMap)}, 0)
            found = self._convert({**self.data, "columns": []}, ColumnMap, 0)
            found = dataclasses.replace(found, columns=tuple(columns.values()))
            self._check_groups(found)
        self._check_wordings(found)
        return found

    def _column(self, number: int, entry: object, known: Mapping[str, ColumnSpec]) -> ColumnSpec:
        line = self._column_line(number)
        if not isinstance(entry, dict) or not isinstance(entry.get("field"), str):
            self.refuse(Text("第 {n} 列缺少 field", "Column {n} has no field").format(n=number + 1), line)
        self._check_keys(entry, {f.name for f in dataclasses.fields(ColumnSpec)}, line or 0)
        base = known.get(entry["field"]) if "extends" in self.data else None
        if base is None:
            column = self._convert(entry, ColumnSpec, line)
        else:
            plain = {f.name: getattr(base, f.name) for f in dataclasses.fields(base)}
            added = self._convert({"type": base.type, "title": base.title, **entry}, ColumnSpec, line)
            words = {k: (*base.words.get(k, ()), *added.words.get(k, ())) for k in {**base.words, **added.words}}
            given = {key: getattr(added, key) for key in entry}
            merged = {"headers": (*base.headers, *added.headers), "words": words}
            column = ColumnSpec(**{**plain, **given, **merged})
        if why := _misfit(column):
            self.refuse(why, line)
        return column

    def _convert(self, value: object, kind: type[T], line: int | None) -> T:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            self.refuse(Text("列映射不合要求：{why}", "Not a valid column map: {why}").format(why=error), line)

    def _check_keys(self, entry: Mapping[str, object], known: set[str], from_line: int) -> None:
        for key in entry:
            if key not in known:
                what = Text("不认识的项 {key}（可用 {known}）", "Unknown key {key} (known: {known})")
                self.refuse(what.format(key=key, known=", ".join(sorted(known))), self._line(str(key), from_line))

    def _check_groups(self, found: ColumnMap) -> None:
        fields = {c.field for c in found.columns}
        named = {field for values in found.groups.values() for field in values} | {
            found.present or found.columns[0].field
        }
        for field in sorted(named - fields):
            self.refuse(
                Text(
                    "groups 和 present 里的 {f} 没有对应的列", "groups and present name {f}, which is no column"
                ).format(f=field),
                self._line("groups"),
            )

    def _check_wordings(self, found: ColumnMap) -> None:
        claimed: dict[str, tuple[ColumnSpec, str]] = {}
        for column in found.columns:
            for wording in column.wordings:
                other, first = claimed.setdefault(header_key(wording), (column, wording))
                if other is not column:
                    line = self._line_with(wording) or self._line_with(first)
                    what = Text("表头“{w}”同时属于 {a} 和 {b}", "The heading {w} belongs to {a} and to {b}")
                    self.refuse(what.format(w=wording, a=other.field, b=column.field), line)

    def _lines(self) -> Iterator[tuple[int, str]]:
        return enumerate(self.text.splitlines(), start=1)

    def _line(self, key: str, from_line: int = 0) -> int | None:
        key_at = re.compile(rf"""(?:^|[\s{{,-])["']?{re.escape(key)}["']?\s*:""")
        return next((n for n, line in self._lines() if n >= from_line and key_at.search(line)), from_line or None)

    def _line_with(self, wording: str) -> int | None:
        found = [n for n, line in self._lines() if wording in line and not line.lstrip().startswith("#")]
        return found[-1] if found else None

    def _column_line(self, number: int) -> int | None:
        starts = [n for n, line in self._lines() if re.match(r"\s*-\s", line) and "field" in line]
        return starts[number] if number < len(starts) else None


def _misfit(column: ColumnSpec) -> Text | None:
    """Why the column can't fill its field, or None."""
    if column.type not in PARSERS:
        return Text(
            "列 {f} 的类型未知：{t}（可用 {all}）", "Column {f} has an unknown type: {t} (known: {all})"
        ).format(f=column.field, t=column.type, all=", ".join(PARSERS))
    subject, _, name = column.field.partition(".")
    if subject == "ignored" and name:
        return None
    if _TWO_IN_ONE.get(column.field) == column.type:
        return None
    kind = _field_types().get(column.field)
    if kind is None:
        return Text("没有这个字段：{f}；不保留的列写作 ignored.名称", "There is no field {f}; ignored.NAME is for columns that are not kept").format(f=column.field)  # fmt: skip
    if typing.get_origin(kind) is Literal:
        unknown = sorted(set(column.words) - set(typing.get_args(kind)))
        if column.type != "words" or unknown:
            what = Text(
                "列 {f} 的类型应为 words，值只能是 {v}", "Column {f} must have the type words and the values {v}"
            )
            return what.format(f=column.field, v=", ".join(map(str, typing.get_args(kind))))
        return None
    fitting = _TYPES_OF.get(typing.get_origin(kind) or kind, frozenset(PARSERS))
    if column.type in fitting or column.field.endswith("_id"):
        return None
    what = Text("列 {f} 的类型不能是 {t}（可用 {all}）", "Column {f} can't have the type {t} (possible: {all})")
    return what.format(f=column.field, t=column.type, all=", ".join(sorted(fitting)))


@lru_cache(maxsize=1)
def _field_types() -> Mapping[str, object]:
    """`system.name` -> its type, without `None`."""
    found: dict[str, object] = {}
    for subject, entity in _SUBJECTS.items():
        for name, kind in typing.get_type_hints(entity).items():
            parts = [part for part in typing.get_args(kind) if part is not type(None)]
            optional = type(None) in typing.get_args(kind) and typing.get_origin(kind) is not Literal
            found[f"{subject}.{name}"] = parts[0] if optional and len(parts) == 1 else kind
    return found
