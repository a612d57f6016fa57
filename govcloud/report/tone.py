"""Which words of a status are good, doubtful or bad news. Colour only repeats what the word says."""

from __future__ import annotations

from govcloud.model.text import Term, Text
from govcloud.report.document import Tone
from govcloud.report.view import Cell

_WORDS: dict[Tone, tuple[str, ...]] = {
    "good": ("ok", "pass", "done", "done_in_time", "resolved", "taken over", "verified", "succeeded"),
    "warn": (
        "undetermined",
        "unknown",
        "medium",
        "done_late",
        "rolled back",
        "needs a person",
        "waiting for approval",
        "rolled_back",
        "needs_person",
        "not_proven",
    ),
    "bad": ("fail", "failed", "high", "overdue", "unreachable", "key changed", "lapsed"),
}
_TONES = {word: tone for tone, words in _WORDS.items() for word in words}


def tone_of(value: Cell) -> Tone:
    """The tone of a cell. Only translated values have one, by their code or English word; data never does."""
    if isinstance(value, Term) and isinstance(value.code, str):
        return _TONES.get(value.code, "plain")
    return _TONES.get(value.en, "plain") if isinstance(value, Text) else "plain"
