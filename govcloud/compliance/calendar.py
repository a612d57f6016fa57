"""Working days of the state's calendar. A year that is not published yet is counted, but marked provisional."""

from __future__ import annotations

import calendar as _months
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_FIXED = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}
"""Statutory holidays with a fixed solar date. Those of the moon and the shifted days are known only by the notice."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearCalendar:
    year: int
    holidays: frozenset[date]
    adjusted_workdays: frozenset[date]
    source: str


@dataclass(frozen=True, slots=True)
class DueDate:
    on: date
    provisional: bool
    """Some counted day lies in a year without a published calendar; the notice may still move the date."""


class WorkCalendar:
    """Years from the calendar files; `fallback` is asked once for a year that has no file and may know none either."""

    def __init__(
        self, years: Mapping[int, YearCalendar], fallback: Callable[[int], YearCalendar | None] = lambda year: None
    ) -> None:
        self._years: dict[int, YearCalendar | None] = dict(years)
        self._fallback = fallback
        self._dues: dict[tuple[date, int], DueDate] = {}
        self._worked: dict[date, bool] = {}

    def year(self, year: int) -> YearCalendar | None:
        if year not in self._years:
            self._years[year] = self._fallback(year)
        return self._years[year]

    def is_workday(self, day: date) -> bool:
        worked = self._worked.get(day)
        if worked is None:
            worked = self._worked[day] = self._is_workday(day)
        return worked

    def _is_workday(self, day: date) -> bool:
        known = self.year(day.year)
        if known is None:
            return day.weekday() < 5 and (day.month, day.day) not in _FIXED
        return day in known.adjusted_workdays or (day.weekday() < 5 and day not in known.holidays)

    def add_workdays(self, start: date, n: int) -> DueDate:
        """The n-th working day after `start`; the start day does not count, the last day does."""
        # Thousands of projects share a few hundred days.
        known = self._dues.get((start, n))
        if known is None:
            day, left = start, n
            while left > 0:
                day += _DAY
                left -= self.is_workday(day)
            counted = range((start + _DAY).year, day.year + 1) if n else ()
            provisional = any(self.year(year) is None for year in counted)
            known = self._dues[(start, n)] = DueDate(day, provisional)
        return known


def add_months(start: date, n: int) -> date:
    """Same day of the month `n` months later, or that month's end where it has no such day."""
    index = start.year * 12 + start.month - 1 + n
    year, month = divmod(index, 12)
    return date(year, month + 1, min(start.day, _months.monthrange(year, month + 1)[1]))
