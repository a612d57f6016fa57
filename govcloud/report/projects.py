"""Views of project records and of what the clauses want done by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from govcloud.model.deadline import DueStatus, Duty, ProjectDeadline
from govcloud.model.inventory import Project
from govcloud.model.regulation import Regulation
from govcloud.model.text import Term, Text, same
from govcloud.report.findings import NO_CLAUSE, role_text, term
from govcloud.report.view import Cell, Column, View

EVENT: Mapping[str, Text] = {
    "contract_signed": Text("合同签订", "contract signed"),
    "supervisor_chosen": Text("监理选定", "supervision firm chosen"),
    "construction_completed": Text("建设完成", "construction completed"),
    "acceptance_completed": Text("验收完成", "acceptance completed"),
    "accepted_and_in_use": Text("验收并投用", "accepted and in use"),
    "budget_year_ended": Text("预算年度结束", "budget year ended"),
    "material_change": Text("重大变化", "material change"),
    "security_incident": Text("安全事件", "security incident"),
}
STATUS: Mapping[DueStatus, Text] = {
    "overdue": Text("已超期", "overdue"),
    "due": Text("未到期", "due"),
    "done_late": Text("迟办", "done late"),
    "done_in_time": Text("按期", "done in time"),
    "undetermined": Text("不能判定", "undetermined"),
}
_NO_PARTY = Text("条文未写明", "not named")


def build_projects_view(projects: Sequence[Project]) -> View:
    columns: tuple[tuple[str, Text], ...] = (
        ("project_id", Text("编号", "Id")),
        ("name", Text("项目名称", "Name")),
        ("department", Text("部门", "Department")),
        ("systems", Text("系统", "Systems")),
        ("builder", Text("建设单位", "Builder")),
        ("contract_signed_on", Text("合同签订", "Contract signed")),
        ("contract_filed_on", Text("合同备案", "Contract filed")),
        ("construction_completed_on", Text("建设完成", "Construction done")),
        ("acceptance_completed_on", Text("验收完成", "Accepted")),
        ("acceptance_filed_on", Text("验收备案", "Report filed")),
    )
    return View(
        name="projects",
        title=Text("项目", "Projects"),
        columns=tuple(Column(key, title) for key, title in columns),
        rows=tuple({key: getattr(project, key) for key, _ in columns} for project in projects),
        notes=(Text("共 {n} 个项目", "{n} projects").format(n=len(projects)),),
    )


def build_deadlines_view(rows: Sequence[ProjectDeadline], own: Regulation, as_of: date) -> View:
    """The most urgent first. An empty table in an office with clauses means that no project's clock has started."""
    overdue = sum(r.status == "overdue" for r in rows)
    notes = [
        Text("截至 {day}：{n} 项，超期 {late} 项。", "As of {day}: {n} duties, {late} overdue.").format(
            day=as_of.isoformat(), n=len(rows), late=overdue
        )
    ]
    if any(r.duty.provisional for r in rows):
        notes.append(_PROVISIONAL)
    return View(
        name="deadlines",
        title=Text("项目法定时限", "Statutory deadlines of projects"),
        columns=(
            Column("status", Text("状态", "Status")),
            Column("due_on", Text("期限", "Due")),
            Column("days_left", Text("剩余天数", "Days left"), "right"),
            Column("project_id", Text("项目", "Project")),
            Column("name", Text("名称", "Name")),
            Column("department", Text("部门", "Department")),
            Column("event", Text("起算", "Counted from")),
            Column("happened_on", Text("起算日", "Since")),
            Column("done_on", Text("办结日", "Done")),
            Column("clause_id", Text("条款", "Clause")),
            Column("recipients", Text("报送", "To")),
            Column("provisional", Text("暂估", "Provisional")),
        ),
        rows=tuple(
            {
                "status": term(STATUS, r.status),
                "due_on": r.duty.due_on,
                "days_left": r.days_left,
                "project_id": r.project_id,
                "name": r.project_name,
                "department": r.department,
                "event": term(EVENT, r.event),
                "happened_on": r.happened_on,
                "done_on": r.done_on,
                "clause_id": r.duty.clause_id,
                "recipients": _parties(r.duty.recipients, own),
                "provisional": r.duty.provisional,
            }
            for r in rows
        ),
        notes=tuple(notes),
        facts={"as_of": as_of, "overdue": overdue},
    )


_PROVISIONAL = Text(
    "暂估：跨入放假安排尚未公布的年份，按周一至周五减固定节假日推算，公布后可能变动。",
    "Provisional: it crosses into a year whose holidays are not published; Monday to Friday less fixed holidays, it may move.",
)


def build_due_view(binding: Sequence[Duty], reference: Sequence[Duty], own: Regulation, event: str, on: date) -> View:
    """Who must do what by when after an event. Without a clause of its own the office is told so."""
    notes: list[Text] = []
    if not binding:
        notes.append(Text("{r}：{none}", "{r}: {none}").format(r=own.title, none=NO_CLAUSE))
        if reference:
            ids = ", ".join(duty.clause_id for duty in reference)
            notes.append(Text("上级条款供参照：{ids}", "Higher-level clauses for reference: {ids}").format(ids=ids))
    if any(duty.due_on is None for duty in binding):
        notes.append(Text("没有日期的条款：条文未写期限。", "Clauses without a date: the text gives no number."))
    if any(duty.provisional for duty in binding):
        notes.append(_PROVISIONAL)
    if own.note is not None:
        notes.append(own.note)
    return View(
        name="duties",
        title=Text("{event}（{day}）后的事项", "What follows: {event} on {day}").format(
            event=EVENT.get(event, same(event)), day=on.isoformat()
        ),
        columns=(
            Column("clause_id", Text("条款", "Clause")),
            Column("actor", Text("责任方", "Who")),
            Column("action", Text("事项", "What")),
            Column("recipients", Text("报送", "To")),
            Column("due_on", Text("期限", "Due")),
            Column("earliest_on", Text("最早", "Not before")),
            Column("provisional", Text("暂估", "Provisional")),
        ),
        rows=tuple(
            {
                "clause_id": duty.clause_id,
                "actor": _parties(duty.actor, own),
                "action": duty.action,
                "recipients": _parties(duty.recipients, own, always_list=True),
                "due_on": duty.due_on,
                "earliest_on": duty.earliest_on,
                "provisional": duty.provisional,
            }
            for duty in binding
        ),
        notes=tuple(notes),
        facts={
            "event": event,
            "on": on,
            "jurisdiction": own.regulation_id,
            "terms": {role: name for role, name in own.roles.items() if name is not None},
            "for_reference": [duty.clause_id for duty in reference],
        },
    )


def _parties(roles: Sequence[str], own: Regulation, *, always_list: bool = False) -> Cell:
    """Local terms for people, role ids for scripts: one id for one party unless a list is wanted."""
    if not roles:
        return Term(_NO_PARTY.zh, _NO_PARTY.en, ()) if always_list else None
    texts = [role_text(role, own.roles.get(role)) for role in roles]
    code: str | tuple[str, ...] = tuple(roles) if always_list or len(roles) > 1 else roles[0]
    return Term("、".join(t.zh for t in texts), ", ".join(t.en for t in texts), code)
