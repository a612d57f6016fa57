"""Views of the work of a plan: every activity with its dates, and the closing of networks."""

from __future__ import annotations

from datetime import date

from govcloud.model.plan import MigrationPlan
from govcloud.model.plan_names import JOB_NAMES
from govcloud.model.plan_problem import NetworkRetirement
from govcloud.model.text import Text
from govcloud.report.findings import term
from govcloud.report.plan_index import PlanIndex, build_index, minutes
from govcloud.report.plan_words import CALENDAR
from govcloud.report.view import Cell, Column, View

_SUBJECT = Column("subject_id", Text("编号", "Id"))
_NAME = Column("name", Text("系统或专网", "Systems or network"))


def build_jobs_view(plan: MigrationPlan, wave: int | None = None) -> View:
    """All work of groups and networks by start, the cutovers among it; days are local and both included. `wave`: only
    that of its groups."""
    index = build_index(plan)
    shown = None if wave is None else {g for g, w in index.waves.items() if w.number == wave}
    rows: list[dict[str, Cell]] = []
    for activity in plan.activities:
        if shown is not None and activity.subject_id not in shown:
            continue
        job = index.jobs.get(activity.job_id)
        rows.append(
            {
                "job_id": activity.job_id, "subject_id": activity.subject_id, "name": index.name(activity.subject_id),
                "kind": term(JOB_NAMES, activity.kind), "starts_on": activity.starts_on,
                "ends_on": activity.ends_on if activity.ends_on >= activity.starts_on else None,
                "length": job.length if job else None, "calendar": term(CALENDAR, job.calendar) if job else None,
                "wave": None, "crew": activity.crew,
            }
        )  # fmt: skip
    for group_id, of in index.waves.items():
        if shown is not None and group_id not in shown:
            continue
        moves = index.moves[group_id]
        length = minutes(min(m.starts_at for m in moves), max(m.ends_at for m in moves))
        rows.append(
            {
                "job_id": f"{group_id}/cutover", "subject_id": group_id, "name": index.name(group_id),
                "kind": term(JOB_NAMES, "cutover"), "starts_on": of.window.opens_on, "ends_on": of.window.opens_on,
                "length": length, "calendar": term(CALENDAR, "window"), "wave": of.number, "crew": moves[0].crew,
            }
        )  # fmt: skip
    rows.sort(key=lambda row: (str(row["starts_on"]), str(row["job_id"])))
    columns = (
        Column("starts_on", Text("开始", "From")),
        Column("ends_on", Text("结束（含）", "To (included)")),
        _SUBJECT,
        _NAME,
        Column("kind", Text("工作", "Work")),
        Column("length", Text("时长", "Length"), "right"),
        Column("calendar", Text("计算方式", "Counted in")),
        Column("wave", Text("批次", "Wave"), "right"),
        Column("crew", Text("班组", "Crew")),
        Column("job_id", Text("工作编号", "Job")),
    )
    note = Text("时长：变更窗口以分钟计，其余以天计", "Length: minutes in a change window, days otherwise")
    return View(name="jobs", title=Text("工作安排", "Work by date"), columns=columns, rows=tuple(rows), notes=(note,) if rows else ())  # fmt: skip


def build_retirements_view(plan: MigrationPlan) -> View:
    """Every dedicated network that the plan empties: when its last system leaves it, when it is closed, how late that is."""
    index = build_index(plan)
    rows: list[dict[str, Cell]] = []
    for network in plan.problem.retirements:
        close = next((a for a in index.activities.get(network.network_id, ()) if a.kind == "close"), None)
        cutovers = [index.waves[g].window.opens_on for g in network.group_ids if g in index.waves]
        rows.append(
            {
                "network_id": network.network_id, "name": network.name, "department": network.department,
                "groups": len(network.group_ids), "last_cutover_on": max(cutovers, default=None),
                "starts_on": close.starts_on if close else None, "ends_on": close.ends_on if close else None,
                "due_on": network.due_on, "late_days": _late(network, close.ends_on if close else None),
                "staying": network.staying, "remark": _remark(network, closed=close is not None, index=index),
            }
        )  # fmt: skip
    columns = (
        Column("network_id", Text("专网编号", "Network")),
        Column("name", Text("专网名称", "Name")),
        Column("department", Text("部门", "Department")),
        Column("groups", Text("迁移组", "Groups"), "right"),
        Column("last_cutover_on", Text("最后割接", "Last cutover")),
        Column("starts_on", Text("撤销开始", "Closing from")),
        Column("ends_on", Text("撤销完成", "Closed on")),
        Column("due_on", Text("要求日期", "Due")),
        Column("late_days", Text("逾期天数", "Days late"), "right"),
        Column("staying", Text("仍留在网内的系统", "Systems that stay on it")),
        Column("remark", Text("说明", "Remark")),
    )
    return View(name="retirements", title=Text("业务专网撤销", "Closing of dedicated networks"), columns=columns, rows=tuple(rows))  # fmt: skip


def _late(network: NetworkRetirement, closed_on: date | None) -> int | None:
    if network.due_on is None or closed_on is None:
        return None
    return max(0, (closed_on - network.due_on).days)


def _remark(network: NetworkRetirement, *, closed: bool, index: PlanIndex) -> Text | None:
    if closed:
        return None
    if network.staying:
        return Text("{n} 个系统不在计划中，专网不能撤销", "{n} systems are not planned: it can't be closed").format(
            n=len(network.staying)
        )
    unplaced = {u.system_id for u in index.plan.unplaced}
    left = sum(1 for g in network.group_ids if g in index.groups and unplaced & set(index.groups[g].system_ids))
    return Text("{n} 个组未能排入，撤销日期未定", "{n} groups are not placed: no date yet").format(n=left)
