"""A workspace with one system and a real SSH server on loopback that reads authorized_keys at every login."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from govcloud.model.observation import Statement
from govcloud.store import host_keys
from govcloud.store import inventory as inventory_store
from govcloud.workflow.init import init_workspace
from govcloud.workflow.statements import merge_inventory

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

from handover_place import AT, SYSTEM, Place, Servers, make_key


@pytest.fixture
def servers() -> Iterator[Servers]:
    made = Servers()
    yield made
    made.stop()


@pytest.fixture
def place(tmp_path: Path, servers: Servers) -> Place:
    workspace = tmp_path / "w"
    init_workspace(workspace, "shanxi", actor="张示例")
    ours, builder = make_key(workspace / "keys" / "lab_ed25519"), make_key(tmp_path / "builder" / "id_ed25519")
    host = tmp_path / "cloud-01"
    key = servers.start("cloud-01", host)
    vendor = make_key(tmp_path / "vendor" / "old")
    found = Place(workspace=workspace, builder=builder, ours=ours, host=host, servers=servers)
    found.authorized.write_text(f"# old\n{Path(f'{ours}.pub').read_text()}no-pty {Path(f'{vendor}.pub').read_text()}")
    (workspace / "hosts.yaml").write_text(
        f"hosts:\n- {{name: cloud-01, address: 127.0.0.1, port: {key.port}, user: root, key_file: keys/lab_ed25519}}\n"
    )
    with found.session() as session, session.store.begin() as tx:
        host_keys.approve(tx, key, AT)
        told = {"name": "协同办公系统", "maintained_by": "示例软件公司"}
        batch_no = inventory_store.add_batch(
            tx, batch_id="B-1", kind="import", source="普查表.xlsx", sha256="0" * 64, at=AT, actor="张示例", body={}
        )
        said = Statement(
            subject_kind="system",
            subject_id=SYSTEM,
            source="workbook",
            place="普查表.xlsx!系统!",
            observed_at=AT,
            values=told,
        )
        inventory_store.add_statements(tx, batch_no, [said])
        merge_inventory(session, tx)
    return found
