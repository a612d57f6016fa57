"""Inventory and rule packs in, findings out. Pure: the same inputs give the same findings, ids and order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from govcloud.compliance.calendar import DueDate, WorkCalendar
from govcloud.compliance.conditions import Moment, Truth, decide
from govcloud.compliance.deadlines import check_in_time, happened_on, standing
from govcloud.compliance.subjects import DERIVED, Subject, subjects
from govcloud.model.ids import build_id
from govcloud.model.inventory import Inventory
from govcloud.model.regulation import (
    Deadline,
    EstateCheck,
    Evidence,
    Finding,
    Level,
    Regulation,
    Rule,
    RuleTally,
    Severity,
    Standing,
    TopicCoverage,
    Verdict,
)
from govcloud.model.text import Text
from govcloud.model.zombie import ZombieVerdict

_SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one rule says about one subject."""

    verdict: Verdict
    used: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    due: DueDate | None = None


def evaluate(
    inventory: Inventory,
    packs: Sequence[Regulation],
    topics: Mapping[str, Text],
    calendar: WorkCalendar,
    as_of: date,
    zombies: Mapping[str, ZombieVerdict] | None = None,
) -> EstateCheck:
    """Every rule of every pack in force against every subject. The office's own pack comes first in `packs`.

    `zombies`: system id -> verdict; without it rules on zombies are undetermined.
    """
    level = packs[0].level
    active = [pack for pack in packs if pack.in_force(as_of)]
    findings: list[Finding] = []
    tallies: list[RuleTally] = []
    for pack in active:
        for rule in pack.rules:
            if _own_version(rule, pack, active, level):
                continue
            bound = standing((pack.clauses[c] for c in rule.clauses), level)
            answers = [
                (s, decide_rule(rule, s, pack, calendar, as_of)) for s in subjects(inventory, rule.subject, zombies)
            ]
            findings += [
                _finding(rule, pack, bound, subject, answer, inventory)
                for subject, answer in answers
                if answer.verdict in ("fail", "undetermined")
            ]
            tallies.append(_tally(rule, bound, [answer.verdict for _, answer in answers]))
    return EstateCheck(
        as_of=as_of,
        regulations=tuple(p.regulation_id for p in active),
        not_in_force=tuple(p.regulation_id for p in packs if p not in active),
        findings=tuple(sorted(findings, key=_urgency)),
        tallies=tuple(tallies),
        coverage=build_coverage(active, topics, packs[0]),
    )


def _own_version(rule: Rule, pack: Regulation, active: Sequence[Regulation], level: Level) -> bool:
    """Whether the office has a rule of its own for what a higher level's rule would only show for reference."""
    name = rule.rule_id.partition("/")[2]
    reference = standing((pack.clauses[c] for c in rule.clauses), level) == "reference"
    return reference and any(
        other.rule_id.partition("/")[2] == name for above in active if above is not pack for other in above.rules
        if standing((above.clauses[c] for c in other.clauses), level) == "binding"
    )  # fmt: skip


def _urgency(finding: Finding) -> tuple[object, ...]:
    return (
        finding.standing,
        finding.verdict,
        _SEVERITIES.index(finding.severity),
        finding.department or "",
        finding.subject_id,
        finding.rule_id,
    )


def decide_rule(rule: Rule, subject: Subject, pack: Regulation, calendar: WorkCalendar, as_of: date) -> Answer:
    """`when` unknown leaves the rule undetermined: nobody can say yet whether it concerns the subject."""
    dues: list[DueDate] = []
    before_the_rules = False

    def in_time(clause_id: str) -> Truth:
        nonlocal before_the_rules
        if subject.project is None:  # the loader lets only project rules ask
            raise TypeError(rule.rule_id)
        start = happened_on(subject.project, (pack.clauses[clause_id].deadline or Deadline()).event or "")
        before_the_rules = start is not None and not pack.in_force(start)
        truth, due = check_in_time(subject.project, pack.clauses[clause_id], calendar, as_of)
        if due is not None:
            dues.append(due)
        return truth

    moment = Moment(as_of, in_time)
    concerned = Truth(True) if rule.when is None else decide(rule.when, subject.facts, moment)
    if concerned.value is False:
        return Answer(verdict="not_applicable")
    held = decide(rule.must, subject.facts, moment)
    if before_the_rules:
        return Answer(verdict="not_applicable")
    used, missing = concerned.used | held.used, concerned.missing | held.missing
    if held.value is True:
        # Whom it concerns may be unknown; the demand is met either way.
        return Answer(verdict="pass", used=used)
    if concerned.value is None or held.value is None:
        return Answer(verdict="undetermined", used=used, missing=missing)
    return Answer(verdict="fail", used=used, due=dues[0] if dues else None)


def _finding(
    rule: Rule, pack: Regulation, bound: Standing, subject: Subject, answer: Answer, inventory: Inventory
) -> Finding:
    consequences = [c.consequence for clause in rule.clauses if (c := pack.clauses[clause]).consequence is not None]
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
        standing=bound,
        severity=rule.severity,
        title=rule.title,
        message=_UNDETERMINED if undetermined else rule.message,
        clauses=rule.clauses,
        consequence=consequences[0] if consequences else None,
        responsible=rule.responsible,
        responsible_term=pack.roles.get(rule.responsible),
        next_step=_FILL_IN if undetermined else rule.next_step,
        evidence=tuple(_evidence(subject, name, inventory) for name in sorted(answer.used)),
        missing=tuple(sorted(answer.missing)),
        note=rule.note,
        due_on=answer.due.on if answer.due else None,
        provisional=bool(answer.due and answer.due.provisional),
    )


_UNDETERMINED = Text("资料不足，尚不能判定", "Not enough is known for a verdict")
_FILL_IN = Text("补齐所缺字段后重新检查", "Fill in what is missing and check again")


def _evidence(subject: Subject, name: str, inventory: Inventory) -> Evidence:
    value = subject.facts.get(name)
    text = _text(value)
    if name in DERIVED.get(subject.kind, {}):
        return Evidence(field=name, value=text)
    seen = inventory.evidence.get(subject.subject_id, {}).get(name)
    if seen is None:
        return Evidence(field=name, value=text)
    return Evidence(field=name, value=text, locator=seen.locator, observed_at=seen.observed_at)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "、".join(map(str, value)) or None
    return None if value is None else str(value)


def _tally(rule: Rule, bound: Standing, verdicts: Sequence[Verdict]) -> RuleTally:
    return RuleTally(
        rule_id=rule.rule_id,
        title=rule.title,
        standing=bound,
        clauses=rule.clauses,
        passed=verdicts.count("pass"),
        failed=verdicts.count("fail"),
        undetermined=verdicts.count("undetermined"),
    )


def build_coverage(
    packs: Sequence[Regulation], topics: Mapping[str, Text], own: Regulation
) -> tuple[TopicCoverage, ...]:
    """For every topic the clauses that bind the office and those shown for reference."""
    rows = []
    for topic, title in topics.items():
        # The digest files some duties under what they threaten (funding); the rule that tests them knows the topic.
        tested = {c for pack in packs for rule in pack.rules if rule.topic == topic for c in rule.clauses}
        clauses = [c for pack in packs for c in pack.clauses.values() if topic in c.topics or c.clause_id in tested]
        bound = {c.clause_id for c in clauses if standing((c,), own.level) == "binding"}
        rows.append(
            TopicCoverage(
                topic=topic,
                title=title,
                binding=tuple(c.clause_id for c in clauses if c.clause_id in bound),
                reference=tuple(c.clause_id for c in clauses if c.clause_id not in bound),
            )
        )
    return tuple(rows)
