"""What the ledger tells of a project, a system, a run or a takeover: every record that hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from govcloud.errors import IntegrityError, UsageError
from govcloud.model.ledger import LedgerRecord
from govcloud.model.observation import SubjectKind
from govcloud.model.text import Text
from govcloud.store import handover as handover_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import listing
from govcloud.store import plan as plan_store
from govcloud.store import run as run_store
from govcloud.store.codec import instant
from govcloud.workflow.run import step_titles
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import checklist_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that is given has to hold; nothing given: every record."""

    project: str | None = None
    """Id, number or name; stands for its systems, too."""
    system: str | None = None
    run: str | None = None
    takeover: str | None = None
    kind: str | None = None
    actor: str | None = None
    since: date | None = None
    until: date | None = None
    """First and last day, on the office's calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    records: tuple[Mapping[str, Any], ...]
    """The ledger's JSON objects with their `leaf_hash`, oldest first."""
    canonical: tuple[str, ...]
    """The same records as the bytes that were hashed."""
    earlier: bool = False
    """There are older ones that fit, too."""


class _Head(msgspec.Struct):
    """What decides whether a record belongs; the fields of records from before `concerns` are all here."""

    kind: str
    actor: str
    at: str
    subject_id: str | None
    project_id: str | None
    plan_hash: str | None
    run_id: str | None
    body: msgspec.Raw
    concerns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thread:
    """What the records of one timeline have in common."""

    ids: frozenset[str]
    """A record that names one of them belongs."""
    whole: frozenset[str] = frozenset()
    """Runs and takeovers that belong with everything in them."""
    parents: frozenset[str] = frozenset()
    """Runs whose own records belong, but not those of other systems in them."""
    plans: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()
    """Of files and readings that spoke of the systems."""

    def holds(self, head: _Head) -> bool:
        if self.ids.intersection((head.subject_id, head.project_id, *head.concerns)) or head.run_id in self.whole:
            return True
        if head.run_id in self.parents and head.subject_id in (None, head.run_id):
            return True
        if head.kind == "plan":
            return head.plan_hash in self.plans
        return head.kind in _SPEAKING and self._spoken(msgspec.json.decode(head.body))

    def _spoken(self, body: Mapping[str, Any]) -> bool:
        """What the body of a record without `concerns` says of other subjects."""
        rows = [
            row for key in ("confirmed", "withdrawn", "files") for row in _list(body.get(key)) if isinstance(row, dict)
        ]
        named = (*_list(body.get("systems")), *(row.get("subject_id") for row in rows))
        return bool(
            self.ids.intersection(named)
            or self.digests.intersection((body.get("sha256"), *(r.get("sha256") for r in rows)))
        )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


_SPEAKING = frozenset({"run", "confirm", "import", "discover"})


def read_timeline(session: Session, wanted: Wanted, *, limit: int | None = 50) -> Timeline:
    """The newest `limit` records that fit (None: all of them). Of a long ledger only these are held in memory.

    Raises UsageError for something that neither the inventory nor any record knows, IntegrityError for a record that is
    no JSON any more.
    """
    with session.store.read() as tx:
        threads = _threads(tx, wanted)
        fits = _filter(session, wanted, threads)
        found: list[LedgerRecord] = []
        for record in _fitting(ledger_store.iterate(tx, newest_first=True), fits):
            found.append(record)
            if limit is not None and len(found) > limit:
                break
    if not found:
        _demand_known(wanted)
    shown = found[:limit][::-1]
    told = tuple(msgspec.json.decode(r.canonical) | {"leaf_hash": r.leaf_hash} for r in shown)
    return Timeline(records=told, canonical=tuple(r.canonical for r in shown), earlier=len(found) > len(shown))


def record_titles(session: Session) -> dict[str, Text]:
    """Titles of what records name by id: steps of a migration, items of the takeover's checklist."""
    items = (item for group in checklist_of(session).groups for item in group.items)
    named: list[tuple[str, Text]] = [*step_titles().items(), *((item.item_id, item.title) for item in items)]
    return dict(named)


def _fitting(records: Iterable[LedgerRecord], fits: Callable[[_Head], bool]) -> Iterator[LedgerRecord]:
    decoder = msgspec.json.Decoder(_Head)
    for record in records:
        try:
            if fits(decoder.decode(record.canonical)):
                yield record
        except msgspec.MsgspecError:
            raise IntegrityError(
                Text("记录 {n} 已损坏", "Record {n} is damaged").format(n=record.seq),
                where=f"ledger {record.seq}",
                next_step=Text("运行 govcloud audit verify", "Run govcloud audit verify"),
            ) from None


def _filter(session: Session, wanted: Wanted, threads: Sequence[_Thread]) -> Callable[[_Head], bool]:
    zone = ZoneInfo(session.workspace.settings.timezone)

    def bound(day: date | None) -> str | None:
        return None if day is None else instant(datetime.combine(day, time(), zone).astimezone(UTC))

    since, until = bound(wanted.since), bound(wanted.until + timedelta(days=1) if wanted.until else None)
    actor = wanted.actor.casefold() if wanted.actor else None

    def fits(head: _Head) -> bool:
        return (
            (wanted.kind is None or head.kind == wanted.kind)
            and (actor is None or head.actor.casefold() == actor)
            and (since is None or head.at >= since)
            and (until is None or head.at < until)
            and all(thread.holds(head) for thread in threads)
        )

    return fits


def _threads(tx: Connection, wanted: Wanted) -> list[_Thread]:
    threads = []
    if wanted.project is not None:
        names, systems = _project(tx, wanted.project)
        threads.append(_of_systems(tx, systems, names))
    if wanted.system is not None:
        threads.append(_of_systems(tx, _named(tx, "system", wanted.system) or {wanted.system}, ()))
    if wanted.run is not None:
        run = run_store.load_run(tx, wanted.run)
        plan = plan_store.hash_of(tx, run.plan_id) if run and run.plan_id else None
        one = frozenset({wanted.run})
        threads.append(_Thread(ids=one, whole=one, plans=frozenset({plan} if plan else ())))
    if wanted.takeover is not None:
        one = frozenset({wanted.takeover})
        threads.append(_Thread(ids=one, whole=one))
    return threads


def _project(tx: Connection, text: str) -> tuple[set[str], set[str]]:
    """Ids of the project with its number, and of its systems."""
    found = listing.load_entities(tx, "project", _named(tx, "project", text))
    names = {text} | {name for p in found for name in (p.entity_id, p.entity.number) if name}
    return names, {system for p in found for system in p.entity.systems}


def _named(tx: Connection, kind: SubjectKind, text: str) -> set[str]:
    if listing.load_entities(tx, kind, [text]):
        # An id is looked up; a name is looked for among everything that has one.
        return {text}
    return {entity_id for found, entity_id in listing.find_entities(tx, text) if found == kind}


def _of_systems(tx: Connection, systems: Iterable[str], also: Iterable[str]) -> _Thread:
    """With the ids that witnesses gave to the same systems."""
    ids = set(systems)
    for entity in listing.load_entities(tx, "system", ids):
        ids |= {i for member in entity.members for i in (member.subject_id, member.with_id)}
    handovers = (h.handover_id for h in handover_store.list_handovers(tx) if h.system_id in ids)
    return _Thread(
        ids=frozenset({*ids, *also}),
        whole=frozenset(handovers),
        parents=frozenset(run_store.runs_of(tx, ids)),
        plans=frozenset(plan_store.hashes_naming(tx, ids) if ids else ()),
        digests=frozenset(inventory_store.digests_naming(tx, {*ids, *also})),
    )


def _demand_known(wanted: Wanted) -> None:
    """No record is an answer where the question was narrow; of something that exists there is always one."""
    named = [name for name in (wanted.project, wanted.system, wanted.run, wanted.takeover) if name is not None]
    if len(named) == 1 and (wanted.kind, wanted.actor, wanted.since, wanted.until) == (None,) * 4:
        raise UsageError(
            Text("清单和台账里都没有", "Neither the inventory nor the ledger knows it"),
            where=named[0],
            next_step=Text(
                "用 govcloud projects list、inventory systems、run status --all、takeover list 查看编号",
                "govcloud projects list, inventory systems, run status --all and takeover list show the ids",
            ),
        )
