"""For all tests."""

from __future__ import annotations

import signal

import pytest


def pytest_configure() -> None:
    # A shell starts background jobs with SIGINT ignored, and every process that they start inherits that: Ctrl-C would do nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in this hook, too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first. For `--dist loadgroup` (.ci/run): a file stays together, and all that stands on
    the one cloud."""
    limits: dict[str, float] = {}
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            cloud = item.get_closest_marker("openstack")
            item.add_marker(pytest.mark.xdist_group("cloud" if cloud else f"{item.path.parent.name}/{item.path.name}"))
        limit = item.get_closest_marker("timeout")
        limits[_group(item)] = max(limits.get(_group(item), 0), limit.args[0] if limit else 0)
    items.sort(key=lambda item: -limits[_group(item)])


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    assert marker is not None
    return str(marker.args[0])
