"""How many minutes of a change window a system needs, and where they come from.

The steps' figures are those that a run asks the window for when the source is to be frozen: what is reserved here is never
less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from govcloud.model.plan_problem import CutoverSum, MoveTask
from govcloud.model.step import Step, StepName, WindowNeed, window_need
from govcloud.model.text import Text
from govcloud.planning.rules import DurationRule, Measured

ROUND_MIN = 5


def planned_need(steps: Mapping[StepName, Step]) -> WindowNeed:
    """Of a system whose migration file is not known: all steps. The last check is made when the window has opened."""
    need = window_need(steps)
    return replace(need, minutes=steps["precheck"].minutes + need.minutes)


def cutover_sum(
    data_mib: int, dependencies: int, criticality: str | None, rule: DurationRule, need: WindowNeed
) -> CutoverSum:
    """By the formula. Criticality unknown counts as important."""
    base = max(rule.cutover_base_min, need.minutes)
    steps_min = need.forward_min(data_mib * 2**20)
    return CutoverSum(
        base_min=base, data_min=steps_min - need.minutes, per_gib_ms=round(need.minutes_per_gib * 60_000),
        tests_min=min(dependencies * rule.per_dependency_min, rule.dependencies_max_min),
        extra_min={"core": rule.core_extra_min, "general": 0}.get(criticality or "important", rule.important_extra_min),
        steps_min=steps_min, undo_min=need.undo_min,
    )  # fmt: skip


def rehearsed_sum(data_mib: int, measured: Measured, need: WindowNeed) -> CutoverSum:
    return CutoverSum(
        rehearsed_min=measured.cutover_min, rehearsed_reserve_min=measured.reserve_min,
        per_gib_ms=round(need.minutes_per_gib * 60_000), steps_min=need.forward_min(data_mib * 2**20), undo_min=need.undo_min,
    )  # fmt: skip


def total_minutes(parts: CutoverSum, rule: DurationRule) -> tuple[int, int]:
    """(cutover, reserve). By the formula both are rounded up to five; the way back copies nothing, so that the reserve does
    not grow with the data. What a rehearsal took counts unless a run would ask for more."""
    if parts.rehearsed_min is not None:
        return max(parts.rehearsed_min, parts.steps_min), max(parts.rehearsed_reserve_min, parts.undo_min)
    people = parts.base_min + parts.tests_min + parts.extra_min
    return (
        _round_up(people + parts.data_min),
        _round_up(max(rule.reserve_base_min, people * rule.reserve_share_pct / 100, parts.undo_min)),
    )


def _round_up(minutes: float) -> int:
    return int(-(-minutes // ROUND_MIN)) * ROUND_MIN


def minutes_text(task: MoveTask) -> Text | None:
    """Where a system's minutes come from. None where there are none, and of plans that did not say."""
    parts = task.minutes
    if parts is None:
        return None
    data = _DATA.format(g=_gib(task), f=_figure(parts.per_gib_ms / 60_000))
    if parts.rehearsed_min is not None:
        words = _RAISED if parts.steps_min > parts.rehearsed_min else _REHEARSED
        return words.format(n=task.cutover_min, m=parts.rehearsed_min, d=data, r=task.reserve_min)
    summed = [Text("冻结、切换、验证 {n}", "freeze, switch and verification {n}").format(n=parts.base_min)]
    if parts.data_min:
        summed.append(Text("{d} = {n}", "{d} = {n}").format(d=data, n=parts.data_min))
    if parts.tests_min:
        summed.append(Text("依赖测试 {n}", "tests of dependencies {n}").format(n=parts.tests_min))
    if parts.extra_min:
        summed.append(Text("重要程度 {n}", "criticality {n}").format(n=parts.extra_min))
    added = Text("，".join(t.zh for t in summed), ", ".join(t.en for t in summed))
    return Text(
        "割接 {n} 分钟（{s}，按 5 分钟进位），回退预留 {r} 分钟", "Cutover {n} min ({s}, rounded up to five), reserve {r} min"
    ).format(n=task.cutover_min, s=added, r=task.reserve_min)  # fmt: skip


def too_long_text(task: MoveTask, window_min: int) -> Text | None:
    """Why it does not go into a window of so many minutes, and what would let it in; None where it does by itself, and where
    the plan does not say where its minutes come from."""
    parts = task.minutes
    if parts is None or task.cutover_min + task.reserve_min <= window_min:
        return None
    if parts.rehearsed_min is not None:
        return minutes_text(task)
    left = window_min - task.reserve_min - (task.cutover_min - parts.data_min)
    if left <= 0 or not parts.data_min:
        return minutes_text(task)
    return Text(
        "{t}；最后同步与核对每 GiB 合计不超过 {f} 分钟才放得进，实测能达到的，写入配置的 steps 一节后重新排期",
        "{t}; it would fit at {f} min a GiB for final sync and comparison together: if they were measured to be so fast, state that under steps in the settings and plan again",
    ).format(t=minutes_text(task), f=_figure(left * 1024 / task.data_mib, down=True))


def _gib(task: MoveTask) -> str:
    return f"{round(task.data_mib / 1024, 1):g}"


def _figure(minutes: float, *, down: bool = False) -> str:
    return f"{int(minutes * 1000) / 1000 if down else round(minutes, 4):g}"


_DATA = Text("数据 {g} GiB × {f}", "data {g} GiB × {f}")
_REHEARSED = Text(
    "割接 {n} 分钟、回退预留 {r} 分钟（演练实测）", "Cutover {n} min, reserve {r} min, as the rehearsal showed"
)
_RAISED = Text(
    "割接 {n} 分钟（{d} 及各步骤；填报的演练用时 {m} 分钟不够执行时冻结源系统之用），回退预留 {r} 分钟",
    "Cutover {n} min ({d} and the steps; with the {m} min that a rehearsal is said to have taken a run would not freeze the source), reserve {r} min",
)
