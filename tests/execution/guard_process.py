"""`guard_process.py WORKSPACE RUN BOUNDARY`: one guarded attempt of the precheck, ended by SIGKILL at the boundary."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from govcloud.execution.attempt import Guard, Order
from govcloud.execution.scene import Job
from govcloud.settings import open_workspace
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import open_session

path, run_id, boundary = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
executor = sys.argv[4] if len(sys.argv) > 4 else "here"


def passing(name: str) -> None:
    if name == boundary:
        os.kill(os.getpid(), signal.SIGKILL)


def prepare(folder: Path) -> Job:
    (folder / "private").mkdir(exist_ok=True)
    return Job(folder=folder, playbook=folder / "none.yml", groups={}, timeout_s=30)


with open_session(open_workspace(path), actor="zhang") as session:
    guard = Guard(
        journal=StoreJournal(session, run_id, executor), executor=executor, pause=time.sleep, passing=passing,
        supervisor=(sys.executable, str(Path(__file__).with_name("standin.py"))),
    )  # fmt: skip
    folder = path / "evidence" / run_id / "SL-OA-01" / "precheck" / "1"
    order = Order(system_id="SL-OA-01", step="precheck", number=1, folder=folder, prepare=prepare)
    print(guard.perform(order).status)
