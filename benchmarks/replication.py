"""Files replicated by our agents against the tools an engineer would use instead, over the same sshd, alternating.

    python benchmarks/replication.py [--rounds 3] [--big-mb 2000] [--files 50000] [--place FOLDER]

Needs openssh-server and rsync. Only the ratios count: both ends, the network and every other user share this machine.
`place` should be a file system in memory (default /dev/shm), or the disk is what is measured; every copy starts from nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from govcloud.execution.replicate import Ends, Way, sync_files, verify_files
from govcloud.execution.stream import Remote

SYSTEM = {"system_id": "SL-OA-01", "run_id": "r1", "attempt": 1, "token": 1, "rerun": False, "phase": "apply"}
GCM = "aes128-gcm@openssh.com"
MB = 1_000_000


@contextmanager
def sshd(folder: Path) -> Iterator[Path]:
    """An sshd of our own as both hosts; the ssh_config that leads there."""
    found = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise SystemExit("openssh-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = folder / "home"
    (home / ".ssh").mkdir(mode=0o700, parents=True)
    for name in ("host_key", "client_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "client_key.pub", home / ".ssh" / "authorized_keys")
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host_key\nAuthorizedKeysFile {home}/.ssh/authorized_keys\n"
        f"SetEnv HOME={home} PATH=/usr/bin:/bin\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"
    )
    host_key = (folder / "host_key.pub").read_text().split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key[0]} {host_key[1]}\n")
    config = folder / "ssh_config"
    config.write_text(
        f"Host old new\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {folder}/client_key\n  IdentitiesOnly yes\n"
        f"Host *\n  BatchMode yes\n  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n  LogLevel ERROR\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([found, "-D", "-e", "-f", folder / "sshd_config"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if subprocess.run(["ssh", "-F", config, "old", "true"], check=False, capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        yield config
    finally:
        process.terminate()
        process.wait(10)


def make_tree(folder: Path, files: int) -> int:
    """`files` small files of 0.2 to 15 kB, a hundred a folder; their bytes."""
    chance, noise, total = random.Random(7), os.urandom(1 << 20), 0
    for number in range(files):
        place = folder / f"dir{number // 100:04}"
        if number % 100 == 0:
            place.mkdir(parents=True)
        size = chance.randrange(200, 15_000)
        start = chance.randrange(len(noise) - size)
        (place / f"file{number:06}.bin").write_bytes(noise[start : start + size])
        total += size
    return total


class Bench:
    def __init__(self, place: Path, config: Path) -> None:
        self.place, self.config = place, config
        self.target, self.state = place / "target", place / "state"
        (place / "evidence").mkdir()

    def clear(self) -> None:
        for folder in (self.target, self.state):
            shutil.rmtree(folder, ignore_errors=True)
        self.state.mkdir()
        (self.state / "SL-OA-01.json").write_text(json.dumps({**SYSTEM, "state": "preparing"}))

    def ours(self, source: Path, way: Way, *, live: bool = True) -> float:
        ends = Ends(
            source_host="old", target_host="new", marker=str(self.state / "SL-OA-01.json"), state_dir=str(self.state),
            system=SYSTEM, evidence=self.place / "evidence", remote=Remote(self.config),
        )  # fmt: skip
        pair = {"source": str(source), "target": str(self.target)}
        start = time.perf_counter()
        sync_files(ends, pair, live=live, way=way)
        return time.perf_counter() - start

    def verify(self, source: Path) -> float:
        ends = Ends(
            source_host="old", target_host="new", marker=str(self.state / "SL-OA-01.json"), state_dir=str(self.state),
            system=SYSTEM, evidence=self.place / "evidence", remote=Remote(self.config),
        )  # fmt: skip
        start = time.perf_counter()
        problems, _ = verify_files(ends, {"source": str(source), "target": str(self.target)})
        if problems:
            raise SystemExit(problems[0].en)
        return time.perf_counter() - start

    def cat(self, source: Path) -> float:
        self.target.mkdir()
        words = f"cat {source}/big | ssh -F {self.config} -c {GCM} new 'cat > {self.target}/big'"
        return self._timed(["sh", "-c", words])

    def rsync(self, source: Path, *options: str) -> float:
        return self._timed(
            ["rsync", "-a", "-e", f"ssh -F {self.config} {' '.join(options)}", f"{source}/", f"new:{self.target}/"]
        )

    def _timed(self, command: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run(command, check=True)
        return time.perf_counter() - start


def alternate(rounds: int, clear: Callable[[], None], **kinds: Callable[[], float]) -> dict[str, list[float]]:
    """Each kind once a round, from nothing."""
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, run in kinds.items():
            clear()
            found[name].append(run())
    return found


def shown(found: dict[str, list[float]], base: str) -> None:
    for name, times in found.items():
        ratios = [b / t for b, t in zip(found[base], times, strict=True)]
        print(
            f"  {name:<22} best {min(times):6.2f} s, {base} / it: best to best {min(found[base]) / min(times):5.2f},"
            f" median of rounds {statistics.median(ratios):5.2f}"
        )


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--big-mb", type=int, default=2000)
    words.add_argument("--files", type=int, default=50_000)
    words.add_argument("--place", type=Path, default=Path("/dev/shm"))  # noqa: S108 - memory is what is wanted
    given = words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the sshd ends, too
    with (
        tempfile.TemporaryDirectory(dir=given.place) as folder,
        tempfile.TemporaryDirectory() as keys,
        sshd(Path(keys)) as config,
    ):
        bench = Bench(Path(folder), config)
        big, small = Path(folder) / "big", Path(folder) / "small"
        if given.big_mb:
            big.mkdir()
            with (big / "big").open("wb") as stream:
                for _ in range(given.big_mb):
                    stream.write(os.urandom(MB))
            print(f"one file of {given.big_mb} MB")
            shown(
                alternate(
                    given.rounds, bench.clear, cat_ssh=lambda: bench.cat(big), ours_direct=lambda: bench.ours(big, "direct"),
                    ours_relay=lambda: bench.ours(big, "relay"),
                ),
                "cat_ssh",
            )  # fmt: skip
            shutil.rmtree(big)
        if given.files:
            total = make_tree(small, given.files)
            print(f"{given.files} files, {total / MB:.0f} MB")
            found = alternate(
                given.rounds, bench.clear, rsync=lambda: bench.rsync(small), rsync_gcm=lambda: bench.rsync(small, "-c", GCM),
                ours_direct=lambda: bench.ours(small, "direct"), ours_relay=lambda: bench.ours(small, "relay"),
            )  # fmt: skip
            shown(found, "rsync")
            again = [bench.ours(small, "auto") for _ in range(given.rounds)]
            print(
                f"  again, unchanged: {min(again):.2f} s = {min(again) / min(found['ours_direct']):.2f} of the first (best to best)"
            )
            print(
                f"  frozen, every byte on both sides: {bench.ours(small, 'auto', live=False):.2f} s; verify: {bench.verify(small):.2f} s"
            )


if __name__ == "__main__":
    main()
