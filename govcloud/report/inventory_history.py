"""Confirmations, snapshots, differences and data confidence as Views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from govcloud.model.answers import Confidence, Confirmation, Difference, FactScore, Moment, Settled, Snapshot
from govcloud.model.inventory import System
from govcloud.model.text import Term, Text, same
from govcloud.report import words
from govcloud.report.inventory_values import field_term, value_cell, word_term
from govcloud.report.view import Cell, Column, View

_RELATIONS: Mapping[str, Text] = {
    "same_as": Text("是同一个", "same as"), "not_same_as": Text("不是同一个", "not the same as"),
}  # fmt: skip
_CHANGES: Mapping[str, Text] = {
    "added": Text("新增", "added"), "changed": Text("变更", "changed"), "removed": Text("消失", "removed"),
}  # fmt: skip
_STATES: Mapping[str, Text] = {
    "measured": Text("实测", "measured"), "declared": Text("填报", "declared"), "confirmed": Text("确认", "confirmed"),
    "conflicting": Text("有分歧", "disputed"), "stale": Text("过期", "stale"), "missing": Text("缺失", "missing"),
}  # fmt: skip
_NEXT: Mapping[str, Text] = {
    "missing": Text("补齐", "find out"), "conflicting": Text("核实分歧", "settle"), "stale": Text("更新", "ask again for"),
    "declared": Text("登录核实", "measure"),
}  # fmt: skip
_ASKED = 3


def _column(key: str, zh: str, en: str, align: str = "left") -> Column:
    return Column(key, Text(zh, en), "right" if align == "right" else "left")


def build_confirmations_view(confirmations: Sequence[Confirmation]) -> View:
    """What persons settled, with what was said against it since."""
    news = sum(1 for c in confirmations if c.since)
    lost = sum(1 for c in confirmations if not c.name)
    notes = [Text("共 {n} 项人工确认", "{n} confirmations").format(n=len(confirmations))]
    if news:
        notes.append(Text("{n} 项确认之后又有不同说法：仍以确认值为准，请复核", "Witnesses say otherwise since about {n} of them: the confirmed value stands; look at it again").format(n=news))  # fmt: skip
    if lost:
        notes.append(Text("{n} 项的对象已没有任何来源提到", "Nobody speaks of the subject of {n} of them any more").format(n=lost))  # fmt: skip
    return View(
        name="confirmations", title=Text("人工确认", "Confirmations"), columns=_CONFIRMED,
        rows=tuple(_confirmation(c) for c in confirmations), notes=tuple(notes),
        facts={"contradicted": news, "orphaned": lost},
    )  # fmt: skip


_CONFIRMED = (
    _column("subject_id", "编号", "Id"), _column("name", "对象", "Subject"), _column("field", "字段", "Field"),
    _column("value", "确认值", "Confirmed"), _column("actor", "确认人", "By"), _column("at", "时间", "When"),
    _column("reason", "理由", "Reason"), _column("document", "依据文件", "Document"),
    _column("since", "此后的不同说法", "Said otherwise since"),
)  # fmt: skip


def _confirmation(c: Confirmation) -> Mapping[str, Cell]:
    relation = _RELATIONS.get(c.field)
    return {
        "subject_id": c.subject_id, "name": c.name or None,
        "field": Term(relation.zh, relation.en, c.field) if relation else field_term(c.field),
        "value": Term("无", "none", "none") if c.value is None else value_cell(c.kind, c.field, c.value), "actor": c.actor,
        "at": c.at, "reason": c.reason, "document": c.document or None, "since": _otherwise(c),
    }  # fmt: skip


def _otherwise(c: Confirmation) -> Cell:
    if not c.since:
        return None
    told = [(value_cell(c.kind, c.field, o.value), o.locator) for o in c.since]
    texts = [(v if isinstance(v, Text) else same(v), where) for v, where in told]
    return Text("；".join(f"{t.zh}（{w}）" for t, w in texts), "; ".join(f"{t.en} ({w})" for t, w in texts))


def build_settled_view(settled: Settled) -> View:
    """What came of one confirmation or a list of them."""
    rows = [_confirmation(c) for c in (*settled.confirmed, *settled.withdrawn)]
    notes = []
    if settled.confirmed:
        notes.append(Text("已确认 {n} 项；再次导入和核实都不会改变", "{n} confirmed; no import and no discovery overrides it").format(n=len(settled.confirmed)))  # fmt: skip
    if settled.withdrawn:
        notes.append(Text("已撤回 {n} 项；原记录保留", "{n} taken back; the record of it is kept").format(n=len(settled.withdrawn)))  # fmt: skip
    if settled.unchanged:
        notes.append(Text("{n} 项早已如此确认", "{n} were confirmed so before").format(n=settled.unchanged))
    if settled.problems:
        notes.append(Text("{n} 项没有采用，见下表", "{n} were not taken; see below").format(n=len(settled.problems)))
    if settled.changes:
        notes.append(Text("清单有 {n} 个对象随之改变", "{n} subjects of the inventory changed with it").format(n=len(settled.changes)))  # fmt: skip
    return View(
        name="confirmed", title=Text("人工确认", "Confirmations"), columns=_CONFIRMED[:-1], rows=tuple(rows),
        notes=tuple(notes), facts={"confirmed": len(settled.confirmed), "withdrawn": len(settled.withdrawn),
                                   "unchanged": settled.unchanged, "rejected": len(settled.problems)},
    )  # fmt: skip


def build_rejected_view(settled: Settled) -> View:
    return View(
        name="rejected", title=Text("没有采用的确认值", "Answers that were not taken"),
        columns=(
            _column("file", "文件", "File"), _column("sheet", "工作表", "Sheet"), _column("cell", "单元格", "Cell"),
            _column("read", "读到", "Read"), _column("expected", "应为", "Expected"),
        ),
        rows=tuple(
            {"file": p.file, "sheet": p.sheet or None, "cell": p.cell, "read": p.read, "expected": p.expected}
            for p in settled.problems
        ),
    )  # fmt: skip


def build_snapshots_view(snapshots: Sequence[Snapshot]) -> View:
    return View(
        name="snapshots", title=Text("快照", "Snapshots"),
        columns=(
            _column("label", "名称", "Label"), _column("batch_no", "截至批次", "Up to batch", "right"),
            _column("at", "时间", "When"), _column("actor", "经办人", "By"), _column("sha256", "清单摘要", "Digest"),
        ),
        rows=tuple(
            {"label": s.label, "batch_no": s.batch_no, "at": s.at, "actor": s.actor, "sha256": s.sha256}
            for s in snapshots
        ),
    )  # fmt: skip


def build_difference_view(difference: Difference, limit: int | None = None) -> View:
    d = difference
    rows = d.changes if limit is None else d.changes[:limit]
    subjects = {(c.kind, c.subject_id): c.change for c in d.changes}
    counts = {word: sum(1 for c in subjects.values() if c == word) for word in _CHANGES}
    notes = [
        Text(
            "从 {a} 到 {b}：新增 {n}，变更 {c}，消失 {r}", "From {a} to {b}: {n} added, {c} changed, {r} removed"
        ).format(a=_moment(d.before), b=_moment(d.after), n=counts["added"], c=counts["changed"], r=counts["removed"])
    ]
    redone = Text("快照 {s} 如今合并出的结果与当时不同：程序规则、优先顺序或编号的归并此后改过",
                  "The snapshot {s} merges otherwise today: rules, precedence or what ids are one thing changed since")  # fmt: skip
    notes += [redone.format(s=moment.name) for moment in (d.before, d.after) if moment.redone]
    if len(rows) < len(d.changes):
        notes.append(Text("还有 {n} 行没有列出；--limit 0 列出全部", "{n} more rows; --limit 0 lists all").format(n=len(d.changes) - len(rows)))  # fmt: skip
    return View(
        name="diff", title=Text("变化", "Changes"),
        columns=(
            _column("kind", "类别", "Kind"), _column("subject_id", "编号", "Id"), _column("name", "名称", "Name"),
            _column("change", "变化", "Change"), _column("field", "字段", "Field"), _column("was", "原值", "Was"),
            _column("now", "现值", "Now"),
        ),
        rows=tuple(
            {
                "kind": word_term(words.SUBJECTS, c.kind), "subject_id": c.subject_id, "name": _name(c.name, d.labels),
                "change": word_term(_CHANGES, c.change), "field": field_term(c.field) if c.field else None,
                "was": value_cell(c.kind, c.field or "", c.was, d.labels),
                "now": value_cell(c.kind, c.field or "", c.now, d.labels),
            }
            for c in rows
        ),
        notes=tuple(notes),
        facts={"counts": counts, "unchanged": d.unchanged, "batches": [d.before.batch_no, d.after.batch_no],
               "merges_otherwise": [m.name for m in (d.before, d.after) if m.redone]},
    )  # fmt: skip


def _moment(moment: Moment) -> Text:
    return Text("{m}（第 {n} 批）", "{m} (batch {n})").format(m=moment.name, n=moment.batch_no)


def _name(name: str, labels: Mapping[str, str]) -> str:
    return " → ".join(labels.get(end, end) for end in name.split(" → "))


def build_confidence_view(
    systems: Sequence[System], scores: Mapping[str, Confidence], limit: int | None = None
) -> View:  # fmt: skip
    """Worst first, with what to ask next."""
    ordered = sorted(systems, key=lambda s: (scores[s.system_id].score, s.system_id))
    mean = round(sum(scores[s.system_id].score for s in ordered) / len(ordered)) if ordered else 0
    notes = [Text("共 {n} 个系统，平均 {m} 分；算法见 docs/formats.md", "{n} systems, {m} points on average; docs/formats.md says how they are counted").format(n=len(ordered), m=mean)]  # fmt: skip
    rows = ordered if limit is None else ordered[:limit]
    if len(rows) < len(ordered):
        notes.append(Text("还有 {n} 个没有列出；--limit 0 列出全部", "{n} more; --limit 0 lists all").format(n=len(ordered) - len(rows)))  # fmt: skip
    return View(
        name="confidence", title=Text("数据可信度", "Data confidence"),
        columns=(
            _column("system_id", "编号", "Id"), _column("name", "名称", "Name"), _column("department", "部门", "Department"),
            _column("score", "可信度", "Score", "right"), *(_column(k, t.zh, t.en, "right") for k, t in _STATES.items()),
            _column("next", "先做什么", "What to ask next"),
        ),
        rows=tuple(
            {
                "system_id": s.system_id, "name": s.name, "department": s.department, "score": scores[s.system_id].score,
                **_counted(scores[s.system_id].parts), "next": build_next_text(scores[s.system_id]),
            }
            for s in rows
        ),
        notes=tuple(notes),
        facts={
            "mean": mean,
            "parts": {
                s.system_id: [
                    {"fact": p.fact, "weight": p.weight, "points": p.points, "states": dict(p.states)}
                    for p in scores[s.system_id].parts
                ]
                for s in rows
            },
        },
    )  # fmt: skip


def _counted(parts: Iterable[FactScore]) -> dict[str, int]:
    """How many facts are in each state; one of several servers counts for what is worst about it."""
    worst = ("missing", "conflicting", "stale", "declared", "measured", "confirmed")
    counted = dict.fromkeys(_STATES, 0)
    for part in parts:
        state = next((w for w in worst if part.states.get(w)), "missing")  # type: ignore[call-overload]
        counted[state] += 1
    return counted


def build_next_text(confidence: Confidence) -> Text | None:
    """The facts that cost most points, with what would win them: a sentence for the system's row in any table."""
    texts = []
    for part in confidence.parts[:_ASKED]:
        state = next((s for s in _NEXT if part.states.get(s)), None)  # type: ignore[call-overload]
        if part.lost > 0 and state:
            texts.append(Text("{v}{f}", "{v} {f}").format(v=_NEXT[state], f=_fact(part.fact)))
    if not texts:
        return None
    return Text("、".join(t.zh for t in texts), ", ".join(t.en for t in texts))


def _fact(fact: str) -> Text:
    kind, _, field = fact.partition(".")
    title = _TALK if field == "sockets" else words.field_title(field)
    en = title.en[0].lower() + title.en[1:] if title.en[1:2].islower() else title.en
    if kind == "server":
        return Text("服务器{t}", "{t} of servers").format(t=Text(title.zh, en))
    return Text(title.zh, en)


_TALK = Text("监听端口和连接", "listening ports and connections")
