"""Prepares the private folder of one playbook run: inventory with each system's variables, SSH with this workspace's host
keys only, configuration, environment. Imported text is data there: marked unsafe, and never a connection variable."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from govcloud.errors import InputError
from govcloud.execution import drivers, steps
from govcloud.execution.processes import MARK
from govcloud.execution.spec import CONTROLLER, host_names, made_here, zone_of
from govcloud.execution.spec_rules import is_address
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.attempt import Attempt
from govcloud.model.migration import STATE_DIR, MachineSpec, MigrationSpec
from govcloud.model.resource import Resource
from govcloud.model.step import Phase, Step
from govcloud.model.text import Text

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "SSH_AUTH_SOCK", "TZ")
_CONNECT_S = 10
_SESSIONS = 10
"""sshd's MaxSessions: more at a time on one host would each need a connection of their own, and MaxStartups drops those."""

HostKeys = Mapping[tuple[str, int], tuple[HostKey, ...]]


class NotTrusted(InputError):
    """A host that is needed has no approved key. `made`: it is one of the run's own new machines."""

    def __init__(self, hosts: Sequence[str], *, made: bool) -> None:
        super().__init__(
            Text("主机公钥尚未批准：{h}", "No approved host key: {h}").format(h=", ".join(hosts)),
            where="" if made else "hosts.yaml",
            # What to do about a machine that the run has made is said where it waits, with the fingerprint.
            next_step=None
            if made
            else Text(
                "核对并批准指纹后继续执行（govcloud discover trust）",
                "Check and approve the fingerprints, then resume the run (govcloud discover trust)",
            ),
        )
        self.made = made


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An attempt and the folder in which its evidence is kept."""

    attempt: Attempt
    folder: Path
    rerun: bool = False
    """A person allowed this repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One playbook to run. `folder` holds what `prepare` wrote."""

    folder: Path
    playbook: Path
    folders: Mapping[str, Path]
    """Host of the play (a system) -> where its evidence and result go. The judge expects each task once for each."""
    timeouts_s: Mapping[str, int]
    """The same hosts -> after so long it is ended."""
    idle_s: int = 900
    control: Path
    """Short folder for SSH's control sockets; made and removed by whoever runs the job."""
    stop: Path | None = None
    """The playbook that ends what is left running on the hosts."""


def verify_host_keys(
    spec: MigrationSpec, hosts: Mapping[str, HostAccess], keys: HostKeys, resources: Sequence[Resource] = ()
) -> list[str]:
    """Hosts of the spec and their bastions for which nobody has approved a key; targets not made yet are left out."""
    reached = with_made(spec, hosts, resources)
    names = [name for name in host_names(spec) if name in reached]
    names += [via for name in names if (via := reached[name].via)]
    return sorted({n for n in names if not keys.get((reached[n].key_host, reached[n].port))})


def with_made(
    spec: MigrationSpec, hosts: Mapping[str, HostAccess], resources: Sequence[Resource]
) -> dict[str, HostAccess]:
    """hosts.yaml and the targets that the run has made."""
    made = (drivers.reach(machine, resources) for machine in spec.machines)
    return {**hosts, **{host.name: host for host in made if host is not None}}


def prepare(
    folder: Path, step: Step, phase: Phase, places: Sequence[Place], specs: Mapping[str, MigrationSpec],
    hosts: Mapping[str, HostAccess], keys: HostKeys, resources: Mapping[str, Sequence[Resource]], *, workspace: Path,
) -> Job:  # fmt: skip
    """Write everything that a playbook needs for these attempts, all of the same step and phase.

    `specs`, `resources`: by system. `folder` is the playbook run's own, new and empty. Raises InputError for a host without
    an approved key; a probe or a way back goes on without that host instead.
    """
    known: dict[str, HostAccess] = {}
    variables: dict[str, dict[str, Any]] = {}
    busy: Counter[str] = Counter()
    for place in places:
        system_id = place.attempt.key.system_id
        spec, made = specs[system_id], tuple(resources.get(system_id, ()))
        if phase == "apply" and step.name != "provision":
            _demand_keys(spec, hosts, keys, made)
        reached = _absolute(with_made(spec, hosts, made), made_here(spec), workspace)
        names = [name for name in host_names(spec) if name in reached]
        busy.update(set(names))
        names += _measured_from(spec, hosts, keys)
        known |= {n: reached[n] for name in names for n in (name, reached[name].via) if n is not None}
        variables[system_id] = _variables(place, spec, made, reached) | {
            "ssh_config": str(folder / "private" / "ssh_config"), "workspace": str(workspace.absolute()),
        }  # fmt: skip
        for name in ("evidence", "work"):
            Path(variables[system_id][name]).mkdir(mode=0o700, parents=True, exist_ok=True)
    # Beyond ten sessions at a time a host that many systems share would drop connections.
    forks = min(len(places), 50) if max(busy.values(), default=0) <= _SESSIONS else _SESSIONS
    control = write_private(folder, list(known.values()), keys, {"systems": variables}, forks=forks)
    return Job(
        folder=folder, playbook=steps.playbook(step.name, phase), control=control, idle_s=step.idle_s,
        folders={place.attempt.key.system_id: place.folder for place in places},
        timeouts_s={system_id: specs[system_id].limits.deadline_min * 60 for system_id in variables},
        stop=stop_playbook(),
    )  # fmt: skip


def write_private(
    folder: Path, hosts: Sequence[HostAccess], keys: HostKeys, groups: Mapping[str, Mapping[str, Mapping[str, Any]]],
    *, forks: int = 5,
) -> Path:  # fmt: skip
    """The private folder for any playbook on these hosts; takeover uses it for its own. `groups`: group -> host -> its
    variables. The folder for the job's control sockets."""
    private = folder / "private"
    shutil.rmtree(private, ignore_errors=True)
    for name in ("inventory", "env", "home", "scratch"):
        (private / name).mkdir(mode=0o700, parents=True)
    private.chmod(0o700)
    # A socket's path has room for 107 bytes, with a name of 40 and a suffix of 17 in it.
    control = Path(tempfile.gettempdir()) / f"govcloud-{secrets.token_hex(8)}"
    _write(private / "known_hosts", _known_hosts(hosts, keys))
    _write(private / "ssh_config", _ssh_config(hosts, private, control))
    _write(private / "inventory" / "hosts.json", json.dumps(_inventory(hosts, groups), ensure_ascii=False))
    _write(private / "ansible.cfg", _ansible_cfg(private, forks))
    return control


def mark_unsafe(value: Any) -> Any:
    """Every string becomes data for Ansible: templates in imported text are shown and never run."""
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, dict):
        return {key: mark_unsafe(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [mark_unsafe(inner) for inner in value]
    return value


def environment(folder: Path, mark: str) -> dict[str, str]:
    """The whole environment of an attempt: a short list, since the runner copies all of it into its records."""
    private = folder / "private"
    passed = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    # ansible-playbook lies beside our own Python.
    passed["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), passed.get("PATH", os.defpath)))
    return {
        "LANG": "C.UTF-8", **passed, **drivers.credential_files(os.environ, Path.home()),
        "HOME": str(private / "home"),
        "TMPDIR": str(private / "scratch"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_CONFIG": str(private / "ansible.cfg"),
        "ANSIBLE_HOME": str(private / "home"),
        MARK: mark,
    }  # fmt: skip


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")


def _demand_keys(
    spec: MigrationSpec, hosts: Mapping[str, HostAccess], keys: HostKeys, made: Sequence[Resource]
) -> None:
    if unknown := verify_host_keys(spec, hosts, keys, made):
        raise NotTrusted(unknown, made=set(unknown) <= made_here(spec))


def _measured_from(spec: MigrationSpec, hosts: Mapping[str, HostAccess], keys: HostKeys) -> list[str]:
    """Hosts at the beginning of a flow: from there it is measured whether a network that moves is still reached."""
    if spec.network is None:
        return []
    sources = [ipaddress.ip_network(flow.split()[1]) for flow in spec.network.flows]
    return [
        name for name, host in sorted(hosts.items())
        if is_address(host.address) and keys.get((host.key_host, host.port))
        and any(ipaddress.ip_address(host.address) in source for source in sources)
    ]  # fmt: skip


def stop_playbook() -> Path:
    """Ends what an attempt left running on its hosts; beside our modules, since it is no step."""
    return steps.folder() / "library" / "stop.yml"


def _absolute(hosts: dict[str, HostAccess], made: frozenset[str], workspace: Path) -> dict[str, HostAccess]:
    """load_hosts has made the keys' paths absolute; those of provisioned machines come from the migration file."""
    for name in made & hosts.keys():
        if (key_file := hosts[name].key_file) is not None:
            hosts[name] = replace(hosts[name], key_file=str(workspace.absolute() / key_file))
    return hosts


def _variables(
    place: Place, spec: MigrationSpec, made: Sequence[Resource], hosts: Mapping[str, HostAccess]
) -> dict[str, Any]:
    key = place.attempt.key
    entrances: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for index, entrance in enumerate(spec.entrances):
        at = (entrance.host, entrance.state_dir)
        entrances.setdefault(at, []).append({"index": index, **msgspec.to_builtins(entrance)})
    system = {
        "system_id": key.system_id, "run_id": key.run_id, "attempt": key.number, "token": place.attempt.token,
        "rerun": place.rerun, "phase": key.phase,
        "zone": zone_of(spec, hosts),
    }  # fmt: skip
    worked_on = {
        (host, state_dir)
        for machine in spec.machines
        for host, state_dir in ((machine.source, machine.state_dir), (machine.target, machine.state_dir))
    } | {*entrances, *([(spec.network.router, spec.network.state_dir)] if spec.network else [])}
    return {
        "system": system,
        "spec": msgspec.to_builtins(spec) | {
            # Which host has an address of the network that moves; nothing of how it is reached.
            "hosts": {name: {"address": host.address, "zone": host.zone} for name, host in sorted(hosts.items())}
        },
        "source": [_item(spec, machine, "source", hosts) for machine in spec.machines],
        "target": [_item(spec, machine, "target", hosts) for machine in spec.machines],
        "entrance": [
            {"host": host, "state_dir": state, "entrances": listed} for (host, state), listed in sorted(entrances.items())
        ] or [{"host": CONTROLLER, "state_dir": STATE_DIR, "entrances": []}],
        # Each host once for each folder in which our modules note their processes.
        "ends": [{"host": host, "state_dir": state} for host, state in sorted(worked_on) if host in hosts]
        or [{"host": CONTROLLER, "state_dir": STATE_DIR}],
        "resources": msgspec.to_builtins(made),
        "evidence": str(place.folder / "data"),
        # <run>/<system>/<step>/<phase>/<number> -> <run>/<system>/_work: what a broken-off attempt can go on from.
        "work": str(place.folder.parents[2] / "_work"),
    }  # fmt: skip


def _item(spec: MigrationSpec, machine: MachineSpec, side: str, hosts: Mapping[str, HostAccess]) -> dict[str, Any]:
    """What one end of a machine consists of. A target that is not made yet has nothing on it."""
    host = machine.source if side == "source" else machine.target
    exists = host in hosts

    def mine(components: Iterable[Any]) -> list[tuple[int, Any]]:
        return [(i, c) for i, c in enumerate(components) if exists and c.machine == machine.name]

    other = "target" if side == "source" else "source"
    return {
        "host": host if exists else CONTROLLER, "exists": exists, "machine": machine.name, "side": side,
        "state_dir": machine.state_dir, "marker": f"{machine.state_dir}/{spec.system_id}.json",
        "files": [{"index": i, "path": getattr(f, side), "other": getattr(f, other)} for i, f in mine(spec.files)],
        "databases": [
            {"index": i, "kind": d.kind, "method": d.method, **msgspec.to_builtins(getattr(d, side))}
            for i, d in mine(spec.databases)
        ],
        "services": [
            {"index": i, **msgspec.to_builtins(getattr(s, side)), "carry": list(s.carry), "tls": list(s.tls)}
            for i, s in mine(spec.services)
        ],
    }  # fmt: skip


def _inventory(hosts: Sequence[HostAccess], groups: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    # How a host is reached is in ssh_config; the only connection variables are these two of our own machine.
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    named: dict[str, Any] = {host.name: {} for host in hosts} | {CONTROLLER: local}
    children = {
        group: {"hosts": {name: mark_unsafe(dict(given)) for name, given in members.items()}}
        for group, members in groups.items()
    }
    return {"all": {"hosts": named, "children": children}}


def _known_hosts(hosts: Sequence[HostAccess], keys: HostKeys) -> str:
    # By our own names: behind two bastions one address may be two machines.
    return "".join(
        f"{host.name} {key.key_type} {key.key_base64}\n"
        for host in hosts
        for key in keys.get((host.key_host, host.port), ())
    )


def _ssh_config(hosts: Sequence[HostAccess], private: Path, control: Path) -> str:
    lines = []
    for host in hosts:
        lines += [
            f"Host {host.name}", f"  HostName {host.address}", f"  Port {host.port}", f"  User {host.user}",
            f"  HostKeyAlias {host.name}",
        ]  # fmt: skip
        if host.via is not None:
            lines += [f"  ProxyJump {host.via}"]
        if host.key_file is not None:
            lines += [f'  IdentityFile "{host.key_file}"', "  IdentitiesOnly yes"]
    lines += [
        "Host *", "  BatchMode yes", "  StrictHostKeyChecking yes", f'  UserKnownHostsFile "{private / "known_hosts"}"',
        "  GlobalKnownHostsFile /dev/null", "  UpdateHostKeys no", f"  ConnectTimeout {_CONNECT_S}",
        "  ServerAliveInterval 15", "  ServerAliveCountMax 4", "  ForwardAgent no", "  ForwardX11 no", "  LogLevel ERROR",
        # With AES in the processor GCM is several times as fast as the default.
        "  Ciphers aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr",
        "  ControlMaster auto", f'  ControlPath "{control}/%C"', "  ControlPersist 120",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _ansible_cfg(private: Path, forks: int) -> str:
    # $HOME, not ~: Ansible asks the password file for ~, and there a user may have no home or another one.
    base = steps.folder()
    escaped = str(private).replace("%", "%%")
    return f"""[defaults]
library = {base / "library"}
module_utils = {base / "library" / "module_utils"}
collections_path = {escaped}/home
local_tmp = {escaped}/scratch
remote_tmp = $HOME/.ansible/tmp
forks = {forks}
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
