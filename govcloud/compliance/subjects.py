"""What a rule can ask about each kind of subject: the model's own fields and a few that are worked out from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import get_args, get_type_hints

from govcloud.compliance.conditions import Kind
from govcloud.model.inventory import Inventory, Network, Project, System
from govcloud.model.observation import SubjectKind
from govcloud.model.server import Server

_MODELS: dict[SubjectKind, type] = {"system": System, "server": Server, "network": Network, "project": Project}
DERIVED: dict[SubjectKind, dict[str, Kind]] = {
    "system": {"projects": "list"},
    "project": {"unknown_systems": "list"},
}
"""`projects`: ids of the projects that list the system. `unknown_systems`: ids a project lists and nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    kind: SubjectKind
    subject_id: str
    name: str
    department: str | None
    facts: Mapping[str, object]
    project: Project | None = None
    """The record itself, for questions of time."""


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


def subjects(inventory: Inventory, kind: SubjectKind) -> Iterator[Subject]:
    """The inventory's subjects of one kind, in its order."""
    if kind == "system":
        listed: dict[str, list[str]] = {}
        for project in inventory.projects:
            for system_id in project.systems:
                listed.setdefault(system_id, []).append(project.project_id)
        for system in inventory.systems:
            # Without any project record the question is open, not answered with "none".
            derived = {"projects": tuple(listed.get(system.system_id, ())) if inventory.projects else None}
            yield _subject(kind, system.system_id, system, derived)
    elif kind == "project":
        known = {s.system_id for s in inventory.systems}
        for project in inventory.projects:
            yield _subject(kind, project.project_id, project, {
                "unknown_systems": tuple(s for s in project.systems if s not in known)
            })  # fmt: skip
    elif kind == "network":
        for network in inventory.networks:
            yield _subject(kind, network.network_id, network, {})
    elif kind == "server":
        for server in inventory.servers:
            yield _subject(kind, server.server_id, server, {})


def _subject(
    kind: SubjectKind, subject_id: str, entity: System | Server | Network | Project, derived: Mapping[str, object]
) -> Subject:
    facts = {f.name: getattr(entity, f.name) for f in fields(entity)}
    return Subject(
        kind=kind,
        subject_id=subject_id,
        name=entity.name,
        department=entity.department,
        facts={**facts, **derived},
        project=entity if isinstance(entity, Project) else None,
    )
