"""A host of our own for one test: namespaces for users, network, mounts and processes. It needs no root, and the kernel
ends everything in it together with its first process."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

_INIT = "mount -t proc proc /proc && mount -t tmpfs tmpfs /run && ip link set lo up && echo up && exec sleep 600"


class Cell:
    def __enter__(self) -> Cell:
        self.holder = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _INIT],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.holder.stdout and self.holder.stdout.readline() == b"up\n"
        (first,) = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        self.prefix = ["nsenter", "--preserve-credentials", "-U", "-n", "-m", "-p", "-t", first, "--"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.holder.kill()
        self.holder.wait()
        assert self.holder.stdout
        self.holder.stdout.close()

    def run(self, *argv: str | Path, code: int | None = 0, **options: Any) -> str:
        """What it said, both channels."""
        done = subprocess.run(
            [*self.prefix, *map(str, argv)], stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60, check=False, **options,
        )  # fmt: skip
        assert code is None or done.returncode == code, done.stdout
        return done.stdout

    def start(self, *argv: str | Path) -> subprocess.Popen[bytes]:
        """Left running; it ends with the cell."""
        return subprocess.Popen(
            [*self.prefix, *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def wait_until(true: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.05)
