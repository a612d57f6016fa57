"""Returns from end to end: read, sent back, corrected, read again.

Without these a department would retype its table, or its corrected copy would stand beside the faulty one for good.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from govcloud.errors import InputError
from govcloud.workflow.collect import import_files
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.returns import write_returns
from govcloud.workflow.session import Session

HEAD = ["系统编号", "系统名称", "所属部门", "等保级别", "服务器名称", "服务器IP"]
GOOD = ["SL-1", "办公系统", "示例厅", "二级", "oa-01", "10.1.1.1"]
FAULTY = ["SL-2", "查询系统", "示例厅", "六级", "cx-01", "10.1.1.2"]
NAMELESS = ["SL-3", "", "示例厅", "二级", "dz-01", "10.1.1.3"]


def book(path: Path, *rows: list[str]) -> Path:
    made = Workbook()
    page = made.worksheets[0]
    page.title = "系统"
    for row in (HEAD, *rows):
        page.append(row)
    page.row_dimensions[1].height = 33
    made.save(path)
    return path


def correct(path: Path, target: Path, **cells: str) -> Path:
    changed = load_workbook(path)
    for place, value in cells.items():
        changed["系统"][place] = value
    changed.save(target)
    return target


def systems(session: Session) -> dict[str, int | None]:
    return {s.name: s.mlps_level for s in read_inventory(session).systems}


def test_a_corrected_copy_completes_the_picture_under_any_name(session: Session, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", GOOD, FAULTY, NAMELESS)
    result = import_files(session, [path])
    (returned,) = write_returns(session, result, tmp_path / "退回", "zh")
    assert returned == tmp_path / "退回" / "a.xlsx"
    marked = load_workbook(returned)
    assert marked.sheetnames[0] == "退回说明" and marked["系统"].row_dimensions[1].height == 33
    coloured = {c.coordinate for r in marked["系统"].iter_rows() for c in r if c.fill.fill_type == "solid"}
    assert coloured == {"D3", "B4"}

    # Sent back as it is: the same file, the same faults, nothing new.
    again = import_files(session, [returned])
    assert (again.files[0].state, again.changes) == ("unchanged", ())
    assert {p.cell for p in again.files[0].problems} == {"D3", "B4"}

    done = import_files(session, [correct(returned, tmp_path / "更正.xlsx", D3="三级", B4="电子档案系统")])
    assert done.files[0].state == "newer" and not done.files[0].problems
    assert systems(session) == {"办公系统": 2, "查询系统": 3, "电子档案系统": 2}
    assert not done.conflicts and not read_inventory(session).conflicts
    # Its own return has nothing to say.
    assert write_returns(session, done, tmp_path / "退回", "zh") == ()


def test_what_was_read_earlier_can_still_be_returned(session: Session, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", FAULTY)
    import_files(session, [path])
    second = import_files(session, [path])
    assert second.files[0].state == "unchanged"
    assert len(write_returns(session, second, tmp_path / "out", "en")) == 1


def test_existing_files_are_kept(session: Session, tmp_path: Path) -> None:
    """Also the department's own, when the returns go into the folder that it lies in."""
    path = book(tmp_path / "a.xlsx", FAULTY)
    before = path.read_bytes()
    result = import_files(session, [path])
    names = [write_returns(session, result, tmp_path, "zh")[0].name for _ in range(2)]
    assert names == ["a (2).xlsx", "a (3).xlsx"] and path.read_bytes() == before
    assert not list(tmp_path.glob(".return-*"))


def test_names_lead_nowhere_else(session: Session, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = book(tmp_path / "in" / "-o\u202e档\x07案|局.xlsx", FAULTY)
    (returned,) = write_returns(session, import_files(session, [path]), tmp_path / "out", "zh")
    assert returned.parent == tmp_path / "out" and returned.name == "_-o_档_案_局.xlsx"


def test_a_text_table_goes_back_as_a_workbook(session: Session, tmp_path: Path) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([HEAD, GOOD, [*FAULTY[:1], "=1+1", *FAULTY[2:]]])
    path = tmp_path / "a.csv"
    path.write_bytes(out.getvalue().encode("gb18030"))
    (returned,) = write_returns(session, import_files(session, [path]), tmp_path / "out", "zh")
    sheet = load_workbook(returned)["a"]
    assert returned.name == "a.xlsx" and sheet["D3"].comment is not None
    assert (sheet["B3"].value, sheet["B3"].data_type) == ("=1+1", "s")
    changed = load_workbook(returned)
    changed["a"]["D3"] = "三级"
    changed.save(tmp_path / "b.xlsx")
    assert import_files(session, [tmp_path / "b.xlsx"]).files[0].state == "newer"
    assert systems(session) == {"办公系统": 2, "=1+1": 3}


def test_of_a_large_table_the_rows_to_correct_go_back_and_add_to_the_rest(session: Session, tmp_path: Path) -> None:
    lines = [[f"SL-{n}", f"系统{n}", "示例厅", "二级"] for n in range(20_100)]
    lines[15_000][3] = "六级"
    out = io.StringIO()
    csv.writer(out).writerows([HEAD[:4], *lines])
    path = tmp_path / "大表.csv"
    path.write_text(out.getvalue(), "utf-8")
    (returned,) = write_returns(session, import_files(session, [path]), tmp_path / "out", "zh")
    small = load_workbook(returned)
    sheet = small["大表"]
    assert sheet.max_row == 2 and sheet["B2"].value == "系统15000" and sheet["D2"].comment is not None
    sheet["D2"] = "三级"
    small.save(returned)
    result = import_files(session, [returned])
    assert result.files[0].state == "new" and [c.fields for c in result.changes] == [("mlps_level",)]
    assert len(systems(session)) == 20_100


def test_a_file_that_changed_since_is_not_returned_and_the_others_are(session: Session, tmp_path: Path) -> None:
    paths = [book(tmp_path / "a.xlsx", FAULTY), book(tmp_path / "b.xlsx", NAMELESS)]
    result = import_files(session, paths)
    book(paths[0], GOOD)
    with pytest.raises(InputError) as error:
        write_returns(session, result, tmp_path / "out", "zh")
    assert "a.xlsx" in error.value.where.zh and [p.name for p in (tmp_path / "out").iterdir()] == ["b.xlsx"]
