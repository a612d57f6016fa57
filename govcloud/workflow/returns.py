"""Workbooks back to their departments, with the cells to correct marked. Each is written by a child with limits."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from govcloud.errors import InputError, OutsideError
from govcloud.events import Event
from govcloud.model.collect import FileImport, ImportResult, RowError
from govcloud.model.text import Lang, Text
from govcloud.store import inventory as inventory_store
from govcloud.workflow.returns_child import Job
from govcloud.workflow.session import Session

_SECONDS = 300
_MAX_NAME_BYTES = 180
_FORBIDDEN = frozenset('<>:"/\\|?*')


def write_returns(session: Session, result: ImportResult, folder: Path, lang: Lang) -> tuple[Path, ...]:
    """Write every workbook that has something to correct to `folder`, under its own name; existing files are kept.

    A corrected copy replaces the first one when it is imported, whatever it is called. Raises InputError for files that
    are no longer what was imported, after the others were written; OutsideError where nothing can be written.
    """
    told = ((file, _problems(session, file)) for file in result.files)
    due = [(file, found) for file, found in told if any(not p.taken or p.left_out for p in found)]
    written: list[Path] = []
    failed: list[GoneError] = []
    for done, (file, problems) in enumerate(due):
        session.observer.on_event(
            Event(what=Text("写退回件", "Write returns"), subject=file.path.name, done=done, total=len(due))
        )
        job = Job(
            path=str(file.path), sha256=file.sha256, number=file.source, lang=lang,
            workspace=str(session.workspace.path), problems=problems,
        )  # fmt: skip
        try:
            data = _run(job)
        except GoneError as error:
            failed.append(error)
            continue
        written.append(_save(folder, file.path.name, data))
    if failed:
        raise failed[0]
    return tuple(written)


class GoneError(InputError):
    """The file on the disk can't be returned: it is not the one that was imported, or it can't be written again."""


def _problems(session: Session, file: FileImport) -> tuple[RowError, ...]:
    """Of a file that was imported before and not read again: what was found then."""
    if file.state != "unchanged" or file.problems:
        return file.problems
    with session.store.read() as tx:
        batches = inventory_store.current_batches(tx, inventory_store.IMPORT)
    found = next((b.body.get("problems") for b in batches if b.sha256 == file.sha256), None)
    return msgspec.convert(found or (), tuple[RowError, ...])


def _run(job: Job) -> bytes:
    """The marked workbook, from a child that may use so much memory and time and no more."""
    kept = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR", "LANG", "LC_ALL")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {"PYTHONUTF8": "1"}
    with tempfile.TemporaryDirectory(prefix="govcloud-") as nowhere:
        try:
            child = subprocess.run(
                [sys.executable, "-P", "-m", "govcloud.workflow.returns_child"],
                input=msgspec.msgpack.encode(job), capture_output=True, cwd=nowhere, env=environment, timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise _gone(job, Text("用时过长", "It takes too long")) from None
    if child.returncode == 0 and child.stdout:
        return child.stdout
    if child.returncode == InputError.exit_code:
        raise _gone(job, msgspec.msgpack.decode(child.stdout, type=Text))
    raise _gone(job, Text("标注时超出了内存或时间限制", "Marking it took more memory or time than is allowed"))


def _gone(job: Job, what: Text) -> GoneError:
    return GoneError(
        Text("写不出退回件：{why}", "It can't be returned: {why}").format(why=what), where=job.path,
        next_step=Text("按导入结果中的单元格通知该部门", "Tell the department the cells that the import listed"),
    )  # fmt: skip


def _save(folder: Path, name: str, data: bytes) -> Path:
    """Whole or not at all, and never over a file that is there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".return-", suffix=".new")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            for number in range(1, 10_000):
                target = folder / _name(name, number)
                with contextlib.suppress(FileExistsError):
                    os.link(temporary, target)
                    return target
        finally:
            Path(temporary).unlink()
    except OSError as error:
        raise OutsideError(
            Text("退回件写不进去：{why}", "The return can't be written: {why}").format(why=error.strerror or error),
            where=str(folder),
            next_step=Text("检查目录权限和磁盘空间", "Check the folder's permissions and the disk space"),
        ) from error
    raise OutsideError(Text("同名退回件过多", "Too many returns of this name"), where=str(folder))


def _name(original: str, number: int) -> str:
    """The file's own name as .xlsx, without what a system could take for something else."""
    stem = Path(original).stem or "return"
    stem = "".join(c if c.isprintable() and c not in _FORBIDDEN else "_" for c in stem)
    stem = "_" + stem if stem[0] in "-.~" else stem
    while len(stem.encode()) > _MAX_NAME_BYTES:
        stem = stem[:-1]
    return f"{stem}.xlsx" if number == 1 else f"{stem} ({number}).xlsx"
