"""What an approval covers: plan, migration file, hosts and playbooks, each with its digest, for every system by itself."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection

from govcloud.access import FILE as HOSTS_FILE
from govcloud.access import load_hosts
from govcloud.errors import GovcloudError, InputError, UsageError
from govcloud.execution.spec import FOLDER, demand_files, host_names, load_spec, made_here, verify_hosts, zone_of
from govcloud.execution.steps import applicable, playbooks_hash, site_steps
from govcloud.model.access import HostAccess
from govcloud.model.migration import MigrationSpec
from govcloud.model.plan import MigrationPlan
from govcloud.model.run import Run, RunSystem
from govcloud.model.step import IN_WINDOW, window_need
from govcloud.model.text import Text
from govcloud.store import plan as plan_store
from govcloud.store import run as run_store
from govcloud.workflow.session import Session

T = TypeVar("T")
COMMON = ("plan", "playbooks")


class ScopeReader:
    """Reads the parts as they are now. Files are read again only when they have changed: a run of a thousand systems asks
    before every step."""

    def __init__(self, session: Session) -> None:
        self.root = session.workspace.path
        self._lock = threading.Lock()
        self._files: dict[Path, tuple[tuple[int, int], Any]] = {}
        self._plans: dict[str, str] = {}
        self._playbooks_hash, self._playbooks_at = "", -1e9

    def parts(self, tx: Connection, system_id: str, *, planned: bool) -> dict[str, str]:
        """Part -> SHA-256 of what concerns this system; the digest of what can't be read is empty."""
        found = {"playbooks": self._playbooks()}
        if planned:
            found["plan"] = self._plan_hash(tx)
        try:
            spec = self.spec(system_id)
        except GovcloudError:
            return found | {f"spec:{system_id}": "", f"hosts:{system_id}": ""}
        found[f"spec:{system_id}"] = digest(spec)
        try:
            found[f"hosts:{system_id}"] = self._hosts_digest(spec)
        except GovcloudError:
            found[f"hosts:{system_id}"] = ""
        return found

    def changed(self, tx: Connection, run: Run, system: RunSystem) -> tuple[str, ...]:
        now = self.parts(tx, system.system_id, planned=run.plan_id is not None)
        if digest(now) == system.scope_hash:
            return ()
        differing = sorted(part for part, value in now.items() if run.scope.get(part) != value)
        # What was adopted since has been put back to what was registered at first: all of it has to be looked at again.
        return tuple(differing) or tuple(sorted(now))

    def spec(self, system_id: str) -> MigrationSpec:
        folder = self.root / FOLDER
        return self._read(folder / f"{system_id}.yaml", lambda _: load_spec(folder, system_id))

    def hosts(self) -> Mapping[str, HostAccess]:
        return self._read(self.root / HOSTS_FILE, lambda p: {h.name: h for h in load_hosts(p)})

    def _playbooks(self) -> str:
        """At most once a second: to ask whether any of seventy files has changed takes longer than all the rest."""
        with self._lock:
            if time.monotonic() - self._playbooks_at > 1.0:
                self._playbooks_hash, self._playbooks_at = playbooks_hash(), time.monotonic()
            return self._playbooks_hash

    def _hosts_digest(self, spec: MigrationSpec) -> str:
        hosts = self.hosts()
        used = {name: hosts.get(name) for name in host_names(spec)}
        return digest([h for name, h in sorted(used.items()) if h is not None or name not in made_here(spec)])

    def _plan_hash(self, tx: Connection) -> str:
        ids = plan_store.plan_ids(tx, what_if=False)
        if not ids:
            return ""
        with self._lock:
            if ids[0] not in self._plans:
                try:
                    latest = plan_store.latest_plan(tx)
                except UsageError:
                    latest = None
                self._plans[ids[0]] = latest.plan_hash if latest else ""
            return self._plans[ids[0]]

    def _read(self, path: Path, read: Callable[[Path], T]) -> T:
        try:
            stat = path.stat()
            sign = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            sign = (-1, -1)
        with self._lock:
            known = self._files.get(path)
            if known is None or known[0] != sign:
                known = self._files[path] = (sign, read(path))
            value: T = known[1]
            return value


def load_specs(reader: ScopeReader, systems: Sequence[str]) -> dict[str, MigrationSpec]:
    """The migration files of the systems, checked against hosts.yaml. Raises InputError."""
    demand_files(reader.root / FOLDER, systems)
    specs = {system_id: reader.spec(system_id) for system_id in systems}
    for system_id, spec in specs.items():
        for problem in verify_hosts(spec, reader.hosts()):
            raise InputError(problem, where=str(reader.root / FOLDER / f"{system_id}.yaml"))
    return specs


def demand_time(session: Session, plan: MigrationPlan, specs: Mapping[str, MigrationSpec]) -> None:
    """Raises InputError where a migration file ends a step before it can be over: the source would stand frozen in vain."""
    steps = site_steps(session.workspace.settings.steps)
    data = {t.system_id: t.data_mib * 2**20 for t in plan.problem.tasks}
    for system_id, spec in specs.items():
        names = set(IN_WINDOW) & set(applicable(spec))
        longest = max(window_need(steps, {n}).forward_min(data.get(system_id, 0)) for n in names)
        if longest > spec.limits.deadline_min:
            raise InputError(
                Text(
                    "limits.deadline_min 为 {d} 分钟，按计划的数据量，窗口内有一步需 {n} 分钟，会被中止",
                    "limits.deadline_min is {d} minutes; with the data of the plan a step in the window takes {n} and would be ended",
                ).format(d=spec.limits.deadline_min, n=longest),
                where=f"{FOLDER}/{system_id}.yaml",
                next_step=Text(
                    "把 deadline_min 提高到 {n} 以上，并留余量", "Raise deadline_min above {n}, with some room"
                ).format(n=longest),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a plan says about one system."""

    opens_at: datetime
    closes_at: datetime
    after: tuple[str, ...] = ()


def plan_places(plan: MigrationPlan, systems: Sequence[str]) -> dict[str, Place]:
    """Windows, and who goes first: within a group in its order, and what a weak tie points to before what depends on it.

    A system is frozen no sooner than its own place in the window; its way back has to be over when the window closes.
    """
    moves = {m.system_id: (w, m) for w in plan.waves for m in w.moves}
    before: dict[str, list[str]] = {s: [] for s in systems}
    for group in plan.problem.groups:
        members = [s for s in group.system_ids if s in before]
        for earlier, later in pairwise(members):
            before[later].append(earlier)
    for link in plan.problem.weak_links:
        first, then = moves.get(link.target_id), moves.get(link.source_id)
        if first is None or then is None or not {link.target_id, link.source_id} <= before.keys():
            continue
        # Only where the plan has put them so: ties may run in circles, times can't.
        if first[1].cutover_ends_at <= then[1].starts_at:
            before[link.source_id].append(link.target_id)
    return {
        s: Place(
            opens_at=moves[s][1].starts_at, closes_at=moves[s][0].window.ends_at, after=tuple(dict.fromkeys(before[s]))
        )
        for s in systems
        if s in moves
    }  # fmt: skip


def adopt_scope(tx: Connection, reader: ScopeReader, run: Run, system: RunSystem, *, begun: bool) -> Text:
    """Let a system whose source has not been touched go on with what is there now. Approvals that were not used are bound to
    the old hash and are void. `begun`: something has been made or copied by the old migration file, so that can't change.

    Raises UsageError where it can't, InputError where the files are not valid.
    """
    system_id = system.system_id
    spec = load_specs(reader, [system_id])[system_id]
    if begun and digest(spec) != digest(system.spec):
        raise _not_adopted(
            run, system_id,
            Text("迁移文件已改，而目标已按原内容开始准备", "The migration file has changed, and the target was begun by the old one"),
            Text("恢复原文件", "Restore it"),
        )  # fmt: skip
    now = replace(
        system, spec=spec, zone=zone_of(spec, reader.hosts()),
        scope_hash=digest(reader.parts(tx, system_id, planned=run.plan_id is not None)),
    )  # fmt: skip
    if run.plan_id is not None:
        plan = plan_store.latest_plan(tx)
        place = plan_places(plan, run.systems).get(system_id) if plan else None
        if place is None:
            raise _not_adopted(
                run, system_id,
                Text("最新的计划中没有这个系统", "The latest plan does not have this system"), Text("重新排期", "Plan again"),
            )  # fmt: skip
        now = replace(now, opens_at=place.opens_at, closes_at=place.closes_at, after=place.after)
    run_store.update_run_system(tx, now, leg=system.leg)
    return Text(
        "已改用现在的内容，未用的批准作废，到关口时重新批准",
        "It goes on with what is there now; unused approvals are void and are asked for again at the gate",
    )


def _not_adopted(run: Run, system_id: str, why: Text, instead: Text) -> UsageError:
    return UsageError(
        why,
        where=f"{run.run_id} {system_id}",
        next_step=Text(
            "{i}后继续；或放弃：govcloud run cancel {r} --system {s}", "{i} and resume; or give up: govcloud run cancel {r} --system {s}"
        ).format(i=instead, r=run.run_id, s=system_id),
    )  # fmt: skip


def system_scope(parts: Mapping[str, str], system_id: str) -> str:
    """The hash that a gate of the system is bound to, from the parts of a whole run or of the system alone."""
    own = {f"{part}:{system_id}" for part in ("spec", "hosts")}
    return digest({part: value for part, value in parts.items() if part in COMMON or part in own})


def demand_latest(tx: Connection, plan: MigrationPlan) -> None:
    """Raises UsageError where the plan is not the latest one."""
    ids = plan_store.plan_ids(tx, what_if=False)
    if not ids or ids[0] != plan.plan_id:
        raise UsageError(
            Text("计划已被更新的取代", "The plan is no longer the latest one"),
            where=plan.plan_id,
            next_step=Text("改用最新的计划", "Use the latest plan"),
        )


def digest(value: Any) -> str:
    plain = msgspec.to_builtins(value)
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
