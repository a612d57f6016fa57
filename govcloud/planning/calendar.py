"""Change windows, freezes and days off of a period, from weekly rules, dated ranges and statutory holidays."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Set
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from govcloud.model.plan_problem import ChangeWindow, Freeze
from govcloud.model.text import Text, same
from govcloud.planning.rules import WEEKDAYS, FreezeRule, WindowRule

_DAY = timedelta(days=1)
AFTERWARDS = timedelta(days=3 * 366)
"""Working days are known for so long after the last window: trial run, retention and closing of networks lie there."""


def build_windows(
    rules: Iterable[WindowRule], starts_on: date, weeks: int, zone: ZoneInfo, published_years: Set[int]
) -> tuple[ChangeWindow, ...]:
    """Windows that open in `weeks` weeks from `starts_on`. Where two overlap, the earlier one is kept."""
    found = []
    for rule in rules:
        for offset in range(weeks * 7):
            day = starts_on + offset * _DAY
            if day.weekday() == WEEKDAYS.index(rule.weekday):
                opens = datetime.combine(day, time.fromisoformat(rule.start), zone).astimezone(UTC)
                found.append((opens, opens + timedelta(minutes=rule.minutes), day))
    windows: list[ChangeWindow] = []
    for opens, closes, day in sorted(found):
        if windows and opens < windows[-1].ends_at:
            continue
        years = {day.year, closes.astimezone(zone).year}
        windows.append(
            ChangeWindow(
                window_id=f"W{len(windows) + 1:02d}", starts_at=opens, ends_at=closes, opens_on=day,
                provisional=not years <= published_years,
            )
        )  # fmt: skip
    return tuple(windows)


def build_freezes(rules: Iterable[FreezeRule], starts_on: date, weeks: int, zone: ZoneInfo) -> tuple[Freeze, ...]:
    """The dated freezes, and those that repeat every year or month, as far as they meet the weeks."""
    ends_on = starts_on + timedelta(weeks=weeks)
    found = []
    for rule in rules:
        for first, last in _ranges(rule, starts_on, ends_on):
            if first <= ends_on and last >= starts_on:
                found.append(
                    Freeze(
                        name=rule.name, title=rule.title or same(rule.name), starts_at=_midnight(first, zone), ends_at=_midnight(last + _DAY, zone),
                        min_mlps=rule.min_mlps, system_ids=tuple(sorted(rule.systems)),
                        departments=tuple(sorted(rule.departments)), exceptions=tuple(sorted(rule.exceptions)),
                    )
                )  # fmt: skip
    return tuple(sorted(found, key=lambda f: (f.starts_at, f.ends_at, f.name)))


def holiday_freezes(holidays: Iterable[date], margin_days: int) -> tuple[FreezeRule, ...]:
    """One freeze for each run of statutory days off, weekends inside it included, with a margin at both ends."""
    runs: list[list[date]] = []
    for day in sorted(set(holidays)):
        if runs and all(_weekend(runs[-1][-1] + n * _DAY) for n in range(1, (day - runs[-1][-1]).days)):
            runs[-1].append(day)
        else:
            runs.append([day])
    margin = margin_days * _DAY
    return tuple(
        FreezeRule(
            name=f"holiday-{run[0]}",
            title=Text("法定节假日 {d}", "Statutory holiday {d}").format(d=run[0]),
            starts_on=run[0] - margin,
            ends_on=run[-1] + margin,
        )
        for run in runs
    )


def build_days_off(starts_on: date, weeks: int, holidays: Iterable[date], workdays: Iterable[date]) -> tuple[date, ...]:
    """Weekends and holidays but for the weekends that were made working days, to three years after the weeks.

    Where a year's holidays are not published the weekends are all that is known of it.
    """
    days = (timedelta(weeks=weeks) + AFTERWARDS).days
    off, worked = set(holidays), set(workdays)
    return tuple(
        day for n in range(days) if (day := starts_on + n * _DAY) in off or (_weekend(day) and day not in worked)
    )


def _weekend(day: date) -> bool:
    return day.weekday() >= 5


def _ranges(rule: FreezeRule, starts_on: date, ends_on: date) -> list[tuple[date, date]]:
    length = rule.ends_on - rule.starts_on
    years = range(starts_on.year - 1, ends_on.year + 1)
    if rule.every_month:
        day = rule.starts_on.day
        starts = [date(y, m, min(day, monthrange(y, m)[1])) for y in years for m in range(1, 13)]
    elif rule.every_year:
        starts = [_in_year(rule.starts_on, y) for y in years]
    else:
        starts = [rule.starts_on]
    return [(start, start + length) for start in starts]


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 2, 28)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
