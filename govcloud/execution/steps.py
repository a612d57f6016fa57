"""The steps as data: one folder under playbooks/ each, with its playbook, what it needs and how long it takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import msgspec

from govcloud import resources
from govcloud.errors import InputError
from govcloud.model.run import Step, StepName
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

PLAYBOOK = "apply.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meta:
    title: Text
    inputs: tuple[str, ...]
    reversible: bool
    repeatable: bool
    minutes: int


def folder() -> Path:
    return resources.folder("playbooks")


def load_step(name: StepName) -> Step:
    path = folder() / name / "meta.yml"
    try:
        meta = msgspec.convert(load_yaml(path), _Meta)
    except msgspec.ValidationError as error:
        raise InputError(
            Text("步骤说明不合要求：{why}", "Not a valid step description: {why}").format(why=error), where=str(path)
        ) from None
    return Step(
        name=name, title=meta.title, inputs=meta.inputs, reversible=meta.reversible, repeatable=meta.repeatable,
        minutes=meta.minutes,
    )  # fmt: skip


def load_steps() -> dict[StepName, Step]:
    return {name: load_step(name) for name in get_args(StepName)}


def expected_tasks(playbook: Path) -> list[tuple[str, str]]:
    """(host group, task name) in order: what must be reported as done. Our playbooks have plain task lists only."""
    return [(play["hosts"], task["name"]) for play in load_yaml(playbook) for task in play["tasks"]]


def playbooks_hash() -> str:
    """SHA-256 over everything that steps run: their playbooks, descriptions and our Ansible modules."""
    base = folder()
    digest = hashlib.sha256()
    for top in sorted((*get_args(StepName), "library")):
        for path in sorted((base / top).rglob("*")):
            if path.is_file() and path.suffix in (".yml", ".py"):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{path.relative_to(base).as_posix()} {content}\n".encode())
    return digest.hexdigest()
