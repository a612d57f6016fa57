"""What a rule can ask about each kind of subject: the model's own fields and a few that are worked out from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import get_args, get_type_hints

from govcloud.compliance.conditions import Kind
from govcloud.model.inventory import Inventory, Network, Project, System
from govcloud.model.observation import SubjectKind
from govcloud.model.server import Server
from govcloud.model.zombie import CRITERIA, ZombieVerdict

_MODELS: dict[SubjectKind, type] = {"system": System, "server": Server, "network": Network, "project": Project}
_NAMES = {kind: tuple(f.name for f in fields(model)) for kind, model in _MODELS.items()}
_MET = {"met": True, "not_met": False}
DERIVED: dict[SubjectKind, dict[str, Kind]] = {
    "system": {"projects": "list", "accepted_on": "date", **{f"zombie_{criterion}": "flag" for criterion in CRITERIA}},
    "project": {"unknown_systems": "list", "unknown_networks": "list", "unfiled_changes": "list", "late_changes": "list"},
}  # fmt: skip
"""`projects`: ids of the projects that list the system; `accepted_on`: the latest acceptance among them; `zombie_*`: the
criteria of SX17-2.1b. `unknown_systems`, `unknown_networks`: what a project lists and nobody knows; `unfiled_changes`,
`late_changes`: its changes without a date of filing, and those filed after they were made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    kind: SubjectKind
    subject_id: str
    name: str
    department: str | None
    facts: Mapping[str, object]
    project: Project | None = None
    """The record itself, for questions of time."""
    zombie: ZombieVerdict | None = None
    """Of a system: what its `zombie_*` facts rest on."""


def field_kinds(kind: SubjectKind) -> dict[str, Kind]:
    """Field name -> what it holds, for every field a rule over this kind of subject may use. Empty: no such rules."""
    model = _MODELS.get(kind)
    if model is None:
        return {}
    hints = get_type_hints(model)
    return {f.name: _kind(hints[f.name]) for f in fields(model)} | DERIVED.get(kind, {})


def _kind(hint: object) -> Kind:
    options = [a for a in get_args(hint) if a is not type(None)] or [hint]
    if date in options:
        return "date"
    if bool in options:
        return "flag"
    if int in options or float in options:
        return "number"
    return "list" if str(hint).startswith("tuple") else "text"


def subjects(
    inventory: Inventory, kind: SubjectKind, zombies: Mapping[str, ZombieVerdict] | None = None
) -> Iterator[Subject]:
    """The inventory's subjects of one kind, in its order. `zombies`: system id -> verdict; without it the criteria are unknown."""
    if kind == "system":
        yield from _systems(inventory, zombies or {})
    elif kind == "project":
        systems = {name for s in inventory.systems for name in (s.system_id, s.name)}
        networks = {name for n in inventory.networks for name in (n.network_id, n.name)}
        for project in inventory.projects:
            yield _subject(kind, project.project_id, project, {
                "unknown_systems": tuple(s for s in project.systems if s not in systems),
                "unknown_networks": tuple(n for n in project.networks if n not in networks),
                "unfiled_changes": tuple(c.what for c in project.changes if c.filed_on is None),
                "late_changes": tuple(
                    c.what for c in project.changes if c.filed_on and c.changed_on and c.filed_on > c.changed_on
                ),
            })  # fmt: skip
    elif kind == "network":
        for network in inventory.networks:
            yield _subject(kind, network.network_id, network, {})
    elif kind == "server":
        for server in inventory.servers:
            yield _subject(kind, server.server_id, server, {})


def _systems(inventory: Inventory, zombies: Mapping[str, ZombieVerdict]) -> Iterator[Subject]:
    # Registers name systems by id or by name; a name that two systems have tells nothing.
    names = Counter(system.name for system in inventory.systems)
    listed: dict[str, list[Project]] = {}
    for project in inventory.projects:
        for name in dict.fromkeys(project.systems):
            listed.setdefault(name, []).append(project)
    for system in inventory.systems:
        projects = listed.get(system.system_id, [])
        if names[system.name] == 1 and system.name != system.system_id:
            projects = projects + [p for p in listed.get(system.name, ()) if p not in projects]
        accepted = [p.acceptance_completed_on for p in projects if p.acceptance_completed_on is not None]
        zombie = zombies.get(system.system_id)
        yield _subject("system", system.system_id, system, {
            # Without any project record the question is open, not answered with "none".
            "projects": tuple(p.project_id for p in projects) if inventory.projects else None,
            "accepted_on": max(accepted, default=None),
            **({f"zombie_{c.criterion}": _MET.get(c.verdict) for c in zombie.criteria} if zombie else {}),
        }, zombie)  # fmt: skip


def _subject(
    kind: SubjectKind, subject_id: str, entity: System | Server | Network | Project, derived: Mapping[str, object],
    zombie: ZombieVerdict | None = None,
) -> Subject:  # fmt: skip
    facts = {name: getattr(entity, name) for name in _NAMES[kind]}
    return Subject(
        kind=kind,
        subject_id=subject_id,
        name=entity.name,
        department=entity.department,
        facts={**facts, **derived},
        project=entity if isinstance(entity, Project) else None,
        zombie=zombie,
    )
