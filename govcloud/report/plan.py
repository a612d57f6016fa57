"""Views of a migration plan: its waves, what they were computed from, what was left out, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.model.plan import GoalValue, MigrationPlan, PlanViolation, RiskAssessment
from govcloud.model.plan_names import INPUT_NAMES
from govcloud.model.text import Text, same
from govcloud.report.findings import term
from govcloud.report.plan_changes import build_diff_view as build_diff_view
from govcloud.report.plan_changes import build_risks_view as build_risks_view
from govcloud.report.plan_explain import build_explanation_views as build_explanation_views
from govcloud.report.plan_goals import build_comparison_view as build_comparison_view
from govcloud.report.plan_goals import build_goals_view as build_goals_view
from govcloud.report.plan_goals import build_proof
from govcloud.report.plan_index import build_index, by_subject
from govcloud.report.plan_jobs import build_jobs_view as build_jobs_view
from govcloud.report.plan_jobs import build_retirements_view as build_retirements_view
from govcloud.report.plan_load import build_calendar_view as build_calendar_view
from govcloud.report.plan_load import build_load_view as build_load_view
from govcloud.report.plan_ties import build_bridges_view as build_bridges_view
from govcloud.report.plan_ties import build_groups_view as build_groups_view
from govcloud.report.plan_ties import build_hubs_view as build_hubs_view
from govcloud.report.plan_ties import build_wave_totals_view as build_wave_totals_view
from govcloud.report.plan_words import CONFIDENCE, DEMAND, LEVEL, PATH, RULE, clock, day_text, listed
from govcloud.report.view import Cell, Column, View


def build_waves_view(plan: MigrationPlan, wave: int | None = None, risks: Sequence[RiskAssessment] = ()) -> View:
    """One row for each system, in order of time; only wave `wave` if it is given. `risks`: of the groups."""
    index = build_index(plan)
    assessed = by_subject(risks)
    rows: list[dict[str, Cell]] = []
    for w in plan.waves:
        if wave is not None and w.number != wave:
            continue
        for move in sorted(w.moves, key=lambda m: (m.starts_at, m.crew, m.system_id)):
            task, risk = index.tasks[move.system_id], assessed.get(move.group_id)
            group = index.groups.get(move.group_id)
            rows.append(
                {
                    "wave": w.number,
                    "date": day_text(w.window.starts_at, index.zone),
                    "starts_at": clock(move.starts_at, w.window.starts_at, index.zone),
                    "cutover_ends_at": clock(move.cutover_ends_at, w.window.starts_at, index.zone),
                    "ends_at": clock(move.ends_at, w.window.starts_at, index.zone),
                    "crew": move.crew,
                    "system_id": move.system_id,
                    "name": task.name,
                    "department": task.department,
                    "risk": term(LEVEL, risk.risk) if risk else None,
                    "confidence": CONFIDENCE[risk.confidence] if risk else None,
                    "together_with": [s for s in (group.system_ids if group else ()) if s != move.system_id],
                }
            )
    columns = (
        Column("wave", Text("批次", "Wave"), "right"),
        Column("date", Text("窗口日期", "Window")),
        Column("starts_at", Text("割接开始", "Cutover from")),
        Column("cutover_ends_at", Text("割接结束", "Cutover to")),
        Column("ends_at", Text("回退预留至", "Reserve to")),
        Column("crew", Text("班组", "Crew")),
        *_WHO,
        *((*_RISK,) if assessed else ()),
        Column("together_with", Text("同组系统", "Together with")),
    )
    return View(
        name="waves", title=Text("迁移批次", "Migration waves"), columns=columns, rows=tuple(rows),
        notes=plan_notes(plan) if wave is None else (), facts=plan_facts(plan, risks),
    )  # fmt: skip


_WHO = (
    Column("system_id", Text("系统编号", "System")),
    Column("name", Text("系统名称", "Name")),
    Column("department", Text("部门", "Department")),
)
_RISK = (Column("risk", Text("风险", "Risk")), Column("confidence", Text("依据", "Basis")))


def build_plan_view(plan: MigrationPlan, risks: Sequence[RiskAssessment] = ()) -> View:
    """The plan as one document for scripts: no table, all of `plan_facts`, and what was planned from."""
    problem = plan.problem
    facts = plan_facts(plan, risks) | {
        "period": {"starts_on": problem.starts_on, "weeks": problem.weeks, "timezone": problem.timezone},
        "groups": [{"group_id": g.group_id, "systems": g.system_ids, "path": g.path} for g in problem.groups],
        "windows": [
            {"window_id": w.window_id, "opens_on": w.opens_on, "starts_at": w.starts_at, "ends_at": w.ends_at,
             "provisional": w.provisional}
            for w in problem.windows
        ],
        "networks": [
            {"network_id": n.network_id, "groups": n.group_ids, "staying": n.staying, "due_on": n.due_on}
            for n in problem.retirements
        ],
        "bridges": [
            {"source_id": b.source_id, "target_id": b.target_id, "dependency_ids": b.dependency_ids,
             "measured": b.measured, "cost_days": b.cost_days}
            for b in problem.bridges
        ],
        "excluded": [{"system_id": e.system_id, "code": e.code, "needs_answer": e.needs_answer} for e in problem.excluded],
    }  # fmt: skip
    return View(name="plan", title=Text("迁移计划", "Migration plan"), columns=(), notes=plan_notes(plan), facts=facts)


def plan_facts(plan: MigrationPlan, risks: Sequence[RiskAssessment] = ()) -> dict[str, object]:
    """For scripts: status and proof in numbers, who solved it, and everything that has an instant or a date."""
    record = plan.solver
    return {
        "plan_id": plan.plan_id,
        "plan_hash": plan.plan_hash,
        "previous_id": plan.previous_id,
        "created_at": plan.created_at,
        "status": plan.status,
        "goals": [_goal(g) for g in plan.goals],
        "baseline": [_goal(g) for g in plan.baseline],
        "gap_pct": plan.gap_pct,
        "solver": record and {
            "solver": record.solver, "seed": record.seed, "limit_s": record.limit_s, "seconds": record.seconds,
            "repeatable": record.repeatable, "problem_hash": record.problem_hash,
        },
        "waves": len(plan.waves),
        "systems": sum(len(w.moves) for w in plan.waves),
        "last_window_ends_at": max((m.ends_at for w in plan.waves for m in w.moves), default=None),
        "ends_on": max((a.ends_on for a in plan.activities), default=None),
        "moves": [
            {
                "system_id": m.system_id, "group_id": m.group_id, "wave": w.number, "window_id": w.window.window_id,
                "opens_on": w.window.opens_on, "crew": m.crew, "starts_at": m.starts_at,
                "cutover_ends_at": m.cutover_ends_at, "ends_at": m.ends_at,
            }
            for w in plan.waves for m in w.moves
        ],
        "activities": [
            {
                "job_id": a.job_id, "subject_id": a.subject_id, "kind": a.kind, "starts_on": a.starts_on,
                "ends_on": a.ends_on, "crew": a.crew,
            }
            for a in plan.activities
        ],
        "unplaced": [u.system_id for u in plan.unplaced],
        "risks": [
            {"subject": r.subject, "risk": r.risk, "risk_points": r.risk_points, "confidence": r.confidence}
            for r in risks
        ],
    }  # fmt: skip


def _goal(goal: GoalValue) -> dict[str, object]:
    return {"kind": goal.kind, "value": goal.value, "bound": goal.bound, "gap_pct": goal.gap_pct}


def plan_notes(plan: MigrationPlan) -> tuple[Text, ...]:
    """What a person must know beside the table: the proof, the size, the last night, the end, what was assumed."""
    notes = list(build_proof(plan))
    if plan.waves:
        notes.append(_extent(plan))
    assumed = sum(1 for t in plan.problem.tasks if t.assumed)
    if assumed:
        notes.append(
            Text("{n} 个系统的部分依据未知，按默认值估算（见 plan show --inputs）",
                 "For {n} systems some inputs are unknown and taken from the defaults (see plan show --inputs)").format(n=assumed)
        )  # fmt: skip
    provisional = [w.number for w in plan.waves if w.window.provisional]
    if provisional:
        notes.append(
            Text("第 {n} 批所在年份的放假安排尚未公布，日期为暂定，公布后须重新排期",
                 "Waves {n}: the holidays of that year are not published; provisional, plan again once they are").format(
                n=", ".join(map(str, provisional))
            )
        )  # fmt: skip
    return (*notes, *plan.problem.notes)


def _extent(plan: MigrationPlan) -> Text:
    index = build_index(plan)
    last = plan.waves[-1]
    text = Text("{w} 批，{n} 个系统，最后一批 {d}，{t} 前结束（含回退预留）",
                "{w} waves, {n} systems; the last on {d}, done by {t} with its rollback reserve").format(
        w=len(plan.waves), n=sum(len(w.moves) for w in plan.waves), d=day_text(last.window.starts_at, index.zone),
        t=clock(max(m.ends_at for m in last.moves), last.window.starts_at, index.zone),
    )  # fmt: skip
    if not plan.activities:
        return text
    end = max(a.ends_on for a in plan.activities)
    return Text("{t}；全部后续工作到 {e} 结束", "{t}; all work that follows ends on {e}").format(t=text, e=end)


def build_unplaced_view(plan: MigrationPlan) -> View:
    names = {t.system_id: t.name for t in plan.problem.tasks}
    rows: list[dict[str, Cell]] = [
        {"system_id": u.system_id, "name": names.get(u.system_id), "reason": u.reason} for u in plan.unplaced
    ]
    return View(name="unplaced", title=Text("未能排入", "Not placed"), columns=(*_WHO[:2], _REASON), rows=tuple(rows))


def build_excluded_view(plan: MigrationPlan) -> View:
    rows: list[dict[str, Cell]] = [
        {"system_id": e.system_id, "name": e.name, "needs_answer": e.needs_answer, "reason": e.reason}
        for e in plan.problem.excluded
    ]
    columns = (*_WHO[:2], Column("needs_answer", Text("需答复", "Needs an answer")), _REASON)
    return View(
        name="excluded", title=Text("不在计划中的系统", "Systems not planned"), columns=columns, rows=tuple(rows)
    )


_REASON = Column("reason", Text("原因", "Reason"))


def build_conflict_view(plan: MigrationPlan) -> View:
    """The demands that can't all be met, and under each conflict what would resolve it, the cheapest first."""
    rows: list[dict[str, Cell]] = []
    members: list[dict[str, object]] = []
    for number, conflict in enumerate(plan.conflicts, 1):
        for demand in conflict.demands:
            rows.append({"conflict": number, "role": _DEMAND, "kind": term(DEMAND, demand.kind), "text": demand.text})
            members.append(
                {"conflict": number, "kind": demand.kind, "subject": demand.subject, "text": demand.text}
            )  # fmt: skip
        for way in sorted(conflict.relaxations, key=lambda r: r.cost):
            option = f"--set {way.setting}" if way.setting else None
            rows.append({"conflict": number, "role": _WAY, "kind": term(DEMAND, way.demand.kind), "text": way.text, "setting": option})  # fmt: skip
    return View(
        name="conflict", title=Text("相互冲突的要求", "Demands in conflict"), columns=_CONFLICT_COLUMNS,
        rows=tuple(rows), notes=_conflict_notes(plan), facts={"members": members},
    )  # fmt: skip


_DEMAND, _WAY = Text("要求", "demand"), Text("解决办法", "way out")
_CONFLICT_COLUMNS = (
    Column("conflict", Text("冲突", "Conflict"), "right"),
    Column("role", Text("性质", "What it is")),
    Column("kind", Text("类别", "Kind")),
    Column("text", Text("内容", "Text")),
    Column("setting", Text("试算参数", "To try it")),
)


def _conflict_notes(plan: MigrationPlan) -> tuple[Text, ...]:
    if not plan.conflicts:
        return ()
    notes = [
        Text("同一序号的要求不能同时满足；放宽其中任何一条，其余即可满足。",
             "Demands with the same number can't all be met; without any one of them the others can.")
    ]  # fmt: skip
    if any(r.setting for c in plan.conflicts for r in c.relaxations):
        notes.append(
            Text("“试算参数”加在 govcloud plan build 之后即可试排，不改配置文件。",
                 "Append the words of “To try it” to govcloud plan build: it plans with them and changes no setting.")
        )  # fmt: skip
    open_ends = [str(n) for n, conflict in enumerate(plan.conflicts, 1) if not conflict.minimal]
    doubt = Text(
        "冲突 {n}：限时内未能证明每一条都不可少。", "Conflict {n}: no time was left to show that each of them matters."
    )
    return (*notes, *([doubt.format(n=", ".join(open_ends))] if open_ends else []))


def build_inputs_view(plan: MigrationPlan) -> View:
    """What the plan was computed from, one row a system."""
    at = {m.system_id: w.number for w in plan.waves for m in w.moves}
    rows: list[dict[str, Cell]] = [
        {
            "system_id": t.system_id, "name": t.name, "department": t.department, "wave": at.get(t.system_id),
            "path": term(PATH, t.path), "cutover_min": t.cutover_min, "reserve_min": t.reserve_min,
            "data_gib": round(t.data_mib / 1024, 1), "vcpus": t.vcpus, "memory_gib": round(t.memory_mib / 1024, 1),
            "disk_gib": round(t.disk_mib / 1024, 1), "mlps_level": t.mlps_level, "priority": t.priority,
            "pilot": t.pilot, "core": t.core, "zone": t.zone, "pool": t.pool, "skills": t.skills, "networks": t.networks,
            "not_before_on": t.not_before_on, "not_after_on": t.not_after_on, "due_on": t.due_on,
            "adapts": listed(t.adapts, "；", "; ") if t.adapts else None, "data_confidence": t.confidence,
            "assumed": _assumed(t.assumed),
        }
        for t in plan.problem.tasks
    ]  # fmt: skip
    columns = [
        Column("wave", Text("批次", "Wave"), "right"),
        Column("path", Text("去向", "Path")),
        Column("cutover_min", Text("割接（分钟）", "Cutover (min)"), "right"),
        Column("reserve_min", Text("回退预留（分钟）", "Reserve (min)"), "right"),
        Column("data_gib", Text("数据（GiB）", "Data (GiB)"), "right"),
        Column("vcpus", same("vCPU"), "right"),
        Column("memory_gib", Text("内存（GiB）", "Memory (GiB)"), "right"),
        Column("disk_gib", Text("存储（GiB）", "Storage (GiB)"), "right"),
        Column("mlps_level", Text("等保", "MLPS"), "right"),
        Column("priority", Text("优先级", "Priority"), "right"),
        Column("pilot", Text("试点", "Pilot")),
        Column("core", Text("核心", "Core")),
        Column("zone", Text("所在网络区域", "Zone")),
        Column("pool", Text("目标资源池", "Target pool")),
        Column("skills", Text("所需技能", "Skills")),
        Column("networks", Text("业务专网", "Dedicated networks")),
        Column("not_before_on", Text("不早于", "Not before")),
        Column("not_after_on", Text("不晚于", "Not after")),
        Column("due_on", Text("期望接管日", "Due")),
        Column("adapts", Text("适配改造原因", "To be adapted because")),
        Column("data_confidence", Text("数据可信度", "Data confidence"), "right"),
        Column("assumed", Text("按默认值的依据", "Taken from defaults")),
    ]
    # Nobody reads twenty columns of dashes; what no system has is left out.
    shown = [c for c in columns if c.key in _ALWAYS or any(row[c.key] not in (None, (), False) for row in rows)]
    return View(name="inputs", title=Text("排期依据", "Inputs of the plan"), columns=(*_WHO, *shown), rows=tuple(rows))


_ALWAYS = ("wave", "path", "cutover_min", "reserve_min", "data_gib", "vcpus", "memory_gib", "mlps_level", "priority",
           "pilot", "assumed")  # fmt: skip


def _assumed(names: Sequence[str]) -> Text | None:
    return listed(INPUT_NAMES.get(name, same(name)) for name in names) if names else None


def build_violations_view(plan: MigrationPlan, violations: Sequence[PlanViolation], changes: Sequence[Text]) -> View:
    rows: list[dict[str, Cell]] = [
        {"code": term(RULE, v.code), "subjects": v.subjects, "text": v.text} for v in violations
    ]
    verdict = (
        Text("计划 {p} 不成立：{n} 处违反", "Plan {p} does not hold: {n} violations")
        if rows
        else Text("计划 {p} 通过独立校验", "Plan {p} passes the independent verifier")
    )
    notes = [verdict.format(p=plan.plan_id, n=len(rows)), Text("指纹 SHA-256 {h}", "Hash SHA-256 {h}").format(h=plan.plan_hash)]  # fmt: skip
    if changes:
        notes.append(Text("制订之后有变化，建议重新排期：", "Things have changed since it was made; plan again:"))
        notes += changes
    columns = (
        Column("code", Text("规则", "Rule")),
        Column("subjects", Text("对象", "Subjects")),
        Column("text", Text("说明", "What is wrong")),
    )
    return View(name="violations", title=Text("计划校验", "Verification of the plan"), columns=columns,
                rows=tuple(rows), notes=tuple(notes), facts={"plan_id": plan.plan_id, "changed": bool(changes)})  # fmt: skip
