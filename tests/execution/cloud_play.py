"""Runs the playbooks of the step `provision` as a run does: the same variables, the same environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

import msgspec

from govcloud.execution.drivers import credential_files
from govcloud.model.migration import MigrationSpec
from govcloud.model.resource import Resource

REPOSITORY = Path(__file__).parents[2]
RUN = "20260307-1"
Phase = Literal["apply", "verify", "rollback"]


def play_provision(
    workspace: Path, spec: MigrationSpec, phase: Phase, known: tuple[Resource, ...] = (), *,
    evidence: Path | None = None, ssh_config: Path = Path("/dev/null"),
) -> tuple[int, dict[str, Any]]:  # fmt: skip
    """playbooks/provision/<phase>.yml: exit code, and what all tasks reported together."""
    private = Path(tempfile.mkdtemp(prefix="private-", dir=workspace))
    folders = {"evidence": evidence or private / "data", "work": workspace / "work" / spec.system_id}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    system = {
        "system_id": spec.system_id,
        "run_id": RUN,
        "attempt": 1,
        "token": 1,
        "rerun": False,
        "phase": phase,
        "zone": "云",
    }
    variables = {
        "spec": msgspec.to_builtins(spec), "resources": msgspec.to_builtins(known), "system": system,
        "workspace": str(workspace), "ssh_config": str(ssh_config), **{k: str(v) for k, v in folders.items()},
    }  # fmt: skip
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    groups = {"systems": {"hosts": {spec.system_id: variables}}, "ungrouped": {"hosts": {"govcloud": local}}}
    inventory = private / "hosts.json"
    inventory.write_text(json.dumps({"all": {"children": groups}}), "utf-8")
    env = {
        "PATH": os.environ["PATH"], "HOME": str(private), "LANG": "C.UTF-8", "ANSIBLE_STDOUT_CALLBACK": "minimal",
        "ANSIBLE_LIBRARY": str(REPOSITORY / "playbooks/library"), "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_REMOTE_TMP": str(private / "tmp"),  # the account's home need not exist
        **credential_files(os.environ, private),
    }  # fmt: skip
    playbook = str(REPOSITORY / f"playbooks/provision/{phase}.yml")
    program = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), playbook]
    done = subprocess.run(program, env=env, capture_output=True, text=True, timeout=280, check=False)
    told: dict[str, Any] = {"gov": {}, "changed": False, "problems": [], "output": done.stdout + done.stderr}
    for part in done.stdout.split(" => ")[1:]:
        report = json.JSONDecoder().raw_decode(part)[0]
        told["gov"].update(report.get("gov", {}))
        told["changed"] = told["changed"] or report["changed"]
        told["problems"] += report.get("problems", [])
    return done.returncode, told
