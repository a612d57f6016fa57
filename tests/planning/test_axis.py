"""Days and window minutes on one line of ticks: an error of one here is a cutover in a closed window or a Sunday at work."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from offices import MONDAY, ZONE, days_off, problem, task, windows

from govcloud.model.plan_problem import ChangeWindow, PlanProblem, PlanResource
from govcloud.model.text import same
from govcloud.planning.axis import TICK_MIN, Axis, build_axis, ticks

DAY = timedelta(days=1)


def at(day: date, hour: int, minutes: int) -> ChangeWindow:
    opens = datetime.combine(day, time(hour), ZONE).astimezone(UTC)
    return ChangeWindow(
        window_id=f"{day}T{hour}", starts_at=opens, ends_at=opens + timedelta(minutes=minutes), opens_on=day
    )


@st.composite
def offices(draw: st.DrawFn) -> PlanProblem:
    weeks = draw(st.integers(1, 6))
    starts_on = MONDAY + timedelta(days=draw(st.integers(0, 6)))
    made: list[ChangeWindow] = []
    for n in sorted(draw(st.sets(st.integers(-3, weeks * 7 + 10), max_size=8))):
        hours = draw(st.sampled_from([(22,), (8, 12), (0, 20), (6, 9, 12)]))
        longest = (24 if len(hours) == 1 else 3) * 60
        for window in (at(starts_on + n * DAY, h, draw(st.integers(1, longest))) for h in hours):
            if not made or made[-1].ends_at <= window.starts_at:
                made.append(window)
    return problem([task("A")], weeks=weeks, starts_on=starts_on, windows=tuple(made),
                   days_off=days_off(draw(st.sampled_from([0, 20, 1000])), starts_on))  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(offices())
def test_dates_and_instants_come_back_from_their_ticks(made: PlanProblem) -> None:
    axis = build_axis(made)
    for number, tick in enumerate(axis.days):
        day = made.starts_on + number * DAY
        assert axis.day_tick(day) == tick
        assert axis.date_at(tick) == day and axis.ended_on(tick + 1) == day
        assert axis.window_at(tick) is None
    for window, (first, last), number in zip(axis.windows, axis.spans, axis.numbers, strict=True):
        assert made.windows[number] is window
        assert axis.day_tick(window.opens_on) < first < last <= axis.day_tick(window.opens_on + DAY)
        assert (last - first) * TICK_MIN <= (window.ends_at - window.starts_at) / timedelta(minutes=1)
        for tick in (first, last - 1):
            assert axis.tick_at(axis.instant(tick)) == tick
            assert axis.ended_on(tick + 1) == window.opens_on, "also after midnight it is the window's work"
            assert axis.date_at(tick) == window.opens_on + DAY, "what follows begins on the day after"
    _is_well_formed(axis)


def _is_well_formed(axis: Axis) -> None:
    assert len(axis.scale) == axis.horizon + 1
    assert list(axis.scale) == sorted(axis.scale)
    for spans in (axis.spans, axis.working, axis.daily):
        flat = [tick for span in spans for tick in span]
        assert flat == sorted(set(flat)), "ascending, never touching: no work runs from one window into the next"
        assert not flat or flat[-1] <= axis.horizon
    days = {tick for first, last in axis.daily for tick in range(first, last)}
    assert days == set(axis.days)


@settings(max_examples=20, deadline=None)
@given(offices())
def test_every_window_of_the_period_and_no_other_is_on_the_axis(made: PlanProblem) -> None:
    last = made.starts_on + made.weeks * 7 * DAY
    wanted = [
        w
        for w in made.windows
        if made.starts_on <= w.opens_on < last and w.ends_at - w.starts_at >= timedelta(minutes=TICK_MIN)
    ]
    assert list(build_axis(made).windows) == wanted


def test_weekends_and_listed_days_off_are_no_working_days_and_weekends_stay_off_beyond_the_list() -> None:
    holiday = MONDAY + DAY
    axis = build_axis(problem([task("A")], weeks=2, days_off=(holiday, *days_off(14))))
    worked = {axis.date_at(tick) for first, last in axis.working for tick in range(first, last)}
    assert MONDAY in worked and holiday not in worked
    assert not any(day.weekday() >= 5 for day in worked)
    worked_weekend = build_axis(problem([task("A")], weeks=2, days_off=(MONDAY + 6 * DAY,)))
    assert worked_weekend.day_tick(MONDAY + 5 * DAY) in {t for a, b in worked_weekend.working for t in range(a, b)}


def test_the_axis_goes_on_for_what_follows_the_last_cutover() -> None:
    made = problem([task("A")], weeks=3)
    assert len(build_axis(made).days) >= 3 * 7 + 60
    long = replace(made, jobs=tuple(replace(j, length=200) if j.kind == "trial" else j for j in made.jobs))
    assert len(build_axis(long).days) >= 3 * 7 + 2 * 200


def test_many_jobs_on_a_narrow_resource_get_the_days_that_they_need() -> None:
    made = problem([task(f"S{n:02d}", path="retire", minutes=0) for n in range(40)])
    one = PlanResource(resource_id="one", title=same("one"), unit=same("1"), scope="at_once", amount=1)
    jobs = tuple(replace(j, length=30, demands=(("one", 1),)) for j in made.jobs)
    axis = build_axis(replace(made, resources=(one,), jobs=jobs))
    assert len(axis.days) >= 40 * 30 + 40 * 30 * 7 // 5


def test_no_window_at_all_is_an_axis_of_days() -> None:
    axis = build_axis(problem([task("A")], windows=()))
    assert axis.spans == () and axis.tick_at(datetime(2026, 11, 28, 14, tzinfo=UTC)) is None
    assert axis.horizon == len(axis.days)


def test_days_off_the_axis_are_held_at_its_ends() -> None:
    axis = build_axis(problem([task("A")]))
    assert axis.day_tick(MONDAY - DAY) == 0 and axis.day_tick(date(2200, 1, 1)) == axis.horizon
    assert list(axis.opening_on(MONDAY)) == [] and list(axis.opening_on(windows(1)[0].opens_on)) == [0]


def test_minutes_of_a_job_are_rounded_up_to_whole_ticks() -> None:
    assert [ticks(m) for m in (0, 1, 5, 6, 240)] == [1, 1, 1, 2, 48]
