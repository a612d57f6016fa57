"""Drawings that stand in a page itself, so that their marks can be clicked and they can be zoomed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from markupsafe import Markup

from govcloud.model.text import Text

T = TypeVar("T")
_MOST = 200
_kept: OrderedDict[Hashable, Any] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    title: Text
    svg: Markup


def build_chart(title: Text, key: Hashable, draw: Callable[[], str]) -> Chart:
    """`draw`: an SVG by report.plan_svg.Sheet, which makes every text harmless and uses no style sheet; `key`: as of
    `once`."""
    return Chart(title=title, svg=Markup(once(key, draw)))  # noqa: S704


def once(key: Hashable, make: Callable[[], T]) -> T:
    """What was made for the same key before. The key names the contents that it is made from, by their hash: so it never
    goes out of date, and tells nobody what he may not see."""
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            found: T = _kept[key]
            return found
    made = make()
    with _lock:
        _kept[key] = made
        if len(_kept) > _MOST:
            _kept.popitem(last=False)
    return made
