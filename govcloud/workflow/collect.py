"""Collect: workbooks and hosts into statements, merged into the inventory.

Each verb stores its batch, its statements, the merged inventory and one ledger record in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.exports.layout import load_exports
from govcloud.discovery.reading import FileReading, read_files
from govcloud.discovery.records import Reading
from govcloud.errors import UsageError
from govcloud.events import Event
from govcloud.model.collect import (
    FileImport,
    FileState,
    ImportResult,
    SheetKind,
    SheetReading,
)
from govcloud.model.ids import build_id
from govcloud.model.ledger import LedgerEntry
from govcloud.model.observation import Statement
from govcloud.model.text import Text
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store.inventory import Batch
from govcloud.workflow.session import Session
from govcloud.workflow.statements import Stored, batch_id, count_changes, write_inventory


def import_files(
    session: Session,
    files: Sequence[Path],
    *,
    kind: SheetKind | None = None,
    preview: bool = False,
    replaces: Path | None = None,
) -> ImportResult:
    """Take the good rows of all files. A refused file does not keep the others out; raises InputError if all are.

    A file replaces what an earlier version of it said: the same path, a form that carries the same number, or the file
    that `replaces` names.
    """
    maps, maps_digest = load_column_maps(session.workspace.path)
    at = session.now()
    how = f"{maps_digest} {load_exports()[1]} {kind or ''}"
    with session.store.read() as tx:
        current = inventory_store.current_batches(tx, inventory_store.IMPORT)
    # Read with other column maps, or under another name of the form, the same bytes say something else.
    known = {b.sha256 for b in current if b.body["read_as"] == how}
    done = 0

    def on_done(reading: FileReading) -> None:
        nonlocal done
        done += 1
        session.observer.on_event(
            Event(what=Text("读取工作簿", "Read workbooks"), subject=reading.path.name, done=done, total=len(paths))
        )

    paths = list(dict.fromkeys(path.resolve() for path in files))
    readings = read_files(paths, maps=maps, at=at, kind=kind, known=known, on_done=on_done)
    refusals = [r.refusal for r in readings if r.refusal is not None]
    if len(refusals) == len(readings):
        raise refusals[0]
    replaced = _replaced(current, paths, replaces)
    found: list[FileImport] = []
    fresh: list[_Fresh] = []
    for reading in readings:
        file, content = _file_import(reading, current, replaced, how)
        twin = next((f.file for f in fresh if f.file.source == file.source), None)
        if twin is not None and content is not None:
            file, content = replace(file, state="refused", sheets=(), refusal=_TWICE.format(f=twin.path.name)), None
        found.append(file)
        if content is not None and reading.reading is not None:
            fresh.append(_Fresh(file, reading.reading, content))
    with session.store.read() if preview else session.store.begin() as tx:
        stored = _store(session, tx, fresh, how, at, write=not preview)
    return ImportResult(
        files=tuple(found),
        changes=stored.changes,
        unchanged=stored.unchanged,
        conflicts=stored.conflicts,
        preview=preview,
    )


def form_number(path: Path) -> str:
    """What a file is known by among the imports: its path, unless it carries the number of an earlier form."""
    return build_id("F", str(path))


def _replaced(current: Sequence[Batch], paths: Sequence[Path], replaces: Path | None) -> str | None:
    if replaces is None:
        return None
    source = form_number(replaces.resolve())
    if len(paths) != 1 or source not in {b.source for b in current}:
        raise UsageError(
            Text("--replaces 指一个导入过的文件，且一次只导入一个文件",
                 "--replaces names a file that was imported before, and takes one file at a time"),
            where=str(replaces),
        )  # fmt: skip
    return source


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A file that says something new."""

    file: FileImport
    reading: Reading
    content: str
    """Digest of what it says, whatever its bytes are."""


_TWICE = Text("与 {f} 表号相同，是同一份表的两个版本：一次只导入其中一份",
              "It carries the number of {f}: two versions of one form; import one of them at a time")  # fmt: skip


def _file_import(
    reading: FileReading, current: Sequence[Batch], replaced: str | None, how: str
) -> tuple[FileImport, str | None]:
    """The file, and the digest of its content where that is new."""
    path = reading.path
    if reading.refusal is not None:
        return FileImport(path=path, state="refused", refusal=reading.refusal.what), None
    if reading.reading is None:
        # What is wrong in it is told again: nobody keeps the output of the first time.
        before = next(b for b in current if b.sha256 == reading.sha256)
        sheets = msgspec.convert(before.body["sheets"], tuple[SheetReading, ...])
        file = FileImport(path=path, state="unchanged", sha256=reading.sha256, source=before.source, sheets=sheets)
        return file, None
    source = replaced or reading.lineage or form_number(path)
    earlier = next((b for b in current if b.source == source), None)
    content = _content_digest(reading.reading.statements)
    same = earlier is not None and (earlier.body.get("content"), earlier.body["read_as"]) == (content, how)
    state: FileState = "unchanged" if same else "newer" if earlier else "new"
    file = FileImport(path=path, state=state, sha256=reading.sha256, source=source, sheets=reading.reading.sheets)
    return file, None if same else content


def _content_digest(statements: Sequence[Statement]) -> str:
    """Of what is said of whom and in which cells; a workbook that was only opened and saved has the same."""
    digest, encoder = hashlib.sha256(), msgspec.msgpack.Encoder()
    for s in statements:
        digest.update(encoder.encode((s.subject_kind, s.subject_id, s.values, s.cells)))
    return digest.hexdigest()


def _store(
    session: Session,
    tx: Connection,
    fresh: Sequence[_Fresh],
    how: str,
    at: datetime,
    *,
    write: bool,
) -> Stored:
    if not fresh:
        return Stored(changes=(), unchanged=inventory_store.count_entities(tx), conflicts=())
    if write:
        inventory_store.queue_writers(tx)
    numbers, statements = inventory_store.load_statements(tx, without={f.file.source for f in fresh})
    for file, reading, content in ((f.file, f.reading, f.content) for f in fresh):
        if write:
            batch_no = inventory_store.add_batch(
                tx, batch_id=batch_id(tx, file.sha256), kind=inventory_store.IMPORT, source=file.source,
                sha256=file.sha256, at=at, actor=session.actor,
                body={"read_as": how, "path": str(file.path), "content": content, "sheets": file.sheets},
            )  # fmt: skip
            first = inventory_store.add_statements(tx, batch_no, reading.statements)
        else:
            first = max(numbers, default=0) + 1
        numbers += range(first, first + len(reading.statements))
        statements += reading.statements
    stored = write_inventory(session, tx, numbers, statements, write=write)
    if write:
        body = {
            "files": [
                {
                    "file": f.path.name, "sha256": f.sha256, "rows": sum(s.rows for s in f.sheets),
                    "taken": sum(s.taken for s in f.sheets), "problems": len(f.problems),
                }
                for f in (new.file for new in fresh)
            ],
            "statements": sum(len(f.reading.statements) for f in fresh), **count_changes(stored.changes),
        }  # fmt: skip
        entry = LedgerEntry(
            kind="import", actor=session.actor, at=at, evidence=tuple(f.file.sha256 for f in fresh), body=body
        )
        ledger_store.append(tx, entry)
    return stored
