"""`govcloud inventory …` as an engineer types it, in both languages, for people and for scripts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from govcloud import resources
from govcloud.cli.main import run

BOOKS = resources.folder("inventory") / "sample" / "workbooks"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inventory") / "ws"
    assert run(["init", str(path), "--site", "shanxi"]) == 0
    assert run(["-w", str(path), "import", *map(str, sorted(BOOKS.glob("*.xlsx")))]) in (0, 1)
    return path


@pytest.fixture
def say(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def call(*words: str, code: int = 0, lang: str = "zh", output: str = "table") -> str:
        capsys.readouterr()
        found = run(["-w", str(workspace), "--lang", lang, "--format", output, "inventory", *words])
        out, err = capsys.readouterr()
        assert found == code, out + err
        return out + err

    return call


@pytest.fixture
def ask(say: Ask) -> Ask:
    return lambda *words, **more: json.loads(say(*words, lang="zh", output="json", **more))


@pytest.mark.parametrize(
    "words",
    [
        ["systems"], ["servers"], ["networks"], ["dependencies"], ["connections"], ["tenants"], ["conflicts"], ["undeclared"],
        ["confirmations"], ["snapshots"], ["confidence"], ["show", "SL-OA-01", "--why", "--history"], ["diff", "#0"],
    ],
)  # fmt: skip
def test_every_question_is_answered_in_both_languages_and_in_all_formats(say: Ask, words: list[str]) -> None:
    zh, en = say(*words), say(*words, lang="en")
    assert "##" in zh and "##" in en and zh != en
    assert json.loads(say(*words, output="json"))
    assert list(csv.reader(io.StringIO(say(*words, output="csv"))))


def test_codes_for_scripts_are_the_same_in_every_language(say: Ask) -> None:
    rows = {
        lang: json.loads(say("show", "SL-OA-01", lang=lang, output="json"))["subject"]["rows"] for lang in ("zh", "en")
    }
    assert rows["zh"] == rows["en"]
    hosting = next(r for r in rows["zh"] if r["field"] == "hosting")
    assert (hosting["value"], hosting["source"], hosting["state"]) == ("own_room", "workbook", [])


def test_a_screen_gets_a_part_and_is_told_of_the_rest_a_script_gets_all(say: Ask, ask: Ask) -> None:
    assert "还有 15 行没有列出；--limit 0 列出全部" in say("systems", "--limit", "3")
    assert len(ask("systems")["systems"]["rows"]) == 18
    limited = ask("systems", "--limit", "3")["systems"]
    assert (len(limited["rows"]), limited["total"]) == (3, 18)
    assert "没有列出" not in say("systems", "--limit", "0")
    assert {r["department"] for r in ask("systems", "--department", "民政")["systems"]["rows"]} == {"示例民政厅"}
    assert [r["system_id"] for r in ask("systems", "--find", "公文")["systems"]["rows"]] == ["SL-OA-01", "SL-SM-08"]


def test_confirming_is_shown_marked_compared_and_taken_back(say: Ask, ask: Ask) -> None:
    say("snapshot", "确认前")
    say("confirm", "SL-OA-01", "等保级别", "三级", "--reason", "核对备案证明", "--document", "示例备字1号")
    shown = ask("show", "SL-OA-01", "--why")
    level = next(r for r in shown["subject"]["rows"] if r["field"] == "mlps_level")
    assert (level["value"], level["state"], level["source"]) == (3, ["confirmed"], "person")
    said = [(r["verdict"], r["value"]) for r in shown["witnesses"]["rows"] if r["field"] == "mlps_level"]
    assert said == [("believed", 3), ("against", 2)]
    (change,) = ask("diff", "确认前")["diff"]["rows"]
    assert (change["field"], change["was"], change["now"]) == ("mlps_level", 2, 3)
    assert "示例备字1号" in say("confirmations")
    say("confirm", "SL-OA-01", "mlps_level", "--withdraw", "--reason", "记错")
    assert ask("diff", "确认前")["diff"]["rows"] == []


@pytest.mark.parametrize(
    "words",
    [
        ["confirm", "SL-OA-01", "mlps_level", "3"], ["confirm", "SL-OA-01", "--reason", "x"], ["confirm"],
        ["confirm", "SL-OA-01", "mlps_level", "九级", "--reason", "x"], ["confirm", "SL-OA-01", "same-as", "--reason", "x"],
        ["confirm", "SL-OA-01", "same-as", "oa-01", "--reason", "x"], ["show", "没有的"], ["connections", "没有的"],
        ["diff", "没有的"], ["snapshot", "2026-01-01"], ["systems", "--limit", "-1"], ["connections", "--traffic", "x"],
    ],
)  # fmt: skip
def test_what_can_not_be_meant_is_refused_in_the_readers_language(say: Ask, words: list[str]) -> None:
    for lang in ("zh", "en"):
        told = say(*words, code=2, lang=lang)
        assert told.strip() and "Traceback" not in told
    assert say("confirm", "--file", "/没有/的.csv", code=3)


def test_a_wrong_table_of_precedence_is_named_when_somebody_asks_why(
    workspace: Path, tmp_path: Path, say: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = workspace / "govcloud.yaml"
    before = settings.read_text("utf-8")
    settings.write_text(before + "\nprecedence:\n  memory_gbi: [ssh]\n", "utf-8")
    try:
        told = say("show", "SL-OA-01", code=3, lang="en")
        assert "memory_gbi" in told and "govcloud.yaml" in told
    finally:
        settings.write_text(before, "utf-8")


def test_confidence_names_the_worst_first_and_what_to_ask_next(ask: Ask) -> None:
    found = ask("confidence")["confidence"]
    scores = [r["score"] for r in found["rows"]]
    assert scores == sorted(scores) and all(0 <= s <= 100 for s in scores)
    assert "服务器" in found["rows"][0]["next"]
    assert sum(p["weight"] for p in found["parts"][found["rows"][0]["system_id"]]) == 100
