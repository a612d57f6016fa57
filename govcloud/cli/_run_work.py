"""What the verbs of `run` have in common: working on runs until nothing can be done, showing them, options."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import get_args

import click

from govcloud.cli.base import App, option
from govcloud.cli.main import INTERRUPTED
from govcloud.model.run import MOVED
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.report.run import STATE, build_run_views
from govcloud.report.run_overview import RunOverview
from govcloud.report.run_records import ORDER
from govcloud.workflow import run_status
from govcloud.workflow.run_orders import Given
from govcloud.workflow.session import Session

FEW = 3
"""Of so many systems the attempts are shown as well."""
NEEDS_WORK = Text(
    "由在线的执行进程接着做；没有的话：govcloud run resume {r}",
    "A living worker goes on; where there is none: govcloud run resume {r}",
)
reason_option = option("--reason", text=Text("理由，记入台账", "Why; goes into the ledger"))
systems_option = option(
    "--system", "systems", multiple=True, text=Text("只对这个系统；可多次给出", "Only this system; may be repeated")
)
phase_option = option(
    "--phase", type=click.Choice(get_args(Phase)), default="apply",
    text=Text("环节，默认 apply", "Phase of the step, apply by default"),
)  # fmt: skip
step_argument = click.argument("step", metavar="STEP", type=click.Choice(get_args(StepName)))


def carry_on(app: App, session: Session, run_id: str, *, wait_min: int = 0) -> RunOverview | None:
    """Do what can be done, then show where the run is. None: the user has left with Ctrl-C."""
    # DBOS takes most of a second to import: only commands that execute pay for it.
    from govcloud.workflow.run_engine import work

    try:
        work(session, until="idle", runs=(run_id,), linger_s=wait_min * 60)
    except KeyboardInterrupt:
        app.say(
            Text(
                "已离开。正在执行的步骤会在后台做完，此后不再前进；继续：govcloud run resume {r}",
                "Left. The step under way ends by itself in the background and nothing follows it; go on with: govcloud run resume {r}",
            ).format(r=run_id)
        )
        return None
    shown = run_status.run_overview(session, run_id)
    app.show(*build_run_views(shown, attempts=len(shown.systems) <= FEW))
    return shown


def code_of(shown: RunOverview | None, *, waiting_is_fine: bool = False) -> int:
    """0: everything has come to the cloud, or waits for people as it was asked to."""
    if shown is None:
        return INTERRUPTED
    allowed = MOVED | {"waiting"} if waiting_is_fine else MOVED
    return 0 if all(state in allowed for state in shown.states.values()) else 1


def leave(code: int) -> int:
    """The end of a command that has worked. Threads that wait for a database that is away would keep the process for ever."""
    from govcloud.workflow.run_engine import lingering

    if lingering():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def tell(app: App, given: Sequence[Given]) -> None:
    for one in given:
        app.say(
            Text("已记录：{s} {o}；现状：{state}", "Recorded: {s} {o}; now: {state}").format(
                s=one.order.system_id, o=ORDER[one.order.kind], state=STATE[one.state]
            )
        )
        if one.note is not None:
            app.say(one.note)
