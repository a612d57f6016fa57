"""Views of a migration plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from govcloud.model.answers import Confidence
from govcloud.model.plan import MigrationPlan, PlanExplanation, PlanStatus, PlanViolation
from govcloud.model.text import Term, Text
from govcloud.report.view import Cell, Column, View

STATUS: dict[PlanStatus, Text] = {
    "optimal": Text("已证明最优", "optimal"),
    "feasible": Text("可行，未证明最优", "feasible"),
    "infeasible": Text("不可行", "infeasible"),
    "unknown": Text("限时内未得出结论", "unknown"),
}
_WEEKDAYS_ZH = "一二三四五六日"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def build_waves_view(
    plan: MigrationPlan, wave: int | None = None, confidence: Mapping[str, Confidence] | None = None
) -> View:
    """One row for each system, in order of time; only wave `wave` if it is given. `confidence`: of the data, by system."""
    zone = ZoneInfo(plan.problem.timezone)
    tasks = {t.system_id: t for t in plan.problem.tasks}
    rows: list[dict[str, Cell]] = []
    for w in plan.waves:
        if wave is not None and w.number != wave:
            continue
        for move in sorted(w.moves, key=lambda m: (m.starts_at, m.crew, m.system_id)):
            task = tasks[move.system_id]
            rows.append(
                {
                    "wave": w.number,
                    "date": day_text(w.window.starts_at, zone),
                    "starts_at": _clock(move.starts_at, w.window.starts_at, zone),
                    "cutover_ends_at": _clock(move.cutover_ends_at, w.window.starts_at, zone),
                    "ends_at": _clock(move.ends_at, w.window.starts_at, zone),
                    "crew": move.crew,
                    "system_id": move.system_id,
                    "name": task.name,
                    "department": task.department,
                    "confidence": _score(confidence, move.system_id),
                    "together_with": [
                        m.system_id for m in w.moves if m.group_id == move.group_id and m.system_id != move.system_id
                    ],
                }
            )
    columns = (
        Column("wave", Text("批次", "Wave"), "right"),
        Column("date", Text("窗口日期", "Window")),
        Column("starts_at", Text("割接开始", "Cutover from")),
        Column("cutover_ends_at", Text("割接结束", "Cutover to")),
        Column("ends_at", Text("回退预留至", "Reserve to")),
        Column("crew", Text("班组", "Crew")),
        Column("system_id", Text("系统编号", "System")),
        Column("name", Text("系统名称", "Name")),
        Column("department", Text("部门", "Department")),
        *((Column("confidence", Text("数据可信度", "Confidence"), "right"),) if confidence else ()),
        Column("together_with", Text("同组系统", "Together with")),
    )
    return View(
        name="waves", title=Text("迁移批次", "Migration waves"), columns=columns, rows=tuple(rows),
        notes=plan_notes(plan) if wave is None else (), facts=plan_facts(plan),
    )  # fmt: skip


def _score(confidence: Mapping[str, Confidence] | None, system_id: str) -> int | None:
    found = confidence.get(system_id) if confidence else None
    return found.score if found else None


def plan_facts(plan: MigrationPlan) -> dict[str, object]:
    """For scripts: the proof in numbers, and each move with its instants."""
    return {
        "plan_id": plan.plan_id,
        "plan_hash": plan.plan_hash,
        "status": plan.status,
        "objective": plan.objective,
        "bound": plan.bound,
        "gap_pct": None if plan.gap_pct is None else round(plan.gap_pct, 2),
        "baseline": plan.baseline,
        "waves": len(plan.waves),
        "systems": sum(len(w.moves) for w in plan.waves),
        "finishes_at": max((m.ends_at for w in plan.waves for m in w.moves), default=None),
        "moves": [
            {
                "system_id": m.system_id, "wave": w.number, "window_id": w.window.window_id, "crew": m.crew,
                "starts_at": m.starts_at, "cutover_ends_at": m.cutover_ends_at, "ends_at": m.ends_at,
            }
            for w in plan.waves for m in w.moves
        ],
    }  # fmt: skip


def plan_notes(plan: MigrationPlan) -> tuple[Text, ...]:
    """What a person must know beside the table: the proof, the size, the last finish, what was assumed."""
    zone = ZoneInfo(plan.problem.timezone)
    notes = [Text("计划 {p}，状态：{s}", "Plan {p}, status: {s}").format(p=plan.plan_id, s=STATUS[plan.status])]
    if plan.objective is not None:
        notes.append(_proof(plan))
    if plan.waves:
        moves = [m for w in plan.waves for m in w.moves]
        notes.append(
            Text("{w} 批，{n} 个系统，最后一批 {d}，{t} 前结束（含回退预留）",
                 "{w} waves, {n} systems; the last on {d}, done by {t} with its rollback reserve").format(
                w=len(plan.waves), n=len(moves), d=day_text(plan.waves[-1].window.starts_at, zone),
                t=_clock(max(m.ends_at for m in plan.waves[-1].moves), plan.waves[-1].window.starts_at, zone),
            )
        )  # fmt: skip
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


def _proof(plan: MigrationPlan) -> Text:
    gap = "—" if plan.gap_pct is None else f"{plan.gap_pct:.1f}"
    text = Text(
        "总代价 {o} 系统日，下界 {b}，差距 {g}%；逐个安排的做法为 {base}",
        "Cost {o} system-days, bound {b}, gap {g} %; one by one it would be {base}",
    )
    unknown = Text("—", "—")
    return text.format(o=plan.objective, b=plan.bound if plan.bound is not None else unknown, g=gap,
                       base=plan.baseline if plan.baseline is not None else Text("排不下", "impossible"))  # fmt: skip


def build_unplaced_view(plan: MigrationPlan) -> View:
    names = {t.system_id: t.name for t in plan.problem.tasks}
    rows: list[dict[str, Cell]] = [
        {"system_id": u.system_id, "name": names[u.system_id], "reason": u.reason} for u in plan.unplaced
    ]
    return View(name="unplaced", title=Text("未能排入", "Not placed"), columns=_REASON_COLUMNS, rows=tuple(rows))


def build_excluded_view(plan: MigrationPlan) -> View:
    rows: list[dict[str, Cell]] = [
        {"system_id": e.system_id, "name": e.name, "needs_answer": e.needs_answer, "reason": e.reason}
        for e in plan.problem.excluded
    ]
    columns = (*_REASON_COLUMNS[:2], Column("needs_answer", Text("需答复", "Needs an answer")), _REASON_COLUMNS[2])
    return View(
        name="excluded", title=Text("不在计划中的系统", "Systems not planned"), columns=columns, rows=tuple(rows)
    )


_REASON_COLUMNS = (
    Column("system_id", Text("系统编号", "System")),
    Column("name", Text("系统名称", "Name")),
    Column("reason", Text("原因", "Reason")),
)


def build_conflict_view(plan: MigrationPlan) -> View:
    rows: list[dict[str, Cell]] = [
        {"conflict": number, "kind": c.kind, "subject": c.subject, "text": c.text}
        for number, conflict in enumerate(plan.conflicts, 1)
        for c in conflict.culprits
    ]
    note = Text("同一序号的要求不能同时满足；放宽其中任何一条，其余即可满足。",
                "Demands with the same number can't all be met; without any one of them the others can.")  # fmt: skip
    open_ends = [str(n) for n, conflict in enumerate(plan.conflicts, 1) if not conflict.minimal]
    doubt = Text(
        "冲突 {n}：限时内未能证明每一条都不可少。", "Conflict {n}: no time was left to show that each of them matters."
    )
    columns = (
        Column("conflict", Text("冲突", "Conflict"), "right"),
        Column("kind", Text("类别", "Kind")),
        Column("text", Text("要求", "Demand")),
    )
    shown = [{**row, "kind": KINDS.get(str(row["kind"]), row["kind"])} for row in rows]
    notes = ([note] if rows else []) + ([doubt.format(n=", ".join(open_ends))] if open_ends else [])
    return View(name="conflict", title=Text("相互冲突的要求", "Demands in conflict"), columns=columns,
                rows=tuple(shown), notes=tuple(notes), facts={"members": rows})  # fmt: skip


KINDS: dict[str, Text] = {
    "place": Text("迁移", "move"),
    "crew_time": Text("班组时间", "crew time"),
    "skills": Text("技能", "skills"),
    "systems_per_window": Text("每窗口系统数", "systems a window"),
    "data_per_window": Text("链路", "link"),
    "quota": Text("配额", "quota"),
    "freeze": Text("封网", "freeze"),
    "not_before": Text("最早日期", "not before"),
    "not_after": Text("最晚日期", "not after"),
    "core": Text("核心系统", "core system"),
    "pilots": Text("试点", "pilots"),
    "weak": Text("弱依赖", "weak dependency"),
    "windows": Text("窗口", "windows"),
    "window": Text("窗口", "window"),
    "group": Text("强依赖", "strong dependency"),
    "crew": Text("班组", "crew"),
    "duration": Text("时长", "duration"),
    "reserve": Text("回退预留", "reserve"),
}


def build_inputs_view(plan: MigrationPlan) -> View:
    """What the plan was computed from, one row a system."""
    at = {m.system_id: w.number for w in plan.waves for m in w.moves}
    rows: list[dict[str, Cell]] = [
        {
            "system_id": t.system_id, "name": t.name, "wave": at.get(t.system_id), "cutover_min": t.cutover_min,
            "reserve_min": t.reserve_min, "data_gib": round(t.data_mib / 1024, 1), "vcpus": t.vcpus,
            "memory_gib": round(t.memory_mib / 1024, 1), "mlps_level": t.mlps_level, "priority": t.priority,
            "pilot": t.pilot, "assumed": _assumed(t.assumed),
        }
        for t in plan.problem.tasks
    ]  # fmt: skip
    columns = (
        *_REASON_COLUMNS[:2],
        Column("wave", Text("批次", "Wave"), "right"),
        Column("cutover_min", Text("割接（分钟）", "Cutover (min)"), "right"),
        Column("reserve_min", Text("回退预留（分钟）", "Reserve (min)"), "right"),
        Column("data_gib", Text("数据（GiB）", "Data (GiB)"), "right"),
        Column("vcpus", Text("vCPU", "vCPU"), "right"),
        Column("memory_gib", Text("内存（GiB）", "Memory (GiB)"), "right"),
        Column("mlps_level", Text("等保", "MLPS"), "right"),
        Column("priority", Text("优先级", "Priority"), "right"),
        Column("pilot", Text("试点", "Pilot")),
        Column("assumed", Text("按默认值的依据", "Taken from defaults")),
    )
    return View(name="inputs", title=Text("排期依据", "Inputs of the plan"), columns=columns, rows=tuple(rows))


_INPUTS = {
    "data_gib": Text("数据量", "data"),
    "criticality": Text("重要程度", "criticality"),
    "mlps_level": Text("等保级别", "MLPS level"),
    "hosting": Text("部署位置", "hosting"),
    "cpu_count": Text("处理器数", "CPUs"),
    "memory_gib": Text("内存", "memory"),
}


def _assumed(names: Sequence[str]) -> Text:
    texts = [_INPUTS[name] for name in names]
    return Text("、".join(t.zh for t in texts), ", ".join(t.en for t in texts))


def build_explanation_view(plan: MigrationPlan, explanation: PlanExplanation) -> View:
    zone = ZoneInfo(plan.problem.timezone)
    rows: list[dict[str, Cell]] = []
    for earlier in explanation.earlier:
        verdict = Text("；", "; ")
        if earlier.reasons:
            why = Text(
                verdict.zh.join(r.text.zh for r in earlier.reasons), verdict.en.join(r.text.en for r in earlier.reasons)
            )
        elif earlier.extra_days >= 0:
            why = Text("可行，但总代价增加 {n} 系统日", "possible, but the whole costs {n} system-days more").format(
                n=earlier.extra_days
            )
        else:
            why = Text("可行，且总代价减少 {n} 系统日", "possible, and the whole costs {n} system-days less").format(
                n=-earlier.extra_days
            )
        rows.append({"date": day_text(earlier.window.starts_at, zone), "possible": not earlier.reasons, "why": why})
    move, window = explanation.move, explanation.wave.window if explanation.wave else None
    notes = [Text("{s}：{t}", "{s}: {t}").format(s=explanation.system_id, t=explanation.text)]
    if move is not None and window is not None:
        notes.append(
            Text("{d} {a} 开始，{b} 前割接完，回退预留至 {c}，{crew}", "{d}: from {a}, cut over by {b}, reserve to {c}, {crew}").format(
                d=day_text(window.starts_at, zone), a=_clock(move.starts_at, window.starts_at, zone),
                b=_clock(move.cutover_ends_at, window.starts_at, zone),
                c=_clock(move.ends_at, window.starts_at, zone), crew=move.crew,
            )
        )  # fmt: skip
    columns = (
        Column("date", Text("更早的窗口", "Earlier window")),
        Column("possible", Text("可行", "Possible")),
        Column("why", Text("为什么不排在这里", "Why not here")),
    )
    facts = {"system_id": explanation.system_id, "wave": explanation.wave.number if explanation.wave else None}
    return View(name="explanation", title=Text("排期说明", "Why this date"), columns=columns if rows else (), rows=tuple(rows),
                notes=tuple(notes), facts=facts)  # fmt: skip


def build_violations_view(plan: MigrationPlan, violations: Sequence[PlanViolation], changes: Sequence[Text]) -> View:
    rows: list[dict[str, Cell]] = [{"code": v.code, "subjects": v.subjects, "text": v.text} for v in violations]
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
        Column("subjects", Text("系统", "Systems")),
        Column("text", Text("说明", "What is wrong")),
    )
    return View(name="violations", title=Text("计划校验", "Verification of the plan"), columns=columns,
                rows=tuple(rows), notes=tuple(notes), facts={"plan_id": plan.plan_id, "changed": bool(changes)})  # fmt: skip


def day_text(at: datetime, zone: ZoneInfo) -> Text:
    """`2026-11-28 周六` / `2026-11-28 Sat`, local date."""
    local = at.astimezone(zone)
    n = local.weekday()
    return Text(f"{local:%Y-%m-%d} 周{_WEEKDAYS_ZH[n]}", f"{local:%Y-%m-%d} {_WEEKDAYS_EN[n]}")


def _clock(at: datetime, opens_at: datetime, zone: ZoneInfo) -> Term:
    """Local time of day; after midnight of the window's day it says so. Scripts get the instant with its offset."""
    local = at.astimezone(zone)
    clock = local.strftime("%H:%M")
    code = local.isoformat(timespec="minutes")
    if local.date() == opens_at.astimezone(zone).date():
        return Term(clock, clock, code)
    return Term(f"次日 {clock}", f"{clock} next day", code)
