"""Green means proven. Every recorded report below is one that ansible-runner calls successful, or one that can't be trusted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from govcloud.execution.ansible import expected_hosts_and_tasks, judge, read_events
from govcloud.model.run import StepResult

CASES = Path(__file__).parents[1] / "cases" / "execution"


def verdict(name: str, **other: Any) -> StepResult:
    case = {**json.loads((CASES / f"{name}.json").read_text("utf-8")), **other}
    groups = {group: tuple(hosts) for group, hosts in case["groups"].items()}
    wanted = expected_hosts_and_tasks([(g, t) for g, t in case["tasks"]], groups)
    return judge(case["events"], case.get("damage", []), wanted, case["status"], case["rc"])


def test_every_task_on_every_host_is_green() -> None:
    result = verdict("done")
    assert (result.status, result.expected, result.proven) == ("ok", 4, 4)


@pytest.mark.parametrize(
    "name",
    ["no_host_matched", "empty_inventory", "skipped", "check_mode", "ignored", "rescued", "one_host_limited_away"],
)
def test_what_ansible_calls_successful_without_having_done_it_is_red(name: str) -> None:
    case = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    assert (case["status"], case["rc"]) == ("successful", 0), "the recording shows the trap"
    result = verdict(name)
    assert result.status == "failed"
    assert result.reasons


@pytest.mark.parametrize("name", ["failed", "unreachable"])
def test_a_failure_names_the_host_and_the_task(name: str) -> None:
    result = verdict(name)
    assert result.status == "failed"
    assert "A" in result.reasons[0].en and ("h1" in result.reasons[0].zh or "dead" in result.reasons[0].zh)


@pytest.mark.parametrize("status", ["timeout", "canceled", "error", "running"])
def test_an_ending_that_says_nothing_about_the_hosts_is_unknown(status: str) -> None:
    assert verdict("done", status=status).status == "unknown"


def test_the_exit_code_counts_too() -> None:
    assert verdict("done", rc=1).status == "failed"
    assert verdict("done", rc=None).status == "failed"


def test_a_task_that_nobody_asked_for_is_not_green() -> None:
    assert verdict("done", tasks=[["target", "A"]]).status == "failed"


def write(folder: Path, numbers: list[int]) -> None:
    for n in numbers:
        (folder / f"{n}-u{n}-{len(list(folder.iterdir()))}.json").write_text(json.dumps({"counter": n, "event": "x"}))


def test_whole_event_files_are_read_in_order(tmp_path: Path) -> None:
    write(tmp_path, [10, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    events, damage = read_events(tmp_path)
    assert [e["counter"] for e in events] == list(range(1, 11)) and not damage


@pytest.mark.parametrize("fault", ["lost", "partial", "twice", "bad"])
def test_a_damaged_report_is_unknown_not_green(tmp_path: Path, fault: str) -> None:
    write(tmp_path, [1, 3] if fault == "lost" else [1, 2, 2] if fault == "twice" else [1, 2])
    if fault == "partial":
        (tmp_path / "u9-partial.json").write_text("{}")
    if fault == "bad":
        (tmp_path / "3-u3.json").write_text("{")
    _, damage = read_events(tmp_path)
    assert damage
    assert verdict("done", damage=damage).status == "unknown"


def test_our_modules_words_reach_the_user_in_both_languages_on_one_line() -> None:
    event = {
        "event": "runner_on_failed",
        "event_data": {
            "play_pattern": "target", "task": "A", "host": "h1",
            "res": {"problems": [{"zh": "磁盘\n已满", "en": "disk\nfull"}], "gov": {"files": 3, "digest": "ab", "nested": {}}},
        },
    }  # fmt: skip
    result = judge([event], [], Counter({("target", "A", "h1"): 1}), "failed", 2)
    assert (result.reasons[0].zh, result.reasons[0].en) == ("h1：磁盘 已满", "h1: disk full")
    assert result.facts == {"files": 3, "digest": "ab"}
