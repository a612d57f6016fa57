"""Hosts with real SSH servers on loopback, and systems that are carried out on them by the real supervisor and Ansible."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncssh
import msgspec
from run_place import Place, key
from sample_spec import GOOD

from govcloud.demo import host_ssh
from govcloud.demo.host import HostSpec
from govcloud.execution.attempt import Claim, Guard
from govcloud.execution.scene import Job, prepare
from govcloud.execution.scene import Place as Spot
from govcloud.execution.steps import load_steps
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.attempt import StepResult, Worker
from govcloud.model.migration import MachineSpec, MigrationSpec
from govcloud.settings import open_workspace
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import open_session

MODULE = '''#!/usr/bin/python
"""Changes nothing and takes its time, as a copy would; every child of it is a process of its own."""
import subprocess
import time
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_marker_file import Refused, enter

module = AnsibleModule({"end": {"type": "dict"}, "system": {"type": "dict"}, "for_s": {"type": "float"}, "said": {"type": "str"}})
try:
    enter(module.params["end"]["state_dir"], module.params["system"])
except Refused as refusal:
    module.fail_json(msg=refusal.en, problems=refusal.problems)
print(module.params["said"])
open("%s/%s.begun" % (module.params["end"]["state_dir"], module.params["system"]["system_id"]), "w").close()
child = subprocess.Popen(["sleep", "%.1f" % module.params["for_s"]])
child.wait()
module.exit_json(changed=False, gov={"slept": 1}, said=module.params["said"])
'''


class Hosts:
    """SSH servers of the demo lab's own class in one event loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.key_file = folder / "id"
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._key.write_private_key(str(self.key_file))
        self.key_file.chmod(0o600)
        self.access: dict[str, HostAccess] = {}
        self.keys: dict[tuple[str, int], tuple[HostKey, ...]] = {}

    def start(self, name: str, *, dead: bool = False) -> Path:
        """The host's root folder. `dead`: its key is known and nobody answers."""
        root = self.folder / name
        (root / "root" / ".ssh").mkdir(mode=0o700, parents=True)
        (root / "tmp").mkdir()
        (root / "state").mkdir()
        self._key.write_public_key(str(root / "root" / ".ssh" / "authorized_keys"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        host_key = "ssh-ed25519 AAAA"
        if not dead:
            spec = HostSpec(name=name, listen="127.0.0.1", port=port, root=str(root), path="/usr/bin:/bin")
            host_key = asyncio.run_coroutine_threadsafe(host_ssh.listen(spec), self._loop).result(30)["key"]
        kind, text = host_key.split()
        self.access[name] = HostAccess(name=name, address="127.0.0.1", port=port, key_file=str(self.key_file))
        self.keys["127.0.0.1", port] = (
            HostKey(host="127.0.0.1", port=port, key_type=kind, key_base64=text, approved_by="li"),
        )
        return root

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@dataclass
class Play:
    """One playbook of the test's own, for systems between two hosts each."""

    place: Place
    hosts: Hosts
    targets: dict[str, str]
    """System -> its target host; the source is `old` for all."""
    book: Path
    idle_s: int = 900
    timeouts_s: dict[str, int] = field(default_factory=dict)
    supervisor: tuple[str, ...] | None = None

    def perform(self) -> dict[str, StepResult]:
        claims = [Claim(key=key("verify_service", system_id=system)) for system in self.targets]
        with open_session(open_workspace(self.place.path), actor="zhang") as session:
            done = self.guard(session).perform(claims)
        return {found.system_id: result for found, result in done.items()}

    def guard(self, session: Any) -> Guard:
        worker = Worker(
            worker_id="m1/cli", machine_id="m1", host="here", pid=os.getpid(), zones=(), seen_at=session.now()
        )
        other = {} if self.supervisor is None else {"supervisor": self.supervisor}
        return Guard(
            journal=StoreJournal(session, "m1/cli"), worker=worker, root=self.place.path / "evidence", prepare=self._prepare,
            pause=time.sleep, **other,
        )  # fmt: skip

    def _prepare(self, folder: Path, spots: Sequence[Spot]) -> Job:
        step = replace(load_steps()["verify_service"], idle_s=self.idle_s)
        specs = {system: self._spec(system) for system in self.targets}
        access, keys = self.hosts.access, self.hosts.keys
        job = prepare(folder, step, "apply", spots, specs, access, keys, {}, workspace=self.place.path)
        return replace(job, playbook=self.book, timeouts_s={**job.timeouts_s, **self.timeouts_s})

    def _spec(self, system: str) -> MigrationSpec:
        target = self.targets[system]
        state = str(self.hosts.folder / target / "state")
        machine = MachineSpec(source="old", target=target, state_dir=state)
        spec = msgspec.convert(GOOD, MigrationSpec)
        entrance = replace(spec.entrances[0], host="old")
        return replace(spec, system_id=system, machines=(machine,), entrances=(entrance,), databases=())

    def folder(self, system: str) -> Path:
        return self.place.folder(key("verify_service", system_id=system))


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
