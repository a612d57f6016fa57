"""Pipes between hosts: `ssh source program | ssh target program` through the controller, counted and hashed in passing.

Both exit codes are checked; nothing is believed that only one end says. Data never passes a disk of the controller.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import select
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from govcloud.execution.bucket import Bucket
from govcloud.model.text import Text, same

_BLOCK = 1 << 18
_PIPE = 1 << 20
_LAST_WORDS_S = 600.0
"""A receiving end may have a lot to write down after it has got everything."""
_ERROR_CHARS = 600
CIPHERS = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes256-ctr,chacha20-poly1305@openssh.com"
"""With AES in the processor, GCM is 1.4 times as fast as OpenSSH's default. Every OpenSSH since 6.2 knows these names."""


class StreamError(Exception):
    """One of the ends failed, or nothing moved for too long. The message is for a person."""

    def __init__(self, why: str | Text) -> None:
        self.text = why if isinstance(why, Text) else same(why)
        super().__init__(self.text.en)


class Cut(StreamError):
    """The connection broke or went silent: worth another try."""


@dataclass(frozen=True, slots=True)
class Passed:
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Remote:
    """Builds SSH command lines for one attempt: its own configuration, its own known hosts, no other."""

    ssh_config: Path

    def argv(self, host: str, program: Sequence[str]) -> list[str]:
        # sshd hands the command to a shell; every word is quoted for it, so data stays data.
        # A connection of its own: two streams through one shared connection would wait for each other.
        options = ["-F", str(self.ssh_config), "-o", "ControlPath=none", "-o", f"Ciphers={CIPHERS}", "-T"]
        return ["ssh", *options, "--", host, shlex.join(program)]


def capture(
    command: Sequence[str], into: IO[bytes], *, give: bytes = b"", stall_s: float = 120.0,
    beat: Callable[[], None] | None = None,
) -> Passed:  # fmt: skip
    """Run the command with `give` on its standard input and write its output to `into`. Raises StreamError.

    `beat` is called whenever something came.
    """
    with _end(command, give=give) as source:
        return _Flow(stall_s, beat).run([source], into)


def pipe(
    source_command: Sequence[str], target_command: Sequence[str], *, give: bytes = b"",
    stall_s: float = 120.0, source_codes: frozenset[int] = frozenset({0}), beat: Callable[[], None] | None = None,
    bucket: Bucket | None = None, hashed: bool = True,
) -> Passed:  # fmt: skip
    """Run both commands with the output of the first as input of the second. Raises StreamError.

    `source_codes` are the first command's exit codes that mean success. `hashed` false: no digest is made (`sha256` is
    empty) and the bytes never enter this process, where neither a limit nor a digest needs them.
    """
    with _end(source_command, give=give) as source, _end(target_command, is_sink=True) as target:
        assert target.process.stdin is not None  # noqa: S101 - asked for above
        flow = _Flow(stall_s, beat, bucket, hashed=hashed, source_codes=source_codes)
        return flow.run([source, target], target.process.stdin)


class _end:
    """One process of a pipe with its error output in a file, killed when the block is left early."""

    def __init__(self, command: Sequence[str], *, give: bytes = b"", is_sink: bool = False) -> None:
        self.command, self.is_sink = command, is_sink
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=self.errors,
            stdout=subprocess.DEVNULL if is_sink else subprocess.PIPE,
        )  # fmt: skip
        if not is_sink:
            # A thread: the program may fill its output before it has read all its input.
            threading.Thread(target=self._feed, args=(give,), daemon=True).start()

    def _feed(self, give: bytes) -> None:
        assert self.process.stdin is not None  # noqa: S101 - asked for above
        try:
            with self.process.stdin as stream:
                stream.write(give)
        except BrokenPipeError:
            return  # its exit code tells

    def said(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace").strip()[-_ERROR_CHARS:]

    def finish(self, timeout: float, codes: frozenset[int]) -> None:
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise StreamError(f"no end after {timeout:.0f} s: {_shown(self.command)}") from None
        if code not in codes:
            raise StreamError(f"exit code {code}: {self.said() or _shown(self.command)}")

    def __enter__(self) -> _end:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdout, self.process.stdin if self.is_sink else None):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
        self.errors.close()


def _shown(command: Sequence[str]) -> str:
    return " ".join(command)[:200]


def widen(pipe_end: int) -> None:
    """Fewer, larger reads and writes; a user who has many wide pipes already isn't given another."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe_end, fcntl.F_SETPIPE_SZ, _PIPE)


class _Flow:
    """One transfer from the first end to a file or to the second end."""

    def __init__(
        self, stall_s: float, beat: Callable[[], None] | None = None, bucket: Bucket | None = None, *, hashed: bool = True,
        source_codes: frozenset[int] = frozenset({0}),
    ) -> None:  # fmt: skip
        self._stall_s, self._beat, self._bucket, self._codes = stall_s, beat, bucket, source_codes
        self._digest = hashlib.sha256() if hashed else None
        self._count = 0

    def run(self, ends: list[_end], sink: IO[bytes]) -> Passed:
        source = ends[0]
        broken = False
        try:
            self._move(ends, sink)
            if len(ends) == 2:
                sink.close()
        except BrokenPipeError:
            broken = True
        if len(ends) == 2:
            # The receiving end first: when it stopped early, its reason is the one that matters.
            ends[1].finish(max(self._stall_s, _LAST_WORDS_S), frozenset({0}))
        source.finish(self._stall_s, self._codes)
        if broken:
            raise StreamError(f"the receiving end stopped early: {_shown(ends[-1].command)}")
        return Passed(self._count, self._digest.hexdigest() if self._digest else "")

    def _move(self, ends: list[_end], sink: IO[bytes]) -> None:
        assert ends[0].process.stdout is not None  # noqa: S101 - asked for above
        reader, writer = ends[0].process.stdout.fileno(), sink.fileno() if ends[-1].is_sink else None
        passes_by = writer is not None and self._digest is None
        for end in (reader, writer) if writer is not None else (reader,):
            widen(end)
        if writer is not None:
            os.set_blocking(writer, False)
        while True:
            self._ready(reader, select.POLLIN, f"nothing came for {self._stall_s:.0f} s: {_shown(ends[0].command)}")
            if passes_by and writer is not None:
                self._free(writer, ends[-1])
                try:
                    count = os.splice(reader, writer, _BLOCK)
                except BlockingIOError:
                    continue
            else:
                block = os.read(reader, _BLOCK)
                count = len(block)
                if self._digest is not None:
                    self._digest.update(block)
                self._write(sink, writer, block, ends[-1])
            if not count:
                return
            self._count += count
            if self._bucket is not None:
                self._bucket.take(count)
            if self._beat is not None:
                self._beat()

    def _write(self, sink: IO[bytes], writer: int | None, block: bytes, end: _end) -> None:
        if writer is None:
            sink.write(block)
            return
        view = memoryview(block)
        while view:
            self._free(writer, end)
            try:
                view = view[os.write(writer, view) :]
            except BlockingIOError:
                continue

    def _free(self, writer: int, end: _end) -> None:
        self._ready(writer, select.POLLOUT, f"nothing was taken for {self._stall_s:.0f} s: {_shown(end.command)}")

    def _ready(self, descriptor: int, event: int, problem: str) -> None:
        waiting = select.poll()
        waiting.register(descriptor, event)
        if not waiting.poll(self._stall_s * 1000):
            raise StreamError(problem)
