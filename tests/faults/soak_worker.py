"""`main([WORKSPACE, NAME])`: a worker like any other, with the soak's stand-in in Ansible's place."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path

import govcloud.workflow.dispatcher
from govcloud.settings import open_workspace
from govcloud.workflow.hands import make_hands
from govcloud.workflow.run_engine import Pace, work
from govcloud.workflow.session import open_session

STANDIN = (sys.executable, "-I", "-S", str(Path(__file__).with_name("soak_standin.py")))
PACE = Pace(round_s=0.1, beat_s=0.5, living_s=3.0, takeover_s=5.0)
# Imported before the fork: most of a worker's start.
assert govcloud.workflow.dispatcher


def main(argv: Sequence[str]) -> int:
    hands = functools.partial(make_hands, supervisor=STANDIN, linger_s=0.05)
    with open_session(open_workspace(Path(argv[0])), actor="zhang") as session:
        work(session, until="stopped", name=argv[1], pace=PACE, make_hands=hands)
    return 0
