"""The values of a plan's goals, re-derived from its dates alone; of what is placed and still to come.

A day's number is 1 on the day on which the plan starts; a job's end is the number of its last day, a cutover's that of the
day on which its window opens. A group is done with its job `takeover`; one without a take-over with the last of its jobs,
in the order of the problem, that does not concern the old place (retention and switch-off; on the path `retire` they do
count).

deadlines  days after due_on × priority, of each system that has one, at the end of its group; of each network that has one,
           days between it and the end of the closing. A date before the plan counts as the day before its first.
networks   sum of the ends of the closings.
risk       core systems that move before the n-th window that no general freeze closes, or the last such window where there
           are fewer; without the groups of pilots.
makespan   the latest end of any job that does not concern the old place.
bridges    weak links whose target moves in a later window than its source; none in mode `require`.
peak       most of the crews at work at a time.
changes    groups whose cutover has left the window that the earlier plan had for them.
waiting    the end of its group × priority, summed over all systems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import accumulate

from govcloud.model.plan_problem import Job
from govcloud.model.schedule import GoalKind
from govcloud.planning.placing import Cutover, Placing, is_general, meets

OLD_PLACE = ("retention", "switch_off")
"""Jobs of the old place, after the new one is in use."""


def measure_goals(placing: Placing) -> Mapping[GoalKind, int]:
    """Every goal, in the definitions above; of what is placed."""
    done = {g: _done(placing, g) for g in placing.group}
    return {
        "deadlines": _deadlines(placing, done),
        "networks": sum(_ends(placing, _closings(placing))),
        "risk": _risk(placing),
        "makespan": _makespan(placing),
        "bridges": _bridges(placing),
        "peak": _peak(placing),
        "changes": _changes(placing),
        "waiting": _waiting(placing, done),
    }


def _ends(placing: Placing, jobs: Iterable[Job]) -> list[int]:
    first = placing.problem.starts_on
    return [(day - first).days + 1 for job in jobs if (day := placing.last_day(job)) is not None]


def _old_place(placing: Placing, job: Job) -> bool:
    group = placing.group.get(job.subject_id)
    return job.kind in OLD_PLACE and (group is None or group.path != "retire")


def _done(placing: Placing, group_id: str) -> int | None:
    jobs = [j for j in placing.jobs_of.get(group_id, ()) if j.job_id not in placing.over and not _old_place(placing, j)]
    last = next((j for j in jobs if j.kind == "takeover"), jobs[-1] if jobs else None)
    return max(_ends(placing, [last]), default=None) if last else None


def _closings(placing: Placing) -> list[Job]:
    return [j for j in placing.problem.jobs if j.kind == "close"]


def _deadlines(placing: Placing, done: Mapping[str, int | None]) -> int:
    late = 0
    for task in placing.problem.tasks:
        end = done.get(placing.group_of.get(task.system_id, ""))
        if task.due_on is not None and end is not None:
            late += task.priority * max(0, end - _due(placing, task.due_on))
    for network in placing.problem.retirements:
        if network.due_on is not None:
            due = _due(placing, network.due_on)
            late += sum(max(0, end - due) for end in _ends(placing, placing.jobs_of.get(network.network_id, ())))
    return late


def _due(placing: Placing, day: date) -> int:
    return max(0, (day - placing.problem.starts_on).days + 1)


def _risk(placing: Placing) -> int:
    problem = placing.problem
    general = [f for f in problem.freezes if is_general(f)]
    usable = [w for w in problem.windows if not any(meets(w, f) for f in general)]
    if problem.core_from_window <= 1 or not usable:
        return 0
    earliest = usable[min(problem.core_from_window, len(usable)) - 1].starts_at
    early = 0
    for group_id, cutover in _to_come(placing).items():
        tasks = [placing.task[s] for s in placing.group[group_id].system_ids]
        if not any(t.pilot for t in tasks) and cutover.window.starts_at < earliest:
            early += sum(t.core for t in tasks)
    return early


def _makespan(placing: Placing) -> int:
    return max(_ends(placing, (j for j in placing.problem.jobs if not _old_place(placing, j))), default=0)


def _bridges(placing: Placing) -> int:
    if placing.problem.weak_mode == "require":
        return 0
    broken, to_come = 0, _to_come(placing)
    for link in placing.problem.weak_links:
        ends = [placing.group_of.get(s, "") for s in (link.source_id, link.target_id)]
        source, target = (to_come.get(g) for g in ends)
        broken += source is not None and target is not None and target.window.starts_at > source.window.starts_at
    return broken


def _peak(placing: Placing) -> int:
    steps = []
    for job in placing.problem.jobs:
        if job.crew_skills is not None and (held := placing.held(job)):
            steps += [(held[0], 1), (held[1], -1)]
    return max(accumulate(change for _, change in sorted(steps)), default=0)


def _changes(placing: Placing) -> int:
    found = _to_come(placing)
    return sum(
        not found[e.group_id].window.starts_at <= e.starts_at < found[e.group_id].window.ends_at
        for e in placing.problem.earlier
        if e.group_id in found
    )


def _to_come(placing: Placing) -> Mapping[str, Cutover]:
    return {g: c for g, c in placing.cutover.items() if g not in placing.executed}


def _waiting(placing: Placing, done: Mapping[str, int | None]) -> int:
    return sum(t.priority * (done.get(placing.group_of.get(t.system_id, "")) or 0) for t in placing.problem.tasks)
