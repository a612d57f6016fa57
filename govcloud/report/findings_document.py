"""List of findings (合规问题清单): by clause, by department, and item by item with what to do; or a department's own one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from govcloud.model.regulation import Clause, Finding, Severity
from govcloud.model.text import Lang, Text
from govcloud.report.bar_chart import render_bars
from govcloud.report.document import Figure, Section
from govcloud.report.findings import SEVERITY, build_undetermined_view, due_text, role_text, term
from govcloud.report.frame import day_text
from govcloud.report.overview import build_finding_numbers
from govcloud.report.paper_view import choose_columns
from govcloud.report.view import Cell, Column, View
from govcloud.report.waivers import build_waived_view

_COLORS: Mapping[Severity, str] = {"high": "#8c2d23", "medium": "#d9903d", "low": "#a9cbe8", "info": "#dfe3e7"}
_NONE = Text("（未填部门）", "(no department)")


def build_findings_sections(
    findings: Sequence[Finding], clauses: Mapping[str, Clause], *, as_of: date, documents: Sequence[Text], today: date,
    department: str | None = None,
) -> tuple[Section, ...]:  # fmt: skip
    """`findings`: open ones, the most urgent first. `as_of`, `documents`: of the check that found them; the documents by name."""
    failed = [f for f in findings if f.verdict == "fail" and f.standing == "binding" and not f.waived]
    numbers = build_finding_numbers(findings)
    by_clause, items = build_clause_view(failed, clauses), build_rectification_view(failed)
    tables: tuple[View, ...] = (by_clause, build_department_view(failed))
    if department:
        tables = (choose_columns(by_clause, {c.key for c in by_clause.columns} - {"departments"}),)
    rest = (build_waived_view(findings, today), build_undetermined_view(findings))
    return (
        Section(
            section_id="overview", title=Text("概况", "Overview"),
            paragraphs=(
                Text("最近一次核对截至{day}，依据：{docs}。", "Last checked as of {day} under: {docs}.").format(
                    day=day_text(as_of), docs=Text("；".join(d.zh for d in documents), "; ".join(d.en for d in documents))
                ),
                Text("条款只引编号，内容为转述，以正式文本为准。",
                     "Clauses are cited by number and paraphrased; the official text prevails."),
            ),
            numbers=numbers, figures=(_figure(failed),) if failed and not department else (),
        ),
        Section(section_id="clauses", title=Text("问题分布", "Distribution"), views=tables if failed else (),
                missing=None if failed else Text("没有不符合项。", "There are no findings.")),
        *((Section(section_id="findings", title=items.title, views=(items,)),) if failed else ()),
        *(
            Section(section_id=view.name, title=view.title, views=(view,))
            for view in rest if view.rows
        ),
    )  # fmt: skip


def _figure(failed: Sequence[Finding]) -> Figure:
    counts = Counter((f.department, str(f.severity)) for f in failed)
    kinds = {str(code): (SEVERITY[code], color) for code, color in _COLORS.items()}

    def drawn(lang: Lang) -> str:
        return render_bars(
            counts, kinds, lang, axis=Text("问题数", "Findings"), unknown=_NONE,
            others=Text("其他 {n} 个部门", "{n} other departments"),
        )  # fmt: skip

    return Figure(title=Text("各部门问题数", "Findings by department"), svg=Text(drawn("zh"), drawn("en")))


def build_clause_view(failed: Sequence[Finding], clauses: Mapping[str, Clause]) -> View:
    """A row a clause, the most often broken first; a finding under two clauses counts for both."""
    groups: dict[str, list[Finding]] = {}
    for finding in failed:
        for clause_id in finding.clauses:
            groups.setdefault(clause_id, []).append(finding)
    return View(
        name="findings_by_clause",
        title=Text("按条款", "By clause"),
        columns=(
            Column("clause", Text("条款", "Clause")),
            Column("obligation", Text("要求（转述）", "Requirement (paraphrased)")),
            *_counts(failed),
            Column("departments", Text("部门", "Departments"), "right"),
            Column("consequence", Text("条文后果", "Consequence stated")),
        ),
        rows=tuple(
            {
                "clause": clause_id,
                "obligation": clauses[clause_id].obligation if clause_id in clauses else None,
                **_tally(group),
                "departments": len({f.department for f in group}),
                "consequence": clauses[clause_id].consequence if clause_id in clauses else None,
            }
            for clause_id, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
        ),
    )


def build_department_view(failed: Sequence[Finding]) -> View:
    groups: dict[str | None, list[Finding]] = {}
    for finding in failed:
        groups.setdefault(finding.department, []).append(finding)
    return View(
        name="findings_by_department",
        title=Text("按部门", "By department"),
        columns=(
            Column("department", Text("部门", "Department")),
            *_counts(failed),
            Column("subjects", Text("涉及对象", "Subjects"), "right"),
            Column("clauses", Text("涉及条款", "Clauses")),
        ),
        rows=tuple(
            {
                "department": department or _NONE, **_tally(group), "subjects": len({f.subject_id for f in group}),
                "clauses": sorted({clause for f in group for clause in f.clauses}),
            }
            for department, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0] or ""))
        ),
    )  # fmt: skip


def build_rectification_view(failed: Sequence[Finding]) -> View:
    """Item by item, with what its department has to do."""
    return View(
        name="rectification",
        title=Text("问题与整改要求", "Findings and required action"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("subject", Text("对象", "Subject")),
            Column("message", Text("问题", "Problem")),
            Column("severity", Text("程度", "Severity")),
            Column("clauses", Text("条款", "Clauses")),
            Column("next_step", Text("整改要求", "Required action")),
            Column("responsible", Text("责任方", "Responsible")),
            Column("due_on", Text("期限", "Due")),
            Column("finding_id", Text("编号", "Id")),
        ),
        rows=tuple(_row(f) for f in failed),
    )


def _row(finding: Finding) -> dict[str, Cell]:
    return {
        "department": finding.department,
        "subject": " ".join(part for part in (finding.subject_id, finding.subject_name) if part),
        "message": finding.message,
        "severity": term(SEVERITY, finding.severity),
        "clauses": finding.clauses,
        "next_step": finding.next_step,
        "responsible": role_text(finding.responsible, finding.responsible_term),
        "due_on": due_text(finding),
        "finding_id": finding.finding_id,
    }


def _counts(failed: Sequence[Finding]) -> Iterable[Column]:
    found = {f.severity for f in failed}
    return (
        Column("findings", Text("问题", "Findings"), "right"),
        *(Column(code, word, "right") for code, word in SEVERITY.items() if code in found),
    )


def _tally(group: Sequence[Finding]) -> dict[str, Cell]:
    counts = Counter(f.severity for f in group)
    return {"findings": len(group), **{str(code): counts[code] for code in SEVERITY}}
