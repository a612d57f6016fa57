"""Text tables: CSV and its relatives, in the encodings that Chinese offices save them in."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from pathlib import Path

from govcloud.discovery.refusals import refused
from govcloud.model.text import Text

MAX_LINES_IN_CELL = 200
"""More line breaks than this in one cell: its quotation mark is never closed, and it has swallowed the rest of the file."""
_SAMPLE_LINES = 40
_DELIMITERS = ",\t;|"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_AS_TEXT = re.compile(r'="([^"]*)"')
"""Excel's way to keep leading zeros in a CSV: a formula whose result is the text itself."""
_FOREIGN = (
    (b"%PDF", Text("这是 PDF，不是工作簿", "This is a PDF, not a workbook")),
    (b"{\\rtf", Text("这是文档，不是工作簿", "This is a document, not a workbook")),
    (b"\xff\xd8\xff", Text("这是图片，不是工作簿", "This is a picture, not a workbook")),
    (b"\x89PNG", Text("这是图片，不是工作簿", "This is a picture, not a workbook")),
    (b"Rar!", Text("这是压缩包，不是工作簿", "This is an archive, not a workbook")),
    (b"7z\xbc\xaf", Text("这是压缩包，不是工作簿", "This is an archive, not a workbook")),
    (b"\x1f\x8b", Text("这是压缩包，不是工作簿", "This is an archive, not a workbook")),
)


def parse_delimited(path: Path, data: bytes) -> list[list[str]]:
    """Rows of a text table. Raises InputError for what is no such table."""
    for start, what in _FOREIGN:
        if data.startswith(start):
            raise refused(path, what)
    text = _decode(path, data)
    head = text[:1000].lstrip()
    if head.startswith("<"):
        raise refused(
            path,
            Text("这是网页或 XML，只是名字像工作簿", "This is a web page or XML that is only named like a workbook"),
        )
    if not head or _CONTROL.search(text):
        raise refused(
            path, Text("这不是 Excel 工作簿，也不是文本表格", "This is neither an Excel workbook nor a text table")
        )
    return _rows(path, text)


def _decode(path: Path, data: bytes) -> str:
    """By its byte-order mark, else UTF-8, else GB18030: strictly, because a replaced character is a changed name."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            candidates: tuple[str, ...] = (encoding,)
            data = data[len(bom) :]
            break
    else:
        candidates = ("utf-8", "gb18030")
    failed = UnicodeDecodeError("utf-8", b"", 0, 0, "")
    for encoding in candidates:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            failed = error if error.start >= failed.start else failed
    line = data.count(b"\n", 0, failed.start) + 1
    raise refused(
        path,
        Text("文本既不是 UTF-8 也不是 GB18030 编码，第 {n} 行起读不出来",
             "The text is neither UTF-8 nor GB18030; it can't be read from line {n} on").format(n=line),
        Text("另存为“CSV UTF-8”或 .xlsx 后导入", "Save it as CSV UTF-8 or as .xlsx and import that"),
    )  # fmt: skip


def _rows(path: Path, text: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise refused(
            path, Text("文本表格的写法有误：{why}", "The text table is malformed: {why}").format(why=error)
        ) from None
    for number, row in enumerate(rows, start=1):
        for index, cell in enumerate(row):
            if cell.count("\n") > MAX_LINES_IN_CELL:
                raise refused(
                    path,
                    Text("第 {n} 行的引号没有配对", "The quotation mark in row {n} is never closed").format(n=number),
                    Text("补上引号后重新导入", "Close it and import the file again"),
                )
            if cell.startswith('="') and (found := _AS_TEXT.fullmatch(cell)):
                row[index] = found[1]
    return rows


def _delimiter(text: str) -> str:
    """The sign that cuts most of the first lines into the same number of cells."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:_SAMPLE_LINES]
    best, score = ",", 0
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if len(row) > 1)
        if widths:
            width, times = widths.most_common(1)[0]
            if (width - 1) * times > score:
                best, score = delimiter, (width - 1) * times
    return best
