"""A world for the pure machine: it plays results, answers and orders, and refuses whatever must never happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from govcloud.execution.history import data_bytes, downtime
from govcloud.execution.journal import Seen
from govcloud.execution.machine import Act, Ended, Move, Park, next_move
from govcloud.execution.rules import ExecutionRules
from govcloud.execution.steps import ORDER, SOURCE_UNTOUCHED, WAY_BACK, applicable, load_steps
from govcloud.model.account import same_person
from govcloud.model.attempt import Attempt, AttemptKey, StepResult
from govcloud.model.gate import Answer, Gate, Order, OrderKind
from govcloud.model.migration import (
    EntranceSpec,
    FilesSpec,
    HttpCheck,
    MachineSpec,
    MigrationSpec,
    NetworkSpec,
    ProvisionSpec,
    ServiceEnd,
    ServiceSpec,
    VerifySpec,
)
from govcloud.model.resource import Resource
from govcloud.model.run import Run, RunSystem, SystemState
from govcloud.model.step import Phase, StepName

AT = datetime(2026, 3, 7, 14, tzinfo=UTC)
RUN, SYSTEM = "r1", "SL-A"
STEPS = load_steps()
Result = Callable[[StepName, Phase, int], str]


def make_spec(*, provision: bool = False, network: bool = False, on_failure: str = "rollback") -> MigrationSpec:
    made = ProvisionSpec(driver="existing", offering="M-ECS-G2:4C8G", image="示例镜像", network="net-1")
    return MigrationSpec(
        system_id=SYSTEM,
        machines=(MachineSpec(source="old-a", target="new-a", provision=made if provision else None),),
        files=(FilesSpec(source="/srv/a", target="/srv/a"),),
        services=(ServiceSpec(source=ServiceEnd(systemd="a.service"), target=ServiceEnd(systemd="a.service")),),
        entrances=(EntranceSpec(host="proxy", file="/etc/e.json", name="a", source="http://old", target="http://new"),),
        verify=VerifySpec(url="http://a.example", checks=(HttpCheck(path="/"),)),
        network=NetworkSpec(network_id="NW-1", router="gw", prefix="10.0.0.0/24", zone_from="专网", zone_to="外网")
        if network
        else None,
        on_failure=on_failure,  # type: ignore[arg-type]
    )


class World:
    """`results` says what each attempt comes to: ok, failed, unknown, stopped, unreachable, or wait:KIND."""

    def __init__(
        self,
        spec: MigrationSpec | None = None,
        rules: ExecutionRules | None = None,
        results: Result = lambda *_: "ok",
        *,
        opens_at: datetime | None = None,
        closes_at: datetime | None = None,
        after: tuple[str, ...] = (),
        max_failed_pct: int = 0,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.rules = rules or ExecutionRules(retention_days=30)
        self.results, self.now = results, AT
        self.run = Run(
            run_id=RUN, scope={}, scope_hash="0" * 64, created_at=AT, created_by="zhang", systems=(SYSTEM,),
            max_failed_pct=max_failed_pct, settings=settings or {},
        )  # fmt: skip
        self.system = RunSystem(
            run_id=RUN, system_id=SYSTEM, position=1, spec=spec or make_spec(), scope_hash="h1", since=AT,
            opens_at=opens_at, closes_at=closes_at, after=after,
        )  # fmt: skip
        self.attempts: list[Attempt] = []
        self.gates: list[Gate] = []
        self.answers: dict[str, list[Answer]] = {}
        self.orders: list[Order] = []
        self.others: dict[str, SystemState] = {}
        self.changed: tuple[str, ...] = ()
        self.resources: list[Resource] = []
        self.did: list[str] = []

    def seen(self) -> Seen:
        return Seen(
            run=replace(self.run, systems=(SYSTEM, *self.others)), system=self.system, attempts=tuple(self.attempts), gates=tuple(self.gates), answers=self.answers,
            orders=tuple(self.orders), others={**self.others, SYSTEM: self.system.state}, changed=self.changed,
            resources=tuple(self.resources), now=self.now,
        )  # fmt: skip

    def move(self) -> Move:
        seen = self.seen()
        move = next_move(seen, STEPS, self.rules)
        assert next_move(seen, STEPS, self.rules) == move
        return move

    def once(self, *, end: bool = True) -> Move:
        """Do what comes next. `end` False: leave a step that begins under way."""
        move = self.move()
        if isinstance(move, Act):
            self._begin(move)
            if end:
                self.end(self.results(move.step, move.phase, move.number))
        elif isinstance(move, Park):
            if move.opens is not None:
                self.gates.append(move.opens)
            self.system = replace(self.system, state=move.state, wait=move.wait)
        else:
            self.system = replace(self.system, state=move.state, wait=None)
        return move

    def go(self, *, most: int = 200) -> Move:
        """On to the next wait or the end."""
        for _ in range(most):
            before = len(self.gates)
            move = self.once()
            if not isinstance(move, Act) and len(self.gates) == before:
                return move
        raise AssertionError(f"no end: {self.did[-6:]}")

    def until(self, step: StepName, phase: Phase = "apply") -> None:
        """Up to this attempt, which is left under way; gates are approved and windows waited for."""
        for _ in range(100):
            move = self.move()
            if isinstance(move, Act) and (move.step, move.phase) == (step, phase):
                self.once(end=False)
                return
            self.once()
            self.pass_wait()
        raise AssertionError(f"{step} is never begun: {self.did}")

    def pass_wait(self) -> None:
        wait = self.system.wait
        if self.system.state == "waiting" and wait is not None:
            if wait.kind == "approval" and wait.gate_id is not None and not self.answers.get(wait.gate_id):
                self.answer("li")
            elif wait.until is not None:
                self.now = max(self.now, wait.until)

    def finish(self) -> Move:
        """Approve and wait for whatever comes by itself, up to the trial, a person or the end."""
        for _ in range(100):
            move = self.go()
            before = (self.now, len(self.orders), sum(map(len, self.answers.values())))
            self.pass_wait()
            if before == (self.now, len(self.orders), sum(map(len, self.answers.values()))):
                return move
        raise AssertionError("it never comes to rest")

    def answer(self, actor: str, *, granted: bool = True, emergency: bool = False, hours: int | None = None) -> None:
        gate = self.gates[-1]
        self.answers.setdefault(gate.gate_id, []).append(
            Answer(
                gate_id=gate.gate_id, actor=actor, at=self.now, granted=granted, emergency=emergency,
                expires_at=self.now + timedelta(hours=self.rules.approval_hours if hours is None else hours),
            )
        )  # fmt: skip

    def order(self, kind: OrderKind, actor: str = "wang", *, about: AttemptKey | None = None, **more: Any) -> None:
        key = {"step": about.step, "phase": about.phase, "attempt": about.number} if about else {}
        self.orders.append(
            Order(
                number=len(self.orders) + 1, run_id=RUN, system_id=SYSTEM, kind=kind, actor=actor, at=self.now,
                **{**key, **more},
            )
        )  # fmt: skip

    def word(self, kind: OrderKind, actor: str = "wang") -> None:
        """On the attempt that is asked about."""
        move = self.move()
        assert isinstance(move, Park) and move.about is not None, move
        self.order(kind, actor, about=move.about)

    def end(self, told: str) -> None:
        """What the attempt under way came to."""
        live = self.attempts[-1]
        assert live.result is None
        self.now += timedelta(minutes=1)
        wait = told.partition(":")[2]
        status = {"unreachable": "failed"}.get(told, "failed" if wait else told)
        result = StepResult(
            status=status, unreachable=told == "unreachable", started_at=live.claimed_at, finished_at=self.now,  # type: ignore[arg-type]
            facts={"wait": wait} if wait else {},
        )  # fmt: skip
        self.attempts[-1] = replace(live, state="ended", result=result)
        self.system = replace(self.system, data_bytes=data_bytes(self.attempts))

    def _begin(self, act: Act) -> None:
        live = [a for a in self.attempts if a.result is None]
        if live:
            assert (live[0].key.step, live[0].key.phase, live[0].key.number) == (act.step, act.phase, act.number)
            return
        self._refuse_what_must_not_be(act)
        if act.gate_id is not None:
            gate = next(g for g in self.gates if g.gate_id == act.gate_id)
            assert gate.used_at is None and gate.step == act.step
            self.gates[self.gates.index(gate)] = replace(gate, used_at=self.now)
        key = AttemptKey(run_id=RUN, system_id=SYSTEM, step=act.step, phase=act.phase, number=act.number)
        assert key not in {a.key for a in self.attempts}, "a number is used once"
        self.did.append(f"{act.step}/{act.phase}#{act.number}")
        self.attempts.append(
            Attempt(
                key=key, token=len(self.attempts) + 1, executor="w", machine_id="m", state="intended", claimed_at=self.now,
                heartbeat_at=self.now,
            )
        )  # fmt: skip
        self.system = replace(self.system, state=act.state, step=act.step, wait=None)

    def _refuse_what_must_not_be(self, act: Act) -> None:
        begun = [a for a in self.attempts if a.key.phase == "apply"]
        mine = [a for a in begun if a.key.step == act.step]
        if act.phase == "rollback":
            assert mine, f"{act.step} was never begun: there is nothing to undo"
            back = [a for a in self.attempts if a.key.step == act.step and a.key.phase == "rollback"]
            if back and back[-1].token > mine[-1].token:
                assert not self.proven(back[-1]), "undone already"
        if act.phase != "apply":
            return
        going_back = [a for a in self.attempts if a.key.phase == "rollback" and a.key.step in WAY_BACK]
        assert not going_back, "nothing begins on the way back"
        # The copy may be brought up to date as often as it takes, as long as the source serves.
        refresh = act.step == "replicate" and not any(a.key.step == "freeze" for a in self.attempts)
        if act.step != "precheck" and mine and not refresh:
            assert not self.step_done(act.step), f"{act.step} is done and would be done again"
        names = [n for n in applicable(self.system.spec) if n != "switch_off"]
        for earlier in names[: names.index(act.step)] if act.step in names else names:
            assert self.step_done(earlier), f"{act.step} before {earlier}"
        allowed = [
            o for o in self.orders
            if o.kind == "rerun" and (o.step, o.phase) == ("cutover", "apply") and not same_person(o.actor, "zhang")
        ]  # fmt: skip
        if act.step == "cutover":
            assert len(mine) < 1 + len({o.attempt for o in allowed})
        first = "provision" if "provision" in names else "prepare"
        if not mine and (act.step == "freeze" or (act.step == first and "provision" in self.rules.gates)):
            assert act.gate_id is not None, "no gate was passed"
        if act.step not in SOURCE_UNTOUCHED and act.step != "switch_off":
            assert any(g.step == "freeze" and (g.used_at or g.gate_id == act.gate_id) for g in self.gates)

    def proven(self, attempt: Attempt) -> bool:
        key = attempt.key
        said = [
            o.kind for o in self.orders
            if o.kind in ("rerun", "done", "abort") and (o.step, o.phase, o.attempt) == (key.step, key.phase, key.number)
        ]  # fmt: skip
        return (attempt.result is not None and attempt.result.status == "ok") or said[-1:] == ["done"]

    def step_done(self, step: StepName) -> bool:
        made = [a for a in self.attempts if a.key.step == step and a.key.phase == "apply"]
        if not made:
            return False
        probes = [
            a for a in self.attempts if a.key.step == step and a.key.phase == "verify" and a.token > made[-1].token
        ]
        return self.proven(made[-1]) or any(a.result is not None and a.result.status == "ok" for a in probes)

    @property
    def downtime(self) -> tuple[datetime | None, datetime | None]:
        return downtime(self.attempts)


def shown(move: Move) -> str:
    """One cell of a table."""
    if isinstance(move, Act):
        return f"{move.step}/{move.phase}"
    if isinstance(move, Ended):
        return f"end {move.state}"
    return f"{move.state}:{move.wait.kind if move.wait else '-'}"


def failing(step: StepName, phase: Phase = "apply", how: str = "failed", times: int = 99) -> Result:
    return lambda s, p, n: how if (s, p) == (step, phase) and n <= times else "ok"


__all__ = ["AT", "ORDER", "RUN", "STEPS", "SYSTEM", "World", "failing", "make_spec", "shown"]
