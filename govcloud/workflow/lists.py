"""Long lists for those who ask again and again: narrowed, sorted and counted in memory, the rows of a page read from the store."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from govcloud.compliance.waivers import apply_waivers
from govcloud.model.answers import Page, Query
from govcloud.model.observation import SubjectKind
from govcloud.model.regulation import Finding, Severity, Undetermined
from govcloud.store import finding as finding_store
from govcloud.store import heads, listing
from govcloud.store import waiver as waiver_store
from govcloud.store.heads import FindingHead, ServerHead, SystemHead
from govcloud.workflow.inventory import page_of
from govcloud.workflow.kept import kept
from govcloud.workflow.office import today
from govcloud.workflow.session import Session

Head = TypeVar("Head")
UNKNOWN = "unknown"
"""Asks for those of which the field is not known."""
_REMEMBERED = 16
_SEVERITIES = ("high", "medium", "low", "info")


class Heads(Generic[Head]):
    """All of a kind in one state of the ledger, and the newest questions with what fitted them: pages two, three, … ask the same."""

    def __init__(self, all_of_them: Sequence[Head]) -> None:
        self.all = all_of_them
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, question: Hashable, find: Callable[[Sequence[Head]], Any]) -> Any:
        with self._lock:
            if question in self._answers:
                self._answers.move_to_end(question)
                return self._answers[question]
        found = find(self.all)
        with self._lock:
            self._answers[question] = found
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows `offset` to `offset + limit` of what fits; limit None: to the end."""

    limit: int | None = None
    offset: int = 0

    def of(self, items: Sequence[Head]) -> Sequence[Head]:
        return items[self.offset : None if self.limit is None else self.offset + self.limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemQuestion:
    """None and empty: whatever it is. `department`: its whole name, or a part of one."""

    find: str = ""
    department: str = ""
    hosting: str = ""
    networks: frozenset[str] | None = None
    """Ids, of which it is on one."""
    level: str = ""
    lifecycle: str = ""
    order: str = "id"
    """A key of SYSTEM_ORDERS; a minus in front turns it round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerQuestion:
    find: str = ""
    department: str = ""
    state: str = ""
    """seen, unseen or undeclared."""
    order: str = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingQuestion:
    find: str = ""
    department: str = ""
    topic: str = ""
    clause: str = ""
    severity: str = ""
    standing: str = "binding"
    order: str = "severity"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPage:
    findings: tuple[Finding, ...]
    total: int


_Key = Callable[[Any], Any]
SYSTEM_ORDERS: Mapping[str, _Key] = {
    "id": lambda h: h.system_id,
    "name": lambda h: h.name,
    "department": lambda h: (h.department is None, h.department, h.system_id),
    "level": lambda h: (h.mlps_level is None, -(h.mlps_level or 0), h.system_id),
    "users": lambda h: (h.users is None, -(h.users or 0), h.system_id),
}
SERVER_ORDERS: Mapping[str, _Key] = {
    "id": lambda h: h.server_id,
    "name": lambda h: h.name,
    "department": lambda h: (h.department is None, h.department, h.server_id),
    "os": lambda h: (h.os_name is None, h.os_name, h.os_version or "", h.server_id),
}
FINDING_ORDERS: Mapping[str, _Key] = {
    "severity": lambda h: (_SEVERITIES.index(h.severity), h.department is None, h.department, h.finding_id),
    "department": lambda h: (h.department is None, h.department, _SEVERITIES.index(h.severity), h.finding_id),
    "subject": lambda h: (h.subject_id, _SEVERITIES.index(h.severity), h.finding_id),
    "due": lambda h: (h.due_on is None, h.due_on, _SEVERITIES.index(h.severity), h.finding_id),
}


def list_systems(session: Session, question: SystemQuestion, part: Part) -> Page:
    known = system_heads(session)
    ids, counts = known.answer(
        question, lambda every: _found(every, _system_tests(question, every), question.order, SYSTEM_ORDERS)
    )
    with session.store.read() as tx:
        return _page(session, tx, "system", ids, counts, part)


def list_servers(session: Session, question: ServerQuestion, part: Part) -> Page:
    known = server_heads(session)
    ids, counts = known.answer(
        question, lambda every: _found(every, _server_tests(question, every), question.order, SERVER_ORDERS)
    )
    with session.store.read() as tx:
        return _page(session, tx, "server", ids, counts, part)


def networks_named(session: Session, text: str) -> frozenset[str]:
    """Ids of the networks with this id, or the text in their name."""
    wanted = text.strip().casefold()
    with session.store.read() as tx:
        every = listing.all_networks(tx)
    return frozenset(n.network_id for n in every if n.network_id.casefold() == wanted or wanted in n.name.casefold())


def departments_of(session: Session) -> list[str]:
    """Names of all departments that have a system, for a choice."""
    found: list[str] = system_heads(session).answer(
        "departments", lambda every: sorted({h.department for h in every if h.department})
    )
    return found


def system_heads(session: Session) -> Heads[SystemHead]:
    return kept(session, "systems", lambda s: Heads(_read(s, heads.system_heads))).value


def server_heads(session: Session) -> Heads[ServerHead]:
    return kept(session, "servers", lambda s: Heads(_read(s, heads.server_heads))).value


def _read(session: Session, load: Callable[[Connection], list[Head]]) -> list[Head]:
    with session.store.read() as tx:
        return load(tx)


def _found(
    every: Sequence[Any], tests: Iterable[Callable[[Any], bool]], order: str, orders: Mapping[str, _Key]
) -> tuple[list[str], Mapping[str, int]]:
    """Ids in order, and the counts of a Page."""
    found = every
    for test in tests:
        found = [h for h in found if test(h)]
    departments = {h.department for h in found}
    counts = {
        "departments": len(departments - {None}),
        "seen": sum(1 for h in found if getattr(h, "seen", None)),
        "undeclared": sum(1 for h in found if getattr(h, "declared", None) is False),
    }
    return [h.entity_id for h in _ordered(found, order, orders)], counts


def _ordered(found: Sequence[Any], order: str, orders: Mapping[str, _Key]) -> Sequence[Any]:
    key = orders.get(order.removeprefix("-"))
    return found if key is None else sorted(found, key=key, reverse=order.startswith("-"))


def _system_tests(asked: SystemQuestion, every: Sequence[SystemHead]) -> Iterable[Callable[[SystemHead], bool]]:
    if asked.department:
        yield _of_department(asked.department, every)
    if asked.hosting:
        yield lambda h: (h.hosting or UNKNOWN) == asked.hosting
    if asked.lifecycle:
        yield lambda h: (h.lifecycle or UNKNOWN) == asked.lifecycle
    if asked.level:
        yield lambda h: (UNKNOWN if h.mlps_level is None else str(h.mlps_level)) == asked.level
    if (networks := asked.networks) is not None:
        yield lambda h: not networks.isdisjoint(h.networks)
    if wanted := asked.find.strip().casefold():
        yield lambda h: wanted in h.text


def _server_tests(asked: ServerQuestion, every: Sequence[ServerHead]) -> Iterable[Callable[[ServerHead], bool]]:
    if asked.department:
        yield _of_department(asked.department, every)
    if asked.state == "undeclared":
        yield lambda h: h.declared is False
    elif asked.state:
        yield lambda h: bool(h.seen) == (asked.state == "seen")
    if wanted := asked.find.strip().casefold():
        yield lambda h: wanted in h.text


def _of_department(text: str, every: Sequence[Any]) -> Callable[[Any], bool]:
    """By the whole name where there is such a department, so that a link of a department leads to its own rows only."""
    wanted = text.strip()
    names = {h.department for h in every}
    if wanted == UNKNOWN:
        fitting: set[str | None] = {None}
    elif wanted in names:
        fitting = {wanted}
    else:
        fitting = {n for n in names if n is not None and wanted.casefold() in n.casefold()}
    return lambda h: h.department in fitting


def systems_on_servers(session: Session) -> Mapping[str, Sequence[str]]:
    def find(every: Sequence[SystemHead]) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for head in every:
            for server_id in head.servers:
                found.setdefault(server_id, []).append(head.system_id)
        return found

    on: Mapping[str, Sequence[str]] = system_heads(session).answer("on servers", find)
    return on


def _page(
    session: Session, tx: Connection, kind: Any, ids: Sequence[str], counts: Mapping[str, int], part: Part
) -> Page:
    shown = part.of(ids)
    by_id = {e.entity_id: e.entity for e in listing.load_entities(tx, kind, shown)}
    on = systems_on_servers(session) if kind == "server" else {}
    carried = {i: on[i] for i in shown if i in on}
    return page_of(session, tx, kind, [by_id[i] for i in shown if i in by_id], len(ids), carried, counts)


def list_findings(session: Session, question: FindingQuestion, part: Part) -> FindingPage:
    """What fails and is not waived."""
    ids = [h.finding_id for h in _failing(session, question)]
    return FindingPage(findings=_findings(session, part.of(ids)), total=len(ids))


def list_waived(session: Session, question: FindingQuestion, part: Part) -> FindingPage:
    known = finding_heads(session)
    waived = _waived_today(session)
    found = _narrowed(question, [h for h in known.all if h.finding_id in waived], known.all)
    chosen = [h.finding_id for h in found]
    return FindingPage(findings=_findings(session, part.of(chosen)), total=len(chosen))


def finding_heads(session: Session) -> Heads[FindingHead]:
    return kept(session, "findings", lambda s: Heads(_read(s, heads.finding_heads)), kinds=("check",)).value


def count_findings(session: Session) -> Mapping[str | None, Mapping[Severity, int]]:
    """Department -> severity -> what fails, binds and is not waived."""
    failing = _failing(session, FindingQuestion())

    def count(_every: Sequence[FindingHead]) -> Mapping[str | None, Mapping[Severity, int]]:
        found: dict[str | None, Counter[Severity]] = {}
        for head in failing:
            found.setdefault(head.department, Counter())[head.severity] += 1
        return found

    counted: Mapping[str | None, Mapping[Severity, int]]
    counted = finding_heads(session).answer(("counts", _waived_today(session)), count)
    return counted


def count_kind(session: Session, kind: SubjectKind) -> int:
    with session.store.read() as tx:
        return listing.list_entities(tx, kind, Query(limit=0))[1]


def count_estate(session: Session) -> Mapping[str, int]:
    """The counts of `report.overview.build_counted_estate`."""
    systems, servers = system_heads(session).all, server_heads(session).all
    with session.store.read() as tx:
        _, conflicts = listing.list_conflicts(tx, Query(limit=0))
    return {
        "systems": len(systems), "departments": len({h.department for h in systems if h.department}),
        "on_cloud": sum(h.hosting == "gov_cloud" for h in systems), "servers": len(servers),
        "seen": sum(1 for h in servers if h.seen), "undeclared": sum(h.declared is False for h in servers),
        "conflicts": conflicts,
    }  # fmt: skip


def finding_choices(session: Session) -> tuple[list[str], list[str]]:
    """Topics and clauses that the findings are about."""
    every = finding_heads(session)
    chosen: tuple[list[str], list[str]] = every.answer(
        "choices", lambda heads: (sorted({h.topic for h in heads}), sorted({c for h in heads for c in h.clauses}))
    )
    return chosen


def list_undetermined(session: Session, question: FindingQuestion) -> list[Undetermined]:
    """One a rule and set of missing fields; those about most subjects first."""

    def find(every: Sequence[FindingHead]) -> list[Undetermined]:
        groups: dict[tuple[str, tuple[str, ...]], list[FindingHead]] = {}
        for head in _narrowed(question, [h for h in every if h.verdict == "undetermined"], every):
            groups.setdefault((head.rule_id, head.missing), []).append(head)
        found = [
            Undetermined(
                rule_id=rule_id, title=of[0].title, clauses=of[0].clauses, standing=of[0].standing, missing=missing,
                subjects=tuple(sorted(h.subject_id for h in of)),
            )
            for (rule_id, missing), of in groups.items()
        ]  # fmt: skip
        return sorted(found, key=lambda u: (-len(u.subjects), u.rule_id, u.missing))

    found: list[Undetermined] = finding_heads(session).answer(("undetermined", question), find)
    return found


def _failing(session: Session, question: FindingQuestion) -> Sequence[FindingHead]:
    waived = _waived_today(session)

    def find(every: Sequence[FindingHead]) -> Sequence[FindingHead]:
        of = _narrowed(question, [h for h in every if h.verdict == "fail" and h.standing == question.standing], every)
        return _ordered([h for h in of if h.finding_id not in waived], question.order, FINDING_ORDERS)

    found: Sequence[FindingHead] = finding_heads(session).answer(("failing", question, waived), find)
    return found


def _waived_today(session: Session) -> frozenset[str]:
    def find(asked: Session) -> frozenset[str]:
        with asked.store.read() as tx:
            waivers = waiver_store.list_waivers(tx)
            concerned = finding_store.load_findings(tx, {w.finding_id for w in waivers}).values()
        return frozenset(f.finding_id for f in apply_waivers(list(concerned), waivers, today(asked)) if f.waived)

    return kept(session, "waived", find, kinds=("check", "waiver")).value


def _narrowed(
    asked: FindingQuestion, found: Sequence[FindingHead], every: Sequence[FindingHead]
) -> Sequence[FindingHead]:
    for test in _finding_tests(asked, every):
        found = [h for h in found if test(h)]
    return found


def _finding_tests(asked: FindingQuestion, every: Sequence[FindingHead]) -> Iterable[Callable[[FindingHead], bool]]:
    if asked.severity:
        yield lambda h: h.severity == asked.severity
    if asked.topic:
        yield lambda h: h.topic == asked.topic
    if asked.clause:
        yield lambda h: asked.clause in h.clauses
    if asked.department:
        yield _of_department(asked.department, every)
    if wanted := asked.find.strip().casefold():
        yield lambda h: wanted in f"{h.finding_id}\n{h.subject_id}\n{h.subject_name}\n{h.rule_id}".casefold()


def _findings(session: Session, ids: Sequence[str]) -> tuple[Finding, ...]:
    with session.store.read() as tx:
        by_id = finding_store.load_findings(tx, ids)
        waivers = waiver_store.list_waivers(tx, ids)
    return apply_waivers([by_id[i] for i in ids if i in by_id], waivers, today(session))
