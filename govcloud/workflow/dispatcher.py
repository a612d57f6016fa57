"""The loop of a worker: looks at open systems every second or so, starts what may begin, and says why the others wait."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from govcloud.errors import GovcloudError, IntegrityError, OutsideError
from govcloud.events import Event
from govcloud.execution.dispatch import Board, Choice, Key, Row, choose, living, no_worker, serves
from govcloud.execution.engine import Engine, Left, Leg, worker_digest
from govcloud.execution.identity import WorkerLock
from govcloud.execution.leg import REFUSED, Carrier, Detached, carry_leg
from govcloud.execution.moves import Act, Ended, Park
from govcloud.execution.rules import parse_rules
from govcloud.model.attempt import AttemptKey, StepResult, Worker
from govcloud.model.run import ENDED, SETTLED, RunSystem, Wait
from govcloud.model.text import Text, same
from govcloud.report.run import WAIT
from govcloud.store import due as due_store
from govcloud.workflow.run_engine import MakeHands, Pace, engine_url, worker_lock
from govcloud.workflow.run_journal import StoreJournal, writing
from govcloud.workflow.session import Session

_MIGRATING = Text("迁移", "Migrating")
_WAITING = Text("等待{w} {n}", "{n} waiting for {w}")
_OUTAGE = Text(
    "数据库暂不可用，等待恢复；正在执行的步骤不受影响", "The database is away; waiting for it, steps under way go on"
)
_PATIENCE_S = 300.0
_ASKING_S = 0.5
"""Of a round, for asking the machine: signs of life and orders have to be looked at as well."""
_LOST_S = 15.0
_REFUSED_S = 30.0


class Dispatcher:
    """One in a process, on its main thread; legs run on the engine's threads."""

    def __init__(
        self, session: Session, me: Worker, lock: WorkerLock, journal: StoreJournal, pace: Pace, runs: frozenset[str]
    ) -> None:
        self._session, self._me, self._lock, self._journal, self._pace, self._runs = (
            session,
            me,
            lock,
            journal,
            pace,
            runs,
        )
        self._rules = parse_rules(session.workspace.settings.execution)
        self._board = Board()
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._beat_at = self._steady_since = self._adopt_at = -1e9
        self._workers: list[Worker] = [me]
        self._orders: dict[Key, int] = {}
        self._zones: dict[Key, str | None] = {}
        self._lost: dict[str, float] = {}
        self._said: dict[str, int] = {}
        self._refused: dict[Key, float] = {}
        self._doing: dict[Key, str] = {}
        self._told: object = None
        self._telling = threading.Lock()
        self._engine = Engine(
            engine_url(session.workspace), me.worker_id, self._carry, self._wake.set, poll_s=pace.poll_s
        )

    def start(self, make_hands: MakeHands) -> None:
        self._submit, self._cancel = make_hands(self._session, self._journal, self._me, self._engine.pause)
        self._carrier = Carrier(
            journal=self._journal, submit=self._submit, steps=self._journal.steps, rules=self._rules, on_act=self._on_act
        )  # fmt: skip
        self._zones = {row.key: row.zone for row in self._rows()}
        self._engine.start()

    def stop(self) -> None:
        """From a signal handler."""
        self._stopping.set()
        self._wake.set()

    def close(self, timeout_s: float) -> None:
        self._engine.drain(timeout_s)
        self._engine.stop()

    def run(self, until: Literal["idle", "stopped"], linger_s: float) -> None:
        away_since: float | None = None
        idle_since: float | None = None
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                busy = self._round()
            except OutsideError as error:
                away_since = self._outage(error, away_since, begun)
                continue
            away_since = None
            if until == "idle":
                self._raise_lasting()
                idle_since = None if busy else idle_since or begun
                if idle_since is not None and begun - idle_since >= linger_s:
                    return
            # Short legs must not make rounds without end: a round looks at every open system.
            took = time.monotonic() - begun
            self._stopping.wait(max(0.05, 4 * took))
            self._wake.wait(self._pace.round_s)
            self._wake.clear()

    def _carry(self, run_id: str, system_id: str, leg: int, step: Any) -> str:
        if not serves(self._me, self._zones.get((run_id, system_id))):
            # Somebody resumed it with DBOS's own tools and named no queue: every worker gets it then.
            raise Detached()
        ended = carry_leg(self._carrier, run_id, system_id, leg, step)
        if ended == REFUSED:
            self._refused[run_id, system_id] = time.monotonic()
        return ended

    def _outage(self, error: OutsideError, since: float | None, begun: float) -> float:
        since = begun if since is None else since
        away = time.monotonic() - since
        if away > self._pace.outage_s:
            raise error
        self._session.observer.on_event(Event(what=_OUTAGE, subject=error.what.to(self._session.lang)))
        # What others did meanwhile is not known: nobody is taken for dead before everybody could be seen again.
        self._steady_since = self._beat_at = -1e9
        self._stopping.wait(min(15.0, max(self._pace.round_s, away / 2)))
        return since

    def _round(self) -> bool:
        """One look. Whether anything is under way or will be soon."""
        self._beat()
        rows = self._rows()
        legs = self._engine.legs()
        zones = self._zones = {row.key: row.zone for row in rows}
        self._mend(legs)
        if time.monotonic() >= self._adopt_at:
            self._adopt_at = time.monotonic() + self._pace.beat_s
            self._adopt(legs, zones)
        busy = {(leg.run_id, leg.system_id) for leg in legs}
        self._heed_cancel(rows, legs)
        self._correct(rows, legs)
        now = self._session.now()
        ready, asking = self._ask(rows, busy, now)
        choice = self._admit(ready, zones, now)
        self._tell(rows)
        return self._is_busy(legs, zones, choice, asking)

    def _rows(self) -> list[Row]:
        with self._session.store.read() as tx:
            return [Row(*row) for row in due_store.open_rows(tx)]

    def _beat(self) -> None:
        if time.monotonic() < self._beat_at + self._pace.beat_s:
            return
        if not self._lock.held():
            raise IntegrityError(
                Text("另一进程接管了本工作进程的编号", "Another process has taken this worker's id over"),
                where=self._me.worker_id,
                next_step=Text(
                    "查看 govcloud worker --list 后重新启动", "Look at govcloud worker --list, then start again"
                ),
            )
        self._me = replace(self._me, seen_at=self._session.now())
        self._journal.see_worker(self._me)
        self._workers = living(self._journal.workers(), self._me.seen_at, self._pace.living_s)
        self._beat_at = time.monotonic()
        if self._steady_since < 0:
            self._steady_since = self._beat_at

    def _mend(self, legs: Sequence[Leg]) -> None:
        """Go on with own legs that stopped with an error, or that the engine has lost sight of."""
        now = time.monotonic()
        left = self._engine.left()
        lost: dict[str, float] = {}
        for leg in legs:
            if self._engine.is_running(leg) or not serves(self._me, self._zones.get((leg.run_id, leg.system_id))):
                continue
            if not leg.worker:
                self._engine.adopt([leg])
            if not leg.begun or not self._engine.is_own(leg):
                continue
            stopped = left.get(leg.workflow_id)
            if stopped is None:
                since = lost[leg.workflow_id] = self._lost.get(leg.workflow_id, now)
                again = now - since > _LOST_S
            else:
                again = now - stopped.at >= min(_PATIENCE_S, 2.0 ** (stopped.tries - 1))
                if self._said.get(leg.workflow_id) != stopped.tries:
                    self._said[leg.workflow_id] = stopped.tries
                    self._say_stopped(leg, stopped)
            if again:
                self._engine.resume(leg)
        self._lost = lost

    def _say_stopped(self, leg: Leg, stopped: Left) -> None:
        """The reason in the system's row, for those who look at the status."""
        error = stopped.error
        why = error.what if isinstance(error, GovcloudError) else same(f"{type(error).__name__}: {error}")
        seen = self._journal.seen(leg.run_id, leg.system_id)
        wait = Wait(
            kind="unreachable", since=self._session.now(), step=seen.system.step,
            text=Text(
                "执行机 {h} 上出错（连续 {n} 次）：{w}。会自动重试；先排除原因",
                "An error on the worker's machine {h} ({n} in a row): {w}. It is tried again; remove the cause",
            ).format(h=self._me.host, n=stopped.tries, w=why),
        )  # fmt: skip
        self._journal.enter(seen.system, seen.system.state, wait=wait)

    def _correct(self, rows: Sequence[Row], legs: Sequence[Leg]) -> None:
        """Waits that came from us and not from the machine: they go when the leg runs again, and a leg that nobody can go on
        with shows why."""
        by_key = {(leg.run_id, leg.system_id): leg for leg in legs}
        alive = {worker_digest(w.worker_id) for w in self._workers}
        for row in rows:
            leg = by_key.get(row.key)
            if leg is None or leg.number != row.leg:
                continue
            wait = None
            if self._engine.is_running(leg):
                if row.wait_kind not in ("zone", "unreachable"):
                    continue
            else:
                served = leg.worker in alive or any(serves(w, row.zone) for w in self._workers)
                if served or row.wait_kind == "zone":
                    continue
                wait = no_worker(row.zone, self._session.now())
            seen = self._journal.seen(*row.key)
            if seen.system.leg == row.leg:
                self._journal.enter(seen.system, seen.system.state, wait=wait)

    def _adopt(self, legs: Sequence[Leg], zones: dict[Key, str | None]) -> None:
        """Take over what dead workers have left, after their lock was obtained."""
        owners = {leg.worker for leg in legs if not self._engine.is_own(leg)}
        if not owners:
            return
        alive = {w.worker_id for w in self._workers}
        now, steady = self._session.now(), time.monotonic() - self._steady_since
        for worker in self._journal.workers():
            if worker_digest(worker.worker_id) not in owners:
                continue
            if worker.machine_id != self._me.machine_id:
                unseen = (now - worker.seen_at).total_seconds()
                if worker.worker_id in alive or min(unseen, steady) < self._pace.takeover_s:
                    continue
            theirs = [
                leg for leg in legs
                if leg.worker == worker_digest(worker.worker_id)
                and serves(self._me, zones.get((leg.run_id, leg.system_id)))
            ]  # fmt: skip
            lock = worker_lock(self._session, self._me.machine_id, worker.worker_id)
            if theirs and lock.take():
                try:
                    self._engine.adopt(theirs)
                finally:
                    lock.release()

    def _heed_cancel(self, rows: Sequence[Row], legs: Sequence[Leg]) -> None:
        """A person wants the step under way to end: the guard is told until it has."""
        newest = {row.key: row.orders for row in rows}
        own = [(leg.run_id, leg.system_id) for leg in legs if self._engine.is_running(leg)]
        for key in own:
            # A run that has just ended is no longer among the rows while its last leg is still on its way out.
            if key not in newest or newest[key] == self._orders.get(key, 0):
                continue
            seen = self._journal.seen(*key)
            live = [a for a in seen.attempts if a.result is None]
            wanted = [a for a in live if any(o.kind == "cancel" and o.at >= a.claimed_at for o in seen.orders)]
            if not wanted or all(self._cancel(attempt.key) for attempt in wanted):
                self._orders[key] = newest[key]

    def _ask(self, rows: Sequence[Row], busy: set[Key], now: datetime) -> tuple[list[Row], bool]:
        """Systems whose next move is a step, and whether some could not be asked in this round."""
        due = self._board.look(rows, busy, now)
        ready = list(due.ready)
        until = time.monotonic() + _ASKING_S
        for row in due.ask:
            if time.monotonic() > until:
                return sorted(ready, key=_place), True
            seen = self._journal.seen(*row.key)
            if seen.system.leg != row.leg:
                continue
            move = self._carrier.ask(seen)
            if isinstance(move, Act):
                self._board.is_ready(row, now)
                ready.append(row)
            elif _is_shown(seen.system, move) or self._carrier.park(seen, move):
                self._board.waits(row, move.state, None if isinstance(move, Ended) else move.wait, now)
        return sorted(ready, key=_place), False

    def _admit(self, ready: Sequence[Row], zones: dict[Key, str | None], now: datetime) -> Choice:
        """Start what may begin. Nobody else counts and starts meanwhile: the limits hold for all workers together."""
        ready = [row for row in ready if time.monotonic() - self._refused.get(row.key, -1e9) > _REFUSED_S]
        if not ready:
            return Choice(start=(), waits={})
        with writing(self._session):
            busy = {(leg.run_id, leg.system_id) for leg in self._engine.legs()}
            free = [row for row in ready if row.key not in busy]
            active = Counter(zones.get(key) for key in busy)
            choice = choose(free, active, self._workers, self._me, self._rules, now)
            for row in choice.start:
                self._engine.start_leg(row.run_id, row.system_id, row.leg + 1)
        until = time.monotonic() + _ASKING_S
        for row, wait in choice.waits.items():
            if time.monotonic() > until:
                # The others are told in the next round; they wait meanwhile all the same.
                break
            seen = self._journal.seen(*row.key)
            self._journal.enter(seen.system, seen.system.state, wait=wait)
        return choice

    def _is_busy(self, legs: Sequence[Leg], zones: dict[Key, str | None], choice: Choice, asking: bool) -> bool:
        if asking or choice.start:
            return True
        if any(self._engine.is_own(leg) or serves(self._me, zones.get((leg.run_id, leg.system_id))) for leg in legs):
            return True
        if any(wait.kind == "slot" for wait in choice.waits.values()):
            return True
        at = self._board.next_at()
        return at is not None and (at - self._session.now()).total_seconds() < self._pace.soon_s

    def _raise_lasting(self) -> None:
        for left in self._engine.left().values():
            if left.tries >= self._pace.tries:
                raise left.error

    def _on_act(self, key: AttemptKey, result: StepResult | None) -> None:
        with self._telling:
            if result is None:
                self._doing[key.run_id, key.system_id] = self._carrier.steps[key.step].title.to(self._session.lang)
            else:
                self._doing.pop((key.run_id, key.system_id), None)

    def _tell(self, rows: Sequence[Row]) -> None:
        """To the observer, when it has changed: how many are settled, what is under way, why the others wait."""
        shown = [row for row in rows if not self._runs or row.run_id in self._runs]
        with self._telling:
            doing = [
                f"{key[1]} {title}" for key, title in self._doing.items() if not self._runs or key[0] in self._runs
            ]
        waits = Counter(row.wait_kind for row in shown if row.wait_kind is not None and row.state not in ENDED)
        lang = self._session.lang
        waiting = [_WAITING.format(w=WAIT[kind], n=count).to(lang) for kind, count in sorted(waits.items())]
        subject = " · ".join([*doing[:3], *waiting])
        event = Event(
            what=_MIGRATING, subject=subject, done=sum(row.state in SETTLED for row in shown), total=len(shown) or None
        )
        if event != self._told:
            self._told = event
            self._session.observer.on_event(event)


def _is_shown(system: RunSystem, move: Park | Ended) -> bool:
    wait = None if isinstance(move, Ended) else move.wait
    if wait is None or system.wait is None:
        return system.state == move.state and system.wait is wait
    was = system.wait
    return (system.state, was.kind, was.gate_id, was.text) == (move.state, wait.kind, wait.gate_id, wait.text)


def _place(row: Row) -> tuple[str, int]:
    return row.run_id, row.position
