"""Discovery against the SSH server that real departments run: OpenSSH from Debian, not the demo's own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TOOL = [sys.executable, "-m", "govcloud", "--lang", "en"]
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


def govcloud(*words: str | Path, folder: Path, code: int = 0, prefix: list[str] | None = None) -> str:
    done = subprocess.run(
        [*(prefix or []), *TOOL, *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@contextmanager
def sshd(folder: Path, address: str, port: int, prefix: list[str] | None = None) -> Iterator[None]:
    """Debian's sshd with keys of its own in `folder`; logs in the user of the test."""
    assert SSHD, "openssh-server is not installed"
    folder.mkdir(mode=0o700)
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host_key", "client_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "client_key.pub", folder / "authorized_keys")
    (folder / "sshd_config").write_text(
        f"ListenAddress {address}:{port}\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/authorized_keys\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
    )
    process = subprocess.Popen(
        [*(prefix or []), SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def workspace(tmp_path: Path, hosts: str) -> Path:
    govcloud("init", "ws", "--site", "shanxi", folder=tmp_path)
    (tmp_path / "ws" / "hosts.yaml").write_text(hosts)
    return tmp_path / "ws"


@pytest.mark.servers
def test_a_debian_server_is_discovered_and_a_swapped_host_key_stops_it(tmp_path: Path) -> None:
    """Without this a department's real OpenSSH could be unreadable, or a machine in the middle go unnoticed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    place = tmp_path / "sshd"
    hosts = (
        f"hosts:\n- {{name: debian-01, address: 127.0.0.1, port: {port}, user: {user}, key_file: {place}/client_key}}\n"
    )
    ws = workspace(tmp_path, hosts)
    with sshd(place, "127.0.0.1", port):
        _answering("127.0.0.1", port)
        govcloud("discover", "trust", "--approve", folder=ws)
        govcloud("discover", "ssh", folder=ws)
        servers = json.loads(govcloud("--format", "json", "inventory", "servers", folder=ws))
        assert "Debian" in json.dumps(servers, ensure_ascii=False)
    shutil.rmtree(place)
    with sshd(place, "127.0.0.1", port):
        _answering("127.0.0.1", port)
        report = govcloud("discover", "ssh", folder=ws, code=1)
        assert "changed" in report


def _answering(address: str, port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("sshd did not start")


@pytest.fixture
def far_host() -> Iterator[str]:
    """A network namespace of the machine itself with a leg on a dedicated network; root makes it, and removes it."""
    assert os.geteuid() == 0, "needs root"
    here, there = f"gc{os.getpid()}a", f"gc{os.getpid()}b"
    steps = [
        ["netns", "add", here], ["netns", "add", there],
        ["link", "add", "leg", "netns", here, "type", "veth", "peer", "name", "eth0", "netns", there],
        ["-n", here, "addr", "add", "10.66.9.254/24", "dev", "leg"], ["-n", here, "link", "set", "leg", "up"],
        ["-n", there, "addr", "add", "10.66.9.30/24", "dev", "eth0"], ["-n", there, "link", "set", "eth0", "up"],
        ["-n", there, "link", "add", "eth1", "type", "veth", "peer", "name", "far1"], ["-n", there, "addr", "add", "172.31.5.10/24", "dev", "eth1"],
        ["-n", there, "link", "set", "eth1", "up"], ["-n", there, "route", "add", "172.31.0.0/16", "via", "172.31.5.1"],
        ["-n", here, "link", "set", "lo", "up"], ["-n", there, "link", "set", "lo", "up"],
    ]  # fmt: skip
    try:
        for step in steps:
            subprocess.run(["ip", *step], check=True)
        yield f"{here} {there}"
    finally:
        for name in (here, there):
            subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.mark.root
def test_a_second_leg_on_an_undeclared_network_is_seen(tmp_path: Path, far_host: str) -> None:
    """A dedicated network that nobody declared must show up by the address and the route of the server that sits on it."""
    here, there = far_host.split()
    place = tmp_path / "sshd"
    hosts = f"hosts:\n- {{name: far-01, address: 10.66.9.30, user: root, key_file: {place}/client_key}}\n"
    ws = workspace(tmp_path, hosts)
    inside = ["ip", "netns", "exec", here]
    with sshd(place, "10.66.9.30", 22, prefix=["ip", "netns", "exec", there]):
        time.sleep(0.5)
        govcloud("discover", "trust", "--approve", folder=ws, prefix=inside)
        govcloud("discover", "ssh", folder=ws, prefix=inside)
    assert "172.31.5" in govcloud("inventory", "show", "far-01", folder=ws)
    assert "172.31" in govcloud("inventory", "networks", folder=ws) + govcloud("inventory", "undeclared", folder=ws)
