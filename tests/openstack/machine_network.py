"""The network on which the bed's machines really are: a bridge of this machine, and what is needed to make hosts on it."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))
from bed_base import cache_folder, make_base

SERVERS = Path(__file__).parents[1] / "servers"


@dataclass(frozen=True)
class MachineNetwork:
    folder: Path
    """One folder a machine below it."""
    bridge: str
    prefix: str
    base: Path

    @property
    def environment(self) -> dict[str, str]:
        """For services/namespace_virt.py."""
        return {
            "BED_MACHINES": str(self.folder), "BED_BRIDGE": self.bridge, "BED_PREFIX": self.prefix,
            "BED_BASE": str(self.base), "BED_HOST_PROGRAM": str(SERVERS / "programs" / "host.sh"),
        }  # fmt: skip


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


@contextmanager
def machine_network(folder: Path) -> Iterator[MachineNetwork]:
    """Gone afterwards with every machine on it, whether Nova took them away or not. Needs root."""
    folder.mkdir()
    # 198.18.0.0/15 is for tests between networks (RFC 2544): no office has it.
    used = run("ip", "-4", "route")
    third = next(n for n in (secrets.randbelow(256) for _ in range(100)) if f"198.18.{n}." not in used)
    network = MachineNetwork(folder, f"gcb{secrets.token_hex(3)}", f"198.18.{third}.0/24", make_base(cache_folder()))
    run("ip", "link", "add", network.bridge, "type", "bridge")
    try:
        run("ip", "addr", "add", f"198.18.{third}.1/24", "dev", network.bridge)
        run("ip", "link", "set", network.bridge, "up")
        yield network
    finally:
        for machine in [m for m in folder.iterdir() if m.is_dir()]:
            if (machine / "pid").exists():
                subprocess.run(["kill", "-9", (machine / "pid").read_text()], check=False, capture_output=True)
            subprocess.run(["ip", "netns", "del", f"gc-{machine.name}"], check=False, capture_output=True)
        run("ip", "link", "del", network.bridge)
        shutil.rmtree(folder, ignore_errors=True)
