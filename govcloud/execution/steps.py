"""The steps as data: one folder under playbooks/ each, with its playbooks, what they need and how long they take."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec

from govcloud import resources
from govcloud.errors import InputError
from govcloud.model.migration import MigrationSpec
from govcloud.model.step import GateKind, Phase, Step, StepName, Touches
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

ORDER: tuple[StepName, ...] = get_args(StepName)
SOURCE_UNTOUCHED: frozenset[StepName] = frozenset({"precheck", "provision", "prepare", "replicate", "rehearse"})
"""Steps that leave the source serving: their failure needs no way back."""
WAY_BACK: tuple[StepName, ...] = ("cutover", "network_move", "freeze", "prepare")
"""What a way back undoes, in this order: users first, then the source, the target last."""

MAX_MINUTES = 24 * 60
_FIGURES: Mapping[str, type] = {"minutes": int, "minutes_per_gib": float, "undo_minutes": int}
"""What a site may state of a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meta:
    title: Text
    inputs: tuple[str, ...]
    touches: Touches
    reversible: bool
    undo: Text
    repeatable: bool
    point_of_no_return: bool = False
    gate: GateKind = "none"
    minutes: int
    minutes_per_gib: float = 0.0
    undo_minutes: int = 0
    idle_s: int = 900
    batch: int = 50


def folder() -> Path:
    return resources.folder("playbooks")


def playbook(step: str, phase: str = "apply") -> Path:
    return folder() / step / f"{phase}.yml"


def has_phase(step: StepName, phase: Phase) -> bool:
    return playbook(step, phase).is_file()


def load_step(name: StepName) -> Step:
    path = folder() / name / "meta.yml"
    try:
        meta = msgspec.convert(load_yaml(path), _Meta)
    except msgspec.ValidationError as error:
        raise InputError(
            Text("步骤说明不合要求：{why}", "Not a valid step description: {why}").format(why=error), where=str(path)
        ) from None
    return Step(name=name, **{key: getattr(meta, key) for key in _Meta.__dataclass_fields__})


@cache
def load_steps() -> dict[StepName, Step]:
    return {name: load_step(name) for name in ORDER}


def site_steps(section: Mapping[str, object], where: str = "govcloud.yaml") -> Mapping[StepName, Step]:
    """The steps with the site's own figures: the `steps:` section of the settings, {step: {minutes, minutes_per_gib, undo_minutes}}.

    Raises InputError for steps and keys that there are not, and for what is no number of minutes.
    """
    found: dict[StepName, Step] = dict(load_steps())
    for name, figures in section.items():
        step = next((s for s in ORDER if s == name), None)
        if step is None:
            words = Text("没有步骤 {n}，可用：{k}", "there is no step {n}; known are {k}")
            raise _no_figures(words.format(n=str(name)[:60], k=", ".join(ORDER)), where)
        found[step] = replace(found[step], **_figures(step, figures, where))
    return found


def _figures(name: StepName, figures: object, where: str) -> dict[str, Any]:
    if not isinstance(figures, dict) or not figures.keys() <= _FIGURES.keys():
        words = Text("steps.{n} 可写：{k}", "steps.{n} may state: {k}")
        raise _no_figures(words.format(n=name, k=", ".join(_FIGURES)), where)
    for key, value in figures.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= value <= MAX_MINUTES or (_FIGURES[key] is int and not isinstance(value, int)):
            words = Text(
                "steps.{n}.{k} 应为 0 到 {m} 的{w}，不是 {v}", "steps.{n}.{k} must be {w} from 0 to {m}, not {v}"
            )
            kind = Text("整数（分钟）", "whole minutes") if _FIGURES[key] is int else Text("分钟数", "minutes")
            raise _no_figures(words.format(n=name, k=key, m=MAX_MINUTES, w=kind, v=repr(value)[:60]), where)
    return figures


def _no_figures(why: Text, where: str) -> InputError:
    return InputError(
        Text("steps 部分不合要求：{why}", "The steps section is not valid: {why}").format(why=why),
        where=where,
        next_step=Text("对照 docs/planning.md 改正", "Correct it after docs/planning.md"),
    )


def applicable(spec: MigrationSpec) -> tuple[StepName, ...]:
    """The steps of this system, in order."""
    absent: set[StepName] = set()
    if not any(machine.provision for machine in spec.machines):
        absent.add("provision")
    if spec.network is None:
        absent.add("network_move")
    return tuple(name for name in ORDER if name not in absent)


@cache
def expected_tasks(path: Path) -> tuple[str, ...]:
    """Task names in order: what must be reported as done for each system. Our playbooks have one play with a plain task
    list each."""
    return tuple(task["name"] for play in load_yaml(path) for task in play["tasks"])


def playbooks_hash() -> str:
    """SHA-256 over everything that steps run: their playbooks, descriptions and our Ansible modules."""
    base = folder()
    found = tuple(
        (path.relative_to(base).as_posix(), path.stat().st_mtime_ns, path.stat().st_size)
        for top in sorted((*ORDER, "library"))
        for path in sorted((base / top).rglob("*"))
        if path.suffix in (".yml", ".py") and path.is_file()
    )
    return _hash(base, found)


@cache
def _hash(base: Path, found: tuple[tuple[str, int, int], ...]) -> str:
    """Once per state of the folder: a run of a thousand systems asks for it at every claim."""
    digest = hashlib.sha256()
    for name, _, _ in found:
        digest.update(f"{name} {hashlib.sha256((base / name).read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
