"""A host with real systemd: this machine's own files under an overlay, booted by systemd-nspawn in a network namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from cell import wait_until

_PROJECT = Path(__file__).parents[2]
_TARGET = "[Unit]\nRequires=basic.target\nAfter=basic.target\nWants=cron.service\nAllowIsolate=yes\n"


class Booted:
    """Only journald and cron run: what else the machine has enabled stays off."""

    def __init__(self, folder: Path, network: str) -> None:
        assert os.geteuid() == 0, "needs root"
        self.folder, self.network, self.root = folder, network, folder / "root"

    def __enter__(self) -> Booted:
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True)
        layers = f"lowerdir=/,upperdir={self.folder}/upper,workdir={self.folder}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.root], check=True)
        (self.root / "etc/systemd/system/test.target").write_text(_TARGET)
        (self.root / "etc/machine-id").write_text("")
        (self.root / "etc/hostname").write_text("new-01\n")
        shutil.rmtree(self.root / "var/lib/govcloud", ignore_errors=True)
        argv = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--directory={self.root}",
                f"--network-namespace-path=/run/netns/{self.network}",
                # The modules under test, wherever they are checked out: it has a /tmp of its own.
                f"--bind-ro={_PROJECT}", f"--bind-ro={sys.prefix}", "--boot", "systemd.unit=test.target"]  # fmt: skip
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})  # fmt: skip
        try:
            wait_until(self._first, 30)
            self.prefix = ["nsenter", "-t", self._first(), "-m", "-n", "-p", "-u", "-i", "--"]
            wait_until(lambda: self.run("systemctl", "is-active", "test.target", code=None).strip() == "active", 60)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _first(self) -> str:
        """Number of its systemd, as the machine sees it."""
        pids = subprocess.run(
            ["ip", "netns", "pids", self.network], capture_output=True, text=True, check=True
        ).stdout.split()
        return next((pid for pid in pids if Path(f"/proc/{pid}/comm").read_text() == "systemd\n"), "")

    def run(self, *argv: str, code: int | None = 0) -> str:
        done = subprocess.run([*self.prefix, *argv], capture_output=True, text=True, timeout=60, check=False)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for pid in subprocess.run(
            ["ip", "netns", "pids", self.network], capture_output=True, text=True, check=False
        ).stdout.split():
            os.kill(int(pid), 9)
        wait_until(
            lambda: subprocess.run(["umount", self.root], check=False, stderr=subprocess.DEVNULL).returncode == 0
        )
