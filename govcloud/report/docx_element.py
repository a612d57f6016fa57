"""Pieces of WordprocessingML (ECMA-376 part 1, chapter 17): elements, runs of text, fonts by name."""

from __future__ import annotations

from functools import cache

from docx.oxml.ns import nsmap, qn
from docx.oxml.parser import oxml_parser
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Length, Pt

from govcloud.report.text import cell_text

LATIN, BODY, HEADING, SUBHEADING, TITLE = "Times New Roman", "仿宋", "黑体", "楷体", "方正小标宋简体"
# What a machine without the font may take instead (17.8.3.1); the last one of each is free and common on Linux.
FALLBACKS = {
    BODY: ("仿宋_GB2312", "FangSong", "STFangsong", "Noto Serif CJK SC"),
    HEADING: ("SimHei", "STHeiti", "Noto Sans CJK SC"),
    SUBHEADING: ("楷体_GB2312", "KaiTi", "STKaiti", "Noto Serif CJK SC"),
    TITLE: ("方正小标宋_GBK", "FZXiaoBiaoSong-B05S", "宋体", "SimSun", "Noto Serif CJK SC"),
}


def element(tag: str, /, **attributes: str) -> BaseOxmlElement:
    """python-docx's OxmlElement without its search for names: a long table has a quarter of a million elements."""
    made: BaseOxmlElement = oxml_parser.makeelement(_name(tag), nsmap=_SPACES)
    for key, value in attributes.items():
        made.set(_name(f"w:{key}"), value)
    return made


_name = cache(qn)
_SPACES = {"w": nsmap["w"]}


def fonts(font: str) -> BaseOxmlElement:
    return element("w:rFonts", ascii=LATIN, hAnsi=LATIN, cs=LATIN, eastAsia=font)


def run(text: str, size: Length | None = None, *, font: str | None = None, color: str | None = None) -> BaseOxmlElement:
    made, properties = element("w:r"), element("w:rPr")
    if font:
        properties.append(fonts(font))
    if color:
        properties.append(element("w:color", val=color))
    if size:
        half_points = str(int(size / Pt(0.5)))
        properties.extend([element("w:sz", val=half_points), element("w:szCs", val=half_points)])
    if len(properties):
        made.append(properties)
    for number, line in enumerate(text.split("\n")):
        if number:
            made.append(element("w:br"))
        words = element("w:t")
        words.text = line
        words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        made.append(words)
    return made


def paragraph_mark(size: Length) -> BaseOxmlElement:
    """For a paragraph's properties: the size of its end, which gives an empty one its height."""
    mark = element("w:rPr")
    mark.append(element("w:sz", val=str(int(size / Pt(0.5)))))
    return mark


def clean(text: str) -> str:
    """Without control characters, which XML refuses and which could turn the direction of writing."""
    return cell_text(text, "zh") if text else ""
