"""PlanProblem → MigrationPlan: search, choice of what to leave out where not all can be placed, layout, verdict."""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from govcloud.errors import InputError, IntegrityError
from govcloud.model.ids import build_id
from govcloud.model.plan import Conflict, GoalValue, MigrationPlan, PlanStatus, SolverRecord, Unplaced
from govcloud.model.plan_problem import PlanProblem
from govcloud.model.schedule import Answer, Progress, Schedule, ScheduleProblem, Search
from govcloud.model.text import Text
from govcloud.planning.collection import without_collection
from govcloud.planning.hint import build_hint
from govcloud.planning.layout import lay_out, plan_hash, problem_hash
from govcloud.planning.leave_out import build_choice, left_out
from govcloud.planning.openings import longest_min
from govcloud.planning.relaxed import restrict
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule
from govcloud.planning.translate import Translation, build_schedule_problem
from govcloud.planning.verify import verify_plan

CHOICE_SHARE, PROOF_SHARE, CONFLICT_SHARE = 0.2, 0.3, 0.3
"""Of the limit, where not everything may find a place: for what to leave out, for placing everything or the proof that it
can't be done, for the reasons. What is left is for the plan of the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was placed, and how good that is."""

    translation: Translation
    answer: Answer
    """Of what is placed."""
    status: PlanStatus
    baseline: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


@without_collection()
def build_plan(
    problem: PlanProblem,
    *,
    created_at: datetime,
    search: Search,
    previous_id: str | None = None,
    previous: MigrationPlan | None = None,
) -> MigrationPlan:
    """`previous`: the plan whose dates and crews the new one should keep where it can; the problem's `earlier` says how much
    that matters.

    Raises InputError for jobs that wait for each other in a circle, and IntegrityError when the independent verifier rejects
    what was found.
    """
    started = time.monotonic()
    found = _find(problem, search, previous, started)
    schedule = found.answer.schedule
    if schedule is None:
        raise ValueError(found.status)
    crews = {a.job_id: a.crew for a in (previous.activities if previous else ()) if a.crew is not None}
    laid = lay_out(problem, found.translation, schedule, crews)
    of_problem = problem_hash(problem)
    digest = plan_hash(problem, laid.waves, laid.activities, of_problem=of_problem)
    goals = _goal_values(found.translation, found.answer.values, found.answer.bounds)
    whole = not found.left_out
    plan = MigrationPlan(
        plan_id=build_id("P", created_at.astimezone(UTC).isoformat(), digest),
        created_at=created_at,
        problem=problem,
        waves=laid.waves,
        activities=laid.activities,
        unplaced=_unplaced(problem, found, stopped=search.stop is not None and search.stop()),
        status=found.status,
        goals=goals,
        baseline=_goal_values(found.translation, found.baseline, found.answer.bounds) if whole else (),
        conflicts=found.conflicts,
        solver=SolverRecord(
            solver=found.answer.solver, seed=search.seed, limit_s=search.limit_s, problem_hash=of_problem,
            seconds=round(time.monotonic() - started, 3), repeatable=found.answer.repeatable,
        ),
        previous_id=previous.plan_id if previous is not None else previous_id,
        plan_hash=digest,
    )  # fmt: skip
    _accept(plan)
    return plan


def _find(problem: PlanProblem, search: Search, previous: MigrationPlan | None, started: float) -> _Found:
    # numba and ortools take a second to load: only a command that plans pays for them.
    from govcloud.planning.baseline import place_one_by_one
    from govcloud.planning.scheduling.solve import solve

    translation = build_schedule_problem(problem)
    schedule = translation.schedule
    if not schedule.activities:
        return _Found(translation=translation, answer=_nothing(translation, search), status="optimal")
    search = replace(search, hint=search.hint or build_hint(problem, translation, previous))
    plain = place_one_by_one(problem, translation)
    baseline = measure(schedule, plain) if plain is not None else ()
    search = replace(search, limit_s=_left_s(search, time.monotonic() - started))
    if plain is None:
        return _Choice(problem, search, started).find(translation)
    answer = _better(translation, solve(schedule, _telling(search, started, schedule, baseline)), plain)
    return _Found(translation=translation, answer=answer, status=answer.status, baseline=baseline)


def _left_s(search: Search, seconds: float) -> float:
    """Repeatable searches are counted in work, and not in seconds that another run might not spend."""
    return search.limit_s if search.repeatable else max(search.limit_s - seconds, search.limit_s / 10)


def _telling(search: Search, started: float, schedule: ScheduleProblem, known: tuple[int, ...] = ()) -> Search:
    """A search that tells of seconds since the beginning, names its goals and begins with the values that are `known`."""
    tell = search.on_progress
    if tell is None:
        return search
    goals = tuple(g.kind for g in schedule.goals)

    def told(progress: Progress) -> None:
        values = min(progress.values or known, known or progress.values)
        seconds = round(time.monotonic() - started, 3)
        tell(replace(progress, seconds=seconds, values=values, goals=goals))

    if known:
        told(Progress(seconds=0.0, phase="first", values=known, bounds=()))
    return replace(search, on_progress=told)


def _nothing(translation: Translation, search: Search) -> Answer:
    nothing, zeros = Schedule(starts=(), ends=(), modes=()), (0,) * len(translation.schedule.goals)
    return Answer(
        status="optimal", schedule=nothing, values=zeros, bounds=zeros, solver="none", seed=search.seed, seconds=0.0
    )


def _better(translation: Translation, answer: Answer, plain: Schedule) -> Answer:
    """The better one of an answer and a schedule that holds."""
    values = measure(translation.schedule, plain)
    if answer.schedule is not None and answer.values <= values:
        return answer
    bounds = answer.bounds or (0,) * len(values)
    return replace(
        answer, schedule=plain, values=values, bounds=bounds, status="optimal" if values == bounds else "feasible"
    )


@dataclass(frozen=True)
class _Choice:
    """The way on when one by one does not place everything."""

    problem: PlanProblem
    search: Search
    started: float

    def find(self, whole: Translation) -> _Found:
        from govcloud.planning.conflict import find_conflicts
        from govcloud.planning.scheduling.solve import solve

        out, picked, proven = self._leave_out(whole)
        left = 1 - CHOICE_SHARE - CONFLICT_SHARE
        if not proven:
            left -= PROOF_SHARE
            share = PROOF_SHARE if out else 1 - CHOICE_SHARE
            hint = self.search.hint if out or picked is None else _first(whole, picked)
            answer = solve(whole.schedule, _telling(self._part(share, hint), self.started, whole.schedule))
            if answer.schedule is None and not out and hint is not None and not verify_schedule(whole.schedule, hint):
                answer = _better(whole, answer, hint)
            if answer.schedule is not None:
                return _Found(translation=whole, answer=answer, status=answer.status)
            proven = answer.status == "infeasible"
        conflicts = find_conflicts(self.problem, self._part(CONFLICT_SHARE))
        for kept in (self._all() - out, set[str]()):
            part = build_schedule_problem(restrict(self.problem, kept), whole.axis)
            hint = _projected(whole, part, picked) if picked is not None else None
            answer = _nothing(part, self.search)
            if part.schedule.activities:
                answer = solve(part.schedule, _telling(self._part(left, hint), self.started, part.schedule))
            if hint is not None and not verify_schedule(part.schedule, hint):
                answer = _better(part, answer, hint)
            if answer.schedule is not None:
                return _Found(
                    translation=part, answer=answer, status="infeasible" if proven or conflicts else "unknown",
                    left_out=tuple(sorted(self._all() - kept)), conflicts=tuple(conflicts),
                )  # fmt: skip
        raise InputError(
            Text("已割接系统的后续工作排不进计划", "What follows the cutovers that are over can't be planned"),
            where="pins",
            next_step=Text("检查这些系统的后续工作和资源上限", "Check their jobs and the limits that these meet"),
        )

    def _leave_out(self, whole: Translation) -> tuple[set[str], Schedule | None, bool]:
        """Groups to leave out, a schedule of the others (the first activities are those of `whole`), and whether it is
        proven that not everything can be placed."""
        from govcloud.planning.scheduling.solve import solve

        executed = {p.group_id for p in self.problem.pins if p.source == "executed"}
        pilots = {t.system_id for t in self.problem.tasks if t.pilot}
        piloted = {g.group_id for g in self.problem.groups if not pilots.isdisjoint(g.system_ids)}
        out: set[str] = set()
        proven = False
        while True:
            rest = whole if not out else build_schedule_problem(restrict(self.problem, self._all() - out), whole.axis)
            choice, done = build_choice(self.problem, rest)
            answer = solve(choice, replace(self._part(CHOICE_SHARE), on_progress=None))
            proven = proven or answer.status == "infeasible" or bool(answer.bounds and answer.bounds[0] > 0)
            if answer.schedule is None:
                return self._all(), None, proven
            now = set(left_out(answer.schedule, done, rest.schedule.horizon)) - executed
            found = _projected(rest, whole, answer.schedule) if out else answer.schedule
            if not now & piloted or now <= piloted:
                return self._with_needy(out | now) - executed, found, proven
            # Whoever follows a pilot that can't be placed would be left out with it: the pilots go alone.
            out = self._with_needy(out | now & piloted) - executed

    def _with_needy(self, out: Set[str]) -> set[str]:
        """With the groups that can't move without one of these."""
        needy: dict[str, list[str]] = {}
        for source, target in _ties(self.problem):
            needy.setdefault(target, []).append(source)
        found, waiting = set(out), list(out)
        while waiting:
            more = [g for g in needy.get(waiting.pop(), ()) if g not in found]
            found.update(more)
            waiting += more
        return found & {g.group_id for g in self.problem.groups}

    def _all(self) -> set[str]:
        executed = {p.group_id for p in self.problem.pins if p.source == "executed"}
        return {g.group_id for g in self.problem.groups} - executed

    def _part(self, share: float, hint: Schedule | None = None) -> Search:
        return replace(self.search, limit_s=self.search.limit_s * share, hint=hint)


def _first(whole: Translation, schedule: Schedule) -> Schedule:
    """Without the activities that a problem of choice has in addition."""
    count = len(whole.schedule.activities)
    return Schedule(
        starts=schedule.starts[:count],
        ends=tuple(min(e, whole.schedule.horizon) for e in schedule.ends[:count]),
        modes=schedule.modes[:count],
    )


def _projected(source: Translation, target: Translation, schedule: Schedule) -> Schedule:
    """The schedule's entries for the jobs of another translation on the same axis; what the source does not have stands at
    the horizon."""
    horizon = target.schedule.horizon
    at = [source.activity_of.get(j.job_id) for j in target.jobs]
    if len(target.schedule.activities) > len(target.jobs):
        at.append(len(source.jobs) if source.pilot_relations else None)
    return Schedule(
        starts=tuple(horizon if i is None else min(schedule.starts[i], horizon) for i in at),
        ends=tuple(horizon if i is None else min(schedule.ends[i], horizon) for i in at),
        modes=tuple(0 if i is None else schedule.modes[i] for i in at),
    )


def _goal_values(translation: Translation, values: Sequence[int], bounds: Sequence[int]) -> tuple[GoalValue, ...]:
    goals = translation.schedule.goals
    if not values:
        return ()
    return tuple(
        GoalValue(kind=g.kind, value=v, bound=min(b, v)) for g, v, b in zip(goals, values, bounds, strict=True)
    )


def _unplaced(problem: PlanProblem, found: _Found, *, stopped: bool) -> tuple[Unplaced, ...]:
    if not found.left_out:
        return ()
    out = set(found.left_out)
    named = [{d.subject for d in c.demands if d.kind == "place"} for c in found.conflicts]
    alone = {next(iter(groups)) for groups in named if len(groups) == 1}
    blamed = {g for groups in named for g in groups}
    needs = {source: target for source, target in _ties(problem) if source in out and target in out}
    result = []
    for group in problem.groups:
        group_id = group.group_id
        if group_id not in out:
            continue
        if group_id in alone:
            reason = _alone(problem, group_id)
        elif group_id in needs:
            reason = Text("它依赖的 {g} 排不进去", "{g}, which it needs, can't be placed").format(g=needs[group_id])
        elif found.status == "unknown" and stopped:
            reason = Text(
                "搜索被提前结束，还没有找到位置；不要中断，再排一次", "The search was ended before a place was found: plan again and let it finish"
            )  # fmt: skip
        elif found.status == "unknown":
            reason = Text("限定时间内没有找到位置，可加大 --limit", "No place was found within the time: raise --limit")
        elif group_id in blamed:
            reason = Text(
                "与冲突说明中的其他要求不能同时满足", "It can't be met together with the demands of the conflict"
            )
        else:
            reason = Text(
                "为尽量多迁（按优先级）而让出位置", "Left out so that as much as possible (by priority) can move"
            )
        result += [Unplaced(system_id=s, reason=reason) for s in group.system_ids]
    return tuple(sorted(result, key=lambda u: u.system_id))


def _alone(problem: PlanProblem, group_id: str) -> Text:
    need = max((j.length for j in problem.jobs if j.subject_id == group_id and j.calendar == "window"), default=0)
    have = longest_min(problem.windows)
    if need > have:
        text = Text(
            "割接加回退预留需 {n} 分钟，最长的窗口只有 {m} 分钟，解决办法见冲突说明",
            "It needs {n} minutes with its rollback reserve, the longest window has {m}; the ways out stand with the conflict",
        )
        if any(g.group_id == group_id and len(g.system_ids) > 1 for g in problem.groups):
            text = Text(
                "同组系统割接加回退预留共需 {n} 分钟，最长的窗口只有 {m} 分钟，解决办法见冲突说明",
                "Its group needs {n} minutes with the rollback reserve, the longest window has {m}; the ways out stand with the conflict",
            )
        return text.format(n=need, m=have)
    return Text("单独也排不进任何窗口，见冲突说明", "No window takes it even alone; see the conflict")


def _ties(problem: PlanProblem) -> list[tuple[str, str]]:
    """(group, another one that it can't move without); networks are among them as if they were groups."""
    subject = {j.job_id: j.subject_id for j in problem.jobs}
    pairs = [(j.subject_id, subject[a]) for j in problem.jobs for a in j.after]
    if problem.weak_mode == "require":
        group_of = {s: g.group_id for g in problem.groups for s in g.system_ids}
        window = {j.subject_id for j in problem.jobs if j.calendar == "window"}
        links = [(group_of.get(k.source_id, ""), group_of.get(k.target_id, "")) for k in problem.weak_links]
        pairs += [pair for pair in links if window.issuperset(pair)]
    return [pair for pair in pairs if pair[0] != pair[1]]


def _accept(plan: MigrationPlan) -> None:
    if violations := verify_plan(plan):
        raise IntegrityError(
            Text("求解结果未通过独立校验：{v}", "The solver's answer does not pass our own verifier: {v}").format(
                v=violations[0].text
            ),
            where=plan.plan_id,
            next_step=Text("计划未保存；请把清单与配置交给维护者", "The plan was not kept; give inventory and settings to the maintainers"),
        )  # fmt: skip
