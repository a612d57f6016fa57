"""Changes and budget lines of a project as one line of text each: what a cell holds and what statements keep. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from govcloud.discovery.dates import parse_exact_date
from govcloud.discovery.raw_cells import NONE_WORDS, UNKNOWN_WORDS, Hint, Read, fold
from govcloud.model.inventory import BudgetLine, ProjectChange
from govcloud.model.text import Text

_DAY = r"(?:19|20)\d\d(?:年\d{1,2}月(?:\d{1,2}日?)?|[-./]\d{1,2}(?:[-./]\d{1,2})?|\d{4})"
_NUMBER = r"(?:[（(]?\d{1,2}[)）.、．](?!\d)|[（(]?\d{1,2}[)）.、．](?=(?:19|20)\d\d[年./-])|[①-⑳•·-])"
_NUMBERED = re.compile(rf"^(?:\s*{_NUMBER})+\s*")
_NEXT_LINE = re.compile(rf"\n|[;；](?=[^\S\n]*{_NUMBER}?[^\S\n]*(?:19|20)\d\d[年./\s-])")
"""A new line, or a semicolon before something that begins with a year; other semicolons belong to the text."""
_WORD = re.compile(r"\w")
_BEGINS_WITH_DAY = re.compile(_DAY)
_BEGINS_WITH_YEAR = re.compile(r"((?:19|20)\d\d)(?:年度?|(?=[\s:：,，]))")
_AMOUNT = re.compile(r"[¥￥]?\s*\d[\d,，]*(?:\.\d+)?\s*[万亿]?元?$")
_LONGEST_AMOUNT = 40
_BETWEEN = " :：,，、"
"""Signs between the parts of a line."""
_FILED = re.compile(
    rf"(?:已|于)*(?:备案|报备|申报|报批)(?:于|时间|日期)?[\s:：]*(?P<on>{_DAY}|\d\S*)|(?P<on2>{_DAY})(?:已)?(?:备案|报备)"
)
_NOT_FILED = re.compile(r"(?:尚|还)?(?:未|待|没有)备案")
CHANGE = Text(
    "日期、内容和备案日期，例如 2026-03-01 增加模块（备案 2026-03-20）",
    "the day, what changed and the day of filing, such as “2026-03-01 增加模块（备案 2026-03-20）”",
)
BUDGET_LINE = Text(
    "年度、事项、带单位的金额，例如 2026年 软件开发 35万元",
    "year, item, amount with its unit, such as “2026年 软件开发 35万元”",
)
"""What a line should look like, for somebody who wrote it otherwise."""


def split_lines(text: str) -> list[str]:
    """The lines of a cell, without their numbers; a line that says nothing is left out."""
    lines = (_NUMBERED.sub("", " ".join(line.split())) for line in _NEXT_LINE.split(text))
    return [line for line in lines if fold(line) not in NONE_WORDS | UNKNOWN_WORDS]


def render_change(change: ProjectChange) -> str:
    """`2026-03-01 增加模块（备案 2026-03-20）`."""
    day = f"{change.changed_on.isoformat()} " if change.changed_on else ""
    return day + change.what + (f"（备案 {change.filed_on.isoformat()}）" if change.filed_on else "")


def read_change(line: str) -> Read:
    """The line as render_change writes it; `expected` where a date in it is none, or it says nothing."""
    on, what, remark = _split_change(line)
    if not _WORD.search(what) or re.match(r"(?:19|20)\d\d[年./-]\d", what):
        return Read(expected=CHANGE)
    changed = _day(on) if on else None
    filed = None
    told = _FILED.fullmatch(unicodedata.normalize("NFKC", remark)) if remark else None
    if told:
        filed = _day(told["on"] or told["on2"])
    elif remark and not _NOT_FILED.fullmatch(fold(remark)):
        what = f"{what}（{remark}）"
    if (on and changed is None) or (told and filed is None):
        return Read(expected=CHANGE)
    return Read(render_change(ProjectChange(what=what, changed_on=changed, filed_on=filed)))


def _split_change(line: str) -> tuple[str, str, str]:
    """(day, what, remark in brackets at the end), each as written."""
    day = _BEGINS_WITH_DAY.match(line)
    on, rest = (day[0], line[day.end() :]) if day else ("", line)
    rest, remark = rest.strip(_BETWEEN), ""
    if rest.endswith(("）", ")")):
        start = max(rest.rfind("（"), rest.rfind("("))
        inner = rest[start + 1 : -1]
        if start > 0 and not re.search("[）)]", inner):
            rest, remark = rest[:start].rstrip(_BETWEEN), inner
    return on, rest, remark


def _day(text: str) -> date | None:
    read = parse_exact_date(text, Hint())
    return date.fromisoformat(read.value) if isinstance(read.value, str) else None


def parse_change(line: str) -> ProjectChange:
    """Of a line that render_change wrote."""
    on, what, remark = _split_change(line)
    told = _FILED.fullmatch(remark) if remark else None
    return ProjectChange(
        what=(what if told or not remark else f"{what}（{remark}）") or line,
        changed_on=_day(on) if on else None,
        filed_on=_day(told["on"] or told["on2"]) if told else None,
    )


def render_budget_line(line: BudgetLine) -> str:
    """`2026年 软件开发 35万元`; an amount that is not in whole hundreds is written in yuan."""
    cents = round(line.yuan * 100)
    if cents % 10_000 or cents < 1_000_000:
        amount = f"{cents / 100:.2f}".rstrip("0").rstrip(".") + "元"
    else:
        amount = f"{cents / 1_000_000:.2f}".rstrip("0").rstrip(".") + "万元"
    return (f"{line.year}年 " if line.year else "") + f"{line.item} {amount}"


def split_budget_line(line: str) -> tuple[int | None, str, str]:
    """(year, item, amount as written); an empty item where the line is none."""
    rest = unicodedata.normalize("NFKC", line).strip()
    year = _BEGINS_WITH_YEAR.match(rest)
    rest = (rest[year.end() :] if year else rest).strip(_BETWEEN)
    amount = _AMOUNT.search(rest, max(0, len(rest) - _LONGEST_AMOUNT))
    item = rest[: amount.start()].strip(_BETWEEN) if amount else ""
    if amount is None or not _WORD.search(item):
        return None, "", ""
    return int(year[1]) if year else None, item, amount[0]


def parse_budget_line(line: str) -> BudgetLine:
    """Of a line that render_budget_line wrote."""
    year, item, amount = split_budget_line(line)
    number = amount.removesuffix("元").removesuffix("万")
    yuan = round(float(number) * (10_000 if amount.endswith("万元") else 1), 2) if number else 0.0
    return BudgetLine(item=item or line, yuan=yuan, year=year)
