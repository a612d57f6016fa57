"""A document on a screen, and as one JSON object for other programs: the same sections, forms and tables as on paper."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from govcloud.model.text import Lang, Text, same
from govcloud.report.document import Document, Section
from govcloud.report.frame import COLON, FRAME, made_at, part_titles, section_numbers, signature_lines
from govcloud.report.text import UNKNOWN, cell_text, render_json, render_text
from govcloud.report.view import Cell, Column, View


def build_document_views(document: Document) -> tuple[View, ...]:
    """All that has the form of a table, for a workbook and for CSV: numbers and forms as two columns."""
    views: list[View] = []
    for section in document.sections:
        if section.numbers:
            rows = tuple({"label": n.label, "value": n.value, "unit": n.unit, "note": n.note} for n in section.numbers)
            views.append(View(name=f"{section.section_id}_numbers", title=section.title, columns=_NUMBERS, rows=rows))
        if section.form:
            pairs: tuple[Mapping[str, Cell], ...] = tuple(
                {"label": label, "value": value} for row in section.form for label, value in row.fields
            )
            views.append(View(name=f"{section.section_id}_form", title=section.title, columns=_FORM, rows=pairs))
        views += section.views
    return tuple(views)


_FORM = (Column("label", Text("项目", "Item")), Column("value", Text("内容", "Value")))
_NUMBERS = (
    Column("label", Text("指标", "Number of")), Column("value", Text("数值", "Value"), "right"), Column("unit", Text("单位", "Unit")),
    Column("note", Text("说明", "Note")),
)  # fmt: skip


def render_document_text(document: Document, lang: Lang) -> str:
    return cell_text("\n".join(_lines(document, lang)), lang) + "\n"


def _lines(document: Document, lang: Lang) -> Iterator[str]:
    colon = COLON.to(lang)
    tz = ZoneInfo(document.timezone)
    yield f"# {document.title.to(lang)}"
    yield f"{document.office}　{FRAME['made_at'].to(lang)} {made_at(document.made_at, document.timezone, lang)}"
    yield from (text.to(lang) for text in (document.notice, *document.opening) if text)
    for section, number in zip(document.sections, section_numbers(document, lang), strict=True):
        if section.headed:
            yield f"\n{number}{section.title.to(lang)}"
        yield from _section(section, lang, document.timezone)
    yield from (text.to(lang) for text in document.closing)
    for signature in document.signatures:
        yield f"\n{signature.party.to(lang)}"
        yield from (f"{label}{colon}{value}" for label, value in signature_lines(signature, lang, tz))
    if document.source:
        yield f"\n{document.source.to(lang)}"


def _section(section: Section, lang: Lang, timezone: str) -> Iterator[str]:
    colon = COLON.to(lang)
    tz = ZoneInfo(timezone)
    yield from (text.to(lang) for text in (section.intro, *section.paragraphs) if text)
    for number in section.numbers:
        unit = number.unit.to(lang) if number.unit and number.value is not None else ""
        unit = f" {unit}" if unit else ""
        note = f"　{number.note.to(lang)}" if number.note else ""
        yield f"{number.label.to(lang)}{colon}{UNKNOWN if number.value is None else number.value}{unit}{note}"
    for row in section.form:
        yield "　".join(
            f"{label.to(lang)}{colon}{'' if value is None else cell_text(value, lang, tz)}"
            for label, value in row.fields
        )
    titles = part_titles(section, lang)[len(section.figures) :]
    for view, title in zip(section.views, titles, strict=True):
        if view is not section.views[0]:
            yield ""
        yield render_text([replace(view, title=same(title))], lang, tz).removeprefix("## \n")
    if section.missing:
        yield section.missing.to(lang)


def build_document_json(document: Document, lang: Lang) -> dict[str, Any]:
    """Texts in the chosen language; a form's empty field and an unknown number are null."""
    return {
        "title": document.title.to(lang),
        "office": document.office,
        "made_at": document.made_at.isoformat(),
        "made_by": document.made_by,
        "notice": _said(document.notice, lang),
        "opening": [text.to(lang) for text in document.opening],
        "sections": [_section_json(section, lang) for section in document.sections],
        "closing": [text.to(lang) for text in document.closing],
        "signatures": [
            {
                "party": s.party.to(lang), "unit": s.unit, "signed_by": s.signed.name if s.signed else None,
                "signed_at": s.signed.at.isoformat() if s.signed else None,
            }
            for s in document.signatures
        ],
        "source": _said(document.source, lang),
    }  # fmt: skip


def _section_json(section: Section, lang: Lang) -> dict[str, Any]:
    return {
        "id": section.section_id,
        "title": section.title.to(lang),
        "intro": _said(section.intro, lang),
        "paragraphs": [text.to(lang) for text in section.paragraphs],
        "numbers": [
            {"label": n.label.to(lang), "value": n.value, "unit": _said(n.unit, lang), "note": _said(n.note, lang)}
            for n in section.numbers
        ],
        "form": [
            {"label": label.to(lang), "value": None if value is None else cell_text(value, lang)}
            for row in section.form for label, value in row.fields
        ],
        "views": json.loads(render_json(section.views, lang)),
        "missing": _said(section.missing, lang),
    }  # fmt: skip


def _said(text: Text | None, lang: Lang) -> str | None:
    return text.to(lang) if text else None
