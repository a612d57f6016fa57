"""Looks into a workbook's archive before a parser sees it, and for what the parser does not tell: hidden rows, failed formulas.

Limits are checked on the bytes that really come out, not on what the archive's headers say.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from govcloud.discovery.raw_cells import ERROR_VALUES, NO_RESULT
from govcloud.discovery.refusals import damaged, protected, refused, suspicious
from govcloud.model.text import Text

MAX_ENTRIES = 2_000
MAX_UNPACKED_BYTES = 256 * 2**20
MAX_RATIO = 200
"""Unpacked to packed, for entries above 1 MiB: honest sheets stay below 40."""
_RATIO_FROM_BYTES = 2**20
_CHUNK = 2**18
_MAX_MARKS = 20_000
# A document type is the door to external entities and to entity bombs; no office program writes one.
_DOCTYPES = tuple("<!DOCTYPE".encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))
_MARKUP = (".xml", ".rels", ".vml")
_TRIGGERS = (b'hidden="', b"hidden='", b't="e"', b"t='e'", b"</f><", b"/></c>", b"/></x:c>")
_HIDDEN_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\bhidden=["'](?:1|true)["'][^>]*>""")
_ROW_NUMBER = re.compile(rb"""\br=["'](\d{1,7})["']""")
_ERROR_CELL = re.compile(
    rb"""<(?:\w+:)?c\b([^>]*?\bt=["']e["'][^>]*)>(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>))?(?:<(?:\w+:)?v>([^<]{1,20})<)?"""
)
_FORMULA_CELL = re.compile(
    rb"""<(?:\w+:)?c\b([^>]*)><(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"""
)
_CELL = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_TEXT_RESULT = re.compile(rb"""\bt=["'](?:str|s|inlineStr)["']""")
_NAMESPACE = re.compile(r"\{[^}]*\}")


@dataclass(slots=True)
class SheetMarks:
    """What a sheet's XML says that its cells do not."""

    hidden_rows: list[int] = field(default_factory=list)
    """From 1, as the spreadsheet shows them."""
    failed: dict[tuple[int, int], str] = field(default_factory=dict)
    """(row, column) from 0 -> `#N/A`, or NO_RESULT for a formula that nobody calculated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    date1904: bool = False
    marks: Mapping[str, SheetMarks] = field(default_factory=dict)
    """By name of the sheet."""


def check_archive(path: Path, data: bytes) -> Archive:
    """Unpack everything once as a stream. Raises InputError for what is no workbook, damaged, protected or suspicious."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_names(path, entries)
            total = 0
            marks: dict[str, SheetMarks] = {}
            for entry in entries:
                found = SheetMarks()
                total += _check_entry(path, archive, entry, MAX_UNPACKED_BYTES - total, found)
                if found.hidden_rows or found.failed:
                    marks[entry.filename] = found
            return _read_book(archive, marks)
    except DefusedXmlException:
        raise suspicious(path, Text("XML 中有实体定义", "its XML defines entities")) from None
    except (
        zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError, SyntaxError, KeyError,
    ) as error:  # fmt: skip
        if "password" in str(error) or "encrypted" in str(error):
            raise protected(path) from None
        raise damaged(path) from None


def _check_names(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise suspicious(path, Text("条目过多", "too many entries"))
    names = {entry.filename for entry in entries}
    if names.isdisjoint(("xl/workbook.xml", "xl/workbook.bin", "content.xml")):
        if "word/document.xml" in names or "ppt/presentation.xml" in names or "OFD.xml" in names:
            raise refused(path, Text("这是文档，不是工作簿", "This is a document, not a workbook"))
        raise refused(
            path, Text("这是压缩包，不是工作簿", "This is an archive, not a workbook"),
            Text("解压后导入里面的工作簿", "Unpack it and import the workbooks in it"),
        )  # fmt: skip
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise suspicious(path, Text("含宏", "it has macros"))
    if any(name.lower().startswith("xl/externallinks/") for name in names):
        raise suspicious(path, Text("引用了外部文件", "it refers to other files"))


def _check_entry(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, marks: SheetMarks) -> int:
    """Unpack one entry as a stream and count; returns its unpacked size and fills in the marks of a sheet."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise suspicious(path, Text("压缩方式不常见", "its packing is unusual"))
    size, tail = 0, b""
    markup = entry.filename.lower().endswith(_MARKUP)
    is_sheet = entry.filename.startswith("xl/worksheets/") and markup
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > left or (size > _RATIO_FROM_BYTES and size > MAX_RATIO * max(entry.compress_size, 1)):
                raise suspicious(path, Text("解压后过大", "it unpacks to too much"))
            if not markup:
                continue
            seen = tail + chunk
            if any(mark in seen for mark in _DOCTYPES):
                raise suspicious(path, Text("XML 中有文档类型声明", "its XML has a document type"))
            if is_sheet and any(trigger in seen for trigger in _TRIGGERS):
                _mark(seen, marks)
            # From the last cell or row on: an element that is cut by the end of the chunk is looked at again.
            cut = max(seen.rfind(b"<c "), seen.rfind(b"<row "), seen.rfind(b":c "), seen.rfind(b":row "))
            tail = seen[max(cut - 8, len(seen) - 4096) :] if is_sheet and cut > 0 else chunk[-20:]
    return size


def _mark(xml: bytes, marks: SheetMarks) -> None:
    if len(marks.failed) > _MAX_MARKS or len(marks.hidden_rows) > _MAX_MARKS:
        return
    for row in _HIDDEN_ROW.finditer(xml):
        number = _ROW_NUMBER.search(row[0])
        if number and int(number[1]) not in marks.hidden_rows[-1:]:
            marks.hidden_rows.append(int(number[1]))
    for where, shown in _failed_cells(xml):
        if cell := _CELL.search(where):
            marks.failed[(int(cell[2]) - 1, _column_index(cell[1].decode()))] = shown


def _failed_cells(xml: bytes) -> Iterator[tuple[bytes, str]]:
    for found in _ERROR_CELL.finditer(xml):
        value = (found[2] or b"").decode("utf-8", "replace")
        yield found[1], value if value in ERROR_VALUES else "#N/A"
    for found in _FORMULA_CELL.finditer(xml):
        if not _TEXT_RESULT.search(found[1]):
            yield found[1], NO_RESULT


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def _read_book(archive: zipfile.ZipFile, marks: Mapping[str, SheetMarks]) -> Archive:
    """Which sheet an XML file is, and the epoch of dates; an ODS or XLSB says neither here."""
    names = set(archive.namelist())
    if "[Content_Types].xml" in names:
        defusedxml.ElementTree.fromstring(archive.read("[Content_Types].xml"), forbid_dtd=True)
    if "xl/workbook.xml" not in names:
        return Archive()
    date1904, sheets = False, {}
    for element in defusedxml.ElementTree.fromstring(archive.read("xl/workbook.xml"), forbid_dtd=True).iter():
        tag = _NAMESPACE.sub("", str(element.tag))
        plain = {_NAMESPACE.sub("", key): value for key, value in element.attrib.items()}
        if tag == "workbookPr":
            date1904 = plain.get("date1904") in ("1", "true")
        elif tag == "sheet":
            sheets[plain.get("id", "")] = plain.get("name", "")
    if not marks or "xl/_rels/workbook.xml.rels" not in names:
        return Archive(date1904=date1904)
    found: dict[str, SheetMarks] = {}
    for link in defusedxml.ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), forbid_dtd=True):
        target = posixpath.normpath(posixpath.join("/xl", link.get("Target", ""))).lstrip("/")
        if target in marks and link.get("Id") in sheets:
            found[sheets[link.get("Id", "")]] = marks[target]
    return Archive(date1904=date1904, marks=found)
