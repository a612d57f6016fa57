"""Pages from templates: autoescaped, strict about names, in the visitor's language."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.text import cell_text
from govcloud.report.tone import tone_of
from govcloud.report.view import Cell, View
from govcloud.web.menu import MENU
from govcloud.web.words import WORDS

if TYPE_CHECKING:
    from govcloud.web.visit import Visit

HTML_LANG: Mapping[Lang, str] = {"zh": "zh-CN", "en": "en"}
_TEMPLATES = Path(__file__).parent / "templates"
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
}
"""Column key -> page of what the cell names."""


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
    return Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def picture_address(svg: str) -> str:
    """A drawing as an address of its own: inside of an image no script runs and nothing is loaded, whatever it holds."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def build_table(view: View, lang: Lang, zone: tzinfo, links: Mapping[str, str] = LINKED) -> dict[str, Any]:
    """`links`: column key, or `view/column`, -> page of what the cell names."""
    pages = [links.get(f"{view.name}/{c.key}") or links.get(c.key) for c in view.columns]
    return {
        "name": view.name,
        "title": view.title.to(lang),
        "columns": [{"title": c.title.to(lang), "align": c.align} for c in view.columns],
        "rows": [
            [_cell(page, row.get(c.key), c.align, lang, zone) for c, page in zip(view.columns, pages, strict=True)]
            for row in view.rows
        ],
        "notes": [note.to(lang) for note in view.notes],
    }


def _cell(page: str | None, value: Cell, align: str, lang: Lang, zone: tzinfo) -> dict[str, Any]:
    many = isinstance(value, Sequence) and not isinstance(value, str)
    link = page if isinstance(value, (str, int)) and value else None
    return {
        "text": cell_text(value, lang, zone),
        "parts": [cell_text(item, lang, zone) for item in value] if many and value else [],  # type: ignore[union-attr]
        "align": align,
        "tone": tone_of(value),
        "link": link.format(quote(str(value), safe="")) if link else None,
    }
