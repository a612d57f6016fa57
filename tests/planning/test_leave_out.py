"""What to leave out, as a problem of its own: it always has an answer, and a plan that places everything leaves nothing out."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from office_problems import any_offices
from offices import problem, task

from govcloud.model.plan_problem import NetworkRetirement, PlanProblem
from govcloud.model.schedule import Search
from govcloud.planning.baseline import place_one_by_one
from govcloud.planning.leave_out import build_choice, left_out
from govcloud.planning.scheduling.heuristic import solve_heuristic
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule
from govcloud.planning.translate import build_schedule_problem


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_offices())
def test_there_is_always_a_choice_and_its_value_is_the_priority_left_out(made: PlanProblem) -> None:
    translation = build_schedule_problem(made)
    choice, done = build_choice(made, translation)
    answer = solve_heuristic(choice, Search(limit_s=0.1))
    pilots = {t.system_id for t in made.tasks if t.pilot}
    if answer.schedule is None:
        assert pilots and made.weak_mode == "require", "a pilot that needs what has to wait for it"
        return
    assert verify_schedule(choice, answer.schedule) == []
    out = left_out(answer.schedule, done, translation.schedule.horizon)
    weight = {g.group_id: sum(t.priority for t in made.tasks if t.system_id in g.system_ids) for g in made.groups}
    assert measure(choice, answer.schedule) == (sum(weight[g] for g in out),)
    if (plain := place_one_by_one(made, translation)) is not None:
        assert verify_schedule(translation.schedule, plain) == []
        assert answer.values == (0,) and out == []


def test_a_group_counts_once_however_many_last_jobs_it_has() -> None:
    network = NetworkRetirement(network_id="N", name="示例专网", group_ids=("A",))
    made = problem([task("A", 300, priority=7), task("B")], networks=[network])
    jobs = tuple(j for j in made.jobs if j.kind != "takeover")
    extra = replace(jobs[-2], job_id="A/refile", kind="refile", subject_id="A", after=("A/cutover",))
    made = replace(made, jobs=(*(replace(j, after=("A/trial",)) if j.kind == "close" else j for j in jobs), extra))
    choice, done = build_choice(made, build_schedule_problem(made))
    answer = solve_heuristic(choice, Search(limit_s=0.1))
    assert answer.schedule is not None and answer.values == (7,)
    assert left_out(answer.schedule, done, build_schedule_problem(made).schedule.horizon) == ["A"]
