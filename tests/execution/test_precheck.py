"""Every reason to stop is found before the window, all of them at once."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from sample_spec import GOOD

from govcloud.execution.precheck import judge
from govcloud.model.run import MigrationSpec

SPEC = msgspec.to_builtins(msgspec.convert(GOOD, MigrationSpec))
TREE = {"bytes": 1000, "files": 3, "empty": False}
DB = {"programs": ["psql", "pg_dump", "pg_restore"], "password_file": True, "client_version": 16}
SOURCE: dict[str, Any] = {
    "clock": 1000.0, "missing_tools": [], "trees": {"/srv/oa/app": TREE}, "space": {}, "service_running": True,
    "database": {**DB, "server_version": 160001, "bytes": 5000, "read_only": False},
}  # fmt: skip
TARGET: dict[str, Any] = {
    "clock": 1001.0, "missing_tools": [], "trees": {"/srv/oa/app": None}, "service_running": False, "marker": None,
    "space": {"/srv/oa/app": {"bytes": 10**9, "device": 1}, "/srv/pg": {"bytes": 10**9, "device": 1}},
    "database": {**DB, "initdb": True, "data_dir_empty": True},
}  # fmt: skip
OURS = {"system_id": "SL-OA-01", "state": "rolled_back", "run_id": "r0"}


def problems(source: dict[str, Any] = SOURCE, target: dict[str, Any] = TARGET, now: float = 1002.0) -> list[str]:
    return [p.en for p in judge(SPEC, source, target, now)[0]]


def having(facts: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(facts)
    place = made
    *parents, last = path.split("|")
    for key in parents:
        place = place[key]
    place[last] = value
    return made


def test_two_good_ends_have_no_problems_and_the_amounts_are_told() -> None:
    assert judge(SPEC, SOURCE, TARGET, 1002.0) == ([], {"source_bytes": 1000, "database_bytes": 5000})


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("missing_tools", ["tar"], "lacks programs"),
        ("clock", 700.0, "off by"),
        ("trees|/srv/oa/app", None, "No such source"),
        ("service_running", False, "not running"),
        ("database|read_only", True, "read-only"),
        ("database|programs", ["psql"], "lacks PostgreSQL"),
        ("database|password_file", False, "password file"),
        ("database|problem", "no connection", "no connection"),
        ("database|server_version", 170001, "older than its server"),
    ],
)
def test_a_source_that_is_not_ready(path: str, value: Any, said: str) -> None:
    assert any(said in p for p in problems(source=having(SOURCE, path, value)))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("trees|/srv/oa/app", TREE, "not empty"),
        ("service_running", True, "running already"),
        ("marker", {**OURS, "system_id": "SL-XX"}, "holds a copy"),
        ("marker", {**OURS, "state": "serving"}, "holds a copy"),
        ("database|data_dir_empty", False, "data directory is not empty"),
        ("database|initdb", False, "initdb"),
        ("database|exists", True, "database of that name"),
        ("database|client_version", 15, "older than on the source"),
        ("space|/srv/oa/app|bytes", 5000, "Too little space"),
    ],
)
def test_a_target_that_is_not_ready(path: str, value: Any, said: str) -> None:
    target = having(TARGET, path, value)
    if path.startswith("space"):
        target = having(target, "space|/srv/pg|bytes", value)
    assert any(said in p for p in problems(target=target))


def test_a_copy_that_was_rolled_back_may_be_taken_over() -> None:
    target = having(having(TARGET, "marker", OURS), "trees|/srv/oa/app", TREE)
    assert problems(target=having(target, "database|data_dir_empty", False)) == []


def test_everything_is_told_at_once() -> None:
    source = having(having(SOURCE, "service_running", False), "missing_tools", ["tar"])
    assert len(problems(source=source, target=having(TARGET, "service_running", True))) == 3
