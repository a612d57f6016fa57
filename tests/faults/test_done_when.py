"""What the execution part promises, on real hosts: systemd, PostgreSQL, MariaDB, nginx, bind9 and sshd in namespaces.

Users write all the time, and every write that the application acknowledged must be found afterwards: on the side that
serves, or, after a way back, in the list of what only the target had taken.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from estate import APPROVER, MAIL, OA, Estate, behind_nginx, mail_spec, make_estate, oa_spec
from server_bed import ServerBed
from writer import acknowledged, longest_gap_s

from govcloud.execution import processes

pytestmark = [pytest.mark.servers, pytest.mark.root, pytest.mark.timeout(900)]

KILLS = 10
OA_URL, MAIL_URL = "http://10.77.0.80", "http://10.77.0.80:81"
SOURCE_FILES = "cd /srv && find {folders} -type f -name 'old-*' -print0 | sort -z | xargs -0 sha256sum | sha256sum"


@pytest.fixture(scope="module")
def estate(server_bed: ServerBed, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    # The second office forgot one of its two folders, and asks its new machine for its health only.
    forgetful = mail_spec(files=[{"source": "/srv/uploads", "target": "/srv/uploads"}])
    return make_estate(server_bed, tmp_path_factory.mktemp("done") / "w", oa_spec(server_bed), behind_nginx(forgetful))


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    def print_now(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", flush=True)

    return print_now


def start(estate: Estate, system: str) -> str:
    # 1: another command is at work on it already.
    shown = json.loads(estate.govcloud("run", "start", system, "--no-wait", codes=(0, 1)))
    assert shown["run"]["systems"][0]["state"] in ("waiting", "running"), shown
    return str(shown["run"]["run_id"])


def look(estate: Estate, run_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The system of a run, and its attempts."""
    shown = estate.ask("run", "status", run_id)
    return shown["run"]["systems"][0], shown["attempts"]["attempts"]


def carry(estate: Estate, run_id: str, *, until: str, kills: Iterator[float] | None = None) -> dict[str, Any]:
    """Approve, decide and resume as people would until the system is in that state; kill what works on it after so many
    seconds, for as long as `kills` has some."""
    deadline = time.monotonic() + 600
    while True:
        system, attempts = look(estate, run_id)
        assert time.monotonic() < deadline, (system, attempts)
        if system["state"] == until:
            return system
        assert system["state"] in ("waiting", "running", "rolling_back", "needs_person"), (system, attempts[-3:])
        wait = system["wait"] or {}
        if wait.get("kind") == "approval":
            estate.govcloud("run", "approve", run_id, user=APPROVER)
        elif system["state"] == "needs_person":
            last = attempts[-1]
            told = ("run", "decide", run_id, system["system_id"], wait["step"], "rerun", "--reason", "已到现场核对")
            estate.govcloud(*told, "--phase", "rollback" if last["phase"] == "rollback" else "apply", user=APPROVER)
        child = estate.popen("run", "resume", run_id, "--no-wait")
        if kills is not None and (seconds := next(kills, None)) is not None:
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                kill(estate, child.pid, run_id, tree=int(seconds * 1000) % 3 == 0)
        out, err = estate.ended(child, 400)
        assert child.returncode in (0, 1, -signal.SIGKILL), (child.returncode, out, err)


def kill(estate: Estate, pid: int, run_id: str, *, tree: bool) -> None:
    """The controller; `tree`: its supervisor, Ansible and everything else that it had started as well."""
    os.kill(pid, signal.SIGKILL)
    if tree:
        for intent in (estate.path / "evidence" / run_id).glob("*/*/*/*/intent.json"):
            if not (intent.parent / "result.json").exists():
                for child in processes.find(json.loads(intent.read_text())["mark"]):
                    try:
                        os.kill(child, signal.SIGKILL)
                    except ProcessLookupError:
                        continue


def downtime_s(system: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(system[key]) for key in ("downtime_from", "downtime_to"))
    return (ended - began).total_seconds()


def lost(estate: Estate, log: Path, url: str, run_id: str) -> set[str]:
    """Acknowledged, and neither served nor listed as taken by the target alone."""
    listed = {
        word
        for file in (estate.path / "evidence" / run_id).rglob("taken-*.jsonl")
        for word in file.read_text("utf-8").replace('"', " ").split()
    }
    return set(acknowledged(log)) - set(estate.get(f"{url}/ids")[2]) - listed


def source_digest(estate: Estate, host: str, *folders: str) -> str:
    return estate.bed.hosts[host].run("sh", "-c", SOURCE_FILES.format(folders=" ".join(folders))).stdout


@dataclass(frozen=True)
class Moved:
    """A system that was carried to its end while users wrote."""

    run_id: str
    system: dict[str, Any]
    log: Path
    files_before: str


def move(estate: Estate, system: str, url: str, log: Path, host: str, folders: Sequence[str], until: str) -> Moved:
    before = source_digest(estate, host, *folders)
    with estate.writing(url, log):
        run_id = start(estate, system)
        shown = carry(estate, run_id, until=until)
        time.sleep(2)
    return Moved(run_id, shown, log, before)


@pytest.fixture(scope="module")
def moved(estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Moved]:
    """Both departments in the same night, side by side."""
    logs = tmp_path_factory.mktemp("logs")
    with ThreadPoolExecutor(2) as pool:
        oa = pool.submit(move, estate, OA, OA_URL, logs / "oa", "oa-src", ["uploads"], "trial")
        mail = pool.submit(move, estate, MAIL, MAIL_URL, logs / "mail", "my-src", ["uploads", "archive"], "rolled_back")
        return {OA: oa.result(), MAIL: mail.result()}


def test_migrated_under_constant_writes_without_losing_one_and_taken_back(
    estate: Estate, moved: dict[str, Moved], say: Callable[[str], None]
) -> None:
    oa = moved[OA]
    assert estate.get(f"{OA_URL}/selftest")[:2] == (200, "oa-dst")
    assert not lost(estate, oa.log, OA_URL, oa.run_id)
    assert len(acknowledged(oa.log)) > 20
    say(f"done-when: {len(acknowledged(oa.log))} acknowledged writes, none lost; downtime {downtime_s(oa.system):.0f} s by the "
        f"run, {longest_gap_s(oa.log):.0f} s for the users")  # fmt: skip
    with estate.writing(OA_URL, oa.log):
        estate.govcloud("run", "rollback", oa.run_id, OA, "--reason", "业务要求退回")
        time.sleep(2)
    assert estate.get(f"{OA_URL}/selftest")[:2] == (200, "oa-src")
    assert not lost(estate, oa.log, OA_URL, oa.run_id)
    assert source_digest(estate, "oa-src", "uploads") == oa.files_before


def test_a_failed_verification_brings_the_old_site_back(
    estate: Estate, moved: dict[str, Moved], say: Callable[[str], None]
) -> None:
    mail = moved[MAIL]
    _, attempts = look(estate, mail.run_id)
    (failed,) = [a for a in attempts if a["status"] == "failed"]
    assert failed["step"] == "verify_service" and "selftest" in failed["reasons"][0]
    assert estate.get(f"{MAIL_URL}/selftest")[:2] == (200, "my-src")
    assert not lost(estate, mail.log, MAIL_URL, mail.run_id)
    assert source_digest(estate, "my-src", "uploads", "archive") == mail.files_before
    say(f"done-when: rolled back after a failed verification, {len(acknowledged(mail.log))} acknowledged writes, none lost; "
        f"out of service for {downtime_s(mail.system):.0f} s")  # fmt: skip


def test_killed_ten_times_and_still_right(estate: Estate, tmp_path: Path, say: Callable[[str], None]) -> None:
    log = tmp_path / "acknowledged"
    seed = os.environ.get("GOVCLOUD_KILL_SEED") or str(random.SystemRandom().randrange(10**6))
    say(f"done-when: GOVCLOUD_KILL_SEED={seed}")
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    with estate.writing(OA_URL, log):
        run_id = start(estate, OA)
        system = carry(estate, run_id, until="trial", kills=(dice.uniform(3, 9) for _ in range(KILLS)))
        time.sleep(2)
    _, attempts = look(estate, run_id)
    orders = estate.ask("run", "status", run_id).get("orders", {"rows": []})["rows"]
    allowed = sum(o.get("kind") == "rerun" and o.get("step") == "cutover" for o in orders)
    assert sum((a["step"], a["phase"]) == ("cutover", "apply") for a in attempts) <= 1 + allowed
    assert estate.get(f"{OA_URL}/selftest")[:2] == (200, "oa-dst")
    assert not lost(estate, log, OA_URL, run_id)
    unclear = sum(a["status"] == "unknown" for a in attempts)
    say(f"done-when: {KILLS} kills, {unclear} attempts of unknown outcome, {len(acknowledged(log))} acknowledged writes, none "
        f"lost; downtime {downtime_s(system):.0f} s")  # fmt: skip
    estate.govcloud("audit", "verify")
