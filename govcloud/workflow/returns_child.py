"""Marks one workbook in a process of its own: `Job` as msgpack on stdin, the .xlsx on stdout. Exit 3: a Text says why not."""

from __future__ import annotations

import hashlib
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.groups import ungroup
from govcloud.discovery.raw_cells import NO_RESULT, RawCell, cell_text
from govcloud.discovery.tables import find_tables
from govcloud.discovery.workbook import Sheet, Workbook, parse_workbook, read_bytes
from govcloud.errors import GovcloudError, InputError
from govcloud.model.collect import RowError
from govcloud.model.text import Lang, Text
from govcloud.report import returned
from govcloud.report.literal import Literal
from govcloud.report.returned import SheetCells

_MEMORY, _CPU_SECONDS = 2 * 2**30, 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    path: str
    sha256: str
    """Of the file that was imported."""
    number: str
    """What a corrected copy replaces."""
    lang: Lang
    workspace: str
    problems: tuple[RowError, ...]


def mark(job: Job) -> bytes:
    """The workbook with its faulty cells marked. Raises InputError."""
    path = Path(job.path)
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != job.sha256:
        raise InputError(Text("文件在导入后变了", "The file has changed since it was imported"))
    book = parse_workbook(path, data)
    if any(_large(sheet) for sheet in book.sheets):
        return _only_faulty(job, book)
    if data.startswith(b"PK") and path.suffix.lower() not in (".xlsb", ".ods"):
        try:
            return returned.render_returned(data, job.problems, number=job.number, lang=job.lang)
        except Exception:  # noqa: S110 - openpyxl fails on files that other programs open; their cells still go back
            pass
    sheets = [_cells(sheet) for sheet in book.sheets]
    return returned.render_returned_cells(sheets, job.problems, number=job.number, lang=job.lang)


def _large(sheet: Sheet) -> bool:
    rows = len(sheet.rows)
    return rows > returned.MAX_ROWS or rows * max(map(len, sheet.rows), default=0) > returned.MAX_CELLS


def _only_faulty(job: Job, book: Workbook) -> bytes:
    maps, _ = load_column_maps(Path(job.workspace))
    tables = {sheet.name: find_tables(ungroup(sheet, maps), maps) for sheet in book.sheets}
    heads = {name: found[0].header_row + 1 for name, found in tables.items() if found}
    sheets, problems = returned.only_faulty_rows([_cells(s) for s in book.sheets], job.problems, heads)
    note = Text(
        "原表过大，这里只有需要改正的行；改好后报回，其余各行已经导入，不用再报。",
        "The table is too large: only the rows to correct are here. Send them back; the others were taken already.",
    )
    # Without the number: a part must not replace the whole.
    return returned.render_returned_cells(sheets, problems, number="", lang=job.lang, note=note)


def _cells(sheet: Sheet) -> SheetCells:
    inside = {place for place, first in sheet.origin.items() if place != first}
    ranges: dict[tuple[int, int], tuple[int, int]] = {}
    for place, first in sheet.origin.items():
        low = ranges.get(first, first)
        ranges[first] = (max(low[0], place[0]), max(low[1], place[1]))
    return SheetCells(
        name=sheet.name,
        rows=[_literals(row, number, inside) for number, row in enumerate(sheet.rows)],
        merged=[(*first, *last) for first, last in ranges.items() if first != last],
    )


def _literals(row: Sequence[RawCell], number: int, inside: set[tuple[int, int]]) -> list[Literal]:
    def literal(cell: RawCell, column: int) -> Literal:
        if cell is None or cell == NO_RESULT or (number, column) in inside:
            return None
        return cell if isinstance(cell, Literal) else cell_text(cell)

    return [literal(cell, column) for column, cell in enumerate(row)]


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    try:
        out, code = mark(job), 0
    except GovcloudError as error:
        out, code = msgspec.msgpack.encode(error.what), InputError.exit_code
    sys.stdout.buffer.write(out)
    return code


if __name__ == "__main__":
    sys.exit(main())
