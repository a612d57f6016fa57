"""The condition language of the rules as values: small, total, and never run as code.

Truth is three-valued (Kleene): a comparison with an unknown field is unknown. `Recorded` alone is two-valued; it asks
about our own register: do we hold this entry or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

Operator = Literal[
    "eq", "ne", "in", "lt", "le", "gt", "ge", "empty", "mentions",
    "same_as", "not_before", "not_after", "at_most",
    "days_ago_at_least", "days_ago_at_most", "years_ago_at_least", "years_ago_at_most",
]  # fmt: skip
FIELD_OPERATORS: tuple[Operator, ...] = ("same_as", "not_before", "not_after", "at_most")
"""Compare with another field of the subject, which the value names."""
AGE_OPERATORS: tuple[Operator, ...] = (
    "days_ago_at_least", "days_ago_at_most", "years_ago_at_least", "years_ago_at_most",
)  # fmt: skip
"""Of a date, seen from the day of the check: days, or calendar years (31 December is one year ago on 1 January)."""
Operand = str | int | float | bool | date | tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """`field op value`. `mentions`: some text of a list contains the value."""

    field: str
    op: Operator
    value: Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    field: str
    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InTime:
    """The act of a clause was done by its last day, or that day has not come yet."""

    clause_id: str


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


Condition: TypeAlias = Compare | Recorded | InTime | All | Any | Not
