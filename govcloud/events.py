"""Progress: long work tells an Observer; who shows it, and whether at all, is decided at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from govcloud.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    what: Text
    """The activity, the same text from its first event to its last."""
    subject: str = ""
    """What was just done: a file, a host, a step."""
    done: int = 0
    total: int | None = None
    """None when the end is not known."""


class Observer(Protocol):
    def on_event(self, event: Event) -> None: ...


class Silent:
    """Drops all events: for tests and for output that is not a terminal."""

    def on_event(self, event: Event) -> None:
        return
