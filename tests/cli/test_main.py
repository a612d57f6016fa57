"""The edge: exit codes that scripts rely on, both languages, plain words in place of tracebacks."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from wcwidth import wcswidth

from govcloud.cli.main import cli, run
from govcloud.events import Event
from govcloud.model.text import Text
from govcloud.workflow.init import init_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return init_workspace(tmp_path / "w", "shanxi", actor="张示例").path


def start(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "govcloud", *argv],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(("lang", "words"), [("zh", "建立一个站点的工作区"), ("en", "Make a workspace for a site")])
def test_help_lists_every_command_in_the_chosen_language(
    lang: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--lang", lang, "--help"]) == 0
    out = capsys.readouterr().out
    assert words in out
    for name in cli.list_commands(None):  # type: ignore[arg-type]
        assert f"\n  {name}" in out


def test_the_list_of_commands_waits_for_none_of_them() -> None:
    program = (
        "import sys; from govcloud.cli.main import run; run(['--help']);"
        "print(*[m for m in sys.modules if m.startswith(('govcloud.cli.', 'ortools', 'altair', 'dbos', 'ansible'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = {name.removeprefix("govcloud.cli.") for name in done.stdout.splitlines()[-1].split()}
    assert not {name for name in loaded if not name.startswith("_")} - {"main", "base", "progress"}


def test_every_command_explains_itself_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    for name in cli.list_commands(None):  # type: ignore[arg-type]
        texts = []
        for lang in ("zh", "en"):
            assert run(["--lang", lang, name, "--help"]) == 0, name
            texts.append(capsys.readouterr().out)
        assert texts[0] != texts[1], name
        assert texts[0].count("--help") == 1, name


def test_help_is_no_wider_than_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Chinese characters are two columns wide. Examples stay on one line, to be copied."""
    monkeypatch.setenv("COLUMNS", "80")
    for lang in ("zh", "en"):
        for words in (["run", "decide"], ["discover", "ssh"], ["report"], ["projects", "due"], ["takeover"]):
            assert run(["--lang", lang, *words, "--help"]) == 0
            lines = capsys.readouterr().out.splitlines()
            assert [x for x in lines if wcswidth(x) > 80 and not x.startswith("  govcloud ")] == []


def test_help_names_the_values_of_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--lang", "zh", "run", "decide", "--help"]) == 0
    out = capsys.readouterr().out
    assert "verify_data" in out and "rerun" in out and "选项：" in out


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"GOVCLOUD_LANG": "zh", "LC_ALL": "C"}, "这里没有工作区"),
        ({"GOVCLOUD_LANG": "", "LC_ALL": "zh_CN.UTF-8"}, "这里没有工作区"),
        ({"GOVCLOUD_LANG": "", "LC_ALL": "", "LANG": "zh_CN.UTF-8", "LC_MESSAGES": ""}, "这里没有工作区"),
        ({"GOVCLOUD_LANG": "", "LC_ALL": "C.UTF-8"}, "There is no workspace"),
        ({"GOVCLOUD_LANG": "en", "LC_ALL": "zh_CN.UTF-8"}, "There is no workspace"),
    ],
)
def test_the_language_comes_from_the_setting_then_the_locale(
    environment: dict[str, str], expected: str, tmp_path: Path
) -> None:
    done = start("-w", str(tmp_path), "inventory", "systems", **environment)
    assert done.returncode == 2
    assert expected in done.stderr and not done.stdout


def test_the_option_wins_over_the_locale(tmp_path: Path) -> None:
    done = start("--lang=zh", "-w", str(tmp_path), "inventory", "systems", LC_ALL="C.UTF-8")
    assert "这里没有工作区" in done.stderr


@pytest.mark.parametrize(
    ("argv", "zh", "en"),
    [
        (["nosuch"], "没有这个命令", "No such command"),
        (["--nosuch"], "没有这个选项：--nosuch", "No such option"),
        (["init"], "缺少参数", "Missing argument"),
        (["init", "x"], "缺少参数", "Missing option"),
        (["--format", "pdf", "init", "x", "--site", "shanxi"], "的值不对", "Invalid value"),
        (["init", "x", "--site", "atlantis"], "没有这个站点", "No such site"),
    ],
)
def test_wrong_usage_is_2_with_the_next_step(
    argv: list[str],
    zh: str,
    en: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for lang, words, next_step in (("zh", zh, "下一步："), ("en", en, "Next: ")):
        assert run(["--lang", lang, *argv]) == 2
        shown = capsys.readouterr()
        assert words in shown.err and next_step in shown.err
        assert not shown.out and "Traceback" not in shown.err
    assert list(tmp_path.iterdir()) == []


def test_wrong_settings_are_3(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "govcloud.yaml").write_text("site: [", "utf-8")
    assert run(["--lang", "zh", "-w", str(workspace), "inventory", "systems"]) == 3
    assert "govcloud.yaml:2:1" in capsys.readouterr().err


def test_a_database_that_cannot_be_reached_is_4(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = (workspace / "govcloud.yaml").read_text("utf-8")
    (workspace / "govcloud.yaml").write_text(settings + f"\ndatabase: sqlite:///{workspace}/none/x.db\n", "utf-8")
    assert run(["--lang", "zh", "-w", str(workspace), "inventory", "systems"]) == 4
    assert "数据库不可用" in capsys.readouterr().err


def test_a_file_in_place_of_the_database_is_5(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in workspace.glob("govcloud.db*"):
        file.unlink()
    (workspace / "govcloud.db").write_bytes(b"not a database at all" * 50)
    assert run(["--lang", "zh", "-w", str(workspace), "inventory", "systems"]) == 5
    shown = capsys.readouterr().err
    assert "govcloud.db" in shown and "下一步" in shown and "Traceback" not in shown


def test_init_makes_a_workspace_and_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--lang", "zh", "init", str(tmp_path / "新 工作区"), "--site", "shandong"]) == 0
    assert "下一步：govcloud -w" in capsys.readouterr().out
    assert (tmp_path / "新 工作区" / "govcloud.yaml").is_file()


def test_a_path_that_cannot_be_a_folder_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    assert run(["--lang", "zh", "init", str(tmp_path / "file" / "w"), "--site", "shanxi"]) == 4
    assert "下一步" in capsys.readouterr().err


def test_json_is_the_only_thing_on_stdout(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--format", "json", "-w", str(workspace), "report", "-o", str(tmp_path / "out")]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_version() -> None:
    done = start("--version")
    assert done.returncode == 0 and done.stdout.startswith("govcloud, version ")


def test_a_reader_that_goes_away_is_no_failure() -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", "import sys; from govcloud.cli.main import run; sys.exit(run(['--help']))"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None and program.stderr is not None
    program.stdout.close()
    errors = program.stderr.read().decode()
    assert program.wait(timeout=60) == 0, errors
    assert "Traceback" not in errors


INTERRUPTED = """
import sys, time
import click
from govcloud.cli import main
from govcloud.cli.base import command
from govcloud.model.text import Text

@command(Text("等待", "Wait"))
def wait():
    print("waiting", flush=True)
    time.sleep(60)

main.cli.add_command(wait, "wait")
main.cli.get_command = lambda ctx, name: wait
sys.exit(main.run(["--lang", "zh", "wait"]))
"""


def test_ctrl_c_is_130_and_says_that_nothing_is_lost() -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "waiting\n"
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=30)
    assert program.returncode == 130
    assert "已中断" in errors and "Traceback" not in errors


OUR_BUG = INTERRUPTED.replace("time.sleep(60)", "raise ZeroDivisionError")


def test_our_own_bug_is_70_and_asks_for_a_report() -> None:
    done = subprocess.run([sys.executable, "-c", OUR_BUG], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr and "自身的缺陷" in done.stderr


PROGRESS = """
from govcloud.cli.progress import Progress
from govcloud.events import Event
from govcloud.model.text import Text
import time
with Progress("zh") as progress:
    for n in range(3):
        progress.on_event(Event(what=Text("读取工作簿", "Read workbooks"), subject="[red]普查表.xlsx", done=n + 1, total=3))
        time.sleep(0.15)
"""


def test_progress_is_silent_where_nobody_watches() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRESS], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (0, "", "")


def test_progress_is_shown_on_a_terminal_and_file_names_are_no_markup() -> None:
    terminal, inside = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRESS], stdout=subprocess.PIPE, stderr=inside, env={**os.environ, "TERM": "xterm"}
    )
    os.close(inside)
    shown = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(terminal)
    assert program.wait(timeout=30) == 0
    assert program.stdout is not None and program.stdout.read() == b""
    assert "读取工作簿".encode() in shown and b"[red]" in shown


def test_events_carry_both_languages() -> None:
    event = Event(what=Text("读取", "Read"))
    assert (event.what.to("zh"), event.what.to("en"), event.total) == ("读取", "Read", None)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["plan", "build", "--starts-on", "2026-13-01"], "--starts-on 的值不对：应为日期"),
        (["audit", "log", "--limit", "0"], "应为不小于 1 的整数"),
        (["projects", "due", "nothing", "--on", "2026-01-01"], "可选 contract_signed"),
        (["inventory", "systms"], "没有这个命令：systms（是不是 systems？）"),
        (["check", "estate", "foo"], "多余的参数：foo"),
        (["report", "-o"], "选项 -o 后要写值"),
    ],
)
def test_a_wrong_value_is_explained_in_chinese(
    argv: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """click explains in English only; the engineer's screen is Chinese."""
    assert run(["--lang", "zh", *argv]) == 2
    assert expected in capsys.readouterr().err
