"""A drawing comes from a library and stands inside the page: nothing in it may act or reach out."""

from __future__ import annotations

import pytest

from govcloud.report.figure import build_inline_svg

HEAD = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def drawn(inside: str, attributes: str = 'width="10" height="20"') -> str:
    return build_inline_svg(f"<svg {HEAD} {attributes}>{inside}</svg>", "p", "标题")


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<g onload="alert(1)"/>',
        '<a xlink:href="https://example.org/"><text>x</text></a>',
        '<image xlink:href="https://example.org/x.png"/>',
        "<foreignObject><b>x</b></foreignObject>",
        '<use xlink:href="https://example.org/x.svg#a"/>',
        '<use href="javascript:alert(1)"/>',
        '<rect fill="url(https://example.org/x)"/>',
        "<style>@import 'https://example.org/x.css';</style>",
        "<style>text { fill: url(https://example.org/x) }</style>",
        '<set attributeName="href" to="javascript:alert(1)"/>',
    ],
)
def test_what_acts_or_reaches_out_is_dropped(inside: str) -> None:
    svg = drawn(inside)
    assert "example.org" not in svg and "alert" not in svg and "foreignObject" not in svg


def test_what_is_drawn_stays() -> None:
    svg = drawn(
        '<g transform="translate(1,2)"><path d="M0 0L1 1" stroke="#123"/><text x="1">迁移 &amp; 接管</text></g>'
    )
    assert 'd="M0 0L1 1"' in svg and "迁移 &amp; 接管" in svg and 'transform="translate(1,2)"' in svg


def test_ids_and_what_refers_to_them_are_prefixed() -> None:
    svg = drawn('<linearGradient id="a"/><rect fill="url(#a)"/><rect fill="url(\'#a\')"/><use href="#a"/>')
    assert 'id="p-a"' in svg and svg.count("url(#p-a)") == 2 and 'href="#p-a"' in svg


def test_a_drawing_shrinks_with_the_paper_and_has_a_name() -> None:
    svg = drawn("", 'width="800px" height="300"')
    assert 'viewBox="0 0 800 300"' in svg and "max-width:800px" in svg
    assert 'role="img"' in svg and 'aria-label="标题"' in svg


@pytest.mark.parametrize("text", ["", "x", "<svg", "<html/>", "<svg/>", '<!DOCTYPE svg [<!ENTITY a "b">]><svg/>'])
def test_what_is_no_drawing_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        build_inline_svg(text, "p", "x")
