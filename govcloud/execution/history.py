"""What has happened to a system so far, read off its attempts and orders. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from govcloud.execution.journal import Seen
from govcloud.execution.steps import SOURCE_UNTOUCHED
from govcloud.model.account import same_person
from govcloud.model.attempt import Attempt, AttemptKey, StepResult
from govcloud.model.gate import Order, OrderKind
from govcloud.model.step import Phase, StepName

MAX_TRIES = 3
"""So many attempts in a row may come to nothing by themselves; the next one is a person's to allow."""
RETRY_AFTER = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=5))
"""Hosts that did not answer are tried again after these times."""
_WORDS: frozenset[OrderKind] = frozenset({"rerun", "done", "abort"})


def tries(seen: Seen, step: StepName, phase: Phase) -> tuple[Attempt, ...]:
    return tuple(a for a in seen.attempts if a.key.step == step and a.key.phase == phase)


def since_begun(seen: Seen, step: StepName, phase: Phase) -> tuple[Attempt, ...]:
    """The attempts of this phase after the step was last begun: older ones speak of an older state."""
    begun = tries(seen, step, "apply")
    if not begun:
        return ()
    return tuple(a for a in tries(seen, step, phase) if a.token > begun[-1].token)


def next_number(seen: Seen, step: StepName, phase: Phase) -> int:
    return 1 + max((a.key.number for a in tries(seen, step, phase)), default=0)


def is_unclear(result: StepResult) -> bool:
    """Nobody knows what it did: no verdict, or hosts that did not answer in the middle of it."""
    return result.status != "ok" and (result.status != "failed" or result.unreachable)


def word_on(seen: Seen, key: AttemptKey, repeatable: bool) -> Order | None:
    """The person's word on an attempt. To repeat what must not be repeated by itself is an approval: the starter's own word
    does not count."""
    found = None
    for order in seen.orders:
        if order.kind in _WORDS and (order.step, order.phase, order.attempt) == (key.step, key.phase, key.number):
            if order.kind == "rerun" and not repeatable and same_person(order.actor, seen.run.created_by):
                continue
            found = order
    return found


def streak(seen: Seen, attempts: Sequence[Attempt], counts: Callable[[StepResult], bool]) -> int:
    """How many of the last attempts count, back to one that does not or that a person had repeated."""
    number = 0
    for attempt in reversed(attempts):
        if attempt.result is None or not counts(attempt.result):
            break
        if number and (word := word_on(seen, attempt.key, True)) is not None and word.kind == "rerun":
            break
        number += 1
    return number


def retry_at(seen: Seen, last: Attempt, tried: int) -> datetime | None:
    """When hosts that did not answer are asked again; None: now. A clock that was set back keeps nobody waiting."""
    ended = last.result.finished_at if last.result else None
    if ended is None or seen.now < ended:
        return None
    until = ended + RETRY_AFTER[min(max(tried, 1), len(RETRY_AFTER)) - 1]
    return until if seen.now < until else None


def last_order(seen: Seen, *kinds: OrderKind) -> Order | None:
    return next((o for o in reversed(seen.orders) if o.kind in kinds), None)


def first_order(seen: Seen, *kinds: OrderKind) -> Order | None:
    return next((o for o in seen.orders if o.kind in kinds), None)


def is_held(seen: Seen) -> bool:
    found = last_order(seen, "hold", "resume", "cancel", "rollback")
    return found is not None and found.kind == "hold"


def source_touched(seen: Seen) -> bool:
    return any(
        a.key.phase == "apply" and a.key.step not in SOURCE_UNTOUCHED and a.key.step != "switch_off"
        for a in seen.attempts
    )


def data_bytes(attempts: Sequence[Attempt]) -> int:
    """What the newest check measured; 0 before."""
    for attempt in reversed(attempts):
        if attempt.key.step == "precheck" and attempt.result is not None and attempt.result.status == "ok":
            facts = attempt.result.facts
            for names in (("data_bytes",), ("source_bytes", "database_bytes")):
                if found := [v for n in names if isinstance(v := facts.get(n), int)]:
                    return sum(found)
    return 0


def downtime(attempts: Sequence[Attempt]) -> tuple[datetime | None, datetime | None]:
    """From when the source was frozen, and when one of the two was first proven to serve again."""
    begun = [a for a in attempts if a.key.step == "freeze" and a.key.phase == "apply" and a.state != "claimed"]
    if not begun:
        return None, None
    first = begun[0]
    start = (first.result.started_at if first.result else None) or first.claimed_at
    for attempt in attempts:
        key, result = attempt.key, attempt.result
        serves = (key.step, key.phase) in (("verify_service", "apply"), ("freeze", "rollback"))
        if serves and result is not None and result.status == "ok":
            return start, result.finished_at
    return start, None
