"""`govcloud check`, `networks`, `projects` on the sample departments' workbooks, as an engineer types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from govcloud import resources
from govcloud.cli.main import run

SAMPLE = resources.folder("inventory") / "sample"


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """site -> a workspace into which the sample workbooks were imported (once a module)."""
    made: dict[str, Path] = {}

    def workspace(site: str) -> Path:
        if site not in made:
            path = tmp_path_factory.mktemp("check") / site
            assert run(["init", str(path), "--site", site]) == 0
            books = [str(book) for book in sorted((SAMPLE / "workbooks").glob("*.xlsx"))]
            assert run(["-w", str(path), "import", *books]) in (0, 1)
            made[site] = path
        return made[site]

    return workspace


@pytest.fixture
def say(workspaces: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def call(site: str, *words: str, lang: str = "zh", output: str = "table") -> tuple[int, str]:
        path = workspaces(site)
        capsys.readouterr()
        code = run(["-w", str(path), "--lang", lang, "--format", output, *words])
        return code, capsys.readouterr().out

    return call


@pytest.fixture
def ask(say: Callable[..., tuple[int, str]]) -> Callable[..., tuple[int, dict[str, Any]]]:
    def call(site: str, *words: str) -> tuple[int, dict[str, Any]]:
        code, out = say(site, *words, lang="en", output="json")
        return code, json.loads(out)

    return call


Ask = Callable[..., tuple[int, dict[str, Any]]]
Say = Callable[..., tuple[int, str]]


def test_the_estate_of_a_provincial_office(ask: Ask) -> None:
    code, found = ask("shanxi", "check", "estate", "--rules")
    assert code == 1
    rows = {(r["subject_id"], *r["clauses"]) for r in found["findings"]["rows"]}
    assert ("SL-OA-01", "SX19-35a") in rows
    assert ("SL-ZB-07", "SX17-2.1b") in rows
    assert not [r for r in found["findings"]["rows"] if r["subject_id"] == "SL-SM-08"], "classified systems stay"
    assert {"severity", "state", "due_on", "message", "finding_id"} <= set(found["findings"]["rows"][0])
    assert found["findings"]["details"][0]["evidence"][0].keys() == {
        "field", "value", "subject_id", "source", "locator", "observed_at", "stale",
    }  # fmt: skip
    assert found["waived"] == {"rows": [], "notes": [], "expiring": []}
    assert found["rules"]["rows"]
    assert found["summary"]["clean"] is False


def test_every_office_gets_its_own_clauses_or_is_told_there_is_none(ask: Ask) -> None:
    prefixes = {"shanxi": ("SX19", "SX17"), "jiaocheng": ("JC22",), "jincheng": ("JN19", "SX17"), "shandong": ("SD",)}
    for site, allowed in prefixes.items():
        _, found = ask(site, "check", "estate")
        for row in found["findings"]["rows"]:
            assert all(clause.startswith(allowed) for clause in row["clauses"]), (site, row)
        coverage = {row["topic"]: row["binding"] for row in found["coverage"]["rows"]}
        assert (coverage["takeover"] == []) == (site in ("jincheng", "shandong"))


def test_a_topic_without_a_clause_is_said_in_both_languages(say: Say) -> None:
    assert "本地区无此条款" in say("shandong", "check", "estate")[1]
    assert "no clause here" in say("shandong", "check", "estate", lang="en")[1]


def test_the_evidence_of_a_finding_names_the_cell(ask: Ask, say: Say) -> None:
    _, found = ask("shanxi", "check", "estate")
    row = next(r for r in found["findings"]["rows"] if r["subject_id"] == "SL-OA-01" and "SX19-35a" in r["clauses"])
    code, text = say("shanxi", "check", "show", row["finding_id"])
    assert code == 0
    assert ".xlsx" in text
    assert "项目实施单位（省直部门）" in text
    assert "下一步" in text


def test_a_selection_narrows_the_lists_and_not_the_answer(ask: Ask, say: Say) -> None:
    """A department that sees only its own findings must not read the whole as clean, nor the other way round."""
    code, whole = ask("shanxi", "check", "estate")
    assert code == 1
    for words, key in (
        (("--department", "示例信访局"), lambda d: d["department"] == "示例信访局"),
        (("--severity", "high"), lambda d: d["severity"] == "high"),
        (("--clause", "SX19-35a"), lambda d: "SX19-35a" in d["clauses"]),
    ):
        code, some = ask("shanxi", "check", "estate", *words)
        assert code == 1
        wanted = [r["finding_id"] for r in whole["findings"]["rows"] if key(r)]
        assert [r["finding_id"] for r in some["findings"]["rows"]] == wanted
        assert 0 < len(wanted) < len(whole["findings"]["rows"])
        assert some["summary"]["failed"] == whole["summary"]["failed"]
        assert some["coverage"] == whole["coverage"]
    code, text = say("shanxi", "check", "estate", "--department", "没有这个部门")
    assert code == 1
    assert "结果和退出码按全部检查" in text


def test_only_the_changes_since_the_last_run(ask: Ask, say: Say) -> None:
    ask("jincheng", "check", "estate")
    _, again = ask("jincheng", "check", "estate", "--new")
    assert {r["state"] for r in again["findings"]["rows"]} == {"new"}, "the first day of all of them is today"
    assert say("jincheng", "check", "estate", "--new", "--as-of", "2026-01-05")[0] == 2
    assert say("jincheng", "check", "estate", "--topic", "nosuch")[0] == 2


def test_a_date_that_is_none_is_a_usage_error(say: Say) -> None:
    assert say("shanxi", "check", "estate", "--as-of", "soon")[0] == 2


def test_requests_pass_and_fail_with_the_right_code(ask: Ask, say: Say) -> None:
    good, bad = sorted((SAMPLE / "requests").glob("*.yaml"))
    code, found = ask("shanxi", "check", "request", str(good))
    assert code == 0
    (request,) = found.values()
    assert request["conforms"] is True
    assert float(request["yearly_yuan"]) > 0
    code, found = ask("shanxi", "check", "request", str(good), str(bad))
    assert code == 1
    assert found["request_2"]["file"] == bad.name
    outcomes = [row["outcome"] for row in found["request_2"]["rows"]]
    assert outcomes[:3] == ["self_built", "self_built", "duplicates_common_service"]
    assert found["request_2"]["rows"][0]["clauses"] == ["SX19-12b"]
    assert "JC22-12" in say("jiaocheng", "check", "request", str(bad))[1]
    assert "本地区无服务目录条款" in say("jincheng", "check", "request", str(bad))[1]


def test_a_missing_request_is_bad_input(workspaces: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(workspaces("shanxi")), "--lang", "zh", "check", "request", "none.yaml"]) == 3
    assert "none.yaml" in capsys.readouterr().err


def test_the_rule_packs_check_themselves(say: Say) -> None:
    code, text = say("shanxi", "check", "rules", lang="en")
    assert code == 0
    assert "SX19/not-on-government-cloud" in text


def test_an_office_without_a_network_clause_is_told_so(say: Say) -> None:
    assert "本地区无此条款" in say("shandong", "networks")[1]


def test_deadlines_are_measured_by_the_offices_own_clauses(ask: Ask) -> None:
    code, found = ask("shanxi", "projects", "deadlines", "--as-of", "2026-11-20")
    assert code == 1
    rows = found["deadlines"]["rows"]
    assert {row["status"] for row in rows} >= {"overdue", "done_late", "done_in_time"}
    assert {row["clause_id"] for row in rows} == {"SX19-18", "SX19-25"}
    _, found = ask("jincheng", "projects", "deadlines", "--as-of", "2026-11-20")
    assert {row["clause_id"] for row in found["deadlines"]["rows"]} == {"JN19-15", "JN19-21a"}


def test_projects_are_listed(ask: Ask) -> None:
    code, found = ask("shanxi", "projects", "list")
    assert code == 0
    assert len(found["projects"]["rows"]) >= 6


def test_an_empty_workspace_says_what_to_do_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "w"), "--site", "shanxi"]) == 0
    for words in (["check", "estate"], ["networks"], ["projects", "list"], ["projects", "deadlines"]):
        assert run(["-w", str(tmp_path / "w"), "--lang", "zh", *words]) == 2
        assert "govcloud import" in capsys.readouterr().err
