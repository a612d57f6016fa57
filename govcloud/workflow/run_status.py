"""Where a run is: everything that its views need, read at one moment; logs of attempts."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from govcloud.errors import UsageError
from govcloud.execution.dispatch import LIVING_S, serves
from govcloud.execution.gates import unreviewed
from govcloud.execution.history import downtime
from govcloud.execution.rules import parse_rules
from govcloud.execution.steps import site_steps
from govcloud.execution.window import build_window
from govcloud.model.attempt import Attempt, AttemptKey, Worker
from govcloud.model.run import Run, RunSystem, SystemState
from govcloud.model.step import Phase, Step, StepName
from govcloud.model.text import Text
from govcloud.report.run_overview import RunOverview, SystemStatus
from govcloud.store import attempt as attempt_store
from govcloud.store import gate as gate_store
from govcloud.store import ledger as ledger_store
from govcloud.store import listing
from govcloud.store import run as run_store
from govcloud.store import worker as worker_store
from govcloud.workflow.people import holders
from govcloud.workflow.run import load_run, step_titles
from govcloud.workflow.run_journal import load, load_system
from govcloud.workflow.session import Session

_SOON = frozenset({None, "slot", "unreachable", "predecessor"})
"""Waits that end without a person, and soon."""


def run_overview(session: Session, run_id: str | None = None) -> RunOverview:
    """The named run, or the newest. Raises UsageError where there is none."""
    named = load_run(session, run_id).run_id
    settings = session.workspace.settings
    rules, steps = parse_rules(settings.execution), site_steps(settings.steps)
    with session.store.read() as tx:
        run = load(tx, named)
        rows = run_store.run_systems(tx, named)
        attempts: dict[str, list[Attempt]] = {}
        for attempt in attempt_store.attempts(tx, named):
            attempts.setdefault(attempt.key.system_id, []).append(attempt)
        gates = gate_store.gates(tx, named)
        answers = gate_store.answers(tx, named)
        orders = gate_store.orders(tx, named)
        workers = worker_store.workers(tx)
        rules = rules.with_people(holders(tx))
        labels = listing.load_labels(tx, run.systems)
    now = session.now()
    living = [w for w in workers if now - w.seen_at <= timedelta(seconds=LIVING_S) and w.pid]
    due = [
        answer
        for gate in gates
        for answer in unreviewed(
            answers.get(gate.gate_id, ()), gate, [o for o in orders if o.system_id == gate.system_id]
        )
    ]
    return RunOverview(
        run=run, now=now, systems=tuple(_status(r, attempts.get(r.system_id, []), living, steps) for r in rows),
        gates=tuple(gates), answers=answers, orders=tuple(orders), titles=step_titles(), due_reviews=tuple(due),
        labels=labels, self_declared=not rules.people, zone=ZoneInfo(session.workspace.settings.timezone),
    )  # fmt: skip


def list_states(
    session: Session, *, limit: int | None = None, offset: int = 0
) -> list[tuple[Run, Mapping[str, SystemState]]]:
    """Runs, the newest first, with the states of their systems."""
    with session.store.read() as tx:
        found = run_store.runs(tx, limit=limit, offset=offset)
        return [(run, run_store.states(tx, run.run_id)) for run in found]


def count_runs(session: Session) -> int:
    with session.store.read() as tx:
        return run_store.count_runs(tx)


def mark(session: Session, run_id: str) -> object:
    """Differs from before when something was recorded, or a system of the run has moved: much cheaper than an overview."""
    with session.store.read() as tx:
        return ledger_store.size(tx), run_store.standing(tx, run_id)


def goes_on(shown: RunOverview) -> bool:
    """Something is under way or will be soon without anybody's doing."""
    return any(_moves(s) for s in shown.systems)


def read_log(
    session: Session, run_id: str, system_id: str, step: StepName, *, phase: Phase = "apply", number: int | None = None
) -> tuple[AttemptKey, str]:
    """What an attempt said, secrets masked; by default the last one. Raises UsageError where there is none."""
    with session.store.read() as tx:
        load_system(tx, run_id, system_id)
        tried = [
            a for a in attempt_store.attempts(tx, run_id, system_id)
            if a.key.step == step and a.key.phase == phase and number in (None, a.key.number)
        ]  # fmt: skip
        if not tried:
            raise UsageError(
                Text("没有这样的尝试", "There is no such attempt"),
                where=f"{run_id} {system_id} {step} {phase}",
                next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
            )
        attempt = tried[-1]
        content = attempt_store.load_log(tx, attempt.key)
    if content is not None:
        return attempt.key, gzip.decompress(content).decode(errors="replace")
    key = attempt.key
    path = (
        session.workspace.path
        / "evidence"
        / key.run_id
        / key.system_id
        / key.step
        / key.phase
        / str(key.number)
        / "log.txt"
    )
    if path.is_file():
        return key, path.read_text("utf-8", "replace")
    raise UsageError(
        Text("这次尝试还没有日志", "This attempt has no log yet")
        if attempt.result is None
        else Text("这次尝试没有留下日志", "This attempt has left no log"),
        where=f"{key.text} ({attempt.executor})",
        next_step=Text(
            "正在执行的，日志在执行它的机器上", "While it is under way its log is on the machine that carries it out"
        ),
    )


def _moves(status: SystemStatus) -> bool:
    row = status.row
    if row.state in ("running", "rolling_back"):
        return not status.unworked
    if row.state != "waiting" or status.unworked:
        return False
    return (row.wait.kind if row.wait else None) in _SOON


def _status(
    row: RunSystem, attempts: list[Attempt], living: list[Worker], steps: Mapping[StepName, Step]
) -> SystemStatus:
    start, end = downtime(attempts)
    due = row.state in ("waiting", "running", "rolling_back") and (row.wait is None or row.wait.kind in _SOON)
    return SystemStatus(
        row=row, attempts=tuple(attempts), downtime_from=row.downtime_from or start, downtime_to=row.downtime_to or end,
        needed_min=build_window(row, steps, row.data_bytes).needed_min,
        unworked=due and not any(serves(w, row.zone) for w in living),
    )  # fmt: skip
