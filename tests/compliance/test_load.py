"""The rule packs as they are shipped, and packs that somebody edited wrongly."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.cases import run_cases
from govcloud.compliance.load import load_packs, load_topics, pack_ids
from govcloud.errors import InputError, UsageError
from govcloud.model.regulation import Regulation

IDS = ("JC22", "JN19", "SD", "SX17", "SX19")


@pytest.fixture(scope="module")
def packs(regulations: Path) -> dict[str, Regulation]:
    return {pack.regulation_id: pack for pack in load_packs(regulations, IDS)}


def test_every_article_of_the_digest_is_there(regulations: Path, packs: dict[str, Regulation]) -> None:
    assert tuple(pack_ids(regulations)) == IDS
    assert {k: len(p.clauses) for k, p in packs.items()} == {"SX19": 49, "JC22": 46, "JN19": 31, "SD": 43, "SX17": 29}
    for pack in packs.values():
        for clause in pack.clauses.values():
            assert clause.clause_id.startswith(pack.regulation_id + "-")
            assert clause.obligation.zh and clause.obligation.en


def test_what_the_texts_do_not_give_stays_unknown(packs: dict[str, Regulation]) -> None:
    assert packs["SD"].number is packs["SX17"].number is None
    assert packs["SD"].issuer is packs["SD"].effective_from is packs["SX17"].effective_from is None
    assert packs["SX19"].number == "晋政办发〔2019〕72号"


def test_the_same_term_means_different_parties(packs: dict[str, Regulation]) -> None:
    assert (packs["SX19"].roles["builder"], packs["SD"].roles["builder"]) == ("项目建设单位", None)
    assert str(packs["SD"].roles["owner"]).startswith("项目建设单位")


@pytest.mark.parametrize(
    ("clause_id", "event", "n", "unit", "to"),
    [
        ("SX19-18", "contract_signed", 5, "workday", ("authority",)),
        ("JC22-18", "contract_signed", 5, "workday", ("authority", "finance")),
        ("JN19-21a", "acceptance_completed", 7, "workday", ("authority",)),
        ("SX19-25", "acceptance_completed", 30, "workday", ("authority",)),
        ("SD-23a", "construction_completed", 3, "month", ("approver",)),
        ("SD-24", "accepted_and_in_use", 24, "month", ("authority",)),
        ("SD-23b", "acceptance_completed", None, None, ("authority",)),
    ],
)
def test_the_deadlines_are_those_of_the_clauses(
    packs: dict[str, Regulation], clause_id: str, event: str, n: int | None, unit: str | None, to: tuple[str, ...]
) -> None:
    clause = packs[clause_id.split("-", maxsplit=1)[0]].clauses[clause_id]
    assert clause.deadline is not None
    assert (clause.deadline.event, clause.deadline.n, clause.deadline.unit, clause.to) == (event, n, unit, to)


def test_what_of_the_province_reaches_counties_by_its_own_words(packs: dict[str, Regulation]) -> None:
    """Art. 2 keeps the measures to provincial departments; these six name cities and counties, or every level."""
    reaching = {c.clause_id for c in packs["SX19"].clauses.values() if "county" in c.reaches}
    assert reaching == {"SX19-06", "SX19-07", "SX19-15", "SX19-32", "SX19-34", "SX19-39"}
    assert "city" in packs["SX17"].clauses["SX17-2.3"].reaches


@pytest.mark.parametrize("pack_id", IDS)
def test_every_rule_does_what_its_cases_say(
    regulations: Path, packs: dict[str, Regulation], calendar: WorkCalendar, pack_id: str
) -> None:
    results = run_cases(regulations, packs[pack_id], calendar)
    assert not [r for r in results if not r.agrees]
    assert {r.rule_id for r in results} == {rule.rule_id for rule in packs[pack_id].rules}


def test_a_pack_is_out_of_force_before_its_first_day(packs: dict[str, Regulation]) -> None:
    assert not packs["JC22"].in_force(date(2022, 2, 10))
    assert packs["JC22"].in_force(date(2022, 2, 11))
    assert packs["SD"].in_force(date(2020, 1, 1)), "its first day is not in the text; that it is in force is"


def test_every_topic_is_named_in_both_languages(regulations: Path) -> None:
    assert all(text.zh and text.en for text in load_topics(regulations).values())


def test_an_unknown_pack_is_a_usage_error(regulations: Path) -> None:
    with pytest.raises(UsageError, match="SX19"):
        load_packs(regulations, ["XX99"])


@pytest.fixture
def edited(regulations: Path, tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of the packs in which one text was replaced."""

    def edit(file: str, old: str, new: str) -> Path:
        root = tmp_path / "regulations"
        shutil.copytree(regulations, root)
        path = root / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        return root

    return edit


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("SX19/rules.yaml", "clauses: [SX19-35a]", "clauses: [SX19-99]", "not-on-government-cloud"),
        ("SX19/rules.yaml", "clauses: [SX19-35a]", "clauses: []", "not-on-government-cloud"),
        ("SX19/rules.yaml", "id: not-in-directory", "id: mlps-not-filed", "mlps-not-filed"),
        ("SX19/rules.yaml", "topic: inventory", "topic: nosuch", "not-in-directory"),
        ("SX19/rules.yaml", "responsible: owner", "responsible: boss", "not-in-directory"),
        ("SX19/rules.yaml", "must: {in_directory: true}", "must: {in_directry: true}", "in_directry"),
        ("SX19/rules.yaml", "must: {in_directory: true}", "must: {in_time: SX19-18}", "not-in-directory"),
        ("SX19/rules.yaml", "severity: high", "severity: awful", "rules.yaml"),
        ("SX19/rules.yaml", "use_catalog: [SX19-12b]", "use_catalog: [SX19-12z]", "SX19-12z"),
        ("SX19/pack.yaml", "id: SX19-02", "id: SX19-01", "SX19-01"),
        ("SX19/pack.yaml", "id: SX19\n", "id: SX20\n", "SX20"),
        ("SX19/pack.yaml", "event: contract_signed", "event: contract_singed", "contract_singed"),
        ("SX19/pack.yaml", "level: province", "level: galaxy", "level"),
        ("SX19/pack.yaml", "clauses:", "clauses: [", "pack.yaml:"),
    ],
)
def test_a_faulty_pack_is_refused_with_file_and_entry(
    edited: Callable[[str, str, str], Path], file: str, old: str, new: str, named: str
) -> None:
    with pytest.raises(InputError) as refused:
        load_packs(edited(file, old, new), ["SX19"])
    for message in (refused.value.message("zh"), refused.value.message("en")):
        assert file.split("/")[1] in message
        assert named in message


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("rule: not-in-directory", "rule: nosuch", "nosuch"),
        ("expect: pass", "expect: undetermined", "pass"),
        ("system: {", "server_id: {", "not-in-directory.yaml"),
        ("expect: fail", "expect: maybe", "not-in-directory.yaml"),
    ],
)
def test_faulty_cases_are_refused(
    edited: Callable[[str, str, str], Path], calendar: WorkCalendar, old: str, new: str, named: str
) -> None:
    root = edited("SX19/cases/not-in-directory.yaml", old, new)
    with pytest.raises(InputError, match=named):
        run_cases(root, load_packs(root, ["SX19"])[0], calendar)


def test_a_rule_without_cases_is_refused(edited: Callable[[str, str, str], Path], calendar: WorkCalendar) -> None:
    root = edited("SX19/cases/not-in-directory.yaml", "rule:", "rule:")
    (root / "SX19/cases/mlps-not-filed.yaml").unlink()
    with pytest.raises(InputError, match="mlps-not-filed"):
        run_cases(root, load_packs(root, ["SX19"])[0], calendar)


def test_a_case_that_expects_the_wrong_thing_disagrees(
    edited: Callable[[str, str, str], Path], calendar: WorkCalendar
) -> None:
    root = edited("SX19/cases/not-in-directory.yaml", "in_directory: true", "in_directory: false")
    results = run_cases(root, load_packs(root, ["SX19"])[0], calendar)
    assert [(r.rule_id, r.expected, r.actual) for r in results if not r.agrees] == [
        ("SX19/not-in-directory", "pass", "fail")
    ]
