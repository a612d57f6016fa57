"""`govcloud worker` as a program. A user would miss: a service that stops in order, and a list that says who is at work."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from govcloud.cli.main import run
from govcloud.workflow.init import init_workspace


@pytest.fixture
def place(tmp_path: Path) -> Path:
    init_workspace(tmp_path / "w", "shanxi", actor="zhang")
    hosts = "hosts: [{name: old-01, address: 10.9.0.1, zone: 部门网}, {name: new-01, address: 10.9.0.2}]\n"
    (tmp_path / "w" / "hosts.yaml").write_text(hosts, "utf-8")
    return tmp_path / "w"


def test_a_zone_that_no_host_is_in_is_refused_with_those_there_are(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(place), "--lang", "zh", "worker", "--zone", "部门往"]) == 2
    said = capsys.readouterr().err
    assert "部门往" in said and "可用的网络区：部门网" in said


def test_a_worker_is_listed_while_it_works_and_leaves_in_order(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [
        sys.executable,
        "-m",
        "govcloud",
        "-w",
        str(place),
        "--lang",
        "en",
        "worker",
        "--zone",
        "部门网",
        "--name",
        "w1",
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as worker:
        try:
            row: dict[str, object] = {}
            deadline = time.monotonic() + 60
            while row.get("state") != "alive":
                assert time.monotonic() < deadline and worker.poll() is None
                time.sleep(0.2)
                assert run(["-w", str(place), "--format", "json", "worker", "--list"]) == 0
                rows = json.loads(capsys.readouterr().out)["workers"]["rows"]
                row = rows[0] if rows else {}
            assert (row["pid"], row["zones"]) == (worker.pid, ["部门网"])
            worker.send_signal(signal.SIGTERM)
            out, err = worker.communicate(timeout=60)
        finally:
            worker.kill()
    assert (worker.returncode, err) == (0, "")
    assert out.splitlines()[0] == "Starting, zones: 部门网. Stop it with Ctrl-C" and "Stopped." in out
    assert run(["-w", str(place), "--lang", "zh", "worker", "--list"]) == 0
    assert "已退出" in capsys.readouterr().out
