"""What the clauses want done by whom and when, and how the project records measure up to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from govcloud.model.regulation import Standing
from govcloud.model.text import Text

DueStatus = Literal["overdue", "due", "done_in_time", "done_late", "undetermined"]


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
    provisional: bool = False
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDeadline:
    """A duty of one project whose event has happened, measured against the record."""

    project_id: str
    project_name: str
    department: str | None
    duty: Duty
    event: str
    happened_on: date | None
    done_on: date | None
    status: DueStatus
    days_left: int | None
    """Calendar days to the last day; negative: overdue by so many. None once done."""
