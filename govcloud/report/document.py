"""A paper before it has a form: sections of text, forms, views, figures and headline numbers, and who signs it.

html.py and docx.py show all of it, document_text.py what a screen and a script can take.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from govcloud.model.text import Text
from govcloud.report.view import Cell, View

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
class FormRow:
    """One line of a form: labels, each with its value beside it."""

    fields: tuple[tuple[Text, Cell], ...]
    """One field over the whole width or two beside each other. None leaves room to write by hand; what is not known and is
    not asked for either is `text.UNKNOWN`."""
    lines: int = 1
    """Height at least, in lines of text: an opinion needs more room than a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature that the records hold."""

    name: str
    at: datetime | date
    note: Text | None = None
    """How it was given, as far as the reader can check it: by which key, in which record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Where one party puts its seal, names and date. What the records don't hold stays empty for the pen."""

    party: Text
    """What the party is in this paper: owner, builder, reviewing office."""
    unit: str | None = None
    people: tuple[Text, ...] = (Text("签字", "Signature"),)
    """A line for each person who signs for the party."""
    signed: Signed | None = None
    """Fills in the first line and the date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    section_id: str
    """Anchor in HTML: ASCII, unique in the document."""
    title: Text
    headed: bool = True
    """False: without heading and number, for a form that is the whole paper. The title still names it to a screen reader."""
    intro: Text | None = None
    """What the reader should know of the section: where it comes from, as of when."""
    paragraphs: tuple[Text, ...] = ()
    """The text of the section itself."""
    numbers: tuple[Number, ...] = ()
    form: tuple[FormRow, ...] = ()
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
    numbered: bool = False
    """Whether the form has a line for a document number. It is left empty: the office gives the number."""
    opening: tuple[Text, ...] = ()
    """Paragraphs before the first section; the first one names whom the paper is for."""
    closing: tuple[Text, ...] = ()
    """Paragraphs after the last section."""
    signatures: tuple[Signature, ...] = ()
    source: Text | None = None
    """The last line: version and ledger head, so that a paper copy can be matched to its records."""
