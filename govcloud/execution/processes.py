"""Finds and ends the processes of one attempt.

ansible-playbook, its workers and ssh put themselves into sessions and process groups of their own, so a group id does not
hold them together. Each attempt has a random mark in its environment, which every descendant inherits.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

MARK = "GOVCLOUD_ATTEMPT"


def find(mark: str, besides: Collection[int] = ()) -> list[int]:
    """Process ids with the mark, zombies left out."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in besides:
            continue
        try:
            # A zombie's environment reads as empty.
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def end(mark: str, besides: Collection[int] = (), grace_s: float = 5.0) -> bool:
    """SIGTERM, then SIGKILL. Whether all of them are gone."""
    for number, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
        deadline = time.monotonic() + wait_s
        while pids := find(mark, besides):
            for pid in pids:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        else:
            return True
    return not find(mark, besides)


def end_connections(control: Path) -> None:
    """End the shared SSH connections whose sockets lie there, and remove the folder.

    They outlive a run by minutes and show no mark, because ssh writes its title over its environment; on a host where somebody
    looks for open sessions they would be found.
    """
    title = f"ssh: {control}/".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cmdline").read_bytes().startswith(title):
                    os.kill(int(entry.name), signal.SIGTERM)
    shutil.rmtree(control, ignore_errors=True)
