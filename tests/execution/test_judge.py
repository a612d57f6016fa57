"""Green means proven. Every recorded report below is a real run that ansible-runner calls successful, or one that fails for
one system only; `record_cases.py` records them anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from record_cases import PLAYS
from run_place import SYSTEM

from govcloud.execution.judge import Tally, host_of, judge, log_lines, read_events
from govcloud.model.attempt import StepResult

CASES = Path(__file__).parents[1] / "cases" / "execution"
FIRST, SECOND = "SL-OA-01", "SL-OA-02"


def verdict(name: str, **other: Any) -> dict[str, StepResult]:
    case = {**json.loads((CASES / f"{name}.json").read_text("utf-8")), **other}
    return judge(case["events"], case["damage"], case["tasks"], case["systems"], case["status"], case["rc"])


def status(name: str, **other: Any) -> list[str]:
    return [result.status for _, result in sorted(verdict(name, **other).items())]


def test_every_recording_is_there() -> None:
    assert {path.stem for path in CASES.glob("*.json")} == set(PLAYS)


def test_every_task_for_every_system_is_green() -> None:
    assert status("done") == ["ok", "ok"]
    assert [(r.expected, r.proven) for r in verdict("done").values()] == [(2, 2), (2, 2)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no_host_matched", ["failed", "failed"]),
        ("empty_inventory", ["failed", "failed"]),
        ("skipped", ["failed", "failed"]),
        ("skipped_item", ["failed", "ok"]),
        ("empty_loop", ["failed", "failed"]),
        ("check_mode", ["failed", "failed"]),
        ("ignored", ["failed", "ok"]),
        ("rescued", ["failed", "ok"]),
        ("one_limited_away", ["failed", "ok"]),
        # A report about other systems than ours says nothing about ours.
        ("wrong_inventory", ["unknown", "unknown"]),
    ],
)
def test_what_ansible_calls_successful_without_having_done_it_is_not_green(name: str, expected: list[str]) -> None:
    case = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    assert (case["status"], case["rc"]) == ("successful", 0), "the recording shows the trap"
    assert status(name) == expected
    assert all(result.reasons for result in verdict(name).values() if result.status != "ok")


@pytest.mark.parametrize("name", ["failed", "failed_item", "unreachable"])
def test_one_system_fails_the_others_are_green(name: str) -> None:
    """With one exit code for fifty systems, each has its own result."""
    first, second = (result for _, result in sorted(verdict(name).items()))
    assert (first.status, second.status) == ("failed", "ok")
    assert first.reasons and first.unreachable == (name == "unreachable")


def test_a_failure_names_the_host_and_the_reason_in_both_languages() -> None:
    assert [(r.zh, r.en) for r in verdict("failed_item")[FIRST].reasons] == [("new-1：坏了", "new-1: broken")]
    (said,) = verdict("unreachable")[FIRST].reasons
    assert said.en.startswith("new-1: unreachable") and said.zh.startswith("new-1：无法连接")


def test_facts_of_a_loop_are_added_and_told_apart() -> None:
    facts = verdict("done")[FIRST].facts
    assert facts["files"] == 7 and facts["judged"] == 1
    assert (facts["new-1.version"], facts["db-1.version"]) == ("15.1", "16.2")
    assert facts["level"] == "L1", "the lowest level that was reached"


@pytest.mark.parametrize("ending", ["timeout", "canceled", "error", "running"])
def test_an_ending_that_says_nothing_about_the_hosts_is_unknown(ending: str) -> None:
    assert status("done", status=ending) == ["unknown", "unknown"]


@pytest.mark.parametrize(("ending", "code"), [("successful", 1), ("successful", None), ("failed", 2), ("failed", 250)])
def test_an_exit_code_that_nothing_explains_is_red(ending: str, code: int | None) -> None:
    assert status("done", status=ending, rc=code) == ["failed", "failed"]


def test_an_error_of_its_own_beside_a_failed_host_is_not_green() -> None:
    assert status("failed", rc=2 | 8) == ["failed", "failed"]


def test_a_task_that_nobody_asked_for_or_that_ran_twice_is_not_green() -> None:
    assert status("done", tasks=["Look"]) == ["failed", "failed"]
    case = json.loads((CASES / "done.json").read_text("utf-8"))
    twice = [*case["events"], *(e for e in case["events"] if host_of(e) == FIRST)]
    assert status("done", events=twice) == ["failed", "ok"]


@pytest.mark.parametrize("name", sorted(PLAYS))
def test_what_is_settled_while_it_runs_is_what_the_whole_report_says(name: str) -> None:
    """A system's result may be told before the others have ended; the end must not contradict it."""
    case = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    final = verdict(name)
    for system in case["systems"]:
        tally = Tally(case["tasks"])
        settled = None
        for event in case["events"]:
            if host_of(event) == system and settled is None:
                tally.take(event)
                settled = tally.settled()
        if settled is not None and name != "wrong_inventory":
            assert (settled.status, settled.reasons) == (final[system].status, final[system].reasons)
        elif name != "wrong_inventory":
            assert final[system].status != "ok"


def test_the_log_tells_each_task_and_what_a_failure_said() -> None:
    case = json.loads((CASES / "failed_item.json").read_text("utf-8"))
    lines = [line for event in case["events"] if host_of(event) == SYSTEM for line in log_lines(event)]
    assert any("failed" in line and "Look [new-1]" in line for line in lines)
    assert any("坏了" in line for line in lines)


def write(folder: Path, numbers: list[int]) -> None:
    for n in numbers:
        (folder / f"{n}-u{n}-{len(list(folder.iterdir()))}.json").write_text(json.dumps({"counter": n, "event": "x"}))


def test_whole_event_files_are_read_in_order(tmp_path: Path) -> None:
    write(tmp_path, [10, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    events, damage = read_events(tmp_path)
    assert [e["counter"] for e in events] == list(range(1, 11)) and not damage


@pytest.mark.parametrize("fault", ["lost", "partial", "twice", "bad"])
def test_a_damaged_report_is_unknown_not_green(tmp_path: Path, fault: str) -> None:
    """F21."""
    write(tmp_path, [1, 3] if fault == "lost" else [1, 2, 2] if fault == "twice" else [1, 2])
    if fault == "partial":
        (tmp_path / "u9-partial.json").write_text("{}")
    if fault == "bad":
        (tmp_path / "3-u3.json").write_text("{")
    _, damage = read_events(tmp_path)
    assert damage
    assert status("done", damage=damage) == ["unknown", "unknown"]
