"""`--set`: what an engineer types is what the plan is tried with, and a slip is told before anything is planned."""

from __future__ import annotations

import pytest

from govcloud.errors import UsageError
from govcloud.planning.overrides import apply_overrides

SECTION = {"weeks": 12, "windows": [{"weekday": "saturday", "minutes": 240}], "crews": [{"name": "一组"}]}


def test_numbers_lists_and_new_sections_are_reached_by_dots() -> None:
    changed = apply_overrides(
        SECTION, ["weeks=30", "windows.0.minutes=300", "capacity.crews=3", "planning.pilots=[SL-1]"]
    )
    assert changed == {
        "weeks": 30, "windows": [{"weekday": "saturday", "minutes": 300}], "crews": [{"name": "一组"}],
        "capacity": {"crews": 3}, "pilots": ["SL-1"],
    }  # fmt: skip


def test_the_settings_themselves_stay_as_they_are() -> None:
    apply_overrides(SECTION, ["windows.0.minutes=300"])
    assert SECTION["windows"] == [{"weekday": "saturday", "minutes": 240}]


@pytest.mark.parametrize(
    "wrong",
    ["weeks", "=3", "capacity..crews=3", "windows.1.minutes=300", "windows.x=1", "weeks.a.b.c", "crews.0.name.x.y"],
)
def test_a_slip_is_a_usage_error_that_names_it(wrong: str) -> None:
    with pytest.raises(UsageError) as told:
        apply_overrides(SECTION, [wrong])
    assert wrong in told.value.where.zh


def test_a_value_that_is_no_yaml_names_the_assignment() -> None:
    with pytest.raises(UsageError, match=r"--set weeks=\["):
        apply_overrides(SECTION, ["weeks=["])
