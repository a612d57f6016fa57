"""One lab host: its process 1 and its SSH server. Started by the lab with one line of JSON on stdin (see `HostSpec`).

Prints JSON lines on stdout: `{"host", "port", "key", "fingerprint"}` when it answers logins, then
`{"host", "booted", "log"}` with the exit code of its boot script and the last lines of that script's output.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSpec:
    """What the lab tells a host about itself."""

    name: str
    listen: str
    port: int
    root: str
    """The host's root folder: `` in a namespace of its own, else a folder that stands for `/`."""
    path: str
    """PATH of the commands that run here."""

    def environment(self) -> dict[str, str]:
        values = {"PATH": self.path, "LANG": "C.UTF-8", "SHELL": "/bin/sh", "HOME": f"{self.root}/root"}
        if self.root:
            values |= {"HOST_NAME": self.name, "TMPDIR": str(Path(self.root, "tmp"))}
        return values


def main() -> int:
    """As process 1, orphans become ours and must be reaped, which asyncio doesn't do: so the server is a child."""
    spec = HostSpec(**json.loads(sys.stdin.readline()))
    if os.getpid() == 1:
        socket.sethostname(spec.name)
        server = os.fork()
        if server:
            return _reap_until(server)
    return asyncio.run(_serve(spec))


def _reap_until(server: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == server:
            return os.waitstatus_to_exitcode(status)


async def _serve(spec: HostSpec) -> int:
    from govcloud.demo import host_ssh

    key = await host_ssh.listen(spec)
    _tell(host=spec.name, port=spec.port, **key)
    boot = Path(f"{spec.root}/etc/boot")
    if boot.exists():
        code, log = await _boot(boot, spec)
    else:
        code, log = 0, ""
    _tell(host=spec.name, booted=code, log=log)
    with suppress(OSError):
        sys.stdout.close()
    await asyncio.Event().wait()
    return 0


async def _boot(script: Path, spec: HostSpec) -> tuple[int, str]:
    log = Path(f"{spec.root}/var/log/boot.log")
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", str(script), cwd=f"{spec.root}/", env=spec.environment(), stdin=asyncio.subprocess.DEVNULL,
            stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
        code = await process.wait()
    return code, log.read_text("utf-8", "replace")[-2000:]


def _tell(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
