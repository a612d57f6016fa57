"""`govcloud check request` as an engineer types it: what the exit code means, and that every form says the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from govcloud import resources
from govcloud.cli.main import run

SAMPLES = resources.folder("inventory") / "sample" / "requests"
GOOD, BAD = SAMPLES / "示例交通厅-合规申请.yaml", SAMPLES / "示例档案局-自建机房申请.yaml"
Say = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("request") / "ws"
    assert run(["init", str(path), "--site", "shanxi"]) == 0
    return path


@pytest.fixture
def say(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def call(*words: str | Path, lang: str = "zh", output: str = "table") -> tuple[int, str]:
        capsys.readouterr()
        code = run(["-w", str(workspace), "--lang", lang, "--format", output, "check", "request", *map(str, words)])
        return code, "".join(capsys.readouterr())

    return call


def test_the_exit_code_says_conforming_not_conforming_or_faulty(say: Say, tmp_path: Path) -> None:
    """A script that gates requests reads nothing else."""
    faulty = tmp_path / "r.yaml"
    faulty.write_text(GOOD.read_text("utf-8").replace("quantity: 2", "quantity: -2"), "utf-8")
    assert say(GOOD)[0] == 0
    assert say(BAD)[0] == 1
    code, text = say(GOOD, faulty, BAD)
    assert code == 3 and f"{faulty}:8" in text and "现为 -2" in text
    assert "示例档案局的申请" in text and "2 份申请" in text, "the others were checked"
    assert say(tmp_path / "none.yaml")[0] == 3
    assert say()[0] == 2 and say("--list", GOOD)[0] == 2


@pytest.mark.parametrize("quantity", ["1000000", "1000000000000000000", "百万", "-1", "1e9"])
def test_an_absurd_amount_gives_one_clear_line(say: Say, tmp_path: Path, quantity: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(GOOD.read_text("utf-8").replace("quantity: 2,", f"quantity: {quantity},"), "utf-8")
    code, text = say(path)
    assert code in (1, 3) and "Traceback" not in text
    assert [line for line in text.splitlines() if ("超出 1—" in line or "quantity 应为" in line) and quantity in line]


def test_scripts_read_keys_and_codes(say: Say) -> None:
    code, text = say(BAD, lang="en", output="json")
    (found,) = json.loads(text).values()
    assert code == 1 and found["conclusion"] == "reject" and found["conforms"] is False
    assert found["problems"]["1"][0]["outcome"] == "self_built"
    assert found["quota"][0] == {
        "resource": "vcpu", "asked": 4, "together": 4, "limit": None, "used": None, "source": None, "over": False,
    }  # fmt: skip


def test_many_requests_are_summed_up_and_listed_later(say: Say) -> None:
    code, text = say(SAMPLES, lang="en")
    assert code == 1 and "Requests" in text and "not approved" in text
    code, text = say("--list", output="json")
    rows = json.loads(text)["requests"]["rows"]
    assert code == 0 and {row["file"] for row in rows} >= {GOOD.name, BAD.name, "示例水利厅-申请表.xlsx"}
    assert all(row["checked_at"] for row in rows)
    assert "核对时间" in say("--list")[1]


def test_more_requests_than_a_terminal_holds_are_summed_up_only(say: Say, tmp_path: Path) -> None:
    for number in range(11):
        (tmp_path / f"{number:02}.yaml").write_text(GOOD.read_text("utf-8"), "utf-8")
    text = say(tmp_path)[1]
    assert "11 份申请：同意 11" in text and "应用服务器两台" not in text
    assert "应用服务器两台" in say(tmp_path, output="json")[1]


def test_an_opinion_is_written_where_it_was_asked_for(say: Say, tmp_path: Path) -> None:
    code, text = say(BAD, "--opinion", tmp_path / "意见.txt", lang="en")
    assert code == 1 and "意见.txt" in text
    assert (tmp_path / "意见.txt").read_text("utf-8").startswith("Review opinion on the cloud resource request")
    code, text = say(BAD, "-o", tmp_path / "意见.txt")
    assert code == 2 and "已经存在" in text
