"""The root lab: hosts with real sshd in network namespaces of this machine, two of them booted by systemd.

Networks: mgmt 10.77.0.0/24, dept 10.77.1.0/24, cloud 10.77.2.0/24, joined by `router`. The controller has only a network:
`bed.command(argv)` runs something there with the files of this machine. Nothing is added to the machine's own network, and
everything ends with the bed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bed_base import cache_folder, make_base

PROGRAMS = Path(__file__).parent / "programs"
BOOT_S = 60
ROUTER = {"mgmt": "10.77.0.1", "dept": "10.77.1.1", "cloud": "10.77.2.1"}
CONTROLLER, RESOLVER = "10.77.0.100", "10.77.0.53"
_PRIVATE = ("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private")


@dataclass(frozen=True)
class HostPlan:
    name: str
    network: str
    address: str
    systemd: bool = False
    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Path -> content and mode of what lies on the host before it starts."""


@dataclass
class Host:
    plan: HostPlan
    folder: Path
    namespace: str
    process: subprocess.Popen[bytes]
    inner: int = 0
    """Pid, as this machine sees it, of the host's process 1."""

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def address(self) -> str:
        return self.plan.address

    def run(self, *argv: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """A command on the host, past its sshd."""
        enter = ("nsenter", "-t", str(self.inner), "-m", "-u", "-i", "-n", "-p", "-r", "-w")
        done = subprocess.run(
            [*enter, *argv], capture_output=True, text=True, timeout=options.pop("timeout", 60), check=False, **options
        )
        assert not check or done.returncode == 0, f"{self.name}: {argv}\n{done.stdout}{done.stderr}"
        return done

    def is_alive(self) -> bool:
        return self.inner > 0 and Path(f"/proc/{self.inner}").exists()

    def read(self, path: str) -> str:
        return self.run("cat", path).stdout

    @property
    def log(self) -> str:
        return (self.folder / "console.log").read_text("utf-8", "replace")[-3000:]


class ServerBed:
    def __init__(self, folder: Path, base: Path) -> None:
        self.folder, self.base = folder, base
        self._mark = f"gcbed-{secrets.token_hex(3)}"
        self._switch, self._controller = f"{self._mark}-sw", f"{self._mark}-ctl"
        self._resolver = Path("/etc/netns") / self._controller
        self._namespaces: list[str] = []
        self._links = 0
        self.hosts: dict[str, Host] = {}
        self.key_file = folder / "id_ed25519"

    def start(self, plans: Sequence[HostPlan]) -> None:
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bed", "-f", str(self.key_file))
        self._namespace(self._switch)
        for network in ROUTER:
            _batch(self._switch, [f"link add br{network} type bridge", f"link set br{network} up"])
        self._namespace(self._controller)
        self._link(self._controller, "mgmt", CONTROLLER, "eth0")
        _batch(self._controller, [f"route add default via {ROUTER['mgmt']}"])
        # `ip netns exec` puts this file over /etc/resolv.conf for what it starts.
        self._resolver.mkdir(parents=True)
        (self._resolver / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
        for plan in (HostPlan("router", "mgmt", ROUTER["mgmt"]), *plans):
            self._start(plan)
        for host in self.hosts.values():
            self._await(host)

    def command(self, argv: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self._controller, *argv]

    def public_key(self, name: str) -> str:
        """`ssh-ed25519 AAAA…` of a host, as it was put there."""
        kind, text = (self.hosts[name].folder / "upper/etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2]
        return f"{kind} {text}"

    def stop(self) -> None:
        for host in self.hosts.values():
            host.process.kill()  # `unshare --fork` ignores SIGTERM; --kill-child ends the whole host with it
        for host in self.hosts.values():
            host.process.wait(30)
        deadline = time.monotonic() + 30
        while any(host.is_alive() for host in self.hosts.values()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for name in reversed(self._namespaces):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        shutil.rmtree(self._resolver, ignore_errors=True)

    def left(self) -> list[str]:
        """Names and processes of this bed that are still there."""
        names = _run("ip", "netns", "list").split()
        return [name for name in names if name.startswith(self._mark)] + [
            h.name for h in self.hosts.values() if h.is_alive()
        ]

    def _start(self, plan: HostPlan) -> None:
        namespace = f"{self._mark}-{plan.name}"
        self._namespace(namespace)
        if plan.name == "router":
            for number, (network, address) in enumerate(ROUTER.items()):
                self._link(namespace, network, address, f"eth{number}")
            _run("ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        else:
            self._link(namespace, plan.network, plan.address, "eth0")
            _batch(namespace, [f"route add default via {ROUTER[plan.network]}"])
        folder = self.folder / plan.name
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        self._seed(plan, folder / "upper")
        with (folder / "console.log").open("wb") as log:
            process = subprocess.Popen(
                self._argv(plan, namespace, folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
            )
        self.hosts[plan.name] = Host(plan, folder, namespace, process)

    def _argv(self, plan: HostPlan, namespace: str, folder: Path) -> list[str]:
        if not plan.systemd:
            script = str(PROGRAMS / "host.sh")
            inside = ["/bin/sh", script, plan.name, str(folder), str(self.base)]
            return ["ip", "netns", "exec", namespace, *_PRIVATE, *inside]
        script = str(PROGRAMS / "systemd_host.sh")
        return [*_PRIVATE, "--mount-proc", "/bin/sh", script, plan.name, str(folder), str(self.base), namespace]

    def _seed(self, plan: HostPlan, upper: Path) -> None:
        names = "".join(f"{p.address} {p.name}\n" for p in (plan, *(h.plan for h in self.hosts.values())))
        basics = {
            "/etc/hostname": (plan.name + "\n", 0o644),
            "/etc/hosts": (f"127.0.0.1 localhost\n{names}", 0o644),
            "/etc/resolv.conf": ("", 0o644),
            "/root/.ssh/authorized_keys": (self.key_file.with_suffix(".pub").read_text(), 0o600),
            "/usr/sbin/policy-rc.d": ("#!/bin/sh\nexit 0\n", 0o755),
        }
        for path, (content, mode) in (basics | plan.files).items():
            file = upper / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, "utf-8")
            file.chmod(mode)
        (upper / "root").chmod(0o700)
        (upper / "root/.ssh").chmod(0o700)
        (upper / "etc/ssh").mkdir(parents=True, exist_ok=True)
        _run(
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            plan.name,
            "-f",
            str(upper / "etc/ssh/ssh_host_ed25519_key"),
        )

    def _await(self, host: Host) -> None:
        deadline = time.monotonic() + BOOT_S
        while not (_listens(host.namespace) and self._find_inner(host)):
            assert host.process.poll() is None, f"{host.name} ended as it started:\n{host.log}"
            assert time.monotonic() < deadline, f"{host.name} has not started:\n{host.log}"
            time.sleep(0.05)

    def _find_inner(self, host: Host) -> bool:
        """Process 1 of the host is the child of its unshare; with systemd the grandchild of that (nspawn has a stub)."""
        pid = host.process.pid
        for _ in range(3 if host.plan.systemd else 1):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if not children:
                return False
            pid = int(children[0])
        host.inner = pid
        return True

    def _namespace(self, name: str) -> None:
        _run("ip", "netns", "add", name)
        self._namespaces.append(name)
        _batch(name, ["link set lo up"])

    def _link(self, namespace: str, network: str, address: str, interface: str) -> None:
        self._links += 1
        ours, theirs = f"v{self._links}a", f"v{self._links}b"
        _run(
            "ip", "link", "add", ours, "netns", namespace, "type", "veth", "peer", "name", theirs, "netns", self._switch
        )
        _batch(
            namespace,
            [f"link set {ours} name {interface}", f"addr add {address}/24 dev {interface}", f"link set {interface} up"],
        )
        _batch(self._switch, [f"link set {theirs} master br{network}", f"link set {theirs} up"])


def _listens(namespace: str) -> bool:
    return ":22 " in _run("ip", "netns", "exec", namespace, "ss", "-Hltn")


def _batch(namespace: str, lines: Sequence[str]) -> None:
    _run("ip", "-n", namespace, "-batch", "-", input="\n".join(lines) + "\n")


def _run(*argv: str, **options: Any) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **options)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


@contextmanager
def start_bed(plans: Sequence[HostPlan]) -> Iterator[ServerBed]:
    assert os.getuid() == 0, "the root lab needs root"
    # On a disk: an overlay can't have its upper half on another overlay, as /tmp may be in a container.
    folder = Path(tempfile.mkdtemp(prefix="govcloud-bed-", dir="/var/tmp"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        bed = ServerBed(folder, make_base(cache_folder()))
        stack.callback(bed.stop)
        bed.start(plans)
        yield bed
