"""Who must do what by when. Every number comes from a clause; where the text gives none, there is no date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from govcloud.compliance.calendar import DueDate, WorkCalendar, add_months
from govcloud.compliance.conditions import Truth
from govcloud.model.deadline import DueStatus, Duty, ProjectDeadline
from govcloud.model.inventory import Project
from govcloud.model.regulation import Clause, Deadline, Level, Regulation, Standing

EVENTS: dict[str, tuple[str, ...]] = {
    "contract_signed": ("contract_signed_on",),
    "supervisor_chosen": (),
    "construction_completed": ("construction_completed_on",),
    "acceptance_completed": ("acceptance_completed_on",),
    "accepted_and_in_use": ("acceptance_completed_on", "in_use_on"),
    "budget_year_ended": (),
    "material_change": (),
    "security_incident": (),
}
"""Event -> fields of Project that date it, all of which must have happened. Empty: projects do not record it."""


def standing(clauses: Iterable[Clause], level: Level) -> Standing:
    """Binding when one of the clauses reaches this level of government by its own words."""
    return "binding" if any(level in clause.reaches for clause in clauses) else "reference"


def compute_due(deadline: Deadline, start: date, calendar: WorkCalendar) -> DueDate | None:
    """The last day after an event; None where the clause gives no number for one."""
    if deadline.n is None:
        return None
    if deadline.unit == "workday":
        return calendar.add_workdays(start, deadline.n)
    if deadline.unit == "month":
        return DueDate(add_months(start, deadline.n), False)
    return None


def build_duties(
    event: str, on: date, packs: Sequence[Regulation], calendar: WorkCalendar, level: Level
) -> tuple[Duty, ...]:
    """What the packs in force on that day demand after the event; those without a day come last."""
    duties = [
        _duty(clause, on, calendar, level)
        for pack in packs
        if pack.in_force(on)
        for clause in pack.clauses.values()
        if clause.deadline is not None and clause.deadline.event == event
    ]
    return tuple(sorted(duties, key=lambda d: (d.standing, d.due_on or date.max, d.clause_id)))


def _duty(clause: Clause, on: date, calendar: WorkCalendar, level: Level) -> Duty:
    deadline = clause.deadline or Deadline()
    due = compute_due(deadline, on, calendar)
    earliest = add_months(on, deadline.n_min) if deadline.n_min is not None and deadline.unit == "month" else None
    return Duty(
        clause_id=clause.clause_id,
        standing=standing((clause,), level),
        actor=clause.who,
        recipients=clause.to,
        action=clause.obligation,
        due_on=due.on if due else None,
        earliest_on=earliest,
        provisional=bool(due and due.provisional),
        note=clause.deadline_note,
    )


def happened_on(project: Project, event: str) -> date | None:
    """The day of the event in the project's record: of several dates the last. None while one is unknown."""
    days: list[date | None] = [getattr(project, name) for name in EVENTS.get(event, ())]
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def build_project_deadlines(
    projects: Iterable[Project], packs: Sequence[Regulation], calendar: WorkCalendar, level: Level, as_of: date
) -> tuple[ProjectDeadline, ...]:
    """Every dated duty of every project whose event has happened or whose act is recorded, the most urgent first.

    Acts and events after `as_of` have not happened yet. An act without the date of its event is `undetermined`.
    """
    found = [
        row
        for project in projects
        for pack in packs
        for clause in pack.clauses.values()
        if (row := _project_deadline(project, pack, clause, calendar, level, as_of)) is not None
    ]
    order: dict[DueStatus, int] = {"overdue": 0, "due": 1, "undetermined": 2, "done_late": 3, "done_in_time": 4}
    return tuple(sorted(found, key=lambda r: (order[r.status], r.duty.due_on or date.max, r.project_id)))


def _project_deadline(
    project: Project, pack: Regulation, clause: Clause, calendar: WorkCalendar, level: Level, as_of: date
) -> ProjectDeadline | None:
    deadline = clause.deadline
    if deadline is None or deadline.event is None or deadline.record is None or deadline.n is None:
        return None
    start = happened_on(project, deadline.event)
    done: date | None = getattr(project, deadline.record)
    done = done if done is not None and done <= as_of else None
    if start is None or start > as_of:
        if done is None:
            return None
        start = None
    elif not pack.in_force(start):
        return None
    duty = _duty(clause, start, calendar, level) if start else _undated(clause, level)
    status = _status(duty.due_on, done, as_of)
    return ProjectDeadline(
        project_id=project.project_id,
        project_name=project.name,
        department=project.department,
        duty=duty,
        event=deadline.event,
        happened_on=start,
        done_on=done,
        status=status,
        days_left=(duty.due_on - as_of).days if duty.due_on and done is None else None,
    )


def _undated(clause: Clause, level: Level) -> Duty:
    return Duty(
        clause_id=clause.clause_id,
        standing=standing((clause,), level),
        actor=clause.who,
        recipients=clause.to,
        action=clause.obligation,
        due_on=None,
    )


def _status(due_on: date | None, done_on: date | None, as_of: date) -> DueStatus:
    if due_on is None:
        return "undetermined"
    if done_on is not None:
        return "done_in_time" if done_on <= due_on else "done_late"
    return "due" if as_of <= due_on else "overdue"


def check_in_time(
    project: Project, clause: Clause, calendar: WorkCalendar, as_of: date
) -> tuple[Truth, DueDate | None]:
    """Whether the act was done by its last day or may still be; unknown while the day of the event is unknown."""
    deadline = clause.deadline or Deadline()
    fields = EVENTS.get(deadline.event or "", ())
    used = frozenset({*fields, deadline.record or ""}) - {""}
    start = happened_on(project, deadline.event or "")
    if start is None:
        return Truth(None, frozenset(f for f in fields if getattr(project, f) is None), used), None
    due = compute_due(deadline, start, calendar)
    done: date | None = getattr(project, deadline.record) if deadline.record else None
    done = done if done is not None and done <= as_of else None
    return Truth(_status(due.on if due else None, done, as_of) in ("due", "done_in_time"), used=used), due
