"""`govcloud discover openstack|ec2|ansible`, typed as an engineer does: what a cloud no longer has leaves the inventory,
what could not be read leaves nothing behind, and passwords reach neither the database nor the screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from govcloud.cli.main import run
from govcloud.discovery.cloud_openstack import build_openstack_statements
from govcloud.settings import open_workspace
from govcloud.workflow.init import init_workspace
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import open_session
from govcloud.workflow.statements import store_statements

AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
CASES = Path(__file__).parents[1] / "cases" / "clouds"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return init_workspace(tmp_path / "w", "shanxi", actor="张示例").path


def ask(capsys: pytest.CaptureFixture[str], workspace: Path, *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["-w", str(workspace), "--lang", "en", "--format", "json", *words])
    return code, json.loads(capsys.readouterr().out)


def servers(capsys: pytest.CaptureFixture[str], workspace: Path) -> set[str]:
    return {row["name"] for row in ask(capsys, workspace, "inventory", "servers")[1]["servers"]["rows"]}


def test_an_ansible_inventory_is_taken_once_and_followed(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = tmp_path / "hosts.ini"
    hosts.write_text("[oa]\nweb[1:2] ansible_host=10.1.0.5\nold ansible_host=10.1.0.9\n", "utf-8")
    words = ("discover", "ansible", str(hosts), "--department", "示例局")
    code, found = ask(capsys, workspace, *words)
    assert code == 0 and found["ansible_hosts"]["added"] >= 2
    assert {row["name"]: row["groups"] for row in found["ansible_hosts"]["rows"]}["web1"] == ["oa"]
    code, found = ask(capsys, workspace, *words)
    assert [found["ansible_hosts"][k] for k in ("added", "changed", "removed")] == [0, 0, 0]
    hosts.write_text("[oa]\nweb[1:2] ansible_host=10.1.0.5\n-oProxyCommand=x\n", "utf-8")
    code, found = ask(capsys, workspace, *words)
    assert code == 1 and found["ansible_hosts"]["removed"] == 1 and len(found["refused"]["rows"]) == 1
    assert "old" not in servers(capsys, workspace)


def test_one_bad_inventory_keeps_all_of_them_out(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good").write_text("web1 ansible_host=10.1.0.5\n", "utf-8")
    (tmp_path / "script").write_text("#!/bin/sh\ntouch CANARY\n", "utf-8")
    assert run(["-w", str(workspace), "discover", "ansible", str(tmp_path / "good"), str(tmp_path / "script")]) == 3
    assert "#!" not in capsys.readouterr().err
    assert not servers(capsys, workspace)


def test_tenants_of_a_real_cloud_stay_apart_in_the_inventory(workspace: Path) -> None:
    """Both departments' servers have 10.20.0.10, in networks of their own that have one prefix."""
    raw = json.loads((CASES / "openstack" / "admin.recorded.json").read_text("utf-8"))
    raw = {kind: found for kind, found in raw.items() if isinstance(found, list)}
    statements = build_openstack_statements(raw, cloud="示例云", observed_at=AT)
    with open_session(open_workspace(workspace), actor="张示例", now=lambda: AT) as session:
        store_statements(session, kind="import", source="openstack://x", statements=statements, body={})
        found = read_inventory(session)
    both = [s for s in found.servers if "10.20.0.10" in s.addresses]
    assert {s.name for s in both} == {"sl-oa-01", "sl-sm-01"}
    networks = {n.name: n.servers for n in found.networks}
    for server in both:
        assert networks[str(server.zone)] == (server.server_id,)
    (tenant,) = (t for t in found.tenants if t.name == "示例市财政局")
    assert tenant.vcpu_quota == 16 and tenant.memory_gib_quota == 32.0


def cloud_from_environment(url: str) -> dict[str, str]:
    return {
        "OS_AUTH_URL": url, "OS_USERNAME": "shili", "OS_PASSWORD": "shili-password", "OS_PROJECT_NAME": "shili",
        "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default", "HOME": "/nonexistent",
    }  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_cloud_that_is_down_is_said_in_plain_words(workspace: Path, lang: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "govcloud", "-w", str(workspace), "--lang", lang, "discover", "openstack"],
        env={**os.environ, **cloud_from_environment("http://127.0.0.1:9/v3")}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 4 and "127.0.0.1:9" in done.stderr
    assert "shili-password" not in done.stderr + done.stdout and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2, done.stderr


@pytest.mark.parametrize(("library", "verb"), [("openstack", "openstack"), ("boto3", "ec2")])
def test_without_the_extra_the_user_is_told_what_to_install(workspace: Path, library: str, verb: str) -> None:
    program = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from govcloud.cli.main import run\n"
        f"sys.exit(run(['-w', {str(workspace)!r}, '--lang', 'en', 'discover', {verb!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "govcloud[clouds]" in done.stderr and "Traceback" not in done.stderr
