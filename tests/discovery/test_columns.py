"""Column maps: what comes along fits the model, and a site adds wordings, columns and whole forms without Python.

A site that could not teach the tool its county's own headings would retype forty workbooks; one whose slip of the pen
was ignored in silence would believe that it had.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from openpyxl import Workbook

from govcloud.discovery.columns import KINDS, ColumnMap, header_key, load_column_maps
from govcloud.discovery.groups import ungroup
from govcloud.discovery.records import Reading, read_workbook
from govcloud.discovery.workbook import Sheet, load_workbook
from govcloud.errors import InputError
from govcloud.model.observation import Value

AT = datetime(2026, 3, 7, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "columns").mkdir()
    return tmp_path


def write(site: Path, text: str, name: str = "own.yaml") -> Path:
    path = site / "columns" / name
    path.write_text(text, "utf-8")
    return path


@cache
def shipped() -> tuple[tuple[ColumnMap, ...], str]:
    return load_column_maps()


def of(maps: tuple[ColumnMap, ...], kind: str) -> ColumnMap:
    return next(m for m in maps if m.kind == kind)


def refusal(site: Path, text: str) -> InputError:
    write(site, text)
    with pytest.raises(InputError) as error:
        load_column_maps(site)
    return error.value


def read(path: Path, site: Path | None = None) -> Reading:
    return read_workbook(load_workbook(path), (load_column_maps(site) if site else shipped())[0], at=AT)


def said(reading: Reading, kind: str) -> list[dict[str, Value]]:
    return [dict(s.values) for s in reading.statements if s.subject_kind == kind]


def book(path: Path, rows: list[list[object]], merges: tuple[str, ...] = ()) -> Path:
    made = Workbook()
    page = made.worksheets[0]
    for row in rows:
        page.append(row)
    for area in merges:
        page.merge_cells(area)
    made.save(path)
    return path


def test_the_forms_that_come_along_load_without_a_workspace() -> None:
    maps, digest = shipped()
    assert [m.kind for m in maps] == list(KINDS)
    assert len(digest) == 64
    assert load_column_maps()[1] == digest


def test_every_column_is_found_by_all_of_its_wordings() -> None:
    for column_map in shipped()[0]:
        for column in column_map.columns:
            assert all(column_map.find(wording) is column for wording in column.wordings), column.field


@pytest.mark.parametrize(
    "heading",
    ["预算项目名称", "是否僵尸系统", "系统使用频率（上年度累计访问数）", "业务专网地址", "使用范围-区域", "等级保护", "开发厂商",
     "所占资源长期空闲", "计划完成清理时间", "使用频率低", "测评得分", "密评时间", "数据规模(G)", "使用频率测算依据"],
)  # fmt: skip
def test_headings_of_real_survey_tables_are_known(heading: str) -> None:
    """From the provincial census, the zombie clean-up form and the asset ledger."""
    assert of(shipped()[0], "census").find(heading) is not None


def test_a_site_adds_wordings_words_and_columns(site: Path) -> None:
    before = shipped()[1]
    write(site, """\
extends: census
columns:
  - {field: system.mlps_level, headers: [安全保护等级]}
  - {field: system.lifecycle, words: {idle: [半停用]}}
  - {field: system.contact, required: true}
  - {field: ignored.mascot, type: text, title: {zh: 吉祥物, en: Mascot}}
""")  # fmt: skip
    maps, digest = load_column_maps(site)
    census = of(maps, "census")
    assert [m.kind for m in maps] == list(KINDS) and digest != before
    assert census.find("安全保护等级") is census.find("等保级别") is not None
    assert census.find("系统状态").words["idle"] == (  # type: ignore[union-attr]
        *of(shipped()[0], "census").find("系统状态").words["idle"], "半停用",  # type: ignore[union-attr]
    )  # fmt: skip
    assert census.find("联系人").required  # type: ignore[union-attr]
    assert census.find("吉祥物").field == "ignored.mascot"  # type: ignore[union-attr]


def test_a_sites_own_form_is_read(site: Path, tmp_path: Path) -> None:
    write(site, """\
kind: census
title: {zh: 业务软件登记表, en: Software register}
columns:
  - {field: system.name, type: text, required: true, title: {zh: 软件叫什么, en: Software}}
  - {field: system.office, type: text, title: {zh: 哪个股室用, en: Used by}}
  - {field: system.users, type: integer, title: {zh: 多少人用, en: Users}}
""")  # fmt: skip
    path = book(tmp_path / "a.xlsx", [["软件叫什么", "哪个股室用", "多少人用"], ["收费系统", "财务股", "12人"]])
    with pytest.raises(InputError):
        read(path)
    (system,) = said(read(path, site), "system")
    assert (system["name"], system["office"], system["users"]) == ("收费系统", "财务股", 12)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("extends: census\ncolumns:\n  - field: system.office\n    headrs: [科室]\n", 4, "headrs"),
        ("extends: census\nadds: 1\ncolumns: []\n", 2, "adds"),
        ("extends: censuses\ncolumns: []\n", 1, "censuses"),
        ("extends: census\ncolumns:\n  - {field: system.ofice, type: text, title: {zh: 科, en: o}}\n", 3, "system.ofice"),
        ("extends: census\ncolumns:\n  - {field: system.users, type: date}\n", 3, "system.users"),
        ("extends: census\ncolumns:\n  - {field: system.office, type: sentence}\n", 3, "sentence"),
        ("extends: census\ncolumns:\n  - {field: system.hosting, words: {moon: [月球]}}\n", 3, "system.hosting"),
        ("extends: census\ncolumns:\n  - {field: system.office, headers: 科室}\n", 3, "headers"),
        ("extends: census\ncolumns:\n  - {headers: [科室]}\n", None, "field"),
        ("extends: census\ncolumns:\n  - {field: system.office}\n  - {field: system.office}\n", 4, "system.office"),
        ("kind: census\ntitle: {zh: 表, en: form}\ncolumns:\n  - {field: ignored.a, type: text, title: {zh: 甲}}\n", 4, "en"),
        ("kind: form\ntitle: {zh: 表, en: form}\ncolumns: []\n", None, "form"),
        ("columns: 3\n", None, "columns"),
    ],
)  # fmt: skip
def test_a_slip_is_refused_with_its_line(site: Path, text: str, line: int | None, words: str) -> None:
    error = refusal(site, text)
    assert words in error.what.zh and words in error.what.en
    assert "own.yaml" in error.where.zh and (line is None or error.where.zh.endswith(f":{line}"))


def test_a_wording_that_two_columns_claim_is_refused_and_both_are_named(site: Path) -> None:
    error = refusal(site, "extends: census\ncolumns:\n  - {field: system.office, headers: [使用人 数]}\n")
    assert "system.office" in error.what.zh and "system.users" in error.what.zh and "使用人数" in error.what.zh
    assert error.where.zh.endswith("own.yaml:3")


def test_what_is_no_map_is_left_alone(site: Path) -> None:
    (site / "columns" / "读我.txt").write_text("x", "utf-8")
    assert load_column_maps(site)[1] == shipped()[1]


FOUR = [
    ["网络调查表", "", "", "", "", "", "", "", ""],
    ["填报单位：示例水利厅", "", "", "", "", "", "", "", ""],
    ["序号", "单位名称", "互联网", "", "", "业务专网", "", "", "联系人"],
    ["", "", "有无接入", "接入运营商", "线路带宽（M）", "有无接入", "接入运营商", "线路带宽（M）", ""],
    [1, "示例水利厅", "有", "示例电信", 100, "有", "示例联通", "快", "甲"],
    [2, "示例气象局", "无", "", "", "有", "示例移动", 20, "乙"],
    [3, "示例地震局", "", "", "", "", "", "", "丙"],
]


@pytest.mark.parametrize("merges", [(), ("C3:E3", "F3:H3", "A3:A4", "B3:B4", "I3:I4")])
def test_a_four_network_survey_is_one_row_a_network(tmp_path: Path, merges: tuple[str, ...]) -> None:
    reading = read(book(tmp_path / "a.xlsx", FOUR, merges))
    networks = {(n["department"], n["kind"]): n for n in said(reading, "network")}
    assert set(networks) == {("示例水利厅", "internet"), ("示例水利厅", "dedicated"), ("示例气象局", "dedicated")}
    assert networks["示例水利厅", "internet"]["bandwidth_mbps"] == 100
    assert networks["示例气象局", "dedicated"]["carrier"] == "示例移动"
    # The fault is told where the department wrote it, and the fact where it was read.
    (problem,) = [p for s in reading.sheets for p in s.problems]
    assert (problem.cell, problem.read) == ("H5", "快")
    carriers = {s.cells["carrier"] for s in reading.statements if "carrier" in s.values}
    assert carriers == {"D5", "G5", "G6"}


def test_an_ordinary_table_is_not_taken_for_groups() -> None:
    maps = shipped()[0]
    rows = [["网络名称", "网络类型", "业务专网地址"], ["互联网", "互联网", ""], ["政务外网", "政务外网", ""]]
    sheet = Sheet(name="网络", rows=rows)
    assert ungroup(sheet, maps) is sheet


def test_remarks_in_brackets_do_not_count() -> None:
    assert header_key("线路带宽（Mbps）\n(Bandwidth, Mbps)") == header_key("线路 带宽")
