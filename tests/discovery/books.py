"""Makes small workbooks for the tests: a mess is a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import Workbook

from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.reading import read_files
from govcloud.discovery.records import Reading, read_workbook
from govcloud.discovery.workbook import load_workbook
from govcloud.model.collect import RowError, SheetKind
from govcloud.model.observation import Value

CASE_FOLDER = Path(__file__).parents[1] / "cases" / "workbooks"
CASES = sorted(p for p in CASE_FOLDER.iterdir() if p.is_file() and p.suffix != ".py")
AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
CENSUS = ["系统编号", "系统名称", "所属部门", "等保级别", "服务器名称", "服务器IP", "操作系统", "服务器配置"]


def write_book(
    path: Path, rows: Sequence[Sequence[object]], *, sheet: str = "系统", merges: Sequence[str] = ()
) -> Path:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    for area in merges:
        page.merge_cells(area)
    book.save(path)
    return path


def read(path: Path, kind: SheetKind | None = None) -> Reading:
    maps, _ = load_column_maps()
    return read_workbook(load_workbook(path), maps, at=AT, kind=kind)


def facts(reading: Reading, subject_id: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for statement in reading.statements:
        if statement.subject_id == subject_id:
            found.update(statement.values)
    return found


def of_kind(reading: Reading, kind: str, field: str) -> list[Value]:
    return [s.values[field] for s in reading.statements if s.subject_kind == kind and field in s.values]


def locators(reading: Reading, field: str, subject_id: str | None = None) -> set[str]:
    return {s.locator(field) for s in reading.statements if field in s.values and subject_id in (None, s.subject_id)}


def outcome(problem: RowError) -> str:
    """What became of it, in one word."""
    return "rejected" if not problem.taken else "left out" if problem.left_out else "note"


def described(reading: Reading) -> dict[str, object]:
    """A reading as the expected JSON of a case: what was said of whom, and every problem."""
    subjects: dict[str, list[dict[str, object]]] = {}
    for s in reading.statements:
        where = f"{s.place.split('!')[1]}!{next(iter(s.cells.values()), '')}"
        values = {k: list(v) if isinstance(v, (tuple, list)) else v for k, v in s.values.items()}
        subjects.setdefault(s.subject_kind, []).append({"id": s.subject_id, "first": where, **values})
    return {
        "sheets": [[s.sheet, s.kind, s.rows, s.taken, list(s.unknown_columns)] for s in reading.sheets],
        "subjects": subjects,
        "problems": [[p.sheet, p.cell, p.read, outcome(p), p.expected.zh] for s in reading.sheets for p in s.problems],
    }


def read_case_files(paths: Sequence[Path]) -> dict[str, dict[str, object]]:
    """Files as `import` reads them: in its child processes, with the forms that come along."""
    maps, _ = load_column_maps()
    found: dict[str, dict[str, object]] = {}
    for file in read_files(paths, maps=maps, at=AT):
        if file.refusal is not None:
            found[file.path.name] = {"refusal": file.refusal.message("zh").partition(": ")[2].splitlines()}
        elif file.reading is not None:
            found[file.path.name] = described(file.reading)
    return found
