"""Who a worker is: a machine id of its own making, a name, and an exclusive lock on both.

DBOS takes everything that is recorded under an executor's id for that executor's own as soon as a process of that id starts.
Two processes with one id would carry out the same step at the same time: the lock is what makes an id safe to use.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from govcloud.errors import UsageError
from govcloud.model.text import Text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


def machine_id(folder: Path) -> str:
    """Made once for each workspace folder: `folder/machine-id`. Host names won't do: cloned machines share them."""
    path = folder / "machine-id"
    if not path.exists():
        descriptor, name = tempfile.mkstemp(dir=folder, prefix="machine-id.")
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_hex(8))
            stream.flush()
            os.fsync(stream.fileno())
        # The first of two processes wins; the other reads what it wrote.
        with suppress(FileExistsError):
            os.link(name, path)
        Path(name).unlink()
    return path.read_text().strip()


def worker_id(machine: str, name: str) -> str:
    """Raises UsageError for names that can't be part of a file name."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            Text("工作进程名不合要求：{n}", "Not an allowed worker name: {n}").format(n=repr(name)),
            next_step=Text(
                "只用字母、数字、点、横线和下划线，至多 32 个", "Use at most 32 letters, digits, dots, dashes"
            ),
        )
    return f"{machine}/{name}"


class DatabaseLock(Protocol):
    """store.advisory.SessionLock"""

    def take(self) -> bool: ...

    def held(self) -> bool: ...

    def release(self) -> None: ...


class WorkerLock:
    """The exclusive lock on a worker's id: a file lock on its own machine, and one in the database where several machines
    share it. Both end with the process that holds them, however it ends."""

    def __init__(self, folder: Path, machine: str, worker: str, database: DatabaseLock | None = None) -> None:
        """`machine`: the id of this machine; a worker of another one has no file here."""
        own, name = worker.split("/")
        self._path = folder / f"{name}.lock" if own == machine else None
        self._database = database
        self._file: int | None = None

    def take(self, patience_s: float = 0.0) -> bool:
        """False: another process holds it, after `patience_s` still. Raises OutsideError when the database does not answer."""
        until = time.monotonic() + patience_s
        while not self._take():
            if time.monotonic() >= until:
                return False
            time.sleep(0.1)
        return True

    def _take(self) -> bool:
        if self._path is not None and self._file is None:
            self._file = _flock(self._path)
            if self._file is None:
                return False
        if self._database is not None and not self._database.take():
            self.release()
            return False
        return True

    def held(self) -> bool:
        """Whether it still is ours: a database session that was lost is taken again."""
        return self._database is None or self._database.held()

    def release(self) -> None:
        if self._database is not None:
            self._database.release()
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _flock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    # For people who look into the folder; the lock is what counts.
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
