"""Approvals and windows as rules: who may, how many, until when, and with how much time left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from way import AT, STEPS, World, make_spec

from govcloud.execution.gates import (
    answer_problem,
    gate_problem,
    needs_gate,
    review_problem,
    role_of,
    standing,
    unreviewed,
    word_problem,
)
from govcloud.execution.rules import ExecutionRules, Person
from govcloud.execution.window import Window, build_window, opens_later, window_problem
from govcloud.model.gate import Answer, Gate, Order
from govcloud.model.run import Run

RUN = Run(run_id="r1", scope={}, scope_hash="h", created_at=AT, created_by="zhang", systems=("SL-A",))
GATE = Gate(gate_id="r1/SL-A/freeze/1", run_id="r1", system_id="SL-A", step="freeze", kind="window", scope_hash="h", opened_at=AT)  # fmt: skip
ANYBODY = ExecutionRules()
LISTED = ExecutionRules(
    people=(
        Person(name="li", unit="示例信息中心", roles=("operator", "change_manager")),
        Person(name="wu", unit="示例交通厅", roles=("owner",)),
        Person(name="zhang", roles=("change_manager",)),
    ),
    approver_roles=("change_manager",),
)
OPEN = Window(opens_at=AT - timedelta(hours=1), closes_at=AT + timedelta(hours=3), forward_min=60, undo_min=10)


def said(actor: str, *, granted: bool = True, emergency: bool = False, hours: int = 72) -> Answer:
    return Answer(
        gate_id=GATE.gate_id, actor=actor, at=AT, granted=granted, emergency=emergency,
        expires_at=AT + timedelta(hours=hours),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "rules", "passes"),
    [
        ([], ANYBODY, False),
        ([said("li")], ANYBODY, True),
        ([said("zhang")], ANYBODY, False),
        ([said("ZHANG ")], ANYBODY, False),
        ([said("zhang"), said("li")], ANYBODY, True),
        ([said("li", hours=0)], ANYBODY, False),
        ([said("li"), said("chen", granted=False)], ANYBODY, False),
        ([said("li", emergency=True)], ANYBODY, False),
        ([said("li", emergency=True), said("LI ", emergency=True)], ANYBODY, False),
        ([said("li", emergency=True), said("zhang", emergency=True)], ANYBODY, True),
        ([said("li", emergency=True), said("chen", emergency=True, hours=0)], ANYBODY, False),
        ([said("li", emergency=True), said("chen")], ANYBODY, True),
        ([said("wu")], LISTED, False),
        ([said("nobody")], LISTED, False),
        ([said("li")], LISTED, True),
        ([said("wu", emergency=True), said("li", emergency=True)], LISTED, False),
        ([], ExecutionRules(gates=()), True),
    ],
)
def test_who_opens_a_gate(answers: list[Answer], rules: ExecutionRules, passes: bool) -> None:
    assert (gate_problem(GATE, answers, RUN, rules, (), AT, OPEN) is None) == passes


def test_a_gate_is_good_once_for_what_it_was_opened_for_and_only_in_its_window() -> None:
    given_ = [said("li")]
    assert gate_problem(replace(GATE, used_at=AT), given_, RUN, ANYBODY, (), AT, OPEN) is not None
    problem = gate_problem(GATE, given_, RUN, ANYBODY, ("plan", "hosts:SL-A"), AT, OPEN)
    assert problem is not None and "the plan" in problem.en and "hosts.yaml" in problem.zh
    assert gate_problem(GATE, given_, RUN, ANYBODY, (), AT + timedelta(hours=2, minutes=30), OPEN) is not None
    assert gate_problem(GATE, given_, RUN, ANYBODY, (), AT, None) is None
    two = [said("li", emergency=True), said("chen", emergency=True)]
    assert gate_problem(GATE, two, RUN, ANYBODY, (), AT - timedelta(days=1), OPEN) is None
    assert gate_problem(GATE, two, RUN, ANYBODY, ("plan",), AT, OPEN) is not None, (
        "an emergency is bound to the plan too"
    )


def test_answers_that_can_count_no_more_make_room_for_a_new_gate() -> None:
    assert standing([said("li", hours=0)], RUN, ANYBODY, AT).spent
    assert not standing([], RUN, ANYBODY, AT).spent
    assert not standing([said("li", emergency=True)], RUN, ANYBODY, AT).spent
    assert not standing([said("li", hours=0), said("chen", granted=False)], RUN, ANYBODY, AT).spent


@pytest.mark.parametrize(
    ("actor", "granted", "emergency", "rules", "refused"),
    [
        ("li", True, False, ANYBODY, None),
        ("zhang", True, False, ANYBODY, "of his own"),
        ("Zhang ", True, True, ANYBODY, None),
        ("zhang", False, False, ANYBODY, None),
        ("chen", True, False, ANYBODY, "everybody answers once"),
        ("wu", True, False, LISTED, "none of the roles"),
        ("wu", False, False, LISTED, None),
        ("nobody", False, False, LISTED, "not listed"),
        ("li", True, False, LISTED, None),
    ],
)
def test_who_may_answer(
    actor: str, granted: bool, emergency: bool, rules: ExecutionRules, refused: str | None
) -> None:  # fmt: skip
    there = [said("chen")] if actor == "chen" else []
    problem = answer_problem(GATE, there, RUN, rules, (), actor, granted=granted, emergency=emergency)
    assert (problem is None) == (refused is None) and (refused or "") in (problem.en if problem else "")


def test_nothing_is_left_to_answer_at_a_used_refused_or_void_gate() -> None:
    assert answer_problem(replace(GATE, used_at=AT), [], RUN, ANYBODY, (), "li", granted=True, emergency=False)
    assert answer_problem(GATE, [said("x", granted=False)], RUN, ANYBODY, (), "li", granted=True, emergency=False)
    assert answer_problem(GATE, [], RUN, ANYBODY, ("plan",), "li", granted=True, emergency=False)
    assert answer_problem(GATE, [], RUN, ANYBODY, ("plan",), "li", granted=False, emergency=False) is None


def test_to_allow_what_is_never_repeated_by_itself_is_an_approval() -> None:
    assert word_problem("zhang", RUN, ANYBODY, repeats_once_only=True) is not None
    assert word_problem("zhang", RUN, ANYBODY, repeats_once_only=False) is None
    assert word_problem("wu", RUN, LISTED, repeats_once_only=True) is not None
    assert word_problem("li", RUN, LISTED, repeats_once_only=True) is None


def test_an_emergency_is_due_for_review_by_somebody_else_until_it_was() -> None:
    used = replace(GATE, used_at=AT + timedelta(hours=1))
    two = [said("li", emergency=True), said("chen", emergency=True)]
    assert len(unreviewed(two, used, ())) == 2 and not unreviewed(two, GATE, ())
    assert not unreviewed([said("li"), said("chen", emergency=True)], used, ()), "it was an ordinary passage"
    order = Order(
        number=1, run_id="r1", system_id="SL-A", kind="review", step="freeze", actor="wu", at=AT + timedelta(days=1)
    )
    assert not unreviewed(two, used, [order])
    assert len(unreviewed(two, used, [replace(order, step="switch_off")])) == 2
    for actor, may in (("li", False), ("Chen", False), ("zhang", False), ("wu", True)):
        assert (review_problem(actor, RUN, two, ANYBODY) is None) == may


def test_records_name_unit_and_the_role_that_counts() -> None:
    assert role_of(" LI", LISTED) == ("示例信息中心", "change_manager")
    assert role_of("wu", LISTED) == ("示例交通厅", "owner")
    assert role_of("nobody", ANYBODY) == ("", "")


def test_which_steps_have_gates() -> None:
    plain, made = World().system, World(make_spec(provision=True)).system
    planned = replace(plain, opens_at=AT)
    rules = ExecutionRules()
    assert [n for n in STEPS if needs_gate(STEPS[n], rules, plain)] == ["provision", "prepare", "freeze"]
    assert [n for n in STEPS if needs_gate(STEPS[n], rules, made)] == ["provision", "freeze"]
    none = ExecutionRules(gates=())
    assert not [n for n in STEPS if needs_gate(STEPS[n], none, plain)]
    assert [n for n in STEPS if needs_gate(STEPS[n], none, planned)] == ["freeze"]


@given(gib=st.integers(0, 10_000), more=st.integers(1, 5_000))
def test_the_time_that_is_needed_grows_with_the_data_and_holds_the_way_back(gib: int, more: int) -> None:
    system = World(opens_at=AT, closes_at=AT + timedelta(hours=4)).system
    window, larger = (build_window(system, STEPS, n * 2**30) for n in (gib, gib + more))
    assert 0 < window.forward_min <= larger.forward_min
    assert window.needed_min == window.forward_min + window.undo_min and window.undo_min > 0
    assert window.latest_at is not None
    assert window_problem(window, max(AT, window.latest_at) + timedelta(seconds=1)) is not None
    if window.latest_at >= AT:
        assert window_problem(window, window.latest_at) is None


def test_a_window_that_opens_later_is_waited_for_and_one_that_is_too_short_is_not() -> None:
    later = replace(OPEN, opens_at=AT + timedelta(hours=1))
    assert opens_later(later, AT) and not opens_later(OPEN, AT)
    assert not opens_later(replace(later, forward_min=600), AT)
    assert window_problem(Window(opens_at=None, closes_at=None, forward_min=60, undo_min=10), AT) is None
    for window in (later, replace(OPEN, closes_at=AT), replace(OPEN, forward_min=600)):
        problem = window_problem(window, AT)
        assert problem is not None and problem.zh and problem.en
