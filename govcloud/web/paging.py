"""Which part of a long list a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    number: int
    """From 1."""
    total: int
    """Rows that fit, on all pages."""
    query: Mapping[str, str]
    """The other parameters of the address."""
    rows: int = ROWS

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.rows))

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.rows

    def link(self, number: int) -> str:
        return "?" + urlencode({**self.query, "page": str(number)})

    def file(self, form: str) -> str:
        """Address of the same list as a file."""
        return "?" + urlencode({**self.query, "as": form})


def page_number(text: str) -> int:
    """1 for what is no page."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1
