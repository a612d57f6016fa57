"""Tables of a Word file: of data, of forms and of signatures.

Built as XML: python-docx finds each cell by a walk through the table, which a thousand rows do not forgive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from math import ceil

from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Length, Pt
from wcwidth import wcswidth

from govcloud.model.text import Lang
from govcloud.report.document import FormRow, Number, Signature, Tone
from govcloud.report.docx_element import HEADING, clean, element, paragraph_mark, run
from govcloud.report.frame import COLON, signature_lines
from govcloud.report.text import UNKNOWN, cell_text
from govcloud.report.tone import tone_of
from govcloud.report.view import View

COLORS: dict[Tone, str] = {"good": "1B6E3C", "warn": "8A5A00", "bad": "A3212B"}
_HEAD_FILL, _LINE, _FORM_LINE = "E8EEF4", "8A9BAC", "000000"
_WRAPPED, _BEARABLE, _SQUEEZED, _PADDING, _WIDEST = 16, 12, 6, 2, 40
"""Half-width characters: what a column of running text should get; less turns the page, or is the last resort on a turned
one; its margins; its most."""
_WIDER = 1.25
"""Of a half-width character: a Latin letter in bold capitals, or in what stands in for Times New Roman."""
_SMALLER = (Pt(9), Pt(8), Pt(7.5))
"""Sizes that a table takes whose codes do not fit a line otherwise; 六号 is the smallest of print."""
_CODE = re.compile(r"\b(?=[A-Za-z-]*\d)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+[!-~]*[、；，。]?")
_NAME = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+[!-~]*[、；，。]?")
"""In a list each word with a hyphen is a name; in a sentence only one with digits."""
_LONGEST = 1000
"""Characters of a cell that is laid out for its codes; what is longer flows."""
_SHORT = 12
"""Characters of a part that stands in a list rather than in a sentence."""
_PARTS = re.compile(r"(?<=[、；，。])|(?<=[,;] )|(?<= )(?=[A-Z0-9]+-)|(?=（)")
_MAX_WORD = 24
_DATED = re.compile(r"\d{4}-\d\d-\d\d")
"""What stands beside a date (time, weekday) stays beside it."""
_FORM_TEXT = Pt(12)
_FORM_LINE_HEIGHT, _ROOM_TO_SIGN = 370, 560
"""Twentieths of a point: of a line of a form, and of one that somebody signs or stamps."""
_LABEL, _VALUE = 3, 5
"""Shares of a form's width: two pairs of label and value a line."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a table has to fit."""

    width: int
    """Of the text, in EMU, as `docx.shared.Length` counts."""
    text: Length
    """Size of the characters in tables of data."""

    @property
    def room(self) -> int:
        """Half-width characters in a line of a table."""
        return int(self.width / (self.text / 2))

    @property
    def twips(self) -> int:
        return int(self.width / 635)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    text: str
    width: int
    align: str = "left"
    tone: Tone = "plain"
    font: str | None = None
    fill: str | None = None
    span: int = 1
    size: Length


def build_view_table(view: View, lang: Lang, tz: tzinfo, page: Page) -> BaseOxmlElement:
    heads = [clean(column.title.to(lang)) for column in view.columns]
    values = [[r.get(c.key) for c in view.columns] for r in view.rows]
    rows = [[(cell_text(value, lang, tz), tone_of(value)) for value in row] for row in values]
    texts = [[head, *(row[number][0] for row in rows)] for number, head in enumerate(heads)]
    page = _fitting(texts, page)
    widths = _column_widths(texts, page.room)
    rooms = [width * page.room // sum(widths) - _PADDING for width in widths]
    codes = [
        [_CODE if isinstance(value, str) or not isinstance(value, Sequence) else _NAME for value in row]
        for row in values
    ]
    held = [
        [(_hold_codes(text, room, code), tone) for (text, tone), room, code in zip(row, rooms, some, strict=True)]
        for row, some in zip(rows, codes, strict=True)
    ]
    aligns = [column.align for column in view.columns]
    return _data_table(heads, held, _shares(widths, page.twips), aligns, page)


def build_number_table(numbers: Sequence[Number], lang: Lang, page: Page) -> BaseOxmlElement:
    rows: list[list[tuple[str, Tone]]] = []
    for number in numbers:
        unit = f" {number.unit.to(lang)}" if number.unit and number.value is not None else ""
        value = UNKNOWN if number.value is None else f"{number.value:,}{unit}"
        note = clean(number.note.to(lang)) if number.note else ""
        rows.append([(clean(number.label.to(lang)), "plain"), (clean(value), number.tone), (note, "plain")])
    if any(number.note for number in numbers):
        return _data_table([], rows, _shares([24, 16, 44], page.twips), ["left", "right", "left"], page)
    return _data_table([], [row[:2] for row in rows], _shares([24, 16], page.twips // 2), ["left", "right"], page)


def build_form_table(form: Sequence[FormRow], lang: Lang, tz: tzinfo, page: Page) -> BaseOxmlElement:
    """Lines of one field or of two beside each other, in the black frame of a printed form."""
    widths = _shares([_LABEL, _VALUE, _LABEL, _VALUE], page.twips)
    table = _table(widths, _FORM_LINE)
    for row in form:
        cells = []
        for number, (label, value) in enumerate(row.fields):
            span = 3 if len(row.fields) == 1 else 1
            at = 2 * number
            wide = sum(widths[at + 1 : at + 1 + span])
            text = (
                ""
                if value is None
                else _hold_codes(cell_text(value, lang, tz), int(wide / 10 / _FORM_TEXT.pt) - _PADDING, _CODE)
            )
            cells += [
                _Cell(text=clean(label.to(lang)), width=widths[at], align="center", font=HEADING, size=_FORM_TEXT),
                _Cell(text=text, width=wide, span=span, size=_FORM_TEXT, tone=tone_of(value)),
            ]  # fmt: skip
        table.append(_row(cells, height=_FORM_LINE_HEIGHT * row.lines, middle=True))
    return table


def build_signature_table(signatures: Sequence[Signature], lang: Lang, tz: tzinfo, page: Page) -> BaseOxmlElement:
    """Two parties beside each other, or three where that leaves no empty place; their frame shows where to sign and to stamp."""
    beside = 3 if len(signatures) % 3 == 0 else min(len(signatures), 2)
    widths = _shares([1] * beside, page.twips)
    size = page.text if beside == 3 else _FORM_TEXT
    table = _table(widths, _FORM_LINE)
    for at in range(0, len(signatures), beside):
        parties = signatures[at : at + beside]
        texts = [_signature_text(signature, lang, tz) for signature in parties]
        texts += [""] * (beside - len(parties))
        height = _ROOM_TO_SIGN * max(text.count("\n") for text in texts)
        cells = [_Cell(text=text, width=w, size=size) for text, w in zip(texts, widths, strict=True)]
        table.append(_row(cells, height=height, spread=True, keep=at + beside < len(signatures)))
    return table


def _signature_text(signature: Signature, lang: Lang, tz: tzinfo) -> str:
    lines = [signature.party.to(lang)]
    lines += [f"{label}{COLON.to(lang)}{value}" for label, value in signature_lines(signature, lang, tz)]
    if signature.signed and signature.signed.note:
        lines.append(signature.signed.note.to(lang))
    return clean("\n".join(lines))


def is_wide(view: View, lang: Lang, tz: tzinfo, page: Page) -> bool:
    """Whether its columns do not fit the page: codes whole, sentences in lines of a bearable length."""
    heads = [column.title.to(lang) for column in view.columns]
    rows = [[cell_text(row.get(c.key), lang, tz) for c in view.columns] for row in view.rows]
    columns = list(zip(heads, *rows, strict=True)) if rows else []
    return sum(_widths(columns, _BEARABLE)) > Page(page.width, _SMALLER[0]).room


def _fitting(columns: Sequence[Sequence[str]], page: Page) -> Page:
    """The page, with smaller characters where that keeps words and codes whole."""
    hard, bearable = sum(_widths(columns, _SQUEEZED)), sum(_widths(columns, _BEARABLE))
    tried = [page, *(Page(page.width, size) for size in _SMALLER if size < page.text)]
    readable = (one for one in tried if one.text >= _SMALLER[0] and bearable <= one.room)
    return next(readable, None) or next((one for one in tried if hard <= one.room), tried[-1])


def _widths(columns: Sequence[Sequence[str]], running: int) -> list[int]:
    return [max(_width(text, running) for text in column) + _PADDING for column in columns]


def _column_widths(texts: Sequence[Sequence[str]], room: int) -> list[int]:
    """In half-width characters; `texts`: head and cells of each column. Each gets what it needs at least, the rest goes where
    texts are longer.

    Where there is not even room for that, running text gives way, codes and dates do not.
    """
    least = _widths(texts, _WRAPPED)
    if (over := sum(least) - room) > 0:
        hard = _widths(texts, _SQUEEZED)
        soft = [needed - fixed for needed, fixed in zip(least, hard, strict=True)]
        share = min(1.0, over / max(sum(soft), 1))
        return [round(needed - share * yielding) for needed, yielding in zip(least, soft, strict=True)]
    wish = [min(max(max(map(_printed, text.splitlines()), default=0) for text in column), _WIDEST) for column in texts]
    more = [max(0, wanted + _PADDING - needed) for wanted, needed in zip(wish, least, strict=True)]
    spare = min(1.0, (room - sum(least)) / max(sum(more), 1))
    return [round(needed + spare * extra) for needed, extra in zip(least, more, strict=True)]


def _width(text: str, running: int) -> int:
    """The longest part that should not be torn apart, or what running text gets."""
    return max(_code_width(text), min(_printed(text), running))


def _code_width(text: str) -> int:
    if _DATED.search(text) and wcswidth(text) <= _MAX_WORD:
        return _printed(text)
    words = re.findall(r"[!-~]+[、；，]?", text)
    return max((_printed(word) for word in words if len(word) <= _MAX_WORD), default=0)


def _printed(text: str) -> int:
    """Half-width characters that it takes."""
    latin = sum(map(str.isascii, text))
    return max(0, wcswidth(text)) + ceil((_WIDER - 1) * latin)


def _hold_codes(text: str, room: int, code: re.Pattern[str]) -> str:
    """With line breaks before the codes that do not fit a line: programs tear them at their hyphens, and a hyphen that holds
    could not be searched for."""
    if "\n" in text or len(text) > _LONGEST or _printed(text) <= room or not code.search(text):
        return text
    lines, used = [""], 0
    for part in filter(None, _PARTS.split(text)):
        found, short = code.search(part), len(part) <= _SHORT
        needed = part[: found.end()] if found else part
        if used and (found or short) and used + _printed(needed.rstrip(" ")) > room:
            lines.append("")
            used = 0
        lines[-1] += part
        used += _printed(part)
        if used > room + 2:  # more than a blank that hangs over: it flows into the next line
            used %= max(room, 1)
    return "\n".join(line.rstrip(" ") for line in lines)


def _shares(parts: Sequence[int], twips: int) -> list[int]:
    return [int(twips * part / sum(parts)) for part in parts]


def _data_table(
    heads: Sequence[str], rows: Sequence[Sequence[tuple[str, Tone]]], widths: Sequence[int], aligns: Sequence[str], page: Page
) -> BaseOxmlElement:  # fmt: skip
    table = _table(widths, _LINE)
    if heads:
        cells = [
            _Cell(text=head, width=width, align=align, font=HEADING, fill=_HEAD_FILL, size=page.text)
            for head, width, align in zip(heads, widths, aligns, strict=True)
        ]
        table.append(_row(cells, head=True))
    for row in rows:
        table.append(_row([
            _Cell(text=text, width=width, align=align, tone=tone, size=page.text)
            for (text, tone), width, align in zip(row, widths, aligns, strict=True)
        ]))  # fmt: skip
    return table


def _table(widths: Sequence[int], color: str) -> BaseOxmlElement:
    table, properties = element("w:tbl"), element("w:tblPr")
    borders = element("w:tblBorders")
    borders.extend(
        element(f"w:{side}", val="single", sz="4", space="0", color=color)
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    margins = element("w:tblCellMar")
    margins.extend(element(f"w:{side}", w="70", type="dxa") for side in ("left", "right"))
    layout = element("w:tblLayout", type="fixed")
    properties.extend([element("w:tblW", w=str(sum(widths)), type="dxa"), borders, layout, margins])
    grid = element("w:tblGrid")
    grid.extend(element("w:gridCol", w=str(width)) for width in widths)
    table.extend([properties, grid])
    return table


def _row(
    cells: Sequence[_Cell], *, head: bool = False, height: int = 0, middle: bool = False, spread: bool = False, keep: bool = False
) -> BaseOxmlElement:  # fmt: skip
    """Never torn apart by the end of a page. `height` in twentieths of a point at least; `spread`: with air between lines;
    `keep`: on the page of the next row.
    """
    row, properties = element("w:tr"), element("w:trPr")
    properties.append(element("w:cantSplit"))
    if height:
        properties.append(element("w:trHeight", val=str(height), hRule="atLeast"))
    if head:
        properties.append(element("w:tblHeader"))
    row.append(properties)
    for cell in cells:
        row.append(_cell(cell, middle=middle, spread=spread, keep=head or keep))
    return row


def _cell(cell: _Cell, *, middle: bool, spread: bool, keep: bool) -> BaseOxmlElement:
    made, shape = element("w:tc"), element("w:tcPr")
    shape.append(element("w:tcW", w=str(cell.width), type="dxa"))
    if cell.span > 1:
        shape.append(element("w:gridSpan", val=str(cell.span)))
    if cell.fill:
        shape.append(element("w:shd", val="clear", color="auto", fill=cell.fill))
    if middle:
        shape.append(element("w:vAlign", val="center"))
    made.append(shape)
    for number, line in enumerate(cell.text.split("\n") if spread else [cell.text]):
        paragraph, layout = element("w:p"), element("w:pPr")
        if keep:
            layout.append(element("w:keepNext"))
        air = "120" if spread else "20"
        layout.extend([
            element("w:spacing", before=air, after=air, line="240", lineRule="auto"), element("w:jc", val=cell.align),
            paragraph_mark(cell.size),
        ])  # fmt: skip
        font = HEADING if spread and number == 0 else cell.font
        paragraph.extend([layout, run(line, cell.size, font=font, color=COLORS.get(cell.tone))])
        made.append(paragraph)
    return made
