"""Cells of a workbook as people fill them in, read as values. Pure: nothing here opens a file.

Every `parse_*` takes the cell as the reader gives it and returns a `Read`; it never raises. Text is compared after
NFKC, so full-width digits and letters need no rule of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from govcloud.discovery import project_lines
from govcloud.discovery.addresses import parse_addresses as parse_addresses
from govcloud.discovery.addresses import parse_prefixes as parse_prefixes
from govcloud.discovery.dates import parse_date as parse_date
from govcloud.discovery.dates import parse_exact_date as parse_exact_date
from govcloud.discovery.raw_cells import ERROR_VALUES as ERROR_VALUES
from govcloud.discovery.raw_cells import NO_RESULT as NO_RESULT
from govcloud.discovery.raw_cells import NONE_WORDS as NONE_WORDS
from govcloud.discovery.raw_cells import UNKNOWN_WORDS as UNKNOWN_WORDS
from govcloud.discovery.raw_cells import Hint as Hint
from govcloud.discovery.raw_cells import RawCell as RawCell
from govcloud.discovery.raw_cells import Read as Read
from govcloud.discovery.raw_cells import cell_text as cell_text
from govcloud.discovery.raw_cells import fold as fold
from govcloud.discovery.raw_cells import is_blank as is_blank
from govcloud.model.inventory import BudgetLine
from govcloud.model.text import Text

_NAME_SEPARATORS = re.compile(r"[、;；,，\n\r\t|]+")
_ONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]+(?<!\bnone)", re.IGNORECASE)
_NUMBER = r"(\d+(?:\.\d+)?)"
_GIB = {"m": 1 / 1024, "g": 1.0, "t": 1024.0, "p": 1024.0 * 1024}
_SIZE = re.compile(_NUMBER + r"\s*([mgtp])i?b?")
_TIMES = re.compile(r"(?:(\d{1,3})[*x×])?(.+?)(?:[*x×](\d{1,3})(?:块|个|条)?)?")
_DISK_WORDS = re.compile(r"(?:ssd|sas|sata|hdd|nvme|固态|机械|硬盘|磁盘|内存|系统盘|数据盘)+")
_CPU_MEMORY = re.compile(
    r"(?:(\d)[*x×])?(\d+)(?:核心?|c|v?cpu|cores?)[^\d.]{0,4}?" + _NUMBER + r"([gt])i?b?(?:内存|ram)?"
    r"(?:[^\d.]{0,6}?" + _NUMBER + r"([gt])i?b?(?:硬盘|磁盘|存储|系统盘|数据盘)?)?"
)
_LEVELS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_LEVEL = re.compile(
    r"(?:网络安全)?(?:等保|等级保护)?(?:已?定级)?(?:为)?第?([一二三四五1-5]|i{1,3}|iv|v)级?(?:等保)?(?:已?备案)?(?:\([^()]*\))?"
)
_LEVEL_CODE = re.compile(r"(?:第?[一二三四五1-5]级)?\(?s([1-5])a([1-5])(?:g([1-5]))?\)?")
_TICKED, _UNTICKED = "☑☒✅■●", "□○☐"
_TICKS = re.compile(f"[{_TICKED}{_UNTICKED}]")
_SCALES = {"万": 1e4, "亿": 1e8}
_MBPS = {"m": 1.0, "兆": 1.0, "mbps": 1.0, "g": 1000.0, "千兆": 1000.0}
_YES = frozenset({"是", "有", "√", "✓", "✔", "y", "yes", "true", "1", "对", "已"})
_NO = frozenset({"否", "无", "×", "✗", "x", "n", "no", "false", "0", "没有", "未"})


def parse_text(cell: RawCell, hint: Hint) -> Read:
    """Text as written, white space folded. `无` is the empty text: known to be none, which is not unknown."""
    text = " ".join(cell_text(cell).split())
    return Read("" if fold(text) in NONE_WORDS else text)


def parse_code(cell: RawCell, hint: Hint) -> Read:
    """A code or number that somebody gave: half-width, no blanks; `无` counts as not given."""
    if isinstance(cell, float) and abs(cell) >= 1e15:
        return Read(expected=Text("以文本保存的编号：位数过多，表格已把末几位存丢", "a code stored as text: as a number this long it has lost its last digits"))  # fmt: skip
    text = "".join(unicodedata.normalize("NFKC", cell_text(cell)).split())
    return Read(None if fold(text) in NONE_WORDS else text)


def parse_names(cell: RawCell, hint: Hint) -> Read:
    """Several names in one cell, separated by 、;，or line breaks."""
    if isinstance(cell, str) and _ONE_NAME.fullmatch(cell):
        return Read((cell,))
    names = (_half_width(" ".join(part.split())) for part in _NAME_SEPARATORS.split(cell_text(cell)))
    return Read(tuple(n for n in names if n and fold(n) not in NONE_WORDS | UNKNOWN_WORDS) or None)


def _half_width(name: str) -> str:
    """A machine's name typed in full-width letters is the half-width one; a Chinese name keeps its own signs."""
    narrow = unicodedata.normalize("NFKC", name)
    return narrow if narrow.isascii() else name


def parse_number(cell: RawCell, hint: Hint) -> Read:
    """A number; thousands separators and a trailing unit of counting (人、次、个) are allowed; `1.2万` is 12000."""
    text = fold(cell_text(cell)).replace(",", "").removeprefix("约")
    if text in NONE_WORDS:
        return Read(None)
    found = re.fullmatch(_NUMBER + r"(万|亿)?(?:余)?(?:人|次|个|家|台|项|条|元|年|mbps|mb/s|mb|m|兆)*(?:/年)?", text)
    if found is None:
        return Read(expected=Text("数字，例如 120", "a number, such as 120"))
    return Read(round(float(found[1]) * _SCALES.get(found[2] or hint.unit or "", 1.0), 6))


def parse_yuan(cell: RawCell, hint: Hint) -> Read:
    """An amount in yuan. A bare number counts only under a header that states its unit: 元 or 万元, 120 may be either."""
    text = fold(cell_text(cell)).replace(",", "").removeprefix("约").lstrip("¥￥")
    if text in NONE_WORDS:
        return Read(None)
    found = re.fullmatch(_NUMBER + r"(万|亿)?(元)?(?:/年|每年)?", text)
    if found is None or not (found[2] or found[3] or hint.unit in ("元", "万")):
        return Read(expected=Text("带单位的金额，例如 12.5万元", "an amount with its unit, such as 12.5万元"))
    scale = _SCALES.get(found[2] or ("" if found[3] else hint.unit) or "", 1.0)
    return Read(round(float(found[1]) * scale, 2))


def parse_mbps(cell: RawCell, hint: Hint) -> Read:
    """A line's bandwidth in Mbit/s from `100M`, `1G`, `100兆`; a bare number needs a unit in the header."""
    text = fold(cell_text(cell)).replace(",", "")
    if text in NONE_WORDS:
        return Read(None)
    found = re.fullmatch(_NUMBER + r"(?:(m|g|兆|千兆)(?:bps|b/s|b|bit/s)?)?", text)
    unit = found and (found[2] or hint.unit)
    if found is None or unit not in _MBPS:
        return Read(expected=Text("带单位的带宽，例如 100M", "a bandwidth with its unit, such as 100M"))
    return Read(round(float(found[1]) * _MBPS[unit], 4))


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
    for part in re.split(r"[+、]", text):
        times = _TIMES.fullmatch(part)
        size = _DISK_WORDS.sub("", times[2]) if times else ""
        found = _SIZE.fullmatch(size)
        bare = found is None and hint.unit in _GIB and re.fullmatch(_NUMBER, size)
        if times is None or (times[1] and times[3]) or not (found or bare):
            return Read(expected=Text("带单位的容量，例如 500G、1.5T", "a size with its unit, such as 500G or 1.5T"))
        one = float(found[1]) * _GIB[found[2]] if found else float(size) * _GIB[hint.unit or "g"]
        total += one * int(times[1] or times[3] or 1)
    return Read(round(total, 4))


def parse_cpu_memory(cell: RawCell, hint: Hint) -> Read:
    """`8核16G` as (cores, GiB); `8核16G500G` as (cores, GiB, GiB of disk); `2*8核64G` has 16 cores."""
    found = _CPU_MEMORY.fullmatch(fold(cell_text(cell)))
    if found is None:
        return Read(expected=Text("核数和内存，例如 8核16G", "cores and memory, such as 8核16G"))
    pair = (int(found[1] or 1) * int(found[2]), float(found[3]) * _GIB[found[4]])
    return Read((*pair, float(found[5]) * _GIB[found[6]]) if found[5] else pair)


def _ticked(text: str) -> str | None:
    """Of `☑是 □否` what is ticked: `是`; text without boxes as it is; None where nothing, or more than one, is ticked."""
    if not _TICKS.search(text):
        return text
    parts = re.findall(f"([{_TICKED}{_UNTICKED}])([^{_TICKED}{_UNTICKED}]*)", text)
    if len(parts) == 1 and not parts[0][1]:
        return "是" if parts[0][0] in _TICKED else "否"
    chosen = [word for box, word in parts if box in _TICKED]
    return chosen[0] if len(chosen) == 1 else None


def parse_yes_no(cell: RawCell, hint: Hint) -> Read:
    text = _ticked(fold(cell_text(cell)))
    if text is None:
        return Read(expected=Text("只勾选一项", "one box ticked"))
    if text in _YES or text.startswith("已"):
        return Read(True)
    if text in _NO or text[:1] in "未非不":
        return Read(False)
    words = parse_words(cell, hint)
    if words.value is not None:
        return Read(words.value == "true")
    return Read(expected=Text("是 或 否", "是 (yes) or 否 (no)"))


def parse_level(cell: RawCell, hint: Hint) -> Read:
    """等保 level 1 to 5, also from `S3A2G3` (the highest counts); `未定级` and `无` are not a level."""
    text = _ticked(fold(cell_text(cell)))
    if text is not None and (text in NONE_WORDS or "未定级" in text or "未备案" in text):
        return Read(None)
    if text and (code := _LEVEL_CODE.fullmatch(text)):
        return Read(max(int(n) for n in code.groups() if n))
    found = _LEVEL.fullmatch(text or "")
    if found is None:
        return Read(expected=Text("一级至五级", "a level from 1 to 5 (一级 to 五级)"))
    return Read(_LEVELS.get(found[1]) or int(found[1]))


def parse_words(cell: RawCell, hint: Hint) -> Read:
    """One of the column's words. A cell that holds a word among others (`政务云（已上云）`) counts if only one value fits."""
    text = _ticked(fold(cell_text(cell)))
    if text is None:
        return Read(expected=Text("只勾选一项", "one box ticked"))
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


def parse_os(cell: RawCell, hint: Hint) -> Read:
    """An operating system as (name, version): `CentOS 7.6`, `银河麒麟V10 SP1`, `Windows Server 2012 R2`."""
    text = " ".join(unicodedata.normalize("NFKC", cell_text(cell)).split())
    if fold(text) in NONE_WORDS:
        return Read(None)
    found = re.fullmatch(
        r"(.*?[^\s\dvV(])[\s_-]*(?:release\s*)?\(?([vV]?\d[\w.]*(?:\s*(?:SP|R|U)\d+)?)\)?(?:\s.*|[^\w.].*)?", text
    )
    return Read((found[1].strip(), found[2].lstrip("vV"))) if found else Read((text, None))


def parse_changes(cell: RawCell, hint: Hint) -> Read:
    """Changes of a project, a line each: `2026-03-01 增加模块（备案 2026-03-20）`."""
    return _each_line(cell, project_lines.read_change, project_lines.CHANGE)


def parse_budget_lines(cell: RawCell, hint: Hint) -> Read:
    """Lines of a budget: `2026年 软件开发 35万元`; a bare amount needs a unit in the header."""

    def one(line: str) -> Read:
        year, item, amount = project_lines.split_budget_line(line)
        read = parse_yuan(amount, hint)
        if not item or not isinstance(read.value, float):
            return Read()
        return Read(project_lines.render_budget_line(BudgetLine(item=item, yuan=read.value, year=year)))

    return _each_line(cell, one, project_lines.BUDGET_LINE)


def _each_line(cell: RawCell, read_one: Callable[[str], Read], expected: Text) -> Read:
    """All lines or none: a list that lost one of its lines would be taken for the whole."""
    found = []
    for number, line in enumerate(lines := project_lines.split_lines(cell_text(cell)), start=1):
        kept = str(read_one(line).value or "")
        # What is kept must mean the same when the form is sent out with it and read again.
        if project_lines.split_lines(kept) != [kept] or read_one(kept).value != kept:
            where = Text("第 {n} 行应为：{e}", "line {n}: {e}").format(n=number, e=expected)
            return Read(expected=where if len(lines) > 1 else expected)
        found.append(kept)
    return Read(tuple(found) or None)


PARSERS: Mapping[str, Callable[[RawCell, Hint], Read]] = {
    "text": parse_text, "code": parse_code, "names": parse_names, "number": parse_number, "integer": parse_integer,
    "percent": parse_percent, "gib": parse_gib, "cpu_memory": parse_cpu_memory, "yes_no": parse_yes_no,
    "level": parse_level, "yuan": parse_yuan, "mbps": parse_mbps, "words": parse_words, "addresses": parse_addresses, "prefixes": parse_prefixes,
    "date": parse_date, "exact_date": parse_exact_date, "os": parse_os, "changes": parse_changes,
    "budget_lines": parse_budget_lines,
}  # fmt: skip
"""Column type (as the column maps name it) -> its parser."""
