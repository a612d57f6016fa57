"""What the clauses want done by whom and when, and how the project records measure up to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from govcloud.model.regulation import Standing
from govcloud.model.text import Text

DueStatus = Literal["overdue", "due", "done_in_time", "done_late", "undetermined", "contradictory"]
OPEN: tuple[DueStatus, ...] = ("overdue", "due", "undetermined", "contradictory")
"""Something is still to be done: the act itself, or putting the record in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What must be done by whom after an event, by one clause."""

    clause_id: str
    standing: Standing
    actor: tuple[str, ...]
    """Role ids or local names; empty where the article names none."""
    recipients: tuple[str, ...]
    action: Text
    due_on: date | None
    """Last day. None: the clause gives no number."""
    earliest_on: date | None = None
    """First day of a range of months; an act before it does not count."""
    provisional: bool = False
    note: Text | None = None
    consequence: Text | None = None
    """As the clause states it; None where it states none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDeadline:
    """A dated duty, measured against the record: of one project, or of the office itself."""

    project_id: str | None
    """None: a duty of the office; the project records do not say whether it was done."""
    project_name: str
    department: str | None
    duty: Duty
    event: str
    """One of deadlines.EVENTS, or `every_year`."""
    happened_on: date | None
    done_on: date | None
    status: DueStatus
    days_left: int | None
    """Calendar days to the last day; negative: overdue by so many. None once done."""
    record: str | None = None
    """Field of Project that holds the day of the act."""
    extended_from: date | None = None
    """Last day by the clause alone, where an extension was granted; `duty.due_on` is the extended one."""
    not_filed_with: tuple[str, ...] = ()
    """Recipients (role ids) that are not among the offices of the record: filed with the others only is not done."""
    recipients_unknown: bool = False
    """Filed, with several recipients, and the record does not say with whom: judged by the day alone."""
    too_early: bool = False
    """The act is dated before `duty.earliest_on` and does not count."""
    missing: tuple[str, ...] = ()
    """Fields of Project that have to become known before there is a verdict."""
    contradicts: tuple[tuple[str, date], ...] = ()
    """Field and day, in pairs: the first of a pair is dated before the second, which must come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndatedDuty:
    """A recorded act that a clause demands without giving a number of days, and how many projects lack it."""

    clause_id: str
    standing: Standing
    action: Text
    record: str
    projects: int
