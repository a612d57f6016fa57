"""One leg: the stretch of a system's way from one wait to the next.

A leg asks what comes next, does it, and asks again, until the answer is a wait or the end; then it is over, and the wait is
a row that the dispatcher looks at. Nothing here knows the engine: `step` gives a name to each piece of work and keeps its
result, so that a leg that was interrupted goes on behind the last piece that was finished.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from govcloud.errors import IntegrityError, UsageError
from govcloud.execution.attempt import Claim
from govcloud.execution.journal import Journal, Seen
from govcloud.execution.machine import next_move
from govcloud.execution.moves import Act, Ended, Move, Park
from govcloud.execution.rules import ExecutionRules
from govcloud.model.attempt import AttemptKey, StepResult
from govcloud.model.run import Wait
from govcloud.model.step import Step, StepName
from govcloud.model.text import Text

StepRunner = Callable[[str, Callable[[], Any]], Any]
"""Runs a piece of work under a name, once: the next time the same name gives the kept result. Results are JSON."""
OVER, SUPERSEDED, REFUSED = "over", "superseded", "refused"


class Detached(BaseException):
    """This process leaves a leg where it is. Not an Exception: nothing may take it for a result and record it."""

    def __init__(self, cause: Exception | None = None) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """What legs need. `submit` carries out a claimed step and gives its result; `on_act` is told before (None) and after."""

    journal: Journal
    submit: Callable[[Claim], StepResult]
    steps: Mapping[StepName, Step]
    rules: ExecutionRules
    on_act: Callable[[AttemptKey, StepResult | None], None]

    def ask(self, seen: Seen) -> Move:
        return next_move(seen, self.steps, self.rules)

    def park(self, seen: Seen, move: Park | Ended) -> bool:
        """Write down where the system stands and what it waits for. False: another leg has gone on."""
        if isinstance(move, Ended):
            return self.journal.enter(seen.system, move.state)
        if move.opens is not None:
            self.journal.open_gate(move.opens)
        step = move.wait.step if move.wait is not None and move.wait.step is not None else seen.system.step
        return self.journal.enter(replace(seen.system, step=step), move.state, wait=move.wait)


def carry_leg(carrier: Carrier, run_id: str, system_id: str, leg: int, step: StepRunner) -> str:
    """`over` when the system waits or is done, `superseded` when a later leg has gone on, `refused` when the journal does not
    let through what the machine asks for: the reason is in the row, and it may be asked again later. Errors pass through."""
    asked, before = 0, None
    while True:
        asked += 1
        told = step(f"next#{asked}", lambda before=before: _next(carrier, run_id, system_id, leg, before))  # type: ignore[misc]
        if told["kind"] != "act":
            return str(told["kind"])
        act = msgspec.convert(told["act"], Act)
        done = step(act_name(act), lambda act=act: _act(carrier, run_id, system_id, act))  # type: ignore[misc]
        before = act, done


def _next(
    carrier: Carrier, run_id: str, system_id: str, leg: int, before: tuple[Act, Mapping[str, Any]] | None
) -> dict[str, Any]:
    seen = carrier.journal.seen(run_id, system_id)
    while seen.system.leg < leg:
        # More than one behind: the database is an old copy, the engine's own is not.
        carrier.journal.begin_leg(seen.system)
        seen = carrier.journal.seen(run_id, system_id)
    if seen.system.leg != leg:
        return {"kind": SUPERSEDED}
    move = carrier.ask(seen)
    if isinstance(move, Act):
        if before is not None and move == before[0]:
            return _same_again(carrier, seen, move, before[1])
        system = replace(seen.system, step=move.step)
        if not carrier.journal.enter(system, move.state):
            return {"kind": SUPERSEDED}
        return {"kind": "act", "act": msgspec.to_builtins(move)}
    return {"kind": OVER if carrier.park(seen, move) else SUPERSEDED}


def _act(carrier: Carrier, run_id: str, system_id: str, act: Act) -> dict[str, Any]:
    key = AttemptKey(run_id=run_id, system_id=system_id, step=act.step, phase=act.phase, number=act.number)
    carrier.on_act(key, None)
    try:
        result = carrier.submit(Claim(key=key, gate_id=act.gate_id, rerun=act.rerun))
    except UsageError as error:
        # What was asked for is not allowed any more: an answer was taken back, a file changed. Ask again.
        carrier.on_act(key, StepResult(status="failed"))
        return {"status": REFUSED, "why": [error.what.zh, error.what.en]}
    carrier.on_act(key, result)
    # The result itself is in the journal, where the next question finds it.
    return {"status": result.status}


def act_name(act: Act) -> str:
    return f"{act.step}/{act.phase}#{act.number}"


def _same_again(carrier: Carrier, seen: Seen, act: Act, done: Mapping[str, Any]) -> dict[str, Any]:
    """What has ended stays ended: asking for it again for ever would burn a core and hide the reason."""
    if done["status"] != REFUSED:
        raise IntegrityError(
            Text("同一次尝试被要求执行两次", "The same attempt was asked for twice"),
            where=f"{seen.run.run_id}/{seen.system.system_id}/{act_name(act)}",
        )
    zh, en = done["why"]
    wait = Wait(kind="unreachable", text=Text(zh, en), since=seen.now, step=act.step)
    return {"kind": REFUSED if carrier.park(seen, Park(state="waiting", wait=wait)) else SUPERSEDED}
