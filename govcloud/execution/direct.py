"""The short way: how a source may reach its target, and a key that opens it for one attempt and one purpose."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govcloud.execution.stream import CIPHERS, Remote

_ALIAS = "govcloud-target"
_PATIENCE_S = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """The target as the controller reaches it; the source tries the same."""

    address: str
    port: int
    user: str
    known_hosts: str
    """The target's approved keys: the source trusts no other."""

    def asked(self, private: str) -> dict[str, Any]:
        """What the source's agent is told. It keeps key and host keys in memory only."""
        return {
            "address": self.address, "port": self.port, "user": self.user, "known_hosts": self.known_hosts,
            "key": private, "alias": _ALIAS, "ciphers": CIPHERS, "patience_s": _PATIENCE_S,
        }  # fmt: skip


def find_road(remote: Remote, host: str) -> Road | None:
    """None where the controller itself reaches the host only by way of another, or knows no key of it."""
    asked = subprocess.run(
        ["ssh", "-F", str(remote.ssh_config), "-G", "--", host], capture_output=True, text=True, check=False
    )
    told = dict(line.split(" ", 1) for line in asked.stdout.splitlines() if " " in line)
    if asked.returncode or told.get("proxyjump", "none") != "none" or told.get("proxycommand", "none") != "none":
        return None
    address, port = told["hostname"], int(told["port"])
    names = {told.get("hostkeyalias", ""), address if port == 22 else f"[{address}]:{port}"}
    known = Path(told["userknownhostsfile"].strip('"'))
    if not known.is_file():
        return None
    found = [line.split() for line in known.read_text("utf-8").splitlines()]
    lines = [f"{_ALIAS} {words[1]} {words[2]}\n" for words in found if len(words) >= 3 and words[0] in names]
    return Road(address=address, port=port, user=told["user"], known_hosts="".join(lines)) if lines else None


def one_attempt_key() -> tuple[str, str]:
    """(private key, public key). No copy of it stays on the controller."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True, stdin=subprocess.DEVNULL)  # fmt: skip
        return path.read_text("utf-8"), path.with_suffix(".pub").read_text("utf-8").strip()
