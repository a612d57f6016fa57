"""Reads conditions from rule data. Pure; nothing in a rule is ever run as code. What they say of a subject: decide.py.

Written form, one key a mapping: `{all: [..]}`, `{any: [..]}`, `{not: ..}`, `{in_time: CLAUSE}`, or a field with its
tests: `{hosting: {in: [own_room, hosted_room]}}`, `{classified: false}` (short for `eq`), `{url: {recorded: true}}`.
A number may be a limit that the site sets: `{utilisation_pct: {ge: limit:little_used_pct}}`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, cast, get_args

from govcloud.model.condition import (
    AGE_OPERATORS,
    FIELD_OPERATORS,
    All,
    Any,
    Compare,
    Condition,
    InTime,
    Not,
    Operand,
    Operator,
    Recorded,
)
from govcloud.model.text import Text

Kind = Literal["text", "number", "date", "flag", "list"]
_KINDS: Mapping[str, str] = {"text": "文字", "number": "数", "date": "日期", "flag": "是否", "list": "列表"}
_OPERATORS = frozenset(get_args(Operator))
_ORDERED = {"lt", "le", "gt", "ge"}
_LIMIT = "limit:"


class ConditionError(ValueError):
    """`what` is wrong with a condition; the loader adds the file, the line and the rule."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.what = Text(zh, en)


@dataclass(frozen=True, slots=True)
class Truth:
    """`value` None: unknown, because of the `missing` fields. `used`: every field that was looked at."""

    value: bool | None
    missing: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Words:
    """What a condition may speak of."""

    fields: Mapping[str, Kind]
    clauses: Collection[str] = ()
    """Those with a deadline of their own."""
    limits: Mapping[str, float] = field(default_factory=dict)


def parse_condition(data: object, words: Words) -> Condition:
    """Raises ConditionError for an unknown field, operator, clause or limit, or a value that the operator can't use."""
    if not isinstance(data, dict) or not data:
        raise ConditionError(f"不是条件：{data!r}", f"not a condition: {data!r}")
    parts = tuple(_parse_entry(str(key), value, words) for key, value in data.items())
    return parts[0] if len(parts) == 1 else All(parts)


def _parse_entry(key: str, value: object, words: Words) -> Condition:
    if key in ("all", "any"):
        if not isinstance(value, list) or not value:
            raise ConditionError(f"{key} 须为列表", f"{key}: needs a list")
        parts = tuple(parse_condition(item, words) for item in value)
        return All(parts) if key == "all" else Any(parts)
    if key == "not":
        return Not(parse_condition(value, words))
    if key == "in_time":
        if not isinstance(value, str) or value not in words.clauses:
            raise ConditionError(
                f"没有写明起算事件、天数和记录字段的条款：{value}",
                f"no clause whose deadline has an event, a number and a record: {value}",
            )
        return InTime(clause_id=str(value))
    if key not in words.fields:
        raise ConditionError(f"未知字段：{key}", f"unknown field: {key}")
    tests = value if isinstance(value, dict) else {"eq": value}
    parts = tuple(_parse_test(key, str(op), _limit(operand, words), words.fields) for op, operand in tests.items())
    return parts[0] if len(parts) == 1 else All(parts)


def _limit(operand: object, words: Words) -> object:
    if not isinstance(operand, str) or not operand.startswith(_LIMIT):
        return operand
    name = operand.removeprefix(_LIMIT)
    if name not in words.limits:
        raise ConditionError(f"未知界线：{name}", f"unknown limit: {name}")
    value = words.limits[name]
    return int(value) if value == int(value) else value


def _parse_test(field: str, op: str, operand: object, fields: Mapping[str, Kind]) -> Condition:
    if op in ("recorded", "empty") and not isinstance(operand, bool):
        raise ConditionError(f"{field}.{op} 须为 true 或 false", f"{field}.{op}: needs true or false")
    if op == "recorded":
        return Recorded(field=field, value=bool(operand))
    if op not in _OPERATORS:
        raise ConditionError(f"{field}：未知判断 {op}", f"{field}: unknown operator {op}")
    if op in FIELD_OPERATORS:
        _check_field(field, op, operand, fields)
    if op in AGE_OPERATORS and (fields[field] != "date" or not isinstance(operand, int) or isinstance(operand, bool)):
        raise ConditionError(
            f"{field}.{op} 须用于日期字段并给出整数，不能是 {operand!r}",
            f"{field}.{op}: needs a date and a whole number, not {operand!r}",
        )
    if op == "in":
        if not isinstance(operand, list) or not operand:
            raise ConditionError(f"{field}.in 须为列表", f"{field}.in: needs a list")
        operand = tuple(operand)
    elif not isinstance(operand, str | int | float | bool | date):
        raise ConditionError(f"{field}.{op} 不能与 {operand!r} 比较", f"{field}.{op}: can't compare with {operand!r}")
    if op in _ORDERED and not _ordered(fields[field], operand):
        raise ConditionError(
            f"{field}.{op}：{_KINDS[fields[field]]}字段不能与 {operand!r} 比较大小",
            f"{field}.{op}: a {fields[field]} can't be compared with {operand!r}",
        )
    return Compare(field=field, op=cast(Operator, op), value=cast(Operand, operand))


def _check_field(field: str, op: str, other: object, fields: Mapping[str, Kind]) -> None:
    if not isinstance(other, str) or other not in fields:
        raise ConditionError(f"{field}.{op}：未知字段 {other}", f"{field}.{op}: unknown field {other}")
    kind = {"not_before": "date", "not_after": "date", "at_most": "number"}.get(op)
    if kind is not None and {fields[field], fields[other]} != {kind}:
        raise ConditionError(
            f"{field}.{op}：{field} 与 {other} 须都是{_KINDS[kind]}字段",
            f"{field}.{op}: {field} and {other} are not both a {kind}",
        )


def _ordered(kind: Kind, operand: object) -> bool:
    if kind == "date":
        return isinstance(operand, date)
    return kind == "number" and isinstance(operand, int | float) and not isinstance(operand, bool)
