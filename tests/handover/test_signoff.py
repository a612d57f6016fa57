"""The state machine: nothing is signed before it is complete, nobody signs for both, nothing changes afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from govcloud import resources
from govcloud.handover.checklist import load_checklist, open_items
from govcloud.handover.signoff import (
    build_package_sha256,
    build_status,
    valid_sign_offs,
    verify_change,
    verify_rotation,
    verify_sign,
)
from govcloud.model.handover import Evidence, Handover, HostRotation, Refusal, Rotation, SignOff
from govcloud.model.text import Text

CHECKLIST = load_checklist(resources.folder("inventory") / "handover" / "checklist.yaml")
START = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
PAPERS = [i.item_id for g in CHECKLIST.groups for i in g.items if i.required and i.evidence != "rotation"]
DUAL = date(2026, 3, 20)


def new(**fields: Any) -> Handover:
    return Handover(
        handover_id="H-1", system_id="SL-OA-01", builder="示例建设单位", builder_key="ssh-ed25519 AAAA", hosts=("cloud-01",),
        started_by="张示例", started_at=START, **fields,
    )  # fmt: skip


def give(handover: Handover, item: str, minute: int = 0) -> Handover:
    at = START + timedelta(minutes=minute)
    return replace(
        handover, evidence=(*handover.evidence, Evidence(item_id=item, actor="张示例", at=at, note="见附件"))
    )


def rotated(handover: Handover, ok: bool = True) -> Handover:
    host = HostRotation(host="cloud-01", ok=ok, detail=Text("", ""))
    return replace(handover, rotations=(*handover.rotations, Rotation(actor="张示例", at=START, hosts=(host,))))


def complete(**fields: Any) -> Handover:
    handover = new(**fields)
    for item in PAPERS:
        handover = give(handover, item)
    return rotated(handover)


def signed(handover: Handover, role: Any, actor: str) -> Handover:
    one = SignOff(role=role, actor=actor, at=START, package_sha256=build_package_sha256(handover))
    return replace(handover, sign_offs=(*handover.sign_offs, one))


def test_the_states_come_in_order() -> None:
    handover, seen = new(dual_run_until=DUAL), []
    for item in PAPERS[:-1]:
        seen.append(build_status(CHECKLIST, handover, START.date()))
        handover = give(handover, item)
    seen.append(build_status(CHECKLIST, handover, START.date()))
    handover = rotated(handover)
    seen.append(build_status(CHECKLIST, handover, START.date()))
    handover = give(handover, "dual_run_record")
    seen += [build_status(CHECKLIST, handover, day) for day in (DUAL - timedelta(days=1), DUAL)]
    handover = signed(signed(handover, "owner", "李示例"), "builder", "王示例")
    seen.append(build_status(CHECKLIST, handover, DUAL))
    assert list(dict.fromkeys(seen)) == ["preparing", "documents", "credentials", "dual_run", "ready", "signed"]


def test_nobody_signs_while_a_required_item_is_open() -> None:
    for missing in PAPERS[:-1]:
        handover = rotated(new())
        for item in PAPERS:
            handover = give(handover, item) if item != missing else handover
        assert [i.item_id for i in open_items(CHECKLIST, handover)] == [missing]
        assert verify_sign(CHECKLIST, handover, "owner", "李示例", START.date())


def test_nobody_signs_before_the_old_key_is_refused() -> None:
    for handover in (replace(complete(), rotations=()), rotated(complete(), ok=False)):
        assert verify_sign(CHECKLIST, handover, "builder", "王示例", START.date())


def test_access_does_not_change_hands_before_the_papers_are_there() -> None:
    assert verify_rotation(CHECKLIST, new())
    assert verify_rotation(CHECKLIST, replace(complete(), rotations=())) == []


def test_one_person_never_signs_for_both_and_no_party_twice() -> None:
    handover = signed(complete(), "owner", "李示例")
    assert verify_sign(CHECKLIST, handover, "builder", "李示例", START.date())
    assert verify_sign(CHECKLIST, handover, "owner", "王示例", START.date())
    assert verify_sign(CHECKLIST, handover, "builder", "王示例", START.date()) == []


def test_a_paper_that_comes_after_a_signature_voids_it() -> None:
    handover = signed(complete(), "owner", "李示例")
    changed = give(handover, "licences", 5)
    assert valid_sign_offs(handover)
    assert valid_sign_offs(changed) == {}
    assert verify_sign(CHECKLIST, changed, "owner", "李示例", START.date()) == []


def test_refused_papers_are_open_again_until_newer_ones_come() -> None:
    refusal = Refusal(actor="王示例", at=START + timedelta(minutes=5), items=("design",), reason="缺图")
    handover = replace(complete(), refusals=(refusal,))
    assert [i.item_id for i in open_items(CHECKLIST, handover)] == ["design"]
    assert open_items(CHECKLIST, give(handover, "design", 6)) == []


def test_the_dual_run_counts_only_where_it_was_agreed() -> None:
    handover = complete()
    without = replace(handover, evidence=tuple(e for e in handover.evidence if e.item_id != "dual_run_record"))
    assert verify_sign(CHECKLIST, without, "owner", "李示例", START.date()) == []
    agreed = replace(without, dual_run_until=DUAL)
    assert len(verify_sign(CHECKLIST, agreed, "owner", "李示例", START.date())) == 2
    assert verify_sign(CHECKLIST, give(agreed, "dual_run_record", 1), "owner", "李示例", DUAL) == []


class Takeovers(RuleBasedStateMachine):
    """Any order of acts, each taken only when the machine allows it."""

    @initialize()
    def begin(self) -> None:
        self.handover, self.minute, self.frozen = new(), 0, ""

    def take(self, made: Handover, obstacles: list[Text]) -> None:
        self.handover = self.handover if obstacles else made

    @rule(item=st.sampled_from(PAPERS))
    def paper(self, item: str) -> None:
        self.minute += 1
        self.take(give(self.handover, item, self.minute), verify_change(self.handover))

    @rule()
    def all_papers(self) -> None:
        for item in PAPERS:
            self.paper(item)

    @rule(item=st.sampled_from(PAPERS))
    def refuse(self, item: str) -> None:
        self.minute += 1
        refusal = Refusal(actor="王", at=START + timedelta(minutes=self.minute), items=(item,), reason="缺")
        made = replace(self.handover, refusals=(*self.handover.refusals, refusal))
        self.take(made, verify_change(self.handover))

    @rule(ok=st.booleans())
    def rotate(self, ok: bool) -> None:
        self.take(rotated(self.handover, ok), verify_rotation(CHECKLIST, self.handover))

    @rule(role=st.sampled_from(["owner", "builder"]), actor=st.sampled_from(["李示例", "王示例"]))
    def sign(self, role: Any, actor: str) -> None:
        obstacles = verify_sign(CHECKLIST, self.handover, role, actor, START.date())
        self.take(signed(self.handover, role, actor), obstacles)

    @invariant()
    def signed_means_complete_by_two_persons_and_unchanged(self) -> None:
        valid = valid_sign_offs(self.handover)
        if len(valid) == 2:
            assert open_items(CHECKLIST, self.handover) == []
            assert valid["owner"].actor != valid["builder"].actor
            digest = build_package_sha256(self.handover)
            assert self.frozen in ("", digest)
            self.frozen = digest
        else:
            assert self.frozen == ""


TestTakeovers = Takeovers.TestCase
TestTakeovers.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
