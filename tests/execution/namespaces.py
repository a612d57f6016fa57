"""Hosts in network namespaces of this machine, each with Debian's sshd and folders of its own; root makes and removes them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from cell import wait_until

# Its own /var/lib, /etc and /root: what a module writes there must not reach the machine.
_OWN = """
mount --make-rprivate / && mount -t tmpfs tmpfs "$1" && cp -a /etc "$1/etc" && mount --bind "$1/etc" /etc \
&& mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /root && mount -t tmpfs tmpfs /run && mkdir -p /run/sshd /run/netns \
&& exec /usr/sbin/sshd -D -e -f "$2"
"""


class Hosts:
    """`links`: (host, its address with length, host, its address with length): a cable each."""

    def __init__(
        self, folder: Path, links: Sequence[tuple[str, str, str, str]], ssh: Mapping[str, str], controller: str
    ) -> None:
        assert os.geteuid() == 0, "needs root"
        self.folder, self.links, self.ssh = folder, links, ssh
        self.names = sorted({name for link in links for name in (link[0], link[2])})
        self.prefix = self.inside(controller)
        self.started: list[subprocess.Popen[bytes]] = []

    def space(self, name: str) -> str:
        return f"gc6-{os.getpid()}-{name}"

    def inside(self, name: str) -> list[str]:
        return ["ip", "netns", "exec", self.space(name)]

    def run(self, name: str, *argv: str, code: int | None = 0) -> str:
        done = subprocess.run([*self.inside(name), *argv], capture_output=True, text=True, timeout=60, check=False)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, *argv: str) -> None:
        command = [*self.inside(name), *argv]
        self.started.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True))  # fmt: skip

    def on(self, name: str, *argv: str, code: int | None = 0) -> str:
        """On the host itself, over SSH as our modules come."""
        done = subprocess.run(
            [*self.prefix, "ssh", "-F", str(self.config), name, *argv],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    def __enter__(self) -> Hosts:
        try:
            self._make()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _make(self) -> None:
        self.folder.mkdir()
        for name in self.names:
            subprocess.run(["ip", "netns", "add", self.space(name)], check=True)
            self.run(name, "ip", "link", "set", "lo", "up")
        for number, (left, a, right, b) in enumerate(self.links):
            ends = [f"l{number}", f"r{number}"]
            self.run(
                left, "ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", self.space(right)
            )
            for name, end, address in ((left, ends[0], a), (right, ends[1], b)):
                self.run(name, "ip", "address", "add", address, "dev", end)
                self.run(name, "ip", "link", "set", end, "up")
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"]
        for key in ("host_key", "client_key"):
            subprocess.run([*keygen, self.folder / key], check=True)
        lines = []
        for name, address in self.ssh.items():
            lines += [f"Host {name}", f"  HostName {address}"]
            self._sshd(name, address)
        lines += ["Host *", "  User root", f"  IdentityFile {self.folder}/client_key", "  IdentitiesOnly yes", "  BatchMode yes",
                  "  StrictHostKeyChecking yes", f"  UserKnownHostsFile {self.folder}/known_hosts", "  LogLevel ERROR", "  ConnectTimeout 5"]  # fmt: skip
        self.config.write_text("\n".join(lines) + "\n")
        public = (self.folder / "host_key.pub").read_text()
        (self.folder / "known_hosts").write_text("".join(f"{address} {public}" for address in self.ssh.values()))

    def _sshd(self, name: str, address: str) -> None:
        shutil.copy(self.folder / "client_key.pub", self.folder / "authorized_keys")
        (self.folder / f"{name}.conf").write_text(
            f"ListenAddress {address}:22\nHostKey {self.folder}/host_key\nAuthorizedKeysFile {self.folder}/authorized_keys\n"
            "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
            "SetEnv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        )
        root = self.folder / f"{name}.root"
        root.mkdir()
        argv = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            _OWN,
            "sh",
            str(root),
            str(self.folder / f"{name}.conf"),
        ]
        self.start(name, *argv)
        wait_until(lambda: self.run(name, "ss", "-Hltn", f"src {address}:22").strip())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for name in self.names:
            for pid in subprocess.run(
                ["ip", "netns", "pids", self.space(name)], capture_output=True, text=True, check=False
            ).stdout.split():
                os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", self.space(name)], check=False, stderr=subprocess.DEVNULL)
        time.sleep(0.1)


PYTHON = "/usr/bin/python3"
