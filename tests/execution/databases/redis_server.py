"""A Redis server of a test's own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from module_run import load_util
from pg_server import free_port

PASSWORD = "redis-test-password"


class RedisServer:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def end(self, name: str = "") -> dict[str, Any]:
        return {
            "host": "127.0.0.1", "port": self.port, "name": name, "user": "", "bin": "/usr/bin", "path": None,
            "password_file": str(self.folder / "password"), "data_dir": None, "run_as_uid": None,
        }  # fmt: skip

    def __call__(self, *words: str | bytes | int, db: int = 0) -> Any:
        server = load_util("gov_redis").Server(self.end())
        server("SELECT", db)
        return server(*words)


@contextmanager
def running() -> Iterator[RedisServer]:
    program = shutil.which("redis-server")
    assert program, "install Debian's redis-server package for the tests marked `servers`"
    folder, port = Path(tempfile.mkdtemp(prefix="gc-redis-")), free_port()
    (folder / "password").write_text(PASSWORD)
    argv = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--requirepass", PASSWORD]
    child = subprocess.Popen([*argv, "--save", "", "--repl-diskless-sync-delay", "0"], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield RedisServer(folder, port)
    finally:
        child.kill()
        child.wait()
        shutil.rmtree(folder)
