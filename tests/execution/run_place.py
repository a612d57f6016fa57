"""A workspace in which SL-OA-01 may be migrated; its hosts exist on paper only, so a stand-in takes Ansible's place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from sample_spec import GOOD

from govcloud.access import load_hosts
from govcloud.model.access import HostKey
from govcloud.model.observation import Statement
from govcloud.settings import open_workspace
from govcloud.store import host_keys
from govcloud.store import inventory as inventory_store
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session
from govcloud.workflow.statements import merge_inventory

AT = datetime(2026, 3, 7, 20, tzinfo=UTC)
SYSTEM = "SL-OA-01"
HERE = Path(__file__).parent
ADDRESSES = {"oa-01": "10.66.1.10", "cloud-01": "10.100.8.10", "entry-01": "10.66.1.2"}


@dataclass(frozen=True)
class Place:
    path: Path

    def script(self, **steps: dict[str, Any]) -> None:
        """What the stand-in does in a step: `sleep` seconds, then `status`; step#number wins over step."""
        (self.path / "standin.json").write_text(json.dumps({k.replace("__", "#"): v for k, v in steps.items()}))

    def begun(self) -> list[str]:
        """Steps that really started, as they wrote it down themselves."""
        log = self.path / "standin.log"
        return log.read_text().split() if log.exists() else []

    def process(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        argv = [sys.executable, str(HERE / program), str(self.path), *arguments]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HERE)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        with self.process(program, *arguments) as child:
            out, err = child.communicate(timeout=60)
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def make_place(path: Path) -> Place:
    init_workspace(path, "shanxi", actor="seed")
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
            body={},
        )
        inventory_store.add_statements(tx, batch_no, said)
        merge_inventory(session, tx)
        for host in load_hosts(path / "hosts.yaml"):
            key = HostKey(
                host=host.address, port=host.port, key_type="ssh-ed25519", key_base64="AAAA", approved_by="seed"
            )
            host_keys.approve(tx, key, AT)
    return Place(path)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
