"""Text that a user sees, always in both languages at once, so that neither can be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One message in Chinese and English. `format` fills `{name}` fields in both; values may be Text themselves."""

    zh: str
    en: str

    def to(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en

    def format(self, **values: object) -> Text:
        return Text(
            self.zh.format(**{k: _in(v, "zh") for k, v in values.items()}),
            self.en.format(**{k: _in(v, "en") for k, v in values.items()}),
        )


@dataclass(frozen=True, slots=True)
class Term(Text):
    """Enum values: translated where a person reads, their codes in JSON and CSV."""

    code: str | tuple[str, ...] = ""


def _in(value: object, lang: Lang) -> object:
    return value.to(lang) if isinstance(value, Text) else value


def same(value: object) -> Text:
    """A value that reads the same in both languages: a name, a number, an id."""
    return Text(str(value), str(value))
