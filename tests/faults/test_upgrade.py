"""F43: govcloud is upgraded between two steps. What the older version had begun is not carried on, and its way back works.

The database is one that the older version wrote, recorded in the middle of a freeze (tests/cases/store).
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fork_server import ForkServer
from sample_spec import GOOD

from govcloud.model.access import HostKey
from govcloud.settings import open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.store import host_keys
from govcloud.store import run as run_store
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session

CASE = Path(__file__).parent.parent / "cases" / "store" / "0004_runs.sql"
DONE, IN_FLIGHT, SYSTEM = "r20261123-4", "r20261123-3", "SL-XF-02"
ADDRESSES = {
    "petition-01": "10.66.1.20",
    "cloud-02": "10.100.8.11",
    "entry-01": "10.66.1.2",
    "oa-01": "10.66.1.10",
    "cloud-01": "10.100.8.10",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "w"
    init_workspace(path, "shanxi", actor="操作员甲")
    for file in path.glob("govcloud.db*"):
        file.unlink()
    # The key that signed the recorded checkpoints is not kept with them; this workspace signs with one of its own.
    lines = [line for line in CASE.read_text("utf-8").splitlines() if not line.startswith("INSERT INTO checkpoint")]
    with sqlite3.connect(path / "govcloud.db") as database:
        database.executescript("\n".join(lines))
    hosts = [{"name": name, "address": address} for name, address in ADDRESSES.items()]
    (path / "hosts.yaml").write_text(yaml.safe_dump({"hosts": hosts}))
    (path / "world").mkdir()
    (path / "dice.json").write_text(json.dumps({"seed": "calm", "failing": 0, "dying": 0, "fail": []}))
    with open_session(open_workspace(path), actor="seed") as session, session.store.begin() as tx:
        for address in ADDRESSES.values():
            key = HostKey(host=address, port=22, key_type="ssh-ed25519", key_base64="AAAA", approved_by="seed")
            host_keys.approve(tx, key, session.now())
    return path


def govcloud(path: Path, *words: str, user: str = "值班员己") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "govcloud", "-w", str(path), "--lang", "en", "--user", user, *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)


def test_the_status_says_what_is_known_and_what_to_do(workspace: Path) -> None:
    shown = govcloud(workspace, "run", "status", IN_FLIGHT)
    assert shown.returncode == 0, shown.stderr
    assert "needs a person" in shown.stdout and "older version" in shown.stdout
    assert f"govcloud run rollback {IN_FLIGHT} {SYSTEM}" in " ".join(shown.stdout.split())
    assert "Traceback" not in shown.stdout + shown.stderr


@pytest.mark.parametrize("words", [("resume", IN_FLIGHT, "--no-wait"), ("start", SYSTEM)])
def test_nothing_of_it_goes_forward(workspace: Path, words: tuple[str, ...]) -> None:
    spec = yaml.safe_dump(GOOD | {"system_id": SYSTEM}, allow_unicode=True)
    (workspace / "migration" / f"{SYSTEM}.yaml").write_text(spec, "utf-8")
    done = govcloud(workspace, "run", *words)
    assert done.returncode in (1, 2), done.stdout + done.stderr
    with open_session(open_workspace(workspace), actor="zhang") as session, session.store.read() as tx:
        assert run_store.states(tx, IN_FLIGHT) == {SYSTEM: "needs_person"}
        assert len(attempt_store.attempts(tx, IN_FLIGHT)) == 3


def test_its_way_back_works_and_the_old_records_verify(workspace: Path) -> None:
    """With the migration file as the older version had frozen it; none is in the workspace."""
    with ForkServer("upgrade_case", path=Path(__file__).parent) as forks:
        case = forks.run("upgrade_case:main", str(workspace), IN_FLIGHT, SYSTEM)
        assert case.returncode == 0, case.stderr
    events = [
        line.split()[2] for line in (workspace / "world.log").read_text().splitlines() if line.startswith("BEGIN")
    ]
    assert events == ["freeze/rollback#1"], "what was begun is undone, and nothing else"
    with open_session(open_workspace(workspace), actor="zhang") as session, session.store.read() as tx:
        assert run_store.states(tx, IN_FLIGHT) == {SYSTEM: "rolled_back"}
        assert run_store.states(tx, DONE) == {"SL-OA-01": "trial"}
    assert govcloud(workspace, "audit", "verify").returncode == 0
