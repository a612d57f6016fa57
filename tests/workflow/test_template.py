"""Survey forms from end to end: made, filled in, imported. A form that its own importer can't read helps nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clock import Clock
from openpyxl import load_workbook

from govcloud import resources
from govcloud.cli.main import run
from govcloud.compliance.request_source import build_request
from govcloud.discovery.request_form import parse_form
from govcloud.discovery.workbook import load_workbook as read_book
from govcloud.errors import UsageError
from govcloud.settings import open_workspace
from govcloud.workflow.catalog import load_catalog
from govcloud.workflow.collect import import_files
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.template import FormKind, write_form

SAMPLES = sorted((resources.folder("inventory") / "sample" / "workbooks").glob("*.xlsx"))
ALL: tuple[FormKind, ...] = ("census", "servers", "networks", "dependencies", "projects")


def fill_in(path: Path, serial: object, **cells: object) -> None:
    """As a person does: the row with this serial number, by the headings."""
    book = load_workbook(path)
    for sheet in book.worksheets:
        headings = {str(c.value).rstrip("*"): c.column for row in sheet.iter_rows() for c in row if c.value}
        row = next((c.row for c in sheet["A"] if c.value == serial), None)
        for heading, value in cells.items():
            if row and heading in headings:
                sheet.cell(row, headings[heading]).value = value
    book.save(path)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_blank_form_says_nothing(folder: Path, tmp_path: Path, lang: str) -> None:
    """Neither its example row nor its serial numbers nor its how-to lines are data."""
    with open_session(open_workspace(folder), actor="甲", lang=lang, now=Clock()) as session:  # type: ignore[arg-type]
        write_form(session, tmp_path / "a.xlsx", ALL)
        result = import_files(session, [tmp_path / "a.xlsx"])
        assert [(s.kind, s.rows, s.unknown_columns) for s in result.files[0].sheets] == [(k, 0, ()) for k in ALL]
        assert not result.changes and not result.files[0].problems


def test_a_form_filled_in_with_its_own_examples_is_read_without_a_problem(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_form(session, path, ALL, department="示例档案局")
    book = load_workbook(path)
    for sheet in book.worksheets:
        rows = [c.row for c in sheet["A"] if c.value in ("示例", 1)]
        for cell in sheet[rows[0]][1:] if rows else ():
            sheet.cell(rows[1], cell.column).value = cell.value
    book.save(path)
    result = import_files(session, [path])
    assert [(s.kind, s.taken) for s in result.files[0].sheets] == [(k, 1) for k in ALL]
    assert not result.files[0].problems
    (system,) = read_inventory(session).systems
    assert (system.name, system.department, system.mlps_level, system.visits_per_year) == (
        "档案目录管理系统", "示例档案局", 2, 36000,
    )  # fmt: skip
    assert system.hosting == "own_room" and len(system.servers) == 2 and system.zombie_declared is False


def test_the_unit_above_the_table_is_the_department_of_rows_that_name_none(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_form(session, path, ["census"], department="示例水利厅")
    fill_in(path, 1, 系统名称="水情系统")
    import_files(session, [path])
    assert [(s.name, s.department) for s in read_inventory(session).systems] == [("水情系统", "示例水利厅")]


def test_a_prefilled_form_that_comes_back_untouched_changes_nothing(session: Session, tmp_path: Path) -> None:
    import_files(session, SAMPLES)
    before = read_inventory(session)
    made = write_form(session, tmp_path / "all.xlsx", ALL, filled=True)
    assert made.rows["census"] == len(before.systems) and made.rows["networks"] == len(before.networks)
    result = import_files(session, [tmp_path / "all.xlsx"])
    assert result.changes == () and result.conflicts == () and not result.files[0].problems
    after = read_inventory(session)
    assert (after.systems, after.servers, after.networks, after.dependencies, after.projects) == (
        before.systems, before.servers, before.networks, before.dependencies, before.projects,
    )  # fmt: skip


def test_a_correction_in_a_prefilled_form_is_the_only_change(session: Session, tmp_path: Path) -> None:
    import_files(session, SAMPLES)
    path = tmp_path / "a.xlsx"
    made = write_form(session, path, ["census"], department="示例民政厅", filled=True)
    fill_in(path, 1, 用户数=4321)
    result = import_files(session, [path])
    assert [c.fields for c in result.changes] == [("users",)]
    # A corrected copy under another name takes its place.
    copy = path.rename(tmp_path / "更正.xlsx")
    fill_in(copy, 1, 用户数=1234)
    second = import_files(session, [copy])
    assert second.files[0].state == "newer" and second.files[0].source == made.number
    assert [c.fields for c in second.changes] == [("users",)]
    assert 1234 in {s.users for s in read_inventory(session).systems}


def test_forms_for_everybody_do_not_replace_each_other(session: Session, tmp_path: Path) -> None:
    for name, unit in (("a.xlsx", "示例甲局"), ("b.xlsx", "示例乙局")):
        write_form(session, tmp_path / name, ["census"])
        fill_in(tmp_path / name, 1, 系统名称="办公系统", 所属部门=unit)
        import_files(session, [tmp_path / name])
    assert {s.department for s in read_inventory(session).systems} == {"示例甲局", "示例乙局"}


def test_departments_are_offered_from_the_site_and_the_inventory(folder: Path, tmp_path: Path) -> None:
    settings = folder / "govcloud.yaml"
    settings.write_text(settings.read_text("utf-8") + "departments: [示例审计厅]\n", "utf-8")
    with open_session(open_workspace(folder), actor="甲", now=Clock()) as session:
        import_files(session, SAMPLES)
        write_form(session, tmp_path / "a.xlsx", ["census"])
    lists = [c.value for row in load_workbook(tmp_path / "a.xlsx")["govcloud"].iter_rows(min_row=3) for c in row]
    assert "示例审计厅" in lists and "示例民政厅" in lists


def test_a_sites_own_column_is_in_the_form(folder: Path, session: Session, tmp_path: Path) -> None:
    (folder / "columns").mkdir(exist_ok=True)
    (folder / "columns" / "own.yaml").write_text(
        "extends: census\ncolumns:\n  - {field: ignored.park, type: text, title: {zh: 所在园区, en: Park}}\n", "utf-8"
    )
    write_form(session, tmp_path / "a.xlsx", ["census"])
    sheet = load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert "所在园区" in {c.value for row in sheet.iter_rows() for c in row}


def test_a_file_that_is_there_is_never_overwritten(session: Session, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"filled in")
    with pytest.raises(UsageError):
        write_form(session, tmp_path / "a.xlsx", ["census"])
    assert (tmp_path / "a.xlsx").read_bytes() == b"filled in"


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["-w", str(folder), "--lang", "zh"]
    assert run([*where, "import", *map(str, SAMPLES)]) in (0, 1)
    capsys.readouterr()
    assert (
        run(
            [
                *where,
                "template",
                "census",
                "servers",
                "-o",
                str(tmp_path / "a.xlsx"),
                "--filled",
                "--department",
                "示例民政厅",
            ]
        )
        == 0
    )
    assert "预填 6 行" in capsys.readouterr().out
    assert run([*where, "--format", "json", "import", "--preview", str(tmp_path / "a.xlsx")]) == 0
    assert '"unchanged"' in json.dumps(json.loads(capsys.readouterr().out))
    assert run([*where, "template", "census", "-o", str(tmp_path / "a.xlsx")]) == 2
    assert run([*where, "template", "moon", "-o", str(tmp_path / "b.xlsx")]) == 2


def test_the_request_form_that_is_filled_in_with_its_example_can_be_checked(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_form(session, path, ["request"], department="示例档案局")
    book = load_workbook(path)
    sheet = book.worksheets[0]
    top = next(c.row for c in sheet["A"] if c.value == "示例")
    for cell in sheet[top][1:]:
        sheet.cell(top + 1, cell.column).value = cell.value
    day = next(c for c in sheet["A"] if str(c.value).startswith("申请日期"))
    day.value = f"{day.value}2026-03-02"
    book.save(path)
    catalog = load_catalog(session.workspace.settings.catalog)
    request = build_request(parse_form(read_book(path), catalog.classes).values, path, catalog)
    assert (request.department, len(request.lines)) == ("示例档案局", 1)
    assert request.lines[0].service_class == "virtual_machine" and request.lines[0].spec.memory_gib == 16
