"""One rule, made ready to be asked about every subject of its kind. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from govcloud.compliance.calendar import DueDate, WorkCalendar
from govcloud.compliance.conditions import Truth
from govcloud.compliance.deadlines import check_in_time, happened_on
from govcloud.compliance.decide import Outcome, build_test, fields_of, in_time_key
from govcloud.compliance.subjects import Subject
from govcloud.model.condition import All, Any, Condition, InTime, Not
from govcloud.model.regulation import Deadline, Regulation, Rule, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one rule says about one subject."""

    verdict: Verdict
    used: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    due: DueDate | None = None


_NOT_CONCERNED = Answer(verdict="not_applicable")


class Judge:
    """Takes the rule apart once: of ten thousand systems each is then asked in a microsecond or two."""

    def __init__(self, rule: Rule, pack: Regulation, calendar: WorkCalendar, as_of: date) -> None:
        self.rule, self.pack = rule, pack
        self._calendar, self._as_of = calendar, as_of
        parts = [part for part in (rule.when, rule.must) if part is not None]
        self._clauses = tuple(dict.fromkeys(c for part in parts for c in _timed_clauses(part)))
        keys = {in_time_key(clause_id) for clause_id in self._clauses}
        self.used = frozenset(name for part in parts for name in fields_of(part)) - keys
        self._when = build_test(rule.when, as_of) if rule.when is not None else None
        self._must = build_test(rule.must, as_of)
        consequences = (pack.clauses[clause_id].consequence for clause_id in rule.clauses)
        self.consequence = next((c for c in consequences if c is not None), None)
        self._pass = Answer(verdict="pass", used=self.used)
        self._fail = Answer(verdict="fail", used=self.used)

    def answer(self, subject: Subject) -> Answer:
        """`when` unknown leaves the rule undetermined: nobody can say yet whether it concerns the subject."""
        if self._clauses:
            return self._answer_in_time(subject)
        concerned = True if self._when is None else self._when(subject.facts)
        if concerned is False:
            return _NOT_CONCERNED
        held = self._must(subject.facts)
        if held is True:
            # Whom it concerns may be unknown; the demand is met either way.
            return self._pass
        if concerned is True and held is False:
            return self._fail
        return Answer(verdict="undetermined", used=self.used, missing=_missing(concerned) | _missing(held))

    def _answer_in_time(self, subject: Subject) -> Answer:
        if subject.project is None:  # the loader lets only project rules ask
            raise TypeError(self.rule.rule_id)
        facts, used, due = dict(subject.facts), self.used, None
        before_the_rules = False
        for clause in (self.pack.clauses[clause_id] for clause_id in self._clauses):
            start = happened_on(subject.project, (clause.deadline or Deadline()).event or "")
            before_the_rules |= start is not None and not self.pack.in_force(start)
            truth, day = check_in_time(subject.project, clause, self._calendar, self._as_of)
            facts[in_time_key(clause.clause_id)] = _outcome(truth)
            used, due = used | truth.used, due or day
        concerned = True if self._when is None else self._when(facts)
        if concerned is False or before_the_rules:
            return _NOT_CONCERNED
        held = self._must(facts)
        if held is True:
            return Answer(verdict="pass", used=used)
        if concerned is True and held is False:
            return Answer(verdict="fail", used=used, due=due)
        return Answer(verdict="undetermined", used=used, missing=_missing(concerned) | _missing(held))


def _missing(outcome: Outcome) -> frozenset[str]:
    return outcome if isinstance(outcome, frozenset) else frozenset()


def _outcome(truth: Truth) -> Outcome:
    return truth.missing if truth.value is None else truth.value


def _timed_clauses(condition: Condition) -> Iterator[str]:
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from _timed_clauses(part)
        case Not(part):
            yield from _timed_clauses(part)
        case InTime(clause_id=clause_id):
            yield clause_id
