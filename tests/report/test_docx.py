"""The paper that an office edits, stamps and files: nothing of it may be lost, run, or differ from one printing to the next."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from docx import Document as open_word
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.document import Document, Section, Signature
from govcloud.report.docx import render_docx
from govcloud.report.view import Column, View


def opened(data: bytes) -> Any:
    return open_word(io.BytesIO(data))


def texts(data: bytes) -> list[str]:
    word = opened(data)
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    foot = word.sections[0].first_page_footer.paragraphs
    return [paragraph.text for paragraph in (*word.paragraphs, *foot)] + cells


def plain(*views: View) -> Document:
    return Document(
        title=Text("报告", "Report"), office="示例市", made_at=datetime(2026, 3, 7, 16, 30, tzinfo=UTC),
        timezone="Asia/Shanghai", made_by="甲", sections=(Section(section_id="s", title=Text("节", "Part"), views=views),),
    )  # fmt: skip


@pytest.mark.parametrize("lang", LANGS)
def test_everything_of_the_document_is_in_the_file(document: Document, lang: Lang) -> None:
    document = replace(
        document, opening=(Text("示例厅：", "To X"),), closing=(Text("签字前不生效", "Void until signed"),)
    )
    found = texts(render_docx(document, lang))
    whole = "\n".join(found)
    for section in document.sections:
        assert any(text.endswith(section.title.to(lang)) for text in found)
        for view in section.views:
            assert view.title.to(lang) in found
            assert {column.title.to(lang) for column in view.columns} <= set(found)
            assert all(note.to(lang) in found for note in view.notes)
    assert "1,600" in whole and "2013-05-01" in found and "2026-03-08 00:30" in found
    assert "示例市<数据局>" in found and '<script>alert("x")</script>&<b>' in found
    assert document.title.to(lang) in found and document.source is not None and document.source.to(lang) in found
    assert Text("签字前不生效", "Void until signed").to(lang) in found and Text("示例厅：", "To X").to(lang) in found
    assert ("一、概况" if lang == "zh" else "1. Overview") in found


def test_the_same_document_gives_the_same_bytes(document: Document) -> None:
    """A digest in the ledger is worth nothing when printing again changes it."""
    data = render_docx(document, "zh")
    assert data == render_docx(document, "zh")
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    core = opened(data).core_properties
    assert (core.created, core.author, core.comments) == (datetime(2026, 3, 7, 16, 30, tzinfo=UTC), "张示例", "")


def test_figures_are_drawn_twice(document: Document) -> None:
    """As SVG with the reader's own fonts: a server without Chinese fonts must not print empty labels."""
    data = render_docx(document, "zh")
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        names = parts.namelist()
        svg = [parts.read(name).decode() for name in names if name.endswith(".svg")]
        assert "image/svg+xml" in parts.read("[Content_Types].xml").decode()
    assert len(svg) == 2 and "协同办公系统" in svg[0]
    assert sum(name.endswith(".png") for name in names) >= 1
    widths = [shape.width for shape in opened(data).inline_shapes]
    assert len(widths) == 2 and all(0 < width <= 5_616_000 for width in widths), "within the margins: 156 mm"


def test_a_table_over_many_pages_repeats_its_heading_and_keeps_its_rows_whole() -> None:
    column = Column("a", Text("编号", "Id"))
    view = View(name="v", title=Text("表", "Table"), columns=(column,), rows=tuple({"a": f"N-{n}"} for n in range(300)))
    (table,) = opened(render_docx(plain(view), "zh")).tables
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)
    assert table.rows[300].cells[0].text == "N-299"


def test_a_wide_table_gets_a_page_on_its_side() -> None:
    few = tuple(Column(f"k{n}", Text(f"字段{n}", f"Field {n}")) for n in range(3))
    many = tuple(Column(f"k{n}", Text(f"很长的字段名{n}", f"Long field name {n}")) for n in range(14))
    row = {f"k{n}": "10.66.1.0/24" for n in range(14)}
    narrow, wide = (View(name=f"v{len(c)}", title=Text("表", "Table"), columns=c, rows=(row,)) for c in (few, many))
    first = plain(narrow).sections[0]
    prose = replace(first, paragraphs=(Text("一", "one"), Text("二", "two")))
    document = replace(plain(), sections=(first, replace(first, views=(wide,)), first, prose))
    sections = opened(render_docx(document, "zh")).sections
    assert [s.orientation for s in sections] == [WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE, WD_ORIENT.PORTRAIT]
    assert sections[1].page_width > sections[1].page_height, "with the small table after it, before the text"
    sizes = [int(c.get(qn("w:w"))) for c in opened(render_docx(document, "zh")).tables[1]._tbl.tblGrid]
    assert sum(sizes) <= 225 / 25.4 * 1440 + 1, "within the margins"


@pytest.mark.parametrize("lang", LANGS)
def test_chinese_fonts_are_named_and_theme_fonts_are_not(document: Document, lang: Lang) -> None:
    """Word takes a theme's font before the named one: the text would be set in whatever the reader's theme says."""
    styles = opened(render_docx(document, lang)).styles
    for name, font in (("Normal", "仿宋"), ("Title", "方正小标宋简体"), ("Heading 1", "黑体")):
        fonts = styles[name].element.rPr.rFonts
        assert fonts.get(qn("w:eastAsia")) == font
        assert not [key for key in fonts.attrib if "Theme" in key]


def test_no_code_is_torn_at_its_hyphens() -> None:
    """Programs break lines after a hyphen; a hyphen that holds would hide the code from a search."""
    column, codes = Column("a", Text("系统", "Systems")), [f"SLXM-2026-{n:02}" for n in range(1, 12)]
    others = tuple(Column(f"b{n}", Text("说明", "Remark")) for n in range(5))
    rows = ({"a": codes, **{c.key: "说明文字" * 9 for c in others}},)
    view = View(name="v", title=Text("表", "Table"), columns=(column, *others), rows=rows)
    (table,) = opened(render_docx(plain(view), "zh")).tables
    cell = table.rows[1].cells[0]
    lines = cell.text.split("\n")
    assert "".join(lines) == "、".join(codes) and len(lines) > 1
    room = cell.width.pt - 6  # margins
    assert all(len(line.rstrip("、")) * 10.5 / 2 <= room for line in lines), (
        "each line fits, so that nothing else breaks it"
    )


def test_signatures_never_stand_alone_on_a_page() -> None:
    """A page with nothing but signatures could be put under any paper."""
    view = View(
        name="v", title=Text("表", "Table"), columns=(Column("a", Text("编号", "Id")),), rows=({"a": 1}, {"a": 2})
    )
    signed = replace(plain(view), signatures=(Signature(party=Text("业主单位", "Owner")),))
    last = opened(render_docx(signed, "zh")).tables[0].rows[-1]
    assert all(p.paragraph_format.keep_with_next for cell in last.cells for p in cell.paragraphs)
    closed = opened(render_docx(replace(signed, closing=(Text("以上属实。", "True."),)), "zh"))
    assert next(p for p in closed.paragraphs if p.text == "以上属实。").paragraph_format.keep_with_next


def test_an_empty_table_says_so_and_an_empty_document_opens() -> None:
    empty = View(name="v", title=Text("表", "Table"), columns=(Column("a", Text("编号", "Id")),))
    assert "（无）" in texts(render_docx(plain(empty), "zh"))
    assert "报告" in texts(render_docx(replace(plain(), sections=()), "zh"))


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_text_of_any_kind_stays_text(one: str, other: str) -> None:
    """Names come out of forty workbooks: control characters, markup and field codes must neither break nor run."""
    view = View(
        name="v", title=Text(one, one), columns=(Column("a", Text(other, other)),),
        rows=({"a": one}, {"a": 'INCLUDETEXT "/etc/passwd" \\* MERGEFORMAT'}), notes=(Text(other, other),),
    )  # fmt: skip
    data = render_docx(replace(plain(view), office=one, made_by=other, opening=(Text(one, one),)), "zh")
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        body = fromstring(parts.read("word/document.xml"))
    tags = {element.tag for element in body.iter()}
    assert not tags & {qn("w:instrText"), qn("w:fldChar"), qn("w:fldSimple"), qn("w:hyperlink"), qn("w:object")}
    assert any("INCLUDETEXT" in text for text in texts(data))
