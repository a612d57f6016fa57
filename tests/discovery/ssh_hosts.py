"""Real SSH servers on loopback: each with its own host key, who may log in, and how it behaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from govcloud.model.access import HostAccess


@dataclass(frozen=True)
class Server:
    host: HostAccess
    key: tuple[str, str]
    opened: list[tuple[str, int]]
    """Connections that it was asked to let through."""
    logins: list[int]
    """How many connections came, as its only element."""


class Servers:
    """Runs servers in a thread of its own until the test ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listening: list[asyncssh.SSHAcceptor] = []
        client = asyncssh.generate_private_key("ssh-ed25519")
        self.key_file = folder / "id_ed25519"
        client.write_private_key(str(self.key_file))
        self.key_file.chmod(0o600)
        self._client = client.convert_to_public()

    def start(
        self, name: str, *, path: str = "/usr/bin:/bin", hang: bool = False, trusts_us: bool = True, port: int = 0,
        cut: bool = False, prints: bytes | None = None, forwards: bool = False, calls: int | None = None,
    ) -> Server:  # fmt: skip
        """A host whose commands really run.

        `hang`: never answers a command; `cut`: ends the connection in the middle of one; `trusts_us`: knows our key;
        `prints`: writes this before the command's output; `forwards`: lets connections through, as a bastion does;
        `calls`: breaks the connection at every command after that many.
        """
        host_key = asyncssh.generate_private_key("ssh-ed25519")
        client = self._client if trusts_us else asyncssh.generate_private_key("ssh-ed25519").convert_to_public()
        authorized = self.folder / f"{name}.authorized_keys"
        client.write_public_key(str(authorized))

        answered = 0
        opened: list[tuple[str, int]] = []

        logins = [0]

        class Login(asyncssh.SSHServer):
            def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
                opened.append((dest_host, dest_port))
                return forwards

            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                logins[0] += 1

        async def handle(process: asyncssh.SSHServerProcess[bytes]) -> None:
            if hang:
                await asyncio.sleep(3600)
            nonlocal answered
            answered += 1
            if cut or (calls is not None and answered > calls):
                process.stdout.write(b"half an answ")
                process.get_extra_info("connection").abort()
                return
            child = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", process.command or "", stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={"PATH": path},
            )  # fmt: skip
            output, _ = await child.communicate(await process.stdin.read())
            process.stdout.write((prints or b"") + output)
            process.exit(child.returncode or 0)

        async def listen() -> asyncssh.SSHAcceptor:
            return await asyncssh.listen(
                "127.0.0.1", port, server_host_keys=[host_key], authorized_client_keys=str(authorized),
                process_factory=handle, encoding=None, server_factory=Login,
            )  # fmt: skip

        acceptor = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)
        self._listening.append(acceptor)
        access = HostAccess(
            name=name, address="127.0.0.1", port=acceptor.get_port(), user="root", key_file=str(self.key_file)
        )
        public = host_key.export_public_key().decode().split()
        return Server(access, (public[0], public[1]), opened, logins)

    def stop(self, server: Server) -> None:
        acceptor = next(a for a in self._listening if a.get_port() == server.host.port)
        self._listening.remove(acceptor)
        self._loop.call_soon_threadsafe(acceptor.close)
        asyncio.run_coroutine_threadsafe(acceptor.wait_closed(), self._loop).result(10)

    def close(self) -> None:
        async def end() -> None:
            for acceptor in self._listening:
                acceptor.close()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@contextmanager
def running(folder: Path) -> Iterator[Servers]:
    servers = Servers(folder)
    try:
        yield servers
    finally:
        servers.close()
