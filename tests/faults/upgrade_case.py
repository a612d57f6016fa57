"""`main([WORKSPACE, RUN, SYSTEM])`: orders the way back and carries it out with the stand-in."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from soak_worker import PACE, STANDIN

from govcloud.settings import open_workspace
from govcloud.workflow import run_orders
from govcloud.workflow.hands import make_hands
from govcloud.workflow.run_engine import work
from govcloud.workflow.session import open_session


def main(argv: Sequence[str]) -> int:
    with open_session(open_workspace(Path(argv[0])), actor="值班员己") as session:
        run_orders.roll_back(session, argv[1], argv[2], reason="升级后退回")
        work(session, until="idle", pace=PACE, make_hands=functools.partial(make_hands, supervisor=STANDIN))
    return 0
