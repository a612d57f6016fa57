"""A plan as a sheet that people edit and send back: one row a system, with lists of the windows and crews to choose from.

discovery/plan_form.py reads it back by the titles in COLUMNS.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from govcloud.model.plan import MigrationPlan, RiskAssessment
from govcloud.model.plan_problem import MoveTask
from govcloud.model.text import Lang, Text
from govcloud.report.literal import Literal, clean_text, put_literal
from govcloud.report.plan_index import PlanIndex, build_index, by_subject, freezes_over, is_general, minutes
from govcloud.report.plan_usage import build_crew_minutes
from govcloud.report.plan_words import LEVEL, PATH, clock, listed
from govcloud.report.text import guard_formula

MARK_SHEET, MARK = "govcloud", "govcloud:plan"
"""Hidden sheet; its first row holds the mark, the plan's id and its hash, so that an edited copy names its plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetColumn:
    key: str
    title: Text
    width: int
    """Characters."""
    edited: bool = False
    """Changes in it are read back; all others are there to read."""


COLUMNS: tuple[SheetColumn, ...] = (
    SheetColumn(key="wave", title=Text("批次", "Wave"), width=8, edited=True),
    SheetColumn(key="opens_on", title=Text("窗口日期", "Window"), width=13, edited=True),
    SheetColumn(key="crew", title=Text("班组", "Crew"), width=14, edited=True),
    SheetColumn(key="system_id", title=Text("系统编号", "System"), width=16, edited=True),
    SheetColumn(key="name", title=Text("系统名称", "Name"), width=30),
    SheetColumn(key="department", title=Text("部门", "Department"), width=20),
    SheetColumn(key="group_id", title=Text("迁移组", "Group"), width=16),
    SheetColumn(key="path", title=Text("去向", "Path"), width=14),
    SheetColumn(key="minutes", title=Text("割接与预留（分钟）", "Cutover and reserve (min)"), width=12),
    SheetColumn(key="data_gib", title=Text("数据（GiB）", "Data (GiB)"), width=12),
    SheetColumn(key="risk", title=Text("风险", "Risk"), width=8),
    SheetColumn(key="note", title=Text("备注", "Note"), width=48),
)
_PLAN, _WINDOWS, _HOW = Text("迁移计划", "Plan"), Text("可用窗口", "Windows"), Text("填写说明", "How to edit")
_HEAD, _EDIT = PatternFill("solid", fgColor="E8EEF4"), PatternFill("solid", fgColor="FFF2CC")
_LINE = Border(bottom=Side(style="thin", color="8A9BAC"))
_BOLD = Font(bold=True)
_SPARE = 500
"""Rows below the last one that still offer the lists, for systems that people add."""
_INSTRUCTIONS = (
    Text("本表由计划 {p} 生成，一行一个系统。黄色列可以改，其余列供参考，改了也不读回。",
         "Made from plan {p}, one row for each system. Edit the yellow columns; the others are there to read."),
    Text("换窗口：在“窗口日期”中另选一天，可选日期见“可用窗口”表；或把“批次”改成另一批的序号。两处都改时以日期为准。",
         "To change the window, choose another day (the sheet of windows has them), or give the number of another wave. Where both are changed the day counts."),
    Text("换班组：在“班组”中另选。同一迁移组的系统一起割接，改其中一个即全组跟着改，改得互相矛盾会被指出。",
         "To change the crew, choose another. Systems of one group move together: one of them moves them all, and contradictions are named."),
    Text("暂不迁移：清空该行的“窗口日期”和“批次”。删去一行不改变该系统的安排。",
         "To leave a system out, empty its day and its wave. Deleting a row changes nothing for that system."),
    Text("加入系统：在表尾添一行，写系统编号和窗口日期；未能排入的系统已列在表尾。",
         "To add a system, write its id and a day in a row at the end; systems that could not be placed stand there already."),
    Text("改完后：govcloud plan import 本文件 --preview 先看后果，再用 --reason 写明理由导入。每处改动成为固定安排，风险和冲突重新计算。",
         "Then: govcloud plan import FILE --preview shows what follows; with --reason it is imported. Each edit becomes a pin; risks and conflicts are computed again."),
)  # fmt: skip


def build_sheet_rows(plan: MigrationPlan, risks: Sequence[RiskAssessment], lang: Lang) -> list[dict[str, Literal]]:
    """By wave and time, then what has no window, then what could not be placed; keys are those of COLUMNS."""
    index, assessed = build_index(plan), by_subject(risks)
    unplaced = {u.system_id: u.reason for u in plan.unplaced}
    at = {m.system_id: (w, m) for w in plan.waves for m in w.moves}

    def order(task: MoveTask) -> tuple[object, ...]:
        wave, move = at.get(task.system_id, (None, None))
        if wave is None or move is None:
            return (1, task.system_id in unplaced, task.system_id)
        return (0, wave.number, move.starts_at, move.crew, move.system_id)

    rows = []
    for task in sorted(plan.problem.tasks, key=order):
        wave, move = at.get(task.system_id, (None, None))
        risk = assessed.get(index.group_of.get(task.system_id, ""))
        row: dict[str, Literal] = {
            "wave": wave.number if wave else None, "opens_on": wave.window.opens_on if wave else None,
            "crew": move.crew if move else None, "system_id": task.system_id, "name": task.name,
            "department": task.department, "group_id": index.group_of.get(task.system_id),
            "path": PATH[task.path].to(lang), "minutes": task.cutover_min + task.reserve_min,
            "data_gib": round(task.data_mib / 1024, 1), "risk": LEVEL[risk.risk].to(lang) if risk else None,
            "note": _note(index, task, unplaced.get(task.system_id)).to(lang),
        }  # fmt: skip
        rows.append(row)
    return rows


def _note(index: PlanIndex, task: MoveTask, unplaced: Text | None) -> Text:
    notes = []
    if unplaced is not None:
        notes.append(Text("未能排入：{r}", "not placed: {r}").format(r=unplaced))
    elif task.path == "retire":
        notes.append(Text("不占用窗口", "needs no window"))
    group = index.groups.get(index.group_of.get(task.system_id, ""))
    others = [s for s in (group.system_ids if group else ()) if s != task.system_id]
    if others:
        more = " …" if len(others) > 5 else ""
        notes.append(Text("与 {s} 同组", "together with {s}").format(s=", ".join(others[:5]) + more))
    if task.pilot:
        notes.append(Text("试点", "pilot"))
    if task.assumed:
        notes.append(Text("部分依据按默认值", "some inputs are defaults"))
    wave = index.waves.get(index.group_of.get(task.system_id, ""))
    if wave is not None and wave.window.provisional:
        notes.append(Text("日期暂定", "provisional day"))
    return listed(notes, "；", "; ")


def render_plan_csv(plan: MigrationPlan, risks: Sequence[RiskAssessment], lang: Lang) -> str:
    """The same rows; it starts with a byte order mark, without which Excel and WPS take UTF-8 for a local encoding."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([c.title.to(lang) for c in COLUMNS])
    for row in build_sheet_rows(plan, risks, lang):
        writer.writerow([_csv(row[c.key]) for c in COLUMNS])
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()


def _csv(value: Literal) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return guard_formula(clean_text(value)) if isinstance(value, str) else value


def render_plan_sheet(plan: MigrationPlan, risks: Sequence[RiskAssessment], lang: Lang) -> bytes:
    """The workbook's bytes."""
    book = Workbook()
    book.remove(book.worksheets[0])
    page = book.create_sheet(_PLAN.to(lang))
    rows = build_sheet_rows(plan, risks, lang)
    _write_table(page, [[row[c.key] for c in COLUMNS] for row in rows], lang)
    days = _write_windows(book.create_sheet(_WINDOWS.to(lang)), plan, lang)
    _write_how_to(book.create_sheet(_HOW.to(lang)), plan, lang)
    marks = book.create_sheet(MARK_SHEET)
    for column, text in enumerate((MARK, plan.plan_id, plan.plan_hash), start=1):
        put_literal(_cell(marks, 1, column), text)
    for row_number, crew in enumerate(plan.problem.crews, start=2):
        put_literal(_cell(marks, row_number, 1), crew.name)
    marks.sheet_state = "hidden"
    last = len(rows) + 1 + _SPARE
    if days:
        _offer(page, "opens_on", f"'{_WINDOWS.to(lang)}'!$A$2:$A${days + 1}", last, _NO_WINDOW.to(lang))
    if plan.problem.crews:
        _offer(page, "crew", f"'{MARK_SHEET}'!$A$2:$A${len(plan.problem.crews) + 1}", last, _NO_CREW.to(lang))
    book.properties.identifier = clean_text(plan.plan_id)
    book.properties.title = clean_text(_PLAN.to(lang) + " " + plan.plan_id)
    book.properties.creator = "govcloud"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_NO_WINDOW = Text("这一天没有变更窗口，请从列表中选。", "No change window opens on this day: choose one of the list.")
_NO_CREW = Text("没有这个班组，请从列表中选。", "There is no such crew: choose one of the list.")


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)  # noqa: S101 - nothing is merged here
    return cell


def _write_table(page: Worksheet, rows: Sequence[Sequence[Literal]], lang: Lang) -> None:
    for number, column in enumerate(COLUMNS, start=1):
        head = _cell(page, 1, number)
        put_literal(head, column.title.to(lang))
        head.font, head.border = _BOLD, _LINE
        head.fill = _EDIT if column.edited else _HEAD
        head.alignment = Alignment(vertical="center", wrap_text=True)
        page.column_dimensions[get_column_letter(number)].width = column.width
    for row_number, row in enumerate(rows, start=2):
        for number, value in enumerate(row, start=1):
            if value is not None and value != "":
                put_literal(_cell(page, row_number, number), value)
    page.freeze_panes = "E2"
    page.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{max(len(rows), 1) + 1}"
    page.print_title_rows = "1:1"
    page.page_setup.paperSize = 9  # A4
    page.page_setup.orientation = "landscape"
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_setup.fitToHeight = 0


def _offer(page: Worksheet, key: str, cells: str, last: int, refusal: str) -> None:
    letter = get_column_letter([c.key for c in COLUMNS].index(key) + 1)
    check = DataValidation(type="list", formula1=f"={cells}", allow_blank=True, showErrorMessage=True, error=refusal)
    page.add_data_validation(check)
    check.add(f"{letter}2:{letter}{last}")


_WINDOW_HEADS = (
    Text("窗口日期", "Window"), Text("开始", "From"), Text("结束", "To"), Text("分钟", "Minutes"),
    Text("批次", "Wave"), Text("系统数", "Systems"), Text("班组剩余分钟", "Crew minutes left"), Text("限制", "Closed for some"),
)  # fmt: skip


def _write_windows(page: Worksheet, plan: MigrationPlan, lang: Lang) -> int:
    """The windows that no general freeze closes, the used ones with what is left of them; how many."""
    for number, title in enumerate(_WINDOW_HEADS, start=1):
        head = _cell(page, 1, number)
        put_literal(head, title.to(lang))
        head.font, head.fill, head.border = _BOLD, _HEAD, _LINE
        page.column_dimensions[get_column_letter(number)].width = 14 if number < len(_WINDOW_HEADS) else 40
    waves = {w.window.window_id: w for w in plan.waves}
    spent = build_crew_minutes(plan)
    zone = build_index(plan).zone
    row_number = 1
    for window in plan.problem.windows:
        met = freezes_over(plan, window.starts_at, window.ends_at)
        wave = waves.get(window.window_id)
        if wave is None and any(is_general(f) for f in met):
            continue
        row_number += 1
        length = minutes(window.starts_at, window.ends_at)
        left = length * len(plan.problem.crews) - sum(spent.get(window.window_id, {}).values())
        values: tuple[Literal, ...] = (
            window.opens_on, clock(window.starts_at, window.starts_at, zone).to(lang),
            clock(window.ends_at, window.starts_at, zone).to(lang), length, wave.number if wave else None,
            len(wave.moves) if wave else None, left, listed(f.title for f in met).to(lang) or None,
        )  # fmt: skip
        for number, value in enumerate(values, start=1):
            put_literal(_cell(page, row_number, number), value)
    page.freeze_panes = "A2"
    return row_number - 1


def _write_how_to(page: Worksheet, plan: MigrationPlan, lang: Lang) -> None:
    """In the reader's language first, then in the other one: the file goes through many hands."""
    other: Lang = "en" if lang == "zh" else "zh"
    lines = [text.format(p=plan.plan_id).to(one) for one in (lang, other) for text in _INSTRUCTIONS]
    lines.insert(len(_INSTRUCTIONS), "")
    for number, line in enumerate(lines, start=1):
        cell = _cell(page, number, 1)
        put_literal(cell, line or None)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    page.column_dimensions["A"].width = 110
