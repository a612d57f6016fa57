"""The guard around each attempt: claim, intent, detached supervisor with a lock, result.

A durable engine records a step's result once; it can't know whether the playbook that a dead controller left behind still
runs. These files can. After a crash, in this order: a result is taken; a held lock means that the supervisor lives and is
waited for; an intent without either means that the outcome is unknown; no intent means that nothing happened.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from govcloud.errors import GovcloudError, InputError, OutsideError, UsageError
from govcloud.execution import files, processes
from govcloud.execution.drivers.record import read_resources
from govcloud.execution.journal import Journal
from govcloud.execution.scene import Job, NotTrusted, Place, environment
from govcloud.model.attempt import Attempt, AttemptKey, StepResult, Worker
from govcloud.model.text import Text

SUPERVISOR: tuple[str, ...] = (sys.executable, "-P", "-m", "govcloud.execution.supervise")
PLAYS = "_plays"
_POLL_S = 0.2
_BEAT_S = 10.0
_GRACE_S = 600
"""Beyond the job's own deadline: the supervisor's watchdog, the end of its processes and of those on the hosts."""

Prepare = Callable[[Path, Sequence[Place]], Job]
Outcome = StepResult | GovcloudError


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    key: AttemptKey
    gate_id: str | None = None
    """Used by this attempt."""
    rerun: bool = False
    """A person allowed this repeat."""


@dataclass(slots=True, kw_only=True)
class _Held:
    """An attempt on its way."""

    attempt: Attempt
    place: Place
    lock: _Lock | None = None
    child: subprocess.Popen[bytes] | None = None
    deadline: float = 0.0


def _nothing(_: str) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    journal: Journal
    worker: Worker
    root: Path
    """The workspace's evidence folder."""
    prepare: Prepare
    """Writes what the playbook needs into a play's own folder; called before the intent."""
    pause: Callable[[float], None]
    """Sleeps; raises when this process shall leave (the supervisor goes on)."""
    supervisor: Sequence[str] = SUPERVISOR
    passing: Callable[[str], None] = _nothing
    """Called at each named boundary; tests end the process there."""
    clock: Callable[[], float] = field(default=time.monotonic)

    def perform(self, claims: Sequence[Claim]) -> Mapping[AttemptKey, StepResult]:
        """Carry out attempts of the same run, step and phase. Raises the first error, after all others are through."""
        outcomes = dict(self.carry_out(claims))
        results = {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, StepResult)}
        for outcome in outcomes.values():
            if isinstance(outcome, GovcloudError):
                raise outcome
        return results

    def carry_out(self, claims: Sequence[Claim]) -> Iterator[tuple[AttemptKey, Outcome]]:
        """Each attempt's outcome as soon as it is known: from its record, its supervisor, or `unknown`; an error where it
        could not be claimed, prepared or recorded, which leaves the attempt as it is for the next time."""
        new: list[_Held] = []
        waiting: list[_Held] = []
        for claim in sorted(claims, key=lambda c: c.key):
            self.passing("before_claim")
            try:
                held = self._claim(claim)
                outcome = self._known(held)
            except GovcloudError as error:
                yield claim.key, error
                continue
            if outcome is not None:
                yield claim.key, self._record(held, outcome)
            else:
                (new if held.lock is not None else waiting).append(held)
        yield from self._begin(new, waiting)
        yield from self._await(waiting)

    def cancel(self, key: AttemptKey) -> bool:
        """Ask the supervisor to stop this attempt; False when nothing of it is under way here."""
        folder = self._folder(key)
        if not (folder / "intent.json").is_file() or (folder / "result.json").is_file():
            return False
        files.write_text(folder / "cancel", datetime.now(UTC).isoformat())
        return True

    def _folder(self, key: AttemptKey) -> Path:
        return self.root / key.run_id / key.system_id / key.step / key.phase / str(key.number)

    def _claim(self, claim: Claim) -> _Held:
        attempt = self.journal.claim(claim.key, claim.gate_id)
        self.passing("after_claim")
        return _Held(attempt=attempt, place=Place(attempt=attempt, folder=self._folder(claim.key), rerun=claim.rerun))

    def _known(self, held: _Held) -> StepResult | None:
        """The result, where nothing has to be started or waited for. Takes the lock where something has to be started."""
        attempt, folder = held.attempt, held.place.folder
        if attempt.result is not None:
            return attempt.result
        if attempt.machine_id != self.worker.machine_id:
            return _unknown(Text(
                "由另一台机器（{m}）执行，结果不明", "It was started on another machine ({m}): the outcome is unknown"
            ).format(m=attempt.executor))  # fmt: skip
        files.make_folder(folder)
        lock = _take_lock(folder)
        if lock is None:
            held.deadline = self._deadline(folder)
            return None
        if (found := _ended(folder)) is not None or attempt.state == "intended":
            lock.close()
            # The record says more than the disk: the folder was lost, or put back from an older copy.
            return found or _unknown(
                Text(
                    "本机没有该次尝试的记录文件，结果不明",
                    "This machine has no files of the attempt: the outcome is unknown",
                )
            )
        held.lock = lock
        return None

    def _begin(self, new: list[_Held], waiting: list[_Held]) -> Iterator[tuple[AttemptKey, Outcome]]:
        """Start them together, or one by one where one of them can't be prepared."""
        if not new:
            return
        try:
            self._start(new)
        except (InputError, UsageError) as error:
            if len(new) > 1:
                for held in new:
                    yield from self._begin([held], waiting)
                return
            # Nothing was started. A new machine's key is waited for; anything else is a failure like any other.
            facts = {"wait": "host_key"} if isinstance(error, NotTrusted) and error.made else {}
            failed = StepResult(status="failed", reasons=(_reason(error),), facts=facts)
            yield new[0].attempt.key, self._record(new[0], failed)
        except GovcloudError as error:
            yield from ((held.attempt.key, error) for held in new)
        else:
            for held in new:
                if held.child is not None:
                    waiting.append(held)
                elif (held.place.folder / "cancel").exists():
                    why = Text("开始前已按要求停止", "Stopped on request before it began")
                    yield held.attempt.key, self._record(held, StepResult(status="stopped", reasons=(why,)))
                else:
                    why = Text("已被更新的一次尝试取代，未执行", "Superseded by a later attempt; nothing was started")
                    yield held.attempt.key, _unknown(why)
        finally:
            for held in new:
                if held.lock is not None:
                    held.lock.close()
                    held.lock = None

    def _start(self, new: Sequence[_Held]) -> None:
        """Spawn one supervisor for all that may begin; `child` stays None for the others."""
        key, mark = new[0].attempt.key, secrets.token_hex(16)
        play = self.root / key.run_id / PLAYS / f"{key.step}-{key.phase}-{mark[:12]}"
        job = self._prepared(play, new)
        self.passing("before_intent")
        for held in new:
            about = held.attempt
            files.write_json(held.place.folder / "intent.json", {
                "mark": mark, "play": play.name, "attempt": about.key.text, "token": about.token,
                "timeout_s": job.timeouts_s[about.key.system_id], "at": datetime.now(UTC).isoformat(),
            })  # fmt: skip
        try:
            begun = [held for held in new if self.journal.intend(held.attempt)]
        except GovcloudError:
            # Nothing was started, and without this file the next time knows it, too.
            for held in new:
                (held.place.folder / "intent.json").unlink(missing_ok=True)
            raise
        begun = [held for held in begun if not (held.place.folder / "cancel").exists()]
        if not begun:
            return
        if len(begun) < len(new):
            self._prepared(play, begun)
        self.passing("after_intent")
        child = self._spawn(play, mark, begun)
        for held in begun:
            held.child, held.deadline = child, self._deadline(held.place.folder)
        self.passing("after_spawn")

    def _prepared(self, play: Path, new: Sequence[_Held]) -> Job:
        files.make_folder(play)
        try:
            job = self.prepare(play, [held.place for held in new])
            files.reserve(play)
        except OSError as error:
            raise OutsideError(
                Text("无法准备执行：{why}", "The step can't be prepared: {why}").format(why=error.strerror or error),
                where=str(play),
                next_step=Text(
                    "检查磁盘空间和权限，然后继续执行", "Check disk space and permissions, then resume the run"
                ),
            ) from error
        files.write_json(play / "job.json", msgspec.to_builtins(job, enc_hook=str))
        locks = {held.attempt.key.system_id: held.lock.fileno() for held in new if held.lock is not None}
        files.write_json(play / "locks.json", locks)
        return job

    def _spawn(self, play: Path, mark: str, begun: Sequence[_Held]) -> subprocess.Popen[bytes]:
        locks = [held.lock.fileno() for held in begun if held.lock is not None]
        try:
            # The locks go with the open files: no moment without them between us and the supervisor.
            with (play / "supervisor.log").open("wb") as log:
                return subprocess.Popen(
                    [*self.supervisor, str(play)], pass_fds=locks, start_new_session=True, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, cwd="/", env=environment(play, mark),
                )  # fmt: skip
        except OSError as error:
            raise OutsideError(
                Text("无法启动执行进程：{why}", "The supervisor can't be started: {why}").format(
                    why=error.strerror or error
                ),
                where=str(play),
            ) from error

    def _deadline(self, folder: Path) -> float:
        intent = files.read_json(folder / "intent.json") or {}
        return self.clock() + int(intent.get("timeout_s", 0)) + _GRACE_S

    def _await(self, waiting: list[_Held]) -> Iterator[tuple[AttemptKey, Outcome]]:
        beat_at = self.clock()
        while waiting:
            for held in list(waiting):
                if (outcome := self._seen(held)) is not None:
                    waiting.remove(held)
                    yield held.attempt.key, self._record(held, outcome) if isinstance(outcome, StepResult) else outcome
            if waiting and self.clock() >= beat_at:
                beat_at = self.clock() + _BEAT_S
                with suppress(OutsideError):
                    # A database that is away does not end the step, nor our waiting for it.
                    self.journal.beat([held.attempt for held in waiting])
            if waiting:
                self.pause(_POLL_S)

    def _seen(self, held: _Held) -> Outcome | None:
        if held.child is not None:
            held.child.poll()  # reaped, so that a dead supervisor does not linger as a zombie
        lock = _take_lock(held.place.folder)
        if lock is None:
            if self.clock() < held.deadline:
                return None
            return OutsideError(
                Text("步骤超过期限仍未结束", "The step has not ended although its deadline is over"),
                where=str(held.place.folder),
                next_step=Text(
                    "查看 supervisor.log，确认进程状态后再继续执行",
                    "Look at supervisor.log and the processes, then resume the run",
                ),
            )
        try:
            return _ended(held.place.folder) or OutsideError(
                Text("另一进程未能开始此步骤", "Another process could not begin this step"),
                where=str(held.place.folder),
                next_step=Text("再次继续执行", "Resume the run again"),
            )
        except GovcloudError as error:
            return error
        finally:
            lock.close()

    def _record(self, held: _Held, result: StepResult) -> Outcome:
        """Write it down where that is not done yet. What was written down already stands."""
        if held.attempt.result is not None:
            return result
        if result.finished_at is None:
            result = replace(result, finished_at=datetime.now(UTC))
        try:
            self.passing("before_record")
            for resource in read_resources(held.place.folder / "data" / "resources.jsonl"):
                self.journal.keep_resource(resource)
            if not self.journal.finish(held.attempt, result, _log(held.place.folder)):
                result = self.journal.claim(held.attempt.key, None).result or result
            self.passing("after_record")
        except GovcloudError as error:
            return error
        return result


class _Lock:
    """An open file that holds the lock until its last copy is closed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)


def _take_lock(folder: Path) -> _Lock | None:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return _Lock(descriptor)


def _ended(folder: Path) -> StepResult | None:
    """Under the lock: the result, or `unknown` where there was an intent; None where nothing happened."""
    found = files.read_json(folder / "result.json")
    if found is not None:
        return msgspec.convert(found, StepResult)
    intent: dict[str, str] | None = files.read_json(folder / "intent.json")
    return None if intent is None else _interrupted(folder, intent)


def _interrupted(folder: Path, intent: Mapping[str, str]) -> StepResult:
    """The supervisor died. What it left behind is ended, so that a new attempt is alone; what happened is unknown."""
    if not processes.end(intent["mark"]):
        raise OutsideError(
            Text("上一次尝试的进程无法终止", "Processes of the earlier attempt can't be ended"),
            where=", ".join(map(str, processes.find(intent["mark"]))),
            next_step=Text("结束这些进程后继续执行", "End these processes, then resume the run"),
        )
    play = _play(folder, intent)
    if play.is_dir():
        # What a supervisor does last: its records are masked, its sockets' folder goes.
        with suppress(OSError, OutsideError):
            files.seal(play)
        if control := (files.read_json(play / "job.json") or {}).get("control"):
            processes.end_connections(Path(control))
    return StepResult(
        status="unknown", reasons=(Text("执行中断，结果不明", "Interrupted: the outcome is unknown"),),
        started_at=datetime.fromisoformat(intent["at"]), finished_at=datetime.now(UTC), evidence_sha256=files.seal(folder),
    )  # fmt: skip


def _play(folder: Path, intent: Mapping[str, str]) -> Path:
    """<system>/<step>/<phase>/<number> lies beside _plays."""
    return folder.parents[3] / PLAYS / str(intent.get("play"))


def _unknown(why: Text) -> StepResult:
    return StepResult(status="unknown", reasons=(why,))


def _reason(error: GovcloudError) -> Text:
    return Text(error.message("zh"), error.message("en"))


def _log(folder: Path) -> bytes:
    """What the supervisor wrote for people; after its death what it had printed."""
    said = folder / "log.txt"
    if not said.is_file():
        said = _play(folder, files.read_json(folder / "intent.json") or {}) / "supervisor.log"
    try:
        return files.pack_log(said.read_text("utf-8", errors="replace"))
    except OSError:
        return b""
