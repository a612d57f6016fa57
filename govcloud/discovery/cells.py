"""Cells of a workbook as people fill them in, read as values. Pure: nothing here opens a file.

Every `parse_*` takes the cell as the reader gives it and returns a `Read`; it never raises. Text is compared after
NFKC, so full-width digits and letters need no rule of their own.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from govcloud.model.inventory import Value
from govcloud.model.text import Text

RawCell = str | int | float | bool | date | datetime | time | timedelta | None

NONE_WORDS = frozenset({"无", "没有", "none", "n/a"})
"""The department says that there is none."""
UNKNOWN_WORDS = frozenset({"", "/", "\\", "-", "--", "—", "——", "不详", "未知", "不清楚", "待定", "待核实", "unknown"})
"""The department does not say."""

_EXCEL_EPOCH = date(1899, 12, 30)
_SEPARATORS = re.compile(r"[、;；,，\s|]+")
_NAME_SEPARATORS = re.compile(r"[、;；,，\n\r\t|]+")
_NUMBER = r"(\d+(?:\.\d+)?)"
_GIB = {"m": 1 / 1024, "g": 1.0, "t": 1024.0, "p": 1024.0 * 1024}
_SIZE = re.compile(_NUMBER + r"\s*([mgtp])i?b?")
_CPU_MEMORY = re.compile(r"(\d+)\s*(?:核|c|v?cpu|cores?)\D{0,4}?" + _NUMBER + r"\s*([gt])i?b?(?:内存|ram)?")
_LEVELS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5}
_LEVEL = re.compile(r"(?:网络安全)?(?:等保|等级保护)?(?:定级)?(?:为)?第?([一二三四五1-5])级?(?:等保)?(?:\(.*\))?")
_YES = frozenset({"是", "有", "√", "✓", "✔", "y", "yes", "true", "1", "对", "已"})
_NO = frozenset({"否", "无", "×", "✗", "x", "n", "no", "false", "0", "没有", "未"})


@dataclass(frozen=True, slots=True)
class Read:
    """What a cell says. `expected` is set where it can't be read; `note` where it was read but should be looked at."""

    value: Value = None
    note: Text | None = None
    expected: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What the column knows about its cells."""

    unit: str | None = None
    """From the header: `g`, `t`, `m`, `万`, `%`."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Value -> words that mean it."""


def fold(text: str) -> str:
    """For comparing: NFKC, lower case, no white space at all."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def cell_text(cell: RawCell) -> str:
    """The cell as a person reads it: integral floats without `.0`, dates as ISO, control characters dropped."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    text = unicodedata.normalize("NFC", str(cell))
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc").strip()


def is_blank(cell: RawCell) -> bool:
    return fold(cell_text(cell)) in UNKNOWN_WORDS


def parse_text(cell: RawCell, hint: Hint) -> Read:
    """Text as written, white space folded. `无` is the empty text: known to be none, which is not unknown."""
    text = " ".join(cell_text(cell).split())
    return Read("" if fold(text) in NONE_WORDS else text)


def parse_code(cell: RawCell, hint: Hint) -> Read:
    """A code or number that somebody gave: half-width, no blanks; `无` counts as not given."""
    text = "".join(unicodedata.normalize("NFKC", cell_text(cell)).split())
    return Read(None if fold(text) in NONE_WORDS else text)


def parse_names(cell: RawCell, hint: Hint) -> Read:
    """Several names in one cell, separated by 、;，or line breaks."""
    names = (" ".join(part.split()) for part in _NAME_SEPARATORS.split(cell_text(cell)))
    return Read(tuple(n for n in names if n and fold(n) not in NONE_WORDS | UNKNOWN_WORDS) or None)


def parse_number(cell: RawCell, hint: Hint) -> Read:
    """A number; thousands separators and a trailing unit of counting (人、次、个) are allowed; `1.2万` is 12000."""
    text = fold(cell_text(cell)).replace(",", "").removeprefix("约")
    if text in NONE_WORDS:
        return Read(None)
    found = re.fullmatch(_NUMBER + r"(万|亿)?(?:余)?(?:人|次|个|家|台|项|条|元|年|mbps|mb/s|mb|m|兆)*(?:/年)?", text)
    if found is None:
        return Read(expected=Text("数字，例如 120", "a number, such as 120"))
    scale = {"万": 1e4, "亿": 1e8}.get(found[2] or hint.unit or "", 1.0)
    return Read(round(float(found[1]) * scale, 6))


def parse_integer(cell: RawCell, hint: Hint) -> Read:
    read = parse_number(cell, hint)
    if isinstance(read.value, float):
        if not read.value.is_integer():
            return Read(expected=Text("整数，例如 120", "a whole number, such as 120"))
        return Read(int(read.value))
    return read


def parse_percent(cell: RawCell, hint: Hint) -> Read:
    """Percent points. A bare number up to 1 is taken for a cell formatted as a percentage, and noted."""
    text = fold(cell_text(cell))
    found = re.fullmatch(_NUMBER + r"(%)?", text)
    if found is None or float(found[1]) > 100:
        return Read(expected=Text("百分数，例如 35%", "a percentage, such as 35%"))
    value = float(found[1])
    if value <= 1 and not found[2] and isinstance(cell, float):
        note = Text("按百分数格式读作 {v}%", "Read as {v}%: the cell looks formatted as a percentage")
        return Read(round(value * 100, 4), note=note.format(v=round(value * 100, 4)))
    return Read(value)


def parse_gib(cell: RawCell, hint: Hint) -> Read:
    """A size in GiB from `16G`, `1.5T`, `500 GB` (G and GB are read as GiB); a bare number needs a unit in the header."""
    text = fold(cell_text(cell)).replace(",", "").removeprefix("约")
    if text in NONE_WORDS:
        return Read(None)
    total = 0.0
    for part in re.split(r"[+＋、]", text):
        found = _SIZE.fullmatch(part)
        if found is None and hint.unit in _GIB and re.fullmatch(_NUMBER, part):
            total += float(part) * _GIB[hint.unit]
        elif found is None:
            return Read(expected=Text("带单位的容量，例如 500G、1.5T", "a size with its unit, such as 500G or 1.5T"))
        else:
            total += float(found[1]) * _GIB[found[2]]
    return Read(round(total, 4))


def parse_cpu_memory(cell: RawCell, hint: Hint) -> Read:
    """`8核16G` as (cores, GiB)."""
    found = _CPU_MEMORY.fullmatch(fold(cell_text(cell)))
    if found is None:
        return Read(expected=Text("核数和内存，例如 8核16G", "cores and memory, such as 8核16G"))
    return Read((int(found[1]), float(found[2]) * _GIB[found[3]]))


def parse_yes_no(cell: RawCell, hint: Hint) -> Read:
    text = fold(cell_text(cell))
    if text in _YES or text.startswith("已"):
        return Read(True)
    if text in _NO or text[:1] in "未非不":
        return Read(False)
    words = parse_words(cell, hint)
    if words.value is not None:
        return Read(words.value == "true")
    return Read(expected=Text("是 或 否", "是 (yes) or 否 (no)"))


def parse_level(cell: RawCell, hint: Hint) -> Read:
    """等保 level 1 to 5; `未定级` and `无` are not a level."""
    text = fold(cell_text(cell))
    if text in NONE_WORDS or "未定级" in text or "未备案" in text:
        return Read(None)
    found = _LEVEL.fullmatch(text)
    if found is None:
        return Read(expected=Text("一级至五级", "a level from 1 to 5 (一级 to 五级)"))
    return Read(_LEVELS.get(found[1]) or int(found[1]))


def parse_words(cell: RawCell, hint: Hint) -> Read:
    """One of the column's words. A cell that holds a word among others (`政务云（已上云）`) counts if only one value fits."""
    text = fold(cell_text(cell))
    by_word = {fold(word): value for value, words in hint.words.items() for word in (value, *words)}
    if text in by_word:
        return Read(by_word[text])
    fitting = {value for word, value in by_word.items() if len(word) > 1 and word in text}
    if len(fitting) == 1:
        return Read(fitting.pop())
    if text in NONE_WORDS:
        return Read(None)
    known = [words[0] if words else value for value, words in hint.words.items()]
    return Read(expected=Text("其中之一：{w}", "one of: {w}").format(w="、".join(known)))


def parse_addresses(cell: RawCell, hint: Hint) -> Read:
    """IP addresses, several in a cell allowed, remarks in brackets dropped; in canonical form, in the order written."""
    text = re.sub(r"\([^)]*\)|（[^）]*）", " ", unicodedata.normalize("NFKC", cell_text(cell)))
    found: list[str] = []
    for part in filter(None, _SEPARATORS.split(text)):
        if fold(part) in NONE_WORDS:
            continue
        try:
            address = str(ipaddress.ip_interface(part).ip)
        except ValueError:
            return Read(expected=Text("IP 地址，例如 10.1.2.3", "IP addresses, such as 10.1.2.3"))
        if address not in found:
            found.append(address)
    return Read(tuple(found) or None)


def parse_prefixes(cell: RawCell, hint: Hint) -> Read:
    """Address blocks as CIDR; `172.30.5.0/255.255.255.0` is one, too."""
    text = unicodedata.normalize("NFKC", cell_text(cell))
    found: list[str] = []
    for part in filter(None, _SEPARATORS.split(text)):
        if fold(part) in NONE_WORDS:
            continue
        try:
            prefix = str(ipaddress.ip_network(part, strict=False))
        except ValueError:
            return Read(expected=Text("网段，例如 10.1.2.0/24", "address blocks, such as 10.1.2.0/24"))
        if prefix not in found:
            found.append(prefix)
    return Read(tuple(found) or None)


def parse_date(cell: RawCell, hint: Hint) -> Read:
    """A day as ISO text. A month or year alone becomes its first day, with a note; `无` is no date."""
    return _parse_day(cell, partial=True)


def parse_exact_date(cell: RawCell, hint: Hint) -> Read:
    """A day as ISO text; a month alone is refused, because a deadline in days is counted from it."""
    return _parse_day(cell, partial=False)


def _parse_day(cell: RawCell, *, partial: bool) -> Read:
    expected = Text("日期，例如 2019-09-01", "a date, such as 2019-09-01")
    if isinstance(cell, datetime):
        return Read(cell.date().isoformat())
    if isinstance(cell, date):
        return Read(cell.isoformat())
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and 18000 <= cell <= 80000:
        return Read((_EXCEL_EPOCH + timedelta(days=int(cell))).isoformat())
    text = fold(cell_text(cell))
    if text in NONE_WORDS or text in {"未", "未备案", "未验收", "未投用", "至今"}:
        return Read(None)
    if isinstance(cell, float) and re.fullmatch(r"(19|20)\d\d\.1", text):
        # Excel turns a typed 2019.10 into the number 2019.1: nobody can tell January from October any more.
        return Read(expected=Text("年月写成 2019-01 或 2019-10（表格把 2019.10 存成了 2019.1）",
                                  "2019-01 or 2019-10: the spreadsheet stores 2019.10 as 2019.1"))  # fmt: skip
    found = re.fullmatch(
        r"((?:19|20)\d\d)(?:[年./-](\d{1,2})(?:[月./-](?:(\d{1,2})日?)?)?|(\d\d)(\d\d)?|年)?(?:\d\d:\d\d(:\d\d)?)?",
        text,
    )
    if found is None:
        return Read(expected=expected)
    year, month, day = int(found[1]), found[2] or found[4], found[3] or found[5]
    try:
        parsed = date(year, int(month or 1), int(day or 1))
    except ValueError:
        return Read(expected=expected)
    if day:
        return Read(parsed.isoformat())
    if not partial:
        return Read(expected=Text("具体到日的日期，例如 2019-09-01", "a date with its day, such as 2019-09-01"))
    note = Text("日期不全，按 {d} 记", "The date is incomplete; taken as {d}").format(d=parsed.isoformat())
    return Read(parsed.isoformat(), note=note)


def parse_os(cell: RawCell, hint: Hint) -> Read:
    """An operating system as (name, version): `CentOS 7.6`, `银河麒麟V10 SP1`, `Windows Server 2012 R2`."""
    text = " ".join(unicodedata.normalize("NFKC", cell_text(cell)).split())
    if fold(text) in NONE_WORDS:
        return Read(None)
    found = re.fullmatch(
        r"(.*?[^\s\dvV(])[\s_-]*(?:release\s*)?\(?([vV]?\d[\w.]*(?:\s*(?:SP|R|U)\d+)?)\)?(?:\s.*|[^\w.].*)?", text
    )
    return Read((found[1].strip(), found[2].lstrip("vV"))) if found else Read((text, None))


PARSERS: Mapping[str, Callable[[RawCell, Hint], Read]] = {
    "text": parse_text, "code": parse_code, "names": parse_names, "number": parse_number, "integer": parse_integer,
    "percent": parse_percent, "gib": parse_gib, "cpu_memory": parse_cpu_memory, "yes_no": parse_yes_no,
    "level": parse_level, "words": parse_words, "addresses": parse_addresses, "prefixes": parse_prefixes,
    "date": parse_date, "exact_date": parse_exact_date, "os": parse_os,
}  # fmt: skip
"""Column type (as the column maps name it) -> its parser."""
