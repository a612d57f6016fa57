"""Who must do what by when. Every number comes from a clause; where the text gives none, there is no date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from govcloud.compliance.calendar import DueDate, WorkCalendar, add_months
from govcloud.compliance.conditions import Truth
from govcloud.model.deadline import Duty
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
EXTENDED = {"acceptance_applied_on": "acceptance_extended_to"}
"""Record -> field with the last day after an extension; SD-23a alone has one."""
_ORDER = (
    ("contract_signed_on", "contract_filed_on"),
    ("construction_completed_on", "acceptance_applied_on"),
    ("construction_completed_on", "acceptance_completed_on"),
    ("acceptance_applied_on", "acceptance_completed_on"),
    ("initial_accepted_on", "acceptance_completed_on"),
    ("acceptance_completed_on", "acceptance_filed_on"),
    ("acceptance_completed_on", "self_evaluated_on"),
)
"""What can't have happened before what. In use before acceptance is a trial, and no contradiction."""


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
        build_duty(clause, on, calendar, level)
        for pack in packs
        if pack.in_force(on)
        for clause in pack.clauses.values()
        if clause.deadline is not None and clause.deadline.event == event
    ]
    return tuple(sorted(duties, key=lambda d: (d.standing, d.due_on or date.max, d.clause_id)))


def build_duty(clause: Clause, on: date | None, calendar: WorkCalendar, level: Level) -> Duty:
    """`on`: the day of the event; without it the duty has no date."""
    deadline = clause.deadline or Deadline()
    due = compute_due(deadline, on, calendar) if on else None
    return Duty(
        clause_id=clause.clause_id,
        standing=standing((clause,), level),
        actor=clause.who,
        recipients=clause.to,
        action=clause.obligation,
        due_on=due.on if due else None,
        earliest_on=first_day(deadline, on) if on else None,
        provisional=bool(due and due.provisional),
        note=clause.deadline_note,
        consequence=clause.consequence,
    )


def first_day(deadline: Deadline, start: date) -> date | None:
    """Of a range of months; None where the clause gives none."""
    return add_months(start, deadline.n_min) if deadline.n_min is not None and deadline.unit == "month" else None


def happened_on(project: Project, event: str) -> date | None:
    """The day of the event in the project's record: of several dates the last. None while one is unknown."""
    days: list[date | None] = [getattr(project, name) for name in EVENTS.get(event, ())]
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def find_contradictions(project: Project, as_of: date) -> tuple[tuple[str, str], ...]:
    """(field, field) pairs of the record of which the second is dated before the first, although it must come later."""
    found = []
    for first, second in _ORDER:
        later = getattr(project, second)
        if later is not None and later <= as_of:
            earlier = getattr(project, first)
            if earlier is not None and later < earlier:
                found.append((first, second))
    return tuple(found)


def counted_act(done_on: date | None, earliest_on: date | None, as_of: date) -> date | None:
    """The day of the act, where it has happened by then and not before its first day."""
    if done_on is None or done_on > as_of or (earliest_on is not None and done_on < earliest_on):
        return None
    return done_on


def check_in_time(
    project: Project, clause: Clause, calendar: WorkCalendar, as_of: date
) -> tuple[Truth, DueDate | None]:
    """Whether the act was done by its last day or may still be.

    Unknown while the day of the event is unknown, and while the record contradicts itself about these days. With whom
    it was filed is a rule of its own.
    """
    deadline = clause.deadline or Deadline()
    fields = EVENTS.get(deadline.event or "", ())
    extension = EXTENDED.get(deadline.record or "")
    used = frozenset({*fields, deadline.record or "", extension or ""}) - {""}
    start = happened_on(project, deadline.event or "")
    if start is None:
        return Truth(None, frozenset(f for f in fields if getattr(project, f) is None), used), None
    due = compute_due(deadline, start, calendar)
    contradicting = [pair for pair in find_contradictions(project, as_of) if used.intersection(pair)]
    if contradicting:
        return Truth(None, frozenset(f for pair in contradicting for f in pair), used), due
    if due is None:
        return Truth(False, used=used), None
    if extension and (extended := getattr(project, extension)) is not None and extended > due.on:
        due = DueDate(extended, False)
    done: date | None = getattr(project, deadline.record) if deadline.record else None
    act = counted_act(done, first_day(deadline, start), as_of)
    return Truth((act or as_of) <= due.on, used=used), due
