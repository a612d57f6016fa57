"""Writes the large workbooks that speed and limits are measured on: the XML is put together here, openpyxl would take minutes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
    "</Types>"
)
_RELS = (
    '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>"
)
_BOOK_RELS = (
    '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
    '<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>'
    "</Relationships>"
)
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SERVER_HEADS = [
    "主机名",
    "IP地址",
    "所属部门",
    "操作系统",
    "CPU核数",
    "内存",
    "磁盘（G）",
    "机房位置",
    "是否虚拟机",
    "用途",
]
CENSUS_HEADS = [
    "系统编号",
    "系统名称",
    "所属部门",
    "归口处室",
    "系统状态",
    "等保级别",
    "部署方式",
    "上线时间",
    "服务器名称",
    "服务器IP",
]


def server_rows(count: int) -> Iterator[list[object]]:
    yield list(SERVER_HEADS)
    systems = ("CentOS 7.9", "银河麒麟V10 SP1", "Windows Server 2012 R2", "openEuler 22.03")
    for n in range(count):
        yield [
            f"host-{n:06d}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", f"示例第{n % 40}局", systems[n % 4], (2, 4, 8, 16)[n % 4],
            ("8G", "16G", "32G")[n % 3], 100 + n % 500, f"示例机房{n % 12}排", ("是", "否")[n % 2], f"业务{n % 300}",
        ]  # fmt: skip


def census_rows(count: int) -> Iterator[list[object]]:
    yield list(CENSUS_HEADS)
    for n in range(count):
        yield [
            f"SL-{n:06d}", f"示例业务系统{n}", f"示例第{n % 40}局", f"第{n % 9}处", ("在用", "闲置", "停用")[n % 3],
            ("二级", "三级", "未定级")[n % 3], ("自有机房", "政务云")[n % 2], f"20{10 + n % 12}-0{1 + n % 9}-1{n % 9}", f"app-{n:06d}",
            f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",
        ]  # fmt: skip


def write_big(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    """One sheet named 清单; text in the shared strings, as spreadsheet programs write it."""
    strings: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELS)
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {_MAIN} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            '<sheets><sheet name="清单" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr("xl/_rels/workbook.xml.rels", _BOOK_RELS)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f"<worksheet {_MAIN}><sheetData>".encode())
            for number, row in enumerate(rows, start=1):
                cells = []
                for column, cell in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", row, strict=False):
                    if isinstance(cell, str):
                        index = strings.setdefault(cell, len(strings))
                        cells.append(f'<c r="{column}{number}" t="s"><v>{index}</v></c>')
                    else:
                        cells.append(f'<c r="{column}{number}"><v>{cell}</v></c>')
                sheet.write(f'<row r="{number}">{"".join(cells)}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
        shared = "".join(f"<si><t>{escape(s)}</t></si>" for s in strings)
        archive.writestr("xl/sharedStrings.xml", f'<sst {_MAIN} count="{len(strings)}">{shared}</sst>')
    return path
