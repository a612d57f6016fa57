"""What comes next on a system's road."""

from __future__ import annotations

from dataclasses import dataclass

from govcloud.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    what: Text
    path: str = ""
    """Page of the dashboard where it is done or looked at."""
    command: str = ""
    """That does it."""
