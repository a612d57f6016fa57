"""What a person settled, as statements: the value of a field, or which ids are one thing and which are not. Pure.

Such a statement names its subject by id. Ids are made of what the first witness said, so a corrected workbook may bring
the same thing under another id: the statement therefore holds what the thing was known by (`known_as`), too, which
counts only where nobody else speaks of the id any more. None of these three are fields of the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from govcloud.model.inventory import System
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.server import Server

SOURCE = "person"
SAME, APART, KNOWN_AS = "same_as", "not_same_as", "known_as"
RELATIONS = (SAME, APART)
_KEYS = ("uuid", "serial", "macs", "addresses", "zone", "name", "department")

Pair = tuple[str, str]


def build_confirmation(
    kind: SubjectKind, subject_id: str, field: str, value: Value, *, known: Any, actor: str, at: datetime, document: str
) -> Statement:
    """`known`: the entity as it is, or None. `document`: the paper that it rests on, or an empty text."""
    values: dict[str, Value] = {field: value}
    if known is not None and (told := build_known_as(known)):
        values[KNOWN_AS] = told
    place = f"person:{actor}" + (f"!{document}" if document else "")
    return Statement(
        subject_kind=kind, subject_id=subject_id, source=SOURCE, place=place, observed_at=at, values=values
    )


def build_known_as(entity: Any) -> tuple[str, ...]:
    """`address 10.1.1.1`, `name oa-01` …: what a server or a system can be recognised by."""
    if not isinstance(entity, (Server, System)):
        return ()
    lines = []
    for key in _KEYS:
        value = getattr(entity, key, None)
        lines += [f"{key} {item}" for item in (value if isinstance(value, tuple) else (value,)) if item]
    return tuple(lines)


def known_as(statements: Iterable[Statement]) -> Mapping[str, set[str]]:
    """Key -> what the statements recall."""
    found: dict[str, set[str]] = {key: set() for key in _KEYS}
    for statement in statements:
        lines = statement.values.get(KNOWN_AS)
        for line in lines if isinstance(lines, (tuple, list)) else ():
            key, _, text = str(line).partition(" ")
            if key in found:
                found[key].add(text)
    return found


def only_persons(statements: Sequence[Statement]) -> bool:
    """Nobody but people who confirmed something speaks of the id: that alone does not make it exist."""
    return all(s.source == SOURCE for s in statements)


def build_claimed(kind: SubjectKind, statements: Sequence[Statement]) -> dict[str, Any] | None:
    """Name and addresses of a server that only shows in traffic and that a person gave to a department; else None."""
    if kind != "server" or not any("department" in s.values for s in statements):
        return None
    recalled = known_as(statements)
    if not recalled["addresses"]:
        return None
    addresses = tuple(sorted(recalled["addresses"]))
    return {"name": min(recalled["name"], default=addresses[0]), "addresses": addresses}


def read_corrections(said: Mapping[str, Sequence[Statement]]) -> tuple[list[Pair], list[Pair]]:
    """(pairs that a person says are the same, pairs that they say are not), sorted; of ids that are known."""
    found: dict[str, set[Pair]] = {SAME: set(), APART: set()}
    for subject_id, statements in said.items():
        for statement in statements:
            if statement.source != SOURCE:
                continue
            for relation in RELATIONS:
                others = statement.values.get(relation)
                for other in others if isinstance(others, (tuple, list)) else ():
                    if other in said and other != subject_id:
                        found[relation].add((min(subject_id, str(other)), max(subject_id, str(other))))
    return sorted(found[SAME]), sorted(found[APART])
