"""Waves of systems that exist on paper only, and hands that finish every step at once: what the engine itself costs.

`python benchmarks/engine_load.py drain 250 500 1000` · `python benchmarks/engine_load.py park 1000`
"""

from __future__ import annotations

import dataclasses
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import yaml

from govcloud.execution.attempt import Claim
from govcloud.execution.journal import Journal
from govcloud.execution.leg import Carrier, carry_leg
from govcloud.execution.steps import load_steps
from govcloud.model.attempt import AttemptKey, StepResult, Worker
from govcloud.model.migration import (
    FilesSpec,
    HttpCheck,
    MachineSpec,
    MigrationSpec,
    ServiceEnd,
    ServiceSpec,
    VerifySpec,
)
from govcloud.model.run import Run, RunSystem
from govcloud.settings import Workspace, open_workspace
from govcloud.store import run as run_store
from govcloud.workflow.init import init_workspace
from govcloud.workflow.run_engine import Pace, work
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.run_scope import ScopeReader, system_scope
from govcloud.workflow.session import Session, open_session


def make_workspace(path: Path, *, gates: Sequence[str] = (), slots: int = 30, database: str | None = None) -> Workspace:
    init_workspace(path, "shanxi", actor="bench")
    file = path / "govcloud.yaml"
    settings = yaml.safe_load(file.read_text("utf-8"))
    settings["execution"] = {"gates": list(gates), "slots": slots}
    if database is not None:
        settings["database"] = database
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    (path / "hosts.yaml").write_text("hosts: [{name: old-01, address: 10.9.0.1}, {name: new-01, address: 10.9.0.2}]\n")
    return open_workspace(path)


def make_spec(system_id: str) -> MigrationSpec:
    end = ServiceEnd(script="/srv/app/ctl")
    return MigrationSpec(
        system_id=system_id, machines=(MachineSpec(source="old-01", target="new-01"),),
        files=(FilesSpec(source="/srv/app", target="/srv/app"),), services=(ServiceSpec(source=end, target=end),),
        verify=VerifySpec(url="http://10.9.0.9/app", checks=(HttpCheck(path="/health"),)),
    )  # fmt: skip


def add_wave(session: Session, count: int, run_id: str = "r20261123-1", zones: Sequence[str | None] = (None,)) -> Run:
    """A run of `count` systems, registered and not begun; `zones` are dealt out in turn."""
    now = datetime.now(UTC)
    names = [f"SL-{run_id[-1]}{n:04d}" for n in range(1, count + 1)]
    reader = ScopeReader(session)
    systems, scope = [], {}
    with session.store.begin() as tx:
        for position, name in enumerate(names, 1):
            spec = make_spec(name)
            text = yaml.safe_dump(dataclasses.asdict(spec), allow_unicode=True)
            (session.workspace.path / "migration" / f"{name}.yaml").write_text(text, "utf-8")
            parts = reader.parts(tx, name, planned=False)
            scope.update(parts)
            systems.append(
                RunSystem(
                    run_id=run_id, system_id=name, position=position, zone=zones[position % len(zones)], spec=spec,
                    scope_hash=system_scope(parts, name), since=now,
                )
            )  # fmt: skip
        run = Run(
            run_id=run_id, scope=scope, scope_hash="0" * 64, created_at=now, created_by="zhang", systems=tuple(names)
        )
        run_store.add_run(tx, run, systems)
    return run


def standin(
    session: Session, journal: Journal, _worker: Worker | None, _pause: Callable[[float], None] | None
) -> tuple[Callable[[Claim], StepResult], Callable[[AttemptKey], bool]]:
    """Everything that the guard writes down, and no process."""

    def submit(claim: Claim) -> StepResult:
        attempt = journal.claim(claim.key, claim.gate_id)
        if attempt.result is not None:
            return attempt.result
        journal.intend(attempt)
        now = session.now()
        result = StepResult(status="ok", started_at=now, finished_at=now)
        journal.finish(attempt, result)
        return result

    return submit, lambda _: False


def drain(count: int, database: str | None = None) -> dict[str, float]:
    """Systems of a wave through all their steps: seconds and CPU seconds, per step as well."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder) / "w", database=database)
        with open_session(workspace, actor="bench") as session:
            run = add_wave(session, count)
            begun, cpu = time.monotonic(), time.process_time()
            work(session, until="idle", make_hands=standin)
            wall, used = time.monotonic() - begun, time.process_time() - cpu
            with session.store.read() as tx:
                states = set(run_store.states(tx, run.run_id).values())
                steps = len(tx.exec_driver_sql("SELECT step FROM step_attempt").all())
    assert states == {"trial"}, states  # noqa: S101 - a wave that did not get through proves nothing
    return {"systems": count, "steps": steps, "wall_s": wall, "cpu_s": used, "cpu_ms_per_step": 1000 * used / steps}


def _carry_all(session: Session, run: Run) -> None:
    """Each system's first leg, without the engine: what is measured begins afterwards."""
    journal = StoreJournal(session, "m/cli")
    submit, _ = standin(session, journal, None, None)
    carrier = Carrier(journal=journal, submit=submit, steps=load_steps(), rules=journal.rules, on_act=lambda *_: None)
    for name in run.systems:
        carry_leg(carrier, run.run_id, name, 1, lambda _, function: function())


def park(count: int, seconds: float = 20.0, database: str | None = None) -> dict[str, float]:
    """Systems that wait at their first gate: share of a core and resident memory of one worker meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder) / "w", gates=["provision", "freeze"], database=database)
        with open_session(workspace, actor="bench") as session:
            run = add_wave(session, count)
            _carry_all(session, run)
            with session.store.read() as tx:
                waiting = [s for s in run_store.run_systems(tx, run.run_id) if s.wait and s.wait.kind == "approval"]
            assert len(waiting) == count, len(waiting)  # noqa: S101
            measured: list[float] = []

            def measure() -> None:
                # The first looks ask for every system once; they belong to the start.
                time.sleep(20)
                begun, cpu = time.monotonic(), time.process_time()
                time.sleep(seconds)
                measured.append((time.process_time() - cpu) / (time.monotonic() - begun))

            watcher = threading.Thread(target=measure)
            watcher.start()
            work(session, until="idle", linger_s=seconds + 22, make_hands=standin, pace=Pace())
            watcher.join()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            status = Path("/proc/self/status").read_text()
            rss = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    return {"systems": count, "cpu_share": measured[0], "rss_mib": rss, "peak_rss_mib": peak}


def main(argv: Sequence[str]) -> None:
    what = {"drain": drain, "park": park}[argv[0]]
    for count in map(int, argv[1:]):
        print({key: round(value, 3) for key, value in what(count).items()}, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
