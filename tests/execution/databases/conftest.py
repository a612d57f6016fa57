"""Two hosts, and servers that the tests start themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

import pg_server
from bench import Bench
from shell_hosts import shell_hosts


@pytest.fixture(scope="session")
def ssh_config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with shell_hosts(tmp_path_factory.mktemp("ssh"), ("old-1", "new-1")) as config:
        yield config


@pytest.fixture
def bench(tmp_path: Path, ssh_config: Path) -> Bench:
    return Bench(tmp_path, ssh_config)


@pytest.fixture(scope="session")
def old_server() -> Iterator[pg_server.Server]:
    with pg_server.running() as server:
        yield server


@pytest.fixture(scope="session")
def new_server() -> Iterator[pg_server.Server]:
    """Its sessions have another time zone and another way to write dates than those of the old one."""
    other = (
        "timezone = 'America/New_York'",
        "datestyle = 'German, DMY'",
        "intervalstyle = 'sql_standard'",
        "bytea_output = 'escape'",
    )
    with pg_server.running(pg_server.WHEEL_BIN, *other) as server:
        yield server


@pytest.fixture
def new(new_server: pg_server.Server) -> pg_server.Server:
    pg_server.empty(new_server)
    return new_server


@pytest.fixture
def old(old_server: pg_server.Server, new: pg_server.Server) -> pg_server.Server:
    # After the target's: a subscription of an earlier test would come back to the slot.
    pg_server.fill(old_server)
    return old_server
