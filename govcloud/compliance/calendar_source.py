"""Reads the calendar files; asks the chinesecalendar package for a year without one. Both fail closed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import msgspec

from govcloud.compliance.calendar import WorkCalendar, YearCalendar
from govcloud.errors import InputError
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

_DAY = timedelta(days=1)


class _Holiday(msgspec.Struct, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    name: Text
    start: date
    end: date


class _Year(msgspec.Struct, forbid_unknown_fields=True):
    year: int
    source: Text
    holidays: list[_Holiday]
    adjusted_workdays: list[date]


def load_calendar(*folders: Path) -> WorkCalendar:
    """Calendars of `CN-<year>.yaml` in the folders; a later folder (the site's own) replaces an earlier one's year.

    Raises InputError for a file that is not a calendar of the year in its name.
    """
    years: dict[int, YearCalendar] = {}
    for folder in folders:
        for path in sorted(folder.glob("CN-*.yaml")):
            calendar = _load_year(path)
            years[calendar.year] = calendar
    return WorkCalendar(years, package_year)


def _load_year(path: Path) -> YearCalendar:
    try:
        # No strict mode: PyYAML has turned dates into date objects already.
        raw = msgspec.convert(load_yaml(path), _Year)
        if path.stem != f"CN-{raw.year}" or any(h.start > h.end for h in raw.holidays):
            raise msgspec.ValidationError("the year does not match the file name, or a holiday ends before it starts")
        days = [h.start + i * _DAY for h in raw.holidays for i in range((h.end - h.start).days + 1)]
        if any(day.year != raw.year for day in (*days, *raw.adjusted_workdays)):
            raise msgspec.ValidationError("a day of another year")
    except msgspec.ValidationError as error:
        raise InputError(
            Text("日历文件不合要求：{why}", "Not a valid calendar: {why}").format(why=error),
            where=str(path),
            next_step=Text(
                "对照 regulations/calendars/CN-2026.yaml 改正", "Compare regulations/calendars/CN-2026.yaml"
            ),
        ) from None
    return YearCalendar(
        year=raw.year, holidays=frozenset(days), adjusted_workdays=frozenset(raw.adjusted_workdays), source=path.name
    )


def package_year(year: int) -> YearCalendar | None:
    """The year from the package; None where it has no official notice for it."""
    days = [date(year, 1, 1) + i * _DAY for i in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    try:
        off = frozenset(day for day in days if chinese_calendar.is_holiday(day))
    except NotImplementedError:
        return None
    return YearCalendar(
        year=year,
        holidays=frozenset(day for day in off if day.weekday() < 5),
        adjusted_workdays=frozenset(day for day in days if day.weekday() >= 5 and day not in off),
        source="chinesecalendar",
    )
