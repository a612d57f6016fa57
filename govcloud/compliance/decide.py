"""Decides conditions over facts. Pure; a condition is taken apart once and then asked about every subject.

Kleene logic: one false part decides `all`, one true part decides `any`, whatever else is unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TypeAlias

from govcloud.model.condition import (
    AGE_OPERATORS,
    FIELD_OPERATORS,
    All,
    Any,
    Compare,
    Condition,
    InTime,
    Not,
    Operator,
    Recorded,
)

Facts: TypeAlias = Mapping[str, object]
Outcome: TypeAlias = bool | frozenset[str]
"""Not a bool: unknown, because of these fields."""
Test: TypeAlias = Callable[[Facts], Outcome]
_UNKNOWN: frozenset[str] = frozenset()


def in_time_key(clause_id: str) -> str:
    """Under which name the facts of a project say whether the act of a clause was done in time (an Outcome)."""
    return f"in_time {clause_id}"


def build_test(condition: Condition, as_of: date) -> Test:
    match condition:
        case All(parts):
            return _join([build_test(p, as_of) for p in parts], decisive=False)
        case Any(parts):
            return _join([build_test(p, as_of) for p in parts], decisive=True)
        case Not(part):
            return _not(build_test(part, as_of))
        case InTime(clause_id=clause_id):
            return _in_time(in_time_key(clause_id))
        case Recorded(field=field, value=wanted):
            return lambda facts: _known(facts.get(field)) is wanted
        case Compare(op=op) if op in FIELD_OPERATORS:
            return _compare_fields(condition)
        case Compare():
            return _compare(condition, as_of)


def fields_of(condition: Condition) -> Iterator[str]:
    """Every field that the condition looks at; of `in_time` the key."""
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from fields_of(part)
        case Not(part):
            yield from fields_of(part)
        case InTime(clause_id=clause_id):
            yield in_time_key(clause_id)
        case Recorded(field=field):
            yield field
        case Compare(field=field, op=op, value=value):
            yield field
            if op in FIELD_OPERATORS:
                yield str(value)


def _join(tests: list[Test], *, decisive: bool) -> Test:
    """One part with the decisive answer settles it, whatever else is unknown."""
    other = not decisive

    def test(facts: Facts) -> Outcome:
        unknown: frozenset[str] | None = None
        for part in tests:
            outcome = part(facts)
            if outcome is decisive:
                return decisive
            if not isinstance(outcome, bool):
                unknown = outcome if unknown is None else unknown | outcome
        return other if unknown is None else unknown

    return test


def _not(inner: Test) -> Test:
    def test(facts: Facts) -> Outcome:
        outcome = inner(facts)
        return not outcome if outcome is True or outcome is False else outcome

    return test


def _in_time(key: str) -> Test:
    def test(facts: Facts) -> Outcome:
        outcome = facts.get(key, _UNKNOWN)
        return outcome if isinstance(outcome, bool | frozenset) else _UNKNOWN

    return test


def _compare(condition: Compare, as_of: date) -> Test:
    field, op, wanted = condition.field, condition.op, condition.value
    unknown = frozenset({field})
    if op == "empty":
        # An empty list of systems is an answer here, but an empty text is not one elsewhere.
        return lambda facts: unknown if (value := facts.get(field)) is None else (value in ((), [], "")) == wanted
    holds = _age(op, wanted, as_of) if op in AGE_OPERATORS else _relation(op, wanted)

    def test(facts: Facts) -> Outcome:
        value = facts.get(field)
        return holds(value) if value or value == 0 else unknown  # _known, in place: the one that is asked most

    return test


def _compare_fields(condition: Compare) -> Test:
    field, other = condition.field, str(condition.value)
    plain = {"not_before": "ge", "not_after": "le", "at_most": "le", "same_as": "eq"}[condition.op]
    holds: Callable[[object, object], bool] = getattr(operator, plain)

    def test(facts: Facts) -> Outcome:
        value, wanted = facts.get(field), facts.get(other)
        if _known(value) and _known(wanted):
            return holds(value, wanted)
        return frozenset(name for name, fact in ((field, value), (other, wanted)) if not _known(fact))

    return test


def _known(value: object) -> bool:
    """False for what stands for unknown: None, an empty text, an empty collection. False and 0 are answers."""
    return bool(value) or value == 0


def _age(op: Operator, wanted: object, as_of: date) -> Callable[[object], bool]:
    compare: Callable[[object, object], bool] = getattr(operator, "ge" if op.endswith("at_least") else "le")
    days = op.startswith("days")

    def holds(day: object) -> bool:
        if not isinstance(day, date):  # the loader lets only dates pass
            raise TypeError(op)
        return compare((as_of - day).days if days else as_of.year - day.year, wanted)

    return holds


def _relation(op: Operator, wanted: object) -> Callable[[object], bool]:
    if op in ("eq", "ne", "lt", "le", "gt", "ge"):
        compare: Callable[[object, object], bool] = getattr(operator, op)
        return lambda value: compare(value, wanted)
    if op == "in":
        options = wanted if isinstance(wanted, tuple) else (wanted,)
        return lambda value: value in options
    if op == "mentions":
        return lambda value: any(
            str(wanted) in str(t) for t in (value if isinstance(value, tuple | list) else (value,))
        )
    raise ValueError(op)
