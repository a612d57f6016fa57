"""The `execution:` section: what can't be meant is refused, and a zone's link is never oversubscribed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_spec import GOOD

from govcloud.errors import InputError
from govcloud.execution.rules import ZoneRules, parse_rules
from govcloud.model.migration import MigrationSpec

SPEC = msgspec.convert(GOOD, MigrationSpec)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"slot": 3}, "slot"),
        ({"slots": 0}, "slots"),
        ({"approval_hours": "a day"}, "approval_hours"),
        ({"max_failed_pct": 101}, "max_failed_pct"),
        ({"refresh_hours": -1}, "refresh_hours"),
        ({"zones": {"部门网": {"link_mpbs": 100}}}, "link_mpbs"),
        ({"zones": {"部门网": {"slots": 0}}}, "部门网"),
        ({"zones": {"部门网": {"slots": 8, "link_mbps": 4}}}, "部门网"),
        ({"zones": {"部门网": 4}}, "zones"),
    ],
)
def test_a_setting_that_can_not_be_meant_is_named(section: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        parse_rules(section)
    assert said in error.value.message("zh") and said in error.value.message("en")


@given(link=st.integers(1, 10_000), slots=st.integers(1, 50), own=st.none() | st.integers(1, 10_000))
def test_all_systems_of_a_zone_together_never_take_more_than_its_link(link: int, slots: int, own: int | None) -> None:
    rules = parse_rules({"zones": {"部门网": {"slots": min(slots, link), "link_mbps": link}}}).zone("部门网")
    share = rules.limited(replace(SPEC, limits=replace(SPEC.limits, bandwidth_mbps=own))).limits.bandwidth_mbps
    assert share is not None and share >= 1 and share * rules.slots <= link and (own is None or share <= own)


def test_without_a_limit_a_migration_file_s_own_stands() -> None:
    assert ZoneRules().limited(SPEC) == SPEC
