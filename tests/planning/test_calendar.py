"""Windows lie where the office opens them, in its own time, and freezes reach as far as their words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from govcloud.planning.calendar import (
    build_days_off,
    build_freezes,
    build_windows,
    holiday_freezes,
)
from govcloud.planning.rules import FreezeRule, WindowRule

SHANGHAI = ZoneInfo("Asia/Shanghai")
SUNDAY = date(2026, 11, 22)


def test_a_saturday_night_window_is_in_local_time_and_runs_past_midnight() -> None:
    first, second = build_windows([WindowRule()], SUNDAY, 2, SHANGHAI, {2026})
    assert first.starts_at == datetime(2026, 11, 28, 14, 0, tzinfo=UTC)
    assert first.ends_at - first.starts_at == timedelta(hours=4)
    assert (first.window_id, second.window_id, second.opens_on) == ("W01", "W02", date(2026, 12, 5))


def test_a_window_that_only_ends_in_an_unpublished_year_is_provisional() -> None:
    rule = WindowRule(weekday="thursday", start="22:00", minutes=240)
    windows = build_windows([rule], date(2026, 12, 20), 2, SHANGHAI, {2026})
    assert [(w.opens_on.day, w.provisional) for w in windows] == [(24, False), (31, True)]


def test_of_two_overlapping_openings_only_the_earlier_one_is_used() -> None:
    rules = [WindowRule(start="22:00"), WindowRule(weekday="sunday", start="01:00")]
    assert [w.opens_on.isoformat() for w in build_windows(rules, SUNDAY, 1, SHANGHAI, {2026})] == [
        "2026-11-22", "2026-11-28",
    ]  # fmt: skip


def test_a_yearly_freeze_over_new_year_is_found_from_either_side() -> None:
    rule = FreezeRule(name="年终", starts_on=date(2020, 12, 25), ends_on=date(2021, 1, 5), every_year=True)
    for starts_on in (date(2026, 12, 28), date(2027, 1, 2)):
        (freeze,) = build_freezes([rule], starts_on, 4, SHANGHAI)
        assert freeze.starts_at == datetime(2026, 12, 24, 16, tzinfo=UTC)
        assert freeze.ends_at == datetime(2027, 1, 5, 16, tzinfo=UTC), "the last day counts as a whole"


def test_a_yearly_freeze_from_29_february_does_not_vanish_in_common_years() -> None:
    rule = FreezeRule(name="月末", starts_on=date(2024, 2, 29), ends_on=date(2024, 3, 2), every_year=True)
    (freeze,) = build_freezes([rule], date(2027, 2, 1), 8, SHANGHAI)
    assert freeze.starts_at.astimezone(SHANGHAI).date() == date(2027, 2, 28)


def test_days_off_on_both_sides_of_a_weekend_make_one_freeze_with_margins() -> None:
    national_day = [date(2026, 10, d) for d in (1, 2, 5, 6, 7)]  # the package lists working weekdays only
    (rule,) = holiday_freezes(national_day, 1)
    assert (rule.starts_on, rule.ends_on) == (date(2026, 9, 30), date(2026, 10, 8))


def test_tax_days_repeat_every_month_and_shorten_where_the_month_is_short() -> None:
    rule = FreezeRule(name="征期", starts_on=date(2026, 1, 30), ends_on=date(2026, 1, 31), every_month=True)
    freezes = build_freezes([rule], date(2027, 1, 1), 9, SHANGHAI)
    days = [f.starts_at.astimezone(SHANGHAI).date().isoformat() for f in freezes]
    assert days == ["2027-01-30", "2027-02-28"]


def test_the_scope_of_a_freeze_and_its_exceptions_reach_the_plan() -> None:
    rule = FreezeRule(
        name="招考", starts_on=SUNDAY, ends_on=SUNDAY, departments=("示例教育局",), systems=("B", "A"), min_mlps=3,
        exceptions={"C": "示例批文"},
    )  # fmt: skip
    (freeze,) = build_freezes([rule], SUNDAY, 1, SHANGHAI)
    assert (freeze.departments, freeze.system_ids, freeze.min_mlps) == (("示例教育局",), ("A", "B"), 3)
    assert freeze.exceptions == ("C",)


def test_days_off_are_weekends_and_holidays_but_for_adjusted_working_days() -> None:
    """Spring Festival 2026: nine days off, and people work on the Saturdays before and after."""
    holidays = [date(2026, 2, d) for d in range(15, 24)]
    off = build_days_off(date(2026, 2, 9), 4, holidays, [date(2026, 2, 14), date(2026, 2, 28)])
    first = [d.day for d in off if (d.year, d.month) == (2026, 2)]
    assert first == [*range(15, 24)]
    assert off[-1] >= date(2029, 3, 1), "what follows the last cutover lies within three years"
    assert list(off) == sorted(set(off))
