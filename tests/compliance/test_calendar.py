"""Working days: the golden vectors of the domain notes, and what holds for every date."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.compliance.calendar import WorkCalendar, add_months
from govcloud.compliance.calendar_source import load_calendar, package_year
from govcloud.errors import InputError

GOLDEN = [
    ("2026-02-10", 5, "2026-02-24"),
    ("2026-02-13", 5, "2026-02-27"),
    ("2026-09-28", 5, "2026-10-10"),
    ("2026-04-29", 5, "2026-05-09"),
    ("2025-12-30", 5, "2026-01-07"),
    ("2025-09-26", 5, "2025-10-10"),
    ("2026-09-18", 7, "2026-09-29"),
    ("2026-09-18", 30, "2026-11-05"),
    ("2026-01-05", 30, "2026-02-14"),
]


@pytest.mark.parametrize(("start", "n", "due"), GOLDEN)
def test_a_deadline_over_holidays_and_shifted_saturdays(calendar: WorkCalendar, start: str, n: int, due: str) -> None:
    found = calendar.add_workdays(date.fromisoformat(start), n)
    assert (found.on.isoformat(), found.provisional) == (due, False)


@pytest.mark.parametrize(("start", "n"), [("2026-11-20", 30), ("2026-12-28", 5)])
def test_a_deadline_into_an_unpublished_year_is_marked(calendar: WorkCalendar, start: str, n: int) -> None:
    found = calendar.add_workdays(date.fromisoformat(start), n)
    assert found.provisional
    assert found.on.year == 2027
    assert found.on != date(2027, 1, 1), "New Year's Day is a holiday in every year"


def test_a_deadline_that_ends_before_the_unpublished_year_is_not_marked(calendar: WorkCalendar) -> None:
    assert not calendar.add_workdays(date(2026, 12, 24), 5).provisional


@pytest.mark.parametrize("year", range(2019, 2027))
def test_the_calendar_files_say_what_the_package_says(calendar: WorkCalendar, year: int) -> None:
    package = package_year(year)
    assert package is not None
    other = WorkCalendar({year: package})
    day = date(year, 1, 1)
    while day.year == year:
        assert calendar.is_workday(day) == other.is_workday(day), day
        day += timedelta(days=1)


def test_a_year_without_a_file_comes_from_the_package(calendar: WorkCalendar) -> None:
    assert not calendar.is_workday(date(2018, 10, 3))
    assert calendar.is_workday(date(2018, 9, 29)), "a Saturday that was shifted"


def test_the_office_corrects_a_year_with_a_file_of_its_own(regulations: Path, tmp_path: Path) -> None:
    (tmp_path / "CN-2027.yaml").write_text(
        "year: 2027\nsource: {zh: 示例, en: sample}\nholidays:\n"
        "  - {name: {zh: 元旦, en: New Year}, from: 2027-01-01, to: 2027-01-03}\nadjusted_workdays: [2027-01-09]\n"
    )
    own = load_calendar(regulations / "calendars", tmp_path)
    found = own.add_workdays(date(2026, 12, 28), 5)
    assert (found.on, found.provisional) == (date(2027, 1, 5), False)
    assert own.is_workday(date(2027, 1, 9))


HEAD = "year: 2027\nsource: {zh: 示例, en: sample}\n"
NEW_YEAR = "holidays:\n  - {name: {zh: 元旦, en: New Year}, from: 2027-01-01, to: 2027-01-03}\n"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (HEAD.replace("2027", "2026") + "holidays: []\nadjusted_workdays: []\n", 1, "CN-2026.yaml"),
        (HEAD + NEW_YEAR + "adjusted_workdays:\n  - 2027-01-09\n  - 2026-01-10\n", 7, "不属于 2027 年"),
        (HEAD + NEW_YEAR + "adjusted_workdays:\n  - 2027-01-09\n  - 2027-01-02\n", 7, "2027-01-02 既是假日又是调休上班日"),
        (HEAD + NEW_YEAR + "adjusted_workdays: [2027-01-04]\n", 5, "2027-01-04 本来就是工作日"),
        (HEAD + NEW_YEAR + "adjusted_workdays: [2027-01-09, 2027-01-09]\n", 5, "2027-01-09 写了两次"),
        (HEAD + NEW_YEAR.replace("to: 2027-01-03", "to: 2026-12-31") + "adjusted_workdays: []\n", 4, "结束日在开始日之前"),
        (HEAD + NEW_YEAR.replace("from: 2027", "from: 0001") + "adjusted_workdays: []\n", 4, "不属于 2027 年"),
        (HEAD + "holidays: []\nadjusted_workdays: [maybe]\n", 4, "adjusted_workdays"),
        ("year: 2027\n", 1, "source"),
    ],
)  # fmt: skip
def test_a_faulty_calendar_is_one_line_with_file_and_line(tmp_path: Path, text: str, line: int, why: str) -> None:
    (tmp_path / "CN-2027.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError) as refused:
        load_calendar(tmp_path)
    message = refused.value.message("zh")
    assert f"CN-2027.yaml:{line}: " in message and why in message
    assert len(message.splitlines()) == 2, "what is wrong, and the next step"


@given(start=st.dates(date(2018, 1, 1), date(2030, 1, 1)), n=st.integers(1, 40))
def test_the_last_day_is_a_working_day_and_n_of_them_lie_behind_the_start(start: date, n: int) -> None:
    calendar = WorkCalendar({}, package_year)
    due = calendar.add_workdays(start, n)
    days = [start + timedelta(days=i) for i in range(1, (due.on - start).days + 1)]
    assert calendar.is_workday(due.on)
    assert sum(map(calendar.is_workday, days)) == n
    assert due.provisional == any(calendar.year(day.year) is None for day in days)


@given(start=st.dates(date(2000, 1, 1), date(2090, 1, 1)), n=st.integers(0, 60))
def test_months_keep_the_day_or_take_the_end_of_the_month(start: date, n: int) -> None:
    due = add_months(start, n)
    assert (due.year - start.year) * 12 + due.month - start.month == n
    assert due.day == start.day or (due.day < start.day and (due + timedelta(days=1)).day == 1)


def test_three_months_from_the_end_of_november() -> None:
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
