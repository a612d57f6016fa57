"""Project records measured against the clauses. Without these a filing with half of its recipients, a date that can't be
right or an extension would be told as done in time, or as late, to an office that has to answer for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.compliance.calendar import DueDate, WorkCalendar
from govcloud.compliance.calendar_source import load_calendar
from govcloud.compliance.deadlines import EVENTS, build_duties, check_in_time
from govcloud.compliance.load import load_packs
from govcloud.compliance.project_deadlines import (
    build_office_deadlines,
    build_project_deadlines,
    build_undated_duties,
)
from govcloud.model.deadline import ProjectDeadline
from govcloud.model.inventory import Project
from govcloud.model.regulation import Regulation

ROOT = Path(__file__).parents[2] / "regulations"
PACKS = {pack.regulation_id: pack for pack in load_packs(ROOT, ["SX19", "JC22", "JN19", "SD", "SX17"])}
CALENDAR = load_calendar(ROOT / "calendars")
SIGNED, LAST = date(2026, 2, 10), date(2026, 2, 24)


def measured(packs: Regulation | list[Regulation], as_of: date, **facts: Any) -> list[ProjectDeadline]:
    project = Project(project_id="P-1", name="示例项目", **facts)
    listed = packs if isinstance(packs, list) else [packs]
    return list(build_project_deadlines([project], listed, CALENDAR, listed[0].level, as_of))


@pytest.mark.parametrize(
    ("pack", "offices", "status", "lacking"),
    [
        ("JC22", ("交城县政务信息管理局", "交城县财政局"), "done_in_time", ()),
        ("JC22", ("交城县财政局",), "overdue", ("authority",)),
        ("JC22", ("示例县数据局",), "overdue", ("finance",)),
        ("SX19", ("省财政厅",), "overdue", ("authority",)),
        ("SX19", ("示例大数据局",), "done_in_time", ()),
    ],
)
def test_a_contract_is_filed_when_every_recipient_has_it(
    pack: str, offices: tuple[str, ...], status: str, lacking: tuple[str, ...]
) -> None:
    (row,) = measured(
        PACKS[pack], date(2026, 3, 2), contract_signed_on=SIGNED, contract_filed_on=LAST, contract_filed_with=offices
    )
    assert (row.status, row.not_filed_with, row.duty.due_on) == (status, lacking, LAST)
    assert (row.days_left is None) == (status == "done_in_time")


def test_filed_with_nobody_knows_whom_is_judged_by_the_day_and_says_so() -> None:
    (row,) = measured(PACKS["JC22"], date(2026, 3, 2), contract_signed_on=SIGNED, contract_filed_on=LAST)
    assert (row.status, row.recipients_unknown) == ("done_in_time", True)
    (row,) = measured(PACKS["SX19"], date(2026, 3, 2), contract_signed_on=SIGNED, contract_filed_on=LAST)
    assert not row.recipients_unknown, "one recipient: the form need not name it"


@pytest.mark.parametrize(
    ("extended_to", "as_of", "status", "due_on", "by_the_clause"),
    [
        (None, "2027-03-01", "overdue", "2027-02-28", None),
        ("2027-05-31", "2027-03-01", "due", "2027-05-31", "2027-02-28"),
        ("2027-05-31", "2027-06-01", "overdue", "2027-05-31", "2027-02-28"),
        ("2027-01-15", "2027-03-01", "overdue", "2027-02-28", None),
    ],
)
def test_an_extension_moves_the_last_day_and_is_shown(
    extended_to: str | None, as_of: str, status: str, due_on: str, by_the_clause: str | None
) -> None:
    (row,) = measured(
        PACKS["SD"], date.fromisoformat(as_of), construction_completed_on=date(2026, 11, 30),
        acceptance_extended_to=date.fromisoformat(extended_to) if extended_to else None,
    )  # fmt: skip
    assert (row.status, str(row.duty.due_on)) == (status, due_on)
    assert (str(row.extended_from) if row.extended_from else None) == by_the_clause


@pytest.mark.parametrize(
    ("evaluated", "as_of", "status", "too_early"),
    [
        ("2026-10-01", "2026-11-01", "due", True),
        ("2027-01-10", "2027-02-01", "done_in_time", False),
        ("2028-01-11", "2028-02-01", "done_late", False),
        ("2026-10-01", "2028-01-11", "overdue", True),
    ],
)
def test_a_self_evaluation_counts_from_its_first_day_on(
    evaluated: str, as_of: str, status: str, too_early: bool
) -> None:
    rows = measured(
        PACKS["SD"], date.fromisoformat(as_of), acceptance_completed_on=date(2026, 1, 5), in_use_on=date(2026, 1, 10),
        self_evaluated_on=date.fromisoformat(evaluated),
    )  # fmt: skip
    (row,) = [r for r in rows if r.duty.clause_id == "SD-24"]
    assert (row.status, row.too_early) == (status, too_early)
    assert (row.duty.earliest_on, row.duty.due_on) == (date(2027, 1, 10), date(2028, 1, 10))


@pytest.mark.parametrize(
    ("pack", "facts", "clause", "told"),
    [
        ("SX19", {"contract_signed_on": LAST, "contract_filed_on": SIGNED}, "SX19-18", ("contract_filed_on", "contract_signed_on")),
        ("SX19", {"construction_completed_on": LAST, "acceptance_completed_on": SIGNED, "acceptance_filed_on": LAST}, "SX19-25",
         ("acceptance_completed_on", "construction_completed_on")),
        ("SD", {"construction_completed_on": LAST, "acceptance_applied_on": SIGNED}, "SD-23a",
         ("acceptance_applied_on", "construction_completed_on")),
        ("SD", {"acceptance_completed_on": LAST, "in_use_on": SIGNED, "self_evaluated_on": SIGNED}, "SD-24",
         ("self_evaluated_on", "acceptance_completed_on")),
    ],
)  # fmt: skip
def test_dates_in_an_impossible_order_are_named_and_never_in_time(
    pack: str, facts: dict[str, date], clause: str, told: tuple[str, str]
) -> None:
    rows = measured(PACKS[pack], date(2026, 3, 2), **facts)
    (row,) = [r for r in rows if r.duty.clause_id == clause]
    assert (row.status, row.days_left) == ("contradictory", None)
    assert row.contradicts == tuple((name, facts[name]) for name in told)
    truth, _ = check_in_time(
        Project(project_id="P", name="示例", **facts),  # type: ignore[arg-type]
        PACKS[pack].clauses[clause], CALENDAR, date(2026, 3, 2),
    )  # fmt: skip
    assert (truth.value, truth.missing) == (None, frozenset(told))


def test_what_leaves_a_trace_without_its_day_is_undetermined_and_says_what_is_missing() -> None:
    (row,) = measured(PACKS["SX19"], date(2026, 3, 2), contract_number="HT-1")
    assert (row.status, row.missing, row.duty.due_on) == ("undetermined", ("contract_signed_on",), None)
    rows = measured(PACKS["SD"], date(2026, 3, 2), acceptance_completed_on=SIGNED)
    assert [(r.duty.clause_id, r.missing) for r in rows] == [("SD-24", ("in_use_on",))]


def test_the_check_of_the_estate_counts_an_extension_too() -> None:
    project = Project(
        project_id="P", name="示例", construction_completed_on=date(2026, 1, 5), acceptance_extended_to=date(2026, 9, 1)
    )
    clause = PACKS["SD"].clauses["SD-23a"]
    truth, due = check_in_time(project, clause, CALENDAR, date(2026, 8, 1))
    assert truth.value is True and due is not None and due.on == date(2026, 9, 1)
    assert check_in_time(project, clause, CALENDAR, date(2026, 9, 2))[0].value is False


@pytest.mark.parametrize(
    ("as_of", "due_on", "left"),
    [("2026-11-22", "2027-01-31", 70), ("2027-01-31", "2027-01-31", 0), ("2027-02-01", "2028-01-31", 364)],
)
def test_a_yearly_duty_of_the_office_shows_its_next_date(as_of: str, due_on: str, left: int) -> None:
    rows = build_office_deadlines([PACKS["SX19"], PACKS["SX17"]], "province", date.fromisoformat(as_of))
    (row,) = [r for r in rows if r.duty.clause_id == "SX17-3.2"]
    assert (row.project_id, row.status, str(row.duty.due_on), row.days_left) == (None, "due", due_on, left)


def yearly() -> Regulation:
    """Shandong with art. 16 alone."""
    return replace(PACKS["SD"], clauses={"SD-16": PACKS["SD"].clauses["SD-16"]})


@pytest.mark.parametrize(
    ("facts", "as_of", "expected"),
    [
        ({}, "2026-03-02", ("overdue", "2025-12-31")),
        ({"progress_reported_on": date(2025, 12, 20)}, "2026-03-02", ("due", "2026-12-31")),
        ({"progress_reported_on": date(2026, 2, 1)}, "2026-03-02", ("done_in_time", "2026-12-31")),
        ({"progress_reported_on": date(2026, 12, 1)}, "2026-12-31", ("done_in_time", "2026-12-31")),
        ({"progress_reported_on": date(2024, 12, 1)}, "2025-06-01", ("due", "2025-12-31")),
        ({"acceptance_completed_on": date(2026, 2, 1)}, "2026-03-02", ("overdue", "2025-12-31")),
        ({"acceptance_completed_on": date(2025, 11, 1)}, "2026-03-02", None),
    ],
)
def test_a_project_under_way_reports_every_year(
    facts: dict[str, date], as_of: str, expected: tuple[str, str] | None
) -> None:
    rows = measured(yearly(), date.fromisoformat(as_of), contract_signed_on=date(2025, 5, 1), **facts)
    assert [(r.status, str(r.duty.due_on)) for r in rows] == ([expected] if expected else [])


def test_a_project_that_began_this_year_owes_no_report_of_the_last_one() -> None:
    (row,) = measured(yearly(), date(2026, 3, 2), contract_signed_on=date(2026, 1, 5))
    assert (row.status, row.duty.due_on) == ("due", date(2026, 12, 31))
    assert measured(yearly(), date(2026, 3, 2)) == []


def test_a_clause_without_a_number_never_gets_a_date() -> None:
    for pack in PACKS.values():
        for event in EVENTS:
            for duty in build_duties(event, date(2026, 3, 2), [pack], CALENDAR, pack.level):
                deadline = pack.clauses[duty.clause_id].deadline
                assert deadline is not None
                assert (duty.due_on is None) == (deadline.n is None), duty.clause_id


def test_acts_without_a_number_are_counted_instead() -> None:
    projects = [
        Project(project_id="P-1", name="甲", acceptance_completed_on=SIGNED),
        Project(project_id="P-2", name="乙", acceptance_completed_on=SIGNED, acceptance_filed_on=LAST),
        Project(project_id="P-3", name="丙"),
    ]
    (duty,) = build_undated_duties(projects, [PACKS["SD"]], "province", date(2026, 3, 2))
    assert (duty.clause_id, duty.record, duty.projects) == ("SD-23b", "acceptance_filed_on", 1)


DAYS = st.none() | st.dates(date(2025, 6, 1), date(2026, 12, 31))
RECORD = ("contract_filed_on", "acceptance_applied_on", "acceptance_filed_on", "self_evaluated_on")
DATES = ("contract_signed_on", "construction_completed_on", "acceptance_completed_on", "in_use_on", *RECORD)


@given(st.fixed_dictionaries(dict.fromkeys(DATES, DAYS)), st.dates(date(2025, 6, 1), date(2028, 12, 31)))
def test_in_time_means_after_the_event_by_the_last_day_and_before_today(facts: dict[str, Any], as_of: date) -> None:
    rows = measured(list(PACKS.values()), as_of, **facts)
    for row in rows:
        known = row.happened_on is not None and row.duty.due_on is not None
        if row.status in ("done_in_time", "done_late"):
            assert known and row.done_on is not None and row.done_on <= as_of and not row.contradicts
            assert (row.done_on <= row.duty.due_on) == (row.status == "done_in_time")  # type: ignore[operator]
            assert row.happened_on is not None and row.done_on >= row.happened_on
        if row.status in ("due", "overdue"):
            assert known and row.days_left == (row.duty.due_on - as_of).days  # type: ignore[operator]
            assert (row.days_left < 0) == (row.status == "overdue")
        assert row.status != "undetermined" or row.missing
        assert (row.status == "contradictory") == bool(row.contradicts)
    # What was done later had not happened on that day. (An application after the acceptance is wrong on every day.)
    acts = set(RECORD) - {"acceptance_applied_on"}
    later = {name: None for name in acts if facts[name] is not None and facts[name] > as_of}
    assert measured(list(PACKS.values()), as_of, **{**facts, **later}) == rows


@given(st.dates(date(2026, 6, 1), date(2026, 12, 31)), st.integers(1, 40))
def test_counting_that_is_remembered_is_the_same(start: date, n: int) -> None:
    """One calendar serves thousands of projects."""
    assert CALENDAR.add_workdays(start, n) == CALENDAR.add_workdays(start, n) == counted_afresh(start, n)


def counted_afresh(start: date, n: int) -> DueDate:
    return WorkCalendar({y: c for y in range(2025, 2027) if (c := CALENDAR.year(y))}).add_workdays(start, n)
