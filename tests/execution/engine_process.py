"""`engine_process.py WORKSPACE RUN BOUNDARY:N`: works on a run and ends by SIGKILL when it passes BOUNDARY for the n-th time."""

from __future__ import annotations

import functools
import os
import signal
import sys
from pathlib import Path

from govcloud.execution.attempt import Guard
from govcloud.settings import open_workspace
from govcloud.workflow import run as verbs
from govcloud.workflow.session import open_session

path, run_id, point = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
boundary, _, times = point.partition(":")
left = int(times or 0)


def passing(name: str) -> None:
    global left
    if name == boundary:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


standin = (sys.executable, str(Path(__file__).with_name("standin.py")))
with open_session(open_workspace(path), actor="zhang") as session:
    guard = functools.partial(Guard, supervisor=standin, passing=passing)
    run = verbs.load_run(session, run_id)
    with verbs.operator_lock(session, run_id):
        verbs.engine(session, run, 0.0, make_guard=guard).migrate()
