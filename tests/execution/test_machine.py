"""What comes next for a system, in every state and after everything that can happen.

Without these an operator would find a source frozen outside of its window, a cutover made twice, a way back that undoes what
was never done, or a run that after a crash begins again with what was finished.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from way import AT, RUN, SYSTEM, World, failing, make_spec, shown

from govcloud.execution.history import MAX_TRIES
from govcloud.execution.machine import Act, Ended, Park, open_question
from govcloud.execution.rules import ExecutionRules
from govcloud.execution.steps import SOURCE_UNTOUCHED, load_steps
from govcloud.model.attempt import Attempt, AttemptKey
from govcloud.model.gate import OrderKind
from govcloud.model.resource import Resource
from govcloud.model.run import ENDED, SystemState
from govcloud.model.step import StepName

FORWARD: tuple[StepName, ...] = (
    "precheck", "prepare", "replicate", "rehearse", "freeze", "final_sync", "verify_data", "cutover", "verify_service",
)  # fmt: skip
OPENS = AT + timedelta(days=1)


def fresh() -> World:
    return World(opens_at=OPENS, closes_at=OPENS + timedelta(hours=4))


def at_gate() -> World:
    world = fresh()
    world.go()
    return world


def replicating() -> World:
    world = fresh()
    world.until("replicate")
    return world


def freeze_gate() -> World:
    world = at_gate()
    world.answer("li")
    world.go()
    return world


def window() -> World:
    world = freeze_gate()
    world.answer("li")
    world.go()
    return world


def held() -> World:
    world = freeze_gate()
    world.order("hold")
    world.go()
    return world


def freezing() -> World:
    world = fresh()
    world.until("freeze")
    return world


def cutover_unknown() -> World:
    world = fresh()
    world.until("cutover")
    world.end("unknown")
    world.results = failing("cutover", "verify")
    world.go()
    return world


def going_back() -> World:
    world = fresh()
    world.until("verify_data")
    world.end("failed")
    world.results = failing("freeze", "rollback", "unreachable")
    world.go()
    return world


def trial() -> World:
    world = fresh()
    world.finish()
    return world


def accepted() -> World:
    world = trial()
    world.order("accept")
    world.go()
    return world


def kept_long() -> World:
    world = accepted()
    world.now += timedelta(days=31)
    world.go()
    return world


def switched_off() -> World:
    world = kept_long()
    world.order("switch_off")
    world.go()
    return world


def rolled_back() -> World:
    world = trial()
    world.order("rollback")
    world.go()
    return world


def failed() -> World:
    world = fresh()
    world.results = failing("replicate")
    world.finish()
    return world


def cancelled() -> World:
    world = freeze_gate()
    world.order("cancel")
    world.go()
    return world


def _about(world: World) -> AttemptKey:
    move = world.move()
    if isinstance(move, Park) and move.about is not None:
        return move.about
    if world.attempts:
        return world.attempts[-1].key
    return AttemptKey(run_id=RUN, system_id=SYSTEM, step="precheck", phase="apply", number=1)


def _ordered(kind: OrderKind) -> Callable[[World], None]:
    return lambda world: world.order(kind)


def _said(kind: OrderKind) -> Callable[[World], None]:
    return lambda world: world.order(kind, about=_about(world))


def _answered(granted: bool) -> Callable[[World], None]:
    def give(world: World) -> None:
        if world.gates and world.gates[-1].used_at is None:
            world.answer("chen", granted=granted)

    return give


def _later(world: World) -> None:
    world.now += timedelta(days=1)


def _changed(world: World) -> None:
    world.changed = ("plan",)


def _others_fail(world: World) -> None:
    world.others["SL-B"] = "failed"


SITUATIONS: dict[str, Callable[[], World]] = {
    f.__name__: f
    for f in (
        fresh, at_gate, replicating, freeze_gate, window, held, freezing, cutover_unknown, going_back, trial, accepted,
        kept_long, switched_off, rolled_back, failed, cancelled,
    )
}  # fmt: skip
EVENTS: dict[str, Callable[[World], None]] = {
    **{k: _ordered(k) for k in ("hold", "resume", "cancel", "rollback", "accept", "switch_off", "review")},
    **{k: _said(k) for k in ("rerun", "done", "abort")},
    "approve": _answered(True),
    "refuse": _answered(False),
    "a day later": _later,
    "changed": _changed,
    "others fail": _others_fail,
}
UNMOVED = {
    "fresh": "precheck/apply",
    "at_gate": "waiting:approval",
    "replicating": "replicate/apply",
    "freeze_gate": "waiting:approval",
    "window": "waiting:window",
    "held": "held:order",
    "freezing": "freeze/apply",
    "cutover_unknown": "needs_person:outcome",
    "going_back": "rolling_back:unreachable",
    "trial": "trial:order",
    "accepted": "accepted:retention",
    "kept_long": "accepted:order",
    "switched_off": "end switched_off",
    "rolled_back": "end rolled_back",
    "failed": "end failed",
    "cancelled": "end cancelled",
}
"""What comes next as long as nothing happens, and after every event that is not in MOVED."""
MOVED: dict[tuple[str, str], str] = {
    ("fresh", "hold"): "held:order",
    ("fresh", "cancel"): "end cancelled",
    ("fresh", "rollback"): "end cancelled",
    ("at_gate", "hold"): "held:order",
    ("at_gate", "cancel"): "end cancelled",
    ("at_gate", "rollback"): "end cancelled",
    ("at_gate", "approve"): "prepare/apply",
    ("at_gate", "refuse"): "end cancelled",
    ("freeze_gate", "hold"): "held:order",
    ("freeze_gate", "cancel"): "prepare/rollback",
    ("freeze_gate", "rollback"): "prepare/rollback",
    ("freeze_gate", "approve"): "waiting:window",
    ("freeze_gate", "refuse"): "prepare/rollback",
    ("window", "hold"): "held:order",
    ("window", "cancel"): "prepare/rollback",
    ("window", "rollback"): "prepare/rollback",
    ("window", "refuse"): "prepare/rollback",
    ("window", "a day later"): "precheck/apply",
    ("window", "changed"): "waiting:approval",
    ("held", "resume"): "waiting:approval",
    ("held", "cancel"): "prepare/rollback",
    ("held", "rollback"): "prepare/rollback",
    ("held", "refuse"): "prepare/rollback",
    ("cutover_unknown", "cancel"): "cutover/rollback",
    ("cutover_unknown", "rollback"): "cutover/rollback",
    ("cutover_unknown", "rerun"): "cutover/apply",
    ("cutover_unknown", "done"): "verify_service/apply",
    ("cutover_unknown", "abort"): "cutover/rollback",
    ("going_back", "hold"): "held:order",
    ("going_back", "rerun"): "freeze/rollback",
    ("going_back", "done"): "prepare/rollback",
    ("going_back", "a day later"): "freeze/rollback",
    ("trial", "cancel"): "cutover/rollback",
    ("trial", "rollback"): "cutover/rollback",
    ("trial", "accept"): "accepted:retention",
    ("kept_long", "switch_off"): "switch_off/apply",
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_state_knows_what_to_make_of_every_event(situation: str) -> None:
    assert shown(SITUATIONS[situation]().move()) == UNMOVED[situation]
    for event, happen in EVENTS.items():
        world = SITUATIONS[situation]()
        happen(world)
        expected = MOVED.get((situation, event), UNMOVED[situation])
        if (situation, event) == ("held", "refuse"):
            # A hold keeps the undoing waiting as well; the refusal counts as soon as it is lifted.
            assert shown(world.move()) == "held:order"
            world.order("resume")
        assert shown(world.move()) == expected, event


def test_the_table_reaches_every_state() -> None:
    reached = {make().system.state for make in SITUATIONS.values()}
    assert reached == set(get_args(SystemState))


def test_all_is_well() -> None:
    world = World()
    assert shown(world.finish()) == "trial:order"
    expected = [f"{s}/apply#1" for s in FORWARD]
    expected.insert(4, "rehearse/rollback#1")
    assert world.did == expected
    world.order("accept")
    world.go()
    world.now += timedelta(days=30)
    world.order("switch_off")
    assert shown(world.go()) == "end switched_off"
    assert world.did[-1] == "switch_off/apply#1"


def test_what_is_made_and_networks_have_their_steps() -> None:
    world = World(make_spec(provision=True, network=True))
    world.finish()
    begun = [d.split("/")[0] for d in world.did if "/apply" in d]
    assert begun == [*FORWARD[:1], "provision", *FORWARD[1:7], "network_move", *FORWARD[7:]]
    assert [g.step for g in world.gates] == ["provision", "freeze"]


@pytest.mark.parametrize("step", FORWARD)
def test_a_failure_leads_back_from_the_freeze_on_and_nowhere_before(step: StepName) -> None:
    world = World(results=failing(step))
    end = world.finish()
    assert shown(end) == ("end failed" if step in SOURCE_UNTOUCHED else "end rolled_back")
    undone = [d for d in world.did if "/rollback" in d]
    begun = {d.split("/")[0] for d in world.did if "/apply" in d}
    expected = [s for s in ("rehearse", "cutover", "freeze", "prepare") if s in begun]
    assert [d.split("/")[0] for d in undone] == expected, "exactly what was begun, users first, the target last"


@pytest.mark.parametrize("step", [s for s in FORWARD if s not in SOURCE_UNTOUCHED])
def test_hold_waits_for_a_person_instead_of_going_back(step: StepName) -> None:
    world = World(make_spec(on_failure="hold"), results=failing(step, times=1))
    assert shown(world.finish()) == "needs_person:outcome"
    world.word("rerun")
    assert shown(world.finish()) == "trial:order"
    assert not [d for d in world.did if d.split("/")[1].startswith("rollback") and "rehearse" not in d]


@pytest.mark.parametrize("step", ["prepare", "replicate", "freeze", "final_sync"])
def test_an_unclear_outcome_is_looked_at_before_anything_is_repeated(step: StepName) -> None:
    world = World(results=lambda s, p, n: "unknown" if (s, p, n) == (step, "apply", 1) else "ok")
    assert shown(world.finish()) == "trial:order"
    at = world.did.index(f"{step}/apply#1")
    assert world.did[at + 1] == f"{step}/verify#1"
    assert f"{step}/apply#2" not in world.did, "it was found done"


def test_found_undone_it_is_repeated_and_after_three_times_a_person_is_asked() -> None:
    world = World(results=lambda s, p, n: {"apply": "unknown", "verify": "failed"}[p] if s == "replicate" else "ok")
    assert shown(world.finish()) == "needs_person:outcome"
    assert [d for d in world.did if "replicate/apply" in d] == [f"replicate/apply#{n}" for n in range(1, MAX_TRIES + 2)]
    world.word("rerun")
    assert shown(world.once()) == "replicate/apply"
    world.finish()
    assert len([d for d in world.did if "replicate/apply" in d]) == 2 * (MAX_TRIES + 1), "the count begins anew"
    world.word("done")
    assert shown(world.finish()) == "trial:order"


@pytest.mark.parametrize(
    ("choice", "starts", "final"),
    [("rerun", 2, "trial:order"), ("done", 1, "trial:order"), ("abort", 1, "end rolled_back")],
)
def test_a_cutover_is_never_repeated_without_a_person(choice: OrderKind, starts: int, final: str) -> None:
    world = World(results=lambda s, p, n: {"apply": "unknown", "verify": "failed"}.get(p, "ok") if s == "cutover" and n == 1 else "ok")  # fmt: skip
    assert shown(world.finish()) == "needs_person:outcome"
    world.word(choice)
    assert shown(world.finish()) == final
    assert sum("cutover/apply" in d for d in world.did) == starts


def test_the_starter_may_not_allow_a_second_cutover() -> None:
    world = cutover_unknown()
    world.word("rerun", actor=" Zhang ")
    assert shown(world.move()) == "needs_person:outcome"


def test_hosts_that_do_not_answer_are_tried_again_later_and_then_a_person_is_asked() -> None:
    world = World(results=failing("precheck", how="unreachable"))
    move = world.go()
    assert isinstance(move, Park) and move.wait is not None and move.wait.kind == "unreachable"
    assert move.wait.until is not None and move.wait.until > world.now
    assert shown(world.finish()) == "needs_person:outcome"
    assert len(world.did) == MAX_TRIES + 1
    world.results = lambda *_: "ok"
    world.word("rerun")
    assert shown(world.finish()) == "trial:order"


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    world = World(results=failing("precheck", how="unreachable"))
    world.go()
    world.now -= timedelta(days=400)
    assert shown(world.move()) == "precheck/apply"


def test_a_step_cut_off_from_its_hosts_is_not_taken_for_failed() -> None:
    world = World(results=lambda s, p, n: "unreachable" if (s, p, n) == ("freeze", "apply", 1) else "ok")
    assert shown(world.finish()) == "trial:order"
    assert "freeze/verify#1" in world.did


def test_a_rehearsal_is_ended_before_anything_else_happens_to_the_copy() -> None:
    for how in ("ok", "failed", "unknown"):
        world = World(results=lambda s, p, n, how=how: how if (s, p, n) == ("rehearse", "apply", 1) else "ok")  # type: ignore[misc]
        world.finish()
        at = world.did.index("rehearse/apply#1")
        assert world.did[at + 1] == "rehearse/rollback#1"
        assert "rehearse/verify#1" not in world.did, "a rehearsal leaves nothing behind that a probe could find"


def test_every_rehearsal_is_ended_for_itself() -> None:
    world = World(results=lambda s, p, n: "unknown" if (s, p, n) == ("rehearse", "apply", 1) else "ok")
    world.finish()
    assert [d for d in world.did if d.startswith("rehearse")] == [
        "rehearse/apply#1",
        "rehearse/rollback#1",
        "rehearse/apply#2",
        "rehearse/rollback#2",
    ]


def test_a_rehearsal_that_was_cut_short_is_ended_before_the_target_is_given_up() -> None:
    world = World()
    world.until("rehearse")
    world.order("cancel")
    world.end("stopped")
    assert shown(world.finish()) == "end cancelled"
    assert world.did[-2:] == ["rehearse/rollback#1", "prepare/rollback#1"]


def test_what_can_not_be_looked_at_three_times_is_a_persons() -> None:
    world = World(results=lambda s, p, _n: {"apply": "unknown", "verify": "unreachable"}.get(p, "ok") if s == "replicate" else "ok")  # fmt: skip
    assert shown(world.finish()) == "needs_person:outcome"
    assert [d for d in world.did if "replicate/" in d] == [
        "replicate/apply#1",
        *(f"replicate/verify#{n}" for n in range(1, MAX_TRIES + 1)),
    ]
    world.word("done")
    assert shown(world.finish()) == "trial:order"


def test_a_way_back_that_fails_says_what_both_ends_are_like_and_asks() -> None:
    world = World(results=lambda s, p, _n: "failed" if (s, p) in (("verify_data", "apply"), ("freeze", "rollback")) else "ok")  # fmt: skip
    move = world.finish()
    assert isinstance(move, Park) and move.state == "needs_person" and move.wait is not None
    assert len([d for d in world.did if "freeze/rollback" in d]) == MAX_TRIES + 1
    for text in (move.wait.text.zh, move.wait.text.en):
        assert "freeze" in text and "prepare" in text and "decide" in text
    assert "prepare/rollback#1" not in world.did, "the copy is kept while the source does not serve"
    world.word("done")
    assert shown(world.finish()) == "end rolled_back"


def test_a_way_back_goes_on_where_it_was() -> None:
    world = World(results=lambda s, p, n: "failed" if (s, p, n) == ("freeze", "rollback", 1) else "ok")
    world.finish()
    world.order("rollback")
    assert shown(world.finish()) == "end rolled_back"
    back = [d for d in world.did if "/rollback" in d and "rehearse" not in d]
    assert back == ["cutover/rollback#1", "freeze/rollback#1", "freeze/rollback#2", "prepare/rollback#1"]


def test_nothing_but_the_switch_off_follows_acceptance() -> None:
    world = kept_long()
    for kind in ("cancel", "rollback", "hold", "resume"):
        world.order(kind)
    assert shown(world.go()) == "accepted:order"
    world.order("switch_off")
    assert shown(world.go()) == "end switched_off"


def test_acceptance_before_there_is_anything_to_accept_counts_for_nothing() -> None:
    world = World()
    world.order("accept")
    assert shown(world.finish()) == "trial:order"
    world.order("rollback")
    assert shown(world.finish()) == "end rolled_back"


def test_a_switch_off_that_fails_is_a_persons_and_can_be_called_off_and_ordered_again() -> None:
    world = kept_long()
    world.results = failing("switch_off", times=1)
    world.order("switch_off")
    assert shown(world.go()) == "needs_person:outcome"
    world.word("abort")
    world.now += timedelta(minutes=1)
    assert shown(world.go()) == "accepted:order"
    assert world.did[-1] == "switch_off/rollback#1"
    world.now += timedelta(minutes=1)
    world.order("switch_off")
    assert shown(world.go()) == "end switched_off"


def test_the_source_is_kept_for_its_time_whatever_is_ordered() -> None:
    world = accepted()
    world.order("switch_off")
    assert shown(world.go()) == "accepted:retention"


def test_an_old_check_is_made_again_before_the_source_is_frozen() -> None:
    world = freeze_gate()
    world.answer("li")
    world.go()
    world.now = OPENS
    assert shown(world.once()) == "precheck/apply"
    assert shown(world.once()) == "freeze/apply"


@pytest.mark.parametrize(("minutes_left", "expected"), [(240, "precheck/apply"), (5, "waiting:window"), (-1, "waiting:window")])  # fmt: skip
def test_the_source_is_only_frozen_with_time_for_the_way_back(minutes_left: int, expected: str) -> None:
    world = window()
    world.now = OPENS + timedelta(hours=4) - timedelta(minutes=minutes_left)
    assert shown(world.move()) == expected


def test_a_copy_that_waits_for_a_distant_window_is_brought_up_to_date_once_before_it() -> None:
    """What changed on five working days would else be copied while the source stands still."""
    opens = AT + timedelta(days=2)
    world = World(opens_at=opens, closes_at=opens + timedelta(hours=4))
    for _ in range(2):
        world.go()
        world.answer("li")
    assert shown(world.go()) == "waiting:window"
    world.now = opens - timedelta(hours=12, minutes=1)
    assert shown(world.move()) == "waiting:window"
    world.now = opens - timedelta(hours=11)
    assert shown(world.once()) == "replicate/apply"
    assert shown(world.go()) == "waiting:window"
    world.now = opens
    assert [shown(world.once()) for _ in range(2)] == ["precheck/apply", "freeze/apply"]


def test_a_copy_that_can_no_longer_be_made_is_known_before_the_window() -> None:
    opens = AT + timedelta(days=2)
    world = World(opens_at=opens, closes_at=opens + timedelta(hours=4))
    for _ in range(2):
        world.go()
        world.answer("li")
    world.go()
    world.now = opens - timedelta(hours=2)
    world.results = failing("replicate", "apply")
    world.go()
    assert world.system.state == "failed" and world.now < opens


def test_more_data_need_more_of_the_window() -> None:
    def may_begin(gib: int) -> bool:
        world = World(opens_at=AT, closes_at=AT + timedelta(hours=2))
        world.until("freeze")
        world.attempts.pop()
        world.gates[-1] = replace(world.gates[-1], used_at=None)
        check = max(i for i, a in enumerate(world.attempts) if a.key.step == "precheck")
        result = world.attempts[check].result
        assert result is not None
        world.attempts[check] = replace(
            world.attempts[check], result=replace(result, facts={"data_bytes": gib * 2**30})
        )
        return shown(world.move()) == "freeze/apply"

    assert may_begin(1) and not may_begin(1000)


def test_an_emergency_by_two_people_opens_outside_of_the_window_too() -> None:
    world = freeze_gate()
    world.answer("zhang", emergency=True)
    assert shown(world.go()) == "waiting:approval", "one of the two, and he is the starter"
    world.answer("li", emergency=True)
    assert shown(world.go()) == "trial:order"
    assert world.now < OPENS


def test_an_approval_that_lapsed_is_asked_for_anew() -> None:
    world = window()
    world.now += timedelta(hours=world.rules.approval_hours)
    assert shown(world.go()) == "waiting:approval"
    assert [g.gate_id.rpartition("/")[2] for g in world.gates if g.step == "freeze"] == ["1", "2"]


def test_an_approval_for_what_was_is_void_when_the_system_goes_on_with_what_is() -> None:
    world = window()
    world.changed = ("plan",)
    assert shown(world.go()) == "waiting:approval"
    world.changed, world.system = (), replace(world.system, scope_hash="h2")
    move = world.go()
    assert shown(move) == "waiting:approval" and world.gates[-1].scope_hash == "h2"


@pytest.mark.parametrize(("changed", "expected"), [("plan", "rehearse/apply"), ("playbooks", "waiting:approval")])
def test_a_new_plan_matters_at_the_next_gate_and_new_playbooks_at_once(changed: str, expected: str) -> None:
    world = replicating()
    world.changed = (changed,)
    world.end("ok")
    assert shown(world.move()) == expected
    assert shown(world.finish()) == "waiting:approval"


def test_a_changed_plan_stops_nobody_whose_source_is_frozen() -> None:
    world = World()
    world.until("freeze")
    world.changed = ("plan", "playbooks")
    world.end("ok")
    assert shown(world.finish()) == "trial:order"


def test_too_many_failures_stop_the_others_before_their_freeze_until_a_person_resumes() -> None:
    world = World(max_failed_pct=30)
    world.others = {"SL-B": "failed", "SL-C": "trial", "SL-D": "waiting"}
    assert shown(world.finish()) == "trial:order", "one of four is tolerated"
    world = World(max_failed_pct=30)
    world.others = {"SL-B": "failed", "SL-C": "rolled_back", "SL-D": "waiting"}
    assert shown(world.finish()) == "waiting:wave_stop"
    world.order("resume", step="freeze", attempt=2)
    assert shown(world.move()) in ("freeze/apply", "precheck/apply")
    world.others["SL-D"] = "failed"
    assert shown(world.finish()) == "waiting:wave_stop", "one more has failed since"


def test_a_system_waits_for_those_that_must_serve_first() -> None:
    world = World(after=("SL-B",), max_failed_pct=100)
    world.others = {"SL-B": "running"}
    assert shown(world.finish()) == "waiting:predecessor"
    world.others = {"SL-B": "rolled_back"}
    move = world.go()
    assert isinstance(move, Park) and move.wait is not None and "resume" in move.wait.text.en
    world.order("resume", step="freeze", attempt=1)
    assert shown(world.finish()) == "trial:order"
    assert World(after=("SL-B",)).move() == World().move()


@pytest.mark.parametrize("kind", ["quota", "ticket", "host_key"])
def test_what_a_step_lacks_makes_it_wait_and_not_fail(kind: str) -> None:
    world = World(make_spec(provision=True), results=failing("provision", how=f"wait:{kind}", times=1))
    assert shown(world.finish()) == f"waiting:{kind}"
    world.order("resume")
    assert shown(world.finish()) == "trial:order"


def test_the_wait_for_a_new_machine_s_key_names_the_newest_fingerprint_and_its_source() -> None:
    """Whoever approves it compares with this line; a machine that was made twice has only one key that counts."""
    world = World(make_spec(provision=True), results=failing("prepare", how="wait:host_key", times=1))
    world.finish()
    first = next(n for n, a in enumerate(world.attempts) if a.key.step == "provision")
    for number, print_ in ((first, "SHA256:old"), (first + 1, "SHA256:new")):
        made = world.attempts[first]
        assert made.result is not None
        facts = {"host_key.main": print_, "host_key_from.main": "console"}
        again = replace(made, key=replace(made.key, number=number), result=replace(made.result, facts=facts))
        world.attempts[number : number + (number == first)] = [again]
    move = world.move()
    assert isinstance(move, Park) and move.wait is not None
    for text in (move.wait.text.zh, move.wait.text.en):
        assert "SHA256:new" in text and "SHA256:old" not in text and "--approve" in text
    assert "console" in move.wait.text.en and "控制台" in move.wait.text.zh


def test_a_ticket_is_over_when_every_machine_is_there() -> None:
    world = World(make_spec(provision=True), results=failing("provision", how="wait:ticket", times=1))
    world.finish()
    ticket = Resource(
        resource_id="t", run_id=RUN, system_id=SYSTEM, machine="main", kind="ticket", driver="existing", cloud="",
        name="g-1", intent_at=AT,
    )  # fmt: skip
    world.resources = [ticket]
    assert shown(world.move()) == "waiting:ticket"
    world.resources = [ticket, replace(ticket, resource_id="s", kind="server", external_id="i-1", address="10.0.0.9")]
    assert shown(world.move()) == "provision/apply"


def test_a_freeze_that_must_be_repeated_goes_back_when_the_window_has_gone_by() -> None:
    world = World(
        opens_at=AT, closes_at=AT + timedelta(hours=2),
        results=lambda s, p, _n: {"apply": "unknown", "verify": "failed"}.get(p, "ok") if s == "freeze" else "ok",
    )  # fmt: skip
    world.until("freeze")
    world.end("unknown")
    world.now = AT + timedelta(hours=3)
    assert shown(world.finish()) == "end rolled_back"
    assert "freeze/apply#2" not in world.did


def test_hold_and_cancel_never_interrupt_the_machine_itself() -> None:
    for kind in ("hold", "cancel", "rollback"):
        world = World()
        world.until("final_sync")
        world.order(kind)  # type: ignore[arg-type]
        assert shown(world.move()) == "final_sync/apply"
        world.end("stopped" if kind == "cancel" else "ok")
        after = shown(world.move())
        assert after == ("held:order" if kind == "hold" else "freeze/rollback")


def test_without_gates_in_the_settings_only_the_window_stands_before_the_freeze() -> None:
    world = World(rules=ExecutionRules(gates=()), opens_at=OPENS, closes_at=OPENS + timedelta(hours=4))
    assert shown(world.finish()) == "trial:order"
    assert [g.step for g in world.gates] == ["freeze"] and not world.answers


def test_a_run_that_an_older_version_has_begun_starts_none_of_our_steps() -> None:
    """Its steps were others (F43): what it has moved can be taken back or accepted, nothing is begun."""
    world = World(settings={"older_version": "0004"})
    for step in ("precheck", "replicate", "freeze", "final_sync", "verify_data", "cutover", "verify_service"):
        _old_attempt(world, step)
    world.system = replace(world.system, state="trial")
    assert shown(world.move()) == "trial:order"
    world.order("rollback")
    assert shown(world.finish()) == "end rolled_back"
    assert world.did == ["cutover/rollback#1", "freeze/rollback#1"]
    world = World(settings={"older_version": "0004"})
    _old_attempt(world, "freeze", "unknown")
    world.system = replace(world.system, state="needs_person")
    assert shown(world.move()) == "needs_person:-"
    world.order("resume")
    assert shown(world.move()) == "needs_person:-"


def _old_attempt(world: World, step: str, how: str = "ok") -> None:
    key = AttemptKey(run_id=RUN, system_id=SYSTEM, step=step, phase="apply", number=1)  # type: ignore[arg-type]
    world.attempts.append(
        Attempt(
            key=key, token=len(world.attempts) + 1, executor="old", machine_id="", state="intended", claimed_at=world.now,
            heartbeat_at=world.now,
        )
    )  # fmt: skip
    world.end(how)


def test_downtime_runs_from_the_freeze_to_the_first_proof_of_service_at_either_end() -> None:
    world = World()
    world.finish()
    start, end = world.downtime
    assert start is not None and end is not None and end > start
    before = end
    world.order("rollback")
    world.finish()
    assert world.downtime == (start, before), "the way back later on is no part of it"
    world = World(results=failing("verify_data"))
    world.finish()
    start, end = world.downtime
    assert start is not None and end is not None


def test_the_question_that_is_open_is_the_one_that_decides() -> None:
    assert open_question(trial().seen(), load_steps(), ExecutionRules()) is None
    world = cutover_unknown()
    question = open_question(world.seen(), load_steps(), world.rules)
    assert question is not None and question.about is not None and question.about.step == "cutover"


RESULTS = ("ok", "ok", "ok", "failed", "unknown", "unreachable", "stopped")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(RESULTS), min_size=5, max_size=60),
    st.sampled_from(["rollback", "hold"]),
    st.booleans(),
    st.sets(st.integers(0, 60)),
)
def test_interrupted_anywhere_a_system_repeats_nothing_that_is_proven_done(
    told: list[str], on_failure: str, network: bool, crashes: set[int]
) -> None:
    """F16. The world refuses whatever must not be; a crash is an attempt that is found again under way."""
    world = World(make_spec(network=network, on_failure=on_failure))
    for count, how in enumerate(told):
        move = world.move()
        if isinstance(move, Act):
            world.once(end=False)
            if count in crashes:
                again = world.move()
                assert isinstance(again, Act) and (again.step, again.phase, again.number) == (
                    move.step,
                    move.phase,
                    move.number,
                )
            world.end(how)
            continue
        world.once()
        if isinstance(move, Ended):
            return
        if move.about is not None:
            world.order("rerun" if count % 3 else "done", about=move.about)
        world.pass_wait()


class Days(RuleBasedStateMachine):
    """Anything in any order, sensible or not. The world itself refuses what must never be begun."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(opens_at=AT, closes_at=AT + timedelta(hours=6), max_failed_pct=50)
        self.was_accepted = 0

    @rule(how=st.sampled_from(RESULTS))
    def goes_on(self, how: str) -> None:
        self.world.results = lambda *_: how
        self.world.once()

    @rule()
    def goes_well(self) -> None:
        self.world.results = lambda *_: "ok"
        for _ in range(4):
            self.world.once()
        self.world.pass_wait()

    @rule(kind=st.sampled_from(["hold", "resume", "resume", "cancel", "rollback", "accept", "switch_off", "review"]))
    def is_ordered(self, kind: OrderKind) -> None:
        self.world.order(kind, step="freeze" if kind == "resume" else None)

    @rule(kind=st.sampled_from(["rerun", "done", "abort"]), actor=st.sampled_from(["wang", "zhang"]))
    def is_decided(self, kind: OrderKind, actor: str) -> None:
        move = self.world.move()
        if isinstance(move, Park) and move.about is not None:
            self.world.order(kind, actor, about=move.about)

    @rule(actor=st.sampled_from(["li", "zhang", "chen"]), granted=st.booleans(), emergency=st.booleans())
    def is_answered(self, actor: str, granted: bool, emergency: bool) -> None:
        world = self.world
        if world.gates and world.gates[-1].used_at is None:
            given = world.answers.get(world.gates[-1].gate_id, [])
            if actor not in {a.actor for a in given}:
                world.answer(actor, granted=granted or emergency, emergency=emergency)

    @rule(hours=st.integers(-3, 100))
    def time_passes(self, hours: int) -> None:
        self.world.now += timedelta(hours=hours)

    @rule(changed=st.booleans())
    def what_was_approved_changes(self, changed: bool) -> None:
        self.world.changed = ("playbooks",) if changed else ()

    @rule(state=st.sampled_from(["failed", "trial", "rolled_back", "waiting"]))
    def another_fares(self, state: SystemState) -> None:
        self.world.others["SL-B"] = state

    @invariant()
    def is_answered_from_everywhere(self) -> None:
        move = self.world.move()
        if self.world.system.state in ENDED:
            assert isinstance(move, Ended)
        if isinstance(move, Park):
            assert move.wait is not None and move.wait.text.zh and move.wait.text.en and "{" not in move.wait.text.en

    @invariant()
    def ends_as_it_was_left(self) -> None:
        world = self.world
        if world.system.state in ("failed", "cancelled"):
            touching = [d for d in world.did if "/apply" in d and d.split("/")[0] not in SOURCE_UNTOUCHED]
            assert not touching, "a source that was touched is brought back or handed to a person"
        if world.system.state == "rolled_back":
            assert any("freeze/rollback" in d for d in world.did)
        if world.system.state == "accepted":
            self.was_accepted = self.was_accepted or len(world.did)
        if self.was_accepted:
            assert all(d.startswith("switch_off/") for d in world.did[self.was_accepted :])


TestDays = Days.TestCase
TestDays.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
