"""What the reading of workbooks says to its child process and hears from it: msgpack frames over two pipes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

import msgspec

from govcloud.discovery.columns import ColumnMap
from govcloud.errors import GovcloudError, InputError
from govcloud.model.collect import SheetKind, SheetReading
from govcloud.model.observation import Statement
from govcloud.model.text import Text

_LENGTH_BYTES = 8
MAX_FRAME_BYTES = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one child may use."""

    memory_bytes: int = 1_536 * 2**20
    """Of address space."""
    cpu_s: int = 120
    """A file."""
    wall_s: float = 300.0
    """A file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    maps: tuple[ColumnMap, ...]
    at: datetime
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    path: str
    """Only a name here: the child opens no file."""
    kind: SheetKind | None
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    what: Text
    where: Text
    next_step: Text | None = None

    def error(self) -> GovcloudError:
        return InputError(self.what, where=self.where, next_step=self.next_step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """To one job: any number of these with statements, the last one with `done`."""

    done: bool = False
    statements: Sequence[Statement] = ()
    sheets: tuple[SheetReading, ...] = ()
    lineage: str | None = None
    refusal: Refusal | None = None


_encoder = msgspec.msgpack.Encoder()


def write_frame(pipe: BinaryIO, message: Setup | Job | Answer) -> None:
    data = _encoder.encode(message)
    pipe.write(len(data).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(data)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> bytes | None:
    """The next frame; None where the other side has closed the pipe. Raises EOFError in the middle of one."""
    head = pipe.read(_LENGTH_BYTES)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) < _LENGTH_BYTES or length > MAX_FRAME_BYTES:
        raise EOFError
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data
