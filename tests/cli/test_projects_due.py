"""`govcloud projects due`: scripts rely on its keys, and it needs no workspace when the jurisdiction is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from govcloud.cli.main import run


def due(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run(["--lang", "en", "--format", "json", "projects", "due", *words]) == 0
    return json.loads(capsys.readouterr().out)["duties"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("jurisdiction", "event", "on", "expected"),
    [
        ("SX19", "contract_signed", "2026-09-28", ("SX19-18", "owner", ["authority"], "2026-10-10", False)),
        ("JC22", "contract_signed", "2026-02-10", ("JC22-18", "owner", ["authority", "finance"], "2026-02-24", False)),
        ("jincheng", "acceptance_completed", "2026-09-18", ("JN19-21a", "owner", ["authority"], "2026-09-29", False)),
        ("shanxi", "acceptance_completed", "2026-11-20", ("SX19-25", "owner", ["authority"], "2027-01-04", True)),
        ("SD", "acceptance_completed", "2026-09-18", ("SD-23b", "acceptance_organiser", ["authority"], None, False)),
    ],
)
def test_one_row_a_clause(
    capsys: pytest.CaptureFixture[str], jurisdiction: str, event: str, on: str, expected: tuple[object, ...]
) -> None:
    rows = due(capsys, event, "--on", on, "--jurisdiction", jurisdiction)["rows"]
    assert len(rows) == 1
    keys = ("clause_id", "actor", "recipients", "due_on", "provisional")
    assert tuple(rows[0][key] for key in keys) == expected
    assert rows[0]["action"]


@pytest.mark.parametrize(
    ("jurisdiction", "event", "on", "due_on", "provisional"),
    [
        ("SX19", "contract_signed", "2026-02-10", "2026-02-24", False),
        ("SX19", "contract_signed", "2026-02-13", "2026-02-27", False),
        ("SX19", "contract_signed", "2026-09-28", "2026-10-10", False),
        ("SX19", "contract_signed", "2026-04-29", "2026-05-09", False),
        ("SX19", "contract_signed", "2025-12-30", "2026-01-07", False),
        ("SX19", "contract_signed", "2025-09-26", "2025-10-10", False),
        ("JN19", "acceptance_completed", "2026-09-18", "2026-09-29", False),
        ("SX19", "acceptance_completed", "2026-09-18", "2026-11-05", False),
        ("JC22", "acceptance_completed", "2026-01-05", "2026-02-14", False),
        ("SX19", "acceptance_completed", "2026-11-20", "2027-01-04", True),
        ("SX19", "contract_signed", "2026-12-28", "2027-01-05", True),
    ],
)
def test_the_golden_vectors(
    capsys: pytest.CaptureFixture[str], jurisdiction: str, event: str, on: str, due_on: str, provisional: bool
) -> None:
    """Counting Monday to Friday misses eight of them: holidays, and Saturdays that were made working days."""
    rows = due(capsys, event, "--on", on, "--jurisdiction", jurisdiction)["rows"]
    assert [(row["due_on"], row["provisional"]) for row in rows if row["due_on"]] == [(due_on, provisional)]


def test_shandong_owners_apply_within_three_months_of_the_build(capsys: pytest.CaptureFixture[str]) -> None:
    rows = due(capsys, "construction_completed", "--on", "2026-11-30", "--jurisdiction", "SD")["rows"]
    first = rows[0]
    assert (first["clause_id"], first["recipients"], first["due_on"]) == ("SD-23a", ["approver"], "2027-02-28")
    assert [row["due_on"] for row in rows[1:]] == [None] * (len(rows) - 1), "clauses without a number come last"


def test_no_clause_is_said_and_the_higher_one_is_for_reference(capsys: pytest.CaptureFixture[str]) -> None:
    found = due(capsys, "supervisor_chosen", "--on", "2026-03-02", "--jurisdiction", "jincheng")
    assert found["rows"] == []
    assert found["for_reference"] == ["SX19-21"]
    assert any("no clause here" in note for note in found["notes"])


def test_people_read_the_local_terms(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["--lang", "zh", "projects", "due", "contract_signed", "--on", "2026-03-02", "--jurisdiction", "SD"]) == 0
    )
    text = capsys.readouterr().out
    assert "项目建设单位" in text
    assert "省政务服务管理办公室" in text


@pytest.mark.parametrize(
    "words",
    [
        ("nosuch", "--on", "2026-03-02", "--jurisdiction", "SD"),
        ("contract_signed", "--jurisdiction", "SD"),
        ("contract_signed", "--on", "02.03.2026", "--jurisdiction", "SD"),
        ("contract_signed", "--on", "2026-03-02", "--jurisdiction", "XX99"),
    ],
)
def test_what_can_not_be_meant_is_a_usage_error(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert run(["--lang", "zh", "projects", "due", *words]) == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize(("lang", "words"), [("zh", "1950 至 2100 年"), ("en", "1950 to 2100")])
def test_a_year_that_no_record_can_have_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], lang: str, words: str
) -> None:
    """Counting from 9999-12-30 would leave the calendar."""
    argv = ["--lang", lang, "projects", "due", "contract_signed", "--on", "9999-12-30", "--jurisdiction", "SX19"]
    assert run(argv) == 2
    assert words in capsys.readouterr().err
