"""Time as the tests want it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """One second later at every look."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 7, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at
