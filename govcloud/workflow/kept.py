"""Answers that are worked out over everything, kept until what they were worked out from has changed.

A command asks once and ends; the dashboard asks the same again and again, and at 100,000 servers each answer takes seconds.
"""

from __future__ import annotations

import gc
import threading
import time
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
from govcloud.workflow.statements import collector_paused

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[T]):
    value: T
    records: int
    """So many ledger records there were when it was worked out: what was recorded later did not change it."""
    at: datetime


_LONG_S, _SHARE = 2.0, 10
_LARGE_S = 1.0
"""What takes so long to make is large."""


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    state: object = None
    kept: Kept[Any] | None = None
    took_s: float = 0.0
    until: float = 0.0
    """Monotonic time: so long an answer that takes long is good enough for those who are patient."""

    def serves(self, state: object, *, patient: bool) -> bool:
        return self.state == state or (patient and self.took_s > _LONG_S and time.monotonic() < self.until)


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


def kept(
    session: Session, name: str, build: Callable[[Session], T], *, kinds: Collection[str] = (), patient: bool = False
) -> Kept[T]:
    """What `build` says of the merged inventory of today, and of records of `kinds`; one thread works it out, the impatient wait.

    `name`: one a question; the answer must not depend on who asks. `patient`: an answer that took seconds may be of an earlier
    state, so that no more than a tenth of the time goes into it while a run changes the inventory all the time; who shows it
    tells of which state it is.
    """
    with _SHELVES_LOCK:
        shelf = _SHELVES.setdefault(session.store.engine, _Shelf())
    slot = shelf.slot(name)
    before = slot.kept if patient else None
    if not slot.lock.acquire(blocking=before is None):
        assert before is not None  # noqa: S101 - else it would have waited
        return before
    try:
        with session.store.read() as tx:
            # Asked before it is worked out: what comes in between is found the next time.
            records = ledger_store.size(tx)
            state = (today(session), inventory_store.last_batch(tx), shelf.newest(tx, kinds))
        if slot.kept is None or not slot.serves(state, patient=patient):
            began = time.monotonic()
            with collector_paused():
                slot.kept = Kept(value=build(session), records=records, at=session.now())
            ended = time.monotonic()
            if ended - began > _LARGE_S:
                # A full collection over what is kept would stop every page for a second, and find nothing.
                gc.collect()
                gc.freeze()
            slot.state, slot.took_s, slot.until = state, ended - began, ended + _SHARE * (ended - began)
        return slot.kept
    finally:
        slot.lock.release()
