"""Reads conditions from rule data and decides them over facts. Pure; nothing in a rule is ever run as code.

Written form, one key a mapping: `{all: [..]}`, `{any: [..]}`, `{not: ..}`, `{in_time: CLAUSE}`, or a field with its
tests: `{hosting: {in: [own_room, hosted_room]}}`, `{classified: false}` (short for `eq`), `{url: {recorded: true}}`.
A number may be a limit that the site sets: `{utilisation_pct: {ge: limit:little_used_pct}}`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
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

Kind = Literal["text", "number", "date", "flag", "list"]
_OPERATORS = frozenset(get_args(Operator))
_ORDERED = {"lt", "le", "gt", "ge"}
_LIMIT = "limit:"


class ConditionError(ValueError):
    """The text of the problem in both languages is the loader's business; this one names the faulty spot."""


@dataclass(frozen=True, slots=True)
class Truth:
    """`value` None: unknown, because of the `missing` fields. `used`: every field that was looked at."""

    value: bool | None
    missing: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()


InTimeCheck = Callable[[str], Truth]


@dataclass(frozen=True, slots=True)
class Words:
    """What a condition may speak of."""

    fields: Mapping[str, Kind]
    clauses: Collection[str] = ()
    """Those with a deadline of their own."""
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """What a condition needs beside the facts: the day of the check, and an answer about deadlines."""

    as_of: date
    in_time: InTimeCheck = lambda _: Truth(None)


def parse_condition(data: object, words: Words) -> Condition:
    """Raises ConditionError for an unknown field, operator, clause or limit, or a value that the operator can't use."""
    if not isinstance(data, dict) or not data:
        raise ConditionError(f"not a condition: {data!r}")
    parts = tuple(_parse_entry(str(key), value, words) for key, value in data.items())
    return parts[0] if len(parts) == 1 else All(parts)


def _parse_entry(key: str, value: object, words: Words) -> Condition:
    if key in ("all", "any"):
        if not isinstance(value, list) or not value:
            raise ConditionError(f"{key}: needs a list")
        parts = tuple(parse_condition(item, words) for item in value)
        return All(parts) if key == "all" else Any(parts)
    if key == "not":
        return Not(parse_condition(value, words))
    if key == "in_time":
        if value not in words.clauses:
            raise ConditionError(f"unknown clause: {value}")
        return InTime(clause_id=str(value))
    if key not in words.fields:
        raise ConditionError(f"unknown field: {key}")
    tests = value if isinstance(value, dict) else {"eq": value}
    parts = tuple(_parse_test(key, str(op), _limit(operand, words), words.fields) for op, operand in tests.items())
    return parts[0] if len(parts) == 1 else All(parts)


def _limit(operand: object, words: Words) -> object:
    if not isinstance(operand, str) or not operand.startswith(_LIMIT):
        return operand
    name = operand.removeprefix(_LIMIT)
    if name not in words.limits:
        raise ConditionError(f"unknown limit: {name}")
    value = words.limits[name]
    return int(value) if value == int(value) else value


def _parse_test(field: str, op: str, operand: object, fields: Mapping[str, Kind]) -> Condition:
    if op in ("recorded", "empty") and not isinstance(operand, bool):
        raise ConditionError(f"{field}.{op}: needs true or false")
    if op == "recorded":
        return Recorded(field=field, value=bool(operand))
    if op not in _OPERATORS:
        raise ConditionError(f"{field}: unknown operator {op}")
    if op in FIELD_OPERATORS:
        _check_field(field, op, operand, fields)
    if op in AGE_OPERATORS and (fields[field] != "date" or not isinstance(operand, int) or isinstance(operand, bool)):
        raise ConditionError(f"{field}.{op}: needs a date and a whole number, not {operand!r}")
    if op == "in":
        if not isinstance(operand, list) or not operand:
            raise ConditionError(f"{field}.in: needs a list")
        operand = tuple(operand)
    elif not isinstance(operand, str | int | float | bool | date):
        raise ConditionError(f"{field}.{op}: can't compare with {operand!r}")
    if op in _ORDERED and not _ordered(fields[field], operand):
        raise ConditionError(f"{field}.{op}: a {fields[field]} can't be compared with {operand!r}")
    return Compare(field=field, op=cast(Operator, op), value=cast(Operand, operand))


def _check_field(field: str, op: str, other: object, fields: Mapping[str, Kind]) -> None:
    if not isinstance(other, str) or other not in fields:
        raise ConditionError(f"{field}.{op}: unknown field {other}")
    kind = {"not_before": "date", "not_after": "date", "at_most": "number"}.get(op)
    if kind is not None and {fields[field], fields[other]} != {kind}:
        raise ConditionError(f"{field}.{op}: {field} and {other} are not both a {kind}")


def _ordered(kind: Kind, operand: object) -> bool:
    if kind == "date":
        return isinstance(operand, date)
    return kind == "number" and isinstance(operand, int | float) and not isinstance(operand, bool)


def decide(condition: Condition, facts: Mapping[str, object], moment: Moment) -> Truth:
    """Kleene logic: one false part decides `all`, one true part decides `any`, whatever else is unknown."""
    match condition:
        case All(parts):
            return _combine([decide(p, facts, moment) for p in parts], decisive=False)
        case Any(parts):
            return _combine([decide(p, facts, moment) for p in parts], decisive=True)
        case Not(part):
            truth = decide(part, facts, moment)
            return Truth(None if truth.value is None else not truth.value, truth.missing, truth.used)
        case InTime(clause_id=clause_id):
            return moment.in_time(clause_id)
        case Recorded(field=field, value=wanted):
            return Truth((_known(facts.get(field)) is not None) == wanted, used=frozenset({field}))
        case Compare():
            return _compare(condition, facts, moment.as_of)


def _combine(truths: list[Truth], *, decisive: bool) -> Truth:
    used = frozenset().union(*(t.used for t in truths))
    if any(t.value is decisive for t in truths):
        return Truth(decisive, used=used)
    missing = frozenset().union(*(t.missing for t in truths))
    return Truth(None if any(t.value is None for t in truths) else not decisive, missing, used)


def _compare(test: Compare, facts: Mapping[str, object], as_of: date) -> Truth:
    other = test.op in FIELD_OPERATORS
    fields = frozenset({test.field, str(test.value)} if other else {test.field})
    # An empty list of systems is an answer (`empty`), but an empty text is not one.
    raw = facts.get(test.field)
    actual = raw if test.op == "empty" else _known(raw)
    wanted: object = _known(facts.get(str(test.value))) if other else test.value
    missing = frozenset(
        name for name, value in ((test.field, actual), (str(test.value), wanted)) if value is None and name in fields
    )
    if missing:
        return Truth(None, missing, fields)
    if test.op in AGE_OPERATORS:
        return Truth(_aged(test.op, actual, wanted, as_of), used=fields)
    return Truth(_holds(test.op, actual, wanted), used=fields)


def _known(value: object) -> object | None:
    """None for what stands for unknown: None, an empty text, an empty collection."""
    return None if value is None or value == "" or value == () or value == [] else value


def _aged(op: Operator, day: object, wanted: object, as_of: date) -> bool:
    if not isinstance(day, date) or not isinstance(wanted, int):  # the loader lets only dates and whole numbers pass
        raise TypeError(op)
    age = (as_of - day).days if op.startswith("days") else as_of.year - day.year
    return age >= wanted if op.endswith("at_least") else age <= wanted


def _holds(op: Operator, actual: object, wanted: object) -> bool:
    match op:
        case "eq" | "same_as":
            return actual == wanted
        case "ne":
            return actual != wanted
        case "in":
            return isinstance(wanted, tuple) and actual in wanted
        case "empty":
            return (actual in ((), [], "")) == wanted
        case "mentions":
            texts = actual if isinstance(actual, tuple | list) else (actual,)
            return any(str(wanted) in str(text) for text in texts)
        case "lt" | "le" | "gt" | "ge" | "not_before" | "not_after" | "at_most":
            plain = {"not_before": "ge", "not_after": "le", "at_most": "le"}.get(op, op)
            return bool(getattr(operator, plain)(actual, wanted))
    raise ValueError(op)
