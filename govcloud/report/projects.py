"""Views of project records and of what the clauses want done by when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from govcloud.model.deadline import OPEN, DueStatus, Duty, ProjectDeadline, UndatedDuty
from govcloud.model.inventory import Project
from govcloud.model.regulation import Regulation
from govcloud.model.text import Term, Text, same
from govcloud.report.findings import NO_CLAUSE, role_text, term
from govcloud.report.project_record import field_text, stage_term
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
    "every_year": Text("每年", "every year"),
}
STATUS: Mapping[DueStatus, Text] = {
    "overdue": Text("已超期", "overdue"),
    "due": Text("未到期", "due"),
    "undetermined": Text("不能判定", "undetermined"),
    "contradictory": Text("日期矛盾", "contradictory"),
    "done_late": Text("迟办", "done late"),
    "done_in_time": Text("按期", "done in time"),
}
ACT: Mapping[str, Text] = {
    "contract_filed_on": Text("合同备案", "file the contract"),
    "supervisor_filed_on": Text("监理单位备案", "file the supervision firm"),
    "acceptance_applied_on": Text("申请竣工验收", "apply for acceptance"),
    "acceptance_filed_on": Text("验收报告备案", "file the acceptance report"),
    "self_evaluated_on": Text("自评价", "self-evaluate"),
    "progress_reported_on": Text("报告建设进度", "report the progress"),
}
"""Field that records the act -> what is to be done."""
OFFICE = Text("本单位", "the office itself")
DUE_TODAY = Text("今天到期", "due today")
Terms = Mapping[str, str | None]
"""Role id -> what the office's document calls the party."""
_NO_PARTY = Text("条文未写明", "not named")


def build_projects_view(projects: Sequence[Project]) -> View:
    columns: tuple[tuple[str, Text], ...] = (
        ("project_id", Text("编号", "Id")),
        ("name", Text("项目名称", "Name")),
        ("department", Text("部门", "Department")),
        ("stage", Text("阶段", "Stage")),
        ("lead", Text("负责人", "In charge")),
        ("builder", Text("建设单位", "Builder")),
        ("budget_yuan", Text("预算（元）", "Budget (yuan)")),
        ("systems", Text("系统", "Systems")),
        ("contract_signed_on", Text("合同签订", "Contract signed")),
        ("contract_filed_on", Text("合同备案", "Contract filed")),
        ("construction_completed_on", Text("建设完成", "Construction done")),
        ("acceptance_completed_on", Text("验收完成", "Accepted")),
        ("acceptance_filed_on", Text("验收备案", "Report filed")),
        ("self_evaluated_on", Text("自评价", "Self-evaluated")),
    )
    return View(
        name="projects",
        title=Text("项目", "Projects"),
        columns=tuple(Column(key, title, "right" if key == "budget_yuan" else "left") for key, title in columns),
        rows=tuple(
            {**{key: getattr(project, key) for key, _ in columns if key != "stage"}, "stage": stage_term(project)}
            for project in projects
        ),
        notes=(Text("共 {n} 个项目", "{n} projects").format(n=len(projects)),),
    )


_DEADLINE_COLUMNS = (
    Column("status", Text("状态", "Status")),
    Column("due_on", Text("期限", "Due")),
    Column("days_left", Text("剩余天数", "Days left"), "right"),
    Column("provisional", Text("暂估", "Provisional")),
    Column("project_id", Text("项目", "Project")),
    Column("name", Text("名称", "Name")),
    Column("department", Text("部门", "Department")),
    Column("act", Text("事项", "What")),
    Column("clause_id", Text("条款", "Clause")),
    Column("recipients", Text("报送", "To")),
    Column("event", Text("起算", "Counted from")),
    Column("happened_on", Text("起算日", "Since")),
    Column("earliest_on", Text("最早", "Not before")),
    Column("done_on", Text("办理日", "Done")),
    Column("missing", Text("所缺", "Missing")),
    Column("remark", Text("说明", "Remark")),
)
"""What follows by the clause is said once a clause, under the table: it is long, and the same in every row."""


def build_deadlines_view(
    rows: Sequence[ProjectDeadline], own: Regulation, as_of: date, *, reference: bool = False,
    undated: Sequence[UndatedDuty] = (), shown: Sequence[ProjectDeadline] | None = None,
) -> View:  # fmt: skip
    """The most urgent first. An empty table in an office with clauses means that no project's clock has started.

    `reference`: the clauses are those of a higher level that do not bind the office; no term of its own is used.
    `shown`: the part of a long list that a page has; the sums are of all.
    """
    counts = Counter(r.status for r in rows)
    notes = [
        Text("截至 {day}：{n} 项，{counts}。", "As of {day}: {counts} ({n} in all).").format(
            day=as_of.isoformat(), n=len(rows), counts=_counted(counts)
        )
    ]
    if any(r.duty.provisional for r in rows):
        notes.append(PROVISIONAL)
    consequences = {
        r.duty.clause_id: r.duty.consequence for r in rows if r.status in OPEN and r.duty.consequence is not None
    }
    notes += [
        Text("{c} 的后果：{t}", "Consequence under {c}: {t}").format(c=c, t=text)
        for c, text in sorted(consequences.items())
    ]
    if undated:
        notes.append(_undated(undated))
    title = Text("上级条款的时限（供参照，不适用本单位）", "Deadlines of higher-level clauses, for reference only")
    return View(
        name="deadlines_reference" if reference else "deadlines",
        title=title if reference else Text("项目法定时限", "Statutory deadlines of projects"),
        columns=_DEADLINE_COLUMNS,
        rows=tuple(_deadline_row(r, {} if reference else own.roles) for r in (rows if shown is None else shown)),
        notes=tuple(notes),
        facts={
            "as_of": as_of,
            "overdue": counts["overdue"],
            "counts": {status: counts[status] for status in STATUS},
            "consequences": consequences,
            "undated": {d.clause_id: d.projects for d in undated},
        },
    )


def build_office_view(rows: Sequence[ProjectDeadline], own: Regulation) -> View:
    """The next date of each yearly duty that is the office's own, of no project."""
    return View(
        name="deadlines_office",
        title=Text("本单位每年的事项", "Yearly duties of the office itself"),
        columns=(
            Column("status", Text("状态", "Status")),
            Column("due_on", Text("期限", "Due")),
            Column("days_left", Text("剩余天数", "Days left"), "right"),
            Column("act", Text("事项", "What")),
            Column("clause_id", Text("条款", "Clause")),
            Column("recipients", Text("报送", "To")),
            Column("consequence", Text("后果", "Consequence")),
        ),
        rows=tuple(
            {
                "status": _status(r),
                "due_on": r.duty.due_on,
                "days_left": r.days_left,
                "act": r.duty.action,
                "clause_id": r.duty.clause_id,
                "recipients": _parties(r.duty.recipients, own.roles),
                "consequence": r.duty.consequence,
            }
            for r in rows
        ),
        notes=(
            Text(
                "台账不记录是否已办，只列下一个日期。",
                "Whether it was done is not recorded; only the next date is shown.",
            ),
        ),
    )


def _undated(undated: Sequence[UndatedDuty]) -> Text:
    acts = [
        Text("{c} {a}（{n} 个项目）", "{c} {a} ({n} projects)").format(
            c=d.clause_id, a=ACT.get(d.record, d.action), n=d.projects
        )
        for d in undated
    ]
    listed = Text("；".join(t.zh for t in acts), "; ".join(t.en for t in acts))
    return Text(
        "条文未写期限、台账尚无记录：{listed}", "Not recorded yet, and the clause gives no number of days: {listed}"
    ).format(listed=listed)


def _counted(counts: Mapping[DueStatus, int]) -> Text:
    found = [Text("{s} {n}", "{n} {s}").format(s=text, n=counts[s]) for s, text in STATUS.items() if counts.get(s)]
    return Text("，".join(t.zh for t in found) or "没有事项", ", ".join(t.en for t in found) or "none")


def _deadline_row(r: ProjectDeadline, terms: Terms) -> dict[str, Cell]:
    return {
        "status": _status(r),
        "due_on": r.duty.due_on,
        "days_left": r.days_left,
        "provisional": r.duty.provisional,
        "project_id": r.project_id,
        "name": r.project_name if r.project_id is not None else OFFICE,
        "department": r.department,
        "act": act_text(r),
        "clause_id": r.duty.clause_id,
        "recipients": _parties(r.duty.recipients, terms),
        "event": term(EVENT, r.event),
        "happened_on": r.happened_on,
        "earliest_on": r.duty.earliest_on,
        "done_on": r.done_on,
        "missing": missing_term(r, terms),
        "remark": remark_text(r, terms),
    }


def _status(r: ProjectDeadline) -> Term:
    text, left = STATUS[r.status], r.days_left
    if left is not None:
        days = Text("1 天", "1 day") if abs(left) == 1 else Text("{n} 天", "{n} days").format(n=abs(left))
        late = Text("已超期 {d}", "overdue by {d}").format(d=days)
        text = late if left < 0 else Text("{d}后到期", "due in {d}").format(d=days) if left else DUE_TODAY
    return Term(text.zh, text.en, r.status)


def act_text(r: ProjectDeadline) -> Text:
    """The act in a word or two; the clause's own obligation where the records have no field for it."""
    return ACT.get(r.record or "", r.duty.action)


def missing_term(r: ProjectDeadline, terms: Terms) -> Term | None:
    """Dates that are not known, and offices that a filing has not gone to."""
    texts = [field_text(name) for name in r.missing] + [role_text(role, terms.get(role)) for role in r.not_filed_with]
    if not texts:
        return None
    return Term("、".join(t.zh for t in texts), ", ".join(t.en for t in texts), (*r.missing, *r.not_filed_with))


def remark_text(r: ProjectDeadline, terms: Terms) -> Text | None:
    """What a person has to know beside the dates."""
    told: list[Text] = []
    for (late, late_on), (first, first_on) in zip(r.contradicts[::2], r.contradicts[1::2], strict=True):
        told.append(
            Text("{a} {x} 早于 {b} {y}，请核对台账", "{a} {x} is before {b} {y}: check the record").format(
                a=field_text(late), x=late_on.isoformat(), b=field_text(first), y=first_on.isoformat()
            )
        )
    if r.extended_from is not None:
        told.append(
            Text("已批准延期，原期限 {d}", "extended; by the clause alone {d}").format(d=r.extended_from.isoformat())
        )
    if r.recipients_unknown:
        told.append(
            Text(
                "台账未写备案部门，不能核对是否已分别报{who}",
                "the record does not say with whom; whether {who} have it is open",
            ).format(who=_named(r.duty.recipients, terms))
        )
    if r.too_early:
        told.append(Text("早于最早日的办理不计", "an act before the first day does not count"))
    if r.project_id is None:
        told.append(Text("台账不记录是否已办", "no record says whether it was done"))
    told += [r.duty.note] if r.duty.note is not None else []
    return Text("；".join(t.zh for t in told), "; ".join(t.en for t in told)) if told else None


PROVISIONAL = Text(
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
        notes.append(PROVISIONAL)
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
            Column("consequence", Text("后果", "Consequence")),
        ),
        rows=tuple(
            {
                "clause_id": duty.clause_id,
                "actor": _parties(duty.actor, own.roles),
                "action": duty.action,
                "recipients": _parties(duty.recipients, own.roles, always_list=True),
                "due_on": duty.due_on,
                "earliest_on": duty.earliest_on,
                "provisional": duty.provisional,
                "consequence": duty.consequence,
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


def _parties(roles: Sequence[str], terms: Terms, *, always_list: bool = False) -> Cell:
    """Local terms for people, role ids for scripts: one id for one party unless a list is wanted."""
    if not roles:
        return Term(_NO_PARTY.zh, _NO_PARTY.en, ()) if always_list else None
    named = _named(roles, terms)
    code: str | tuple[str, ...] = tuple(roles) if always_list or len(roles) > 1 else roles[0]
    return Term(named.zh, named.en, code)


def _named(roles: Sequence[str], terms: Terms) -> Text:
    texts = [role_text(role, terms.get(role)) for role in roles]
    return Text("、".join(t.zh for t in texts), ", ".join(t.en for t in texts))
