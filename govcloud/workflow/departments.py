"""Departments for the dashboard: what each has, and what is wrong there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from govcloud.model.overlap import DepartmentRow
from govcloud.model.regulation import Severity
from govcloud.workflow.kept import Kept, kept
from govcloud.workflow.lists import count_findings
from govcloud.workflow.overlap import list_departments
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentStory:
    rows: tuple[DepartmentRow, ...]
    """The department, then its offices."""
    findings: Mapping[Severity, int]
    """What fails, binds and is not waived."""


def read_departments(session: Session) -> Kept[tuple[DepartmentRow, ...]]:
    """Raises UsageError before the first import."""
    return kept(session, "departments", list_departments, patient=True)


def read_department(session: Session, name: str) -> DepartmentStory | None:
    """None where nothing in the inventory is that department's."""
    rows = tuple(r for r in read_departments(session).value if r.department == name)
    return DepartmentStory(rows=rows, findings=count_findings(session).get(name, {})) if rows else None
