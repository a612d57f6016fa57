"""Our own verdict on a plan, from its dates and instants and the problem alone.

It knows the rules, not how the plan was found: no solver, no time axis and no translation is imported here or in the
modules that it is made of (placing, verify_jobs, verify_limits, verify_goals).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from govcloud.model.plan import Activity, MigrationPlan, PlanViolation, Wave
from govcloud.model.plan_problem import PlanProblem
from govcloud.model.text import Text
from govcloud.planning.placing import Placing, violation
from govcloud.planning.verify_goals import measure_goals
from govcloud.planning.verify_jobs import verify_cutovers, verify_jobs
from govcloud.planning.verify_limits import verify_crews, verify_resources


def verify_plan(plan: MigrationPlan) -> list[PlanViolation]:
    """Everything that is wrong with the plan; empty when it holds."""
    placing = Placing(plan.problem, plan.waves, plan.activities)
    return [*_verify(placing), *_placed_or_listed(plan, placing), *_status(plan), *_goals(plan, placing)]


def verify_placing(problem: PlanProblem, waves: Sequence[Wave], activities: Sequence[Activity]) -> list[PlanViolation]:
    """The same for waves and activities alone: groups of which nothing is in them are no fault here."""
    return _verify(Placing(problem, waves, activities))


def _verify(placing: Placing) -> list[PlanViolation]:
    return [
        *_waves(placing),
        *verify_jobs(placing),
        *verify_cutovers(placing),
        *verify_crews(placing),
        *verify_resources(placing),
    ]


def _waves(placing: Placing) -> Iterator[PlanViolation]:
    waves = placing.waves
    count = Counter(m.system_id for w in waves for m in w.moves)
    for system_id, times in sorted(count.items()):
        if system_id not in placing.group_of or system_id not in placing.task:
            yield violation("not_planned", Text("{s} 不应迁移", "{s} must not move"), system_id)
        if times > 1:
            yield violation("placed_once", Text("{s} 排了 {n} 次", "{s} is placed {n} times"), system_id, n=times)
    if [w.number for w in waves] != list(range(1, len(waves) + 1)) or any(
        a.window.starts_at >= b.window.starts_at for a, b in pairwise(waves)
    ):
        yield violation("waves", Text("批次未按时间编号", "The waves are not numbered by time"))
    windows = set(placing.problem.windows)
    for wave in waves:
        over = all(placing.group_of.get(m.system_id) in placing.executed for m in wave.moves)
        if not wave.moves:
            yield violation("waves", Text("第 {n} 批是空的", "Wave {n} is empty"), n=wave.number)
        elif wave.window not in windows and not over:
            yield violation("window", Text("第 {n} 批不在任何变更窗口", "Wave {n} is in no change window"), n=wave.number)  # fmt: skip


def _placed_or_listed(plan: MigrationPlan, placing: Placing) -> Iterator[PlanViolation]:
    listed = Counter(u.system_id for u in plan.unplaced)
    for task in plan.problem.tasks:
        placed = placing.group_of.get(task.system_id) in placing.placed
        if listed.pop(task.system_id, 0) + placed != 1:
            text = Text("{s} 应当或已排入，或列为未排入", "{s} must be either placed or listed as not placed")
            yield violation("placed_once", text, task.system_id)
    for system_id in sorted(listed):
        yield violation("not_planned", Text("{s} 不在应排入之列", "{s} was not to be placed"), system_id)


def _status(plan: MigrationPlan) -> Iterator[PlanViolation]:
    if (plan.status in ("optimal", "feasible")) == bool(plan.unplaced):
        yield violation("status", Text("状态与未排入的系统不符", "The status does not fit the systems left out"))
    if plan.status == "optimal" and any(g.value > g.bound for g in plan.goals):
        yield violation("status", Text("称为最优，但下界未达到", "It is called optimal, but a bound is not reached"))


def _goals(plan: MigrationPlan, placing: Placing) -> Iterator[PlanViolation]:
    measured = measure_goals(placing)
    if len({g.kind for g in plan.goals}) < len(plan.goals):
        yield violation("goal", Text("有目标列了两次", "A goal is listed twice"))
    kinds = list(plan.problem.goals)
    ranks = [kinds.index(g.kind) if g.kind in kinds else -1 for g in plan.goals]
    if ranks != sorted(ranks) or -1 in ranks:
        yield violation("goal", Text("目标未按主次列出", "The goals are not listed in order of rank"))
    for goal in plan.goals:
        if goal.value != measured[goal.kind]:
            text = Text("目标 {s} 记为 {n}，按日期重算为 {m}", "The goal {s} is given as {n}; its dates make it {m}")
            yield violation("goal", text, goal.kind, n=goal.value, m=measured[goal.kind])
        if goal.bound > goal.value:
            text = Text("目标 {s} 的下界 {b} 高于其值 {n}", "The bound {b} of the goal {s} is above its value {n}")
            yield violation("bound", text, goal.kind, b=goal.bound, n=goal.value)
    named = {g.kind for g in plan.goals}
    for kind in kinds:
        if kind not in named and measured[kind] and plan.goals:
            text = Text("目标 {s} 未给出，按日期为 {m}", "The goal {s} is not given; its dates make it {m}")
            yield violation("goal", text, kind, m=measured[kind])
