"""The detached process of one playbook run: `python -m govcloud.execution.supervise FOLDER`.

It outlives the command that started it. As long as it lives it holds the locks of its attempts, which it was given as open
files; a system's result is written as soon as it is known, and its lock released. No result and no lock mean: nobody knows.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from govcloud.execution import files, processes
from govcloud.execution.ansible import IDENT, run_playbook
from govcloud.execution.judge import Tally, host_of, judge, log_lines, read_events, with_tail
from govcloud.execution.masks import mask
from govcloud.execution.scene import Job
from govcloud.execution.steps import expected_tasks
from govcloud.model.attempt import ResultStatus, StepResult
from govcloud.model.text import Text

Why = Literal["cancelled", "late", "idle", "disk"]

_TICK_S = 0.5
_GRACE_S = 15
"""After the runner was told to end: for it to do so, and again for the end of its processes to reach it."""
_STOP_S = 90
_NO_ROOM_TICKS = 10
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WORDS: dict[Why, Text] = {
    "cancelled": Text("已按要求停止", "Stopped on request"),
    "late": Text("超过期限，已终止", "Over the deadline, ended"),
    "idle": Text("长时间没有任何进展，已终止", "No sign of progress for too long, ended"),
    "disk": Text("执行机磁盘已满，已终止", "The disk of the executing machine is full, ended"),
}


class Supervisor:
    """One run of a playbook for the systems of a job."""

    def __init__(self, folder: Path, locks: Mapping[str, int]) -> None:
        self._job = read_job(folder)
        self._mark = os.environ.get(processes.MARK, "")
        self._locks = dict(locks)
        self._started = datetime.now(UTC)
        self._begun = time.monotonic()
        self._tasks = expected_tasks(self._job.playbook)
        self._mutex = threading.RLock()
        self._open = {host: Tally(self._tasks) for host in self._job.folders}
        self._logs: dict[str, list[str]] = {host: [] for host in self._open}
        self._events: dict[str, list[Mapping[str, Any]]] = {host: [] for host in self._open}
        self._stopping: dict[str, Why] = {}
        self._last_sign = time.monotonic()
        self._ended = threading.Event()

    def run(self) -> None:
        job = self._job
        job.control.mkdir(mode=0o700)
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        status, code, error = "error", None, None
        try:
            status, code = run_playbook(
                job, job.playbook, timeout_s=max(job.timeouts_s.values()) + _GRACE_S, on_event=self._take,
                cancelled=self._all_stopping,
            )  # fmt: skip
        except Exception as caught:
            error = caught
        with self._mutex:
            self._conclude(status, code, error)

    def _take(self, event: Mapping[str, Any]) -> None:
        with self._mutex:
            self._last_sign = time.monotonic()
            host = host_of(event)
            if host is None or host not in self._open:
                return
            self._open[host].take(event)
            self._events[host].append(event)
            self._logs[host] += log_lines(event)
            # Of a system that is being stopped the hosts are asked before anything is said.
            if host not in self._stopping and (result := self._open[host].settled()) is not None:
                with suppress(OSError):
                    self._settle(host, result)

    def _all_stopping(self) -> bool:
        with self._mutex:
            return bool(self._open) and self._open.keys() <= self._stopping.keys()

    def _watch(self) -> None:
        """Look for cancel files, deadlines, silence and a full disk, until the run has ended."""
        signs, no_room, over_at = (0, 0), 0, None
        while not self._ended.wait(_TICK_S):
            if (now_signs := self._signs()) != signs:
                signs, self._last_sign = now_signs, time.monotonic()
            no_room = 0 if files.has_room(self._job.folder) else no_room + 1
            fresh = self._to_stop(no_room)
            if self._all_stopping():
                over_at = over_at or time.monotonic()
                if time.monotonic() > over_at + _GRACE_S:
                    # A runner that can't write its records hangs; without its children it has nothing to wait for.
                    processes.end(self._mark, besides=(os.getpid(),))
                if time.monotonic() > over_at + 2 * _GRACE_S:
                    self._give_up()
            elif fresh:
                # The others go on: only this system's processes are ended, and its next task is refused.
                self._stop_on_hosts(fresh)

    def _signs(self) -> tuple[int, int]:
        found = [files.signs_of_life(folder / "data") for folder in self._job.folders.values()]
        return sum(size for size, _ in found), max((at for _, at in found), default=0)

    def _to_stop(self, no_room: int) -> list[str]:
        """Systems that are to be stopped since the last look."""
        fresh = []
        with self._mutex:
            now = time.monotonic()
            for host in self._open.keys() - self._stopping.keys():
                why: Why | None = None
                if (self._job.folders[host] / "cancel").exists():
                    why = "cancelled"
                elif now > self._begun + self._job.timeouts_s[host]:
                    why = "late"
                elif now > self._last_sign + self._job.idle_s:
                    why = "idle"
                elif no_room >= _NO_ROOM_TICKS:
                    why = "disk"
                if why is not None:
                    self._stopping[host] = why
                    fresh.append(host)
        return fresh

    def _stop_on_hosts(self, hosts: list[str]) -> set[str]:
        """Of these systems those whose processes were seen gone on all their hosts."""
        playbook = self._job.stop
        if playbook is None:
            return set()
        ident = f"stop-{time.monotonic_ns()}"
        gone: set[str] = set()

        def run() -> None:
            status, code = run_playbook(self._job, playbook, ident=ident, limit=",".join(hosts), timeout_s=_STOP_S)
            events, damage = read_events(self._job.folder / "artifacts" / ident / "job_events")
            verdicts = judge(events, damage, expected_tasks(playbook), hosts, status, code)
            gone.update(host for host, verdict in verdicts.items() if verdict.status == "ok")

        # On a full disk the runner hangs here, too.
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(_STOP_S + _GRACE_S)
        return gone

    def _conclude(self, status: str, code: int | None, error: Exception | None = None) -> None:
        """Give every system that is still open its result; the last thing that this process does."""
        self._ended.set()
        files.release(self._job.folder)
        ended_here = processes.end(self._mark, besides=(os.getpid(),))
        stopped = [host for host in self._open if host in self._stopping]
        gone = self._stop_on_hosts(stopped) if stopped and ended_here else set()
        verdicts = self._verdicts(status, code, error)
        for host in list(self._open):
            result = verdicts[host]
            if host in self._stopping and result.status != "ok":
                result = self._stopped(result, self._stopping[host], host in gone)
            with suppress(Exception):
                # Without room for the result nobody knows: the lock alone says that we are gone.
                self._settle(host, result)
        processes.end(self._mark, besides=(os.getpid(),))
        processes.end_connections(self._job.control)
        with suppress(Exception):
            files.seal(self._job.folder)

    def _verdicts(self, status: str, code: int | None, error: Exception | None) -> dict[str, StepResult]:
        if error is not None:
            full = isinstance(error, OSError) and error.errno in _NO_ROOM
            why = _WORDS["disk"] if full else Text("执行程序出错：{e}", "The runner failed: {e}").format(
                e=f"{type(error).__name__}: {error}"
            )  # fmt: skip
            return {
                host: StepResult(status="unknown", reasons=(why,), expected=len(self._tasks)) for host in self._open
            }
        artifacts = self._job.folder / "artifacts" / IDENT
        events, damage = read_events(artifacts / "job_events")
        verdicts = judge(events, damage, self._tasks, list(self._job.folders), status, code)
        return {host: with_tail(verdicts[host], artifacts / "stdout") for host in self._open}

    def _stopped(self, result: StepResult, why: Why, gone: bool) -> StepResult:
        reasons = [_WORDS[why]]
        if not gone:
            reasons.append(
                Text("未能确认各主机上的进程已终止", "It could not be seen that the processes on the hosts have ended")
            )
        if result.status == "failed":
            # What failed by itself, or because its processes were ended; that the report stops short is no news.
            reasons += result.reasons
        status: ResultStatus = "stopped" if gone and why == "cancelled" else "unknown"
        return replace(result, status=status, unreachable=False, reasons=tuple(reasons))

    def _give_up(self) -> None:
        """The runner does not come back. What is known is written down, and the process ends."""
        try:
            # The runner may hang in the middle of `_take`, with the lock held.
            held = self._mutex.acquire(timeout=_GRACE_S)
            self._conclude("error", None, TimeoutError("ansible-runner does not return"))
            if held:
                self._mutex.release()
        finally:
            os._exit(1)

    def _settle(self, host: str, result: StepResult) -> None:
        folder = self._job.folders[host]
        with suppress(Exception):
            # Helpful, but nothing that the result should wait for on a full disk.
            files.write_text(folder / "log.txt", mask("\n".join(self._logs[host]) + "\n"))
            files.write_text(folder / "events.json", mask(msgspec.json.encode(self._events[host]).decode()))
        evidence = files.seal(folder)
        done = replace(result, started_at=self._started, finished_at=datetime.now(UTC), evidence_sha256=evidence)
        files.write_json(folder / "result.json", msgspec.to_builtins(done))
        del self._open[host]
        if (descriptor := self._locks.pop(host, None)) is not None:
            os.close(descriptor)


def read_job(folder: Path) -> Job:
    return msgspec.convert(files.read_json(folder / "job.json"), Job, dec_hook=lambda kind, value: kind(value))


def main(folder: Path) -> None:
    os.umask(0o077)
    locks: dict[str, int] = files.read_json(folder / "locks.json") or {}
    for descriptor in locks.values():
        # ansible-playbook must not keep an attempt locked that this process has given up.
        os.set_inheritable(descriptor, False)
    Supervisor(folder, locks).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
