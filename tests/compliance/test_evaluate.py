"""One estate under the rules of four offices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.evaluate import evaluate
from govcloud.compliance.load import load_packs, load_topics
from govcloud.compliance.zombies import build_zombies
from govcloud.model.inventory import Inventory, Network, Project
from govcloud.model.regulation import EstateCheck
from govcloud.model.zombie import ZombieRules

AS_OF = date(2026, 3, 2)
SITES = {
    "shanxi": ("SX19", "SX17"),
    "jiaocheng": ("JC22", "SX19", "SX17"),
    "jincheng": ("JN19", "SX19", "SX17"),
    "shandong": ("SD",),
}
Check = Callable[..., EstateCheck]


@pytest.fixture
def check(regulations: Path, calendar: WorkCalendar, estate: Inventory) -> Check:
    def run(site: str, inventory: Inventory = estate, as_of: date = AS_OF) -> EstateCheck:
        packs = load_packs(regulations, SITES[site])
        zombies = {z.system_id: z for z in build_zombies(inventory, ZombieRules(), {}, as_of)}
        return evaluate(inventory, packs, load_topics(regulations), calendar, as_of, zombies)

    return run


def failed(checked: EstateCheck, standing: str = "binding") -> set[tuple[str, str]]:
    return {(f.rule_id, f.subject_id) for f in checked.findings if f.verdict == "fail" and f.standing == standing}


def test_the_findings_of_a_provincial_department(check: Check) -> None:
    checked = check("shanxi")
    assert failed(checked) == {
        ("SX19/not-in-directory", "SL-OA-01"),
        ("SX19/not-on-government-cloud", "SL-OA-01"),
        ("SX19/not-on-government-cloud", "SL-MZ-03"),
        ("SX19/dedicated-network-without-consent", "N-MZ"),
        ("SX19/project-lists-unknown-system", "P-2"),
        ("SX19/contract-without-builder", "P-1"),
        ("SX19/contract-without-builder", "P-2"),
        ("SX19/contract-not-filed-in-time", "P-2"),
        ("SX19/acceptance-report-not-filed-in-time", "P-2"),
        ("SX17/dedicated-network-not-merged", "N-MZ"),
        ("SX17/zombie-resources-idle", "SL-ZB-07"),
        ("SX17/zombie-little-used", "SL-ZB-07"),
    }
    assert not checked.clean


def test_a_classified_system_is_never_told_to_move(check: Check) -> None:
    for site in SITES:
        assert not [f for f in check(site).findings if f.subject_id == "SL-SM-08"]


def test_an_unknown_field_gives_no_verdict_and_is_named(check: Check) -> None:
    found = {(f.rule_id, f.missing) for f in check("shanxi").findings if f.verdict == "undetermined"}
    assert ("SX19/not-on-government-cloud", ("hosting",)) in found


def test_jincheng_has_no_migration_or_network_clause_of_its_own(check: Check) -> None:
    """What binds provincial departments is shown to a city for reference only, never as a violation."""
    checked = check("jincheng")
    assert failed(checked) == {
        ("JN19/contract-not-filed-in-time", "P-2"),
        ("JN19/acceptance-report-not-filed-in-time", "P-2"),
        ("JN19/contract-without-builder", "P-1"),
        ("JN19/contract-without-builder", "P-2"),
        ("JN19/initial-acceptance-missing", "P-2"),
        ("JN19/no-project-lead", "P-1"),
        ("JN19/no-project-lead", "P-2"),
        ("SX17/dedicated-network-not-merged", "N-MZ"),
    }
    assert ("SX19/not-on-government-cloud", "SL-OA-01") in failed(checked, "reference")
    coverage = {row.topic: row for row in checked.coverage}
    for topic in ("migration", "takeover", "service_catalog", "industry_cloud", "zombie"):
        assert coverage[topic].binding == ()
    assert coverage["dedicated_network"].binding == ("SX17-2.3",)


def test_what_the_office_has_itself_is_not_repeated_for_reference(check: Check) -> None:
    assert "SX19/contract-not-filed-in-time" not in {t.rule_id for t in check("jincheng").tallies}
    assert failed(check("jiaocheng"), "reference") == {
        ("SX17/dedicated-network-not-merged", "N-MZ"),
        ("SX17/zombie-resources-idle", "SL-ZB-07"),
        ("SX17/zombie-little-used", "SL-ZB-07"),
    }


def test_shandong_measures_the_application_and_has_no_network_clause(check: Check) -> None:
    checked = check("shandong")
    assert ("SD/acceptance-not-applied-for-in-time", "P-2") in failed(checked)
    assert not [f for f in checked.findings if f.subject_id == "N-MZ"]
    assert {row.topic for row in checked.coverage if not row.binding} >= {"dedicated_network", "migration", "takeover"}


def test_alone_what_is_for_reference_leaves_an_office_clean(check: Check, estate: Inventory) -> None:
    known = replace(
        estate.systems[0], hosting="own_room", controllable=True, data_catalogued=True, risk_assessed_on=AS_OF,
        emergency_plan_on=AS_OF, drilled_on=AS_OF,
    )  # fmt: skip
    checked = check("jincheng", replace(estate, systems=(known,), projects=(), networks=()))
    assert checked.findings
    assert checked.clean


def test_a_finding_says_clause_consequence_party_and_witness(check: Check) -> None:
    found = {(f.rule_id, f.subject_id): f for f in check("shanxi").findings}
    acceptance = found["SX19/acceptance-report-not-filed-in-time", "P-2"]
    assert acceptance.clauses == ("SX19-25",)
    assert acceptance.consequence is not None and "运维经费" in acceptance.consequence.zh
    assert (acceptance.due_on, acceptance.provisional) == (date(2026, 2, 14), False)
    cloud = found["SX19/not-on-government-cloud", "SL-OA-01"]
    assert cloud.consequence is None, "the clause states none"
    assert (cloud.responsible, cloud.responsible_term) == ("owner", "项目实施单位（省直部门）")
    hosting = next(e for e in cloud.evidence if e.field == "hosting")
    assert (hosting.value, hosting.locator) == ("own_room", "普查表.xlsx!系统!H3")


def test_the_same_problem_keeps_its_id(check: Check, estate: Inventory) -> None:
    before = {f.finding_id: (f.rule_id, f.subject_id) for f in check("shanxi").findings}
    turned = replace(estate, systems=estate.systems[::-1], projects=estate.projects[::-1])
    after = {f.finding_id: (f.rule_id, f.subject_id) for f in check("shanxi", turned, date(2026, 5, 6)).findings}
    assert before == {k: v for k, v in after.items() if k in before}
    assert len(set(before)) == len(check("shanxi").findings)


def test_a_document_that_is_not_in_force_yet_is_left_out_and_named(check: Check) -> None:
    checked = check("jiaocheng", as_of=date(2021, 1, 4))
    assert checked.not_in_force == ("JC22",)
    assert checked.regulations == ("SX19", "SX17")


def test_a_project_without_a_register_is_an_open_question(check: Check, estate: Inventory) -> None:
    found = check("shanxi", replace(estate, projects=())).findings
    assert {f.verdict for f in found if f.rule_id == "SX19/system-without-project"} == {"undetermined"}


def test_a_network_that_was_there_before_the_measures_is_not_new(check: Check, estate: Inventory) -> None:
    old = Network(network_id="N-1", name="旧网", kind="dedicated", built_on=date(2015, 1, 1))
    rules = {f.rule_id for f in check("shanxi", replace(estate, networks=(old,))).findings if f.subject_id == "N-1"}
    assert rules == {"SX17/dedicated-network-not-merged", "SX17/dedicated-network-little-used"}


def test_a_contract_of_before_the_measures_is_not_late_under_them(check: Check, estate: Inventory) -> None:
    old = Project(
        project_id="P-0", name="旧项目", contract_signed_on=date(2018, 5, 1), supervisor_filed_on=date(2018, 6, 1)
    )
    found = check("shanxi", replace(estate, projects=(old,))).findings
    assert not [f for f in found if f.subject_id == "P-0"]
