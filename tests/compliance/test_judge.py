"""Every rule of every pack, asked about systems of which less and less is known: what was decided must stay decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud import resources
from govcloud.compliance.calendar_source import load_calendar
from govcloud.compliance.evaluate import evaluate, rules_in_force
from govcloud.compliance.judge import Judge
from govcloud.compliance.load import load_packs, load_topics, pack_ids
from govcloud.compliance.subjects import subjects
from govcloud.model.condition import All, Any, Condition, InTime, Not, Recorded
from govcloud.model.inventory import Inventory, Network, Project, System

AS_OF = date(2026, 3, 2)
REGULATIONS = resources.folder("regulations")
CALENDAR = load_calendar(REGULATIONS / "calendars")
PACKS = load_packs(REGULATIONS, pack_ids(REGULATIONS))
SYSTEM = System(
    system_id="SL-1", name="示例系统", department="示例厅", classified=False, lifecycle="operating", hosting="own_room",
    mlps_level=3, mlps_filing_no="示例-1", in_directory=False, shares_data=True, users=10, visits_per_year=20,
    builder="示例公司", maintained_by="示例公司", data_catalogued=False, controllable=True, go_live_on=date(2020, 1, 1),
    risk_assessed_on=date(2024, 1, 1), drilled_on=date(2025, 1, 1), emergency_plan_on=date(2023, 1, 1),
)  # fmt: skip
NETWORK = Network(
    network_id="N-1", name="示例专网", kind="dedicated", built_on=date(2023, 1, 1), utilisation_pct=5.0,
    legal_basis="示例依据", consent_document="示例发〔2022〕1号", consent_on=date(2022, 6, 1), consent_valid_until=date(2025, 6, 1),
)  # fmt: skip
PROJECT = Project(
    project_id="P-1", name="示例项目", systems=("SL-1",), networks=("N-1",), planned=False, approved_on=date(2024, 1, 5),
    builder="示例公司", budget_yuan=100.0, final_yuan=120.0, contract_signed_on=date(2024, 3, 1), contract_filed_on=date(2024, 3, 20),
    construction_completed_on=date(2025, 1, 10), acceptance_completed_on=date(2025, 6, 1), data_directory=False,
)  # fmt: skip


def _parts(condition: Condition | None) -> Iterator[Condition]:
    if condition is not None:
        yield condition
    if isinstance(condition, All | Any):
        for part in condition.parts:
            yield from _parts(part)
    if isinstance(condition, Not):
        yield from _parts(condition.part)


# `recorded` asks whether the register has an entry at all, so taking one away is a new answer; `in_time` reads the record itself.
JUDGES = [
    Judge(rule, pack, CALENDAR, AS_OF)
    for pack in PACKS
    for rule in pack.rules
    if not any(isinstance(part, Recorded | InTime) for c in (rule.when, rule.must) for part in _parts(c))
]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_learning_more_never_overturns_a_verdict(data: st.DataObject) -> None:
    judge = data.draw(st.sampled_from(JUDGES))
    whole = {"system": SYSTEM, "network": NETWORK, "project": PROJECT}[judge.rule.subject]
    known = sorted(judge.used & {f.name for f in fields(whole)})
    hidden = data.draw(st.sets(st.sampled_from(known))) if known else set()

    def ask(entity: object) -> str:
        inventory = Inventory(
            systems=(entity if isinstance(entity, System) else SYSTEM,),
            networks=(entity if isinstance(entity, Network) else NETWORK,),
            projects=(entity if isinstance(entity, Project) else PROJECT,),
        )
        verdict = judge.answer(next(subjects(inventory, judge.rule.subject))).verdict
        # Who meets the demand passes, whether it concerns him or not.
        return "nothing wrong" if verdict in ("pass", "not_applicable") else verdict

    # Without the others a list says nothing of them; an empty one is the way to know nothing.
    less = replace(whole, **{name: () if isinstance(getattr(whole, name), tuple) else None for name in hidden})
    if not any(isinstance(getattr(whole, name), tuple) for name in hidden):
        assert ask(less) in ("undetermined", ask(whole))


def test_there_is_something_to_ask() -> None:
    assert len(JUDGES) > 10
    assert {judge.rule.subject for judge in JUDGES} >= {"system", "project"}


@pytest.fixture
def estate() -> Inventory:
    return Inventory(
        systems=(SYSTEM, replace(SYSTEM, system_id="SL-2", name="示例二", hosting=None)), networks=(NETWORK,),
        projects=(PROJECT, replace(PROJECT, project_id="P-2", systems=("SL-404",))),
    )  # fmt: skip


def test_the_same_inputs_give_the_same_findings_in_the_same_order(estate: Inventory) -> None:
    packs, topics = load_packs(REGULATIONS, ["SX19", "SX17"]), load_topics(REGULATIONS)
    first = evaluate(estate, packs, topics, CALENDAR, AS_OF)
    turned = replace(estate, systems=estate.systems[::-1], projects=estate.projects[::-1])
    assert evaluate(estate, packs, topics, CALENDAR, AS_OF) == first
    again = evaluate(turned, packs, topics, CALENDAR, AS_OF)
    assert [f.finding_id for f in again.findings] == [f.finding_id for f in first.findings]
    assert {(t.rule_id, t.passed, t.failed, t.undetermined) for t in again.tallies} == {
        (t.rule_id, t.passed, t.failed, t.undetermined) for t in first.tallies
    }


def test_every_subject_gets_one_answer_of_every_rule(estate: Inventory) -> None:
    packs = load_packs(REGULATIONS, ["JC22", "SX19", "SX17"])
    checked = evaluate(estate, packs, load_topics(REGULATIONS), CALENDAR, AS_OF)
    assert [t.rule_id for t in checked.tallies] == [rule.rule_id for _, rule, _ in rules_in_force(packs, AS_OF)]
    counted = {(t.rule_id, "fail"): t.failed for t in checked.tallies}
    counted |= {(t.rule_id, "undetermined"): t.undetermined for t in checked.tallies}
    for (rule_id, verdict), number in counted.items():
        assert number == sum(f.rule_id == rule_id and f.verdict == verdict for f in checked.findings)


@pytest.mark.parametrize(
    ("names", "projects"),
    [(("SL-1",), ("P-1",)), (("示例系统",), ("P-1",)), (("SL-1", "示例系统"), ("P-1",)), (("示例二",), ()), ((), ())],
)
def test_a_register_may_name_systems_by_id_or_by_name(names: tuple[str, ...], projects: tuple[str, ...]) -> None:
    inventory = Inventory(systems=(SYSTEM,), projects=(replace(PROJECT, systems=names),))
    assert next(subjects(inventory, "system")).facts["projects"] == projects


def test_a_name_that_two_systems_have_belongs_to_neither() -> None:
    both = (SYSTEM, replace(SYSTEM, system_id="SL-2"))
    inventory = Inventory(systems=both, projects=(replace(PROJECT, systems=(SYSTEM.name,)),))
    assert [s.facts["projects"] for s in subjects(inventory, "system")] == [(), ()]
