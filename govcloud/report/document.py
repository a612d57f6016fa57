"""A report before it has a form: sections of views, figures and headline numbers. html.py gives it one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from govcloud.model.text import Text
from govcloud.report.view import View

Tone = Literal["good", "warn", "bad", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One headline number of the overview. The tone colours it; `note` says the same in words."""

    label: Text
    value: int | None
    """None = not known yet."""
    unit: Text | None = None
    note: Text | None = None
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing. The SVG is given per language, because its labels are text, too."""

    title: Text
    svg: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    section_id: str
    """Anchor in HTML: ASCII, unique in the document."""
    title: Text
    intro: Text | None = None
    numbers: tuple[Number, ...] = ()
    figures: tuple[Figure, ...] = ()
    views: tuple[View, ...] = ()
    missing: Text | None = None
    """What is not there yet and which command makes it; shown in place of the content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    title: Text
    office: str
    made_at: datetime
    """UTC; shown in `timezone`."""
    timezone: str
    """IANA name, as in the settings."""
    made_by: str
    """Who ran the command."""
    sections: tuple[Section, ...]
    notice: Text | None = None
    """One line under the title: what the data is (sample, provisional)."""
    source: Text | None = None
    """The last line: version and ledger head, so that a paper copy can be matched to its records."""
