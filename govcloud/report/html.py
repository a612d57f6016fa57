"""A document as one HTML file that needs nothing else: no request leaves it and no script runs in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from wcwidth import wcswidth

from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.document import Document, FormRow, Section
from govcloud.report.figure import build_inline_svg
from govcloud.report.frame import COLON, FRAME, made_at, part_titles, section_numbers, signature_lines
from govcloud.report.text import cell_text
from govcloud.report.tone import tone_of
from govcloud.report.view import Cell, View

_TEMPLATES = Path(__file__).parent / "templates"
_WIDE = 120
"""Half-width characters that an upright page holds; a section with a wider table is printed on pages turned sideways."""
_WRAPPED, _PADDING = 16, 2
"""What a column of running text and its margins need at least."""
_MAX_CODE, _MAX_WORD, _MAX_SHORT, _LONG = 24, 10, 16, 40

# Only words of the frame; everything else comes with the document.
_WORDS: Mapping[str, Text] = {
    **FRAME,
    "other_language": Text("English", "中文"),
    "contents": Text("目录", "Contents"),
    "office": Text("单位", "Office"),
}


def render_html(document: Document, lang: Lang, links: Mapping[Lang, str] | None = None) -> str:
    """One page in one language. `links` names the page in the other language, beside this one.

    Raises ValueError where a figure is no SVG.
    """
    tz = ZoneInfo(document.timezone)
    other: Lang = LANGS[1 - LANGS.index(lang)]
    return _template().render(
        document=document,
        sections=[
            _section(s, n, lang, tz) for s, n in zip(document.sections, section_numbers(document, lang), strict=True)
        ],
        signatures=[(signature, signature_lines(signature, lang, tz)) for signature in document.signatures],
        colon=COLON.to(lang),
        made_at=made_at(document.made_at, document.timezone, lang),
        html_lang={"zh": "zh-CN", "en": "en"}[lang],
        other_lang={"zh": "zh-CN", "en": "en"}[other],
        other_link=(links or {}).get(other),
        words={key: text.to(lang) for key, text in _WORDS.items()},
        t=lambda text: text.to(lang),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2")


def _section(section: Section, number: str, lang: Lang, tz: tzinfo) -> dict[str, Any]:
    titles = part_titles(section, lang)
    views = [_view(view, section.section_id, n, lang, tz) for n, view in enumerate(section.views, start=1)]
    return {
        "id": section.section_id,
        "wide": any(view["wide"] for view in views),
        "number": number,
        "headed": section.headed,
        "title": section.title.to(lang),
        "intro": section.intro.to(lang) if section.intro else "",
        "paragraphs": [text.to(lang) for text in section.paragraphs],
        "numbers": section.numbers,
        "form": [_form_row(row, lang, tz) for row in section.form],
        "figures": [
            {
                "title": titles[i],
                # Cleaned above its source: the only markup that is not escaped.
                "svg": Markup(  # noqa: S704
                    build_inline_svg(figure.svg.to(lang), f"{section.section_id}-{i}", figure.title.to(lang))
                ),
            }
            for i, figure in enumerate(section.figures)
        ],
        "views": [
            {**view, "heading": title} for view, title in zip(views, titles[len(section.figures) :], strict=True)
        ],
        "missing": section.missing.to(lang) if section.missing else "",
    }


def _form_row(row: FormRow, lang: Lang, tz: tzinfo) -> dict[str, Any]:
    return {
        "fields": [
            {"label": label.to(lang), "value": "" if value is None else cell_text(value, lang, tz), "tone": tone_of(value)}
            for label, value in row.fields
        ],
        "span": 3 if len(row.fields) == 1 else 1,
        "lines": row.lines,
    }  # fmt: skip


def _view(view: View, section_id: str, number: int, lang: Lang, tz: tzinfo) -> dict[str, Any]:
    heads = [c.title.to(lang) for c in view.columns]
    rows = [[_cell(row.get(c.key), c.align, lang, tz) for c in view.columns] for row in view.rows]
    columns: list[dict[str, Any]] = [
        {
            "title": head,
            "align": column.align,
            "hold": _hold(head),
            "long": _length([row[i]["text"] for row in rows]),
            "least": max([wcswidth(head) if _hold(head) else _MAX_WORD, *(_least_width(row[i]) for row in rows)]),
        }
        for i, (head, column) in enumerate(zip(heads, view.columns, strict=True))
    ]
    return {
        "id": f"{section_id}-{number}-{view.name}",
        "title": view.title.to(lang),
        "columns": columns,
        "rows": rows,
        "notes": [note.to(lang) for note in view.notes],
        "wide": bool(rows) and sum(column["least"] + _PADDING for column in columns) > _WIDE,
    }


def _length(texts: Sequence[str]) -> str:
    """Class of a column by its longest text: what is left over must not be a letter a line, nor too little for the pen."""
    if any(not text.strip() for text in texts):
        return "pen"
    widest = max(map(wcswidth, texts), default=0)
    return "long" if widest > 2 * _LONG else "some" if widest > _MAX_SHORT else ""


def _cell(value: Cell, align: str, lang: Lang, tz: tzinfo) -> dict[str, Any]:
    text = cell_text(value, lang, tz)
    many = isinstance(value, Sequence) and not isinstance(value, str)
    parts = [cell_text(item, lang) for item in value] if many and value else [text]  # type: ignore[union-attr]
    return {
        "text": text,
        "parts": [{"text": part, "hold": "whole" if isinstance(value, datetime) else _hold(part)} for part in parts],
        "separator": {"zh": "、", "en": ", "}[lang],
        "align": align,
        "tone": tone_of(value),
    }


def _least_width(cell: dict[str, Any]) -> int:
    """Width at which the cell is still readable: codes whole, sentences in about three lines."""
    return max(
        wcswidth(part["text"]) if part["hold"] == "whole" else max(_WRAPPED, min(len(part["text"]) // 2, 2 * _WRAPPED))
        for part in cell["parts"]
    )


def _hold(text: str) -> str:
    """Ids, addresses, dates and single words are never torn apart; short phrases only on paper."""
    if text.isascii() and " " not in text and len(text) <= _MAX_CODE:
        return "whole"
    if "\n" not in text and wcswidth(text) <= _MAX_WORD:
        return "whole"
    return "short" if "\n" not in text and wcswidth(text) <= _MAX_SHORT else ""
