"""The page is opened in an office without a network and printed for a file: nothing may load, run, overflow or be lost."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.document import Document, Section
from govcloud.report.html import render_html
from govcloud.report.view import Column, View


class Page(HTMLParser):
    """What a browser would find: tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.tags if name in attributes]


@pytest.mark.parametrize("lang", LANGS)
def test_nothing_is_loaded_and_no_script_runs(document: Document, lang: Lang) -> None:
    page = Page(render_html(document, lang, {"zh": "report.zh.html", "en": "report.en.html"}))
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "embed", "link", "base", "form", "img"}
    assert not [n for _, attributes in page.tags for n in attributes if n.startswith("on") or n in ("src", "srcset")]
    links = {v for v in [*page.attributes("href"), *page.attributes("xlink:href")] if not v.startswith("#")}
    assert links == {"report.en.html" if lang == "zh" else "report.zh.html"}
    html = render_html(document, lang)
    assert "@import" not in html and not re.search(r"url\((?!#)", html)


def test_the_policy_forbids_what_the_page_does_not_need(document: Document) -> None:
    page = Page(render_html(document, "zh"))
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "script-src" not in rules and "connect-src" not in rules


@pytest.mark.parametrize(("lang", "code"), [("zh", "zh-CN"), ("en", "en")])
def test_each_page_is_in_one_language(document: Document, lang: Lang, code: str) -> None:
    html = render_html(document, lang)
    assert Page(html).tags[0] == ("html", {"lang": code})
    own, other = ("用户数", "Users") if lang == "zh" else ("Users", "用户数")
    assert own in html and other not in html
    assert ("一、概况" in html) == (lang == "zh")


def test_instants_are_in_the_office_time_zone_and_say_so(document: Document) -> None:
    html = render_html(document, "zh")
    assert "2026年3月8日 00:30（北京时间）" in html
    assert ">2026-03-08 00:30</span></td>" in html


def test_data_is_shown_as_text(document: Document) -> None:
    html = render_html(document, "zh")
    assert "&lt;script&gt;alert(" in html and "示例市&lt;数据局&gt;" in html
    assert '<script>alert("x")</script>&<b>' in "".join(Page(html).texts)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_data_can_become_markup(text: str) -> None:
    view = View(
        name="v",
        title=Text("表", "Table"),
        columns=(Column("a", Text("列", "Column")),),
        rows=({"a": "x" + text + "x"},),
    )
    section = Section(section_id="s", title=Text(text, text), views=(view,), missing=Text("x" + text, "x" + text))
    document = Document(
        title=Text("报告", "Report"), office=text, made_at=datetime(2026, 3, 7, tzinfo=UTC), timezone="Asia/Shanghai",
        made_by=text, sections=(section,),
    )  # fmt: skip
    plain = replace(
        document, office="", made_by="", sections=(replace(section, title=Text("", ""), missing=Text("x", "x")),)
    )
    tags = [tag for tag, _ in Page(render_html(document, "zh")).tags]
    assert set(tags) == {tag for tag, _ in Page(render_html(plain, "zh")).tags}


def test_a_status_has_its_word_and_not_only_its_colour(document: Document) -> None:
    assert '<span class="tone bad whole">逾期</span>' in render_html(document, "zh")
    assert '<span class="tone bad whole">overdue</span>' in render_html(document, "en")


def test_data_never_gets_a_colour(document: Document, view: View) -> None:
    named = replace(view, rows=({"name": "overdue", "status": "failed"},))
    html = render_html(
        replace(document, sections=(Section(section_id="s", title=Text("一", "1"), views=(named,)),)), "en"
    )
    assert 'class="tone' not in html


def test_unknown_is_a_dash_and_explained(document: Document) -> None:
    html = render_html(document, "zh")
    assert html.count("—") >= 5
    assert "—：没有，或尚不掌握。" in html


def test_numbers_are_grouped_and_unknown_ones_are_no_zero(document: Document) -> None:
    html = render_html(document, "zh")
    assert "<dd>1,600<span" in html and "<dd>—</dd>" in html


def test_an_empty_section_says_which_command_fills_it(document: Document) -> None:
    assert "govcloud run start" in render_html(document, "zh")


def test_every_section_can_be_reached_from_the_contents(document: Document) -> None:
    page = Page(render_html(document, "zh"))
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {"#overview", "#estate", "#runs"} <= {h for h in page.attributes("href") if h in {f"#{i}" for i in ids}}


def test_two_drawings_do_not_share_their_ids(document: Document) -> None:
    html = render_html(document, "zh")
    assert 'id="estate-0-clip0"' in html and 'id="estate-1-clip0"' in html
    assert "url(#estate-1-clip0)" in html and "url(#clip0)" not in html


def test_drawings_carry_the_labels_of_the_language(document: Document) -> None:
    assert "<text>协同办公系统</text>" in render_html(document, "zh")
    assert "<text>Office</text>" in render_html(document, "en")


def test_a_wide_table_is_printed_sideways(document: Document) -> None:
    columns = tuple(Column(f"c{n}", Text(f"列 {n}", f"Column {n}")) for n in range(9))
    wide = View(
        name="wide",
        title=Text("宽表", "Wide"),
        columns=columns,
        rows=({f"c{n}": "十二个汉字的单元格内容" for n in range(9)},),
    )
    section = Section(section_id="s", title=Text("一", "1"), views=(wide,))
    assert '<section id="s" class="wide"' in render_html(replace(document, sections=(section,)), "zh")
    assert 'class="wide"' not in render_html(document, "zh")


def test_sections_are_counted_as_an_office_counts(document: Document) -> None:
    many = tuple(Section(section_id=f"s{n}", title=Text("节", "Part")) for n in range(1, 22))
    html = render_html(replace(document, sections=many), "zh")
    for numeral in ("一、节", "十、节", "十一、节", "二十、节", "二十一、节"):
        assert f">{numeral}</h2>" in html
    assert ">21. Part</h2>" in render_html(replace(document, sections=many), "en")
