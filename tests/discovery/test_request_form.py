"""The request form: filled in by a department, it asks the catalog the same as the YAML that an engineer writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from openpyxl import Workbook

from govcloud.discovery.request_form import build_request_map, parse_form
from govcloud.discovery.workbook import load_workbook
from govcloud.errors import InputError
from govcloud.model.text import Text

CLASSES: Mapping[str, Text] = {
    "virtual_machine": Text("云主机", "Virtual machine"), "object_storage": Text("对象存储", "Object storage"),
}  # fmt: skip
HEAD = [
    "申请部门：示例档案局",
    "系统编号：SL-DA-04",
    "系统名称（System name）：档案查询系统",
    "申请日期：2026-03-02",
    "联系人：",
]
COLUMNS = [c.title.zh for c in build_request_map(CLASSES).columns]
MACHINE = ["查询服务器", "云主机", "", 1, "使用目录服务", 4, "16G", "ARM", "政务外网", "信创", "二级", ""]
ROOM = ["扫描件存储", "", "OS-01", 2, "自建", "", "", "", "", "", "", "就近存放"]


def form(path: Path, *lines: list[object], head: list[str] = HEAD) -> Path:
    book = Workbook()
    page = book.worksheets[0]
    page.append(["政务云资源申请表"])
    for text in head:
        page.append([text])
    page.append(["序号", *COLUMNS])
    page.append(["示例", *MACHINE])
    for number, line in enumerate(lines, start=1):
        page.append([number, *line])
    book.save(path)
    return path


def test_a_form_says_what_the_yaml_says(tmp_path: Path) -> None:
    found = dict(parse_form(load_workbook(form(tmp_path / "a.xlsx", MACHINE, ROOM)), CLASSES).values)
    assert found == {
        "department": "示例档案局", "system_id": "SL-DA-04", "system_name": "档案查询系统", "applied_on": "2026-03-02",
        "lines": [
            {"line": 1, "what": "查询服务器", "class": "virtual_machine", "quantity": 1, "supply": "catalog",
             "spec": {"vcpu": 4, "memory_gib": 16, "arch": "aarch64", "zone": "gov_extranet", "area": "xinchuang", "mlps_level": 2}},
            {"line": 2, "what": "扫描件存储", "code": "OS-01", "quantity": 2, "supply": "self_built", "reason": "就近存放", "spec": {}},
        ],
    }  # fmt: skip


def test_a_faulty_cell_is_named(tmp_path: Path) -> None:
    path = form(tmp_path / "a.xlsx", [*MACHINE[:3], "几台", *MACHINE[4:]])
    with pytest.raises(InputError) as error:
        parse_form(load_workbook(path), CLASSES)
    assert error.value.where.zh.endswith("!E9") and "几台" in error.value.what.zh


@pytest.mark.parametrize("missing", [0, 3])
def test_the_department_and_the_day_are_needed(tmp_path: Path, missing: int) -> None:
    head = [line for n, line in enumerate(HEAD) if n != missing]
    with pytest.raises(InputError) as error:
        parse_form(load_workbook(form(tmp_path / "a.xlsx", MACHINE, head=head)), CLASSES)
    assert HEAD[missing].partition("：")[0] in error.value.what.zh


def test_another_table_is_no_request(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["系统名称", "部门", "状态"])
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(InputError):
        parse_form(load_workbook(tmp_path / "a.xlsx"), CLASSES)


def test_what_is_wrong_later_is_told_by_its_cell(tmp_path: Path) -> None:
    """The catalog's checks come after the form was read; without the cell the engineer searches forty lines."""
    form_ = parse_form(load_workbook(form(tmp_path / "a.xlsx", MACHINE, ROOM)), CLASSES)
    assert form_.place("lines", 0, "spec", "vcpu").endswith("!Sheet!G9")
    assert form_.place("lines", 1, "quantity").endswith("!E10")
    assert form_.place("lines", 1, "spec", "memory_gib").endswith("a.xlsx!Sheet!10"), "an empty cell: its row"
    assert form_.place("applied_on").endswith("!A5")
    assert form_.place("lines").endswith("a.xlsx!Sheet")
