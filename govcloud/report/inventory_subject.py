"""One subject of the inventory with its sources: what is known, who said it, why it is believed, what was said when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.answers import Decision, FieldAnswer, FlowPage, SubjectAnswer, Told
from govcloud.model.observation import Observation
from govcloud.model.text import Term, Text, same
from govcloud.report import words
from govcloud.report.inventory_traffic import build_flow_page
from govcloud.report.inventory_values import field_term, value_cell, word_term
from govcloud.report.view import Cell, Column, View

_STALE = Term("过期", "stale", "stale")
_DISPUTED = Term("有分歧", "disputed", "disputed")
_CONFIRMED = Term("已确认", "confirmed", "confirmed")
_SINCE = Term("确认后又有不同说法", "witnesses say otherwise since", "contradicted")
_RULES: Mapping[str, Text] = {
    "person": Text("人工确认", "a person confirmed it"), "uuid": Text("UUID 相同", "same UUID"),
    "serial": Text("序列号相同", "same serial number"), "mac": Text("网卡地址相同", "same network card"),
    "address": Text("同一区域内 IP 地址相同", "same address in one zone"), "name": Text("名称相同", "same name"),
    "code": Text("名称和部门与有编号的系统相同", "name and department of the system with the code"),
}  # fmt: skip
_DECISIONS: Mapping[Decision, Text] = {
    "only": Text("只有这一个来源", "the only witness"), "person": Text("人工确认优先", "a person confirmed it"),
    "run": Text("迁移执行的结果优先", "a migration settled it"),
    "site": Text("本单位配置的优先顺序", "the order that the office set"),
    "default": Text("默认优先顺序", "the default order"), "newest": Text("同类来源取最新", "the newest of equal witnesses"),
    "all": Text("各来源合并", "all witnesses together"), "derived": Text("由其他事实推得", "derived from other facts"),
}  # fmt: skip
_STATES: Mapping[str, Text] = {
    "counts": Text("有效", "counts"), "outdated": Text("已被同一来源更新", "replaced by a later word"),
    "withdrawn": Text("已撤回", "taken back"),
}  # fmt: skip
_RELATIONS: Mapping[str, Text] = {
    "same_as": Text("同一个", "same as"), "not_same_as": Text("不是同一个", "not the same as"),
}  # fmt: skip


def build_subject_views(answer: SubjectAnswer, *, why: bool = False, history: bool = False) -> tuple[View, ...]:
    """The fields and, for servers and systems, the traffic; on demand the witnesses and all that was ever said."""
    views = [_fields(answer)]
    if why:
        views += [*([_joined(answer)] if answer.joined else []), _witnesses(answer)]
    if answer.flows:
        classes: dict[str, int] = {}
        for flow in answer.flows:
            classes[flow.traffic] = classes.get(flow.traffic, 0) + 1
        page = FlowPage(
            flows=answer.flows, total=len(answer.flows), labels=answer.labels, systems={}, classes=classes
        )  # fmt: skip
        views.append(build_flow_page(page))
    if history:
        views.append(_history(answer))
    return tuple(views)


def _column(key: str, zh: str, en: str) -> Column:
    return Column(key, Text(zh, en))


def _title(answer: SubjectAnswer) -> Text:
    entity = answer.entity
    name = getattr(entity, "name", None)
    if name is None:
        name = " → ".join(answer.labels.get(end, end) for end in (entity.source_id, entity.target_id))
    return Text("{k} {i} {n}", "{k} {i} {n}").format(k=words.SUBJECTS[answer.kind], i=answer.subject_id, n=same(name))


def _fields(answer: SubjectAnswer) -> View:
    rows = [row for f in answer.fields for row in _field_rows(answer, f)]
    stale = [f.field for f in answer.fields if f.stale]
    disputed = [f.field for f in answer.fields if f.against and f.decision not in ("person", "run")]
    contradicted = [f.field for f in answer.fields if f.since]
    notes = [Text("没有列出的字段：尚不知道", "Fields that are not listed are unknown")]
    if disputed:
        notes.append(Text("{n} 个字段有分歧；--why 列出全部来源和采用理由", "{n} fields are in dispute; --why lists all witnesses and why one is believed").format(n=len(disputed)))  # fmt: skip
    if contradicted:
        notes.append(Text("{n} 个确认过的字段后来又有不同说法", "Witnesses say otherwise since about {n} confirmed fields").format(n=len(contradicted)))  # fmt: skip
    if answer.joined:
        notes.append(Text("由 {n} 个来源编号合并而成；--why 列出合并依据", "{n} ids of witnesses are this one thing; --why tells how they were joined").format(n=len(answer.joined) + 1))  # fmt: skip
    return View(
        name="subject", title=_title(answer),
        columns=(
            _column("field", "字段", "Field"), _column("value", "值", "Value"), _column("state", "标记", "Marks"),
            _column("source", "来源", "Source"), _column("locator", "出处", "Where"), _column("observed_at", "时间", "When"),
        ),
        rows=tuple(rows), notes=tuple(notes),
        facts={
            "subject_id": answer.subject_id, "kind": answer.kind, "stale": stale, "disputed": disputed,
            "contradicted": contradicted, "members": [j.subject_id for j in answer.joined],
        },
    )  # fmt: skip


def _field_rows(answer: SubjectAnswer, f: FieldAnswer) -> list[Mapping[str, Cell]]:
    if f.asked:
        return [
            {
                "field": field_term(f.field), "value": Text("未知：{w}", "unknown: {w}").format(w=reason),
                "state": Term("未知", "unknown", "unknown"), **_place(witness),
            }
            for reason, witness in f.asked
        ]  # fmt: skip
    derived = {"source": Term("推得", "derived", "derived"), "locator": None, "observed_at": None}
    return [
        {
            "field": field_term(f.field), "value": _value(answer, f.field, f.value), "state": _marks(f),
            **(_place(f.witness) if f.witness else derived),
        }
    ]  # fmt: skip


def _value(answer: SubjectAnswer, field: str, value: object) -> Cell:
    if value is None:
        return Term("无", "none", "none")
    refers = field in ("servers", "networks", "systems", "source_id", "target_id")
    return value_cell(answer.kind, field, value, answer.labels if refers else None)


def _marks(f: FieldAnswer) -> Cell:
    marks = [
        *([_CONFIRMED] if f.decision == "person" else ()), *([_SINCE] if f.since else ()),
        *([_DISPUTED] if f.against and f.decision not in ("person", "run") else ()), *([_STALE] if f.stale else ()),
    ]  # fmt: skip
    return Term("、".join(m.zh for m in marks), ", ".join(m.en for m in marks), tuple(str(m.code) for m in marks))


def _place(o: Observation) -> dict[str, Cell]:
    return {"source": word_term(words.SOURCES, o.source), "locator": o.locator, "observed_at": o.observed_at}


def _joined(answer: SubjectAnswer) -> View:
    return View(
        name="joined", title=Text("合并的编号", "Ids that are this one thing"),
        columns=(
            _column("subject_id", "编号", "Id"), _column("with_id", "与", "Joined with"), _column("rule", "依据", "Because of"),
            _column("value", "共同之处", "What they share"),
        ),
        rows=tuple(
            {"subject_id": j.subject_id, "with_id": j.with_id, "rule": word_term(_RULES, j.rule), "value": j.value}
            for j in answer.joined
        ),
        notes=(
            Text("不是同一台时：govcloud inventory confirm 编号 not-same-as 编号 --reason 理由",
                 "If they are not: govcloud inventory confirm ID not-same-as ID --reason REASON"),
        ),
    )  # fmt: skip


def _witnesses(answer: SubjectAnswer) -> View:
    rows: list[Mapping[str, Cell]] = []
    for f in sorted(answer.fields, key=lambda f: len(f.witnesses) < 2):
        against = set(map(id, f.against))
        for number, o in enumerate(f.witnesses):
            verdict = "believed" if number == 0 else "against" if id(o) in against else "agrees"
            rows.append({
                "field": field_term(f.field), "value": _value(answer, f.field, o.value), **_place(o),
                "verdict": word_term(_VERDICTS, verdict), "decision": _decided(f) if number == 0 else None,
            })  # fmt: skip
    return View(
        name="witnesses", title=Text("各来源的说法及采用理由", "What each witness says, and why one is believed"),
        columns=(
            _column("field", "字段", "Field"), _column("value", "值", "Value"), _column("source", "来源", "Source"),
            _column("locator", "出处", "Where"), _column("observed_at", "时间", "When"), _column("verdict", "结论", "Verdict"),
            _column("decision", "理由", "Because"),
        ),
        rows=tuple(rows),
        facts={"order": {f.field: list(f.order) for f in answer.fields if len(f.witnesses) > 1}},
    )  # fmt: skip


_VERDICTS: Mapping[str, Text] = {
    "believed": Text("采用", "believed"), "agrees": Text("一致", "agrees"), "against": Text("不一致", "disagrees"),
}  # fmt: skip


def _decided(f: FieldAnswer) -> Term:
    text = _DECISIONS[f.decision]
    if f.decision in ("site", "default") and f.order:
        told = list(dict.fromkeys(o.source for o in f.witnesses))
        names = [words.SOURCES.get(s, same(s)) for s in f.order if s in told]
        order = Text(" > ".join(n.zh for n in names), " > ".join(n.en for n in names))
        text = Text("{t}：{o}", "{t}: {o}").format(t=text, o=order)
    return Term(text.zh, text.en, f.decision)


def _history(answer: SubjectAnswer) -> View:
    return View(
        name="history", title=Text("历次说法", "What was said when"),
        columns=(
            _column("first_at", "时间", "When"), _column("last_at", "最近一次", "Last time"), _column("times", "次数", "Times"),
            _column("field", "字段", "Field"), _column("value", "值", "Value"), _column("source", "来源", "Source"),
            _column("locator", "出处", "Where"), _column("actor", "经办人", "Read by"), _column("state", "状态", "State"),
        ),
        rows=tuple(_told(answer, t) for t in answer.history),
        facts={"states": _count(answer.history)},
    )  # fmt: skip


def _told(answer: SubjectAnswer, t: Told) -> Mapping[str, Cell]:
    title = _RELATIONS.get(t.field)
    return {
        "first_at": t.first_at, "last_at": t.last_at if t.times > 1 else None, "times": t.times,
        "field": Term(title.zh, title.en, t.field) if title else field_term(t.field),
        "value": _value(answer, t.field, t.value), "source": word_term(words.SOURCES, t.source), "locator": t.locator,
        "actor": t.actor, "state": word_term(_STATES, t.state),
    }  # fmt: skip


def _count(history: Sequence[Told]) -> dict[str, int]:
    return {state: sum(1 for t in history if t.state == state) for state in _STATES}
