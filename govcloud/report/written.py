"""The list of the files that a report consists of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from govcloud.model.text import Text
from govcloud.report.view import Column, View

_WHAT = {
    ".html": Text("网页，可离线打开和打印", "page, opens and prints offline"),
    ".xlsx": Text("表格", "workbook"),
    ".docx": Text("Word 文档，可编辑和打印", "Word document, to edit and print"),
}


def build_written_view(files: Sequence[Path]) -> View:
    """Absolute paths: the reader may stand in another folder than the one that was named."""
    return View(
        name="files",
        title=Text("报告文件", "Report files"),
        columns=(Column("path", Text("文件", "File")), Column("what", Text("内容", "What it is"))),
        rows=tuple({"path": str(file.resolve()), "what": _WHAT[file.suffix]} for file in files),
    )
