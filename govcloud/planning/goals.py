"""The wishes of a plan as goals of a schedule problem, in the order of rank that the site has given them.

Ends are counted in days from the start of the plan, the last day of the work included. A group is done when its take-over
has ended; one without a take-over when the last of its jobs has, but for what is done with the old place after a move
(retention, switch_off).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from govcloud.model.plan_problem import Job, MoveTask, PlanProblem
from govcloud.model.schedule import Goal, GoalKind, Relation
from govcloud.planning.axis import Axis
from govcloud.planning.openings import usable_windows
from govcloud.planning.supply import ALL_CREWS

OLD_PLACE = ("retention", "switch_off")


def build_goals(
    problem: PlanProblem, axis: Axis, jobs: Sequence[Job], members: Mapping[str, Sequence[MoveTask]],
    relations: Sequence[Relation], resource_of: Mapping[str, int],
) -> tuple[Goal, ...]:  # fmt: skip
    """Goals with nothing to measure are left out; when none is left, the makespan stands for all. Activity i is jobs[i]."""
    made = _Goals(problem, axis, jobs, members, relations, resource_of)
    build = {
        "deadlines": made.deadlines, "networks": made.networks, "risk": made.risk, "makespan": made.makespan,
        "bridges": made.bridges, "peak": made.peak, "changes": made.changes, "waiting": made.waiting,
    }  # fmt: skip
    found = [goal for kind in problem.goals if (goal := build[kind]()) is not None]
    return tuple(found) or (made.makespan() or Goal(kind="makespan"),)


@dataclass(frozen=True)
class _Goals:
    problem: PlanProblem
    axis: Axis
    jobs: Sequence[Job]
    members: Mapping[str, Sequence[MoveTask]]
    relations: Sequence[Relation]
    resource_of: Mapping[str, int]

    @cached_property
    def path(self) -> Mapping[str, str]:
        return {g.group_id: g.path for g in self.problem.groups}

    @cached_property
    def done(self) -> Mapping[str, int]:
        """The activity with which a group is done; of groups that still have one."""
        found: dict[str, int] = {}
        taken: set[str] = set()
        for i, job in enumerate(self.jobs):
            if job.subject_id not in self.path or job.subject_id in taken or self._later(job):
                continue
            found[job.subject_id] = i
            if job.kind == "takeover":
                taken.add(job.subject_id)
        return found

    def _later(self, job: Job) -> bool:
        return job.kind in OLD_PLACE and self.path.get(job.subject_id) != "retire"

    def deadlines(self) -> Goal | None:
        due = [
            (self.done[g], task.priority, task.due_on)
            for g, tasks in self.members.items()
            for task in tasks
            if task.due_on is not None and g in self.done
        ]
        on = {n.network_id: n.due_on for n in self.problem.retirements}
        due += [(i, 1, day) for i, j in enumerate(self.jobs) if j.kind == "close" and (day := on.get(j.subject_id))]
        return _weighted("deadlines", [(i, w, self.axis.day_tick(day + timedelta(days=1))) for i, w, day in due])

    def networks(self) -> Goal | None:
        closing = [i for i, j in enumerate(self.jobs) if j.kind == "close"]
        return _weighted("networks", [(i, 1, 0) for i in closing])

    def risk(self) -> Goal | None:
        usable = usable_windows(self.problem)
        number = min(self.problem.core_from_window, len(usable))
        if number <= 1:
            return None
        window = usable[number - 1]
        tick = self.axis.tick_at(window.starts_at)
        tick = self.axis.day_tick(window.opens_on) if tick is None else tick
        found = []
        for i, job in enumerate(self.jobs):
            tasks = self.members.get(job.subject_id, ()) if job.calendar == "window" else ()
            core = sum(t.core for t in tasks)
            if core and not any(t.pilot for t in tasks):
                found.append((i, core, tick))
        return _weighted("risk", found)

    def makespan(self) -> Goal | None:
        """What another counted job waits for ends before that one does: it need not be listed."""
        counted = {j.job_id for j in self.jobs if not self._later(j)}
        waited_for = {a for j in self.jobs if j.job_id in counted for a in j.after}
        last = tuple(i for i, j in enumerate(self.jobs) if j.job_id in counted and j.job_id not in waited_for)
        return Goal(kind="makespan", activities=last) if last else None

    def bridges(self) -> Goal | None:
        return Goal(kind="bridges") if any(r.soft for r in self.relations) else None

    def peak(self) -> Goal | None:
        """Of crews. Links and quotas have limits, and what is used below them costs nobody a night."""
        if not self.problem.crews or all(j.crew_skills is None for j in self.jobs):
            return None
        return Goal(kind="peak", resources=(self.resource_of.get(ALL_CREWS, self.resource_of["crew:0"]),))

    def changes(self) -> Goal | None:
        cutover = {j.subject_id: i for i, j in enumerate(self.jobs) if j.calendar == "window"}
        found = []
        for earlier in self.problem.earlier:
            if earlier.group_id in cutover:
                tick = self.axis.tick_at(earlier.starts_at)
                tick = self.axis.day_tick(earlier.opens_on) if tick is None else tick
                found.append((cutover[earlier.group_id], 1, min(tick, self.axis.horizon - 1)))
        return _weighted("changes", found)

    def waiting(self) -> Goal | None:
        found = [(i, sum(t.priority for t in self.members[g]), 0) for g, i in self.done.items()]
        return _weighted("waiting", found)


def _weighted(kind: GoalKind, entries: Sequence[tuple[int, int, int]]) -> Goal | None:
    """Entries: (activity, weight, tick); the tick is 0 where the goal has no use for it."""
    if not entries:
        return None
    return Goal(
        kind=kind,
        activities=tuple(i for i, _, _ in entries),
        weights=tuple(w for _, w, _ in entries),
        ticks=tuple(t for _, _, t in entries),
    )
