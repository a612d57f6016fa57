"""A document as a Word file that an office can edit, stamp and print: A4, Chinese fonts by name, tables that span pages.

Text from data stays text: no field codes are made of it and no control characters pass. The same document gives the same
bytes. The page follows the usual layout of official documents (GB/T 9704: margins, 仿宋 text, 黑体 headings, `— 1 —`).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import vl_convert
from docx import Document as new_word
from docx.document import Document as Word
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Length, Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from wcwidth import wcswidth

from govcloud.model.text import Lang, Text
from govcloud.report.document import Document, Figure, Section, Tone
from govcloud.report.frame import FRAME, made_at, section_number
from govcloud.report.text import UNKNOWN, cell_text
from govcloud.report.tone import tone_of
from govcloud.report.view import View

_LATIN, _BODY, _HEADING = "Times New Roman", "仿宋", "黑体"
_TOP, _BOTTOM, _LEFT, _RIGHT = Mm(37), Mm(35), Mm(28), Mm(26)
_SHORT_SIDE, _LONG_SIDE = Mm(210), Mm(297)
_UPRIGHT, _SIDEWAYS = Pt(10.5), Pt(9)
"""Size of text in tables (五号, 小五)."""
_COLORS: dict[Tone, str] = {"good": "1B6E3C", "warn": "8A5A00", "bad": "A3212B"}
_HEAD_FILL = "E8EEF4"
_WRAPPED, _PADDING, _WIDEST = 14, 3, 40
"""Half-width characters: what a column of running text needs at least, its margins, and what it may ask for."""
_MAX_WORD = 24
_SHARPNESS, _CSS_INCH = 2.5, 72 / 96
"""Pixels of the picture a pixel of the drawing. Word takes 72 pixels an inch, a drawing has 96."""
_SVG_BLIP = (
    '<a:extLst xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    '<a:ext uri="{{96DAC541-7B7A-43D3-8B79-37D633B846F1}}">'
    '<asvg:svgBlip xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:embed="{relation}"/>'
    "</a:ext></a:extLst>"
)
_ZIPPED_AT = (1980, 1, 1, 0, 0, 0)
"""Zip's own first day."""


def render_docx(document: Document, lang: Lang, *, opening: Sequence[Text] = (), closing: Sequence[Text] = ()) -> bytes:
    """`opening`: paragraphs between the head and the first section, `closing`: after the last one (a signature block).

    Raises ValueError where a figure is no SVG.
    """
    word = new_word()
    tz = ZoneInfo(document.timezone)
    _set_properties(word, document, lang)
    _set_styles(word)
    _set_page(word, sideways=False)
    _add_page_number(word)
    _add_head(word, document, lang)
    for number, text in enumerate(opening):
        _prose(word, text.to(lang), lang, indented=number > 0)  # the first names the addressee
    sideways = False
    for number, section in enumerate(document.sections, start=1):
        wanted = any(_is_wide(view, lang, tz) for view in section.views)
        if wanted != sideways:
            word.add_section(WD_SECTION.NEW_PAGE)
            _set_page(word, sideways=wanted)
            sideways = wanted
        _add_section(word, section, number, lang, tz, sideways=sideways)
    for text in closing:
        _paragraph(word, text.to(lang))
    _add_foot(word, document, lang)
    return _pack(word)


def _set_properties(word: Word, document: Document, lang: Lang) -> None:
    core = word.core_properties
    core.title, core.author = _clean(document.title.to(lang))[:255], _clean(document.made_by)[:255]
    core.subject = _clean(document.office)[:255]
    core.comments, core.keywords, core.last_modified_by = "", "", core.author
    core.created = core.modified = document.made_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    core.language, core.revision = {"zh": "zh-CN", "en": "en"}[lang], 1


def _set_styles(word: Word) -> None:
    for language in word.styles.element.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")
    for name, font, size, before, after in (
        ("Normal", _BODY, 14, 0, 4), ("Title", _HEADING, 22, 0, 12), ("Heading 1", _HEADING, 16, 14, 6),
        ("Heading 2", _HEADING, 12, 10, 4),
    ):  # fmt: skip
        style = word.styles[name]
        properties = style.element.get_or_add_rPr()
        for old in properties.findall(qn("w:rFonts")):
            properties.remove(old)  # it names theme fonts, which win over names
        properties.insert(0, _fonts(font))
        shape = style.paragraph_format
        style.font.size, style.font.bold, style.font.color.rgb = Pt(size), False, RGBColor(0, 0, 0)
        shape.space_before, shape.space_after, shape.line_spacing = Pt(before), Pt(after), 1.3
    title = word.styles["Title"]
    title.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for border in title.element.pPr.findall(qn("w:pBdr")):
        title.element.pPr.remove(border)


def _fonts(font: str) -> BaseOxmlElement:
    names = {"ascii": _LATIN, "hAnsi": _LATIN, "cs": _LATIN, "eastAsia": font}
    return _element("w:rFonts", **names)


def _set_page(word: Word, *, sideways: bool) -> None:
    page = word.sections[-1]
    page.orientation = WD_ORIENT.LANDSCAPE if sideways else WD_ORIENT.PORTRAIT
    page.page_width, page.page_height = (_LONG_SIDE, _SHORT_SIDE) if sideways else (_SHORT_SIDE, _LONG_SIDE)
    margins = (_LEFT, _RIGHT, _TOP, _BOTTOM) if sideways else (_TOP, _BOTTOM, _LEFT, _RIGHT)
    page.top_margin, page.bottom_margin, page.left_margin, page.right_margin = margins
    page.footer_distance = Mm(15)


def _add_page_number(word: Word) -> None:
    """`— 1 —` in the middle of every page's foot; later sections take it over from the first."""
    foot = word.sections[0].footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = _element("w:fldSimple", instr="PAGE")
    field.append(_run("1", Pt(12)))
    foot._p.extend([_run("— ", Pt(12)), field, _run(" —", Pt(12))])


def _add_head(word: Word, document: Document, lang: Lang) -> None:
    word.add_paragraph(style="Title")._p.append(_run(_clean(document.title.to(lang))))
    _paragraph(word, document.office, size=Pt(14)).alignment = WD_ALIGN_PARAGRAPH.CENTER
    when = f"{FRAME['made_at'].to(lang)} {made_at(document.made_at, document.timezone, lang)}"
    who = f"{FRAME['made_by'].to(lang)} {document.made_by}"
    _paragraph(word, f"{when}　{who}", size=Pt(10.5)).alignment = WD_ALIGN_PARAGRAPH.CENTER
    if document.notice:
        _paragraph(word, document.notice.to(lang), size=Pt(12), color=_COLORS["bad"])


def _add_section(word: Word, section: Section, number: int, lang: Lang, tz: tzinfo, *, sideways: bool) -> None:
    title = section_number(number, lang) + _clean(section.title.to(lang))
    word.add_paragraph(style="Heading 1")._p.append(_run(title))
    if section.intro:
        for line in section.intro.to(lang).split("\n"):
            _prose(word, line, lang, indented=True)
    if section.numbers:
        _add_numbers(word, section, lang, sideways=sideways)
    for figure in section.figures:
        _add_figure(word, figure, lang, sideways=sideways)
    for view in section.views:
        _add_view(word, view, lang, tz, sideways=sideways)
    if section.missing:
        _paragraph(word, f"{FRAME['missing'].to(lang)}: {section.missing.to(lang)}", color=_COLORS["warn"])


def _add_numbers(word: Word, section: Section, lang: Lang, *, sideways: bool) -> None:
    rows = []
    for number in section.numbers:
        unit = f" {number.unit.to(lang)}" if number.unit and number.value is not None else ""
        value = UNKNOWN if number.value is None else f"{number.value:,}{unit}"
        note = number.note.to(lang) if number.note else ""
        rows.append([(number.label.to(lang), "plain"), (value, number.tone), (note, "plain")])
    cells: list[list[tuple[str, Tone]]] = [[(_clean(text), tone) for text, tone in row] for row in rows]
    _add_table(word, [], cells, [24, 16, 44], ["left", "right", "left"], sideways=sideways)


def _add_figure(word: Word, figure: Figure, lang: Lang, *, sideways: bool) -> None:
    """As SVG for programs that draw it with the reader's own fonts, and as PNG for the rest."""
    word.add_paragraph(style="Heading 2")._p.append(_run(_clean(figure.title.to(lang))))
    svg = figure.svg.to(lang)
    picture = word.add_picture(io.BytesIO(vl_convert.svg_to_png(svg, scale=_SHARPNESS)))
    wide, tall = picture.width * _CSS_INCH / _SHARPNESS, picture.height * _CSS_INCH / _SHARPNESS
    factor = min(1.0, _text_width(sideways=sideways) / wide, (Mm(110) if sideways else Mm(190)) / tall)
    picture.width, picture.height = Length(int(wide * factor)), Length(int(tall * factor))
    name = PackURI(f"/word/media/drawing{len(word.inline_shapes)}.svg")
    part = Part(name, "image/svg+xml", svg.encode(), word.part.package)
    relation = word.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
    picture._inline.graphic.graphicData.pic.blipFill.blip.append(parse_xml(_SVG_BLIP.format(relation=relation)))


def _add_view(word: Word, view: View, lang: Lang, tz: tzinfo, *, sideways: bool) -> None:
    word.add_paragraph(style="Heading 2")._p.append(_run(_clean(view.title.to(lang))))
    if view.rows:
        heads = [_clean(column.title.to(lang)) for column in view.columns]
        cells = [
            [(cell_text(row.get(c.key), lang, tz), tone_of(row.get(c.key))) for c in view.columns] for row in view.rows
        ]
        widths = _column_widths(heads, cells, _room(sideways=sideways))
        _add_table(word, heads, cells, widths, [c.align for c in view.columns], sideways=sideways)
    elif view.columns and not view.notes:
        _paragraph(word, FRAME["none"].to(lang), size=Pt(12))
    for note in view.notes:
        _paragraph(word, note.to(lang), size=Pt(12))


def _add_table(
    word: Word, heads: Sequence[str], cells: Sequence[Sequence[tuple[str, Tone]]], widths: Sequence[int],
    aligns: Sequence[str], *, sideways: bool,
) -> None:  # fmt: skip
    """Built as XML: python-docx finds each cell by a walk through the table, which a thousand rows do not forgive."""
    size = _SIDEWAYS if sideways else _UPRIGHT
    room = _text_width(sideways=sideways)
    twips = [int(room / 635 * width / sum(widths)) for width in widths]
    table = _element("w:tbl")
    properties = _element("w:tblPr")
    properties.append(_element("w:tblW", w=str(sum(twips)), type="dxa"))
    borders = _element("w:tblBorders")
    borders.extend(
        _element(f"w:{side}", val="single", sz="4", space="0", color="8A9BAC")
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    margins = _element("w:tblCellMar")
    margins.extend(_element(f"w:{side}", w="60", type="dxa") for side in ("left", "right"))
    properties.extend([borders, _element("w:tblLayout", type="fixed"), margins])
    grid = _element("w:tblGrid")
    grid.extend(_element("w:gridCol", w=str(width)) for width in twips)
    table.extend([properties, grid])
    if heads:
        table.append(_table_row([(head, "plain") for head in heads], twips, aligns, size, head=True))
    table.extend(_table_row(row, twips, aligns, size, head=False) for row in cells)
    body = word.element.body
    body.insert(len(body) - 1, table)  # before the last section's properties
    _paragraph(word, "", size=Pt(4))  # two tables without a paragraph between them would become one


def _table_row(
    cells: Sequence[tuple[str, Tone]], widths: Sequence[int], aligns: Sequence[str], size: Length, *, head: bool
) -> BaseOxmlElement:
    row, properties = _element("w:tr"), _element("w:trPr")
    properties.append(_element("w:cantSplit"))
    if head:
        properties.append(_element("w:tblHeader"))
    row.append(properties)
    for (text, tone), width, align in zip(cells, widths, aligns, strict=True):
        cell, shape = _element("w:tc"), _element("w:tcPr")
        shape.append(_element("w:tcW", w=str(width), type="dxa"))
        if head:
            shape.append(_element("w:shd", val="clear", color="auto", fill=_HEAD_FILL))
        paragraph, layout = _element("w:p"), _element("w:pPr")
        layout.extend(
            [_element("w:spacing", before="20", after="20", line="240", lineRule="auto"), _element("w:jc", val=align)]
        )
        paragraph.extend([layout, _run(text, size, font=_HEADING if head else None, color=_COLORS.get(tone))])
        cell.extend([shape, paragraph])
        row.append(cell)
    return row


def _is_wide(view: View, lang: Lang, tz: tzinfo) -> bool:
    """Whether its columns do not fit an upright page: codes whole, sentences in lines of a bearable length."""
    heads = [column.title.to(lang) for column in view.columns]
    rows = [[cell_text(row.get(c.key), lang, tz) for c in view.columns] for row in view.rows]
    least = sum(max(map(_least_width, column)) + _PADDING for column in zip(heads, *rows, strict=True)) if rows else 0
    return least > _room(sideways=False)


def _column_widths(heads: Sequence[str], cells: Sequence[Sequence[tuple[str, Tone]]], room: int) -> list[int]:
    """In half-width characters. Each column gets what it needs at least, the rest goes where texts are longer."""
    texts = [[head, *(row[number][0] for row in cells)] for number, head in enumerate(heads)]
    least = [max(map(_least_width, column)) + _PADDING for column in texts]
    wish = [min(max(max(map(wcswidth, text.splitlines()), default=0) for text in column), _WIDEST) for column in texts]
    more = [max(0, wanted + _PADDING - needed) for wanted, needed in zip(wish, least, strict=True)]
    spare = min(1.0, max(0, room - sum(least)) / max(sum(more), 1))
    return [round(needed + spare * extra) for needed, extra in zip(least, more, strict=True)]


def _least_width(text: str) -> int:
    """The longest part that should not be torn apart, or what running text needs."""
    words = re.split(r"[\s、，；,;]+", text)
    codes = max((len(word) for word in words if word.isascii() and len(word) <= _MAX_WORD), default=0)
    return max(codes, min(wcswidth(text), _WRAPPED))


def _room(*, sideways: bool) -> int:
    """Half-width characters in a line of a table."""
    return int(_text_width(sideways=sideways) / ((_SIDEWAYS if sideways else _UPRIGHT) / 2))


def _text_width(*, sideways: bool) -> int:
    return (_LONG_SIDE - _TOP - _BOTTOM) if sideways else (_SHORT_SIDE - _LEFT - _RIGHT)


def _add_foot(word: Word, document: Document, lang: Lang) -> None:
    _paragraph(word, FRAME["unknown"].to(lang), size=Pt(9), color="666666")
    if document.source:
        _paragraph(word, document.source.to(lang), size=Pt(9), color="666666")


def _prose(word: Word, text: str, lang: Lang, *, indented: bool) -> None:
    """Chinese paragraphs begin two characters in."""
    paragraph = _paragraph(word, text)
    if indented and lang == "zh":
        indent = _element("w:ind", firstLineChars="200", firstLine="560")
        paragraph._p.get_or_add_pPr().append(indent)


def _paragraph(word: Word, text: str, *, size: Length | None = None, color: str | None = None) -> Paragraph:
    paragraph = word.add_paragraph()
    paragraph._p.append(_run(_clean(text), size, color=color))
    return paragraph


def _run(
    text: str, size: Length | None = None, *, font: str | None = None, color: str | None = None
) -> BaseOxmlElement:
    run, properties = _element("w:r"), _element("w:rPr")
    if font:
        properties.append(_fonts(font))
    if color:
        properties.append(_element("w:color", val=color))
    if size:
        half_points = str(int(size / Pt(0.5)))
        properties.extend([_element("w:sz", val=half_points), _element("w:szCs", val=half_points)])
    if len(properties):
        run.append(properties)
    for number, line in enumerate(text.split("\n")):
        if number:
            run.append(_element("w:br"))
        words = _element("w:t")
        words.text = line
        words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        run.append(words)
    return run


def _element(name: str, **attributes: str) -> BaseOxmlElement:
    made = OxmlElement(name)
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    return made


def _clean(text: str) -> str:
    """Without control characters, which XML refuses and which could turn the direction of writing."""
    return cell_text(text, "zh") if text else ""


def _pack(word: Word) -> bytes:
    """The file with its parts in a fixed order and without the time of day in the zip."""
    raw, packed = io.BytesIO(), io.BytesIO()
    word.save(raw)
    with zipfile.ZipFile(raw) as parts, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in parts.namelist():
            out.writestr(zipfile.ZipInfo(name, _ZIPPED_AT), parts.read(name), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
