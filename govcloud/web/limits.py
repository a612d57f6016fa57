"""How often one address may ask: token buckets in memory, bounded in number."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_CALLERS = 10_000


class Limiter:
    """`burst` at once, then `per_minute`. Who has been silent longest is forgotten first."""

    def __init__(self, *, burst: int, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._rate, self._clock = float(burst), per_minute / 60, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, caller: str) -> bool:
        """Whether one more is allowed now; it is counted then."""
        now = self._clock()
        with self._lock:
            left, seen = self._left.pop(caller, (self._burst, now))
            left = min(self._burst, left + (now - seen) * self._rate)
            allowed = left >= 1
            self._left[caller] = (left - 1 if allowed else left, now)
            if len(self._left) > _MOST_CALLERS:
                self._left.popitem(last=False)
        return allowed

    @property
    def pause_s(self) -> int:
        """After so long one more is allowed to whoever was refused."""
        return math.ceil(1 / self._rate)

    @property
    def callers(self) -> int:
        """Of whom something is kept."""
        return len(self._left)
