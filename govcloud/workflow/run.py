"""Carry out migrations: register, check, have it approved, go on after any interruption, decide what is unclear."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from govcloud.errors import UsageError
from govcloud.events import Event
from govcloud.execution.scene import prepare, verify_host_keys
from govcloud.execution.steps import load_steps
from govcloud.model.run import STEPS, Approval, Attempt, Choice, Decision, MigrationSpec, Run, StepName, StepResult
from govcloud.model.text import Text
from govcloud.store import host_keys as key_store
from govcloud.store import inventory as inventory_store
from govcloud.store import run as run_store
from govcloud.workflow.audit import write_checkpoint
from govcloud.workflow.plan import check_runnable, load_plan
from govcloud.workflow.run_journal import StoreJournal, append, demand_unchanged, load
from govcloud.workflow.run_scope import build_scope, load_specs, named_hosts, scope_hash
from govcloud.workflow.session import Session

if TYPE_CHECKING:
    from govcloud.execution.attempt import Guard, Order
    from govcloud.execution.engine import Engine
    from govcloud.execution.scene import Job

_MIGRATING = Text("迁移", "Migrating")


def register_run(
    session: Session, systems: Sequence[str] = (), *, plan_id: str | None = None, wave: int | None = None
) -> Run:
    """Record a run of the systems, or of a wave of the latest plan. No host is touched.

    Raises UsageError for systems that may not move or are in another run, InputError for a bad migration file.
    """
    chosen = _chosen(session, systems, plan_id, wave)
    if wave is not None and plan_id is None:
        plan_id = load_plan(session).plan_id
    _demand_movable(session, chosen)
    specs = load_specs(session, chosen)
    scope = build_scope(session, specs, plan_id)
    _demand_host_keys(session, list(specs.values()))
    now = session.now()
    with session.store.begin() as tx:
        earlier = run_store.runs(tx)
        for run in earlier:
            if busy := [s for s in chosen if s in run.systems and not is_settled(run, s)]:
                raise UsageError(
                    Text("系统已在另一次未完的执行中：{s}", "Already in a run that is not over: {s}").format(
                        s=", ".join(busy)
                    ),
                    where=run.run_id,
                    next_step=Text("govcloud run resume {r}", "govcloud run resume {r}").format(r=run.run_id),
                )
        day = f"r{now:%Y%m%d}-"
        number = 1 + sum(run.run_id.startswith(day) for run in earlier)
        run = Run(
            run_id=f"{day}{number}", status="prechecking", systems=tuple(chosen), specs=specs, scope=scope,
            scope_hash=scope_hash(scope), plan_id=plan_id, wave=wave, created_at=now, created_by=session.actor,
        )  # fmt: skip
        run_store.add_run(tx, run)
        append(tx, session, run, "run", {"status": "registered", "systems": list(chosen), "scope": dict(scope)})
    return run


def carry_on(session: Session, run_id: str, *, wait_approval_s: float) -> Run:
    """Start the run or go on where it stopped, until it ends, waits for a person, or Ctrl-C.

    Raises UsageError while another process works on it, InputError when what was approved has changed.
    """
    with session.store.read() as tx:
        run = load(tx, run_id)
    if is_over(run):
        return run
    with operator_lock(session, run_id):
        engine(session, run, wait_approval_s).migrate()
    return load_run(session, run_id)


def approve_run(session: Session, run_id: str, *, approved: bool = True, reason: str | None = None) -> Approval:
    """Answer the request of a run. Nobody approves his own; anybody may refuse, which ends the run.

    Raises UsageError (own run, not waiting, answered already) and InputError (changed since it was registered).
    """
    with session.store.read() as tx:
        run = load(tx, run_id)
    if approved:
        if session.actor.strip().casefold() == run.created_by.strip().casefold():
            raise UsageError(
                Text("不能批准自己发起的执行", "Nobody approves a run of his own"),
                where=run_id,
                next_step=Text(
                    "请另一人批准：govcloud --user 姓名 run approve {r}",
                    "Have another person do it: govcloud --user NAME run approve {r}",
                ).format(r=run_id),
            )
        demand_unchanged(session, run)
    answer = Approval(
        run_id=run_id,
        actor=session.actor,
        scope_hash=run.scope_hash,
        at=session.now(),
        approved=approved,
        reason=reason,
    )
    with session.store.begin() as tx:
        run = load(tx, run_id)
        if run.status != "waiting_approval" or run_store.approval(tx, run_id) is not None:
            raise UsageError(
                Text("这次执行不在等待批准", "This run is not waiting for an approval"),
                where=f"{run_id} ({run.status})",
                next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
            )
        run_store.add_approval(tx, answer)
        body = {"approved": approved, "reason": reason, "requested_by": run.created_by, "scope": dict(run.scope)}
        append(tx, session, run, "approval", body)
        if approved:
            write_checkpoint(session, tx)
        else:
            run_store.update_run(tx, replace(run, status="failed", outcomes=dict.fromkeys(run.systems, "failed")))
    return answer


def decide(
    session: Session,
    run_id: str,
    step: StepName,
    choice: Choice,
    *,
    system_id: str | None = None,
    reason: str | None = None,
) -> Decision:
    """A person's word on the attempt that the run waits for. Raises UsageError when it waits for none of that step."""
    with session.store.begin() as tx:
        run = load(tx, run_id)
        waiting = _waiting(run, run_store.attempts(tx, run_id))
        if waiting is None or waiting.step != step or system_id not in (None, waiting.system_id):
            asked = f"{waiting.system_id} {waiting.step}" if waiting else "—"
            raise UsageError(
                Text("这一步不在等待决定；等待中的是：{w}", "This step waits for no decision; waiting: {w}").format(
                    w=asked
                ),
                where=f"{run_id} {step}",
            )
        made = Decision(
            system_id=waiting.system_id, step=step, attempt=waiting.number, choice=choice, actor=session.actor,
            at=session.now(), reason=reason,
        )  # fmt: skip
        run_store.update_run(tx, replace(run, decisions=(*run.decisions, made)))
        body = {"step": step, "attempt": waiting.number, "choice": choice, "reason": reason}
        append(tx, session, run, "decision", body, subject_id=waiting.system_id)
    return made


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
    with session.store.read() as tx:
        return run_store.runs(tx)


def run_attempts(session: Session, run_id: str) -> list[Attempt]:
    with session.store.read() as tx:
        return run_store.attempts(tx, run_id)


def run_approval(session: Session, run_id: str) -> Approval | None:
    with session.store.read() as tx:
        return run_store.approval(tx, run_id)


def waiting_attempt(session: Session, run: Run) -> Attempt | None:
    """The attempt that a person has to decide on."""
    return _waiting(run, run_attempts(session, run.run_id))


def step_titles() -> dict[StepName, Text]:
    return {name: step.title for name, step in load_steps().items()}


def is_over(run: Run) -> bool:
    """The workflow has ended: nothing to resume."""
    return "needs_person" in run.outcomes.values() or all(s in run.outcomes for s in run.systems)


def is_settled(run: Run, system_id: str) -> bool:
    """The system is free for another run."""
    return is_over(run) and run.outcomes.get(system_id) != "needs_person"


def _waiting(run: Run, attempts: Sequence[Attempt]) -> Attempt | None:
    if run.status != "needs_person" or is_over(run):
        return None
    open_ones = [a for a in attempts if a.result is not None and a.result.status in ("unknown", "failed")]
    last = open_ones[-1] if open_ones else None
    decided = {(d.system_id, d.step, d.attempt) for d in run.decisions}
    return None if last is None or (last.system_id, last.step, last.number) in decided else last


def _chosen(session: Session, systems: Sequence[str], plan_id: str | None, wave: int | None) -> list[str]:
    if plan_id is None and wave is None:
        if not systems:
            raise UsageError(
                Text("没有指明系统或批次", "Name systems or a wave"),
                next_step=Text("run start 系统编号… 或 run start --wave 1", "run start SYSTEM… or run start --wave 1"),
            )
        return list(dict.fromkeys(systems))
    plan = load_plan(session, plan_id)
    check_runnable(plan)
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


def _demand_movable(session: Session, systems: Sequence[str]) -> None:
    with session.store.read() as tx:
        inventory = inventory_store.load_inventory(tx)
    for system_id in systems:
        system = inventory.system(system_id)
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


def _demand_host_keys(session: Session, specs: Sequence[MigrationSpec]) -> None:
    hosts = named_hosts(session)
    with session.store.read() as tx:
        keys = key_store.approved_keys(tx)
    missing = sorted({h for spec in specs for h in verify_host_keys(spec, hosts, keys)})
    if missing:
        raise UsageError(
            Text("主机公钥尚未批准：{h}", "No approved host key: {h}").format(h=", ".join(missing)),
            next_step=Text(
                "先用 govcloud discover ssh 核对并批准指纹",
                "Check and approve the fingerprints with govcloud discover ssh",
            ),
        )


@contextmanager
def operator_lock(session: Session, run_id: str) -> Iterator[None]:
    """One process at a time works on a run. Raises UsageError with the holder's name."""
    path = session.workspace.folder("evidence") / run_id / "operator.lock"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "?"
            raise UsageError(
                Text("正由 {h} 执行，不能同时执行", "{h} is working on it; a second one is refused").format(h=holder),
                where=run_id,
                next_step=Text("govcloud run status {r}", "govcloud run status {r}").format(r=run_id),
            ) from None
        stream.truncate(0)
        stream.write(f"{session.actor} (pid {os.getpid()}, {platform.node()})")
        stream.flush()
        yield


def engine(
    session: Session, run: Run, wait_approval_s: float, *, make_guard: Callable[..., Guard] | None = None
) -> Engine:
    """The engine for one run, with everything it needs from the store and the workspace.

    `make_guard` in place of Guard: another supervisor program, or something to do at a guard's boundaries.
    """
    # DBOS takes most of a second to import: only commands that execute pay for it.
    from govcloud.execution.attempt import Guard, Order
    from govcloud.execution.engine import Engine, Task

    steps = load_steps()
    executor = f"{run.run_id}@{platform.node()}"
    journal = StoreJournal(session, run.run_id, executor)
    evidence = session.workspace.folder("evidence") / run.run_id
    total = len(run.systems) * len(STEPS)
    seen: set[tuple[str, StepName]] = set()

    def order(system_id: str, step: StepName, number: int) -> Order:
        folder = evidence / system_id / step / str(number)
        return Order(
            system_id=system_id, step=step, number=number, folder=folder,
            prepare=lambda path: _prepare(session, run, system_id, step, number, path),
        )  # fmt: skip

    def on_step(system_id: str, step: StepName, result: StepResult | None) -> None:
        if result is not None:
            seen.add((system_id, step))
        title = steps[step].title.to(session.lang)
        session.observer.on_event(
            Event(what=_MIGRATING, subject=f"{system_id} {title}", done=len(seen), total=max(total, len(seen)))
        )

    task = Task(
        run_id=run.run_id, executor=executor, specs=run.specs, steps=steps, journal=journal, order=order,
        wait_approval_s=wait_approval_s, on_step=on_step,
    )  # fmt: skip
    return Engine(
        session.workspace.path,
        task,
        lambda pause: (make_guard or Guard)(journal=journal, executor=executor, pause=pause),
    )


def _prepare(session: Session, run: Run, system_id: str, step: StepName, number: int, folder: Path) -> Job:
    with session.store.read() as tx:
        keys = key_store.approved_keys(tx)
    spec = run.specs[system_id]
    rerun = any(d.system_id == system_id and d.step == step and d.choice == "rerun" for d in run.decisions)
    database = spec.target.database
    variables = {
        "run_id": run.run_id,
        "attempt": number,
        "approved_rerun": rerun and number > 1,
        "copy_name": f"{database.name[:24]}_{run.run_id}_{number}".replace("-", "_") if database else "",
    }
    return prepare(folder, step, spec, named_hosts(session), keys, variables, spec.deadline_min * 60)
