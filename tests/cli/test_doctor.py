"""What the doctor must not miss, and that it changes nothing while it looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from govcloud.cli.main import run
from govcloud.model.attempt import Worker
from govcloud.model.health import HealthLine
from govcloud.model.ledger import LedgerEntry
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.store import open_store
from govcloud.store import worker as worker_store
from govcloud.workflow.doctor import examine
from govcloud.workflow.init import init_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return init_workspace(tmp_path / "w", "shanxi", actor="张示例").path


def lines(path: Path, *, days: float = 0) -> dict[str, HealthLine]:
    return {line.key: line for line in examine(path, lambda: datetime.now(UTC) + timedelta(days=days))}


def must(path: Path, *, days: float = 0) -> set[str]:
    return {key for key, line in lines(path, days=days).items() if line.area == "workspace" and line.state == "act"}


def test_a_new_workspace_is_well(workspace: Path) -> None:
    assert must(workspace) == set()
    assert workspace.stat().st_mode & 0o777 == 0o700


def test_each_line_to_act_on_says_what_to_do(workspace: Path) -> None:
    workspace.chmod(0o755)
    (workspace / "hosts.yaml").write_text("hosts: [{name: 'a b', address: x}]", "utf-8")
    found = [line for line in examine(workspace) if line.state == "act"]
    assert {line.key for line in found} >= {"modes", "hosts"}
    assert all(line.to_do and line.to_do.zh and line.to_do.en for line in found)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o660])
def test_a_key_that_others_can_read_is_found(workspace: Path, mode: int) -> None:
    assert run(["-w", str(workspace), "audit", "checkpoint"]) == 0
    (key,) = [p for p in (workspace / "keys").iterdir() if p.suffix != ".vkey"]
    assert "modes" not in must(workspace)
    key.chmod(mode)
    assert str(key) in lines(workspace)["modes"].found.zh


def test_a_key_that_is_a_link_is_found(workspace: Path, tmp_path: Path) -> None:
    (workspace / "keys").mkdir(mode=0o700, exist_ok=True)
    (tmp_path / "elsewhere").write_text("x")
    (workspace / "keys" / "builder").symlink_to(tmp_path / "elsewhere")
    assert "modes" in must(workspace)


@pytest.mark.parametrize(
    ("database", "words"),
    [
        ("sqlite:///gone.db", "no such file"),
        ("postgresql+psycopg://nobody:canary-5c1@127.0.0.1:1/none", "127.0.0.1"),
        ("nonsense", ""),
    ],
)
def test_a_database_that_is_away_is_told_without_its_password(workspace: Path, database: str, words: str) -> None:
    with (workspace / "govcloud.yaml").open("a") as stream:
        stream.write(f"\ndatabase: {database}\n")
    line = lines(workspace)["database"]
    assert line.state == "act" and words in line.found.en and "canary" not in line.found.en
    assert not (workspace / "gone.db").exists()


def test_an_older_database_is_told_of_and_left_as_it_is(workspace: Path) -> None:
    """Looking must not migrate: the backup comes first."""
    import sqlite3

    with sqlite3.connect(workspace / "govcloud.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    database.close()
    assert lines(workspace)["database"].state == "note"
    assert lines(workspace)["database"].found.en.startswith("schema 0001")


def test_a_clock_behind_the_ledger_is_found(workspace: Path) -> None:
    assert must(workspace, days=-1) == {"ledger_clock"}


def test_records_that_nobody_signed_and_nothing_exported_become_urgent(workspace: Path) -> None:
    assert must(workspace, days=6) == set()
    assert must(workspace, days=8) == {"unsigned"}
    assert must(workspace, days=31) == {"unsigned", "export"}
    assert run(["-w", str(workspace), "audit", "export", "-o", str(workspace.parent / "bundle")]) == 0
    assert must(workspace, days=29) <= {"unsigned"}


def test_a_silent_worker_is_found_and_one_that_left_is_not(workspace: Path) -> None:
    store = open_store(open_workspace(workspace).database_url)
    now = datetime.now(UTC)
    left = Worker(worker_id="m/left", machine_id="m", host="h1", pid=0, zones=(), seen_at=now - timedelta(hours=1))
    foreground = Worker(worker_id="m/cli", machine_id="m", host="h1", pid=9, zones=(), seen_at=now - timedelta(hours=1))
    silent = Worker(worker_id="m/dmz", machine_id="m", host="h1", pid=9, zones=(), seen_at=now - timedelta(hours=1))
    with store.begin() as tx:
        worker_store.see_worker(tx, left)
        worker_store.see_worker(tx, foreground)
    assert "workers" not in must(workspace)
    with store.begin() as tx:
        worker_store.see_worker(tx, silent)
    store.close()
    assert "m/dmz" in lines(workspace)["workers"].found.zh


def test_looking_writes_no_record(workspace: Path) -> None:
    def records() -> int:
        store = open_store(open_workspace(workspace).database_url)
        with store.read() as tx:
            found = ledger_store.size(tx)
        store.close()
        return found

    before = records()
    files = sorted(p.name for p in workspace.iterdir())
    examine(workspace)
    assert (records(), sorted(p.name for p in workspace.iterdir())) == (before, files)


def test_the_exit_code_and_json_are_for_monitoring(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace.chmod(0o750)
    assert run(["--format", "json", "-w", str(workspace), "doctor"]) == 1
    document = json.loads(capsys.readouterr().out)["doctor"]
    assert document["states"]["modes"] == "act" and document["must"] >= 1


def test_it_works_where_there_is_no_workspace_and_no_program(tmp_path: Path) -> None:
    """A bare machine is where it is needed most."""
    argv = [sys.executable, "-m", "govcloud", "--lang", "zh", "doctor"]
    bare = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False, env=bare)
    assert done.returncode == 1 and "openssh-client" in done.stdout and "这里没有工作区" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_workspace_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    assert lines(tmp_path / "nothing")["settings"].state == "act"


def test_broken_settings_are_a_line_and_no_end(workspace: Path) -> None:
    (workspace / "govcloud.yaml").write_text("site: [", "utf-8")
    found = lines(workspace)
    assert found["settings"].state == "act" and found["python"].state == "good"


def test_a_record_of_another_kind_is_no_export(workspace: Path) -> None:
    store = open_store(open_workspace(workspace).database_url)
    with store.begin() as tx:
        body = {"note": '"kind":"export"'}
        ledger_store.append(tx, LedgerEntry(kind="report", actor="张示例", at=datetime.now(UTC), body=body))
    store.close()
    assert lines(workspace)["export"].found.en == "none"
