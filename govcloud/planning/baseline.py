"""Groups one by one in order of priority, each job as early as it can: what a careful person with a table would do."""

from __future__ import annotations

from govcloud.model.plan_problem import PlanProblem
from govcloud.model.schedule import Schedule
from govcloud.planning.scheduling.heuristic import place_in_order
from govcloud.planning.translate import Translation


def place_one_by_one(problem: PlanProblem, translation: Translation) -> Schedule | None:
    """Pilots, then the groups with the highest priority a system, but never before what they wait for; None where that
    does not place everything. Never looks back: a group takes what is left."""
    priority = {t.system_id: t.priority for t in problem.tasks}
    pilots = {t.system_id for t in problem.tasks if t.pilot}
    ordered = sorted(
        problem.groups,
        key=lambda g: (
            pilots.isdisjoint(g.system_ids),
            -sum(priority[s] for s in g.system_ids) / len(g.system_ids),
            g.group_id,
        ),
    )
    turn = {g.group_id: n for n, g in enumerate(ordered)}
    count = len(translation.schedule.activities)
    key = [turn.get(j.subject_id, len(turn)) for j in translation.jobs]
    key += [0] * (count - len(key))
    return place_in_order(translation.schedule, key)
