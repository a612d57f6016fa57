"""Conditions of rules in words, for docs/rules.md."""

from __future__ import annotations

from govcloud.model.condition import All, Any, Compare, Condition, InTime, Not, Recorded
from govcloud.model.observation import SubjectKind
from govcloud.model.text import Text, same
from govcloud.report.words import field_title, value_text

DERIVED = {
    "projects": Text("所属项目", "projects"),
    "accepted_on": Text("所属项目的验收日", "acceptance of its projects"),
    "unknown_systems": Text("清单中没有的系统", "systems that nobody knows"),
    "unknown_networks": Text("清单中没有的网络", "networks that nobody knows"),
    "unfiled_changes": Text("未申报的变更", "changes that were not filed"),
    "late_changes": Text("事后才申报的变更", "changes filed afterwards"),
    "zombie_detached": Text("与业务流程脱节", "detached from the process"),
    "zombie_replaceable": Text("功能可被替代", "replaceable"),
    "zombie_resources_idle": Text("资源长期空闲", "resources idle"),
    "zombie_updates_stopped": Text("运维停止更新", "updates stopped"),
    "zombie_little_used": Text("范围小且频度低", "narrow and rare use"),
}
PLAIN = {
    "ne": Text("{f}不是{v}", "{f} is not {v}"),
    "lt": Text("{f} < {v}", "{f} < {v}"),
    "le": Text("{f} ≤ {v}", "{f} ≤ {v}"),
    "gt": Text("{f} > {v}", "{f} > {v}"),
    "ge": Text("{f} ≥ {v}", "{f} ≥ {v}"),
    "mentions": Text("{f}中有“{v}”", "{f} mentions “{v}”"),
    "same_as": Text("{f}与{v}相同", "{f} is the same as {v}"),
    "not_before": Text("{f}不早于{v}", "{f} is not before {v}"),
    "not_after": Text("{f}不晚于{v}", "{f} is not after {v}"),
    "at_most": Text("{f}不超过{v}", "{f} is at most {v}"),
    "days_ago_at_least": Text("{f}距今至少 {v} 天", "{f} is at least {v} days ago"),
    "days_ago_at_most": Text("{f}距今不超过 {v} 天", "{f} is at most {v} days ago"),
    "years_ago_at_least": Text("{f}距今至少 {v} 个年度", "{f} is at least {v} calendar year(s) ago"),
    "years_ago_at_most": Text("{f}距今不超过 {v} 个年度", "{f} is at most {v} calendar year(s) ago"),
}
SEEN_FROM_TODAY = {
    "days_ago_at_least": Text("{f}不晚于检查日", "{f} is not after the day of the check"),
    "days_ago_at_most": Text("{f}不早于检查日", "{f} is not before the day of the check"),
}
"""With 0 days."""
OTHER_FIELD = {"same_as", "not_before", "not_after", "at_most"}


def condition_text(condition: Condition, kind: SubjectKind) -> Text:
    return _text(condition, kind, whole=True)


def _text(condition: Condition, kind: SubjectKind, *, whole: bool = False) -> Text:
    match condition:
        case All(parts):
            return _joined([_text(p, kind) for p in _flat(parts)], "且", "and", whole=whole)
        case Any(parts):
            return _joined([_text(p, kind) for p in parts], "或", "or", whole=whole)
        case Not(part):
            return Text("不是（{p}）", "not ({p})").format(p=_text(part, kind, whole=True))
        case InTime(clause_id=clause_id):
            return Text("{c} 的事按期办了或未到期", "the act of {c} is done in time, or not due yet").format(
                c=clause_id
            )
        case Recorded(field=field, value=value):
            told = Text("记有{f}", "{f} is recorded") if value else Text("没有记{f}", "{f} is not recorded")
            return told.format(f=field_text(field))
        case Compare():
            return _compared(condition, kind)


def _flat(parts: tuple[Condition, ...]) -> list[Condition]:
    """Without nesting, and without “is recorded” beside another test of the same field, which implies it to a reader."""
    every = [inner for part in parts for inner in (_flat(part.parts) if isinstance(part, All) else [part])]
    tested = {part.field for part in every if isinstance(part, Compare)}
    return [p for p in every if not (isinstance(p, Recorded) and p.value and p.field in tested)]


def _joined(parts: list[Text], zh: str, en: str, *, whole: bool) -> Text:
    if len(parts) == 1:
        return parts[0]
    text = Text(f" {zh} ".join(p.zh for p in parts), f" {en} ".join(p.en for p in parts))
    return text if whole else Text(f"（{text.zh}）", f"({text.en})")


def _compared(test: Compare, kind: SubjectKind) -> Text:
    field = field_text(test.field)
    if test.op == "empty":
        return (Text("没有{f}", "no {f}") if test.value else Text("有{f}", "some {f}")).format(f=field)
    if test.op == "in" and isinstance(test.value, tuple):
        values = [_value(kind, test.field, v) for v in test.value]
        return Text(
            f"{field.zh}为{'、'.join(v.zh for v in values)}之一",
            f"{field.en} is one of {', '.join(v.en for v in values)}",
        )
    value = field_text(str(test.value)) if test.op in OTHER_FIELD else _value(kind, test.field, test.value)
    if test.op == "eq":
        return Text("{f}为{v}", "{f} is {v}").format(f=field, v=value)
    if test.op in SEEN_FROM_TODAY and test.value == 0:
        return SEEN_FROM_TODAY[test.op].format(f=field)
    return PLAIN[test.op].format(f=field, v=value)


def _value(kind: SubjectKind, field: str, value: object) -> Text:
    if isinstance(value, bool):
        return Text("是", "yes") if value else Text("否", "no")
    return value_text(kind, field, value) or same(value)


def field_text(field: str) -> Text:
    title = DERIVED.get(field) or field_title(field)
    return title if title.zh != field else same(f"`{field}`")
