"""For all tests."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    # A shell starts background jobs with SIGINT ignored, and every process that they start inherits that: Ctrl-C would do nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)
