"""The recorded-style exports under tests/cases/exports, and what is expected of them.

`python tests/discovery/exports/export_cases.py` writes the expectations anew; read the difference before keeping it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govcloud.discovery.exports import read_export, recognise
from govcloud.discovery.records import Reading
from govcloud.discovery.workbook import Sheet, Workbook, load_workbook
from govcloud.model.collect import RowError

CASES = Path(__file__).parents[2] / "cases" / "exports"
AT = datetime(2026, 3, 20, tzinfo=UTC)
FILES = sorted(CASES.rglob("*.csv"))


def case_name(path: Path) -> str:
    return str(path.relative_to(CASES).with_suffix(""))


def expected_file(path: Path) -> Path:
    return (CASES / "expected" / case_name(path)).with_suffix(".json")


def read(path: Path) -> Reading:
    workbook = load_workbook(path)
    kind = recognise(workbook)
    assert kind is not None
    return read_export(workbook, kind, at=AT)


def as_workbook(name: str, *tabs: tuple[str, list[list[Any]]]) -> Workbook:
    return Workbook(path=Path(name), sha256="", sheets=tuple(Sheet(name=tab, rows=rows) for tab, rows in tabs))


def _outcome(problem: RowError) -> str:
    return "refused" if not problem.taken else "cell left out" if problem.left_out else "taken"


def as_json(reading: Reading) -> Any:
    sheets = [
        {
            "sheet": s.sheet, "kind": s.kind, "rows": s.rows, "taken": s.taken, "unknown": list(s.unknown_columns),
            "problems": [[p.cell, p.read, p.expected.zh, p.expected.en, _outcome(p)] for p in s.problems],
        }
        for s in reading.sheets
    ]  # fmt: skip
    statements = [
        {
            "subject": f"{s.subject_kind} {s.subject_id}", "source": s.source, "place": s.place, "at": s.observed_at.isoformat(),
            "values": dict(s.values), "cells": dict(s.cells),
        }
        for s in reading.statements
    ]  # fmt: skip
    return json.loads(json.dumps({"sheets": sheets, "statements": statements}))


def main() -> None:
    for path in FILES:
        target = expected_file(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(as_json(read(path)), ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
