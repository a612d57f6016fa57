"""Who may begin a leg now, and why the others wait. Pure: rows, workers and clock come in, a choice comes out.

What a system does next is the machine's answer (machine.next_move); asking costs a look at everything that is known of the
system. The board says which systems have to be asked again at all: of a thousand that wait for people it is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from govcloud.execution.rules import ExecutionRules
from govcloud.model.attempt import Worker
from govcloud.model.run import ENDED, SETTLED, SystemState, Wait, WaitKind
from govcloud.model.text import Text

LIVING_S = 30.0
"""A worker that was not seen for so long is taken for dead where somebody waits for it."""
ASK_AGAIN_S = 15.0
"""Waits that something outside of us ends are looked at so often."""
_LOOK_AGAIN_S = 300.0
"""All others, in case that what they wait for came unnoticed: a file was put back, a clock was set."""
_DISTANT_S = 1800.0
"""However far off the end of a wait: before a window a copy grows old (machine._refresh)."""
_OUTSIDE: frozenset[WaitKind] = frozenset({"quota", "ticket", "host_key", "unreachable"})
_PEOPLE: frozenset[WaitKind] = frozenset({"quota", "ticket", "host_key"})
"""Somebody has to do something first: whoever only works until nothing is left to do need not stay for it."""
_OTHERS: frozenset[WaitKind] = frozenset({"predecessor", "wave_stop"})
_OURS: frozenset[WaitKind | None] = frozenset({"slot", "zone", None})
Key = tuple[str, str]
"""run_id, system_id"""


class Row(NamedTuple):
    """What one cheap query tells of a system; its migration file is not among it."""

    run_id: str
    system_id: str
    position: int
    state: SystemState
    zone: str | None
    wait_kind: WaitKind | None
    leg: int
    orders: int
    """The newest order's number; 0 without any."""
    answers: int
    """At all its gates."""

    @property
    def key(self) -> Key:
        return self.run_id, self.system_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    start: tuple[Row, ...]
    waits: Mapping[Row, Wait]
    """Of systems that are due and may not begin, where it is not what their rows show already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    ask: list[Row]
    """The machine has to be asked what they do next."""
    ready: list[Row]
    """Known to be ready for their next step."""


Mark = tuple[SystemState, WaitKind | None, int, int, int, frozenset[tuple[SystemState, int]]]


@dataclass(slots=True)
class Board:
    """What the dispatcher remembers of each system from one look to the next; nothing that a restart would miss."""

    _marks: dict[Key, Mark] = field(default_factory=dict)
    _ask_at: dict[Key, datetime] = field(default_factory=dict)
    _ready: set[Key] = field(default_factory=set)
    _ends_at: dict[Key, datetime] = field(default_factory=dict)
    """Waits that are over by themselves."""
    _fates: dict[str, frozenset[tuple[SystemState, int]]] = field(default_factory=dict)

    def look(self, rows: Sequence[Row], busy: Iterable[Key], now: datetime) -> Due:
        """`rows`: of whole runs, by run and place in the wave; how the others of a run fare decides for some. `busy`: with
        a leg under way."""
        counts: dict[str, Counter[SystemState]] = {}
        for row in rows:
            if row.state in SETTLED:
                counts.setdefault(row.run_id, Counter())[row.state] += 1
        self._fates = {run_id: frozenset(count.items()) for run_id, count in counts.items()}
        under_way = set(busy)
        due = Due(ask=[], ready=[])
        for row in rows:
            if row.state in ENDED or row.key in under_way:
                continue
            at = self._ask_at.get(row.key)
            if self._marks.get(row.key) == self._mark(row) and (at is None or at > now):
                if row.key in self._ready:
                    due.ready.append(row)
            elif row.leg == 0 and row.wait_kind in _OURS and not row.orders:
                due.ready.append(row)
            else:
                due.ask.append(row)
        return due

    def is_ready(self, row: Row, now: datetime) -> None:
        """The machine says: a step. Where it can't begin at once it is asked again, as windows and approvals pass."""
        self._note(row, now + timedelta(seconds=4 * ASK_AGAIN_S))
        self._ready.add(row.key)
        self._ends_at.pop(row.key, None)

    def waits(self, row: Row, state: SystemState, wait: Wait | None, now: datetime) -> None:
        """The machine says: not yet. It is asked again when something changes or the wait is over."""
        outside = wait is not None and (wait.kind in _OUTSIDE or wait.until is not None)
        at = now + timedelta(seconds=ASK_AGAIN_S if outside else _LOOK_AGAIN_S)
        if wait is not None and wait.until is not None and wait.until > now:
            at = wait.until
        again_at = min(at, now + timedelta(seconds=_DISTANT_S))
        self._note(row._replace(state=state, wait_kind=wait.kind if wait else None), again_at)
        self._ready.discard(row.key)
        self._ends_at.pop(row.key, None)
        if wait is not None and outside and wait.kind not in _PEOPLE:
            self._ends_at[row.key] = at

    def next_at(self) -> datetime | None:
        """When the next wait is over by itself."""
        return min(self._ends_at.values(), default=None)

    def _note(self, row: Row, at: datetime) -> None:
        self._marks[row.key] = self._mark(row)
        self._ask_at[row.key] = at

    def _mark(self, row: Row) -> Mark:
        kind = None if row.wait_kind in _OURS else row.wait_kind
        # How the others fare matters to those only that wait for it: else each success would wake all.
        fate = self._fates.get(row.run_id, frozenset()) if kind in _OTHERS else frozenset()
        return row.state, kind, row.leg, row.orders, row.answers, fate


def serves(worker: Worker, zone: str | None) -> bool:
    return zone is None or not worker.zones or zone in worker.zones


def living(workers: Iterable[Worker], now: datetime, within_s: float = LIVING_S) -> list[Worker]:
    """Seen lately and not gone in order (pid 0)."""
    return [w for w in workers if w.pid and (now - w.seen_at).total_seconds() <= within_s]


def choose(
    due: Sequence[Row],
    active: Mapping[str | None, int],
    workers: Sequence[Worker],
    mine: Worker,
    rules: ExecutionRules,
    now: datetime,
) -> Choice:
    """`due`: systems whose next move is a step; `active`: zone -> legs under way, of all workers; `workers`: the living ones.

    Systems whose zone another worker serves and this one does not are left to it.
    """
    taken = Counter(dict(active))
    start: list[Row] = []
    waits: dict[Row, Wait] = {}
    for row in due:
        zone, slots = row.zone, rules.zone(row.zone).slots
        if not serves(mine, zone):
            if row.wait_kind != "zone" and not any(serves(worker, zone) for worker in workers):
                waits[row] = no_worker(zone, now)
        elif taken[zone] >= slots:
            if row.wait_kind != "slot":
                waits[row] = _no_slot(zone, slots, now)
        else:
            taken[zone] += 1
            start.append(row)
    return Choice(start=tuple(start), waits=waits)


def no_worker(zone: str | None, now: datetime) -> Wait:
    text = Text(
        "网络区 {z} 没有在线的工作进程；在能到达该区的机器上运行 govcloud worker --zone {z}",
        "No worker of zone {z} is alive; run govcloud worker --zone {z} on a machine that reaches it",
    ).format(z=zone)
    return Wait(kind="zone", text=text, since=now)


def _no_slot(zone: str | None, slots: int, now: datetime) -> Wait:
    whose = Text("网络区 {z} 的", "of zone {z}") if zone else Text("未分区系统的", "for systems without a zone")
    text = Text(
        "{w} {n} 个并行名额已满，有系统停下后自动继续",
        "All {n} slots {w} are taken; it goes on by itself when a system stops",
    ).format(w=whose.format(z=zone), n=slots)
    return Wait(kind="slot", text=text, since=now)
