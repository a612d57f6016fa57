"""Shared by the tests of this folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

# The store's tests start PostgreSQL for themselves; ours use the same server and the same `url`, once for each database.
_found = spec_from_file_location("store_conftest", Path(__file__).parents[1] / "store" / "conftest.py")
assert _found is not None and _found.loader is not None
_store = module_from_spec(_found)
_found.loader.exec_module(_store)
wheel_postgres, debian_postgres, url = _store.wheel_postgres, _store.debian_postgres, _store.url


@pytest.fixture(scope="session")
def forks() -> Iterator[object]:
    """A process that has imported everything and forks for each case."""
    from fork_server import ForkServer

    with ForkServer("guard_case") as server:
        yield server
