"""Prepares an attempt's private folder: inventory, variables, configuration, SSH with this workspace's host keys only."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from govcloud.errors import InputError
from govcloud.execution import steps
from govcloud.execution.processes import MARK
from govcloud.execution.spec import CONTROLLER, host_names
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.run import MigrationSpec, StepName
from govcloud.model.text import Text

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "SSH_AUTH_SOCK", "TZ")
_CONNECT_S = 10

HostKeys = Mapping[tuple[str, int], tuple[HostKey, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One playbook to run. `folder` holds what `prepare` wrote."""

    folder: Path
    playbook: Path
    groups: Mapping[str, tuple[str, ...]]
    """Group -> hosts, the same as in the inventory: what the judge expects."""
    timeout_s: int


def verify_host_keys(spec: MigrationSpec, hosts: Mapping[str, HostAccess], keys: HostKeys) -> list[str]:
    """Hosts of the spec for which nobody has approved a key."""
    return [n for n in host_names(spec) if not keys.get((hosts[n].address, hosts[n].port))]


def prepare(
    folder: Path, step: StepName, spec: MigrationSpec, hosts: Mapping[str, HostAccess], keys: HostKeys,
    variables: Mapping[str, Any], timeout_s: int,
) -> Job:  # fmt: skip
    """Write everything that the playbook needs. Raises InputError for a host without an approved key."""
    names = host_names(spec)
    if unknown := verify_host_keys(spec, hosts, keys):
        raise InputError(
            Text("主机公钥尚未批准：{h}", "No approved host key: {h}").format(h=", ".join(unknown)),
            where="hosts.yaml",
            next_step=Text(
                "先用 govcloud discover ssh 核对并批准指纹",
                "Check and approve the fingerprints with govcloud discover ssh first",
            ),
        )
    private = folder / "private"
    groups = {
        "source": (spec.source.host,), "target": (spec.target.host,), "entry": (spec.entry.host,),
        "controller": (CONTROLLER,),
    }  # fmt: skip
    given = {
        "spec": msgspec.to_builtins(spec),
        "marker": f"{spec.target.state_dir}/{spec.system_id}.json",
        "evidence": str(folder / "data"),
        "ssh_config": str(private / "ssh_config"),
        **variables,
    }
    write_private(folder, [hosts[n] for n in names], keys, groups, given)
    (folder / "data").mkdir(mode=0o700, exist_ok=True)
    return Job(folder=folder, playbook=steps.folder() / step / steps.PLAYBOOK, groups=groups, timeout_s=timeout_s)


def write_private(
    folder: Path, hosts: list[HostAccess], keys: HostKeys, groups: Mapping[str, tuple[str, ...]],
    variables: Mapping[str, Any],
) -> None:  # fmt: skip
    """The runner's private folder for any playbook on these hosts; takeover uses it for its own. Keys must be approved."""
    private = folder / "private"
    shutil.rmtree(private, ignore_errors=True)
    for name in ("inventory", "env", "home", "scratch"):
        (private / name).mkdir(mode=0o700, parents=True)
    (private / "known_hosts").write_text(_known_hosts(hosts, keys), "utf-8")
    (private / "ssh_config").write_text(_ssh_config(hosts, private), "utf-8")
    (private / "inventory" / "hosts.json").write_text(json.dumps(_inventory(groups)), "utf-8")
    (private / "ansible.cfg").write_text(_ansible_cfg(private), "utf-8")
    descriptor = os.open(private / "env" / "extravars", os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(mark_unsafe(variables), stream, ensure_ascii=True)


def mark_unsafe(value: Any) -> Any:
    """Every string as Ansible's `__ansible_unsafe`: shown literally, never a template (imported text is data)."""
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, Mapping):
        return {key: mark_unsafe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mark_unsafe(item) for item in value]
    return value


def environment(folder: Path, mark: str) -> dict[str, str]:
    """The whole environment of an attempt: a short list, since the runner copies all of it into its records."""
    private = folder / "private"
    passed = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    # ansible-playbook lies beside our own Python.
    passed["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), passed.get("PATH", os.defpath)))
    return {
        "LANG": "C.UTF-8", **passed,
        "HOME": str(private / "home"),
        "TMPDIR": str(private / "scratch"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_CONFIG": str(private / "ansible.cfg"),
        "ANSIBLE_HOME": str(private / "home"),
        MARK: mark,
    }  # fmt: skip


def _inventory(groups: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    # Connection settings are in ssh_config; imported text never reaches the inventory.
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    children = {
        name: {"hosts": {h: local if name == "controller" else {} for h in hosts}} for name, hosts in groups.items()
    }
    return {"all": {"children": children}}


def _known_hosts(hosts: list[HostAccess], keys: HostKeys) -> str:
    lines = []
    for host in hosts:
        name = host.address if host.port == 22 else f"[{host.address}]:{host.port}"
        lines += [f"{name} {key.key_type} {key.key_base64}\n" for key in keys[(host.address, host.port)]]
    return "".join(lines)


def _ssh_config(hosts: list[HostAccess], private: Path) -> str:
    lines = []
    for host in hosts:
        lines += [f"Host {host.name}", f"  HostName {host.address}", f"  Port {host.port}", f"  User {host.user}"]
        if host.key_file is not None:
            lines += [f'  IdentityFile "{host.key_file}"', "  IdentitiesOnly yes"]
    lines += [
        "Host *", "  BatchMode yes", "  StrictHostKeyChecking yes", f'  UserKnownHostsFile "{private / "known_hosts"}"',
        "  GlobalKnownHostsFile /dev/null", "  UpdateHostKeys no", f"  ConnectTimeout {_CONNECT_S}",
        "  ServerAliveInterval 15", "  ServerAliveCountMax 4", "  ForwardAgent no", "  ForwardX11 no", "  LogLevel ERROR",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _ansible_cfg(private: Path) -> str:
    # $HOME, not ~: Ansible asks the password file for ~, and there a user may have no home or another one.
    base = steps.folder()
    escaped = str(private).replace("%", "%%")
    return f"""[defaults]
library = {base / "library"}
module_utils = {base / "library" / "module_utils"}
collections_path = {escaped}/home
local_tmp = {escaped}/scratch
remote_tmp = $HOME/.ansible/tmp
host_key_checking = True
gathering = explicit
interpreter_python = auto_silent
retry_files_enabled = False
localhost_warning = False
deprecation_warnings = False
nocows = True
timeout = {_CONNECT_S}
[ssh_connection]
ssh_args = -F "{escaped}/ssh_config"
pipelining = True
"""
