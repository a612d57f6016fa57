"""Answers that are worked out over everything, kept until what they were worked out from has changed.

A command asks once and ends; the dashboard asks the same again and again, and at 100,000 servers each answer takes seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Connection, Engine

from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow.office import today
from govcloud.workflow.session import Session

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[T]):
    value: T
    records: int
    """So many ledger records there were when it was worked out: what was recorded later did not change it."""
    at: datetime


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    state: object = None
    kept: Kept[Any] | None = None


class _Head(msgspec.Struct):
    kind: str


_head = msgspec.json.Decoder(_Head)


class _Shelf:
    """What is kept of one database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: dict[str, _Slot] = {}
        self._read = -1
        self._newest: dict[str, int] = {}

    def slot(self, name: str) -> _Slot:
        with self._lock:
            return self._slots.setdefault(name, _Slot())

    def newest(self, tx: Connection, kinds: Collection[str]) -> int:
        """Number of the newest record of these kinds since the first question; only new records are looked at."""
        with self._lock:
            size = ledger_store.size(tx)
            if 0 <= self._read < size:
                for record in ledger_store.iterate(tx, self._read):
                    self._newest[_head.decode(record.canonical).kind] = record.seq
            self._read = max(size, self._read)
            return max((self._newest.get(kind, -1) for kind in kinds), default=-1)


_SHELVES: WeakKeyDictionary[Engine, _Shelf] = WeakKeyDictionary()
_SHELVES_LOCK = threading.Lock()


def kept(session: Session, name: str, build: Callable[[Session], T], *, kinds: Collection[str] = ()) -> Kept[T]:
    """What `build` says of the merged inventory of today, and of records of `kinds`; one thread works it out, others wait.

    `name`: one a question; the answer must not depend on who asks.
    """
    with _SHELVES_LOCK:
        shelf = _SHELVES.setdefault(session.store.engine, _Shelf())
    slot = shelf.slot(name)
    with slot.lock:
        with session.store.read() as tx:
            # Asked before it is worked out: what comes in between is found the next time.
            records = ledger_store.size(tx)
            state = (today(session), inventory_store.last_batch(tx), shelf.newest(tx, kinds))
        if slot.kept is None or slot.state != state:
            slot.kept = Kept(value=build(session), records=records, at=session.now())
            slot.state = state
        return slot.kept
