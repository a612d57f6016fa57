"""The process that parses what departments send: `python -m govcloud.discovery.reading_child`, started by reading.py.

A parser of foreign files may be wrong in ways that nobody has found yet. So it runs where it can do little: once it has
imported what it needs it gives up opening files and sockets, starting processes, writing, and most of the memory.
"""

from __future__ import annotations

import codecs
import gc
import importlib
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from govcloud.discovery.exports import read_export, recognise
from govcloud.discovery.exports.layout import load_exports
from govcloud.discovery.reading_frames import Answer, Job, Refusal, Setup, read_frame, write_frame
from govcloud.discovery.records import PORTION, Reading, read_workbook
from govcloud.discovery.workbook import Workbook, parse_workbook
from govcloud.errors import GovcloudError
from govcloud.model.observation import Statement
from govcloud.model.text import Text, same

_SURVEYS = ("census", "servers", "networks", "dependencies", "projects")


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer jobs until the other side closes the pipe."""
    first = read_frame(requests)
    if first is None:
        return
    setup = msgspec.msgpack.decode(first, type=Setup)
    _give_up_rights(setup)
    jobs = msgspec.msgpack.Decoder(Job)
    # Statements hold no cycles; collecting while millions of them are made costs half of the time.
    gc.disable()
    while (frame := read_frame(requests)) is not None:
        job = jobs.decode(frame)
        del frame
        _limit_cpu(setup.limits.cpu_s)
        try:
            _answer(answers, setup, job)
        except MemoryError:
            what = Text("读取它需要的内存超过上限", "Reading it takes more memory than is allowed")
            write_frame(answers, _refusal(job, what))
        except GovcloudError as error:
            refusal = Refusal(what=error.what, where=error.where, next_step=error.next_step)
            write_frame(answers, Answer(done=True, refusal=refusal))
        except Exception as error:
            # A fault of ours: the other files are read all the same, and this one is told with what to report.
            what = Text("读取程序出错：{e}", "The reader failed: {e}").format(
                e=f"{type(error).__name__}: {error}"[:300]
            )
            write_frame(answers, _refusal(job, what))
        gc.collect()


def _refusal(job: Job, what: Text) -> Answer:
    next_step = Text(
        "另存为较小的 .xlsx 后导入；仍不行请反馈", "Save it as a smaller .xlsx; report it if that does not help"
    )
    return Answer(done=True, refusal=Refusal(what=what, where=same(job.path), next_step=next_step))


def _give_up_rights(setup: Setup) -> None:
    # What is loaded lazily has to be there before: nothing can be opened afterwards.
    importlib.import_module("heapq")
    for encoding in ("gb18030", "cp437", "utf-16-le", "utf-16-be", "utf-8-sig", "latin-1"):
        codecs.lookup(encoding)
    load_exports()
    rehearsal = parse_workbook(Path("-.csv"), "系统名称,所属部门,等保级别\n示例,示例,二级\n".encode("gb18030"))
    read_workbook(rehearsal, setup.maps, at=setup.at)
    for kind, value in (
        (resource.RLIMIT_AS, setup.limits.memory_bytes), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0), (resource.RLIMIT_NOFILE, 3),
    ):  # fmt: skip
        resource.setrlimit(kind, (value, value))


def _limit_cpu(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds, hard))


def _answer(answers: BinaryIO, setup: Setup, job: Job) -> None:
    workbook = parse_workbook(Path(job.path), job.data)

    def send(statements: Sequence[Statement]) -> None:
        write_frame(answers, Answer(statements=statements))

    reading = _read(workbook, setup, job, send)
    for start in range(0, len(reading.statements), PORTION):
        send(reading.statements[start : start + PORTION])
    write_frame(answers, Answer(done=True, sheets=reading.sheets, lineage=workbook.lineage))


def _read(workbook: Workbook, setup: Setup, job: Job, send: Callable[[Sequence[Statement]], None]) -> Reading:
    kind = job.kind or recognise(workbook)
    if kind is None or kind in _SURVEYS:
        return read_workbook(workbook, setup.maps, at=setup.at, kind=job.kind, send=send)
    return read_export(workbook, kind, at=setup.at)


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
