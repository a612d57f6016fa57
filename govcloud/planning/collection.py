"""Python's collector of circular garbage, put off while a plan is made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Of an estate of ten thousand systems a million tuples are made and kept; looking for circles among them again and again
    took two fifths of the time until the first schedule."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
