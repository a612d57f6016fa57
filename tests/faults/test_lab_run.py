"""Two migrations at the same time on real hosts: one killed in the middle and resumed, one that fails and is rolled back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from govcloud.demo.lab import Lab, start_lab, write_workspace_files
from govcloud.execution import processes
from govcloud.model.access import HostKey
from govcloud.model.inventory import Inventory, Merged, System
from govcloud.settings import open_workspace
from govcloud.store import entities, host_keys
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session

KILLED, FAILING = "SL-OA-01", "SL-XF-02"
LIMIT_S = 240


@dataclass
class Estate:
    lab: Lab
    path: Path

    def govcloud(self, *arguments: str, user: str = "zhang") -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "govcloud", "-w", str(self.path), "--lang", "en", "--format", "json",
                "--user", user, "run", *arguments]  # fmt: skip
        return self.lab.popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def on(self, host: str, command: str) -> str:
        known = self.path / "known_hosts"
        place = self.lab.places[host]
        name = place.address if place.ssh_port == 22 else f"[{place.address}]:{place.ssh_port}"
        known.write_text(f"{name} {self.lab.public_keys[host]}\n")
        argv = ["ssh", "-F", "/dev/null", "-i", str(self.lab.key_file), "-o", f"UserKnownHostsFile={known}",
                "-o", "BatchMode=yes", "-p", str(place.ssh_port), f"root@{place.address}", command]  # fmt: skip
        done = self.lab.run(argv, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    def served_by(self, name: str) -> tuple[int, str]:
        entry = self.lab.places["entry-01"]
        url = f"http://{entry.address}:{entry.app_port}/{name}/selftest"
        code = "import sys,urllib.request as u; r=u.urlopen(sys.argv[1],timeout=10); print(r.status, r.headers['X-Served-By'])"
        said = self.lab.run([sys.executable, "-c", code, url], capture_output=True, text=True, timeout=30)
        status, host = said.stdout.split()
        return int(status), host


def ended(child: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    out, err = child.communicate(timeout=LIMIT_S)
    assert out, err
    return child.returncode, json.loads(out)["run"]


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    base = tmp_path_factory.mktemp("estate")
    path = base / "w"
    init_workspace(path, "shanxi", actor="zhang")
    with start_lab(base / "lab") as lab:
        write_workspace_files(lab, path)
        with open_session(open_workspace(path), actor="zhang") as session, session.store.begin() as tx:
            systems = tuple(System(system_id=s, name=s, classified=False) for s in (KILLED, FAILING))
            entities.replace_inventory(tx, Merged(inventory=Inventory(systems=systems)), ())
            for name, place in lab.places.items():
                kind, text = lab.public_keys[name].split()[:2]
                key = HostKey(
                    host=place.address, port=place.ssh_port, key_type=kind, key_base64=text, approved_by="wang"
                )
                host_keys.approve(tx, key, datetime.now(UTC))
        yield Estate(lab, path)


def kill_in_replicate(estate: Estate, child: subprocess.Popen[str], run_id: str) -> None:
    """The controller, its supervisor and Ansible, all at once, after replicate has begun."""
    intent = estate.path / "evidence" / run_id / KILLED / "replicate" / "1" / "intent.json"
    deadline = time.monotonic() + 60
    while not intent.exists():
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.05)
    mark = json.loads(intent.read_text())["mark"]
    while not processes.find(mark):
        time.sleep(0.05)
    child.kill()
    child.communicate()
    for pid in processes.find(mark):
        os.kill(pid, signal.SIGKILL)


SOURCE_FILES = "cd {root}/srv/oa && find app uploads -type f ! -name '*.pid' ! -name '*.log' -print0 | sort -z | xargs -0 sha256sum"


def test_one_is_killed_and_resumed_the_other_fails_and_is_rolled_back(estate: Estate) -> None:
    root = estate.lab.places["oa-01"].root
    before = estate.on("oa-01", SOURCE_FILES.format(root=root))
    checked = [ended(child) for child in [estate.govcloud("start", s, "--no-wait") for s in (KILLED, FAILING)]]
    runs = [run["run_id"] for code, run in checked]
    assert [code for code, _ in checked] == [0, 0], checked
    for run_id in runs:
        approval = estate.govcloud("approve", run_id, user="li")
        assert approval.wait(60) == 0, approval.communicate()
    killed, failing = (estate.govcloud("resume", run_id) for run_id in runs)
    kill_in_replicate(estate, killed, runs[0])

    code, run = ended(estate.govcloud("resume", runs[0]))
    assert (code, run["status"]) == (0, "done"), run
    replicate = [a["status"] for a in run["attempts"] if a["step"] == "replicate"]
    assert replicate == ["unknown", "ok"]
    assert all(a["attempt"] == 1 for a in run["attempts"] if a["step"] != "replicate")
    assert estate.served_by("oa") == (200, "cloud-01")
    verified = next(a for a in run["attempts"] if a["step"] == "verify_data")["facts"]
    assert verified["rows"] > 0 and verified["files"] > 0

    code, run = ended(failing)
    assert (code, run["status"]) == (1, "rolled_back"), run
    failed = next(a for a in run["attempts"] if a["status"] == "failed")
    assert failed["step"] == "verify_service" and "selftest" in failed["reasons"][0]
    assert estate.served_by("petition") == (200, "petition-01")
    assert estate.on("oa-01", SOURCE_FILES.format(root=root)) == before, "the source is as it was"


def test_the_way_back_of_a_finished_migration(estate: Estate) -> None:
    """Depends on the migration above: it is the same estate, later that night."""
    runs = json.loads(estate.govcloud("status", "--all").communicate(timeout=60)[0])["runs"]["rows"]
    run_id = next(r["run_id"] for r in runs if KILLED in r["systems"])
    code, run = ended(estate.govcloud("rollback", run_id, KILLED, "--reason", "业务要求"))
    assert (code, run["outcomes"][KILLED]) == (0, "rolled_back")
    assert estate.served_by("oa") == (200, "oa-01")


def test_no_password_is_anywhere_in_the_workspace(estate: Estate) -> None:
    for host, folder in (("oa-01", "oa"), ("cloud-01", "oa"), ("petition-01", "petition"), ("cloud-02", "petition")):
        secret = estate.on(host, f"cat {estate.lab.places[host].root}/srv/{folder}/db.pass").strip().encode()
        assert len(secret) > 8
        found = [f for f in estate.path.rglob("*") if f.is_file() and secret in f.read_bytes()]
        assert not found


def test_evidence_is_listed_with_its_digests_and_read_only(estate: Estate) -> None:
    import hashlib

    lists = list((estate.path / "evidence").rglob("evidence.json"))
    assert len(lists) > 10
    for file in lists:
        listed = json.loads(file.read_text())
        assert "job.json" in listed and not [name for name in listed if name.startswith("private/env")]
        for name, digest in listed.items():
            assert hashlib.sha256((file.parent / name).read_bytes()).hexdigest() == digest
            assert (file.parent / name).stat().st_mode & 0o777 == 0o400
