"""The playbooks keep what the judge relies on: plain lists of named tasks, our own or built-in modules, nothing conditional."""

from __future__ import annotations

from pathlib import Path

import pytest

from govcloud.execution.steps import PLAYBOOK, expected_tasks, folder, load_steps, playbooks_hash
from govcloud.model.run import STEPS
from govcloud.safe_yaml import load_yaml

ALL = (*STEPS, "rollback")
MODULES = {p.stem for p in (folder() / "library").glob("gov_*.py")}
GROUPS = {"source", "target", "entry", "controller"}


@pytest.mark.parametrize("step", ALL)
def test_a_task_is_a_name_a_module_of_ours_and_nothing_that_could_leave_it_out(step: str) -> None:
    plays = load_yaml(folder() / step / PLAYBOOK)
    for play in plays:
        assert set(play) == {"name", "hosts", "gather_facts", "any_errors_fatal", "tasks"}
        assert play["hosts"] in GROUPS and play["any_errors_fatal"] is True
        for task in play["tasks"]:
            (module,) = set(task) - {"name", "register"}
            assert module in MODULES


@pytest.mark.parametrize("step", ALL)
def test_task_names_are_unique_so_that_each_is_proven_by_itself(step: str) -> None:
    tasks = expected_tasks(folder() / step / PLAYBOOK)
    assert tasks and len(tasks) == len(set(tasks))


def test_only_the_cutover_asks_before_it_is_repeated() -> None:
    steps = load_steps()
    assert [name for name in ALL if not steps[name].repeatable] == ["cutover"]


def test_the_cutover_proves_again_that_the_source_is_frozen_before_it_touches_anything() -> None:
    """A source that ran again after the comparison makes the copy stale."""
    groups = [group for group, _ in expected_tasks(folder() / "cutover" / PLAYBOOK)]
    assert groups[:2] == ["source", "source"]


@pytest.mark.parametrize("step", ALL)
def test_a_source_is_only_read_frozen_and_thawed(step: str) -> None:
    """No path deletes or overwrites source data."""
    allowed = {"gov_probe", "gov_service", "gov_database"}
    for play in load_yaml(folder() / step / PLAYBOOK):
        if play["hosts"] != "source":
            continue
        for task in play["tasks"]:
            (module,) = set(task) - {"name", "register"}
            assert module in allowed
            if module == "gov_database":
                assert task[module]["action"] in {"freeze", "thaw", "check_frozen"}


def test_the_hash_of_the_playbooks_covers_our_modules() -> None:
    """An approval is for what will be run, including the code behind it."""
    assert len(playbooks_hash()) == 64
    assert Path(folder() / "library" / "module_utils" / "gov_postgres.py").is_file()
