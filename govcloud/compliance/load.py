"""Rule packs from disk. A pack that does not add up is refused with the file and the entry that is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from govcloud.compliance.conditions import ConditionError, Words, parse_condition
from govcloud.compliance.coverage import request_clauses
from govcloud.compliance.deadlines import EVENTS
from govcloud.compliance.pack_file import Entry, PackFile, read_pack_file
from govcloud.compliance.subjects import field_kinds
from govcloud.errors import InputError, UsageError
from govcloud.model.condition import All, Any, Condition, InTime, Not
from govcloud.model.observation import SubjectKind
from govcloud.model.regulation import (
    Clause,
    Deadline,
    Level,
    Limit,
    Regulation,
    RequestClauses,
    Rule,
    Severity,
)
from govcloud.model.text import Text

_LONGEST = 1000
"""Of a deadline, in working days or months."""
_FIELD = re.compile(r"\{(\w+)\}")


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
    information: Text | None = None
    not_automatable: Text | None = None


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
    limits: dict[str, Limit] = {}


def pack_ids(*roots: Path) -> list[str]:
    return sorted({path.parent.name for root in roots for path in root.glob("*/pack.yaml")})


def load_packs(
    roots: Path | Sequence[Path], ids: Sequence[str], limits: Mapping[str, float] | None = None
) -> tuple[Regulation, ...]:
    """The packs in the given order. `roots`: folders of packs; of two packs with one id the later root's counts.
    `limits`: numbers that the site sets in place of the packs' own.

    Raises UsageError for an unknown id, InputError for a pack that does not add up or a limit that none of them has.
    """
    roots = (roots,) if isinstance(roots, Path) else tuple(roots)
    folders = {path.parent.name: path.parent for root in roots for path in sorted(root.glob("*/pack.yaml"))}
    for pack_id in ids:
        if pack_id not in folders:
            raise UsageError(
                Text("没有这个法规包", "No such rule pack"),
                where=pack_id,
                next_step=Text("可选：{known}", "Choose one of: {known}").format(known=", ".join(sorted(folders))),
            )
    for name, value in (limits or {}).items():
        if not _is_limit(value):
            raise InputError(
                Text("界线须为不小于零的数：{n}", "A limit has to be a number from 0: {n}").format(n=name),
                where=f"govcloud.yaml:limits.{name}",
                next_step=Text("写一个数，或删去这一项", "Write a number, or leave it out"),
            )
    topics = load_topics(*roots)
    packs = tuple(_load_pack(folders[pack_id], topics, limits or {}) for pack_id in ids)
    known = {name for pack in packs for name in pack.limits}
    for name in limits or ():
        if name not in known:
            raise InputError(
                Text("没有规则用到这个界线：{n}", "No rule uses this limit: {n}").format(n=name),
                where=f"govcloud.yaml:limits.{name}",
                next_step=Text("可选：{known}", "Choose one of: {known}").format(known=", ".join(sorted(known))),
            )
    return packs


def load_topics(*roots: Path) -> dict[str, Text]:
    """Topic id -> title, in the order in which coverage is shown. Later roots add to and correct the earlier ones."""
    topics: dict[str, Text] = {}
    for root in roots:
        path = root / "topics.yaml"
        if path.is_file():
            topics |= read_pack_file(path, dict[str, Text]).content
    return topics


def _load_pack(folder: Path, topics: Mapping[str, Text], limits: Mapping[str, float]) -> Regulation:
    pack, rules = read_pack_file(folder / "pack.yaml", _Pack), read_pack_file(folder / "rules.yaml", _Rules)
    head = pack.content.regulation
    _check_head(pack, folder.name)
    clauses: dict[str, Clause] = {}
    for number, item in enumerate(pack.content.clauses):
        entry = ("clauses", number)
        if item.id in clauses:
            pack.refuse(entry, item.id, "条款编号重复", "this clause id is used twice")
        if item.deadline is not None:
            _check_deadline(pack, (*entry, "deadline"), item.id, item.deadline)
        clauses[item.id] = _clause(item, head)
    own_limits = _limits(rules, limits)
    _check_requests(rules, clauses, head.roles)
    made = _rules(rules, head, clauses, topics, {name: limit.value for name, limit in own_limits.items()})
    _check_treatment(pack, made, rules.content.requests)
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
        rules=made,
        requests=rules.content.requests,
        limits=own_limits,
    )


def _is_limit(value: float) -> bool:
    return math.isfinite(value) and value >= 0


def _limits(file: PackFile[_Rules], set_by_site: Mapping[str, float]) -> dict[str, Limit]:
    for name, limit in file.content.limits.items():
        if not _is_limit(limit.value):
            file.refuse(("limits", name), name, "界线须为不小于零的数", "a limit has to be a number from 0")
    return {
        name: Limit(value=set_by_site.get(name, limit.value), title=limit.title)
        for name, limit in file.content.limits.items()
    }


def _check_head(pack: PackFile[_Pack], folder: str) -> None:
    head = pack.content.regulation
    at = "regulation"
    if head.id != folder:
        pack.refuse((at, "id"), head.id, f"与文件夹名 {folder} 不符", f"the folder is called {folder}")
    if head.effective_from and head.effective_to and head.effective_to < head.effective_from:
        pack.refuse((at, "effective_to"), head.id, "失效日早于施行日", "it ends before it takes effect")
    if head.superseded_by == head.id:
        pack.refuse((at, "superseded_by"), head.id, "不能由自己取代", "it can't be replaced by itself")
    if head.issued_on and head.effective_from and head.effective_from < head.issued_on:
        pack.refuse((at, "effective_from"), head.id, "施行日早于成文日", "it takes effect before it was issued")


def _check_deadline(pack: PackFile[_Pack], entry: Entry, clause_id: str, deadline: Deadline) -> None:
    """A deadline that can't be counted would look like one that is never missed."""
    wrong: tuple[str, str] | None = None
    if deadline.event is not None and deadline.event not in EVENTS:
        wrong = f"未知事件：{deadline.event}", f"unknown event: {deadline.event}"
    elif deadline.record is not None and field_kinds("project").get(deadline.record) != "date":
        wrong = f"record 不是项目的日期字段：{deadline.record}", f"record is no date of a project: {deadline.record}"
    elif deadline.unit in ("workday", "month") and not (deadline.event and (deadline.n or 0) > 0):
        wrong = "按工作日或月计的期限须有 event 和大于零的 n", "working days and months need an event and n above zero"
    elif (deadline.n or 0) > _LONGEST:
        wrong = f"n 大于 {_LONGEST}", f"n is above {_LONGEST}"
    elif deadline.n is not None and deadline.unit not in ("workday", "month"):
        wrong = "有 n 时 unit 须为 workday 或 month", "with n the unit has to be workday or month"
    elif deadline.n_min is not None and (deadline.n is None or deadline.n_min > deadline.n):
        wrong = "n_min 大于 n", "n_min is above n"
    elif (deadline.unit == "date") != (deadline.due_on is not None):
        wrong = "unit: date 与 due_on 须同时写", "unit: date and due_on belong together"
    elif (deadline.unit == "yearly") != (deadline.month_day is not None):
        wrong = "unit: yearly 与 month_day 须同时写", "unit: yearly and month_day belong together"
    if wrong is not None:
        pack.refuse(entry, clause_id, *wrong)


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
        treatment="information" if item.information else "not_automatable" if item.not_automatable else None,
        treatment_reason=item.information or item.not_automatable,
    )


def cited(rules: Sequence[Rule], requests: RequestClauses) -> frozenset[str]:
    """Clauses that a rule tests, or that stand behind the answer to a request."""
    groups = (*request_clauses(requests).values(), *(rule.clauses for rule in rules))
    return frozenset(clause_id for group in groups for clause_id in group)


def _check_treatment(pack: PackFile[_Pack], rules: Sequence[Rule], requests: RequestClauses) -> None:
    """Every clause is tested by a rule, or says why it is not: nothing of a document gets lost."""
    tested = cited(rules, requests)
    for number, item in enumerate(pack.content.clauses):
        marks = (item.information is not None) + (item.not_automatable is not None)
        if marks + (item.id in tested) == 1:
            continue
        pack.refuse(
            ("clauses", number), item.id,
            "须有规则引用，或写明 information、not_automatable 之一及原因，且只取其一",
            "exactly one of: a rule cites it, `information:` or `not_automatable:` with the reason",
        )  # fmt: skip


def _rules(
    file: PackFile[_Rules], head: _Head, clauses: Mapping[str, Clause], topics: Mapping[str, Text], limits: Mapping[str, float]
) -> tuple[Rule, ...]:  # fmt: skip
    rules: dict[str, Rule] = {}
    for number, item in enumerate(file.content.rules):
        entry = ("rules", number)
        if item.id in rules:
            file.refuse(entry, item.id, "规则编号重复", "this rule id is used twice")
        if not item.clauses:
            file.refuse(entry, item.id, "没有引用条款", "cites no clause")
        for clause_id in item.clauses:
            if clause_id not in clauses:
                file.refuse(
                    (*entry, "clauses"), item.id, f"引用了不存在的条款：{clause_id}", f"cites an unknown clause: {clause_id}"
                )  # fmt: skip
        if item.topic not in topics:
            file.refuse((*entry, "topic"), item.id, f"未知主题：{item.topic}", f"unknown topic: {item.topic}")
        if item.responsible not in head.roles:
            file.refuse(
                (*entry, "responsible"), item.id, f"未知角色：{item.responsible}", f"unknown role: {item.responsible}"
            )
        words = _words(item, clauses, limits)
        if not words.fields:
            file.refuse(
                (*entry, "subject"), item.id, f"不支持的对象：{item.subject}", f"rules about a {item.subject} are not supported"
            )  # fmt: skip
        rules[item.id] = Rule(
            rule_id=f"{head.id}/{item.id}",
            regulation_id=head.id,
            topic=item.topic,
            subject=item.subject,
            clauses=item.clauses,
            severity=item.severity,
            responsible=item.responsible,
            title=item.title,
            message=_filled(file, (*entry, "message"), item, item.message, limits),
            next_step=_filled(file, (*entry, "next_step"), item, item.next_step, limits),
            must=_condition(file, (*entry, "must"), item, item.must, words),
            when=_condition(file, (*entry, "when"), item, item.when, words) if item.when is not None else None,
            note=_filled(file, (*entry, "note"), item, item.note, limits) if item.note else None,
        )
    return tuple(rules.values())


def _words(item: _Rule, clauses: Mapping[str, Clause], limits: Mapping[str, float]) -> Words:
    timed = {c.clause_id for c in clauses.values() if c.deadline and _can_be_late(c.deadline)}
    return Words(field_kinds(item.subject), timed, limits)


def _can_be_late(deadline: Deadline) -> bool:
    """The record dates both ends, and the text says how long it may take."""
    return bool(deadline.n and deadline.record and EVENTS.get(deadline.event or ""))


def _filled(file: PackFile[_Rules], entry: Entry, item: _Rule, text: Text, limits: Mapping[str, float]) -> Text:
    """`{little_used_pct}` in a message becomes the number that the site goes by."""
    for name in sorted({*_FIELD.findall(text.zh), *_FIELD.findall(text.en)}):
        if name not in limits:
            file.refuse(entry, item.id, f"未知界线：{{{name}}}", f"unknown limit: {{{name}}}")
        number = f"{limits[name]:g}"
        text = Text(text.zh.replace(f"{{{name}}}", number), text.en.replace(f"{{{name}}}", number))
    return text


def _condition(file: PackFile[_Rules], entry: Entry, item: _Rule, data: object, words: Words) -> Condition:
    try:
        condition = parse_condition(data, words)
    except ConditionError as error:
        file.refuse(entry, item.id, f"条件有误：{error.what.zh}", f"condition: {error.what.en}")
    if item.subject != "project" and _asks_time(condition):
        file.refuse(entry, item.id, "in_time 只用于项目", "in_time is for projects only")
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


def _check_requests(file: PackFile[_Rules], clauses: Mapping[str, Clause], roles: Mapping[str, str | None]) -> None:
    requests = file.content.requests
    for name, clause_ids in request_clauses(requests).items():
        for clause_id in clause_ids:
            if clause_id not in clauses:
                file.refuse(
                    ("requests", name), "requests",
                    f"引用了不存在的条款：{clause_id}", f"cites an unknown clause: {clause_id}",
                )  # fmt: skip
    role = requests.exception_role
    if role is not None and role not in roles:
        file.refuse(("requests", "exception_role"), "requests", f"未知角色：{role}", f"unknown role: {role}")
