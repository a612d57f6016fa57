"""The answer to "why this date" names what really stands in the way, and the room that it promises is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from offices import MONDAY, freeze, problem, task
from plans import NOW, Seat, by_hand

from govcloud.model.plan import MigrationPlan, PlanExplanation
from govcloud.model.plan_problem import (
    Apart,
    ChangeWindow,
    Crew,
    Earlier,
    Exclusion,
    NetworkRetirement,
    Pin,
    PlanProblem,
    PlanResource,
    WeakLink,
)
from govcloud.model.schedule import Search
from govcloud.model.text import Text, same
from govcloud.planning.explain import explain_subjects, explain_system
from govcloud.planning.plan import build_plan
from govcloud.planning.verify import verify_placing

ONE = Crew(name="一组")
TWO = Crew(name="二组")


def shown(plan: MigrationPlan, subject: str) -> PlanExplanation:
    assert verify_placing(plan.problem, plan.waves, plan.activities) == []
    found = explain_system(plan, subject)
    assert found is not None
    return found


def chain(explanation: PlanExplanation) -> list[tuple[str, str, str]]:
    return [(b.job_id, b.kind, b.subject) for b in explanation.bindings]


def test_a_date_is_followed_back_to_the_start_of_the_plan() -> None:
    """Without it nobody could say which of five jobs is the one to hurry."""
    plan = by_hand(problem([task("A")]), {"A": ("W01", "一组", 0)})
    first = shown(plan, "A")
    assert first.text.zh == "A 排在第 1 批（2026-11-28）：2026-11-28 是计划期内的第一个窗口"
    assert chain(first) == [("A/cutover", "calendar", "W01")] and first.earlier == () and first.to_move_earlier == ()
    slow = replace(plan.problem, jobs=tuple(replace(j, length=8) if j.kind == "provision" else j for j in plan.problem.jobs))  # fmt: skip
    late = shown(by_hand(slow, {"A": ("W02", "一组", 0)}), "A")
    assert chain(late) == [
        ("A/cutover", "predecessor", "A/replicate"), ("A/replicate", "predecessor", "A/provision"),
        ("A/provision", "calendar", "start"),
    ]  # fmt: skip
    assert late.text.zh == (
        "A 排在第 1 批（2026-12-05）：A 的数据首次复制最早 2026-12-04 结束，赶不上 2026-11-28 的窗口；"
        "计划从 2026-11-23 开始，A 的资源开通最早 2026-11-23 开工"
    )
    assert (
        late.to_move_earlier[0].zh
        == "A 的数据首次复制缩短或提前 6 天，在 2026-11-28 前结束（现最早 2026-12-04），可提前到 2026-11-28"
    )


def test_a_full_window_names_who_fills_it_and_the_smallest_way_out() -> None:
    made = problem([task("A", 240), task("B", 240), task("C", 240), task("D", 120)], crews=(ONE, TWO))
    seats = {"A": ("W01", "一组", 0), "B": ("W01", "二组", 0), "C": ("W02", "一组", 0), "D": ("W02", "二组", 0)}
    found = shown(by_hand(made, seats), "C")
    assert chain(found) == [("C/cutover", "crew", "一组,二组")]
    assert "2026-11-28 的窗口班组已被 A、B 占满" in found.text.zh and "taken by A, B" in found.text.en
    assert [[r.code for r in e.reasons] for e in found.earlier] == [["crew_time"]]
    assert found.earlier[0].reasons[0].subjects == ("一组,二组", "A", "B")
    assert found.to_move_earlier == (
        Text("2026-11-28 的窗口增加第 3 个班组，或把 A 移出 2026-11-28 的窗口，可提前到 2026-11-28",
             "crew no. 3 for the window of 2026-11-28, or A out of the window of 2026-11-28: it could move on 2026-11-28"),
    )  # fmt: skip


def test_many_full_windows_stay_one_sentence() -> None:
    made = problem([task(s, 240) for s in "ABCDEF"], crews=(ONE,))
    found = shown(by_hand(made, {s: (f"W0{n}", "一组", 0) for n, s in enumerate("ABCDEF", 1)}), "F")
    assert len(found.bindings) == 5 and found.text.zh == (
        "F 排在第 6 批（2027-01-02）：2026-12-26 的窗口班组已被 E 占满；2026-12-19 的窗口班组已被 D 占满；"
        "再往前的 2 个窗口也不行；2026-11-28 的窗口班组已被 A 占满"
    )


def test_a_limit_of_the_window_is_named_with_its_number() -> None:
    made = problem([task("A"), task("B")], systems_per_window=1)
    found = shown(by_hand(made, {"A": ("W01", "一组", 0), "B": ("W02", "二组", 0)}), "B")
    assert chain(found) == [("B/cutover", "resource", "systems")]
    assert "“每个窗口的系统数”已满（上限 1 个，由 A 占用）" in found.text.zh
    assert "“Systems in a window” raised from 1 to 2, or A out" in found.to_move_earlier[0].en


def test_only_one_of_many_holders_is_named_when_its_leaving_is_enough() -> None:
    """B and C share the limit with A; only the big one makes room."""
    made = problem([task("A"), task("B"), task("C"), task("D"), task("X")], together=[("A", "B", "C")], window_min=360,
                   crews=(ONE, TWO, Crew(name="三组")), systems_per_window=4)  # fmt: skip
    moved = replace(made, resources=tuple(replace(r, amount=4) for r in made.resources if r.resource_id == "systems"))
    jobs = tuple(replace(j, demands=tuple(d for d in j.demands if d[0] == "systems")) for j in made.jobs)
    jobs = tuple(replace(j, demands=(("systems", 2),)) if j.job_id == "X/cutover" else j for j in jobs)
    plan = by_hand(
        replace(moved, jobs=jobs), {"A": ("W01", "一组", 0), "D": ("W01", "二组", 0), "X": ("W02", "一组", 0)}
    )
    found = shown(plan, "X")
    assert found.to_move_earlier[0].zh.startswith("把“每个窗口的系统数”从 4 提到 6，或把 A 等 3 个系统 移出")


def test_a_freeze_is_named_by_its_title_and_an_exception_offered() -> None:
    made = problem([task("A", mlps_level=3)], freezes=(freeze("会议保障", date(2026, 11, 27), date(2026, 12, 1), min_mlps=3),))  # fmt: skip
    found = shown(by_hand(made, {"A": ("W02", "一组", 0)}), "A")
    assert chain(found) == [("A/cutover", "freeze", "会议保障")]
    assert found.text.zh == "A 排在第 1 批（2026-12-05）：2026-11-28 的窗口在封网期“会议保障”内"
    assert found.to_move_earlier[0].en.startswith("an exception from the freeze “会议保障” for A")


def test_agreed_dates_pins_and_pilots_are_told_apart() -> None:
    tasks = [task("A", not_before_on=date(2026, 12, 1)), task("B"), task("P", pilot=True)]
    made = problem(tasks, pins=(Pin(group_id="B", opens_on=date(2026, 12, 12), reason="部门要求"),))
    found = by_hand(made, {"P": ("W01", "一组", 0), "A": ("W02", "一组", 0), "B": ("W03", "二组", 0)})
    assert chain(shown(found, "A")) == [("A/cutover", "demand", "A")]
    assert chain(shown(found, "B")) == [("B/cutover", "pin", "B")]
    assert shown(found, "B").text.zh == "B 排在第 3 批（2026-12-12）：由人固定在 2026-12-12 的窗口（部门要求）"
    assert shown(found, "B").slack_days == 0
    later = by_hand(problem([task("B"), task("P", pilot=True)]), {"P": ("W01", "一组", 0), "B": ("W02", "一组", 0)})
    assert chain(shown(later, "B")) == [("B/cutover", "demand", "P"), ("P/cutover", "calendar", "W01")]
    assert shown(later, "B").waits_for == ("B/replicate", "P")
    assert shown(later, "P").slack_days == 0, "everybody else comes after the pilot"


def test_a_required_link_and_a_pair_apart_hold_it_and_are_listed() -> None:
    link = WeakLink(dependency_id="D1", source_id="B", target_id="A")
    tasks = [task("A", not_before_on=date(2026, 12, 1)), task("B"), task("C")]
    made = problem(tasks, weak_links=(link,), weak_mode="require", apart=(Apart(group_ids=("A", "C"), reason=same("共用机柜")),))  # fmt: skip
    plan = by_hand(made, {"A": ("W02", "一组", 0), "B": ("W02", "二组", 0), "C": ("W03", "一组", 0)})
    held = shown(plan, "B")
    assert chain(held)[:1] == [("B/cutover", "demand", "D1")] and chain(held)[-1] == ("A/cutover", "demand", "A")
    assert held.waits_for == ("B/replicate", "A") and "A" in held.to_move_earlier[0].zh
    assert shown(plan, "A").awaited_by == ("A/trial", "B")
    assert chain(shown(plan, "C"))[0] == ("C/cutover", "demand", "A")
    assert "共用机柜" in shown(plan, "C").earlier[1].reasons[0].text.zh


def test_full_days_are_followed_to_the_job_that_ended() -> None:
    """The link takes one copy at a time: B's cutover is late because A's copy was first."""
    made = problem([task("A"), task("B")], link_mbps=100)
    jobs = tuple(replace(j, length=4) if j.kind == "replicate" else j for j in made.jobs)
    plan = by_hand(replace(made, jobs=jobs), {"A": ("W02", "一组", 0), "B": ("W02", "二组", 0)}, {"B/replicate": date(2026, 11, 30)})  # fmt: skip
    assert chain(shown(plan, "B")) == [
        ("B/cutover", "predecessor", "B/replicate"), ("B/replicate", "resource", "link:main"),
        ("A/replicate", "predecessor", "A/provision"), ("A/provision", "calendar", "start"),
    ]  # fmt: skip
    crew = {j.job_id: "一组" for j in jobs if j.kind == "provision"}
    manned = tuple(replace(j, crew_skills=()) if j.kind == "provision" else j for j in made.jobs)
    one = replace(made, jobs=manned, crews=(ONE,))
    plan = by_hand(one, {"A": ("W02", "一组", 0), "B": ("W02", "一组", 120)}, {"B/provision": date(2026, 11, 26)}, crew)
    assert ("B/provision", "crew", "一组") in chain(shown(plan, "B"))


def test_weekends_in_the_chain_are_said() -> None:
    network = NetworkRetirement(network_id="N", name="示例专网", group_ids=("A",))
    plan = by_hand(problem([task("A")], networks=[network]), {"A": ("W01", "一组", 0)})
    found = shown(plan, "N")
    assert found.wave is None and found.waits_for == ("A",)
    assert [(b.kind, b.subject) for b in found.bindings][:3] == [
        ("predecessor", "A/takeover"), ("predecessor", "A/trial"), ("predecessor", "A/cutover"),
    ] or ("calendar", "days_off") in [(b.kind, b.subject) for b in found.bindings]  # fmt: skip
    assert found.text.zh.startswith("N 的专网撤销安排在 2026-12-09 至 2026-12-15") and found.slack_days == 0


def test_retiring_systems_and_networks_that_stay_get_an_answer() -> None:
    kept = NetworkRetirement(network_id="N", name="示例专网", group_ids=("R",), staying=("X",))
    made = problem([task("A"), task("R", path="retire")], networks=[kept])
    plan = by_hand(made, {"A": ("W01", "一组", 0)})
    gone = shown(plan, "R")
    assert gone.text.zh.startswith("R 的源端关停安排在 2026-11-25 至 2026-11-25：") and gone.earlier == ()
    assert gone.slack_days is not None and gone.slack_days > 7
    assert "X" in shown(plan, "N").text.zh and shown(plan, "N").slack_days is None


def test_a_possible_window_that_is_worse_says_for_which_goal() -> None:
    link = WeakLink(dependency_id="D1", source_id="A", target_id="B")
    made = problem([task("A", core=True), task("B", not_before_on=date(2026, 12, 1))], weak_links=(link,), core_from_window=2)  # fmt: skip
    made = replace(made, goals=("risk", "bridges", "waiting", "changes"), earlier=(
        Earlier(group_id="A", opens_on=date(2026, 12, 5), starts_at=made.windows[1].starts_at, crew="一组"),))  # fmt: skip
    found = shown(by_hand(made, {"A": ("W02", "一组", 0), "B": ("W02", "二组", 0)}), "A")
    assert found.earlier[0].reasons == () and set(found.earlier[0].worse) == {"risk", "bridges", "changes"}
    assert found.earlier[0].better == ("waiting",)
    assert "可行，但会使核心系统过早割接变差" in found.text.zh and found.bindings == ()


def test_the_peak_is_worse_only_where_nothing_else_fits() -> None:
    made = replace(problem([task("A", 120), task("B", 120)]), goals=("peak", "waiting"))
    beside = shown(by_hand(made, {"A": ("W01", "一组", 60), "B": ("W02", "一组", 0)}), "B")
    assert beside.earlier[0].reasons == () and beside.earlier[0].worse == ("peak",)
    behind = shown(by_hand(made, {"A": ("W01", "一组", 0), "B": ("W02", "一组", 0)}), "B")
    assert behind.earlier[0].worse == () and behind.earlier[0].better == ("waiting",)


def test_a_plan_that_can_be_bettered_says_so() -> None:
    plan = by_hand(problem([task("A"), task("B")]), {"A": ("W03", "一组", 0), "B": ("W01", "一组", 0)})
    found = shown(plan, "A")
    assert all(e.reasons == () and set(e.better) == {"makespan", "waiting"} for e in found.earlier)
    assert "this plan is not proven best" in found.text.en


def test_systems_outside_the_plan_get_their_reason_and_strangers_none() -> None:
    out = Exclusion(system_id="X", name="示例X", code="classified", reason=same("涉密"))
    plan = by_hand(problem([task("A"), task("B")], excluded=(out,)), {"B": ("W01", "一组", 0)})
    for system_id, word in (("X", "涉密"), ("A", "没有窗口")):
        found = explain_system(plan, system_id)
        assert found is not None and found.wave is None and word in found.text.zh
    assert explain_system(plan, "Z") is None


def test_an_executed_cutover_is_where_the_answer_ends() -> None:
    made = problem([task("A")], pins=(Pin(group_id="A", opens_on=date(2026, 11, 28), source="executed"),))
    over = by_hand(made, {"A": ("W01", "一组", 0)})
    left = tuple(a for a in over.activities if a.kind in ("trial", "takeover"))
    found = explain_system(replace(over, waves=(), activities=left), "A")
    assert found is not None and found.bindings[-1].kind == "pin" and "已于 2026-11-28" in found.bindings[-1].text.zh


def test_one_sentence_for_each_of_many_is_the_same_sentence() -> None:
    made = problem([task("A", 240), task("B", 240), task("R", path="retire")], crews=(ONE,))
    plan = by_hand(made, {"A": ("W01", "一组", 0), "B": ("W02", "一组", 0)})
    assert explain_subjects(plan, ["A", "B", "R", "nobody"]) == {s: shown(plan, s).text for s in ("A", "B", "R")}


# --- promises checked by the verifier


@st.composite
def offices(draw: st.DrawFn) -> MigrationPlan:
    """A small office with a valid plan: every group in the first window from a drawn one on that the verifier accepts."""
    count = draw(st.integers(2, 5))
    names = [f"S{n}" for n in range(count)]
    tasks = [
        task(
            n, draw(st.sampled_from([60, 120, 240])), pilot=draw(st.integers(0, 7)) == 0,
            not_after_on=draw(st.sampled_from([None, None, date(2026, 12, 20)])),
            mlps_level=draw(st.sampled_from([2, 3])),
        )
        for n in names
    ]  # fmt: skip
    frozen = draw(st.lists(st.integers(0, 5), max_size=2, unique=True))
    days = [MONDAY + timedelta(days=7 * n) for n in frozen]
    links = [(a, b) for a in names for b in names if a < b and draw(st.integers(0, 5)) == 0]
    made = problem(
        tasks, weeks=6, systems_per_window=draw(st.integers(1, 3)), crews=(ONE, TWO)[: draw(st.integers(1, 2))],
        freezes=tuple(freeze(f"F{n}", d, d + timedelta(days=6), min_mlps=draw(st.sampled_from([None, 3]))) for n, d in enumerate(days)),
        weak_links=tuple(WeakLink(dependency_id=f"D-{a}-{b}", source_id=b, target_id=a) for a, b in links),
        weak_mode=draw(st.sampled_from(["prefer", "require"])),
        networks=[NetworkRetirement(network_id="N", name="示例专网", group_ids=tuple(names[:2]))],
        apart=(Apart(group_ids=(names[0], names[1]), reason=same("共用机柜")),) if draw(st.booleans()) else (),
    )  # fmt: skip
    made = _scarce(
        made, parallel=draw(st.integers(1, 2)), month=draw(st.integers(2, 5)), stock=draw(st.integers(0, 3)),
        grows_on=MONDAY + timedelta(days=draw(st.integers(0, 40))),
    )  # fmt: skip
    seats: dict[str, Seat] = {}
    order = sorted(names, key=lambda n: (not next(t.pilot for t in tasks if t.system_id == n), n))
    for name in order:
        first = draw(st.integers(0, 3))
        for seat in _seats(made, made.windows[first:]):
            if not _broken(made, by_hand(made, {**seats, name: seat})):
                seats[name] = seat
                break
    starts = {f"{n}/provision": MONDAY + timedelta(days=draw(st.integers(0, 4))) for n in names}
    lazy = by_hand(made, seats, starts)
    return by_hand(made, seats) if _broken(made, lazy) else lazy


def _scarce(made: PlanProblem, *, parallel: int, month: int, stock: int, grows_on: date) -> PlanProblem:
    """A resource of each scope that cutovers take one of."""
    more = [
        PlanResource(resource_id="parallel", title=same("p"), unit=same("x"), scope="at_once", amount=parallel),
        PlanResource(resource_id="month", title=same("m"), unit=same("x"), scope="per_month", amount=month),
        PlanResource(resource_id="stock", title=same("s"), unit=same("x"), scope="total", amount=stock, changes=((grows_on, 9),)),
    ]  # fmt: skip
    jobs = tuple(
        replace(j, demands=(*j.demands, *((r.resource_id, 1) for r in more))) if j.kind == "cutover" else j for j in made.jobs
    )  # fmt: skip
    return replace(made, resources=(*made.resources, *more), jobs=jobs)


def _seats(made: PlanProblem, windows: tuple[ChangeWindow, ...]) -> Iterator[Seat]:
    return ((w.window_id, c.name, m) for w in windows for c in made.crews for m in (0, 60, 120, 180))


def _broken(made: PlanProblem, plan: MigrationPlan) -> list[object]:
    return [v for v in verify_placing(made, plan.waves, plan.activities) if v.code != "job_missing"]


def _seat_of(plan: MigrationPlan, group: str) -> Seat:
    wave = plan.wave_of(group)
    assert wave is not None
    move = next(m for m in wave.moves if m.system_id == group)
    return wave.window.window_id, move.crew, int((move.starts_at - wave.window.starts_at).total_seconds()) // 60


def _possible(plan: MigrationPlan, group: str, window: ChangeWindow) -> bool:
    """By trying every crew and moment: the group there with its own other jobs around it, and nothing else of the plan moved."""
    seats = {m.group_id: _seat_of(plan, m.group_id) for w in plan.waves for m in w.moves}
    others = {a.job_id: a for a in plan.activities if a.subject_id != group}
    starts = {a.job_id: a.starts_on for a in others.values()}
    end = max(a.ends_on for a in plan.activities)
    for seat in _seats(plan.problem, (window,)):
        tried = by_hand(plan.problem, {**seats, group: seat}, starts)
        if (
            not _broken(plan.problem, tried)
            and {a.job_id: a for a in tried.activities if a.subject_id != group} == others
            and max(a.ends_on for a in tried.activities) <= end
        ):
            return True
    return False


@settings(max_examples=25, deadline=None)
@given(offices())
def test_the_slack_is_there_and_no_longer(plan: MigrationPlan) -> None:
    """A department told "you may slip by 14 days" must be able to, and no answer hides room that is there."""
    levels = {t.system_id: t.mlps_level for t in plan.problem.tasks}
    for group in {m.group_id for w in plan.waves for m in w.moves}:
        explanation = explain_system(plan, group)
        assert explanation is not None and explanation.wave is not None
        here, slack = explanation.wave.window, 0
        for window in (w for w in plan.problem.windows if w.starts_at > here.starts_at):
            met = [f for f in plan.problem.freezes if f.starts_at < window.ends_at and window.starts_at < f.ends_at]
            if any(f.min_mlps is None or (levels[group] or 9) >= f.min_mlps for f in met):
                continue
            if not _possible(plan, group, window):
                break
            slack = (window.opens_on - here.opens_on).days
        assert explanation.slack_days == slack


@settings(max_examples=25, deadline=None)
@given(offices())
def test_an_earlier_window_is_refused_exactly_when_it_cannot_be(plan: MigrationPlan) -> None:
    for group in {m.group_id for w in plan.waves for m in w.moves}:
        explanation = explain_system(plan, group)
        assert explanation is not None
        for earlier in explanation.earlier:
            assert (earlier.reasons == ()) == _possible(plan, group, earlier.window), earlier


def test_a_plan_proven_best_has_no_better_window() -> None:
    """Solver and explanation know the goals by different code: they must not contradict each other."""
    link = WeakLink(dependency_id="D", source_id="B", target_id="A")
    tasks = [task("A", 240, not_before_on=date(2026, 12, 15)), task("B", 240, core=True), task("P", pilot=True)]
    made = problem(tasks, weeks=6, weak_links=(link,), core_from_window=3, crews=(ONE,))
    plan = build_plan(made, created_at=NOW, search=Search(limit_s=8.0))
    assert plan.status == "optimal"
    open_ = [e for s in "ABP" for e in shown(plan, s).earlier if not e.reasons]
    assert open_ and all(next(g for g in made.goals if g in e.worse or g in e.better) in e.worse for e in open_)
