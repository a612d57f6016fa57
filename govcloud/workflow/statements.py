"""What witnesses said, into the store: batch, statements, merged inventory and ledger record in one transaction."""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from govcloud.discovery.choose import Precedence, verify_precedence
from govcloud.discovery.diff import build_changes
from govcloud.discovery.merge import build_merged
from govcloud.errors import InputError
from govcloud.model.collect import Change
from govcloud.model.inventory import Conflict
from govcloud.model.ledger import LedgerEntry
from govcloud.model.observation import Statement
from govcloud.model.text import Text
from govcloud.settings import FILE
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store.codec import encode
from govcloud.store.entities import replace_inventory
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What new statements did to the inventory."""

    changes: tuple[Change, ...]
    unchanged: int
    conflicts: tuple[Conflict, ...]
    """Facts that were not in dispute before."""


def merge_inventory(session: Session, tx: Connection) -> Stored:
    """Merge what all witnesses say now and store the result, inside the caller's transaction.

    Every verb that adds statements calls it, and writes its ledger record in the same transaction.
    """
    numbers, statements = inventory_store.load_statements(tx)
    return write_inventory(session, tx, numbers, statements)


def write_inventory(
    session: Session, tx: Connection, numbers: Sequence[int], statements: Sequence[Statement], *, write: bool = True
) -> Stored:
    """The merge of these statements, stored. With `write` off: what it would change."""
    with collector_paused():
        merged = build_merged(statements, site_precedence(session), inventory_store.known_ids(tx))
        change = replace_inventory(tx, merged, numbers, write=write)
        changes = build_changes((c.kind, c.entity_id, c.was, c.now) for c in change.entities)
    return Stored(changes=changes, unchanged=change.unchanged, conflicts=change.conflicts)


def site_precedence(session: Session) -> Precedence:
    """The site's table of who is believed. Raises InputError where it names a field or a witness that does not exist."""
    precedence = session.workspace.settings.precedence
    if problems := verify_precedence(precedence):
        what = Text("；".join(p.zh for p in problems), "; ".join(p.en for p in problems))
        raise InputError(
            Text("优先顺序表有误：{w}", "The table of precedence is wrong: {w}").format(w=what),
            where=f"{session.workspace.path / FILE}: precedence",
            next_step=Text("对照 docs/formats.md 改正", "Correct it after docs/formats.md"),
        )
    return precedence


@contextmanager
def collector_paused() -> Iterator[None]:
    """Of 100,000 servers, half of the time went into looking for cycles, of which there are none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def store_statements(
    session: Session,
    *,
    kind: Literal["discover", "import", "confirm"],
    source: str,
    statements: Sequence[Statement],
    body: Mapping[str, object],
) -> Stored:
    """Keep what a witness said.

    `kind`: every `discover` counts; of an `import` or `confirm` the newest of its source replaces the earlier ones.
    `body` goes into the batch and the ledger record: no floats.
    """
    at = session.now()
    digest = hashlib.sha256(encode(statements).encode()).hexdigest()
    with session.store.begin() as tx:
        batch_no = inventory_store.add_batch(
            tx, batch_id=batch_id(tx, digest), kind=kind, source=source, sha256=digest, at=at, actor=session.actor,
            body=body,
        )  # fmt: skip
        inventory_store.add_statements(tx, batch_no, statements)
        stored = merge_inventory(session, tx)
        told = {
            "source": source,
            "sha256": digest,
            "statements": len(statements),
            **body,
            **count_changes(stored.changes),
        }
        ledger_store.append(tx, LedgerEntry(kind=kind, actor=session.actor, at=at, body=told))
    return stored


def batch_id(tx: Connection, sha256: str) -> str:
    """Id of the batch that this transaction is about to add; from here on it is the only one that adds."""
    inventory_store.queue_writers(tx)
    return f"B-{inventory_store.last_batch(tx) + 1:06d}-{sha256[:10]}"


def count_changes(changes: Sequence[Change]) -> dict[str, int]:
    counted = Counter(c.change for c in changes)
    return {word: counted[word] for word in ("added", "changed", "removed")}
