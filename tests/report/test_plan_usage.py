"""What a plan takes over time, counted again day by day: an overfull link that a table does not show fails on the night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import plan_samples as samples
from hypothesis import given
from hypothesis import strategies as st
from offices import MONDAY, freeze, problem, task

from govcloud.model.plan import Activity, MigrationPlan
from govcloud.model.plan_problem import Job, PlanResource
from govcloud.model.text import same
from govcloud.report.plan import build_load_view
from govcloud.report.plan_usage import Curve, build_crew_minutes, build_curves, limit_on

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20), st.integers(1, 9)), min_size=1, max_size=12)


def taking(spans: list[tuple[int, int, int]], scope: str) -> MigrationPlan:
    """One job a span: (first day, length, amount) of one resource whose limit changes twice."""
    resource = PlanResource(
        resource_id="r", title=same("r"), unit=same("u"), scope=scope, amount=10,  # type: ignore[arg-type]
        changes=((MONDAY + timedelta(days=20), 5), (MONDAY + timedelta(days=40), 30)),
    )  # fmt: skip
    jobs = tuple(
        Job(job_id=f"g/{n}", subject_id="g", kind="trial", calendar="daily", length=length, demands=(("r", amount),))
        for n, (_, length, amount) in enumerate(spans)
    )
    work = tuple(
        Activity(job_id=f"g/{n}", subject_id="g", kind="trial", starts_on=MONDAY + timedelta(days=first),
                 ends_on=MONDAY + timedelta(days=first + length - 1))
        for n, (first, length, _) in enumerate(spans)
    )  # fmt: skip
    empty = samples.empty()
    return replace(empty, problem=replace(empty.problem, resources=(resource,), jobs=jobs), activities=work)


def value(curve: Curve, on: date) -> int:
    return next((p.used for p in reversed(curve.points) if p.on <= on), 0)


@given(SPANS)
def test_what_is_held_at_once_is_right_on_every_day(spans: list[tuple[int, int, int]]) -> None:
    (curve,) = build_curves(taking(spans, "at_once"))
    for n in range(90):
        held = sum(amount for first, length, amount in spans if first <= n < first + length)
        assert value(curve, MONDAY + timedelta(days=n)) == held
    assert all(p.limit == limit_on(curve.resource, p.on) for p in curve.points)


@given(SPANS)
def test_what_is_taken_for_good_only_grows_and_ends_at_the_sum(spans: list[tuple[int, int, int]]) -> None:
    (curve,) = build_curves(taking(spans, "total"))
    used = [p.used for p in curve.points]
    assert used == sorted(used) and used[-1] == sum(amount for _, _, amount in spans)


@given(SPANS)
def test_months_count_what_starts_in_them(spans: list[tuple[int, int, int]]) -> None:
    (curve,) = build_curves(taking(spans, "per_month"))
    assert sum(p.used for p in curve.points) == sum(amount for _, _, amount in spans)
    assert all(p.on.day == 1 for p in curve.points)


@given(SPANS, st.sampled_from(["week", "month"]))
def test_the_table_holds_the_worst_day_of_every_period(spans: list[tuple[int, int, int]], by: str) -> None:
    plan = taking(spans, "at_once")
    (curve,) = build_curves(plan)
    worst: dict[str, float] = {}
    for n in range(90):
        on = MONDAY + timedelta(days=n)
        key = f"{on:%Y-%m}" if by == "month" else "{}-W{:02d}".format(*on.isocalendar()[:2])
        worst[key] = max(worst.get(key, 0), round(100 * value(curve, on) / limit_on(curve.resource, on), 1))
    shown = {str(r["period"]): r["used_pct"] for r in build_load_view(plan, by).rows}  # type: ignore[arg-type]
    assert shown == {k: v for k, v in worst.items() if v}


def test_cutovers_of_one_night_count_together_where_they_overlap_only() -> None:
    tasks = [task(f"S{n}", minutes=120) for n in range(4)]
    plan = samples.make_plan(problem(tasks))
    jobs = tuple(replace(j, demands=(("link:main", 100),)) if j.kind == "cutover" else replace(j, demands=()) for j in plan.problem.jobs)  # fmt: skip
    (curve,) = build_curves(replace(plan, problem=replace(plan.problem, jobs=jobs)))
    night = plan.waves[0].window.opens_on
    assert value(curve, night) == 200, "two crews at a time, one group after another"
    assert value(curve, night + timedelta(days=1)) == 0
    assert build_crew_minutes(plan)[plan.waves[0].window.window_id] == {"一组": 240, "二组": 240}


def test_closed_windows_are_no_time_that_a_crew_has() -> None:
    of = problem([task("S1")], freezes=(freeze("封网", date(2026, 12, 10), date(2026, 12, 31)),))
    crew = next(r for r in build_load_view(samples.make_plan(of)).rows if r["resource_id"] == "crew:一组")
    assert (crew["used"], crew["limit"]) == (120, 240)
