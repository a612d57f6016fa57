"""The same facts under four offices. A tool that gave everybody Shanxi's answers would send Jincheng's departments after
clauses that do not bind them and let Shandong's miss their three months.

The answers below were worked out by hand from the five texts, clause by clause; they are not the program's output.
"""

from __future__ import annotations

import importlib.util
import sys
from datetime import date
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

OFFICES = ("shanxi", "jincheng", "jiaocheng", "shandong")
Answer = str | tuple[str, str, str]
NONE: Answer = "no clause"


@cache
def compare() -> ModuleType:
    path = Path(__file__).parents[2] / "docs" / "differential.py"
    spec = importlib.util.spec_from_file_location("differential", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["differential"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def ok(clause: str) -> Answer:
    return ("pass", clause, "")


def bad(clause: str, due: str = "") -> Answer:
    return ("fail", clause, due)


def ref(clause: str, verdict: str = "fail") -> Answer:
    """Of a higher level, and not binding by its own words: shown, and no violation."""
    return ("reference " + verdict, clause, "")


# Subject and the problem asked about -> Shanxi, Jincheng, Jiaocheng, Shandong; and which words of the texts decide it.
EXPECTED: dict[tuple[str, str], tuple[Answer, Answer, Answer, Answer]] = {
    # Five working days everywhere: SX19 art. 18, JN19 art. 15, JC22 art. 18, SD art. 13. From Monday 28 September 2026, with
    # 1-7 October off and Saturday 10 October worked: 29, 30 September, 8, 9, 10 October.
    ("P-01", "contract-not-filed-in-time"): (ok("SX19-18"), ok("JN19-15"), ok("JC22-18"), ok("SD-13")),
    ("P-02", "contract-not-filed-in-time"): (
        bad("SX19-18", "2026-10-10"), bad("JN19-15", "2026-10-10"), bad("JC22-18", "2026-10-10"), bad("SD-13", "2026-10-10"),
    ),
    # Only JC22 art. 18 names a second recipient.
    ("P-01", "contract-not-filed-with-finance"): (NONE, NONE, bad("JC22-18"), NONE),
    # 30 working days after acceptance in SX19 art. 25 and JC22 art. 25, 7 in JN19 art. 21; SD art. 23 gives the filing no number.
    ("P-03", "acceptance-report-not-filed-in-time"): (ok("SX19-25"), bad("JN19-21a", "2026-09-29"), ok("JC22-25"), ok("SD-23b")),
    ("P-04", "acceptance-report-not-filed-in-time"): (
        bad("SX19-25", "2026-11-05"), bad("JN19-21a", "2026-09-29"), bad("JC22-25", "2026-11-05"), bad("SD-23b"),
    ),
    # SD art. 23 alone: apply within three months of finishing the build.
    ("P-05", "acceptance-not-applied-for-in-time"): (NONE, NONE, NONE, bad("SD-23a", "2026-06-30")),
    # Filing of the supervision firm: SX19 art. 21, JC22 art. 21. JN19 art. 14 wants supervision by the design, SD art. 12
    # encourages it; neither wants it filed.
    ("P-06", "supervision-firm-not-filed"): (bad("SX19-21"), ref("SX19-21"), bad("JC22-21"), NONE),
    # “In time” without a number in SX19 art. 20, JN19 art. 17, JC22 art. 20; beforehand in SD art. 18.
    ("P-06", "change-filed-afterwards"): (ok("SX19-20"), ok("JN19-17"), ok("JC22-20"), bad("SD-18")),
    # Outside of the plan: the government's approval in SX19 art. 11 and JC22 art. 11; JN19 art. 8 and SD art. 6 have
    # applications follow the yearly plan and know no way around it.
    ("P-06", "outside-the-yearly-plan"): (bad("SX19-11c"), bad("JN19-08"), bad("JC22-11c"), bad("SD-06")),
    # JC22 art. 14 before implementation; SX19 art. 13 before the money is fixed. JN19 art. 10 and SD art. 11 bind finance only.
    ("P-06", "budget-not-reviewed"): (bad("SX19-13"), ref("SX19-13"), bad("JC22-14"), NONE),
    # A named project lead: JN19 art. 14 alone.
    ("P-06", "no-project-lead"): (NONE, bad("JN19-14"), NONE, NONE),
    # An acceptance of its own before the joint one: JN19 art. 18 alone.
    ("P-07", "initial-acceptance-missing"): (NONE, bad("JN19-18"), NONE, NONE),
    # After the budget year, without a number, in SX19 art. 26 and JC22 art. 26; 12 to 24 months after acceptance and use in
    # SD art. 24: by 1 July 2026. JN19 has none.
    ("P-07", "self-evaluation-not-in-time"): (ok("SX19-26"), ref("SX19-26", "pass"), ok("JC22-26"), bad("SD-24", "2026-07-01")),
    # O&M money is budgeted after the bureau's review: JN19 art. 21 alone.
    ("P-07", "maintenance-money-not-reviewed"): (NONE, bad("JN19-21b"), NONE, NONE),
    # Archives: SD art. 20 alone. No top-up of overspending: SD art. 17 alone.
    ("P-07", "archives-missing"): (NONE, NONE, NONE, bad("SD-20")),
    ("P-07", "overspent"): (NONE, NONE, NONE, bad("SD-17")),
    # To the provincial cloud in SX19 art. 35, the city's in JC22 art. 35. JN19 art. 7 makes it a point of the review only.
    ("S-02", "not-on-government-cloud"): (bad("SX19-35a"), ref("SX19-35a"), bad("JC22-35a"), NONE),
    ("S-09", "not-on-government-cloud"): (
        ("undetermined", "SX19-35a", ""), ref("SX19-35a", "undetermined"), ("undetermined", "JC22-35a", ""), NONE,
    ),
    # Both clauses are about non-classified systems.
    ("S-08", "not-on-government-cloud"): (
        ("not_applicable", "SX19-35a", ""), ref("SX19-35a", "not_applicable"), ("not_applicable", "JC22-35a", ""), NONE,
    ),
    # County clouds in JC22 art. 35, industry clouds in SX19 art. 35.
    ("S-04", "county-cloud-not-integrated"): (NONE, NONE, bad("JC22-35b"), NONE),
    ("S-03", "industry-cloud-not-integrated"): (bad("SX19-35c"), ref("SX19-35c"), ref("SX19-35c"), NONE),
    # The builder maintains it: SX19 art. 35 and JC22 art. 35. SD art. 15 leaves it with the department, JN19 says nothing.
    ("S-05", "maintenance-not-taken-over"): (bad("SX19-35b"), ref("SX19-35b"), bad("JC22-35a"), NONE),
    # The system directory: SX19 art. 10, JC22 art. 10. SD art. 3 files construction and operation in full, without one.
    ("S-06", "not-in-directory"): (bad("SX19-10c"), ref("SX19-10c"), bad("JC22-10"), NONE),
    ("S-15", "system-without-project"): (bad("SX19-10a"), ref("SX19-10a"), bad("JC22-10"), bad("SD-03")),
    # Sharing: SX19 art. 11, JN19 art. 9, JC22 art. 11, SD art. 29. Isolated systems: SX17 3(5), addressed to provincial bodies.
    ("S-07", "data-sharing-not-connected"): (bad("SX19-11d"), bad("JN19-09"), bad("JC22-11d"), bad("SD-29")),
    ("S-07", "isolated-system"): (bad("SX17-3.5b"), ref("SX17-3.5b"), ref("SX17-3.5b"), NONE),
    # The directory in SX19 art. 23, JN19 art. 19, SD art. 28; in JC22 art. 23 the data themselves, on the exchange platform.
    ("S-11", "accepted-without-data-directory"): (bad("SX19-23"), bad("JN19-19"), ok("JC22-23"), bad("SD-28")),
    # Must be bought in SX19 art. 24 and JC22 art. 24; to be preferred in SD art. 32 and unsaid in JN19 art. 20, which both make
    # it a point of the acceptance, and that has not come.
    ("S-10", "controllability-not-shown"): (
        bad("SX19-24"), ("not_applicable", "JN19-20", ""), bad("JC22-24"), ("not_applicable", "SD-32", ""),
    ),
    # SX17 2(1) is for provincial departments.
    ("S-12", "zombie-little-used"): (bad("SX17-2.1b"), ref("SX17-2.1b"), ref("SX17-2.1b"), NONE),
    ("S-13", "mlps-not-filed"): (bad("SX19-37"), bad("JN19-28"), bad("JC22-37"), bad("SD-30")),
    # Drills: SX19 art. 38, JN19 art. 29, JC22 art. 38. SD has no clause on contingency.
    ("S-14", "never-drilled"): (bad("SX19-38"), bad("JN19-29"), bad("JC22-38"), NONE),
    # New dedicated networks: SX19 art. 11 since 4 September 2019, JC22 art. 11 since 11 February 2022.
    ("N-01", "dedicated-network-without-consent"): (bad("SX19-11e"), ref("SX19-11e"), bad("JC22-11e"), NONE),
    ("N-03", "dedicated-network-without-consent"): (
        bad("SX19-11e"), ref("SX19-11e"), ("not_applicable", "JC22-11e", ""), NONE,
    ),
    ("N-04", "dedicated-network-without-consent"): (ok("SX19-11e"), ref("SX19-11e", "pass"), ok("JC22-11e"), NONE),
    # Merging: SX17 2(3) names the city governments, too. Money of little-used ones: SX17 3(5), provincial bodies.
    ("N-02", "dedicated-network-not-merged"): (bad("SX17-2.3"), bad("SX17-2.3"), ref("SX17-2.3"), NONE),
    ("N-02", "dedicated-network-little-used"): (bad("SX17-3.5b"), ref("SX17-3.5b"), ref("SX17-3.5b"), NONE),
}  # fmt: skip


def given(subject: str, rule: str, office: int) -> Answer:
    module = compare()
    question = next(q for q in module.load_questions().questions if (q.subject, q.rules[0]) == (subject, rule))
    found = module.answer(question, module.offices()[office])
    if found.verdict is None:
        return NONE
    verdict = found.verdict if found.standing == "binding" else f"reference {found.verdict}"
    return (verdict, found.clauses[0], found.due_on.isoformat() if found.due_on else "")


@pytest.mark.parametrize(("subject", "rule"), EXPECTED)
def test_each_office_gets_the_answer_of_its_own_texts(subject: str, rule: str) -> None:
    answers = tuple(given(subject, rule, office) for office in range(len(OFFICES)))
    assert dict(zip(OFFICES, answers, strict=True)) == dict(zip(OFFICES, EXPECTED[subject, rule], strict=True))


def test_every_question_of_the_page_is_answered_here() -> None:
    module = compare()
    assert {(q.subject, q.rules[0]) for q in module.load_questions().questions} == set(EXPECTED)
    assert module.verify_rules_exist(module.load_questions().questions) == []
    assert tuple(office.site for office in module.offices()) == OFFICES


def test_what_is_missing_is_named() -> None:
    module = compare()
    question = next(q for q in module.load_questions().questions if q.subject == "S-09")
    assert module.answer(question, module.offices()[0]).missing == ("hosting",)


# Event -> for each office (clause, binding, to whom, last day). Domain notes §7 have the working days.
DUE: dict[str, tuple[tuple[tuple[str, bool, tuple[str, ...], str | None], ...], ...]] = {
    "contract_signed": (
        (("SX19-18", True, ("authority",), "2026-10-10"),),
        (("JN19-15", True, ("authority",), "2026-10-10"),),
        (("JC22-18", True, ("authority", "finance"), "2026-10-10"),),
        (("SD-13", True, ("authority",), "2026-10-10"),),
    ),
    "supervisor_chosen": (
        (("SX19-21", True, ("authority",), None),),
        (("SX19-21", False, ("authority",), None),),
        (("JC22-21", True, ("authority",), None),),
        (),
    ),
    "construction_completed": (
        (("SX19-22", True, (), None),),
        (("JN19-18", True, (), None),),
        (("JC22-22", True, (), None),),
        (("SD-23a", True, ("approver",), "2027-02-28"), ("SD-22", True, (), None)),
    ),
    "acceptance_completed": (
        (("SX19-25", True, ("authority",), "2026-11-05"),),
        (("JN19-21a", True, ("authority",), "2026-09-29"),),
        (("JC22-25", True, ("authority",), "2026-11-05"),),
        (("SD-23b", True, ("authority",), None),),
    ),
    "accepted_and_in_use": ((), (), (), (("SD-24", True, ("authority",), "2026-07-01"),)),
    "budget_year_ended": (
        (("SX19-26", True, ("authority",), None),),
        (("SX19-26", False, ("authority",), None),),
        (("JC22-26", True, ("authority",), None),),
        (),
    ),
}


@pytest.mark.parametrize("event", DUE)
def test_the_same_event_starts_different_clocks(event: str) -> None:
    module = compare()
    asked = next(e for e in module.load_questions().events if e.event == event)
    found = tuple(
        tuple(
            (d.clause_id, d.standing == "binding", d.to, d.due_on.isoformat() if d.due_on else None)
            for d in module.duties(asked, office)
        )
        for office in module.offices()
    )
    assert found == DUE[event]


def test_shandong_evaluates_between_twelve_and_twenty_four_months() -> None:
    module = compare()
    asked = next(e for e in module.load_questions().events if e.event == "accepted_and_in_use")
    (due,) = module.duties(asked, module.offices()[3])
    assert (due.earliest_on, due.due_on) == (date(2025, 7, 1), date(2026, 7, 1))


# Service class -> for each office the clauses behind the refusal: SX19 art. 12, 35 and 11, JC22 art. 12, 35 and 11. The texts of
# Jincheng and Shandong have no catalog clause (domain notes §0.4).
REQUESTS: dict[str, tuple[set[str], set[str], set[str], set[str]]] = {
    "virtual_machine": (set(), set(), set(), set()),
    "own_cloud": ({"SX19-12b", "SX19-35a", "SX19-35c"}, set(), {"JC22-12", "JC22-35b"}, set()),
    "dedicated_line": ({"SX19-11e"}, set(), {"JC22-11e"}, set()),
    "sms": ({"SX19-12b"}, set(), {"JC22-12"}, set()),
}


@pytest.mark.parametrize("service_class", REQUESTS)
def test_requests_meet_the_catalog_and_the_clauses_of_the_office(service_class: str) -> None:
    module = compare()
    asked = next(r for r in module.load_questions().requests if r.line.service_class == service_class)
    found = [module.offered(asked, office) for office in module.offices()]
    assert tuple(set(f.clauses) for f in found) == REQUESTS[service_class]
    assert [f.outcome == "in_catalog" for f in found] == [service_class == "virtual_machine"] * 4
    assert [f.catalog for f in found] == [
        "sample-provincial", "sample-municipal", "sample-municipal", "sample-provincial",
    ], "JC22-12 sends the county to the city's catalog"  # fmt: skip


def test_the_table_shows_offices_that_differ() -> None:
    """Most questions are there because the documents disagree; a table of equal answers would prove nothing."""
    differing = sum(len({(a if isinstance(a, str) else a[0]) for a in answers}) > 1 for answers in EXPECTED.values())
    assert differing >= 30
