"""Makes small workbooks for the tests: a mess is a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import Workbook

from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.records import Reading, read_workbook
from govcloud.discovery.workbook import load_workbook
from govcloud.model.collect import SheetKind
from govcloud.model.inventory import Value

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
    return {o.field: o.value for o in reading.observations if o.subject_id == subject_id}


def of_kind(reading: Reading, kind: str, field: str) -> list[Value]:
    return [o.value for o in reading.observations if (o.subject_kind, o.field) == (kind, field)]
