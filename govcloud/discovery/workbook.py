"""Opens a workbook that somebody sent. Everything about it is suspected before a parser sees it.

Limits are checked on the bytes that really come out of the archive, not on what its headers say.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import defusedxml.ElementTree
from defusedxml import DefusedXmlException
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum, ZipError

from govcloud.discovery.cells import RawCell
from govcloud.errors import InputError, OutsideError
from govcloud.model.text import Text

MAX_FILE_BYTES = 64 * 2**20
MAX_ENTRIES = 2_000
MAX_UNPACKED_BYTES = 256 * 2**20
MAX_RATIO = 200
"""Unpacked to packed, for entries above 1 MiB: honest sheets stay below 40."""
MAX_ROWS = 200_000
MAX_CELLS = 8_000_000
_RATIO_FROM_BYTES = 2**20
_CHUNK = 2**18
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
# A document type is the door to external entities and to entity bombs; no office program writes one.
_DOCTYPES = tuple("<!DOCTYPE".encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    name: str
    rows: Sequence[Sequence[RawCell]]
    """From A1 on; every cell of a merged range holds the range's value."""
    origin: dict[tuple[int, int], tuple[int, int]]
    """(row, column) of a cell inside a merged range -> the range's first cell. From 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbook:
    path: Path
    sha256: str
    sheets: tuple[Sheet, ...]


def load_workbook(path: Path) -> Workbook:
    """Read all visible sheets. Raises InputError for what is no workbook, damaged, protected or suspicious."""
    data = _read(path)
    if data.startswith(b"PK"):
        _check_archive(path, data)
    elif data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise _protected(path)
    else:
        raise _refused(path, Text("这不是 Excel 工作簿", "This is not an Excel workbook"))
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            names = [
                s.name for s in book.sheets_metadata
                if s.visible == SheetVisibleEnum.Visible and s.typ == SheetTypeEnum.WorkSheet
            ]  # fmt: skip
            sheets = tuple(_load_sheet(path, book, name) for name in names)
    except PasswordError:
        raise _protected(path) from None
    except (CalamineError, ZipError, OSError, ValueError) as error:
        raise _damaged(path, error) from None
    except BaseException as error:
        # A panic of the Rust reader is no Exception; a workbook must not be able to end the program.
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(path, error) from None
    return Workbook(path=path, sha256=hashlib.sha256(data).hexdigest(), sheets=sheets)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise InputError(
            Text("文件不存在", "No such file"), where=str(path), next_step=Text("检查路径", "Check the path")
        ) from None
    except IsADirectoryError:
        raise _refused(path, Text("这是一个目录", "This is a folder")) from None
    except OSError as error:
        raise OutsideError(
            Text("文件读不出来：{why}", "The file can't be read: {why}").format(why=error.strerror or error),
            where=str(path),
            next_step=Text("检查权限和磁盘", "Check permissions and the disk"),
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise _refused(path, Text("文件过大（上限 64 MiB）", "The file is too large (limit 64 MiB)"))
    return data


def _check_archive(path: Path, data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise _suspicious(path, Text("条目过多", "too many entries"))
            names = {entry.filename for entry in entries}
            if "xl/workbook.xml" not in names and "xl/workbook.bin" not in names and "content.xml" not in names:
                raise _refused(path, Text("这不是 Excel 工作簿", "This is not an Excel workbook"))
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise _suspicious(path, Text("含宏", "it has macros"))
            if any(name.startswith("xl/externalLinks/") for name in names):
                raise _suspicious(path, Text("引用了外部文件", "it refers to other files"))
            total = 0
            for entry in entries:
                total += _check_entry(path, archive, entry, MAX_UNPACKED_BYTES - total)
            if "[Content_Types].xml" in names:
                defusedxml.ElementTree.fromstring(archive.read("[Content_Types].xml"), forbid_dtd=True)
    except DefusedXmlException:
        raise _suspicious(path, Text("XML 中有实体定义", "its XML defines entities")) from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        OSError,
        SyntaxError,
    ) as error:
        if "password" in str(error) or "encrypted" in str(error):
            raise _protected(path) from None
        raise _refused(path, Text("工作簿已损坏或不完整", "The workbook is damaged or cut short")) from None


def _check_entry(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> int:
    """Unpack one entry as a stream and count; returns its unpacked size."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _suspicious(path, Text("压缩方式不常见", "its packing is unusual"))
    size, tail = 0, b""
    markup = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > left or (size > _RATIO_FROM_BYTES and size > MAX_RATIO * max(entry.compress_size, 1)):
                raise _suspicious(path, Text("解压后过大", "it unpacks to too much"))
            if markup and any(mark in tail + chunk for mark in _DOCTYPES):
                raise _suspicious(path, Text("XML 中有文档类型声明", "its XML has a document type"))
            tail = chunk[-20:]
    return size


def _load_sheet(path: Path, book: CalamineWorkbook, name: str) -> Sheet:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height > MAX_ROWS or sheet.total_height * sheet.total_width > MAX_CELLS:
        raise _suspicious(path, Text("工作表 {s} 过大", "sheet {s} is too large").format(s=name))
    rows: list[list[RawCell]] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
    origin: dict[tuple[int, int], tuple[int, int]] = {}
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if top >= len(rows) or left >= len(rows[top]):
            continue
        for row in range(top, min(bottom + 1, len(rows))):
            for column in range(left, min(right + 1, len(rows[row]))):
                rows[row][column] = rows[top][left]
                origin[(row, column)] = (top, left)
    return Sheet(name=name, rows=rows, origin=origin)


def _damaged(path: Path, why: BaseException) -> InputError:
    return _refused(path, Text("工作簿已损坏，读不出来：{why}", "The workbook is damaged: {why}").format(why=why))


def _refused(path: Path, what: Text) -> InputError:
    return InputError(
        what, where=str(path),
        next_step=Text("用表格程序打开并另存为 .xlsx，再导入", "Open it in a spreadsheet program, save it as .xlsx and import that"),
    )  # fmt: skip


def _protected(path: Path) -> InputError:
    return InputError(
        Text("工作簿设有密码", "The workbook is protected by a password"), where=str(path),
        next_step=Text("请填报单位去掉密码后重新报送", "Ask the department for a copy without the password"),
    )  # fmt: skip


def _suspicious(path: Path, why: Text) -> InputError:
    return InputError(
        Text("拒绝读取这个工作簿：{why}", "Refused to read this workbook: {why}").format(why=why), where=str(path),
        next_step=Text(
            "把内容以“粘贴为数值”复制到新的 .xlsx 后再导入", "Copy its contents as values into a new .xlsx and import that"
        ),
    )  # fmt: skip
