"""How good a plan is: its goals with their bounds, who found it, and several plans side by side."""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.model.plan import GoalValue, MigrationPlan
from govcloud.model.plan_names import GOAL_NAMES
from govcloud.model.plan_summary import PlanHead, PlanSummary
from govcloud.model.text import Term, Text, same
from govcloud.report.findings import term
from govcloud.report.plan_words import STATUS, UNIT, listed
from govcloud.report.view import Cell, Column, View

_NO_BOUND = Term("无下界", "no bound", "no_bound")


def build_proof(plan: MigrationPlan) -> tuple[Text, ...]:
    """Status and proof in sentences, the most important goal first."""
    notes = [Text("计划 {p}，状态：{s}", "Plan {p}, status: {s}").format(p=plan.plan_id, s=STATUS[plan.status])]
    if not plan.goals:
        return tuple(notes)
    proven = [g for g in plan.goals if g.value <= g.bound]
    open_ends = [g for g in plan.goals if g.value > g.bound]
    if not open_ends:
        notes.append(
            Text("各项目标按先后次序均已证明不能更好", "Every goal, in its order, is proven to be the best possible")
        )
    if proven and open_ends:
        names = listed(GOAL_NAMES[g.kind] for g in proven)
        notes.append(Text("已证明不能更好：{g}", "Proven best: {g}").format(g=names))
    notes += [_open_end(goal) for goal in open_ends]
    if plan.baseline:
        better = [(g, b) for g, b in zip(plan.goals, plan.baseline, strict=False) if g.value != b.value]
        if better:
            goal, one_by_one = better[0]
            notes.append(
                Text("按优先级逐个安排时，{g}为 {b}，本计划为 {v}", "Placed one by one by priority, {g} would be {b}; here it is {v}").format(
                    g=GOAL_NAMES[goal.kind], b=one_by_one.value, v=goal.value)
            )  # fmt: skip
    return tuple(notes)


def _open_end(goal: GoalValue) -> Text:
    gap = goal.gap_pct
    if gap is None:
        return Text("{g}为 {v}，无下界，还能改善多少未知", "{g}: {v}, no bound; how much better it could be is not known").format(
            g=GOAL_NAMES[goal.kind], v=goal.value)  # fmt: skip
    return Text("{g}为 {v}，证明的下界为 {b}，至多还能改善 {p}%", "{g}: {v}, proven bound {b}; at most {p} % better").format(
        g=GOAL_NAMES[goal.kind], v=goal.value, b=goal.bound, p=f"{gap:.1f}")  # fmt: skip


def build_goals_view(plan: MigrationPlan) -> View:
    """One row for each goal in order of rank; what the sentences say, in numbers."""
    simple = {g.kind: g.value for g in plan.baseline}
    rows: list[dict[str, Cell]] = [
        {
            "rank": rank, "goal": term(GOAL_NAMES, g.kind), "value": g.value,
            "bound": _NO_BOUND if g.gap_pct is None else g.bound, "gap_pct": g.gap_pct, "proven": g.value <= g.bound,
            "baseline": simple.get(g.kind), "unit": UNIT[g.kind],
        }
        for rank, g in enumerate(plan.goals, 1)
    ]  # fmt: skip
    columns = (
        Column("rank", Text("次序", "Rank"), "right"),
        Column("goal", Text("目标（越小越好）", "Goal (less is better)")),
        Column("value", Text("本计划", "This plan"), "right"),
        Column("bound", Text("下界", "Bound"), "right"),
        Column("gap_pct", Text("差距（%）", "Gap (%)"), "right"),
        Column("proven", Text("已证明最好", "Proven best")),
        *((Column("baseline", Text("逐个安排", "One by one"), "right"),) if simple else ()),
        Column("unit", Text("单位", "Unit")),
    )
    return View(name="goals", title=Text("目标与证明", "Goals and proof"), columns=columns, rows=tuple(rows),
                notes=(*build_proof(plan), *build_record_notes(plan)), facts={"status": plan.status})  # fmt: skip


def build_record_notes(plan: MigrationPlan) -> tuple[Text, ...]:
    record = plan.solver
    if record is None:
        return ()
    repeat = (
        Text("相同输入、种子和限时得到相同计划", "the same input, seed and limit give the same plan")
        if record.repeatable
        else Text("搜索被时钟或人中止，再算可能得到另一个计划", "the clock or a person ended the search: another run may find another plan")
    )  # fmt: skip
    return (
        Text("求解：{s}，种子 {n}，限时 {l} 秒，用时 {t} 秒；{r}",
             "Solver {s}, seed {n}, limit {l} s, took {t} s; {r}").format(
            s=record.solver, n=record.seed, l=f"{record.limit_s:g}", t=f"{record.seconds:.1f}", r=repeat),
        Text("问题指纹 SHA-256 {h}", "Hash of the problem: SHA-256 {h}").format(h=record.problem_hash),
    )  # fmt: skip


def build_comparison_view(plans: Sequence[PlanSummary]) -> View:
    """A row for each thing, a column for each plan."""
    rows: list[dict[str, Cell]] = [
        {"key": key, "what": what, **{_key(n): cell for n, cell in enumerate(cells)}}
        for key, what, cells in (*_measures(plans), *_goal_measures(plans), *_network_measures(plans))
    ]
    columns = (
        Column("what", Text("项目", "What")),
        *(Column(_key(n), same(plan.plan_id)) for n, plan in enumerate(plans)),
    )
    facts = {"plans": [{"plan_id": p.plan_id, "status": p.status, "goals": {g.kind: [g.value, g.bound] for g in p.goals}} for p in plans]}  # fmt: skip
    trials = [p for p in plans if p.what_if]
    note = Text(
        "带“试算”的计划改变了设置，只供比较，不能执行",
        "A plan with trial settings is there to compare and can't be run",
    )
    return View(name="comparison", title=Text("计划比较", "Plans compared"), columns=columns, rows=tuple(rows),
                notes=(note,) if trials else (), facts=facts)  # fmt: skip


def _key(number: int) -> str:
    return f"plan_{number + 1}"


_Measure = tuple[str, Text, Sequence[Cell]]


def _measures(plans: Sequence[PlanSummary]) -> list[_Measure]:
    rows: list[_Measure] = [
        ("what_if", Text("试算", "Trial settings"), [p.what_if for p in plans]),
        ("status", Text("状态", "Status"), [term(STATUS, p.status) for p in plans]),
        ("systems", Text("已安排的系统", "Systems planned"), [p.systems for p in plans]),
        ("unplaced", Text("未能排入", "Not placed"), [p.unplaced for p in plans]),
        ("waves", Text("批次", "Waves"), [p.waves for p in plans]),
        ("last_cutover_on", Text("末批窗口", "Last window"), [p.last_cutover_on for p in plans]),
        ("ends_on", Text("全部工作结束", "End of all work"), [p.ends_on for p in plans]),
        ("peak_crews", Text("同时出动的班组（最多）", "Crews at work at once, at most"), [p.peak_crews for p in plans]),
        ("cut_ties", Text("断开的强依赖", "Strong ties cut"), [p.cut_ties for p in plans]),
        ("split_links", Text("被依赖方后迁的弱依赖", "Weak links whose target moves later"), [p.split_links for p in plans]),
        ("high_risk", Text("高风险组", "Groups of high risk"), [p.high_risk for p in plans]),
        ("medium_risk", Text("中风险组", "Groups of medium risk"), [p.medium_risk for p in plans]),
        ("low_risk", Text("低风险组", "Groups of low risk"), [p.low_risk for p in plans]),
    ]  # fmt: skip
    return rows if any(p.what_if for p in plans) else rows[1:]


def _goal_measures(plans: Sequence[PlanSummary]) -> list[_Measure]:
    rows: list[_Measure] = []
    for kind in dict.fromkeys(g.kind for plan in plans for g in plan.goals):
        found = [next((g for g in p.goals if g.kind == kind), None) for p in plans]
        title = Text("{g}，{u}", "{g}, {u}").format(g=GOAL_NAMES[kind], u=UNIT[kind])
        rows.append((kind, title, [_value(g) if g else None for g in found]))
    return rows


def _network_measures(plans: Sequence[PlanSummary]) -> list[_Measure]:
    """Networks that close on the same day by all plans tell nothing and are left out."""
    closed = [dict(p.networks) for p in plans]
    ids = dict.fromkeys(n for known in closed for n in known)
    return [
        (
            f"network:{n}",
            Text("专网 {n} 撤销完成", "Network {n} closed").format(n=n),
            [known.get(n) for known in closed],
        )
        for n in ids
        if len({known.get(n) for known in closed}) > 1
    ]


def _value(goal: GoalValue) -> Text:
    if goal.value <= goal.bound:
        return Text("{v}（最优）", "{v} (best)").format(v=goal.value)
    if goal.gap_pct is None:
        return Text("{v}（无下界）", "{v} (no bound)").format(v=goal.value)
    return Text("{v}（下界 {b}）", "{v} (bound {b})").format(v=goal.value, b=goal.bound)


def build_plans_view(heads: Sequence[PlanHead]) -> View:
    """All plans that are kept, without their contents."""
    rows: list[dict[str, Cell]] = [
        {
            "plan_id": h.plan_id, "created_at": h.created_at, "plan_hash": h.plan_hash,
            "kind": Term("试算", "trial", "what_if") if h.what_if else Term("计划", "plan", "plan"),
        }
        for h in heads
    ]  # fmt: skip
    columns = (
        Column("plan_id", Text("计划", "Plan")),
        Column("created_at", Text("编制时间", "Made at")),
        Column("kind", Text("性质", "Kind")),
        Column("plan_hash", Text("指纹 SHA-256", "Hash, SHA-256")),
    )
    return View(name="plans", title=Text("各版计划", "Versions of the plan"), columns=columns, rows=tuple(rows))
