"""Stands between whoever started the lab and the lab, and leaves nothing behind however that process ends.

stdin: one line of JSON `{"mode", "live": folder to remove, "unshare": argv, "plan": {…}}`, then nothing; its end, for whatever reason, ends the lab.
stdout: the lines of the hosts. A kill -9 of the starter closes the pipe; a kill -9 of this process closes the one behind it.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from govcloud.demo.lab_init import start_host, watch

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
_STOP_SECONDS = 8.0
_GRACE_SECONDS = 0.2


def main() -> int:
    order = json.loads(sys.stdin.readline())
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        if order["mode"] == "namespaces":
            _namespaces(order)
        else:
            _loopback(order["plan"])
    finally:
        shutil.rmtree(order["live"], ignore_errors=True)
    return 0


class _EndError(Exception):
    """SIGTERM arrived: from outside, or because the lab itself has ended."""


def _end(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # cleaning up must not be interrupted
    raise _EndError


def _until_stdin_ends() -> None:
    while os.read(0, 4096):
        pass


def _namespaces(order: Mapping[str, Any]) -> None:
    init = subprocess.Popen(order["unshare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert init.stdin and init.stdout  # noqa: S101 - they were asked for
    network: int | None = None
    with suppress(_EndError, BrokenPipeError):
        init.stdin.write(json.dumps(order["plan"]).encode() + b"\n")
        init.stdin.flush()
        first = init.stdout.readline()
        if first:
            # Held open, so that no other namespace can get the same number before the last command in it is gone.
            network = os.open(f"/proc/{json.loads(first)['pid']}/ns/net", os.O_RDONLY)
            threading.Thread(target=_relay, args=(first, init), daemon=True).start()
            _until_stdin_ends()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # `_relay` sends it once more
    init.kill()  # `unshare --kill-child` passes it on; SIGTERM would be ignored
    init.wait()
    if network is not None:
        end_all(lambda: _on_network(network))


def _relay(first: bytes, init: subprocess.Popen[bytes]) -> None:
    """Pass the hosts' lines on; when there can be no more, the lab is gone and so are we."""
    assert init.stdout  # noqa: S101
    with suppress(OSError):
        os.write(1, first)
        for line in init.stdout:
            os.write(1, line)
    os.kill(os.getpid(), signal.SIGTERM)


def _loopback(plan: Mapping[str, Any]) -> None:
    # Daemons of the hosts become our children when their parents end, so none can get lost.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    argv = [plan["python"], "-m", "govcloud.demo.host"]
    with suppress(_EndError):
        hosts = {start_host(argv, host["spec"]): host["spec"]["name"] for host in plan["hosts"]}
        threading.Thread(target=watch, args=(hosts,), daemon=True).start()
        _until_stdin_ends()
    _stop_databases([Path(data) / "postmaster.pid" for data in plan["databases"]])
    for pid in _below(
        os.getpid()
    ):  # a database that is only just being made cleans up on this, but has no pid file yet
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    end_all(lambda: _below(os.getpid()))


def _stop_databases(pid_files: list[Path]) -> None:
    """A database that is killed leaves shared memory on the machine; its own immediate shutdown (SIGQUIT) does not."""
    for file in pid_files:
        with suppress(OSError, ValueError, IndexError):
            os.kill(int(file.read_text().splitlines()[0]), signal.SIGQUIT)
    deadline = time.monotonic() + _STOP_SECONDS
    while any(file.exists() for file in pid_files) and time.monotonic() < deadline:
        time.sleep(0.05)


def end_all(find: Callable[[], list[int]]) -> None:
    """Kill what `find` finds until it finds nothing: a process may start another while we look."""
    deadline = time.monotonic() + _STOP_SECONDS
    while (found := find()) and time.monotonic() < deadline:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _on_network(network: int) -> list[int]:
    """Processes whose network namespace is the one of this open file."""
    wanted = os.fstat(network)
    found = []
    for pid in _pids():
        with suppress(OSError):
            seen = Path(f"/proc/{pid}/ns/net").stat()
            if (seen.st_dev, seen.st_ino) == (wanted.st_dev, wanted.st_ino):
                found.append(pid)
    return found


def _below(ancestor: int) -> list[int]:
    """All descendants of a process."""
    parents: dict[int, int] = {}
    for pid in _pids():
        with suppress(OSError, IndexError, ValueError):
            parents[pid] = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    found: set[int] = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {ancestor})


def _pids() -> Iterable[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


if __name__ == "__main__":
    sys.exit(main())
