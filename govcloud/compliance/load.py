"""Rule packs from disk. A pack that does not add up is refused with the file and the entry that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec

from govcloud.compliance.conditions import ConditionError, parse_condition
from govcloud.compliance.deadlines import EVENTS
from govcloud.compliance.subjects import field_kinds
from govcloud.errors import InputError, UsageError
from govcloud.model.condition import All, Any, Condition, InTime, Not
from govcloud.model.observation import SubjectKind
from govcloud.model.regulation import (
    Clause,
    Deadline,
    Level,
    Regulation,
    RequestClauses,
    Rule,
    Severity,
)
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

T = TypeVar("T")


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: Text
    number: str | None
    issuer: str | None
    level: Level
    issued_on: date | None
    effective_from: date | None
    effective_to: date | None
    superseded_by: str | None
    scope: Text
    roles: dict[str, str | None]
    note: Text | None = None


class _Clause(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    article: str
    topics: tuple[str, ...]
    zh: str
    en: str
    who: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    deadline: Deadline | None = None
    deadline_note: Text | None = None
    consequence: Text | None = None
    reaches: tuple[Level, ...] = ()


class _Pack(msgspec.Struct, forbid_unknown_fields=True):
    regulation: _Head
    clauses: list[_Clause]


class _Rule(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    topic: str
    subject: SubjectKind
    clauses: tuple[str, ...]
    severity: Severity
    responsible: str
    title: Text
    message: Text
    next_step: Text
    must: dict[str, object]
    when: dict[str, object] | None = None
    note: Text | None = None


class _Rules(msgspec.Struct, forbid_unknown_fields=True):
    rules: list[_Rule]
    requests: RequestClauses = msgspec.field(default_factory=RequestClauses)


def pack_ids(root: Path) -> list[str]:
    return sorted(path.parent.name for path in root.glob("*/pack.yaml"))


def load_packs(root: Path, ids: Sequence[str]) -> tuple[Regulation, ...]:
    """The packs in the given order. Raises UsageError for an unknown id, InputError for a pack that does not add up."""
    known = pack_ids(root)
    for pack_id in ids:
        if pack_id not in known:
            raise UsageError(
                Text("没有这个法规包", "No such rule pack"),
                where=pack_id,
                next_step=Text("可选：{known}", "Choose one of: {known}").format(known=", ".join(known)),
            )
    topics = load_topics(root)
    return tuple(_load_pack(root / pack_id, topics) for pack_id in ids)


def load_topics(root: Path) -> dict[str, Text]:
    """Topic id -> title, in the order in which coverage is shown."""
    return _convert(root / "topics.yaml", dict[str, Text])


def _load_pack(folder: Path, topics: Mapping[str, Text]) -> Regulation:
    path = folder / "pack.yaml"
    raw = _convert(path, _Pack)
    head = raw.regulation
    if head.id != folder.name:
        _refuse(path, "regulation.id", f"{head.id} != {folder.name}")
    clauses: dict[str, Clause] = {}
    for item in raw.clauses:
        if item.id in clauses:
            _refuse(path, item.id, "条款编号重复", "this clause id is used twice")
        if item.deadline and item.deadline.event and item.deadline.event not in EVENTS:
            _refuse(path, item.id, f"未知事件：{item.deadline.event}", f"unknown event: {item.deadline.event}")
        clauses[item.id] = _clause(item, head)
    rules_path = folder / "rules.yaml"
    rules = _convert(rules_path, _Rules)
    _check_requests(rules.requests, clauses, rules_path)
    return Regulation(
        regulation_id=head.id,
        title=head.title,
        number=head.number,
        issuer=head.issuer,
        level=head.level,
        issued_on=head.issued_on,
        effective_from=head.effective_from,
        effective_to=head.effective_to,
        superseded_by=head.superseded_by,
        scope=head.scope,
        note=head.note,
        roles=head.roles,
        clauses=clauses,
        rules=_rules(rules.rules, head, clauses, topics, rules_path),
        requests=rules.requests,
    )


def _clause(item: _Clause, head: _Head) -> Clause:
    return Clause(
        clause_id=item.id,
        regulation_id=head.id,
        article=item.article,
        topics=item.topics,
        obligation=Text(item.zh, item.en),
        who=item.who,
        to=item.to,
        deadline=item.deadline,
        deadline_note=item.deadline_note,
        consequence=item.consequence,
        reaches=item.reaches or (head.level,),
    )


def _rules(
    items: Sequence[_Rule], head: _Head, clauses: Mapping[str, Clause], topics: Mapping[str, Text], path: Path
) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for item in items:
        if item.id in rules:
            _refuse(path, item.id, "规则编号重复", "this rule id is used twice")
        if not item.clauses:
            _refuse(path, item.id, "没有引用条款", "cites no clause")
        for clause_id in item.clauses:
            if clause_id not in clauses:
                _refuse(path, item.id, f"引用了不存在的条款：{clause_id}", f"cites an unknown clause: {clause_id}")
        if item.topic not in topics:
            _refuse(path, item.id, f"未知主题：{item.topic}", f"unknown topic: {item.topic}")
        if item.responsible not in head.roles:
            _refuse(path, item.id, f"未知角色：{item.responsible}", f"unknown role: {item.responsible}")
        rules[item.id] = Rule(
            rule_id=f"{head.id}/{item.id}",
            regulation_id=head.id,
            topic=item.topic,
            subject=item.subject,
            clauses=item.clauses,
            severity=item.severity,
            responsible=item.responsible,
            title=item.title,
            message=item.message,
            next_step=item.next_step,
            must=_condition(item, item.must, clauses, path),
            when=_condition(item, item.when, clauses, path) if item.when is not None else None,
            note=item.note,
        )
    return tuple(rules.values())


def _condition(item: _Rule, data: object, clauses: Mapping[str, Clause], path: Path) -> Condition:
    kinds = field_kinds(item.subject)
    if not kinds:
        _refuse(path, item.id, f"不支持的对象：{item.subject}", f"rules about a {item.subject} are not supported")
    timed = {c.clause_id for c in clauses.values() if c.deadline and c.deadline.event and c.deadline.record}
    try:
        condition = parse_condition(data, kinds, timed)
    except ConditionError as error:
        _refuse(path, item.id, f"条件有误：{error}", f"condition: {error}")
    if item.subject != "project" and _asks_time(condition):
        _refuse(path, item.id, "in_time 只用于项目", "in_time is for projects only")
    return condition


def _asks_time(condition: Condition) -> bool:
    match condition:
        case All(parts) | Any(parts):
            return any(_asks_time(part) for part in parts)
        case Not(part):
            return _asks_time(part)
        case InTime():
            return True
    return False


def _check_requests(requests: RequestClauses, clauses: Mapping[str, Clause], path: Path) -> None:
    named = (requests.use_catalog, requests.no_duplicates, requests.own_cloud, requests.own_network, requests.exception)
    for clause_id in (c for group in named for c in group):
        if clause_id not in clauses:
            _refuse(path, "requests", f"引用了不存在的条款：{clause_id}", f"cites an unknown clause: {clause_id}")


def _convert(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.convert(load_yaml(path), kind)
    except msgspec.ValidationError as error:
        _refuse(path, "", f"不合格式：{error}", f"not in the expected form: {error}")


def _refuse(path: Path, entry: str, zh: str, en: str | None = None) -> NoReturn:
    raise InputError(
        Text("法规包有误：{what}", "The rule pack is faulty: {what}").format(what=Text(zh, en or zh)),
        where=f"{path}:{entry}" if entry else str(path),
        next_step=Text("对照 docs/formats.md 改正这一项", "Correct this entry; docs/formats.md has the format"),
    )
