"""Two migrations in one night on real hosts: one killed in the middle and resumed, one that fails and is rolled back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from govcloud.demo.lab import Lab, start_lab, write_workspace_files
from govcloud.execution import processes
from govcloud.model.access import HostKey
from govcloud.model.observation import Statement
from govcloud.settings import open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.store import host_keys, schema
from govcloud.store import inventory as inventory_store
from govcloud.store import run as run_store
from govcloud.store.codec import encode
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session
from govcloud.workflow.statements import merge_inventory

# The night is lived through once, before the first test that looks at it.
pytestmark = pytest.mark.timeout(900)

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


def ended(child: subprocess.Popen[str], codes: Sequence[int] = (0,)) -> dict[str, Any]:
    """The command's document: `run` and `attempts`."""
    out, err = child.communicate(timeout=LIMIT_S)
    assert child.returncode in codes, out + err
    return dict(json.loads(out)) if out.startswith("{") else {}


def state(shown: dict[str, Any]) -> str:
    (system,) = shown["run"]["systems"]
    return str(system["state"])


def of(shown: dict[str, Any], step: str, phase: str = "apply") -> list[dict[str, Any]]:
    return [a for a in shown["attempts"]["attempts"] if (a["step"], a["phase"]) == (step, phase)]


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    base = tmp_path_factory.mktemp("estate")
    path = base / "w"
    init_workspace(path, "shanxi", actor="zhang")
    with start_lab(base / "lab") as lab:
        write_workspace_files(lab, path)
        with open_session(open_workspace(path), actor="zhang") as session, session.store.begin() as tx:
            at = datetime.now(UTC)
            batch_no = inventory_store.add_batch(
                tx,
                batch_id="census",
                kind=inventory_store.IMPORT,
                source="普查表.xlsx",
                sha256="",
                at=at,
                actor="zhang",
                body={},
            )
            said = [
                Statement(
                    subject_kind="system", subject_id=s, source="workbook", place="普查表.xlsx!系统!B2", observed_at=at,
                    values={"name": s, "classified": False},
                )
                for s in (KILLED, FAILING)
            ]  # fmt: skip
            inventory_store.add_statements(tx, batch_no, said)
            merge_inventory(session, tx)
            for name, place in lab.places.items():
                kind, text = lab.public_keys[name].split()[:2]
                key = HostKey(
                    host=place.address, port=place.ssh_port, key_type=kind, key_base64=text, approved_by="wang"
                )
                host_keys.approve(tx, key, datetime.now(UTC))
        yield Estate(lab, path)


def kill_in_replicate(estate: Estate, child: subprocess.Popen[str], run_id: str) -> None:
    """The controller, its supervisor and Ansible, all at once, after replicate has begun."""
    intent = estate.path / "evidence" / run_id / KILLED / "replicate" / "apply" / "1" / "intent.json"
    deadline = time.monotonic() + 60
    while not intent.exists():
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.05)
    mark = json.loads(intent.read_text())["mark"]
    while not processes.find(mark):
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.05)
    child.kill()
    child.communicate()
    for pid in processes.find(mark):
        os.kill(pid, signal.SIGKILL)


SOURCE_FILES = "cd {root}/srv/oa && find app uploads -type f ! -name '*.pid' ! -name '*.log' -print0 | sort -z | xargs -0 sha256sum"


@dataclass(frozen=True)
class Night:
    """Both systems carried to their ends; what the commands and the hosts said on the way."""

    killed: str
    """Its run."""
    refreshed: dict[str, Any]
    """As it waited for its window, the copy brought up to date."""
    waited: tuple[int, str]
    """Who served it then."""
    copied: str
    trial: dict[str, Any]
    served: tuple[int, str]
    failed: dict[str, Any]
    failing_served: tuple[int, str]
    source: tuple[str, str]
    """Digests of the killed system's files on its source, before and after."""


def give_window(estate: Estate, run_id: str, opens_in: timedelta) -> None:
    """As a plan would have, and as if the copy had been made yesterday."""
    now = datetime.now(UTC)
    with open_session(open_workspace(estate.path), actor="zhang") as session, session.store.begin() as tx:
        system = run_store.load_run_system(tx, run_id, KILLED)
        assert system is not None
        given = replace(system, opens_at=now + opens_in, closes_at=now + opens_in + timedelta(hours=4))
        assert run_store.update_run_system(tx, given, leg=system.leg)
        made = [a for a in attempt_store.attempts(tx, run_id, KILLED) if a.key.step == "replicate"]
        result = made[-1].result
        assert result is not None and result.finished_at is not None
        older = replace(made[-1], result=replace(result, finished_at=result.finished_at - timedelta(days=1)))
        tx.execute(
            update(schema.step_attempt)
            .where(schema.step_attempt.c.step == "replicate", schema.step_attempt.c.token == made[-1].token)
            .values(body=encode(older))
        )


def to_the_freeze(estate: Estate) -> tuple[str, str]:
    """Both runs, approved as far as the freeze; the first was killed in its copy."""
    runs = []
    for system in (KILLED, FAILING):
        shown = ended(estate.govcloud("start", system, "--no-wait"))
        assert state(shown) == "waiting", shown
        runs.append(shown["run"]["run_id"])
    # One after the other: whoever works carries on whatever is due, of any run.
    ended(estate.govcloud("approve", runs[0], user="li"))
    kill_in_replicate(estate, estate.govcloud("resume", runs[0], "--no-wait"), runs[0])
    ended(estate.govcloud("approve", runs[1], user="li"))
    for run_id in runs:
        shown = ended(estate.govcloud("resume", run_id, "--no-wait"))
        assert state(shown) == "waiting" and shown["run"]["systems"][0]["step"] == "freeze", shown
    return runs[0], runs[1]


@pytest.fixture(scope="module")
def night(estate: Estate) -> Night:
    root, target = (estate.lab.places[host].root for host in ("oa-01", "cloud-01"))
    killed, failing = to_the_freeze(estate)
    ended(estate.govcloud("approve", killed, user="li"))
    give_window(estate, killed, timedelta(hours=11))
    estate.on("oa-01", f"echo later > {root}/srv/oa/uploads/later.txt")
    before = estate.on("oa-01", SOURCE_FILES.format(root=root))
    refreshed = ended(estate.govcloud("resume", killed, "--no-wait"))
    waited, copied = estate.served_by("oa"), estate.on("cloud-01", f"cat {target}/srv/oa/uploads/later.txt")
    give_window(estate, killed, timedelta(minutes=-1))
    trial = ended(estate.govcloud("resume", killed, "--no-wait"))
    served = estate.served_by("oa")
    ended(estate.govcloud("approve", failing, user="li"))
    failed = ended(estate.govcloud("resume", failing, "--no-wait"), codes=(1,))
    after = estate.on("oa-01", SOURCE_FILES.format(root=root))
    return Night(
        killed, refreshed, waited, copied, trial, served, failed, estate.served_by("petition"), source=(before, after)
    )


def test_killed_in_the_middle_of_its_copy_and_carried_on_to_trial(night: Night) -> None:
    assert state(night.trial) == "trial" and night.served == (200, "cloud-01"), night.trial
    again = {a["step"] for a in night.trial["attempts"]["attempts"] if a["attempt"] > 1} - {"replicate"}
    assert again <= {"precheck"}, "nothing else was repeated"
    (verified,) = of(night.trial, "verify_data")
    assert verified["facts"]["rows"] > 0 and verified["facts"]["files"] > 0
    assert night.source[0] == night.source[1], "the source is as it was"


def test_a_failed_verification_gives_the_service_back_to_the_source(night: Night) -> None:
    assert state(night.failed) == "rolled_back", night.failed
    (failed,) = [a for a in night.failed["attempts"]["attempts"] if a["status"] == "failed"]
    assert failed["step"] == "verify_service" and "selftest" in failed["reasons"][0]
    assert night.failing_served == (200, "petition-01")


def test_a_copy_is_brought_up_to_date_before_its_window_and_the_window_is_kept(night: Night) -> None:
    """What has changed since the rehearsal must not wait for the freeze."""
    shown = night.refreshed
    assert [a["status"] for a in of(shown, "replicate")] == ["unknown", "ok", "ok"] and state(shown) == "waiting", shown
    assert of(shown, "replicate", "verify") and shown["run"]["systems"][0]["wait"]["kind"] == "window"
    assert night.waited == (200, "oa-01") and night.copied == "later\n"
    assert len(of(night.trial, "replicate")) == 3, "not once more in the window"


def test_the_way_back_of_a_finished_migration(estate: Estate, night: Night) -> None:
    child = estate.govcloud("rollback", night.killed, KILLED, "--reason", "业务要求")
    out, err = child.communicate(timeout=LIMIT_S)
    assert child.returncode == 0, out + err
    assert estate.served_by("oa") == (200, "oa-01")


def test_no_connection_outlives_the_step_that_opened_it(estate: Estate, night: Night) -> None:
    """Neither after a step's end nor after a kill: an idle login on a department's server is a finding of the next audit."""
    controls = {json.loads(job.read_text())["control"] for job in (estate.path / "evidence").rglob("job.json")}
    assert len(controls) > 10
    titles = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            titles.append(entry.read_bytes())
    left = [control for control in controls if any(title.startswith(f"ssh: {control}/".encode()) for title in titles)]
    assert not left and not [control for control in controls if Path(control).exists()]


def test_no_password_is_anywhere_in_the_workspace(estate: Estate, night: Night) -> None:
    for host, folder in (("oa-01", "oa"), ("cloud-01", "oa"), ("petition-01", "petition"), ("cloud-02", "petition")):
        secret = estate.on(host, f"cat {estate.lab.places[host].root}/srv/{folder}/db.pass").strip().encode()
        assert len(secret) > 8
        found = [f for f in estate.path.rglob("*") if f.is_file() and secret in f.read_bytes()]
        assert not found


def test_evidence_is_listed_with_its_digests_and_read_only(estate: Estate, night: Night) -> None:
    import hashlib

    lists = list((estate.path / "evidence").rglob("evidence.json"))
    assert len(lists) > 10
    for file in lists:
        listed = json.loads(file.read_text())
        assert listed and not [name for name in listed if name.startswith("private/env")]
        for name, digest in listed.items():
            assert hashlib.sha256((file.parent / name).read_bytes()).hexdigest() == digest
            assert (file.parent / name).stat().st_mode & 0o777 == 0o400
