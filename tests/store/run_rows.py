"""Rows as tests want them: a run of some systems, and attempts of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from govcloud.model.attempt import Attempt, AttemptKey
from govcloud.model.migration import EntranceSpec, HttpCheck, MachineSpec, MigrationSpec, VerifySpec
from govcloud.model.run import Run, RunSystem
from govcloud.model.step import Phase, StepName

AT = datetime(2026, 3, 7, 20, tzinfo=UTC)
SYSTEM = "SL-OA-01"


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def spec(system_id: str = SYSTEM) -> MigrationSpec:
    return MigrationSpec(
        system_id=system_id,
        machines=(MachineSpec(source="oa-01", target="cloud-01"),),
        entrances=(EntranceSpec(host="entry-01", file="/etc/e.json", name="oa", source="http://a", target="http://b"),),
        verify=VerifySpec(url="http://e/oa", checks=(HttpCheck(path="/health", contains="正常"),)),
    )


def run(run_id: str = "r1", systems: tuple[str, ...] = (SYSTEM,), *, seconds: float = 0) -> Run:
    return Run(
        run_id=run_id, scope={"playbooks": "a" * 64}, scope_hash="b" * 64, created_at=at(seconds), created_by="操作员甲",
        systems=systems, settings={"slots": 10},
    )  # fmt: skip


def system(system_id: str = SYSTEM, run_id: str = "r1", position: int = 1) -> RunSystem:
    return RunSystem(
        run_id=run_id, system_id=system_id, position=position, spec=spec(system_id), scope_hash="b" * 64, since=AT,
    )  # fmt: skip


def attempt(
    step: StepName = "precheck", number: int = 1, token: int = 1, *, phase: Phase = "apply", system_id: str = SYSTEM,
    run_id: str = "r1", seconds: float = 0,
) -> Attempt:  # fmt: skip
    return Attempt(
        key=AttemptKey(run_id=run_id, system_id=system_id, step=step, phase=phase, number=number), token=token,
        executor="m1/cli", machine_id="m1", state="claimed", claimed_at=at(seconds), heartbeat_at=at(seconds),
    )  # fmt: skip
