"""The playbooks keep what the judge relies on: plain lists of named tasks, our own modules, nothing conditional."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from govcloud.execution.scene import stop_playbook
from govcloud.execution.steps import (
    ORDER,
    WAY_BACK,
    expected_tasks,
    folder,
    has_phase,
    load_steps,
    playbook,
    playbooks_hash,
)
from govcloud.model.step import Phase
from govcloud.safe_yaml import load_yaml

BOOKS = [(step, phase) for step in ORDER for phase in get_args(Phase) if has_phase(step, phase)]
MODULES = {p.stem for p in (folder() / "library").glob("gov_*.py")}
WORDS = {"name", "loop", "loop_control", "delegate_to", "register"}


def tasks(step: str, phase: str) -> list[dict[str, Any]]:
    (play,) = load_yaml(playbook(step, phase))
    found: list[dict[str, Any]] = play["tasks"]
    return found


def test_the_playbook_that_stops_is_like_the_others() -> None:
    (play,) = load_yaml(stop_playbook())
    assert play["hosts"] == "systems" and [module_of(task) for task in play["tasks"]] == ["gov_stop"]


def module_of(task: dict[str, Any]) -> str:
    (module,) = set(task) - WORDS
    return module


@pytest.mark.parametrize(("step", "phase"), BOOKS)
def test_a_play_is_for_systems_and_a_task_is_nothing_that_could_be_left_out(step: str, phase: str) -> None:
    (play,) = load_yaml(playbook(step, phase))
    assert set(play) == {"name", "hosts", "gather_facts", "strategy", "tasks"}
    assert (play["hosts"], play["gather_facts"]) == ("systems", False)
    assert play["strategy"] in {"linear", "host_pinned", "free"}
    for task in play["tasks"]:
        assert module_of(task) in MODULES
        # Nothing runs on the systems themselves: they are names, not machines.
        assert task["delegate_to"] == ("{{ item.host }}" if "loop" in task else "govcloud")


@pytest.mark.parametrize(("step", "phase"), BOOKS)
def test_task_names_are_unique_so_that_each_is_proven_by_itself(step: str, phase: str) -> None:
    names = expected_tasks(playbook(step, phase))
    assert names and len(names) == len(set(names))


@pytest.mark.parametrize(("step", "phase"), BOOKS)
def test_a_source_is_only_read_frozen_and_thawed(step: str, phase: str) -> None:
    """No path deletes or overwrites source data (P4)."""
    allowed = {
        "gov_probe": None, "gov_stop": None, "gov_service": {"start", "stop", "status", "enable", "disable"},
        "gov_database": {"freeze", "thaw", "check_frozen", "prepare_source", "release_source"},
    }  # fmt: skip
    for task in tasks(step, phase):
        if task.get("loop") == "{{ source }}":
            module = module_of(task)
            assert module in allowed
            actions = allowed[module]
            assert actions is None or task[module]["action"] in actions


def test_only_the_cutover_asks_before_it_is_repeated() -> None:
    assert [name for name, step in load_steps().items() if not step.repeatable] == ["cutover"]


def test_the_cutover_proves_again_that_the_source_is_frozen_before_it_touches_anything() -> None:
    """A source that ran again after the comparison makes the copy stale (F15)."""
    first, second = tasks("cutover", "apply")[:2]
    assert first["gov_service"]["expect"] == "stopped" and second["gov_database"]["action"] == "check_frozen"
    assert first["loop"] == second["loop"] == "{{ source }}"


def test_every_change_of_a_target_comes_after_the_marker_was_asked() -> None:
    """The marker is the last line of defence against a second run on the same machine (F17)."""
    for step in ("prepare", "replicate", "rehearse", "final_sync", "cutover"):
        kinds = [module_of(task) for task in tasks(step, "apply")]
        changing = next(
            i for i, task in enumerate(tasks(step, "apply"))
            if module_of(task) in {"gov_files", "gov_data", "gov_carry"} or task.get("loop") == "{{ target }}"
        )  # fmt: skip
        assert kinds[changing] == "gov_marker", step


def test_what_the_way_back_undoes_can_be_undone() -> None:
    assert all(has_phase(step, "rollback") for step in WAY_BACK)


def test_a_reversible_step_that_changes_something_lasting_has_an_undo_and_a_probe() -> None:
    for name, step in load_steps().items():
        if step.touches not in ("nothing",) and name not in ("replicate", "final_sync"):
            assert has_phase(name, "rollback") and has_phase(name, "verify"), name


def test_the_hash_of_the_playbooks_covers_our_modules() -> None:
    """An approval is for what will be run, including the code behind it."""
    assert len(playbooks_hash()) == 64
    assert Path(folder() / "library" / "module_utils" / "gov_marker_file.py").is_file()
