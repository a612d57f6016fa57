"""What carries out a step in earnest: Ansible behind the guard, with everything that it needs from store and workspace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from govcloud.access import FILE as HOSTS_FILE
from govcloud.access import load_hosts
from govcloud.execution.attempt import SUPERVISOR, Claim, Guard
from govcloud.execution.batch import Batcher
from govcloud.execution.journal import Journal
from govcloud.execution.rules import parse_rules
from govcloud.execution.scene import Job, Place, prepare
from govcloud.execution.steps import load_steps
from govcloud.model.attempt import AttemptKey, StepResult, Worker
from govcloud.store import host_keys as key_store
from govcloud.store import resource as resource_store
from govcloud.store import run as run_store
from govcloud.workflow.session import Session

LINGER_S = 0.3


def make_hands(
    session: Session,
    journal: Journal,
    worker: Worker,
    pause: Callable[[float], None],
    *,
    supervisor: Sequence[str] = SUPERVISOR,
    passing: Callable[[str], None] = lambda _: None,
    linger_s: float = LINGER_S,
) -> tuple[Callable[[Claim], StepResult], Callable[[AttemptKey], bool]]:
    """What carries out a claimed step, systems in the same step together, and what asks it to stop.

    `supervisor`: another program than Ansible's; `passing`: told at the guard's boundaries.
    """
    steps = load_steps()
    rules = parse_rules(session.workspace.settings.execution)

    def prepare_play(folder: Path, places: Sequence[Place]) -> Job:
        keys = [place.attempt.key for place in places]
        with session.store.read() as tx:
            specs = {}
            for key in keys:
                row = run_store.load_run_system(tx, key.run_id, key.system_id)
                if row is not None:
                    specs[key.system_id] = rules.zone(row.zone).limited(row.spec)
            made = {k.system_id: resource_store.resources(tx, k.run_id, k.system_id) for k in keys}
            approved = key_store.approved_keys(tx)
        hosts = {host.name: host for host in load_hosts(session.workspace.path / HOSTS_FILE)}
        step, phase = steps[keys[0].step], keys[0].phase
        return prepare(folder, step, phase, places, specs, hosts, approved, made, workspace=session.workspace.path)

    guard = Guard(
        journal=journal, worker=worker, root=session.workspace.folder("evidence"), prepare=prepare_play, pause=pause,
        supervisor=supervisor, passing=passing,
    )  # fmt: skip
    batcher = Batcher(guard=guard, steps=steps, linger_s=linger_s)
    return batcher.submit, guard.cancel
