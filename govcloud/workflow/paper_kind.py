"""A kind of paper: what `govcloud report` can write, and how it is filled from the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Literal, get_args

from govcloud.model.text import Text
from govcloud.report.document import Document
from govcloud.workflow.session import Session

KIND_IDS = (
    "estate", "findings", "networks", "requests", "zombies", "deadlines", "month", "audit", "migration-plan", "cutover", "approval",
    "rollback", "run-report", "verification", "acceptance", "switch-off", "handover-form",
)  # fmt: skip
"""Those of papers.KINDS, for the help and for shells: to fill in papers takes libraries that take a second to load."""
Form = Literal["docx", "html", "xlsx", "json"]
FORMS: tuple[Form, ...] = get_args(Form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a paper is about; None where the user named nothing."""

    wave: int | None = None
    run_id: str | None = None
    system_id: str | None = None
    handover_id: str | None = None
    department: str | None = None
    month: date | None = None
    """First day of it; by default the month of today in the office's time zone."""


Builder = Callable[[Scope], Document | Text]
"""Writes the paper of a scope, or says why there is nothing to write yet and which command changes that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    kind_id: str
    """Name for `--kind` and of the file: ASCII, words joined by hyphens."""
    title: Text
    about: Literal["estate", "month", "wave", "run", "takeover"]
    """What one paper of it is about. Of waves, runs and takeovers one is written for each that exists, unless the scope
    names one."""
    by_department: bool = False
    """Whether a department in the scope narrows it."""
    build: Callable[[Session, Scope], Document | Text]
    """The paper, or why there is nothing to write yet and which command changes that."""
    begin: Callable[[Session], Builder] | None = None
    """For kinds of which many papers rest on the same: reads that once for all of them."""

    def builder(self, session: Session) -> Builder:
        return self.begin(session) if self.begin else partial(self.build, session)
