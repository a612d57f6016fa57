"""Two SSH hosts on loopback with a breakable line to each, and trees to copy between them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncssh

from govcloud.demo import host_ssh
from govcloud.demo.host import HostSpec
from govcloud.execution.replicate import Ends
from govcloud.execution.stream import Remote

_RESET = struct.pack("ii", 1, 0)
SYSTEM = {"system_id": "SL-OA-01", "run_id": "r1", "attempt": 1, "token": 3, "rerun": False, "phase": "apply"}


class BreakableLine:
    """Forwards to `port`. `plan`: bytes after which each further connection is reset; then all hold. `silent`: nothing passes."""

    def __init__(self, port: int) -> None:
        self._goal, self.plan, self.silent = port, list[int](), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self._goal))
            self._open += [here, there]
            left = [self.plan.pop(0) if self.plan else 1 << 62]
            for a, b in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=(a, b, left, (here, there)), daemon=True).start()

    def _carry(
        self, a: socket.socket, b: socket.socket, left: list[int], both: tuple[socket.socket, socket.socket]
    ) -> None:
        with suppress(OSError):
            while block := a.recv(16_384):
                while self.silent.is_set():
                    threading.Event().wait(0.05)
                left[0] -= len(block)
                if left[0] < 0:
                    break
                b.sendall(block)
        # Half a reset is none: both sides see that the line is gone.
        for end in both:
            with suppress(OSError):
                if left[0] < 0:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)
                end.close()

    def close(self) -> None:
        self._listener.close()
        self.silent.clear()
        for end in self._open:
            with suppress(OSError):
                end.close()


LIMIT = 2 << 20


class FilePlace:
    """Hosts `old`, `new` and `tight`; their folders are plain folders here. On `tight` no file may be larger than LIMIT."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        client = asyncssh.generate_private_key("ssh-ed25519")
        client.write_private_key(str(folder / "id"))
        (folder / "id").chmod(0o600)
        self.lines: dict[str, BreakableLine] = {}
        self.keys: dict[str, str] = {}
        wrapper = folder / "limited" / "python3"
        wrapper.parent.mkdir()
        wrapper.write_text(f'#!/bin/sh\nulimit -f {LIMIT // 512}\nexec /usr/bin/python3 "$@"\n')
        wrapper.chmod(0o755)
        for name in ("old", "new", "tight"):
            root = folder / name
            (root / "root" / ".ssh").mkdir(mode=0o700, parents=True)
            (root / "tmp").mkdir()
            client.write_public_key(str(root / "root" / ".ssh" / "authorized_keys"))
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            path = f"{wrapper.parent}:/usr/bin:/bin" if name == "tight" else "/usr/bin:/bin"
            spec = HostSpec(name=name, listen="127.0.0.1", port=port, root=str(root), path=path)
            self.keys[name] = asyncio.run_coroutine_threadsafe(host_ssh.listen(spec), self._loop).result(30)["key"]
            self.lines[name] = BreakableLine(port)
        self.config = self.write_config(self.keys)

    def write_config(self, keys: Mapping[str, str], name: str = "ssh_config") -> Path:
        known = self.folder / f"{name}.known_hosts"
        known.write_text("".join(f"[127.0.0.1]:{self.lines[host].port} {keys[host]}\n" for host in self.lines))
        text = "".join(f"Host {host}\n  Port {line.port}\n" for host, line in self.lines.items())
        text += (
            f"Host *\n  HostName 127.0.0.1\n  User root\n  IdentityFile {self.folder}/id\n  IdentitiesOnly yes\n  BatchMode yes\n"
            f"  StrictHostKeyChecking yes\n  UserKnownHostsFile {known}\n  GlobalKnownHostsFile /dev/null\n"
            "  ConnectTimeout 5\n  LogLevel ERROR\n"
        )
        (self.folder / name).write_text(text)
        return self.folder / name

    def copy(self, name: str) -> Copy:
        return Copy(self, name)

    def close(self) -> None:
        for line in self.lines.values():
            line.close()

        async def end() -> None:
            await asyncio.sleep(0.3)  # commands whose line is gone end by themselves
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


class Copy:
    """One system's pair of directories, with a marker that says the target is ours."""

    def __init__(self, place: FilePlace, name: str) -> None:
        self.place = place
        self.source, self.target = place.folder / "old" / name, place.folder / "new" / name
        self.state, self.evidence = place.folder / "new" / f"{name}-state", place.folder / f"{name}-evidence"
        for made in (self.source, self.state, self.evidence):
            made.mkdir()
        self.mark()

    def mark(self, **changed: Any) -> None:
        (self.state / "SL-OA-01.json").write_text(json.dumps({**SYSTEM, "state": "preparing", **changed}))

    @property
    def pair(self) -> dict[str, Any]:
        return {"machine": "main", "source": str(self.source), "target": str(self.target), "index": 0}

    def ends(self, *, config: Path | None = None, target_host: str = "new", **system: Any) -> Ends:
        return Ends(
            source_host="old", target_host=target_host, marker=str(self.state / "SL-OA-01.json"), state_dir=str(self.state),
            system={**SYSTEM, **system}, evidence=self.evidence, remote=Remote(config or self.place.config),
        )  # fmt: skip

    def final_names(self) -> set[bytes]:
        return {path for path in tree(self.target) if not path.startswith(b".govcloud-partial")}


def tree(root: Path) -> dict[bytes, tuple[Any, ...]]:
    """What a user finds there: kind, mode, times and content of everything, by relative path."""
    found: dict[bytes, tuple[Any, ...]] = {}
    top = os.fsencode(root)
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            path = os.path.join(folder, name)  # noqa: PTH118 - bytes
            about = os.lstat(path)
            kept: tuple[Any, ...] = (oct(about.st_mode),)
            if os.path.islink(path):  # noqa: PTH114 - bytes
                kept = ("link", os.readlink(path))  # noqa: PTH115 - bytes
            elif name in files:
                with open(path, "rb") as stream:  # noqa: PTH123 - bytes
                    kept += (about.st_mtime_ns, about.st_size, hashlib.sha256(stream.read()).hexdigest())
            else:
                kept += (about.st_mtime_ns,)
            found[path[len(top) + 1 :]] = kept
    return found
