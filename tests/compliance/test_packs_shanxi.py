"""What the cases of the Shanxi 2019 and Jiaocheng 2022 packs can't say: whom they bind, what they threaten, whom they
leave alone. An office would miss most that blank cells, classified systems or old projects turn into accusations."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud import resources
from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.calendar_source import load_calendar
from govcloud.compliance.evaluate import evaluate
from govcloud.compliance.load import load_packs
from govcloud.model.inventory import Inventory, Network, Project, System
from govcloud.model.regulation import Finding, Regulation
from govcloud.safe_yaml import load_yaml

ROOT = resources.folder("regulations")
AS_OF = date(2026, 3, 2)
IDS = ("SX19", "JC22")
SECURITY = {"risk_assessed_on", "crypto_evaluated_on", "emergency_plan_on", "drilled_on"}


@cache
def calendar() -> WorkCalendar:
    return load_calendar(ROOT / "calendars")


@cache
def pack(regulation_id: str) -> Regulation:
    return load_packs(ROOT, [regulation_id])[0]


def found(inventory: Inventory, *packs: Regulation, as_of: date = AS_OF) -> list[Finding]:
    return list(evaluate(inventory, packs, {}, calendar(), as_of).findings)


def failed(inventory: Inventory, *packs: Regulation, as_of: date = AS_OF) -> set[str]:
    return {f.rule_id for f in found(inventory, *packs, as_of=as_of) if f.verdict == "fail"}


def name(rule_id: str) -> str:
    return rule_id.partition("/")[2]


@pytest.mark.parametrize(
    ("regulation_id", "tested", "information", "not_automatable"), [("SX19", 27, 7, 15), ("JC22", 24, 8, 14)]
)
def test_how_the_clauses_are_treated(regulation_id: str, tested: int, information: int, not_automatable: int) -> None:
    treated = [clause.treatment for clause in pack(regulation_id).clauses.values()]
    assert [treated.count(kind) for kind in (None, "information", "not_automatable")] == [
        tested, information, not_automatable,
    ]  # fmt: skip


@pytest.mark.parametrize("regulation_id", IDS)
def test_a_consequence_is_only_what_the_text_attaches(regulation_id: str) -> None:
    """A clause without a sanction has none; what another article attaches is that article's."""
    own = "10c" if regulation_id == "SX19" else "10"
    stated = {c.clause_id: c.consequence for c in pack(regulation_id).clauses.values() if c.consequence is not None}
    assert set(stated) == {f"{regulation_id}-{n}" for n in ("09", own, "11d", "23", "24", "25", "28", "30", "37b")}
    for text in stated.values():
        assert "未写" not in text.zh and "none stated" not in text.en


@pytest.mark.parametrize("regulation_id", IDS)
def test_article_28_stands_behind_its_three_triggers_only(regulation_id: str) -> None:
    citing = {name(r.rule_id) for r in pack(regulation_id).rules if f"{regulation_id}-28" in r.clauses}
    assert citing == {
        "built-before-approval", "outside-the-yearly-plan",  # built against the approval
        "change-not-filed", "construction-finished-not-accepted",
    }  # fmt: skip


@pytest.mark.parametrize("regulation_id", IDS)
def test_building_before_the_approval_threatens_what_article_28_says(regulation_id: str) -> None:
    """Not what the directory clause says of systems that are not listed, though the ban stands in that clause."""
    project = Project(
        project_id="P-1", name="示例项目", contract_signed_on=date(2024, 5, 6), approved_on=date(2024, 5, 7)
    )
    finding = next(
        f
        for f in found(Inventory(projects=(project,)), pack(regulation_id))
        if name(f.rule_id) == "built-before-approval"
    )
    assert finding.consequence == pack(regulation_id).clauses[f"{regulation_id}-28"].consequence


@pytest.mark.parametrize("regulation_id", IDS)
def test_a_rule_is_grave_where_money_or_a_ban_hangs_on_it(regulation_id: str) -> None:
    clauses = pack(regulation_id).clauses
    for rule in pack(regulation_id).rules:
        stated = [clauses[c].consequence for c in rule.clauses]
        money = any(c is not None and ("经费" in c.zh or "资金" in c.zh) for c in stated)
        ban = any(word in clauses[c].obligation.zh for c in rule.clauses for word in ("不得新建", "不再单独建"))
        if rule.severity == "high":
            assert money or ban, rule.rule_id


@pytest.mark.parametrize("regulation_id", IDS)
def test_our_own_numbers_are_named_as_ours(regulation_id: str) -> None:
    """A number that is not in the text must not look like one that is."""
    written = load_yaml(ROOT / regulation_id / "rules.yaml")
    assert isinstance(written, dict)
    ours = {entry["id"] for entry in written["rules"] if "limit:" in str(entry["when"]) + str(entry["must"])}
    assert len(ours) == len(pack(regulation_id).limits)
    for rule in pack(regulation_id).rules:
        if name(rule.rule_id) in ours:
            assert rule.note is not None and "设定" in rule.note.zh and "setting" in rule.note.en, rule.rule_id


def test_a_site_sets_its_own_patience() -> None:
    late = Project(
        project_id="P-1", name="示例项目", systems=("T-1",), construction_completed_on=AS_OF - timedelta(days=100)
    )
    inventory = Inventory(systems=(System(system_id="T-1", name="示例系统"),), projects=(late,))
    strict = load_packs(ROOT, ["SX19"], {"acceptance_delay_days": 60})[0]
    assert "SX19/construction-finished-not-accepted" not in failed(inventory, pack("SX19"))
    finding = next(f for f in found(inventory, strict) if name(f.rule_id) == "construction-finished-not-accepted")
    assert "60" in finding.message.zh and "60" in finding.message.en


def test_only_the_province_waits_for_a_long_delay() -> None:
    """SX19-28 speaks of long delay, JC22-28 of delay."""
    late = Project(project_id="P-1", name="示例项目", construction_completed_on=AS_OF - timedelta(days=200))
    assert "JC22/construction-finished-not-accepted" in failed(Inventory(projects=(late,)), pack("JC22"))
    assert "SX19/construction-finished-not-accepted" not in failed(Inventory(projects=(late,)), pack("SX19"))


def test_where_the_two_documents_ask_different_things() -> None:
    """Two recipients and no county cloud in Jiaocheng; industry clouds in the province; all else has the same name."""
    rules = {regulation_id: {name(r.rule_id) for r in pack(regulation_id).rules} for regulation_id in IDS}
    assert rules["SX19"] - rules["JC22"] == {"industry-cloud-not-integrated"}
    assert rules["JC22"] - rules["SX19"] == {"county-cloud-not-integrated", "contract-not-filed-with-finance"}


def test_the_directory_is_asked_for_by_the_province_and_the_data_by_the_county() -> None:
    """SX19-23 wants the directory in the sharing platform, JC22-23 the data themselves."""
    system = System(system_id="T-1", name="示例系统", classified=False, data_catalogued=False, shares_data=True)
    done = Project(project_id="P-1", name="示例项目", systems=("T-1",), acceptance_completed_on=date(2024, 6, 3))
    inventory = Inventory(systems=(system,), projects=(done,))
    assert "SX19/accepted-without-data-directory" in failed(inventory, pack("SX19"))
    assert "JC22/accepted-without-data-directory" not in failed(inventory, pack("JC22"))


def test_a_provincial_rule_never_binds_a_county_or_a_city() -> None:
    """The six clauses that reach them ask for nothing that a rule could test."""
    system = System(system_id="T-1", name="示例系统", classified=False, lifecycle="operating", hosting="own_room")
    network = Network(network_id="N-1", name="示例专网", kind="dedicated", built_on=date(2023, 5, 1))
    inventory = Inventory(systems=(system,), networks=(network,))
    for own in ("JC22", "JN19"):
        standing = {f.standing for f in found(inventory, pack(own), pack("SX19")) if f.rule_id.startswith("SX19/")}
        assert standing <= {"reference"}
    assert {f.standing for f in found(inventory, pack("SX19"))} == {"binding"}


@pytest.mark.parametrize("regulation_id", IDS)
def test_blank_rows_accuse_nobody(regulation_id: str) -> None:
    """A survey form with nothing but names in it gives open questions, not violations."""
    inventory = Inventory(
        systems=(System(system_id="T-1", name="示例系统"),),
        networks=(Network(network_id="N-1", name="示例网络"),),
        projects=(Project(project_id="P-1", name="示例项目", systems=("T-1",)),),
    )
    assert failed(inventory, pack(regulation_id)) == set()


@pytest.mark.parametrize("regulation_id", IDS)
def test_a_contract_alone_is_asked_for_its_filings_and_nothing_else(regulation_id: str) -> None:
    """Where the clause wants a record to exist its absence counts; for all other facts it is an open question."""
    project = Project(project_id="P-1", name="示例项目", contract_signed_on=date(2024, 5, 6))
    names = {name(rule_id) for rule_id in failed(Inventory(projects=(project,)), pack(regulation_id))}
    assert names == {
        "contract-not-filed-in-time", "supervision-firm-not-filed", "contract-without-builder", "project-without-systems",
    }  # fmt: skip


@given(data=st.data(), regulation_id=st.sampled_from(IDS))
def test_a_classified_system_is_out_of_scope_whatever_else_is_known(data: st.DataObject, regulation_id: str) -> None:
    flag = st.none() | st.booleans()
    day = st.none() | st.dates(date(2010, 1, 1), date(2026, 12, 31))
    facts: dict[str, object] = {field: data.draw(day) for field in sorted(SECURITY | {"go_live_on"})}
    system = System(
        system_id="T-1", name="示例系统", classified=True,
        lifecycle=data.draw(st.sampled_from([None, "building", "trial", "operating", "idle", "stopped"])),
        hosting=data.draw(st.sampled_from([None, "own_room", "gov_cloud", "county_cloud", "industry_cloud"])),
        mlps_level=data.draw(st.sampled_from([None, 1, 2, 3, 4])),
        in_directory=data.draw(flag), shares_data=data.draw(flag), data_catalogued=data.draw(flag),
        controllable=data.draw(flag), **facts,  # type: ignore[arg-type]
    )  # fmt: skip
    other = Project(project_id="P-1", name="示例项目", systems=("T-9",))
    inventory = Inventory(systems=(system,), projects=(other,))
    assert not [f for f in found(inventory, pack(regulation_id)) if f.subject_kind == "system"]


@given(data=st.data(), regulation_id=st.sampled_from(IDS))
def test_a_project_of_before_the_measures_owes_nothing_under_them(data: st.DataObject, regulation_id: str) -> None:
    first = pack(regulation_id).effective_from
    assert first is not None
    past = st.dates(date(2012, 1, 1), first - timedelta(days=1))
    happened: dict[str, object] = {
        field: data.draw(past)
        for field in ("contract_signed_on", "approved_on", "construction_completed_on", "acceptance_completed_on")
    }
    later: dict[str, object] = {
        field: data.draw(st.none() | st.dates(date(2012, 1, 1), AS_OF))
        for field in (
            "contract_filed_on", "acceptance_filed_on", "opinion_on", "budget_reviewed_on", "government_approved_on",
            "self_evaluated_on", "progress_reported_on", "supervisor_filed_on",
        )
    }  # fmt: skip
    project = Project(
        project_id="P-1", name="示例项目", planned=data.draw(st.none() | st.booleans()),
        data_directory=data.draw(st.none() | st.booleans()), contract_filed_with=("示例局",),
        **happened, **later,  # type: ignore[arg-type]
    )  # fmt: skip
    assert not found(Inventory(projects=(project,)), pack(regulation_id))
