"""The exact search: without these a user could be told "optimal" of a plan that is not, or be shown a conflict that is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schedules import conflicting, every_schedule, office, optimum, planted, problems, spans, textbook

from govcloud.model.schedule import (
    Activity,
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
from govcloud.planning.scheduling.bounds import lower_bounds
from govcloud.planning.scheduling.cpsat import ExactSearch, solve_cpsat
from govcloud.planning.scheduling.cpsat_core import Switch, find_core
from govcloud.planning.scheduling.cpsat_domains import Shapes, bound_times
from govcloud.planning.scheduling.cpsat_run import Clock
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule

tiny = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
few = settings(tiny, max_examples=30)


@tiny
@given(problems())
def test_the_answer_is_the_true_optimum_of_every_goal_in_its_order(problem: ScheduleProblem) -> None:
    """All features at once, against trying everything."""
    best = optimum(problem)
    answer = solve_cpsat(problem, Search(limit_s=60))
    if best is None:
        assert (answer.status, answer.schedule) == ("infeasible", None)
        return
    assert answer.status == "optimal"
    assert answer.schedule is not None
    assert verify_schedule(problem, answer.schedule) == []
    assert answer.values == answer.bounds == best


@few
@given(planted())
def test_a_hint_that_holds_is_never_made_worse(plan: tuple[ScheduleProblem, Schedule]) -> None:
    """Replanning starts from the plan people know; a shorter search must not lose it."""
    problem, schedule = plan
    answer = solve_cpsat(problem, Search(limit_s=0.03, hint=schedule))
    assert answer.schedule is not None
    assert verify_schedule(problem, answer.schedule) == []
    assert answer.values == measure(problem, answer.schedule) <= measure(problem, schedule)
    assert all(b <= v for b, v in zip(answer.bounds, answer.values, strict=True))


@few
@given(planted(), st.integers(0, 2**32 - 1))
def test_a_hint_that_does_not_hold_does_no_harm(plan: tuple[ScheduleProblem, Schedule], seed: int) -> None:
    problem, schedule = plan
    moved = replace(schedule, starts=tuple((s + seed) % (problem.horizon + 5) for s in schedule.starts))
    for hint in (moved, Schedule(starts=(1,), ends=(), modes=(7,))):
        answer = solve_cpsat(problem, Search(limit_s=1, hint=hint))
        assert answer.schedule is not None
        assert verify_schedule(problem, answer.schedule) == []


@tiny
@given(problems(horizon=12))
def test_earliest_and_latest_times_cut_off_no_schedule(problem: ScheduleProblem) -> None:
    """A domain that is too tight makes a good plan impossible without anyone noticing."""
    shapes = Shapes(problem)
    times = bound_times(problem, [[shapes.of(m) for m in a.modes] for a in problem.activities])
    for number, schedule in enumerate(every_schedule(problem)):
        assert times is not None
        for n, (start, end) in enumerate(zip(schedule.starts, schedule.ends, strict=True)):
            assert times.earliest[n] <= start <= times.latest[n]
            assert times.earliest_end[n] <= end <= times.latest_end[n]
        if number > 200:
            break


def test_a_textbook_example() -> None:
    problem, best = textbook()
    answer = solve_cpsat(problem, Search())
    assert (answer.status, answer.values, answer.bounds) == ("optimal", (best,), (best,))


def test_an_office_is_solved_to_the_end_and_twice_alike() -> None:
    """Same problem, seed and limit, same plan: an auditor repeats it next spring."""
    problem = office(8, seed=3)
    first, again = (solve_cpsat(problem, Search(limit_s=30, seed=5)) for _ in range(2))
    assert first.status == "optimal"
    assert first.repeatable
    assert first.schedule is not None
    assert verify_schedule(problem, first.schedule) == []
    assert (first.schedule, first.values, first.bounds) == (again.schedule, again.values, again.bounds)


def test_counted_work_ends_the_search_at_the_same_place() -> None:
    """Not proven within the limit: the answer is still the same on every machine, and its bounds are below its values."""
    problem, search = office(16, seed=2), Search(limit_s=120)
    known = lower_bounds(problem).values
    first, again = (ExactSearch(problem, search, Clock(search, counted=0.4), known).answer() for _ in range(2))
    assert first.status == "feasible"
    assert first.repeatable
    assert (first.schedule, first.values, first.bounds) == (again.schedule, again.values, again.bounds)
    assert all(b <= v for b, v in zip(first.bounds, first.values, strict=True))


def test_all_workers_and_the_clock_when_it_need_not_be_repeatable() -> None:
    problem = office(30, seed=1)
    answer = solve_cpsat(problem, Search(limit_s=1, repeatable=False, workers=2))
    assert not answer.repeatable
    if answer.schedule is not None:
        assert verify_schedule(problem, answer.schedule) == []


def test_a_person_can_end_it_and_sees_what_there_is() -> None:
    problem = office(30, seed=1)
    seen: list[Progress] = []
    answer = solve_cpsat(problem, Search(limit_s=600, on_progress=seen.append, stop=lambda: len(seen) > 2))
    assert not answer.repeatable
    assert answer.schedule is not None
    assert answer.values <= seen[0].values
    assert {p.phase for p in seen} == {"exact"}
    assert all(len(p.values) == len(p.bounds) == len(problem.goals) for p in seen)


def test_ctrl_c_goes_through_once_the_solver_has_ended() -> None:
    def interrupted() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solve_cpsat(office(30, seed=1), Search(limit_s=60, stop=interrupted))


def test_a_milestone_may_lie_inside_of_other_work() -> None:
    """It takes no time, so it needs no room on a resource that is full."""
    problem = ScheduleProblem(
        horizon=6,
        calendars=(Calendar(name="always", spans=((0, 6),)),),
        resources=(Resource(resource_id="crew", levels=((0, 1),)),),
        activities=(
            Activity(activity_id="work", modes=(Mode(duration=6, demands=((0, 1),)),)),
            Activity(activity_id="note", modes=(Mode(duration=0, demands=((0, 1),)),), release=3, deadline=3),
        ),
    )
    answer = solve_cpsat(problem, Search())
    assert (answer.status, answer.values) == ("optimal", (6,))


def test_nothing_to_do_and_nothing_to_want() -> None:
    always = (Calendar(name="always", spans=((0, 3),)),)
    assert solve_cpsat(ScheduleProblem(horizon=3, calendars=always), Search()).status == "optimal"
    one = ScheduleProblem(
        horizon=3, calendars=always, goals=(), activities=(Activity(activity_id="one", modes=(Mode(duration=3),)),)
    )
    answer = solve_cpsat(one, Search())
    assert (answer.status, answer.schedule) == ("optimal", Schedule(starts=(0,), ends=(3,), modes=(0,)))


# -- conflicts ---------------------------------------------------------------------------------------------------------


def ticks(problem: ScheduleProblem, calendar: int) -> set[int]:
    return {t for a, b in problem.calendars[calendar].spans for t in range(a, b)}


def without(problem: ScheduleProblem, switches: Sequence[Switch], on: Sequence[str]) -> ScheduleProblem:
    """The problem with the switches off that are not in `on`, by rewriting it."""

    def holds(named: Sequence[Switch]) -> bool:
        return not named or any(s.label in on for s in named)

    kept = [n for n in range(len(problem.activities)) if holds([s for s in switches if n in s.activities])]
    index = {n: k for k, n in enumerate(kept)}
    calendars, activities = list(problem.calendars), []
    for n in kept:
        activity = problem.activities[n]
        modes = []
        for mode in activity.modes:
            own = ticks(problem, mode.calendar)
            mine = [(s.label, ticks(problem, c) - own) for s in switches for a, c in s.calendars if a == n]
            opened = set() if mode.split else set().union(*(t for _, t in mine))
            closed = set().union(*(t for label, t in mine if label in on))
            open_now = sorted(own | (opened - closed))
            calendars.append(Calendar(name="now", spans=_spans(open_now)))
            modes.append(replace(mode, calendar=len(calendars) - 1))
        activities.append(
            replace(
                activity,
                modes=tuple(modes),
                release=activity.release if holds([s for s in switches if n in s.releases]) else 0,
                deadline=activity.deadline if holds([s for s in switches if n in s.deadlines]) else None,
            )
        )
    relations = tuple(
        replace(r, before=index[r.before], after=index[r.after])
        for number, r in enumerate(problem.relations)
        if r.before in index and r.after in index and holds([s for s in switches if number in s.relations])
    )
    resources = tuple(
        r if holds([s for s in switches if number in s.resources]) else replace(r, levels=((0, 10**6),))
        for number, r in enumerate(problem.resources)
    )
    return replace(
        problem, calendars=tuple(calendars), activities=tuple(activities), relations=relations, resources=resources
    )


def _spans(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for t in numbers:
        if found and found[-1][1] == t:
            found[-1] = (found[-1][0], t + 1)
        else:
            found.append((t, t + 1))
    return tuple(found)


@st.composite
def switched(draw: st.DrawFn) -> tuple[ScheduleProblem, list[Switch]]:
    problem = draw(problems(most_activities=3, horizon=8))
    problem = replace(
        problem, calendars=(*problem.calendars, Calendar(name="more", spans=draw(spans(problem.horizon))))
    )
    hard = [n for n, r in enumerate(problem.relations) if not r.soft]

    def some(numbers: Sequence[int]) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.sampled_from(numbers), max_size=2, unique=True))) if numbers else ()

    everything = range(len(problem.activities))
    return problem, [
        Switch(
            label=f"demand {n}", deadlines=some(everything), releases=some(everything), relations=some(hard),
            resources=some(range(len(problem.resources))), activities=some(everything),
            calendars=tuple((a, draw(st.integers(0, len(problem.calendars) - 1))) for a in some(everything)),
        )
        for n in range(draw(st.integers(1, 5)))
    ]  # fmt: skip


@tiny
@given(switched())
def test_a_core_is_a_conflict_and_each_of_its_labels_is_needed(case: tuple[ScheduleProblem, list[Switch]]) -> None:
    """What the office reads as "these demands contradict each other" must do so, and dropping any one of them must help."""
    problem, switches = case

    def can_hold(labels: Sequence[str]) -> bool:
        return next(every_schedule(without(problem, switches, labels)), None) is not None

    core = find_core(problem, switches, Search(limit_s=60))
    assert core.infeasible is not can_hold([s.label for s in switches])
    if core.infeasible:
        assert core.proven
        assert core.minimal
        assert not can_hold(core.labels)
        assert all(can_hold([x for x in core.labels if x != dropped]) for dropped in core.labels)
    else:
        assert core.labels == ()


@few
@given(conflicting())
def test_the_planted_conflict_is_the_one_named(case: tuple[ScheduleProblem, tuple[int, ...], int]) -> None:
    problem, culprits, scarce = case
    switches = [
        *(Switch(label=r.resource_id, resources=(n,)) for n, r in enumerate(problem.resources)),
        *(Switch(label=a.activity_id, deadlines=(n,)) for n, a in enumerate(problem.activities)),
    ]
    core = find_core(problem, switches, Search(limit_s=30))
    assert core.infeasible
    assert core.minimal
    named = {problem.activities[n].activity_id for n in culprits} | {problem.resources[scarce].resource_id}
    assert set(core.labels) == named


def test_freezes_are_named_as_far_as_each_of_them_matters() -> None:
    """Over one window each of two freezes is a conflict by itself: lifting the other helps nobody. Over two windows both
    are needed for it: lifting either opens a window."""
    problem = ScheduleProblem(
        horizon=20,
        calendars=(
            Calendar(name="never", spans=()),
            Calendar(name="one window", spans=((4, 8),)),
            Calendar(name="another", spans=((14, 18),)),
        ),
        activities=(Activity(activity_id="cutover", modes=(Mode(duration=3),)),),
    )
    audit, year_end = (Switch(label=name, calendars=((0, 1),)) for name in ("audit", "year-end"))
    move = Switch(label="move", activities=(0,))
    assert find_core(problem, [audit, year_end, move], Search()).labels == ("audit", "move")
    assert find_core(problem, [year_end, move], Search()).labels == ("year-end", "move")
    assert find_core(problem, [move], Search()).labels == ("move",)
    assert find_core(problem, [audit, year_end], Search()).labels == ("audit",)
    later = replace(year_end, calendars=((0, 2),))
    assert find_core(problem, [audit, later, move], Search()).labels == ("audit", "year-end", "move")
    assert find_core(problem, [later, move], Search()).labels == ("year-end", "move")


def test_a_cycle_that_no_switch_opens_is_a_conflict_without_labels() -> None:
    two = tuple(Activity(activity_id=x, modes=(Mode(duration=1),)) for x in "ab")
    problem = ScheduleProblem(
        horizon=9,
        calendars=(Calendar(name="always", spans=((0, 9),)),),
        activities=two,
        relations=(Relation(before=0, after=1), Relation(before=1, after=0)),
        goals=(Goal(kind="makespan"),),
    )
    core = find_core(problem, [Switch(label="latest date", deadlines=(0,))], Search())
    assert (core.labels, core.infeasible) == ((), True)
    assert find_core(problem, [Switch(label="order", relations=(1,))], Search()).labels == ("order",)


def test_no_time_means_no_claim() -> None:
    """A pigeonhole that takes long: nothing is claimed that was not proven."""
    many = tuple(Activity(activity_id=str(n), modes=(Mode(duration=7, demands=((0, 3 + n % 3),)),)) for n in range(40))
    problem = ScheduleProblem(
        horizon=133,
        calendars=(Calendar(name="always", spans=((0, 133),)),),
        resources=(Resource(resource_id="pool", levels=((0, 9),)),),
        activities=many,
    )
    core = find_core(problem, [Switch(label="pool", resources=(0,))], Search(limit_s=0.3))
    assert core.infeasible in (None, False) or core.labels == ("pool",)
