"""Who may let what through, until when: on both databases, as two offices may share one.

Without these a starter could approve himself, one word could be used twice, or last month's word for another plan.
"""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from run_desk import SYSTEM, Desk, make_desk

from govcloud.errors import UsageError
from govcloud.model.attempt import AttemptKey
from govcloud.store import gate as gate_store
from govcloud.workflow import run_gates, run_orders
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.run_status import run_overview

_found = spec_from_file_location("store_conftest", Path(__file__).parents[1] / "store" / "conftest.py")
assert _found is not None and _found.loader is not None
_store = module_from_spec(_found)
sys.modules["store_conftest"] = _store
_found.loader.exec_module(_store)
wheel_postgres, debian_postgres, url = _store.wheel_postgres, _store.debian_postgres, _store.url

PEOPLE = [
    {"name": "li", "unit": "示例信息中心", "roles": ["change_manager"]},
    {"name": "chen", "unit": "示例信息中心", "roles": ["change_manager", "auditor"]},
    {"name": "wu", "unit": "示例交通厅", "roles": ["owner"]},
    {"name": "zhang", "unit": "示例运维公司", "roles": ["change_manager"]},
]


@pytest.fixture
def desk(tmp_path: Path, url: str) -> Desk:
    return make_desk(tmp_path / "w", database=url)


def answer(desk: Desk, run_id: str, actor: str, **more: Any) -> list[run_gates.Answered]:
    with desk.open(actor) as session:
        return run_gates.answer_gates(session, run_id, **more)


def at_freeze(desk: Desk) -> str:
    run_id = desk.start()
    answer(desk, run_id, "li")
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval")
    return run_id


@pytest.mark.parametrize("actor", ["zhang", "ZHANG ", "Zhang"])
def test_nobody_approves_his_own_run(desk: Desk, actor: str) -> None:
    run_id = desk.start()
    with pytest.raises(UsageError, match="of his own"):
        answer(desk, run_id, actor)
    assert answer(desk, run_id, actor, granted=False)[0].state == "cancelled", "but he may refuse it"


def test_a_word_is_given_once_and_used_once(desk: Desk) -> None:
    run_id = desk.start()
    answer(desk, run_id, "li")
    with pytest.raises(UsageError, match="answered already"):
        answer(desk, run_id, "li")
    desk.work(run_id)
    with desk.open("li") as session:
        with session.store.read() as tx:
            (used, fresh) = gate_store.gates(tx, run_id)
        assert used.step == "prepare" and used.used_at is not None and fresh.step == "freeze" and fresh.used_at is None
        journal = StoreJournal(session, "m2/cli")
        again = AttemptKey(run_id=run_id, system_id=SYSTEM, step="prepare", phase="apply", number=2)
        with pytest.raises(UsageError, match="been used"):
            journal.claim(again, used.gate_id)
        freeze = AttemptKey(run_id=run_id, system_id=SYSTEM, step="freeze", phase="apply", number=1)
        for gate_id in (used.gate_id, fresh.gate_id, None):
            with pytest.raises(UsageError):
                journal.claim(freeze, gate_id)
    with pytest.raises(UsageError, match="No gate waits"):
        answer(desk, run_id, "li", step="prepare")


def test_an_approval_lapses_and_is_asked_for_anew(desk: Desk) -> None:
    run_id = at_freeze(desk)
    answer(desk, run_id, "li")
    desk.now += timedelta(hours=73)
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval")
    gate = answer(desk, run_id, "li")[0].gate
    assert gate.gate_id.endswith("freeze/2"), "the same person may be asked again at a new gate"
    desk.work(run_id)
    assert desk.state(run_id)[0] == "trial"


def test_a_refusal_outweighs_an_approval_that_was_not_used(desk: Desk) -> None:
    run_id = at_freeze(desk)
    answer(desk, run_id, "li")
    answer(desk, run_id, "chen", granted=False, reason="业务高峰")
    desk.work(run_id)
    assert desk.state(run_id)[0] == "cancelled" and not [d for d in desk.did if "freeze" in d]


def test_roles_and_units(tmp_path: Path, url: str) -> None:
    desk = make_desk(tmp_path / "w", database=url, people=PEOPLE, approver_roles=["change_manager"])
    run_id = desk.start()
    with pytest.raises(UsageError, match="not listed"):
        answer(desk, run_id, "somebody")
    with pytest.raises(UsageError, match="change_manager"):
        answer(desk, run_id, "wu")
    given = answer(desk, run_id, "Li ")[0].answer
    assert (given.unit, given.role) == ("示例信息中心", "change_manager")
    with desk.open() as session:
        assert not run_overview(session, run_id).self_declared


def test_who_loses_his_role_loses_the_word_that_was_not_used(tmp_path: Path, url: str) -> None:
    desk = make_desk(tmp_path / "w", database=url, people=PEOPLE, approver_roles=["change_manager"])
    run_id = desk.start()
    answer(desk, run_id, "li")
    settings = desk.place.path / "govcloud.yaml"
    settings.write_text(settings.read_text().replace("- name: li\n", "- name: lin\n"))
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval") and len(desk.did) == 1


def test_an_emergency_takes_two_people_and_is_reviewed_by_a_third(desk: Desk) -> None:
    run_id = at_freeze(desk)
    with pytest.raises(UsageError, match="reason"):
        answer(desk, run_id, "li", emergency=True)
    answer(desk, run_id, "zhang", emergency=True, reason="机房断电")
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval"), "one is not enough"
    answer(desk, run_id, "li", emergency=True, reason="机房断电")
    desk.work(run_id)
    assert desk.state(run_id)[0] == "trial"
    with desk.open("li") as session:
        shown = run_overview(session, run_id)
        assert {a.actor for a in shown.due_reviews} == {"zhang", "li"}
        assert all(a.review_due_on is not None for a in shown.due_reviews)
        for actor in ("li", " Zhang"):
            with desk.open(actor) as one, pytest.raises(UsageError, match="third person"):
                run_orders.review(one, run_id, reason="看过")
    with desk.open("chen") as session:
        run_orders.review(session, run_id, reason="处置得当")
        assert not run_overview(session, run_id).due_reviews
        with pytest.raises(UsageError, match="No emergency"):
            run_orders.review(session, run_id, reason="再看")


def test_a_person_approves_a_wave_with_one_command_and_late_comers_with_the_next(tmp_path: Path, url: str) -> None:
    desk = make_desk(tmp_path / "w", database=url)
    run_id = desk.start()
    assert [a.gate.system_id for a in answer(desk, run_id, "li")] == [SYSTEM]
    desk.work(run_id)
    with pytest.raises(UsageError, match="Not in this run"):
        answer(desk, run_id, "li", systems=["SL-NO"])


def test_of_two_who_approve_at_once_both_are_kept_and_nothing_is_lost(desk: Desk) -> None:
    run_id = desk.start()
    failed: list[BaseException] = []

    def give(actor: str) -> None:
        try:
            answer(desk, run_id, actor)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=give, args=(actor,)) for actor in ("li", "chen", "wu")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with desk.open() as session:
        (given,) = run_overview(session, run_id).answers.values()
        assert {a.actor for a in given} == {"li", "chen", "wu"}


def test_a_refusal_in_the_last_moment_stops_the_claim(desk: Desk) -> None:
    """The machine has said go; before the claim is made somebody says no."""
    run_id = at_freeze(desk)
    gate = answer(desk, run_id, "li")[0].gate
    with desk.open("worker") as session:
        key = AttemptKey(run_id=run_id, system_id=SYSTEM, step="freeze", phase="apply", number=1)
        answer(desk, run_id, "chen", granted=False)
        with pytest.raises(UsageError, match="refused"):
            StoreJournal(session, "m1/cli").claim(key, gate.gate_id)


def test_an_order_and_a_leg_that_meet_lose_neither(desk: Desk) -> None:
    """On PostgreSQL two transactions may read the same row; a hold must not be written over by a leg that parks."""
    run_id = desk.start()
    failed: list[BaseException] = []

    def order() -> None:
        try:
            for _ in range(8):
                with desk.open("wang") as session:
                    run_orders.hold(session, run_id)
                    run_orders.resume(session, run_id)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=order)
    thread.start()
    for _ in range(8):
        desk.work(run_id)
    thread.join()
    assert not failed
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval")
    with desk.open("wang") as session:
        assert len(run_overview(session, run_id).orders) == 16
