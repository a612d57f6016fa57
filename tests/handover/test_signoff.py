"""Nothing is signed before it is complete and accepted, nobody acts for both sides, nothing changes under a signature."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from takeover_made import (
    CHECKLIST,
    DUAL,
    GIVER,
    ITEMS,
    OWNER,
    RECEIVER,
    TODAY,
    accept,
    at,
    both,
    entered,
    give,
    proved,
    signed,
    taken,
)

from govcloud.handover.checklist import open_items
from govcloud.handover.signoff import (
    is_signed,
    valid_sign_offs,
    verify_accept,
    verify_change,
    verify_rotation,
    verify_sign,
)
from govcloud.model.handover import Handover, HostRotation, Refusal, Rotation
from govcloud.model.text import Text


def complete(**fields: Any) -> Handover:
    handover = proved(taken(taken(entered("start", **fields)), "knowledge"))
    return accept(give(handover, "dual_run_record"), "dual_run_record") if "dual_run_until" in fields else handover


def rotated(handover: Handover, ok: bool) -> Handover:
    host = HostRotation(host="cloud-01", ok=ok, detail=Text("", ""))
    return replace(handover, rotations=(*handover.rotations, Rotation(actor=RECEIVER, at=at(9), hosts=(host,))))


def may_sign(handover: Handover, actor: str = OWNER) -> bool:
    return verify_sign(CHECKLIST, handover, "owner", actor, DUAL) == []


@pytest.mark.parametrize("level", ["technical", "full"])
def test_nobody_signs_while_one_required_item_is_missing(level: str) -> None:
    whole = complete(level=level)
    assert may_sign(whole)
    required = [n for n, (_, i) in ITEMS.items() if (level in i.levels or i.binding) and n != "dual_run_record"]
    for missing in required:
        found = ITEMS[missing][1]
        without = replace(
            whole,
            evidence=tuple(e for e in whole.evidence if e.item_id != missing),
            acceptances=tuple(a for a in whole.acceptances if a.item_id != missing),
            proofs=tuple(p for p in whole.proofs if p.kind != found.proof),
        )
        assert [i.item_id for i in open_items(CHECKLIST, without)] == [missing]
        assert not may_sign(without), missing


def test_papers_that_nobody_has_accepted_do_not_count() -> None:
    whole = complete()
    assert not may_sign(replace(whole, acceptances=tuple(a for a in whole.acceptances if a.item_id != "design")))


def test_a_newer_paper_needs_a_new_acceptance() -> None:
    newer = give(complete(), "design", 20)
    assert [i.item_id for i in open_items(CHECKLIST, newer)] == ["design"]
    assert may_sign(accept(newer, "design", 21))


def test_nobody_accepts_what_he_handed_over_himself() -> None:
    handover = give(entered("start"), "design", actor=GIVER)
    item = ITEMS["design"][1]
    assert verify_accept(handover, item, RECEIVER) == []
    for same in (GIVER, f" {GIVER} "):
        assert verify_accept(handover, item, same)


def test_a_proof_that_came_out_wrong_or_looked_at_nothing_is_none() -> None:
    assert not may_sign(proved(complete(), ok=False, minute=9))
    assert not may_sign(proved(complete(), ok=None, minute=9))


def test_keys_are_proved_by_the_newest_of_rotation_and_proof() -> None:
    assert not may_sign(rotated(complete(), ok=False))
    assert may_sign(proved(rotated(complete(), ok=False), minute=10))


def test_a_proof_that_does_not_apply_needs_a_reason_that_the_receiver_accepts() -> None:
    without = replace(complete(), proofs=tuple(p for p in complete().proofs if p.kind != "vendor_access"))
    reason = give(without, "vendor_access", 9, not_applicable=True)
    assert not may_sign(reason)
    assert may_sign(accept(reason, "vendor_access", 10))


def test_access_does_not_change_hands_before_papers_and_knowledge_are_accepted() -> None:
    started = entered("start")
    assert verify_rotation(CHECKLIST, started)
    assert verify_rotation(CHECKLIST, taken(started))
    assert verify_rotation(CHECKLIST, taken(taken(started), "knowledge")) == []


def test_one_person_never_signs_for_two_parties_and_no_party_twice() -> None:
    handover = signed(complete(), "owner", OWNER)
    assert verify_sign(CHECKLIST, handover, "builder", OWNER, TODAY)
    assert verify_sign(CHECKLIST, handover, "owner", RECEIVER, TODAY)
    assert verify_sign(CHECKLIST, handover, "builder", RECEIVER, TODAY) == []


def test_the_supervisor_may_sign_also_afterwards_but_is_not_waited_for() -> None:
    handover = both(complete())
    assert is_signed(handover)
    assert verify_sign(CHECKLIST, handover, "supervisor", "监理示例", TODAY) == []
    assert verify_sign(CHECKLIST, handover, "supervisor", OWNER, TODAY)
    three = signed(handover, "supervisor", "监理示例")
    assert set(valid_sign_offs(three)) == {"owner", "builder", "supervisor"}
    assert not is_signed(signed(signed(complete(), "supervisor", "监理示例"), "owner", OWNER))


def test_whatever_comes_after_a_signature_voids_it() -> None:
    handover = signed(complete(), "owner", OWNER)
    refusal = Refusal(actor=RECEIVER, at=at(20), items=("design",), reason="缺图")
    changes = {
        "paper": give(handover, "licences", 20),
        "acceptance": accept(give(handover, "user_manual", 1), "user_manual", 20),
        "proof": proved(handover, minute=20),
        "rotation": rotated(handover, ok=True),
        "refusal": replace(handover, refusals=(refusal,)),
        "level": replace(handover, level="register"),
        "dual run": replace(handover, dual_run_until=DUAL),
        "unit": replace(handover, builder="另一单位"),
    }
    assert valid_sign_offs(handover)
    for name, changed in changes.items():
        assert valid_sign_offs(changed) == {}, name


def test_refused_items_are_open_again_until_they_are_handed_over_and_accepted_anew() -> None:
    refusal = Refusal(actor=RECEIVER, at=at(5), items=("design", "servers"), reason="缺图")
    handover = replace(complete(), refusals=(refusal,))
    assert [i.item_id for i in open_items(CHECKLIST, handover)] == ["servers", "design"]
    again = accept(accept(give(handover, "design", 6), "design", 7), "servers", 7)
    assert open_items(CHECKLIST, again) == []


def test_the_dual_run_counts_only_where_it_was_agreed() -> None:
    agreed = complete(dual_run_until=DUAL)
    assert verify_sign(CHECKLIST, agreed, "owner", OWNER, DUAL - timedelta(days=1))
    assert verify_sign(CHECKLIST, agreed, "owner", OWNER, DUAL) == []
    without_record = replace(complete(), dual_run_until=DUAL)
    assert verify_sign(CHECKLIST, without_record, "owner", OWNER, DUAL)
    assert verify_sign(CHECKLIST, complete(), "owner", OWNER, TODAY) == []


def test_nothing_is_added_to_what_both_have_signed() -> None:
    assert verify_change(complete()) == []
    assert verify_change(both(complete()))
