"""Changes and budget lines as offices write them into a cell. A line that is read wrong moves money or a filing."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.discovery.cells import Hint, parse_budget_lines, parse_changes
from govcloud.discovery.project_lines import (
    parse_budget_line,
    parse_change,
    render_budget_line,
    render_change,
    split_lines,
)
from govcloud.model.inventory import BudgetLine, ProjectChange


@pytest.mark.parametrize(
    ("cell", "lines"),
    [
        ("2026-03-01 增加模块（备案 2026-03-20）", ("2026-03-01 增加模块（备案 2026-03-20）",)),
        ("2026年3月1日增加模块；2026.4.2 更换监理(已备案：2026.4.9)", ("2026-03-01 增加模块", "2026-04-02 更换监理（备案 2026-04-09）")),
        ("1、2026-03-01 甲\n2、乙（未备案）", ("2026-03-01 甲", "乙")),
        ("1.2026-03-01 甲；2.2026-03-02 乙（2026-03-05备案）", ("2026-03-01 甲", "2026-03-02 乙（备案 2026-03-05）")),
        ("20260301增加模块；接口不变", ("2026-03-01 增加模块；接口不变",)),
        ("2026年度预算调减（二期）", ("2026年度预算调减（二期）",)),
        ("无", None),
        ("2026-13-01 增加模块", "expected"),
        ("2026-03 增加模块", "expected"),
        ("2026-03-01", "expected"),
        ("2026-03-01 增加模块（备案 2026-02-30）", "expected"),
    ],
)  # fmt: skip
def test_changes(cell: str, lines: object) -> None:
    read = parse_changes(cell, Hint())
    assert read.value == (None if lines == "expected" else lines)
    assert (read.expected is not None) == (lines == "expected")


@pytest.mark.parametrize(
    ("cell", "unit", "lines"),
    [
        ("2026年 软件开发 35万元", None, ("2026年 软件开发 35万元",)),
        ("2026年软件开发35万元；2027年 运维 5.5万元\n监理费：3,500元", None, ("2026年 软件开发 35万元", "2027年 运维 5.5万元", "监理费 3500元")),
        ("2026 等保测评（二级） ￥80000元", None, ("2026年 等保测评(二级) 8万元",)),
        ("软件开发 35", "万", ("软件开发 35万元",)),
        ("软件开发 35", None, "line"),
        ("2026年 软件开发 35万元\n35万元", None, "第 2 行"),
        ("2026年 软件开发 0.29万元", None, ("2026年 软件开发 2900元",)),
    ],
)  # fmt: skip
def test_budget_lines(cell: str, unit: str | None, lines: object) -> None:
    read = parse_budget_lines(cell, Hint(unit=unit))
    if isinstance(lines, tuple):
        assert (read.value, read.expected) == (lines, None)
    else:
        assert read.value is None and read.expected is not None
        assert lines == "line" or str(lines) in read.expected.zh


def test_lines_are_the_nouns_of_the_model() -> None:
    change = ProjectChange(what="增加模块（二期）", changed_on=date(2026, 3, 1), filed_on=date(2026, 3, 20))
    assert parse_change(render_change(change)) == change
    line = BudgetLine(item="软件开发", yuan=1_234_567.89, year=2026)
    assert parse_budget_line(render_budget_line(line)) == line


PIECES = st.sampled_from(
    ["2026-03-01", "2026年", " ", "（", "）", "备案", "甲", "；", ";", "1.", "2", "万元", "元", "，", "\n", "35", "软件", "："]
)  # fmt: skip


@given(st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=30))
def test_what_is_kept_means_the_same_when_it_is_read_again(cell: str) -> None:
    """A form that is sent out with it and comes back untouched must say nothing new."""
    for read in (parse_changes(cell, Hint()), parse_budget_lines(cell, Hint(unit="万"))):
        lines = tuple(map(str, read.value)) if isinstance(read.value, tuple) else ()
        assert split_lines("\n".join(lines)) == list(lines)
    changes, budget = parse_changes(cell, Hint()).value, parse_budget_lines(cell, Hint()).value
    for line in changes if isinstance(changes, tuple) else ():
        assert render_change(parse_change(str(line))) == line
    for line in budget if isinstance(budget, tuple) else ():
        assert render_budget_line(parse_budget_line(str(line))) == line


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece", ["，", "（", "1", "1,", "甲，", "(1", "；2026", "2026", "①", " 1.", "备案", "1.2026-", "\n;"]
)
def test_a_cell_that_is_full_of_signs_is_answered_at_once(piece: str) -> None:
    """A filled-in form is data from forty departments, and a pattern that tries every way to split it never ends."""
    for cell in (piece * 5_000, f"2026-03-01 {piece * 5_000}", f"{piece * 5_000}万元"):
        for parse in (parse_changes, parse_budget_lines):
            parse(cell, Hint())
