"""The words and numbers of a document's frame, the same in every form that it is given."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

from govcloud.model.text import Lang, Text
from govcloud.report.document import Document, Section, Signature

_CHINESE = "零一二三四五六七八九十"

FRAME: Mapping[str, Text] = {
    "made_at": Text("生成时间", "Generated"),
    "made_by": Text("生成人", "by"),
    "unknown": Text("—：没有，或尚不掌握。", "—: none, or not known."),
    "none": Text("（无）", "(none)"),
    "missing": Text("尚无内容", "Nothing here yet"),
    "cut": Text(
        "此处列出前 {shown} 行，共 {all} 行；全部见同一文书的表格（--as xlsx）。",
        "The first {shown} of {all} rows; all of them in the workbook of this paper (--as xlsx).",
    ),
    "number": Text("文号：　　　　〔　　　　〕　　号", "No. ____________"),
}
COLON = Text("：", ": ")
"""Between a label and its value."""
_SEAL, _DATE = Text("单位（盖章）", "Unit (seal)"), Text("日期", "Date")
_NO_DATE = Text("　　　年　　月　　日", "____________")
_BEIJING = "Asia/Shanghai"


def section_number(number: int, lang: Lang) -> str:
    """Before a heading: `十二、` or `12. `, for 1 to 99."""
    return _chinese(number) + "、" if lang == "zh" else f"{number}. "


def section_numbers(document: Document, lang: Lang) -> list[str]:
    """What stands before each section's title; nothing where it has no heading, or where it is the only one."""
    headed = sum(section.headed for section in document.sections)
    count = itertools.count(1)
    return [section_number(next(count), lang) if s.headed and headed > 1 else "" for s in document.sections]


def part_titles(section: Section, lang: Lang) -> list[str]:
    """The headings of the figures and then the views of a section: `（一）…` where there are several.

    Empty where the one part of a section would only repeat its heading.
    """
    titles = [*(figure.title.to(lang) for figure in section.figures), *(view.title.to(lang) for view in section.views)]
    if len(titles) == 1:
        return [""] if section.headed and titles[0] == section.title.to(lang) else titles
    return [part_number(number, lang) + title for number, title in enumerate(titles, start=1)]


def part_number(number: int, lang: Lang) -> str:
    """`（十二）` or `(12) `, for 1 to 99."""
    return f"（{_chinese(number)}）" if lang == "zh" else f"({number}) "


def signature_lines(signature: Signature, lang: Lang, tz: tzinfo) -> list[tuple[str, str]]:
    """Label and value of each line under the party's name; an empty value is left for the pen."""
    signed = signature.signed
    lines = [(_SEAL.to(lang), signature.unit or "")]
    for number, label in enumerate(signature.people):
        lines.append((label.to(lang), signed.name if signed and number == 0 else ""))
    return [*lines, (_DATE.to(lang), _day(signed.at, lang, tz) if signed else _NO_DATE.to(lang))]


def day_text(day: date) -> Text:
    """As offices write it: `2026年3月8日`."""
    return Text(f"{day.year}年{day.month}月{day.day}日", day.isoformat())


def _day(at: datetime | date, lang: Lang, tz: tzinfo) -> str:
    return day_text(at.astimezone(tz).date() if isinstance(at, datetime) else at).to(lang)


def _chinese(number: int) -> str:
    """1 to 99 in Chinese: 十二, 二十."""
    tens, ones = divmod(number, 10)
    return (_CHINESE[tens] if tens > 1 else "") + ("十" if tens else "") + (_CHINESE[ones] if ones else "")


def made_at(at: datetime, timezone: str, lang: Lang) -> str:
    """The instant on the office's clock, with the name of its zone."""
    local = at.astimezone(ZoneInfo(timezone))
    zone = Text("北京时间", "Beijing time").to(lang) if timezone == _BEIJING else timezone
    brackets = Text("（{z}）", " ({z})").format(z=zone).to(lang)
    return f"{day_text(local.date()).to(lang)} {local:%H:%M}{brackets}"
