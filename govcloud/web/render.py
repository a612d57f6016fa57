"""Pages from templates: autoescaped, strict about names, in the visitor's language."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from wcwidth import wcswidth

from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.text import cell_text
from govcloud.report.tone import tone_of
from govcloud.report.view import Cell, View
from govcloud.web.menu import MENU
from govcloud.web.words import WORDS

if TYPE_CHECKING:
    from govcloud.web.visit import Visit

HTML_LANG: Mapping[Lang, str] = {"zh": "zh-CN", "en": "en"}
_TEMPLATES, STATIC = Path(__file__).parent / "templates", Path(__file__).parent / "static"
_SHORT, _LONG, _PROSE = 12, 24, 60
"""Widths of texts in a table, in columns of a terminal: up to the first a line is not broken; from the others on a column gets
room, so that a table scrolls rather than stands its text upright."""
_MANY = 3
"""More items than these stand beside each other."""
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+")
"""Ids and dates: browsers break lines after their hyphens."""
LINKED: Mapping[str, str] = {
    "department": "/departments/{}",
    "system_id": "/systems/{}",
    "server_id": "/servers/{}",
    "network_id": "/networks/{}",
    "project_id": "/projects/{}",
    "run_id": "/runs/{}",
    "handover_id": "/takeovers/{}",
    "finding_id": "/findings/{}",
    "takeover_of": "/takeovers/systems/{}",
    "seq": "/ledger/{}",
    "evidence_sha256": "/ledger/evidence/{}",
    "login": "/accounts/{}",
    "plan_id": "/plan?plan={}",
    "offerings/code": "/catalog/{}",
    "servers/systems": "/systems/{}",
}
"""Column key -> page of what the cell, or each item of its list, names."""


def render_page(visit: Visit, template: str, title: Text, values: Mapping[str, Any]) -> Markup:
    notice = visit.place.notices.take(visit.csrf) if visit.csrf else None
    frame = {
        "title": title,
        "html_lang": HTML_LANG[visit.lang],
        "other_lang": LANGS[1 - LANGS.index(visit.lang)],
        "html_langs": HTML_LANG,
        "menu": [entry for entry in MENU if visit.signed_in and visit.may(entry.action)],
        "notice": notice,
    }
    return render_part(visit, template, {**frame, **values})


def render_part(visit: Visit, template: str, values: Mapping[str, Any]) -> Markup:
    lang, zone = visit.lang, visit.place.zone
    # Everything in it went through an autoescaped template.
    return Markup(  # noqa: S704
        environment()
        .get_template(template)
        .render(
            visit=visit,
            lang=lang,
            w={key: text.to(lang) for key, text in WORDS.items()},
            t=lambda text: text.to(lang),
            cell=lambda value: cell_text(value, lang, zone),
            table=lambda view, links=LINKED: build_table(view, lang, zone, links),
            picture=lambda figure: picture_address(figure.svg.to(lang)),
            **values,
        )
    )


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["held"] = held
    made.globals["tone"] = tone_of
    made.globals["static"] = static_address
    return made


@cache
def static_address(name: str) -> str:
    """With a digest of the contents: browsers keep the file for ever and ask for the next version's at once."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def held(text: str) -> Markup:
    """Escaped; ids and dates in it stay on one line."""
    return Markup(_TOKEN.sub(r'<span class="whole">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped just before


def picture_address(svg: str) -> str:
    """A drawing as an address of its own: inside of an image no script runs and nothing is loaded, whatever it holds."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def build_table(view: View, lang: Lang, zone: tzinfo, links: Mapping[str, str] = LINKED) -> dict[str, Any]:
    """`links`: column key, or `view/column`, -> page of what the cell names. A row's own value `column/page` counts before."""
    pages = [links.get(f"{view.name}/{c.key}") or links.get(c.key) for c in view.columns]
    return {
        "name": view.name,
        "title": view.title.to(lang),
        "columns": [{"title": c.title.to(lang), "align": c.align} for c in view.columns],
        "rows": [
            [_cell(row.get(f"{c.key}/page", page), row.get(c.key), c.align, lang, zone)
             for c, page in zip(view.columns, pages, strict=True)]
            for row in view.rows
        ],
        "notes": [note.to(lang) for note in view.notes],
    }  # fmt: skip


def _cell(page: Cell, value: Cell, align: str, lang: Lang, zone: tzinfo) -> dict[str, Any]:
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else None
    text = cell_text(value, lang, zone)
    parts = [{"text": cell_text(i, lang, zone), "link": _link(page, i)} for i in items or ()]
    return {
        "text": text,
        "parts": parts,
        "align": align,
        "room": "whole" if isinstance(value, (int, float, date)) else _room([p["text"] or "" for p in parts] or [text]),
        "tone": tone_of(value),
        "link": _link(page, value) if items is None else None,
    }


def _link(page: Cell, value: Cell) -> str | None:
    if not isinstance(page, str) or not isinstance(value, (str, int)) or not value:
        return None
    return page.format(quote(str(value), safe=""))


def _room(lines: Sequence[str]) -> str:
    """The class of a cell by its longest line."""
    if len(lines) > _MANY:
        return "long"
    width = max(max(wcswidth(line), len(line)) for line in lines)
    if width <= _SHORT or all(
        _TOKEN.fullmatch(line) or (line.isascii() and len(line) <= _LONG and " " not in line) for line in lines
    ):
        return "whole"
    return "mid" if width <= _LONG else "long" if width <= _PROSE else "prose"
