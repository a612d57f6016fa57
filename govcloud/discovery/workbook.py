"""Opens a workbook that somebody sent. Everything about it is suspected before a parser sees it.

What a file is, its content says, not its name: .xlsx, .xlsb, .ods, .xls (BIFF8), or a text table.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum, ZipError

from govcloud.discovery.archive import Archive, SheetMarks, check_archive
from govcloud.discovery.delimited import parse_delimited
from govcloud.discovery.raw_cells import RawCell
from govcloud.discovery.refusals import damaged, protected, refused, suspicious
from govcloud.errors import OutsideError
from govcloud.model.text import Text

MAX_FILE_BYTES = 64 * 2**20
MAX_ROWS = 250_000
MAX_CELLS = 8_000_000
MAX_MERGED_CELLS = 2_000_000
LINEAGE_SHEET = "govcloud"
LINEAGE_MARK = "govcloud:form"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    name: str
    rows: Sequence[Sequence[RawCell]]
    """From A1 on; every cell of a merged range holds the range's value. Blank cells are empty text."""
    origin: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """(row, column) of a cell inside a merged range -> the range's first cell. From 0."""
    hidden_rows: Sequence[int] = ()
    """From 1; known for .xlsx only."""
    date1904: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbook:
    path: Path
    sha256: str
    sheets: tuple[Sheet, ...]
    """The visible ones."""
    hidden: tuple[str, ...] = ()
    """Names of hidden sheets; they are not read."""
    lineage: str | None = None
    """Number of a form that we made or returned: what the file is a newer version of, whatever it is called now."""


def load_workbook(path: Path) -> Workbook:
    """Read all visible sheets. Raises InputError for what is no workbook, damaged, protected or suspicious."""
    return parse_workbook(path, read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """The file as it is. Raises InputError where there is none or too much, OutsideError where it can't be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise refused(path, Text("文件不存在", "No such file"), Text("检查路径", "Check the path")) from None
    except IsADirectoryError:
        raise refused(path, Text("这是一个目录", "This is a folder")) from None
    except OSError as error:
        raise OutsideError(
            Text("文件读不出来：{why}", "The file can't be read: {why}").format(why=error.strerror or error),
            where=str(path),
            next_step=Text("检查权限和磁盘", "Check permissions and the disk"),
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise refused(path, Text("文件过大（上限 64 MiB）", "The file is too large (limit 64 MiB)"))
    return data


def parse_workbook(path: Path, data: bytes) -> Workbook:
    """`path` is only named. Raises InputError for what is no workbook, damaged, protected or suspicious."""
    sha256 = hashlib.sha256(data).hexdigest()
    if not data:
        raise refused(path, Text("文件是空的，不是工作簿", "The file is empty, not a workbook"))
    if data.startswith(b"PK"):
        return _parse_binary(path, data, sha256, check_archive(path, data))
    if data.startswith(_OLE):
        _check_compound(path, data)
        return _parse_binary(path, data, sha256, Archive())
    rows = parse_delimited(path, data)
    _check_size(path, path.stem, len(rows), max(map(len, rows), default=0))
    return Workbook(path=path, sha256=sha256, sheets=(Sheet(name=path.stem, rows=rows),))


def _check_compound(path: Path, data: bytes) -> None:
    """Old binary files: names of their streams are written in UTF-16."""

    def holds(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        raise protected(path)
    if holds("WordDocument") or holds("PowerPoint Document"):
        raise refused(path, Text("这是文档，不是工作簿", "This is a document, not a workbook"))
    if holds("_VBA_PROJECT"):
        raise suspicious(path, Text("含宏", "it has macros"))


def _parse_binary(path: Path, data: bytes, sha256: str, archive: Archive) -> Workbook:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            pages = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
            visible = [s.name for s in pages if s.visible == SheetVisibleEnum.Visible]
            sheets = tuple(_parse_sheet(path, book, name, archive) for name in visible)
            lineage = _lineage(book) if LINEAGE_SHEET in book.sheet_names else None
    except PasswordError:
        raise protected(path) from None
    except (CalamineError, ZipError, OSError, ValueError) as error:
        raise damaged(path, error) from None
    except BaseException as error:
        # A panic of the Rust reader is no Exception; a workbook must not be able to end the program.
        if type(error).__name__ != "PanicException":
            raise
        raise damaged(path, error) from None
    hidden = tuple(s.name for s in pages if s.visible == SheetVisibleEnum.Hidden and s.name != LINEAGE_SHEET)
    return Workbook(path=path, sha256=sha256, sheets=sheets, hidden=hidden, lineage=lineage)


def _lineage(book: CalamineWorkbook) -> str | None:
    rows = book.get_sheet_by_name(LINEAGE_SHEET).to_python(skip_empty_area=False, nrows=1)
    if rows and len(rows[0]) > 1 and rows[0][0] == LINEAGE_MARK and isinstance(rows[0][1], str):
        return rows[0][1][:64] or None
    return None


def _check_size(path: Path, name: str, rows: int, columns: int) -> None:
    if rows > MAX_ROWS or rows * columns > MAX_CELLS:
        raise suspicious(
            path,
            Text("工作表“{s}”过大（{r} 行 {c} 列，上限 {m} 行）",
                 "sheet {s} is too large ({r} rows, {c} columns; the limit is {m} rows)").format(
                s=name, r=rows, c=columns, m=MAX_ROWS),
        )  # fmt: skip


def _parse_sheet(path: Path, book: CalamineWorkbook, name: str, archive: Archive) -> Sheet:
    sheet = book.get_sheet_by_name(name)
    end = sheet.end or (-1, -1)
    _check_size(path, name, end[0] + 1, end[1] + 1)
    rows: list[list[RawCell]] = sheet.to_python(skip_empty_area=False)  # type: ignore[assignment]
    marks = archive.marks.get(name, SheetMarks())
    for (row, column), shown in marks.failed.items():
        # The reader gives these as blank, and blank would be "not said".
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = shown
    origin: dict[tuple[int, int], tuple[int, int]] = {}
    filled = 0
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if top >= len(rows) or left >= len(rows[top]):
            continue
        # Counted over all ranges: two thousand that lie over each other fill the same cells two thousand times.
        filled += (min(bottom + 1, len(rows)) - top) * (min(right + 1, len(rows[top])) - left)
        if filled > MAX_MERGED_CELLS:
            raise suspicious(path, Text("合并的单元格过多", "too many merged cells"))
        for row in range(top, min(bottom + 1, len(rows))):
            for column in range(left, min(right + 1, len(rows[row]))):
                rows[row][column] = rows[top][left]
                origin[(row, column)] = (top, left)
    return Sheet(
        name=name,
        rows=rows,
        origin=origin,
        hidden_rows=[n for n in marks.hidden_rows if n <= len(rows)],
        date1904=archive.date1904,
    )
