"""The schedule problem against the rules of the plan as the independent verifier knows them: what one allows the other must.

A rule that is lost in translation gives plans that the verifier rejects; one that is too strict gives worse plans than
there are, or none, and nobody would notice.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from office_problems import any_offices
from offices import MONDAY, freeze, group_jobs, problem, task, windows

from govcloud.errors import InputError
from govcloud.model.plan_problem import Apart, Job, MoveGroup, Pin, PlanProblem, WeakLink
from govcloud.model.schedule import Activity, Relation, Schedule
from govcloud.model.text import same
from govcloud.planning.layout import lay_out
from govcloud.planning.placing import Placing
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule
from govcloud.planning.translate import Translation, build_schedule_problem
from govcloud.planning.verify import verify_placing
from govcloud.planning.verify_goals import measure_goals

DAY = timedelta(days=1)


# --- both judges agree on any dates


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(any_offices(), st.randoms(use_true_random=False))
def test_a_schedule_holds_exactly_when_the_plan_made_of_it_does(made: PlanProblem, chance: random.Random) -> None:
    translation = build_schedule_problem(made)
    schedule = _somehow(translation, chance)
    assume(schedule is not None)
    assert schedule is not None
    faults = verify_schedule(translation.schedule, schedule)
    try:
        laid = lay_out(made, translation, schedule)
    except ValueError:
        event("crews")
        assert any("crew:" in f for f in faults), "a pool with more to do than it has crews"
        return
    violations = verify_placing(made, laid.waves, laid.activities)
    assert bool(faults) == bool(violations), (faults, violations)
    event("broken" if faults else "holds")
    if not faults:
        goals = measure_goals(Placing(made, laid.waves, laid.activities))
        values = measure(translation.schedule, schedule)
        kinds = [g.kind for g in translation.schedule.goals]
        assert dict(zip(kinds, values, strict=True)) == {kind: goals[kind] for kind in kinds}


def _somehow(translation: Translation, chance: random.Random) -> Schedule | None:
    """Each job somewhere on its calendar, mostly when what it waits for has ended, at times against every rule; None where
    there is no such place."""
    problem = translation.schedule
    before: dict[int, list[Relation]] = {i: [] for i in range(len(problem.activities))}
    for relation in problem.relations:
        before[relation.after].append(relation)
    wild, lazy = chance.choice([0.0, 0.0, 0.05]), chance.choice([0, 0, 1, 5])
    starts: list[int] = []
    ends: list[int] = []
    modes: list[int] = []
    for i, one in enumerate(problem.activities):
        modes.append(chance.randrange(len(one.modes)))
        shape = one.modes[modes[-1]]
        waits = [_gate(problem.windows, r, starts, ends) for r in before[i] if r.before < i]
        ready = 0 if chance.random() < wild else max([one.release, *waits])
        spans = problem.calendars[shape.calendar].spans
        if not shape.duration:
            starts.append(ready)
            ends.append(ready)
            continue
        ticks = [t for a, b in spans for t in range(a, b) if t >= ready]
        if not shape.split:
            ticks = [t for t in ticks if any(a <= t and t + shape.duration <= b for a, b in spans)]
        at = chance.randrange(lazy + 1) * (1 if shape.split else 20)
        if at + shape.duration > len(ticks) and at >= len(ticks):
            return None
        starts.append(ticks[at])
        ends.append(ticks[at + shape.duration - 1] + 1 if shape.split else ticks[at] + shape.duration)
    return Schedule(starts=tuple(starts), ends=tuple(ends), modes=tuple(modes))


def _gate(windows: tuple[tuple[int, int], ...], relation: Relation, starts: Sequence[int], ends: Sequence[int]) -> int:
    if relation.gate == "end":
        return ends[relation.before]
    start = starts[relation.before]
    first, last = next(((a, b) for a, b in windows if a <= start < b), (start, start + 1))
    return 0 if relation.soft else first if relation.gate == "window" else last


# --- what comes out for single rules


def activity(translation: Translation, job_id: str) -> Activity:
    return translation.schedule.activities[translation.activity_of[job_id]]


def window_days(translation: Translation, job_id: str) -> list[str]:
    """Days on which the windows open that the calendar and the bounds of a cutover allow."""
    found = activity(translation, job_id)
    spans = translation.schedule.calendars[found.modes[0].calendar].spans
    last = translation.schedule.horizon if found.deadline is None else found.deadline
    return [str(translation.axis.ended_on(b)) for a, b in spans if a >= found.release and b <= last]


def test_a_cutover_may_use_the_windows_that_nothing_closes() -> None:
    """Freezes by scope and exception, agreed dates and a pin; of a group what binds any member."""
    scopes: dict[str, dict[str, object]] = {
        "A": {"mlps_level": 2}, "B": {"mlps_level": None}, "C": {"mlps_level": 3}, "D": {"mlps_level": 4, "department": "甲局"},
    }  # fmt: skip
    frozen = (
        freeze("高等级", MONDAY, MONDAY + 7 * DAY, min_mlps=3, exceptions=("C",)),
        freeze("甲局", MONDAY + 8 * DAY, MONDAY + 14 * DAY, departments=("甲局",)),
        freeze("系统", MONDAY + 15 * DAY, MONDAY + 21 * DAY, system_ids=("A",)),
    )
    made = build_schedule_problem(problem([task(s, **f) for s, f in scopes.items()], weeks=4, freezes=frozen))
    assert window_days(made, "A/cutover") == ["2026-11-28", "2026-12-05", "2026-12-19"]
    assert window_days(made, "B/cutover") == ["2026-12-05", "2026-12-12", "2026-12-19"]
    assert window_days(made, "C/cutover") == ["2026-11-28", "2026-12-05", "2026-12-12", "2026-12-19"]
    assert window_days(made, "D/cutover") == ["2026-12-12", "2026-12-19"]
    both = build_schedule_problem(
        problem(
            [task("A", 60, mlps_level=2), task("D", 60, department="甲局")], together=["AD"], weeks=4, freezes=frozen
        )
    )
    assert window_days(both, "A/cutover") == ["2026-12-19"]


def test_agreed_dates_and_pins_bound_a_cutover_by_the_day_on_which_its_window_opens() -> None:
    first, second, third = (w.opens_on for w in windows(3))
    dated = problem([task("A", not_before_on=second, not_after_on=second), task("B")], weeks=3)
    assert window_days(build_schedule_problem(dated), "A/cutover") == [str(second)]
    pinned = replace(dated, pins=(Pin(group_id="B", opens_on=third, crew="二组"),))
    made = build_schedule_problem(pinned)
    assert window_days(made, "B/cutover") == [str(third)]
    assert [made.pools[p] for p in made.mode_pools[made.activity_of["B/cutover"]]] == [("二组",)]
    assert len(made.mode_pools[made.activity_of["A/cutover"]]) == 2, "others may have either crew"
    for day in (first - 7 * DAY, first + DAY):
        nowhere = build_schedule_problem(replace(dated, pins=(Pin(group_id="B", opens_on=day),)))
        assert window_days(nowhere, "B/cutover") == [], "a pin in the past, or on a day without a window"


def test_jobs_that_are_over_vanish_and_what_follows_starts_on_the_next_day() -> None:
    done = windows(1)[0].opens_on
    made = problem([task("A"), task("B")], vcpus=6, pins=(Pin(group_id="A", opens_on=done, source="executed"),))
    translation = build_schedule_problem(made)
    assert [j.job_id for j in translation.jobs if j.subject_id == "A"] == ["A/trial", "A/takeover"]
    assert activity(translation, "A/trial").release == translation.axis.day_tick(done + DAY)
    quota = translation.schedule.resources[translation.resource_of["pool:main:vcpus"]]
    assert quota.levels == ((0, 2),), "what was opened for A stays taken"


def test_pilots_cost_as_many_relations_as_there_are_groups() -> None:
    tasks = [task(f"P{n}", pilot=True) for n in range(10)] + [task(f"S{n:02d}") for n in range(40)]
    translation = build_schedule_problem(problem(tasks))
    assert len(translation.pilot_relations) == 50
    assert len(translation.schedule.activities) == len(translation.jobs) + 1


def test_a_weak_link_is_a_wish_or_a_demand_and_vanishes_inside_a_group() -> None:
    links = tuple(
        WeakLink(dependency_id=f"D{n}", source_id=a, target_id=b) for n, (a, b) in enumerate(["AB", "CA", "CB", "AR"])
    )
    tasks = [task("A", 60), task("B", 60), task("C"), task("R", 0, path="retire")]
    for mode, soft in (("prefer", True), ("require", False)):
        made = build_schedule_problem(problem(tasks, together=["AB"], weak_links=links, weak_mode=mode))
        ((index, ids),) = made.weak_relations
        relation = made.schedule.relations[index]
        assert ids == ("D1", "D2") and (relation.soft, relation.weight, relation.gate) == (soft, 2, "window")
        assert (relation.before, relation.after) == (made.activity_of["A/cutover"], made.activity_of["C/cutover"])


def test_limits_change_on_their_day_and_a_stock_never_counts_on_what_will_be_taken_away() -> None:
    changes = ((MONDAY + 7 * DAY, 50), (MONDAY + 14 * DAY, 80))
    made = problem([task("A")], vcpus=100)
    made = replace(made, resources=tuple(replace(r, changes=changes) for r in made.resources))
    translation = build_schedule_problem(made)
    axis = translation.axis
    link, pool = (translation.schedule.resources[translation.resource_of[r]] for r in ("link:main", "pool:main:vcpus"))
    days = [axis.day_tick(day) for day, _ in changes]
    assert link.levels == ((0, 1000), (days[0], 50), (days[1], 80))
    assert [amount for _, amount in pool.levels] == [50, 50, 80]


def test_work_that_no_crew_can_do_and_a_limit_of_nothing_are_problems_without_a_schedule_not_errors() -> None:
    helpless = build_schedule_problem(problem([task("A", skills=("oracle",))]))
    (mode,) = activity(helpless, "A/cutover").modes
    assert any(helpless.schedule.resources[r].levels == ((0, 0),) for r, _ in mode.demands)
    for field in ("systems_per_window", "link_mbps", "vcpus"):
        assert build_schedule_problem(problem([task("A")], **{field: 0})).schedule.resources
    assert build_schedule_problem(problem([task("A")], windows=(), weeks=2)).schedule.windows == ()
    assert build_schedule_problem(problem([])).schedule.activities == ()


@pytest.mark.parametrize("after", [("A/takeover",), ("A/provision",), ("Z/nothing",)])
def test_an_order_of_jobs_that_contradicts_itself_is_said_with_its_jobs(after: tuple[str, ...]) -> None:
    made = problem([task("A")])
    jobs = tuple(replace(j, after=after) if j.kind == "provision" else j for j in made.jobs)
    with pytest.raises(InputError) as error:
        build_schedule_problem(replace(made, jobs=jobs))
    assert after[0] in error.value.what.zh and error.value.exit_code == 3
    with pytest.raises(InputError):
        build_schedule_problem(replace(made, jobs=(*made.jobs, made.jobs[0])))


def test_jobs_in_any_order_are_taken_as_long_as_there_is_no_circle() -> None:
    made = problem([task("A")])
    translation = build_schedule_problem(replace(made, jobs=tuple(reversed(made.jobs))))
    assert len(translation.schedule.relations) == 4


def test_goals_stand_in_the_order_of_the_site_and_only_where_there_is_something_to_measure() -> None:
    made = problem([task("A"), task("B", due_on=MONDAY + 20 * DAY, core=True)], core_from_window=2)
    kinds = [g.kind for g in build_schedule_problem(made).schedule.goals]
    assert kinds == ["deadlines", "risk", "makespan", "peak", "waiting"]
    other = replace(made, goals=("waiting", "deadlines"))
    assert [g.kind for g in build_schedule_problem(other).schedule.goals] == ["waiting", "deadlines"]
    nothing = replace(made, goals=("bridges", "networks"))
    assert [g.kind for g in build_schedule_problem(nothing).schedule.goals] == ["makespan"]


def test_a_window_that_is_apart_from_another_on_the_same_day_is_another_window() -> None:
    opens = datetime(2026, 11, 28, 1, tzinfo=UTC)
    two = tuple(
        replace(windows(1)[0], window_id=f"W{n}", starts_at=at, ends_at=at + timedelta(minutes=120))
        for n, at in enumerate((opens, opens + timedelta(minutes=120)))
    )
    apart = (Apart(group_ids=("A", "B"), reason=same("示例")),)
    made = build_schedule_problem(problem([task("A"), task("B")], windows=two, apart=apart))
    levels = made.schedule.resources[made.resource_of["apart:A|B"]].levels
    assert len(levels) == 3 and len(made.schedule.windows) == 2


def test_ten_times_as_many_links_as_systems_and_hundreds_of_freezes_are_translated() -> None:
    chance = random.Random(1)  # noqa: S311
    ids = [f"S{n:05d}" for n in range(500)]
    tasks = [task(s, 60, mlps_level=chance.choice([2, 3]), department=f"部门{n % 60}") for n, s in enumerate(ids)]
    links = tuple(
        WeakLink(dependency_id=f"D{n}", source_id=chance.choice(ids), target_id=chance.choice(ids))
        for n in range(5_000)
    )
    groups = tuple(MoveGroup(group_id=s, system_ids=(s,)) for s in ids)
    frozen = [freeze(f"F{n}", MONDAY + n * DAY, MONDAY + (n + 9) * DAY, system_ids=(ids[n],)) for n in range(500)]
    jobs = tuple(j for g, t in zip(groups, tasks, strict=True) for j in group_jobs(g, [t]))
    made = replace(
        problem([tasks[0]], weeks=100),
        tasks=tuple(tasks),
        groups=groups,
        jobs=jobs,
        weak_links=links,
        freezes=tuple(frozen),
    )
    translation = build_schedule_problem(made)
    assert len(translation.schedule.activities) == 2_500


def test_a_chain_of_many_thousand_links_needs_no_recursion() -> None:
    ids = [f"S{n:05d}" for n in range(5_000)]
    tasks = [task(s, 60) for s in ids]
    groups = tuple(MoveGroup(group_id=s, system_ids=(s,)) for s in ids)
    jobs = [Job(job_id=f"{s}/cutover", subject_id=s, kind="cutover", calendar="window", length=60) for s in ids]
    chained = [replace(j, after=(b.job_id,)) for b, j in pairwise(jobs)]
    made = replace(problem([tasks[0]]), tasks=tuple(tasks), groups=groups, jobs=(jobs[0], *chained))
    assert len(build_schedule_problem(made).schedule.relations) == 4_999
    with pytest.raises(InputError):
        build_schedule_problem(replace(made, jobs=(replace(jobs[0], after=(jobs[-1].job_id,)), *chained)))
