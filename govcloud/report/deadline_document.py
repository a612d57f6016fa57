"""List of deadlines (期限清单): what is overdue, what comes next, by department and item by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from govcloud.model.deadline import ProjectDeadline, UndatedDuty
from govcloud.model.regulation import Regulation
from govcloud.model.text import Text
from govcloud.report.document import Number, Section
from govcloud.report.frame import day_text
from govcloud.report.paper_view import drop_empty_columns
from govcloud.report.projects import build_deadlines_view, build_office_view
from govcloud.report.view import Column, View

SOON_DAYS = 30
_NONE = Text("（未填部门）", "(no department)")


def build_deadline_sections(
    rows: Sequence[ProjectDeadline], office: Sequence[ProjectDeadline], reference: Sequence[ProjectDeadline],
    undated: Sequence[UndatedDuty], own: Regulation, as_of: date,
) -> tuple[Section, ...]:  # fmt: skip
    by_clause = _on_paper(build_deadlines_view(rows, own, as_of, undated=undated))
    return (
        Section(
            section_id="overview", title=Text("概况", "Overview"), numbers=_numbers(rows),
            intro=Text(
                "截至{day}，按工作日日历推算。条款只引编号，内容为转述，以正式文本为准。",
                "As of {day}, by the calendar of working days. Clauses are cited by number and paraphrased; the official text prevails.",
            ).format(day=day_text(as_of)),
            views=(build_department_deadlines_view(rows),) if rows else (),
        ),
        Section(section_id="deadlines", title=by_clause.title, views=(by_clause,)),
        *((Section(section_id="office", title=(v := _on_paper(build_office_view(office, own))).title, views=(v,)),) if office else ()),
        *((Section(section_id="reference", title=(v := _on_paper(build_deadlines_view(reference, own, as_of, reference=True))).title,
                   views=(v,)),) if reference else ()),
    )  # fmt: skip


def _on_paper(view: View) -> View:
    """The status says how many days are left, the name which project it is; nothing is said of what is not provisional."""
    rows = tuple(
        {
            **row, "days_left": None, "project_id": None, "provisional": row.get("provisional") or None,
            "name": " ".join(str(row[key]) for key in ("project_id", "name") if row.get(key) and isinstance(row[key], str))
            or row.get("name"),
        }
        for row in view.rows
    )  # fmt: skip
    return drop_empty_columns(replace(view, rows=rows))


def _is_soon(row: ProjectDeadline) -> bool:
    return row.status == "due" and row.days_left is not None and row.days_left <= SOON_DAYS


def _numbers(rows: Sequence[ProjectDeadline]) -> tuple[Number, ...]:
    counts = Counter(row.status for row in rows)
    unit = Text("项", "")
    soon = sum(map(_is_soon, rows))
    unknown = counts["undetermined"] + counts["contradictory"]
    return (
        Number(label=Text("已超期", "Overdue"), value=counts["overdue"], unit=unit, tone="bad" if counts["overdue"] else "good",
               note=Text("法定时限共 {n} 项", "of {n} statutory deadlines").format(n=len(rows))),
        Number(label=Text("{d} 天内到期", "Due within {d} days").format(d=SOON_DAYS), value=soon, unit=unit,
               tone="warn" if soon else "plain"),
        Number(label=Text("按期办结", "Done in time"), value=counts["done_in_time"], unit=unit,
               note=Text("逾期办结 {n} 项", "done late: {n}").format(n=counts["done_late"])),
        Number(label=Text("不能判定", "Undetermined"), value=unknown, unit=unit, tone="warn" if unknown else "plain",
               note=Text("项目台账缺日期或前后矛盾", "dates missing from the record or contradictory")),
    )  # fmt: skip


def build_department_deadlines_view(rows: Sequence[ProjectDeadline]) -> View:
    """A row a department, the one with most overdue first."""
    groups: dict[str | None, list[ProjectDeadline]] = {}
    for row in rows:
        groups.setdefault(row.department, []).append(row)

    def overdue(group: list[ProjectDeadline]) -> int:
        return sum(r.status == "overdue" for r in group)

    return View(
        name="deadlines_by_department",
        title=Text("按部门", "By department"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("projects", Text("项目", "Projects"), "right"),
            Column("duties", Text("时限", "Deadlines"), "right"),
            Column("overdue", Text("已超期", "Overdue"), "right"),
            Column("soon", Text("{d} 天内到期", "Within {d} days").format(d=SOON_DAYS), "right"),
            Column("next_on", Text("最近期限", "Next due")),
        ),
        rows=tuple(
            {
                "department": department or _NONE, "projects": len({r.project_id for r in group}), "duties": len(group),
                "overdue": overdue(group), "soon": sum(map(_is_soon, group)),
                "next_on": min((r.duty.due_on for r in group if r.status == "due" and r.duty.due_on), default=None),
            }
            for department, group in sorted(groups.items(), key=lambda item: (-overdue(item[1]), item[0] or ""))
        ),
    )  # fmt: skip
