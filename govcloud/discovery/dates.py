"""Dates in cells: real ones, text in every usual form, day numbers of both epochs, and the traps of 1900. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from govcloud.discovery.raw_cells import NONE_WORDS, Hint, RawCell, Read, cell_text, fold
from govcloud.model.text import Text

_EXCEL_EPOCH, _MAC_EPOCH = date(1899, 12, 30), date(1904, 1, 1)
_FIRST_YEAR, _LAST_YEAR = 1950, 2100
"""No date of a survey lies outside; empty cells formatted as dates show as 1899, 1900 or 1904."""
_NO_DAY = frozenset({"未", "未备案", "未验收", "未投用", "至今"})
_DAY = re.compile(r"((?:19|20)\d\d)(?:[年./-](\d{1,2})(?:[月./-](?:(\d{1,2})日?)?)?|(\d\d)(\d\d)?|年)?")
_CLOCK = re.compile(r"[\sT]\s*\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?$")
_HAN = "〇一二三四五六七八九"
_HAN_YEAR = re.compile(r"^[〇零一二三四五六七八九]{4}(?=年)")
_HAN_NUMBER = re.compile(r"(?:[二三]?十)?[一二三四五六七八九](?=[月日])|[二三]?十(?=[月日])")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_SERIAL_DAYS = range(18_000, 80_000)
_EXPECTED = Text("日期，例如 2019-09-01", "a date, such as 2019-09-01")


def parse_date(cell: RawCell, hint: Hint) -> Read:
    """A day as ISO text. A month or year alone becomes its first day, with a note; `无` is no date."""
    return _parse_day(cell, hint, partial=True)


def parse_exact_date(cell: RawCell, hint: Hint) -> Read:
    """A day as ISO text; a month alone is refused, because a deadline in days is counted from it."""
    return _parse_day(cell, hint, partial=False)


def _parse_day(cell: RawCell, hint: Hint, *, partial: bool) -> Read:
    if isinstance(cell, date):
        return _checked(cell.date() if isinstance(cell, datetime) else cell)
    if isinstance(cell, (time, timedelta)):
        # Zero, formatted as a date: what an empty cell turns into when another one refers to it.
        return Read(expected=_EXPECTED)
    text = fold(_CLOCK.sub("", unicodedata.normalize("NFKC", cell_text(cell))))
    if text in NONE_WORDS or text in _NO_DAY:
        return Read(None)
    if _SERIAL.fullmatch(text) and int(float(text)) in _SERIAL_DAYS:
        epoch = _MAC_EPOCH if hint.date1904 else _EXCEL_EPOCH
        read = _checked(epoch + timedelta(days=int(float(text))))
        if isinstance(cell, str) and isinstance(read.value, str):
            note = Text("按表格的日期序号读作 {d}", "Read as a spreadsheet's day number: {d}").format(d=read.value)
            return Read(read.value, note=note)
        return read
    if isinstance(cell, float) and re.fullmatch(r"(19|20)\d\d\.1", text):
        # Excel turns a typed 2019.10 into the number 2019.1: nobody can tell January from October any more.
        return Read(expected=Text("年月写成 2019-01 或 2019-10（表格把 2019.10 存成了 2019.1）",
                                  "2019-01 or 2019-10: the spreadsheet stores 2019.10 as 2019.1"))  # fmt: skip
    return _written(text, partial=partial)


def _checked(day: date) -> Read:
    return Read(day.isoformat()) if _FIRST_YEAR <= day.year <= _LAST_YEAR else Read(expected=_EXPECTED)


def _number(han: str) -> str:
    """`十一` as 11, `二十` as 20, `九` as 9."""
    tens, ten, ones = han.rpartition("十")
    return (
        str((_HAN.index(tens) if tens else 1) * 10 + (_HAN.index(ones) if ones else 0)) if ten else str(_HAN.index(han))
    )


def _arabic(text: str) -> str:
    """`二〇一九年九月三日` as official letters write it, with the digits that the pattern knows."""
    text = _HAN_YEAR.sub(lambda m: "".join(str(_HAN.index(c)) for c in m[0].replace("零", "〇")), text)
    return _HAN_NUMBER.sub(lambda m: _number(m[0]), text)


def _written(text: str, *, partial: bool) -> Read:
    found = _DAY.fullmatch(_arabic(text))
    if found is None:
        return Read(expected=_EXPECTED)
    year, month, day = int(found[1]), found[2] or found[4], found[3] or found[5]
    try:
        parsed = date(year, int(month or 1), int(day or 1))
    except ValueError:
        return Read(expected=_EXPECTED)
    if day or _checked(parsed).expected:
        return _checked(parsed)
    if not partial:
        return Read(expected=Text("具体到日的日期，例如 2019-09-01", "a date with its day, such as 2019-09-01"))
    note = Text("日期不全，按 {d} 记", "The date is incomplete; taken as {d}").format(d=parsed.isoformat())
    return Read(parsed.isoformat(), note=note)
