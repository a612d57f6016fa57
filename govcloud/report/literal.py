"""Cells of a workbook that mean what they say: text stays text, whatever it begins with; nothing becomes a formula."""

from __future__ import annotations

import math
from datetime import date, datetime

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell

from govcloud.report.text import guard_formula

Literal = str | int | float | bool | date | datetime | None

_MAX_CELL = 32_767
"""Characters that Excel keeps in one cell; it calls a longer one damage and drops it."""
_FIRST_YEAR = 1900
"""Excel's calendar takes 1900 for a leap year and has nothing before it; such dates are written as text."""


def put_literal(cell: Cell, value: Literal) -> None:
    """Write the value into the cell as what it is."""
    if value is None:
        return
    if isinstance(value, date) and value.year <= _FIRST_YEAR:
        value = value.isoformat()
    if isinstance(value, (date, bool)):
        cell.value = value
        if not isinstance(value, bool):
            cell.number_format = "yyyy-mm-dd hh:mm" if isinstance(value, datetime) else "yyyy-mm-dd"
    elif isinstance(value, (int, float)) and math.isfinite(value):
        cell.value = value
    else:
        cell.value = clean_text(str(value))[:_MAX_CELL]
        # openpyxl guesses a type from the first character; text from a workbook must stay text.
        cell.data_type = "s"
        if guard_formula(str(value)) != str(value):
            # Without it the cell becomes a formula as soon as somebody edits and leaves it.
            cell.quotePrefix = True


def clean_text(text: str) -> str:
    """Without what XML can't hold: control characters and halves of surrogate pairs."""
    return ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text).encode("utf-8", "replace").decode()
