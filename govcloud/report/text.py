"""Views as text, JSON and CSV. Tables are aligned with wide characters (tabulate with wcwidth)."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo

from tabulate import tabulate

from govcloud.model.text import Lang, Term, Text
from govcloud.report.view import Cell, View

UNKNOWN = "—"
# Cells that a spreadsheet would run as a formula; the full-width forms fold to them in some programs.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell_text(value: Cell, lang: Lang, tz: tzinfo | None = None) -> str:
    """One cell as a person reads it; instants in `tz`, the machine's own by default."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, Text):
        return _printable(value.to(lang))
    if isinstance(value, bool):
        return ("是" if value else "否") if lang == "zh" else ("yes" if value else "no")
    if isinstance(value, datetime):
        return value.astimezone(tz).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _printable(value)
    return _printable(("、" if lang == "zh" else ", ").join(value)) or UNKNOWN


def _printable(text: str) -> str:
    """Without what could drive a terminal or turn the direction of writing; blanks of Chinese typesetting stay."""
    return "".join(c if c.isprintable() or c in "\n\u3000\xa0" else "�" for c in text)


def render_text(views: Sequence[View], lang: Lang, tz: tzinfo | None = None, *, most_rows: int | None = None) -> str:
    """Instants in `tz`, the machine's own by default. A longer table than `most_rows` is cut, and says so."""
    return "\n\n".join(_table(view, lang, tz, most_rows) for view in views)


def _table(view: View, lang: Lang, tz: tzinfo | None, most_rows: int | None) -> str:
    lines = [f"## {view.title.to(lang)}"]
    rows = view.rows[:most_rows]
    if rows:
        lines.append(
            tabulate(
                [[cell_text(row.get(c.key), lang, tz) for c in view.columns] for row in rows],
                headers=[c.title.to(lang) for c in view.columns],
                tablefmt="simple",
                disable_numparse=True,
                colalign=[c.align for c in view.columns],
            )
        )
    elif view.columns:
        lines.append("（无）" if lang == "zh" else "(none)")
    if len(rows) < len(view.rows):
        lines.append(_CUT.format(shown=len(rows), all=len(view.rows)).to(lang))
    lines += [cell_text(note, lang) for note in view.notes]
    return "\n".join(lines)


_CUT = Text(
    "终端上只列出前 {shown} 行，共 {all} 行；写入文件或用 --format csv、json 得到全部。",
    "The terminal gets the first {shown} of {all} rows; all of them with a redirection, --format csv or json.",
)


def render_json(views: Sequence[View], lang: Lang) -> str:
    """One document: `{view name: {"rows": […], "notes": […], …facts}}`. Texts are given in the chosen language."""
    document = {
        view.name: {
            "rows": [{c.key: _plain(row.get(c.key), lang) for c in view.columns} for row in view.rows],
            "notes": [note.to(lang) for note in view.notes],
            **{key: _plain(value, lang) for key, value in view.facts.items()},
        }
        for view in views
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _plain(value: object, lang: Lang) -> object:
    if isinstance(value, Term):
        return list(value.code) if isinstance(value.code, tuple) else value.code
    if isinstance(value, Text):
        return value.to(lang)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): _plain(v, lang) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v, lang) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def render_csv(views: Sequence[View], lang: Lang) -> str:
    """The views one after another, each with its header line of column keys, a blank line between them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for index, view in enumerate(views):
        if index:
            out.write("\n")
        writer.writerow([c.key for c in view.columns])
        writer.writerows([[_csv_cell(row.get(c.key), lang) for c in view.columns] for row in view.rows])
    return out.getvalue().rstrip("\n")


def _csv_cell(value: Cell, lang: Lang) -> str | int | float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, Term):
        return value.code if isinstance(value.code, str) else ",".join(value.code)
    if isinstance(value, datetime):
        return value.isoformat()
    text = "" if value is None else cell_text(value, lang)
    return guard_formula(text)


def guard_formula(text: str) -> str:
    """Prefix `'` to text that a spreadsheet would take for a formula (CSV has no cell types)."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
