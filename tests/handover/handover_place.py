"""Real SSH servers, keys and papers that the takeover tests share."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import asyncssh

from govcloud.cli.main import run as run_cli
from govcloud.demo import host_ssh
from govcloud.demo.host import HostSpec
from govcloud.model.access import HostKey
from govcloud.model.account import Acting
from govcloud.model.handover import HostRotation, Proof, ProofKind, Rotation
from govcloud.model.text import Text
from govcloud.settings import open_workspace
from govcloud.store import handover as handover_store
from govcloud.workflow import takeover, takeover_papers
from govcloud.workflow.session import Session, open_session

SYSTEM = "SL-OA-01"
AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)


class Servers:
    """SSH servers of the lab's own class in one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def start(self, name: str, root: Path) -> HostKey:
        """A host whose root folder is `root`; returns its key with the port in it."""
        (root / "root" / ".ssh").mkdir(mode=0o700, parents=True)
        (root / "tmp").mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        spec = HostSpec(name=name, listen="127.0.0.1", port=port, root=str(root), path="/usr/bin:/bin")
        shown = self._wait(host_ssh.listen(spec))
        key_type, key = shown["key"].split()
        return HostKey(host="127.0.0.1", port=port, key_type=key_type, key_base64=key, approved_by="张示例")

    def _wait(self, work: Coroutine[Any, Any, dict[str, str]]) -> dict[str, str]:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


def make_key(path: Path) -> Path:
    key = asyncssh.generate_private_key("ssh-ed25519", comment=path.name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    key.write_private_key(str(path))
    key.write_public_key(f"{path}.pub")
    path.chmod(0o600)
    return path


@dataclass
class Place:
    """What a test works with."""

    workspace: Path
    builder: Path
    """Private key of the builder, outside of the workspace."""
    ours: Path
    host: Path
    """Root folder of the host cloud-01."""
    servers: Servers

    @property
    def authorized(self) -> Path:
        return self.host / "root" / ".ssh" / "authorized_keys"

    def session(self, actor: str | Acting = "张示例", now: Callable[[], datetime] | None = None) -> Any:
        extra = {"now": now} if now else {}
        return open_session(open_workspace(self.workspace), actor=actor, **extra)

    def cli(self, *words: str, user: str = "张示例", lang: str = "zh") -> int:
        return run_cli(["-w", str(self.workspace), "--lang", lang, "--user", user, "takeover", *words])


def give_papers(session: Session, handover_id: str, folder: Path) -> None:
    """Every required paper that is open, as a user would hand it in."""
    paper = folder / "资料.txt"
    paper.write_text("示例资料\n", "utf-8")
    for item in takeover.get_takeover(session, handover_id).open:
        if item.source in ("file", "note"):
            takeover_papers.add_evidence(
                session, handover_id, item.item_id, file=paper if item.source == "file" else None, note="见附件"
            )


def fill_papers(place: Place, handover_id: str, folder: Path) -> None:
    """Handed over by one person and accepted by another."""
    with place.session("张示例") as session:
        give_papers(session, handover_id, folder)
    with place.session("王示例") as session:
        takeover_papers.accept(session, handover_id)


def prove_all(place: Place, handover_id: str) -> None:
    """Proofs and a rotation as the real ones are recorded (test_rotation.py and tests/servers do it for real)."""
    with place.session("王示例") as session, session.store.begin() as tx:
        found = takeover.load(tx, handover_id)
        at = session.now()
        done = tuple(HostRotation(host=host, ok=True, detail=Text("换好", "done")) for host in found.hosts)
        proofs = tuple(
            Proof(kind=kind, hosts=(host,), ok=True, detail=Text("属实", "so it is"), actor="王示例", at=at)
            for kind in get_args(ProofKind)
            for host in found.hosts
        )
        rotation = Rotation(actor="王示例", at=at, hosts=done)
        handover_store.save_handover(tx, replace(found, rotations=(rotation,), proofs=proofs))
