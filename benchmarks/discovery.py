"""Discovery of many hosts: ours against `ansible -m setup` (pipelining, ControlPersist, 50 forks) and pyinfra's facts.

The hosts are loopback addresses that real OpenSSH servers listen on, so they share this machine: wall time is mostly
what the hosts themselves spend. Runs take turns and the medians are compared. Each figure is of a whole process from
its start to its end, with every process that it started: interpreter, imports, connections, parsing.

    python benchmarks/discovery.py [--hosts 100] [--runs 3] [--pyinfra PATH] [--json]
"""

from __future__ import annotations

import argparse
import ctypes
import getpass
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
ADDRESSES_A_SERVER = 16
"""OpenSSH's MAX_LISTEN_SOCKS."""
LIMIT_SECONDS = 300
FORKS = 50

KINDS: Mapping[str, tuple[str, str, str]] = {
    # kind of fact in the issue: our field, Ansible's, pyinfra's; empty where the tool does not say it
    "operating system": ("os_name", "ansible_distribution", "server.LinuxDistribution"),
    "kernel": ("kernel", "ansible_kernel", "server.KernelVersion"),
    "architecture": ("arch", "ansible_architecture", "server.Arch"),
    "processor model": ("cpu_model", "ansible_processor", ""),
    "processors": ("cpu_count", "ansible_processor_vcpus", "hardware.Cpus"),
    "memory": ("memory_gib", "ansible_memtotal_mb", "hardware.Memory"),
    "block devices": ("disks", "ansible_devices", "hardware.BlockDevices"),
    "file systems": ("filesystems", "ansible_mounts", "server.Mounts"),
    "interfaces": ("interfaces", "ansible_interfaces", "hardware.NetworkDevices"),
    "addresses": ("addresses", "ansible_all_ipv4_addresses", "hardware.Ipv4Addrs"),
    "routes": ("routes", "", ""),
    "name servers": ("dns_servers", "ansible_dns", ""),
    "time servers": ("ntp_servers", "", ""),
    "listening sockets": ("sockets", "", ""),
    "connections": ("connections", "", ""),
    "running services": ("services", "", ""),
    "started units": ("units", "", "systemd.SystemdEnabled"),
    "scheduled jobs": ("scheduled", "", "crontab.Crontab"),
    "packages": ("packages", "", "deb.DebPackages"),
    "virtualisation": ("virtualisation", "ansible_virtualization_type", ""),
    "container engine": ("container_engine", "", ""),
    "load": ("load_15m", "ansible_loadavg", ""),
    "up since": ("booted_at", "ansible_uptime_seconds", ""),
    "accounts": ("login_users", "", "server.Users"),
}

OURS = """
import json, sys
from datetime import UTC, datetime
from govcloud.discovery.ssh import Asking, discover_hosts
from govcloud.model.access import HostAccess, HostKey
plan = json.load(open(sys.argv[1]))
hosts = [HostAccess(name=f"host-{n}", address=a, port=plan["port"], user=plan["user"], key_file=plan["key"])
         for n, a in enumerate(plan["addresses"])]
keys = {(h.key_host, h.port): [HostKey(host=h.address, port=h.port, key_type=plan["host_key"][0],
        key_base64=plan["host_key"][1], approved_by="bench")] for h in hosts}
found = list(discover_hosts(hosts, keys, now=lambda: datetime.now(UTC), asking=Asking()))
bad = [(r.host.name, r.status, r.reason and r.reason.en) for r in found if r.status != "ok"]
values = {k: v for s in found[0].statements for k, v in s.values.items()}
json.dump({"bad": bad, "facts": values}, open(sys.argv[2], "w"))
"""


@dataclass(frozen=True)
class Bed:
    folder: Path
    addresses: list[str]
    port: int
    user: str
    key: Path
    host_key: tuple[str, str]


@dataclass(frozen=True)
class Run:
    wall_ms: float
    """A host."""
    cpu_ms: float
    """Of the client, a host."""
    facts: Mapping[str, object]


def become_reaper() -> None:
    """Orphans become our children (prctl(2), PR_SET_CHILD_SUBREAPER): ControlPersist's ssh can then be counted and ended."""
    if ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def measure(argv: list[str], environment: Mapping[str, str], output: Path) -> tuple[float, float, int]:
    """(wall seconds, processor seconds of it and all its descendants, exit code). Ends what it leaves behind, by pid."""
    before = children()
    start = time.monotonic()
    with output.open("wb") as sink:
        process = subprocess.Popen(
            argv, stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={**os.environ, **environment}
        )
        timer_end = start + LIMIT_SECONDS
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > timer_end:
                process.kill()
            time.sleep(0.005)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    cpu = usage.ru_utime + usage.ru_stime
    for left in children() - before - {process.pid}:
        os.kill(left, signal.SIGTERM)
        _, _, usage = os.wait4(left, 0)
        cpu += usage.ru_utime + usage.ru_stime
    return wall, cpu, process.returncode


@contextmanager
def hosts_up(count: int) -> Iterator[Bed]:
    """`count` loopback addresses behind OpenSSH servers with keys of their own; ended by pid, folder removed."""
    with tempfile.TemporaryDirectory(prefix="govcloud-bench-") as name:
        folder = Path(name)
        for key in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        shutil.copy(folder / "client.pub", folder / "authorized")
        # A home of their own: what this machine's account starts in its .bashrc is no part of any tool.
        home = folder / "home"
        home.mkdir()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        addresses = [f"127.77.{n // 250}.{n % 250 + 1}" for n in range(count)]
        servers = []
        try:
            for first in range(0, count, ADDRESSES_A_SERVER):
                config = folder / f"sshd-{first}"
                listen = "".join(f"ListenAddress {a}:{port}\n" for a in addresses[first : first + ADDRESSES_A_SERVER])
                config.write_text(
                    f"{listen}HostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nPidFile none\nStrictModes no\n"
                    "UsePAM no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nMaxStartups 1000\nUseDNS no\n"
                    f"SetEnv HOME={home}\n"
                )
                servers.append(
                    subprocess.Popen(
                        [str(SSHD), "-D", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                    )
                )
            for address in addresses:
                wait_for(address, port)
            words = (folder / "host.pub").read_text().split()
            yield Bed(folder, addresses, port, getpass.getuser(), folder / "client", (words[0], words[1]))
        finally:
            for server in servers:
                server.terminate()
            for server in servers:
                server.wait(10)


def wait_for(address: str, port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"sshd does not answer on {address}:{port}")


def run_ours(bed: Bed, number: int) -> Run:
    plan, answer = bed.folder / "plan.json", bed.folder / "ours.json"
    plan.write_text(json.dumps({
        "addresses": bed.addresses, "port": bed.port, "user": bed.user, "key": str(bed.key), "host_key": bed.host_key,
    }))  # fmt: skip
    wall, cpu, code = measure([sys.executable, "-c", OURS, str(plan), str(answer)], {}, bed.folder / "ours.log")
    if code:
        raise SystemExit((bed.folder / "ours.log").read_text())
    said = json.loads(answer.read_text())
    if said["bad"]:
        raise SystemExit(f"not all hosts answered: {said['bad'][:3]}")
    return per_host(bed, wall, cpu, said["facts"])


def run_ansible(bed: Bed, number: int) -> Run:
    known, inventory = bed.folder / "known_hosts", bed.folder / "inventory"
    known.write_text("".join(f"[{a}]:{bed.port} {' '.join(bed.host_key)}\n" for a in bed.addresses))
    inventory.write_text("".join(f"{a}\n" for a in bed.addresses))
    home = bed.folder / f"a{number}"
    home.mkdir()
    (home / "ansible.cfg").touch()
    environment = {
        "ANSIBLE_PIPELINING": "True", "ANSIBLE_FORKS": str(FORKS), "ANSIBLE_REMOTE_PORT": str(bed.port),
        "ANSIBLE_PRIVATE_KEY_FILE": str(bed.key), "ANSIBLE_REMOTE_USER": bed.user, "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_SSH_ARGS": f"-F none -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={known}",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(home), "ANSIBLE_LOCAL_TEMP": str(home / "tmp"), "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "True",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.oneline", "ANSIBLE_NOCOLOR": "1",
    }  # fmt: skip
    log = bed.folder / "ansible.log"
    program = Path(sys.executable).parent / "ansible"
    wall, cpu, code = measure([str(program), "all", "-i", str(inventory), "-m", "setup"], environment, log)
    lines = log.read_text(errors="replace").splitlines()
    good = [line.partition("=> ")[2] for line in lines if " | SUCCESS => " in line]
    if code or len(good) != len(bed.addresses):
        raise SystemExit(f"ansible: exit code {code}, {len(good)} hosts\n" + "\n".join(lines[:5])[:2000])
    return per_host(bed, wall, cpu, json.loads(good[0])["ansible_facts"])


def run_pyinfra(bed: Bed, number: int, program: str) -> Run:
    inventory = bed.folder / "pyinfra_hosts.py"
    inventory.write_text(
        f"hosts = [(a, {{'ssh_port': {bed.port}, 'ssh_user': {bed.user!r}, 'ssh_key': {str(bed.key)!r}, "
        f"'ssh_known_hosts_file': {str(bed.folder / 'known_hosts')!r}}}) for a in {bed.addresses!r}]\n"
    )
    facts = [names[2] for names in KINDS.values() if names[2]]
    log = bed.folder / "pyinfra.log"
    wall, cpu, code = measure(
        [program, "--parallel", str(FORKS), "-y", str(inventory), "fact", *facts], {"HOME": str(bed.folder)}, log
    )
    text = log.read_text(errors="replace")
    if code:
        raise SystemExit(f"pyinfra: exit code {code}\n{text[-2000:]}")
    return per_host(bed, wall, cpu, dict.fromkeys(facts, True))


def per_host(bed: Bed, wall: float, cpu: float, facts: Mapping[str, object]) -> Run:
    return Run(wall * 1000 / len(bed.addresses), cpu * 1000 / len(bed.addresses), facts)


def kinds(runs: list[Run], tool: int) -> int:
    """How many kinds of fact the tool said something of; an empty list is an answer, too."""
    return sum(1 for names in KINDS.values() if names[tool] and names[tool] in runs[0].facts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pyinfra", help="the pyinfra program of an environment of its own")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    if SSHD is None:
        raise SystemExit("openssh-server is not installed")
    become_reaper()
    pyinfra = options.pyinfra or shutil.which("pyinfra")
    tools: dict[str, Callable[[Bed, int], Run]] = {"govcloud": run_ours, "ansible": run_ansible}
    if pyinfra:
        tools["pyinfra"] = lambda bed, number: run_pyinfra(bed, number, pyinfra)
    results: dict[str, list[Run]] = {name: [] for name in tools}
    with hosts_up(options.hosts) as bed:
        for number in range(options.runs):
            for name, run in tools.items():
                results[name].append(run(bed, number))
                last = results[name][-1]
                print(
                    f"run {number + 1} {name:9} wall {last.wall_ms:6.1f} ms, client CPU {last.cpu_ms:6.1f} ms a host",
                    flush=True,
                )
    wall = {name: statistics.median(r.wall_ms for r in runs) for name, runs in results.items()}
    cpu = {name: statistics.median(r.cpu_ms for r in runs) for name, runs in results.items()}
    said = {name: kinds(runs, n) for n, (name, runs) in enumerate(results.items())}
    for name in results:
        print(
            f"{name:9} median wall {wall[name]:6.1f} ms, client CPU {cpu[name]:6.1f} ms a host; {said[name]} of {len(KINDS)} kinds of fact"
        )
    answer: dict[str, object] = {
        "hosts": options.hosts, "runs": options.runs,
        "wall_ms_per_host": {k: round(v, 1) for k, v in wall.items()},
        "client_cpu_ms_per_host": {k: round(v, 1) for k, v in cpu.items()},
        "wall_ratio_vs_ansible": round(wall["ansible"] / wall["govcloud"], 2),
        "client_cpu_ratio_vs_ansible": round(cpu["ansible"] / cpu["govcloud"], 2),
        "wall_ratio_vs_pyinfra": round(wall["pyinfra"] / wall["govcloud"], 2) if pyinfra else "not measured",
        "client_cpu_ratio_vs_pyinfra": round(cpu["pyinfra"] / cpu["govcloud"], 2) if pyinfra else "not measured",
        "kinds_of_fact": {**said, "of": len(KINDS)},
    }  # fmt: skip
    print(f"wall {answer['wall_ratio_vs_ansible']} x, client CPU {answer['client_cpu_ratio_vs_ansible']} x better than ansible -m setup; "
          f"wall against pyinfra: {answer['wall_ratio_vs_pyinfra']}")  # fmt: skip
    if options.json:
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
