"""The calendar file, read back with a library as a desk calendar would. A wrong UID doubles every reminder at the second
import; a provisional date that looks settled costs somebody the real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar, Event

from govcloud.compliance.calendar_source import load_calendar
from govcloud.compliance.load import load_packs
from govcloud.compliance.project_deadlines import build_office_deadlines, build_project_deadlines
from govcloud.model.deadline import ProjectDeadline
from govcloud.model.inventory import Project
from govcloud.model.text import Lang
from govcloud.report.ics import find_open, render_ics

ROOT = Path(__file__).parents[2] / "regulations"
NOW = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
TODAY = NOW.date()
PACKS = load_packs(ROOT, ["SX19", "SX17"])
PROJECTS = (
    Project(project_id="XM-1", name="示例一期，二期；\\三期", contract_signed_on=date(2026, 11, 2)),
    Project(project_id="XM-2", name="示例项目" * 30, acceptance_completed_on=date(2026, 11, 20)),
    Project(project_id="XM-3", name="示例", contract_signed_on=date(2026, 3, 2), contract_filed_on=date(2026, 3, 3)),
    Project(project_id="XM-4", name="示例", contract_number="HT-4"),
)


def rows(as_of: date = TODAY) -> tuple[ProjectDeadline, ...]:
    calendar = load_calendar(ROOT / "calendars")
    return (
        *build_project_deadlines(PROJECTS, PACKS, calendar, "province", as_of),
        *build_office_deadlines(PACKS, "province", as_of),
    )


def written(lang: Lang = "zh", as_of: date = TODAY, now: datetime = NOW) -> bytes:
    return render_ics(rows(as_of), PACKS[0], site="shanxi", now=now, lang=lang)


def events(data: bytes) -> dict[str, Event]:
    calendar = Calendar.from_ical(data)
    assert (calendar["version"], calendar["method"]) == ("2.0", "PUBLISH") and calendar["prodid"]
    assert not calendar.errors
    return {str(event["categories"].cats[0]): event for event in calendar.walk("VEVENT")}


def test_open_duties_are_all_day_events_with_a_reminder() -> None:
    found = events(written())
    assert set(found) == {"SX19-18", "SX19-25", "SX17-3.2"} and find_open(rows()) == 3
    filing = found["SX19-18"]
    assert (filing.decoded("dtstart"), filing.decoded("dtend")) == (date(2026, 11, 9), date(2026, 11, 10))
    assert filing["dtstart"].params["VALUE"] == "DATE" and filing.decoded("dtstamp") == NOW
    assert str(filing["summary"]) == "【已超期】合同备案：示例一期，二期；\\三期（SX19-18）"
    (alarm,) = filing.walk("VALARM")
    assert (alarm["action"], alarm.decoded("trigger")) == ("DISPLAY", timedelta(days=-3, hours=9))
    told = str(filing["description"])
    assert "省政务信息管理局" in told and "起算：合同签订 2026-11-02" in told
    assert "不得拨付" in str(found["SX19-25"]["description"])
    assert str(found["SX17-3.2"]["summary"]).endswith("本单位（SX17-3.2）")


def test_a_provisional_date_is_tentative_and_says_so() -> None:
    found = events(written())["SX19-25"]
    assert str(found["summary"]).startswith("（暂估）") and found["status"] == "TENTATIVE"
    assert "放假安排尚未公布" in str(found["description"])
    assert events(written())["SX19-18"]["status"] == "CONFIRMED"


def test_english_for_who_asked_for_it() -> None:
    summary = str(events(written("en"))["SX19-25"]["summary"])
    assert summary.startswith("(provisional) file the acceptance report: ")


def test_uids_last_from_file_to_file() -> None:
    first, later = events(written()), events(written("en", date(2026, 12, 20), NOW + timedelta(days=25)))
    assert {c: str(e["uid"]) for c, e in first.items()} == {c: str(e["uid"]) for c, e in later.items()}
    assert len({str(e["uid"]) for e in first.values()}) == 3
    next_year = events(written(as_of=date(2027, 2, 1)))
    assert next_year["SX17-3.2"]["uid"] != first["SX17-3.2"]["uid"], "last year's event stays in the calendar"
    other = Calendar.from_ical(render_ics(rows(), PACKS[0], site="jincheng", now=NOW, lang="zh"))
    assert not {str(e["uid"]) for e in other.walk("VEVENT")} & {str(e["uid"]) for e in first.values()}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_bytes_are_the_same_again_and_in_the_form_of_the_rfc(lang: Lang) -> None:
    data = written(lang)
    assert data == written(lang)
    lines = data.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines) and b"\n" not in data.replace(b"\r\n", b"")


def test_nothing_open_is_an_empty_calendar() -> None:
    done = tuple(replace(row, status="done_in_time", days_left=None) for row in rows())
    assert events(render_ics(done, PACKS[0], site="shanxi", now=NOW, lang="zh")) == {}
