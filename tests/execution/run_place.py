"""A workspace with a run of some systems; their hosts exist on paper only, so a stand-in takes Ansible's place."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml
from sample_spec import GOOD

from govcloud.access import load_hosts
from govcloud.model.access import HostKey
from govcloud.model.attempt import AttemptKey
from govcloud.model.migration import MigrationSpec
from govcloud.model.observation import Statement
from govcloud.model.run import Run, RunSystem
from govcloud.model.step import Phase, StepName
from govcloud.settings import FILE, open_workspace
from govcloud.store import host_keys
from govcloud.store import inventory as inventory_store
from govcloud.store import run as run_store
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session
from govcloud.workflow.statements import merge_inventory

AT = datetime(2026, 3, 7, 20, tzinfo=UTC)
SYSTEM = "SL-OA-01"
RUN = "r1"
HERE = Path(__file__).parent
ADDRESSES = {"oa-01": "10.66.1.10", "cloud-01": "10.100.8.10", "entry-01": "10.66.1.2"}


def key(step: StepName = "replicate", phase: Phase = "apply", number: int = 1, system_id: str = SYSTEM) -> AttemptKey:
    return AttemptKey(run_id=RUN, system_id=system_id, step=step, phase=phase, number=number)


@dataclass(frozen=True)
class Place:
    path: Path

    def script(self, told: dict[str, dict[str, Any]]) -> None:
        """What the stand-in does: see standin.py."""
        (self.path / "standin.json").write_text(json.dumps(told))

    def begun(self) -> list[str]:
        """What really started, as the stand-in wrote it down itself: `SYSTEM step/phase#n`."""
        log = self.path / "standin.log"
        return log.read_text().splitlines() if log.exists() else []

    def folder(self, of: AttemptKey) -> Path:
        return self.path / "evidence" / of.run_id / of.system_id / of.step / of.phase / str(of.number)

    def add_run(self, systems: Sequence[str] = (SYSTEM,), run_id: str = RUN) -> None:
        """A run as its registration leaves it, without gates."""
        spec = msgspec.convert(GOOD, MigrationSpec)
        run = Run(
            run_id=run_id, scope={}, scope_hash="0" * 64, created_at=AT, created_by="seed", systems=tuple(systems)
        )
        rows = [
            RunSystem(
                run_id=run_id, system_id=name, position=n, spec=replace(spec, system_id=name), scope_hash="0" * 64, since=AT,
                state="running", leg=1,
            )
            for n, name in enumerate(systems, 1)
        ]  # fmt: skip
        with open_session(open_workspace(self.path), actor="seed") as session, session.store.begin() as tx:
            run_store.add_run(tx, run, rows)


def make_place(path: Path, *, database: str | None = None, execution: dict[str, Any] | None = None) -> Place:
    """`database`: SQLAlchemy URL instead of the workspace's own; `execution`: that section of the settings."""
    init_workspace(path, "shanxi", actor="seed") if database is None else _init_on(path, database)
    settings = yaml.safe_load((path / FILE).read_text("utf-8"))
    settings["execution"] = execution if execution is not None else {"gates": []}
    (path / FILE).write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    (path / "migration" / f"{SYSTEM}.yaml").write_text(yaml.safe_dump(GOOD, allow_unicode=True), "utf-8")
    hosts = [{"name": name, "address": address} for name, address in ADDRESSES.items()]
    (path / "hosts.yaml").write_text(yaml.safe_dump({"hosts": hosts}), "utf-8")
    with open_session(open_workspace(path), actor="seed") as session, session.store.begin() as tx:
        told = {
            SYSTEM: ("协同办公系统", False),
            "SL-SM-08": ("涉密公文系统", True),
            "SL-XX-99": ("情况不明的系统", None),
        }
        said = [
            Statement(
                subject_kind="system", subject_id=system_id, source="workbook", place="普查表.xlsx!系统!B2", observed_at=AT,
                values={"name": name} | ({} if classified is None else {"classified": classified}),
            )
            for system_id, (name, classified) in told.items()
        ]  # fmt: skip
        batch_no = inventory_store.add_batch(
            tx,
            batch_id="seed",
            kind=inventory_store.IMPORT,
            source="普查表.xlsx",
            sha256="",
            at=AT,
            actor="seed",
            body={"read_as": ""},
        )
        inventory_store.add_statements(tx, batch_no, said)
        merge_inventory(session, tx)
        for host in load_hosts(path / "hosts.yaml"):
            approved = HostKey(
                host=host.address, port=host.port, key_type="ssh-ed25519", key_base64="AAAA", approved_by="seed"
            )
            host_keys.approve(tx, approved, AT)
    return Place(path)


def _init_on(path: Path, database: str) -> None:
    """A workspace whose settings name another database before anything was written to its own."""
    from govcloud import resources

    for folder in ("requests", "migration", "evidence", "reports"):
        (path / folder).mkdir(mode=0o700, parents=True)
    settings = yaml.safe_load((resources.folder("inventory") / "sites" / "shanxi.yaml").read_text("utf-8"))
    (path / FILE).write_text(yaml.safe_dump(settings | {"database": database}, allow_unicode=True), "utf-8")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
