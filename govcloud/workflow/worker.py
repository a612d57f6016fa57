"""Workers as processes of their own: on other machines with PostgreSQL, on this one with either database."""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.access import FILE as HOSTS_FILE
from govcloud.access import load_hosts
from govcloud.errors import UsageError
from govcloud.execution.identity import machine_id
from govcloud.model.attempt import Worker
from govcloud.model.text import Text
from govcloud.workflow.run_engine import FOLDER, Pace, living_workers, work
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import Session


def demand_zones(session: Session, zones: Sequence[str]) -> None:
    """Raises UsageError for a zone that no host of hosts.yaml is in."""
    known = {host.zone for host in load_hosts(session.workspace.path / HOSTS_FILE) if host.zone is not None}
    if missing := sorted(set(zones) - known):
        raise UsageError(
            Text("hosts.yaml 中没有这个网络区：{z}", "No host of hosts.yaml is in zone {z}").format(
                z=", ".join(missing)
            ),
            where=HOSTS_FILE,
            next_step=Text("可用的网络区：{z}", "Zones there: {z}").format(z=", ".join(sorted(known)) or "—"),
        )


def run_worker(session: Session, zones: Sequence[str], name: str | None = None) -> None:
    """Carry systems of these zones on until SIGTERM or Ctrl-C."""
    work(session, zones=tuple(dict.fromkeys(zones)), until="stopped", name=name)


def list_workers(session: Session) -> tuple[list[Worker], list[str]]:
    """All that ever reported, the one seen last first; and the ids of those that live."""
    journal = StoreJournal(session, "")
    machine = machine_id(session.workspace.folder(FOLDER))
    living = living_workers(session, machine, Pace(), journal)
    return list(journal.workers()), [worker.worker_id for worker in living]
