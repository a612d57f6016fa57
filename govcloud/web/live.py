"""Server-sent events: a part of a page is drawn again when what it shows has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from starlette.responses import StreamingResponse

LOOK_S = 1.0
_ALIVE_S = 15.0
LONGEST_S = 30 * 60
"""The browser connects again by itself; a forgotten tab does not hold a thread for ever."""


def stream(draw: Callable[[], str], goes_on: Callable[[], bool], *, look_s: float = LOOK_S) -> StreamingResponse:
    """`draw`: the part's markup now, by an escaped template. `goes_on`: False once nothing can change any more."""
    return StreamingResponse(
        _events(draw, goes_on, look_s), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def _events(draw: Callable[[], str], goes_on: Callable[[], bool], look_s: float) -> Iterator[str]:
    begun = told = time.monotonic()
    before = None
    while time.monotonic() - begun < LONGEST_S:
        part = draw()
        if part != before:
            yield event("part", part)
            before, told = part, time.monotonic()
        elif time.monotonic() - told >= _ALIVE_S:
            # A browser that has gone is noticed only by writing to it.
            yield ": \n\n"
            told = time.monotonic()
        if not goes_on():
            yield event("end", "")
            return
        time.sleep(look_s)


def event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"event: {name}\n{lines}\n"
