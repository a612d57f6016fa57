"""What a user would miss: the optimum and its proof for a small office, and never a plan that does not hold."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import schedules
from hypothesis import HealthCheck, given, settings

from govcloud.model.schedule import Progress, Schedule, ScheduleProblem, Search
from govcloud.planning.scheduling.heuristic import warm
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule
from govcloud.planning.scheduling.solve import solve


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    warm()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schedules.problems())
def test_small_problems_are_solved_to_the_end(problem: ScheduleProblem) -> None:
    answer = solve(problem, Search(limit_s=2.0, workers=1))
    best = schedules.optimum(problem)
    assert answer.values == (best or ())
    assert answer.status == ("infeasible" if best is None else "optimal")
    assert answer.schedule is None or answer.bounds == answer.values


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schedules.planted())
def test_a_planted_schedule_is_reached(planted: tuple[ScheduleProblem, Schedule]) -> None:
    problem, schedule = planted
    answer = solve(problem, Search(limit_s=1.0))
    assert answer.schedule is not None
    assert verify_schedule(problem, answer.schedule) == []
    if answer.status == "optimal":
        assert answer.values <= measure(problem, schedule)
    assert all(a >= b for a, b in zip(answer.values[:1], answer.bounds, strict=False))


def test_the_same_request_gives_the_same_answer() -> None:
    problem = schedules.office(12)
    answers = [solve(problem, Search(limit_s=1.0, seed=3)) for _ in range(2)]
    while sum(a.repeatable for a in answers) < 2 and len(answers) < 6:  # a busy machine may be cut short by the clock
        answers.append(solve(problem, Search(limit_s=1.0, seed=3)))
    first, second = [a for a in answers if a.repeatable][:2]
    assert replace(first, seconds=0.0) == replace(second, seconds=0.0)


def test_all_of_the_time_is_used_side_by_side() -> None:
    told: list[Progress] = []
    answer = solve(schedules.office(50), Search(limit_s=1.0, repeatable=False, on_progress=told.append))
    assert answer.schedule is not None
    values = [p.values for p in told if p.values]
    assert values == sorted(values, reverse=True)
    assert answer.values <= values[-1]


def test_a_person_ends_whatever_is_at_work() -> None:
    """Ten minutes were allowed."""
    told: list[Progress] = []
    search = Search(limit_s=600.0, on_progress=told.append, stop=lambda: bool(told) and told[-1].phase == "search")
    answer = solve(schedules.office(50), search)
    assert answer.schedule is not None and not answer.repeatable


def test_commands_that_plan_nothing_do_not_load_the_solvers() -> None:
    code = "import sys, govcloud.planning.scheduling.solve; print(sorted(m for m in sys.modules if m in ('numba', 'ortools', 'numpy')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_compiled_code_that_can_be_kept_nowhere_still_works() -> None:
    """A package that root installed, run by an account without a home: compiled anew instead of a failure."""
    code = (
        "from govcloud.planning.scheduling.kernels import kernel\n"
        "@kernel\ndef twice(x):\n    return 2 * x\n"
        "print(twice(21), type(twice._cache).__name__)"
    )
    # Numba looks at one place only, which is not set.
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.split() == ["42", "NullCache"]
