"""A MariaDB server of a test's own."""

from __future__ import annotations

import os
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

PASSWORD = 'it\'s "quoted" \\ #1'


class MariaServer:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def end(self, name: str = "oa") -> dict[str, Any]:
        return {
            "host": "127.0.0.1", "port": self.port, "name": name, "user": "mover", "bin": "/usr/bin", "path": None,
            "password_file": str(self.folder / "password"), "data_dir": None, "run_as_uid": None,
        }  # fmt: skip

    def sql(self, statements: str, name: str = "oa", user: str | None = None) -> list[list[str]]:
        end = self.end(name)
        if user:
            end |= {"user": user, "password_file": str(self.folder / "app-password")}
        found: list[list[str]] = load_util("gov_mysql").Server(end).sql(statements, schema=name or None)
        return found


@contextmanager
def running(*options: str) -> Iterator[MariaServer]:
    program = shutil.which("mariadbd", path="/usr/sbin:/usr/bin:/sbin")
    assert program, "install Debian's mariadb-server package for the tests marked `servers`"
    folder, port = Path(tempfile.mkdtemp(prefix="gc-my-")), free_port()
    data, user = folder / "data", ["--user=root"] if os.getuid() == 0 else []
    # Two servers at the same time must not meet in /tmp.
    env = dict(os.environ, TMPDIR=str(folder))
    (folder / "password").write_text(PASSWORD)
    (folder / "app-password").write_text("app")
    done = subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db", *user],
        capture_output=True, text=True, timeout=120, check=False, env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    hashed = "CREATE USER mover@'127.0.0.1' IDENTIFIED BY 'it\\'s \"quoted\" \\\\ #1'; GRANT ALL ON *.* TO mover@'127.0.0.1' WITH GRANT OPTION;"
    (folder / "init.sql").write_text(hashed.replace("; ", ";\n") + "\n")
    argv = [
        program,
        "--no-defaults",
        f"--datadir={data}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        *user,
        *options,
    ]
    argv += [
        f"--socket={folder / 'sock'}",
        "--innodb-flush-log-at-trx-commit=0",
        f"--init-file={folder / 'init.sql'}",
        "--skip-name-resolve",
    ]
    child = subprocess.Popen(
        [*argv, "--innodb-buffer-pool-size=32M"], stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"), env=env
    )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert child.poll() is None, (folder / "log").read_text()[-2000:]
            time.sleep(0.1)
        yield MariaServer(folder, port)
    finally:
        child.kill()
        child.wait()
        shutil.rmtree(folder)
