"""The order of jobs: whether it can be kept at all, and which jobs are over."""

from __future__ import annotations

from govcloud.errors import InputError
from govcloud.model.plan_problem import PlanProblem
from govcloud.model.text import Text, same


def check_order(problem: PlanProblem) -> None:
    """Raises InputError for a job that waits for itself over others, for one that does not exist, or that is there twice."""
    rank = {job.job_id: i for i, job in enumerate(problem.jobs)}
    if len(rank) < len(problem.jobs):
        seen: set[str] = set()
        twice = next(j.job_id for j in problem.jobs if j.job_id in seen or seen.add(j.job_id))  # type: ignore[func-returns-value]
        raise _fault(Text("工作 {j} 出现两次", "The job {j} is there twice"), twice)
    ordered = True
    for i, job in enumerate(problem.jobs):
        for before in job.after:
            if before not in rank:
                text = Text("工作 {j} 要等待不存在的 {b}", "The job {j} waits for {b}, which does not exist")
                raise _fault(text, job.job_id, b=before)
            ordered = ordered and rank[before] < i
    if not ordered and (circle := _circle(problem)):
        text = Text("各项工作互相等待，无法排序：{c}", "These jobs wait for each other in a circle: {c}")
        raise _fault(text, circle[0], c=" → ".join([*circle, circle[0]]))


def jobs_over(problem: PlanProblem) -> frozenset[str]:
    """The cutovers that have been executed, jobs that are done or under way, and all that had to end before them."""
    done = {p.group_id for p in problem.pins if p.source == "executed"}
    if not done and not problem.done:
        return frozenset()
    after = {j.job_id: j.after for j in problem.jobs}
    over: set[str] = set()
    waiting = [j.job_id for j in problem.jobs if j.calendar == "window" and j.subject_id in done]
    waiting += [d.job_id for d in problem.done if d.job_id in after]
    while waiting:
        job_id = waiting.pop()
        if job_id not in over:
            over.add(job_id)
            waiting += after.get(job_id, ())
    return frozenset(over)


def _circle(problem: PlanProblem) -> list[str]:
    """One circle of jobs, each waiting for the next; empty when there is none."""
    after = {j.job_id: j.after for j in problem.jobs}
    open_ = {job_id: len(before) for job_id, before in after.items()}
    followers: dict[str, list[str]] = {}
    for job_id, before in after.items():
        for b in before:
            followers.setdefault(b, []).append(job_id)
    free = [job_id for job_id, count in open_.items() if not count]
    while free:
        job_id = free.pop()
        del open_[job_id]
        for follower in followers.get(job_id, ()):
            open_[follower] -= 1
            if not open_[follower]:
                free.append(follower)
    if not open_:
        return []
    # Every job that is left waits for one that is left: whoever walks on long enough walks in a circle.
    path: dict[str, int] = {}
    at = min(open_)
    while at not in path:
        path[at] = len(path)
        at = min(b for b in after[at] if b in open_)
    return list(path)[path[at] :]


def _fault(text: Text, job_id: str, **values: object) -> InputError:
    return InputError(
        text.format(j=job_id, **values),
        where=same(job_id),
        next_step=Text("检查该系统的工作项和先后关系设置", "Check the jobs of this system and their order in the settings"),
    )  # fmt: skip
