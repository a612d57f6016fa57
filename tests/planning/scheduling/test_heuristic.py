"""What a user would miss: a plan at once even for thousands of systems, the same plan for the same request, and an end when
they say so."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import schedules
from hypothesis import HealthCheck, given, settings

from benchmarks.patterson import load_patterson, parse_patterson
from govcloud.model.schedule import (
    Activity,
    Answer,
    Calendar,
    Goal,
    Mode,
    Progress,
    Relation,
    Resource,
    Schedule,
    ScheduleProblem,
    Search,
)
from govcloud.planning.scheduling.heuristic import HeuristicRun, solve_heuristic, warm
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule

SHORT = Search(limit_s=0.01)
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """Compiling is not what is timed here."""
    warm()


@QUICK
@given(schedules.problems())
def test_a_schedule_holds_and_is_no_better_than_the_best_there_is(problem: ScheduleProblem) -> None:
    answer = solve_heuristic(problem, SHORT)
    best = schedules.optimum(problem)
    if answer.schedule is None:
        assert answer.status in ("unknown", "infeasible")
        assert answer.status == "unknown" or best is None
        return
    assert verify_schedule(problem, answer.schedule) == []
    assert answer.values == measure(problem, answer.schedule)
    assert best is not None and best <= answer.values
    assert (answer.status == "optimal") == (answer.values == answer.bounds)


@QUICK
@given(schedules.planted())
def test_the_values_are_those_of_the_schedule(planted: tuple[ScheduleProblem, Schedule]) -> None:
    problem, _ = planted
    answer = solve_heuristic(problem, SHORT)
    assert answer.status != "infeasible"
    if answer.schedule is not None:
        assert verify_schedule(problem, answer.schedule) == []
        assert answer.values == measure(problem, answer.schedule)


@QUICK
@given(schedules.planted())
def test_the_walk_of_big_problems_keeps_the_rules_too(planted: tuple[ScheduleProblem, Schedule]) -> None:
    problem, _ = planted
    run = HeuristicRun(problem, SHORT, walk=True)
    run.first()
    first = run.answer()
    run.go_on(0.02)
    answer = run.answer()
    if answer.schedule is not None:
        assert verify_schedule(problem, answer.schedule) == []
        assert answer.values == measure(problem, answer.schedule)
    if first.schedule is not None:
        assert answer.values <= first.values


def test_the_walk_finds_what_the_rules_do_not() -> None:
    """Families that change places: every goal of an office gets no worse, and its first better ones are found."""
    problem = schedules.office(60)
    run = HeuristicRun(problem, Search(limit_s=60.0), walk=True)
    run.first()
    first = run.answer()
    run.go_on(2.0)
    assert run.answer().values < first.values


@QUICK
@given(schedules.planted())
def test_a_hint_that_holds_is_never_lost(planted: tuple[ScheduleProblem, Schedule]) -> None:
    problem, schedule = planted
    answer = solve_heuristic(problem, replace(SHORT, hint=schedule))
    assert answer.schedule is not None
    assert answer.values <= measure(problem, schedule)


def test_the_optimum_of_a_textbook_instance() -> None:
    problem, makespan = schedules.textbook()
    assert solve_heuristic(problem, Search(limit_s=0.1)).values == (makespan,)


def _in_time(problem: ScheduleProblem, search: Search) -> Answer:
    """An answer that the clock did not cut short; a machine that is busy with something else may need another try."""
    for _ in range(5):
        answer = solve_heuristic(problem, search)
        if answer.repeatable:
            return answer
    raise AssertionError("the counted work takes longer than the limit")


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_request_gives_the_same_schedule(workers: int) -> None:
    problem = schedules.office(30)
    search = Search(limit_s=1.0, workers=workers, seed=7)
    first, second = (_in_time(problem, search) for _ in range(2))
    assert first.schedule is not None
    assert replace(first, seconds=0.0) == replace(second, seconds=0.0)


def test_more_search_is_never_worse() -> None:
    problem = schedules.office(40)
    values = [solve_heuristic(problem, Search(limit_s=s)).values for s in (0.05, 0.5)]
    assert values[1] <= values[0]


def test_a_person_ends_it() -> None:
    """Ten minutes were allowed."""
    told: list[Progress] = []
    search = Search(limit_s=600.0, on_progress=told.append, stop=lambda: bool(told) and told[-1].phase == "search")
    answer = solve_heuristic(schedules.office(60), search)
    assert answer.schedule is not None
    assert not answer.repeatable


def test_the_limit_ends_it_and_values_only_fall() -> None:
    """A first schedule is told of before the search for better ones, and what is told can be read."""
    told: list[Progress] = []
    answer = solve_heuristic(schedules.office(60), Search(limit_s=0.8, repeatable=False, on_progress=told.append))
    assert told[0].phase == "first"
    values = [p.values for p in told if p.values]
    assert values == sorted(values, reverse=True)
    assert answer.values <= values[-1]
    searched = [p.seconds for p in told if p.phase == "search"]
    assert all(b - a >= 0.25 for a, b in pairwise(searched))


def _changing(problem: ScheduleProblem, schedule: Schedule) -> ScheduleProblem:
    """The goal `changes` first, counting every activity."""
    every = tuple(range(len(problem.activities)))
    changes = Goal(kind="changes", activities=every, weights=(1,) * len(every), ticks=schedule.starts)
    return replace(problem, goals=(changes, *problem.goals))


def test_nothing_moves_when_nothing_changes() -> None:
    problem = schedules.office(40)
    before = solve_heuristic(problem, Search(limit_s=0.2)).schedule
    assert before is not None
    after = solve_heuristic(_changing(problem, before), Search(limit_s=0.3, hint=before)).schedule
    assert after is not None
    assert [a == b for a, b in zip(before.starts, after.starts, strict=True)].count(False) == 0


def test_a_change_moves_little() -> None:
    """One group may only start late; the others stay in their windows."""
    problem = schedules.office(40)
    before = solve_heuristic(problem, Search(limit_s=0.2)).schedule
    assert before is not None
    late = replace(problem.activities[0], release=before.starts[0] + 200)
    problem = replace(_changing(problem, before), activities=(late, *problem.activities[1:]))
    after = solve_heuristic(problem, Search(limit_s=0.5, hint=before))
    assert after.schedule is not None
    assert after.values[0] <= 6, "the five steps of its group, and the network that may wait for it"


def test_what_waits_in_a_circle_shares_a_window() -> None:
    """Two systems that each want the other to move no later: both in one window, and in the second, since the first has no
    room for both."""
    windows = ((5, 9), (15, 25))
    problem = ScheduleProblem(
        horizon=30,
        calendars=(Calendar(name="windows", spans=windows),),
        resources=(Resource(resource_id="crew", levels=((0, 1),)),),
        activities=tuple(Activity(activity_id=f"{n}", modes=(Mode(duration=3, demands=((0, 1),)),)) for n in range(3)),
        relations=(
            Relation(before=0, after=1, gate="window"),
            Relation(before=1, after=0, gate="window"),
            Relation(before=1, after=2),
        ),
        windows=windows,
    )
    answer = solve_heuristic(problem, Search(limit_s=0.1))
    assert answer.schedule is not None
    assert verify_schedule(problem, answer.schedule) == []
    assert sorted(answer.schedule.starts[:2]) == [15, 18]


def test_an_end_that_waits_for_itself_is_no_schedule() -> None:
    problem, _ = schedules.textbook()
    answer = solve_heuristic(
        replace(problem, relations=(Relation(before=0, after=1), Relation(before=1, after=0))), SHORT
    )
    assert answer.schedule is None
    assert answer.status in ("infeasible", "unknown")


def test_rare_skills_are_spared() -> None:
    """Two crews, one of them with a skill that half of the work needs: it is not used up by the other half."""
    skilled, plain = ((1, 1),), ((0, 1),)
    activities = [
        Activity(
            activity_id=f"{n}",
            modes=(Mode(duration=4, demands=skilled), *(() if n % 2 else (Mode(duration=4, demands=plain),))),
        )
        for n in range(12)
    ]
    problem = ScheduleProblem(
        horizon=200,
        calendars=(schedules.always(200),),
        resources=tuple(Resource(resource_id=r, levels=((0, 1),)) for r in ("crew", "skilled")),
        activities=tuple(activities),
    )
    run = HeuristicRun(problem, SHORT)
    run.first()
    assert run.answer().values == (24,)


def test_no_activities_no_resources_no_room() -> None:
    nothing = ScheduleProblem(horizon=0, calendars=())
    answer = solve_heuristic(nothing, SHORT)
    assert answer.schedule == Schedule(starts=(), ends=(), modes=())
    closed = ScheduleProblem(
        horizon=5,
        calendars=(Calendar(name="never", spans=()),),
        activities=(Activity(activity_id="a", modes=(Mode(duration=1),)),),
    )
    assert solve_heuristic(closed, SHORT).schedule is None
    empty = replace(closed, calendars=(schedules.always(5),), resources=(Resource(resource_id="r", levels=((0, 0),)),))
    wanting = replace(empty, activities=(Activity(activity_id="a", modes=(Mode(duration=1, demands=((0, 1),)),)),))
    assert solve_heuristic(wanting, SHORT).schedule is None


def test_thousands_of_groups_at_once() -> None:
    """10,000 activities, past the size at which a population pays: one pass gives a schedule, and the walk goes on with it."""
    problem = schedules.office(2_000, weeks=104, crews=60)
    loose = [
        replace(r, levels=tuple((tick, max(amount, 1) * 40) for tick, amount in r.levels)) if r.resource_id in ("link", "systems") else r
        for r in problem.resources
    ]  # fmt: skip
    problem = replace(problem, resources=tuple(loose))
    run = HeuristicRun(problem, Search(limit_s=1.5, repeatable=False))
    run.first()
    first = run.answer()
    assert first.schedule is not None
    run.go_on(1.5)
    answer = run.answer()
    assert answer.schedule is not None and answer.values <= first.values
    assert verify_schedule(problem, answer.schedule) == []
    assert answer.values == measure(problem, answer.schedule)


PATTERSON = """
4 2
3 2
0 0 0  2 2 3
3 2 1  1 4
2 3 0  1 4
0 0 0  0
"""


def test_an_instance_in_pattersons_format(tmp_path: Path) -> None:
    (tmp_path / "small.rcp").write_text(PATTERSON, encoding="ascii")
    problem = load_patterson(tmp_path / "small.rcp")
    assert problem.horizon == 5
    assert problem.activities[2].modes == (Mode(duration=2, demands=((0, 3),)),)
    assert problem.relations[-1] == Relation(before=2, after=3)
    assert solve_heuristic(problem, SHORT).values == (5,)


@pytest.mark.parametrize("text", ["", "2 1 4 0 0 1", "1 0 3 0 7 8", "1 0 3 1 2", "one"])
def test_another_format_is_told(text: str) -> None:
    with pytest.raises(ValueError):
        parse_patterson(text)
