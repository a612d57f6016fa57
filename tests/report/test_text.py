"""What a terminal, a script and a spreadsheet get: aligned, one JSON document, and no formula."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from govcloud.model.text import Lang, Text
from govcloud.report.text import cell_text, guard_formula, render_csv, render_json, render_text
from govcloud.report.view import Cell, Column, View


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (None, "—", "—"), ("", "—", "—"), ((), "—", "—"), (0, "0", "0"), (False, "否", "no"), (True, "是", "yes"),
        (1.0, "1", "1"), (1234.5, "1,234.5", "1,234.5"), (date(2026, 3, 7), "2026-03-07", "2026-03-07"),
        (("a", "b"), "a、b", "a, b"), (Text("逾期", "overdue"), "逾期", "overdue"),
    ],
)  # fmt: skip
def test_cells_as_a_person_reads_them(value: Cell, zh: str, en: str) -> None:
    assert (cell_text(value, "zh"), cell_text(value, "en")) == (zh, en)


def test_an_instant_is_shown_in_the_given_zone() -> None:
    at = datetime(2026, 3, 7, 16, 30, tzinfo=UTC)
    assert cell_text(at, "zh", ZoneInfo("Asia/Shanghai")) == "2026-03-08 00:30"


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\x07", "a\u202eb", "\x9b2J", "a\rb", "a\u2028b"])
def test_nothing_from_a_file_can_drive_the_terminal(text: str) -> None:
    shown = cell_text(text, "zh")
    assert not set(shown) & set("\x1b\x07\u202e\x9b\r\u2028") and "�" in shown


def test_a_list_from_a_file_cannot_drive_the_terminal_either() -> None:
    assert "\x1b" not in cell_text(("\x1b[31m",), "zh") and "\x1b" not in cell_text(Text("\x1b", "\x1b"), "zh")


def test_tables_are_aligned_with_wide_characters(view: View) -> None:
    rows = ({"system_id": "a", "name": "协同办公系统", "users": 7}, {"system_id": "信访", "name": "oa", "users": 12000})
    lines = render_text([replace(view, columns=view.columns[:2], rows=rows)], "zh").splitlines()
    starts = {wcswidth(line[: line.index(word)]) for line, word in zip(lines[3:5], ("协同", "oa"), strict=True)}
    assert len(starts) == 1


def test_a_cut_table_says_how_much_is_missing(view: View) -> None:
    long = replace(view, rows=view.rows * 3)
    shown = render_text([long], "zh", most_rows=len(view.rows))
    assert f"前 {len(view.rows)} 行，共 {len(long.rows)} 行" in shown
    assert "行，共" not in render_text([long], "zh")


def test_an_empty_table_says_so(view: View) -> None:
    empty = replace(view, rows=(), notes=())
    assert render_text([empty], "zh") == "## 系统\n（无）"
    assert render_text([empty], "en") == "## Systems\n(none)"


def test_json_is_one_document_with_plain_keys(view: View) -> None:
    document = json.loads(render_json([view], "zh"))
    first, second = document["systems"]["rows"]
    assert first["status"] == "逾期" and first["users"] == 1200 and first["go_live_on"] == "2013-05-01"
    assert first["seen_at"] == "2026-03-07T16:30:00+00:00" and first["addresses"] == ["10.66.1.10", "10.66.1.11"]
    assert second["status"] is None
    assert document["systems"]["notes"] == ["共 2 个系统"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_stays_json_with_numbers_that_are_none(value: float) -> None:
    view = View(name="v", title=Text("表", "T"), columns=(Column("a", Text("列", "C")),), rows=({"a": value},))
    text = render_json([view], "zh")
    assert json.loads(text, parse_constant=pytest.fail)["v"]["rows"] == [{"a": None}]


def test_csv_has_keys_values_and_a_blank_line_between_views(view: View) -> None:
    parts = render_csv([view, view], "zh").split("\n\n")
    assert len(parts) == 2
    rows = list(csv.reader(io.StringIO(parts[0])))
    assert rows[0] == ["system_id", "name", "status", "users", "go_live_on", "seen_at", "addresses"]
    assert rows[1][:4] == ["SL-OA-01", "协同办公系统", "逾期", "1200"] and rows[2][2] == ""


@given(st.text(max_size=30), st.sampled_from(["zh", "en"]))
def test_no_csv_cell_of_text_starts_a_formula(text: str, lang: Lang) -> None:
    view = View(name="v", title=Text("表", "T"), columns=(Column("a", Text("列", "C")),), rows=({"a": "=" + text},))
    (_, *rows) = csv.reader(io.StringIO(render_csv([view], lang)))
    assert rows[0][0].startswith("'=")


@given(st.text(max_size=20))
def test_guarding_changes_only_what_is_dangerous(text: str) -> None:
    guarded = guard_formula(text)
    assert guarded in (text, "'" + text)
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
