"""The inventory as Ansible's own: read by the real `ansible-inventory` and `ansible`, through plugin, script and file.

Without it every office keeps a second list of hosts; done carelessly, the name of a system in a workbook runs commands
on the engineer's machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from govcloud import resources
from govcloud.cli.main import run
from govcloud.errors import UsageError
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.plan import MigrationPlan, Move, Wave
from govcloud.model.plan_problem import ChangeWindow, PlanProblem
from govcloud.settings import open_workspace
from govcloud.store import plan as plan_store
from govcloud.workflow.ansible_source import build_ansible_inventory, list_for_ansible
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.statements import store_statements

AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
BIN = Path(sys.executable).parent


def say(kind: SubjectKind, subject_id: str, **values: Value) -> Statement:
    return Statement(
        subject_kind=kind, subject_id=subject_id, source="workbook", place="示例.xlsx!", observed_at=AT, values=values
    )


def plan_of(system_id: str) -> MigrationPlan:
    window = ChangeWindow(window_id="w1", starts_at=AT, ends_at=AT + timedelta(hours=4), opens_on=date(2026, 3, 7))
    move = Move(
        system_id=system_id, group_id="g", crew="一组", starts_at=AT, cutover_ends_at=AT + timedelta(hours=1),
        ends_at=AT + timedelta(hours=2),
    )  # fmt: skip
    return MigrationPlan(
        plan_id="P-1", created_at=AT, problem=PlanProblem(starts_on=date(2026, 3, 1), weeks=4, timezone="Asia/Shanghai"),
        waves=(Wave(number=1, window=window, moves=(move,)),), status="optimal", plan_hash="0" * 64,
    )  # fmt: skip


def fill(session: Session, name: str) -> None:
    found = [
        say("server", "V-0000000001", name=name, addresses=("10.1.0.5", "203.0.113.5"), os_name="CentOS Linux",
            os_version="7.9", department="示例局", zone="政务外网", memory_gib=16.0),
        say("server", "V-0000000002", name="DB-A", addresses=("10.1.0.6",), department="示例局", zone="dmz"),
        say("server", "V-0000000003", name="all", addresses=("10.1.0.7",), os_name="麒麟", os_version="V10"),
        say("server", "V-0000000004", name="lost.example.gov.cn", department="示例局"),
        say("system", "SL-OA-01", name=name, department="示例局", servers=("V-0000000001", "V-0000000002")),
    ]  # fmt: skip
    store_statements(session, kind="import", source="示例.xlsx", statements=found, body={})
    with session.store.begin() as tx:
        plan_store.add_plan(tx, plan_of("SL-OA-01"))


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    return f"{{{{ lookup('pipe', 'touch {tmp_path}/CANARY') }}}}"


@pytest.fixture
def workspace(tmp_path: Path, hostile: str) -> Path:
    path = init_workspace(tmp_path / "w", "shanxi", actor="张示例").path
    with open_session(open_workspace(path), actor="张示例", now=lambda: AT) as session:
        fill(session, hostile)
    (path / "hosts.yaml").write_text("hosts:\n- {name: db-a, address: 10.1.0.6, port: 2022, user: ops}\n", "utf-8")
    return path


def ansible(tmp_path: Path, *argv: str) -> str:
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path), "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CONFIG": str(tmp_path / "none.cfg"), "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_INVENTORY_PLUGINS": str(resources.folder("playbooks") / "plugins" / "inventory"),
    }  # fmt: skip
    done = subprocess.run(
        [str(BIN / argv[0]), *argv[1:]], env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_groups_and_hosts(workspace: Path) -> None:
    with open_session(open_workspace(workspace), actor="张示例") as session:
        listing = list_for_ansible(session)
        whole = build_ansible_inventory(session)
    # A name that Ansible may not have, or that means something to it, gives way to the id.
    assert list(listing.hosts) == ["db-a", "v-0000000001", "v-0000000003"]
    assert listing.left_out == ("lost.example.gov.cn",)
    by_kind = {listing.meanings[g]: hosts for g, hosts in listing.groups.items()}
    oa = ("db-a", "v-0000000001")
    assert listing.groups["system_sl_oa_01"] == listing.groups["wave_1"] == oa
    assert listing.groups["os_centos_7"] == ("v-0000000001",) and listing.groups["os_kylin_10"] == ("v-0000000003",)
    assert by_kind["department", "示例局"] == oa and by_kind["zone", "政务外网"] == ("v-0000000001",)
    assert listing.groups["zone_dmz"] == ("db-a",)
    assert all(g.isascii() and g.replace("_", "").isalnum() for g in listing.groups)
    db = listing.hosts["db-a"]
    assert [db[f"ansible_{k}"] for k in ("host", "port", "user")] == ["10.1.0.6", 2022, "ops"]
    own = listing.hosts["v-0000000001"]
    assert own["ansible_host"] == "10.1.0.5" and "ansible_user" not in own and own["govcloud_waves"] == [1]
    for variables in listing.hosts.values():
        reach = {k for k in variables if not k.startswith("govcloud_")}
        assert reach <= {"ansible_host", "ansible_port", "ansible_user"}
    assert json.loads(json.dumps(whole))["all"]["hosts"] == list(listing.hosts)


def test_systems_whose_ids_look_alike_keep_their_own_groups(tmp_path: Path) -> None:
    path = init_workspace(tmp_path / "w", "shanxi", actor="张示例").path
    found = [
        say("server", "V-1", name="a1", addresses=("10.1.0.1",)), say("server", "V-2", name="a2", addresses=("10.1.0.2",)),
        say("system", "A-1", name="甲", servers=("V-1",)), say("system", "A.1", name="乙", servers=("V-2",)),
    ]  # fmt: skip
    with open_session(open_workspace(path), actor="张示例") as session:
        store_statements(session, kind="import", source="x", statements=found, body={})
        listing = list_for_ansible(session)
    groups = {meaning: hosts for g, hosts in listing.groups.items() for k, meaning in [listing.meanings[g]]}
    assert groups == {"甲": ("a1",), "乙": ("a2",)} and len(listing.groups) == 2


@pytest.fixture
def sources(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Path]:
    """The three ways in which Ansible may have it."""
    plugin = tmp_path / "shili.govcloud.yml"
    plugin.write_text("plugin: govcloud\nworkspace: w\n", "utf-8")
    script = tmp_path / "shili.sh"
    script.write_text(f'#!/bin/sh\nexec {BIN}/govcloud -w {workspace} inventory ansible "$@"\n', "utf-8")
    script.chmod(0o755)
    file = tmp_path / "static.yml"
    assert run(["-w", str(workspace), "--lang", "zh", "inventory", "ansible", "-o", str(file)]) == 0
    said = capsys.readouterr().out
    assert "3 台主机" in said and "lost.example.gov.cn" in said
    return {"plugin": plugin, "script": script, "file": file}


@pytest.mark.parametrize("way", ["plugin", "script", "file"])
def test_ansible_reads_it_and_runs_nothing_of_it(
    way: str, sources: dict[str, Path], tmp_path: Path, hostile: str
) -> None:
    source = str(sources[way])
    if way == "plugin":
        found: dict[str, Any] = json.loads(ansible(tmp_path, "ansible-inventory", "-i", source, "--list"))
        assert set(found["wave_1"]["hosts"]) == {"db-a", "v-0000000001"}
        assert found["_meta"]["hostvars"]["v-0000000001"]["govcloud_name"] == {"__ansible_unsafe": hostile}
        assert found["_meta"]["hostvars"]["db-a"]["ansible_port"] == 2022
    message = json.dumps({"msg": "{{ govcloud_name }} {{ govcloud_systems[0] }} {{ ansible_host }}"})
    shown = ansible(tmp_path, "ansible", "-i", source, "os_centos_7", "-m", "debug", "-a", message)
    assert f"{hostile} {hostile} 10.1.0.5" in shown
    assert not (tmp_path / "CANARY").exists()


def test_one_host_and_what_the_groups_mean(workspace: Path, capsys: pytest.CaptureFixture[str], hostile: str) -> None:
    def ask(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        assert run(["-w", str(workspace), "--lang", "zh", "--format", "json", "inventory", "ansible", *words]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    assert ask("--host", "v-0000000001")["govcloud_name"] == {"__ansible_unsafe": hostile}
    rows = {row["group"]: row for row in ask("--groups")["ansible_groups"]["rows"]}
    assert rows["wave_1"] == {"group": "wave_1", "kind": "wave", "meaning": "2026-03-07", "hosts": 2}
    assert run(["-w", str(workspace), "inventory", "ansible", "--host", "nosuch"]) == UsageError.exit_code
    assert run(["-w", str(workspace), "inventory", "ansible", "--list", "--groups"]) == UsageError.exit_code
