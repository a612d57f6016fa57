"""Jincheng 2019, Shandong and the Shanxi plan of 2017, for what the rules' own cases can't say.

A user would miss: which clauses bind whom, what really follows from a breach by the text, which numbers are the
office's own, and that a date which passed in 2017 is not sold as a deadline of today.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.compliance.calendar import WorkCalendar, add_months
from govcloud.compliance.evaluate import evaluate
from govcloud.compliance.load import load_packs, load_topics
from govcloud.compliance.zombies import build_zombies
from govcloud.errors import InputError
from govcloud.model.inventory import Inventory, Network, Project, System
from govcloud.model.regulation import Clause, EstateCheck, Finding, Regulation, Rule
from govcloud.model.zombie import ZombieRules

OURS = ("JN19", "SD", "SX17")
AS_OF = date(2026, 3, 2)
SYSTEM = System(system_id="T-01", name="示例系统", classified=False, lifecycle="operating")


@pytest.fixture(scope="module")
def packs(regulations: Path) -> dict[str, Regulation]:
    return {pack.regulation_id: pack for pack in load_packs(regulations, OURS)}


@pytest.fixture(scope="module")
def clauses(packs: dict[str, Regulation]) -> dict[str, Clause]:
    return {clause_id: clause for pack in packs.values() for clause_id, clause in pack.clauses.items()}


@pytest.fixture(scope="module")
def rules(packs: dict[str, Regulation]) -> dict[str, Rule]:
    return {rule.rule_id: rule for pack in packs.values() for rule in pack.rules}


def findings(
    packs: list[Regulation], calendar: WorkCalendar, inventory: Inventory, as_of: date = AS_OF
) -> dict[str, Finding]:
    return {f.rule_id: f for f in checked(packs, calendar, inventory, as_of).findings}


def checked(packs: list[Regulation], calendar: WorkCalendar, inventory: Inventory, as_of: date = AS_OF) -> EstateCheck:
    return evaluate(inventory, packs, {}, calendar, as_of)


def test_every_clause_is_tested_or_says_why_not(packs: dict[str, Regulation]) -> None:
    counts = {pack_id: Counter(c.treatment or "rule" for c in pack.clauses.values()) for pack_id, pack in packs.items()}
    assert counts == {
        "JN19": {"rule": 15, "not_automatable": 11, "information": 5},
        "SD": {"rule": 20, "not_automatable": 15, "information": 8},
        "SX17": {"rule": 6, "not_automatable": 20, "information": 3},
    }
    for pack in packs.values():
        for clause in pack.clauses.values():
            if clause.treatment == "not_automatable":
                assert clause.treatment_reason is not None
                assert len(clause.treatment_reason.zh) >= 20, f"{clause.clause_id}: a reason an auditor can follow"


def test_the_reasons_name_only_clauses_that_a_rule_tests(packs: dict[str, Regulation]) -> None:
    """“See SX17-2.4” is no comfort when nothing tests SX17-2.4."""
    for pack in packs.values():
        tested = {c for rule in pack.rules for c in rule.clauses}
        for clause in pack.clauses.values():
            reason = clause.treatment_reason
            if clause.treatment != "not_automatable" or reason is None:
                continue
            named = set(re.findall(r"(?:JN19|SD|SX17)-\d[\d.]*[a-c]?", reason.zh))
            assert named <= tested, clause.clause_id


def test_which_clauses_bind_cities_and_counties_by_their_own_words(clauses: dict[str, Clause]) -> None:
    cities = {c for c, clause in clauses.items() if c.startswith("SX17") and "city" in clause.reaches}
    assert cities == {
        "SX17-1.3b", "SX17-2.3", "SX17-2.3c", "SX17-2.6", "SX17-2.7b", "SX17-3.1", "SX17-3.2", "SX17-3.2b", "SX17-3.6",
    }  # fmt: skip
    counties = {c for c, clause in clauses.items() if "county" in clause.reaches}
    assert counties == {
        "JN19-05", "JN19-06", "JN19-12", "JN19-24", "JN19-27", "JN19-30",
        "SD-04b", "SD-05", "SD-25", "SD-40", "SX17-3.2b", "SX17-3.6",
    }  # fmt: skip


def test_of_the_plan_only_the_network_merge_and_the_directory_are_held_against_a_city(
    packs: dict[str, Regulation], calendar: WorkCalendar
) -> None:
    tallies = checked([packs["JN19"], packs["SX17"]], calendar, Inventory()).tallies
    binding = {t.rule_id for t in tallies if t.rule_id.startswith("SX17") and t.standing == "binding"}
    assert binding == {"SX17/dedicated-network-not-merged", "SX17/data-not-catalogued"}


def test_jincheng_and_shandong_have_no_clause_on_cloud_catalog_networks_or_takeover(
    regulations: Path, packs: dict[str, Regulation], calendar: WorkCalendar
) -> None:
    topics = load_topics(regulations)
    for pack_id in ("JN19", "SD"):
        coverage = evaluate(Inventory(), [packs[pack_id]], topics, calendar, AS_OF).coverage
        silent = {row.topic for row in coverage if not row.binding}
        assert silent >= {
            "dedicated_network", "migration", "takeover", "industry_cloud", "county_cloud", "service_catalog", "zombie",
        }  # fmt: skip
        assert not packs[pack_id].requests.use_catalog


def test_what_the_texts_do_not_name_is_not_tested(rules: dict[str, Rule]) -> None:
    """Jincheng wants changes reported in time, not beforehand; only Shandong has archives and an application."""
    names = {pack: {r.partition("/")[2] for r in rules if r.startswith(pack)} for pack in OURS}
    only_shandong = {
        "change-filed-afterwards", "archives-missing", "acceptance-not-applied-for-in-time", "overspent",
        "progress-not-reported", "self-evaluation-not-in-time",
    }  # fmt: skip
    assert only_shandong <= names["SD"] - names["JN19"]
    only_jincheng = {
        "initial-acceptance-missing",
        "maintenance-money-not-reviewed",
        "no-emergency-plan",
        "never-drilled",
    }
    assert only_jincheng <= names["JN19"] - names["SD"]
    assert "supervision-firm-not-filed" not in names["JN19"] | names["SD"]


def test_high_is_only_what_the_text_attaches_something_to(rules: dict[str, Rule], clauses: dict[str, Clause]) -> None:
    for rule in rules.values():
        if rule.severity == "high":
            assert any(clauses[c].consequence for c in rule.clauses), rule.rule_id


def test_a_finding_states_the_consequence_of_its_own_breach(
    packs: dict[str, Regulation], calendar: WorkCalendar
) -> None:
    """Art. 9 of Jincheng forbids building before approval and stops O&M money of those who do not share: not the same."""
    project = Project(
        project_id="P-1", name="示例项目", approved_on=date(2025, 3, 4), contract_signed_on=date(2025, 3, 3),
        acceptance_completed_on=date(2025, 6, 2), final_yuan=2.0, budget_yuan=1.0,
    )  # fmt: skip
    inventory = Inventory(projects=(project,))
    jincheng = findings([packs["JN19"]], calendar, inventory)
    built, report = jincheng["JN19/built-before-approval"], jincheng["JN19/acceptance-report-not-filed-in-time"]
    assert built.consequence is not None and report.consequence is not None
    assert built.consequence.zh.startswith("限期整改") and "拨付运维经费" not in built.consequence.zh
    assert "不再列入预算" in report.consequence.zh
    assert report.due_on == date(2025, 6, 11)
    assert jincheng["JN19/contract-not-filed-in-time"].consequence is None, "art. 15 states none"
    shandong = findings([packs["SD"]], calendar, inventory)
    assert "SD/acceptance-not-applied-for-in-time" not in shandong
    assert shandong["SD/acceptance-report-not-filed"].due_on is None, "the text gives the organiser no number of days"
    assert shandong["SD/acceptance-report-not-filed"].responsible_term == "验收组织单位"
    assert str(shandong["SD/overspent"].consequence).count("不予追加") == 1


def test_a_passed_date_is_called_so_and_never_given_as_the_day(
    packs: dict[str, Regulation], calendar: WorkCalendar
) -> None:
    plan = packs["SX17"]
    for rule in plan.rules:
        years = {d.due_on.year for c in rule.clauses if (d := plan.clauses[c].deadline) and d.due_on}
        for year in years:
            assert rule.note is not None and f"{year}年" in rule.note.zh and "已过" in rule.note.zh, rule.rule_id
            assert str(year) in rule.note.en and "has passed" in rule.note.en.replace("have", "has"), rule.rule_id
    old = System(system_id="T-01", name="示例系统", classified=False, lifecycle="idle", shares_data=False)
    found = findings([plan], calendar, Inventory(systems=(old,)))
    assert found["SX17/data-sharing-not-connected"].verdict == "fail"
    assert all(f.due_on is None for f in found.values())


def test_the_yearly_duties_keep_their_day(clauses: dict[str, Clause]) -> None:
    days = {c: d.month_day for c, clause in clauses.items() if (d := clause.deadline) and d.unit == "yearly"}
    assert days == {"SD-16": "12-31", "SX17-3.2": "01-31"}


def test_numbers_that_are_ours_follow_the_site_and_are_called_ours(regulations: Path, calendar: WorkCalendar) -> None:
    network = Network(network_id="N-1", name="示例专网", kind="dedicated", utilisation_pct=12.5)
    inventory = Inventory(networks=(network,))
    usual = findings(list(load_packs(regulations, ["SX17"])), calendar, inventory)
    assert usual["SX17/dedicated-network-little-used"].message.zh.endswith("低于 20%")
    own = findings(list(load_packs(regulations, ["SX17"], {"little_used_pct": 10})), calendar, inventory)
    assert "SX17/dedicated-network-little-used" not in own
    for pack in load_packs(regulations, OURS):
        for rule in pack.rules:
            for text in (rule.message, rule.next_step, rule.note):
                assert text is None or "{" not in text.zh + text.en, rule.rule_id
    with pytest.raises(InputError, match="little_used_pct"):
        load_packs(regulations, ["SX17"], {"zombie_users": 50})


def test_each_criterion_of_a_zombie_is_one_rule_and_follows_the_sites_thresholds(
    packs: dict[str, Regulation], calendar: WorkCalendar
) -> None:
    quiet = System(
        system_id="T-01", name="示例系统", classified=False, lifecycle="operating", users=40, visits_per_year=90,
        detached_from_process=True, replaceable=False, resources_idle=False, updates_stopped=False,
    )  # fmt: skip
    inventory = Inventory(systems=(quiet,))

    def failing(thresholds: ZombieRules) -> set[str]:
        verdicts = {z.system_id: z for z in build_zombies(inventory, thresholds, {}, AS_OF)}
        found = evaluate(inventory, [packs["SX17"]], {}, calendar, AS_OF, verdicts).findings
        return {f.rule_id for f in found if f.verdict == "fail" and f.topic == "zombie"}

    assert failing(ZombieRules()) == {"SX17/zombie-detached", "SX17/zombie-little-used"}
    assert failing(ZombieRules(few_users=30, few_visits_per_year=50)) == {"SX17/zombie-detached"}
    assert len([r for r in packs["SX17"].rules if r.clauses == ("SX17-2.1b",)]) == 5


def test_the_same_problem_is_asked_of_the_same_kind_of_subject_in_every_document(regulations: Path) -> None:
    """The office's own rule stands for the higher one of the same name; that is right only for the same question."""
    subjects: dict[str, set[str]] = {}
    for pack in load_packs(regulations, ["JC22", "JN19", "SD", "SX17", "SX19"]):
        for rule in pack.rules:
            subjects.setdefault(rule.rule_id.partition("/")[2], set()).add(rule.subject)
    assert not {name for name, kinds in subjects.items() if len(kinds) > 1}


def test_the_finance_bodies_of_the_plan_are_known_and_its_authority_is_named(packs: dict[str, Regulation]) -> None:
    roles = packs["SX17"].roles
    assert "省发展改革委" in str(roles["authority"])
    assert roles["finance"] is not None
    assert roles["builder"] is None


DAYS = st.dates(date(2020, 1, 1), AS_OF)


@given(accepted=DAYS, used=st.none() | DAYS, later=st.integers(0, 2200))
def test_a_self_evaluation_is_late_24_months_after_both_acceptance_and_use(
    packs: dict[str, Regulation], calendar: WorkCalendar, accepted: date, used: date | None, later: int
) -> None:
    """The rule lets young acceptances pass without asking for the day of first use: that must never hide a late one."""
    as_of = min(accepted + timedelta(days=later), AS_OF)
    project = Project(project_id="P-1", name="示例项目", acceptance_completed_on=accepted, in_use_on=used)
    found = findings([packs["SD"]], calendar, Inventory(projects=(project,)), as_of).get(
        "SD/self-evaluation-not-in-time"
    )
    if used is None:
        assert (found is None) == (as_of - accepted <= timedelta(days=730))
        assert found is None or found.missing == ("in_use_on",)
    else:
        late = as_of > add_months(max(accepted, used), 24)
        assert (found is not None and found.verdict == "fail") == late
