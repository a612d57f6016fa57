"""Views of zombie systems: the verdicts, the evidence behind each of them, and by which numbers they were made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from govcloud.model.inventory import Inventory
from govcloud.model.regulation import TopicCoverage
from govcloud.model.text import Term, Text, same
from govcloud.model.zombie import (
    Answer,
    Basis,
    Criterion,
    CriterionVerdict,
    ZombieEvidence,
    ZombieRules,
    ZombieState,
    ZombieVerdict,
)
from govcloud.report import words
from govcloud.report.findings import NO_CLAUSE, term
from govcloud.report.inventory import Labels
from govcloud.report.view import Cell, Column, View

STATE: Mapping[ZombieState, Text] = {
    "zombie": Text("疑似僵尸系统", "possible zombie"),
    "not_zombie": Text("不是", "no zombie"),
    "undetermined": Text("资料不足", "not enough known"),
    "not_judged": Text("不判定", "not judged"),
}
CRITERION: Mapping[Criterion, Text] = {
    "detached": Text("①与业务长期脱节", "1 detached from the business"),
    "replaceable": Text("②可被替代", "2 replaceable"),
    "resources_idle": Text("③资源长期空闲", "3 resources idle"),
    "updates_stopped": Text("④运维停止更新", "4 updates stopped"),
    "little_used": Text("⑤范围小、频度低", "5 small scope and low frequency"),
}
ANSWER: Mapping[Answer, Text] = {
    "met": Text("符合", "met"),
    "not_met": Text("不符合", "not met"),
    "undetermined": Text("不能判定", "undetermined"),
}
SAYS: Mapping[Answer, Text] = {
    "met": Text("支持", "for"),
    "not_met": Text("反对", "against"),
    "undetermined": Text("仅列示", "shown only"),
}
BASIS: Mapping[Basis, Text] = {"declared": Text("填报", "declared"), "measured": Text("数据", "data")}
_DISPUTED = Text("填报与数据不一致", "declared and measured differ")
_OWN_FIELDS: Mapping[str, Text] = {
    "connections": Text("访问方个数", "Callers seen"),
    "services": Text("对外服务端口数", "Ports that serve others"),
}


def is_shown(verdict: ZombieVerdict, *, everything: bool) -> bool:
    """Zombies, and systems about which the department and the data contradict each other."""
    return everything or verdict.state == "zombie" or verdict.disputed


def build_zombies_view(
    verdicts: Sequence[ZombieVerdict], inventory: Inventory, rules: ZombieRules, coverage: TopicCoverage, *,
    everything: bool = False,
) -> View:  # fmt: skip
    """One row a system; every verdict of all systems is in the JSON facts (`details`)."""
    labels = Labels(inventory)
    return View(
        name="zombies",
        title=Text("僵尸系统排查", "Zombie systems"),
        columns=(
            Column("system_id", Text("编号", "Id")),
            Column("name", Text("系统", "System")),
            Column("department", Text("部门", "Department")),
            Column("state", Text("结论", "Verdict")),
            Column("met", Text("符合的情形", "Criteria met")),
            Column("open", Text("不能判定的情形", "Undetermined")),
            Column("declared", Text("部门自报", "Department says")),
            Column("next_step", Text("下一步", "Next step")),
        ),
        rows=tuple(_row(v) for v in verdicts if is_shown(v, everything=everything)),
        notes=tuple(_notes(verdicts, rules, coverage, everything)),
        facts={
            "clauses": coverage.binding,
            "clauses_for_reference": coverage.reference,
            "rules": {name: getattr(rules, name) for name in rules.__slots__},
            "counts": {state: sum(v.state == state for v in verdicts) for state in STATE},
            "details": [_details(v, labels) for v in verdicts],
        },
    )


def _row(verdict: ZombieVerdict) -> dict[str, Cell]:
    state = term(STATE, verdict.state)
    if verdict.disputed:
        state = Term(f"{state.zh}（{_DISPUTED.zh}）", f"{state.en} ({_DISPUTED.en})", verdict.state)
    elif verdict.why_not_judged is not None:
        why = verdict.why_not_judged
        state = Term(f"{state.zh}：{why.zh}", f"{state.en}: {why.en}", verdict.state)
    return {
        "system_id": verdict.system_id, "name": verdict.name, "department": verdict.department, "state": state,
        "met": _criteria(c for c in verdict.criteria if c.verdict == "met"),
        "open": _criteria(c for c in verdict.criteria if c.verdict == "undetermined"),
        "declared": verdict.declared.value if verdict.declared else None, "next_step": verdict.next_step,
    }  # fmt: skip


def _criteria(found: Iterable[CriterionVerdict]) -> Term | None:
    verdicts = list(found)
    names = [CRITERION[c.criterion] for c in verdicts]
    if not names:
        return None
    return Term("；".join(n.zh for n in names), "; ".join(n.en for n in names), tuple(c.criterion for c in verdicts))


def _notes(
    verdicts: Sequence[ZombieVerdict], rules: ZombieRules, coverage: TopicCoverage, everything: bool
) -> list[Text]:
    count = {state: sum(v.state == state for v in verdicts) for state in STATE}
    notes = [
        Text(
            "共 {n} 个系统：疑似僵尸 {z} 个，不是 {no} 个，资料不足 {u} 个，不判定 {x} 个；其中 {d} 个填报与数据不一致。",
            "{n} systems: possible zombies {z}, no zombies {no}, not enough known {u}, not judged {x}; declaration and data differ in {d}.",
        ).format(
            n=len(verdicts), z=count["zombie"], no=count["not_zombie"], u=count["undetermined"], x=count["not_judged"],
            d=sum(v.disputed for v in verdicts),
        ),
        Text("条款：{c}", "Clauses: {c}").format(c=", ".join(coverage.binding) if coverage.binding else NO_CLAUSE),
    ]  # fmt: skip
    if coverage.reference:
        notes.append(Text("供参照：{c}", "For reference: {c}").format(c=", ".join(coverage.reference)))
    combine = {
        "any": Text("符合任一情形", "any one criterion met"), "all": Text("五种情形都符合", "all five criteria met"),
    }.get(str(rules.combine)) or Text("符合 {n} 种情形", "{n} criteria met").format(n=rules.combine)  # fmt: skip
    notes.append(
        Text(
            "条文没有数字，界线由本单位设定（{c}；CPU 95 分位低于 {cpu}%，用户少于 {u}，年访问少于 {v}，{d} 天未更新）。结论供核实，由人确认。",
            "The clause gives no numbers; the limits are the office's own ({c}; 95th percentile of CPU below {cpu} %, fewer than {u} users, fewer than {v} visits a year, no update for {d} days). A person confirms each verdict.",
        ).format(
            c=combine, cpu=f"{rules.idle_cpu_p95_pct:g}", u=rules.few_users, v=rules.few_visits_per_year, d=rules.update_days
        )
    )  # fmt: skip
    if not everything and any(not is_shown(v, everything=False) for v in verdicts):
        notes.append(Text("加 --all 列出全部系统和所缺资料。", "--all lists every system and what is missing."))
    return notes


def build_zombie_evidence_view(
    verdicts: Sequence[ZombieVerdict], inventory: Inventory, *, everything: bool = False
) -> View:
    """A row a fact, for or against, and a row for each criterion that lacks one."""
    labels = Labels(inventory)
    rows: list[Mapping[str, Cell]] = []
    for verdict in verdicts:
        if not is_shown(verdict, everything=everything):
            continue
        if verdict.declared is not None:
            rows.append(_evidence_row(verdict, Text("部门自报", "Department says"), None, verdict.declared, labels))
        for criterion in verdict.criteria:
            title = CRITERION[criterion.criterion]
            rows += [_evidence_row(verdict, title, criterion, e, labels) for e in criterion.evidence]
            if criterion.missing:
                rows.append({
                    "system_id": verdict.system_id, "criterion": Term(title.zh, title.en, criterion.criterion),
                    "verdict": term(ANSWER, criterion.verdict), "missing": _missing(criterion.missing, labels),
                })  # fmt: skip
    return View(
        name="zombie_evidence",
        title=Text("判定依据", "Evidence"),
        columns=(
            Column("system_id", Text("系统", "System")),
            Column("criterion", Text("情形", "Criterion")),
            Column("verdict", Text("判定", "Verdict")),
            Column("subject", Text("对象", "Of")),
            Column("field", Text("字段", "Field")),
            Column("value", Text("值", "Value")),
            Column("threshold", Text("界线", "Limit")),
            Column("says", Text("作用", "Speaks")),
            Column("basis", Text("性质", "Kind")),
            Column("locator", Text("出处", "Where")),
            Column("observed_at", Text("时间", "When")),
            Column("missing", Text("缺少的资料", "Missing")),
        ),
        rows=tuple(rows),
    )


def _evidence_row(
    verdict: ZombieVerdict, title: Text, criterion: CriterionVerdict | None, evidence: ZombieEvidence, labels: Labels
) -> dict[str, Cell]:
    e = evidence
    return {
        "system_id": verdict.system_id,
        "criterion": Term(title.zh, title.en, criterion.criterion) if criterion else Term(title.zh, title.en, "declared"),
        "verdict": term(ANSWER, criterion.verdict) if criterion else None,
        "subject": labels.of(e.subject_id) if e.subject_id != verdict.system_id else None,
        "field": _field(e.field), "value": words.value_text("system", e.field, e.value) or e.value,
        "threshold": e.threshold, "says": term(SAYS, e.says), "basis": term(BASIS, e.basis),
        "locator": e.locator, "observed_at": e.observed_at,
    }  # fmt: skip


def _field(name: str) -> Term:
    title = _OWN_FIELDS.get(name) or words.field_title(name)
    return Term(title.zh, title.en, name)


def _missing(names: Sequence[str], labels: Labels) -> Term:
    """`V-1.cpu_p95_pct` as `app-01 CPU …`."""
    texts = []
    for name in names:
        subject_id, _, field = name.rpartition(".")
        title = _field(field)
        texts.append(Text("{s} {f}", "{s} {f}").format(s=labels.of(subject_id), f=title) if subject_id else title)
    return Term("、".join(t.zh for t in texts), ", ".join(t.en for t in texts), tuple(names))


def _details(verdict: ZombieVerdict, labels: Labels) -> dict[str, object]:
    return {
        "system_id": verdict.system_id, "department": verdict.department, "office": verdict.office, "state": verdict.state,
        "disputed": verdict.disputed, "declared": verdict.declared.value if verdict.declared else None,
        "why_not_judged": verdict.why_not_judged, "next_step": verdict.next_step,
        "criteria": {
            c.criterion: {
                "verdict": c.verdict, "disputed": c.disputed, "missing": c.missing,
                "evidence": [
                    {
                        "subject_id": e.subject_id, "subject": same(labels.of(e.subject_id)), "field": e.field, "value": e.value,
                        "basis": e.basis, "says": e.says, "threshold": e.threshold, "source": e.source, "locator": e.locator,
                        "observed_at": e.observed_at,
                    }
                    for e in c.evidence
                ],
            }
            for c in verdict.criteria
        },
    }  # fmt: skip
