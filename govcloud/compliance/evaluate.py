"""Inventory and rule packs in, findings out. Pure: the same inputs give the same findings, ids and order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.deadlines import standing
from govcloud.compliance.findings import Draft, Witnesses, build_findings
from govcloud.compliance.judge import Answer, Judge
from govcloud.compliance.subjects import Subject, subjects
from govcloud.model.inventory import Inventory
from govcloud.model.observation import Observation, SubjectKind
from govcloud.model.regulation import (
    EstateCheck,
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
_PORTION = 2_000
"""Subjects that are held with all their facts at once."""


@dataclass(slots=True)
class _Asked:
    """A rule, and how often it got which answer."""

    judge: Judge
    standing: Standing
    counts: dict[Verdict, int] = field(
        default_factory=lambda: {"pass": 0, "fail": 0, "undetermined": 0, "not_applicable": 0}
    )


def evaluate(
    inventory: Inventory,
    packs: Sequence[Regulation],
    topics: Mapping[str, Text],
    calendar: WorkCalendar,
    as_of: date,
    zombies: Mapping[str, ZombieVerdict] | None = None,
    *,
    witnesses: Witnesses | None = None,
    stale: Callable[[Observation], bool] = lambda _: False,
) -> EstateCheck:
    """Every rule of every pack in force against every subject. The office's own pack comes first in `packs`.

    `zombies`: system id -> verdict; without it rules on zombies are undetermined. `witnesses`: who says what findings
    rest on, by default the inventory's own evidence. `stale`: whether such a word is too old.
    """
    active = [pack for pack in packs if pack.in_force(as_of)]
    asked = [_Asked(Judge(rule, pack, calendar, as_of), bound) for pack, rule, bound in rules_in_force(packs, as_of)]
    findings: list[Finding] = []
    for kind in dict.fromkeys(a.judge.rule.subject for a in asked):
        group = [a for a in asked if a.judge.rule.subject == kind]
        every = subjects(inventory, kind, zombies)
        while portion := list(islice(every, _PORTION)):
            drafts = list(_ask(portion, group))
            findings += build_findings(drafts, witnesses or (lambda _kind, _wanted: inventory.evidence), stale)
    return EstateCheck(
        as_of=as_of,
        regulations=tuple(p.regulation_id for p in active),
        not_in_force=tuple(p.regulation_id for p in packs if p not in active),
        superseded={p.regulation_id: p.superseded_by for p in packs if p.superseded_by is not None},
        findings=tuple(sorted(findings, key=_urgency)),
        tallies=tuple(map(_tally, asked)),
        coverage=build_coverage(active, topics, packs[0]),
    )


def rules_in_force(packs: Sequence[Regulation], as_of: date) -> Iterator[tuple[Regulation, Rule, Standing]]:
    """The rules that an office is measured by on that day, in the order of its packs."""
    level = packs[0].level
    active = [pack for pack in packs if pack.in_force(as_of)]
    for pack in active:
        for rule in pack.rules:
            if not _own_version(rule, pack, active, level):
                yield pack, rule, _standing(rule, pack, level)


def _own_version(rule: Rule, pack: Regulation, active: Sequence[Regulation], level: Level) -> bool:
    """Whether the office has a rule of its own for what a higher level's rule would only show for reference."""
    name = rule.rule_id.partition("/")[2]
    return _standing(rule, pack, level) == "reference" and any(
        other.rule_id.partition("/")[2] == name and _standing(other, above, level) == "binding"
        for above in active if above is not pack for other in above.rules
    )  # fmt: skip


def _standing(rule: Rule, pack: Regulation, level: Level) -> Standing:
    return standing((pack.clauses[c] for c in rule.clauses), level)


def _ask(portion: Sequence[Subject], group: Sequence[_Asked]) -> Iterator[Draft]:
    for subject in portion:
        for asked in group:
            answer = asked.judge.answer(subject)
            asked.counts[answer.verdict] += 1
            if answer.verdict in ("fail", "undetermined"):
                yield Draft(asked.judge, asked.standing, subject, answer)


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
    """What one rule says about one subject."""
    return Judge(rule, pack, calendar, as_of).answer(subject)


def asked_fields(packs: Sequence[Regulation], calendar: WorkCalendar, as_of: date) -> dict[SubjectKind, frozenset[str]]:
    """Kind of subject -> the fields that the rules in force look at; a kind that no rule is about is left out."""
    found: dict[SubjectKind, frozenset[str]] = {}
    for pack, rule, _ in rules_in_force(packs, as_of):
        used = Judge(rule, pack, calendar, as_of).used
        found[rule.subject] = found.get(rule.subject, frozenset()) | used
    return found


def _tally(asked: _Asked) -> RuleTally:
    rule, counts = asked.judge.rule, asked.counts
    return RuleTally(
        rule_id=rule.rule_id,
        title=rule.title,
        standing=asked.standing,
        clauses=rule.clauses,
        passed=counts["pass"],
        failed=counts["fail"],
        undetermined=counts["undetermined"],
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
