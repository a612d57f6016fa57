"""The states of a takeover: what may happen in which, and that a takeover can't be talked past a stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from takeover_made import (
    BINDING,
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
    decided,
    entered,
    give,
    proved,
    signed,
    taken,
)

from govcloud.handover.signoff import (
    is_signed,
    verify_accept,
    verify_change,
    verify_rotation,
    verify_sign,
)
from govcloud.handover.states import build_state, verify_decision
from govcloud.model.handover import (
    Act,
    Decision,
    Handover,
    HostRotation,
    Proof,
    Refusal,
    Rotation,
    TakeoverState,
)
from govcloud.model.text import Text
from govcloud.store.codec import decode

STARTED = entered("start")
TAKEN = taken(STARTED)
TAUGHT = taken(TAKEN, "knowledge")
COMPLETE = proved(TAUGHT)
BY_STATE: dict[TakeoverState, Handover | None] = {
    "to_assess": None,
    "planned": entered("plan"),
    "papers": STARTED,
    "knowledge_transfer": TAKEN,
    "dual_run": TAUGHT,
    "confirmed": COMPLETE,
    "operating": both(COMPLETE),
    "deferred": decided(COMPLETE, "defer"),
    "not_applicable": decided(entered("plan"), "exclude"),
}


def attempt(handover: Handover | None, event: str) -> list[Text]:
    """What is said when it is tried."""
    if event in get_args(Act):
        return verify_decision(CHECKLIST, handover, event, TODAY)  # type: ignore[arg-type]
    if handover is None:
        return [Text("没有接管", "There is no takeover")]  # the commands can't name one
    tries: dict[str, Callable[[Handover], list[Text]]] = {
        "give": verify_change,
        "refuse": verify_change,
        "prove": verify_change,
        "accept": lambda h: verify_change(h) or verify_accept(give(h, "design", 9), ITEMS["design"][1], RECEIVER),
        "rotate": lambda h: verify_rotation(CHECKLIST, h),
        "sign": lambda h: verify_sign(CHECKLIST, h, "owner", OWNER, TODAY),
        "countersign": lambda h: verify_sign(CHECKLIST, h, "supervisor", "监理示例", TODAY),
    }
    return tries[event](handover)


# Written out by hand: y may happen, . may not.
#                      plan start defer exclude resume give accept refuse prove rotate sign countersign
TABLE = {
    "to_assess":          "y    y     y     y       .      .    .      .      .     .      .    .",
    "planned":            "y    y     y     y       .      .    .      .      .     .      .    .",
    "papers":             "y    .     y     y       .      y    y      y      y     .      .    .",
    "knowledge_transfer": "y    .     y     y       .      y    y      y      y     .      .    .",
    "dual_run":           "y    .     y     y       .      y    y      y      y     y      .    .",
    "confirmed":          "y    .     y     y       .      y    y      y      y     y      y    y",
    "operating":          "y    y     .     .       .      .    .      .      .     .      .    y",
    "deferred":           ".    .     .     y       y      .    .      .      .     .      .    .",
    "not_applicable":     ".    .     .     .       y      .    .      .      .     .      .    .",
}  # fmt: skip
EVENTS = (
    "plan", "start", "defer", "exclude", "resume", "give", "accept", "refuse", "prove", "rotate", "sign", "countersign",
)  # fmt: skip


@pytest.mark.parametrize("state", get_args(TakeoverState))
def test_every_event_in_every_state(state: TakeoverState) -> None:
    handover = BY_STATE[state]
    assert build_state(CHECKLIST, handover, TODAY) == state
    for event, allowed in zip(EVENTS, TABLE[state].split(), strict=True):
        assert (attempt(handover, event) == []) == (allowed == "y"), (state, event, attempt(handover, event))


def test_what_is_deferred_or_excluded_goes_on_where_it_was() -> None:
    for state in ("to_assess", "planned", "papers", "knowledge_transfer", "dual_run", "confirmed"):
        before = BY_STATE[state]
        for act in ("defer", "exclude"):
            first: Act = "defer" if act == "defer" else "exclude"
            paused = entered(first) if before is None else decided(before, first, 9)
            assert build_state(CHECKLIST, decided(paused, "resume", 10), TODAY) == state


def test_at_level_register_it_is_enough_that_the_receiver_accepts_what_the_store_knows() -> None:
    groups = tuple(replace(g, items=tuple(replace(i, binding=()) for i in g.items)) for g in CHECKLIST.groups)
    elsewhere = replace(CHECKLIST, groups=groups)
    handover = entered("start", level="register", hosts=())
    assert build_state(elsewhere, handover, TODAY) == "papers"
    for name, (_, item) in ITEMS.items():
        handover = accept(handover, name) if item.source == "data" else handover
    assert build_state(elsewhere, handover, TODAY) == "confirmed"
    assert build_state(CHECKLIST, handover, TODAY) == "papers", "JC22-16 asks for its papers at every level"


def test_a_takeover_that_an_earlier_version_stored_stays_signed() -> None:
    """An upgraded workspace does not lose its signatures; `cases` holds the row as it was written before levels came."""
    text = (Path(__file__).parents[1] / "cases" / "handover" / "version1_signed.json").read_text("utf-8")
    old = decode(text, Handover)
    assert build_state(CHECKLIST, old, TODAY) == "operating"
    assert build_state(CHECKLIST, replace(old, sign_offs=()), TODAY) == "papers"
    assert build_state(CHECKLIST, replace(old, builder="另一单位"), TODAY) == "papers"


class Takeovers(RuleBasedStateMachine):
    """Any order of acts, each taken where the machine allows it, against a model that only counts sets."""

    @initialize(dual=st.booleans(), steps=st.integers(0, 4))
    def begin(self, dual: bool, steps: int) -> None:
        self.handover: Handover | None = None
        self.dual = DUAL if dual else None
        self.minute = 0
        # The model: what is given, accepted, proved; whether begun and paused; who has signed.
        self.given: dict[str, str] = {}
        self.accepted: set[str] = set()
        self.facts = {"planned": False, "started": False, "rotated": False, "proved": False}
        self.paused = ""
        self.signers: dict[str, str] = {}
        # Random steps alone would hardly ever complete a takeover.
        ways = (
            lambda: self.decide("start"),
            self.everything,
            lambda: (self.rotate(True), self.prove(True)),
            self.all_sign,
        )
        for way in ways[:steps]:
            way()

    def tick(self) -> datetime:
        self.minute += 1
        return at(self.minute)

    @property
    def needed(self) -> set[str]:
        return {
            name for name, (g, i) in ITEMS.items()
            if i.source != "proof" and ("technical" in i.levels or name in BINDING)
            and (g.group_id != "dual_run" or self.dual)
        }  # fmt: skip

    @property
    def open_papers(self) -> set[str]:
        return {n for n in self.needed if ITEMS[n][0].group_id != "dual_run"} - self.accepted

    @property
    def complete(self) -> bool:
        return not (self.needed - self.accepted) and self.facts["proved"] and self.facts["rotated"]

    @property
    def over(self) -> bool:
        return {"owner", "builder"} <= set(self.signers)

    @property
    def workable(self) -> bool:
        return self.facts["started"] and not self.paused and not self.over

    @rule(act=st.sampled_from(get_args(Act)))
    def decide(self, act: Act) -> None:
        allowed = {
            "plan": not self.paused and not self.over,
            "start": not self.paused and not self.over and not self.facts["started"],
            "defer": not self.paused and not self.over,
            "exclude": self.paused != "exclude" and not self.over,
            "resume": bool(self.paused) and not self.over,
        }[act]
        if self.over and act in ("plan", "start"):
            return  # that would be the next takeover of the system
        assert (verify_decision(CHECKLIST, self.handover, act, TODAY) == []) == allowed, act
        if not allowed:
            return
        now = self.tick()
        if self.handover is None:
            self.handover = replace(entered(act, dual_run_until=self.dual), decisions=())
        one = Decision(act=act, actor=OWNER, at=now)
        self.handover = replace(self.handover, decisions=(*self.handover.decisions, one))
        self.paused = act if act in ("defer", "exclude") else ""
        if act in ("plan", "start"):
            self.facts["planned" if act == "plan" else "started"] = True

    @rule(item=st.sampled_from(sorted(ITEMS)), actor=st.sampled_from([GIVER, RECEIVER]))
    def give(self, item: str, actor: str) -> None:
        if self.handover is None or ITEMS[item][1].source == "proof":
            return
        assert (verify_change(self.handover) == []) == self.workable
        if self.workable:
            self.tick()
            self.handover = give(self.handover, item, self.minute, actor)
            self.given[item] = actor
            self.accepted.discard(item)
            self.signers.clear()

    @rule(item=st.sampled_from(sorted(ITEMS)))
    def accept(self, item: str) -> None:
        found = ITEMS[item][1]
        if self.handover is None or found.source == "proof" or not self.workable:
            return
        able = self.given.get(item, "") != RECEIVER and (found.source == "data" or item in self.given)
        assert (verify_accept(self.handover, found, RECEIVER) == []) == able
        if able:
            self.tick()
            self.handover = accept(self.handover, item, self.minute)
            self.accepted.add(item)
            self.signers.clear()

    @rule()
    def everything(self) -> None:
        for item in sorted(self.needed - self.accepted):
            if ITEMS[item][1].source != "data":
                self.give(item, GIVER)
            self.accept(item)

    @rule(item=st.sampled_from(sorted(BINDING | {"servers", "training", "dual_run_record"})))
    def refuse(self, item: str) -> None:
        if self.handover is None or not self.workable:
            return
        refusal = Refusal(actor=RECEIVER, at=self.tick(), items=(item,), reason="不全")
        self.handover = replace(self.handover, refusals=(*self.handover.refusals, refusal))
        if item in self.accepted or item in self.given:
            self.signers.clear()
        self.accepted.discard(item)
        self.given.pop(item, None)

    @rule(ok=st.booleans())
    def rotate(self, ok: bool) -> None:
        if self.handover is None:
            return
        able = self.workable and not self.open_papers
        assert (verify_rotation(CHECKLIST, self.handover) == []) == able
        if able:
            one = HostRotation(host="cloud-01", ok=ok, detail=Text("", ""))
            rotation = Rotation(actor=RECEIVER, at=self.tick(), hosts=(one,))
            self.handover = replace(self.handover, rotations=(*self.handover.rotations, rotation))
            self.facts["rotated"] = ok
            self.signers.clear()

    @rule(ok=st.sampled_from([True, False, None]))
    def prove(self, ok: bool | None) -> None:
        if self.handover is None or not self.workable:
            return
        proof = Proof(
            kind="vendor_access", hosts=("cloud-01",), ok=ok, detail=Text("", ""), actor=RECEIVER, at=self.tick()
        )
        self.handover = replace(self.handover, proofs=(*self.handover.proofs, proof))
        self.facts["proved"] = ok is True
        self.signers.clear()

    @rule(role=st.sampled_from(["owner", "builder", "supervisor"]), actor=st.sampled_from([OWNER, RECEIVER]))
    def sign(self, role: str, actor: str) -> None:
        if self.handover is None:
            return
        day = DUAL if self.dual else TODAY
        free = role not in self.signers and actor not in {a for r, a in self.signers.items() if r != role}
        able = free and ((self.over and role == "supervisor") or (self.workable and self.complete))
        assert (verify_sign(CHECKLIST, self.handover, role, actor, day) == []) == able  # type: ignore[arg-type]
        if able:
            self.handover = signed(self.handover, role, actor)
            self.signers[role] = actor

    @rule()
    def all_sign(self) -> None:
        self.sign("owner", OWNER)
        self.sign("builder", RECEIVER)

    @invariant()
    def the_state_is_the_models(self) -> None:
        if self.handover is None:
            expected = "to_assess"
        elif self.over:
            expected = "operating"
        elif self.paused:
            expected = "deferred" if self.paused == "defer" else "not_applicable"
        elif not self.facts["started"]:
            expected = "planned" if self.facts["planned"] else "to_assess"
        elif {n for n in self.open_papers if ITEMS[n][0].group_id != "knowledge"}:
            expected = "papers"
        elif self.open_papers:
            expected = "knowledge_transfer"
        else:
            expected = "confirmed" if self.complete and not self.dual else "dual_run"
        assert build_state(CHECKLIST, self.handover, TODAY) == expected
        assert self.handover is None or is_signed(self.handover) == self.over


TestTakeovers = Takeovers.TestCase
TestTakeovers.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
