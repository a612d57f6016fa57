"""Days as browsers send them."""

from __future__ import annotations

from datetime import date

from govcloud.errors import InputError
from govcloud.model.text import Text


def parse_day(text: str) -> date:
    """Raises InputError for what is no day."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(Text("日期写成 2026-01-31", "A day is written 2026-01-31"), where=text[:40]) from None


def parse_given_day(text: str) -> date | None:
    """None for a field that was left empty."""
    return parse_day(text) if text.strip() else None
