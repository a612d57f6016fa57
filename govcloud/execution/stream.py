"""Pipes between hosts: `ssh source program | ssh target program` through the controller, counted and hashed in passing.

Both exit codes are checked; nothing is believed that only one end says. Data never passes a disk of the controller.
"""

from __future__ import annotations

import hashlib
import os
import selectors
import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_BLOCK = 1 << 18
_ERROR_CHARS = 600


class StreamError(Exception):
    """One of the ends failed, or nothing moved for too long. The message is for a person."""


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
        options = ["-F", str(self.ssh_config), "-o", "ControlPath=none", "-T"]
        return ["ssh", *options, "--", host, shlex.join(program)]


def capture(command: Sequence[str], into: IO[bytes], *, give: bytes = b"", stall_s: float = 120.0) -> Passed:
    """Run the command with `give` on its standard input and write its output to `into`. Raises StreamError."""
    with _end(command, give=give) as source:
        return _pump([source], into, stall_s, source)


def pipe(
    source_command: Sequence[str], target_command: Sequence[str], *, give: bytes = b"",
    stall_s: float = 120.0, source_codes: frozenset[int] = frozenset({0}),
) -> Passed:  # fmt: skip
    """Run both commands with the output of the first as input of the second. Raises StreamError.

    `source_codes` are the first command's exit codes that mean success: GNU tar says 1 when a file changed while it
    was read, which is expected of a source that still serves.
    """
    with _end(source_command, give=give) as source, _end(target_command, is_sink=True) as target:
        assert target.process.stdin is not None  # noqa: S101 - asked for above
        passed = _pump([source, target], target.process.stdin, stall_s, source, source_codes)
        return passed


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


def _pump(
    ends: list[_end], sink: IO[bytes], stall_s: float, source: _end, source_codes: frozenset[int] = frozenset({0})
) -> Passed:
    digest, count = hashlib.sha256(), 0
    assert source.process.stdout is not None  # noqa: S101 - asked for above
    reader = source.process.stdout.fileno()
    broken = False
    with selectors.DefaultSelector() as waiting:
        waiting.register(reader, selectors.EVENT_READ)
        while True:
            if not waiting.select(stall_s):
                raise StreamError(f"nothing came for {stall_s:.0f} s: {_shown(source.command)}")
            block = os.read(reader, _BLOCK)
            if not block:
                break
            digest.update(block)
            count += len(block)
            try:
                _write(sink, block, stall_s, ends[-1])
            except BrokenPipeError:
                broken = True
                break
    if len(ends) == 2:
        try:
            sink.close()
        except BrokenPipeError:
            broken = True
        # The receiving end first: when it stopped early, its reason is the one that matters.
        ends[1].finish(max(stall_s, 600), frozenset({0}))
    source.finish(stall_s, source_codes)
    if broken:
        raise StreamError(f"the receiving end stopped early: {_shown(ends[-1].command)}")
    return Passed(count, digest.hexdigest())


def _write(sink: IO[bytes], block: bytes, stall_s: float, end: _end) -> None:
    """Write everything, or raise StreamError when the far end takes nothing for too long."""
    try:
        descriptor = sink.fileno()
        is_pipe = end.is_sink
    except OSError:
        is_pipe = False
    if not is_pipe:
        sink.write(block)
        return
    os.set_blocking(descriptor, False)
    view, deadline = memoryview(block), time.monotonic() + stall_s
    with selectors.DefaultSelector() as waiting:
        waiting.register(descriptor, selectors.EVENT_WRITE)
        while view:
            if not waiting.select(max(0.0, deadline - time.monotonic())):
                raise StreamError(f"nothing was taken for {stall_s:.0f} s: {_shown(end.command)}")
            try:
                view = view[os.write(descriptor, view) :]
            except BlockingIOError:
                continue
            deadline = time.monotonic() + stall_s
