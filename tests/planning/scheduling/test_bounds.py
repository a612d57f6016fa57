"""A bound above the optimum would make the planner call a bad plan proven best, or a possible one impossible; a weak bound
hides how good a plan is. So: never above what trying everything finds, and exact where the structure is planted."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from schedules import (
    always,
    conflicting,
    every_schedule,
    every_value,
    office,
    planted,
    problems,
    textbook,
    week_windows,
)

from govcloud.model.schedule import (
    Activity,
    Calendar,
    Goal,
    Mode,
    Relation,
    Resource,
    Schedule,
    ScheduleProblem,
)
from govcloud.planning.scheduling.bounds import earliest_starts, latest_starts, lower_bounds
from govcloud.planning.scheduling.schedule_check import measure


@settings(max_examples=80, deadline=None)
@given(problems())
def test_never_above_the_optimum_of_any_goal(made: ScheduleProblem) -> None:
    values = every_value(made)
    bounds = lower_bounds(made)
    if values:
        assert bounds.infeasible is None
        for k, bound in enumerate(bounds.values):
            assert bound <= min(v[k] for v in values), made.goals[k]


@settings(max_examples=60, deadline=None)
@given(planted())
def test_a_planted_schedule_lies_inside_of_all_bounds(made: tuple[ScheduleProblem, Schedule]) -> None:
    problem, schedule = made
    bounds = lower_bounds(problem)
    assert bounds.infeasible is None
    assert all(b <= v for b, v in zip(bounds.values, measure(problem, schedule), strict=True))
    for n, (low, high) in enumerate(zip(earliest_starts(problem), latest_starts(problem), strict=True)):
        assert low is not None and high is not None and low <= schedule.starts[n] <= high


@settings(max_examples=25, deadline=None)
@given(conflicting())
def test_a_planted_clash_is_proven_and_named(made: tuple[ScheduleProblem, tuple[int, ...], int]) -> None:
    problem, culprits, resource = made
    assert "scarce" in str(lower_bounds(problem).infeasible)
    wider = replace(problem.resources[resource], levels=((0, len(culprits)),))
    assert lower_bounds(replace(problem, resources=(wider, *problem.resources[1:]))).infeasible is None


def cutovers(
    weeks: int, minutes: list[int], *, crews: int = 1, shut: tuple[int, ...] = (), **fields: object
) -> ScheduleProblem:
    """Cutovers of so many ticks in weekly windows of 48, and then a working week before each is over; `shut` are windows
    that a freeze closes for all."""
    windows, days, horizon = week_windows(weeks)
    usable = tuple(w for n, w in enumerate(windows) if n not in shut)
    activities, relations = [], []
    for n, length in enumerate(minutes):
        activities.append(
            Activity(activity_id=f"cutover-{n}", modes=(Mode(duration=length, calendar=1, demands=((0, 1),)),))
        )
        activities.append(Activity(activity_id=f"trial-{n}", modes=(Mode(duration=5, calendar=0, split=True),)))
        relations.append(Relation(before=2 * n, after=2 * n + 1))
    return ScheduleProblem(
        **{
            "horizon": horizon,
            "calendars": (Calendar(name="working", spans=days), Calendar(name="windows", spans=usable)),
            "resources": (Resource(resource_id="crew", levels=((0, crews),)),),
            "activities": tuple(activities),
            "relations": tuple(relations),
            "windows": windows,
        } | fields
    )  # type: ignore[arg-type]  # fmt: skip


def after_window(problem: ScheduleProblem, number: int) -> int:
    """The end of the working week that follows the window."""
    return problem.calendars[0].spans[number + 1][1]


def test_more_than_half_a_window_fills_it() -> None:
    """Ten cutovers of 26 ticks (130 minutes) with one crew take ten windows of 48, though their minutes would fit in six."""
    made = cutovers(14, [26] * 10)
    assert lower_bounds(made).values == (after_window(made, 9),)
    assert lower_bounds(replace(made, resources=(Resource(resource_id="crew", levels=((0, 2),)),))).values == (
        after_window(made, 4),
    )


def test_mixed_lengths_are_packed() -> None:
    """17 + 17 fit in 48 and 17 + 17 + 17 don't; 30 goes with 17 and not with 30."""
    made = cutovers(14, [17] * 8)
    assert lower_bounds(made).values == (after_window(made, 3),)
    mixed = cutovers(14, [30] * 4 + [17] * 4)
    assert lower_bounds(mixed).values == (after_window(mixed, 3),)


def test_frozen_windows_are_not_counted() -> None:
    made = cutovers(14, [26] * 6, shut=(1, 2, 3))
    assert lower_bounds(made).values == (after_window(made, 8),)


def test_a_count_for_each_window() -> None:
    windows, _, _ = week_windows(14)
    limit = Resource(resource_id="systems", kind="periodic", levels=((0, 2), *((a, 2) for a, _ in windows)))
    made = cutovers(14, [2] * 9, crews=9)
    counted = tuple(
        replace(a, modes=(replace(m, demands=(*m.demands, (1, 1))),)) if m.calendar == 1 else a
        for a in made.activities
        for m in a.modes
    )
    made = replace(made, resources=(*made.resources, limit), activities=counted)
    assert lower_bounds(made).values == (after_window(made, 4),)


def test_a_quota_that_grows_by_the_month() -> None:
    """Nine shares of a quota of which three are there at tick 0, six from 30 and nine from 60: the last one starts at 60."""
    quota = Resource(resource_id="quota", kind="cumulative", levels=((0, 3), (30, 6), (60, 9)))
    mode = Mode(duration=4, demands=((0, 1),))
    made = ScheduleProblem(
        horizon=100, calendars=(always(100),), resources=(quota,),
        activities=tuple(Activity(activity_id=f"share-{n}", modes=(mode,)) for n in range(9)),
    )  # fmt: skip
    assert lower_bounds(made).values == (64,)
    few = replace(made, resources=(replace(quota, levels=((0, 3), (30, 8))),))
    assert "quota" in str(lower_bounds(few).infeasible)


def test_crews_that_stand_in_for_each_other_are_counted_together() -> None:
    """Six cutovers that crew a or crew b can do and three that only b can: nine crew-windows over two crews are five."""
    made = cutovers(14, [26] * 9)
    either = (Mode(duration=26, calendar=1, demands=((0, 1),)), Mode(duration=26, calendar=1, demands=((1, 1),)))
    activities = tuple(
        replace(a, modes=either[1:] if n >= 12 else either) if a.modes[0].calendar == 1 else a
        for n, a in enumerate(made.activities)
    )
    crews = (Resource(resource_id="crew:a", levels=((0, 1),)), Resource(resource_id="crew:b", levels=((0, 1),)))
    made = replace(made, activities=activities, resources=crews)
    assert lower_bounds(made).values == (after_window(made, 4),)
    # With six that only b can do, b alone needs six windows.
    hall = tuple(
        replace(a, modes=either[1:] if n >= 6 else either) if a.modes[0].calendar == 1 else a
        for n, a in enumerate(activities)
    )
    assert lower_bounds(replace(made, activities=hall)).values == (after_window(made, 5),)


def test_chains_with_calendars_and_gates() -> None:
    """before | gate | after: the same window, the next window, the day after."""
    made = cutovers(6, [26] * 3, crews=3)
    gates = (Relation(before=0, after=2, gate="next_window"), Relation(before=2, after=4, gate="window"))
    made = replace(made, relations=(*made.relations, *gates))
    assert [s for n, s in enumerate(earliest_starts(made)) if n % 2 == 0] == [made.windows[k][0] for k in (0, 1, 1)]
    assert lower_bounds(made).values == (after_window(made, 1),)
    latest = latest_starts(made)
    # A working week follows the last cutover: it is in the last window but one, the first before that.
    assert latest[4] == made.windows[4][1] - 26 and latest[0] == made.windows[3][1] - 26


def test_cycles_of_relations() -> None:
    """Two that each must not be in a later window than the other share one; each in a later one is impossible."""
    made = cutovers(6, [20, 20], crews=2)
    back = (Relation(before=0, after=2, gate="window"), Relation(before=2, after=0, gate="window"))
    late = replace(made.activities[0], release=made.windows[2][0])
    shared = replace(made, relations=(*made.relations, *back), activities=(late, *made.activities[1:]))
    assert earliest_starts(shared)[2] == made.windows[2][0]
    worse = tuple(replace(r, gate="next_window") for r in back)
    assert lower_bounds(replace(shared, relations=(*made.relations, *worse))).infeasible is not None


def test_goals_that_are_sums() -> None:
    made = cutovers(8, [26, 26], crews=2)
    first, second = after_window(made, 0), made.windows[0][0]
    goals = (
        Goal(kind="deadlines", activities=(1, 3), weights=(2, 3), ticks=(first - 4, first)),
        Goal(kind="waiting", activities=(1, 3), weights=(1, 1)),
        Goal(kind="risk", activities=(0,), weights=(5,), ticks=(made.horizon,)),
        Goal(kind="changes", activities=(0, 2), weights=(1, 1), ticks=(second - 3, second + 3)),
        Goal(kind="bridges"),
        Goal(kind="peak", resources=(0,)),
    )
    wish = Relation(before=1, after=2, soft=True, weight=7)
    made = replace(made, goals=goals, relations=(*made.relations, wish))
    # The cutover of the second must be over before the trial of the first can be.
    made = replace(
        made, activities=(*made.activities[:2], replace(made.activities[2], deadline=first), made.activities[3])
    )
    assert lower_bounds(made).values == (8, 2 * first, 5, 1, 7, 1)


@st.composite
def crowded(draw: st.DrawFn) -> ScheduleProblem:
    """Three or four jobs that must each fit into one of four windows of three ticks, with one crew or two."""
    windows = ((0, 3), (4, 7), (8, 11), (12, 15))
    usable = draw(st.lists(st.sampled_from(windows), min_size=2, unique=True).map(sorted))
    count = draw(st.integers(3, 4))
    activities = tuple(
        Activity(
            activity_id=f"job-{n}",
            modes=(Mode(duration=draw(st.integers(1, 3)), calendar=draw(st.integers(0, 1)), demands=((0, 1),)),),
            release=draw(st.sampled_from([0, 0, 5])),
        )
        for n in range(count)
    )
    weights = tuple(draw(st.integers(1, 4)) for _ in range(count))
    late = tuple(draw(st.integers(0, 12)) for _ in range(count))
    everyone = tuple(range(count))
    return ScheduleProblem(
        horizon=16,
        calendars=(Calendar(name="windows", spans=windows), Calendar(name="usable", spans=tuple(usable))),
        resources=(Resource(resource_id="crew", levels=((0, draw(st.integers(1, 2))),)),),
        activities=activities,
        relations=draw(st.sampled_from([(), (Relation(before=0, after=1, gate="window"),)])),
        windows=windows,
        goals=(
            Goal(kind="waiting", activities=everyone, weights=weights),
            Goal(kind="deadlines", activities=everyone, weights=weights, ticks=late),
            Goal(kind="makespan"),
            Goal(kind="peak", resources=(0,)),
        ),
    )


@settings(max_examples=60, deadline=None)
@given(crowded())
def test_never_above_the_optimum_where_windows_are_crowded(made: ScheduleProblem) -> None:
    values, bounds = every_value(made), lower_bounds(made)
    if values:
        assert bounds.infeasible is None
        assert all(bound <= min(v[k] for v in values) for k, bound in enumerate(bounds.values))


@settings(max_examples=60, deadline=None)
@given(crowded(), st.data())
def test_closings_are_never_promised_too_early(made: ScheduleProblem, data: st.DataObject) -> None:
    """Two that close a day after the last of their jobs; when that is follows from the jobs alone."""
    count = len(made.activities)
    jobs = data.draw(st.permutations(range(count)))
    cut = data.draw(st.integers(1, count - 1))
    parts = (jobs[:cut], jobs[cut:])
    closing = Activity(activity_id="close", modes=(Mode(duration=1),))
    problem = replace(
        made,
        horizon=17,
        calendars=(always(17), *made.calendars),
        activities=(
            *(replace(a, modes=tuple(replace(m, calendar=m.calendar + 1) for m in a.modes)) for a in made.activities),
            closing,
            closing,
        ),
        relations=(
            *made.relations,
            *(Relation(before=j, after=count + n) for n, part in enumerate(parts) for j in part),
        ),
        goals=(Goal(kind="networks", activities=(count, count + 1), weights=(1, 1)),),
    )
    ends = [s.ends for s in every_schedule(made)]
    if ends:
        best = min(sum(max(e[j] for j in part) + 1 for part in parts) for e in ends)
        assert lower_bounds(problem).values[0] <= best


def test_closings_stand_in_the_queue() -> None:
    """Two networks of four systems each with one crew, a window a system: the first closes after four windows at least, the
    second after eight."""
    made = cutovers(14, [26] * 8)
    closing = Activity(activity_id="close", modes=(Mode(duration=5, calendar=0, split=True),))
    relations = tuple(Relation(before=2 * n, after=16 + n // 4) for n in range(8))
    goals = (Goal(kind="networks", activities=(16, 17), weights=(1, 1)),)
    made = replace(
        made, activities=(*made.activities, closing, closing), relations=(*made.relations, *relations), goals=goals
    )
    queue = after_window(made, 3) + after_window(made, 7)
    assert 0.97 * queue <= lower_bounds(made).values[0] <= queue


def test_waiting_counts_the_queue() -> None:
    """Eight like cutovers with one crew, of which none fits beside another: the n-th is over after the n-th window."""
    made = cutovers(12, [26] * 8)
    ends = tuple(range(1, 16, 2))
    made = replace(made, goals=(Goal(kind="waiting", activities=ends, weights=(1,) * 8),))
    queue = sum(after_window(made, n) for n in range(8))
    assert 0.97 * queue <= lower_bounds(made).values[0] <= queue


def test_a_textbook_problem() -> None:
    made, best = textbook()
    assert 9 <= lower_bounds(made).values[0] <= best


def test_nothing_to_do_and_nothing_possible() -> None:
    empty = ScheduleProblem(horizon=5, calendars=(always(5),))
    assert lower_bounds(empty).values == (0,) and earliest_starts(empty) == ()
    closed = replace(
        empty,
        calendars=(Calendar(name="never", spans=()),),
        activities=(Activity(activity_id="one", modes=(Mode(duration=1),)),),
    )
    assert earliest_starts(closed) == (None,) and "one" in str(lower_bounds(closed).infeasible)
    milestone = Activity(activity_id="late", modes=(Mode(duration=0),), release=6)
    assert lower_bounds(replace(empty, activities=(milestone,))).infeasible is not None


def test_a_long_chain_and_a_large_cycle_end() -> None:
    """10,000 relations in one chain or one ring: no recursion, no hang."""
    count = 10_000
    made = ScheduleProblem(
        horizon=2 * count, calendars=(always(2 * count),),
        activities=tuple(Activity(activity_id=str(n), modes=(Mode(duration=1),)) for n in range(count)),
        relations=tuple(Relation(before=b, after=a) for a, b in pairwise(range(count))),
    )  # fmt: skip
    assert lower_bounds(made).values == (count,)
    ring = replace(made, relations=(*made.relations, Relation(before=0, after=count - 1, gate="window")))
    assert lower_bounds(ring).infeasible is not None or lower_bounds(ring).values[0] >= count


def test_an_office_of_two_thousand_groups() -> None:
    made = office(2_000, crews=40, weeks=420)
    bounds = lower_bounds(made)
    assert bounds.infeasible is None
    # Six systems a window: at least 334 windows, of which one is frozen for half of the systems only.
    assert bounds.values[1] >= 333 * 7
