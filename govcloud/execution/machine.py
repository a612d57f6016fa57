"""What comes next for one system of a run: total over every state and everything that can be seen. Pure.

The answer follows from attempts, answers and orders alone, so it is the same after a crash, on another machine, and however
often it is asked. The row's state only says where the system has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from govcloud.execution import waits
from govcloud.execution.gates import needs_approval, needs_gate, standing
from govcloud.execution.history import (
    MAX_TRIES,
    data_bytes,
    downtime,
    first_order,
    is_held,
    is_unclear,
    last_order,
    next_number,
    retry_at,
    since_begun,
    streak,
    tries,
    word_on,
)
from govcloud.execution.journal import Seen
from govcloud.execution.moves import Act, Back, Ended, Move, Park
from govcloud.execution.rules import ExecutionRules
from govcloud.execution.steps import SOURCE_UNTOUCHED, WAY_BACK, applicable
from govcloud.execution.way_back import go_back, undo
from govcloud.execution.window import Window, build_window, opens_later, window_problem
from govcloud.model.attempt import Attempt
from govcloud.model.gate import Gate, Order
from govcloud.model.run import ENDED, MOVED
from govcloud.model.step import Step, StepName
from govcloud.model.text import Text

__all__ = ["Act", "Back", "Ended", "Move", "Park", "data_bytes", "downtime", "next_move", "open_question"]

Steps = Mapping[StepName, Step]
OLDER = "older_version"
"""Setting of a run that an older version has begun; its value is that version's revision."""
_BEFORE_FREEZE: frozenset[StepName] = SOURCE_UNTOUCHED | {"freeze"}


def next_move(seen: Seen, steps: Steps, rules: ExecutionRules) -> Move:
    """Orders hold and cancel never interrupt: what is under way is gone on with, and the guard stops it where that was asked."""
    if seen.system.state in ENDED:
        return Ended(state=seen.system.state)
    live = next((a for a in seen.attempts if a.result is None), None)
    if live is not None:
        return _go_on(seen, live, steps)
    rules = rules.with_people(seen.holders)
    move = _of_older_version(seen, steps, rules) if OLDER in seen.run.settings else _way(seen, steps, rules)
    if is_held(seen) and (
        isinstance(move, Act) or (isinstance(move, Park) and move.state in ("waiting", "rolling_back"))
    ):
        step = move.step if isinstance(move, Act) else move.wait.step if move.wait else None
        return Park(state="held", wait=waits.hold_wait(seen, step))
    return move


def _of_older_version(seen: Seen, steps: Steps, rules: ExecutionRules) -> Move:
    """Its steps were others: none of ours may begin, but what it has moved can be taken back, accepted and switched off."""
    if (turned := _turned(seen)) is not None or any(o.kind == "abort" for o in seen.orders):
        return go_back(seen, turned or Back(state="failed"))
    if seen.system.state == "needs_person":
        return Park(state="needs_person", wait=seen.system.wait)
    return _afterwards(seen, steps, rules)


def open_question(seen: Seen, steps: Steps, rules: ExecutionRules) -> Park | None:
    """The wait in which a person's word on an attempt is due."""
    move = next_move(seen, steps, rules)
    return move if isinstance(move, Park) and move.about is not None else None


def _go_on(seen: Seen, live: Attempt, steps: Steps) -> Act:
    key = live.key
    before = replace(key, number=key.number - 1)
    word = word_on(seen, before, steps[key.step].repeatable or key.phase != "apply")
    back = key.phase == "rollback" and key.step in WAY_BACK and key.step != "prepare"
    return Act(
        step=key.step, phase=key.phase, number=key.number, rerun=word is not None and word.kind == "rerun",
        state="rolling_back" if back else "running",
    )  # fmt: skip


def _way(seen: Seen, steps: Steps, rules: ExecutionRules) -> Move:
    turned = _turned(seen)
    if turned is None:
        ahead = _ahead(seen, steps, rules)
        if not isinstance(ahead, Back):
            return ahead
        turned = ahead
    return go_back(seen, turned)


def _turned(seen: Seen) -> Back | None:
    """Somebody wanted the way back before the system was accepted, or it has been begun."""
    asked, accepted = first_order(seen, "cancel", "rollback"), _accepted(seen)
    if asked is not None and (accepted is None or asked.number < accepted.number):
        return Back(state="cancelled")
    if any(not a.granted for g in seen.gates if g.step != "switch_off" for a in seen.answers.get(g.gate_id, ())):
        return Back(state="cancelled")
    begun = any(a.key.phase == "rollback" and a.key.step in WAY_BACK for a in seen.attempts)
    return Back(state="failed") if begun else None


def _accepted(seen: Seen) -> Order | None:
    """The trial has been passed; said before there was anything to accept, it counts for nothing."""
    proofs = tries(seen, "verify_service", "apply")
    ended = proofs[-1].result.finished_at if proofs and proofs[-1].result else None
    return next((o for o in seen.orders if o.kind == "accept" and ended is not None and o.at >= ended), None)


def _ahead(seen: Seen, steps: Steps, rules: ExecutionRules) -> Move | Back:
    for name in applicable(seen.system.spec):
        if name == "switch_off":
            break
        move = _step(seen, steps, rules, name)
        if move is not None:
            return move
    return _afterwards(seen, steps, rules)


def _step(seen: Seen, steps: Steps, rules: ExecutionRules, name: StepName) -> Move | Back | None:
    """What brings this step forward; None: it is done."""
    step, made = steps[name], tries(seen, name, "apply")
    if not made:
        return _begin(seen, steps, rules, step, rerun=False)
    last = made[-1]
    result = last.result
    if result is None:
        raise ValueError("a live attempt is gone on with before anything is judged")
    if name == "rehearse" and (move := undo(seen, name, "running")) is not None:
        # Whatever came of it, the copy is stopped before anything else happens to it.
        return move
    if result.status == "ok":
        return None
    word = word_on(seen, last.key, step.repeatable)
    if word is not None:
        return _as_told(seen, steps, rules, step, word)
    if name in SOURCE_UNTOUCHED and (missing := waits.fact_wait(seen, last)) is not None:
        return (
            _begin(seen, steps, rules, step, rerun=False)
            if _provided(seen, last)
            else Park(state="waiting", wait=missing)
        )
    if not is_unclear(result):
        return _failed(seen, step, last)
    if step.touches == "nothing" or name == "rehearse":
        return _look_again(seen, steps, rules, step, made)
    return _probe(seen, steps, rules, step, made)


def _as_told(seen: Seen, steps: Steps, rules: ExecutionRules, step: Step, word: Order) -> Move | Back | None:
    if word.kind == "done":
        return None
    if word.kind == "abort":
        return Back(state="failed")
    return _begin(seen, steps, rules, step, rerun=True)


def _failed(seen: Seen, step: Step, last: Attempt) -> Park | Back:
    ahead = step.name in SOURCE_UNTOUCHED
    if step.name != "switch_off" and (ahead or seen.system.spec.on_failure == "rollback"):
        return Back(state="failed")
    why = Text("“{t}”失败", '"{t}" failed').format(t=step.title)
    return Park(state="needs_person", wait=waits.person_wait(seen, last, why), about=last.key)


def _look_again(seen: Seen, steps: Steps, rules: ExecutionRules, step: Step, made: tuple[Attempt, ...]) -> Move | Back:
    """A step that only looks, or that has been undone, needs no probe: it is simply made again."""
    last, unclear = made[-1], streak(seen, made, is_unclear)
    if unclear > MAX_TRIES:
        why = Text("“{t}”连续 {n} 次没有结果", '"{t}" gave no result {n} times in a row').format(
            t=step.title, n=unclear
        )
        return Park(state="needs_person", wait=waits.person_wait(seen, last, why), about=last.key)
    if last.result is not None and last.result.unreachable and (until := retry_at(seen, last, unclear)) is not None:
        return Park(state="waiting", wait=waits.unreachable_wait(seen, last, until))
    return _begin(seen, steps, rules, step, rerun=False)


def _probe(
    seen: Seen, steps: Steps, rules: ExecutionRules, step: Step, made: tuple[Attempt, ...]
) -> Move | Back | None:
    """Nobody knows what the last attempt did: look first."""
    last, probes = made[-1], since_begun(seen, step.name, "verify")
    again = Act(step=step.name, phase="verify", number=next_number(seen, step.name, "verify"))
    told = word_on(seen, probes[-1].key, True) if probes else None
    result = probes[-1].result if probes else None
    if result is None or (told is not None and told.kind == "rerun"):
        return again
    if result.status == "ok":
        return None
    if is_unclear(result):
        asked = streak(seen, probes, is_unclear)
        if asked >= MAX_TRIES:
            why = Text("“{t}”结果不明，也查不到", 'Nobody knows what "{t}" did, and it can\'t be looked at').format(
                t=step.title
            )
            return Park(state="needs_person", wait=waits.person_wait(seen, last, why), about=last.key)
        until = retry_at(seen, probes[-1], asked)
        if until is None:
            return again
        return Park(state="waiting", wait=waits.unreachable_wait(seen, probes[-1], until))
    unclear = streak(seen, made, is_unclear)
    if step.repeatable and unclear <= MAX_TRIES:
        return _begin(seen, steps, rules, step, rerun=False)
    why = Text(
        "“{t}”结果不明（已试 {n} 次），核对发现没有完成",
        'Nobody knows how far "{t}" got (attempts: {n}); a check found it not done',
    ).format(t=step.title, n=unclear)
    return Park(state="needs_person", wait=waits.person_wait(seen, last, why), about=last.key)


def _provided(seen: Seen, last: Attempt) -> bool:
    """What the attempt lacked has come since: a person says so, or every machine that the cloud desk was to make is there."""
    ended = last.result.finished_at if last.result else None
    order = last_order(seen, "resume")
    if order is not None and ended is not None and order.at >= ended:
        return True
    if last.result is None or last.result.facts.get("wait") != "ticket":
        return False
    asked = {r.machine for r in seen.resources if r.kind == "ticket" and r.deleted_at is None}
    made = {r.machine for r in seen.resources if r.kind == "server" and r.deleted_at is None and r.address is not None}
    return bool(asked) and asked <= made


def _begin(seen: Seen, steps: Steps, rules: ExecutionRules, step: Step, *, rerun: bool) -> Move | Back:
    name, first = step.name, not tries(seen, step.name, "apply")
    gated = needs_gate(step, rules, seen.system)
    if _is_void(seen, name, at_gate=gated and first):
        return Park(state="waiting", wait=waits.changed_wait(seen, name))
    act = Act(step=name, phase="apply", number=next_number(seen, name, "apply"), rerun=rerun)
    if not gated:
        return (_before_freeze(seen, steps, rules, None) if name == "freeze" and first else None) or act
    if not first:
        # The passage goes on: its gate was used by the first attempt.
        return act if name != "freeze" or rerun or _still_open(seen, steps, rules) else Back(state="failed")
    return _at_gate(seen, steps, rules, act)


def _is_void(seen: Seen, name: StepName, *, at_gate: bool) -> bool:
    """What was let through once no longer is what is there. A new plan matters where it is asked for: at a gate. From the
    freeze on a system is carried through as it was approved."""
    if name not in _BEFORE_FREEZE or (name == "freeze" and tries(seen, name, "apply")):
        return False
    return bool(set(seen.changed) - (set() if at_gate else {"plan"}))


def _at_gate(seen: Seen, steps: Steps, rules: ExecutionRules, act: Act) -> Move | Back:
    step = steps[act.step]
    gates = [g for g in seen.gates if g.step == act.step]
    gate = gates[-1] if gates else None
    answers = seen.answers.get(gate.gate_id, ()) if gate else ()
    found = standing(answers, seen.run, rules, seen.now)
    stale = gate is None or gate.used_at is not None or gate.scope_hash != seen.system.scope_hash
    # Only a switch-off may be asked for again once it has been refused: see _turned.
    if gate is None or stale or found.spent or found.refused is not None:
        fresh = _new_gate(seen, step, len(gates) + 1)
        return Park(state="waiting", wait=waits.approval_wait(seen, step, fresh, ()), opens=fresh)
    if needs_approval(act.step, rules) and not found.granted:
        return Park(state="waiting", wait=waits.approval_wait(seen, step, gate, answers))
    if act.step == "freeze" and (move := _before_freeze(seen, steps, rules, gate)) is not None:
        return move
    return replace(act, gate_id=gate.gate_id)


def _before_freeze(seen: Seen, steps: Steps, rules: ExecutionRules, gate: Gate | None) -> Move | None:
    """The last look around: window, other systems, a check that is not too old. None: the source may be frozen."""
    window = build_window(seen.system, steps, data_bytes(seen.attempts))
    given = standing(seen.answers.get(gate.gate_id, ()) if gate else (), seen.run, rules, seen.now)
    problem = None if given.emergency else window_problem(window, seen.now)
    if problem is not None and gate is not None:
        if (refresh := _refresh(seen, rules, window)) is not None:
            return refresh
        lapses_at = min((a.expires_at for a in given.granted), default=None)
        return Park(state="waiting", wait=waits.window_wait(seen, "freeze", gate, window, problem, lapses_at))
    if (stopped := _stopped_by_others(seen)) is not None:
        return stopped
    checks = tries(seen, "precheck", "apply")
    ended = checks[-1].result.finished_at if checks and checks[-1].result else None
    if ended is None or seen.now - ended > timedelta(minutes=rules.precheck_valid_min):
        return Act(step="precheck", phase="apply", number=next_number(seen, "precheck", "apply"))
    return None


def _refresh(seen: Seen, rules: ExecutionRules, window: Window) -> Act | None:
    """The copy once more, shortly before the window: what has changed since would be copied while the source stands still."""
    if not rules.refresh_hours or window.opens_at is None or not opens_later(window, seen.now):
        return None
    made = tries(seen, "replicate", "apply")
    ended = made[-1].result.finished_at if made and made[-1].result else None
    due_at = window.opens_at - timedelta(hours=rules.refresh_hours)
    if ended is None or seen.now < due_at or ended >= due_at:
        return None
    return Act(step="replicate", phase="apply", number=next_number(seen, "replicate", "apply"))


def _stopped_by_others(seen: Seen) -> Park | None:
    others = {s: state for s, state in seen.others.items() if s != seen.system.system_id}
    released = max((o.attempt or 0 for o in seen.orders if o.kind == "resume" and o.step == "freeze"), default=-1)
    missing = [s for s in seen.system.after if s in others and others[s] not in MOVED]
    lost = [s for s in missing if others[s] in ENDED]
    if [s for s in missing if s not in lost] or (lost and released < 0):
        return Park(state="waiting", wait=waits.predecessor_wait(seen, missing, lost=len(lost) == len(missing)))
    failed = [s for s, state in others.items() if state in ("failed", "rolled_back")]
    if failed and 100 * len(failed) > seen.run.max_failed_pct * len(seen.run.systems) and len(failed) > released:
        return Park(state="waiting", wait=waits.wave_stop_wait(seen, failed))
    return None


def _still_open(seen: Seen, steps: Steps, rules: ExecutionRules) -> bool:
    """A freeze that has to be made again still fits into its window."""
    used = [g for g in seen.gates if g.step == "freeze" and g.used_at is not None]
    answers = seen.answers.get(used[-1].gate_id, ()) if used else ()
    at = used[-1].used_at if used else None
    if at is not None and standing(answers, seen.run, rules, at).emergency:
        return True
    return window_problem(build_window(seen.system, steps, data_bytes(seen.attempts)), seen.now) is None


def _new_gate(seen: Seen, step: Step, number: int) -> Gate:
    run_id, system = seen.run.run_id, seen.system
    return Gate(
        gate_id=f"{run_id}/{system.system_id}/{step.name}/{number}", run_id=run_id, system_id=system.system_id,
        step=step.name, kind=step.gate if step.gate != "none" else "approval", scope_hash=system.scope_hash,
        opened_at=seen.now,
    )  # fmt: skip


def _afterwards(seen: Seen, steps: Steps, rules: ExecutionRules) -> Move:
    """Trial, acceptance, retention; then nothing but the switch-off, by order."""
    accepted = _accepted(seen)
    if accepted is None:
        _, serves_at = downtime(seen.attempts)
        until = serves_at + timedelta(days=rules.trial_days) if serves_at and rules.trial_days else None
        return Park(state="trial", wait=waits.trial_wait(seen, until if until and seen.now < until else None))
    made = tries(seen, "switch_off", "apply")
    word = word_on(seen, made[-1].key, True) if made else None
    given_up = word is not None and word.kind == "abort"
    if given_up and (move := undo(seen, "switch_off", "running")) is not None:
        return move
    if (waiting := _not_yet(seen, rules, accepted, word if given_up else None)) is not None:
        return waiting
    if not made or given_up:
        fresh = Act(step="switch_off", phase="apply", number=next_number(seen, "switch_off", "apply"))
        gated = needs_gate(steps["switch_off"], rules, seen.system)
        ahead: Move | Back | None = _at_gate(seen, steps, rules, fresh) if gated else fresh
    else:
        ahead = _step(seen, steps, rules, "switch_off")
    if isinstance(ahead, Park) and ahead.state == "waiting":
        # It serves and is accepted, whatever its switch-off waits for.
        ahead = replace(ahead, state="accepted")
    if isinstance(ahead, Back):
        raise ValueError("there is no way back after acceptance")
    return ahead if ahead is not None else Ended(state="switched_off")


def _not_yet(seen: Seen, rules: ExecutionRules, accepted: Order, given_up: Order | None) -> Park | None:
    """The source is kept until its time is over and somebody has said that it may go, since it was last called off."""
    kept_until = accepted.at + timedelta(days=rules.retention_days)
    if seen.now < kept_until:
        return Park(state="accepted", wait=waits.retention_wait(seen, kept_until))
    order = last_order(seen, "switch_off")
    gates = [g for g in seen.gates if g.step == "switch_off" and g.used_at is None]
    refused = [a for g in gates[-1:] for a in seen.answers.get(g.gate_id, ()) if not a.granted]
    called_off = max([given_up.at] if given_up else [a.at for a in refused], default=None)
    if order is None or (called_off is not None and order.at <= called_off):
        return Park(state="accepted", wait=waits.switch_off_wait(seen))
    return None
