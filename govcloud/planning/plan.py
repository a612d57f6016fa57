"""PlanProblem → MigrationPlan: greedy, exact search, conflict, layout, verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from govcloud.errors import IntegrityError
from govcloud.model.ids import build_id
from govcloud.model.inventory import Dependency
from govcloud.model.plan import Conflict, MigrationPlan, Placement, PlanProblem, PlanStatus, Unplaced
from govcloud.model.text import Text
from govcloud.planning.cpsat import Answer, Search, find_conflict, solve, solve_partial
from govcloud.planning.heuristic import solve_greedy
from govcloud.planning.layout import build_waves, plan_hash
from govcloud.planning.limits import Limits, cost, restrict
from govcloud.planning.verify import verify_plan
from govcloud.planning.words import build_conflict


def build_plan(
    problem: PlanProblem, *, created_at: datetime, search: Search, dependencies: Iterable[Dependency] = ()
) -> MigrationPlan:
    """Never worse than the greedy plan. Raises IntegrityError when our own verifier rejects what the solver said."""
    links = tuple(dependencies)
    hopeless = _hopeless(problem)
    rest = restrict(problem, {g.group_id for g in problem.groups} - set(hopeless))
    conflicts = [_conflict(restrict(problem, {g}), search, links) for g, cause in hopeless.items() if g == cause]
    greedy = solve_greedy(rest)
    complete = greedy if len(greedy) == len(rest.groups) else ()
    answer = solve(rest, search, greedy) if rest.groups else Answer(status="optimal", bound=0)
    placements, status = _choose(rest, answer, complete)
    if status in ("infeasible", "unknown"):
        placements = _better(rest, solve_partial(rest, search, greedy).placements, greedy)
    if status == "infeasible":
        conflicts.append(_conflict(rest, search, links))
    unplaced = _unplaced(problem, placements, hopeless, conflicts, status)
    if hopeless:
        status = "infeasible"
    whole = status in ("optimal", "feasible")
    waves = build_waves(problem, placements)
    digest = plan_hash(problem, waves)
    plan = MigrationPlan(
        plan_id=build_id("P", created_at.astimezone(UTC).isoformat(), digest),
        created_at=created_at,
        problem=problem,
        waves=waves,
        unplaced=unplaced,
        status=status,
        objective=cost(problem, placements) if whole else None,
        bound=answer.bound if whole else None,
        baseline=cost(problem, complete) if complete and whole else None,
        conflicts=tuple(c for c in conflicts if c.culprits),
        plan_hash=digest,
    )
    _accept(plan)
    return plan


def _hopeless(problem: PlanProblem) -> dict[str, str]:
    """Groups that could not be placed even if nothing else moved -> the group to blame (itself, or one it waits for)."""
    limits = Limits(problem)
    found = {g.group_id: g.group_id for g in problem.groups if not limits.alone_possible(g)}
    if problem.weak_mode == "require":
        waits = [(limits.group_of[k.source_id], limits.group_of[k.target_id]) for k in problem.weak_links]
        grown = True
        while grown:
            new = {source: found[target] for source, target in waits if target in found and source not in found}
            found |= new
            grown = bool(new)
    return found


def _conflict(problem: PlanProblem, search: Search, links: Iterable[Dependency]) -> Conflict:
    if not problem.windows:
        return build_conflict(problem, [*(("place", g.group_id) for g in problem.groups), ("windows", "")], True, links)
    return build_conflict(problem, *find_conflict(problem, search), links)


def _choose(
    problem: PlanProblem, answer: Answer, greedy: Sequence[Placement]
) -> tuple[Sequence[Placement], PlanStatus]:
    """The cheaper of the two plans that place everything; a greedy plan that reaches the bound is proven, too."""
    if not greedy:
        return answer.placements, answer.status
    if not answer.placements or cost(problem, greedy) < cost(problem, answer.placements):
        return greedy, "optimal" if answer.bound == cost(problem, greedy) else "feasible"
    return answer.placements, answer.status


def _better(problem: PlanProblem, one: Sequence[Placement], other: Sequence[Placement]) -> Sequence[Placement]:
    limits = Limits(problem)
    weight = {g.group_id: limits.weight(g) for g in problem.groups}
    return min(one, other, key=lambda ps: (-sum(weight[p.group_id] for p in ps), cost(problem, ps)))


def _unplaced(
    problem: PlanProblem,
    placements: Sequence[Placement],
    hopeless: Mapping[str, str],
    conflicts: Sequence[Conflict],
    status: PlanStatus,
) -> tuple[Unplaced, ...]:
    """`status` is that of the groups that are not hopeless."""
    placed = {p.group_id for p in placements}
    blamed = {c.subject for conflict in conflicts for c in conflict.culprits if c.kind == "place"}
    found = []
    for group in problem.groups:
        cause = hopeless.get(group.group_id)
        if group.group_id in placed:
            continue
        if cause is not None and cause != group.group_id:
            reason = Text("它依赖的 {g} 排不进去", "{g}, which it needs, can't be placed").format(g=cause)
        elif cause is not None:
            reason = Text("单独也排不进任何窗口，见冲突说明", "No window takes it even alone; see the conflict")
        elif status == "unknown":
            reason = Text("限定时间内没有找到位置，可加大 --limit", "No place was found within the time: raise --limit")
        elif group.group_id in blamed:
            reason = Text(
                "与冲突说明中的其他要求不能同时满足", "It can't be met together with the demands of the conflict"
            )
        else:
            reason = Text(
                "为尽量多迁（按优先级）而让出位置", "Left out so that as much as possible (by priority) can move"
            )
        found += [Unplaced(system_id=s, reason=reason) for s in group.system_ids]
    return tuple(sorted(found, key=lambda u: u.system_id))


def _accept(plan: MigrationPlan) -> None:
    if violations := verify_plan(plan):
        raise IntegrityError(
            Text("求解结果未通过独立校验：{v}", "The solver's answer does not pass our own verifier: {v}").format(
                v=violations[0].text
            ),
            where=plan.plan_id,
            next_step=Text("计划未保存；请把清单与配置交给维护者", "The plan was not kept; give inventory and settings to the maintainers"),
        )  # fmt: skip
