"""What a cloud answers is data of any shape: each function takes a value of the expected kind, or nothing. Pure."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def text(value: object) -> str | None:
    """On one line, without what can't be stored: NUL and half surrogate pairs become U+FFFD."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return (
        " ".join(str(value).replace("\0", "�").encode("utf-8", "surrogatepass").decode("utf-8", "replace").split())
        or None
    )


def number(value: object) -> float | None:
    """A finite number, also one written as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: object) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def limit(value: object) -> int | None:
    """A negative limit means that there is none."""
    found = whole(value)
    return None if found is None or found < 0 else found


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def names(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(sorted({found for found in map(text, values) if found}))


def addresses(values: Iterable[object]) -> tuple[str, ...]:
    """Valid addresses in their usual form, each once, in the order given."""
    found = []
    for value in map(text, values):
        try:
            found.append(str(ipaddress.ip_address(value or "")))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))


def prefixes(values: Iterable[object]) -> tuple[str, ...]:
    found = []
    for value in map(text, values):
        try:
            found.append(str(ipaddress.ip_network(value or "", strict=False)))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))
