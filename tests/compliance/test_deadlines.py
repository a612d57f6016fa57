"""Who must do what by when, in four jurisdictions; the same project under each."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.deadlines import build_duties
from govcloud.compliance.load import load_packs
from govcloud.compliance.project_deadlines import build_project_deadlines
from govcloud.model.deadline import ProjectDeadline
from govcloud.model.inventory import Project


@pytest.mark.parametrize(
    ("pack_id", "event", "on", "clause_id", "actor", "to", "due_on"),
    [
        ("SX19", "contract_signed", "2026-09-28", "SX19-18", "owner", ("authority",), "2026-10-10"),
        ("JC22", "contract_signed", "2026-09-28", "JC22-18", "owner", ("authority", "finance"), "2026-10-10"),
        ("JN19", "contract_signed", "2026-09-28", "JN19-15", "owner", ("authority",), "2026-10-10"),
        ("SD", "contract_signed", "2026-09-28", "SD-13", "owner", ("authority",), "2026-10-10"),
        ("SX19", "acceptance_completed", "2026-09-18", "SX19-25", "owner", ("authority",), "2026-11-05"),
        ("JN19", "acceptance_completed", "2026-09-18", "JN19-21a", "owner", ("authority",), "2026-09-29"),
        ("SD", "acceptance_completed", "2026-09-18", "SD-23b", "acceptance_organiser", ("authority",), None),
        ("SD", "construction_completed", "2026-11-30", "SD-23a", "owner", ("approver",), "2027-02-28"),
        ("SD", "accepted_and_in_use", "2026-01-10", "SD-24", "owner", ("authority",), "2028-01-10"),
    ],
)
def test_one_duty_a_jurisdiction(
    regulations: Path, calendar: WorkCalendar, pack_id: str, event: str, on: str, clause_id: str, actor: str,
    to: tuple[str, ...], due_on: str | None,
) -> None:  # fmt: skip
    packs = load_packs(regulations, [pack_id])
    duties = build_duties(event, date.fromisoformat(on), packs, calendar, packs[0].level)
    duty = next(d for d in duties if d.clause_id == clause_id)
    assert (duty.actor, duty.recipients, duty.standing) == ((actor,), to, "binding")
    assert (duty.due_on.isoformat() if duty.due_on else None) == due_on
    assert len([d for d in duties if d.due_on]) == (due_on is not None)


def test_the_range_of_the_self_evaluation_has_a_first_day(regulations: Path, calendar: WorkCalendar) -> None:
    packs = load_packs(regulations, ["SD"])
    (duty,) = build_duties("accepted_and_in_use", date(2026, 1, 10), packs, calendar, "province")
    assert (duty.earliest_on, duty.due_on) == (date(2027, 1, 10), date(2028, 1, 10))


def test_a_higher_level_clause_is_for_reference(regulations: Path, calendar: WorkCalendar) -> None:
    packs = load_packs(regulations, ["JN19", "SX19"])
    duties = build_duties("contract_signed", date(2026, 3, 2), packs, calendar, "city")
    assert [(d.clause_id, d.standing) for d in duties] == [("JN19-15", "binding"), ("SX19-18", "reference")]


def deadlines(regulations: Path, calendar: WorkCalendar, as_of: str, **facts: object) -> list[ProjectDeadline]:
    packs = load_packs(regulations, ["SX19"])
    project = Project(project_id="P-1", name="示例项目", **facts)  # type: ignore[arg-type]
    return list(build_project_deadlines([project], packs, calendar, "province", date.fromisoformat(as_of)))


@pytest.mark.parametrize(
    ("as_of", "filed", "status", "days_left"),
    [
        ("2026-02-11", None, "due", 13),
        ("2026-02-24", None, "due", 0),
        ("2026-02-25", None, "overdue", -1),
        ("2026-03-02", date(2026, 2, 24), "done_in_time", None),
        ("2026-03-02", date(2026, 2, 25), "done_late", None),
        ("2026-02-11", date(2026, 2, 24), "due", 13),
    ],
)
def test_a_contract_signed_before_the_spring_festival(
    regulations: Path, calendar: WorkCalendar, as_of: str, filed: date | None, status: str, days_left: int | None
) -> None:
    (row,) = deadlines(regulations, calendar, as_of, contract_signed_on=date(2026, 2, 10), contract_filed_on=filed)
    assert (row.status, row.days_left, row.duty.due_on) == (status, days_left, date(2026, 2, 24))


def test_an_act_without_the_day_of_its_event_is_undetermined(regulations: Path, calendar: WorkCalendar) -> None:
    (row,) = deadlines(regulations, calendar, "2026-03-02", acceptance_filed_on=date(2026, 2, 2))
    assert (row.status, row.duty.clause_id, row.duty.due_on) == ("undetermined", "SX19-25", None)


def test_what_has_not_happened_has_no_clock(regulations: Path, calendar: WorkCalendar) -> None:
    assert deadlines(regulations, calendar, "2026-03-02") == []
    assert deadlines(regulations, calendar, "2026-03-02", contract_signed_on=date(2026, 4, 1)) == []


def test_a_contract_older_than_the_measures_is_not_measured_by_them(regulations: Path, calendar: WorkCalendar) -> None:
    assert deadlines(regulations, calendar, "2026-03-02", contract_signed_on=date(2019, 9, 3)) == []


def test_a_deadline_into_the_unpublished_year_says_so(regulations: Path, calendar: WorkCalendar) -> None:
    (row,) = deadlines(regulations, calendar, "2026-12-01", acceptance_completed_on=date(2026, 11, 20))
    assert row.duty.provisional
    assert row.status == "due"


def test_the_most_urgent_comes_first(regulations: Path, calendar: WorkCalendar) -> None:
    rows = deadlines(
        regulations, calendar, "2026-03-02", contract_signed_on=date(2025, 6, 2), contract_filed_on=date(2025, 6, 3),
        acceptance_completed_on=date(2025, 12, 1),
    )  # fmt: skip
    assert [r.status for r in rows] == ["overdue", "done_in_time"]
