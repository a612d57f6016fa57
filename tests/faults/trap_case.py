"""A worker in a process of its own, for tests that end it: `main([WORKSPACE, OPTIONS])`, options as JSON.

Steps named in `guarded` go through the guard with the stand-in supervisor; all others end at once. `sleep`: seconds that a
step without guard takes; its begin and end are lines in `spans.log`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from dbos import DBOS
from engine_load import standin
from guard_case import STANDIN, prepare

import govcloud.workflow.dispatcher  # noqa: F401 - imported before the fork, not after it
from govcloud.errors import GovcloudError
from govcloud.events import Event
from govcloud.execution.attempt import Claim, Guard
from govcloud.execution.batch import Batcher
from govcloud.execution.steps import load_steps
from govcloud.model.attempt import StepResult
from govcloud.settings import open_workspace
from govcloud.workflow.run_engine import Hands, Pace, work
from govcloud.workflow.session import Session, open_session

FAST = {"round_s": 0.2, "poll_s": 0.1, "beat_s": 0.5, "living_s": 2.0, "takeover_s": 3.0}


class Said:
    def on_event(self, event: Event) -> None:
        print(event.what.en, event.subject, flush=True)


def main(argv: Sequence[str]) -> int:
    path, told = Path(argv[0]), json.loads(argv[1])
    if told.get("edited"):
        # Another workflow in the program: DBOS's own version number of it differs.
        DBOS.workflow(name="cosmetic")(lambda: "edited")

    def hands(session: Session, journal: Any, worker: Any, pause: Callable[[float], None]) -> Hands:
        guard = Guard(
            journal=journal, worker=worker, root=session.workspace.folder("evidence"), prepare=prepare, pause=pause,
            supervisor=STANDIN,
        )  # fmt: skip
        batcher = Batcher(guard=guard, steps=load_steps(), linger_s=0.02)
        at_once, _ = standin(session, journal, worker, pause)

        def submit(claim: Claim) -> StepResult:
            if claim.key.step in told.get("guarded", ()):
                return batcher.submit(claim)
            if not told.get("sleep"):
                return at_once(claim)
            with (path / "spans.log").open("a") as log:
                log.write(f"{time.time()} 1\n")
                log.flush()
                time.sleep(told["sleep"])
                done = at_once(claim)
                log.write(f"{time.time()} -1\n")
            return done

        return submit, guard.cancel

    pace = Pace(**{**FAST, **told.get("pace", {})})
    with open_session(open_workspace(path), actor="zhang", observer=Said()) as session:
        try:
            work(
                session, zones=told.get("zones", ()), until=told.get("until", "stopped"), name=told.get("name"),
                pace=pace, make_hands=hands,
            )  # fmt: skip
        except GovcloudError as error:
            print(error.message("en"), file=sys.stderr)
            return error.exit_code
        except KeyboardInterrupt:
            return 130
    return 0
