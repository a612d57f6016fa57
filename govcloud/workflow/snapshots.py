"""States of the inventory with a name, and what changed between two of them.

Nothing is copied: statements are never changed, so a state is what all witnesses had said up to a batch, merged again.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from govcloud.discovery.explain import build_field_changes
from govcloud.discovery.merge import build_inventory
from govcloud.errors import UsageError
from govcloud.model.answers import Difference, FieldChange, Moment, Snapshot
from govcloud.model.inventory import Inventory
from govcloud.model.ledger import LedgerEntry
from govcloud.model.observation import SubjectKind
from govcloud.model.text import Text
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import listing
from govcloud.store import snapshot as snapshot_store
from govcloud.workflow.session import Session
from govcloud.workflow.statements import collector_paused, merge_inventory, site_precedence

NOW = ("now", "现在")
_RESERVED = re.compile(r"#?\d+|\d{4}-\d{2}-\d{2}")
_MAX_LABEL = 80


def take_snapshot(session: Session, label: str) -> Snapshot:
    """Name the inventory of now. Raises UsageError for a label that is taken or means something else."""
    label = " ".join(label.split())
    if not label or len(label) > _MAX_LABEL or not label.isprintable() or _RESERVED.fullmatch(label) or label in NOW:
        raise UsageError(
            Text("名称不能是日期、数字、now 或空，不超过 {n} 字", "A label is no date, no number, not now, and has at most {n} characters")
            .format(n=_MAX_LABEL), where=label,
        )  # fmt: skip
    at = session.now()
    with session.store.begin() as tx:
        if any(s.label == label for s in snapshot_store.list_snapshots(tx)):
            raise UsageError(Text("已有同名快照", "There is a snapshot of this name"), where=label)
        if not inventory_store.is_merged(tx):
            merge_inventory(session, tx)
        found = Snapshot(
            label=label, batch_no=inventory_store.last_batch(tx), at=at, actor=session.actor,
            sha256=snapshot_store.stored_digest(tx),
        )  # fmt: skip
        snapshot_store.add_snapshot(tx, found)
        body = {"label": label, "batch_no": found.batch_no, "sha256": found.sha256}
        ledger_store.append(tx, LedgerEntry(kind="snapshot", actor=session.actor, at=at, body=body))
    return found


def list_snapshots(session: Session) -> tuple[Snapshot, ...]:
    with session.store.read() as tx:
        return tuple(snapshot_store.list_snapshots(tx))


def compare_moments(
    session: Session,
    before: str,
    after: str = NOW[0],
    *,
    kind: SubjectKind | None = None,
    department: str | None = None,
) -> Difference:
    """What changed from one state to another. A state is a snapshot's label, a day (`2026-03-07`, its end in the office's
    time), the number of a batch (`#12`) or `now`. Raises UsageError for what is none of these."""
    with session.store.read() as tx:
        old, old_inventory = _state(session, tx, before)
        new, new_inventory = _state(session, tx, after)
        changes, unchanged = build_field_changes(old_inventory, new_inventory, kind=kind, department=department)
        labels = listing.load_labels(tx, _referred(changes))
    return Difference(before=old, after=new, changes=changes, unchanged=unchanged, labels=labels)


def _state(session: Session, tx: Connection, name: str) -> tuple[Moment, Inventory]:
    last = inventory_store.last_batch(tx)
    if name in NOW:
        moment = Moment(name=name, batch_no=last, at=snapshot_store.batch_time(tx, last))
        return moment, inventory_store.load_inventory(tx)
    snapshot = next((s for s in snapshot_store.list_snapshots(tx) if s.label == name), None)
    number = snapshot.batch_no if snapshot else _batch_no(session, tx, name, last)
    _, statements = inventory_store.load_statements(tx, up_to=number)
    with collector_paused():
        found = build_inventory(statements, site_precedence(session), inventory_store.known_ids(tx))
    redone = snapshot is not None and snapshot_store.inventory_digest(found) != snapshot.sha256
    moment = Moment(name=name, batch_no=number, at=snapshot_store.batch_time(tx, number), redone=redone)
    return moment, found


def _batch_no(session: Session, tx: Connection, name: str, last: int) -> int:
    if re.fullmatch(r"#?\d{1,9}", name):
        number = int(name.removeprefix("#"))
        if number <= last:
            return number
    else:
        try:
            ends = datetime.combine(date.fromisoformat(name) + timedelta(days=1), time(), _zone(session))
            return snapshot_store.last_batch_before(tx, ends)
        except (ValueError, OverflowError):
            pass
    raise UsageError(
        Text("没有这个快照、日期或批次", "There is no such snapshot, day or batch"), where=name,
        next_step=Text("查看 govcloud inventory snapshots；日期写 2026-03-07，批次写 #12",
                       "See govcloud inventory snapshots; write a day as 2026-03-07, a batch as #12"),
    )  # fmt: skip


def _zone(session: Session) -> ZoneInfo:
    return ZoneInfo(session.workspace.settings.timezone)


def _referred(changes: tuple[FieldChange, ...]) -> set[str]:
    found = set[str]()
    for change in changes:
        if change.kind == "dependency":
            found.update(change.name.split(" → "))
        if change.field in ("servers", "networks", "systems"):
            for value in (change.was, change.now):
                found.update(map(str, value) if isinstance(value, tuple) else ())
    return found
