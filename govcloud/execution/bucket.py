"""A limit on bytes a second, shared by everything that goes over one link."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_BURST_S = 0.25


class Bucket:
    """Fills with `bytes_per_s`, holds a quarter of a second's worth. None: no limit."""

    def __init__(
        self, bytes_per_s: float | None, *, clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        if bytes_per_s is not None and bytes_per_s <= 0:
            raise ValueError("a rate must be positive")
        self._rate, self._clock, self._sleep = bytes_per_s, clock, sleep
        self._free_at = clock()
        self._lock = threading.Lock()

    def delay_s(self, count: int) -> float:
        """Take `count` bytes out; how long to wait before they may go."""
        if self._rate is None:
            return 0.0
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now - _BURST_S) + count / self._rate
            return max(0.0, self._free_at - now)

    def take(self, count: int) -> float:
        """Wait until `count` bytes may go; the seconds waited."""
        if delay := self.delay_s(count):
            self._sleep(delay)
        return delay


def bytes_per_s(mbps: int | None) -> float | None:
    """Megabits a second, as people state links, in bytes."""
    return None if mbps is None else mbps * 1_000_000 / 8
