"""The short way: how a source may reach its target, and a key that opens it for one attempt and one purpose."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from govcloud.execution.agent import Line
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


@dataclass(slots=True)
class Opening:
    """Lets the source in at the target as soon as enough is wished for, while both are still busy with comparing.

    Fed with what both agents say (frames R); nothing here waits.
    """

    remote: Remote
    source: Line
    target: Line
    worth: int | None
    """Bytes from which on it is worth it; None: never."""
    minutes: int
    """So long the key is good."""
    evidence: Path
    state: Literal["closed", "admitting", "opening", "open", "refused"] = "closed"
    _private: str = ""
    _road: Road | None = None

    @property
    def is_pending(self) -> bool:
        return self.state in ("admitting", "opening")

    @property
    def has_admitted(self) -> bool:
        """A key of ours may lie at the target."""
        return self._road is not None

    def wished(self, size: int) -> None:
        if self.state != "closed" or self.worth is None or size < self.worth:
            return
        self._road = find_road(self.remote, self.target.name)
        if self._road is None:
            self.state = "refused"
            return
        self._private, public = one_attempt_key()
        self.state = "admitting"
        self.target.ask("admit", key=public, minutes=self.minutes)

    def target_said(self, content: bytes) -> None:
        if self._is_refused(content) or self._road is None:
            return
        self.state = "opening"
        self.source.ask("open", direct=self._road.asked(self._private))

    def source_said(self, content: bytes) -> None:
        if not self._is_refused(content):
            self.state = "open"

    def _is_refused(self, content: bytes) -> bool:
        why = json.loads(content).get("refused")
        if why is None:
            return False
        self.state = "refused"
        (self.evidence / "direct-refused.txt").write_text(str(why), "utf-8")
        return True
