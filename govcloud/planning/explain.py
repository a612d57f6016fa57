"""Why a system is in its wave: each earlier window is tried, and the verifier says what would break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from govcloud.model.plan import (
    ChangeWindow,
    EarlierWindow,
    MigrationPlan,
    Placement,
    PlanExplanation,
    PlanViolation,
)
from govcloud.model.text import Text
from govcloud.planning.layout import build_waves, placements_of
from govcloud.planning.limits import cost
from govcloud.planning.verify import verify_waves


def explain_system(plan: MigrationPlan, system_id: str) -> PlanExplanation | None:
    """None for a system that the plan does not know."""
    wave = plan.wave_of(system_id)
    if wave is None:
        text = _absent(plan, system_id)
        return None if text is None else PlanExplanation(system_id=system_id, wave=None, move=None, text=text)
    move = next(m for m in wave.moves if m.system_id == system_id)
    placements = placements_of(plan)
    mine = next(p for p in placements if p.group_id == move.group_id)
    earlier = tuple(
        _try(plan, placements, mine, window)
        for window in plan.problem.windows
        if window.starts_at < wave.window.starts_at
    )
    return PlanExplanation(
        system_id=system_id, wave=wave, move=move, text=_summary(plan, wave.number, earlier), earlier=earlier
    )


def _absent(plan: MigrationPlan, system_id: str) -> Text | None:
    for exclusion in plan.problem.excluded:
        if exclusion.system_id == system_id:
            return Text("不在计划中：{r}", "Not planned: {r}").format(r=exclusion.reason)
    for unplaced in plan.unplaced:
        if unplaced.system_id == system_id:
            return Text("未能排入：{r}", "Not placed: {r}").format(r=unplaced.reason)
    return None


def _try(plan: MigrationPlan, placements: Sequence[Placement], mine: Placement, window: ChangeWindow) -> EarlierWindow:
    """The group in this window with the crew that breaks least; when it only lacks room, who takes the room."""
    problem = plan.problem
    others = [p for p in placements if p.group_id != mine.group_id]
    best: tuple[int, tuple[PlanViolation, ...], int] | None = None
    for crew in problem.crews:
        moved = [*others, replace(mine, window_id=window.window_id, crew=crew.name)]
        violations = _once(verify_waves(problem, build_waves(problem, moved)))
        extra = cost(problem, moved) - cost(problem, placements)
        if best is None or len(violations) < best[0]:
            best = (len(violations), violations, extra)
    assert best is not None  # noqa: S101 - a problem has at least one crew
    _, violations, extra = best
    reasons = tuple(_who_fills(plan, others, window, v) for v in violations)
    return EarlierWindow(window=window, reasons=reasons, extra_days=extra)


def _once(violations: Sequence[PlanViolation]) -> tuple[PlanViolation, ...]:
    """Members of one group say the same thing twice."""
    found = {(v.code, v.text): v for v in violations}
    return tuple(found.values())


def _who_fills(
    plan: MigrationPlan, others: Sequence[Placement], window: ChangeWindow, violation: PlanViolation
) -> PlanViolation:
    if violation.code != "window":
        return violation
    here = sorted(p.group_id for p in others if p.window_id == window.window_id)
    if not here:
        return violation
    text = Text(
        "{day} 的窗口里班组时间已由 {o} 占用，放不下割接加回退预留",
        "in the window of {day} the crews are taken by {o}; a cutover with its reserve no longer fits",
    )
    return replace(
        violation, code="crew_time", text=text.format(day=window.opens_on, o=Text("、".join(here), ", ".join(here)))
    )


def _summary(plan: MigrationPlan, number: int, earlier: Sequence[EarlierWindow]) -> Text:
    if not earlier:
        return Text("排在第 {n} 批，是期间内最早的窗口", "Wave {n}: the earliest window of the period").format(n=number)
    if all(e.reasons for e in earlier):
        return Text(
            "排在第 {n} 批：更早的窗口（{k} 个）都不可行", "Wave {n}: no earlier window is possible ({k} tried)"
        ).format(n=number, k=len(earlier))
    if any(not e.reasons and e.extra_days < 0 for e in earlier):
        return Text(
            "排在第 {n} 批：有更早且更优的窗口，本计划未证明最优，可加大 --limit 重排",
            "Wave {n}: an earlier window would be better; this plan is not proven best, raise --limit and plan again",
        ).format(n=number)
    return Text(
        "排在第 {n} 批：更早的窗口或不可行，或使总代价更高",
        "Wave {n}: earlier windows are impossible or make the whole plan cost more",
    ).format(n=number)
