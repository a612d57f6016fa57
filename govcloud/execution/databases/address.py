"""Where a target finds the source's server, when the servers are to talk to each other."""

from __future__ import annotations

import subprocess

from govcloud.execution.databases.far import Pair
from govcloud.execution.stream import StreamError
from govcloud.model.text import Text


def source_address(pair: Pair, usual_port: int) -> tuple[str, int]:
    """Host and port. A server that its own host reaches at a local address is looked for at that host's address."""
    end = pair.source.end
    host, port = str(end["host"]), int(end["port"] or usual_port)
    if not (host.startswith(("/", "127.")) or host in ("", "localhost", "::1")):
        return host, port
    done = subprocess.run(
        ["ssh", "-G", "-F", str(pair.source.remote.ssh_config), "--", pair.source.host],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line).get("hostname")
    if done.returncode or not found:
        raise StreamError(Text("{h}：不知道它的地址", "{h}: its address is unknown").format(h=pair.source.host))
    return found, port
