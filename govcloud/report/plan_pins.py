"""Views of what people have fixed in a plan, and of an edited plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from govcloud.model.plan import MigrationPlan, PlanViolation
from govcloud.model.plan_pin import PlanEdit, PlanPin
from govcloud.model.text import Text
from govcloud.report.findings import term
from govcloud.report.plan_words import RULE
from govcloud.report.view import Cell, Column, View

_OUT = Text("暂不排入", "left out")


def build_pins_view(pins: Iterable[PlanPin]) -> View:
    rows: list[dict[str, Cell]] = [
        {
            "system_id": p.system_id, "opens_on": p.opens_on or _OUT, "crew": p.crew, "reason": p.reason,
            "recorded_by": p.recorded_by, "recorded_at": p.recorded_at, "withdrawn_at": p.withdrawn_at,
            "withdrawn_reason": p.withdrawn_reason,
        }
        for p in pins
    ]  # fmt: skip
    ended = any(row["withdrawn_at"] for row in rows)
    columns = (
        Column("system_id", Text("系统编号", "System")),
        Column("opens_on", Text("窗口日期", "Window")),
        Column("crew", Text("班组", "Crew")),
        Column("reason", Text("理由", "Reason")),
        Column("recorded_by", Text("经办人", "By")),
        Column("recorded_at", Text("时间", "At")),
        *((Column("withdrawn_at", Text("取消时间", "Withdrawn")), Column("withdrawn_reason", Text("取消理由", "Why withdrawn"))) if ended else ()),
    )  # fmt: skip
    return View(name="pins", title=Text("人工固定的安排", "Pins"), columns=columns, rows=tuple(rows))


def build_edits_views(
    plan: MigrationPlan, edits: Sequence[PlanEdit], violations: Sequence[PlanViolation], missing: Sequence[str]
) -> tuple[View, ...]:
    """What an edited sheet changes, and what the plan would break with these changes alone."""
    at = {m.system_id: (w.window.opens_on, m.crew) for w in plan.waves for m in w.moves}
    rows: list[dict[str, Cell]] = []
    for edit in edits:
        before_on, before_crew = at.get(edit.system_id, (None, None))
        rows.append(
            {
                "system_id": edit.system_id, "before_on": before_on, "opens_on": edit.opens_on or _OUT,
                "before_crew": before_crew, "crew": edit.crew or before_crew, "row": edit.row,
            }
        )  # fmt: skip
    notes = []
    if not edits:
        notes.append(Text("表中没有改动", "Nothing was changed in the sheet"))
    if missing:
        notes.append(
            Text("表中缺 {n} 个系统，它们的安排不变：{s}", "{n} systems have no row; nothing changes for them: {s}").format(
                n=len(missing), s=", ".join(missing[:10]) + (" …" if len(missing) > 10 else ""))
        )  # fmt: skip
    changes = View(
        name="edits", title=Text("改动", "Edits"), rows=tuple(rows), notes=tuple(notes),
        columns=(
            Column("system_id", Text("系统编号", "System")), Column("before_on", Text("原窗口", "Window before")),
            Column("opens_on", Text("改为", "Now")), Column("before_crew", Text("原班组", "Crew before")),
            Column("crew", Text("现班组", "Crew now")), Column("row", Text("出处", "Row")),
        ),
    )  # fmt: skip
    broken = View(
        name="broken", title=Text("这样改会违反", "What these edits break"),
        columns=(Column("code", Text("规则", "Rule")), Column("subjects", Text("涉及", "Concerns")), Column("text", Text("说明", "What is wrong"))),
        rows=tuple({"code": term(RULE, v.code), "subjects": list(v.subjects), "text": v.text} for v in violations),
        notes=() if violations else (Text("没有违反任何规则", "They break no rule"),),
    )  # fmt: skip
    return changes, broken
