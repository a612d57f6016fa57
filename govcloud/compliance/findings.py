"""What rules found of subjects, written out with the facts that it rests on and who says so. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias

from govcloud.compliance.judge import Answer, Judge
from govcloud.compliance.subjects import DERIVED, Subject
from govcloud.model.ids import build_id
from govcloud.model.observation import Observation, SubjectKind
from govcloud.model.regulation import Evidence, Finding, Standing
from govcloud.model.text import Text
from govcloud.model.zombie import CriterionVerdict, ZombieEvidence

Wanted: TypeAlias = Mapping[str, set[str]]
"""Id -> fields."""
Told: TypeAlias = Mapping[str, Mapping[str, Observation]]
Witnesses: TypeAlias = Callable[[SubjectKind, Wanted], Told]
"""Who says so; what nobody is known to have said may be left out."""
_ZOMBIE = "zombie_"
_UNDETERMINED = Text("资料不足，尚不能判定", "Not enough is known for a verdict")
_FILL_IN = Text("补齐所缺字段后重新检查", "Fill in what is missing and check again")


@dataclass(frozen=True, slots=True)
class Draft:
    judge: Judge
    standing: Standing
    subject: Subject
    answer: Answer
    """Fail or undetermined."""


def build_findings(
    drafts: Sequence[Draft], witnesses: Witnesses, stale: Callable[[Observation], bool]
) -> Iterator[Finding]:
    """Asks for the witnesses of all drafts at once: a question each would be the most of the work."""
    by_subject = [
        (subject, list(group)) for subject, group in groupby(drafts, key=attrgetter("subject"))
    ]  # fmt: skip
    used = [(s, frozenset().union(*(d.answer.used for d in group))) for s, group in by_subject]
    told = {kind: witnesses(kind, wanted) for kind, wanted in _wanted(used).items()}
    for (subject, group), (_, names) in zip(by_subject, used, strict=True):
        known = {name: _evidence(subject, name, told, stale) for name in sorted(names)}
        for draft in group:
            own = draft.answer.used
            yield _finding(draft, tuple(e for name, evidence in known.items() if name in own for e in evidence))


def _wanted(used: Iterable[tuple[Subject, frozenset[str]]]) -> dict[SubjectKind, dict[str, set[str]]]:
    wanted: dict[SubjectKind, dict[str, set[str]]] = {}
    for subject, names in used:
        derived = names & DERIVED.get(subject.kind, {}).keys()
        wanted.setdefault(subject.kind, {})[subject.subject_id] = set(names - derived)
        for name in derived:
            for fact in _behind(subject, name):
                wanted.setdefault(_kind(subject, fact), {}).setdefault(fact.subject_id, set()).add(fact.field)
    return wanted


def _behind(subject: Subject, name: str) -> tuple[ZombieEvidence, ...]:
    criterion = _criterion(subject, name)
    return criterion.evidence if criterion else ()


def _criterion(subject: Subject, name: str) -> CriterionVerdict | None:
    if subject.zombie is None or not name.startswith(_ZOMBIE):
        return None
    return next((c for c in subject.zombie.criteria if name == _ZOMBIE + c.criterion), None)


def _kind(subject: Subject, fact: ZombieEvidence) -> SubjectKind:
    return subject.kind if fact.subject_id == subject.subject_id else "server"


def _evidence(
    subject: Subject, name: str, told: Mapping[SubjectKind, Told], stale: Callable[[Observation], bool]
) -> tuple[Evidence, ...]:
    """The fact itself; of a criterion for zombies also what it was concluded from."""
    value = _text(subject.facts.get(name))
    if name in DERIVED.get(subject.kind, {}):
        behind = (_said(fact, told[_kind(subject, fact)], subject, stale) for fact in _behind(subject, name))
        return (Evidence(field=name, value=value), *behind)
    seen = told[subject.kind].get(subject.subject_id, {}).get(name)
    if seen is None:
        return (Evidence(field=name, value=value),)
    return (
        Evidence(
            field=name, value=value, source=seen.source, locator=seen.locator, observed_at=seen.observed_at,
            stale=stale(seen),
        ),
    )  # fmt: skip


def _said(fact: ZombieEvidence, told: Told, subject: Subject, stale: Callable[[Observation], bool]) -> Evidence:
    seen = told.get(fact.subject_id, {}).get(fact.field)
    return Evidence(
        field=fact.field, value=_text(fact.value),
        subject_id=None if fact.subject_id == subject.subject_id else fact.subject_id,
        source=seen.source if seen else fact.source, locator=seen.locator if seen else fact.locator,
        observed_at=seen.observed_at if seen else fact.observed_at, stale=seen is not None and stale(seen),
    )  # fmt: skip


def _missing(subject: Subject, names: frozenset[str]) -> tuple[str, ...]:
    """Of a criterion for zombies what would decide it: nobody can fill in the criterion itself."""
    found: set[str] = set()
    for name in names:
        criterion = _criterion(subject, name)
        decisive = {part.rpartition(".")[2] for part in criterion.missing} if criterion else set()
        found |= decisive or {name}
    return tuple(sorted(found))


def _finding(draft: Draft, evidence: tuple[Evidence, ...]) -> Finding:
    rule, pack, subject, answer = draft.judge.rule, draft.judge.pack, draft.subject, draft.answer
    undetermined = answer.verdict == "undetermined"
    return Finding(
        finding_id=build_id("F", rule.rule_id, subject.subject_id),
        rule_id=rule.rule_id,
        topic=rule.topic,
        subject_kind=subject.kind,
        subject_id=subject.subject_id,
        subject_name=subject.name,
        department=subject.department,
        verdict="undetermined" if undetermined else "fail",
        standing=draft.standing,
        severity=rule.severity,
        title=rule.title,
        message=_UNDETERMINED if undetermined else rule.message,
        clauses=rule.clauses,
        consequence=draft.judge.consequence,
        responsible=rule.responsible,
        responsible_term=pack.roles.get(rule.responsible),
        next_step=_FILL_IN if undetermined else rule.next_step,
        evidence=evidence,
        missing=_missing(subject, answer.missing),
        note=rule.note,
        due_on=answer.due.on if answer.due else None,
        provisional=bool(answer.due and answer.due.provisional),
    )


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "、".join(map(str, value)) or None
    return None if value is None else str(value)
