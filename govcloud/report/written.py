"""The list of the files that a report consists of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from govcloud.model.text import Text
from govcloud.report.view import Column, View

_WHAT = {
    ".html": Text("网页，可离线打开和打印", "page, opens and prints offline"),
    ".xlsx": Text("表格", "workbook"),
    ".docx": Text("Word 文档，可编辑和打印", "Word document, to edit and print"),
    ".json": Text("数据，供其他程序读取", "data for other programs"),
}


def build_written_view(files: Mapping[Path, Text]) -> View:
    """Absolute paths: the reader may stand in another folder than the one that was named."""
    return View(
        name="files",
        title=Text("报告文件", "Report files"),
        columns=(
            Column("path", Text("文件", "File")),
            Column("title", Text("内容", "What it tells")),
            Column("what", Text("格式", "Form")),
        ),
        rows=tuple(
            {"path": str(file.resolve()), "title": title, "what": _WHAT[file.suffix]} for file, title in files.items()
        ),
    )
