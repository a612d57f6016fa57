"""A guarded attempt in a process of its own, for tests that end it: `main([WORKSPACE, BOUNDARY, MACHINE, SYSTEMS, STEP, PHASE])`.

BOUNDARY `name` kills it there, `name:stop` stops it there (SIGSTOP) until somebody lets it go on. SYSTEMS by comma.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from run_place import RUN

from govcloud.execution.attempt import Claim, Guard
from govcloud.execution.scene import Job, Place
from govcloud.model.attempt import AttemptKey, Worker
from govcloud.settings import open_workspace
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import open_session

STANDIN = (sys.executable, "-S", str(Path(__file__).with_name("standin.py")))


def prepare(folder: Path, places: Sequence[Place]) -> Job:
    return Job(
        folder=folder, playbook=folder / "none.yml", control=folder / "control",
        folders={place.attempt.key.system_id: place.folder for place in places},
        timeouts_s={place.attempt.key.system_id: 30 for place in places},
    )  # fmt: skip


def main(argv: Sequence[str]) -> int:
    path, boundary, machine, systems, step, phase = Path(argv[0]), *argv[1:6]

    def passing(name: str) -> None:
        if name == boundary:
            os.kill(os.getpid(), signal.SIGKILL)
        if f"{name}:stop" == boundary:
            Path(path, "stopped").touch()
            os.kill(os.getpid(), signal.SIGSTOP)

    with open_session(open_workspace(path), actor="zhang") as session:
        worker = Worker(
            worker_id=f"{machine}/cli", machine_id=machine, host="here", pid=os.getpid(), zones=(), seen_at=datetime.now(UTC)
        )  # fmt: skip
        guard = Guard(
            journal=StoreJournal(session, worker.worker_id), worker=worker, root=path / "evidence", prepare=prepare,
            pause=time.sleep, supervisor=STANDIN, passing=passing,
        )  # fmt: skip
        found: Any = [
            Claim(key=AttemptKey(run_id=RUN, system_id=name, step=step, phase=phase, number=1))  # type: ignore[arg-type]
            for name in systems.split(",")
        ]
        for done, outcome in guard.carry_out(found):
            print(done.system_id, getattr(outcome, "status", repr(outcome)), flush=True)
    return 0
