"""`govcloud audit coverage`: the table that an auditor asks for, with and without a workspace."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from govcloud import resources
from govcloud.cli.main import run


def coverage(capsys: pytest.CaptureFixture[str], *words: str, where: Path | None = None) -> dict[str, Any]:
    place = ["-w", str(where)] if where else []
    assert run([*place, "--lang", "en", "--format", "json", "audit", "coverage", *words]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")


def test_all_documents_where_there_is_no_workspace(capsys: pytest.CaptureFixture[str]) -> None:
    found = coverage(capsys)
    assert [d["regulation_id"] for d in found["documents"]["rows"]] == ["JC22", "JN19", "SD", "SX17", "SX19"]
    totals = found["documents"]["totals"]
    assert totals["clauses"] == 198 == sum(v for k, v in totals.items() if k != "clauses")
    assert len(found["clauses"]["rows"]) == 198
    assert found["documents"]["jurisdiction"] is None
    assert all("reaches" in row and "standing" not in row for row in found["clauses"]["rows"])


def test_a_site_reads_its_own_document_first(capsys: pytest.CaptureFixture[str]) -> None:
    found = coverage(capsys, "--jurisdiction", "jiaocheng")
    assert [d["regulation_id"] for d in found["documents"]["rows"]] == ["JC22", "SX19", "SX17"]
    rows = {row["clause_id"]: row for row in found["clauses"]["rows"]}
    assert (rows["JC22-18"]["standing"], rows["SX19-18"]["standing"]) == ("binding", "reference")
    assert rows["JC22-18"]["who"] == ["owner"]
    assert "within 5 working days" in rows["JC22-18"]["deadline"]
    assert "JC22/contract-not-filed-in-time" in rows["JC22-18"]["tested_by"]


def test_only_what_a_person_has_to_look_after(capsys: pytest.CaptureFixture[str]) -> None:
    rows = coverage(capsys, "--document", "sd", "--open")["clauses"]["rows"]
    assert rows
    assert all(row["handling"] == "not_automatable" and row["reason"] for row in rows)
    assert all(row["clause_id"].startswith("SD-") for row in rows)


def test_a_workspace_shows_its_own_packs_and_says_which_it_does_not_use(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = tmp_path / "ws"
    assert run(["init", str(place), "--site", "jincheng"]) == 0
    own = place / "regulations" / "XX26"
    shutil.copytree(resources.folder("regulations") / "JN19", own)
    for file in (own / "pack.yaml", own / "rules.yaml"):
        file.write_text(file.read_text("utf-8").replace("JN19", "XX26"), "utf-8")
    capsys.readouterr()
    found = coverage(capsys, where=place)
    assert [d["regulation_id"] for d in found["documents"]["rows"]] == ["JN19", "SX19", "SX17", "XX26"]
    assert any("XX26" in note and "not used" in note for note in found["documents"]["notes"])
    assert coverage(capsys, "--jurisdiction", "XX26", where=place)["documents"]["jurisdiction"] == "XX26"


def test_a_spreadsheet_gets_rules_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--lang", "zh", "--format", "csv", "audit", "coverage", "--document", "SX19"]) == 0
    first = capsys.readouterr().out.split("\n\n")[0]
    rows = list(csv.DictReader(io.StringIO(first)))
    assert len(rows) == 49
    assert all(row["tested_by"] or row["reason"] for row in rows)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ("逐条处理情况", "项目实施单位", "49 条 = ")),
        ("en", ("Clause by clause", "owner department", "49 clauses = ")),
    ],
)
def test_people_read_local_terms(capsys: pytest.CaptureFixture[str], lang: str, words: tuple[str, ...]) -> None:
    assert run(["--lang", lang, "audit", "coverage", "--jurisdiction", "SX19"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in words)


@pytest.mark.parametrize(
    "words", [("--jurisdiction", "XX99"), ("--document", "XX99"), ("--jurisdiction", "shandong", "--document", "SX19")]
)
def test_a_name_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert run(["--lang", "zh", "audit", "coverage", *words]) == 2
    assert "可选" in capsys.readouterr().err


def test_a_workspace_that_was_named_has_to_be_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "no").mkdir()
    assert run(["-w", str(tmp_path / "no"), "audit", "coverage"]) == 2
