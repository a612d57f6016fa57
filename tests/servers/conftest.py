"""Shared by the tests of this folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

from estate import furnish, plans
from server_bed import ServerBed, start_bed


@pytest.fixture(scope="session")
def server_bed() -> Iterator[ServerBed]:
    """Hosts with everything installed and running; about ten seconds, the first time two minutes."""
    with start_bed(plans()) as bed:
        furnish(bed)
        yield bed
    assert not bed.left(), "the bed left something behind"
