"""The SSH server of one lab host, on AsyncSSH: commands (no terminals), SFTP, SCP; public keys only."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh

from govcloud.demo.host import HostSpec

if TYPE_CHECKING:
    Process = asyncssh.SSHServerProcess[bytes]

_CHUNK = 64 * 1024
_GRACE_SECONDS = 2.0


async def listen(spec: HostSpec) -> dict[str, str]:
    """Start listening with a new host key; returns its public half and SHA-256 fingerprint."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    home = Path(f"{spec.root}/root")

    async def handle(process: Process) -> None:
        await _run(process, spec)

    await asyncssh.listen(
        spec.listen, spec.port, server_factory=lambda: _Server(home), server_host_keys=[key], process_factory=handle,
        encoding=None, sftp_factory=lambda chan: _Sftp(chan, home), allow_scp=True, login_timeout=30,
        keepalive_interval=15, reuse_address=True, line_editor=False,
    )  # fmt: skip
    public = key.export_public_key().decode().split()
    return {"key": " ".join(public[:2]), "fingerprint": key.get_fingerprint()}


class _Server(asyncssh.SSHServer):
    """Reads authorized_keys at every login, so that a rotated key counts from the next login on."""

    def __init__(self, home: Path) -> None:
        self._file = home / ".ssh" / "authorized_keys"

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        # An unreadable or broken file lets nobody in; without keys AsyncSSH refuses the login by itself.
        with suppress(OSError, ValueError):
            self._connection.set_authorized_keys(str(self._file))
        return True

    def public_key_auth_supported(self) -> bool:
        return True


class _Sftp(asyncssh.SFTPServer):
    """Relative paths start at the home. Not a chroot: Ansible needs SFTP and commands to agree on absolute paths."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], home: Path) -> None:
        super().__init__(chan)
        self._home = os.fsencode(home)

    def map_path(self, path: bytes) -> bytes:
        return path if path.startswith(b"/") else self._home + b"/" + path

    def realpath(self, path: bytes) -> bytes:
        return os.path.realpath(self.map_path(path))


async def _run(process: Process, spec: HostSpec) -> None:
    sent = {str(name): str(value) for name, value in process.env.items()}
    argv = ["/bin/sh", "-c", process.command] if process.command is not None else ["/bin/sh"]
    child = await asyncio.create_subprocess_exec(
        *argv, cwd=f"{spec.root}/root", start_new_session=True,
        env={**sent, **spec.environment(), "USER": process.get_extra_info("username")},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin  # noqa: S101 - it was asked for
    feed = asyncio.create_task(_feed(process.stdin, child.stdin))
    # All output must be read before the exit status is sent: AsyncSSH's own redirection loses it for short commands.
    output = asyncio.create_task(_output(child, process))
    gone = asyncio.create_task(process.channel.wait_closed())
    await asyncio.wait({gone, output}, return_when=asyncio.FIRST_COMPLETED)
    if gone.done():
        await _end(child)
        output.cancel()
    code = await child.wait()
    feed.cancel()
    gone.cancel()
    with suppress(OSError, asyncio.CancelledError):
        await output
    if code < 0:
        process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
    else:
        process.exit(code)


async def _end(child: asyncio.subprocess.Process) -> None:
    """The client went away: nobody is left to read what this command does, so it ends with all its children."""
    _signal_group(child.pid, signal.SIGHUP)
    with suppress(TimeoutError):
        await asyncio.wait_for(child.wait(), _GRACE_SECONDS)
    _signal_group(child.pid, signal.SIGKILL)


def _signal_group(pid: int, sig: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, sig)


async def _feed(source: asyncssh.SSHReader[bytes], sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    except (OSError, asyncssh.Error, asyncssh.BreakReceived, asyncssh.SignalReceived, asyncssh.TerminalSizeChanged):
        pass  # the command closed its input, or the client interrupted: the end of the channel decides
    finally:
        sink.close()


async def _output(child: asyncio.subprocess.Process, process: Process) -> None:
    assert child.stdout and child.stderr  # noqa: S101 - they were asked for
    await asyncio.gather(_drain(child.stdout, process.stdout), _drain(child.stderr, process.stderr))


async def _drain(source: asyncio.StreamReader, sink: asyncssh.SSHWriter[bytes]) -> None:
    with suppress(OSError, asyncssh.Error):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
        return
    while await source.read(_CHUNK):  # the client went away; a full pipe must not stop the command from ending
        pass
