"""`govcloud plan` at the terminal: what an engineer sees while it searches, how it is stopped, and how a slip is told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from govcloud.cli.main import run
from govcloud.model.inventory import Dependency, Inventory, Merged, System
from govcloud.settings import open_workspace
from govcloud.store import entities
from govcloud.workflow import plan as workflow
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session

LINE = re.compile(
    r"Planning: after \d+ s, \d+ days \(to \d{4}-\d\d-\d\d\), (no bound|bound \d+, gap [\d.]+ %|.*proven best.*)"
)
ZH_LINE = re.compile(
    r"排期：第 \d+ 秒，总工期 \d+ 天（到 \d{4}-\d\d-\d\d），(无下界|下界 \d+，差距 [\d.]+%|.*已证明最好.*)"
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Too many systems, in a circle of weak dependencies, for a proof within seconds."""
    path = tmp_path_factory.mktemp("plan") / "ws"
    init_workspace(path, "shanxi", actor="张三")
    systems = tuple(
        System(
            system_id=f"SL-{n:02d}", name=f"示例系统{n}", department="示例交通厅", lifecycle="operating", hosting="own_room",
            classified=False, criticality="general", mlps_level=2, data_gib=20.0 + 7 * n,
        )
        for n in range(60)
    )  # fmt: skip
    links = tuple(
        Dependency(dependency_id=f"D{n}", source_id=f"SL-{n:02d}", target_id=f"SL-{n * 7 % 60:02d}", strength="weak")
        for n in range(60)
        if n * 7 % 60 != n
    )
    with open_session(open_workspace(path), actor="张三") as session, session.store.begin() as tx:
        entities.replace_inventory(tx, Merged(inventory=Inventory(systems=systems, dependencies=links)), ())
    return path


def planned(workspace: Path) -> str | None:
    """Id of the latest plan."""
    with open_session(open_workspace(workspace), actor="张三") as session:
        found = workflow.latest_plan(session)
    return found.plan_id if found else None


def test_ctrl_c_in_the_search_gives_the_best_plan_so_far_and_keeps_it(workspace: Path) -> None:
    """The limit is ten minutes; that this test ends in time is part of what it says."""
    before = planned(workspace)
    program = subprocess.Popen(
        [sys.executable, "-m", "govcloud", "--lang", "en", "-w", str(workspace), "plan", "build", "--limit", "600"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert program.stdout is not None and program.stderr is not None
    told = program.stderr.readline()
    os.kill(program.pid, signal.SIGINT)
    shown, errors = program.communicate(timeout=250)
    assert LINE.fullmatch(told.strip()), told + errors
    assert program.returncode == 0 and "Traceback" not in errors, errors
    assert errors.count("Finishing with the best plan so far") == 1
    made = planned(workspace)
    assert made is not None and made != before and f"Plan {made}, status: " in shown
    assert " 60 systems; the last on " in shown and "the clock or a person ended the search" in shown
    assert run(["-w", str(workspace), "plan", "verify"]) == 0
    assert run(["-w", str(workspace), "audit", "verify"]) == 0


def test_who_gives_up_leaves_nothing_behind(workspace: Path) -> None:
    before = planned(workspace)
    order = workflow.PlanOrder(limit_s=600, stop=lambda: True, given_up=lambda: True)
    with open_session(open_workspace(workspace), actor="张三") as session, pytest.raises(KeyboardInterrupt):
        workflow.build_plan(session, order)
    assert planned(workspace) == before


@pytest.mark.parametrize(("lang", "line"), [("en", LINE), ("zh", ZH_LINE)])
def test_without_a_terminal_progress_is_a_few_lines_on_stderr(
    workspace: Path, capsys: pytest.CaptureFixture[str], lang: str, line: re.Pattern[str]
) -> None:
    """Who writes the output to a log wants to know how good the plan is by now, not a page of it."""
    assert run(["-w", str(workspace), "--lang", lang, "--format", "json", "plan", "build", "--limit", "2"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert 1 <= len(told) <= 25
    assert all(line.fullmatch(one) for one in told), told


@pytest.mark.parametrize(
    ("arguments", "code", "zh", "en"),
    [
        (["build", "--set", "capacity.crews=many"], 2, "--set capacity.crews=many", "--set capacity.crews=many"),
        (["build", "--set", "capacity.crew=3"], 2, "--set capacity.crew=3", "no key planning.capacity.crew"),
        (["build", "--set", "weeks=["], 2, "--set weeks=[", "--set weeks=["),
        (["build", "--weeks", "105"], 2, "1 至 104", "1<=x<=104"),
        (["import", "nope.xlsx", "--preview"], 3, "文件不存在", "No such file"),
        (["import", ".", "--preview"], 3, "这是一个目录", "This is a folder"),
        (["pin", "NOBODY", "--leave-out", "--reason", "示例"], 2, "下一步：", "Next: "),
    ],
)  # fmt: skip
def test_a_slip_is_told_in_both_languages_where_it_was_made(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, zh: str, en: str
) -> None:
    for lang, words in (("zh", zh), ("en", en)):
        assert run(["-w", str(workspace), "--lang", lang, "plan", *arguments]) == code
        told = capsys.readouterr().err
        assert words in told and "govcloud.yaml" not in told, told


def test_a_mistake_in_the_file_is_told_of_the_file_also_when_something_is_tried(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = workspace / "govcloud.yaml"
    good = settings.read_text("utf-8")
    try:
        settings.write_text(good.replace("  pilots: []", "  pilot: []"), "utf-8")
        assert run(["-w", str(workspace), "--lang", "en", "plan", "build", "--set", "capacity.crews=3"]) == 3
    finally:
        settings.write_text(good, "utf-8")
    told = capsys.readouterr().err
    assert "govcloud.yaml" in told and "--set" not in told


def test_a_plan_that_starts_in_the_past_says_so(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = date.today() - timedelta(days=30)
    for lang, words in (("zh", "早于今天"), ("en", "before today")):
        assert (
            run(["-w", str(workspace), "--lang", lang, "plan", "build", "--starts-on", str(day), "--limit", "0.3"]) == 0
        )
        assert words in capsys.readouterr().out
    assert run(["-w", str(workspace), "--lang", "en", "plan", "build", "--limit", "0.3"]) == 0
    assert "before today" not in capsys.readouterr().out
