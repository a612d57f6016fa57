"""The runbook answers for every state and every reason to wait, in both languages, with commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import click
import pytest

from govcloud.cli.run import command as run
from govcloud.execution.rules import ExecutionRules
from govcloud.model.run import SystemState, WaitKind
from govcloud.model.step import StepName

RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text("utf-8")


def chapter(title: str) -> dict[str, str]:
    """Heading -> text of its section."""
    body = next(part for part in RUNBOOK.split("\n## ")[1:] if part.startswith(title))
    return {part.split("`")[1]: part for part in body.split("\n### ")[1:]}


@pytest.mark.parametrize(
    ("title", "names"), [("状态", get_args(SystemState)), ("等待的原因", get_args(WaitKind))], ids=["states", "waits"]
)
def test_every_one_has_its_section_in_both_languages(title: str, names: tuple[str, ...]) -> None:
    sections = chapter(title)
    assert list(sections) == list(names) or set(sections) == set(names)
    for name, text in sections.items():
        zh, en = text.split("**中文**")[1].split("**English**")
        assert len(re.findall(r"[\u4e00-\u9fff]", zh)) > 15, name
        assert not re.findall(r"[\u4e00-\u9fff]", en) and len(en.split()) > 8, name
        named = [set(re.findall(r"`govcloud ([a-z]+ ?[a-z-]*)", part)) for part in (zh, en)]
        assert named[0] == named[1], f"{name}: the two languages name other commands"


def test_every_command_exists_with_its_options() -> None:
    assert isinstance(run, click.Group)
    found = re.findall(r"`govcloud run ([^`]+)`", RUNBOOK)
    assert len(found) > 40
    for line in found:
        verb, *words = shlex.split(line)
        command = run.commands[verb]
        # click's own parser: unknown options are errors, what is left over or missing is seen.
        given, left, _ = command.make_parser(click.Context(command)).parse_args(list(words))
        assert not left, line
        needed = [p.name for p in command.params if isinstance(p, click.Argument) and p.required]
        assert not [name for name in needed if not isinstance(given.get(str(name)), str)], line


def test_every_setting_is_explained_and_every_step_named() -> None:
    settings = RUNBOOK.split("## 设置")[1]
    missing = [name for name in ExecutionRules.__dataclass_fields__ if f"`{name}`" not in settings]
    assert not missing
    assert not [step for step in get_args(StepName) if step not in RUNBOOK.split("## 顺序")[1].split("\n## ")[0]]
