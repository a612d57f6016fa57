"""What witnesses said: facts with their source, place and time, before anybody has decided who is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from govcloud.model.text import Text

SubjectKind = Literal["department", "system", "server", "network", "dependency", "project", "tenant"]
Scalar = str | int | float | bool | None
Value = Scalar | tuple[Scalar, ...]
Source = Literal[
    "person", "run", "workbook", "ssh", "openstack", "ec2", "ansible",
    "rvtools", "aws_ads", "azure_migrate", "google_mc", "konveyor", "netbox",
]  # fmt: skip
"""Kinds of witness: a person who confirmed, a migration that was carried out, a survey form, a host, a cloud, an export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One fact about one subject, with where it was read and when: one field of a Statement."""

    subject_kind: SubjectKind
    subject_id: str
    field: str
    """Name of a field of the subject's dataclass below."""
    value: Value
    source: str
    """A Source; precedence is decided by it."""
    locator: str
    """Where exactly: `普查表.xlsx!系统!C7`, `ssh://oa-01/probe/os`."""
    observed_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one witness said of one subject in one place at one time. Statements are never changed or deleted."""

    subject_kind: SubjectKind
    subject_id: str
    """The witness's own id for it: the merge decides which ids mean the same thing."""
    source: str
    """A Source."""
    place: str
    """What the cells are in, with its separator: `普查表.xlsx!系统!`, `ssh://oa-01/`, `openstack://cloud/project/`."""
    observed_at: datetime
    """UTC."""
    values: Mapping[str, Value]
    """Field of the subject's dataclass -> value; what was not said is left out. Dates are ISO text, nouns are lines (facts.py)."""
    cells: Mapping[str, str] = field(default_factory=dict)
    """Field -> where in the place: `C7`, `probe/os`; fields that are not named were read from the place as a whole."""
    unknown: Mapping[str, Text] = field(default_factory=dict)
    """Field -> why this witness, who was asked, could not say: a missing command or right."""

    def locator(self, name: str) -> str:
        return self.place + self.cells.get(name, "")

    def observation(self, name: str) -> Observation:
        return Observation(
            subject_kind=self.subject_kind, subject_id=self.subject_id, field=name, value=self.values[name],
            source=self.source, locator=self.locator(name), observed_at=self.observed_at,
        )  # fmt: skip

    def witness_of(self, name: str) -> Observation:
        """The observation that a shown field was taken from: links between servers are read from their connections."""
        return self.observation(name if name in self.values else "connections")
