"""Files into statements. What departments send is parsed in child processes that can't do much else (reading_child.py).

A child that dies, hangs or wants too much costs its own file only: the file is refused, the next one gets a new child.
"""

from __future__ import annotations

import gc
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from govcloud.discovery.columns import ColumnMap
from govcloud.discovery.reading_frames import Answer, Job, Limits, Setup, read_frame, write_frame
from govcloud.discovery.records import Reading
from govcloud.discovery.refusals import refused
from govcloud.discovery.workbook import read_bytes
from govcloud.errors import GovcloudError
from govcloud.model.collect import SheetKind
from govcloud.model.observation import Statement
from govcloud.model.text import Text

CHILD = ("-P", "-m", "govcloud.discovery.reading_child")
_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """One file: what it says, or that it is known, or why it was refused."""

    path: Path
    sha256: str = ""
    lineage: str | None = None
    """Number of a form that we made or returned: the file is a newer version of it."""
    reading: Reading | None = None
    known: bool = False
    refusal: GovcloudError | None = None


def read_files(
    paths: Sequence[Path],
    *,
    maps: Sequence[ColumnMap],
    at: datetime,
    kind: SheetKind | None = None,
    known: Collection[str] = (),
    limits: Limits | None = None,
    on_done: Callable[[FileReading], None] = lambda reading: None,
) -> list[FileReading]:
    """Every file once, in the order of `paths`; files whose SHA-256 is in `known` are not parsed.

    `on_done` is called in the caller's thread. No file raises: refusals are results.
    """
    setup = Setup(maps=tuple(maps), at=at, limits=limits or Limits())
    with tempfile.TemporaryDirectory(prefix="govcloud-") as folder:
        children = _Children(setup, Path(folder))
        pool = ThreadPoolExecutor(max_workers=max(1, min(_AT_ONCE, len(paths))))
        # Statements hold no cycles; looking for some while hundreds of thousands arrive takes longer than the rest.
        collecting = gc.isenabled()
        gc.disable()
        try:
            waiting: dict[Future[FileReading], int] = {
                pool.submit(_read_file, children, path, kind, known): number for number, path in enumerate(paths)
            }
            found: dict[int, FileReading] = {}
            for future in as_completed(waiting):
                found[waiting[future]] = future.result()
                on_done(found[waiting[future]])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            children.end()
            pool.shutdown()
            if collecting:
                gc.enable()
    return [found[number] for number in range(len(paths))]


def _read_file(
    children: _Children, path: Path, kind: SheetKind | None, known: Collection[str]
) -> FileReading:  # fmt: skip
    sha256 = ""
    try:
        data = read_bytes(path)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in known:
            return FileReading(path=path, sha256=sha256, known=True)
        statements, last = children.own().read(Job(path=str(path), kind=kind, data=data))
    except GovcloudError as error:
        return FileReading(path=path, sha256=sha256, refusal=error)
    if last.refusal is not None:
        return FileReading(path=path, sha256=sha256, refusal=last.refusal.error())
    reading = Reading(sheets=last.sheets, statements=tuple(statements))
    return FileReading(path=path, sha256=sha256, lineage=last.lineage, reading=reading)


class _Children:
    """One child for each reading thread, replaced when it has died."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        self._setup, self._folder = setup, folder
        self._lock = threading.Lock()
        self._of_thread: dict[int, _Child] = {}
        self._ended = False

    def own(self) -> _Child:
        me = threading.get_ident()
        with self._lock:
            child = self._of_thread.get(me)
            if self._ended or child is None or child.process.poll() is not None:
                child = self._of_thread[me] = _Child(self._setup, self._folder)
                if self._ended:
                    child.end()
            return child

    def end(self) -> None:
        with self._lock:
            self._ended = True
            for child in self._of_thread.values():
                child.end()


class _Child:
    def __init__(self, setup: Setup, folder: Path) -> None:
        self._limits = setup.limits
        self._greeted = False
        self._setup = setup
        # Only what Python needs to find this package: nothing of the user's environment, no credentials.
        path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
        self.process = subprocess.Popen(
            [sys.executable, *CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": path, "PYTHONUTF8": "1"}, start_new_session=True,
        )  # fmt: skip
        self._decoder = msgspec.msgpack.Decoder(Answer)

    def read(self, job: Job) -> tuple[list[Statement], Answer]:
        """The statements and the last answer. Raises InputError where the child did not live to give one."""
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self.process.kill()

        watchdog = threading.Timer(self._limits.wall_s, give_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            return self._exchange(job)
        except (OSError, EOFError, ValueError, msgspec.MsgspecError):
            self.process.kill()
            raise self._obituary(Path(job.path), late=late.is_set()) from None
        finally:
            watchdog.cancel()

    def _exchange(self, job: Job) -> tuple[list[Statement], Answer]:
        requests, answers = cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout)
        if not self._greeted:
            write_frame(requests, self._setup)
            self._greeted = True
        write_frame(requests, job)
        statements: list[Statement] = []
        while (frame := read_frame(answers)) is not None:
            answer = self._decoder.decode(frame)
            statements += answer.statements
            if answer.done:
                return statements, answer
        raise EOFError

    def _obituary(self, path: Path, *, late: bool) -> GovcloudError:
        code = self.process.wait()
        if late or code == -signal.SIGXCPU:
            why = Text("读取它花的时间超过上限", "Reading it takes longer than is allowed")
        else:
            ended = signal.Signals(-code).name if code < 0 else str(code)
            why = Text(
                "读取程序中途退出（{s}）：文件过大，或者被改坏了",
                "The reader ended early ({s}): the file is too large, or was tampered with",
            ).format(s=ended)
        return refused(path, why)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                continue  # what was not flushed is of no use to anybody
