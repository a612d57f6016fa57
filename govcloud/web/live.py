"""Server-sent events: the parts of a page are drawn again when what they show has changed.

A follower costs a timer, not a thread: the store is asked in a few threads of its own, so that open tabs never take those that
answer pages.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from govcloud.errors import GovcloudError

T = TypeVar("T")

_AGAIN_S = 15.0
"""So often it is drawn whatever happened: minutes that are left, workers that went silent. Writing also notices a browser that
has gone without a word."""
LONGEST_S = 30 * 60
"""The browser connects again by itself."""
_SHARE = 4
"""Drawing takes at most a fifth of the time of a follower."""


class Followers:
    """Who follows at the moment, up to a number for each and for all.

    `look_s`: so often it is looked whether something has changed; `ask_s`: whether the follower would still be let in.
    """

    def __init__(
        self, *, most: int = 200, most_each: int = 10, threads: int = 3, look_s: float = 1.0, ask_s: float = 5.0
    ) -> None:
        self._most, self._most_each = most, most_each
        self.look_s, self.ask_s = look_s, ask_s
        self._held: Counter[str] = Counter()
        self.threads = ThreadPoolExecutor(threads, "live")

    def __len__(self) -> int:
        return self._held.total()

    def enter(self, who: str) -> bool:
        if len(self) >= self._most or self._held[who] >= self._most_each:
            return False
        self._held[who] += 1
        return True

    def leave(self, who: str) -> None:
        self._held[who] -= 1
        if not self._held[who]:
            del self._held[who]


class Live(StreamingResponse):
    """Events `part` (markup of a page's parts), and at last one that says why it ends: `end` (nothing changes any more), `left`
    (the session has ended), `full` (too many follow). Without one the browser connects again.
    """

    def __init__(
        self,
        followers: Followers,
        who: str,
        *,
        mark: Callable[[], object],
        draw: Callable[[], str],
        goes_on: Callable[[], bool],
        still_in: Callable[[], bool],
        stopping: Callable[[], bool],
    ) -> None:
        """`mark`: differs from before when it is worth while to `draw`, which gives markup by an escaped template. `goes_on`: asked
        after drawing. All but `stopping` may ask the store."""
        self._followers, self._who = followers, who
        self._mark, self._draw, self._goes_on = mark, draw, goes_on
        self._still_in, self._stopping = still_in, stopping
        super().__init__(self._events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._followers.enter(self._who):
            self.body_iterator = _only(event("full", ""))
            await super().__call__(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._followers.leave(self._who)

    async def _events(self) -> AsyncIterator[str]:
        begun = asked = drawn = time.monotonic()
        before: tuple[object, str] | None = None
        try:
            while (now := time.monotonic()) - begun < LONGEST_S and not self._stopping():
                if now - asked >= self._followers.ask_s:
                    asked = now
                    if not await self._ask(self._still_in):
                        yield event("left", "")
                        return
                took, mark = 0.0, await self._ask(self._mark)
                if before is None or mark != before[0] or now - drawn >= _AGAIN_S:
                    part = await self._ask(self._draw)
                    drawn = time.monotonic()
                    took = drawn - now
                    yield event("part", part) if before is None or part != before[1] else ": \n\n"
                    before = mark, part
                    if not await self._ask(self._goes_on):
                        yield event("end", "")
                        return
                await asyncio.sleep(max(self._followers.look_s, _SHARE * took))
        except GovcloudError:
            # The store is away, say: the browser comes again after its pause and gets a page that tells.
            return

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._followers.threads, question)


async def _only(text: str) -> AsyncIterator[str]:
    yield text


def event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"event: {name}\n{lines}\n"
