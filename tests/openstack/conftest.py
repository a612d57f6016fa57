"""Shared by the tests of this folder: one real cloud for all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

from openstack_bed import Bed, start_bed


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    """Started once (a minute and a half; the first time the services are installed as well) and gone afterwards."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "govcloud-openstack"
    with start_bed(cache) as running:
        yield running
    print("\nbed, seconds:", running.seconds)
