"""Discovery over SSH: one connection and one POSIX-sh script a host, a bounded number of hosts at a time.

Nothing is needed on the host but a shell; what the account may not read stays unknown, with its reason. Host keys are
always checked against those that a person approved. A host that can't be read is a result.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TypeVar

from govcloud.discovery.probes import CONNECTIONS, PROBES, Probe
from govcloud.discovery.ssh_script import build_script, parse_answers, parse_sections
from govcloud.discovery.ssh_session import LATE, Bastion, Remote, Stop, fingerprint
from govcloud.discovery.ssh_statements import build_sample, build_statements
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.collect import HostResult, HostStatus, ProbeGap
from govcloud.model.observation import Statement
from govcloud.model.text import Text

__all__ = ["Asking", "ShownKey", "discover_hosts", "fingerprint", "show_keys"]

R = TypeVar("R")

Approved = Mapping[tuple[str, int], Sequence[HostKey]]
"""(HostAccess.key_host, port) -> approved keys."""

_CUT = Text("主机没有运行完探测脚本", "The host did not run the script to its end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How hosts are asked."""

    workers: int = 24
    """Hosts at a time. More of them only wait for each other: our own work is one thread's (Python's lock)."""
    connect_seconds: float = 10.0
    deadline_seconds: float = 60.0
    """For one host from its connection to the end of the script, without the time between samples."""
    samples: int = 1
    """How often the connections are looked at, `every_seconds` apart."""
    every_seconds: float = 30.0
    probes: tuple[Probe, ...] = PROBES


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """What a host shows before anybody has logged in."""

    host: HostAccess
    key: tuple[str, str] | None = None
    """(type, base64)."""
    status: HostStatus = "ok"
    reason: Text | None = None


class _Lines:
    """The open connections, so that Ctrl-C can end them, and the bastions."""

    def __init__(self, approved: Approved, bastions: Mapping[str, HostAccess], seconds: float) -> None:
        self.approved = approved
        self.stopped = Event()
        self._bastions = {
            name: Bastion(host, approved.get((host.key_host, host.port), ()), seconds)
            for name, host in bastions.items()
        }
        self._open: set[Remote] = set()
        self._lock = Lock()
        Thread(target=self._watch, name="ssh-deadlines", daemon=True).start()

    def _watch(self) -> None:
        """paramiko waits without end for a host that accepts a request and never answers it."""
        while not self.stopped.wait(1.0):
            with self._lock:
                late = [r for r in self._open if time.monotonic() > r.overdue_at]
            for remote in late:
                remote.close()

    def keys(self, host: HostAccess) -> Sequence[HostKey]:
        return self.approved.get((host.key_host, host.port), ())

    def connect(self, host: HostAccess, seconds: float) -> Remote:
        remote = Remote(host, self.keys(host), seconds, self._bastions[host.via] if host.via else None)
        with self._lock:
            self._open.add(remote)
        if self.stopped.is_set():
            self.close(remote)
            raise Stop("connection_lost", Text("已中断", "Interrupted"))
        return remote

    def close(self, remote: Remote) -> None:
        remote.close()
        with self._lock:
            self._open.discard(remote)

    def close_all(self) -> None:
        self.stopped.set()
        with self._lock:
            remotes = list(self._open)
        for remote in remotes:
            remote.close()
        for bastion in self._bastions.values():
            bastion.close()


def discover_hosts(
    hosts: Sequence[HostAccess],
    approved: Approved,
    *,
    now: Callable[[], datetime],
    bastions: Mapping[str, HostAccess] | None = None,
    asking: Asking | None = None,
    on_idle: Callable[[], None] = lambda: None,
) -> Generator[HostResult, None, None]:
    """Results as they come, in the calling thread. `bastions`: the hosts that `via` of others names.

    `on_idle` is called there when nothing has come for a second. Closing the iterator ends the connections that are still open.
    """
    how = asking or Asking()
    lines = _Lines(approved, bastions or {}, how.connect_seconds)
    return _each(hosts, lambda host: _discover(host, lines, how, now), lines, how.workers, on_idle)


def show_keys(
    hosts: Sequence[HostAccess],
    approved: Approved,
    *,
    bastions: Mapping[str, HostAccess] | None = None,
    asking: Asking | None = None,
) -> list[ShownKey]:
    """The key that each host shows now, of an approved type where it has one, in the order of `hosts`. Nobody logs in."""
    how = asking or Asking()
    lines = _Lines(approved, bastions or {}, how.connect_seconds)

    def work(host: HostAccess) -> ShownKey:
        try:
            remote = lines.connect(host, how.connect_seconds)
        except Stop as stop:
            return ShownKey(host=host, status=stop.status, reason=stop.reason)
        lines.close(remote)
        return ShownKey(host=host, key=remote.key)

    found = {shown.host.name: shown for shown in _each(hosts, work, lines, how.workers)}
    return [found[host.name] for host in hosts]


def _each(
    hosts: Sequence[HostAccess],
    work: Callable[[HostAccess], R],
    lines: _Lines,
    workers: int,
    on_idle: Callable[[], None] = lambda: None,
) -> Generator[R, None, None]:
    pool = ThreadPoolExecutor(max_workers=max(1, min(workers, len(hosts))), thread_name_prefix="ssh")
    done: SimpleQueue[Future[R]] = SimpleQueue()
    try:
        for host in hosts:
            pool.submit(work, host).add_done_callback(done.put)
        left = len(hosts)
        while left:
            try:
                future = done.get(timeout=1.0)
            except Empty:
                on_idle()
                continue
            left -= 1
            yield future.result()
    finally:
        # Ctrl-C waits neither for hosts that have not been begun nor for those that are being asked.
        lines.close_all()
        pool.shutdown(wait=True, cancel_futures=True)


def _discover(host: HostAccess, lines: _Lines, how: Asking, now: Callable[[], datetime]) -> HostResult:
    started = time.monotonic()
    result = HostResult(
        host=host, status="ok", approved_fingerprints=tuple(fingerprint(k.key_base64) for k in lines.keys(host))
    )
    remote: Remote | None = None
    try:
        remote = lines.connect(host, min(how.connect_seconds, how.deadline_seconds))
        result = replace(result, key_type=remote.key[0], fingerprint=fingerprint(remote.key[1]))
        remote.overdue_at = started + how.deadline_seconds
        remote.check_key()
        remote.log_in()
        result = _ask(result, remote, how, now, started + how.deadline_seconds)
        result = replace(result, seconds=time.monotonic() - started)
        return _sample(result, remote, lines, how, now) if result.status == "ok" and how.samples > 1 else result
    except Stop as stop:
        return replace(result, status=stop.status, reason=stop.reason, seconds=time.monotonic() - started)
    finally:
        if remote is not None:
            lines.close(remote)


def _ask(result: HostResult, remote: Remote, how: Asking, now: Callable[[], datetime], deadline: float) -> HostResult:
    marker, at = secrets.token_hex(16), now()
    sections = parse_sections(remote.run(build_script(how.probes, marker, at), deadline), marker, how.probes)
    if sections is None:
        # Who watches the time cuts the line at the same moment at which we would give up waiting.
        raise Stop("timed_out", LATE) if time.monotonic() >= deadline else Stop("connection_lost", _CUT)
    answers = parse_answers(sections, how.probes)
    statements = build_statements(result.host, answers, at, remote.own_address)
    return replace(result, statements=statements, gaps=answers.gaps)


def _sample(result: HostResult, remote: Remote, lines: _Lines, how: Asking, now: Callable[[], datetime]) -> HostResult:
    """More looks at the connections. What has been seen stays when the line breaks in between."""
    found: list[Statement] = []
    for _ in range(how.samples - 1):
        remote.overdue_at = float("inf")
        if lines.stopped.wait(how.every_seconds):
            break
        marker, at = secrets.token_hex(16), now()
        remote.overdue_at = time.monotonic() + how.deadline_seconds
        try:
            output = remote.run(build_script((CONNECTIONS,), marker, at), remote.overdue_at)
        except Stop:
            break
        answers = parse_answers(parse_sections(output, marker, (CONNECTIONS,)) or {}, (CONNECTIONS,))
        seen = answers.values.get(CONNECTIONS.name, {}).get("connections")
        if isinstance(seen, tuple):
            found.append(build_sample(result.host, seen, at, remote.own_address))
    gaps = result.gaps
    if len(found) < how.samples - 1:
        gaps += (ProbeGap(probe=CONNECTIONS.name, reason=Text(
            "只取到 {n} 次连接样本，应为 {m} 次", "{n} samples of the connections instead of {m}"
        ).format(n=len(found) + 1, m=how.samples)),)  # fmt: skip
    return replace(result, statements=(*result.statements, *found), gaps=gaps)
