"""Large-neighbourhood search: without these a longer search could hand back a worse plan, or one that does not hold."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schedules import always, office, planted, textbook

from govcloud.model.schedule import (
    Activity,
    Goal,
    Mode,
    Progress,
    Relation,
    Resource,
    Schedule,
    ScheduleProblem,
    Search,
)
from govcloud.planning.scheduling.cpsat import solve_cpsat
from govcloud.planning.scheduling.cpsat_run import Clock
from govcloud.planning.scheduling.neighbourhood import improve
from govcloud.planning.scheduling.neighbourhood_part import Places, keep_order
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule

few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@few
@given(planted(), st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_a_part_stands_for_the_whole(plan: tuple[ScheduleProblem, Schedule], seed: int, reach: int) -> None:
    """The given schedule holds in the part; what the part's solution becomes in the whole holds there, and each goal of the
    whole changes by as much as in the part."""
    problem, schedule = plan
    dice = random.Random(seed)  # noqa: S311
    freed = {n for n in range(len(problem.activities)) if dice.random() < 0.5} or {0}
    for part in (Places(problem, schedule).cut(freed, reach), keep_order(problem, schedule, freed)):
        assert verify_schedule(part.problem, part.hint) == []
        answer = solve_cpsat(part.problem, Search(limit_s=1, hint=part.hint))
        assert answer.schedule is not None
        whole = part.put_into(schedule, answer.schedule)
        assert verify_schedule(problem, whole) == []
        here, there = measure(part.problem, part.hint), measure(problem, schedule)
        changes = [a - b for a, b in zip(answer.values, here, strict=True)]
        assert [a - b for a, b in zip(measure(problem, whole), there, strict=True)] == changes


@few
@given(planted())
def test_never_worse_and_always_valid(plan: tuple[ScheduleProblem, Schedule]) -> None:
    problem, schedule = plan
    answer = improve(problem, schedule, Search(limit_s=0.1))
    assert answer.schedule is not None
    assert verify_schedule(problem, answer.schedule) == []
    assert answer.values == measure(problem, answer.schedule) <= measure(problem, schedule)
    assert all(b <= v for b, v in zip(answer.bounds, answer.values, strict=True))


def one_by_one(problem: ScheduleProblem) -> Schedule:
    """A schedule as long as can be: nothing runs beside anything else, in an order that the relations allow."""
    at, starts = 0, {}
    while len(starts) < len(problem.activities):
        for n, activity in enumerate(problem.activities):
            if n not in starts and all(r.before in starts for r in problem.relations if r.after == n):
                starts[n] = at
                at += activity.modes[0].duration
    placed = [starts[n] for n in range(len(starts))]
    ends = tuple(s + a.modes[0].duration for s, a in zip(placed, problem.activities, strict=True))
    return Schedule(starts=tuple(placed), ends=ends, modes=(0,) * len(placed))


def project(count: int, seed: int) -> ScheduleProblem:
    """Activities on four scarce resources with random precedence."""
    dice = random.Random(seed)  # noqa: S311
    activities = tuple(
        Activity(
            activity_id=str(n),
            modes=(
                Mode(
                    duration=dice.randint(1, 9), demands=tuple((r, dice.randint(1, 8)) for r in range(4) if r != n % 4)
                ),
            ),
        )
        for n in range(count)
    )
    relations = tuple(
        Relation(before=dice.randrange(max(0, n - 12), n), after=n) for n in range(4, count) for _ in range(2)
    )
    horizon = sum(a.modes[0].duration for a in activities)
    return ScheduleProblem(
        horizon=horizon,
        calendars=(always(horizon),),
        resources=tuple(Resource(resource_id=str(r), levels=((0, 12),)) for r in range(4)),
        activities=activities,
        relations=relations,
    )


def test_a_poor_schedule_of_a_project_becomes_a_good_one() -> None:
    problem = project(40, seed=7)
    poor = one_by_one(problem)
    assert verify_schedule(problem, poor) == []
    search = Search(limit_s=120)
    answer = improve(problem, poor, search, clock=Clock(search, counted=0.8))
    assert answer.schedule is not None
    assert verify_schedule(problem, answer.schedule) == []
    assert answer.values[0] < 0.8 * measure(problem, poor)[0]


def test_an_office_is_made_better_goal_by_goal() -> None:
    """From the first schedule at hand, one that was made without a look at the goals."""
    problem = office(12, seed=3)
    first = solve_cpsat(replace(problem, goals=()), Search(limit_s=120))
    assert first.schedule is not None
    search = Search(limit_s=120)
    answer = improve(problem, first.schedule, search, clock=Clock(search, counted=0.8))
    assert answer.schedule is not None
    assert verify_schedule(problem, answer.schedule) == []
    assert answer.values < measure(problem, first.schedule)


def test_same_seed_same_schedule() -> None:
    """The work is counted; the clock has time enough even on a busy machine."""
    problem = project(30, seed=3)
    search = Search(limit_s=120, seed=4)
    first, again = (improve(problem, one_by_one(problem), search, clock=Clock(search, counted=0.6)) for _ in range(2))
    assert first.repeatable
    assert (first.schedule, first.values) == (again.schedule, again.values)


def test_it_stops_when_told_and_tells_what_it_found() -> None:
    problem = project(40, seed=7)
    seen: list[Progress] = []
    answer = improve(
        problem, one_by_one(problem), Search(limit_s=600, on_progress=seen.append, stop=lambda: len(seen) > 1)
    )
    assert not answer.repeatable
    assert {p.phase for p in seen} == {"neighbourhood"}
    assert answer.values == seen[-1].values


def test_the_best_is_left_alone_and_what_does_not_hold_is_refused() -> None:
    problem, best = textbook()
    solved = solve_cpsat(problem, Search())
    assert solved.schedule is not None
    energy_only = ScheduleProblem(
        horizon=9, calendars=(always(9),), activities=(Activity(activity_id="a", modes=(Mode(duration=2),)),),
        goals=(Goal(kind="makespan"),),
    )  # fmt: skip
    done = improve(energy_only, Schedule(starts=(0,), ends=(2,), modes=(0,)), Search())
    assert (done.status, done.values, done.bounds) == ("optimal", (2,), (2,))
    assert improve(problem, solved.schedule, Search(limit_s=0.5)).values == (best,)
    refused = improve(problem, Schedule(starts=(0,) * 6, ends=(0,) * 6, modes=(0,) * 6), Search())
    assert (refused.status, refused.schedule, refused.values) == ("unknown", None, ())
