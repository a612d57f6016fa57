"""The folders that people edit without Python are complete: a step without its playbook or a rule without a failing case
would be noticed on a Saturday night or by an auditor."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from sources import ROOT

from govcloud.model.step import StepName
from govcloud.safe_yaml import load_yaml
from govcloud.settings import load_site, site_ids

PLAYBOOKS = ROOT / "playbooks"
STEPS = sorted(p.parent for p in PLAYBOOKS.glob("*/meta.yml"))
PACKS = sorted(p.parent for p in (ROOT / "regulations").glob("*/pack.yaml"))
RUN_STEPS: tuple[StepName, ...] = get_args(StepName)
MODULES = {p.stem for p in (PLAYBOOKS / "library").glob("gov_*.py")}
VERDICTS = {"pass", "fail"}
CJK = re.compile(r"[\u3400-\u9fff]")


def walk(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def rules(pack: Path) -> list[dict[str, Any]]:
    file = pack / "rules.yaml"
    return list(load_yaml(file)["rules"]) if file.exists() else []


def test_every_step_of_a_run_has_its_folder() -> None:
    assert set(RUN_STEPS) <= {p.name for p in STEPS}
    assert {p.name for p in PLAYBOOKS.iterdir() if p.is_dir()} - {p.name for p in STEPS} <= {"library", "plugins"}


@pytest.mark.parametrize("step", STEPS, ids=lambda p: p.name)
def test_a_step_says_what_it_does_what_it_needs_and_whether_there_is_a_way_back(step: Path) -> None:
    meta = load_yaml(step / "meta.yml")
    assert {"title", "inputs", "reversible", "undo", "repeatable", "minutes"} <= set(meta)
    for text in (meta["title"], meta["undo"]):
        assert CJK.search(text["zh"]) and not CJK.search(text["en"])
    assert isinstance(meta["minutes"], int) and meta["minutes"] > 0
    assert (step / "apply.yml").is_file()


@pytest.mark.parametrize("step", RUN_STEPS)
def test_a_step_of_a_run_can_be_probed_and_taken_back(step: StepName) -> None:
    """An unknown outcome is looked at before anything is repeated; what was changed outside of a copy has an undo."""
    meta = load_yaml(PLAYBOOKS / step / "meta.yml")
    assert (PLAYBOOKS / step / "verify.yml").is_file() or step == "precheck"
    only_the_copy = {"replicate", "final_sync"}
    undone = (PLAYBOOKS / step / "rollback.yml").is_file()
    assert undone == (meta["touches"] != "nothing" and step not in only_the_copy)
    assert meta["reversible"] or meta["point_of_no_return"]
    assert (meta["undo_minutes"] > 0) == undone


@pytest.mark.parametrize(
    "playbook",
    sorted(f for step in RUN_STEPS for f in (PLAYBOOKS / step).glob("*.yml") if f.name != "meta.yml"),
    ids=lambda p: f"{p.parent.name}/{p.name}",
)
def test_systems_that_share_a_playbook_run_keep_their_own_fates(playbook: Path) -> None:
    """One play over all systems without any key that lets one system's failure stop the others."""
    (play,) = load_yaml(playbook)
    assert play["hosts"] == "systems" and play["gather_facts"] is False
    assert set(play) == {"name", "hosts", "gather_facts", "strategy", "tasks"}
    for task in play["tasks"]:
        assert set(task) <= {"name", "loop", "loop_control", "delegate_to", "register"} | MODULES, task["name"]
        assert "delegate_to" in task, task["name"]
    names = [task["name"] for task in play["tasks"]]
    assert len(names) == len(set(names))


def test_the_playbooks_pass_ansible_lint_at_its_production_profile() -> None:
    lint = Path(sys.executable).with_name("ansible-lint")
    files = [str(f.relative_to(ROOT)) for f in sorted(PLAYBOOKS.glob("*/*.yml")) if f.name != "meta.yml"]
    done = subprocess.run(
        [lint, "--offline", "--nocolor", "--profile", "production", *files], cwd=ROOT, capture_output=True, text=True,
        check=False, env={**os.environ, "ANSIBLE_LIBRARY": str(PLAYBOOKS / "library")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("playbook", sorted(PLAYBOOKS.glob("*/*.yml")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_playbook_names_its_tasks_and_hands_no_data_to_a_shell(playbook: Path) -> None:
    if playbook.name == "meta.yml":
        return
    plays = load_yaml(playbook)
    forbidden = {"shell", "raw", "script", "ansible.builtin.shell", "ansible.builtin.raw", "ansible.builtin.script"}
    for play in plays:
        assert play["hosts"] and play["tasks"]
        for task in play["tasks"]:
            assert task.get("name"), f"{playbook.name}: a task without a name"
            assert not set(task) & forbidden, task["name"]
            # A failure that is passed over would be shown as done.
            assert not {"ignore_errors", "ignore_unreachable", "rescue"} & set(task), task["name"]
            names = [n for n in task if "." in n]
            assert all(n.startswith("ansible.builtin.") for n in names), f"{task['name']}: {names} needs a collection"


@pytest.mark.parametrize("step", STEPS, ids=lambda p: p.name)
def test_a_step_declares_the_variables_that_its_playbooks_read(step: Path) -> None:
    inputs = load_yaml(step / "meta.yml")["inputs"]
    text = "".join(p.read_text("utf-8") for p in step.glob("*.yml") if p.name != "meta.yml")
    assert not [name for name in inputs if not re.search(rf"\b{re.escape(name)}\b", text)]


def test_there_are_packs_for_every_jurisdiction() -> None:
    named = {pack for site in site_ids() for pack in load_site(site).jurisdiction}
    assert named and named <= {p.name for p in PACKS}


@pytest.mark.parametrize("pack", PACKS, ids=lambda p: p.name)
def test_a_pack_never_invents_a_document_number(pack: Path) -> None:
    document = load_yaml(pack / "pack.yaml")
    numbers = [v["number"] for v in walk(document) if isinstance(v, dict) and "number" in v]
    assert numbers
    if pack.name in {"SD", "SX17"}:
        assert numbers == [None], "the texts of these two carry no number"


@pytest.mark.parametrize("pack", PACKS, ids=lambda p: p.name)
def test_every_rule_has_a_passing_and_a_failing_case(pack: Path) -> None:
    expected: dict[str, set[str]] = {rule["id"]: set() for rule in rules(pack)}
    for file in sorted((pack / "cases").glob("*.yaml")):
        document = load_yaml(file)
        assert document["rule"] in expected, f"{file.name}: no rule {document['rule']}"
        expected[document["rule"]] |= {case["expect"] for case in document["cases"]}
    poor = {rule: sorted(VERDICTS - seen) for rule, seen in expected.items() if VERDICTS - seen}
    assert not poor, f"{pack.name}: cases are missing: {poor}"


@pytest.mark.parametrize("pack", PACKS, ids=lambda p: p.name)
def test_every_rule_names_clauses_of_its_own_document(pack: Path) -> None:
    clauses = {v for value in walk(load_yaml(pack / "pack.yaml")) if isinstance(value, dict) for v in value}
    clauses |= {
        v["id"] for v in walk(load_yaml(pack / "pack.yaml")) if isinstance(v, dict) and isinstance(v.get("id"), str)
    }
    for rule in rules(pack):
        assert rule["clauses"] and set(rule["clauses"]) <= clauses, rule["id"]
        for field in ("title", "message", "next_step"):
            assert CJK.search(rule[field]["zh"]) and not CJK.search(rule[field]["en"]), f"{rule['id']}: {field}"


def test_sample_catalogs_are_labelled_as_samples() -> None:
    folders = sorted(p for p in (ROOT / "service_catalog" / "catalogs").iterdir() if p.is_dir())
    assert folders
    for folder in folders:
        assert folder.name.startswith("sample-")
        assert "示例" in "".join(p.read_text("utf-8") for p in folder.rglob("*.yaml")), folder.name


def test_sites_name_catalogs_that_exist() -> None:
    for site in site_ids():
        assert (ROOT / "service_catalog" / "catalogs" / load_site(site).catalog).is_dir(), site
