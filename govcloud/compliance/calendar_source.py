"""Reads the calendar files; asks the chinesecalendar package for a year without one. Both fail closed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import msgspec

from govcloud.compliance.calendar import WorkCalendar, YearCalendar
from govcloud.errors import InputError
from govcloud.model.text import Text
from govcloud.safe_yaml import load_located

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
    file = load_located(path)
    try:
        # No strict mode: PyYAML has turned dates into date objects already.
        raw = msgspec.convert(file.data, _Year)
    except msgspec.ValidationError as error:
        raise _refusal(Text("日历文件不合要求：{why}", "Not a valid calendar: {why}").format(why=error), file.where_of(error)) from None  # fmt: skip
    if path.stem != f"CN-{raw.year}":
        raise _refusal(
            Text("文件写的是 {year} 年，文件名应为 CN-{year}.yaml", "It is about {year}, so its name must be CN-{year}.yaml")
            .format(year=raw.year), file.where("year"),
        )  # fmt: skip
    off: set[date] = set()
    for number, holiday in enumerate(raw.holidays):
        where = file.where("holidays", number)
        if holiday.start > holiday.end:
            raise _refusal(Text("假期的结束日在开始日之前", "The holiday ends before it starts"), where)
        if {holiday.start.year, holiday.end.year} != {raw.year}:
            raise _refusal(_OTHER_YEAR.format(year=raw.year), where)
        off.update(holiday.start + i * _DAY for i in range((holiday.end - holiday.start).days + 1))
    worked: set[date] = set()
    for number, day in enumerate(raw.adjusted_workdays):
        if (why := _misplaced(day, raw.year, off, worked)) is not None:
            raise _refusal(why.format(day=day, year=raw.year), file.where("adjusted_workdays", number))
        worked.add(day)
    return YearCalendar(
        year=raw.year, holidays=frozenset(off), adjusted_workdays=frozenset(worked), source=path.name
    )  # fmt: skip


def _misplaced(day: date, year: int, off: set[date], worked: set[date]) -> Text | None:
    """Why the day can't be one of those that were made working days."""
    if day.year != year:
        return _OTHER_YEAR
    if day in off:
        return Text("{day} 既是假日又是调休上班日", "{day} is both a holiday and a working day")
    if day in worked:
        return Text("{day} 写了两次", "{day} is there twice")
    if day.weekday() < 5:
        return Text("{day} 本来就是工作日，不是调休上班日", "{day} is a working day anyway, not one that was made one")
    return None


def _refusal(what: Text, where: str) -> InputError:
    next_step = Text("对照 regulations/calendars/CN-2026.yaml 改正", "Compare regulations/calendars/CN-2026.yaml")
    return InputError(what, where=where, next_step=next_step)


_OTHER_YEAR = Text("有不属于 {year} 年的日期", "There is a day that is not in {year}")


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
