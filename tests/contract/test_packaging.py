"""Backup and restore as the administrator's guide writes them, and what the bundle is made of."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from sources import ROOT

from govcloud.cli.main import run
from govcloud.model.account import ACCOUNT_ROLES, ACTIONS
from govcloud.model.ledger import LedgerEntry
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.store import open_store
from govcloud.workflow.init import init_workspace

GUIDE = (ROOT / "docs" / "admin.md").read_text("utf-8")


def shell(words: str) -> str:
    """The block of the guide that holds these words."""
    (block,) = [b for b in re.findall(r"```sh\n(.*?)```", GUIDE, re.S) if words in b]
    return block.replace("python3", sys.executable)


def test_a_backup_that_was_made_while_somebody_wrote_is_restored_whole(tmp_path: Path) -> None:
    workspace = init_workspace(tmp_path / "w", "shanxi", actor="张示例").path
    assert run(["-w", str(workspace), "audit", "checkpoint", "-o", str(tmp_path / "kept.note")]) == 0
    stop = threading.Event()

    def write() -> None:
        store = open_store(open_workspace(workspace).database_url)
        while not stop.is_set():
            with store.begin() as tx:
                ledger_store.append(tx, LedgerEntry(kind="note", actor="张示例", at=datetime.now(UTC), body={}))
        store.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        script = shell("a.backup(b)").replace("/var/lib/govcloud/workspace", str(workspace))
        script = re.sub(r"B=\S+\$\(date \+%F\)", f"B={tmp_path}/b", script)
        subprocess.run(["bash", "-eu", "-c", script], check=True, timeout=120)
    finally:
        stop.set()
        writer.join()
    restored = tmp_path / "restored"
    subprocess.run(
        ["bash", "-eu", "-c", f"W={restored} B={tmp_path}/b\n" + shell('workspace.tar" &&')], check=True, timeout=120
    )
    assert restored.stat().st_mode & 0o077 == 0
    assert run(["-w", str(restored), "audit", "verify", "--checkpoint", str(tmp_path / "kept.note")]) == 0
    assert run(["-w", str(restored), "audit", "checkpoint"]) == 0


def test_the_guide_installs_what_the_bundle_brings() -> None:
    named = set(re.findall(r"/opt/govcloud/current/systemd/([\w.@*-]+)", GUIDE))
    there = {p.name for p in (ROOT / "packaging" / "systemd").iterdir()}
    assert "govcloud.sysusers" in named & there and "*.service" in named
    assert [name for name in there if name.endswith(".service")]


def test_the_guide_tells_the_rights_that_the_table_gives() -> None:
    everyone = set(ACCOUNT_ROLES)
    told = {}
    for actions, roles in re.findall(r"^\| ((?:[a-z_]+ [\u3400-\u9fff]+(?:, )?)+) \| ([a-z, ]+) \|$", GUIDE, re.M):
        given = everyone - {"administrator"} if roles == "all but administrator" else set(roles.split(", "))
        told |= dict.fromkeys(re.findall(r"[a-z_]+", actions), given)
    assert told == {action: set(roles) for action, roles in ACTIONS.items()}


def test_the_installer_is_plain_shell() -> None:
    """Debian's sh is dash; others have busybox."""
    script = ROOT / "packaging" / "install.sh"
    assert script.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", script], check=True, timeout=30)
    assert script.read_text("utf-8").startswith("#!/bin/sh\n")
