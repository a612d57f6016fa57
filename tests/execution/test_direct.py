"""The short way from source to target, over Debian's OpenSSH: a key for one attempt, one purpose, and never left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from file_place import SYSTEM, tree

from govcloud.execution.direct import find_road, one_attempt_key
from govcloud.execution.replicate import Ends, sync_files
from govcloud.execution.stream import Remote

pytestmark = pytest.mark.servers
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
MIB = 1 << 20


class Bed:
    """One sshd as both hosts; the user's home on it is a folder of the test."""

    def __init__(self, folder: Path) -> None:
        assert SSHD, "openssh-server is not installed"
        self.folder, self.home = folder, folder / "home"
        (self.home / ".ssh").mkdir(mode=0o700, parents=True)
        for name in ("host_key", "client_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        self.admitted = self.home / ".ssh" / "authorized_keys"
        # No line break at the end, as hands leave it.
        self.admitted.write_text((folder / "client_key.pub").read_text().strip())
        self.admitted.chmod(0o640)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {folder}/host_key\nAuthorizedKeysFile {self.admitted}\n"
            f"SetEnv HOME={self.home} PATH=/usr/bin:/bin\nPidFile none\nStrictModes no\nUsePAM no\n"
            "PermitRootLogin prohibit-password\nPasswordAuthentication no\n"
        )
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        self.source, self.target, self.state = folder / "source", folder / "target", folder / "state"
        self.source.mkdir()
        self.state.mkdir()
        (folder / "evidence").mkdir()
        (self.state / "SL-OA-01.json").write_text(json.dumps({**SYSTEM, "state": "preparing"}))
        (self.source / "large").write_bytes(os.urandom(5 * MIB))
        for number in range(200):
            (self.source / f"small {number}").write_bytes(os.urandom(3000))

    def remote(self, **changed: Any) -> Remote:
        key = (self.folder / "host_key.pub").read_text().split()
        (self.folder / "known_hosts").write_text(f"new {key[0]} {key[1]}\nold {key[0]} {key[1]}\n")
        lines = {
            "HostName": "127.0.0.1", "Port": self.port, "IdentityFile": self.folder / "client_key", "IdentitiesOnly": "yes",
            "BatchMode": "yes", "StrictHostKeyChecking": "yes", "UserKnownHostsFile": self.folder / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null", "LogLevel": "ERROR", **changed,
        }  # fmt: skip
        text = "Host old\n  HostKeyAlias old\nHost new\n  HostKeyAlias new\nHost *\n" + "".join(f"  {k} {v}\n" for k, v in lines.items())  # fmt: skip
        (self.folder / "ssh_config").write_text(text)
        return Remote(self.folder / "ssh_config")

    def ends(self, **system: Any) -> Ends:
        return Ends(
            source_host="old", target_host="new", marker=str(self.state / "SL-OA-01.json"), state_dir=str(self.state),
            system={**SYSTEM, **system}, evidence=self.folder / "evidence", remote=self.remote(),
        )  # fmt: skip

    @property
    def pair(self) -> dict[str, str]:
        return {"source": str(self.source), "target": str(self.target)}


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    found = Bed(tmp_path)
    yield found
    found.process.terminate()
    found.process.wait(10)


def test_data_goes_straight_and_the_key_is_gone_afterwards(bed: Bed) -> None:
    before = bed.admitted.read_text()
    counts = sync_files(bed.ends(), bed.pair, live=True, way="direct")
    assert counts["way"] == "direct" and int(counts["bytes"]) > 5 * MIB
    assert tree(bed.target) == tree(bed.source)
    assert bed.admitted.read_text().strip() == before and bed.admitted.stat().st_mode & 0o777 == 0o640
    written = [p.name for p in bed.home.rglob("*") if p.is_file()]
    assert written == ["authorized_keys"], "known hosts and key of the attempt lie on no disk of the source"
    assert sync_files(bed.ends(), bed.pair, live=False, way="direct")["sent"] == 0


def test_the_key_opens_nothing_but_the_delivery(bed: Bed, tmp_path: Path) -> None:
    """Whoever copies it out of the source's memory gets no shell and no other folder."""
    sync_files(bed.ends(), bed.pair, live=True, way="direct")
    private, public = one_attempt_key()
    program = bed.state / "SL-OA-01.files"
    bed.admitted.write_text(bed.admitted.read_text().strip() + f'\nrestrict,command="python3 -IS {program}/agent.py {program}/admit.json" {public} govcloud-SL-OA-01\n')  # fmt: skip
    (tmp_path / "stolen").write_text(private)
    (tmp_path / "stolen").chmod(0o600)
    config = bed.remote(IdentityFile=tmp_path / "stolen").ssh_config
    done = subprocess.run(["ssh", "-F", config, "new", f"touch {tmp_path}/owned"], capture_output=True, input=b"", timeout=30)  # fmt: skip
    assert not (tmp_path / "owned").exists() and b"owned" not in done.stdout
    # What an attempt left behind that was killed at this point, the next one removes before it does anything else.
    sync_files(bed.ends(token=4), bed.pair, live=True)
    assert "govcloud-" not in bed.admitted.read_text()


def test_a_cut_between_the_hosts_is_mended_and_the_key_never_stays(bed: Bed) -> None:
    seen: list[str] = []

    def watch() -> None:
        """Reads the line that lets the source in, and ends its connection once."""
        for _ in range(600):
            lines = [line for line in bed.admitted.read_text().splitlines() if line.endswith("govcloud-SL-OA-01")]
            begun = bed.target.is_dir() and list(bed.target.glob(".govcloud-partial/part/*"))
            ended = _sending(bed.port) if lines and begun else []
            if ended:
                seen.extend(lines)
                os.kill(ended[0], 9)
                return
            time.sleep(0.02)

    watching = threading.Thread(target=watch)
    watching.start()
    counts = sync_files(bed.ends(), bed.pair, live=True, way="direct", bandwidth_mbps=20, deadline_min=7)
    watching.join()
    assert counts["cuts"] == 1 and tree(bed.target) == tree(bed.source)
    (line,) = seen
    until = datetime.strptime(line.split('expiry-time="')[1][:14], "%Y%m%d%H%M%S")
    assert line.startswith("restrict,") and 'command="python3 -IS ' in line
    assert abs((until - datetime.now()).total_seconds() - 420) < 60
    assert "govcloud-" not in bed.admitted.read_text()


def _sending(port: int) -> list[int]:
    """Connections that a source's agent opened to the sshd of this test."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if words[0] == b"ssh" and str(port).encode() in words and b"-oHostKeyAlias=govcloud-target" in words:
                    found.append(int(entry.name))
    return found


def test_where_the_source_is_not_let_in_the_detour_is_taken(bed: Bed) -> None:
    """An sshd that reads its keys elsewhere, or a firewall between the zones, must not stop a migration."""
    elsewhere = bed.folder / "elsewhere"
    elsewhere.write_text(bed.admitted.read_text() + "\n")
    config = bed.folder / "sshd_config"
    config.write_text(
        config.read_text().replace(f"AuthorizedKeysFile {bed.admitted}", f"AuthorizedKeysFile {elsewhere}")
    )
    bed.process.send_signal(1)
    time.sleep(0.5)
    counts = sync_files(bed.ends(), bed.pair, live=True, way="direct")
    assert counts["way"] == "relay" and tree(bed.target) == tree(bed.source)
    assert "Permission denied" in (bed.folder / "evidence" / "direct-refused.txt").read_text()
    assert "govcloud-" not in bed.admitted.read_text()


def test_the_source_is_told_the_approved_key_and_no_way_around_a_bastion(bed: Bed) -> None:
    road = find_road(bed.remote(), "new")
    key = (bed.folder / "host_key.pub").read_text().split()
    assert road is not None and road.known_hosts == f"govcloud-target {key[0]} {key[1]}\n" and road.port == bed.port
    assert find_road(bed.remote(ProxyJump="bastion"), "new") is None
