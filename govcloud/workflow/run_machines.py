"""Single attempts that a person asks for, and the machines that a run has made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from govcloud.errors import UsageError
from govcloud.execution.drivers import reach
from govcloud.execution.drivers.existing import load_answer
from govcloud.execution.steps import has_phase
from govcloud.model.attempt import StepResult
from govcloud.model.collect import HostTrust
from govcloud.model.resource import Resource
from govcloud.model.step import StepName
from govcloud.model.text import Text
from govcloud.store import resource as resource_store
from govcloud.store import run as run_store
from govcloud.workflow.discover import trust_hosts
from govcloud.workflow.run_journal import StoreJournal, load, load_system, writing
from govcloud.workflow.run_orders import reconsider, resume
from govcloud.workflow.session import Session


def probe_step(session: Session, run_id: str, system_id: str, step: StepName) -> StepResult:
    """Carry out the step's verify phase by hand. Where the step's own outcome is unknown, it counts as the probe.

    Raises UsageError for a step without one, and while an attempt of the system is under way.
    """
    from govcloud.workflow.run_engine import perform_once

    with session.store.read() as tx:
        load_system(tx, run_id, system_id)
    if not has_phase(step, "verify"):
        raise UsageError(
            Text("这一步只读，没有可核对的效果", "This step only reads: it leaves nothing to look for"),
            where=f"{run_id} {system_id} {step}",
            next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
        )
    result = perform_once(session, run_id, system_id, step, "verify")
    with writing(session) as tx:
        reconsider(tx, StoreJournal(session, ""), run_id, system_id)
    return result


def list_resources(session: Session, run_id: str, systems: Sequence[str] = ()) -> list[Resource]:
    """What the run made in clouds, deleted things included."""
    with session.store.read() as tx:
        load(tx, run_id)
        found = resource_store.resources(tx, run_id)
    return [r for r in found if not systems or r.system_id in systems]


def clean_up(session: Session, run_id: str, systems: Sequence[str] = ()) -> Mapping[str, StepResult]:
    """Delete what systems that came to nothing have made. It touches only what is recorded, and may be repeated.

    Raises UsageError for systems that serve from there or are still under way.
    """
    from govcloud.workflow.run_engine import perform_once

    left = {r.system_id for r in list_resources(session, run_id, systems) if r.deleted_at is None}
    with session.store.read() as tx:
        rows = [r for r in run_store.run_systems(tx, run_id) if r.system_id in left]
    gone = [r for r in rows if r.state in ("failed", "cancelled", "rolled_back")]
    if refused := [r for r in rows if r not in gone and systems]:
        raise UsageError(
            Text("系统还在使用这些资源：{s}", "These systems use what was made: {s}").format(
                s=", ".join(f"{r.system_id} ({r.state})" for r in refused)
            ),
            where=run_id,
            next_step=Text("先取消或回退", "Cancel or roll back first"),
        )
    if not gone:
        raise UsageError(
            Text("没有要清理的资源", "There is nothing to clean up"),
            where=" ".join((run_id, *systems)),
            next_step=Text("govcloud run cleanup {r} --list", "govcloud run cleanup {r} --list").format(r=run_id),
        )
    return {r.system_id: perform_once(session, run_id, r.system_id, "provision", "rollback") for r in gone}


def answer_ticket(session: Session, run_id: str, system_id: str, path: Path) -> Resource:
    """The machine that the cloud desk has made, as the filled-in ticket names it. Raises InputError for a bad file."""
    with session.store.read() as tx:
        load_system(tx, run_id, system_id)
        known = resource_store.resources(tx, run_id, system_id)
    tickets = [r for r in known if r.kind == "ticket" and r.deleted_at is None]
    made = load_answer(path, tickets, session.now())
    journal = StoreJournal(session, "")
    journal.keep_resource(made)
    with writing(session) as tx:
        reconsider(tx, journal, run_id, system_id)
    return made


def trust_made(
    session: Session, run_id: str, system_id: str, *, approve: bool, expect: Path | None = None
) -> tuple[HostTrust, ...]:
    """Show the host keys of the machines that were made for the system; with `approve` record them and let it go on."""
    with session.store.read() as tx:
        row = load_system(tx, run_id, system_id)
        known = resource_store.resources(tx, run_id, system_id)
    hosts = [host for machine in row.spec.machines if (host := reach(machine, known)) is not None]
    if not hosts:
        raise UsageError(
            Text("这个系统还没有创建出机器", "No machine has been made for this system yet"),
            where=f"{run_id} {system_id}",
            next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
        )
    trusts = trust_hosts(session, hosts, approve=approve, expect=expect)
    if approve and all(t.state in ("trusted", "approved") for t in trusts):
        resume(session, run_id, [system_id], reason="host keys approved")
    return trusts
