"""The words and numbers of a document's frame, the same in every form that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from govcloud.model.text import Lang, Text

_CHINESE = "零一二三四五六七八九十"

FRAME: Mapping[str, Text] = {
    "made_at": Text("生成时间", "Made at"),
    "made_by": Text("生成人", "Made by"),
    "unknown": Text("—：没有，或尚不掌握。", "—: none, or not known."),
    "none": Text("（无）", "(none)"),
    "missing": Text("尚无内容", "Nothing here yet"),
}


def section_number(number: int, lang: Lang) -> str:
    """Before a heading: `十二、` or `12. `, for 1 to 99."""
    return _chinese(number) + "、" if lang == "zh" else f"{number}. "


def _chinese(number: int) -> str:
    """1 to 99 in Chinese: 十二, 二十."""
    tens, ones = divmod(number, 10)
    return (_CHINESE[tens] if tens > 1 else "") + ("十" if tens else "") + (_CHINESE[ones] if ones else "")


def made_at(at: datetime, timezone: str, lang: Lang) -> str:
    """The instant on the office's clock, with the name of its zone."""
    local = f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"
    return f"{local}（{timezone}）" if lang == "zh" else f"{local} ({timezone})"
