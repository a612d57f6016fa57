"""The condition language: three-valued, total over what the loader accepts, and never code."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.compliance.conditions import ConditionError, Kind, Words, parse_condition
from govcloud.compliance.decide import build_test, fields_of

FIELDS: dict[str, Kind] = {
    "a": "flag",
    "b": "flag",
    "n": "number",
    "t": "text",
    "u": "text",
    "d": "date",
    "e": "date",
    "m": "number",
    "l": "list",
}
WORDS = Words(FIELDS, limits={"few": 3})
AS_OF = date(2026, 3, 2)


def truth(data: object, **facts: object) -> bool | None:
    outcome = build_test(parse_condition(data, WORDS), AS_OF)(facts)
    return outcome if isinstance(outcome, bool) else None


@pytest.mark.parametrize(
    ("data", "facts", "expected"),
    [
        ({"a": True}, {"a": True}, True),
        ({"a": True}, {"a": False}, False),
        ({"a": True}, {}, None),
        ({"t": ""}, {"t": ""}, None),
        ({"n": {"ge": 2, "lt": 4}}, {"n": 3}, True),
        ({"n": {"ge": 2, "lt": 4}}, {"n": 4}, False),
        ({"n": {"gt": 0}}, {"n": 0.5}, True),
        ({"n": {"le": 0}}, {"n": 0}, True),
        ({"d": {"ge": date(2019, 9, 4)}}, {"d": date(2019, 9, 3)}, False),
        ({"t": {"in": ["x", "y"]}}, {"t": "y"}, True),
        ({"t": {"ne": "x"}}, {"t": "y"}, True),
        ({"t": {"same_as": "u"}}, {"t": "y", "u": "y"}, True),
        ({"t": {"same_as": "u"}}, {"t": "y"}, None),
        ({"l": {"empty": True}}, {"l": ()}, True),
        ({"l": {"empty": False}}, {"l": None}, None),
        ({"l": {"mentions": "财政"}}, {"l": ("县财政局", "县政务信息管理局")}, True),
        ({"l": {"mentions": "财政"}}, {"l": ()}, None),
        ({"t": {"recorded": True}}, {}, False),
        ({"t": {"recorded": False}}, {"t": "x"}, False),
        ({"a": True, "b": True}, {"a": False}, False),
        ({"any": [{"a": True}, {"b": True}]}, {"b": True}, True),
        ({"any": [{"a": True}, {"b": True}]}, {"b": False}, None),
        ({"not": {"a": True}}, {}, None),
        ({"not": {"a": True}}, {"a": False}, True),
        ({"n": {"lt": "limit:few"}}, {"n": 2}, True),
        ({"n": {"lt": "limit:few"}}, {"n": 3}, False),
        ({"d": {"days_ago_at_least": 1}}, {"d": date(2026, 3, 1)}, True),
        ({"d": {"days_ago_at_least": 1}}, {"d": date(2026, 3, 2)}, False),
        ({"d": {"days_ago_at_most": 0}}, {"d": date(2026, 3, 2)}, True),
        ({"d": {"years_ago_at_least": 1}}, {"d": date(2025, 12, 31)}, True),
        ({"d": {"years_ago_at_most": 0}}, {"d": date(2025, 12, 31)}, False),
        ({"d": {"days_ago_at_most": 0}}, {}, None),
        ({"d": {"not_before": "e"}}, {"d": date(2026, 1, 1), "e": date(2026, 1, 1)}, True),
        ({"d": {"not_before": "e"}}, {"d": date(2025, 1, 1), "e": date(2026, 1, 1)}, False),
        ({"d": {"not_after": "e"}}, {"d": date(2026, 1, 2), "e": date(2026, 1, 1)}, False),
        ({"d": {"not_after": "e"}}, {"d": date(2026, 1, 2)}, None),
        ({"n": {"at_most": "m"}}, {"n": 2, "m": 2}, True),
        ({"n": {"at_most": "m"}}, {"n": 3, "m": 2}, False),
    ],
)
def test_what_a_condition_says(data: object, facts: dict[str, object], expected: bool | None) -> None:
    assert truth(data, **facts) is expected


def test_the_missing_fields_are_named_and_only_those() -> None:
    condition = parse_condition({"a": True, "t": {"same_as": "u"}}, WORDS)
    assert build_test(condition, AS_OF)({"a": True, "t": "x"}) == {"u"}
    assert set(fields_of(condition)) == {"a", "t", "u"}


@pytest.mark.parametrize(
    "data",
    [
        {}, [], "a", None, {"nosuch": 1}, {"a": {"nosuch": 1}}, {"all": []}, {"any": {"a": True}}, {"n": {"ge": "3"}},
        {"n": {"ge": True}}, {"t": {"lt": 3}}, {"d": {"lt": 3}}, {"t": {"in": "x"}}, {"t": {"in": []}},
        {"t": {"recorded": "yes"}}, {"t": {"same_as": "nosuch"}}, {"in_time": "SX19-99"}, {"t": {"eq": [1]}},
        {"__class__": {"eq": 1}}, {"a": {"eq": None}},
        {"n": {"lt": "limit:nosuch"}}, {"n": {"days_ago_at_least": 3}}, {"d": {"days_ago_at_least": "3"}}, {"d": {"years_ago_at_most": True}},
        {"d": {"not_before": "n"}}, {"n": {"at_most": "d"}}, {"d": {"not_after": "nosuch"}}, {"d": {"not_before": 3}},
    ],
)  # fmt: skip
def test_a_condition_that_means_nothing_is_refused(data: object) -> None:
    with pytest.raises(ConditionError):
        parse_condition(data, WORDS)


leaves: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda f, v: {f: v}, st.sampled_from("ab"), st.booleans()),
    st.builds(lambda o, v: {"n": {o: v}}, st.sampled_from(["lt", "ge", "eq"]), st.integers(0, 3)),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)


@given(data=conditions, a=st.booleans(), b=st.booleans(), n=st.integers(0, 3), hidden=st.sets(st.sampled_from("abn")))
def test_learning_a_fact_never_overturns_a_verdict(data: object, a: bool, b: bool, n: int, hidden: set[str]) -> None:
    facts: dict[str, object] = {"a": a, "b": b, "n": n}
    partly = truth(data, **{k: v for k, v in facts.items() if k not in hidden})
    fully = truth(data, **facts)
    assert fully is not None
    assert partly in (None, fully)


def plainly(data: dict[str, Any], facts: dict[str, Any]) -> bool:
    """The same condition as anybody would compute it where every fact is known."""
    ((key, value),) = data.items()
    if key == "all":
        return all(plainly(part, facts) for part in value)
    if key == "any":
        return any(plainly(part, facts) for part in value)
    if key == "not":
        return not plainly(value, facts)
    tests = value if isinstance(value, dict) else {"eq": value}
    compare = {"eq": lambda a, b: a == b, "lt": lambda a, b: a < b, "ge": lambda a, b: a >= b}
    return all(compare[op](facts[key], operand) for op, operand in tests.items())


@given(data=conditions, a=st.booleans(), b=st.booleans(), n=st.integers(0, 3))
def test_with_every_fact_known_it_is_plain_logic(data: dict[str, Any], a: bool, b: bool, n: int) -> None:
    facts = {"a": a, "b": b, "n": n}
    assert truth(data, **facts) is plainly(data, facts)


@given(data=conditions, a=st.booleans(), b=st.booleans(), n=st.integers(0, 3), hidden=st.sets(st.sampled_from("abn")))
def test_filling_in_what_is_named_as_missing_gives_a_verdict(
    data: object, a: bool, b: bool, n: int, hidden: set[str]
) -> None:
    """Whoever fills in the fields of the list must not be told of others afterwards."""
    facts: dict[str, object] = {"a": a, "b": b, "n": n}
    test = build_test(parse_condition(data, WORDS), AS_OF)
    outcome = test({k: v for k, v in facts.items() if k not in hidden})
    if isinstance(outcome, frozenset):
        assert outcome <= hidden
        assert isinstance(test({k: v for k, v in facts.items() if k not in hidden or k in outcome}), bool)
