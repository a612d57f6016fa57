"""The verifier's rules for what jobs share: crews, and resources by the day, window, month or for good."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter

from govcloud.model.plan import PlanViolation
from govcloud.model.plan_problem import Job, PlanResource
from govcloud.model.text import Text
from govcloud.planning.placing import DAY_MIN, Placing, day_position, violation

Use = tuple[Job, int]
"""A job and the amount of a resource that it takes."""


def verify_crews(placing: Placing) -> Iterator[PlanViolation]:
    """Every job that needs a crew has one with all of its skills, and no crew does two things at a time."""
    skills = {c.name: frozenset(c.skills) for c in placing.problem.crews}
    spans: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for job in placing.problem.jobs:
        if not placing.is_here(job) or (job.subject_id in placing.executed and job.job_id in placing.over):
            continue
        crew = placing.crew_of(job)
        if job.crew_skills is None:
            if crew is not None and job.calendar != "window":
                yield violation("crew", Text("{s} 不需要班组", "{s} needs no crew"), job.job_id)
            continue
        if crew not in skills:
            yield violation("crew", Text("{s}：没有班组 {c}", "{s}: there is no crew {c}"), job.job_id, c=crew)
            continue
        if lacking := set(job.crew_skills) - skills[crew]:
            text = Text("班组 {c} 缺少 {s} 所需技能：{k}", "crew {c} lacks skills that {s} needs: {k}")
            yield violation("skills", text, job.job_id, c=crew, k=", ".join(sorted(lacking)))
        if held := placing.held(job):
            spans[crew].append((*held, job.job_id))
    for crew, busy in sorted(spans.items()):
        yield from _one_at_a_time(crew, sorted(busy))


def _one_at_a_time(crew: str, busy: Sequence[tuple[int, int, str]]) -> Iterator[PlanViolation]:
    until, holder = -1, ""
    for start, end, job_id in busy:
        if start < until:
            text = Text("班组 {c} 同时要做 {s}", "crew {c} would do {s} at the same time")
            yield violation("crew_time", text, holder, job_id, c=crew)
        if end > until:
            until, holder = end, job_id


def verify_resources(placing: Placing) -> Iterator[PlanViolation]:
    uses: dict[str, list[Use]] = defaultdict(list)
    for job in placing.problem.jobs:
        if placing.is_here(job) or job.job_id in placing.over:
            for resource_id, amount in job.demands:
                uses[resource_id].append((job, amount))
    for resource in placing.problem.resources:
        taken = uses.pop(resource.resource_id, [])
        if resource.scope == "at_once":
            yield from _at_once(placing, resource, taken)
        elif resource.scope == "per_window":
            yield from _per_window(placing, resource, taken)
        elif resource.scope == "per_month":
            yield from _per_month(placing, resource, taken)
        else:
            yield from _total(placing, resource, taken)
    for resource_id in sorted(uses):
        text = Text("没有资源 {s}，却有 {n} 项工作需要它", "there is no resource {s}, yet {n} jobs need it")
        yield violation("resource", text, resource_id, n=len(uses[resource_id]))


def limit_on(resource: PlanResource, day: date) -> int:
    """The limit in force on a day."""
    index = bisect_right(resource.changes, day, key=lambda change: change[0])
    return resource.changes[index - 1][1] if index else resource.amount


def _over(resource: PlanResource, when: object, used: int, limit: int) -> PlanViolation:
    text = Text("{t}：{d} 需 {n} {u}，上限 {m}", "{t}: {n} {u} needed on {d}, at most {m} there")
    return PlanViolation(
        code="resource", subjects=(resource.resource_id,),
        text=text.format(t=resource.title, u=resource.unit, d=when, n=used, m=limit),
    )  # fmt: skip


def _at_once(placing: Placing, resource: PlanResource, taken: Sequence[Use]) -> Iterator[PlanViolation]:
    """A sweep along the line of positions; where a limit falls, what is in use then is judged again. One line a resource."""
    steps = [(day_position(day), 0) for day, _ in resource.changes]
    for job, amount in taken:
        if held := placing.held(job):
            steps += [(held[0], amount), (held[1], -amount)]
    used = 0
    for at, changes in groupby(sorted(steps), key=itemgetter(0)):
        used += sum(change for _, change in changes)
        day = date.fromordinal(at // DAY_MIN)
        if used and used > (limit := limit_on(resource, day)):
            yield _over(resource, day, used, limit)
            return


def _per_window(placing: Placing, resource: PlanResource, taken: Sequence[Use]) -> Iterator[PlanViolation]:
    used: dict[tuple[date, str], int] = defaultdict(int)
    for job, amount in taken:
        cutover = placing.cutover.get(job.subject_id)
        if job.calendar == "window" and cutover is not None:
            used[cutover.window.opens_on, cutover.window.window_id] += amount
    for (day, _), amount in sorted(used.items()):
        if amount > (limit := limit_on(resource, day)):
            yield _over(resource, day, amount, limit)


def _per_month(placing: Placing, resource: PlanResource, taken: Sequence[Use]) -> Iterator[PlanViolation]:
    """A limit that changes within a month: the smallest holds for the whole of it."""
    used: dict[date, int] = defaultdict(int)
    for job, amount in taken:
        if (day := placing.start_day(job)) is not None:
            used[day.replace(day=1)] += amount
    for month, amount in sorted(used.items()):
        changed = [a for day, a in resource.changes if (day.year, day.month) == (month.year, month.month)]
        if amount > (limit := min([limit_on(resource, month), *changed])):
            yield _over(resource, f"{month:%Y-%m}", amount, limit)


def _total(placing: Placing, resource: PlanResource, taken: Sequence[Use]) -> Iterator[PlanViolation]:
    """What has been executed took its part before the plan starts."""
    starts = [(placing.start_day(job) or placing.problem.starts_on, amount) for job, amount in taken]
    starts += [(day, 0) for day, _ in resource.changes]
    used, over = 0, sum(amount for job, amount in taken if job.job_id in placing.over)
    for day, amounts in groupby(sorted(starts), key=itemgetter(0)):
        used += sum(amount for _, amount in amounts)
        if used > (limit := max(limit_on(resource, day), over)):
            yield _over(resource, day, used, limit)
            return
