"""Why the inventory shows what it shows: who said what of a subject, who was believed, and what changed. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from govcloud.discovery.choose import SETS, SETTLED, TYPERS, Precedence, order_of, ranks
from govcloud.discovery.compare import NEVER_IN_CONFLICT, agree
from govcloud.discovery.confirmed import KNOWN_AS
from govcloud.discovery.confirmed import SOURCE as PERSON
from govcloud.discovery.diff import build_difference
from govcloud.discovery.stale import is_stale
from govcloud.model.answers import Decision, FieldAnswer, FieldChange, Said, Told, Witness
from govcloud.model.inventory import Inventory
from govcloud.model.observation import Observation, Statement, SubjectKind
from govcloud.model.text import Text

_Asked = tuple[Text, Observation]
_PARTS = {
    "system": "systems", "server": "servers", "network": "networks", "dependency": "dependencies", "project": "projects",
    "tenant": "tenants", "department": "departments",
}  # fmt: skip


def build_field_answers(
    kind: SubjectKind,
    entity: Any,
    *,
    shown: Mapping[str, Observation],
    said: Sequence[Said],
    precedence: Precedence,
    now: datetime,
    stale_days: int,
) -> tuple[FieldAnswer, ...]:
    """Fields that are known, then those that somebody was asked about in vain, in the order of the model.

    `shown`: field -> the observation that its value was taken from. `said`: everything about all ids of the subject.
    """
    counting = [s.statement for s in said if not s.withdrawn]
    answers = []
    for field in dataclasses.fields(entity):
        if field.name == f"{kind}_id":
            continue
        value = getattr(entity, field.name)
        witness = shown.get(field.name)
        if value in (None, (), "") and witness is None:
            if asked := _asked(field.name, counting):
                answers.append(FieldAnswer(field=field.name, value=None, asked=asked))
            continue
        answers.append(_answer(kind, field.name, value, witness, counting, said, precedence, now, stale_days))
    return tuple(sorted(answers, key=lambda a: bool(a.asked)))


def _answer(
    kind: SubjectKind, field: str, value: object, witness: Observation | None, counting: Sequence[Statement],
    said: Sequence[Said], precedence: Precedence, now: datetime, stale_days: int,
) -> FieldAnswer:  # fmt: skip
    if witness is None:
        return FieldAnswer(field=field, value=value)
    stale = is_stale(field, Witness(witness.source, witness.observed_at), now, stale_days)
    order = ranks(precedence, kind, field)
    heard = [witness, *(o for o in build_ranking(kind, field, counting, precedence) if o != witness)]
    own = field in precedence or f"{kind}.{field}" in precedence or "default" in precedence
    return FieldAnswer(
        field=field, value=value, witness=witness, stale=stale, witnesses=tuple(heard),
        decision=_decision(field, heard, own), order=tuple(order),
        against=tuple(o for o in heard if field not in SETS | NEVER_IN_CONFLICT and not agree(field, heard[0].value, o.value)),
        since=build_contradictions(field, witness, said) if witness.source == PERSON else (),
    )  # fmt: skip


def build_ranking(
    kind: SubjectKind, field: str, statements: Sequence[Statement], precedence: Precedence
) -> list[Observation]:
    """What every witness says of the field now, the most trusted first: the first is the one that is believed."""
    rank = ranks(precedence, kind, field)
    newest: dict[tuple[str, str, str], Statement] = {}
    for s in statements:
        if field in s.values and field in TYPERS[kind]:
            key = (s.subject_id, s.source, s.locator(field))
            kept = newest.get(key)
            if kept is None or order_of(s, field) < order_of(kept, field):
                newest[key] = s
    ordered = sorted(
        newest.values(), key=lambda s: (rank.get(s.source, len(rank)), s.source, order_of(s, field))
    )  # fmt: skip
    if field == "os_version" and ordered:
        # `7.6` of another product says nothing about this one.
        product = next((o.value for o in build_ranking(kind, "os_name", statements, precedence)), None)
        ordered = [s for s in ordered if agree("os_name", s.values.get("os_name", product), product)]
    return [s.observation(field) for s in ordered]


def _decision(field: str, heard: Sequence[Observation], own_order: bool) -> Decision:
    if heard[0].source in SETTLED:
        return "person" if heard[0].source == PERSON else "run"
    if len(heard) == 1:
        return "only"
    if field in SETS:
        return "all"
    if heard[1].source == heard[0].source:
        return "newest"
    return "site" if own_order else "default"


def _asked(field: str, statements: Sequence[Statement]) -> tuple[_Asked, ...]:
    """The last reason of each witness that could not say."""
    found: dict[tuple[str, str], _Asked] = {}
    for s in sorted(statements, key=lambda s: s.observed_at):
        if field in s.unknown:
            observation = Observation(
                subject_kind=s.subject_kind, subject_id=s.subject_id, field=field, value=None, source=s.source,
                locator=s.locator(field), observed_at=s.observed_at,
            )  # fmt: skip
            found[(s.source, s.place)] = (s.unknown[field], observation)
    return tuple(found.values())


def build_contradictions(field: str, confirmed: Observation, said: Sequence[Said]) -> tuple[Observation, ...]:
    """What was first said after a person settled the field, and is not what they said: they could not have known it."""
    before = [s.statement.values[field] for s in said
              if field in s.statement.values and s.statement.observed_at <= confirmed.observed_at]  # fmt: skip
    news: dict[tuple[str, str], Observation] = {}
    for s in sorted((s for s in said if not s.withdrawn), key=lambda s: s.statement.observed_at):
        statement = s.statement
        if field not in statement.values or statement.source == PERSON:
            continue
        value = statement.values[field]
        key = (statement.source, statement.locator(field))
        if statement.observed_at <= confirmed.observed_at or any(agree(field, value, known) for known in before):
            news.pop(key, None)
        elif not agree(field, confirmed.value, value):
            news[key] = statement.observation(field)
    return tuple(news.values())


def build_history(said: Sequence[Said]) -> tuple[Told, ...]:
    """What each witness said of each field, oldest first; the same value again and again is one line."""
    lines: list[tuple[Told, bool]] = []
    last: dict[tuple[str, str, str, str], int] = {}
    for s in sorted(said, key=lambda s: (s.statement.observed_at, s.number)):
        statement = s.statement
        for field, value in statement.values.items():
            if field == KNOWN_AS:
                continue
            key = (statement.subject_id, statement.source, statement.locator(field), field)
            index = last.get(key)
            if index is not None:
                known, withdrawn = lines[index]
                if _same(known.value, value) and known.actor == s.actor and withdrawn == s.withdrawn:
                    again = dataclasses.replace(known, last_at=statement.observed_at, times=known.times + 1)
                    lines[index] = (again, withdrawn)
                    continue
                if known.state == "counts":
                    lines[index] = (dataclasses.replace(known, state="outdated"), withdrawn)
            last[key] = len(lines)
            told = Told(
                field=field, value=value, source=statement.source, locator=statement.locator(field), actor=s.actor,
                first_at=statement.observed_at, last_at=statement.observed_at, times=1,
                state="withdrawn" if s.withdrawn else "counts",
            )  # fmt: skip
            lines.append((told, s.withdrawn))
    return tuple(told for told, _ in lines)


def _same(one: object, other: object) -> bool:
    """A tuple comes back from the database as a list."""
    return (tuple(one) if isinstance(one, list) else one) == (tuple(other) if isinstance(other, list) else other)


def build_field_changes(
    before: Inventory, after: Inventory, *, kind: SubjectKind | None = None, department: str | None = None
) -> tuple[tuple[FieldChange, ...], int]:
    """One line a changed field, one a subject that came or went; and how many subjects are as they were.

    `department`: part of the name of the department that the subject belongs to, or did.
    """
    changes, unchanged = build_difference(before, after)
    kinds = {c.kind for c in changes}
    old = {k: {getattr(e, f"{k}_id"): e for e in getattr(before, _PARTS[k])} for k in kinds}
    new = {k: {getattr(e, f"{k}_id"): e for e in getattr(after, _PARTS[k])} for k in kinds}
    found: list[FieldChange] = []
    for change in changes:
        if kind is not None and change.kind != kind:
            continue
        was, now = old[change.kind].get(change.subject_id), new[change.kind].get(change.subject_id)
        if not _belongs(was, now, department):
            continue
        head = FieldChange(
            kind=change.kind, subject_id=change.subject_id, name=change.name, change=change.change,
            department=getattr(now if now is not None else was, "department", None),
        )  # fmt: skip
        found += [
            dataclasses.replace(head, field=f, was=getattr(was, f), now=getattr(now, f)) for f in change.fields
        ] or [head]
    return tuple(found), unchanged


def _belongs(was: Any, now: Any, department: str | None) -> bool:
    return department is None or any(department.casefold() in name.casefold() for name in _departments(was, now))


def _departments(*entities: Any) -> Iterator[str]:
    for entity in entities:
        if name := getattr(entity, "department", None):
            yield name
