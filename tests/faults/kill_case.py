"""`main([WORKSPACE])`: carries a run on in the foreground and dies by SIGKILL at the first boundary of a step, or of its undo,
at which it has not died before. `killed` in the workspace lists them: `step/phase boundary`."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from soak_worker import PACE, STANDIN

from govcloud.execution.attempt import Claim
from govcloud.execution.journal import Journal
from govcloud.model.attempt import StepResult, Worker
from govcloud.settings import open_workspace
from govcloud.workflow.hands import make_hands
from govcloud.workflow.run_engine import Hands, work
from govcloud.workflow.session import Session, open_session


def main(argv: Sequence[str]) -> int:
    path = Path(argv[0])
    with open_session(open_workspace(path), actor="zhang") as session:
        work(session, until="idle", pace=PACE, make_hands=functools.partial(deadly_hands, path / "killed"))
    return 0


def deadly_hands(
    killed: Path, session: Session, journal: Journal, worker: Worker, pause: Callable[[float], None]
) -> Hands:
    current = ""

    def passing(boundary: str) -> None:
        if current.endswith("/verify"):
            return  # an unknown probe is tried again after half a minute, by design
        point = f"{current} {boundary}\n"
        if point in (killed.read_text().splitlines(keepends=True) if killed.exists() else []):
            return
        with killed.open("a") as log:
            log.write(point)
            log.flush()
            os.fsync(log.fileno())
        os.kill(os.getpid(), signal.SIGKILL)

    submit, cancel = make_hands(session, journal, worker, pause, supervisor=STANDIN, passing=passing, linger_s=0.0)

    def named(claim: Claim) -> StepResult:
        nonlocal current
        current = f"{claim.key.step}/{claim.key.phase}"
        return submit(claim)

    return named, cancel
