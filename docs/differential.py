"""One estate under four offices: the same question, and what each office's documents answer. For docs/rules.md and its test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

import msgspec

from govcloud import resources
from govcloud.compliance import catalog_match, catalog_source
from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.calendar_source import load_calendar
from govcloud.compliance.deadlines import build_duties
from govcloud.compliance.evaluate import decide_rule, rules_in_force
from govcloud.compliance.load import load_packs
from govcloud.compliance.subjects import Subject, subjects
from govcloud.compliance.zombies import build_zombies
from govcloud.model.catalog import Catalog
from govcloud.model.inventory import Inventory
from govcloud.model.observation import SubjectKind
from govcloud.model.regulation import Regulation, Standing, Verdict
from govcloud.model.request import RequestLine
from govcloud.model.text import Text
from govcloud.model.zombie import ZombieRules
from govcloud.safe_yaml import load_yaml
from govcloud.settings import load_site

FOLDER = resources.folder("inventory") / "sample" / "differential"
OFFICES = ("shanxi", "jincheng", "jiaocheng", "shandong")
NAMES: Mapping[str, Text] = {
    "shanxi": Text("山西省直", "Shanxi province"),
    "jincheng": Text("晋城", "Jincheng"),
    "jiaocheng": Text("交城", "Jiaocheng"),
    "shandong": Text("山东省直", "Shandong province"),
}
KINDS: tuple[SubjectKind, ...] = ("system", "network", "project")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`rules`: names of the rules that answer it, without their packs; the first one that an office has counts."""

    subject: str
    rules: tuple[str, ...]
    question: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    event: str
    happened_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A line of a request for resources."""

    question: Text
    line: RequestLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    as_of: date
    questions: tuple[Question, ...]
    events: tuple[Event, ...]
    requests: tuple[Asked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`verdict` None: no clause here."""

    verdict: Verdict | None
    standing: Standing | None = None
    rule_id: str | None = None
    clauses: tuple[str, ...] = ()
    due_on: date | None = None
    missing: tuple[str, ...] = ()
    noted: bool = False
    """The rule adds something to the text, for example a number of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    clause_id: str
    standing: Standing
    to: tuple[str, ...]
    due_on: date | None
    earliest_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What checking a line of a request says. `clauses` empty: no clause here."""

    outcome: str
    clauses: tuple[str, ...] = ()
    catalog: str = ""
    asks: str | None = None
    """Role that decides on an exception."""


@dataclass(frozen=True, slots=True)
class Office:
    site: str
    packs: tuple[Regulation, ...]
    catalog_id: str
    calendar: WorkCalendar = field(repr=False)


@cache
def load_questions() -> Questions:
    return msgspec.convert(load_yaml(FOLDER / "questions.yaml"), Questions)


@cache
def load_estate() -> Inventory:
    return msgspec.convert(load_yaml(FOLDER / "estate.yaml"), Inventory)


@cache
def offices() -> tuple[Office, ...]:
    root = resources.folder("regulations")
    calendar = load_calendar(root / "calendars")
    sites = [(site, load_site(site)) for site in OFFICES]
    return tuple(Office(s, load_packs(root, found.jurisdiction), found.catalog, calendar) for s, found in sites)


@cache
def estate_subjects() -> Mapping[str, Subject]:
    inventory, as_of = load_estate(), load_questions().as_of
    zombies = {z.system_id: z for z in build_zombies(inventory, ZombieRules(), {}, as_of)}
    return {s.subject_id: s for kind in KINDS for s in subjects(inventory, kind, zombies)}


def answer(question: Question, office: Office) -> Reply:
    """By the office's own rules first; a higher level's rule answers for reference only where there is no other."""
    subject, as_of = estate_subjects()[question.subject], load_questions().as_of
    known = list(rules_in_force(office.packs, as_of))
    for standing in ("binding", "reference"):
        for name in question.rules:
            for pack, rule, bound in known:
                if bound != standing or rule.rule_id != f"{pack.regulation_id}/{name}":
                    continue
                if rule.subject != subject.kind:
                    raise ValueError(f"{rule.rule_id} is not about a {subject.kind}")
                found = decide_rule(rule, subject, pack, office.calendar, as_of)
                return Reply(
                    verdict=found.verdict,
                    standing=bound,
                    rule_id=rule.rule_id,
                    clauses=rule.clauses,
                    due_on=found.due.on if found.due else None,
                    missing=tuple(sorted(found.missing)),
                    noted=rule.note is not None,
                )
    return Reply(verdict=None)


def duties(event: Event, office: Office) -> tuple[Due, ...]:
    """What binds the office after the event, and has a day; where it has no clause at all, what is for reference."""
    found = build_duties(event.event, event.happened_on, office.packs, office.calendar, office.packs[0].level)
    every = [
        Due(clause_id=d.clause_id, standing=d.standing, to=d.recipients, due_on=d.due_on, earliest_on=d.earliest_on)
        for d in found
    ]
    return tuple(d for d in every if d.standing == "binding") or tuple(every)


@cache
def load_catalog(catalog_id: str) -> Catalog:
    return catalog_source.load_catalog(resources.folder("service_catalog"), catalog_id, load_questions().as_of)


def offered(asked: Asked, office: Office) -> Offered:
    catalog = load_catalog(office.catalog_id)
    found = catalog_match.match_line(asked.line, catalog, office.packs[0], load_questions().as_of)
    return Offered(
        outcome=found.outcome,
        clauses=found.clauses,
        catalog=catalog.catalog_id,
        asks=found.exception.role if found.exception else None,
    )


def verify_rules_exist(questions: Sequence[Question]) -> list[str]:
    """Rule names of the questions that no pack has: a misspelt one would look like “no clause here” everywhere."""
    known = {rule.rule_id.partition("/")[2] for office in offices() for pack in office.packs for rule in pack.rules}
    return sorted({name for question in questions for name in question.rules} - known)
