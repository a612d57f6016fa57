"""Gives the content of a YAML file its types and collects every fault of it, each with its line, instead of the first one.

msgspec stops at the first fault and speaks English; a catalog of a hundred offerings is corrected in one go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec.inspect as shapes

from govcloud.model.catalog import CatalogFault
from govcloud.model.text import Text
from govcloud.safe_yaml import load_located

T = TypeVar("T")
Step = str | int
_SHOWN = 40
_WANTED: Mapping[type[shapes.Type], Text] = {
    shapes.StrType: Text("文字（数字和日期须加引号）", "text (numbers and dates in quotes)"),
    shapes.IntType: Text("整数", "a whole number"),
    shapes.FloatType: Text("数", "a number"),
    shapes.BoolType: Text("是否（true 或 false）", "true or false"),
    shapes.DateType: Text("日期，如 2026-01-01，不加引号", "a date such as 2026-01-01, without quotes"),
}
_LIST = Text("列表（[…] 或每项一个“-”）", "a list ([…], or a dash for each)")
_MAPPING = Text("映射（每项“键: 值”）", "a mapping (key: value)")


class FaultyFile:
    """One YAML file and what is wrong in it. Raises InputError where it is no YAML at all.

    `hints`: last key of an entry -> what it must be, where its type says too little.
    """

    def __init__(self, path: Path, hints: Mapping[str, Text]) -> None:
        self._located = load_located(path)
        self._hints = hints
        self.path = path
        self._faults: list[tuple[int, CatalogFault]] = []
        self.members: dict[str, Any] = {}
        """What `read` could read of the outermost keys, also where the whole is None."""

    @property
    def faults(self) -> list[CatalogFault]:
        """In the order of their lines."""
        return [fault for _, fault in sorted(self._faults, key=lambda pair: pair[0])]

    @property
    def codes(self) -> set[str]:
        """Of every offering that is written here, faulty or not."""
        match self._located.data:
            case {"offerings": list(items)}:
                return {str(item["code"]) for item in items if isinstance(item, dict) and "code" in item}
        return set()

    def add(self, what: Text, *steps: Step) -> None:
        """`steps`: keys and list positions down to the entry."""
        entry = ""
        match self._located.data, steps:
            case {"offerings": list(items)}, ("offerings", int(number), *_) if isinstance(items[number], dict):
                entry = str(items[number].get("code", ""))
        where = self._located.where(*steps)
        self._faults.append((int(where.rpartition(":")[2]), CatalogFault(where=where, entry=entry, what=what)))

    def read(self, kind: type[T]) -> T | None:
        """The content as `kind`. What is faulty is left out; what then lacks something that it needs is None."""
        return cast(T | None, self._read(self._located.data, shapes.type_info(kind)))

    def _read(self, raw: Any, kind: shapes.Type, *steps: Step) -> Any:
        match kind:
            case shapes.UnionType(types=types):
                if raw is None and _nullable(kind):
                    return None
                known = [t for t in types if not isinstance(t, shapes.NoneType)]
                if len(known) == 1:
                    return self._read(raw, known[0], *steps)
                return raw if any(_fits(raw, t) for t in known) else self._unfit(raw, _wanted(known), *steps)
            case shapes.StructType(fields=fields) | shapes.DataclassType(fields=fields):
                if isinstance(raw, dict):
                    return self._members(raw, kind.cls, fields, *steps)
                return self._unfit(raw, _MAPPING, *steps)
            case shapes.DictType(key_type=key, value_type=value):
                if isinstance(raw, dict):
                    read = {
                        self._read(k, key, *steps, str(k)): self._read(v, value, *steps, str(k)) for k, v in raw.items()
                    }
                    return {k: v for k, v in read.items() if k is not None and v is not None}
                return self._unfit(raw, _MAPPING, *steps)
            case shapes.ListType(item_type=item) | shapes.VarTupleType(item_type=item):
                if not isinstance(raw, list):
                    return self._unfit(raw, _LIST, *steps)
                items = [self._read(value, item, *steps, n) for n, value in enumerate(raw)]
                if isinstance(kind, shapes.VarTupleType):
                    return None if None in items else tuple(items)
                return items  # with None for what is faulty: positions tell lines
        return raw if _fits(raw, kind) else self._unfit(raw, _wanted([kind]), *steps)

    def _members(self, raw: dict[Any, Any], cls: type, fields: Sequence[shapes.Field], *steps: Step) -> Any:
        names = [field.encode_name for field in fields]
        for key in map(str, raw):
            if key not in names:
                near = "".join(f" → {n}" for n in get_close_matches(key, names, 1))
                named = ".".join(_named((*steps, key)))
                self.add(
                    Text("不认识的项：{key}{near}", "unknown key: {key}{near}").format(key=named, near=near),
                    *steps,
                    key,
                )
        values, whole = {}, True
        for field in fields:
            name = field.encode_name
            if name not in raw:
                if field.required:
                    self.add(
                        Text("缺少 {key}", "{key} is missing").format(key=".".join(_named((*steps, name)))), *steps
                    )
                    whole = False
                continue
            value = self._read(raw[name], field.type, *steps, name)
            if value is not None or _nullable(field.type):
                values[field.name] = value
            elif field.required:
                whole = False
        if not steps:
            self.members = values
        return cls(**values) if whole else None

    def _unfit(self, raw: Any, wanted: Text, *steps: Step) -> None:
        shown = Text("空", "nothing") if raw is None else str(raw)[:_SHOWN]
        self.add(
            Text("{name} 应为{wanted}；现为 {raw}", "{name} must be {wanted}; it is {raw}").format(
                name=".".join(_named(steps)) or self.path.name,
                wanted=self._hints.get(str(steps[-1]), wanted) if steps else wanted, raw=shown,
            ),
            *steps,
        )  # fmt: skip


def _nullable(kind: shapes.Type) -> bool:
    return isinstance(kind, shapes.UnionType) and any(isinstance(t, shapes.NoneType) for t in kind.types)


def _named(steps: Sequence[Step]) -> list[str]:
    """The keys, without the places in lists and without `offerings`: the fault names its offering by the code."""
    return [step for step in steps if isinstance(step, str) and step != "offerings"]


def _fits(raw: Any, kind: shapes.Type) -> bool:
    match kind:
        case shapes.StrType():
            return isinstance(raw, str) and bool(raw.strip())
        case shapes.BoolType():
            return isinstance(raw, bool)
        case shapes.IntType():
            return isinstance(raw, int) and not isinstance(raw, bool)
        case shapes.FloatType():
            return isinstance(raw, int | float) and not isinstance(raw, bool)
        case shapes.DateType():
            return isinstance(raw, date) and not isinstance(raw, datetime)
        case shapes.LiteralType(values=values):
            return isinstance(raw, str) and raw in values
    return False


def _wanted(kinds: Sequence[shapes.Type]) -> Text:
    found = [
        Text("其中之一：{v}", "one of {v}").format(v=", ".join(map(str, kind.values)))
        if isinstance(kind, shapes.LiteralType)
        else _WANTED[type(kind)]
        for kind in kinds
    ]
    return Text("或".join(t.zh for t in found), " or ".join(t.en for t in found))
