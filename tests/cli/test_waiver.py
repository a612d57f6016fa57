"""`govcloud waiver` on the sample workbooks, as an engineer types it and an auditor reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from govcloud import resources
from govcloud.cli.main import run

WORKBOOKS = resources.folder("inventory") / "sample" / "workbooks"
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
YESTERDAY, SOON = TODAY - timedelta(days=1), TODAY + timedelta(days=20)
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("waiver") / "w"
    assert run(["init", str(path), "--site", "shanxi"]) == 0
    assert run(["-w", str(path), "import", *map(str, sorted(WORKBOOKS.glob("*.xlsx")))]) in (0, 1)
    return path


@pytest.fixture
def say(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def call(*words: str, lang: str = "zh", output: str = "table") -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["-w", str(workspace), "--lang", lang, "--format", output, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def read(say: Say, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(say(*words, output="json")[1])
    return found


def add(finding_id: str, **changed: str) -> list[str]:
    options = {
        "reason": "示例：等待专用设备到货", "role": "authority", "approver": "示例处长", "document": "示例发〔2026〕3号",
        "approved-on": str(YESTERDAY), "until": str(SOON), **changed,
    }  # fmt: skip
    return ["waiver", "add", finding_id, *(word for name, value in options.items() for word in (f"--{name}", value))]


def test_from_the_grant_to_the_withdrawal(say: Say) -> None:
    before = read(say, "check", "estate", "--clause", "SX19-35a")
    first = before["findings"]["rows"][0]["finding_id"]

    code, text, _ = say(*add(first))
    assert code == 0
    assert "示例发〔2026〕3号" in text
    assert "省政务信息管理局" in text, "the party as the document calls it"

    after = read(say, "check", "estate")
    assert first not in {row["finding_id"] for row in after["findings"]["rows"]}
    (row,) = after["waived"]["rows"]
    assert (row["finding_id"], row["granted_by"], row["valid_until"], row["days_left"]) == (
        first,
        "authority",
        str(SOON),
        20,
    )
    assert after["waived"]["expiring"] == [row["waiver_id"]], "less than 30 days are left"
    assert (after["summary"]["waived"], after["summary"]["failed"]) == (1, before["summary"]["failed"] - 1)

    code, text, _ = say("check", "estate")
    assert "## 已豁免" in text
    assert "30 天内到期 1 项" in text
    code, text, _ = say("check", "show", first)
    assert row["waiver_id"] in text
    assert "示例处长" in text

    over = read(say, "check", "estate", "--as-of", str(SOON + timedelta(days=1)))
    (back,) = [r for r in over["findings"]["rows"] if r["finding_id"] == first]
    assert str(SOON) in back["waiver"]
    assert over["waived"]["rows"] == []

    code, text, _ = say("waiver", "withdraw", row["waiver_id"], "--reason", "示例：设备已到货")
    assert code == 0
    assert "已撤销" in text
    assert read(say, "waiver", "list")["waivers"]["rows"] == []
    (listed,) = read(say, "waiver", "list", "--all")["waivers"]["rows"]
    assert (listed["state"], listed["finding_state"]) == ("withdrawn", "open")
    _, text, _ = say("check", "estate", "--clause", "SX19-35a", lang="en")
    assert f"waiver {row['waiver_id']} was withdrawn on" in text


def test_a_refusal_is_one_line_and_a_usage_error(say: Say) -> None:
    found = read(say, "check", "estate")
    failing = found["findings"]["rows"][0]["finding_id"]
    open_ = next(d["finding_id"] for d in found["undetermined"]["details"] if d["standing"] == "binding")
    for words, why in (
        (add("F-0000000000"), "没有这个问题编号"),
        (add(failing, role="owner"), "不能豁免自己"),
        (add(failing, until=str(YESTERDAY)), "已过"),
        (add(failing, document=" "), "没有写批准文件"),
        (add(open_), "先补齐所缺字段"),
        (add(failing, until="soon"), "--until"),
        (["waiver", "add", failing, "--reason", "示例"], "--role"),
    ):
        code, out, err = say(*words)
        assert (code, out) == (2, ""), words
        assert why in err
        assert "Traceback" not in err
    assert read(say, "waiver", "list")["waivers"]["rows"] == []
