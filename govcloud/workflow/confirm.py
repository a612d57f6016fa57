"""What a person settles: values of fields, and which ids are one thing. No import overrides it; nothing is ever deleted.

Every question has a source of its own (`person:server:V-1:memory_gib`), of which the newest batch counts, as with files:
a new answer replaces the old one, and a batch without statements takes it back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from sqlalchemy import Connection

from govcloud.discovery.answer_sheet import Answer, answerable_fields, find_field, parse_answer, read_answers
from govcloud.discovery.cells import fold
from govcloud.discovery.columns import ColumnMap, load_column_maps
from govcloud.discovery.confirmed import RELATIONS, SAME, SOURCE, build_confirmation
from govcloud.discovery.explain import build_contradictions
from govcloud.discovery.workbook import load_workbook
from govcloud.errors import GovcloudError, UsageError
from govcloud.model.answers import Confirmation, Said, Settled
from govcloud.model.collect import RowError
from govcloud.model.ledger import LedgerEntry
from govcloud.model.observation import Observation, Statement, SubjectKind, Value
from govcloud.model.text import Text
from govcloud.report import words
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import listing
from govcloud.store.codec import encode
from govcloud.store.inventory import Batch
from govcloud.store.listing import StoredEntity
from govcloud.workflow.session import Session
from govcloud.workflow.statements import batch_id, count_changes, merge_inventory

Relation = Literal["same_as", "not_same_as"]


def confirm_field(session: Session, subject: str, field: str, value: str, reason: str, document: str = "") -> Settled:
    """Settle one field. Raises UsageError where subject, field or value can't be meant."""
    answer = Answer(subject=subject, field=field, text=value, reason=reason, document=document)
    return _settle(session, [answer], [])


def confirm_file(session: Session, path: Path, reason: str | None) -> Settled:
    """Settle every field of a list with an answer. Good answers are taken, bad ones told. `reason`: for rows without one."""
    workbook = load_workbook(path)
    answers, problems = read_answers(workbook)
    return _settle(session, answers, problems, file=workbook.path.name, reason=reason)


def withdraw_field(session: Session, subject: str, field: str, reason: str) -> Settled:
    """Take a confirmation back. Raises UsageError where there is none."""
    with session.store.begin() as tx:
        entity = _subject(tx, subject)
        name = _field(session, entity.kind, field)
        ids = _ids(entity)
        standing = [b for b in _standing(tx) if b.body["kind"] == entity.kind and b.body["field"] == name
                    and b.body["subject_id"] in ids]  # fmt: skip
        return _withdraw(session, tx, standing, subject, reason)


def confirm_identity(
    session: Session, subject: str, other: str, relation: Relation, reason: str, document: str = ""
) -> Settled:
    """Say that two ids are one thing, or are not. Raises UsageError where they can't be, or another confirmation says
    the opposite."""
    at = session.now()
    with session.store.begin() as tx:
        one, two = _raw_id(tx, subject), _raw_id(tx, other)
        if one[0] != two[0] or one[0] not in ("server", "system") or one[1] == two[1]:
            raise UsageError(
                Text("只能说两台服务器、或两个系统是不是同一个", "Only two servers, or two systems, can be said to be the same or not"),
                where=f"{subject}, {other}", next_step=_MEMBERS,
            )  # fmt: skip
        (kind, subject_id), (_, other_id) = sorted((one, two), key=lambda pair: pair[1])
        statement = build_confirmation(
            kind, subject_id, relation, (other_id,), known=None, actor=session.actor, at=at, document=document
        )
        source = f"{SOURCE}:{kind}:{subject_id}:{other_id}"
        made = _confirmation(statement, relation, reason, document, session.actor)
        _add(session, tx, source, at, made, [statement])
        changes = merge_inventory(session, tx).changes
        if not all(map(partial(_holds, tx), _standing(tx))):
            raise UsageError(
                Text("与已有的确认矛盾", "It contradicts what was confirmed before"), where=f"{subject_id}, {other_id}",
                next_step=Text("查看 govcloud inventory confirmations，先撤回其中一条",
                               "See govcloud inventory confirmations; take one of them back first"),
            )  # fmt: skip
        _record(session, tx, at, {"confirmed": [_told(made)], **count_changes(changes)})
    return Settled(confirmed=(made,), changes=changes)


def _holds(tx: Connection, batch: Batch) -> bool:
    """Whether the merge could follow what a person said of two ids; of ids that nobody speaks of any more it can."""
    if batch.body["field"] not in RELATIONS:
        return True
    one, two = (
        listing.standing_for(tx, batch.body["kind"], i) for i in (batch.body["subject_id"], batch.body["value"][0])
    )
    return one is None or two is None or (one == two) == (batch.body["field"] == SAME)


def withdraw_identity(session: Session, subject: str, other: str, relation: Relation, reason: str) -> Settled:
    with session.store.begin() as tx:
        pair = {_raw_id(tx, subject)[1], _raw_id(tx, other)[1]}
        standing = [b for b in _standing(tx) if b.body["field"] == relation
                    and {b.body["subject_id"], *b.body["value"]} == pair]  # fmt: skip
        return _withdraw(session, tx, standing, subject, reason)


def list_confirmations(session: Session, department: str | None = None) -> tuple[Confirmation, ...]:
    """What stands, oldest first, with what witnesses have said against it since."""
    found = []
    with session.store.read() as tx:
        for batch in _standing(tx):
            body = batch.body
            entity = _entity_of(tx, body["kind"], body["subject_id"])
            owner = getattr(entity.entity, "department", None) if entity else None
            if department is not None and department.casefold() not in (owner or "").casefold():
                continue
            since: tuple[Observation, ...] = ()
            if entity is not None and body["field"] not in RELATIONS:
                since = _contradictions(batch, listing.load_said(tx, entity.kind, _ids(entity)))
            found.append(_of_batch(batch, name=_name(entity), since=since))
    return tuple(found)


def count_contradicted(session: Session, department: str | None = None) -> int:
    return sum(1 for c in list_confirmations(session, department) if c.since)


_MEMBERS = Text("编号见 govcloud inventory show 编号 --why", "See the ids with govcloud inventory show ID --why")


def _settle(
    session: Session, answers: Sequence[Answer], problems: Sequence[RowError], file: str = "", reason: str | None = None
) -> Settled:
    """One batch an answer, one merge, one ledger record. Without `file` a bad answer raises; with it, it is told."""
    maps, _ = load_column_maps(session.workspace.path)
    at = session.now()
    found, unchanged, faults = [], 0, list(problems)
    with session.store.begin() as tx:
        standing = {b.source: b for b in _standing(tx)}
        for answer in answers:
            try:
                statement, made = _statement(session, tx, answer, maps, at, reason)
            except GovcloudError as error:
                if not file:
                    raise
                faults.append(RowError(file=file, sheet="", cell=answer.cell, read=answer.text, expected=error.what))
                continue
            source = f"{SOURCE}:{made.kind}:{made.subject_id}:{made.field}"
            if source in standing and _told(_of_batch(standing[source])) == _told(made):
                unchanged += 1
                continue
            _add(session, tx, source, at, made, [statement])
            found.append(made)
        changes = merge_inventory(session, tx).changes if found else ()
        if found:
            body = {"confirmed": [_told(c) for c in found], **({"file": file} if file else {})}
            _record(session, tx, at, {**body, **count_changes(changes)})
    return Settled(confirmed=tuple(found), unchanged=unchanged, problems=tuple(faults), changes=changes)


def _statement(
    session: Session, tx: Connection, answer: Answer, maps: Sequence[ColumnMap], at: datetime, reason: str | None
) -> tuple[Statement, Confirmation]:
    entity = _subject(tx, answer.subject)
    field = _field(session, entity.kind, answer.field)
    if not (why := answer.reason or reason or ""):
        raise UsageError(Text("确认要写理由（reason）", "A confirmation needs its reason"), where=answer.subject)
    shown = words.VALUES.get(field) or (_kind_words(entity.kind) if field == "kind" else {})
    read = parse_answer(entity.kind, field, answer.text, maps, {code: (t.zh, t.en) for code, t in shown.items()})
    if read.expected is not None:
        raise UsageError(
            Text("确认值“{v}”读不出来，应为{e}", "The value {v} can't be read; expected {e}").format(
                v=answer.text, e=read.expected
            ),
            where=f"{entity.entity_id} {field}",
        )
    value = _server_ids(tx, read.value) if field == "servers" else read.value
    statement = build_confirmation(
        entity.kind, entity.entity_id, field, value, known=entity.entity, actor=session.actor, at=at, document=answer.document,
    )  # fmt: skip
    return statement, _confirmation(statement, field, why, answer.document, session.actor, name=_name(entity))


def _kind_words(kind: SubjectKind) -> Mapping[str, Text]:
    return {"network": words.NETWORK_KIND, "dependency": words.DEPENDENCY_KIND}.get(kind, {})


def _field(session: Session, kind: SubjectKind, text: str) -> str:
    maps, _ = load_column_maps(session.workspace.path)
    known = answerable_fields(kind)
    titled = next(
        (f for f in known if fold(text) in map(fold, (words.field_title(f).zh, words.field_title(f).en))), None
    )
    found = find_field(kind, text, maps) or titled
    if found is None:
        raise UsageError(
            Text("{k}没有可以确认的字段：{f}", "A {k} has no field that can be confirmed: {f}").format(
                k=words.SUBJECTS[kind], f=text
            ),
            where=text, next_step=Text("可用：{k}", "Known: {k}").format(k=", ".join(known)),
        )  # fmt: skip
    return found


def _server_ids(tx: Connection, value: Value) -> Value:
    """Names and addresses of servers as their ids."""
    found = []
    for text in value if isinstance(value, (tuple, list)) else ():
        ids = [i for kind, i in listing.find_entities(tx, str(text)) if kind == "server"]
        if len(ids) != 1:
            what = Text("不是唯一的一台服务器：{t}", "Not exactly one server: {t}").format(t=text)
            raise UsageError(what, where=str(text), next_step=_MEMBERS)
        found += ids
    return tuple(found)


def _subject(tx: Connection, text: str) -> StoredEntity:
    """The one entity with this id, name or address. Raises UsageError for none or several."""
    named = listing.entities_with_id(tx, text) or listing.find_entities(tx, text)
    if len(named) != 1:
        what = (
            Text("不止一个对象叫这个：{t}", "More than one thing is called so: {t}").format(t=", ".join(i for _, i in named))
            if named else Text("清单里没有这个编号、名称或地址", "The inventory has no such id, name or address")
        )  # fmt: skip
        raise UsageError(
            what, where=text, next_step=Text("用编号指明，见 govcloud inventory systems 或 servers",
                                             "Name it by its id; see govcloud inventory systems, or servers"),
        )  # fmt: skip
    kind, entity_id = named[0]
    return listing.load_entities(tx, kind, [entity_id])[0]


def _raw_id(tx: Connection, text: str) -> tuple[SubjectKind, str]:
    """The id that a person means: also one that is joined with another, or was before a confirmation split it off."""
    if kind := listing.kind_of_raw_id(tx, text.strip()):
        return kind, text.strip()
    entity = _subject(tx, text)
    return entity.kind, entity.entity_id


def _entity_of(tx: Connection, kind: SubjectKind, raw_id: str) -> StoredEntity | None:
    found = listing.load_entities(tx, kind, [_group(tx, kind, raw_id)])
    return found[0] if found else None


def _group(tx: Connection, kind: SubjectKind, raw_id: str) -> str:
    """The id that stands for it."""
    return listing.standing_for(tx, kind, raw_id) or raw_id


def _ids(entity: StoredEntity) -> set[str]:
    return {entity.entity_id, *(m.subject_id for m in entity.members), *(m.with_id for m in entity.members)}


def _name(entity: StoredEntity | None) -> str:
    if entity is None:
        return ""
    name = getattr(entity.entity, "name", None)
    return name or f"{entity.entity.source_id} → {entity.entity.target_id}"


def _standing(tx: Connection) -> list[Batch]:
    return [b for b in inventory_store.current_batches(tx, inventory_store.CONFIRM) if "withdrawn" not in b.body]


def _withdraw(session: Session, tx: Connection, standing: Sequence[Batch], subject: str, reason: str) -> Settled:
    if not standing:
        raise UsageError(
            Text("没有可以撤回的确认", "There is no such confirmation to take back"), where=subject,
            next_step=Text("查看 govcloud inventory confirmations", "See govcloud inventory confirmations"),
        )  # fmt: skip
    at = session.now()
    for batch in standing:
        body = {**batch.body, "withdrawn": batch.batch_id, "reason": reason}
        digest = hashlib.sha256(encode(body).encode()).hexdigest()
        inventory_store.add_batch(
            tx, batch_id=batch_id(tx, digest), kind=inventory_store.CONFIRM, source=batch.source, sha256=digest, at=at,
            actor=session.actor, body=body,
        )  # fmt: skip
    changes = merge_inventory(session, tx).changes
    taken = tuple(_of_batch(b) for b in standing)
    _record(
        session, tx, at, {"withdrawn": [_told(c) for c in taken], "reason": reason, **count_changes(changes)}
    )  # fmt: skip
    return Settled(withdrawn=taken, changes=changes)


def _add(
    session: Session, tx: Connection, source: str, at: datetime, made: Confirmation, statements: Sequence[Statement]
) -> None:
    digest = hashlib.sha256(encode(statements).encode()).hexdigest()
    number = inventory_store.add_batch(
        tx, batch_id=batch_id(tx, digest), kind=inventory_store.CONFIRM, source=source, sha256=digest, at=at,
        actor=session.actor, body={"kind": made.kind, "subject_id": made.subject_id, "field": made.field,
                                   "value": made.value, "reason": made.reason, "document": made.document},
    )  # fmt: skip
    inventory_store.add_statements(tx, number, statements)


def _confirmation(
    statement: Statement, field: str, reason: str, document: str, actor: str, name: str = ""
) -> Confirmation:
    return Confirmation(
        kind=statement.subject_kind, subject_id=statement.subject_id, field=field, value=statement.values[field],
        actor=actor, at=statement.observed_at, reason=reason, document=document, name=name,
    )  # fmt: skip


def _of_batch(batch: Batch, name: str = "", since: tuple[Observation, ...] = ()) -> Confirmation:
    body: Any = batch.body
    value = tuple(body["value"]) if isinstance(body["value"], list) else body["value"]
    return Confirmation(
        kind=cast(SubjectKind, body["kind"]), subject_id=body["subject_id"], field=body["field"], value=value,
        actor=batch.actor, at=batch.at, reason=body["reason"], document=body["document"], name=name, since=since,
    )  # fmt: skip


def _contradictions(batch: Batch, said: Sequence[Said]) -> tuple[Observation, ...]:
    body = batch.body
    confirmed = Observation(
        subject_kind=body["kind"], subject_id=body["subject_id"], field=body["field"], value=body["value"], source=SOURCE,
        locator=f"{SOURCE}:{batch.actor}", observed_at=batch.at,
    )  # fmt: skip
    return build_contradictions(body["field"], confirmed, said)


def _told(made: Confirmation) -> dict[str, str]:
    """For the ledger, which holds no floats."""
    return {
        "kind": made.kind, "subject_id": made.subject_id, "field": made.field, "value": encode(made.value),
        "reason": made.reason, "document": made.document,
    }  # fmt: skip


def _record(session: Session, tx: Connection, at: datetime, body: Mapping[str, Any]) -> None:
    told = [*body.get("confirmed", ()), *body.get("withdrawn", ())]
    about = tuple(dict.fromkeys(one["subject_id"] for one in told))
    ledger_store.append(tx, LedgerEntry(kind="confirm", actor=session.actor, at=at, concerns=about, body=body))
