"""For all tests."""

from __future__ import annotations

import signal

import pytest

LABS = ("server_bed", "bed")
"""Fixtures of whole sessions that take a minute to build: hosts of the root lab, a cloud."""


def pytest_configure() -> None:
    # A shell starts background jobs with SIGINT ignored, and every process that they start inherits that: Ctrl-C would do nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For `--dist loadgroup`, as .ci/run uses it: what shares a lab or a file stays together, and what may take longest
    begins first."""
    longest: dict[str, float] = {}
    for item in items:
        lab = next((name for name in LABS if name in getattr(item, "fixturenames", ())), None)
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(lab or item.path.parent.name + "/" + item.path.name))
        limit = item.get_closest_marker("timeout")
        longest[_group(item)] = max(longest.get(_group(item), 0), limit.args[0] if limit else 0)
    items.sort(key=lambda item: -longest[_group(item)])


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    assert marker is not None
    return str(marker.args[0])
