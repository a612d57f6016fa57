"""How values stand in a sentence about a record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from govcloud.model.text import Text

Titles = Mapping[str, Text]
"""Step of a migration, or item of the checklist of a takeover -> its title."""
Teller = Callable[[Mapping[str, Any], Titles], Text]
"""A record -> the sentence."""
_LONGEST, _MOST = 120, 3


def cut(value: object) -> str:
    """A long one only so far: the record has it all."""
    text = value if isinstance(value, str) else "—" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def listed(values: Sequence[object]) -> Text:
    """The first few, and how many there are."""
    few = [cut(v) for v in values[:_MOST]]
    rest = len(values) > _MOST
    return Text(
        "、".join(few) + (f" 等 {len(values)} 项" if rest else ""),
        ", ".join(few) + (f" … {len(values)} in all" if rest else ""),
    )


def because(reason: object) -> Text:
    """What is put behind a sentence where a reason was given."""
    return Text("：{r}", ": {r}").format(r=cut(reason)) if reason else Text("", "")
