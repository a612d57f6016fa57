"""The dated duties of every project, measured against its record. Pure: the same records and day give the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.deadlines import (
    EVENTS,
    EXTENDED,
    build_duty,
    counted_act,
    find_contradictions,
    happened_on,
    standing,
)
from govcloud.model.deadline import DueStatus, Duty, ProjectDeadline, UndatedDuty
from govcloud.model.inventory import Project
from govcloud.model.regulation import Clause, Deadline, Level, Regulation

EVERY_YEAR = "every_year"
_ORDER: dict[DueStatus, int] = {
    "overdue": 0, "due": 1, "undetermined": 2, "contradictory": 3, "done_late": 4, "done_in_time": 5,
}  # fmt: skip
_TRACES = {"contract_signed": ("contract_number",)}
"""Event -> fields besides its act that show that it has happened, whatever its day."""
_FILED_WITH = {"contract_filed_on": "contract_filed_with"}
"""Record -> field that names the offices that it was filed with."""


@dataclass(frozen=True, slots=True)
class _Measure:
    """A clause with a recorded act and a number, and the duties that it made: one a day of the event."""

    pack: Regulation
    clause: Clause
    event: str
    record: str
    fields: tuple[str, ...]
    traces: tuple[str, ...]
    extension: str | None
    filed_with: str | None
    used: frozenset[str]
    duties: dict[date | None, Duty] = field(default_factory=dict)

    def duty(self, start: date | None, calendar: WorkCalendar, level: Level) -> Duty:
        if start not in self.duties:
            self.duties[start] = build_duty(self.clause, start, calendar, level)
        return self.duties[start]


def build_project_deadlines(
    projects: Iterable[Project], packs: Sequence[Regulation], calendar: WorkCalendar, level: Level, as_of: date
) -> tuple[ProjectDeadline, ...]:
    """Every dated duty of every project whose event has happened or whose act is recorded, the most urgent first.

    Acts and events after `as_of` have not happened yet. An act without the day of its event is `undetermined`, dates
    that can't be in this order are `contradictory`, and neither is ever in time.
    """
    measures = list(_measures(packs))
    yearly = [(p, c) for p in packs for c in p.clauses.values() if _is_yearly(c) and c.deadline and c.deadline.record]
    found: list[ProjectDeadline] = []
    events = {measure.event for measure in measures}
    for project in projects:
        contradictions = find_contradictions(project, as_of)
        starts = {event: happened_on(project, event) for event in events}
        for measure in measures:
            row = _measured(project, measure, starts[measure.event], contradictions, calendar, level, as_of)
            if row is not None:
                found.append(row)
        for pack, clause in yearly:
            row = _reported_yearly(project, pack, clause, level, as_of)
            if row is not None:
                found.append(row)
    return sort_deadlines(found)


def sort_deadlines(rows: Iterable[ProjectDeadline]) -> tuple[ProjectDeadline, ...]:
    return tuple(
        sorted(
            rows,
            key=lambda r: (_ORDER[r.status], r.duty.due_on or date.max, r.project_id or "", r.duty.clause_id),
        )
    )


def build_office_deadlines(packs: Sequence[Regulation], level: Level, as_of: date) -> tuple[ProjectDeadline, ...]:
    """The next date of each yearly duty that no project records: nobody here knows whether this year's was done."""
    found = []
    for pack in packs:
        for clause in pack.clauses.values():
            if not _is_yearly(clause) or (clause.deadline and clause.deadline.record):
                continue
            due = next(d for y in (0, 1) if (d := _year_day(clause, as_of.year + y)) >= as_of)
            if pack.in_force(due):
                found.append(_yearly_row(None, clause, level, as_of, due_on=due, begun=None, done=None))
    return sort_deadlines(found)


def build_undated_duties(
    projects: Sequence[Project], packs: Sequence[Regulation], level: Level, as_of: date
) -> tuple[UndatedDuty, ...]:
    """Recorded acts without a number of days whose event has happened in some project that has not recorded the act."""
    found = []
    for pack in packs:
        for clause in pack.clauses.values():
            deadline = clause.deadline
            if deadline is None or not deadline.event or not deadline.record or deadline.n is not None:
                continue
            lacking = 0
            for project in projects:
                start = happened_on(project, deadline.event)
                if start is not None and start <= as_of and pack.in_force(start):
                    lacking += counted_act(getattr(project, deadline.record), None, as_of) is None
            if lacking:
                found.append(
                    UndatedDuty(
                        clause_id=clause.clause_id, standing=standing((clause,), level), action=clause.obligation,
                        record=deadline.record, projects=lacking,
                    )
                )  # fmt: skip
    return tuple(found)


def _measures(packs: Sequence[Regulation]) -> Iterator[_Measure]:
    for pack in packs:
        for clause in pack.clauses.values():
            deadline = clause.deadline
            if deadline is None or deadline.event is None or deadline.record is None or deadline.n is None:
                continue
            fields, extension = EVENTS[deadline.event], EXTENDED.get(deadline.record)
            yield _Measure(
                pack, clause, deadline.event, deadline.record, fields, _TRACES.get(deadline.event, ()), extension,
                _FILED_WITH.get(deadline.record), frozenset({*fields, deadline.record}),
            )  # fmt: skip


def _measured(
    project: Project,
    measure: _Measure,
    start: date | None,
    contradictions: tuple[tuple[str, str], ...],
    calendar: WorkCalendar,
    level: Level,
    as_of: date,
) -> ProjectDeadline | None:
    recorded: date | None = getattr(project, measure.record)
    done = recorded if recorded is not None and recorded <= as_of else None
    if start is None:
        return _without_start(project, measure, done, calendar, level, as_of)
    if start > as_of and done is None:
        return None
    if not measure.pack.in_force(start):
        return None
    duty = measure.duty(start, calendar, level)
    against = contradictions and [pair for pair in contradictions if measure.used.intersection(pair)]
    if against:
        told = [(name, getattr(project, name)) for first, second in against for name in (second, first)]
        return _row(project, measure, duty, start, done, status="contradictory", contradicts=tuple(told))
    extended_from = None
    extended: date | None = getattr(project, measure.extension) if measure.extension else None
    if extended is not None and duty.due_on is not None and extended > duty.due_on:
        extended_from, duty = duty.due_on, replace(duty, due_on=extended, provisional=False)
    if duty.due_on is None:
        return _row(project, measure, duty, start, done, status="undetermined")
    act = counted_act(done, duty.earliest_on, as_of)
    offices: tuple[str, ...] = getattr(project, measure.filed_with) if measure.filed_with else ()
    lacking = _not_filed_with(duty.recipients, offices) if act and offices else ()
    if act is None or lacking:
        return _row(
            project, measure, duty, start, done, status="due" if as_of <= duty.due_on else "overdue",
            days_left=(duty.due_on - as_of).days, extended_from=extended_from, not_filed_with=lacking,
            too_early=act is None and done is not None,
        )  # fmt: skip
    return _row(
        project, measure, duty, start, done, status="done_in_time" if act <= duty.due_on else "done_late",
        extended_from=extended_from,
        recipients_unknown=bool(measure.filed_with) and not offices and len(duty.recipients) > 1,
    )  # fmt: skip


def _row(
    project: Project, measure: _Measure, duty: Duty, start: date | None, done: date | None, *, status: DueStatus,
    days_left: int | None = None, extended_from: date | None = None, not_filed_with: tuple[str, ...] = (),
    recipients_unknown: bool = False, too_early: bool = False, missing: tuple[str, ...] = (),
    contradicts: tuple[tuple[str, date], ...] = (),
) -> ProjectDeadline:  # fmt: skip
    return ProjectDeadline(
        project_id=project.project_id, project_name=project.name, department=project.department, duty=duty,
        event=measure.event, happened_on=start, done_on=done, status=status, days_left=days_left, record=measure.record,
        extended_from=extended_from, not_filed_with=not_filed_with, recipients_unknown=recipients_unknown,
        too_early=too_early, missing=missing, contradicts=contradicts,
    )  # fmt: skip


def _without_start(
    project: Project, measure: _Measure, done: date | None, calendar: WorkCalendar, level: Level, as_of: date
) -> ProjectDeadline | None:
    """The event has left traces, but not its day: nobody can count from it."""
    days = [(name, getattr(project, name)) for name in measure.fields]
    begun = any(day is not None and day <= as_of for _, day in days)
    if done is None and not begun and not any(getattr(project, name) for name in measure.traces):
        return None
    missing = tuple(name for name, day in days if day is None)
    return _row(
        project, measure, measure.duty(None, calendar, level), None, done, status="undetermined", missing=missing
    )  # fmt: skip


def _not_filed_with(recipients: Sequence[str], offices: Sequence[str]) -> tuple[str, ...]:
    """Recipients that none of the recorded offices can be. A finance bureau has 财政 in its name; every other office is
    taken for the authority, whose name changes with each reform. Without any office named nothing is said."""
    if not offices:
        return ()
    finance = ["财政" in office for office in offices]
    return tuple(role for role in recipients if not (any(finance) if role == "finance" else not all(finance)))


def _is_yearly(clause: Clause) -> bool:
    return clause.deadline is not None and clause.deadline.unit == "yearly" and clause.deadline.month_day is not None


def _year_day(clause: Clause, year: int) -> date:
    month, day = ((clause.deadline or Deadline()).month_day or "12-31").split("-")
    return date(year, int(month), int(day))


def _reported_yearly(
    project: Project, pack: Regulation, clause: Clause, level: Level, as_of: date
) -> ProjectDeadline | None:
    """A report that is due every year while the project is under way, from contract or approval to acceptance.

    The record holds the last report only: one that is later than a year's last day says nothing of that year.
    """
    begun = project.contract_signed_on or project.approved_on
    if begun is None or begun > as_of:
        return None
    ended = project.acceptance_completed_on
    recorded: date | None = getattr(project, (clause.deadline or Deadline()).record or "")
    done = counted_act(recorded, None, as_of)
    this = _year_day(clause, as_of.year)
    last, coming = (
        (this, _year_day(clause, as_of.year + 1)) if this < as_of else (_year_day(clause, as_of.year - 1), this)
    )
    before_last = _year_day(clause, last.year - 1)

    def owed(day: date) -> bool:
        return begun <= day and (ended is None or ended > min(day, as_of)) and pack.in_force(day)

    def row(due_on: date) -> ProjectDeadline:
        return _yearly_row(project, clause, level, as_of, due_on=due_on, begun=begun, done=done)

    if owed(last) and (done is None or done <= before_last):
        return replace(row(last), status="overdue")
    if not owed(coming):
        return (
            replace(row(last), status="done_in_time", days_left=None) if owed(last) and done and done <= last else None
        )
    reported = done is not None and done > last
    return replace(row(coming), status="done_in_time", days_left=None) if reported else row(coming)


def _yearly_row(
    project: Project | None, clause: Clause, level: Level, as_of: date, *, due_on: date, begun: date | None,
    done: date | None,
) -> ProjectDeadline:  # fmt: skip
    duty = Duty(
        clause_id=clause.clause_id, standing=standing((clause,), level), actor=clause.who, recipients=clause.to,
        action=clause.obligation, due_on=due_on, note=clause.deadline_note, consequence=clause.consequence,
    )  # fmt: skip
    return ProjectDeadline(
        project_id=project.project_id if project else None, project_name=project.name if project else "",
        department=project.department if project else None, duty=duty, event=EVERY_YEAR, happened_on=begun,
        done_on=done, status="due", days_left=(due_on - as_of).days,
        record=clause.deadline.record if clause.deadline else None,
    )  # fmt: skip
