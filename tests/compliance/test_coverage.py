"""Clause by clause: without this table nobody could tell an auditor what the checks do not look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from govcloud.compliance.coverage import build_document_coverage
from govcloud.compliance.load import load_packs, pack_ids
from govcloud.model.regulation import Regulation


@pytest.fixture(scope="module")
def packs(regulations: Path) -> dict[str, Regulation]:
    return {p.regulation_id: p for p in load_packs(regulations, pack_ids(regulations))}


def test_all_198_clauses_are_there_and_each_is_treated_in_one_way(packs: dict[str, Regulation]) -> None:
    found = [build_document_coverage(pack) for pack in packs.values()]
    assert sum(len(d.clauses) for d in found) == 198
    for document in found:
        assert sum(document.count(kind) for kind in ("rule", "request", "information", "not_automatable")) == len(
            document.clauses
        )
        for clause in document.clauses:
            tested = clause.handling in ("rule", "request")
            assert bool(clause.rules or clause.requests) is tested
            assert (clause.clause.treatment_reason is None) is tested
            assert clause.standing is None


def test_a_clause_names_its_rules_and_the_answers_that_cite_it(packs: dict[str, Regulation]) -> None:
    pack = packs["JC22"]
    found = {c.clause.clause_id: c for c in build_document_coverage(pack, "county").clauses}
    assert found["JC22-18"].rules == tuple(r.rule_id for r in pack.rules if "JC22-18" in r.clauses)
    assert len(found["JC22-18"].rules) >= 2, "two recipients: in time, and with the finance bureau"
    assert found["JC22-11e"].requests == ("own_network",)
    assert found["JC22-11e"].handling == "rule", "a rule tests it; that a request asks for it, too, comes second"
    assert found["JC22-12"].requests == ("use_catalog", "no_duplicates")


def test_standing_is_that_of_the_office_that_asks(packs: dict[str, Regulation]) -> None:
    for_county = {c.clause.clause_id: c.standing for c in build_document_coverage(packs["SX19"], "county").clauses}
    assert {for_county[k] for k in ("SX19-07", "SX19-32", "SX19-34", "SX19-39")} == {"binding"}
    assert {for_county[k] for k in ("SX19-18", "SX19-25", "SX19-35a", "SX19-11e")} == {"reference"}
    for_city = {c.clause.clause_id: c.standing for c in build_document_coverage(packs["SX17"], "city").clauses}
    assert for_city["SX17-2.3"] == "binding"
