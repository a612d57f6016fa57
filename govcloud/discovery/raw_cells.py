"""A cell as the reader gives it, and what a parser says of it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from govcloud.model.observation import Value
from govcloud.model.text import Text

RawCell = str | int | float | bool | date | datetime | time | timedelta | None

NONE_WORDS = frozenset({"无", "没有", "none", "n/a"})
"""The department says that there is none."""
UNKNOWN_WORDS = frozenset({"", "/", "\\", "-", "--", "—", "——", "不详", "未知", "不清楚", "待定", "待核实", "unknown"})
"""The department does not say."""

ERROR_VALUES = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)
"""What a spreadsheet shows where a formula failed: never a value."""
NO_RESULT = "#(公式未计算)"
"""Stands in a cell whose formula nobody has calculated: the file holds no result to read."""

# Marks that turn the reading direction round: what a person sees is not what is written.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


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
    date1904: bool = False
    """The workbook counts its days from 1904."""


def fold(text: str) -> str:
    """For comparing: NFKC, lower case, no white space at all."""
    if text.isascii():
        return "".join(text.split()).lower()
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def cell_text(cell: RawCell) -> str:
    """The cell as a person reads it: integral floats without `.0`, dates as ISO, invisible characters dropped."""
    if isinstance(cell, str):
        if cell.isascii() and cell.isprintable():
            return cell.strip()
        text = unicodedata.normalize("NFC", cell)
        if not text.isprintable():
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
        return text.strip()
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
    return str(cell)


def hides_direction(cell: RawCell) -> bool:
    """Whether the text holds marks that turn the reading direction round (they are dropped like all invisible ones)."""
    return isinstance(cell, str) and not cell.isascii() and _DIRECTION.search(cell) is not None


def is_blank(cell: RawCell) -> bool:
    return fold(cell_text(cell)) in UNKNOWN_WORDS
