"""Projects and deadlines in the browser, and the calendar that a desk imports."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from desk import text_of
from icalendar import Calendar
from served import serving, workspace

from govcloud.report.ics import find_open
from govcloud.workflow.projects import list_deadlines
from govcloud.workflow.session import Session


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with workspace(tmp_path_factory.mktemp("projects") / "w") as session:
        yield session


@pytest.fixture(scope="module")
def mine(office: Session) -> Iterator[httpx.Client]:
    with serving(office) as served, served.local() as browser:
        yield browser


def test_a_project_shows_its_record_its_deadlines_and_its_story(mine: httpx.Client) -> None:
    listed = mine.get("/projects")
    projects = re.findall(r'href="(/projects/[^"]+)"', listed.text)
    assert len(projects) > 1
    page = text_of(mine.get(projects[0]))
    for told in ("法定时限", "台账", "预算"):
        assert told in page, told


def test_the_calendar_has_every_open_duty(office: Session, mine: httpx.Client) -> None:
    answer = mine.get("/deadlines/calendar")
    assert answer.headers["content-type"].startswith("text/calendar")
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    found = list_deadlines(office)
    assert len(events) == find_open((*found.rows, *found.office)) > 0
    (one,) = re.findall(r'href="(/projects/[^"]+/calendar)"', mine.get(_first(mine)).text)
    assert Calendar.from_ical(mine.get(one).content).get("version") == "2.0"


def _first(mine: httpx.Client) -> str:
    return re.findall(r'href="(/projects/[^"]+)"', mine.get("/projects").text)[0]


def test_deadlines_are_found_by_department_and_by_when_they_are_due(mine: httpx.Client) -> None:
    everything = mine.get("/deadlines").text.count("<tr>")
    assert mine.get("/deadlines?within=7").text.count("<tr>") < everything
    assert mine.get("/deadlines?department=没有这个部门").text.count("<tr>") < everything
    assert mine.get("/deadlines?within=never").status_code == 200


def test_an_unknown_project_is_said_in_words(mine: httpx.Client) -> None:
    page = mine.get("/projects/P-nope")
    assert page.status_code == 400
    assert 'role="alert"' in page.text
