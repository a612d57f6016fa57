"""The README's first command, from end to end, as a user sees it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.demo, pytest.mark.timeout(900)]
TOOL = [sys.executable, "-m", "govcloud"]
ROOT = Path(__file__).parents[2]


def demo(folder: Path, *options: str, lang: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GOVCLOUD_LANG": lang, "NO_COLOR": "1"}
    argv = [*TOOL, "demo", str(folder), *options]
    return subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=800, cwd=folder.parent)


def test_the_whole_road_in_chinese_with_a_killed_controller(tmp_path: Path) -> None:
    """Everything the README promises about `make demo`: if this fails, a newcomer sees a broken tool."""
    # -o: setting up is not tried out here, and would take the environment from under the other tests.
    argv = ["make", "-C", ROOT, "-o", ".venv/.ready", "demo", f"DEMO_DIR={tmp_path / 'estate'}"]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=800, env={**os.environ, "GOVCLOUD_LANG": "zh", "NO_COLOR": "1"}
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = done.stdout
    for promised in (
        "10.66.1.300", "六级",  # the faulty cells, by what was read
        "bak-77", "CentOS", "172.30.5.0/24",  # undeclared, conflict, dedicated network
        "SX19-35a", "SX19-12b", "SX19-18", "SX17-2.3",  # clauses
        "已证明最优", "下界",  # the plan's status and bound
        "kill -9", "已完成", "已回退", "源系统恢复服务",  # crash, migrated, rolled back
        "资料移交", "已接收", "旧钥已被拒绝", "双方已签字",  # takeover
        "核对通过", "核对不通过",  # the ledger and its tampered copy
        "消除 1 个，尚有",  # the migrated system is no longer found outside of the cloud
        "report.zh.html",
    ):  # fmt: skip
        assert promised in said, promised
    assert "Traceback" not in said + done.stderr
    _workspace_goes_on(tmp_path / "estate")


def _workspace_goes_on(folder: Path) -> None:
    """Without its hosts the workspace still answers, and what it recorded adds up."""
    verified = subprocess.run([*TOOL, "audit", "verify"], cwd=folder, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout
    asked = subprocess.run(
        [*TOOL, "--format", "json", "run", "status", "--all"], cwd=folder, capture_output=True, text=True
    )
    assert len(json.loads(asked.stdout)["runs"]["rows"]) == 2
    system = subprocess.run([*TOOL, "inventory", "show", "SL-OA-01"], cwd=folder, capture_output=True, text=True)
    assert "gov" in system.stdout and "handover/H-" in system.stdout
    checked = subprocess.run([*TOOL, "--format", "json", "check", "estate"], cwd=folder, capture_output=True, text=True)
    left = [f for f in json.loads(checked.stdout)["findings"]["rows"] if f["subject_id"] == "SL-OA-01"]
    assert {f["state"] for f in left} == {"resolved"}, "migrated and taken over, the system breaks no clause any more"


def test_the_road_without_name_spaces_in_english_at_another_site(tmp_path: Path) -> None:
    """Where the kernel forbids user namespaces the demo says what is missing and still migrates for real."""
    done = demo(tmp_path / "county", "--loopback", "--no-crash", "--site", "jiaocheng", lang="en")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for promised in ("127.0.0.1", "JC22-", "done", "rolled back", "report.en.html"):
        assert promised in done.stdout, promised


@pytest.mark.parametrize("station", ["discover ssh", "run resume"])
def test_ctrl_c_ends_the_hosts_and_keeps_the_workspace(tmp_path: Path, station: str) -> None:
    """A user who stops the demo must not be left with processes, a traceback or a lost workspace."""
    folder = tmp_path / "stopped"
    process = subprocess.Popen(
        [*TOOL, "demo", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "GOVCLOUD_LANG": "en"},
    )  # fmt: skip
    assert process.stdout and process.stderr
    for line in process.stdout:
        if re.match(rf"\$ govcloud .*{station}", line):
            break
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 130 and "Traceback" not in errors
    verified = subprocess.run([*TOOL, "audit", "verify"], cwd=folder, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    for _ in range(100):
        left = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True).stdout
        if not left:
            break
        time.sleep(0.2)
    assert not left, "processes of the demo are still there"


def test_a_folder_in_use_and_an_unknown_site_are_refused(tmp_path: Path) -> None:
    """The demo writes only where nothing is."""
    used = tmp_path / "used"
    used.mkdir()
    (used / "mine.txt").write_text("mine")
    refused = demo(used, lang="en")
    assert refused.returncode == 2 and "not empty" in refused.stderr
    assert [p.name for p in used.iterdir()] == ["mine.txt"]
    assert demo(tmp_path / "x", "--site", "mars", lang="en").returncode == 2
    assert not (tmp_path / "x").exists()
