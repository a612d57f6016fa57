"""Every point of risk has its reason in words, and the confidence says how far the data behind it can be trusted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from offices import freeze, problem, task
from plans import by_hand

from govcloud.model.plan import MigrationPlan, RiskAssessment
from govcloud.model.plan_problem import Bridge, ChangeWindow, Crew, Job
from govcloud.model.text import same
from govcloud.planning.risk import HIGH, MEDIUM, POINTS, assess_groups, assess_waves


def one(plan: MigrationPlan, subject: str = "A") -> RiskAssessment:
    return next(r for r in assess_groups(plan) if r.subject == subject)


def calm(**fields: object) -> MigrationPlan:
    """A single system with nothing to be said about it but what `fields` of MoveTask say."""
    made = problem([task("A", 120, **({"confidence": 95, "mlps_level": 2} | fields))])
    rehearsal = Job(job_id="A/rehearse", subject_id="A", kind="rehearse", calendar="working", length=1, after=("A/replicate",))  # fmt: skip
    jobs = tuple(
        replace(j, after=("A/rehearse",)) if j.kind == "cutover" else j
        for j in (*made.jobs[:2], rehearsal, *made.jobs[2:])
    )
    return by_hand(replace(made, jobs=jobs), {"A": ("W01", "一组", 0)})


def test_a_calm_system_has_no_points_and_no_reasons() -> None:
    found = one(calm())
    assert (found.risk, found.risk_points, found.confidence, found.reasons) == ("low", 0, "high", ())


def test_each_fact_has_its_points_and_its_words() -> None:
    cases: list[tuple[dict[str, object], str, str]] = [
        ({"core": True}, "core", "core systems: A"),
        ({"mlps_level": 3}, "mlps", "MLPS level 3"),
        ({"mlps_level": None}, "mlps_unknown", "MLPS level unknown"),
        ({"adapts": (same("ARM"),)}, "adapt", "must be adapted first: ARM (systems: 1)"),
        ({"dependencies": 6}, "connected", "6 business connections"),
        ({"dependencies": 40}, "entangled", "40 business connections"),
        ({"data_mib": 2 * 1024**2}, "large", "2.0 TiB"),
        ({"data_mib": 6 * 1024**2}, "huge", "6.0 TiB"),
        ({"confidence": 70}, "doubtful", "70 of 100"),
        ({"confidence": 30}, "unreliable", "30 of 100"),
        ({"confidence": None}, "doubtful", "nobody rated"),
    ]
    for fields, key, words in cases:
        found = one(calm(**fields))
        assert found.risk_points == POINTS[key], key
        assert len(found.reasons) == 1 and words in found.reasons[0].en


def test_the_place_in_the_plan_counts() -> None:
    """A cutover that fills the last window can't be repeated: that is not visible in the inventory."""
    made = problem([task("A", 230, confidence=95, mlps_level=2, skills=("db",))], weeks=2, crews=(Crew(name="一组", skills=("db",)), Crew(name="二组")))  # fmt: skip
    last = one(by_hand(made, {"A": ("W02", "一组", 0)}))
    assert last.risk_points == sum(POINTS[k] for k in ("last_window", "full", "one_crew", "unrehearsed"))
    assert (
        "95 %" in " ".join(r.en for r in last.reasons) and last.reasons[0].zh == "其后期间内再无可用窗口，失败不能重来"
    )
    frozen = replace(made, freezes=(freeze("F", date(2026, 12, 5), date(2026, 12, 6)),))
    assert "失败不能重来" in one(by_hand(frozen, {"A": ("W01", "一组", 0)})).reasons[0].zh
    assert "open windows left after it: 1" in " ".join(
        r.en for r in one(by_hand(made, {"A": ("W01", "一组", 0)})).reasons
    )


def test_groups_and_cut_ties_count() -> None:
    bridge = Bridge(
        dependency_ids=("D",), source_id="A", target_id="Z", measured=True, cost_days=3, reason=same("组太大")
    )
    tasks = [task(s, 40, confidence=95, mlps_level=2) for s in "ABCDEZ"]
    made = problem(tasks, together=[tuple("ABCDE")], bridges=(bridge, bridge, bridge))
    plan = by_hand(made, {"A": ("W01", "一组", 0), "Z": ("W01", "二组", 0)})
    found = one(plan)
    assert found.risk_points == POINTS["many"] + 2 * POINTS["bridge"] + POINTS["tight"] + POINTS["unrehearsed"]
    assert sum("temporary connection: 3" in r.en for r in found.reasons) == 1


def test_confidence_falls_with_what_was_assumed_and_provisional_windows() -> None:
    assert one(calm(assumed=("data_gib",))).confidence == "medium"
    found = one(calm(assumed=("data_gib", "mlps_level", "cpu")))
    assert found.confidence == "low" and "按默认值估算：cpu、数据量、等保级别" in found.reasons[-1].zh
    plan = calm()
    window: ChangeWindow = replace(plan.problem.windows[0], provisional=True)
    waves = (replace(plan.waves[0], window=window),)
    soft = replace(plan, waves=waves, problem=replace(plan.problem, windows=(window, *plan.problem.windows[1:])))
    assert one(soft).confidence == "medium" and "暂估" in one(soft).reasons[-1].zh


def test_what_is_not_placed_is_not_assessed_and_retiring_systems_are() -> None:
    made = problem([task("A"), task("B"), task("R", path="retire", core=True, confidence=95, mlps_level=2)])
    found = assess_groups(by_hand(made, {"A": ("W01", "一组", 0)}))
    assert [r.subject for r in found] == ["A", "R"] and found[1].risk_points == POINTS["core"]


def test_a_wave_is_as_risky_as_its_riskiest_group_and_more() -> None:
    risky = {"core": True, "mlps_level": 3, "adapts": (same("ARM"),), "confidence": 50}
    made = problem([task("A", 240, **risky), task("B", 240, **risky), task("C", 60, confidence=95, mlps_level=2)])
    plan = by_hand(made, {"A": ("W01", "一组", 0), "B": ("W01", "二组", 0), "C": ("W02", "一组", 0)})
    first, second = assess_waves(plan)
    assert (first.subject, first.risk, first.confidence, second.risk) == ("1", "high", "low", "low")
    assert first.risk_points == one(plan, "B").risk_points + POINTS["wave_high"] + POINTS["wave_busy"]
    assert "2 groups of high risk: A, B" in first.reasons[1].en and "100 %" in first.reasons[2].en


@settings(max_examples=40, deadline=None)
@given(st.booleans(), st.sampled_from([None, 2, 3]), st.integers(0, 100), st.integers(0, 30), st.integers(1, 12))
def test_worse_facts_are_never_less_risky(core: bool, level: int | None, trust: int, ties: int, week: int) -> None:
    made = problem([task("A", core=core, mlps_level=level, confidence=trust, dependencies=ties)])
    here = one(by_hand(made, {"A": (f"W{week:02d}", "一组", 0)}))
    worse = problem([task("A", core=True, mlps_level=4, confidence=trust // 2, dependencies=2 * ties)])
    there = one(by_hand(worse, {"A": ("W12", "一组", 0)}))
    assert there.risk_points >= here.risk_points
    assert here.risk == ("high" if here.risk_points >= HIGH else "medium" if here.risk_points >= MEDIUM else "low")
