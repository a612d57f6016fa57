"""The sheet that people edit: what leaves must come back, and a name must never run as a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import plan_samples as samples
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from govcloud.discovery.plan_form import build_plan_map, parse_plan_form
from govcloud.discovery.workbook import load_workbook as read_workbook
from govcloud.model.plan import MigrationPlan
from govcloud.model.text import LANGS, Lang
from govcloud.report.plan_sheet import COLUMNS, MARK, MARK_SHEET, render_plan_csv, render_plan_sheet

KEYS = [c.key for c in COLUMNS]


def opened(plan: MigrationPlan, lang: Lang = "zh") -> dict[str, Worksheet]:
    book = load_workbook(io.BytesIO(render_plan_sheet(plan, samples.assess(plan), lang)))
    return {sheet.title: sheet for sheet in book.worksheets}


def rows(sheet: Worksheet) -> list[dict[str, object]]:
    return [dict(zip(KEYS, row, strict=True)) for row in sheet.iter_rows(min_row=2, values_only=True)]


@pytest.mark.parametrize("lang", LANGS)
def test_titles_and_cells_hold_the_contract(lang: Lang) -> None:
    plan = samples.office()
    sheets = opened(plan, lang)
    page, free, how, marks = sheets.values()
    assert [c.value for c in page[1]] == [c.title.to(lang) for c in COLUMNS]
    assert (marks.title, marks.sheet_state) == (MARK_SHEET, "hidden")
    assert [c.value for c in marks[1]] == [MARK, plan.plan_id, plan.plan_hash]
    found = {str(r["system_id"]): r for r in rows(page)}
    assert len(found) == len(plan.problem.tasks)
    third = found["SL-03"]
    assert (third["wave"], third["crew"], third["group_id"], third["minutes"]) == (1, "二组", "SL-02", 120)
    assert page["B2"].is_date and page["B2"].number_format == "yyyy-mm-dd"
    days = [row[0] for row in free.iter_rows(min_row=2, max_col=1, values_only=True)]
    assert len(days) == 13, "the window in the year-end freeze is not offered"
    told = " ".join(str(row[0]) for row in how.iter_rows(max_col=1, values_only=True))
    assert "govcloud plan import" in told and "固定安排" in told and "becomes a pin" in told


def test_days_and_crews_are_chosen_from_lists_that_the_file_holds() -> None:
    page = opened(samples.office())["迁移计划"]
    lists = {str(v.sqref): v.formula1 for v in page.data_validations.dataValidation}
    assert lists == {"B2:B514": "='可用窗口'!$A$2:$A$14", "C2:C514": "='govcloud'!$A$2:$A$3"}
    assert [c.value for c in opened(samples.office())[MARK_SHEET]["A"]][1:] == ["一组", "二组"]


def test_what_could_not_be_placed_stands_at_the_end_with_its_reason() -> None:
    last = rows(opened(samples.infeasible())["迁移计划"])[-3:]
    assert {r["system_id"] for r in last} == {"SL-02", "SL-03", "SL-05"}
    assert all(r["opens_on"] is None and "未能排入：没有足够长的窗口" in str(r["note"]) for r in last)


def test_hostile_names_stay_text_in_both_forms() -> None:
    plan = samples.office(samples.HOSTILE)
    page = opened(plan)["迁移计划"]
    assert {c.data_type for row in page.iter_rows(min_row=2, min_col=5, max_col=5) for c in row} == {"s"}
    assert any(c.value == "=1+1" and c.quotePrefix for row in page.iter_rows(min_row=2) for c in row)
    for row in csv.reader(io.StringIO(render_plan_csv(plan, (), "zh"))):
        assert not [c for c in row if c.startswith(("=", "@", "+", "\t"))]


def test_an_empty_plan_is_a_sheet_with_titles() -> None:
    page = opened(samples.empty())["迁移计划"]
    assert page.max_row == 1


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_what_was_written_is_read_back_as_it_was(tmp_path: Path, ending: str, lang: Lang) -> None:
    plan = samples.infeasible()
    file = tmp_path / f"plan{ending}"
    made = render_plan_csv(plan, (), lang).encode() if ending == ".csv" else render_plan_sheet(plan, (), lang)
    file.write_bytes(made)
    read = {r.system_id: (r.wave, r.opens_on, r.crew) for r in parse_plan_form(read_workbook(file))}
    at = {m.system_id: (w.number, w.window.opens_on, m.crew) for w in plan.waves for m in w.moves}
    assert read == {t.system_id: at.get(t.system_id, (None, None, None)) for t in plan.problem.tasks}


def test_an_edited_cell_and_an_added_row_come_back(tmp_path: Path) -> None:
    book = load_workbook(io.BytesIO(render_plan_sheet(samples.office(), (), "zh")))
    page = book.worksheets[0]
    page["B2"] = date(2027, 1, 9)
    page.append([None, date(2027, 1, 16), "一组", "SL-77"])
    book.save(tmp_path / "p.xlsx")
    read = {r.system_id: r for r in parse_plan_form(read_workbook(tmp_path / "p.xlsx"))}
    assert read["SL-01"].opens_on == date(2027, 1, 9) and read["SL-77"].opens_on == date(2027, 1, 16)


def test_the_reader_looks_for_titles_that_the_sheet_has() -> None:
    titles = {c.key: c.title for c in COLUMNS if c.edited}
    assert {c.field.removeprefix("plan."): c.title for c in build_plan_map().columns} == titles


def test_a_pilot_and_a_provisional_day_are_noted() -> None:
    plan = samples.office()
    window = replace(plan.waves[0].window, provisional=True)
    first = replace(plan.waves[0], window=window)
    note = rows(opened(replace(plan, waves=(first, *plan.waves[1:])))["迁移计划"])[0]["note"]
    assert "日期暂定" in str(note) and "试点" in str(note)
