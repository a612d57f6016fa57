"""Runs: register systems for migration, and find runs again. What people say to a run is in run_orders and run_gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from govcloud.errors import InputError, UsageError
from govcloud.execution.drivers.cloud_init import load_public_key
from govcloud.execution.drivers.offer import verify_provision
from govcloud.execution.rules import parse_rules
from govcloud.execution.scene import verify_host_keys
from govcloud.execution.spec import FOLDER, zone_of
from govcloud.execution.steps import load_steps
from govcloud.model.migration import MigrationSpec
from govcloud.model.plan import MigrationPlan
from govcloud.model.run import Run, RunSystem
from govcloud.model.step import StepName
from govcloud.model.text import Text
from govcloud.store import host_keys as key_store
from govcloud.store import inventory as inventory_store
from govcloud.store import run as run_store
from govcloud.workflow.office import office_catalog, today
from govcloud.workflow.plan import check_runnable, load_plan
from govcloud.workflow.run_journal import append, load, sign, writing
from govcloud.workflow.run_scope import (
    Place,
    ScopeReader,
    demand_latest,
    demand_time,
    digest,
    load_specs,
    plan_places,
    system_scope,
)
from govcloud.workflow.session import Session


def register_run(
    session: Session, systems: Sequence[str] = (), *, plan_id: str | None = None, wave: int | None = None
) -> Run:
    """Record a run of the systems, or of a wave of the latest plan. No host is touched.

    Raises UsageError for systems that may not move or are in another run, InputError for a bad migration file.
    """
    plan = _plan(session, systems, plan_id, wave)
    chosen = _chosen(systems, plan, wave)
    _demand_movable(session, chosen)
    reader = ScopeReader(session)
    specs = load_specs(reader, chosen)
    _demand_host_keys(session, reader, list(specs.values()))
    _demand_provisionable(session, specs)
    rules = parse_rules(session.workspace.settings.execution)
    if plan is not None:
        demand_time(session, plan, specs)
    places = plan_places(plan, chosen) if plan else {}
    with writing(session) as tx:
        if plan is not None:
            demand_latest(tx, plan)
        _demand_free(tx, chosen)
        now = session.now()
        parts: dict[str, str] = {}
        for system_id in chosen:
            parts |= reader.parts(tx, system_id, planned=plan is not None)
        run = Run(
            run_id=_new_id(tx, today(session)), plan_id=plan.plan_id if plan else None, wave=wave, scope=parts,
            scope_hash=digest(parts), created_at=now, created_by=session.actor, systems=tuple(chosen),
            max_failed_pct=rules.max_failed_pct,
            settings={k: v for k in rules.__dataclass_fields__ if isinstance(v := getattr(rules, k), int)},
        )  # fmt: skip
        rows = [
            _row(run, n, specs[s], zone_of(specs[s], reader.hosts()), places.get(s))
            for n, s in enumerate(chosen, start=1)
        ]
        run_store.add_run(tx, run, rows)
        append(tx, session, run, "run", {"status": "registered", "systems": chosen, "scope": parts})
        sign(session, tx)
    return run


def load_run(session: Session, run_id: str | None = None) -> Run:
    """The named run, or the newest. Raises UsageError where there is none."""
    with session.store.read() as tx:
        if run_id is not None:
            return load(tx, run_id)
        found = run_store.runs(tx)
    if not found:
        raise UsageError(
            Text("还没有执行过迁移", "Nothing has been run yet"),
            next_step=Text("govcloud run start 系统编号", "govcloud run start SYSTEM"),
        )
    return found[0]


def list_runs(session: Session) -> list[Run]:
    """The newest first."""
    with session.store.read() as tx:
        return run_store.runs(tx)


def step_titles() -> dict[StepName, Text]:
    return {name: step.title for name, step in load_steps().items()}


def _plan(session: Session, systems: Sequence[str], plan_id: str | None, wave: int | None) -> MigrationPlan | None:
    if plan_id is None and wave is None:
        if not systems:
            raise UsageError(
                Text("没有指明系统或批次", "Name systems or a wave"),
                next_step=Text("run start 系统编号… 或 run start --wave 1", "run start SYSTEM… or run start --wave 1"),
            )
        return None
    plan = load_plan(session, plan_id)
    check_runnable(plan)
    return plan


def _chosen(systems: Sequence[str], plan: MigrationPlan | None, wave: int | None) -> list[str]:
    if plan is None:
        return list(dict.fromkeys(systems))
    waves = [w for w in plan.waves if wave in (None, w.number)]
    planned = [m.system_id for w in waves for m in sorted(w.moves, key=lambda m: (m.starts_at, m.system_id))]
    if missing := [s for s in systems if s not in planned]:
        raise UsageError(
            Text("不在计划的这一批次中：{s}", "Not in that wave of the plan: {s}").format(s=", ".join(missing)),
            where=plan.plan_id,
        )
    if not planned:
        raise UsageError(Text("计划中没有这一批次", "The plan has no such wave"), where=f"{plan.plan_id} {wave}")
    return [s for s in planned if not systems or s in systems]


def _row(run: Run, position: int, spec: MigrationSpec, zone: str | None, place: Place | None) -> RunSystem:
    return RunSystem(
        run_id=run.run_id, system_id=spec.system_id, position=position, after=place.after if place else (), zone=zone,
        spec=spec, scope_hash=system_scope(run.scope, spec.system_id), since=run.created_at,
        opens_at=place.opens_at if place else None, closes_at=place.closes_at if place else None,
    )  # fmt: skip


def _new_id(tx: Connection, on: date) -> str:
    """`on`: the office's day, which after midnight is not yet the day of UTC."""
    day = f"r{on:%Y%m%d}-"
    numbers = [int(r.run_id.removeprefix(day)) for r in run_store.runs(tx) if r.run_id.startswith(day)]
    return f"{day}{1 + max(numbers, default=0)}"


def _demand_free(tx: Connection, systems: Sequence[str]) -> None:
    busy: Mapping[str, str] = run_store.busy(tx, systems)
    if busy:
        raise UsageError(
            Text("系统已在另一次未完的执行中：{s}", "Already in a run that is not over: {s}").format(
                s=", ".join(sorted(busy))
            ),
            where=", ".join(sorted(set(busy.values()))),
            next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=min(busy.values())),
        )


def _demand_movable(session: Session, systems: Sequence[str]) -> None:
    with session.store.read() as tx:
        inventory = inventory_store.load_part(tx, {"system"})
    known = {s.system_id: s for s in inventory.systems}
    for system_id in systems:
        system = known.get(system_id)
        if system is None:
            raise UsageError(
                Text("清单中没有这个系统", "No such system in the inventory"),
                where=system_id,
                next_step=Text("先导入普查表", "Import the census first"),
            )
        if system.classified is not False:
            raise UsageError(
                Text(
                    "涉密系统或涉密情况不明的系统不得上政务云",
                    "Classified, or not known to be unclassified: it must not move",
                ),
                where=system_id,
                next_step=Text("先在普查表中写明是否涉密", "State in the census whether it is classified"),
            )


def _demand_provisionable(session: Session, specs: Mapping[str, MigrationSpec]) -> None:
    """Machines that the run is to make must be such as the catalog in force offers: better known now than in the window."""
    made = [(s, m) for s, spec in specs.items() for m in spec.machines if m.provision or m.image]
    if not made:
        return
    catalog = office_catalog(session)
    for system_id, machine in made:
        code = machine.provision.offering.partition(":")[0].strip() if machine.provision else ""
        for problem in verify_provision(machine, catalog.offering(code)):
            raise InputError(
                Text("目标机器不能这样创建：{p}", "The target can't be made like this: {p}").format(p=problem),
                where=str(session.workspace.path / FOLDER / f"{system_id}.yaml"),
                next_step=Text("对照服务目录改正", "Correct it after the service catalog"),
            )
        load_public_key(machine, session.workspace.path)


def _demand_host_keys(session: Session, reader: ScopeReader, specs: Sequence[MigrationSpec]) -> None:
    with session.store.read() as tx:
        keys = key_store.approved_keys(tx)
    hosts = dict(reader.hosts())
    missing = sorted({h for spec in specs for h in verify_host_keys(spec, hosts, keys)})
    if missing:
        raise UsageError(
            Text("主机公钥尚未批准：{h}", "No approved host key: {h}").format(h=", ".join(missing)),
            next_step=Text(
                "先用 govcloud discover trust 核对并批准指纹",
                "Check and approve the fingerprints with govcloud discover trust",
            ),
        )
