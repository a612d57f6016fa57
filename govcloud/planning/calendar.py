"""Change windows and freezes of a horizon, from weekly rules, dated ranges and statutory holidays."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from govcloud.model.plan import ChangeWindow, Freeze, MoveTask
from govcloud.model.text import Text, same
from govcloud.planning.rules import WEEKDAYS, FreezeRule, WindowRule

_DAY = timedelta(days=1)


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
    """The dated freezes, and those that repeat every year, as far as they meet the horizon."""
    ends_on = starts_on + timedelta(weeks=weeks)
    found = []
    for rule in rules:
        for first, last in _ranges(rule, starts_on.year):
            if first <= ends_on and last >= starts_on:
                found.append(
                    Freeze(
                        name=rule.name, title=rule.title or same(rule.name), starts_at=_midnight(first, zone), ends_at=_midnight(last + _DAY, zone),
                        min_mlps=rule.min_mlps, system_ids=tuple(sorted(rule.systems)),
                        exceptions=tuple(sorted(rule.exceptions)),
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


def _weekend(day: date) -> bool:
    return day.weekday() >= 5


def freezes_for(task: MoveTask, freezes: Iterable[Freeze]) -> tuple[Freeze, ...]:
    """The freezes that bind this system. An unknown MLPS level is treated as a high one: asking is cheaper than an outage."""
    return tuple(
        f
        for f in freezes
        if task.system_id not in f.exceptions
        and (not f.system_ids or task.system_id in f.system_ids)
        and (f.min_mlps is None or task.mlps_level is None or task.mlps_level >= f.min_mlps)
    )


def _ranges(rule: FreezeRule, year: int) -> list[tuple[date, date]]:
    if not rule.every_year:
        return [(rule.starts_on, rule.ends_on)]
    length = rule.ends_on - rule.starts_on
    starts = [_in_year(rule.starts_on, y) for y in range(year - 1, year + 4)]
    return [(start, start + length) for start in starts]


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 2, 28)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
