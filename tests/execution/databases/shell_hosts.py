"""SSH servers on loopback whose commands really run, with their input, output and errors passed on as they come."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh

_BLOCK = 1 << 18


async def _pump(source: asyncio.StreamReader, sink: asyncssh.SSHWriter[bytes]) -> None:
    while block := await source.read(_BLOCK):
        sink.write(block)
        await sink.drain()


async def _feed(source: asyncssh.SSHReader[bytes], sink: asyncio.StreamWriter) -> None:
    try:
        while block := await source.read(_BLOCK):
            sink.write(block)
            await sink.drain()
        sink.close()
    except (BrokenPipeError, ConnectionResetError):
        return


async def _handle(process: asyncssh.SSHServerProcess[bytes]) -> None:
    child = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", process.command or "", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}, start_new_session=True,
    )  # fmt: skip
    assert child.stdin and child.stdout and child.stderr
    feeding = asyncio.create_task(_feed(process.stdin, child.stdin))
    try:
        await asyncio.gather(_pump(child.stdout, process.stdout), _pump(child.stderr, process.stderr))
    except (BrokenPipeError, asyncssh.Error):
        child.kill()
    code = await child.wait()
    feeding.cancel()
    process.exit(code if code >= 0 else 128 - code)


@contextmanager
def shell_hosts(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """The ssh_config that leads to all of them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    client, host = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    client.write_private_key(str(folder / "id"))
    (folder / "id").chmod(0o600)
    client.write_public_key(str(folder / "id.pub"))

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[host], authorized_client_keys=str(folder / "id.pub"),
            process_factory=_handle, encoding=None,
        )  # fmt: skip

    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    port = acceptor.get_port()
    known = host.export_public_key().decode().strip()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {known}\n")
    lines = [f"Host {name}\n  HostName 127.0.0.1\n" for name in names]
    lines.append(
        f"Host *\n  Port {port}\n  User root\n  IdentityFile {folder / 'id'}\n  IdentitiesOnly yes\n  BatchMode yes\n"
        f"  StrictHostKeyChecking yes\n  UserKnownHostsFile {folder / 'known_hosts'}\n  GlobalKnownHostsFile /dev/null\n"
        "  LogLevel ERROR\n"
    )
    (folder / "ssh_config").write_text("".join(lines))
    try:
        yield folder / "ssh_config"
    finally:
        acceptor.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
