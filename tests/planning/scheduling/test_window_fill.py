"""Filling windows by patterns: without it a crew's evening is left half empty, and the project ends weeks later."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from govcloud.model.schedule import Activity, Calendar, Goal, Mode, Relation, Resource, ScheduleProblem, Search
from govcloud.planning.scheduling.heuristic import HeuristicRun
from govcloud.planning.scheduling.schedule_check import verify_schedule

PATTERNS = ((24, 24, 24), (33, 39), (27, 45), (20, 52), (14, 24, 34))
"""Lengths that fill a window of 72 ticks to the last one."""


def _weekly(weeks: int, minutes: int = 72) -> tuple[tuple[int, int], ...]:
    return tuple((n * (minutes + 7) + 7, (n + 1) * (minutes + 7)) for n in range(weeks))


def _full_windows(weeks: int, crews: int, seed: int, *, skilled: float = 0.0) -> tuple[ScheduleProblem, int]:
    """Cutovers that fill as many windows of all crews to the last tick, each with a day's work before it; and the end of the
    last of these windows. The first crew has a skill that some of its cutovers need."""
    dice = random.Random(seed)  # noqa: S311
    windows = _weekly(2 * weeks)
    pairs = []
    for _ in range(weeks):
        for crew in range(crews):
            for length in dice.choice(PATTERNS):
                demands = (
                    [((0, 1),)]
                    if crew == 0 and dice.random() < skilled
                    else [((0, 1),), ((1, 1),)][: 2 if crews > 1 else 1]
                )
                modes = tuple(Mode(duration=length, calendar=1, demands=d) for d in demands)
                pairs.append(
                    (
                        Activity(activity_id="", modes=(Mode(duration=1, split=True),)),
                        Activity(activity_id="", modes=modes),
                    )
                )
    dice.shuffle(pairs)
    horizon = windows[-1][1]
    problem = ScheduleProblem(
        horizon=horizon,
        calendars=(Calendar(name="always", spans=((0, horizon),)), Calendar(name="windows", spans=windows)),
        resources=(Resource(resource_id="first", levels=((0, 1),)), Resource(resource_id="others", levels=((0, max(1, crews - 1)),))),
        activities=tuple(a for pair in pairs for a in pair),
        relations=tuple(Relation(before=2 * n, after=2 * n + 1) for n in range(len(pairs))), windows=windows, goals=(Goal(kind="makespan"),),
        scale=tuple(t // 79 for t in range(horizon + 1)),
    )  # fmt: skip
    return problem, weeks


def _at_once(problem: ScheduleProblem, *, walk: bool) -> tuple[int, int]:
    """What the priority rules give, and what there is before any search."""
    run = HeuristicRun(problem, Search(limit_s=60.0, workers=1), walk=walk)
    run.first()
    by_rules = run.answer().values[0]
    run.find_bounds()
    run.go_on(0.0)
    answer = run.answer()
    assert answer.schedule is not None
    assert verify_schedule(problem, answer.schedule) == []
    return by_rules, answer.values[0]


@pytest.mark.parametrize("walk", [True, False])
@pytest.mark.parametrize(("crews", "skilled"), [(1, 0.0), (3, 0.5), (6, 1.0)])
def test_windows_that_can_be_filled_to_the_last_minute_nearly_are(crews: int, skilled: float, walk: bool) -> None:
    problem, weeks = _full_windows(30, crews, seed=crews, skilled=skilled)
    by_rules, found = _at_once(problem, walk=walk)
    assert found <= min(by_rules, weeks + 2)


def test_a_window_is_filled_where_the_rules_leave_a_third_of_it_empty() -> None:
    problem, weeks = _full_windows(40, 1, seed=3)
    by_rules, found = _at_once(problem, walk=True)
    assert found <= weeks + 2 < by_rules


def test_what_has_a_freeze_of_its_own_goes_before_it() -> None:
    """A system that is frozen from the seventh week on is not put off beyond the freeze because others fill a window better."""
    problem, weeks = _full_windows(20, 2, seed=5)
    spans = problem.windows
    frozen = Mode(duration=20, calendar=2, demands=((1, 1),))
    problem = replace(
        problem,
        calendars=(*problem.calendars, Calendar(name="frozen", spans=(*spans[:6], *spans[30:]))),
        activities=(*problem.activities, *(Activity(activity_id=f"frozen{n}", modes=(frozen,)) for n in range(6))),
    )
    assert _at_once(problem, walk=True)[1] <= weeks + 4
