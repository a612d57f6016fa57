"""A part of a long list of findings, with how many there are at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from govcloud.model.regulation import Finding, Undetermined
from govcloud.model.text import Text
from govcloud.report.findings import STANDING, build_findings_view, finding_fields, term
from govcloud.report.view import Column, View

_FEW = 4


def build_finding_page(findings: Sequence[Finding], total: int, *, reference: bool = False) -> View:
    """The rows of the whole list's view; its notes count what is shown, this one counts all."""
    view = build_findings_view(findings, standing="reference" if reference else "binding")
    notes = [Text("共 {n} 项", "{n} findings").format(n=f"{total:,}")] if total else []
    return replace(view, notes=(*notes, *view.notes[1:]))


def build_undetermined_page(groups: Sequence[Undetermined], total: int) -> View:
    """A row a rule and set of missing fields: what to ask for, and about how many subjects."""
    notes = (
        Text(
            "共 {n} 组。补齐字段后重新检查；未知不作通过处理。",
            "{n} groups. Fill these in and check again; unknown is never a pass.",
        ).format(n=f"{total:,}"),
    )
    return View(
        name="undetermined",
        title=Text("资料不足，不能判定", "Not enough is known for a verdict"),
        columns=(
            Column("title", Text("检查项", "Rule")),
            Column("clauses", Text("条款", "Clauses")),
            Column("standing", Text("效力", "Standing")),
            Column("missing", Text("缺少字段", "Missing fields")),
            Column("count", Text("个数", "Count"), "right"),
            Column("subjects", Text("对象", "Subjects")),
        ),
        rows=tuple(
            {
                "title": g.title, "clauses": g.clauses, "standing": term(STANDING, g.standing),
                "missing": finding_fields(g.missing), "count": len(g.subjects),
                "subjects": [*g.subjects[:_FEW], *([f"+{len(g.subjects) - _FEW}"] if len(g.subjects) > _FEW else [])],
            }
            for g in groups
        ),
        notes=notes if groups else (),
        facts={"details": [
            {"rule_id": g.rule_id, "clauses": g.clauses, "missing": g.missing, "subjects": g.subjects} for g in groups
        ]},
    )  # fmt: skip
