"""What an approval covers: plan, migration files, hosts and playbooks, each with its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from govcloud.access import FILE as HOSTS_FILE
from govcloud.access import load_hosts
from govcloud.errors import InputError, UsageError
from govcloud.execution.spec import FOLDER, host_names, load_spec, verify_hosts
from govcloud.execution.steps import playbooks_hash
from govcloud.model.access import HostAccess
from govcloud.model.run import MigrationSpec, Run
from govcloud.model.text import Text
from govcloud.store import plan as plan_store
from govcloud.workflow.session import Session


def load_specs(session: Session, systems: Sequence[str]) -> dict[str, MigrationSpec]:
    """The migration files of the systems, checked against hosts.yaml. Raises InputError."""
    hosts = named_hosts(session)
    specs = {}
    for system_id in systems:
        specs[system_id] = load_spec(session.workspace.path / FOLDER, system_id)
        for problem in verify_hosts(specs[system_id], hosts):
            raise InputError(problem, where=str(session.workspace.path / FOLDER / f"{system_id}.yaml"))
    return specs


def named_hosts(session: Session) -> dict[str, HostAccess]:
    return {host.name: host for host in load_hosts(session.workspace.path / HOSTS_FILE)}


def build_scope(session: Session, specs: Mapping[str, MigrationSpec], plan_id: str | None) -> dict[str, str]:
    """Part -> SHA-256. Raises UsageError where the plan is not the latest one."""
    hosts = named_hosts(session)
    used = sorted({name for spec in specs.values() for name in host_names(spec)})
    scope = {f"spec:{system_id}": _digest(spec) for system_id, spec in specs.items()}
    scope["hosts"] = _digest([hosts.get(name) for name in used])
    scope["playbooks"] = playbooks_hash()
    if plan_id is not None:
        with session.store.read() as tx:
            latest = plan_store.latest_plan(tx)
        scope["plan"] = latest.plan_hash if latest else ""
        if latest is None or latest.plan_id != plan_id:
            raise UsageError(
                Text("计划已被更新的取代", "The plan is no longer the latest one"),
                where=plan_id,
                next_step=Text("改用最新的计划", "Use the latest plan"),
            )
    return scope


def scope_hash(scope: Mapping[str, str]) -> str:
    return _digest(scope)


def verify_scope(session: Session, run: Run) -> list[str]:
    """Parts that are no longer what they were when the run was registered."""
    try:
        now = build_scope(session, load_specs(session, run.systems), run.plan_id)
    except InputError as error:
        return [str(error.where.en) or "spec"]
    except UsageError:
        return ["plan"]
    return sorted(part for part in {*now, *run.scope} if now.get(part) != run.scope.get(part))


def _digest(value: Any) -> str:
    plain = msgspec.to_builtins(value)
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
