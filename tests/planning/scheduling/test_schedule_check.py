"""Without this a wrong solver would hand an office a plan with two cutovers for one crew, and nobody would see it before
Saturday night: every kind of fault that a schedule can have is planted once and must be named."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedules import always, every_schedule, planted, problems

from govcloud.model.schedule import (
    Activity,
    Calendar,
    Gate,
    Goal,
    Mode,
    Relation,
    Resource,
    Schedule,
    ScheduleProblem,
)
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule

HORIZON = 20
WINDOWS = ((2, 6), (8, 12))


def problem(*modes: Mode, **fields: object) -> ScheduleProblem:
    """One activity for each mode; working ticks of calendar 1 are 2–5 and 8–11."""
    return ScheduleProblem(
        **{
            "horizon": HORIZON,
            "calendars": (always(HORIZON), Calendar(name="windows", spans=WINDOWS)),
            "activities": tuple(Activity(activity_id=f"activity-{n}", modes=(m,)) for n, m in enumerate(modes)),
            "windows": WINDOWS,
        } | fields
    )  # type: ignore[arg-type]  # fmt: skip


def schedule(*spans: tuple[int, int]) -> Schedule:
    return Schedule(starts=tuple(a for a, _ in spans), ends=tuple(b for _, b in spans), modes=tuple(0 for _ in spans))


THREE = Mode(duration=3)
SPLIT = Mode(duration=5, calendar=1, split=True)


@settings(max_examples=60, deadline=None)
@given(planted())
def test_planted_schedules_hold(made: tuple[ScheduleProblem, Schedule]) -> None:
    assert verify_schedule(*made) == []


@settings(max_examples=60, deadline=None)
@given(problems(most_activities=3, horizon=7), st.data())
def test_it_accepts_exactly_what_trying_all_finds(made: ScheduleProblem, data: st.DataObject) -> None:
    """The enumeration works tick by tick and shares no code with the check."""
    holding = set(every_schedule(made))
    for sample in list(holding)[:20]:
        assert verify_schedule(made, sample) == []
    starts = tuple(data.draw(st.integers(0, made.horizon)) for _ in made.activities)
    ends = tuple(data.draw(st.integers(s, made.horizon)) for s in starts)
    modes = tuple(data.draw(st.integers(0, len(a.modes) - 1)) for a in made.activities)
    tried = Schedule(starts=starts, ends=ends, modes=modes)
    assert (verify_schedule(made, tried) == []) == (tried in holding)


@settings(max_examples=60, deadline=None)
@given(planted(), st.data())
def test_a_moved_start_or_end_is_found(made: tuple[ScheduleProblem, Schedule], data: st.DataObject) -> None:
    asked, held = made
    n = data.draw(st.integers(0, len(held.ends) - 1))
    ends = list(held.ends)
    ends[n] += data.draw(st.sampled_from([-1, 1]))
    assert any(asked.activities[n].activity_id in f for f in verify_schedule(asked, replace(held, ends=tuple(ends))))


@pytest.mark.parametrize(
    ("start", "end", "fault"),
    [
        (2, 9, None),  # 2–5 and 8: a break inside
        (5, 12, None),
        (1, 8, "do not fit"),  # 1 is no working tick
        (6, 12, "do not fit"),  # nor is 6
        (8, 13, "do not fit"),  # only four are left
        (2, 12, "ends at 9"),
    ],
)
def test_calendar_that_breaks_in(start: int, end: int, fault: str | None) -> None:
    found = verify_schedule(problem(SPLIT), schedule((start, end)))
    assert found == [] if fault is None else (len(found) == 1 and fault in found[0])


@pytest.mark.parametrize(("start", "fits"), [(2, True), (3, True), (4, False), (9, True), (10, False), (7, False)])
def test_uninterrupted_in_one_window(start: int, fits: bool) -> None:
    found = verify_schedule(problem(Mode(duration=3, calendar=1)), schedule((start, start + 3)))
    assert (found == []) == fits


def test_release_deadline_and_horizon() -> None:
    made = problem(THREE)
    one = replace(made.activities[0], release=4, deadline=8)
    made = replace(made, activities=(one,))
    assert verify_schedule(made, schedule((4, 7))) == verify_schedule(made, schedule((5, 8))) == []
    assert "release 4" in verify_schedule(made, schedule((3, 6)))[0]
    assert "deadline 8" in verify_schedule(made, schedule((6, 9)))[0]
    assert any("horizon 20" in f for f in verify_schedule(problem(Mode(duration=0)), schedule((21, 21))))
    assert verify_schedule(problem(Mode(duration=0)), schedule((20, 20))) == []
    assert verify_schedule(problem(Mode(duration=0)), schedule((-1, -1))) != []


@pytest.mark.parametrize(
    ("gate", "before", "earliest"),
    [
        ("end", 3, 4),
        ("window", 3, 2),
        ("next_window", 3, 6),
        ("window", 7, 7),  # outside of all windows: a window of its own tick
        ("next_window", 7, 8),
        ("window", 12, 12),
        ("next_window", 5, 6),
    ],
)
def test_gates(gate: Gate, before: int, earliest: int) -> None:
    made = problem(Mode(duration=1), Mode(duration=1), relations=(Relation(before=0, after=1, gate=gate),))
    first = (before, before + 1)
    assert verify_schedule(made, schedule(first, (earliest, earliest + 1))) == []
    faults = verify_schedule(made, schedule(first, (earliest - 1, earliest)))
    assert len(faults) == 1 and f"({gate})" in faults[0]


def test_a_soft_relation_is_counted_and_no_fault() -> None:
    wishes = (Relation(before=0, after=1, soft=True, weight=3), Relation(before=1, after=0, soft=True, weight=4))
    made = problem(THREE, THREE, relations=wishes, goals=(Goal(kind="bridges"),))
    apart, together = schedule((0, 3), (3, 6)), schedule((0, 3), (1, 4))
    assert verify_schedule(made, apart) == verify_schedule(made, together) == []
    assert measure(made, apart) == (4,) and measure(made, together) == (7,)


def test_renewable_level_that_falls_under_a_running_activity() -> None:
    resource = Resource(resource_id="crew", levels=((0, 2), (5, 1), (6, 2)))
    made = problem(*[replace(THREE, demands=((0, 1),))] * 2, resources=(resource,))
    assert verify_schedule(made, schedule((0, 3), (2, 5))) == []
    assert verify_schedule(made, schedule((2, 5), (5, 8))) == []
    # Two until tick 7, and only one is there at tick 5 although nothing starts or ends then.
    assert verify_schedule(made, schedule((4, 7), (4, 7))) == ["crew (renewable): 2 at 5, 1 are there."]


def test_periodic_counts_starts_in_a_period() -> None:
    resource = Resource(resource_id="systems", kind="periodic", levels=((0, 0), (2, 1), (8, 1)))
    made = problem(*[Mode(duration=1, demands=((0, 1),))] * 2, resources=(resource,))
    assert verify_schedule(made, schedule((7, 8), (8, 9))) == []
    assert verify_schedule(made, schedule((2, 3), (7, 8))) == ["systems (periodic): 2 at 2, 1 are there."]
    assert verify_schedule(made, schedule((1, 2), (8, 9))) == ["systems (periodic): 1 at 0, 0 are there."]


def test_cumulative_is_never_given_back() -> None:
    resource = Resource(resource_id="quota", kind="cumulative", levels=((0, 1), (5, 3)))
    made = problem(*[Mode(duration=1, demands=((0, 1),))] * 3, resources=(resource,))
    assert verify_schedule(made, schedule((0, 1), (5, 6), (9, 10))) == []
    assert verify_schedule(made, schedule((0, 1), (4, 5), (9, 10))) == ["quota (cumulative): 2 at 0, 1 are there."]
    shrinking = replace(made, resources=(replace(resource, levels=((0, 3), (9, 2))),))
    assert verify_schedule(shrinking, schedule((0, 1), (1, 2), (2, 3))) == ["quota (cumulative): 3 at 9, 2 are there."]


def test_a_milestone_holds_nothing_renewable_but_is_counted() -> None:
    milestone = Mode(duration=0, demands=((0, 1), (1, 1)))
    kept = (
        Resource(resource_id="crew", levels=((0, 0),)),
        Resource(resource_id="lots", kind="periodic", levels=((0, 0),)),
    )
    assert verify_schedule(problem(milestone, resources=kept), schedule((1, 1))) == [
        "lots (periodic): 1 at 0, 0 are there."
    ]


def test_malformed_schedules_are_named_and_never_raise() -> None:
    made = problem(THREE, THREE)
    assert len(verify_schedule(made, schedule((0, 3)))) == 1
    assert verify_schedule(made, Schedule(starts=(0, 0), ends=(3, 3), modes=(0, 7))) == [
        "activity-1: there is no mode 7."
    ]
    assert verify_schedule(made, Schedule(starts=(0, -9), ends=(3, -6), modes=(0, 0))) != []


def test_every_goal() -> None:
    """Days of four ticks; the second window is that of the previous plan."""
    resource = Resource(resource_id="crew", levels=((0, 9),))
    counted = Resource(resource_id="systems", kind="periodic", levels=((0, 9), (4, 9)))
    work = Mode(duration=2, demands=((0, 2), (1, 3)))
    sides = {"activities": (0, 1), "weights": (1, 10)}
    goals = (
        Goal(kind="deadlines", **sides, ticks=(0, 8)),  # type: ignore[arg-type]
        Goal(kind="waiting", **sides),  # type: ignore[arg-type]
        Goal(kind="risk", **sides, ticks=(2, 3)),  # type: ignore[arg-type]
        Goal(kind="changes", **sides, ticks=(5, 9)),  # type: ignore[arg-type]
        Goal(kind="makespan"),
        Goal(kind="makespan", activities=(1,)),
        Goal(kind="peak", resources=(0, 1)),
    )
    made = problem(
        work, work, resources=(resource, counted), goals=goals, scale=tuple(t // 4 for t in range(HORIZON + 1))
    )
    # Ends at 5 and 4: day 1 each; the first starts in the window of its old tick, the second in another one.
    assert measure(made, schedule((3, 5), (2, 4))) == (1, 11, 10, 10, 1, 1, 4 + 6)
    assert measure(made, schedule((10, 12), (8, 10))) == (3, 3 + 20, 0, 1, 3, 2, 2 + 6)


def test_no_activities() -> None:
    made = problem(goals=(Goal(kind="makespan"), Goal(kind="bridges")))
    assert verify_schedule(made, schedule()) == [] and measure(made, schedule()) == (0, 0)


def test_work_grows_with_the_size_only() -> None:
    """10,000 activities on one resource over 20,000 ticks: no sweep tick by tick for each."""
    count = 10_000
    spans = tuple((2 * n, 2 * n + 2) for n in range(count))
    made = ScheduleProblem(
        horizon=2 * count,
        calendars=(Calendar(name="pairs", spans=spans),),
        resources=(Resource(resource_id="crew", levels=((0, 1),)),),
        activities=tuple(
            Activity(activity_id=str(n), modes=(Mode(duration=2, demands=((0, 1),)),)) for n in range(count)
        ),
        relations=tuple(Relation(before=a, after=b) for a, b in pairwise(range(count))),
        windows=spans,
    )
    assert verify_schedule(made, schedule(*spans)) == []
