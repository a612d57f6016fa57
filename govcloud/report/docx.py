"""A document as a Word file that an office can edit, stamp and print: A4, Chinese fonts by name, tables that span pages.

Text from data stays text: no field codes are made of it and no control characters pass. The same document gives the same
bytes. The page follows the usual layout of official documents (GB/T 9704: margins, 22 lines a page, title in 小标宋 二号, text
in 仿宋 三号, headings 一、 in 黑体 and （一） in 楷体, `— 1 —` at the outer edge).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import vl_convert
from docx import Document as new_word
from docx.document import Document as Word
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.oxml import serialize_part_xml
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Length, Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from govcloud.model.text import Lang
from govcloud.report.document import Document, Figure, Section
from govcloud.report.docx_element import (
    BODY,
    FALLBACKS,
    HEADING,
    SUBHEADING,
    TITLE,
    clean,
    element,
    fonts,
    paragraph_mark,
    run,
)
from govcloud.report.docx_table import (
    COLORS,
    Page,
    build_form_table,
    build_number_table,
    build_signature_table,
    build_view_table,
    is_wide,
)
from govcloud.report.frame import COLON, FRAME, made_at, part_titles, section_numbers
from govcloud.report.repack import repack

_TOP, _BOTTOM, _LEFT, _RIGHT = Mm(37), Mm(35), Mm(28), Mm(26)
_SHORT_SIDE, _LONG_SIDE = Mm(210), Mm(297)
_UPRIGHT = Page(_SHORT_SIDE - _LEFT - _RIGHT, Pt(10.5))
_SIDEWAYS = Page(_LONG_SIDE - _TOP - _BOTTOM, Pt(9))
_BODY_SIZE: dict[Lang, float] = {"zh": 16, "en": 12}
"""三号; Latin text of that size would look like a poster."""
_LINE: dict[Lang, float] = {"zh": 28.9, "en": 19}
"""22 lines on the 225 mm between the margins."""
_NOTE, _SMALL, _THIN, _AIR = Pt(12), Pt(8), Pt(1), Pt(6)
_SHARPNESS, _CSS_INCH = 2.5, 72 / 96
"""Pixels of the picture a pixel of the drawing. Word takes 72 pixels an inch, a drawing has 96."""
_SVG_BLIP = (
    '<a:extLst xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    '<a:ext uri="{{96DAC541-7B7A-43D3-8B79-37D633B846F1}}">'
    '<asvg:svgBlip xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:embed="{relation}"/>'
    "</a:ext></a:extLst>"
)
_MOST_ROWS = 2000
"""Of one table: sixty pages. Who needs more needs a workbook, and Word would need minutes."""


def render_docx(document: Document, lang: Lang) -> bytes:
    """Raises ValueError where a figure is no SVG. Of a table beyond 2,000 rows the first are shown, and it says so."""
    document = replace(document, sections=tuple(_cut(section) for section in document.sections))
    word = new_word()
    tz = ZoneInfo(document.timezone)
    _set_properties(word, document, lang)
    _set_fonts(word)
    _set_styles(word, lang)
    wide = [[is_wide(view, lang, tz, _UPRIGHT) for view in section.views] for section in document.sections]
    tables = [one for some in wide for one in some]
    lies = 2 * sum(tables) > len(tables)  # turning a paper of wide tables over and over helps nobody
    _set_page(word, sideways=lies)
    _add_feet(word, document, lang)
    _add_head(word, document, lang)
    for at, text in enumerate(document.opening):
        _prose(word, text.to(lang), lang, indented=at > 0)  # the first names the addressee
    sideways = lies
    for section, number, some in zip(document.sections, section_numbers(document, lang), wide, strict=True):
        wanted = lies or any(some) or (sideways and _may_lie(section))
        if wanted != sideways:
            word.add_section(WD_SECTION.NEW_PAGE)
            _set_page(word, sideways=wanted)
            sideways = wanted
        _add_section(word, section, number, lang, tz, _SIDEWAYS if sideways else _UPRIGHT)
    for text in document.closing:
        _prose(word, text.to(lang), lang, indented=True)
    if document.signatures:
        page = _SIDEWAYS if sideways else _UPRIGHT
        _hold_end(word)
        _add_gap(word, Pt(12), keep=True)
        _add_table(word, build_signature_table(document.signatures, lang, tz, page))
    raw = io.BytesIO()
    word.save(raw)
    return repack(raw.getvalue())


def _may_lie(section: Section) -> bool:
    """Whether it can share a turned page with the tables before it; lines of text would be too long to read."""
    return not section.form and not section.figures and len(section.paragraphs) < 2


def _cut(section: Section) -> Section:
    if all(len(view.rows) <= _MOST_ROWS for view in section.views):
        return section
    return replace(section, views=tuple(
        replace(
            view, rows=view.rows[:_MOST_ROWS],
            notes=(FRAME["cut"].format(shown=_MOST_ROWS, all=len(view.rows)), *view.notes),
        ) if len(view.rows) > _MOST_ROWS else view
        for view in section.views
    ))  # fmt: skip


def _set_properties(word: Word, document: Document, lang: Lang) -> None:
    core = word.core_properties
    core.title, core.author = clean(document.title.to(lang))[:255], clean(document.made_by)[:255]
    core.subject = clean(document.office)[:255]
    core.comments, core.keywords, core.last_modified_by = "", "", core.author
    core.created = core.modified = document.made_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    core.language, core.revision = {"zh": "zh-CN", "en": "en"}[lang], 1


def _set_fonts(word: Word) -> None:
    """Tells programs without a font which other one to take; the fonts themselves are the reader's."""
    table = parse_xml(f"<w:fonts {nsdecls('w')}/>")
    for name, others in FALLBACKS.items():
        font = element("w:font", name=name)
        font.extend([element("w:altName", val=",".join(others)), element("w:charset", val="86")])
        table.append(font)
    part = next(rel.target_part for rel in word.part.rels.values() if rel.reltype == RELATIONSHIP_TYPE.FONT_TABLE)
    part._blob = serialize_part_xml(table)


def _set_styles(word: Word, lang: Lang) -> None:
    for language in word.styles.element.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")
    body = _BODY_SIZE[lang]
    for name, font, size, before, after in (
        ("Normal", BODY, body, 0, 0), ("Title", TITLE, 22, 0, 12), ("Heading 1", HEADING, body, 8, 4),
        ("Heading 2", SUBHEADING, body, 6, 4),
    ):  # fmt: skip
        style = word.styles[name]
        properties = style.element.get_or_add_rPr()
        for old in properties.findall(qn("w:rFonts")):
            properties.remove(old)  # it names theme fonts, which win over names
        properties.insert(0, fonts(font))
        shape = style.paragraph_format
        style.font.size, style.font.bold, style.font.color.rgb = (
            Pt(size),
            lang == "en" and name != "Normal",
            RGBColor(0, 0, 0),
        )
        shape.space_before, shape.space_after = Pt(before), Pt(after)
        shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.AT_LEAST, Pt(_LINE[lang])
    title = word.styles["Title"]
    title.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for border in title.element.pPr.findall(qn("w:pBdr")):
        title.element.pPr.remove(border)


def _set_page(word: Word, *, sideways: bool) -> None:
    page = word.sections[-1]
    page.orientation = WD_ORIENT.LANDSCAPE if sideways else WD_ORIENT.PORTRAIT
    page.page_width, page.page_height = (_LONG_SIDE, _SHORT_SIDE) if sideways else (_SHORT_SIDE, _LONG_SIDE)
    margins = (_LEFT, _RIGHT, _TOP, _BOTTOM) if sideways else (_TOP, _BOTTOM, _LEFT, _RIGHT)
    page.top_margin, page.bottom_margin, page.left_margin, page.right_margin = margins
    page.footer_distance = Mm(15)
    page.different_first_page_header_footer = len(word.sections) == 1


def _add_feet(word: Word, document: Document, lang: Lang) -> None:
    """`— 1 —`, right on odd pages and left on even ones; later sections take the feet over from the first.

    What the paper was made from stands at the foot of its first page, where it never needs a page of its own.
    """
    word.settings.odd_and_even_pages_header_footer = True
    first, right, left = word.sections[0], WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.LEFT
    for foot, side in ((first.first_page_footer, right), (first.footer, right), (first.even_page_footer, left)):
        foot.is_linked_to_previous = False
        paragraph = foot.paragraphs[0]
        paragraph.alignment = side
        field = element("w:fldSimple", instr="PAGE")
        field.append(run("1", Pt(14)))
        paragraph._p.extend([run("— ", Pt(14)), field, run(" —", Pt(14))])
    number = first.first_page_footer.paragraphs[0]
    for text in (FRAME["unknown"], *([document.source] if document.source else ())):
        line = number.insert_paragraph_before()
        line.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
        line._p.append(run(clean(text.to(lang)), _SMALL, color="666666"))


def _add_head(word: Word, document: Document, lang: Lang) -> None:
    if document.numbered:
        _paragraph(word, FRAME["number"].to(lang), size=_NOTE).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    word.add_paragraph(style="Title")._p.append(run(clean(document.title.to(lang))))
    when = f"{FRAME['made_at'].to(lang)} {made_at(document.made_at, document.timezone, lang)}"
    who = f"{FRAME['made_by'].to(lang)} {document.made_by}"
    _paragraph(word, document.office, size=Pt(14)).alignment = WD_ALIGN_PARAGRAPH.CENTER
    _paragraph(word, f"{when}　{who}", size=Pt(10.5)).alignment = WD_ALIGN_PARAGRAPH.CENTER
    if document.notice:
        _paragraph(word, document.notice.to(lang), size=_NOTE, color=COLORS["bad"])


def _add_section(word: Word, section: Section, number: str, lang: Lang, tz: tzinfo, page: Page) -> None:
    if section.headed:
        word.add_paragraph(style="Heading 1")._p.append(run(number + clean(section.title.to(lang))))
    for text in (*([section.intro] if section.intro else ()), *section.paragraphs):
        for line in text.to(lang).split("\n"):
            _prose(word, line, lang, indented=True)
    if section.numbers or section.form or section.views:
        word.paragraphs[-1].paragraph_format.keep_with_next = True
    if section.numbers:
        _add_gap(word, _AIR, keep=True)
        _add_table(word, build_number_table(section.numbers, lang, page))
    if section.form:
        _add_gap(word, _AIR, keep=True)
        _add_table(word, build_form_table(section.form, lang, tz, page))
    titles = iter(part_titles(section, lang))
    if (
        section.views
        and not (section.numbers or section.form or section.figures)
        and (section.intro or section.paragraphs)
    ):
        _add_gap(word, _AIR, keep=True)
    for figure in section.figures:
        _add_heading(word, titles)
        _add_figure(word, figure, lang, page)
    for view in section.views:
        _add_heading(word, titles)
        if view.rows:
            _add_table(word, build_view_table(view, lang, tz, page))
        elif view.columns and not view.notes:
            _paragraph(word, FRAME["none"].to(lang), size=_NOTE)
        if view.notes:
            _hold_end(word)
        for note in view.notes:
            _paragraph(word, note.to(lang), size=_NOTE)
    if section.missing:
        words = f"{FRAME['missing'].to(lang)}{COLON.to(lang)}{section.missing.to(lang)}"
        _paragraph(word, words, size=_NOTE, color=COLORS["warn"])


def _add_heading(word: Word, titles: Iterator[str]) -> None:
    title = next(titles)
    if title:
        word.add_paragraph(style="Heading 2")._p.append(run(clean(title)))


def _add_figure(word: Word, figure: Figure, lang: Lang, page: Page) -> None:
    """As SVG for programs that draw it with the reader's own fonts, and as PNG for the rest."""
    svg = figure.svg.to(lang)
    picture = word.add_picture(io.BytesIO(vl_convert.svg_to_png(svg, scale=_SHARPNESS)))
    wide, tall = picture.width * _CSS_INCH / _SHARPNESS, picture.height * _CSS_INCH / _SHARPNESS
    factor = min(1.0, page.width / wide, (Mm(110) if page is _SIDEWAYS else Mm(190)) / tall)
    picture.width, picture.height = Length(int(wide * factor)), Length(int(tall * factor))
    name = PackURI(f"/word/media/drawing{len(word.inline_shapes)}.svg")
    part = Part(name, "image/svg+xml", svg.encode(), word.part.package)
    relation = word.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
    picture._inline.graphic.graphicData.pic.blipFill.blip.append(parse_xml(_SVG_BLIP.format(relation=relation)))


def _add_table(word: Word, table: BaseOxmlElement) -> None:
    body = word.element.body
    body.insert(len(body) - 1, table)  # before the last section's properties
    _add_gap(word)  # two tables without a paragraph between them would become one


def _add_gap(word: Word, height: Length = _THIN, *, keep: bool = False) -> None:
    """`keep`: on the page of what follows."""
    paragraph = word.add_paragraph()
    shape = paragraph.paragraph_format
    shape.line_spacing_rule, shape.line_spacing, shape.keep_with_next = WD_LINE_SPACING.EXACTLY, height, keep
    shape.space_after = Pt(0 if keep else 6)  # unlike the line's own height it never needs a page of its own
    paragraph._p.get_or_add_pPr().append(paragraph_mark(Pt(1)))


def _hold_end(word: Word) -> None:
    """Takes what stands last to the page of what follows: signatures alone on a page could be put under any paper, and a note
    without its table tells nothing."""
    for block in reversed(word.element.body[:-1]):
        last = block if block.tag == qn("w:p") else block[-1]
        for paragraph in last.iter(qn("w:p")):
            paragraph.get_or_add_pPr().get_or_add_keepNext()
        if any(text.text for text in last.iter(qn("w:t"))):
            return


def _prose(word: Word, text: str, lang: Lang, *, indented: bool) -> None:
    """Chinese paragraphs begin two characters in."""
    paragraph = _paragraph(word, text)
    if indented and lang == "zh":
        indent = element("w:ind", firstLineChars="200", firstLine=str(int(2 * 20 * _BODY_SIZE[lang])))
        paragraph._p.get_or_add_pPr().append(indent)


def _paragraph(word: Word, text: str, *, size: Length | None = None, color: str | None = None) -> Paragraph:
    """`size`: of text beside the running one, which needs no more room than its own."""
    paragraph = word.add_paragraph()
    if size:
        paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    paragraph._p.append(run(clean(text), size, color=color))
    return paragraph
