"""The generation schemes: whatever priorities they are given, a schedule that they call whole holds."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedules import always, planted

from govcloud.model.schedule import Activity, Goal, Mode, Relation, Resource, Schedule, ScheduleProblem
from govcloud.planning.scheduling.compiled import ORIGINAL, compile_problem
from govcloud.planning.scheduling.schedule_check import verify_schedule
from govcloud.planning.scheduling.sgs import new_placing, parallel


def _by_time(problem: ScheduleProblem, keys: list[float]) -> tuple[int, Schedule]:
    compiled = compile_problem(problem)
    tables, count = compiled.tables, len(compiled.rank)
    placing = new_placing(tables)
    heap, since, waits = (np.zeros(count, np.int32) for _ in range(3))
    broken, _ = parallel(tables, placing, compiled.rank, np.array(keys), 0, heap, since, waits, np.zeros(1, np.int64))
    rows = tables.mode[placing.mode, ORIGINAL]
    return broken, Schedule(
        starts=tuple(placing.start.tolist()), ends=tuple(placing.end.tolist()), modes=tuple(rows.tolist())
    )


@settings(deadline=None)  # the first call loads the kernels
@given(planted(), st.integers(0, 10**6))
def test_the_parallel_scheme_keeps_every_rule(made: tuple[ScheduleProblem, Schedule], seed: int) -> None:
    problem, _ = made
    if len(compile_problem(problem).tables.circle):
        return
    dice = random.Random(seed)  # noqa: S311
    broken, schedule = _by_time(problem, [dice.random() for _ in problem.activities])
    assert broken > 0 or verify_schedule(problem, schedule) == []


@pytest.mark.parametrize("seed", range(5))
def test_nobody_idles_while_something_could_be_done(seed: int) -> None:
    """At no tick is there an activity, all before it done, that would fit beside what has been begun by then."""
    dice = random.Random(seed)  # noqa: S311
    activities = tuple(
        Activity(activity_id=str(n), modes=(Mode(duration=dice.randint(1, 9), demands=((0, dice.randint(1, 4)),)),))
        for n in range(40)
    )
    relations = tuple(Relation(before=dice.randrange(n), after=n) for n in range(1, 40) if dice.random() < 0.7)
    problem = ScheduleProblem(
        horizon=400, calendars=(always(400),), resources=(Resource(resource_id="crews", levels=((0, 6),)),),
        activities=activities, relations=relations, goals=(Goal(kind="makespan"),),
    )  # fmt: skip
    broken, schedule = _by_time(problem, [dice.random() for _ in activities])
    assert broken == 0
    for n, (start, activity) in enumerate(zip(schedule.starts, activities, strict=True)):
        ready = max((schedule.ends[r.before] for r in relations if r.after == n), default=0)
        for tick in range(ready, start):
            used = sum(
                a.modes[0].demands[0][1]
                for s, e, a in zip(schedule.starts, schedule.ends, activities, strict=True)
                if s <= tick < e
            )
            assert used + activity.modes[0].demands[0][1] > 6
