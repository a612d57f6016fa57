"""Regulations as data: documents, clauses, rules, and what checking them says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from govcloud.model.condition import Condition
from govcloud.model.observation import SubjectKind
from govcloud.model.text import Text
from govcloud.model.waiver import Waiver

Level = Literal["province", "city", "county"]
Severity = Literal["high", "medium", "low", "info"]
Verdict = Literal["pass", "fail", "undetermined", "not_applicable"]
Standing = Literal["binding", "reference"]
"""Whether the clause binds the office by its own words; a higher level's clause that does not is shown for reference."""
FindingState = Literal["new", "open", "resolved", "preview"]
"""`preview`: evaluated for another day than today, so not followed from run to run."""
Treatment = Literal["information", "not_automatable"]
"""`information`: the clause asks nothing of an office that could be met or missed (purpose, scope, roles, powers).
`not_automatable`: it does, but no record that an office keeps shows whether."""
DeadlineUnit = Literal["workday", "month", "date", "yearly", "recurring"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When a clause wants its act done. No `unit`: the text names the event but gives no number."""

    event: str | None = None
    """What starts the clock: `contract_signed`, `acceptance_completed` …"""
    unit: DeadlineUnit | None = None
    n: int | None = None
    """Number of units; for a range its end."""
    n_min: int | None = None
    """Start of a range, where the text gives one."""
    due_on: date | None = None
    month_day: str | None = None
    """`12-31`, for yearly duties."""
    record: str | None = None
    """Field of Project that records that the act was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    clause_id: str
    regulation_id: str
    article: str
    """As the text numbers it: 第三十五条第一款."""
    topics: tuple[str, ...]
    obligation: Text
    """Our paraphrase; never the official wording."""
    who: tuple[str, ...] = ()
    """Role ids, or the local name of a party without a role. Empty: the article names no party."""
    to: tuple[str, ...] = ()
    deadline: Deadline | None = None
    deadline_note: Text | None = None
    consequence: Text | None = None
    """None: the text attaches none to it."""
    reaches: tuple[Level, ...] = ()
    """Levels of government that the clause binds by its own words."""
    treatment: Treatment | None = None
    """Why no rule tests it; None where one does."""
    treatment_reason: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One test of one kind of subject. `when` says whom it concerns, `must` what has to hold."""

    rule_id: str
    """Names the problem: `SX19/not-on-government-cloud`."""
    regulation_id: str
    topic: str
    subject: SubjectKind
    clauses: tuple[str, ...]
    severity: Severity
    responsible: str
    """Role id."""
    title: Text
    message: Text
    next_step: Text
    must: Condition
    when: Condition | None = None
    note: Text | None = None
    """What the rule adds to the text, for example a number of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A number that a rule needs and the text does not give; a site sets its own in `limits:`."""

    value: float
    title: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestClauses:
    """Which clauses stand behind the answers to a department's request. Empty: no clause here."""

    use_catalog: tuple[str, ...] = ()
    no_duplicates: tuple[str, ...] = ()
    own_cloud: tuple[str, ...] = ()
    own_network: tuple[str, ...] = ()
    exception: tuple[str, ...] = ()
    exception_role: str | None = None
    exception_note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Regulation:
    regulation_id: str
    title: Text
    number: str | None
    """Document number; None where the text at hand has none."""
    issuer: str | None
    level: Level
    issued_on: date | None
    effective_from: date | None
    effective_to: date | None
    superseded_by: str | None
    scope: Text
    note: Text | None
    roles: Mapping[str, str | None]
    """Role id -> the term of this document; None where the document knows no such party."""
    clauses: Mapping[str, Clause]
    rules: tuple[Rule, ...] = ()
    requests: RequestClauses = field(default_factory=RequestClauses)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    """As set by the site, or the pack's own defaults."""

    def in_force(self, on: date) -> bool:
        """An unknown start counts from the day of issue, and where that is unknown, too, as in force: the text says so."""
        start = self.effective_from or self.issued_on
        return (start is None or start <= on) and (self.effective_to is None or on <= self.effective_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A fact that a verdict rests on, and who said it."""

    field: str
    value: str | None
    """None: unknown."""
    subject_id: str | None = None
    """Whose fact it is, where not the finding's own subject's: a server's load, of a system."""
    source: str | None = None
    """Kind of witness: `workbook`, `ssh`, `person` … None for what was worked out."""
    locator: str | None = None
    observed_at: datetime | None = None
    stale: bool = False
    """Older than the site trusts it; somebody should look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    finding_id: str
    """From rule and subject, so the same problem keeps its id from run to run."""
    rule_id: str
    topic: str
    subject_kind: SubjectKind
    subject_id: str
    subject_name: str
    department: str | None
    verdict: Literal["fail", "undetermined"]
    standing: Standing
    severity: Severity
    title: Text
    message: Text
    clauses: tuple[str, ...]
    consequence: Text | None
    """As the clause states it; None where it states none."""
    responsible: str
    """Role id."""
    responsible_term: str | None
    """What the document calls this party; None where it has no such party."""
    next_step: Text
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    """Fields that have to become known before there is a verdict."""
    due_on: date | None = None
    provisional: bool = False
    """The due date crosses into a year whose holidays are not published yet."""
    note: Text | None = None
    """What the rule adds to the text, for example a number of ours."""
    waiver: Waiver | None = None
    """One that is valid on the day of the check, or else the last one, which has expired or was withdrawn."""
    waived: bool = False
    """`waiver` is valid: shown apart, and not counted against the office."""
    state: FindingState = "preview"
    first_seen_on: date | None = None
    resolved_on: date | None = None
    """When it was gone; of one that came back, the last time before that."""
    returned_on: date | None = None
    """Last day on which it was back after it had been gone."""

    def as_seen(
        self, state: FindingState, first_seen_on: date, resolved_on: date | None = None, returned_on: date | None = None
    ) -> Finding:
        """The same finding with its history. Written out: of 100,000 findings dataclasses.replace takes most of the time."""
        return Finding(
            finding_id=self.finding_id, rule_id=self.rule_id, topic=self.topic, subject_kind=self.subject_kind,
            subject_id=self.subject_id, subject_name=self.subject_name, department=self.department,
            verdict=self.verdict, standing=self.standing, severity=self.severity, title=self.title,
            message=self.message, clauses=self.clauses, consequence=self.consequence, responsible=self.responsible,
            responsible_term=self.responsible_term, next_step=self.next_step, evidence=self.evidence,
            missing=self.missing, due_on=self.due_on, provisional=self.provisional, note=self.note,
            waiver=self.waiver, waived=self.waived, state=state, first_seen_on=first_seen_on,
            resolved_on=resolved_on, returned_on=returned_on,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Undetermined:
    """What one rule could not judge for want of the same fields."""

    rule_id: str
    title: Text
    clauses: tuple[str, ...]
    standing: Standing
    missing: tuple[str, ...]
    subjects: tuple[str, ...]
    """Ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCoverage:
    """What the office's own documents say about a topic; empty `binding` is "no clause here"."""

    topic: str
    title: Text
    binding: tuple[str, ...] = ()
    """Clause ids."""
    reference: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTally:
    rule_id: str
    title: Text
    standing: Standing
    clauses: tuple[str, ...]
    passed: int = 0
    failed: int = 0
    undetermined: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One example of a rule, tried."""

    rule_id: str
    name: str
    expected: Verdict
    actual: Verdict
    where: str = ""
    """`file:line` of the case."""

    @property
    def agrees(self) -> bool:
        return self.expected == self.actual


@dataclass(frozen=True, slots=True, kw_only=True)
class EstateCheck:
    as_of: date
    regulations: tuple[str, ...]
    """Ids of the packs in force that were used, the office's own first."""
    not_in_force: tuple[str, ...]
    """Of the packs that the office names."""
    findings: tuple[Finding, ...]
    tallies: tuple[RuleTally, ...]
    coverage: tuple[TopicCoverage, ...]
    superseded: Mapping[str, str] = field(default_factory=dict)
    """Pack that the office names -> what has replaced it, as its own head says."""
    tracked: bool = False
    """Compared with the last run; False for a look at another day."""

    @property
    def clean(self) -> bool:
        """Something was checked, and no open finding binds the office; what is shown for reference or validly waived does not count."""
        return bool(self.regulations) and not any(
            f.standing == "binding" and f.state != "resolved" and not f.waived for f in self.findings
        )
